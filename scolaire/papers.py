"""Papers: a plan as each of its readers meets it: a stop, a school, a family.

All three are the same rides, sorted otherwise. A time at a stop is when the coach begins its halt there, which is
when a child must be there; a time at a school is when the coach arrives, or in the evening when it begins to board.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scolaire.plans import Direction, NotServed, Period, Rider, SchoolPlan, rides_of
from scolaire.pupils import School, Stop


@dataclass(frozen=True, slots=True)
class Passage:
    """One pupil under way between a stop and a school; places are those of the plan."""

    rider: int
    stop: int
    school: int
    period: int
    circuit_id: str
    run_id: str
    stop_s: int
    school_s: int


def passages_of(plan: SchoolPlan) -> tuple[Passage, ...]:
    """Every ride between a stop and a school, in the order of periods, hours and pupils; transfers are none."""
    found = []
    for run in plan.runs:
        for ride in rides_of(run):
            up, down = run.halts[ride.up], run.halts[ride.down]
            stop, school = (up, down) if up.stop is not None else (down, up)
            if stop.stop is None or school.school is None:
                continue
            found.append(
                Passage(
                    ride.rider,
                    stop.stop,
                    school.school,
                    run.period,
                    run.circuit_id,
                    run.run_id,
                    stop.arrives_s,
                    school.arrives_s,
                )
            )
    return tuple(sorted(found, key=lambda one: (one.period, one.stop_s, one.run_id, one.rider)))


def days_waited(rider: Rider, period: Period, stop: int) -> int | None:
    """The days of a period on which a pupil waits at a stop, as bits; None when nobody wrote them down.

    Where two homes share a period these are the days of one of them.
    """
    if rider.waits is None:
        return None
    days = 0
    for waiting in rider.waits_in(period):
        if waiting.stop == stop:
            days |= waiting.days
    return days & period.days


@dataclass(frozen=True, slots=True)
class Call:
    """A coach at a stop: whom it takes there or brings back from there, by schools."""

    period: Period
    circuit_id: str
    run_id: str
    time_s: int
    schools: tuple[str, ...]  # names


@dataclass(frozen=True, slots=True)
class Poster:
    """What hangs at a stop."""

    stop: Stop
    calls: tuple[Call, ...]


def posters_of(plan: SchoolPlan) -> tuple[Poster, ...]:
    """A poster for every stop that the plan uses, in the order of the plan."""
    calls: dict[int, dict[tuple[int, int, str], list[Passage]]] = defaultdict(lambda: defaultdict(list))
    for one in passages_of(plan):
        calls[one.stop][_order(plan, one.period), one.stop_s, one.run_id].append(one)
    return tuple(
        Poster(plan.stops[stop], tuple(_call(plan, group) for _key, group in sorted(calls[stop].items())))
        for stop in sorted(calls)
    )


def _order(plan: SchoolPlan, period: int) -> int:
    """Mornings first, then by the plan."""
    return period + (0 if plan.periods[period].direction is Direction.TO_SCHOOL else len(plan.periods))


def _call(plan: SchoolPlan, group: Sequence[Passage]) -> Call:
    first = group[0]
    names = tuple(plan.schools[school].name for school in sorted({one.school for one in group}))
    return Call(plan.periods[first.period], first.circuit_id, first.run_id, first.stop_s, names)


@dataclass(frozen=True, slots=True)
class CoachAtSchool:
    """A coach at a school in a period: its pupils by stop, in the order in which it comes to the stops."""

    period: Period
    circuit_id: str
    run_id: str
    school_s: int
    stops: tuple[tuple[Stop, int, tuple[str, ...]], ...]  # stop, time there, ids of the pupils

    @property
    def n_pupils(self) -> int:
        """How many of the school's pupils the coach carries."""
        return sum(len(ids) for _stop, _time, ids in self.stops)


@dataclass(frozen=True, slots=True)
class SchoolList:
    """Who comes to a school with which coach."""

    school: School
    coaches: tuple[CoachAtSchool, ...]
    not_served: tuple[NotServed, ...]
    n_pupils: int  # who are carried at least once


def school_lists(plan: SchoolPlan) -> tuple[SchoolList, ...]:
    """A list for every school that somebody travels to or is left out of, in the order of the plan."""
    by_school: dict[int, list[Passage]] = defaultdict(list)
    for one in passages_of(plan):
        by_school[one.school].append(one)
    school_of = {rider.pupil_id: rider.school for rider in plan.riders}
    left: dict[int, list[NotServed]] = defaultdict(list)
    for each in plan.not_served:
        if each.pupil_id in school_of:
            left[school_of[each.pupil_id]].append(each)
    return tuple(
        SchoolList(
            plan.schools[school],
            _coaches(plan, by_school.get(school, [])),
            tuple(left.get(school, ())),
            len({one.rider for one in by_school.get(school, [])}),
        )
        for school in sorted(by_school.keys() | left.keys())
    )


def _coaches(plan: SchoolPlan, passages: Iterable[Passage]) -> tuple[CoachAtSchool, ...]:
    by_run: dict[tuple[int, int, str], list[Passage]] = defaultdict(list)
    for one in passages:
        by_run[_order(plan, one.period), one.school_s, one.run_id].append(one)
    found = []
    for (_at, school_s, run_id), group in sorted(by_run.items()):
        stops: dict[tuple[int, int], list[str]] = defaultdict(list)
        for one in group:
            stops[one.stop_s, one.stop].append(plan.riders[one.rider].pupil_id)
        told = tuple((plan.stops[stop], time_s, tuple(ids)) for (time_s, stop), ids in sorted(stops.items()))
        found.append(CoachAtSchool(plan.periods[group[0].period], group[0].circuit_id, run_id, school_s, told))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a family must know: each ride of one pupil, and on which of them no coach comes."""

    pupil_id: str
    school: School
    rides: tuple[tuple[Period, Passage, Stop], ...]
    not_served: tuple[tuple[Period | None, str], ...]  # None: none of the periods

    @property
    def n_stops(self) -> int:
        """At how many stops the pupil is to be; two with two homes."""
        return len({passage.stop for _period, passage, _stop in self.rides})


def notices_of(plan: SchoolPlan) -> tuple[Notice, ...]:
    """A notice for every pupil of the plan, in its order."""
    rides: dict[int, list[Passage]] = defaultdict(list)
    for one in sorted(passages_of(plan), key=lambda one: (_order(plan, one.period), one.stop_s)):
        rides[one.rider].append(one)
    left: dict[str, list[NotServed]] = defaultdict(list)
    for each in plan.not_served:
        left[each.pupil_id].append(each)
    return tuple(
        Notice(
            rider.pupil_id,
            plan.schools[rider.school],
            tuple((plan.periods[one.period], one, plan.stops[one.stop]) for one in rides[at]),
            tuple((None if one.period is None else plan.periods[one.period], one.why) for one in left[rider.pupil_id]),
        )
        for at, rider in enumerate(plan.riders)
    )


def pupils_at_stops(plan: SchoolPlan) -> Counter[int]:
    """Stop -> how many different pupils wait or are set down there in any period."""
    return Counter(stop for stop, _rider in {(one.stop, one.rider) for one in passages_of(plan)})
