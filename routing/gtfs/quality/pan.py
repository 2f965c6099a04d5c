"""PAN: the rules of the national access point's validator that reading does not apply by itself.

Severities and limits are theirs (etalab/transport-validator); what concerns two stops is
told once per pair of stops, not per trip. An archive, a file, a reference, an id, a date,
a time or an amount that is wrong has been told by reading.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from routing.gtfs.feed import LINE, Feed
from routing.gtfs.read.notes import Notes
from routing.gtfs.schema import TABLES, Kind
from socle.errors import Fact
from socle.findings import Severity
from socle.geo import distances_m

_CLOSE_M = 10.0
_STILL_M = 500.0  # further than this takes time
_SLOW_M_S = 0.1
_TWIN_STOPS_M = 2.0
_TWIN_STATIONS_M = 100.0
_FASTEST_KM_H = {0: 100, 1: 140, 2: 320, 4: 90, 5: 30, 6: 45, 7: 40, 11: 120, 12: 140}
_FASTEST_BY_HUNDRED_KM_H = {1: 320, 4: 140, 9: 100, 10: 90, 11: 1_000, 12: 90, 13: 45, 14: 40, 15: 50}
_FASTEST_ELSE_KM_H = 120  # bus, coach and the rest


def judge(feed: Feed, notes: Notes) -> None:
    """Findings on the names, places, ids and hops of `feed`."""
    _judge_names(feed, notes)
    _judge_stops(feed, notes)
    _judge_twins(feed, notes)
    _judge_ids(feed, notes)
    _judge_trips(feed, notes)
    _judge_hops(feed, notes)


def _column(feed: Feed, table: str, name: str, dtype: type[pl.DataType]) -> pl.Series:
    frame = feed.tables[table]
    return frame[name] if name in frame.columns else pl.Series(name, [None] * frame.height, dtype=dtype)


def _told(feed: Feed, notes: Notes, severity: Severity, code: str, table: str, key: str, mask: pl.Series) -> None:
    """A finding for every row of `table` under `mask`, with its id."""
    rows = feed.tables[table].filter(mask).select(LINE, key).rows()
    notes.add_rows(severity, code, f"{table}.txt", [(line, {"id": identifier}) for line, identifier in rows], len(rows))


def _judge_names(feed: Feed, notes: Notes) -> None:
    """MissingName."""
    short, long = (_column(feed, "routes", f"route_{kind}_name", pl.String) for kind in ("short", "long"))
    _told(feed, notes, Severity.ERROR, "route_without_name", "routes", "route_id", short.is_null() & long.is_null())
    kind = _column(feed, "stops", "location_type", pl.Int16).fill_null(0)
    nameless = _column(feed, "stops", "stop_name", pl.String).is_null() & (kind <= 2)
    _told(feed, notes, Severity.ERROR, "stop_without_name", "stops", "stop_id", nameless)


def _judge_stops(feed: Feed, notes: Notes) -> None:
    """MissingCoordinates, InvalidStopParent, InvalidStopLocationTypeInTrip."""
    kind = _column(feed, "stops", "location_type", pl.Int16).fill_null(0)
    lat, lon = _column(feed, "stops", "stop_lat", pl.Float64), _column(feed, "stops", "stop_lon", pl.Float64)
    nowhere = (lat.is_null() | lon.is_null() | ((lat == 0) & (lon == 0))) & (kind <= 2)
    _told(feed, notes, Severity.WARNING, "stop_without_place", "stops", "stop_id", nowhere)
    ids = feed.tables["stops"]["stop_id"]
    parent = _column(feed, "stops", "parent_station", pl.String)
    parent_kind = parent.replace_strict(dict(zip(ids, kind, strict=True)), default=None, return_dtype=pl.Int16)
    wanted = (kind == 4).replace_strict({True: 0, False: 1}, return_dtype=pl.Int16)
    wrong = parent.is_not_null() & ((parent_kind != wanted) | (kind == 1))
    orphan = parent.is_null() & kind.is_in([2, 3, 4])
    _told(feed, notes, Severity.WARNING, "wrong_parent", "stops", "stop_id", (wrong | orphan).fill_null(value=False))
    called = np.zeros(len(ids), bool)
    called[feed.tables["stop_times"]["stop"].drop_nulls().to_numpy()] = True
    no_quay = pl.Series(called) & (kind != 0)
    _told(feed, notes, Severity.WARNING, "call_at_no_quay", "stops", "stop_id", no_quay)


def _judge_twins(feed: Feed, notes: Notes) -> None:
    """DuplicateStops: the same name and type at the same place."""
    stops = feed.tables["stops"]
    if not {"stop_name", "stop_lat", "stop_lon"} <= set(stops.columns):
        return
    kind = _column(feed, "stops", "location_type", pl.Int16).fill_null(0).alias("kind")
    parent = _column(feed, "stops", "parent_station", pl.String).alias("parent")
    frame = (
        stops.select("stop_id", "stop_name", "stop_lat", "stop_lon", LINE)
        .with_columns(kind, parent)
        .drop_nulls(["stop_name", "stop_lat", "stop_lon"])
    )
    frame = frame.filter((frame["kind"] <= 1) & ((frame["stop_lat"] != 0) | (frame["stop_lon"] != 0)))
    frame = frame.filter(pl.struct("stop_name", "kind", "parent").is_duplicated())
    frame = frame.sort("stop_name", "kind", "parent", "stop_lat", "stop_lon", LINE)
    before = frame.shift(1)
    same = pl.Series([True] * frame.height, dtype=pl.Boolean)
    for name in ("stop_name", "kind", "parent"):
        same = same & frame[name].eq_missing(before[name])
    metres = distances_m(
        *(
            s.cast(pl.Float64).fill_null(0).to_numpy()
            for s in (before["stop_lat"], before["stop_lon"], frame["stop_lat"], frame["stop_lon"])
        )
    )
    limit = np.where(frame["kind"].to_numpy() == 1, _TWIN_STATIONS_M, _TWIN_STOPS_M)
    twins = same & pl.Series(metres < limit)
    rows = pl.DataFrame({"line": frame[LINE], "id": frame["stop_id"], "other": before["stop_id"]}).filter(twins).rows()
    told: list[tuple[int, dict[str, Fact]]] = [(line, {"id": one, "other": other}) for line, one, other in rows]
    notes.add_rows(Severity.INFO, "stop_twice", "stops.txt", told, len(told))


def _judge_ids(feed: Feed, notes: Notes) -> None:
    """IdNotAscii."""
    for name, table in TABLES.items():
        frame = feed.tables.get(name)
        if frame is None or name == "stop_times":
            continue
        for column in table.columns.values():
            if column.kind is Kind.ID and column.defines and column.name in frame.columns:
                foreign = frame[column.name].str.contains(r"[^\x20-\x7e]").fill_null(value=False)
                if foreign.any():
                    _told(feed, notes, Severity.WARNING, "id_not_ascii", name, column.name, foreign)


def _judge_trips(feed: Feed, notes: Notes) -> None:
    """UnusableTrip: fewer than two stops that differ; a ride on demand within one zone is usable."""
    times = feed.tables["stop_times"]
    places = [name for name in ("stop", "location_group_id", "location_id") if name in times.columns]
    on_demand = [name for name in places if name != "stop"]
    zones = pl.any_horizontal(pl.col(name).is_not_null() for name in on_demand) if on_demand else pl.lit(value=False)
    seen = times.group_by("trip").agg(pl.col("stop").n_unique().alias("n"), zones.any().alias("zone"))
    rows = pl.int_range(feed.n_rows("trips"), dtype=pl.Int32, eager=True).to_frame("trip")
    seen = rows.join(seen, on="trip", how="left", maintain_order="left")
    unusable = (seen["n"].fill_null(0) < 2) & ~seen["zone"].fill_null(value=False)
    _told(feed, notes, Severity.WARNING, "trip_too_short", "trips", "trip_id", unusable)


def _judge_hops(feed: Feed, notes: Notes) -> None:
    """NullDuration, ExcessiveSpeed, Slow, CloseStops: on the quickest hop between two stops by each mode."""
    hops = _quickest_hops(feed)
    if hops is None or not hops.height:
        return
    metres, seconds = hops["metres"].to_numpy(), hops["seconds"].to_numpy()
    km_h = np.divide(metres * 3.6, seconds, out=np.zeros(len(metres)), where=seconds > 0)
    limit = np.array([_fastest_km_h(kind) for kind in hops["route_type"]])
    for severity, code, mask in (
        (Severity.WARNING, "no_time_between_stops", (seconds == 0) & (metres > _STILL_M)),
        (Severity.INFO, "too_fast", km_h > limit),
        (
            Severity.INFO,
            "too_slow",
            (seconds > 0) & (metres > _CLOSE_M) & (metres / np.maximum(seconds, 1) < _SLOW_M_S),
        ),
        (Severity.INFO, "stops_too_close", metres < _CLOSE_M),
    ):
        rows = hops.filter(pl.Series(mask))
        if not rows.height:
            continue
        ids = feed.tables["stops"]["stop_id"]
        speeds = km_h[mask]
        told: list[tuple[int, dict[str, Fact]]] = [
            (line, {"one": ids[one], "other": ids[other], "metres": round(away), "seconds": took, "km_h": round(speed)})
            for (one, other, away, took, line), speed in zip(
                rows.select("one", "other", "metres", "seconds", "line").rows(), speeds, strict=True
            )
        ]
        notes.add_rows(severity, code, "stop_times.txt", told, len(told))


def _quickest_hops(feed: Feed) -> pl.DataFrame | None:
    """For each mode and unordered pair of stops joined by a hop: metres, fewest seconds and a line to look at."""
    times, stops = feed.tables["stop_times"], feed.tables["stops"]
    if not {"stop_lat", "stop_lon"} <= set(stops.columns) or "arrival_time" not in times.columns:
        return None
    kinds = (
        feed.tables["trips"]
        .select("route_id")
        .join(feed.tables["routes"].select("route_id", "route_type"), on="route_id", how="left", maintain_order="left")[
            "route_type"
        ]
    )
    departure = times["departure_time"] if "departure_time" in times.columns else times["arrival_time"]
    frame = pl.DataFrame(
        {
            "trip": times["trip"],
            "one": times["stop"],
            "left": departure.fill_null(times["arrival_time"]),
            "reached": times["arrival_time"].fill_null(departure),
            "line": times[LINE],
        }
    ).drop_nulls()
    after = frame.select(pl.col("trip", "one", "reached", "line").shift(-1).name.suffix("_next"))
    frame = pl.concat([frame, after], how="horizontal").filter(pl.col("trip") == pl.col("trip_next"))
    frame = frame.filter(pl.col("one") != pl.col("one_next"))
    hops = (
        frame.select(
            pl.min_horizontal("one", "one_next").alias("one"),
            pl.max_horizontal("one", "one_next").alias("other"),
            (pl.col("reached_next") - pl.col("left")).alias("seconds"),
            pl.col("line_next").alias("line"),
            kinds.gather(frame["trip"]).alias("route_type"),
        )
        .group_by("route_type", "one", "other", maintain_order=True)
        .agg(pl.col("seconds").min(), pl.col("line").sort_by("seconds", maintain_order=True).first())
    )
    lat, lon = (
        stops["stop_lat"].fill_null(float("nan")).to_numpy(),
        stops["stop_lon"].fill_null(float("nan")).to_numpy(),
    )
    one, other = hops["one"].to_numpy(), hops["other"].to_numpy()
    metres = pl.Series("metres", distances_m(lat[one], lon[one], lat[other], lon[other]))
    zero = (lat == 0) & (lon == 0)
    known = pl.Series(~zero[one] & ~zero[other]) & metres.is_finite()
    return hops.with_columns(metres).filter(known)


def _fastest_km_h(route_type: int) -> int:
    if route_type in _FASTEST_KM_H:
        return _FASTEST_KM_H[route_type]
    return _FASTEST_BY_HUNDRED_KM_H.get(route_type // 100, _FASTEST_ELSE_KM_H)
