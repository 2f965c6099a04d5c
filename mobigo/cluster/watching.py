"""Watching: what a piece of work and who waits for it say to each other while it is under way."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from socle.errors import MobigoError, Unavailable

Given = TypeVar("Given")
Result = TypeVar("Result")

Tell = Callable[[object], bool]
"""How a piece tells something of itself, or None when there is nothing; True asks it to stop with what it has."""

Work = Callable[[Given, Tell], Result]
"""A function of a module, without state: what it is given and the numbers it draws from it decide what it gives."""


@dataclass(frozen=True, slots=True)
class Piece(Generic[Given]):
    """What one call is given, and the name by which a person knows it."""

    name: str
    given: Given


@dataclass(frozen=True, slots=True)
class Watch(Generic[Result]):
    """Who waits: hears what pieces tell and what each came to, by its index, and may ask all of them to stop."""

    on_told: Callable[[int, Any], None] = lambda _index, _said: None
    on_ended: Callable[[int, Result], None] = lambda _index, _result: None
    is_stopped: Callable[[], bool] = lambda: False


class PieceFailed(Unavailable):
    """A piece that could not be done; the others were."""

    def __init__(self, piece: str, reason: str) -> None:
        super().__init__("piece_failed", piece=piece, reason=reason)


class Faults:
    """What went wrong, by piece."""

    def __init__(self, pieces: Sequence[Piece[Any]]) -> None:
        self._pieces = pieces
        self._reasons: dict[int, str] = {}

    def note(self, index: int, reason: str) -> None:
        """Keep why a piece could not be done."""
        self._reasons[index] = reason

    def speak(self) -> None:
        """Raise for the first of them."""
        if self._reasons:
            index = min(self._reasons)
            raise PieceFailed(self._pieces[index].name, self._reasons[index])


def reason_of(error: BaseException) -> str:
    """What went wrong and where; an error's words may be about somebody, those of ours are made from code and facts."""
    if isinstance(error, MobigoError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f", {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + where
