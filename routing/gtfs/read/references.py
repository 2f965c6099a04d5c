"""References: ids that must be unique, ids that must exist.

After this, an id that one table of a Feed uses is defined in another, once. The one
exception is `translations.record_id`, whose table is named in the row.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from routing.gtfs.feed import LINE
from routing.gtfs.read.notes import EXAMPLES, Notes
from routing.gtfs.read.tables import note_rows
from routing.gtfs.schema import TABLES, Table, columns_of_space
from socle.findings import Severity

# Those that trips stand on come first, so that a trip whose route is set apart goes with it.
_FIRST = ("levels", "agency", "calendar", "calendar_dates", "shapes", "networks", "location_groups", "booking_rules")
TRIP_TABLES = (*_FIRST, "stops", "routes", "trips")
OTHER_TABLES = tuple(name for name in TABLES if name not in TRIP_TABLES and name != "stop_times")


def unique_rows(frame: pl.DataFrame, table: Table, notes: Notes) -> pl.DataFrame:
    """`frame` without the rows whose primary key was seen on an earlier line."""
    key = list(table.columns) if table.key == ("*",) else list(table.key)
    key = [name for name in key if name in frame.columns]
    if not key or not frame.height:
        return frame
    keys = pl.struct(key) if len(key) > 1 else pl.col(key[0])
    again = frame.select(~keys.is_first_distinct()).to_series()
    if len(key) == 1:
        again = again & frame[key[0]].is_not_null()
    if not again.any():
        return frame
    suspects = frame.filter(frame.select(keys.is_duplicated()).to_series())
    equal = suspects.select(~pl.struct(pl.exclude(LINE)).is_first_distinct()).to_series()
    repeated = frame[LINE].is_in(suspects[LINE].filter(equal).implode()) & again
    file = f"{table.name}.txt"
    for severity, code, mask in (
        (Severity.WARNING, "duplicate_row", repeated),
        (Severity.ERROR, "duplicate_key", again & ~repeated),
    ):
        rows = frame.filter(mask)
        told = rows.head(EXAMPLES).select(LINE, *key).rows()
        facts = (
            (line, {"key": ", ".join("" if part is None else str(part) for part in parts)}) for line, *parts in told
        )
        notes.add_rows(severity, code, file, facts, rows.height)
    return frame.filter(~again)


def ids_of_space(tables: Mapping[str, pl.DataFrame], space: str) -> pl.Series:
    """Every id defined in `space`, once, in no promised order."""
    defining = [
        tables[column.table][column.name]
        for column in columns_of_space(space)
        if column.defines and column.table in tables and column.name in tables[column.table].columns
    ]
    if not defining:
        return pl.Series([], dtype=pl.String)
    return pl.concat([series.alias("id") for series in defining]).drop_nulls().unique()


def known_rows(frame: pl.DataFrame, table: Table, tables: Mapping[str, pl.DataFrame], notes: Notes) -> pl.DataFrame:
    """`frame` without the rows, or only the values, that refer to something unknown."""
    apart: pl.Series | None = None
    for column in table.columns.values():
        if not column.refers or column.name not in frame.columns:
            continue
        values = frame[column.name]
        unknown = values.is_not_null() & ~values.is_in(ids_of_space(tables, column.space).implode())
        unknown = unknown.fill_null(value=False)
        if not unknown.any():
            continue
        note_rows(notes, Severity.ERROR, "unknown_reference", f"{table.name}.txt", frame, unknown, values, column)
        if column.emptied:
            frame = frame.with_columns(values.set(unknown, None))
        else:
            apart = unknown if apart is None else apart | unknown
    return frame if apart is None else frame.filter(~apart)
