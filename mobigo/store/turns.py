"""Turns: whoever looks before writing does so alone, and a row that is there already is no fault.

SQLite lets one transaction write at a time, from its beginning; PostgreSQL lets two look at once and both write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel


def take_turn(session: Session, *what: str) -> None:
    """Nobody else takes these turns before this transaction ends; those of one call are taken in order."""
    if session.connection().dialect.name == "postgresql":
        for key in sorted(what):
            session.connection().execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": key})


def add_unless_there(
    session: Session, row: SQLModel, unique: Sequence[str], where: ColumnElement[bool] | None = None
) -> bool:
    """Add a row; False when one with the same `unique` columns is there, added by whoever was quicker.

    `where` is the condition of the index that makes them unique.
    """
    session.flush()
    connection = session.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    table = type(row).__table__  # type: ignore[attr-defined] # SQLModel's own
    values: Mapping[str, object] = {column.name: getattr(row, column.name) for column in table.columns}
    added = insert(table).values(**values).on_conflict_do_nothing(index_elements=unique, index_where=where)
    return connection.execute(added.returning(*(table.c[name] for name in unique))).first() is not None
