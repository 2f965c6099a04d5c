"""Steady: a plan for a changed demand that moves as few pupils as can be from where and when they travel already.

Everybody whom a plan carries keeps coach and turn, and whoever is new or finds no seat any more is put in between, as
long as nobody must be at the stop more than five minutes earlier for it: a window that begins then says so. Where
this takes two coaches more than before, or leaves somebody out, first the windows go, and then those around are
planned anew: the nearest few first, twice as many each time, until it does not. So what is wanted is, in this order:
everybody carried, one coach more at most, few pupils moved, cheap driving.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from fleet.requests import NO_LIMIT, Locks, PickUp, Plan, Problem, Route
from fleet.search import Budget, Incumbent, Outcome, Settings, search

N_RINGS: Final = 6  # the last is 64 coaches around each
FIRST_RING: Final = 2
WITHIN_S: Final = 5 * 60  # as `compare` counts who is moved
ONE_MORE: Final = 1  # a coach more than before moves nobody; without it a tenth of a sector may have to change


def search_steadily(
    problem: Problem,
    budget: Budget,
    seed: int,
    start: Plan,
    *,
    settings: Settings,
    on_better: Callable[[Incumbent], bool] | None = None,
    is_stopped: Callable[[], bool] | None = None,
) -> Outcome:
    """The plan that is least unlike `start`; every ring has an equal part of the budget at most."""
    part = replace(
        budget,
        steps=None if budget.steps is None else max(1, budget.steps // (N_RINGS + 2)),
        seconds=None if budget.seconds is None else budget.seconds / (N_RINGS + 2),
    )
    begun, n_steps = budget.now(), 0
    best: Outcome | None = None
    most = len(start.routes) + ONE_MORE
    is_over = False
    n_impossible = 0

    def tell(incumbent: Incumbent) -> bool:
        nonlocal is_over
        if on_better is not None and _is_less(incumbent.n_unserved, incumbent.n_vehicles, best):
            seconds = budget.now() - begun
            is_over = on_better(replace(incumbent, n_steps=n_steps + incumbent.n_steps, seconds=seconds))
        is_enough = incumbent.n_unserved <= n_impossible and incumbent.n_vehicles <= most
        return is_over or (bool(freed) and is_enough)

    freed: set[int] = set()
    for ring in range(-1, N_RINGS + 1):
        kept = frozenset(
            request for number, route in enumerate(start.routes) if number not in freed for request in route.requests
        )
        found = search(
            _pinned(problem, start, kept) if ring < 0 else problem,
            part,
            seed,
            start=start,
            locks=Locks(requests=kept),
            on_better=tell,
            is_stopped=is_stopped,
            fewest=len(start.routes),
            settings=settings,
        )
        n_steps += found.n_steps
        n_impossible = len(found.impossible)
        if best is None or _is_less(len(found.plan.unserved), len(found.plan.routes), best):
            best = found
        is_enough = len(found.plan.unserved) == n_impossible and len(found.plan.routes) <= most
        if is_over or is_enough or (is_stopped is not None and is_stopped()):
            break
        if ring < 0:
            continue  # first let everybody be fetched earlier who must be
        before = len(freed)
        freed |= _around(problem, start, found, FIRST_RING << ring)
        if len(freed) == before:
            break
    return replace(best or found, n_steps=n_steps, seconds=budget.now() - begun)


def _is_less(n_unserved: int, n_vehicles: int, best: Outcome | None) -> bool:
    """Whether this is better than the best so far, which moves fewer pupils and is kept when it is not."""
    return best is None or (n_unserved, n_vehicles) < (len(best.plan.unserved), len(best.plan.routes))


def _pinned(problem: Problem, start: Plan, kept: frozenset[int]) -> Problem:
    """The problem in which those kept board no more than `WITHIN_S` before the latest moment of their route."""
    requests = list(problem.requests)
    for route in start.routes:
        if problem.vehicle_types[route.vehicle_type].max_duration < NO_LIMIT:
            continue
        for visit, by in zip(route.visits, _latest(problem, route), strict=True):
            if isinstance(visit, PickUp) and visit.request in kept:
                asked = requests[visit.request]
                requests[visit.request] = replace(asked, earliest=max(asked.earliest, by - WITHIN_S))
    return replace(problem, requests=tuple(requests))


def _latest(problem: Problem, route: Route) -> list[int]:
    """The latest moments at which the visits of a route may begin together, windows and rides kept.

    Lowered until nothing moves: by the next visit and the drive to it, and a drop by who is aboard longest.
    """
    vehicle = problem.vehicle_types[route.vehicle_type]
    asked = [
        problem.requests[visit.request] if isinstance(visit, PickUp) else problem.destinations[visit.destination]
        for visit in route.visits
    ]
    ends = [each.place for each in asked[1:]] + ([vehicle.end.place] if vehicle.end else [asked[-1].place])
    takes = [each.service + int(problem.drive[each.place, end]) for each, end in zip(asked, ends, strict=True)]
    by = [each.latest for each in asked]
    moved = True
    while moved:
        before, limit = list(by), vehicle.latest
        for at in range(len(by) - 1, -1, -1):
            by[at] = limit = min(by[at], limit - takes[at])
        aboard: dict[int, int] = {}
        for at, visit in enumerate(route.visits):
            if isinstance(visit, PickUp):
                request = problem.requests[visit.request]
                until = by[at] + request.service + request.max_ride
                aboard[request.destination] = min(aboard.get(request.destination, NO_LIMIT), until)
            else:
                by[at] = min(by[at], aboard.pop(visit.destination, NO_LIMIT))
        moved = by != before
    return by


def _around(problem: Problem, start: Plan, found: Outcome, n_routes: int) -> set[int]:
    """The routes of `start` whose pick-ups are nearest to each request that it takes one more vehicle to carry."""
    known = {request for route in start.routes for request in route.requests}
    troubled = set(found.plan.unserved) - set(found.impossible)
    for route in found.plan.routes:
        if not known.intersection(route.requests):
            troubled.update(route.requests)
    around: set[int] = set()
    for request in troubled:
        place = problem.requests[request].place
        far = [
            min(int(problem.drive[place, problem.requests[other].place]) for other in route.requests)
            for route in start.routes
        ]
        around.update(sorted(range(len(far)), key=lambda route: (far[route], route))[:n_routes])
    return around
