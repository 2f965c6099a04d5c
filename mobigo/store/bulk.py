"""Bulk: many rows asked for or written by one call, in the way that each driver is quickest with.

SQLite takes rows in a loop of its own and a list of words as one JSON text; PostgreSQL takes rows
by COPY and words as an array. The drivers are spoken to directly: rows on their way through
SQLAlchemy's statements took longer than they do in the database.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, TypeAlias

import msgspec
from sqlalchemy import ARRAY, JSON, Column, Connection, Select, String, Table, cast, func, select
from sqlalchemy.exc import DBAPIError

Values: TypeAlias = tuple[Any, ...]
"""One row: a value for each column of its table, in their order."""

# Kept in memory (below zero: KiB), and in the log before they are put into the file; left alone, 2 MB and 4 MB.
_MANY_PAGES: Final = {"cache_size": -384 * 1024, "wal_autocheckpoint": 80_000}
_FEW_PAGES: Final = {"cache_size": -2_000, "wal_autocheckpoint": 1_000}
_WORDS: Final = {"sqlite": "SELECT value FROM json_each(?)", "postgresql": "SELECT unnest(%s::varchar[])"}


def fetch(connection: Connection, question: str, *values: object) -> Sequence[Values]:
    """The rows that answer `question`, as the driver has them: an object around each is for people.

    Raises:
        The driver's own errors.
    """
    driver: Any = connection.connection
    # Bytes come from PostgreSQL as bytes, not as digits.
    cursor = driver.cursor() if connection.dialect.name == "sqlite" else driver.cursor(binary=True)
    rows: Sequence[Values] = cursor.execute(question, values).fetchall()
    return rows


def ask(connection: Connection, question: str, words: Iterable[str]) -> Sequence[Values]:
    """The rows that answer `question`, a SELECT in which `{words}` stands for the words that are wanted."""
    wanted = list(words)
    if not wanted:
        return ()
    dialect = connection.dialect.name
    told = json.dumps(wanted) if dialect == "sqlite" else wanted
    with _told_as_sqlalchemy(connection, question):
        return fetch(connection, question.format(words=_WORDS[dialect]), told)


def words_in(connection: Connection, words: Iterable[str]) -> Select[tuple[str]]:
    """The words as a question that SQLAlchemy's statements can hold, however many they are."""
    wanted = list(words)
    if connection.dialect.name == "sqlite":
        return select(func.json_each(json.dumps(wanted)).table_valued("value").c.value)
    return select(func.unnest(cast(wanted, ARRAY(String))))


def add_all(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add rows told by the names of the columns of `table`; a value that is not said is NULL."""
    names = [column.name for column in table.columns]
    add_values(connection, table, (map(row.get, names) for row in rows))


def add_values(connection: Connection, table: Table, rows: Iterable[Iterable[Any]]) -> None:
    """Add rows of Python's values, one for each column of `table` in their order, as the driver keeps them."""
    binders = [(at, bind) for at, column in enumerate(table.columns) if (bind := _binder(connection, column))]
    bound: list[Values] = []
    for row in rows:
        values = list(row)
        for at, bind in binders:
            values[at] = bind(values[at])
        bound.append(tuple(values))
    add(connection, table, bound)


def bound(connection: Connection, column: Column[Any], value: Any) -> Any:
    """A value of `column` as the driver keeps it."""
    bind = _binder(connection, column)
    return value if bind is None else bind(value)


def add(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Add `rows` to `table`."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_insertion(table), list(rows))
        return
    statement = f"COPY {table.name} ({_names(table)}) FROM STDIN"
    driver: Any = connection.connection
    with _told_as_sqlalchemy(connection, statement), driver.cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def put(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Add `rows` to `table`, each in the place of that of the same primary key."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    others = [f"{column.name} = excluded.{column.name}" for column in table.columns if not column.primary_key]
    replacing = f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {', '.join(others)}"
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_insertion(table) + replacing, list(rows))
        return
    types = [column.type.compile(connection.dialect) for column in table.columns]
    arrays = ", ".join(f"%s::{one}[]" for one in types)
    statement = f"INSERT INTO {table.name} ({_names(table)}) SELECT * FROM unnest({arrays})"  # noqa: S608  names of ours
    connection.exec_driver_sql(statement + replacing, tuple(map(list, zip(*rows, strict=True))))


def keep_many_pages(connection: Connection) -> None:
    """Have SQLite keep more pages from now on: keys drawn at random are everywhere in an index of a month.

    And have it put them into their file less often: transactions one after another write the same ones again.
    """
    _set_pragmas(connection, _MANY_PAGES)


def keep_few_pages(connection: Connection) -> None:
    """Undo `keep_many_pages`."""
    _set_pragmas(connection, _FEW_PAGES)


def _set_pragmas(connection: Connection, values: Mapping[str, int]) -> None:
    if connection.dialect.name == "sqlite":
        for name, value in values.items():
            connection.exec_driver_sql(f"PRAGMA {name} = {value}")


@contextmanager
def _told_as_sqlalchemy(connection: Connection, statement: str) -> Iterator[None]:
    """Tell the driver's errors as SQLAlchemy does, so that they are understood above."""
    dialect = connection.dialect
    try:
        yield
    except dialect.loaded_dbapi.Error as fault:
        raise DBAPIError.instance(statement, None, fault, Exception, dialect=dialect) from fault


def _binder(connection: Connection, column: Column[Any]) -> Callable[[Any], Any] | None:
    """What makes of a value of `column` what the driver keeps; None: it is kept as it is."""
    if isinstance(column.type, JSON):
        return lambda value: msgspec.json.encode(value).decode()  # some five times as quick as Python's own
    found: Callable[[Any], Any] | None = column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    return found


@lru_cache
def _names(table: Table) -> str:
    return ", ".join(column.name for column in table.columns)


@lru_cache
def _insertion(table: Table) -> str:
    values = ", ".join("?" for _ in table.columns)
    return f"INSERT INTO {table.name} ({_names(table)}) VALUES ({values})"  # noqa: S608  names of ours
