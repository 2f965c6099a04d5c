"""Whoever has the database in their hands: what its triggers refuse is done all the same, and the triggers put back."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from sqlalchemy import Engine, text

from mobigo.security import is_signed
from mobigo.store.ledger.check import Checked, check_books
from mobigo.store.ledger.rows import ONLY_ADDED_TO


def tamper(engine: Engine, *statements: str, **values: object) -> None:
    """Do `statements` to the books."""
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            for statement in statements:
                connection.execute(text(statement), values)
        return
    with closing(sqlite3.connect(engine.url.database or "")) as file, file:  # it watches over no foreign key
        triggers = file.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _sql in triggers:
            file.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            file.execute(statement, values)
        for _name, sql in triggers:
            file.execute(sql)


TABLES = (*ONLY_ADDED_TO, "balance")


def check_both_ways(engine: Engine) -> Checked:
    """What is wrong with the books, looked at stretch by stretch, four entries to each, and one by one: the same."""
    one_by_one = check_books(engine, is_signed)
    by_stretches = check_books(engine, is_signed, few=0, stretch=4)
    assert by_stretches == one_by_one, (by_stretches, one_by_one)
    return one_by_one
