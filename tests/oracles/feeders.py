"""The slow twin of feeding: every chain of vehicles, with every way to it and from it, compared pair by pair.

It knows no search, no kernel and no cutting of intervals: vehicles change at one stop only (its worlds have no
footpaths), at most three of them, and each way is timed by the hours of the feeder as they are written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from routing.journeys.access import direct_walk, place_at, stops_of, walk_between
from routing.journeys.feeder import Feeder
from routing.journeys.feeding import MAX_CHANGE_WALK_S
from routing.journeys.query import JourneyQuery, PointPlace
from routing.network.timetable import Timetable
from socle.times import DAY_S, service_day_start


class Way(NamedTuple):
    """A journey as it is compared."""

    departure: int
    arrival: int
    vehicles: int


@dataclass(frozen=True)
class _Chain:
    board: int
    departure: int
    alight: int
    arrival: int
    vehicles: int


def ways(timetable: Timetable, query: JourneyQuery, feeders: tuple[Feeder, ...], change_s: int) -> list[Way]:
    """The journeys with feeders that the search should give, in order."""
    chains = list(_chains(timetable, query, change_s))
    timetabled = [
        Way(chain.departure - start, chain.arrival + end, chain.vehicles)
        for chain in chains
        for start in _on_foot(timetable, query, query.origin, query.max_access_s, chain.board)
        for end in _on_foot(timetable, query, query.destination, query.max_egress_s, chain.alight)
    ]
    walk = direct_walk(timetable, query)
    limit_s = min(DAY_S, walk[0] - 1) if walk else DAY_S
    fed = [*_rides(timetable, query, feeders), *_fed(timetable, query, feeders, chains)]
    fed = [way for way in fed if way.vehicles <= query.max_changes + 1 and way.arrival - way.departure <= limit_s]
    timetabled = [way for way in timetabled if way.vehicles <= query.max_changes + 1]
    if not query.window_s and not query.arrive_by:
        fed = [
            Way(0, way.arrival, way.vehicles)
            for way in fed
            if query.at <= way.departure and way.arrival <= query.at + limit_s
        ]
        timetabled = [Way(0, way.arrival, way.vehicles) for way in timetabled if way.departure >= query.at]
    elif not query.window_s:
        fed = [
            Way(way.departure, 0, way.vehicles)
            for way in fed
            if query.at - limit_s <= way.departure and way.arrival <= query.at
        ]
        timetabled = [Way(way.departure, 0, way.vehicles) for way in timetabled if way.arrival <= query.at]
    rivals = {*fed, *timetabled}
    kept = {way for way in fed if way not in timetabled and not any(_beats(rival, way) for rival in rivals)}
    if query.window_s and query.arrive_by:
        kept = {way for way in kept if query.at - query.window_s < way.arrival <= query.at}
    elif query.window_s:
        kept = {way for way in kept if query.at <= way.departure < query.at + query.window_s}
    return sorted(kept)


def _beats(one: Way, other: Way) -> bool:
    return (
        one != other
        and one.departure >= other.departure
        and one.arrival <= other.arrival
        and one.vehicles <= other.vehicles
    )


def _chains(timetable: Timetable, query: JourneyQuery, change_s: int) -> Iterator[_Chain]:
    day = timetable.day_of(query.at)
    legs = []
    for offset in (-1, 0, 1, 2):
        service_day = day + timedelta(days=offset)
        for trip in np.flatnonzero(timetable.services_of(service_day)[timetable.trip_service]).tolist():
            stops, (arrivals, departures) = timetable.trip_stops(trip).tolist(), timetable.trip_times(trip)
            start = timetable.service_day_start(trip, service_day)
            legs += [
                _Chain(stops[i], start + int(departures[i]), stops[j], start + int(arrivals[j]), 1)
                for i in range(len(stops))
                for j in range(i + 1, len(stops))
            ]
    longer = legs
    for _ in range(3):
        yield from longer
        longer = [
            _Chain(one.board, one.departure, other.alight, other.arrival, one.vehicles + 1)
            for one in longer
            for other in legs
            if other.board == one.alight and one.arrival + change_s <= other.departure <= one.departure + DAY_S
        ]


def _on_foot(timetable, query, place, limit_s, stop) -> Iterator[int]:
    stops, seconds = stops_of(timetable, query, place, limit_s)
    yield from (int(walk_s) for one, walk_s in zip(stops, seconds, strict=True) if one == stop)


def _windows(feeder: Feeder, timetable: Timetable, query: JourneyQuery) -> Iterator[tuple[int, int, int]]:
    for offset in (-2, -1, 0, 1, 2):
        day = timetable.day_of(query.at) + timedelta(days=offset)
        runs = feeder.first_day <= day and (feeder.last_day is None or day <= feeder.last_day)
        for opening in feeder.openings if runs and day.weekday() in feeder.days else ():
            start = service_day_start(day, feeder.zone)
            yield start + opening.from_s, start + opening.until_s, opening.wait_s


def _walk_to_end(timetable, query, feeder, stop, place, limit_s) -> int | None:
    limit_s = limit_s if isinstance(place, PointPlace) else MAX_CHANGE_WALK_S
    walk_s, _ = walk_between(place_at(timetable, place), feeder.stops[stop].at, query.walk_speed_m_s)
    return walk_s if walk_s <= limit_s else None


def _rides(timetable, query, feeders) -> Iterator[Way]:
    for feeder in feeders:
        for i in range(len(feeder.stops)):
            for j in range(i + 1, len(feeder.stops)):
                to = _walk_to_end(timetable, query, feeder, i, query.origin, query.max_access_s)
                off = _walk_to_end(timetable, query, feeder, j, query.destination, query.max_egress_s)
                if to is None or off is None:
                    continue
                for first, last, wait_s in _windows(feeder, timetable, query):
                    begins, ends = feeder.drive_s[i] - to, wait_s + feeder.drive_s[j] + off
                    heads = range(first, last + 1, wait_s)
                    if not query.window_s:
                        heads = [max(first, query.at - begins), min(last, query.at - ends)]
                    for head in heads:
                        if first <= head <= last:
                            yield Way(head + begins, head + ends, 1)


def _fed(timetable, query, feeders, chains) -> Iterator[Way]:
    starts = list(_mile(timetable, query, feeders, is_start=True))
    goals = list(_mile(timetable, query, feeders, is_start=False))
    for chain in chains:
        leaves = [
            (chain.departure - walk_s, 0)
            for walk_s in _on_foot(timetable, query, query.origin, query.max_access_s, chain.board)
        ]
        for stop, before_s, after_s, (first, last, wait_s) in starts:
            head = min(last, chain.departure - after_s - wait_s)
            if stop == chain.board and head >= first:
                leaves.append((head + before_s, 1))
        comes = [
            (chain.arrival + walk_s, 0)
            for walk_s in _on_foot(timetable, query, query.destination, query.max_egress_s, chain.alight)
        ]
        for stop, before_s, after_s, (first, last, wait_s) in goals:
            head = max(first, chain.arrival + after_s)
            if stop == chain.alight and head <= last:
                comes.append((head + wait_s + before_s, 1))
        for departure, fed in leaves:
            for arrival, fed_too in comes:
                if fed or fed_too:
                    yield Way(departure, arrival, chain.vehicles + fed + fed_too)


def _mile(timetable, query, feeders, *, is_start: bool) -> Iterator[tuple[int, int, int, tuple[int, int, int]]]:
    """Stop of the network, what to add to a head for the end of the journey and for the network, hours."""
    place, limit_s = (query.origin, query.max_access_s) if is_start else (query.destination, query.max_egress_s)
    for feeder in feeders:
        for near in range(len(feeder.stops)):
            walk_s = _walk_to_end(timetable, query, feeder, near, place, limit_s)
            if walk_s is None:
                continue
            for other in range(near + 1, len(feeder.stops)) if is_start else range(near):
                point = PointPlace(feeder.stops[other].at)
                stops, seconds = stops_of(timetable, query, point, MAX_CHANGE_WALK_S)
                for stop, change_s in zip(stops.tolist(), seconds.tolist(), strict=True):
                    for window in _windows(feeder, timetable, query):
                        if is_start:
                            yield stop, feeder.drive_s[near] - walk_s, feeder.drive_s[other] + change_s, window
                        else:
                            yield stop, feeder.drive_s[near] + walk_s, change_s - feeder.drive_s[other], window
