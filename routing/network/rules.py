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
        rules_of, holders = self._rules_of_stops(), self._holders(keys)
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
        for pair in rules_of:
            seconds.setdefault(pair, NEVER_S)
        for (one, other), usual in sorted(seconds.items()):
            starts, ends = np.array(spots_of.get(one, ()), np.int64), np.array(spots_of.get(other, ()), np.int64)
            if not len(starts) or not len(ends):
                continue
            needed = np.full((len(starts), len(ends)), usual, np.int64)
            for rule in rules_of.get((one, other), ()):
                from_spots, to_spots = holders[rule * 2 + FROM, one], holders[rule * 2 + TO, other]
                rows, cols = np.searchsorted(starts, from_spots), np.searchsorted(ends, to_spots)
                needed[np.ix_(rows, cols)] = self._seconds(rule, usual)
            if one == other:
                change_s[starts] = needed.diagonal()
            rows, cols = np.nonzero(needed < NEVER_S)
            more = np.stack([starts[rows], ends[cols], needed[rows, cols]], 1)
            walks = np.concatenate([walks, more[more[:, 0] != more[:, 1]]])
        return change_s, walks

    def _rules_of_stops(self) -> dict[tuple[int, int], list[int]]:
        """The rules of a pair of stops, the one that holds last: the most specific, and of those the first."""
        timetable = self._timetable
        n_trips = (timetable.rule_from_trip >= 0).astype(int) + (timetable.rule_to_trip >= 0)
        n_routes = (timetable.rule_from_route >= 0).astype(int) + (timetable.rule_to_route >= 0)
        found: dict[tuple[int, int], list[int]] = defaultdict(list)
        for rule in sorted(self._rules, key=lambda rule: (n_trips[rule], n_routes[rule], -rule)):
            for one in self._stops[rule * 2 + FROM]:
                for other in self._stops[rule * 2 + TO]:
                    found[one, other].append(rule)
        return found

    def _holders(self, keys: list[SpotKey]) -> dict[tuple[int, int], list[int]]:
        """The spots of a stop, ascending, whose trips a side of a rule speaks of."""
        found: dict[tuple[int, int], list[int]] = defaultdict(list)
        any_at: dict[int, list[int]] = defaultdict(list)
        for number in sorted(self._any):
            for stop in self._stops[number]:
                any_at[stop].append(number)
        for spot, (stop, named) in enumerate(keys):
            for number in (*named, *any_at[stop]):
                found[number, stop].append(spot)
        return found

    def _seconds(self, rule: int, usual: int) -> int:
        """Seconds of a change that a rule speaks of, which takes `usual` without it."""
        kind, told = int(self._timetable.rule_type[rule]), int(self._timetable.rule_s[rule])
        if kind == FORBIDDEN:
            return NEVER_S
        if kind == TIMED:
            return max(0, told)
        return told if kind == MIN_TIME and told >= 0 else usual
