"""Garbage: how often Python looks for it while very many objects are made that are all in use."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_RARELY: Final = (200_000, 50, 100)


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Have the collector go through what is alive a few hundred times less often meanwhile.

    It looks for rings of objects, and carpools, rides and decisions make none: over a month of them it took
    a third of the time. It is not turned off, since other threads may make rings.
    """
    before = gc.get_threshold()
    gc.set_threshold(*_RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*before)
