"""Mapped: frozen arrays on disk, opened by many processes at once as memory maps."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from socle.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Strings:
    """Texts end to end: number `i` is `data[first_byte[i]:first_byte[i + 1]]` in UTF-8."""

    first_byte: NDArray[np.int64]  # [n + 1]
    data: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.first_byte) - 1

    def __getitem__(self, number: int) -> str:
        return self.data[self.first_byte[number] : self.first_byte[number + 1]].tobytes().decode()

    def to_list(self) -> list[str]:
        """All of them, in order."""
        whole = self.data.tobytes()
        first = self.first_byte.tolist()
        return [whole[first[i] : first[i + 1]].decode() for i in range(len(self))]

    @classmethod
    def of(cls, texts: list[str]) -> Self:
        """The table of `texts`."""
        encoded = [text.encode() for text in texts]
        first_byte = np.zeros(len(texts) + 1, np.int64)
        np.cumsum([len(part) for part in encoded], out=first_byte[1:])
        return cls(first_byte, np.frombuffer(b"".join(encoded), np.uint8))


def save_arrays(value: Any, directory: Path) -> None:
    """Write the arrays of a dataclass as `<field>.npy`, string tables as two arrays each."""
    for field in dataclasses.fields(value):
        array = getattr(value, field.name)
        if isinstance(array, Strings):
            np.save(directory / f"{field.name}.first_byte.npy", array.first_byte)
            np.save(directory / f"{field.name}.data.npy", array.data)
        elif isinstance(array, np.ndarray):
            np.save(directory / f"{field.name}.npy", array)


def map_array(path: Path) -> NDArray[Any]:
    """An array of a directory, mapped copy-on-write: a read-only one would be a second type for Numba."""
    try:
        mapped = np.load(path, mmap_mode="c")
    except ValueError:  # an empty array cannot be mapped
        return np.asarray(np.load(path))
    # A plain ndarray over the same pages: attribute access and slicing of np.memmap are slow.
    plain: NDArray[Any] = mapped.view(np.ndarray)
    return plain


@contextmanager
def undamaged(directory: Path) -> Iterator[None]:
    """Tell files that are missing or cut short (a disk that filled up, a hand that deleted) from faults of ours.

    Raises:
        Unavailable: `release_damaged`.
    """
    try:
        yield
    except (FileNotFoundError, EOFError, ValueError, KeyError, TypeError) as damage:
        raise Unavailable("release_damaged", directory=str(directory), reason=str(damage)) from damage
