"""Garbage: how often Python looks for it while very many objects are made that are all in use."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_RARELY: Final = (200_000, 50, 100)

_lock = threading.Lock()
_n_inside = 0
_usual = gc.get_threshold()


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Have the collector go through what is alive a few hundred times less often meanwhile, in the whole process.

    It looks for rings of objects, and entries, carpools, rides and decisions make none: over a month of them it
    took a third of the time, and of entering for 512 callers who wait a third as well. It is not turned off,
    since other threads may make rings. Whoever leaves last has it look as often as before the first.
    """
    global _n_inside, _usual
    with _lock:
        if _n_inside == 0:
            _usual = gc.get_threshold()
            gc.set_threshold(*_RARELY)
        _n_inside += 1
    try:
        yield
    finally:
        with _lock:
            _n_inside -= 1
            if _n_inside == 0:
                gc.set_threshold(*_usual)
