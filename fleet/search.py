"""Search: a plan within a budget, better the longer it may take, and the same for the same seed.

Steps are counted, not timed: what a step does depends on the problem, the seed and the steps before it alone.
A budget in seconds only says where to stop, and `Outcome.n_steps` says where that was: as many steps as a
budget give the same plan again, on any machine.

Rounds of steps follow one another, each half as long again as the last of its kind: those that give vehicles
up and those that make driving cheaper with the vehicles there are. In each the heat falls from `hot` to `cold`.

Where vehicles may carry people of several destinations at once, the first steps carry them one destination at a
time: what they find keeps every rule, and finding it takes a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

import numpy as np

from fleet.check import Broken, broken_promises
from fleet.coding import code_of, is_simple, make_instance, make_room, make_routes, time_route
from fleet.kernels.arrays import Instance
from fleet.kernels.ruin import Memory, Tuning, take_steps
from fleet.requests import Locks, PickUp, Plan, Problem
from socle.errors import BadInput

CHUNK: Final = 128  # steps between two looks at the clock
SHARE: Final = 65536
NO_LOCKS: Final = Locks()


class Goal(StrEnum):
    """What a plan is judged by; the search wants less of the first, then less of the next."""

    UNSERVED = "unserved"
    VEHICLES = "vehicles"
    COST = "cost"  # fixed costs of the vehicles used, and driving by its tables


FEWEST_VEHICLES: Final = (Goal.UNSERVED, Goal.VEHICLES)
FEWEST_THEN_CHEAPEST: Final = (Goal.UNSERVED, Goal.VEHICLES, Goal.COST)
CHEAPEST: Final = (Goal.UNSERVED, Goal.COST)


@dataclass(frozen=True, slots=True)
class Budget:
    """When to stop: after so many steps, or so many seconds of `clock`, whichever comes first.

    The clock is the caller's: that on the wall for who waits, that of the thread for who measures.
    """

    steps: int | None = None
    seconds: float | None = None
    clock: Callable[[], float] | None = None

    def __post_init__(self) -> None:
        if self.steps is None and self.seconds is None:
            raise ValueError("a search without a budget never ends")
        if self.seconds is not None and self.clock is None:
            raise ValueError("seconds are those of a clock")

    def now(self) -> float:
        """What the clock says; 0 always when there is none."""
        return 0.0 if self.clock is None else self.clock()


@dataclass(frozen=True, slots=True)
class Settings:
    """The parameters of the search, the same for every problem unless somebody studies them."""

    mean_removed: int = 12
    longest_string: int = 10
    share_of_runs: float = 0.25
    share_of_routes: float = 0.10
    blink: float = 0.01
    hot: float = 300.0  # in units of cost
    cold: float = 5.0
    round_steps: int = 20_000  # of the first round
    alone_steps: int = 20_000  # at first, one destination at a time

    def __post_init__(self) -> None:
        if min(self.mean_removed, self.longest_string, self.round_steps) < 1 or not 0 < self.cold <= self.hot:
            raise ValueError("a search takes something out and cools down")


@dataclass(frozen=True, slots=True)
class Incumbent:
    """The best plan so far, in figures: what a progress bar shows; `plan` makes it, for whoever wants to keep it."""

    n_unserved: int
    n_vehicles: int
    cost: int
    n_steps: int
    seconds: float
    plan: Callable[[], Plan] = field(repr=False, compare=False)  # while `on_better` is at it, not later


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search came to, in how many seconds of the budget's clock.

    `impossible` are the requests that no vehicle could carry even alone.
    """

    plan: Plan
    cost: int
    impossible: tuple[int, ...]
    n_steps: int
    seconds: float


def search(
    problem: Problem,
    budget: Budget,
    seed: int,
    goals: Sequence[Goal] = FEWEST_THEN_CHEAPEST,
    *,
    start: Plan | None = None,
    locks: Locks = NO_LOCKS,
    on_better: Callable[[Incumbent], bool] | None = None,
    is_stopped: Callable[[], bool] | None = None,
    fewest: int = 0,
    settings: Settings = Settings(),
) -> Outcome:
    """The best plan found within `budget`.

    `start` is a plan to begin with, of which `locks` may keep parts; who it leaves out is inserted. `on_better`
    is called with each better plan, and stops the search by answering True, as `is_stopped` does, which is asked
    again and again. No vehicle is given up any more
    once `fewest` are enough. Raises BadInput when `start` breaks a rule that no later step could mend.
    """
    if tuple(goals) not in {FEWEST_VEHICLES, FEWEST_THEN_CHEAPEST, CHEAPEST}:
        raise ValueError("goals are those that the search knows, in an order that it knows")
    if not problem.requests:
        return Outcome(Plan(()), 0, (), 0, 0.0)
    watch = _Watch(budget, on_better, is_stopped)
    if start is None and settings.alone_steps and not is_simple(problem):
        alone = _alone(problem)
        if is_simple(alone):
            found = FEWEST_VEHICLES if Goal.VEHICLES in goals else CHEAPEST
            run = _Run(alone, seed, None, locks, settings, Goal.VEHICLES in goals)
            _take_rounds(run, watch, found, fewest, settings, settings.alone_steps)
            start = run.plan()
    run = _Run(problem, seed, start, locks, settings, Goal.VEHICLES in goals)
    _take_rounds(run, watch, goals, fewest, settings, None)
    return Outcome(
        plan=run.plan(),
        cost=int(run.best[2]),
        impossible=run.impossible,
        n_steps=watch.n_steps,
        seconds=watch.seconds,
    )


def _alone(problem: Problem) -> Problem:
    """The problem with a group for each destination, so that no two are aboard together."""
    aims = tuple(replace(each, group=index) for index, each in enumerate(problem.destinations))
    return replace(problem, destinations=aims)


class _Watch:
    """How far a search is, who looks on, and whether it goes on."""

    def __init__(
        self,
        budget: Budget,
        on_better: Callable[[Incumbent], bool] | None,
        is_stopped: Callable[[], bool] | None,
    ) -> None:
        self._budget, self._on_better, self._asks = budget, on_better, is_stopped
        self._begun = budget.now()
        self._is_ended = False
        self.n_steps = 0

    @property
    def seconds(self) -> float:
        """Of the budget's clock, since the search began."""
        return self._budget.now() - self._begun

    def goes_on(self, run: _Run) -> bool:
        """Whether there is budget left and nobody stops the search, which then stays ended."""
        self._is_ended = self._is_ended or self._ends(run)
        return not self._is_ended

    def _ends(self, run: _Run) -> bool:
        seconds = self.seconds
        if run.n_found and self._on_better is not None:
            run.n_found = 0
            if self._on_better(run.incumbent(self.n_steps, seconds)):
                return True
        if self._asks is not None and self._asks():
            return True
        if self._budget.steps is not None and self.n_steps >= self._budget.steps:
            return True
        return self._budget.seconds is not None and seconds >= self._budget.seconds

    def part(self, n_chunk: int) -> int:
        """As many steps of a chunk as the budget allows."""
        return n_chunk if self._budget.steps is None else min(n_chunk, self._budget.steps - self.n_steps)


def _take_rounds(
    run: _Run, watch: _Watch, goals: Sequence[Goal], fewest: int, settings: Settings, n_steps: int | None
) -> None:
    """Take rounds of steps from the plan of `run`, `n_steps` in all when that is not None."""
    everybody = len(run.problem.requests)  # vehicles that are never too many
    run.take(0, 1, settings.hot, everybody)
    if Goal.VEHICLES in goals and run.is_new and not run.best[0]:
        run.lay_out(run.plan(), ())  # without rows for vehicles at rest, which would only be looked at and closed
        run.take(0, 1, settings.hot, fewest)
    last = None if n_steps is None else watch.n_steps + n_steps
    for gives_up, n_chunk, heat in _chunks(goals, settings):
        is_enough = run.best[0] == 0 and run.best[1] <= fewest
        if not watch.goes_on(run) or (is_enough and Goal.COST not in goals):
            break
        if last is not None and watch.n_steps >= last:
            break
        if gives_up and is_enough:
            continue
        limit = fewest if gives_up else everybody
        run.turn(gives_up, heat, limit)
        n_taken = watch.part(n_chunk)
        run.take(watch.n_steps + 1, n_taken, heat, limit)
        watch.n_steps += n_taken


def _chunks(goals: Sequence[Goal], settings: Settings) -> Iterator[tuple[bool, int, float]]:
    """Without end: whether vehicles are given up, how many steps, at what heat."""
    n_round = settings.round_steps
    while True:
        for kind in goals[1:]:
            for done in range(0, n_round, CHUNK):
                heat = settings.hot * (settings.cold / settings.hot) ** (done / n_round)
                yield kind is Goal.VEHICLES, min(CHUNK, n_round - done), heat
        n_round += n_round // 2


class _Run:
    """The arrays of one search, and the way from plans to them and back."""

    def __init__(
        self,
        problem: Problem,
        seed: int,
        start: Plan | None,
        locks: Locks,
        settings: Settings,
        counts_vehicles: bool,
    ) -> None:
        self.is_new = start is None
        given = start or Plan(routes=())
        self.problem, self.locks = problem, locks
        self.is_simple = is_simple(problem)
        self.instance = make_instance(problem, _fixed(given, locks))
        self.impossible = tuple(_impossible(problem, self.instance))
        if start is not None:
            given = _timed(problem, self.instance, start)
        self.tuning = Tuning(
            settings.mean_removed,
            settings.longest_string,
            round(settings.share_of_runs * SHARE),
            round(settings.share_of_routes * SHARE),
            round(settings.blink * SHARE),
            counts_vehicles,
        )
        self.n_found = 0
        self.gives_up: bool | None = None
        carried = {request for route in given.routes for request in route.requests}
        left = [each for each in range(len(problem.requests)) if each not in carried.union(self.impossible)]
        self.dice = np.array([(2 * seed + 1) * 0x9E3779B97F4A7C15 & (1 << 64) - 1], np.uint64)
        self.absences = np.zeros(len(problem.requests), np.int64)
        self.best = np.array([len(problem.requests) + 1, 0, 0, 0], np.int64)
        self.lay_out(given, left)

    def lay_out(self, plan: Plan, absent: Sequence[int]) -> None:
        """Make rows for a plan and, as far as somebody is absent, for vehicles that it leaves at rest."""
        problem = self.problem
        used = [sum(route.vehicle_type == kind for route in plan.routes) for kind in range(len(problem.vehicle_types))]
        n_at_rest = [min(each.count - n, len(absent)) for each, n in zip(problem.vehicle_types, used, strict=True)]
        self.routes = make_routes(problem, plan, self.locks, n_at_rest)
        self.room = make_room(len(problem.destinations), self.routes.visits.shape[1])
        n_requests, n_rows = len(problem.requests), len(self.routes.n_visits)
        self.memory = Memory(
            dice=self.dice,
            absences=self.absences,
            absent=np.zeros(n_requests, np.int32),
            n_absent=np.array([len(absent)], np.int32),
            best_visits=self.routes.visits.copy(),
            best_n_visits=self.routes.n_visits.copy(),
            best=self.best,
            kept_visits=np.zeros_like(self.routes.visits),
            kept_n_visits=np.zeros(n_rows, np.int32),
            kept_cost=np.zeros(n_rows, np.int64),
            kept=np.zeros(n_rows, np.int32),
            is_kept=np.zeros(n_rows, np.uint8),
            is_gone=np.zeros(n_requests, np.uint8),
            pending=np.zeros(len(problem.destinations), np.int32),
            queue=np.zeros(n_requests, np.int32),
            keys=np.zeros(n_requests, np.int64),
            was_absent=np.zeros(n_requests, np.int32),
        )
        self.memory.absent[: len(absent)] = absent
        self.is_open = self.routes.is_open.copy()

    def take(self, first: int, n_steps: int, heat: float, fewest: int) -> None:
        """Take steps; step 0 inserts who is absent into the routes laid out."""
        arrays = (self.instance, self.routes, self.room, self.memory, self.tuning)
        self.n_found += take_steps(*arrays, first, n_steps, heat, fewest, self.is_simple)

    def turn(self, gives_up: bool, heat: float, fewest: int) -> None:
        """Begin a round of another kind from the best plan, with the vehicles that it uses."""
        if self.gives_up is None:
            self.gives_up = gives_up
        if self.gives_up == gives_up:
            return
        self.gives_up = gives_up
        routes, memory = self.routes, self.memory
        routes.visits[:] = memory.best_visits
        routes.n_visits[:] = memory.best_n_visits
        absent = [each for each in self.plan().unserved if each not in self.impossible]
        memory.absent[: len(absent)] = absent
        memory.n_absent[0] = len(absent)
        routes.route_of[:] = -1
        routes.is_open[:] = self.is_open if absent else self.is_open & (routes.n_visits > 0)
        self.take(0, 1, heat, fewest)

    def plan(self) -> Plan:
        """The best plan, with its times."""
        memory, kinds = self.memory, self.routes.vehicle_type
        found = [
            time_route(self.instance, int(kinds[row]), memory.best_visits[row, :n_visits])
            for row, n_visits in enumerate(memory.best_n_visits)
            if n_visits
        ]
        routes = tuple(route for route in found if route is not None)
        carried = {request for route in routes for request in route.requests}
        everybody = range(len(self.problem.requests))
        return Plan(routes, tuple(request for request in everybody if request not in carried))

    def incumbent(self, n_steps: int, seconds: float) -> Incumbent:
        """The best plan in figures."""
        n_unserved, n_vehicles, cost, _ = (int(each) for each in self.best)
        return Incumbent(n_unserved + len(self.impossible), n_vehicles, cost, n_steps, seconds, self.plan)


def _fixed(plan: Plan, locks: Locks) -> set[int]:
    """Requests that stay in their routes: locked themselves, or taken aboard already."""
    fixed = set(locks.requests)
    for index, n_begun in locks.begun.items():
        begun = plan.routes[index].visits[:n_begun]
        fixed.update(visit.request for visit in begun if isinstance(visit, PickUp))
    return fixed


def _impossible(problem: Problem, instance: Instance) -> Iterator[int]:
    """Requests that no vehicle can carry, even alone."""
    for request, asked in enumerate(problem.requests):
        alone = np.array([request, -1 - asked.destination], np.int32)
        if not any(
            each.count
            and all(load <= places for load, places in zip(asked.load, each.places, strict=True))
            and time_route(instance, kind, alone)
            for kind, each in enumerate(problem.vehicle_types)
        ):
            yield request


def _timed(problem: Problem, instance: Instance, start: Plan) -> Plan:
    """The plan to begin with, with times of its own; BadInput when it breaks a rule."""
    routes = [
        time_route(instance, route.vehicle_type, [code_of(visit) for visit in route.visits]) for route in start.routes
    ]
    for index, route in enumerate(routes):
        if route is None:
            raise BadInput("start_impossible", route=index)
    timed = Plan(tuple(route for route in routes if route is not None), start.unserved)
    for promise in broken_promises(problem, timed):
        if promise.broken is not Broken.FORGOTTEN:
            raise BadInput("start_impossible", route=-1 if promise.route is None else promise.route)
    return timed
