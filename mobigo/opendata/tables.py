"""Tables: what is published as CSV and Parquet, with the schema that says what each column holds.

Same rows, same bytes: rows come sorted, no clock stands in a file. The schema is a Table Schema
(specs.frictionlessdata.io), in French, beside each file.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from mobigo.texts import text

LICENCE: Final = "etalab-2.0"  # Licence Ouverte 2.0
DEMO_LICENCE: Final = "ODbL-1.0"

Value = str | int | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its type in the words of Table Schema (`string`, `integer`, `number`), and whether it may be empty.

    Numbers come as the text of their decimals, so that no float stands between the books and a file.
    """

    name: str
    type: str = "string"
    required: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A table of plain values, its rows in the order in which they are published."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]


def render_csv(table: Table) -> bytes:
    """The table as CSV: UTF-8, commas, a header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in table.columns])
    writer.writerows(table.rows)
    return out.getvalue().encode()


def render_parquet(table: Table) -> bytes:
    """The table as Parquet, compressed with zstd; amounts are decimals of two places."""
    # Imported here: a server publishes once a month, and need not hold it for that.
    import polars as pl

    frame = pl.DataFrame(
        [
            pl.Series(column.name, [row[at] for row in table.rows], pl.Int64 if column.type == "integer" else pl.String)
            for at, column in enumerate(table.columns)
        ]
    ).with_columns(pl.col(column.name).cast(pl.Decimal(18, 2)) for column in table.columns if column.type == "number")
    out = io.BytesIO()
    frame.write_parquet(out, compression="zstd", statistics=False)
    return out.getvalue()


def schema_of(table: Table) -> dict[str, Any]:
    """What each column holds, as Table Schema: the dictionary of the table."""
    key = f"opendata.{table.name.replace('-', '_')}"
    return {
        "name": table.name,
        "title": text(f"{key}.title"),
        "description": text(f"{key}.description"),
        "fields": [
            {
                "name": column.name,
                "type": column.type,
                "description": text(f"{key}.{column.name}"),
                "constraints": {"required": column.required},
            }
            for column in table.columns
        ],
        "missingValues": [""],
    }


def render_table(table: Table) -> dict[str, bytes]:
    """The files of a table: CSV, Parquet and its schema."""
    return {
        f"{table.name}.csv": render_csv(table),
        f"{table.name}.parquet": render_parquet(table),
        f"{table.name}.schema.json": (json.dumps(schema_of(table), ensure_ascii=False, indent=2) + "\n").encode(),
    }
