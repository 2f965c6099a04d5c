"""Triggers: tables whose rows are never changed nor taken away, whoever holds the connection.

Called by migrations; see `mobigo.store.triggers`.
"""

from __future__ import annotations

from alembic import op

from mobigo.store.triggers import REFUSAL, triggers_of


def refuse_changes(table: str, *keys: str) -> None:
    """Make `table`, with these unique keys, append-only on the database of this migration; see `triggers_of`."""
    dialect = op.get_bind().dialect.name
    if dialect != "sqlite":
        op.execute(
            f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table}: {REFUSAL}'; END $$"
        )
    for statement in triggers_of(dialect, table, *keys).values():
        op.execute(statement)


def allow_changes(table: str) -> None:
    """Undo `refuse_changes`."""
    if op.get_bind().dialect.name == "sqlite":
        for name in ("update", "delete", "replace"):
            op.execute(f"DROP TRIGGER {table}_{name}")
        return
    for name in ("change", "truncate"):
        op.execute(f"DROP TRIGGER {table}_{name} ON {table}")
    op.execute(f"DROP FUNCTION {table}_refuse()")
