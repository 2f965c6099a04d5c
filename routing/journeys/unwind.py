"""Unwind: the labels of a search become legs with stops, instants and walks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np

from routing.journeys.access import place_at, walk_between
from routing.journeys.journey import Call, Journey, Leg, TransitLeg, WalkLeg
from routing.journeys.query import JourneyQuery, Place, PointPlace, StopPlace
from routing.journeys.walks import Course, Walks
from routing.kernels.arrays import Ints, Vias
from routing.network.days import Day
from routing.network.timetable import Timetable
from socle.times import day_number, day_of_number


@dataclass(frozen=True, slots=True)
class Ride:
    """One vehicle from boarding to alighting, as positions in a run of a pattern, forward."""

    pattern: int
    run: int
    board: int
    alight: int


@dataclass(frozen=True, slots=True)
class Ways:
    """What was searched: how to read spots, runs and walks of the answer."""

    timetable: Timetable
    query: JourneyQuery
    walks: Walks | None
    day: Day
    service_day: date
    access_s: dict[int, int]  # stop -> seconds to walk to it from the origin
    egress_s: dict[int, int]
    walk_s: Ints  # seconds of the day's forward walks under the query's change settings


def forward_legs(day: Day, legs: Ints, *, mirrored: bool) -> Ints:
    """Rows that the search wrote, in the order of travel and in the positions and runs of the forward arrays."""
    if not mirrored:
        return legs[::-1, :4].copy()
    search = day.forward
    patterns = legs[:, 0]
    last = search.first_stop[patterns + 1] - search.first_stop[patterns] - 1
    columns = (patterns, search.n_runs[patterns] - 1 - legs[:, 1], last - legs[:, 3], last - legs[:, 2])
    return np.stack(columns, axis=1).astype(np.int32)


def stays_of(vias: Vias | None, legs: Ints, *, mirrored: bool) -> Ints:
    """Seconds stayed at vias before each vehicle and after the last, from rows that the search wrote.

    Those who board in layer v have passed v vias; of the ones between two boardings, those that ask for
    a stay were not passed aboard. `vias` are in the order of the search, the answer in that of travel.
    """
    stays = np.zeros(len(legs) + 1, np.int32)
    if vias is not None:
        passed = [0, *legs[::-1, 4].tolist(), len(vias.stay_s)]
        for i, (before, after) in enumerate(pairwise(passed)):
            stays[i] = vias.stay_s[before:after].sum()
    return stays[::-1].copy() if mirrored else stays


def make_journey(ways: Ways, legs_ridden: Ints, stays: Ints) -> Journey:
    """The journey, door to door. One leaves as late as the first vehicle allows and is there when the last one is.

    A stay at a via near the origin comes after the walk to it, one near the target before the walk from it.
    """
    query = ways.query
    rides = [Ride(*row) for row in legs_ridden.tolist()]
    legs: list[Leg] = []
    vehicles = [_transit_legs(ways, ride) for ride in rides]
    first, last = vehicles[0][0], vehicles[-1][-1]
    board, alight = first.calls[0].stop, last.calls[-1].stop
    if isinstance(query.origin, PointPlace) or query.access:
        walk_s = ways.access_s[board]
        leaves = first.departure - int(stays[0]) - walk_s
        legs.append(_walk(ways, query.origin, StopPlace(board), leaves, walk_s))
    for i, parts in enumerate(vehicles):
        if i > 0:
            walk = _change(ways, rides[i - 1], rides[i], vehicles[i - 1][-1])
            if walk is not None:
                legs.append(walk)
        legs += parts
    if isinstance(query.destination, PointPlace) or query.egress:
        walk_s = ways.egress_s[alight]
        leaves = last.arrival + int(stays[-1])
        legs.append(_walk(ways, StopPlace(alight), query.destination, leaves, walk_s))
    return Journey(tuple(legs))


def make_walk(query: JourneyQuery, course: Course) -> Journey:
    """The journey on foot all the way, leaving (with `arrive_by`: arriving) at the time asked."""
    walk_s, metres, path = course
    departure = query.at - walk_s if query.arrive_by else query.at
    return Journey((WalkLeg(query.origin, query.destination, departure, departure + walk_s, metres, path),))


def _walk(ways: Ways, origin: Place, destination: Place, departure: int, walk_s: int) -> WalkLeg:
    """The walk at an end of a journey."""
    course = ways.walks.leg(ways.query, origin, destination) if ways.walks else None
    if course is None:
        path = (place_at(ways.timetable, origin), place_at(ways.timetable, destination))
        course = walk_s, walk_between(*path, ways.query.walk_speed_m_s)[1], path
    return WalkLeg(origin, destination, departure, departure + walk_s, *course[1:])


def _change(ways: Ways, before: Ride, after: Ride, arriving: TransitLeg) -> WalkLeg | None:
    """The walk between two vehicles, None when one boards where one alighted."""
    search, day = ways.day.forward, ways.day
    one = int(search.spots[search.first_stop[before.pattern] + before.alight])
    other = int(search.spots[search.first_stop[after.pattern] + after.board])
    stop, next_stop = int(day.spot_stop[one]), int(day.spot_stop[other])
    if stop == next_stop:
        return None
    walks = range(int(search.first_walk[one]), int(search.first_walk[one + 1]))
    walk_s = min(int(ways.walk_s[w]) for w in walks if search.walk_spot[w] == other)
    timetable = ways.timetable
    footpaths = slice(timetable.stop_first_footpath[stop], timetable.stop_first_footpath[stop + 1])
    metres = timetable.footpath_m[footpaths][timetable.footpath_stop[footpaths] == next_stop].tolist()
    path = (timetable.stop_at(stop), timetable.stop_at(next_stop))
    return WalkLeg(
        StopPlace(stop),
        StopPlace(next_stop),
        arriving.arrival,
        arriving.arrival + walk_s,
        metres[0] if metres else walk_between(*path, ways.query.walk_speed_m_s)[1],
        path,
    )


def _transit_legs(ways: Ways, ride: Ride) -> list[TransitLeg]:
    """One leg per trip of the run that is ridden; the later ones are stay-seated."""
    day = ways.day
    run = int(day.pattern_first_run[ride.pattern]) + ride.run
    parts = range(int(day.run_first_part[run]), int(day.run_first_part[run + 1]))
    legs: list[TransitLeg] = []
    for part in parts:
        trip, begin = int(day.part_trip[part]), int(day.part_position[part])
        last = len(ways.timetable.trip_stops(trip)) - 1
        first_call, last_call = max(ride.board - begin, 0), min(ride.alight - begin, last)
        if first_call < last_call:
            service_day = day_of_number(day_number(ways.service_day) + int(day.part_day[part]))
            calls = calls_of(ways.timetable, trip, service_day, first_call, last_call)
            legs.append(TransitLeg(trip, service_day, calls, first_call, stay_seated=bool(legs)))
    return legs


def calls_of(timetable: Timetable, trip: int, service_day: date, first: int, last: int) -> tuple[Call, ...]:
    """The calls `first` to `last` of a trip on a service day, both included."""
    start = timetable.service_day_start(trip, service_day)
    sequence = timetable.trip_sequence[trip]
    at, end = int(timetable.sequence_first_stop[sequence]), int(timetable.sequence_first_stop[sequence + 1])
    span = slice(at + first, at + last + 1)
    arrivals, departures = timetable.trip_times(trip)
    calls = [
        Call(stop, start + arrival, start + departure, pickup, drop_off)
        for stop, arrival, departure, pickup, drop_off in zip(
            timetable.sequence_stops[span].tolist(),
            arrivals[first : last + 1].tolist(),
            departures[first : last + 1].tolist(),
            timetable.sequence_pickup[span].tolist(),
            timetable.sequence_drop_off[span].tolist(),
            strict=True,
        )
    ]
    if first == 0:
        calls[0] = Call(calls[0].stop, None, calls[0].departure, calls[0].pickup, calls[0].drop_off)
    if last == end - at - 1:
        calls[-1] = Call(calls[-1].stop, calls[-1].arrival, None, calls[-1].pickup, calls[-1].drop_off)
    return tuple(calls)
