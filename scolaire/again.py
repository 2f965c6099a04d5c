"""Again: a plan made better from where it stands, as people have changed it by hand.

Riders, stops, bells, forbidden roads and kinds of vehicles are those of the plan, not of the files it once came from.
Locked circuits stay as they are: their riders are not planned, their vehicles not to be had. Every other run is what
the search begins with as far as it keeps every rule, and a period whose search did not get further keeps its runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from fleet.bounds import fewest_vehicles
from fleet.search import Budget, Incumbent, Outcome
from scolaire.keeping import Keeper
from scolaire.outings import left_out_of, make_outing, not_served, periods_of, riders_of, runs_of, waits_of
from scolaire.periods import Asked, plan_outing
from scolaire.plans import Making, NotServed, Period, Run, SchoolPlan, Spot, Waiting, measure, rides_of
from scolaire.pupils import Home, Pupil, Regime, Sector
from scolaire.steady import times_told
from scolaire.vehicles import make_circuits
from scolaire.ways import Ways, places_of
from socle.matrix import NEVER, TravelMatrix

KEEP_EVERY_S: Final = 5.0
ALL_DAYS: Final = (1 << 7) - 1


@dataclass(frozen=True, slots=True)
class Sight:
    """The best so far of the period under way, the locked circuits of its days counted."""

    period: Period
    nth: int
    n_periods: int
    n_vehicles: int
    n_unserved: int  # requests
    seconds: float


def first_plan(sector: Sector, title: str, *, mixed: bool = True, ways: str = "straight") -> SchoolPlan:
    """The plan of a sector before anybody planned anything: nobody is carried, and each is named."""
    waits = waits_of(sector)
    periods = periods_of(waits)
    _pupils, riders = riders_of(sector, waits)
    left = tuple(
        NotServed(rider.pupil_id, "no_vehicle", index)
        for index, period in enumerate(periods)
        for rider in riders
        if rider.waits_in(period)
    )
    return SchoolPlan(
        title,
        sector.schools,
        sector.stops,
        sector.vehicle_types,
        riders,
        periods,
        (),
        (*left, *left_out_of(sector, periods, riders)),
        Making(0, 0, mixed, ways=ways),
    )


def improve(
    plan: SchoolPlan,
    matrix: TravelMatrix,
    asked: Asked,
    *,
    led_by: int | None = None,
    on_better: Callable[[Sight], bool] | None = None,
    on_plan: Callable[[SchoolPlan], None] | None = None,
) -> SchoolPlan:
    """A better plan of the same riders, found within the budget; the matrix is between `places_of(plan)`.

    `led_by`: a period whose runs are others than those that the plan was made with (other bells, chained anew); it is
    searched first, the others of its direction begin with what was found for it, and all that is found is taken.
    `on_better` stops everything by answering True; `on_plan` is given whole plans on the way, every few seconds.

    Raises:
        BadInput: `sector_without_vehicles`.
    """
    work = _Work(plan, _without_roads(plan, matrix), asked, on_better, on_plan, led_by)
    order = range(len(plan.periods))
    for share, nth in enumerate(sorted(order, key=lambda one: (one != led_by, one))):
        work.search(nth, share)
    return work.told()


def fewest_coaches(plan: SchoolPlan, matrix: TravelMatrix) -> int | None:
    """No plan of the same riders that keeps the locked circuits has fewer vehicles."""
    return _Work(plan, _without_roads(plan, matrix), Asked(), None, None, None).bound()


def is_better(plan: SchoolPlan, other: SchoolPlan) -> bool:
    """Whether fewer pupils are left, or as many by fewer vehicles, or as many by as many for less money."""
    one, two = measure(plan), measure(other)
    return (one.n_not_served, one.n_vehicles, one.day_cents) < (two.n_not_served, two.n_vehicles, two.day_cents)


class _Work:
    """What is done of a plan: for each period the outcome, or None where its runs are still those of before."""

    def __init__(
        self,
        plan: SchoolPlan,
        matrix: TravelMatrix,
        asked: Asked,
        on_better: Callable[[Sight], bool] | None,
        on_plan: Callable[[SchoolPlan], None] | None,
        led_by: int | None,
    ) -> None:
        self._led_by = led_by
        self._plan, self._matrix, self._asked = plan, matrix, asked
        self._on_better, self._on_plan = on_better, on_plan
        self._locked = tuple(run for run in plan.runs if run.is_locked)
        self._free = tuple(run for run in plan.runs if not run.is_locked)
        self._sector = _sector_of(plan, self._locked)
        waits = _waits_of(plan)
        self._outings = [
            make_outing(
                self._sector,
                matrix,
                period,
                _without(waits, {ride.rider for run in self._locked if run.period == nth for ride in rides_of(run)}),
                mixed=plan.making.mixed,
            )
            for nth, period in enumerate(plan.periods)
        ]
        self._found: list[Outcome | None] = [None] * len(plan.periods)
        self._is_stopped = False
        self._spent_s = 0.0

    def search(self, nth: int, share: int) -> None:
        """Look for a better plan of one period, with the `share`-th part of the budget."""
        if self._is_stopped and self._led_by is None:
            return
        outing = self._outings[nth]
        begun = self._begun(nth)
        budget = Budget(steps=1) if self._is_stopped else self._asked.part(share, len(self._plan.periods))
        fewest = max((len(one.plan.routes) for one in self._found if one is not None), default=0)
        n_locked = len({run.circuit_id for run in self._locked if run.period == nth})

        keeper: Keeper | None = None
        if self._on_plan is not None:
            hand_on = self._on_plan
            keeper = Keeper(KEEP_EVERY_S, budget.now, lambda so_far: hand_on(self.told({nth: so_far})))

        def tell(incumbent: Incumbent) -> bool:
            if keeper is not None:
                keeper.note(incumbent)
            if self._on_better is not None:
                seconds = self._spent_s + incumbent.seconds
                n_vehicles = incumbent.n_vehicles + n_locked
                sight = Sight(outing.period, nth, len(self._found), n_vehicles, incumbent.n_unserved, seconds)
                self._is_stopped |= self._on_better(sight)
            return self._is_stopped

        outcome = plan_outing(
            outing,
            budget,
            self._asked.seed,
            begun if begun.runs else None,
            tell,
            fewest,
            keeper,
            steady=self._asked.steady,
        )
        self._spent_s += outcome.seconds
        left = {one.pupil_id for one in self._plan.not_served if one.period == nth}
        n_left = len(left & {rider.pupil_id for rider in self._plan.riders})
        found = len(not_served(outing, outcome, nth)), len(outcome.plan.routes)
        if self._led_by is not None or found <= (n_left, len(begun.runs)):
            self._found[nth] = outcome

    def _begun(self, nth: int) -> SchoolPlan:
        """The plan whose runs the search of a period begins with."""
        led_by = self._led_by
        leader = None if led_by in (None, nth) else self._found[led_by or 0]
        directions = [period.direction for period in self._plan.periods]
        if led_by is None or leader is None or directions[nth] is not directions[led_by]:
            return replace(self._plan, runs=tuple(run for run in self._free if run.period == nth))
        rider_of = {rider: rider for rider in range(len(self._plan.riders))}
        return replace(self._plan, runs=tuple(runs_of(self._outings[led_by], leader.plan, led_by, rider_of)))

    def told(self, so_far: Mapping[int, Outcome] | None = None) -> SchoolPlan:
        """The plan with what was found of each period; of the others as it was."""
        plan = self._plan
        found = [(so_far or {}).get(nth, one) for nth, one in enumerate(self._found)]
        rider_of = {rider: rider for rider in range(len(plan.riders))}
        runs = [run for nth, one in enumerate(found) if one is None for run in self._free if run.period == nth]
        left = [one for one in plan.not_served if one.period is None or found[one.period] is None]
        for nth, one in enumerate(found):
            if one is not None:
                outing = self._outings[nth]
                told = times_told(outing, self._begun(nth)) if self._asked.steady else {}
                runs += runs_of(outing, one.plan, nth, rider_of, told)
                left += not_served(outing, one, nth)
                left += _never_asked(plan, nth)
        types = self._sector.vehicle_types
        steps = tuple(0 if one is None else one.n_steps for one in found)
        making = replace(plan.making, seed=self._asked.seed, steps=sum(steps), bound=self.bound(), steps_of=steps)
        free = replace(plan, vehicle_types=types, runs=tuple(_in_order(runs)), not_served=tuple(left), making=making)
        made = make_circuits(free, Ways(places_of(plan), self._matrix), self._asked.shares)
        named = _renamed(made.runs, {run.circuit_id for run in self._locked})
        both = sorted([*self._locked, *named], key=lambda run: (run.period, run.circuit_id))
        return replace(made, vehicle_types=plan.vehicle_types, runs=tuple(both))

    def bound(self) -> int | None:
        """No plan that keeps the locked circuits has fewer vehicles than its period with the highest bound."""
        found = [
            fewest_vehicles(outing.problem) + len({run.circuit_id for run in self._locked if run.period == nth})
            for nth, outing in enumerate(self._outings)
        ]
        return max(found, default=None)


def _never_asked(plan: SchoolPlan, nth: int) -> list[NotServed]:
    """Whoever is named in a period without travelling in it: pupils who are known by name alone."""
    riders = {rider.pupil_id for rider in plan.riders}
    return [one for one in plan.not_served if one.period == nth and one.pupil_id not in riders]


def _in_order(runs: Sequence[Run]) -> list[Run]:
    """Runs of their period one after the other, under names that no two share."""
    ordered = sorted(runs, key=lambda run: run.period)
    return [replace(run, run_id=f"r{at}", circuit_id=f"r{at}") for at, run in enumerate(ordered)]


def _renamed(runs: Sequence[Run], taken: set[str]) -> list[Run]:
    """Circuits under names that no locked one has."""
    names: dict[str, str] = {}
    used = taken | {run.circuit_id for run in runs}
    for circuit in dict.fromkeys(run.circuit_id for run in runs):
        name = circuit
        if circuit in taken:
            name = next(one for n in range(1, len(used) + 2) if (one := f"C{n:03d}") not in used)
            used.add(name)
        names[circuit] = name
    return [
        replace(
            run,
            circuit_id=names[run.circuit_id],
            run_id=names[run.circuit_id] + run.run_id.removeprefix(run.circuit_id),
        )
        for run in runs
    ]


def _sector_of(plan: SchoolPlan, locked: Sequence[Run]) -> Sector:
    """What the optimiser is told of: riders as pupils, and vehicles that no locked circuit drives."""
    taken = Counter({run.circuit_id: run.vehicle_type for run in locked}.values())
    types = tuple(
        kind if kind.count is None else replace(kind, count=max(0, kind.count - taken[index]))
        for index, kind in enumerate(plan.vehicle_types)
    )
    pupils = tuple(
        Pupil(
            rider.pupil_id,
            plan.schools[rider.school].school_id,
            rider.level,
            Regime.DAY,
            (Home(None, ALL_DAYS),),
            rider.wheelchair,
        )
        for rider in plan.riders
    )
    plannable = tuple((index, 0) for index in range(len(pupils)))
    return Sector(pupils, plan.schools, plan.stops, types, plannable, ())


def _waits_of(plan: SchoolPlan) -> dict[int, tuple[Waiting, ...]]:
    """Where riders wait; of those of whom nobody wrote it down, where the plan has them wait."""
    found = {index: rider.waits for index, rider in enumerate(plan.riders) if rider.waits is not None}
    for run in plan.runs:
        period = plan.periods[run.period]
        for ride in rides_of(run):
            if plan.riders[ride.rider].waits is None:
                known = found.get(ride.rider, ())
                found[ride.rider] = (*known, Waiting(period.direction, period.days, ride.stop))
    return found


def _without(waits: Mapping[int, tuple[Waiting, ...]], riders: set[int]) -> dict[int, tuple[Waiting, ...]]:
    return {rider: some for rider, some in waits.items() if rider not in riders}


def _without_roads(plan: SchoolPlan, matrix: TravelMatrix) -> TravelMatrix:
    """The matrix without the ways that are forbidden."""
    if not plan.no_roads:
        return matrix
    seconds, metres = np.array(matrix.seconds), np.array(matrix.metres)
    for road in plan.no_roads:
        way = _place(plan, road.origin), _place(plan, road.target)
        seconds[way] = metres[way] = NEVER
    return TravelMatrix(seconds, metres)


def _place(plan: SchoolPlan, spot: Spot) -> int:
    return spot.stop if spot.stop is not None else len(plan.stops) + (spot.school or 0)
