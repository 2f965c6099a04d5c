"""Places: stops that cannot be where their coordinates say.

A place that is not believed is taken from the other stops of its station; when they
know no better it is left empty, and such a stop is no part of the walking network.
Merging fills it when another source places the same national stop.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from routing.gtfs.feed import LINE, Feed
from routing.gtfs.read.notes import EXAMPLES, Notes
from socle.errors import Fact
from socle.findings import Severity
from socle.geo import distances_m

_ZERO_DEGREES = 0.001  # nobody stops in the Gulf of Guinea
_SWAPPED_FAR_M = 1_000_000.0
_FAR_HOP_M = 100_000.0
_TOO_FAST_M_S = 140.0  # 504 km/h: above any train, below any plane
_AIR_TYPES = range(1100, 1200)


def unswap(feed: Feed, notes: Notes) -> Feed:
    """places.swapped: latitude and longitude exchanged, seen because the exchange brings the stop among the others."""
    places = _places(feed)
    if places is None:
        return feed
    lat, lon = places
    known = np.isfinite(lat) & np.isfinite(lon) & ~_is_zero(lat, lon)
    if known.sum() < 3:
        return feed
    middle_lat, middle_lon = np.median(lat[known]), np.median(lon[known])
    away = _from_middle(lat, lon, middle_lat, middle_lon)
    with np.errstate(invalid="ignore"):
        possible = known & (np.abs(lon) <= 90)
        away_swapped = np.where(possible, _from_middle(lon, lat, middle_lat, middle_lon), np.inf)
        swapped = known & (away > _SWAPPED_FAR_M) & (away_swapped < away / 5)
    if not swapped.any():
        return feed
    new_lat, new_lon = np.where(swapped, lon, lat), np.where(swapped, lat, lon)
    return _moved(feed, "places.swapped", swapped, new_lat, new_lon, notes)


def leave_zero(feed: Feed, notes: Notes) -> Feed:
    """places.zero: a stop at 0° north, 0° east is nowhere."""
    places = _places(feed)
    if places is None:
        return feed
    lat, lon = places
    zero = _is_zero(lat, lon)
    return _moved(feed, "places.zero", zero, *_from_siblings(feed, zero, lat, lon), notes) if zero.any() else feed


def leave_outliers(feed: Feed, notes: Notes) -> Feed:
    """places.outlier: a stop that every trip reaches and leaves over 100 km and 500 km/h."""
    places = _places(feed)
    if places is None or not feed.n_rows("stop_times"):
        return feed
    lat, lon = places
    one, other, metres, seconds = _hops(feed, lat, lon)
    absurd = (metres > _FAR_HOP_M) & (metres > _TOO_FAST_M_S * np.maximum(seconds, 60))
    outlier = _to_blame(len(lat), one, other, absurd)
    if not outlier.any():
        return feed
    return _moved(feed, "places.outlier", outlier, *_from_siblings(feed, outlier, lat, lon), notes)


def _to_blame(
    n_stops: int, one: NDArray[np.int32], other: NDArray[np.int32], absurd: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Stops all of whose hops are absurd; of two such neighbours neither, unless one has more of them."""
    suspect = np.zeros(n_stops, bool)
    suspect[one[absurd]] = suspect[other[absurd]] = True
    suspect[one[~absurd]] = suspect[other[~absurd]] = False
    pairs = np.unique(np.sort(np.column_stack([one[absurd], other[absurd]]), axis=1), axis=0)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    n_neighbours = np.bincount(both[:, 0], minlength=n_stops)
    rival = np.zeros(n_stops, np.int64)
    between = both[suspect[both[:, 1]]]
    np.maximum.at(rival, between[:, 0], n_neighbours[between[:, 1]])
    return suspect & (n_neighbours > rival)


def _places(feed: Feed) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Latitudes and longitudes of the stops, NaN where empty; None when the feed places nothing."""
    stops = feed.tables["stops"]
    if not {"stop_lat", "stop_lon"} <= set(stops.columns) or not stops.height:
        return None
    return stops["stop_lat"].fill_null(float("nan")).to_numpy(), stops["stop_lon"].fill_null(float("nan")).to_numpy()


def _is_zero(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.bool_]:
    zero: NDArray[np.bool_] = (np.abs(lat) < _ZERO_DEGREES) & (np.abs(lon) < _ZERO_DEGREES)
    return zero


def _from_middle(
    lat: NDArray[np.float64], lon: NDArray[np.float64], middle_lat: float, middle_lon: float
) -> NDArray[np.float64]:
    return distances_m(lat, lon, np.full_like(lat, middle_lat), np.full_like(lon, middle_lon))


def _from_siblings(
    feed: Feed, wrong: NDArray[np.bool_], lat: NDArray[np.float64], lon: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates where the wrong ones are those of the station, else of another stop of it, else NaN."""
    stops = feed.tables["stops"]
    ids = stops["stop_id"].to_list()
    parents = stops["parent_station"].to_list() if "parent_station" in stops.columns else [None] * len(ids)
    good: dict[str, int] = {}
    for row, (stop_id, parent) in enumerate(zip(ids, parents, strict=True)):
        if not wrong[row] and np.isfinite(lat[row]):
            good.setdefault(parent or stop_id, row)
    new_lat, new_lon = lat.copy(), lon.copy()
    for row in np.flatnonzero(wrong).tolist():
        sibling = good.get(parents[row] or ids[row])
        new_lat[row], new_lon[row] = np.nan, np.nan
        if sibling is not None and (lat[sibling], lon[sibling]) != (lat[row], lon[row]):
            new_lat[row], new_lon[row] = lat[sibling], lon[sibling]
    return new_lat, new_lon


def _hops(
    feed: Feed, lat: NDArray[np.float64], lon: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """Stop, next stop, metres and seconds of every hop on the ground between stops with a place."""
    frame = feed.tables["stop_times"].filter(pl.col("stop").is_not_null())
    empty = pl.Series([None] * frame.height, dtype=pl.Int32)
    arrival = frame["arrival_time"] if "arrival_time" in frame.columns else empty
    departure = frame["departure_time"] if "departure_time" in frame.columns else empty
    trip, stop = frame["trip"].to_numpy(), frame["stop"].to_numpy()
    leaves = departure.fill_null(arrival).cast(pl.Float64).fill_null(float("nan")).to_numpy()[:-1]
    reaches = arrival.fill_null(departure).cast(pl.Float64).fill_null(float("nan")).to_numpy()[1:]
    flies = feed.tables["trips"].join(feed.tables["routes"], on="route_id", how="left", maintain_order="left")
    ground = ~flies["route_type"].is_in(list(_AIR_TYPES)).fill_null(value=False).to_numpy()
    known = np.isfinite(lat) & ~_is_zero(lat, lon)
    one, other = stop[:-1], stop[1:]
    kept = (trip[:-1] == trip[1:]) & ground[trip[:-1]] & known[one] & known[other] & np.isfinite(reaches - leaves)
    one, other = one[kept], other[kept]
    return one, other, distances_m(lat[one], lon[one], lat[other], lon[other]), (reaches - leaves)[kept]


def _moved(
    feed: Feed,
    rule: str,
    moved: NDArray[np.bool_],
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
    notes: Notes,
) -> Feed:
    stops = feed.tables["stops"]
    rows = np.flatnonzero(moved)
    before = stops[rows.tolist()].select(LINE, "stop_id", "stop_lat", "stop_lon").rows()
    for code, lost in ((rule, False), (f"{rule}.lost", True)):
        chosen = [found for found in zip(rows, before, strict=True) if np.isnan(lat[found[0]]) == lost]
        told: list[tuple[int, dict[str, Fact]]] = []
        for row, (line, stop_id, old_lat, old_lon) in chosen[:EXAMPLES]:
            facts: dict[str, Fact] = {"stop": stop_id, "before": f"{old_lat:.6f}, {old_lon:.6f}"}
            told.append((line, facts if lost else {**facts, "after": f"{lat[row]:.6f}, {lon[row]:.6f}"}))
        notes.add_rows(Severity.WARNING, code, "stops.txt", told, len(chosen))
    columns = [pl.Series("stop_lat", lat).fill_nan(None), pl.Series("stop_lon", lon).fill_nan(None)]
    return feed.replace({"stops": stops.with_columns(columns)})
