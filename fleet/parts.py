"""Parts: some routes of a plan as a problem of their own, and what was found for it back in the plan.

Steps of a search cost what there are routes to look at, so that a few routes around a place are searched many times
as fast as the plan that they are part of. Vehicles that the others use are not to be had.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import pairwise

from fleet.requests import DropOff, PickUp, Plan, Problem, Route, Visit


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a plan, and what is beside it."""

    problem: Problem
    start: Plan
    requests: tuple[int, ...]  # request of the part -> request of the whole
    rest: Plan

    def whole(self, found: Plan) -> Plan:
        """The plan with `found` in place of the part."""
        routes = tuple(_numbered(route, self.requests) for route in found.routes)
        left = (self.requests[request] for request in found.unserved)
        return Plan((*self.rest.routes, *routes), tuple(sorted((*self.rest.unserved, *left))))


def part_of(problem: Problem, plan: Plan, routes: Collection[int], unserved: Collection[int] = ()) -> Part:
    """The part of a plan that has these routes, and these of the requests that nobody carries."""
    inside = [route for index, route in enumerate(plan.routes) if index in routes]
    rest = tuple(route for index, route in enumerate(plan.routes) if index not in routes)
    left = [request for request in plan.unserved if request in unserved]
    requests = sorted([*left, *(request for route in inside for request in route.requests)])
    number = {request: at for at, request in enumerate(requests)}
    used = Counter(route.vehicle_type for route in rest)
    small = replace(
        problem,
        requests=tuple(problem.requests[request] for request in requests),
        vehicle_types=tuple(
            replace(each, count=max(0, each.count - used[kind])) for kind, each in enumerate(problem.vehicle_types)
        ),
    )
    start = Plan(tuple(_numbered(route, number) for route in inside), tuple(number[request] for request in left))
    others = tuple(request for request in plan.unserved if request not in number)
    return Part(small, start, tuple(requests), Plan(rest, others))


def cost_of(problem: Problem, route: Route) -> int:
    """What a route costs: the vehicle, and driving from its depot and back."""
    vehicle = problem.vehicle_types[route.vehicle_type]
    ends = [[depot.place] if depot else [] for depot in (vehicle.start, vehicle.end)]
    visited = [
        problem.destinations[visit.destination].place
        if isinstance(visit, DropOff)
        else problem.requests[visit.request].place
        for visit in route.visits
    ]
    places = ends[0] + visited + ends[1]
    driven = sum(int(problem.cost[vehicle.rate, one, other]) for one, other in pairwise(places))
    return vehicle.fixed_cost + driven


def _numbered(route: Route, number: tuple[int, ...] | dict[int, int]) -> Route:
    def told(visit: Visit) -> Visit:
        return replace(visit, request=number[visit.request]) if isinstance(visit, PickUp) else visit

    return replace(route, visits=tuple(told(visit) for visit in route.visits))
