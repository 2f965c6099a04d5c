"""Lines: a plan as timetables, places and passings without a pupil, as maps and journey planners read it.

What is open to all hides every place that fewer than five pupils use in a period: that a coach stops somewhere on
Wednesdays for one child would tell where the child lives. A run keeps its other halts, and is left out when they
take nobody from anywhere to anywhere. Noon shuttles take pupils of one class from lessons to lessons: they are in no
open line.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from scolaire.plans import Halt, Period, Run, SchoolPlan
from socle.geo import LatLon

LEAST_OPEN: Final = 5


@dataclass(frozen=True, slots=True)
class Place:
    """A stop or a school."""

    place_id: str  # unique in one export: stops and schools of one id are told apart
    name: str
    at: LatLon
    is_school: bool


@dataclass(frozen=True, slots=True)
class Passing:
    """A coach at a place; counts of pupils are 0 in what is open to all."""

    place: int
    arrives_s: int
    leaves_s: int
    takes_up: bool
    sets_down: bool
    n_up: int = 0
    n_down: int = 0


@dataclass(frozen=True, slots=True)
class LineRun:
    """One run of a line; a line is a circuit."""

    run_id: str
    circuit_id: str
    period: Period
    takes_wheelchairs: bool
    passings: tuple[Passing, ...]


@dataclass(frozen=True, slots=True)
class SchoolLines:
    """The lines of a plan, and how much of it is not told."""

    title: str
    places: tuple[Place, ...]
    runs: tuple[LineRun, ...]
    n_hidden_halts: int = 0
    n_hidden_runs: int = 0


def open_lines(plan: SchoolPlan) -> SchoolLines:
    """What may be told to everybody."""
    return _lines(plan, LEAST_OPEN)


def whole_lines(plan: SchoolPlan) -> SchoolLines:
    """Everything, with counts: for the office and its carriers."""
    return _lines(plan, 0)


def _lines(plan: SchoolPlan, least: int) -> SchoolLines:
    users = _users(plan)
    kept: list[tuple[Run, list[Halt]]] = []
    n_halts = 0
    for run in plan.runs:
        if least and plan.periods[run.period].direction.is_noon:
            continue  # who is driven to eat from which class to which table is nobody's journey
        halts = [halt for halt in run.halts if len(users[run.period, _key(halt)]) >= least]
        if _carries(halts):
            kept.append((run, halts))
            n_halts += len(halts)
    used = sorted({_key(halt) for _run, halts in kept for halt in halts})
    at = {key: number for number, key in enumerate(used)}
    return SchoolLines(
        plan.title,
        _places(plan, used),
        tuple(
            LineRun(
                run.run_id,
                run.circuit_id,
                plan.periods[run.period],
                plan.vehicle_types[run.vehicle_type].wheelchair_places > 0,
                tuple(_passing(halt, at[_key(halt)], counted=not least) for halt in halts),
            )
            for run, halts in kept
        ),
        sum(len(run.halts) for run in plan.runs) - n_halts,
        len(plan.runs) - len(kept),
    )


_Key = tuple[bool, int]  # whether it is a school, and its place in the plan


def _key(halt: Halt) -> _Key:
    return (False, halt.stop) if halt.stop is not None else (True, halt.school or 0)


def _users(plan: SchoolPlan) -> dict[tuple[int, _Key], set[int]]:
    """Period and place -> the different pupils who get on or off there."""
    found: dict[tuple[int, _Key], set[int]] = defaultdict(set)
    for run in plan.runs:
        for halt in run.halts:
            found[run.period, _key(halt)].update(halt.up, halt.down)
    return found


def count_users(plan: SchoolPlan) -> dict[str, dict[str, int]]:
    """Circuit -> id of a stop -> the different pupils whom it takes up or sets down there on some day of the week.

    Who uses two stops of a circuit counts at both; noon shuttles count nobody, since no open line tells of them.
    """
    users: defaultdict[str, defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for run in plan.runs:
        for halt in () if plan.periods[run.period].direction.is_noon else run.halts:
            if halt.stop is not None:
                users[run.circuit_id][plan.stops[halt.stop].stop_id].update(halt.up, halt.down)
    return {
        circuit: {stop: len(pupils) for stop, pupils in sorted(stops.items()) if pupils}
        for circuit, stops in sorted(users.items())
    }


def _carries(halts: list[Halt]) -> bool:
    """Whether somebody may get on and, elsewhere and later, somebody off."""
    first = next((at for at, halt in enumerate(halts) if halt.up), None)
    if first is None:
        return False
    return any(halt.down and _key(halt) != _key(halts[first]) for halt in halts[first + 1 :])


def _places(plan: SchoolPlan, used: list[_Key]) -> tuple[Place, ...]:
    """The places, stops first; a school whose id a stop has too is told apart."""
    found: dict[str, Place] = {}
    for is_school, number in used:
        one = plan.schools[number] if is_school else plan.stops[number]
        place_id = plan.schools[number].school_id if is_school else plan.stops[number].stop_id
        while place_id in found:
            place_id = f"e-{place_id}"
        found[place_id] = Place(place_id, one.name, one.position, is_school)
    return tuple(found.values())


def _passing(halt: Halt, place: int, *, counted: bool) -> Passing:
    return Passing(
        place,
        halt.arrives_s,
        halt.leaves_s,
        bool(halt.up),
        bool(halt.down),
        len(halt.up) if counted else 0,
        len(halt.down) if counted else 0,
    )
