"""Boards: what leaves from (or arrives at) a set of stops, in order of time, page by page."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.journeys.journey import Call, TransitLeg
from routing.journeys.snapshot import Snapshot
from routing.journeys.unwind import calls_of
from routing.network.modes import MODES
from routing.network.timetable import Timetable
from socle.errors import LimitExceeded
from socle.geo import LatLon, distances_m
from socle.times import DAY_S, day_number, day_of_number, service_day_start

MINUTE_S = 60
MOST_EVENTS = 10_000  # of one board; more is a download, not a board
_FIRST_LOOK_S = 2 * 3600  # then further, at most a day at once, until enough is found


@dataclass(frozen=True, slots=True)
class StopEvent:
    """A trip at a stop on one service day. `position` is that of the call in the trip."""

    trip: int
    service_day: date
    position: int
    stop: int
    arrival: int | None
    departure: int | None

    def instant(self, arrivals: bool) -> int:
        """What the board sorts by: the departure (arrival), the other one at the end of a trip."""
        first, second = (self.arrival, self.departure) if arrivals else (self.departure, self.arrival)
        told = first if first is not None else second
        if told is None:
            raise ValueError("a call has an arrival or a departure")
        return told


@dataclass(frozen=True, slots=True)
class BoardWish:
    """Which events are wanted.

    From `at` on, or (`earlier`) until `at`, both included: the `n` nearest, or all within
    `window_s`, whichever is more. `arrivals` asks for arrivals, `both` for every call;
    `towards` keeps trips that call later at one of these stops.
    """

    at: int
    n: int = 0
    window_s: int = 0
    arrivals: bool = False
    both: bool = False
    earlier: bool = False
    modes: frozenset[str] | None = None
    towards: frozenset[int] = frozenset()


def trip_calls(timetable: Timetable, trip: int, day: date, first: int = 0, last: int | None = None) -> tuple[Call, ...]:
    """The calls of `trip` on the service day `day`, from position `first` to `last`, both included."""
    end = int(timetable.trip_first_time[trip + 1] - timetable.trip_first_time[trip]) - 1
    return calls_of(timetable, trip, day, first, end if last is None else last)


def vehicle_rides(timetable: Timetable, trip: int, day: date) -> list[TransitLeg]:
    """The whole trip, between those of its block that its vehicle makes at once before and after."""
    rides = [TransitLeg(trip, day, trip_calls(timetable, trip, day), 0)]
    block = int(timetable.trip_block[trip])
    if block < 0:
        return rides
    others = [
        TransitLeg(other, day, trip_calls(timetable, other, day), 0)
        for other in np.flatnonzero(timetable.trip_block == block).tolist()
        if other != trip and timetable.runs(other, day)
    ]
    for ride in sorted(others, key=lambda ride: ride.departure):
        if _goes_on(timetable, rides[-1], ride):
            rides.append(ride)
    for ride in sorted(others, key=lambda ride: -ride.departure):
        if _goes_on(timetable, ride, rides[0]):
            rides.insert(0, ride)
    return [rides[0], *(replace(ride, stay_seated=True) for ride in rides[1:])]


def _goes_on(timetable: Timetable, one: TransitLeg, other: TransitLeg) -> bool:
    """Whether a vehicle that ends `one` begins `other` where it is."""
    end, start = one.calls[-1].stop, other.calls[0].stop
    return one.arrival <= other.departure and bool(timetable.stop_place[end] == timetable.stop_place[start])


def list_stops_meant(
    snapshot: Snapshot, stop: int | None, center: LatLon | None, radius_m: float | None, exact: bool
) -> list[int]:
    """The stops of a board: a place whole, with `radius_m` also the places within it.

    `exact` takes the stops within the radius and nothing else; with radius 0, the platform
    itself (of a station, all its platforms).
    """
    timetable = snapshot.timetable
    meant: set[int] = set()
    if stop is not None:
        if exact:
            children = timetable.stop_children[timetable.stop_first_child[stop] : timetable.stop_first_child[stop + 1]]
            meant.update([stop, *children.tolist()])
        else:
            meant.update(timetable.place_of(stop).tolist())
        center = timetable.stop_at(stop)
    if center is not None and radius_m:
        metres = distances_m(center.lat, center.lon, timetable.stop_lat, timetable.stop_lon)
        within = np.flatnonzero(metres <= radius_m)
        if exact:
            meant.update(within.tolist())
        else:
            for place in np.unique(timetable.stop_place[within]).tolist():
                meant.update(
                    timetable.place_stops[
                        timetable.place_first_stop[place] : timetable.place_first_stop[place + 1]
                    ].tolist()
                )
    return sorted(meant)


def list_routes_at(snapshot: Snapshot, stops: Sequence[int]) -> list[int]:
    """The routes that call at `stops`, by short name, long name and id."""
    timetable = snapshot.timetable
    first = snapshot.stop_first_call
    trips = [snapshot.time_trip[snapshot.call_time[first[stop] : first[stop + 1]]] for stop in stops]
    routes = np.unique(timetable.trip_route[np.concatenate(trips)]).tolist() if trips else []
    texts = snapshot.texts
    return sorted(
        routes,
        key=lambda route: (
            _natural(texts[timetable.route_short_name[route]]),
            texts[timetable.route_long_name[route]],
            timetable.route_id[route],
        ),
    )


def _natural(name: str) -> tuple[str, int, str]:
    """Line 2 before line 10, D2 before P1."""
    letters = name.rstrip("0123456789")
    digits = name[len(letters) :]
    return letters, int(digits[:9]) if digits else -1, name


def list_events(snapshot: Snapshot, stops: Sequence[int], wish: BoardWish) -> list[StopEvent]:
    """The events wanted at `stops`, in order of time, one row per trip; a minute is never split.

    Raises:
        LimitExceeded: the window holds more than a board does.
    """
    calls = _calls_at(snapshot, tuple(stops), wish.arrivals, wish.both, wish.modes)
    if wish.towards:
        calls = calls.towards(sorted(wish.towards))
    start, end = snapshot.timetable.valid
    start, end = start - DAY_S, end + 3 * DAY_S  # trips may be timed past the midnight of the last day
    found: list[StopEvent] = []
    seen: set[tuple[int, date]] = set()
    looked_s, look_s = 0, max(_FIRST_LOOK_S, wish.window_s)
    while len(calls.times) and len(found) < max(wish.n, 1):
        if wish.earlier:
            span = max(start, wish.at + 1 - look_s), wish.at + 1 - looked_s
        else:
            span = wish.at + looked_s, min(end, wish.at + look_s)
        if span[0] >= span[1]:
            break
        for event in calls.between(*span, latest_first=wish.earlier):
            if (event.trip, event.service_day) not in seen:
                seen.add((event.trip, event.service_day))
                found.append(event)
        looked_s, look_s = look_s, look_s + min(3 * look_s, DAY_S)
        if wish.window_s and not wish.n:
            break
    return _cut(found, wish)


def _cut(nearest_first: list[StopEvent], wish: BoardWish) -> list[StopEvent]:
    """The events from the nearest on: `n` of them and the rest of the last minute, or the whole window."""
    kept: list[StopEvent] = []
    for event in nearest_first:
        at = event.instant(wish.arrivals)
        in_window = abs(at - wish.at) < wish.window_s
        in_minute = bool(kept) and at // MINUTE_S == kept[-1].instant(wish.arrivals) // MINUTE_S
        if len(kept) >= wish.n and not in_window and not in_minute:
            break
        kept.append(event)
    return kept[::-1] if wish.earlier else kept


@lru_cache(maxsize=64)
def _calls_at(
    snapshot: Snapshot, stops: tuple[int, ...], arrivals: bool, both: bool, modes: frozenset[str] | None
) -> _Calls:
    return _Calls(snapshot, stops, arrivals, both, modes)


class _Calls:
    """All calls at some stops, by time of the service day. Made once for the boards that are asked for again."""

    def __init__(
        self, snapshot: Snapshot, stops: tuple[int, ...], arrivals: bool, both: bool, modes: frozenset[str] | None
    ) -> None:
        timetable = self._timetable = snapshot.timetable
        self._snapshot = snapshot
        first = snapshot.stop_first_call
        times = [snapshot.call_time[first[stop] : first[stop + 1]] for stop in stops]
        at_stop = np.repeat(np.array(stops, np.int32), [len(part) for part in times])
        time = np.concatenate(times) if times else np.zeros(0, np.int32)
        trip = snapshot.time_trip[time]
        position = (time - timetable.trip_first_time[trip]).astype(np.int32)
        is_last = time == timetable.trip_first_time[trip + 1] - 1
        keep = np.ones(len(time), np.bool_)
        if not both:
            keep &= position > 0 if arrivals else ~is_last
        if modes is not None:
            is_wanted = np.array([mode in modes for mode in MODES], np.bool_)
            keep &= is_wanted[timetable.trip_mode[trip]]
        told_s = np.where(
            (position > 0) if arrivals else is_last, timetable.arrival_s[time], timetable.departure_s[time]
        )
        order = np.lexsort((trip, told_s))
        self._take(order[keep[order]], time, trip, at_stop, told_s, position, is_last)

    def _take(self, order: NDArray[np.int64], *columns: NDArray[Any]) -> None:
        self.times, self._trip, self._stop, self._told_s, self._position, self._is_last = (
            column[order] for column in columns
        )
        # The services of these calls alone: rows of days, and the row of each call.
        services, self._service = np.unique(self._timetable.trip_service[self._trip], return_inverse=True)
        self._days = self._timetable.service_days[services]
        self._some_run = np.unpackbits(np.bitwise_or.reduce(self._days, axis=0), bitorder="little").astype(np.bool_)

    def towards(self, stops: Sequence[int]) -> _Calls:
        """Those of trips that call later at one of `stops`."""
        snapshot, timetable = self._snapshot, self._timetable
        first = snapshot.stop_first_call
        goals = np.concatenate([snapshot.call_time[first[stop] : first[stop + 1]] for stop in stops])
        latest = np.full(timetable.n_trips, -1, np.int64)
        trips = snapshot.time_trip[goals]
        np.maximum.at(latest, trips, goals - timetable.trip_first_time[trips])
        kept = copy.copy(self)
        kept._take(  # noqa: SLF001 - its own class
            np.flatnonzero(self._position < latest[self._trip]),
            self.times,
            self._trip,
            self._stop,
            self._told_s,
            self._position,
            self._is_last,
        )
        return kept

    def between(self, start: int, end: int, *, latest_first: bool) -> list[StopEvent]:
        """Events in `[start, end)`, by instant."""
        timetable = self._timetable
        if not len(self.times):
            return []
        found: list[tuple[int, int, StopEvent]] = []
        first_day = start - int(self._told_s[-1]) - DAY_S
        opening = day_number(timetable.first_day)
        for number in range(max(first_day // DAY_S, opening), min(end // DAY_S + 2, opening + timetable.n_days)):
            if not self._some_run[number - opening]:
                continue
            day = day_of_number(number)
            bases = np.array([service_day_start(day, zone) for zone in timetable.zone_infos], np.int64)
            low = int(np.searchsorted(self._told_s, start - bases.max(), "left"))
            high = int(np.searchsorted(self._told_s, end - bases.min(), "left"))
            if low >= high:
                continue
            trips = self._trip[low:high]
            instants = bases[timetable.trip_zone[trips]] + self._told_s[low:high]
            byte, bit = divmod(number - opening, 8)
            runs = (self._days[:, byte] >> np.uint8(bit) & 1).astype(np.bool_)[self._service[low:high]]
            inside = np.flatnonzero(runs & (instants >= start) & (instants < end)).tolist()
            if len(found) + len(inside) > MOST_EVENTS:
                raise LimitExceeded("too_many_departures", limit=MOST_EVENTS)
            found += [(int(instants[at]), int(trips[at]), self._event(low + at, day, bases)) for at in inside]
        found.sort(key=lambda row: (row[0], row[1], row[2].position), reverse=latest_first)
        return [event for _, _, event in found]

    def _event(self, at: int, day: date, bases: NDArray[np.int64]) -> StopEvent:
        timetable, time, trip = self._timetable, int(self.times[at]), int(self._trip[at])
        base = int(bases[timetable.trip_zone[trip]])
        position = int(self._position[at])
        return StopEvent(
            trip,
            day,
            position,
            int(self._stop[at]),
            base + int(timetable.arrival_s[time]) if position > 0 else None,
            base + int(timetable.departure_s[time]) if not self._is_last[at] else None,
        )
