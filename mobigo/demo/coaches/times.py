"""When the coaches run: spread over the day, then moved to meet a train where they can."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import log10

from mobigo.demo.calendar import WEEKDAYS, DayKind
from mobigo.demo.chance import whole_between
from mobigo.demo.coaches.lines import CoachLine
from mobigo.demo.coaches.stops import SCHOOL, TOWN_HALL, Course
from mobigo.demo.facts import Commune
from mobigo.demo.rail import Days, RailTrip, day_quantile_s

_ROAD_M_S = 55 / 3.6
_STOP_S = 60
_FIRST_S, _LAST_S = 5 * 3600 + 50 * 60, 20 * 3600
_NOON_S = 12 * 3600
_MOST_MOVED_MIN = 25
_CHANGE_S = (8 * 60, 12 * 60)
_APART_S = 10 * 60  # two trips of a line the same way
_SHARE_OF_WEEKDAY = {Days.WEEKDAY: 1.0, Days.SATURDAY: 0.6, Days.SUNDAY: 0.3}


class Runs(StrEnum):
    """The days on which a coach runs; the value is the service's id."""

    WEEKDAY = "CAR-LMMJV"
    SATURDAY = "CAR-S"
    SUNDAY = "CAR-DF"
    SCHOOL = "CAR-SCO-LMMJV"
    SCHOOL_DAY = "CAR-SCO-LMJV"
    SCHOOL_WEDNESDAY = "CAR-SCO-ME"

    @property
    def kinds(self) -> frozenset[DayKind]:
        """The kinds of day that it covers."""
        return _KINDS[self]


_KINDS = {
    Runs.WEEKDAY: WEEKDAYS,
    Runs.SATURDAY: frozenset({DayKind.SATURDAY}),
    Runs.SUNDAY: frozenset({DayKind.SUNDAY}),
    Runs.SCHOOL: frozenset({DayKind.SCHOOL_DAY, DayKind.SCHOOL_WEDNESDAY}),
    Runs.SCHOOL_DAY: frozenset({DayKind.SCHOOL_DAY}),
    Runs.SCHOOL_WEDNESDAY: frozenset({DayKind.SCHOOL_WEDNESDAY}),
}
_RUNS_OF_DAYS = {Days.WEEKDAY: Runs.WEEKDAY, Days.SATURDAY: Runs.SATURDAY, Days.SUNDAY: Runs.SUNDAY}


@dataclass(frozen=True, slots=True)
class CoachTrip:
    """One coach: `times_s[i]` at stop i of the line's course in `direction`."""

    trip_id: str
    line: CoachLine
    direction: int  # 0 from the line's first commune, 1 back
    runs: Runs
    times_s: tuple[int, ...]


class TrainTimes:
    """When trains leave and reach each station."""

    def __init__(self, trips: Iterable[RailTrip]) -> None:
        self._leave: dict[tuple[str, Days], list[int]] = defaultdict(list)
        self._reach: dict[tuple[str, Days], list[int]] = defaultdict(list)
        for trip in trips:
            if trip.mode == "coach":
                continue
            for i, uic8 in enumerate(trip.stops):
                if i + 1 < len(trip.stops):
                    self._leave[uic8, trip.days].append(trip.departures_s[i])
                if i:
                    self._reach[uic8, trip.days].append(trip.arrivals_s[i])
        for times in (*self._leave.values(), *self._reach.values()):
            times.sort()

    def leaves_after(self, uic8: str, days: Days, at_s: int) -> bool:
        """Whether a train leaves 8 to 12 minutes after `at_s`."""
        return _any_between(self._leave.get((uic8, days), []), at_s + _CHANGE_S[0], at_s + _CHANGE_S[1])

    def arrives_before(self, uic8: str, days: Days, at_s: int) -> bool:
        """Whether a train arrives 8 to 12 minutes before `at_s`."""
        return _any_between(self._reach.get((uic8, days), []), at_s - _CHANGE_S[1], at_s - _CHANGE_S[0])


def _any_between(times: Sequence[int], low: int, high: int) -> bool:
    i = bisect_left(times, low)
    return i < len(times) and times[i] <= high


def n_trips(people_one: int, people_other: int, days: Days) -> int:
    """How many coaches run each way between two towns."""
    weekday = min(12, max(3, round(1.2 * log10(people_one * people_other) - 2)))
    return max(1, round(weekday * _SHARE_OF_WEEKDAY[days]))


def running_times_s(course: Course) -> tuple[int, ...]:
    """Seconds after the start at each stop, in whole minutes: 55 km/h and a minute a stop."""
    return tuple(60 * round((m / _ROAD_M_S + _STOP_S * i) / 60) for i, m in enumerate(course.stop_m))


@dataclass(frozen=True, slots=True)
class _OneWay:
    """A line in one direction, and what its trips should meet."""

    line: CoachLine
    direction: int
    course: Course
    after_s: tuple[int, ...]
    larger_end: int  # the place that trains are met at
    towards_larger: bool

    def meets(self, trains: TrainTimes, days: Days, start_s: int) -> bool:
        """Whether a trip that starts at `start_s` has a train to meet, or no reason to."""
        morning = start_s < _NOON_S
        if morning != self.towards_larger:
            return True
        for i, stop in enumerate(self.course.stops):
            if stop.uic8 is None or self.course.place_of_stop[i] != self.larger_end:
                continue
            at_s = start_s + self.after_s[i]
            if morning:
                return trains.leaves_after(stop.uic8, days, at_s)
            return trains.arrives_before(stop.uic8, days, at_s)
        return True

    def trip(self, runs: Runs, k: int, start_s: int) -> CoachTrip:
        trip_id = f"{self.line.code}-{self.direction}-{runs.removeprefix('CAR-')}-{k:02d}"
        return CoachTrip(trip_id, self.line, self.direction, runs, tuple(start_s + after for after in self.after_s))


def _placed(way: _OneWay, trains: TrainTimes, days: Days, wished_s: int, taken: Sequence[int]) -> int:
    """The start nearest to the wished one that meets a train, keeping away from other trips."""
    apart = [
        wished_s + 60 * sign * step
        for step in range(_MOST_MOVED_MIN + 1)
        for sign in ((1, -1) if step else (1,))
        if all(abs(wished_s + 60 * sign * step - other) >= _APART_S for other in taken)
    ]
    return next((start_s for start_s in apart if way.meets(trains, days, start_s)), apart[0] if apart else wished_s)


def _school_trips(way: _OneWay, places: Sequence[Commune], seed: int) -> list[CoachTrip]:
    """To lessons in the larger town before 8, or home from them after 17 (Wednesday, after 12)."""
    at_end = [i for i, place in enumerate(way.course.place_of_stop) if place == way.larger_end]
    by_id = {way.course.stops[i].stop_id.rpartition("-")[2]: way.after_s[i] for i in at_end}
    after_s = by_id.get(SCHOOL, by_id[TOWN_HALL])
    key = (way.line.code, places[way.larger_end].insee_code)
    if way.towards_larger:
        return [way.trip(Runs.SCHOOL, 1, 60 * (455 + whole_between(0, 15, seed, "school-in", *key)) - after_s)]
    return [
        way.trip(Runs.SCHOOL_DAY, 1, 60 * (1005 + whole_between(0, 30, seed, "school-out", *key)) - after_s),
        way.trip(Runs.SCHOOL_WEDNESDAY, 1, 60 * (730 + whole_between(0, 20, seed, "school-noon", *key)) - after_s),
    ]


def coach_trips(
    lines: Sequence[CoachLine],
    courses: Mapping[tuple[str, int], Course],
    places: Sequence[Commune],
    trains: Iterable[RailTrip],
    seed: int,
) -> tuple[CoachTrip, ...]:
    """Every coach, line by line and way by way. `courses` are by line code and direction."""
    train_times = TrainTimes(trains)
    trips: list[CoachTrip] = []
    for line in lines:
        ends = line.via[0], line.via[-1]
        larger_end = max(ends, key=lambda i: (places[i].population, places[i].insee_code))
        people = places[ends[0]].population, places[ends[1]].population
        for direction in (0, 1):
            course = courses[line.code, direction]
            towards_larger = course.place_of_stop[-1] == larger_end
            way = _OneWay(line, direction, course, running_times_s(course), larger_end, towards_larger)
            for days, runs in _RUNS_OF_DAYS.items():
                n = n_trips(*people, days)
                starts: list[int] = []
                for k in range(n):
                    minute = round(day_quantile_s((k + 0.5) / n, _FIRST_S, _LAST_S) / 60)
                    minute += whole_between(-5, 5, seed, "coach", line.code, direction, runs, k)
                    starts.append(_placed(way, train_times, days, 60 * minute, starts))
                trips += [way.trip(runs, k + 1, start_s) for k, start_s in enumerate(sorted(starts))]
            trips += _school_trips(way, places, seed)
    return tuple(trips)
