"""Model: the joint problem of one school, a plan of it, and the check of a plan from the rules alone.

Pupils wait at a stop that they reach on foot, each open stop is on one route, a route begins and ends at the school
and has no more pupils than seats. Of all such plans the one whose routes are shortest together is wanted
(Schittekat, Kinable, Sörensen, Sevaux, Spieksma and Springael, EJOR 2013); how far pupils walk within what is allowed
only decides among plans of the same routes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class JointProblem:
    """One school, its stops and its pupils. Place 0 of `drive` is the school, place 1 + s is stop s."""

    drive: NDArray[np.int64]  # [1 + n_stops, 1 + n_stops], a whole number of any unit
    walk_m: NDArray[np.int32]  # [n_pupils, n_stops]
    walk_max_m: int
    seats: int
    n_coaches: int

    def __post_init__(self) -> None:
        n_stops = len(self.drive) - 1
        if self.drive.shape != (1 + n_stops, 1 + n_stops) or self.walk_m.shape != (len(self.walk_m), n_stops):
            raise ValueError("drive is square, and everybody walks to every stop")
        if self.drive.size and self.drive.min() < 0:
            raise ValueError("no way is shorter than none")
        if self.seats < 1 or self.n_coaches < 0:
            raise ValueError("a coach has seats")

    @property
    def reach(self) -> NDArray[np.bool_]:
        """Which stops each pupil may walk to."""
        return self.walk_m <= self.walk_max_m


@dataclass(frozen=True, slots=True)
class JointPlan:
    """The stops of each route in their order, and the stop of each pupil; None: nobody has a seat for them."""

    routes: tuple[tuple[int, ...], ...]
    stop_of: tuple[int | None, ...]


def cost_of(problem: JointProblem, plan: JointPlan) -> int:
    """What driving all routes costs."""
    ways = [[0, *(1 + stop for stop in route), 0] for route in plan.routes]
    return sum(int(problem.drive[one, other]) for way in ways for one, other in pairwise(way))


def broken_rules(problem: JointProblem, plan: JointPlan) -> Iterator[str]:
    """What is wrong with a plan, a code each time: nothing is, when there is none."""
    route_of: dict[int, int] = {}
    for number, route in enumerate(plan.routes):
        if not route:
            yield "empty_route"
        for stop in route:
            if not 0 <= stop < len(problem.drive) - 1:
                yield "no_such_stop"
            if stop in route_of:
                yield "stop_twice"
            route_of[stop] = number
    if len(plan.routes) > problem.n_coaches:
        yield "too_many_routes"
    if len(plan.stop_of) != len(problem.walk_m):
        yield "not_everybody"
    aboard: Counter[int] = Counter()
    for pupil, waits in enumerate(plan.stop_of):
        if waits is None:
            yield "left_out"
        elif waits not in route_of:
            yield "closed_stop"
        else:
            if problem.walk_m[pupil, waits] > problem.walk_max_m:
                yield "too_far"
            aboard[route_of[waits]] += 1
    yield from ("overfull" for n_aboard in aboard.values() if n_aboard > problem.seats)
