"""Compare: two plans of one sector, by pupil, by school, and by what they take.

Each pupil is looked at in each direction on each day: the stop, the coach, and the minute at which it leaves the stop
or reaches it. A pupil is moved who waits elsewhere, goes more than `MOVED_S` earlier or later, or has another coach;
periods need not be the same in both plans.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from scolaire.plans import MOVED_S, Direction, Measures, SchoolPlan, measure, rides_of

COACH_G_PER_KM: Final = 930
"""Grams of CO2 equivalent of a coach and kilometre: 30 litres of diesel in 100 km, 3.1 kg each with the fuel's making.

Both are assumptions of ours, the same for every plan: they compare plans and report nothing.
"""


@dataclass(frozen=True, slots=True)
class Going:
    """How a pupil goes on one day in one direction; `seconds` aboard."""

    stop_id: str
    circuit_id: str
    stop_s: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Change:
    """A pupil on one day in one direction, whose going is another; None: not carried."""

    pupil_id: str
    school_id: str
    direction: Direction
    day: int  # Monday is 0
    before: Going | None
    after: Going | None

    @property
    def has_other_stop(self) -> bool:
        """Carried in both plans, from or to another stop."""
        return bool(self.before and self.after and self.before.stop_id != self.after.stop_id)

    @property
    def has_other_coach(self) -> bool:
        """Carried in both plans by another circuit."""
        return bool(self.before and self.after and self.before.circuit_id != self.after.circuit_id)

    @property
    def earlier_s(self) -> int:
        """By how much earlier the coach is at the stop; negative when later, 0 when not carried in both."""
        return self.before.stop_s - self.after.stop_s if self.before and self.after else 0

    @property
    def is_felt(self) -> bool:
        """Whether the family must get up or be at a stop otherwise."""
        return self.before is None or self.after is None or self.has_other_stop or abs(self.earlier_s) > MOVED_S


@dataclass(frozen=True, slots=True)
class Tallied:
    """How many pupils are touched on some day."""

    n_pupils: int  # carried in one of both plans
    n_other_stop: int
    n_earlier: int  # by more than five minutes
    n_later: int
    n_other_coach: int
    n_no_more: int
    n_newly: int
    n_felt: int  # another stop, five minutes, carried or not: who gets a letter


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two plans side by side."""

    changes: tuple[Change, ...]
    all: Tallied
    by_school: Mapping[str, Tallied]
    before: Measures
    after: Measures

    @property
    def week_co2_g(self) -> tuple[int, int]:
        """Grams of CO2 equivalent of a week, before and after."""
        before, after = (one.week_m * COACH_G_PER_KM // 1_000 for one in (self.before, self.after))
        return before, after


def compare(before: SchoolPlan, after: SchoolPlan) -> Comparison:
    """What changes from one plan to another of the same pupils; circuits that carry most of the same are the same."""
    old, new = dict(_goings(before)), dict(_goings(after))
    named = _same_circuits(old, new)
    school_of = {
        rider.pupil_id: plan.schools[rider.school].school_id for plan in (before, after) for rider in plan.riders
    }
    changes = []
    for key in sorted({**old, **new}):
        was, now = old.get(key), new.get(key)
        if now is not None and now.circuit_id in named:
            now = Going(now.stop_id, named[now.circuit_id], now.stop_s, now.seconds)
        if (
            was is None
            or now is None
            or (was.stop_id, was.circuit_id, was.stop_s)
            != (
                now.stop_id,
                now.circuit_id,
                now.stop_s,
            )
        ):
            pupil_id, direction, day = key
            changes.append(Change(pupil_id, school_of[pupil_id], direction, day, was, now))
    carried = {key[0] for key in {**old, **new}}
    schools = sorted({school_of[pupil] for pupil in carried})
    return Comparison(
        tuple(changes),
        _tallied(changes, len(carried)),
        {
            school: _tallied(
                [one for one in changes if one.school_id == school],
                sum(school_of[pupil] == school for pupil in carried),
            )
            for school in schools
        },
        measure(before),
        measure(after),
    )


def _goings(plan: SchoolPlan) -> Iterator[tuple[tuple[str, Direction, int], Going]]:
    for run in plan.runs:
        period = plan.periods[run.period]
        days = [day for day in range(7) if period.days >> day & 1]
        for ride in rides_of(run):
            if ride.stop is None:
                continue
            up, down = run.halts[ride.up], run.halts[ride.down]
            at_stop = up.leaves_s if period.direction.is_to_school else down.arrives_s
            going = Going(plan.stops[ride.stop].stop_id, run.circuit_id, at_stop, ride.seconds)
            for day in days:
                yield (plan.riders[ride.rider].pupil_id, period.direction, day), going


def _same_circuits(
    old: Mapping[tuple[str, Direction, int], Going], new: Mapping[tuple[str, Direction, int], Going]
) -> dict[str, str]:
    """Circuits of the new plan by the names of the old one: those with most rides in common first, each once."""
    common: dict[tuple[str, str], int] = {}
    for key, going in new.items():
        if key in old:
            pair = going.circuit_id, old[key].circuit_id
            common[pair] = common.get(pair, 0) + 1
    named: dict[str, str] = {}
    taken: set[str] = set()
    for (mine, other), _ in sorted(common.items(), key=lambda one: (-one[1], one[0])):
        if mine not in named and other not in taken:
            named[mine] = other
            taken.add(other)
    known = {going.circuit_id for going in old.values()}
    return {
        mine: named.get(mine, mine if mine not in known else f"{mine}+")
        for mine in {going.circuit_id for going in new.values()}
    }


def _tallied(changes: list[Change], n_pupils: int) -> Tallied:
    def count(kept: Iterator[str]) -> int:
        return len(set(kept))

    return Tallied(
        n_pupils=n_pupils,
        n_other_stop=count(one.pupil_id for one in changes if one.has_other_stop),
        n_earlier=count(one.pupil_id for one in changes if one.earlier_s > MOVED_S),
        n_later=count(one.pupil_id for one in changes if one.earlier_s < -MOVED_S),
        n_other_coach=count(one.pupil_id for one in changes if one.has_other_coach),
        n_no_more=count(one.pupil_id for one in changes if one.after is None),
        n_newly=count(one.pupil_id for one in changes if one.before is None),
        n_felt=count(one.pupil_id for one in changes if one.is_felt),
    )
