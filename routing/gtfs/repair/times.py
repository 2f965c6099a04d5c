"""Times: stops without a time, and minutes in which a bus serves five stops at once.

Both are a matter of distance: along the shape of the trip where there is one, else
from stop to stop. Published times at the ends of a gap are never touched, and no
departure becomes earlier than it was published.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from routing.gtfs.feed import LINE, Feed
from routing.gtfs.read.notes import EXAMPLES, Notes
from socle.findings import Severity
from socle.geo import distances_m
from socle.times import render_gtfs_time

_MINUTE_S = 60
_UNTIMED = -1
_NEAR_ENOUGH_M = 50.0  # of a shape that passes twice: as good a place as the nearest

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


def interpolate(feed: Feed, notes: Notes) -> Feed:
    """times.interpolate: empty times between timed stops, by distance; one time alone counts for both."""
    frame = feed.tables["stop_times"]
    arrival, departure = _times(frame)
    reached = np.where(arrival >= 0, arrival, departure)
    left = np.where(departure >= 0, departure, arrival)
    trip = frame["trip"].to_numpy()
    gaps = _gaps(trip, reached < 0)
    if len(gaps):
        metres = _distances(feed, frame, np.unique(trip[gaps]))
        timed = np.flatnonzero(reached >= 0)
        after = np.searchsorted(timed, gaps)
        one, other = timed[after - 1], timed[after]
        share = _shares(metres, one, gaps, other)
        filled = np.rint(left[one] + share * (reached[other] - left[one])).astype(np.int32)
        reached[gaps] = left[gaps] = filled
        told = _told(feed, frame, gaps, [""] * len(gaps), filled)
        notes.add_rows(Severity.INFO, "times.interpolate", "stop_times.txt", told, len(gaps))
    if np.array_equal(reached, arrival) and np.array_equal(left, departure):
        return feed
    return feed.replace({"stop_times": _with_times(frame, reached, left)})


def spread_zero_hops(feed: Feed, notes: Notes) -> Feed:
    """times.zero_hop: stops served in the same minute are spread over it by distance.

    Only where a feed counts whole minutes: there 08:31 means "in the minute of 08:31",
    so the first stop of a run keeps its time and the others move later within the minute,
    before the next published time. The last stop of a trip keeps its time: an arrival
    that moved could break a connection that was published.
    """
    frame = feed.tables["stop_times"]
    arrivals, departures = _times(frame)
    timed = np.flatnonzero((arrivals >= 0) & (departures >= 0))
    arrival, departure = arrivals[timed], departures[timed]
    if (arrival % _MINUTE_S).any() or (departure % _MINUTE_S).any() or len(timed) == 0:
        return feed
    trip, stop = frame["trip"].to_numpy()[timed], frame["stop"].fill_null(-1).to_numpy()[timed]
    last = np.append(trip[1:] != trip[:-1], True)
    # a row that moves: passed in the minute in which the stop before was left, and not the end of the trip
    moves = np.zeros(len(trip), bool)
    moves[1:] = (trip[1:] == trip[:-1]) & (arrival[1:] == departure[:-1]) & (stop[1:] != stop[:-1])
    moves &= (arrival == departure) & ~last
    rows = np.flatnonzero(moves)
    if not len(rows):
        return feed
    anchors = np.flatnonzero(~moves)
    after = np.searchsorted(anchors, rows)
    one, other = anchors[after - 1], anchors[after]
    metres = _distances(feed, frame, np.unique(trip[rows]))[timed]
    room = np.minimum(_MINUTE_S - 1, np.maximum(0, arrival[other] - departure[one] - 1))
    later = np.floor(_shares(metres, one, rows, other) * room).astype(np.int32)
    rows, later = rows[later > 0], later[later > 0]
    if not len(rows):
        return feed
    before = [render_gtfs_time(int(seconds)) for seconds in arrival[rows[:EXAMPLES]]]
    arrivals[timed[rows]] += later
    departures[timed[rows]] += later
    told = _told(feed, frame, timed[rows], before, arrivals[timed[rows]])
    notes.add_rows(Severity.INFO, "times.zero_hop", "stop_times.txt", told, len(rows))
    return feed.replace({"stop_times": _with_times(frame, arrivals, departures)})


def _shares(metres: Floats, one: Rows, between: Rows, other: Rows) -> Floats:
    """How far each row lies between two others, 0 to 1: by metres, by rank where they are unknown or nothing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        by_metres = (metres[between] - metres[one]) / (metres[other] - metres[one])
    by_rank = (between - one) / (other - one)
    return np.where(np.isfinite(by_metres), np.clip(by_metres, 0, 1), by_rank)


def _times(frame: pl.DataFrame) -> tuple[Ints, Ints]:
    """Copies of the arrivals and departures, -1 where empty."""
    found = []
    for name in ("arrival_time", "departure_time"):
        if name in frame.columns:
            found.append(frame[name].fill_null(_UNTIMED).to_numpy().copy())
        else:
            found.append(np.full(frame.height, _UNTIMED, np.int32))
    return found[0], found[1]


def _with_times(frame: pl.DataFrame, arrival: Ints, departure: Ints) -> pl.DataFrame:
    columns = [pl.Series("arrival_time", arrival), pl.Series("departure_time", departure)]
    return frame.with_columns(series.set(series < 0, None) for series in columns)


def _gaps(trip: Ints, untimed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Rows without a time that have a timed stop of their trip before and after."""
    timed = np.flatnonzero(~untimed)
    rows = np.flatnonzero(untimed)
    after = np.searchsorted(timed, rows)
    inside = (after > 0) & (after < len(timed))
    rows, after = rows[inside], after[inside]
    kept: NDArray[np.int64] = rows[(trip[timed[after - 1]] == trip[rows]) & (trip[timed[after]] == trip[rows])]
    return kept


def _told(
    feed: Feed, frame: pl.DataFrame, rows: NDArray[np.int64], before: list[str], seconds: Ints
) -> list[tuple[int | None, dict[str, str | int | float | bool | None]]]:
    ids, lines, trip = feed.tables["trips"]["trip_id"], frame[LINE], frame["trip"]
    return [
        (lines[int(row)], {"trip": ids[trip[int(row)]], "before": was, "after": render_gtfs_time(int(now))})
        for row, was, now in list(zip(rows[:EXAMPLES], before, seconds, strict=False))
    ]


def _distances(feed: Feed, frame: pl.DataFrame, trips: Ints) -> Floats:
    """Metres (or the producer's unit) from the start of the trip, for the rows of `trips`; NaN elsewhere.

    The producer's `shape_dist_traveled` where a trip has it at every stop, else the place
    of each stop along the shape, else the way from stop to stop.
    """
    trip = frame["trip"].to_numpy()
    wanted = np.zeros(feed.n_rows("trips"), bool)
    wanted[trips] = True
    rows = np.flatnonzero(wanted[trip])
    metres = np.full(len(trip), np.nan)
    if not len(rows):
        return metres
    lat, lon = _stop_places(feed)
    stop = frame["stop"].fill_null(-1).to_numpy()[rows]
    places = np.where(stop >= 0, lat[stop], np.nan), np.where(stop >= 0, lon[stop], np.nan)
    metres[rows] = _from_stop_to_stop(trip[rows], *places)
    told = np.full(len(trip), np.nan)
    if "shape_dist_traveled" in frame.columns:
        told = frame["shape_dist_traveled"].fill_null(float("nan")).to_numpy()
    starts = np.flatnonzero(np.append(True, trip[rows][1:] != trip[rows][:-1]))
    shapes = _Shapes(feed)
    for first, end in zip(starts, np.append(starts[1:], len(rows)), strict=True):
        its = rows[first:end]
        if np.isfinite(told[its]).all() and (np.diff(told[its]) >= 0).all() and told[its[-1]] > told[its[0]]:
            metres[its] = told[its]
            continue
        along = shapes.along(int(trip[its[0]]), stop[first:end], places[0][first:end], places[1][first:end])
        if along is not None:
            metres[its] = along
    return metres


def _stop_places(feed: Feed) -> tuple[Floats, Floats]:
    stops = feed.tables["stops"]
    if not {"stop_lat", "stop_lon"} <= set(stops.columns):
        nowhere = np.full(stops.height + 1, np.nan)
        return nowhere, nowhere
    # one more place, for stop -1
    lat, lon = (stops[name].fill_null(float("nan")).to_numpy() for name in ("stop_lat", "stop_lon"))
    return np.append(lat, np.nan), np.append(lon, np.nan)


def _from_stop_to_stop(trip: Ints, lat: Floats, lon: Floats) -> Floats:
    """Metres from the first stop of each trip, in straight lines."""
    hops = np.zeros(len(trip))
    hops[1:] = distances_m(lat[:-1], lon[:-1], lat[1:], lon[1:])
    first = np.append(True, trip[1:] != trip[:-1])
    hops[first] = 0
    unknown = ~np.isfinite(hops)
    total = np.cumsum(np.where(unknown, 0, hops))
    starts = np.flatnonzero(first)
    total -= np.repeat(total[starts], np.diff(np.append(starts, len(trip))))
    lost = np.zeros(len(trip), bool)
    np.logical_or.at(lost, np.searchsorted(starts, np.flatnonzero(unknown), side="right") - 1, True)
    total[lost[np.cumsum(first) - 1]] = np.nan
    return total


class _Shapes:
    """Where stops lie along the shapes of their trips; each (shape, stops) is measured once."""

    def __init__(self, feed: Feed) -> None:
        trips = feed.tables["trips"]
        self._shape_of_trip = trips["shape_id"] if "shape_id" in trips.columns else None
        self._points: dict[str, tuple[Floats, Floats, Floats]] = {}
        self._measured: dict[tuple[str, bytes], Floats | None] = {}
        if self._shape_of_trip is None or "shapes" not in feed.tables:
            return
        shapes = feed.tables["shapes"].sort("shape_id", "shape_pt_sequence")
        for (shape_id,), points in shapes.group_by("shape_id", maintain_order=True):
            lat, lon = points["shape_pt_lat"].to_numpy(), points["shape_pt_lon"].to_numpy()
            along = np.append(0.0, np.cumsum(distances_m(lat[:-1], lon[:-1], lat[1:], lon[1:])))
            self._points[str(shape_id)] = lat, lon, along

    def along(self, trip: int, stops: Ints, lat: Floats, lon: Floats) -> Floats | None:
        """Metres along its shape of each stop of a trip; None without a shape, or when the stops do not follow it."""
        shape_id = None if self._shape_of_trip is None else self._shape_of_trip[trip]
        if shape_id not in self._points:
            return None
        key = (shape_id, stops.tobytes())
        if key not in self._measured:
            self._measured[key] = _along(*self._points[shape_id], lat, lon)
        return self._measured[key]


def _along(shape_lat: Floats, shape_lon: Floats, along: Floats, lat: Floats, lon: Floats) -> Floats | None:
    """Metres along the line of the nearest point to each place, never going back; None when a place is unknown.

    Of the places where a line that meets itself is nearest, the first after the stop before is
    taken: among the segments ahead, the nearest within 50 m of the best.
    """
    if len(shape_lat) < 2 or not np.isfinite(lat).all():
        return None
    scale = np.cos(np.radians(shape_lat.mean()))
    x, y = shape_lon * scale * 111_195.0, shape_lat * 111_195.0
    at_x, at_y = lon * scale * 111_195.0, lat * 111_195.0
    step_x, step_y = np.diff(x), np.diff(y)
    length = np.maximum(step_x**2 + step_y**2, 1e-9)
    metres = np.diff(along)
    found = np.empty(len(lat))
    behind = 0.0
    for stop in range(len(lat)):
        passed = np.clip((behind - along[:-1]) / np.maximum(metres, 1e-9), 0, 1)  # of each segment
        share = ((at_x[stop] - x[:-1]) * step_x + (at_y[stop] - y[:-1]) * step_y) / length
        share = np.clip(share, passed, 1)
        place = along[:-1] + share * metres
        away = np.hypot(x[:-1] + share * step_x - at_x[stop], y[:-1] + share * step_y - at_y[stop])
        away[along[1:] < behind] = np.inf
        best = away.min()
        if not np.isfinite(best):
            return None
        candidates = np.flatnonzero(away <= best + _NEAR_ENOUGH_M)
        behind = found[stop] = place[_first_valley(candidates, away)]
    return found if found[-1] > found[0] else None


def _first_valley(candidates: NDArray[np.int64], away: Floats) -> int:
    """The nearest segment of the first run of neighbouring candidates."""
    breaks = np.flatnonzero(np.diff(candidates) > 1)
    run = candidates[: breaks[0] + 1] if len(breaks) else candidates
    return int(run[np.argmin(away[run])])
