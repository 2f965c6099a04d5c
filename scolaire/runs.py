"""Runs: the morning of a sector as a problem of `fleet`, and its plan told in stops, schools and pupils.

Pupils who wait at one stop for one school are a request; more of them than the largest coach holds are several.
A pupil in a wheelchair takes a place for one and no seat. A coach leaves its depot, and everybody for a school
gets off there within its window before the bell. With mixed load coaches carry pupils of several schools at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from fleet.check import Broken, broken_promises
from fleet.parts import cost_of
from fleet.requests import DropOff, Plan, Problem, Route
from fleet.search import Budget, Incumbent, Outcome, search
from scolaire.outings import (
    Demand,
    costs_of,
    destinations_of,
    parted,
    request_of,
    settings_of,
    stops_of,
    vehicles_of,
)
from scolaire.plans import Direction, Halt, Making, NotServed, Period, Rider, Run, SchoolPlan, Waiting
from scolaire.pupils import WEEKDAYS, Level, Sector
from scolaire.timing import timed
from scolaire.ways import Ways, places_of
from socle.errors import BadInput
from socle.matrix import TravelMatrix

_ONE_PRICE: Final = 10**9  # dearer than any detour


@dataclass(frozen=True, slots=True)
class Morning:
    """A morning to plan: request i of the problem is demand i, destination j is school j."""

    sector: Sector
    demands: tuple[Demand, ...]
    problem: Problem
    matrix: TravelMatrix  # between `places_of(sector)`
    weekday: int
    mixed: bool
    without_stop: tuple[int, ...]  # pupils who have no validated stop within reach of the home of that day


def make_morning(sector: Sector, matrix: TravelMatrix, weekday: int, *, mixed: bool) -> Morning:
    """The problem of one weekday (Monday is 0); the matrix is between `places_of(sector)`.

    Raises:
        BadInput: `sector_without_vehicles`.
    """
    if not sector.vehicle_types:
        raise BadInput("sector_without_vehicles")
    waiting: dict[tuple[int, int], list[int]] = {}
    without_stop = []
    school_of = {school.school_id: index for index, school in enumerate(sector.schools)}
    for (pupil, home), stop in zip(sector.plannable, stops_of(sector), strict=True):
        if not sector.pupils[pupil].homes[home].days >> weekday & 1:
            continue
        if stop is None:
            without_stop.append(pupil)
        else:
            waiting.setdefault((stop, school_of[sector.pupils[pupil].school_id]), []).append(pupil)
    most = (
        max((each.seats for each in sector.vehicle_types), default=1),
        max((each.wheelchair_places for each in sector.vehicle_types), default=1),
    )
    demands = tuple(
        Demand(stop, school, part)
        for (stop, school), pupils in sorted(waiting.items())
        for part in parted(sector, pupils, most)
    )
    problem = Problem(
        tuple(request_of(sector, demand, _period(weekday)) for demand in demands),
        tuple(destinations_of(sector, _period(weekday), mixed=mixed)),
        tuple(vehicles_of(sector, len(demands))),
        matrix.seconds,
        np.stack([costs_of(matrix, each.km_cents, each.hour_cents) for each in sector.vehicle_types]),
    )
    return Morning(sector, demands, problem, matrix, weekday, mixed, tuple(without_stop))


def _period(weekday: int) -> Period:
    return Period(WEEKDAYS[weekday], 1 << weekday, Direction.TO_SCHOOL)


def plan_morning(
    problem: Problem,
    budget: Budget,
    seed: int,
    on_better: Callable[[Incumbent], bool] | None = None,
    is_stopped: Callable[[], bool] | None = None,
) -> Outcome:
    """A plan with few coaches, each as small and cheap as its run allows.

    The search drives the largest types of vehicle, all at one price: with small ones at hand it would fill the
    morning with them, and a coach is worth more than its size. What each route needs is chosen afterwards.
    The plan of an incumbent has the largest types still.
    """
    return sized(problem, plan_with_largest(problem, budget, seed, on_better, is_stopped))


def plan_with_largest(
    problem: Problem,
    budget: Budget,
    seed: int,
    on_better: Callable[[Incumbent], bool] | None = None,
    is_stopped: Callable[[], bool] | None = None,
    start: Plan | None = None,
) -> Outcome:
    """A plan with few coaches of the largest types, and of those in the plan to start from."""
    types = problem.vehicle_types
    largest = [
        index
        for index, each in enumerate(types)
        if not any(other.places != each.places and _holds(other.places, each.places) for other in types)
    ]
    begun = {route.vehicle_type for route in start.routes} if start is not None else set()
    largest += begun.difference(largest)
    largest.sort(key=lambda index: (-sum(types[index].places), index))
    alike = tuple(replace(types[index], fixed_cost=_ONE_PRICE, rate=types[largest[0]].rate) for index in largest)
    large = replace(problem, vehicle_types=alike)

    def named(plan: Plan) -> Plan:
        routes = (replace(route, vehicle_type=largest[route.vehicle_type]) for route in plan.routes)
        return replace(plan, routes=tuple(routes))

    def told(incumbent: Incumbent) -> bool:
        return on_better is not None and on_better(replace(incumbent, plan=lambda: named(incumbent.plan())))

    if start is not None:
        number = {kind: index for index, kind in enumerate(largest)}
        routes = (replace(route, vehicle_type=number[route.vehicle_type]) for route in start.routes)
        start = replace(start, routes=tuple(routes))
    outcome = search(
        large, budget, seed, start=start, on_better=told, is_stopped=is_stopped, settings=settings_of(problem)
    )
    return replace(outcome, plan=named(outcome.plan))


def sized(problem: Problem, outcome: Outcome) -> Outcome:
    """The plan with the cheapest type for each route that keeps every rule, the dearest route choosing first."""
    plan = outcome.plan
    left = [each.count for each in problem.vehicle_types]
    for route in plan.routes:
        left[route.vehicle_type] -= 1
    routes = list(plan.routes)
    for index in sorted(range(len(routes)), key=lambda at: (-cost_of(problem, routes[at]), at)):
        route = routes[index]
        left[route.vehicle_type] += 1
        options = [replace(route, vehicle_type=kind) for kind, n in enumerate(left) if n > 0]
        options.sort(key=lambda option: (cost_of(problem, option), option.vehicle_type))
        routes[index] = next(option for option in options if _is_kept(problem, option))
        left[routes[index].vehicle_type] -= 1
    plan = replace(plan, routes=tuple(routes))
    return replace(outcome, plan=plan, cost=sum(cost_of(problem, route) for route in plan.routes))


def _is_kept(problem: Problem, route: Route) -> bool:
    """Whether a route alone breaks no rule; that it leaves others out is none of its."""
    broken = broken_promises(problem, Plan((route,)))
    return all(each.broken is Broken.FORGOTTEN for each in broken)


def _holds(places: Sequence[int], others: Sequence[int]) -> bool:
    return all(one >= other for one, other in zip(places, others, strict=True))


def school_plan(morning: Morning, outcome: Outcome, seed: int, title: str) -> SchoolPlan:
    """The plan that was found, in stops, schools and pupils; each coach is a circuit of one run."""
    sector = morning.sector
    pupils = sorted({pupil for pupil, _ in sector.plannable})
    rider_of = {pupil: rider for rider, pupil in enumerate(pupils)}
    school_of = {school.school_id: index for index, school in enumerate(sector.schools)}
    waits: dict[int, tuple[Waiting, ...]] = {
        pupil: (Waiting(Direction.TO_SCHOOL, 1 << morning.weekday, demand.stop),)
        for demand in morning.demands
        for pupil in demand.pupils
    }
    riders = tuple(
        Rider(one.pupil_id, school_of[one.school_id], one.level, one.wheelchair, waits.get(pupil, ()))
        for pupil, one in ((pupil, sector.pupils[pupil]) for pupil in pupils)
    )
    plan = SchoolPlan(
        title,
        sector.schools,
        sector.stops,
        sector.vehicle_types,
        riders,
        (_period(morning.weekday),),
        (),
        tuple(NotServed(pupil_id, why, 0) for pupil_id, why in not_served(morning, outcome.plan)),
        Making(seed, outcome.n_steps, morning.mixed),
    )
    ways = Ways(places_of(sector), morning.matrix)
    routes = sorted(outcome.plan.routes, key=lambda route: (route.visits[0].begins, route.requests))
    runs = (_run(plan, morning, route, f"C{at:03d}", rider_of) for at, route in enumerate(routes, 1))
    return replace(plan, runs=tuple(timed(plan, run, ways).run for run in runs))


def _run(plan: SchoolPlan, morning: Morning, route: Route, circuit_id: str, rider_of: Mapping[int, int]) -> Run:
    """A route with its halts, without times: visits one after the other at one place are one halt."""
    halts: list[Halt] = []
    aboard: dict[int, tuple[int, ...]] = {}
    for visit in route.visits:
        if isinstance(visit, DropOff):
            halts.append(Halt(0, 0, 0, 0, school=visit.destination, down=aboard.pop(visit.destination, ())))
            continue
        request, demand = morning.problem.requests[visit.request], morning.demands[visit.request]
        up = tuple(rider_of[pupil] for pupil in demand.pupils)
        aboard[request.destination] = aboard.get(request.destination, ()) + up
        if halts and halts[-1].stop == demand.stop:
            halts[-1] = replace(halts[-1], up=halts[-1].up + up)
        else:
            halts.append(Halt(0, 0, 0, 0, stop=demand.stop, up=up))
    has_nursery = any(plan.riders[rider].level is Level.NURSERY for halt in halts for rider in halt.up)
    return Run(f"{circuit_id}-M", circuit_id, 0, route.vehicle_type, tuple(halts), 0, 0, has_attendant=has_nursery)


def not_served(morning: Morning, plan: Plan) -> list[tuple[str, str]]:
    """Ids of pupils whom no coach of the plan carries, and why."""
    sector = morning.sector
    left = [(pupil, "no_vehicle") for request in plan.unserved for pupil in morning.demands[request].pupils]
    left += [(pupil, "no_stop_in_reach") for pupil in morning.without_stop]
    return [(sector.pupils[pupil].pupil_id, why) for pupil, why in left] + [
        (each.pupil_id, each.code) for each in sector.left_out
    ]
