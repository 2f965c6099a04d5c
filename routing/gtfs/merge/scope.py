"""Scope: the ids of one source's table, as they are called in the merged network."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from routing.gtfs.schema import TABLES, Kind, Table
from socle.ids import scoped_id


def scoped_table(frame: pl.DataFrame, name: str, source_id: str, stop_ids: Mapping[str, str]) -> pl.DataFrame:
    """`frame` with every id scoped by its source; `stop_ids` says what stops are called."""
    table = TABLES[name]
    columns = []
    for column in table.columns.values():
        if column.kind is not Kind.ID or column.name not in frame.columns or name == "translations":
            continue
        values = frame[column.name]
        columns.append(_replaced(values, stop_ids if column.space == "stop" else _scopes(values, source_id)))
    frame = frame.with_columns(columns)
    return _scoped_records(frame, source_id, stop_ids) if name == "translations" else frame


def _scopes(values: pl.Series, source_id: str) -> dict[str, str]:
    return {value: scoped_id(source_id, value) for value in values.drop_nulls().unique()}


def _replaced(values: pl.Series, names: Mapping[str, str]) -> pl.Series:
    return values.replace_strict(names, default=None, return_dtype=pl.String)


def _scoped_records(frame: pl.DataFrame, source_id: str, stop_ids: Mapping[str, str]) -> pl.DataFrame:
    """Translations with `record_id` as the ids of the table that each row names."""
    if "record_id" not in frame.columns:
        return frame
    record = frame["record_id"]
    for name in frame["table_name"].unique():
        mask = frame["table_name"] == name
        if name == "stops":
            names: Mapping[str, str] = stop_ids
        elif name in TABLES and _key_is_id(TABLES[name]):
            names = _scopes(record.filter(mask), source_id)
        else:
            continue
        record = record.zip_with(~mask | record.is_null(), _replaced(record, names))
    return frame.with_columns(record)


def _key_is_id(table: Table) -> bool:
    """Whether `record_id` is an id: the first column of the table's key."""
    return bool(table.key) and table.key[0] in table.columns and table.columns[table.key[0]].kind is Kind.ID
