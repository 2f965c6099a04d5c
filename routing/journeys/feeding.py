"""Feeding: journeys that reach public transport by a feeder, leave it by one, both, or are one ride of it.

The search itself is untouched. A ride on a feeder has a fixed length between its hours, so it is handed to the
search as stops to start from (end at) with seconds to each (`JourneyQuery.access`, `egress`), and what comes back is
fitted to the hours:

- On the side from which time is searched (departures; with `arrive_by` arrivals) the interval asked is cut to the
  hours, and one more search from their edge finds who waits at a stop for a later vehicle.
- On the other side one search does for all hours: being early means to wait until they begin, being late means
  no. Both keep the order of journeys, so that nothing better is lost by fitting afterwards.

Rides all the way leave every `wait_s` from the beginning of the hours on: by the next of these instants one car
is expected to have come. An answer with a feeder is one only where nothing else beats it; a timetabled journey is
never hidden by one, for a car that is expected may not come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import ceil

from routing.journeys.access import place_at, vias_between, walk_between
from routing.journeys.feeder import Feeder, Window, head_after, head_before
from routing.journeys.feeders import Feeders
from routing.journeys.journey import FeederLeg, Journey, Leg, WalkLeg
from routing.journeys.query import JourneyQuery, Place, PointPlace, StopPlace
from routing.journeys.walks import Course, Walks
from routing.network.timetable import Timetable
from socle.geo import LatLon

MAX_CHANGE_WALK_S = 900  # between a feeder and a vehicle or a stop where the journey begins or ends

Search = Callable[[JourneyQuery], list[Journey]]


@dataclass(frozen=True)
class _End:
    """One stop of a feeder near an end of the journey, with the walk between them.

    `rows`: stop of the network -> (seconds between it and the end without the wait, the feeder's stop beside it).
    """

    feeder: Feeder
    stop: int
    walk: Course
    rows: dict[int, tuple[int, int]] = field(default_factory=dict)

    def rows_with(self, wait_s: int) -> tuple[tuple[int, int], ...]:
        return tuple((stop, seconds + wait_s) for stop, (seconds, _) in self.rows.items())

    @property
    def shortest_s(self) -> int:
        return min(seconds for seconds, _ in self.rows.values())


class _Side:
    """What stands for an end of the journey: a walk (`end` None), or a feeder within some windows."""

    def __init__(self, end: _End | None = None, windows: Sequence[Window] = (), wait_s: int = 0) -> None:
        self.end, self.windows, self.wait_s = end, windows, wait_s

    @property
    def rows(self) -> tuple[tuple[int, int], ...]:
        return () if self.end is None else self.end.rows_with(self.wait_s)


_ON_FOOT = _Side()


class Feeding:
    """Journeys with feeders for one query."""

    def __init__(
        self, timetable: Timetable, query: JourneyQuery, walks: Walks | None, feeders: Feeders, search: Search
    ) -> None:
        self._timetable, self._walks, self._feeders, self._search = timetable, walks, feeders, search
        self._query = query
        self._starts = [] if query.access else self._ends(query.origin, query.max_access_s, is_start=True)
        self._goals = [] if query.egress else self._ends(query.destination, query.max_egress_s, is_start=False)

    @cached_property
    def _plain(self) -> JourneyQuery:
        """The query as one who changes on foot asks it."""
        plain = replace(self._query, access=(), egress=())
        return replace(plain, max_access_s=MAX_CHANGE_WALK_S, max_egress_s=MAX_CHANGE_WALK_S)

    @property
    def applies(self) -> bool:
        """Whether any feeder is near an end."""
        return bool(self._starts or self._goals)

    def list_journeys(self, timetabled: Sequence[Journey], direct_s: int) -> list[Journey]:
        """The journeys with feeders that nothing beats, given the timetabled ones of the same query.

        What leaves (arrives) outside the interval asked beats as well, as in the search itself.
        """
        query = self._query
        found = self._all(query, direct_s)
        if not found:
            return []
        rivals = [*timetabled, *found]
        if query.window_s:
            begin, end = (
                (query.at - query.window_s, query.at) if query.arrive_by else (query.at, query.at + query.window_s)
            )
            beyond = replace(query, at=begin if query.arrive_by else end, window_s=0)
            rivals += [*self._search(beyond), *self._all(beyond, direct_s, in_steps=True)]
        return _unbeaten(found, rivals, query)

    def _all(self, query: JourneyQuery, direct_s: int, *, in_steps: bool = False) -> list[Journey]:
        found = [*self._rides(query, in_steps=in_steps or bool(query.window_s))]
        if query.max_changes >= 1:
            found += self._with_vehicles(query)
        limit_s = min(query.travel_limit_s, direct_s - 1)
        begin, end = (query.at - query.window_s, query.at) if query.arrive_by else (query.at, query.at + query.window_s)

        def is_asked(journey: Journey) -> bool:
            if not query.window_s:  # waiting counts from (until) the time asked
                lasts_s = query.at - journey.departure if query.arrive_by else journey.arrival - query.at
            else:
                lasts_s = journey.arrival - journey.departure
                if not (begin < journey.arrival <= end if query.arrive_by else begin <= journey.departure < end):
                    return False
            return lasts_s <= limit_s and journey.n_changes <= query.max_changes

        return [journey for journey in found if is_asked(journey)]

    # --- where feeders are near ---------------------------------------------------------------

    def _ends(self, place: Place, limit_s: int, *, is_start: bool) -> list[_End]:
        at = place_at(self._timetable, place)
        limit_s = limit_s if isinstance(place, PointPlace) else MAX_CHANGE_WALK_S
        ends = []
        for feeder, stop in self._feeders.near(at, limit_s * self._query.walk_speed_m_s):
            if stop == (len(feeder.stops) - 1 if is_start else 0):
                continue
            there = feeder.stops[stop].at
            course = self._course(*((at, there) if is_start else (there, at)), limit_s)
            if course is not None:
                rows = self._rows(feeder, stop, course[0], is_start=is_start)
                ends.append(_End(feeder, stop, course, rows))
        return ends

    def _rows(self, feeder: Feeder, stop: int, walk_s: int, *, is_start: bool) -> dict[int, tuple[int, int]]:
        rows: dict[int, tuple[int, int]] = {}
        for other in range(stop + 1, len(feeder.stops)) if is_start else range(stop):
            driven_s = abs(feeder.drive_s[other] - feeder.drive_s[stop])
            reached = self._feeders.reached(
                self._timetable,
                self._walks,
                feeder.stops[other].at,
                self._query.walk_speed_m_s,
                MAX_CHANGE_WALK_S,
                not is_start,
            )
            for network_stop, change_s in reached.items():
                row = walk_s + driven_s + self._change_s(change_s), other
                if network_stop not in rows or row[0] < rows[network_stop][0]:
                    rows[network_stop] = row
        return rows

    def _change_s(self, walk_s: int) -> int:
        query = self._query
        return max(ceil(walk_s * query.change_factor - 1e-9) + query.extra_change_s, query.min_change_s)

    def _course(self, one: LatLon, other: LatLon, limit_s: int) -> Course | None:
        course: Course | None = None
        if self._walks is not None:
            course = self._walks.between(self._query, one, other, limit_s)
        if course is None:
            course = (*walk_between(one, other, self._query.walk_speed_m_s), (one, other))
        return course if course[0] <= limit_s else None

    # --- rides all the way --------------------------------------------------------------------

    def _rides(self, query: JourneyQuery, *, in_steps: bool) -> Iterator[Journey]:
        if vias_between(self._timetable, query):
            return
        for start in self._starts:
            for goal in self._goals:
                if goal.feeder is start.feeder and goal.stop > start.stop:
                    yield from self._rides_between(query, start, goal, in_steps=in_steps)

    def _rides_between(self, query: JourneyQuery, start: _End, goal: _End, *, in_steps: bool) -> Iterator[Journey]:
        feeder = start.feeder
        # What to add to a head for the journey's beginning, and, with the wait, for its end.
        begins = feeder.drive_s[start.stop] - start.walk[0]
        ends = feeder.drive_s[goal.stop] + goal.walk[0]
        windows = self._windows_of(start, query)
        if not in_steps:
            found = head_before(windows, query.at - ends) if query.arrive_by else head_after(windows, query.at - begins)
            if found is not None:
                yield self._ride(start, goal, *found)
            return
        for window in windows:
            if query.arrive_by:
                high = query.at - ends - window.wait_s
                low = high - query.window_s + 1 if query.window_s else window.first
            else:
                low = query.at - begins
                high = low + query.window_s - 1 if query.window_s else window.last
            heads = range(window.first, window.last + 1, max(window.wait_s, 1))
            asked = [head for head in heads if low <= head <= high]
            if not query.window_s:
                asked = asked[-1:] if query.arrive_by else asked[:1]
            for head in asked:
                yield self._ride(start, goal, head, window.wait_s)

    def _ride(self, start: _End, goal: _End, head: int, wait_s: int) -> Journey:
        leg = FeederLeg(start.feeder, start.stop, goal.stop, head, wait_s)
        return Journey((*self._walk_to(start, leg), leg, *self._walk_from(goal, leg)))

    # --- with vehicles ------------------------------------------------------------------------

    def _with_vehicles(self, query: JourneyQuery) -> list[Journey]:
        anchored, free = (self._goals, self._starts) if query.arrive_by else (self._starts, self._goals)
        others = [_ON_FOOT, *(_Side(end, self._windows_of(end, query)) for end in free if end.rows)]
        found: list[Journey] = []
        for other in others[1:]:
            found += self._fitted(query, _ON_FOOT, other)
        for end in anchored:
            for window in self._windows_of(end, query) if end.rows else ():
                if not query.window_s and self._is_too_late(query, end, window, found):
                    continue
                side = _Side(end, (window,), window.wait_s)
                for asked in self._cut(query, end, window):
                    for other in others:
                        found += self._fitted(asked, side, other)
        return found

    def _windows_of(self, end: _End, query: JourneyQuery) -> list[Window]:
        reach_s = query.window_s + query.travel_limit_s
        span = (query.at - reach_s, query.at) if query.arrive_by else (query.at, query.at + reach_s)
        slack_s = end.feeder.drive_s[-1] + end.walk[0]
        return end.feeder.windows(span[0] - slack_s, span[1] + slack_s)

    @staticmethod
    def _edges(query: JourneyQuery, end: _End, window: Window) -> tuple[int, int]:
        """When the journey begins (with `arrive_by`: ends) if the head is the window's first, and its last."""
        feeder = end.feeder
        offset = feeder.drive_s[end.stop]
        offset += end.walk[0] + window.wait_s if query.arrive_by else -end.walk[0]
        return window.first + offset, window.last + offset

    def _is_too_late(self, query: JourneyQuery, end: _End, window: Window, found: Iterable[Journey]) -> bool:
        """Whether journeys from this window cannot beat those found: two vehicles are the fewest."""
        two = [journey for journey in found if journey.n_vehicles == 2]
        shortest_s = end.shortest_s + window.wait_s
        first, last = self._edges(query, end, window)
        if query.arrive_by:
            return any(last - shortest_s <= journey.departure for journey in two)
        return any(first + shortest_s >= journey.arrival for journey in two)

    def _cut(self, query: JourneyQuery, end: _End, window: Window) -> Iterator[JourneyQuery]:
        """The query within the hours, and from their edge when that is inside the interval asked."""
        first, last = self._edges(query, end, window)
        if not query.window_s:
            at = min(query.at, last) if query.arrive_by else max(query.at, first)
            if first <= at <= last:
                yield replace(query, at=at)
        elif query.arrive_by:
            low, high = max(first, query.at - query.window_s + 1), min(last, query.at)
            if low <= high:
                yield replace(query, at=high, window_s=high - low + 1)
                if first == low:
                    yield replace(query, at=low, window_s=0)
        else:
            low, high = max(first, query.at), min(last, query.at + query.window_s - 1)
            if low <= high:
                yield replace(query, at=low, window_s=high - low + 1)
                if last == high:
                    yield replace(query, at=high, window_s=0)

    def _fitted(self, query: JourneyQuery, anchored: _Side, free: _Side) -> Iterator[Journey]:
        """Journeys between what stands for the ends, with the rides on feeders put where the search saw a walk."""
        start, goal = (free, anchored) if query.arrive_by else (anchored, free)
        n_feeders = (start.end is not None) + (goal.end is not None)
        if query.max_changes < n_feeders:
            return
        asked = replace(query, max_changes=query.max_changes - n_feeders)
        asked = replace(asked, access=start.rows or query.access, egress=goal.rows or query.egress)
        first, last = self._timetable.valid
        if not first <= asked.at <= last:
            return
        for journey in self._search(asked):
            legs: list[Leg] = list(journey.legs)
            if start.end is not None:
                before = self._before(start, legs[0])
                if before is None:
                    continue
                legs[:1] = before
            if goal.end is not None:
                after = self._after(goal, legs[-1])
                if after is None:
                    continue
                legs[-1:] = after
            yield Journey(tuple(legs))

    def _before(self, side: _Side, seen: Leg) -> list[Leg] | None:
        """Walk, ride and walk to the first vehicle, as late as the hours allow."""
        end = side.end
        if end is None or not isinstance(seen, WalkLeg) or not isinstance(seen.destination, StopPlace):
            return None
        _, alight = end.rows[seen.destination.stop]
        walk = self._change(end.feeder, alight, seen.destination, is_start=True)
        there = seen.arrival - walk[0]
        found = head_before(side.windows, there - end.feeder.drive_s[alight])
        if found is None:
            return None
        leg = FeederLeg(end.feeder, end.stop, alight, *found)
        return [*self._walk_to(end, leg), leg, *_walk(_stop(end.feeder, alight), seen.destination, leg.arrival, walk)]

    def _after(self, side: _Side, seen: Leg) -> list[Leg] | None:
        """Walk from the last vehicle, ride and walk, as early as the hours allow."""
        end = side.end
        if end is None or not isinstance(seen, WalkLeg) or not isinstance(seen.origin, StopPlace):
            return None
        _, board = end.rows[seen.origin.stop]
        walk = self._change(end.feeder, board, seen.origin, is_start=False)
        found = head_after(side.windows, seen.departure + walk[0] - end.feeder.drive_s[board])
        if found is None:
            return None
        leg = FeederLeg(end.feeder, board, end.stop, *found)
        return [*_walk(seen.origin, _stop(end.feeder, board), seen.departure, walk), leg, *self._walk_from(end, leg)]

    def _change(self, feeder: Feeder, stop: int, place: StopPlace, *, is_start: bool) -> Course:
        """The walk between a stop of the feeder and one of the network, with the change times asked."""
        point = feeder.stops[stop].at
        reached = self._feeders.reached(
            self._timetable, self._walks, point, self._query.walk_speed_m_s, MAX_CHANGE_WALK_S, not is_start
        )
        ends: tuple[Place, Place] = (PointPlace(point), place) if is_start else (place, PointPlace(point))
        course = self._walks.leg(self._plain, *ends) if self._walks else None
        if course is None:
            path = tuple(place_at(self._timetable, one) for one in ends)
            course = 0, walk_between(path[0], path[1], self._query.walk_speed_m_s)[1], path
        return self._change_s(reached[place.stop]), *course[1:]

    def _walk_to(self, end: _End, leg: FeederLeg) -> Iterator[WalkLeg]:
        there = _stop(end.feeder, end.stop)
        return _walk(self._query.origin, there, leg.departure - end.walk[0], end.walk)

    def _walk_from(self, end: _End, leg: FeederLeg) -> Iterator[WalkLeg]:
        return _walk(_stop(end.feeder, end.stop), self._query.destination, leg.arrival, end.walk)


def _stop(feeder: Feeder, stop: int) -> PointPlace:
    return PointPlace(feeder.stops[stop].at, feeder.stops[stop].name)


def _walk(origin: Place, destination: Place, departure: int, course: Course) -> Iterator[WalkLeg]:
    """A walk, unless one is there already."""
    if course[0]:
        yield WalkLeg(origin, destination, departure, departure + course[0], *course[1:])


def _unbeaten(found: Sequence[Journey], rivals: Sequence[Journey], query: JourneyQuery) -> list[Journey]:
    """Of the journeys found, those that no rival beats; of equal ones the first."""

    def told(journey: Journey) -> tuple[int, int, int]:
        """The less, the better."""
        departure = 0 if not query.window_s and not query.arrive_by else -journey.departure
        arrival = 0 if not query.window_s and query.arrive_by else journey.arrival
        return departure, arrival, journey.n_vehicles

    marks = {told(rival) for rival in rivals}
    kept: list[Journey] = []
    taken = {told(rival) for rival in rivals if rival.is_timetabled}
    for journey in found:
        mine = told(journey)
        is_beaten = any(other != mine and all(a <= b for a, b in zip(other, mine, strict=True)) for other in marks)
        if not is_beaten and mine not in taken:
            taken.add(mine)
            kept.append(journey)
    return kept
