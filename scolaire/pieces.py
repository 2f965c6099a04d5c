"""Pieces: part of a region as one process plans it, and the plans of all parts as one.

What is handed from one pass over the region to the next are circuits in ids: places in tuples are others in each piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from fleet.check import broken_promises
from fleet.requests import DropOff, PickUp, Plan, Route, Visit
from fleet.search import Budget, Incumbent, Outcome
from scolaire.checking import broken_promises as broken_of_plan
from scolaire.keeping import Keeper
from scolaire.outings import Outing, make_outing, waits_of
from scolaire.periods import Asked, Planned, plan_week, told_plan
from scolaire.periods import Sight as SightOfWeek
from scolaire.plans import NotServed, Period, Rider, Run, SchoolPlan
from scolaire.pupils import Sector
from scolaire.runs import plan_with_largest, sized
from scolaire.vehicles import make_circuits
from scolaire.ways import Ways, places_of, straight_matrix

Stopover = tuple[str, ...] | str
"""Ids of pupils who get on together, or the id of the school where everybody for it gets off."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """What one coach does, in ids."""

    type_id: str
    visits: tuple[Stopover, ...]

    @property
    def pupil_ids(self) -> Iterator[str]:
        """Who is carried."""
        return chain.from_iterable(visit for visit in self.visits if not isinstance(visit, str))


@dataclass(frozen=True, slots=True)
class Task:
    """A piece to plan in the first of some periods: `circuits` are what it begins with.

    The last pass over a period chooses the size of each coach. `is_rest`: the circuits are what is driven in the first
    period, and the others are to be planned with the same coaches.
    """

    sector: Sector
    periods: tuple[Period, ...]
    mixed: bool
    seed: int
    budget: Budget
    circuits: tuple[Circuit, ...] = ()
    is_last: bool = True
    keep_every_s: float | None = None  # how often its incumbent is told as a plan, by the budget's clock
    is_rest: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a piece came to; `plan` is None but for the last pass and for whoever looks on."""

    circuits: tuple[Circuit, ...]  # of the first period
    n_coaches: int
    n_not_served: int
    n_steps: int
    n_broken: int
    plan: SchoolPlan | None


@dataclass(frozen=True, slots=True)
class Sight:
    """What a piece tells while it is under way."""

    n_coaches: int
    n_unserved: int
    seconds: float
    plan: SchoolPlan | None


def plan_piece(task: Task, tell: Callable[[object], bool]) -> Found:
    """Plan a piece and tell its incumbents."""
    return _rest(task, tell) if task.is_rest else _leading(task, tell)


def _leading(task: Task, tell: Callable[[object], bool]) -> Found:
    """The first period."""
    matrix = straight_matrix(places_of(task.sector))
    waits, period = waits_of(task.sector), task.periods[0]
    outing = make_outing(task.sector, matrix, period, waits, mixed=task.mixed)
    start = _as_start(outing, task.circuits) if task.circuits else None
    sight, made = Sight(0, 0, 0.0, None), list[SchoolPlan]()

    def plan_of(outcome: Outcome) -> SchoolPlan:
        plan = told_plan(task.sector, _asked(task), "", (period,), waits, [Planned(outing, outcome)], "straight")
        return make_circuits(plan, Ways(places_of(task.sector), matrix))

    keeper = None
    if task.keep_every_s is not None:
        keeper = Keeper(task.keep_every_s, task.budget.now, lambda so_far: made.append(plan_of(so_far)))

    def told(incumbent: Incumbent) -> bool:
        nonlocal sight
        sight = Sight(incumbent.n_vehicles, incumbent.n_unserved, incumbent.seconds, None)
        if keeper is not None:
            keeper.note(incumbent)
        return tell(replace(sight, plan=made.pop() if made else None))

    def is_stopped() -> bool:
        if keeper is not None:
            keeper.look()
        return tell(replace(sight, plan=made.pop()) if made else None)

    outcome = plan_with_largest(outing.problem, task.budget, task.seed, told, is_stopped, start)
    if task.is_last:
        outcome = sized(outing.problem, outcome)
    return Found(
        _as_circuits(outing, outcome.plan),
        len(outcome.plan.routes),
        sum(len(outing.demands[request].pupils) for request in outcome.plan.unserved),
        outcome.n_steps,
        len(broken_promises(outing.problem, outcome.plan)),
        plan_of(outcome) if task.is_last else None,
    )


def _rest(task: Task, tell: Callable[[object], bool]) -> Found:
    """All periods, the first of them as it is; they have the vehicles of the piece and no more."""
    matrix = straight_matrix(places_of(task.sector))
    sight = Sight(len(task.circuits), 0, 0.0, None)

    def first(outing: Outing) -> Outcome:
        nonlocal sight
        start = _as_start(outing, task.circuits)
        outcome = plan_with_largest(outing.problem, Budget(steps=0), task.seed, start=start)
        n_unserved = sum(len(outing.demands[request].pupils) for request in outcome.plan.unserved)
        sight = replace(sight, n_unserved=n_unserved)
        return outcome

    def told(now: SightOfWeek) -> bool:
        share = (now.nth - 1) / (now.n_periods - 1)
        return tell(replace(sight, seconds=(task.budget.seconds or 0.0) * share + now.incumbent.seconds))

    plan = plan_week(
        task.sector,
        matrix,
        _asked(task),
        "",
        on_better=told,
        periods=task.periods,
        first=first,
        is_stopped=lambda: tell(None),
    )
    broken = broken_of_plan(plan, Ways(places_of(task.sector), matrix))
    return Found(task.circuits, len(plan.circuits), sight.n_unserved, plan.making.steps, len(broken), plan)


def _asked(task: Task) -> Asked:
    budget = task.budget
    return Asked(task.seed, task.mixed, budget.steps, budget.seconds, budget.clock, first_share=0.0)


def _as_circuits(outing: Outing, plan: Plan) -> tuple[Circuit, ...]:
    sector = outing.sector

    def named(visit: Visit) -> Stopover:
        if isinstance(visit, DropOff):
            return sector.schools[visit.destination].school_id
        return tuple(sector.pupils[pupil].pupil_id for pupil in outing.demands[visit.request].pupils)

    return tuple(
        Circuit(sector.vehicle_types[route.vehicle_type].type_id, tuple(named(visit) for visit in route.visits))
        for route in plan.routes
    )


def _as_start(outing: Outing, circuits: Sequence[Circuit]) -> Plan:
    """The circuits as routes; their times are found anew."""
    sector = outing.sector
    type_of = {each.type_id: index for index, each in enumerate(sector.vehicle_types)}
    school_of = {each.school_id: index for index, each in enumerate(sector.schools)}
    request_of = {
        tuple(sector.pupils[pupil].pupil_id for pupil in demand.pupils): request
        for request, demand in enumerate(outing.demands)
    }

    def visit_of(stopover: Stopover) -> Visit:
        return DropOff(school_of[stopover], 0) if isinstance(stopover, str) else PickUp(request_of[stopover], 0)

    routes = tuple(
        Route(type_of[each.type_id], tuple(visit_of(stopover) for stopover in each.visits)) for each in circuits
    )
    carried = {request for route in routes for request in route.requests}
    return Plan(routes, tuple(request for request in range(len(outing.demands)) if request not in carried))


def joined(plans: Sequence[SchoolPlan], sector: Sector, title: str) -> SchoolPlan:
    """The plans of all pieces as one over the whole sector; circuits are numbered anew, piece by piece.

    A piece may have been planned in the first periods only: who travels in the others is not planned yet.
    """
    periods = max((plan.periods for plan in plans), key=len)
    schools = {each.school_id: index for index, each in enumerate(sector.schools)}
    stops = {each.stop_id: index for index, each in enumerate(sector.stops)}
    types = {each.type_id: index for index, each in enumerate(sector.vehicle_types)}
    riders: list[Rider] = []
    runs: list[Run] = []
    left: list[NotServed] = []
    rider_of: dict[str, int] = {}
    n_circuits = 0
    for plan in plans:
        school = [schools[each.school_id] for each in plan.schools]
        stop = [stops[each.stop_id] for each in plan.stops]
        for each in plan.riders:
            if each.pupil_id not in rider_of:
                rider_of[each.pupil_id] = len(riders)
                waits = tuple(
                    replace(one, stop=None if one.stop is None else stop[one.stop]) for one in each.waits or ()
                )
                riders.append(replace(each, school=school[each.school], waits=waits))
        rider = [rider_of[each.pupil_id] for each in plan.riders]
        circuits = {circuit_id: f"C{n:04d}" for n, circuit_id in enumerate(plan.circuits, n_circuits + 1)}
        n_circuits += len(circuits)
        for run in plan.runs:
            halts = tuple(
                replace(
                    halt,
                    stop=None if halt.stop is None else stop[halt.stop],
                    school=None if halt.school is None else school[halt.school],
                    up=tuple(rider[each] for each in halt.up),
                    down=tuple(rider[each] for each in halt.down),
                )
                for halt in run.halts
            )
            circuit_id = circuits[run.circuit_id]
            suffix = run.run_id.removeprefix(run.circuit_id)
            kind = types[plan.vehicle_types[run.vehicle_type].type_id]
            runs.append(replace(run, run_id=circuit_id + suffix, circuit_id=circuit_id, vehicle_type=kind, halts=halts))
        left += plan.not_served
        left += [
            NotServed(rider.pupil_id, "not_planned_yet", index)
            for index in range(len(plan.periods), len(periods))
            for rider in plan.riders
            if rider.waits_in(periods[index])
        ]
    making = replace(
        plans[0].making,
        steps=sum(plan.making.steps for plan in plans),
        bound=None,  # those of pieces are none of the whole
        steps_of=(),
    )
    return SchoolPlan(
        title=title,
        schools=sector.schools,
        stops=sector.stops,
        vehicle_types=sector.vehicle_types,
        riders=tuple(riders),
        periods=periods,
        runs=tuple(runs),
        not_served=tuple(left),
        making=making,
    )
