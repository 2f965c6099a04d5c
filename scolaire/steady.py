"""Steady: a plan for a changed demand that moves as few pupils as can be from where and when they travel already.

Whom a plan carries waits at the same stop no more than five minutes earlier or later than it told: a window that no
vehicle of the search may miss. At first everybody keeps coach and turn, too, and whoever is new or finds no seat any
more is put in between. Where this takes two coaches more than before, or leaves somebody out, the coaches around one
that is too many are planned anew to do without it: first within the windows of everybody, then without those of who
is in them. So what is wanted is, in this order: everybody carried, one coach more at most, few pupils moved, few in
another coach, cheap driving.

Parts of the plan are searched with as many steps each whatever the budget, so that as many steps give the same plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from fleet.coding import code_of, make_instance, time_route, without
from fleet.parts import Part, cost_of, part_of
from fleet.requests import Locks, Plan, Problem
from fleet.search import Budget, Incumbent, Outcome, Settings, search
from scolaire.outings import Outing
from scolaire.plans import MOVED_S, SchoolPlan, rides_of

RINGS: Final = ((False, 8), (False, 16), (True, 8), (True, 16))  # whether windows go, and how many coaches around one
LIGHTEST: Final = 6  # coaches tried within everybody's windows: the fuller ones seldom go, and each try takes as long
AROUND_ONE: Final = 8
FIRST_STEPS: Final = 2_000
PART_STEPS: Final = 1_000
HOLD_STEPS: Final = 300
ONE_MORE: Final = 1  # a coach more than before moves nobody

Window = tuple[int, int]
"""When a vehicle may begin at a request, from when to when."""


def times_told(outing: Outing, before: SchoolPlan) -> dict[int, int]:
    """When the coach is at the stop of each demand by the runs of a plan, which are of one period, for most of it.

    Nothing is told of pupils who wait elsewhere now, or of whom the plan does not know.
    """
    at: dict[str, tuple[str, int]] = {}
    for run in before.runs:
        to_school = before.periods[run.period].direction.is_to_school
        for ride in rides_of(run):
            if ride.stop is not None:
                time = run.halts[ride.up].leaves_s if to_school else run.halts[ride.down].arrives_s
                at[before.riders[ride.rider].pupil_id] = before.stops[ride.stop].stop_id, time
    found: dict[int, int] = {}
    for request, demand in enumerate(outing.demands):
        stop_id = outing.sector.stops[demand.stop].stop_id
        known = (at.get(outing.sector.pupils[pupil].pupil_id) for pupil in demand.pupils)
        n_told = Counter(one[1] for one in known if one is not None and one[0] == stop_id)
        if n_told:
            found[request] = min(n_told, key=lambda time: (-n_told[time], time))
    return found


def windows_of(outing: Outing, told: Mapping[int, int]) -> dict[int, Window]:
    """When vehicles may begin at the requests of an outing so that nobody is moved."""
    is_back = not outing.period.direction.is_to_school
    ends = {request: -time if is_back else time for request, time in told.items()}  # of the service, in its own time
    begins = {request: time - outing.problem.requests[request].service for request, time in ends.items()}
    return {request: (time - MOVED_S, time + MOVED_S) for request, time in begins.items()}


def search_steadily(
    problem: Problem,
    budget: Budget,
    seed: int,
    start: Plan,
    windows: Mapping[int, Window],
    *,
    fewest: int = 0,
    settings: Settings,
    on_better: Callable[[Incumbent], bool] | None = None,
    is_stopped: Callable[[], bool] | None = None,
) -> Outcome:
    """The plan that is least unlike `start`, found before the budget ends when there is nothing left to try.

    `fewest` are the vehicles that there are anyway; fewer than one more than in `start` are not asked for.
    """
    most = max(len(start.routes) + ONE_MORE, fewest)
    run = _Steadily(problem, budget, seed, start, windows, most, settings, on_better, is_stopped)
    run.begin()
    for is_loose, n_around in RINGS:
        run.look_around(n_around, is_loose=is_loose)
    run.put_back()
    return run.outcome()


class _Steadily:
    """The plan so far, the windows that it keeps, and what is left of the budget."""

    def __init__(
        self,
        problem: Problem,
        budget: Budget,
        seed: int,
        start: Plan,
        windows: Mapping[int, Window],
        most: int,
        settings: Settings,
        on_better: Callable[[Incumbent], bool] | None,
        is_stopped: Callable[[], bool] | None,
    ) -> None:
        self._problem, self._budget, self._seed, self._most = problem, budget, seed, most
        self._settings, self._on_better, self._asks = settings, on_better, is_stopped
        self._begun = budget.now()
        self._start, self._plan = start, start
        carried = {request for route in start.routes for request in route.requests}
        self._known = frozenset(carried)
        self._instance = make_instance(problem)
        self._windows = dict(windows)
        for request in [request for request in windows if not self._is_possible(request)]:
            del self._windows[request]
        self._held = self._kept(start)
        self._impossible: tuple[int, ...] = ()
        self._n_steps = 0
        self._is_over = False

    def begin(self) -> None:
        """Put in between whoever is new, or finds no seat any more; everybody else keeps coach and turn."""

        def tell(incumbent: Incumbent) -> bool:
            self._is_over = self._on_better is not None and self._on_better(incumbent)
            return self._is_over

        found = search(
            self._with(self._held, frozenset()),
            self._left_of_budget(FIRST_STEPS),
            self._seed,
            start=self._start,
            locks=Locks(requests=self._known),
            on_better=tell,
            is_stopped=self._asks,
            fewest=len(self._start.routes),
            settings=self._settings,
        )
        self._n_steps += found.n_steps
        self._plan, self._impossible = found.plan, found.impossible

    def look_around(self, n_around: int, *, is_loose: bool) -> None:
        """Have the coaches around one that is too many, or around who is left out, do without it."""
        for request in self._left:
            if not self._goes_on:
                return
            self._look(frozenset((request,)), n_around, is_loose=is_loose)
        asked = self._problem.requests
        order = sorted(
            self._plan.routes,
            key=lambda route: (
                not self._known.isdisjoint(route.requests),
                sum(sum(asked[request].load) for request in route.requests),
                route.requests,
            ),
        )
        for route in order if is_loose else order[:LIGHTEST]:
            if not self._goes_on or len(self._plan.routes) <= self._most:
                return
            if route in self._plan.routes:
                self._look(frozenset(route.requests), n_around, is_loose=is_loose)

    def put_back(self) -> None:
        """Find room within the window for whoever has been moved out of it, the most people first."""
        asked = self._problem.requests
        moved = set(self._windows).difference(self._held, self._plan.unserved)
        for request in sorted(moved, key=lambda request: (-sum(asked[request].load), request)):
            if not self._goes_on:
                return
            if request not in self._held:
                self._hold(request)

    def outcome(self) -> Outcome:
        """What was found."""
        cost = sum(cost_of(self._problem, route) for route in self._plan.routes)
        return Outcome(self._plan, cost, self._impossible, self._n_steps, self._budget.now() - self._begun)

    @property
    def _left(self) -> list[int]:
        return [request for request in self._plan.unserved if request not in self._impossible]

    @property
    def _goes_on(self) -> bool:
        spent = self._budget.now() - self._begun
        self._is_over |= self._budget.steps is not None and self._n_steps >= self._budget.steps
        self._is_over |= self._budget.seconds is not None and spent >= self._budget.seconds
        self._is_over |= self._asks is not None and self._asks()
        return not self._is_over

    def _left_of_budget(self, n_steps: int) -> Budget:
        """As many steps as the budget has left."""
        steps, seconds = self._budget.steps, self._budget.seconds
        return Budget(
            n_steps if steps is None else min(n_steps, steps - self._n_steps),
            None if seconds is None else seconds - (self._budget.now() - self._begun),
            self._budget.clock,
        )

    def _look(self, who: frozenset[int], n_around: int, *, is_loose: bool) -> None:
        """Plan the coaches around somebody's anew, to do with one less, or with no more for whoever is left out."""
        plan = self._plan
        own = {index for index, route in enumerate(plan.routes) if not who.isdisjoint(route.requests)}
        routes = own | self._nearest(who, n_around, own)
        inside = frozenset(request for index in routes for request in plan.routes[index].requests)
        problem = self._with(self._held, inside if is_loose else frozenset())
        self._search(part_of(problem, plan, routes, who), max(1, len(routes) - len(own)), PART_STEPS)

    def _hold(self, request: int) -> None:
        """Take somebody out, and put the same in between again in time where no vehicle more is needed for it."""
        own = next(index for index, route in enumerate(self._plan.routes) if request in route.requests)
        route = self._plan.routes[own]
        fewer = without(self._problem, [code_of(visit) for visit in route.visits], request)
        shorter = time_route(self._instance, route.vehicle_type, fewer) if fewer else None
        if shorter is None:
            return
        who = frozenset((request,))
        routes = (*self._plan.routes[:own], shorter, *self._plan.routes[own + 1 :])
        plan = Plan(routes, (*self._plan.unserved, request))
        around = {own} | self._nearest(who, AROUND_ONE, {own})
        held = {**self._held, request: self._windows[request]}
        part = part_of(self._with(held, frozenset()), plan, around, who)
        self._search(part, len(around), HOLD_STEPS)

    def _search(self, part: Part, n_enough: int, n_steps: int) -> None:
        """Look for a plan of a part that carries everybody by `n_enough` vehicles, and take it."""
        found = search(
            part.problem,
            self._left_of_budget(n_steps),
            self._seed,
            start=part.start,
            on_better=lambda best: (best.n_unserved, best.n_vehicles) <= (0, n_enough),
            is_stopped=self._asks,
            fewest=n_enough,
            settings=self._settings,
        )
        self._n_steps += found.n_steps
        if found.plan.unserved or len(found.plan.routes) > n_enough:
            return
        plan = self._plan = part.whole(found.plan)
        self._held = self._kept(plan)
        if self._on_better is not None:
            told = self.outcome()
            best = Incumbent(len(plan.unserved), len(plan.routes), told.cost, told.n_steps, told.seconds, lambda: plan)
            self._is_over |= self._on_better(best)

    def _nearest(self, who: frozenset[int], n_routes: int, own: set[int]) -> set[int]:
        """The routes with a pick-up nearest to one of somebody's."""
        places = [self._problem.requests[request].place for request in who]
        far = []
        for index, route in enumerate(self._plan.routes):
            others = [self._problem.requests[request].place for request in route.requests]
            if index not in own:
                far.append((int(self._problem.drive[np.ix_(places, others)].min()), index))
        return {index for _, index in sorted(far)[:n_routes]}

    def _with(self, windows: Mapping[int, Window], loosened: frozenset[int]) -> Problem:
        """The problem with windows, but those that are loosened."""
        requests = list(self._problem.requests)
        for request, (opens, closes) in windows.items():
            if request not in loosened:
                requests[request] = replace(requests[request], earliest=opens, latest=closes)
        return replace(self._problem, requests=tuple(requests))

    def _kept(self, plan: Plan) -> dict[int, Window]:
        """The windows that the routes of a plan keep: all, or as many as fit, those of most people first."""
        found = {request: self._windows[request] for request in plan.unserved if request in self._windows}
        for route in plan.routes:
            codes = [code_of(visit) for visit in route.visits]
            asked = [request for request in route.requests if request in self._windows]
            if not self._fits(route.vehicle_type, codes, asked):
                asked.sort(key=lambda request: (-sum(self._problem.requests[request].load), request))
                kept: list[int] = []
                for request in asked:
                    if self._fits(route.vehicle_type, codes, [*kept, request]):
                        kept.append(request)
                asked = kept
            found.update((request, self._windows[request]) for request in asked)
        return found

    def _is_possible(self, request: int) -> bool:
        """Whether some vehicle can keep the window of a request, if it carries nobody else."""
        codes = [request, -1 - self._problem.requests[request].destination]
        return any(self._fits(kind, codes, [request]) for kind in range(len(self._problem.vehicle_types)))

    def _fits(self, vehicle_type: int, codes: list[int], asked: list[int]) -> bool:
        """Whether a route has times within the windows of those asked for."""
        instance = self._instance
        before = instance.earliest[asked], instance.latest[asked]
        instance.earliest[asked] = [self._windows[request][0] for request in asked]
        instance.latest[asked] = [self._windows[request][1] for request in asked]
        fits = time_route(instance, vehicle_type, codes) is not None
        instance.earliest[asked], instance.latest[asked] = before
        return fits
