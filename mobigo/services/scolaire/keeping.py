"""Keeping: what was worked out from a plan, kept in this process for whoever looks at the same plan again.

Plans and what comes of them never change under one key (the hash of a file), so nothing is ever out of date.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """The values that were asked for last, by key."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, T] = OrderedDict()
        self._turn = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of a key; made when it is not there, at times by two threads at once."""
        with self._turn:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._turn:
            self._values[key] = value
            while len(self._values) > self._most:
                self._values.popitem(last=False)
        return value

    def find(self, key: Hashable) -> T | None:
        """The value of a key, when it is there."""
        with self._turn:
            return self._values.get(key)
