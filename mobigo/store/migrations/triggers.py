"""Triggers: tables whose rows are never changed nor taken away, whoever holds the connection.

Called by migrations. A row is refused a second time under its key as well: SQLite's
`INSERT OR REPLACE` takes a row away without asking the triggers of DELETE.
"""

from __future__ import annotations

from collections.abc import Mapping

from alembic import op

REFUSAL = "append only"


def triggers_of(dialect: str, table: str, *keys: str) -> Mapping[str, str]:
    """The triggers that make `table` append-only, by name, and the statements that make them.

    `keys` are its unique keys, `id` when none is given; the columns of one are parted by blanks.
    On PostgreSQL they call the function `<table>_refuse`.
    """
    if dialect == "sqlite":
        says = f"BEGIN SELECT RAISE(ABORT, '{table}: {REFUSAL}'); END"
        same = [" AND ".join(f"{column} = NEW.{column}" for column in key.split()) for key in keys or ("id",)]
        taken = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {one})" for one in same)  # noqa: S608  names of ours
        events = {"update": "UPDATE ON {}", "delete": "DELETE ON {}", "replace": f"INSERT ON {{}} WHEN {taken}"}
    else:
        says = f"EXECUTE FUNCTION {table}_refuse()"
        events = {"change": "UPDATE OR DELETE ON {} FOR EACH ROW", "truncate": "TRUNCATE ON {}"}
    return {
        f"{table}_{name}": f"CREATE TRIGGER {table}_{name} BEFORE {event.format(table)} {says}"
        for name, event in events.items()
    }


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
