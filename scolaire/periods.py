"""Periods: the week of a sector, planned period by period with the same vehicles.

The morning of most pupils is planned first and longest. Every other period begins with its runs as far as they can be
driven there (after lessons the other way round), so that a child keeps its coach, and gives up no vehicle that
the first one needs anyway. The number of vehicles is that of the period that needs most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from fleet.bounds import fewest_vehicles
from fleet.requests import Plan, Problem
from fleet.search import Budget, Incumbent, Outcome, search
from scolaire.keeping import Keeper
from scolaire.outings import (
    Outing,
    left_out_of,
    make_outing,
    not_served,
    periods_of,
    riders_of,
    runs_of,
    settings_of,
    start_from,
    waits_of,
)
from scolaire.plans import Making, Period, Run, SchoolPlan, Waiting
from scolaire.pupils import Sector
from scolaire.steady import search_steadily, times_told, windows_of
from scolaire.vehicles import make_circuits
from scolaire.ways import Ways, places_of
from socle.matrix import TravelMatrix

FIRST_SHARE: Final = 0.5  # of the budget, for the first period; the others have as much as one another
KEEP_EVERY_S: Final = 5.0
_ONE_PRICE: Final = 10**9  # dearer than any detour


@dataclass(frozen=True, slots=True)
class Asked:
    """What a plan of a week is made by."""

    seed: int = 1
    mixed: bool = True
    steps: int | None = None
    seconds: float | None = None
    clock: Callable[[], float] | None = None
    steps_of: tuple[int, ...] = ()  # of each period, as `Making` tells them, to make a plan again
    weekdays: tuple[int, ...] = tuple(range(7))
    shares: Mapping[str, float] | None = None  # least shares of the circuits, by lot
    steady: bool = False  # few pupils moved from the plan to begin with come before cheap driving
    first_share: float = FIRST_SHARE

    def part(self, nth: int, n_periods: int) -> Budget:
        """What the nth period may take."""
        if self.steps_of:
            return Budget(steps=self.steps_of[nth])
        share = self.first_share if nth == 0 else (1 - self.first_share) / max(1, n_periods - 1)
        share = 1.0 if n_periods == 1 else share
        steps = None if self.steps is None else max(1, round(self.steps * share))
        return Budget(steps, None if self.seconds is None else self.seconds * share, self.clock)


@dataclass(frozen=True, slots=True)
class Sight:
    """What is told while a week is planned: the period under way, and its best plan so far."""

    period: Period
    nth: int
    n_periods: int
    incumbent: Incumbent


@dataclass(frozen=True, slots=True)
class Planned:
    """An outing and what was found for it."""

    outing: Outing
    outcome: Outcome
    told: Mapping[int, int] = field(
        default_factory=dict
    )  # request -> when its families were told that the coach is at their stop


def plan_week(
    sector: Sector,
    matrix: TravelMatrix,
    asked: Asked,
    title: str,
    *,
    ways_named: str = "straight",
    reference: SchoolPlan | None = None,
    on_better: Callable[[Sight], bool] | None = None,
    on_plan: Callable[[SchoolPlan], None] | None = None,
    periods: Sequence[Period] | None = None,
    first: Callable[[Outing], Outcome] | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> SchoolPlan:
    """The plan of all periods of a sector; `reference` is a plan to begin with instead of none.

    `on_better` stops the whole planning by answering True, and so does `is_stopped`, which is asked all the time;
    `on_plan` is given the plan so far, every few seconds of a clock and whenever one more period is done. `periods`
    are those of the sector unless it is a part of a larger one; `first` has planned the first of them already.

    Raises:
        BadInput: `sector_without_vehicles`.
    """
    waits = waits_of(sector)
    periods = periods_of(waits, asked.weekdays) if periods is None else periods
    done: list[Planned] = []
    is_over = False
    ways = Ways(places_of(sector), matrix)
    plan = told_plan(sector, asked, title, periods, waits, done, ways_named)
    for nth, period in enumerate(periods):
        outing = make_outing(sector, matrix, period, waits, mixed=asked.mixed)
        budget = asked.part(nth, len(periods))
        alike = _alike(reference, period) if reference is not None and asked.steady else None
        told = {} if alike is None else times_told(outing, alike)

        keeper: Keeper | None = None
        if on_plan is not None:

            def keep(
                so_far: Outcome,
                outing: Outing = outing,
                told: Mapping[int, int] = told,
                hand_on: Callable[[SchoolPlan], None] = on_plan,
            ) -> None:
                known = [*done, Planned(outing, so_far, told)]
                so_far_told = told_plan(sector, asked, title, periods, waits, known, ways_named)
                hand_on(make_circuits(so_far_told, ways, asked.shares))

            keeper = Keeper(KEEP_EVERY_S, budget.now, keep)

        def tell(incumbent: Incumbent, period: Period = period, nth: int = nth, keeper: Keeper | None = keeper) -> bool:
            nonlocal is_over
            if keeper is not None:
                keeper.note(incumbent)
            if on_better is not None and on_better(Sight(period, nth, len(periods), incumbent)):
                is_over = True
            return is_over

        def ask() -> bool:
            nonlocal is_over
            is_over = is_over or is_stopped()
            return is_over

        fewest = max((len(one.outcome.plan.routes) for one in done), default=0)
        before = reference if nth == 0 and reference is not None else plan if done else None
        budget = Budget(steps=1) if is_over else budget
        if nth == 0 and first is not None:
            outcome = first(outing)
        else:
            outcome = plan_outing(
                outing, budget, asked.seed, alike or before, tell, fewest, keeper, steady=bool(alike), is_stopped=ask
            )
        done.append(Planned(outing, outcome, told))
        plan = told_plan(sector, asked, title, periods, waits, done, ways_named)
        if on_plan is not None and nth < len(periods) - 1:
            on_plan(make_circuits(plan, ways, asked.shares))
    return make_circuits(plan, ways, asked.shares)


def plan_outing(
    outing: Outing,
    budget: Budget,
    seed: int,
    before: SchoolPlan | None = None,
    on_better: Callable[[Incumbent], bool] | None = None,
    fewest: int = 0,
    keeper: Keeper | None = None,
    *,
    steady: bool = False,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Outcome:
    """A plan with few coaches, by the largest types of vehicle at one price; `make_circuits` chooses their sizes.

    With small ones at hand a search would fill the morning with them, and a coach is worth more than its size. Only
    when the largest do not suffice for everybody, the others drive too. A `steady` plan moves few from `before`.
    """
    types = outing.problem.vehicle_types
    largest = [
        index
        for index, each in enumerate(types)
        if each.count
        and not any(
            other.count
            and other.places != each.places
            and all(a >= b for a, b in zip(other.places, each.places, strict=True))
            for other in types
        )
    ]
    largest.sort(key=lambda index: (-sum(types[index].places), index))
    outcome = _searched(outing, largest or [0], budget, seed, before, on_better, fewest, keeper, steady, is_stopped)
    possible = set(outcome.plan.unserved) - set(outcome.impossible)
    if possible and len(largest) < len(types):
        rest = [index for index in range(len(types)) if index not in largest]
        outcome = _searched(outing, largest + rest, budget, seed, before, on_better, fewest, keeper, steady, is_stopped)
    return outcome


def _searched(
    outing: Outing,
    kinds: Sequence[int],
    budget: Budget,
    seed: int,
    before: SchoolPlan | None,
    on_better: Callable[[Incumbent], bool] | None,
    fewest: int,
    keeper: Keeper | None,
    steady: bool,
    is_stopped: Callable[[], bool],
) -> Outcome:
    problem = outing.problem
    types = tuple(
        replace(problem.vehicle_types[index], fixed_cost=_ONE_PRICE, rate=problem.vehicle_types[kinds[0]].rate)
        for index in kinds
    )
    large = replace(problem, vehicle_types=types)
    start = None if before is None else _start(outing, before, kinds, large)

    def named(plan: Plan) -> Plan:
        routes = (replace(route, vehicle_type=kinds[route.vehicle_type]) for route in plan.routes)
        return replace(plan, routes=tuple(routes))

    def told(incumbent: Incumbent) -> bool:
        return on_better is not None and on_better(replace(incumbent, plan=lambda: named(incumbent.plan())))

    def look() -> bool:
        if keeper is not None:
            keeper.look()
        return is_stopped()

    settings = settings_of(problem)
    if steady and start is not None:
        windows = windows_of(outing, times_told(outing, before)) if before is not None else {}
        outcome = search_steadily(
            large,
            budget,
            seed,
            start,
            windows,
            fewest=fewest,
            on_better=told,
            is_stopped=look,
            settings=settings,
        )
    else:
        outcome = search(
            large,
            budget,
            seed,
            start=start,
            on_better=told,
            is_stopped=look,
            fewest=fewest,
            settings=settings,
        )
    return replace(outcome, plan=named(outcome.plan))


def _start(outing: Outing, before: SchoolPlan, kinds: Sequence[int], large: Problem) -> Plan | None:
    """The first runs of the plan before, which most others were made from, in the words of this outing."""
    if not before.runs:
        return None
    period = min(run.period for run in before.runs)
    places = [problem_type.places for problem_type in large.vehicle_types]

    def kind_of(kind: int) -> int:
        """The type itself, else one of its depot that has as many places of each sort, else any of its depot."""
        told = before.vehicle_types[kind]
        here = [at for at, index in enumerate(kinds) if outing.sector.vehicle_types[index].depot == told.depot]
        alike = [at for at in here if outing.sector.vehicle_types[kinds[at]].type_id == told.type_id]
        enough = [at for at in here if places[at] >= (told.seats, 0) and places[at][1] >= told.wheelchair_places]
        return next(iter((*alike, *enough, *here)), 0)

    runs = before.runs_of(period)
    if before.stops != outing.sector.stops or before.schools != outing.sector.schools:
        renumbered = (_renumbered(before, outing.sector, run) for run in runs)
        runs = tuple(run for run in renumbered if run is not None)
    schools = {school.school_id: index for index, school in enumerate(outing.sector.schools)}
    school_of = [schools.get(before.schools[rider.school].school_id, -1) for rider in before.riders]
    direction = before.periods[period].direction
    return start_from(outing, runs, direction, school_of, kind_of, large)


def _alike(reference: SchoolPlan, period: Period) -> SchoolPlan | None:
    """The reference with the runs of the period that has most days and the direction of this one; None without any."""
    common = [
        ((each.days & period.days).bit_count(), -nth)
        for nth, each in enumerate(reference.periods)
        if each.direction is period.direction
    ]
    if not common:
        return None
    runs = reference.runs_of(-max(common)[1])
    return replace(reference, runs=runs) if runs else None


def _renumbered(before: SchoolPlan, sector: Sector, run: Run) -> Run | None:
    """The run of another plan in the places of this sector; stops and schools that are gone are passed by."""
    stops = {stop.stop_id: index for index, stop in enumerate(sector.stops)}
    schools = {school.school_id: index for index, school in enumerate(sector.schools)}
    halts = []
    for halt in run.halts:
        if halt.stop is not None:
            stop = stops.get(before.stops[halt.stop].stop_id)
            halts += [] if stop is None else [replace(halt, stop=stop)]
        elif halt.school is not None:
            school = schools.get(before.schools[halt.school].school_id)
            halts += [] if school is None else [replace(halt, school=school)]
    return replace(run, halts=tuple(halts)) if halts else None


def told_plan(
    sector: Sector,
    asked: Asked,
    title: str,
    periods: Sequence[Period],
    waits: Mapping[int, tuple[Waiting, ...]],
    done: Sequence[Planned],
    ways_named: str,
) -> SchoolPlan:
    """The plan of the periods that are done, its runs without times and circuits."""
    pupils, riders = riders_of(sector, waits)
    rider_of = {pupil: rider for rider, pupil in enumerate(pupils)}
    runs = [
        run for nth, one in enumerate(done) for run in runs_of(one.outing, one.outcome.plan, nth, rider_of, one.told)
    ]
    left = [each for nth, one in enumerate(done) for each in not_served(one.outing, one.outcome, nth)]
    bound = max((fewest_vehicles(one.outing.problem) for one in done), default=None)
    steps = tuple(one.outcome.n_steps for one in done)
    told = tuple(periods[: len(done)])
    return SchoolPlan(
        title,
        sector.schools,
        sector.stops,
        sector.vehicle_types,
        riders,
        told,
        tuple(runs),
        (*left, *left_out_of(sector, told, riders)),
        Making(asked.seed, sum(steps), asked.mixed, bound, ways_named, steps),
    )
