"""Feed: one GTFS dataset as frozen columns.

`tables` holds a Polars frame per file (`"stops"` for stops.txt). Columns have their
GTFS names: ids, texts and amounts String, enums Int16, whole numbers Int32, other
numbers Float64, days Date, times Int32 seconds of the service day. Texts have no
surrounding blanks and an empty text is null. Columns that the reference does not
know are String. `_line` (Int32) is the line of the row in the producer's file, whose
header is line 1.

`stop_times` is different because it is long: instead of `trip_id` and `stop_id` it has

    trip    Int32, row of `tables["trips"]`
    stop    Int32, row of `tables["stops"]`; null where riders ride on demand

its enums are Int8, and its rows are ordered by (trip, stop_sequence).

Files that are no tables of the reference are in `extra_files`, byte for byte.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

import numpy as np
import polars as pl

from routing.gtfs.feed.values import clean_texts, dtype_of, read_values
from routing.gtfs.schema import TABLES, Column

__all__ = ["LINE", "Feed", "Plain", "make_feed", "sort_stop_times"]

LINE = "_line"
Plain = str | int | float | date | None


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """One dataset. Two feeds are equal when their source, values and extra files are; line numbers do not count."""

    source_id: str
    tables: Mapping[str, pl.DataFrame]
    extra_files: Mapping[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", MappingProxyType(dict(self.tables)))
        object.__setattr__(self, "extra_files", MappingProxyType(dict(self.extra_files)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Feed):
            return NotImplemented
        return (
            self.source_id == other.source_id
            and dict(self.extra_files) == dict(other.extra_files)
            and self.tables.keys() == other.tables.keys()
            and all(_same(frame, other.tables[name]) for name, frame in self.tables.items())
        )

    __hash__ = None  # type: ignore[assignment]  # how Python says that equal feeds have no hash

    def n_rows(self, table: str) -> int:
        """How many rows `table` has, 0 when the feed has no such table."""
        frame = self.tables.get(table)
        return 0 if frame is None else frame.height

    def replace(self, tables: Mapping[str, pl.DataFrame]) -> Feed:
        """The feed with some tables replaced or added."""
        return dataclasses.replace(self, tables={**self.tables, **tables})


def _same(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    one, other = one.drop(LINE, strict=False), other.drop(LINE, strict=False)
    return set(one.columns) == set(other.columns) and one.equals(other.select(one.columns))


def make_feed(
    source_id: str,
    tables: Mapping[str, Mapping[str, Sequence[Plain]]],
    extra_files: Mapping[str, bytes] | None = None,
) -> Feed:
    """A feed from plain columns with GTFS names, stop_times with `trip_id` and `stop_id`.

    Values are either texts as in a file ("07:05:00", "20261121") or plain Python
    values (seconds, `date`, numbers). This is for feeds made by a program: a value
    that does not fit its column, or a stop time of no trip or stop, is its fault.

    Raises:
        ValueError: a value that does not fit, columns of unequal length, an unknown trip or stop.
    """
    frames = {}
    for name, columns in tables.items():
        known = TABLES[name].columns
        series = [_plain_column(label, values, known.get(label)) for label, values in columns.items()]
        frame = pl.DataFrame(series)
        frames[name] = frame.with_columns(pl.int_range(2, 2 + frame.height, dtype=pl.Int32).alias(LINE))
    times = frames.get("stop_times")
    if times is not None:
        if "stop_id" not in times.columns:
            times = times.with_columns(pl.lit(None, pl.String).alias("stop_id"))
        for label, target, key in (("trip", "trips", "trip_id"), ("stop", "stops", "stop_id")):
            rows = {identifier: row for row, identifier in enumerate(frames[target][key])}
            missing = set(times[key].drop_nulls().unique()) - rows.keys()
            if missing:
                raise ValueError(f"stop_times.{key} unknown: {sorted(missing)[:5]}")
            found = times[key].replace_strict(rows, default=None, return_dtype=pl.Int32)
            times = times.with_columns(found.alias(label)).drop(key)
        frames["stop_times"] = sort_stop_times(times)
    return Feed(source_id, frames, extra_files or {})


def _plain_column(label: str, values: Sequence[Plain], column: Column | None) -> pl.Series:
    if column is None or any(isinstance(value, str) for value in values):
        texts = clean_texts(pl.Series(label, [None if value is None else str(value) for value in values], pl.String))
        if column is None:
            return texts
        read, bad = read_values(texts, column)
        if bad.any():
            raise ValueError(f"{column.table}.{label}: {texts.filter(bad)[0]!r} is no {column.kind}")
        return read
    dtype = dtype_of(column)
    plain = [None if value is None else str(value) for value in values] if dtype == pl.String else values
    return pl.Series(label, plain, dtype=dtype, strict=dtype != pl.Float64)


def sort_stop_times(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` by (trip, stop_sequence), `trip` and `stop` first; rows of equal key keep their order.

    Columns are reordered one by one: at ten million rows a sort of the whole frame would hold it twice.
    """
    front = [name for name in ("trip", "stop", "stop_sequence") if name in frame.columns]
    names = front + [name for name in frame.columns if name not in front]
    key = (frame["trip"].to_numpy().astype(np.int64) << 32) | frame["stop_sequence"].to_numpy()
    if bool(np.all(key[1:] >= key[:-1])):
        return frame.select(names)
    order = pl.Series(np.argsort(key, kind="stable").astype(np.uint32))
    del key
    columns = {name: frame[name] for name in names}
    del frame
    return pl.DataFrame([columns.pop(name).gather(order) for name in names])
