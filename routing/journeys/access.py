"""Access: the spots from which a search starts and where it ends, and the walk without any vehicle.

Walks follow the streets where there are some (`walks`); where not, a walk is 1.25 × the great circle at the
traveller's speed.
"""

from __future__ import annotations

from math import ceil, isfinite

import numpy as np
from numpy.typing import NDArray

from routing.journeys.query import JourneyQuery, Place, PointPlace, StopPlace, Via
from routing.journeys.walks import Course, Walks
from routing.network.days import Day
from routing.network.timetable import Timetable
from routing.network.transfers import DETOUR
from socle.geo import LatLon, distance_m, distances_m
from socle.matrix import NEVER
from socle.times import DAY_S

_METRES_PER_DEGREE = 111_195.0

Ints = NDArray[np.int32]


def place_at(timetable: Timetable, place: Place) -> LatLon:
    """Where a place is."""
    return place.at if isinstance(place, PointPlace) else timetable.stop_at(place.stop)


def walk_between(one: LatLon, other: LatLon, speed_m_s: float) -> tuple[int, int]:
    """Seconds, rounded up and a week at most, and metres to walk between two points; no metres when one is nowhere."""
    metres = distance_m(one, other) * DETOUR
    if not isfinite(metres):
        return 7 * DAY_S, 0
    return ceil(min(metres / speed_m_s - 1e-9, 7 * DAY_S)), round(metres)


def stops_of(
    timetable: Timetable,
    query: JourneyQuery,
    place: Place,
    max_walk_s: int,
    walks: Walks | None = None,
    *,
    backward: bool = False,
) -> tuple[Ints, Ints]:
    """The stops that stand for `place`, ascending, and the seconds to walk to each (backward: from each).

    A stop stands for its whole place at no cost; a point for the stops within reach on foot. A stop
    that is known to have steps stands for nothing when the query is for a wheelchair.
    """
    if isinstance(place, StopPlace):
        stops = timetable.place_of(place.stop)
        seconds = np.zeros(len(stops), np.int32)
    else:
        stops, seconds = _stops_near(timetable, place.at, query.walk_speed_m_s, max_walk_s)
        found = walks.around(query, place.at, max_walk_s, backward=backward) if walks else None
        if found is not None:
            off_streets = ~found.others.is_joined[stops]
            on_streets = np.flatnonzero(found.seconds < NEVER)
            stops = np.concatenate([stops[off_streets], on_streets]).astype(np.int32)
            seconds = np.concatenate([seconds[off_streets], found.seconds[on_streets]])
            order = np.argsort(stops, kind="stable")
            stops, seconds = stops[order], seconds[order]
    if query.wheelchair:
        kept = timetable.stop_wheelchair[stops] != 2
        stops, seconds = stops[kept], seconds[kept]
    return stops, seconds


def given_stops(ways: tuple[tuple[int, int], ...]) -> tuple[Ints, Ints] | None:
    """The stops that a query brings itself, ascending, and the seconds to each; None when it brings none."""
    if not ways:
        return None
    rows = np.array(sorted(ways), np.int32)
    return rows[:, 0].copy(), rows[:, 1].copy()


def spots_of(day: Day, stops: Ints, seconds: Ints) -> Ints:
    """Rows (spot, seconds) for the spots of `stops`, as the kernels read them."""
    rows = [
        (int(spot), int(walk_s))
        for stop, walk_s in zip(stops.tolist(), seconds.tolist(), strict=True)
        for spot in day.stop_spots[day.stop_first_spot[stop] : day.stop_first_spot[stop + 1]].tolist()
    ]
    return np.array(sorted(rows), np.int32).reshape(-1, 2)


def vias_between(timetable: Timetable, query: JourneyQuery) -> tuple[Via, ...]:
    """The vias that are still to be passed: one who begins or ends at a via's place has been there."""
    vias = query.via
    if isinstance(query.origin, StopPlace):
        while vias and _same_place(timetable, vias[0].place, query.origin):
            vias = vias[1:]
    if isinstance(query.destination, StopPlace):
        while vias and _same_place(timetable, vias[-1].place, query.destination):
            vias = vias[:-1]
    return vias


def _same_place(timetable: Timetable, one: StopPlace, other: StopPlace) -> bool:
    return bool(timetable.stop_place[one.stop] == timetable.stop_place[other.stop])


def direct_walk(timetable: Timetable, query: JourneyQuery, walks: Walks | None = None) -> Course | None:
    """The walk all the way, or None when that takes longer than `max_direct_s`.

    Nobody walks all the way past a via.
    """
    if vias_between(timetable, query):
        return None
    one, other = place_at(timetable, query.origin), place_at(timetable, query.destination)
    walk_s, metres = walk_between(one, other, query.walk_speed_m_s)
    course: Course = walk_s, metres, (one, other)
    if walks is not None and walk_s <= DETOUR * query.max_direct_s:  # no street is shorter than the great circle
        course = walks.between(query, one, other, query.max_direct_s) or course
    return course if course[0] <= query.max_direct_s else None


def _stops_near(timetable: Timetable, at: LatLon, speed_m_s: float, max_walk_s: int) -> tuple[Ints, Ints]:
    """The stops within a walk of `max_walk_s`, ascending, and the seconds to each."""
    reach_m = max_walk_s * speed_m_s / DETOUR
    height = reach_m / _METRES_PER_DEGREE * 1.001
    width = height / max(float(np.cos(np.radians(at.lat))), 0.01)
    lat, lon = timetable.stop_lat, timetable.stop_lon
    stops = np.flatnonzero((np.abs(lat - at.lat) <= height) & (np.abs(lon - at.lon) <= width))
    metres = distances_m(np.array(at.lat), np.array(at.lon), lat[stops], lon[stops]) * DETOUR
    seconds = np.ceil(metres / speed_m_s - 1e-9).astype(np.int32)
    kept = seconds <= max_walk_s
    return stops[kept].astype(np.int32), seconds[kept]
