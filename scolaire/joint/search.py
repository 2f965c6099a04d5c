"""Search: stops, routes and seats chosen together within a budget, and proved best where stops are few.

Steps are counted as in `fleet.search`: as many of them give the same plan again on any machine. Rounds follow one
another, each half as long again as the last and each from the best plan, and in each the heat falls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from fleet.kernels.arrays import FAR
from fleet.search import Budget
from scolaire.joint.kernels.arrays import Country, Room, Routes
from scolaire.joint.kernels.ruin import Tuning, take_steps
from scolaire.joint.kernels.subsets import (
    best_partition,
    least_of_supersets,
    round_trips,
    sum_of_subsets,
    trip_order,
)
from scolaire.joint.model import JointPlan, JointProblem, cost_of
from scolaire.stops import seat_on_routes

PROVED_UP_TO: Final = 12  # stops; there are 28 million ways to share that many out, most of them cut off
STEPS_BEFORE_PROOF: Final = 2_000
CHUNK: Final = 32
_SHARE: Final = 65536


@dataclass(frozen=True, slots=True)
class JointSettings:
    """The parameters, the same for every problem. Heat is in mean ways between two places."""

    mean_removed: int = 4
    share_of_routes: float = 0.1
    share_of_strings: float = 0.4
    share_of_barred: float = 0.2
    blink: float = 0.02
    hot: float = 0.3
    cold: float = 0.002
    round_steps: int = 5_000


@dataclass(frozen=True, slots=True)
class JointOutcome:
    """The plan that was found, whether none is better, after how many steps and seconds of the budget's clock."""

    plan: JointPlan
    cost: int
    is_proved: bool
    n_steps: int
    seconds: float


def choose_and_route(
    problem: JointProblem,
    budget: Budget,
    seed: int,
    *,
    on_better: Callable[[int, int], bool] | None = None,
    settings: JointSettings = JointSettings(),
    proved_up_to: int = PROVED_UP_TO,
) -> JointOutcome:
    """The best plan found; `on_better` is told pupils without a seat and cost, and stops the search by answering True.

    With up to `proved_up_to` stops the search is short and what it finds is then improved to the best there is.
    """
    begun = budget.now()
    run = _Run(problem, seed, settings)
    n_steps = 0
    is_small = problem.walk_m.shape[1] <= proved_up_to

    def goes_on() -> bool:
        if run.n_found and on_better is not None:
            run.n_found = 0
            if on_better(*run.figures):
                return False
        if budget.steps is not None and n_steps >= budget.steps:
            return False
        if is_small and n_steps >= STEPS_BEFORE_PROOF:
            return False
        return budget.seconds is None or budget.now() - begun < budget.seconds

    run.take(0, 1, 0.0)
    n_round = settings.round_steps
    mean = float(problem.drive.mean())
    done = 0
    while goes_on() and run.figures != (0, 0):
        heat = mean * settings.hot * (settings.cold / settings.hot) ** (done / n_round)
        n_chunk = min(CHUNK, n_round - done)
        if budget.steps is not None:
            n_chunk = min(n_chunk, budget.steps - n_steps)
        run.take(n_steps + 1, n_chunk, heat)
        n_steps, done = n_steps + n_chunk, done + n_chunk
        if done == n_round:
            done, n_round = 0, n_round + n_round // 2
            run.begin_again()
    routes, is_proved = run.routes(), run.figures == (0, 0)
    if is_small and not is_proved:
        n_left, known = run.figures
        better = _proved(problem, run.country, FAR if n_left else known)
        routes, is_proved = better or routes, not n_left or better is not None
    stop_of = seat_on_routes(problem.walk_m, problem.walk_max_m, routes, problem.seats)
    plan = JointPlan(routes, tuple(stop_of))
    return JointOutcome(plan, cost_of(problem, plan), is_proved, n_steps, budget.now() - begun)


def _proved(problem: JointProblem, country: Country, known: int) -> tuple[tuple[int, ...], ...] | None:
    """The routes of the best plan when it is cheaper than `known`, else None."""
    far = np.argsort(-(problem.drive[0, 1:] + problem.drive[1:, 0]), kind="stable")  # what costs most is decided first
    places = np.concatenate(([0], 1 + far))
    drive = np.ascontiguousarray(problem.drive[np.ix_(places, places)])
    n_stops = len(far)
    within = np.zeros(1 << n_stops, np.int64)
    sets = (country.reach[:, far].astype(np.int64) << np.arange(n_stops)).sum(axis=1)
    np.add.at(within, sets, country.size)
    trips = round_trips(drive)
    least = least_of_supersets(trips, n_stops)
    n_routes = min(problem.n_coaches, n_stops)
    _, found, _ = best_partition(trips, least, sum_of_subsets(within, n_stops), n_stops, n_routes, problem.seats, known)
    if not len(found):
        return None
    return tuple(tuple(int(far[stop]) for stop in trip_order(drive, int(chosen))) for chosen in found)


class _Run:
    """The arrays of one search."""

    def __init__(self, problem: JointProblem, seed: int, settings: JointSettings) -> None:
        n_stops = problem.walk_m.shape[1]
        reach, size = np.unique(problem.reach, axis=0, return_counts=True)
        size = np.where(reach.any(axis=1), size, 0)  # who reaches no stop stands in nobody's way
        n_groups, n_routes = len(reach), min(n_stops, problem.n_coaches)
        captive = (reach[reach.sum(axis=1) == 1] * size[reach.sum(axis=1) == 1, None]).sum(axis=0)
        there = problem.drive[1:, 1:] + problem.drive[1:, 1:].T
        near = np.argsort(there - np.eye(n_stops, dtype=np.int64), axis=1, kind="stable")
        self.country = Country(
            drive=np.ascontiguousarray(problem.drive, np.int64),
            near=near.astype(np.int32),
            seats=problem.seats,
            size=size.astype(np.int32),
            reach=reach.astype(np.uint8),
            captive=captive.astype(np.int32),
            first_group=np.concatenate(([0], np.cumsum(reach.sum(axis=0)))).astype(np.int32),
            group_of=np.nonzero(reach.T)[1].astype(np.int32),
        )
        self._routes = Routes(
            visits=np.zeros((n_routes, n_stops), np.int32),
            n_visits=np.zeros(n_routes, np.int32),
            load=np.zeros(n_routes, np.int32),
            bound=np.zeros(n_routes, np.int32),
            route_of=np.full(n_stops, -1, np.int32),
            seated=np.zeros((n_groups, n_routes), np.int32),
            touches=np.zeros((n_groups, n_routes), np.int32),
            standing=size.astype(np.int32),
        )
        self._room = Room(
            dice=np.array([(2 * seed + 1) * 0x9E3779B97F4A7C15 & (1 << 64) - 1], np.uint64),
            queue=np.zeros(n_routes, np.int32),
            came_from=np.zeros(n_routes, np.int32),
            came_by=np.zeros(n_routes, np.int32),
            order=np.zeros(n_stops, np.int32),
            gone=np.zeros(n_stops, np.int32),
            kept=Routes(*(array.copy() for array in self._routes)),
            best_visits=np.zeros((n_routes, n_stops), np.int32),
            best_n_visits=np.zeros(n_routes, np.int32),
            best=np.array([len(problem.walk_m) + 1, 0], np.int64),
        )
        self._tuning = Tuning(
            settings.mean_removed,
            round(settings.share_of_routes * _SHARE),
            round(settings.share_of_strings * _SHARE),
            round(settings.share_of_barred * _SHARE),
            round(settings.blink * _SHARE),
        )
        self.n_found = 0

    @property
    def figures(self) -> tuple[int, int]:
        """Pupils who reach a stop and have no seat, and the cost, of the best plan."""
        return int(self._room.best[0]), int(self._room.best[1])

    def take(self, first: int, n_steps: int, heat: float) -> None:
        """Take steps; step 0 makes a plan."""
        if len(self._routes.n_visits):
            self.n_found += take_steps(self.country, self._routes, self._room, self._tuning, first, n_steps, heat)

    def begin_again(self) -> None:
        """Go on from the best plan; the next step seats everybody."""
        country, routes = self.country, self._routes
        routes.visits[:] = self._room.best_visits
        routes.n_visits[:] = self._room.best_n_visits
        for array in (routes.load, routes.bound, routes.seated, routes.touches):
            array[:] = 0
        routes.standing[:] = country.size
        routes.route_of[:] = -1
        for number, n_visits in enumerate(routes.n_visits):
            stops = routes.visits[number, :n_visits]
            routes.route_of[stops] = number
            routes.bound[number] = country.captive[stops].sum()
            routes.touches[:, number] = country.reach[:, stops].sum(axis=1)

    def routes(self) -> tuple[tuple[int, ...], ...]:
        """The routes of the best plan, those without stops left out."""
        found = zip(self._room.best_visits, self._room.best_n_visits, strict=True)
        return tuple(tuple(int(stop) for stop in visits[:n]) for visits, n in found if n)
