"""Triggers: what keeps the rows of a table from being changed or taken away, as statements.

A row is refused a second time under its key as well: SQLite's `INSERT OR REPLACE` takes a row
away without asking the triggers of DELETE.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

REFUSAL: Final = "append only"


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
