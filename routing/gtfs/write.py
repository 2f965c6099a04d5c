"""Write: Feed → zip, the same bytes for equal feeds.

Members come in the order of the reference, then the extra files by name; all are
dated 1980-01-01, the first day a zip can tell. Columns come in the order of the
reference, then the unknown ones by name; rows keep the order of the feed. Every
value is written so that reading it gives it back: numbers with as many digits as
they need, quotes only where CSV asks for them, lines ended by LF.

Deflate may give other bytes with another version of zlib: across machines, compare
members, not archives.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import IO

import polars as pl

from routing.gtfs.feed import LINE, Feed
from routing.gtfs.schema import TABLES, Column, Kind
from socle.times import render_gtfs_time

_EPOCH = (1980, 1, 1, 0, 0, 0)
_ROWS_AT_ONCE = 250_000  # of stop_times: bounds the text held in memory
_ZIP64_ROWS = 10_000_000  # above, a member may pass 2 GB and its header needs room to say so


def render_feed(feed: Feed) -> bytes:
    """The zip of `feed`."""
    buffer = io.BytesIO()
    _write(feed, buffer)
    return buffer.getvalue()


def write_feed(feed: Feed, path: Path) -> None:
    """Write the zip of `feed` at `path`: whole, or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            _write(feed, file)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def render_table(feed: Feed, name: str) -> Iterator[bytes]:
    """The lines of one table as CSV, in pieces; the first piece begins with the header."""
    frame = feed.tables[name]
    known = TABLES[name].columns if name in TABLES else {}
    labels = _labels(frame, list(known))
    for start in range(0, max(frame.height, 1), _ROWS_AT_ONCE):
        rows = frame.slice(start, _ROWS_AT_ONCE)
        columns = [_texts(feed, rows, label, known.get(label)).alias(label) for label in labels]
        yield pl.DataFrame(columns).write_csv(include_header=start == 0, null_value="").encode()


def _write(feed: Feed, file: IO[bytes]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in [name for name in TABLES if name in feed.tables]:
            big = feed.tables[name].height > _ZIP64_ROWS
            with archive.open(_member(f"{name}.txt"), "w", force_zip64=big) as member:
                for piece in render_table(feed, name):
                    member.write(piece)
        for name in sorted(feed.extra_files):
            archive.writestr(_member(name), feed.extra_files[name])


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = 3  # Unix, wherever we run
    info.external_attr = 0o644 << 16
    return info


def _labels(frame: pl.DataFrame, known: list[str]) -> list[str]:
    there = set(frame.columns) - {LINE}
    if "trip" in there:
        there = there - {"trip", "stop"} | {"trip_id", "stop_id"}
    return [name for name in known if name in there] + sorted(there - set(known))


def _texts(feed: Feed, rows: pl.DataFrame, label: str, column: Column | None) -> pl.Series:
    if column is not None and column.table == "stop_times" and label in {"trip_id", "stop_id"}:
        ids = feed.tables[f"{label[:-3]}s"][label]
        return ids.gather(rows[label[:-3]])
    values = rows[label]
    if column is None or values.dtype == pl.String:
        return values
    if column.kind in {Kind.TIME, Kind.LOCAL_TIME}:
        return pl.Series(_times_until(_rounded_up(values.max() or 0))).gather(values)  # type: ignore[arg-type]  # whole seconds
    if column.kind is Kind.DATE:
        return values.dt.strftime("%Y%m%d")
    texts = values.cast(pl.String)
    if values.dtype == pl.Float64 and texts.str.contains("e", literal=True).any():
        return pl.Series([_fixed(value) for value in values], dtype=pl.String)
    return texts


def _rounded_up(seconds: int) -> int:
    """`seconds` up to whole days, so that few tables of times are made."""
    return -(-(seconds + 1) // 86_400) * 86_400


@cache
def _times_until(end: int) -> list[str]:
    return [render_gtfs_time(seconds) for seconds in range(end)]


def _fixed(value: float | None) -> str | None:
    """All digits of `value` without an exponent, which readers of GTFS do not expect."""
    return None if value is None else f"{Decimal(repr(value)):f}"
