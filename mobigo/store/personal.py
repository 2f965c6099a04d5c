"""Personal: how a store declares what it holds about people.

Every table is either a `Holding`, which says how its rows about one person are exported
and what erasure does to them, or about nobody; `mobigo.store.holdings` has the list and a
test refuses a table that is in neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlmodel import Session, SQLModel, select

from socle.errors import Fact

Value = Fact | datetime
Row = Mapping[str, Value]


class OpensSealed(Protocol):
    """The keys that open encrypted columns (`mobigo.security.Keys`)."""

    def open(self, sealed: bytes, place: str) -> str:
        """What was sealed for `place`."""


@dataclass(frozen=True, slots=True)
class Whose:
    """A person: the id of the account, and the name under which everything but the identity is kept."""

    person_id: str
    pseudonym: str

    @property
    def name(self) -> str:
        """How the audit log names the person."""
        return f"person:{self.pseudonym}"


Export = Callable[[Session, Whose, OpensSealed], Iterable[Row]]  # each value under a key that `texts` knows


def rows_of(table: type[SQLModel], named: str, order: str, told: Mapping[str, str]) -> Export:
    """How the rows are exported in which column `named` names the person; `told`: the column under each key."""

    def export(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
        rows = select(table).where(getattr(table, named) == whose.pseudonym).order_by(getattr(table, order))
        for row in session.exec(rows):
            yield {key: getattr(row, column) for key, column in told.items()}

    return export


@dataclass(frozen=True, slots=True)
class Holding:
    """What one table holds about people."""

    table: str
    columns: tuple[str, ...]  # those that hold a person's data or name the person
    export: Export
    # Takes the rows about a person away and says how many there were. None: they stay, for they hold a
    # pseudonym and nothing else, and it names nobody once the other holdings are erased.
    erase: Callable[[Session, Whose], int] | None = None
