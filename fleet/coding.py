"""Coding: problems and plans as the arrays of the kernels, and plans back from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fleet.kernels.arrays import NOBODY, NOWHERE, Instance, Ints, Room, Routes
from fleet.kernels.schedule import find_times
from fleet.requests import NO_LIMIT, Depot, DropOff, Locks, PickUp, Plan, Problem, Route, Visit

LONGEST: Final = 180
"""Visits that one route may have: several times the longest day of a school bus or a taxi."""
N_NEAR: Final = 100


def is_simple(problem: Problem) -> bool:
    """Whether nobody ever waits aboard: one destination at a time, pick-ups at any hour, shifts of any length."""
    alone = len({each.group for each in problem.destinations}) == len(problem.destinations)
    any_hour = all(each.earliest == -NO_LIMIT and each.latest == NO_LIMIT for each in problem.requests)
    return alone and any_hour and all(each.max_duration == NO_LIMIT for each in problem.vehicle_types)


def make_instance(problem: Problem, fixed: Iterable[int] = ()) -> Instance:
    """The problem as the kernels read it; `fixed` requests stay in their routes."""
    asked, aims, types = problem.requests, problem.destinations, problem.vehicle_types
    is_fixed = np.zeros(len(asked), np.uint8)
    is_fixed[list(fixed)] = 1
    n_kinds = len(types[0].places)
    earliest, latest = _windows(problem)
    return Instance(
        pick_place=_ints(each.place for each in asked),
        destination=_ints(each.destination for each in asked),
        load=np.array([each.load for each in asked], np.int32).reshape(len(asked), n_kinds),
        service=_longs(each.service for each in asked),
        earliest=earliest,
        latest=latest,
        max_ride=_longs(each.max_ride for each in asked),
        is_fixed=is_fixed,
        near=_near(problem),
        drop_place=_ints(each.place for each in aims),
        drop_service=_longs(each.service for each in aims),
        drop_earliest=_longs(each.earliest for each in aims),
        drop_latest=_longs(each.latest for each in aims),
        group=_numbered([each.group for each in aims]),
        places=np.array([each.places for each in types], np.int32),
        start=_ints(_place(each.start) for each in types),
        end=_ints(_place(each.end) for each in types),
        shift_earliest=_longs(each.earliest for each in types),
        shift_latest=_longs(each.latest for each in types),
        max_duration=_longs(each.max_duration for each in types),
        fixed_cost=_longs(each.fixed_cost for each in types),
        rate=_ints(each.rate for each in types),
        drive=np.ascontiguousarray(problem.drive),
        cost=np.ascontiguousarray(problem.cost),
    )


def make_routes(problem: Problem, plan: Plan, locks: Locks, n_at_rest: Sequence[int]) -> Routes:
    """The plan's routes and, of each type, some vehicles at rest; rows stand by type, in the plan's order."""
    rows: list[tuple[int, tuple[Visit, ...], int, bool]] = []
    for kind, n_idle in enumerate(n_at_rest):
        for index, route in enumerate(plan.routes):
            if route.vehicle_type == kind:
                rows.append((kind, route.visits, locks.begun.get(index, 0), index not in locks.routes))
        rows += [(kind, (), 0, True)] * n_idle
    longest = min(2 * len(problem.requests), LONGEST)
    longest = max([longest, *(len(visits) for _, visits, _, _ in rows)])
    shape = (len(rows), longest)
    routes = Routes(
        visits=np.zeros(shape, np.int32),
        n_visits=_ints(len(visits) for _, visits, _, _ in rows),
        vehicle_type=_ints(kind for kind, _, _, _ in rows),
        n_begun=_ints(n_begun for _, _, n_begun, _ in rows),
        is_open=np.array([is_open for _, _, _, is_open in rows], np.uint8),
        cost=np.zeros(len(rows), np.int64),
        place=np.zeros(shape, np.int32),
        destination=np.zeros(shape, np.int32),
        dropped_at=np.zeros(shape, np.int32),
        aboard=np.full(shape, NOBODY, np.int32),
        load=np.zeros((*shape, len(problem.vehicle_types[0].places)), np.int32),
        leaves=np.zeros(shape, np.int64),
        late=np.zeros(shape, np.int64),
        along=np.zeros(shape, np.int64),
        slack=np.zeros(shape, np.int64),
        version=np.ones(len(rows), np.int32),
        route_of=np.full(len(problem.requests), -1, np.int32),
        known=np.zeros((0 if is_simple(problem) else len(problem.requests), len(rows), 4), np.int64),
    )
    for row, (_, visits, _, _) in enumerate(rows):
        routes.visits[row, : len(visits)] = [code_of(visit) for visit in visits]
    return routes


def make_room(n_destinations: int, longest: int) -> Room:
    """Scratch for routes of up to `longest` visits."""
    return Room(
        visits=np.zeros(longest + 2, np.int32),
        dropped_at=np.zeros(longest + 2, np.int32),
        begins=np.zeros(longest + 2, np.int64),
        steps=np.zeros(longest + 2, np.int64),
        until=np.zeros(longest + 2, np.int64),
        limits=np.zeros(longest + 2, np.int64),
        next_drop=np.full(n_destinations, -1, np.int32),
    )


def code_of(visit: Visit) -> int:
    """A visit as one number."""
    return visit.request if isinstance(visit, PickUp) else -1 - visit.destination


def time_route(instance: Instance, vehicle_type: int, codes: Sequence[int] | Ints) -> Route | None:
    """A route with times: each drop as early as can be, each pick-up as late as the visit after it allows.

    None when no times satisfy every window, ride and shift.
    """
    n_visits = len(codes)
    dropped_at = np.arange(n_visits, dtype=np.int32)
    ahead: dict[int, int] = {}
    for at in range(n_visits - 1, -1, -1):
        if codes[at] < 0:
            ahead[int(codes[at])] = at
        else:
            dropped_at[at] = ahead[-1 - int(instance.destination[codes[at]])]
    room = make_room(0, n_visits)
    if not find_times(instance, vehicle_type, np.asarray(codes, np.int32), dropped_at, n_visits, room):
        return None
    begins = room.begins
    places = [instance.pick_place[code] if code >= 0 else instance.drop_place[-1 - code] for code in codes]
    for at in range(n_visits - 2, -1, -1):
        code = codes[at]
        if code >= 0:
            by = begins[at + 1] - instance.drive[places[at], places[at + 1]] - instance.service[code]
            begins[at] = min(by, instance.latest[code])
    visits = tuple(
        PickUp(int(code), int(time)) if code >= 0 else DropOff(int(-1 - code), int(time))
        for code, time in zip(codes, begins[:n_visits], strict=True)
    )
    return Route(vehicle_type, visits)


def without(problem: Problem, codes: Sequence[int], gone: int) -> list[int]:
    """The visits without one request, and without a drop that nobody is aboard for any more."""
    left: list[int] = []
    waited: set[int] = set()
    for code in codes:
        if code == gone:
            continue
        if code >= 0:
            waited.add(problem.requests[code].destination)
        elif -1 - code not in waited:
            continue
        else:
            waited.discard(-1 - code)
        left.append(code)
    return left


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int32)


def _longs(values: Iterable[int]) -> NDArray[np.int64]:
    return np.fromiter(values, np.int64)


def _numbered(groups: Sequence[int]) -> Ints:
    """Groups by the order in which they come: whatever their names, none is NOBODY."""
    first: dict[int, int] = {}
    return _ints(first.setdefault(group, len(first)) for group in groups)


def _place(depot: Depot | None) -> int:
    return NOWHERE if depot is None else depot.place


def _near(problem: Problem) -> Ints:
    """The requests picked up nearest to each, there and back; of equally near ones the first.

    Booked trips, which have destinations of their own, are as far from each other as they must wait for each other,
    too: who is picked up next door in the evening takes no room in a vehicle of the morning.
    """
    places = [each.place for each in problem.requests]
    n_near = min(len(places), N_NEAR)
    near = np.zeros((len(places), n_near), np.int32)
    earliest, latest = _windows(problem)
    for request, place in enumerate(places):
        both = problem.drive[place, places].astype(np.int64) + problem.drive[places, place]
        both += np.maximum(0, np.maximum(earliest - latest[request], earliest[request] - latest))
        both[request] = -1
        near[request] = np.argsort(both, kind="stable")[:n_near]
    return near


def _windows(problem: Problem) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When requests may be picked up: a booked trip at most its longest ride before."""
    booked = Counter(each.destination for each in problem.requests)
    earliest = np.array([each.earliest for each in problem.requests], np.int64)
    latest = np.array([each.latest for each in problem.requests], np.int64)
    for request, asked in enumerate(problem.requests):
        if booked[asked.destination] == 1:
            aim = problem.destinations[asked.destination]
            earliest[request] = max(asked.earliest, aim.earliest - asked.service - asked.max_ride)
            latest[request] = min(asked.latest, aim.latest - asked.service)
    return earliest, latest
