"""Chance: every draw is a hash of (seed, kind, key), so that adding an object never shifts another."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

Key = str | int
T = TypeVar("T")

_SCALE = 2.0**-64
_SEPARATOR = "\x1f"


def fraction(seed: int, kind: str, *key: Key) -> float:
    """A number in [0, 1) that belongs to this seed, kind and key alone."""
    text = _SEPARATOR.join((str(seed), kind, *map(str, key)))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) * _SCALE


def between(low: float, high: float, seed: int, kind: str, *key: Key) -> float:
    """A number in [low, high)."""
    return low + (high - low) * fraction(seed, kind, *key)


def whole_between(low: int, high: int, seed: int, kind: str, *key: Key) -> int:
    """A whole number from low to high, both included."""
    return low + int((high - low + 1) * fraction(seed, kind, *key))


def pick(among: Sequence[T], seed: int, kind: str, *key: Key) -> T:
    """One of `among`."""
    return among[int(len(among) * fraction(seed, kind, *key))]
