"""Check: every promise that a plan breaks, from the definitions alone.

Written without the kernels and unlike them: each rule is looked at by itself, visit by visit, in the order
in which one would explain it to somebody. An optimiser's plan is believed only when nothing is found here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from fleet.requests import NO_LIMIT, Depot, DropOff, PickUp, Plan, Problem, Route, Visit
from socle.matrix import NEVER


class Broken(StrEnum):
    """What may be wrong with a plan."""

    UNKNOWN = "unknown"  # a request, destination or vehicle type that the problem does not have
    FORGOTTEN = "forgotten"  # neither carried nor named as unserved
    SERVED_TWICE = "served_twice"  # taken aboard twice, or carried and named as unserved
    TOO_MANY_VEHICLES = "too_many_vehicles"
    NEVER_DROPPED = "never_dropped"
    NOBODY_TO_DROP = "nobody_to_drop"
    TOO_FULL = "too_full"
    GROUPS_MIXED = "groups_mixed"
    DRIVES_TOO_FAST = "drives_too_fast"
    NO_WAY = "no_way"
    OUTSIDE_WINDOW = "outside_window"
    RIDE_TOO_LONG = "ride_too_long"
    OUTSIDE_SHIFT = "outside_shift"
    SHIFT_TOO_LONG = "shift_too_long"


@dataclass(frozen=True, slots=True)
class BrokenPromise:
    """One broken rule; `route` and `visit` say where, `subject` which request, destination or vehicle type."""

    broken: Broken
    subject: int
    route: int | None = None
    visit: int | None = None


def broken_promises(problem: Problem, plan: Plan) -> tuple[BrokenPromise, ...]:
    """Everything that is wrong with `plan`; empty when it keeps every rule."""
    unknown = tuple(_unknown(problem, plan))
    if unknown:  # nothing else can be looked at
        return unknown
    found = [*_services(problem, plan), *_vehicles(problem, plan)]
    for index, route in enumerate(plan.routes):
        found += _people(problem, index, route)
        found += _times(problem, index, route)
    return tuple(found)


def _unknown(problem: Problem, plan: Plan) -> Iterator[BrokenPromise]:
    for request in plan.unserved:
        if not 0 <= request < len(problem.requests):
            yield BrokenPromise(Broken.UNKNOWN, request)
    for index, route in enumerate(plan.routes):
        if not 0 <= route.vehicle_type < len(problem.vehicle_types):
            yield BrokenPromise(Broken.UNKNOWN, route.vehicle_type, index)
        for at, visit in enumerate(route.visits):
            subject, known = (
                (visit.request, problem.requests)
                if isinstance(visit, PickUp)
                else (visit.destination, problem.destinations)
            )
            if not 0 <= subject < len(known):
                yield BrokenPromise(Broken.UNKNOWN, subject, index, at)


def _services(problem: Problem, plan: Plan) -> Iterator[BrokenPromise]:
    told = Counter(request for route in plan.routes for request in route.requests)
    told.update(plan.unserved)
    for request in range(len(problem.requests)):
        if told[request] == 0:
            yield BrokenPromise(Broken.FORGOTTEN, request)
        elif told[request] > 1:
            yield BrokenPromise(Broken.SERVED_TWICE, request)


def _vehicles(problem: Problem, plan: Plan) -> Iterator[BrokenPromise]:
    used = Counter(route.vehicle_type for route in plan.routes)
    for index, vehicle_type in enumerate(problem.vehicle_types):
        if used[index] > vehicle_type.count:
            yield BrokenPromise(Broken.TOO_MANY_VEHICLES, index)


def _people(problem: Problem, index: int, route: Route) -> Iterator[BrokenPromise]:
    """Who is aboard after each visit: seats, groups, rides, and that everybody gets off."""
    places = problem.vehicle_types[route.vehicle_type].places
    aboard: dict[int, int] = {}  # request -> when its ride began
    for at, visit in enumerate(route.visits):
        if isinstance(visit, PickUp):
            aboard[visit.request] = visit.begins + problem.requests[visit.request].service
        else:
            leaving = [request for request in aboard if problem.requests[request].destination == visit.destination]
            if not leaving:
                yield BrokenPromise(Broken.NOBODY_TO_DROP, visit.destination, index, at)
            for request in leaving:
                if visit.begins - aboard.pop(request) > problem.requests[request].max_ride:
                    yield BrokenPromise(Broken.RIDE_TOO_LONG, request, index, at)
        for kind, limit in enumerate(places):
            if sum(problem.requests[request].load[kind] for request in aboard) > limit:
                yield BrokenPromise(Broken.TOO_FULL, kind, index, at)
        groups = {problem.destinations[problem.requests[request].destination].group for request in aboard}
        if len(groups) > 1:
            yield BrokenPromise(Broken.GROUPS_MIXED, _subject(visit), index, at)
    for request in aboard:
        yield BrokenPromise(Broken.NEVER_DROPPED, request, index)


def _times(problem: Problem, index: int, route: Route) -> Iterator[BrokenPromise]:
    """That the vehicle can be where it says when it says, within windows and the shift."""
    vehicle_type = problem.vehicle_types[route.vehicle_type]
    first, last = route.visits[0], route.visits[-1]
    leaves = first.begins - _drive(problem, vehicle_type.start, _place(problem, first))
    returns = last.begins + _service(problem, last) + _drive(problem, _place(problem, last), vehicle_type.end)
    if leaves < vehicle_type.earliest or returns > vehicle_type.latest:
        yield BrokenPromise(Broken.OUTSIDE_SHIFT, route.vehicle_type, index)
    if returns - leaves > vehicle_type.max_duration:
        yield BrokenPromise(Broken.SHIFT_TOO_LONG, route.vehicle_type, index)
    for at, visit in enumerate(route.visits):
        asked = (
            problem.requests[visit.request] if isinstance(visit, PickUp) else problem.destinations[visit.destination]
        )
        if not asked.earliest <= visit.begins <= asked.latest:
            yield BrokenPromise(Broken.OUTSIDE_WINDOW, _subject(visit), index, at)
    for at, (before, after) in enumerate(pairwise(route.visits), start=1):
        driven = _drive(problem, _place(problem, before), _place(problem, after))
        if driven >= NO_LIMIT:
            yield BrokenPromise(Broken.NO_WAY, _subject(after), index, at)
        elif before.begins + _service(problem, before) + driven > after.begins:
            yield BrokenPromise(Broken.DRIVES_TOO_FAST, _subject(after), index, at)


def _subject(visit: Visit) -> int:
    return visit.request if isinstance(visit, PickUp) else visit.destination


def _place(problem: Problem, visit: Visit) -> int:
    if isinstance(visit, DropOff):
        return problem.destinations[visit.destination].place
    return problem.requests[visit.request].place


def _service(problem: Problem, visit: Visit) -> int:
    if isinstance(visit, DropOff):
        return problem.destinations[visit.destination].service
    return problem.requests[visit.request].service


def _drive(problem: Problem, origin: int | Depot | None, target: int | Depot | None) -> int:
    """Time from place to place; none from or to a depot that is not given, NO_LIMIT where there is no way."""
    start = origin.place if isinstance(origin, Depot) else origin
    end = target.place if isinstance(target, Depot) else target
    if start is None or end is None:
        return 0
    seconds = int(problem.drive[start, end])
    return seconds if seconds < NEVER else NO_LIMIT
