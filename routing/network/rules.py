"""Rules: changes that depend on the vehicles, as plain walks between spots.

transfers.txt may say that a change from one route or trip to another takes longer, is held, or is
forbidden. A search has one time per stop, which cannot tell by what one came. So a stop is split
into spots, one for the trips that the same rules name there, and every pair of spots gets the time
of the most specific rule (GTFS reference, transfers.txt: trip before route before stop).
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from routing.network.timetable import Timetable
from routing.network.transfers import FORBIDDEN, IN_SEAT, MIN_TIME, NEVER_S, TIMED

Ints = NDArray[np.int32]
FROM, TO = 0, 1
SpotKey = tuple[int, tuple[int, ...]]  # stop, sides of rules that name the trips there: rule * 2 + FROM or TO


class StopRules:
    """The rules of a timetable that name routes or trips."""

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable
        by_trip: dict[int, list[int]] = {}
        self._stops: dict[int, frozenset[int]] = {}  # side of a rule -> the stops it speaks of
        self._any: set[int] = set()  # sides that name no vehicle
        self._rules = [
            int(i)
            for i in np.flatnonzero(timetable.rule_type < IN_SEAT)
            if timetable.rule_from_stop[i] >= 0 and timetable.rule_to_stop[i] >= 0
        ]
        of_route: dict[int, list[int]] = defaultdict(list)
        of_row: dict[int, list[int]] = defaultdict(list)
        if self._rules:
            for trip in range(timetable.n_trips):
                of_route[int(timetable.trip_route[trip])].append(trip)
                of_row[int(timetable.trip_row[trip])].append(trip)
        for rule in self._rules:
            for side, stops, routes, trips in (
                (FROM, timetable.rule_from_stop, timetable.rule_from_route, timetable.rule_from_trip),
                (TO, timetable.rule_to_stop, timetable.rule_to_route, timetable.rule_to_trip),
            ):
                number = rule * 2 + side
                stop = int(stops[rule])
                children = timetable.stop_children[
                    timetable.stop_first_child[stop] : timetable.stop_first_child[stop + 1]
                ].tolist()
                self._stops[number] = frozenset(children or [stop])
                route, row = int(routes[rule]), int(trips[rule])
                if row < 0 and route < 0:
                    self._any.add(number)
                for trip in of_row.get(row, []) if row >= 0 else of_route.get(route, []):
                    by_trip.setdefault(trip, []).append(number)
        self._by_trip = {trip: tuple(numbers) for trip, numbers in by_trip.items()}

    def of_trip(self, trip: int) -> tuple[int, ...]:
        """The sides of rules that name this trip or its route."""
        return self._by_trip.get(trip, ())

    def spot_of(self, stop: int, named: tuple[int, ...]) -> SpotKey:
        """The spot where a trip named by those rules stops."""
        return stop, tuple(number for number in named if stop in self._stops[number]) if named else ()

    def changes(self, keys: list[SpotKey]) -> tuple[Ints, NDArray[np.int64]]:
        """Seconds to change within each spot, and the walks as rows (from, to, seconds)."""
        timetable = self._timetable
        stop = np.array([key[0] for key in keys], np.int64)
        change_s = timetable.stop_change_s[stop].copy() if len(keys) else np.zeros(0, np.int32)
        spots_of: dict[int, list[int]] = {}
        for spot, (at, _) in enumerate(keys):
            spots_of.setdefault(at, []).append(spot)
        ruled = {at for number in self._stops for at in self._stops[number]}
        lone = np.full(timetable.n_stops, -1, np.int64)  # stop -> its spot, where no rule has a say
        for at, spots in spots_of.items():
            if at not in ruled:
                lone[at] = spots[0]
        bounds = timetable.stop_first_footpath
        origin = np.repeat(np.arange(timetable.n_stops), np.diff(bounds))
        plain = (lone[origin] >= 0) & (lone[timetable.footpath_stop] >= 0)
        walks = np.stack(
            [lone[origin[plain]], lone[timetable.footpath_stop[plain]], timetable.footpath_s[plain].astype(np.int64)], 1
        )
        if not ruled:
            return change_s, walks
        seconds: dict[tuple[int, int], int] = {(at, at): int(timetable.stop_change_s[at]) for at in ruled}
        for i in np.flatnonzero(~plain).tolist():
            seconds[int(origin[i]), int(timetable.footpath_stop[i])] = int(timetable.footpath_s[i])
        for rule in self._rules:
            for one in self._stops[rule * 2 + FROM]:
                for other in self._stops[rule * 2 + TO]:
                    seconds.setdefault((one, other), NEVER_S)
        more: list[tuple[int, int, int]] = []
        for (one, other), usual in sorted(seconds.items()):
            for start in spots_of.get(one, ()):
                for end in spots_of.get(other, ()):
                    needed = self._seconds(keys[start], keys[end], usual)
                    if start == end:
                        change_s[start] = needed
                    elif needed < NEVER_S:
                        more.append((start, end, needed))
        return change_s, np.concatenate([walks, np.array(more, np.int64).reshape(-1, 3)])

    def _seconds(self, start: SpotKey, end: SpotKey, usual: int) -> int:
        """Seconds from one spot to another: the most specific rule's, `usual` where none speaks of the two."""
        best = (-1, -1)
        needed = usual
        for rule in self._rules:
            if not (self._holds(rule * 2 + FROM, start) and self._holds(rule * 2 + TO, end)):
                continue
            timetable = self._timetable
            n_trips = int(timetable.rule_from_trip[rule] >= 0) + int(timetable.rule_to_trip[rule] >= 0)
            n_routes = int(timetable.rule_from_route[rule] >= 0) + int(timetable.rule_to_route[rule] >= 0)
            if (n_trips, n_routes) > best:
                best = (n_trips, n_routes)
                kind, told = int(timetable.rule_type[rule]), int(timetable.rule_s[rule])
                if kind == FORBIDDEN:
                    needed = NEVER_S
                elif kind == TIMED:
                    needed = max(0, told)
                elif kind == MIN_TIME and told >= 0:
                    needed = told
                else:
                    needed = usual
        return needed

    def _holds(self, number: int, key: SpotKey) -> bool:
        """Whether this side of a rule speaks of the trips of a spot."""
        return key[0] in self._stops[number] and (number in self._any or number in key[1])
