"""Retention: rows of any table by their age, and how many are too old.

The table and the column of the instant come from the retention rules (see
`mobigo.services.retention`); rows without an instant (a job not done yet) are never old.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ColumnElement, Table, delete, func, tuple_
from sqlalchemy import select as select_columns
from sqlmodel import Session, SQLModel

from mobigo.store.base import change


@dataclass(frozen=True, slots=True)
class Age:
    """The rows of a table: how many lie before a limit, and the instant of the oldest."""

    n_older: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Aging:
    """Rows of `table` that age: counted from their instant `column`; only those with the values of `only`."""

    table: str
    column: str
    only: Mapping[str, str]

    def rows(self) -> Table:
        """The table."""
        return SQLModel.metadata.tables[self.table]

    def instant(self) -> Column[datetime]:
        """The column of the instant."""
        return self.rows().c[self.column]

    def chosen(self) -> list[ColumnElement[bool]]:
        """Which rows of the table are meant: those whose instant has come."""
        rows = self.rows()
        return [self.instant().is_not(None), *(rows.c[name] == value for name, value in self.only.items())]


def get_age(session: Session, aging: Aging, before: datetime) -> Age:
    """How many rows have an instant before the limit, and the oldest of all."""
    instant, chosen = aging.instant(), aging.chosen()
    older = select_columns(func.count()).select_from(aging.rows()).where(*chosen, instant < before)
    oldest = select_columns(instant).where(*chosen).order_by(instant).limit(1)
    return Age(session.execute(older).scalar_one(), session.execute(oldest).scalar())


def remove_older(session: Session, aging: Aging, before: datetime, most: int) -> int:
    """Take away at most `most` rows whose instant lies before the limit, the oldest first; how many went.

    Rows of other tables that belong to them (by foreign key) go with them and are not counted.
    """
    rows, instant = aging.rows(), aging.instant()
    keys = list(rows.primary_key.columns)
    too_old = select_columns(*keys).where(*aging.chosen(), instant < before).order_by(instant, *keys)
    old = session.execute(too_old.limit(most)).all()
    if not old:
        return 0
    values = [tuple(each) for each in old]
    for other in SQLModel.metadata.tables.values():
        for constraint in other.foreign_key_constraints:
            if constraint.referred_table is rows and other is not rows:
                change(session, delete(other).where(tuple_(*constraint.columns).in_(values)))
    return change(session, delete(rows).where(tuple_(*keys).in_(values)))
