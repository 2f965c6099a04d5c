"""The slow twin of the search: Dijkstra over a time-expanded graph on NetworkX.

It reads trips, stops and rules from the Timetable, and knows nothing of days, runs, spots, patterns or
rounds. A node is a vehicle at a stop, on arrival or on departure, with the number of vias passed; an
edge costs the vehicle it boards, so the shortest path to an arrival is the fewest vehicles to be there
then. Walks and changes are edges of the region's graph, and end on a departure, so never follow one
another. One search per moment of leaving; what none dominates is the answer.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from math import ceil

import networkx as nx
import numpy as np

from routing.journeys.access import direct_walk, stops_of, vias_between
from routing.journeys.query import JourneyQuery, StopPlace
from routing.network.modes import MODES
from routing.network.region import make_region
from routing.network.timetable import Timetable

Told = tuple[int, int, int]  # departure, arrival, vehicles


@dataclass(frozen=True)
class Vehicle:
    """A trip on a service day, in instants."""

    number: int
    trip: int
    day: date
    stops: list[int]
    arrival: list[int]
    departure: list[int]
    may_board: list[bool]
    may_alight: list[bool]


class Oracle:
    """The time-expanded graph of one query."""

    def __init__(
        self, timetable: Timetable, query: JourneyQuery, day: date, region: nx.MultiDiGraph | None = None
    ) -> None:
        query = replace(query, via=vias_between(timetable, query))
        self.timetable, self.query = timetable, query
        self.region = make_region(timetable) if region is None else region
        self.vehicles = self._vehicles(day)
        self.via = [set(timetable.place_of(via.place.stop).tolist()) for via in query.via]
        self.access = self._ends(query.origin, query.max_access_s)
        self.egress = self._ends(query.destination, query.max_egress_s)
        walk = direct_walk(timetable, query)
        self.direct_s = walk[0] if walk else 10**9
        self.boardings: dict[int, list[tuple[int, int, int]]] = defaultdict(list)  # stop -> (departure, vehicle, call)
        for vehicle in self.vehicles:
            for call, stop in enumerate(vehicle.stops[:-1]):
                if vehicle.may_board[call]:
                    self.boardings[stop].append((vehicle.departure[call], vehicle.number, call))
        for those in self.boardings.values():
            those.sort()
        self.seated = self._seated()
        self.graph = self._graph()

    def _ends(self, place, max_walk_s):
        stops, seconds = stops_of(self.timetable, self.query, place, max_walk_s)
        return dict(zip(stops.tolist(), seconds.tolist(), strict=True))

    def _vehicles(self, day: date) -> list[Vehicle]:
        timetable, query = self.timetable, self.query
        found = []
        for offset in range(-5, 4):
            service_day = day + timedelta(days=offset)
            running = timetable.services_of(service_day)[timetable.trip_service]
            for trip in np.flatnonzero(running).tolist():
                start = timetable.service_day_start(trip, service_day)
                if not self._allowed(trip) or not self._matters(trip, start):
                    continue
                sequence = timetable.trip_sequence[trip]
                span = slice(timetable.sequence_first_stop[sequence], timetable.sequence_first_stop[sequence + 1])
                stops = timetable.sequence_stops[span].tolist()
                doors = {True: [0], False: [0, 2, 3]}[query.no_booking]
                steps = [query.wheelchair and timetable.stop_wheelchair[stop] == 2 for stop in stops]
                arrivals, departures = timetable.trip_times(trip)
                found.append(
                    Vehicle(
                        len(found),
                        trip,
                        service_day,
                        stops,
                        (arrivals + start).tolist(),
                        (departures + start).tolist(),
                        [
                            type_ in doors and not shut
                            for type_, shut in zip(timetable.sequence_pickup[span].tolist(), steps, strict=True)
                        ],
                        [
                            type_ in doors and not shut
                            for type_, shut in zip(timetable.sequence_drop_off[span].tolist(), steps, strict=True)
                        ],
                    )
                )
        return found

    def _matters(self, trip: int, start: int) -> bool:
        """Whether a trip moves near enough to the time asked for a journey to take it."""
        query = self.query
        reach_s = query.window_s + query.travel_limit_s
        arrivals, departures = self.timetable.trip_times(trip)
        return bool(start + departures[0] <= query.at + reach_s and start + arrivals[-1] >= query.at - reach_s)

    def _allowed(self, trip: int) -> bool:
        timetable, query = self.timetable, self.query
        if query.modes is not None and MODES[timetable.trip_mode[trip]] not in query.modes:
            return False
        if query.wheelchair and timetable.trip_wheelchair[trip] == 2:
            return False
        return not query.bikes or timetable.trip_bikes[trip] == 1

    def _seated(self) -> list[tuple[int, int]]:
        """Pairs of vehicles that are one: by rule; else by block, the next to leave, from the place where it ended."""
        timetable = self.timetable
        rules = list(
            zip(
                timetable.rule_type.tolist(),
                timetable.rule_from_trip.tolist(),
                timetable.rule_to_trip.tolist(),
                strict=True,
            )
        )
        apart = {(one, other) for kind, one, other in rules if kind == 5}
        self.joined = {(one, other) for kind, one, other in rules if kind == 4}
        self.trips_of_row = defaultdict(list)
        for trip, row in enumerate(timetable.trip_row.tolist()):
            self.trips_of_row[row].append(trip)
        by_trip = {(vehicle.trip, vehicle.day): vehicle for vehicle in self.vehicles}
        pairs = set()
        for vehicle in self.vehicles:
            linked = self._linked_after(vehicle.trip, vehicle.day)
            pairs |= {(vehicle.number, by_trip[one].number) for one in linked if one in by_trip}
            if linked:
                continue
            # A vehicle that the query refuses still stands between its neighbours.
            following = self._next_of_block(vehicle.trip, vehicle.day)
            other = by_trip.get((following, vehicle.day))
            if other is None or self._is_linked(following, vehicle.day):
                continue
            same_place = timetable.stop_place[vehicle.stops[-1]] == timetable.stop_place[other.stops[0]]
            in_time = vehicle.arrival[-1] <= other.departure[0]
            rows = int(timetable.trip_row[vehicle.trip]), int(timetable.trip_row[following])
            if same_place and in_time and rows not in apart:
                pairs.add((vehicle.number, other.number))
        return sorted(pairs)

    def _next_of_block(self, trip: int, day: date) -> int | None:
        timetable = self.timetable
        block = int(timetable.trip_block[trip])
        if block < 0 or timetable.trip_headway_s[trip]:
            return None
        those = np.flatnonzero((timetable.trip_block == block) & (timetable.trip_headway_s == 0)).tolist()
        whole = [one for one in those if timetable.runs(one, day)]
        whole.sort(key=lambda one: (self._leaves(one, day), one))
        return dict(pairwise(whole)).get(trip)

    def _linked_after(self, trip: int, day: date) -> list[tuple[int, date]]:
        """What transfers.txt type 4 lets follow a trip: the first departure that day, else the next day's."""
        timetable = self.timetable
        row, tomorrow = int(timetable.trip_row[trip]), day + timedelta(days=1)
        arrives = self._start(trip, day) + int(timetable.trip_times(trip)[0][-1])
        found = []
        for to_row in sorted(other for one, other in self.joined if one == row):
            those = self.trips_of_row[to_row]
            today = [(self._leaves(one, day), one) for one in those if timetable.runs(one, day) and one != trip]
            today = [one for one in today if one[0] >= arrives]
            has_left = self._leaves(those[0], day) < arrives <= self._leaves(those[0], tomorrow)
            if today:
                found.append((min(today)[1], day))
            elif len(those) == 1 and has_left and timetable.runs(those[0], tomorrow):
                found.append((those[0], tomorrow))
        return found

    def _is_linked(self, trip: int, day: date) -> bool:
        """Whether transfers.txt type 4 lets a trip follow another one."""
        row = int(self.timetable.trip_row[trip])
        before = [trip for one, other in self.joined if other == row for trip in self.trips_of_row[one]]
        return any(
            self.timetable.runs(one, that_day) and (trip, day) in self._linked_after(one, that_day)
            for one in before
            for that_day in (day, day - timedelta(days=1))
        )

    def _leaves(self, trip: int, day: date) -> int:
        return self._start(trip, day) + int(self.timetable.trip_times(trip)[1][0])

    def _start(self, trip: int, day: date) -> int:
        return self.timetable.service_day_start(trip, day)

    def _own_s(self, seconds: int) -> int:
        """A change time under the query's settings."""
        query = self.query
        return max(query.min_change_s, ceil(seconds * query.change_factor - 1e-9) + query.extra_change_s)

    def change_s(self, one: Vehicle, other: Vehicle, stop: int, next_stop: int) -> int | None:
        """Seconds from alighting at `stop` to boarding at `next_stop`, None when there is no way."""
        timetable = self.timetable
        usual: int | None
        if stop == next_stop:
            usual = self.region.nodes[stop]["change_s"]
        else:
            walk = self.region.get_edge_data(stop, next_stop, "walk")
            usual = walk["seconds"] if walk else None
        best = (-1, -1)
        answer = usual
        for rule in range(len(timetable.rule_type)):
            kind = int(timetable.rule_type[rule])
            ends = (
                (one, stop, timetable.rule_from_stop, timetable.rule_from_route, timetable.rule_from_trip),
                (other, next_stop, timetable.rule_to_stop, timetable.rule_to_route, timetable.rule_to_trip),
            )
            if kind >= 4 or not all(self._speaks(rule, *end) for end in ends):
                continue
            n_trips = sum(int(end[4][rule] >= 0) for end in ends)
            n_routes = sum(int(end[3][rule] >= 0) for end in ends)
            if (n_trips, n_routes) > best:
                best = (n_trips, n_routes)
                told = int(timetable.rule_s[rule])
                answer = {3: None, 1: max(0, told), 2: told if told >= 0 else usual}.get(kind, usual)
        if answer is None or answer >= 1 << 28:
            return None
        return self._own_s(answer)

    def _speaks(self, rule, vehicle, stop, stops, routes, trips) -> bool:
        timetable = self.timetable
        named = int(stops[rule])
        if named != stop and timetable.stop_parent[stop] != named:
            return False
        if trips[rule] >= 0:
            return bool(trips[rule] == timetable.trip_row[vehicle.trip])
        return bool(routes[rule] < 0 or routes[rule] == timetable.trip_route[vehicle.trip])

    def _graph(self) -> nx.DiGraph:
        """Nodes (kind, vehicle, call, vias passed)."""
        graph = nx.DiGraph()
        every = range(len(self.via) + 1)
        for vehicle in self.vehicles:
            last = len(vehicle.stops) - 1
            for call in range(last + 1):
                for passed in every:
                    on_the_way = self._ride_through(vehicle.stops[call], passed)
                    here = ("arrives", vehicle.number, call, passed)
                    if call < last:
                        graph.add_edge(here, ("departs", vehicle.number, call, on_the_way), weight=0)
                        graph.add_edge(
                            ("departs", vehicle.number, call, passed),
                            ("arrives", vehicle.number, call + 1, passed),
                            weight=0,
                        )
        for one, other in self.seated:
            for passed in every:
                last = len(self.vehicles[one].stops) - 1
                on_the_way = self._ride_through(self.vehicles[one].stops[last], passed)
                on_the_way = self._ride_through(self.vehicles[other].stops[0], on_the_way)
                graph.add_edge(("arrives", one, last, passed), ("departs", other, 0, on_the_way), weight=0)
        for vehicle in self.vehicles:
            for call in range(1, len(vehicle.stops)):
                for passed in every:
                    if vehicle.may_alight[call]:
                        self._add_changes(graph, vehicle, call, passed)
        return graph

    def _ride_through(self, stop: int, passed: int) -> int:
        """Vias passed after being at `stop` aboard: those that ask for no stay."""
        while passed < len(self.via) and stop in self.via[passed] and self.query.via[passed].stay_s == 0:
            passed += 1
        return passed

    def _stays(self, stop: int, passed: int) -> list[tuple[int, int]]:
        """Ways to be at `stop` off the vehicle: (vias passed after, seconds stayed)."""
        ways = [(passed, 0)]
        stayed = 0
        while passed < len(self.via) and stop in self.via[passed]:
            stayed += self.query.via[passed].stay_s
            passed += 1
            ways.append((passed, stayed))
        return ways

    def _add_changes(self, graph: nx.DiGraph, vehicle: Vehicle, call: int, passed: int) -> None:
        stop, arrival = vehicle.stops[call], vehicle.arrival[call]
        here = ("arrives", vehicle.number, call, passed)
        walks = [edge[1] for edge in self.region.out_edges(stop, keys=True) if edge[2] == "walk"]
        next_stops = set(walks) | {stop} | self._ruled_from(stop)
        for next_stop in sorted(next_stops):
            for departure, other, next_call in self.boardings.get(next_stop, ()):
                if departure < arrival:
                    continue
                change_s = self.change_s(vehicle, self.vehicles[other], stop, next_stop)
                if change_s is None:
                    continue
                for after, stayed in self._stays(stop, passed):
                    if next_stop == stop:
                        ways = [(after, stayed)]
                    else:
                        ways = [(then, stayed + more) for then, more in self._stays(next_stop, after)]
                    for then, total in ways:
                        if arrival + change_s + total <= departure:
                            then = self._ride_through(next_stop, then)
                            board = ("departs", other, next_call, then)
                            if not graph.has_edge(here, board):  # one may just stay aboard
                                graph.add_edge(here, board, weight=1)

    def _ruled_from(self, stop: int) -> set[int]:
        """Stops to which a rule may lead from `stop`."""
        timetable = self.timetable
        found: set[int] = set()
        for rule in range(len(timetable.rule_type)):
            if timetable.rule_from_stop[rule] in (stop, timetable.stop_parent[stop]) and timetable.rule_type[rule] < 4:
                named = int(timetable.rule_to_stop[rule])
                found.add(named)
                found |= {other for other in range(timetable.n_stops) if timetable.stop_parent[other] == named}
        return found

    def leaving_at(self, start: int) -> set[Told]:
        """What is reached by leaving at `start` or later: (start, arrival, vehicles), not yet the best only."""
        graph, source = self.graph, "origin"
        graph.add_node(source)
        for stop, walk_s in self.access.items():
            for departure, number, call in self.boardings.get(stop, ()):
                for passed, stayed in self._stays(stop, 0):
                    if start + walk_s + stayed <= departure:
                        passed = self._ride_through(stop, passed)
                        graph.add_edge(source, ("departs", number, call, passed), weight=1)
        vehicles_to = nx.single_source_dijkstra_path_length(graph, source, weight="weight")
        graph.remove_node(source)
        found = set()
        for node, n_vehicles in vehicles_to.items():
            if node == source or node[0] != "arrives":
                continue
            _, number, call, passed = node
            vehicle = self.vehicles[number]
            stop = vehicle.stops[call]
            if call == 0 or not vehicle.may_alight[call] or stop not in self.egress:
                continue
            for after, stayed in self._stays(stop, passed):
                arrival = vehicle.arrival[call] + stayed + self.egress[stop]
                lasts = arrival - start
                in_time = lasts <= self.query.travel_limit_s and lasts < self.direct_s
                if after == len(self.via) and in_time and n_vehicles <= self.query.max_changes + 1:
                    found.add((start, arrival, n_vehicles))
        return found

    def leavings(self, begin: int, end: int) -> list[int]:
        """Every moment in `[begin, end)` at which leaving just catches a vehicle."""
        moments = {
            departure - walk_s - stayed
            for stop, walk_s in self.access.items()
            for _, stayed in self._stays(stop, 0)
            for departure, _, _ in self.boardings.get(stop, ())
        }
        return sorted(moment for moment in moments if begin <= moment < end)


def best_of(found: set[Told]) -> set[Told]:
    """Those that none leaves later, arrives earlier and uses fewer vehicles than."""
    return {
        one
        for one in found
        if not any(other != one and other[0] >= one[0] and other[1] <= one[1] and other[2] <= one[2] for other in found)
    }


def journeys(timetable: Timetable, query: JourneyQuery, region: nx.MultiDiGraph | None = None) -> set[Told]:
    """The answer to `query`: (departure, arrival, vehicles); of a single departure, what is compared is
    (the time asked, arrival, vehicles), and of a single arrival (departure, the time asked, vehicles).
    """
    oracle = Oracle(timetable, query, timetable.day_of(query.at), region)
    at, window, day_s = query.at, query.window_s, 86_400
    if not query.arrive_by and not window:
        return best_of(oracle.leaving_at(at))
    begin = at - window - day_s if query.arrive_by else at
    end = at + 1 if query.arrive_by else at + window + day_s
    found: set[Told] = set()
    for start in oracle.leavings(begin, end):
        found |= oracle.leaving_at(start)
    if not query.arrive_by:
        return {one for one in best_of(found) if at <= one[0] < at + window}
    if window:
        return {one for one in best_of(found) if at - window < one[1] <= at}
    # Until the time asked: waiting counts until then, and so do the limits.
    limit = min(query.travel_limit_s, oracle.direct_s - 1)
    return best_of({(start, at, n) for start, arrival, n in found if arrival <= at and at - start <= limit})


__all__ = ["Oracle", "StopPlace", "best_of", "journeys"]
