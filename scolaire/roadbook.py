"""Road-books: what the driver of a run must know, halt by halt, without a name of a child.

A leg leads to a halt, and the last one back to the depot; it is empty when nobody is aboard. Which streets it takes and
on which side a stop lies are told where somebody knows them: they are handed in, a plan does not hold them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Final

from scolaire.plans import Direction, Run, SchoolPlan
from scolaire.pupils import Level, VehicleType
from socle.geo import LatLon

ATTENDED: Final = frozenset({Level.NURSERY})
"""Whose coaches have an attendant beside the driver."""


class Hand(StrEnum):
    """Which way a coach turns, or on which side of it a stop lies."""

    LEFT = "left"
    RIGHT = "right"
    AHEAD = "ahead"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Turn:
    """After `metres` of the way before, turn into `street`; empty where a street has no name."""

    metres: int
    hand: Hand
    street: str


@dataclass(frozen=True, slots=True)
class Guidance:
    """A leg on the streets: its turns, and on which side of the coach its end lies, None when it cannot be told."""

    turns: tuple[Turn, ...]
    side: Hand | None


Guide = Callable[[LatLon, LatLon], Guidance | None]
"""The way from one place to another on the streets; None where none is known."""


@dataclass(frozen=True, slots=True)
class Leg:
    """The drive to a halt, or back to the depot."""

    seconds: int
    metres: int
    n_aboard: int
    guidance: Guidance | None


@dataclass(frozen=True, slots=True)
class Step:
    """A halt and the leg that leads to it. `up` and `down` are ids of pupils, in order of the plan."""

    leg: Leg
    name: str
    is_school: bool
    at: LatLon
    arrives_s: int
    leaves_s: int
    up: tuple[str, ...]
    down: tuple[str, ...]
    n_wheelchairs: int  # of those who get on or off
    n_aboard: int  # when the coach leaves


@dataclass(frozen=True, slots=True)
class RoadBook:
    """What a driver holds in hand for one run."""

    title: str  # of the plan
    run_id: str
    circuit_id: str
    direction: Direction
    days: int
    vehicle: VehicleType
    begins_s: int  # at the depot
    ends_s: int
    steps: tuple[Step, ...]
    home: Leg
    n_pupils: int
    n_fullest: int
    n_wheelchairs: int
    n_attended: int  # of ATTENDED: with one of them somebody travels beside the driver
    driven_m: int
    empty_m: int
    before: str | None  # the run that the coach drives before this one on a day of it
    after: str | None

    @property
    def needs_attendant(self) -> bool:
        """Whether somebody must travel beside the driver."""
        return self.n_attended > 0


def make_roadbook(plan: SchoolPlan, run: Run, guide: Guide | None = None) -> RoadBook:
    """The road-book of a run of a plan; straight legs where nobody guides."""
    vehicle = plan.vehicle_types[run.vehicle_type]
    aboard = [0, *accumulate(len(halt.up) - len(halt.down) for halt in run.halts)]
    places = [vehicle.depot, *(_place(plan, run, at)[1] for at in range(len(run.halts))), vehicle.depot]

    def leg(at: int, seconds: int, metres: int) -> Leg:
        found = guide(places[at], places[at + 1]) if guide is not None and metres else None
        return Leg(seconds, metres, aboard[at], found)

    steps = []
    for at, halt in enumerate(run.halts):
        name, place = _place(plan, run, at)
        steps.append(
            Step(
                leg(at, halt.drive_s, halt.drive_m),
                name,
                halt.school is not None,
                place,
                halt.arrives_s,
                halt.leaves_s,
                _ids(plan, halt.up),
                _ids(plan, halt.down),
                sum(plan.riders[rider].wheelchair for rider in (*halt.up, *halt.down)),
                aboard[at + 1],
            )
        )
    carried = {rider for halt in run.halts for rider in (*halt.up, *halt.down)}
    before, after = _neighbours(plan, run)
    return RoadBook(
        plan.title,
        run.run_id,
        run.circuit_id,
        plan.periods[run.period].direction,
        plan.periods[run.period].days,
        vehicle,
        run.begins_s,
        run.ends_s,
        tuple(steps),
        leg(len(run.halts), run.home_s, run.home_m),
        len(carried),
        max(aboard),
        sum(plan.riders[rider].wheelchair for rider in carried),
        sum(plan.riders[rider].level in ATTENDED for rider in carried),
        run.driven_m,
        run.driven_m - run.loaded_m,
        before,
        after,
    )


def _place(plan: SchoolPlan, run: Run, at: int) -> tuple[str, LatLon]:
    halt = run.halts[at]
    if halt.school is not None:
        return plan.schools[halt.school].name, plan.schools[halt.school].position
    stop = plan.stops[halt.stop or 0]
    return stop.name, stop.position


def _ids(plan: SchoolPlan, riders: Sequence[int]) -> tuple[str, ...]:
    return tuple(plan.riders[rider].pupil_id for rider in riders)


def _neighbours(plan: SchoolPlan, run: Run) -> tuple[str | None, str | None]:
    """The runs of the same coach on a day of this one, just before it and just after."""
    days = plan.periods[run.period].days
    alike = [one for one in plan.circuits[run.circuit_id] if plan.periods[one.period].days & days]
    alike.sort(key=lambda one: one.begins_s)
    at = next(n for n, one in enumerate(alike) if one.run_id == run.run_id)
    return (
        alike[at - 1].run_id if at else None,
        alike[at + 1].run_id if at + 1 < len(alike) else None,
    )
