"""Retention: rows of any table by their age, and how many are too old.

The table and the column of the instant come from the retention rules (see
`mobigo.services.retention`); rows without an instant (a job not done yet) are never old.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Table, delete, func, tuple_
from sqlalchemy import select as select_columns
from sqlmodel import Session, SQLModel


@dataclass(frozen=True, slots=True)
class Age:
    """The rows of a table: how many lie before a limit, and the instant of the oldest."""

    n_older: int
    oldest: datetime | None


def _column(table: str, column: str) -> tuple[Table, Column[datetime]]:
    found = SQLModel.metadata.tables[table]
    return found, found.c[column]


def get_age(session: Session, table: str, column: str, before: datetime) -> Age:
    """How many rows of `table` have a `column` before the limit, and the oldest of all."""
    rows, instant = _column(table, column)
    n_older = session.execute(select_columns(func.count()).select_from(rows).where(instant < before)).scalar_one()
    return Age(n_older, session.execute(select_columns(instant).order_by(instant.nulls_last()).limit(1)).scalar())


def remove_older(session: Session, table: str, column: str, before: datetime, most: int) -> int:
    """Take away at most `most` rows whose `column` lies before the limit, the oldest first; how many went.

    Rows of other tables that belong to them (by foreign key) go with them and are not counted.
    """
    rows, instant = _column(table, column)
    keys = list(rows.primary_key.columns)
    old = session.execute(select_columns(*keys).where(instant < before).order_by(instant, *keys).limit(most)).all()
    if not old:
        return 0
    values = [tuple(each) for each in old]
    for other in SQLModel.metadata.tables.values():
        for constraint in other.foreign_key_constraints:
            if constraint.referred_table is rows and other is not rows:
                session.execute(delete(other).where(tuple_(*constraint.columns).in_(values)))
    session.execute(delete(rows).where(tuple_(*keys).in_(values)))
    return len(values)
