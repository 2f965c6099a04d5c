"""Triggers: tables whose rows are never changed nor taken away, whoever holds the connection.

Called by migrations. A row is refused a second time under its key as well: SQLite's
`INSERT OR REPLACE` takes a row away without asking the triggers of DELETE.
"""

from __future__ import annotations

from alembic import op

REFUSAL = "append only"


def refuse_changes(table: str, *keys: str) -> None:
    """Make `table` append-only on the database of this migration.

    `keys` are its unique keys, `id` when none is given; the columns of one are parted by blanks.
    """
    if op.get_bind().dialect.name == "sqlite":
        says = f"BEGIN SELECT RAISE(ABORT, '{table}: {REFUSAL}'); END"
        same = [" AND ".join(f"{column} = NEW.{column}" for column in key.split()) for key in keys or ("id",)]
        taken = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {one})" for one in same)  # noqa: S608  names of ours
        op.execute(f"CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} {says}")
        op.execute(f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} {says}")
        op.execute(f"CREATE TRIGGER {table}_replace BEFORE INSERT ON {table} WHEN {taken} {says}")
        return
    op.execute(
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table}: {REFUSAL}'; END $$"
    )
    for name, what in (("change", "UPDATE OR DELETE ON {} FOR EACH ROW"), ("truncate", "TRUNCATE ON {}")):
        op.execute(f"CREATE TRIGGER {table}_{name} BEFORE {what.format(table)} EXECUTE FUNCTION {table}_refuse()")


def allow_changes(table: str) -> None:
    """Undo `refuse_changes`."""
    if op.get_bind().dialect.name == "sqlite":
        for name in ("update", "delete", "replace"):
            op.execute(f"DROP TRIGGER {table}_{name}")
        return
    for name in ("change", "truncate"):
        op.execute(f"DROP TRIGGER {table}_{name} ON {table}")
    op.execute(f"DROP FUNCTION {table}_refuse()")
