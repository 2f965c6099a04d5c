"""A plan of a changed demand that moves few: who rides already keeps coach, turn and time as far as can be."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from fleet.check import broken_promises
from fleet.coding import code_of, make_instance, time_route
from fleet.requests import Destination, PickUp, Plan, Problem, Request, VehicleType
from fleet.search import Budget, Settings, search
from scolaire.checking import broken_promises as broken_school_promises
from scolaire.compare import compare
from scolaire.generator import draw_sector
from scolaire.periods import Asked, plan_week
from scolaire.plans import MOVED_S
from scolaire.steady import search_steadily
from scolaire.ways import Ways, places_of, straight_matrix
from tests.worlds.carrying import school_morning

SMALL = Settings(mean_removed=4, longest_string=4, round_steps=256)


def orders(plan):
    return [route.requests for route in plan.routes]


@pytest.mark.parametrize("mixed", [False, True])
def test_who_is_new_comes_between_and_nobody_else_changes_coach_or_turn(mixed):
    problem = school_morning(31, 24, 4, mixed=mixed)
    plan = search(problem, Budget(steps=300), 1, settings=SMALL).plan
    fewer = Plan(
        tuple(replace(route, visits=route.visits) for route in plan.routes[1:]),
        (*plan.unserved, *plan.routes[0].requests),
    )
    outcome = search_steadily(problem, Budget(steps=20_000), 1, fewer, {}, settings=SMALL)
    assert broken_promises(problem, outcome.plan) == ()
    assert set(outcome.plan.unserved) == set(outcome.impossible)
    kept = [[each for each in order if each not in plan.routes[0].requests] for order in orders(outcome.plan)]
    assert [list(order) for order in orders(fewer)] == [order for order in kept if order] or len(kept) > len(
        fewer.routes
    )
    assert len(outcome.plan.routes) <= len(fewer.routes) + 1


def street(loads, n_vehicles) -> Problem:
    """A school at the end of a street, reached at one moment by coaches of two seats, a door for everybody."""
    at = np.array([0, *range(100, 100 + 10 * len(loads), 10)])
    drive = np.abs(at[:, None] - at[None]).astype(np.int32)
    requests = tuple(Request(place, 0, (load,)) for place, load in enumerate(loads, 1))
    return Problem(requests, (Destination(0, 1000, 1000),), (VehicleType((2,), n_vehicles),), drive, drive[None])


def without(plan: Plan, gone: int) -> Plan:
    """The plan of street(), somebody no longer carried."""
    routes = (
        replace(route, visits=tuple(visit for visit in route.visits if getattr(visit, "request", -1) != gone))
        for route in plan.routes
    )
    return Plan(tuple(route for route in routes if len(route.visits) > 1), (*plan.unserved, gone))


def test_coaches_around_are_planned_anew_only_when_somebody_would_stay_behind():
    problem = street((1, 1, 2, 2), 3)
    together = search(problem, Budget(steps=200), 1, settings=SMALL).plan
    assert sorted(map(sorted, orders(together))) == [[0, 1], [2], [3]]
    apart = search(street((2, 2, 2, 0), 3), Budget(steps=200), 1, settings=SMALL).plan
    start = without(apart, 3)  # the first two in coaches of their own, which the last one needs
    assert sorted(map(sorted, orders(start))) == [[0], [1], [2]]
    outcome = search_steadily(problem, Budget(steps=7_000), 1, start, {}, settings=SMALL)
    assert sorted(map(sorted, orders(outcome.plan))) == [[0, 1], [2], [3]]
    more = replace(problem, vehicle_types=(VehicleType((2,), 4),))
    outcome = search_steadily(more, Budget(steps=7_000), 1, start, {}, settings=SMALL)
    assert sorted(map(sorted, orders(outcome.plan))) == [[0], [1], [2], [3]]


def test_nobody_is_fetched_much_earlier_for_somebody_new():
    # The one farthest out would wait 400 seconds longer aboard, or drive off as much earlier: a coach of its own comes.
    at = np.array([0, 1000, 800])
    drive = np.abs(at[:, None] - at[None]).astype(np.int32)
    requests = (Request(1, 0, (1,)), Request(2, 0, (1,), service=400, max_ride=900))
    problem = Problem(requests, (Destination(0, 5000, 5000),), (VehicleType((9,), 2),), drive, drive[None])
    alone = replace(problem, requests=requests[:1])
    start = search(alone, Budget(steps=5), 1, settings=SMALL).plan
    told = {0: (start.routes[0].visits[0].begins - MOVED_S, start.routes[0].visits[0].begins + MOVED_S)}
    outcome = search_steadily(problem, Budget(steps=700), 1, Plan(start.routes, (1,)), told, settings=SMALL)
    assert sorted(orders(outcome.plan)) == [(0,), (1,)]
    near = replace(problem, requests=(requests[0], replace(requests[1], service=200)))
    outcome = search_steadily(near, Budget(steps=700), 1, Plan(start.routes, (1,)), told, settings=SMALL)
    assert orders(outcome.plan) == [(0, 1)]
    only = replace(problem, vehicle_types=(VehicleType((9,), 1),))  # the one coach there is comes earlier
    outcome = search_steadily(only, Budget(steps=7_000), 1, Plan(start.routes, (1,)), told, settings=SMALL)
    assert orders(outcome.plan) == [(0, 1)]
    assert outcome.plan.routes[0].visits[0].begins < told[0][0]


def test_a_window_that_bells_have_made_impossible_is_not_kept():
    at = np.array([0, 1000])
    drive = np.abs(at[:, None] - at[None]).astype(np.int32)
    problem = Problem(
        (Request(1, 0, (1,), max_ride=1200),),
        (Destination(0, 5000, 5000),),
        (VehicleType((9,), 2),),
        drive,
        drive[None],
    )
    start = search(problem, Budget(steps=5), 1, settings=SMALL).plan
    for windows in ({0: (100, 700)}, {0: (8000, 8600)}):
        for begun in (start, Plan((), (0,))):
            outcome = search_steadily(problem, Budget(steps=700), 1, begun, windows, settings=SMALL)
            assert outcome.plan.routes == start.routes
            assert outcome.impossible == ()


@pytest.mark.parametrize("mixed", [False, True])
def test_as_many_steps_give_the_same_plan_as_a_clock_and_windows_of_nobody_who_is_left_in_place_are_missed(mixed):
    problem = school_morning(33, 40, 4, mixed=mixed)
    plan = search(problem, Budget(steps=2_000), 1, settings=SMALL).plan
    gone = {request for route in plan.routes[-3:] for request in route.requests}
    start = Plan(plan.routes[:-3], (*plan.unserved, *gone))
    told = {
        visit.request: (visit.begins - MOVED_S, visit.begins + MOVED_S)
        for route in start.routes
        for visit in route.visits
        if isinstance(visit, PickUp)
    }
    ticks = itertools.count()
    by_clock = Budget(seconds=150.0, clock=lambda: float(next(ticks)))
    first = search_steadily(problem, by_clock, 1, start, told, settings=SMALL)
    again = search_steadily(problem, Budget(steps=first.n_steps), 1, start, told, settings=SMALL)
    assert again.plan == first.plan
    assert again.n_steps == first.n_steps
    assert broken_promises(problem, first.plan) == ()
    asked = [
        replace(each, earliest=told[at][0], latest=told[at][1]) if at in told else each
        for at, each in enumerate(problem.requests)
    ]
    held = search_steadily(problem, Budget(steps=1_000), 1, start, told, settings=SMALL).plan
    instance = make_instance(replace(problem, requests=tuple(asked)))
    for route in held.routes:  # within the first steps nobody's window goes
        assert time_route(instance, route.vehicle_type, [code_of(visit) for visit in route.visits]) is not None


def test_a_search_stopped_at_once_has_the_plan_so_far():
    problem = school_morning(32, 24, 4, mixed=True)
    plan = search(problem, Budget(steps=200), 1, settings=SMALL).plan
    told = []
    outcome = search_steadily(
        problem,
        Budget(steps=70_000),
        1,
        Plan(plan.routes[2:], (*plan.unserved, *(each for route in plan.routes[:2] for each in route.requests))),
        {},
        settings=SMALL,
        on_better=lambda incumbent: told.append(incumbent) or True,
    )
    assert len(told) == 1
    assert outcome.n_steps < 70_000
    assert broken_promises(problem, outcome.plan) == ()


def test_after_a_small_change_few_pupils_of_a_sector_move_and_one_coach_more_suffices():
    sector = draw_sector(5, n_pupils=200)
    matrix = straight_matrix(places_of(sector))
    asked = Asked(steps=1_500, weekdays=(0,))
    old = plan_week(sector, matrix, asked, "avant")
    homes = [number for number, home in sector.plannable if home == 0 and len(sector.pupils[number].homes) == 1]
    pupils = list(sector.pupils)
    for leaving, like in zip(homes[::40], homes[7::40], strict=False):
        pupils[leaving] = replace(pupils[like], pupil_id=f"new-{leaving}")
    stayed = {each.pupil_id for each in sector.pupils} & {each.pupil_id for each in pupils}
    changed = replace(sector, pupils=tuple(pupils))
    moved, coaches = {}, {}
    for steady in (False, True):
        new = plan_week(changed, matrix, replace(asked, steady=steady), "après", reference=old)
        assert broken_school_promises(new, Ways(places_of(sector), matrix)) == ()
        felt = [each for each in compare(old, new).changes if each.is_felt and each.pupil_id in stayed]
        moved[steady], coaches[steady] = len({each.pupil_id for each in felt}), len(new.circuits)
    assert 20 * moved[True] <= moved[False]
    assert coaches[True] <= len(old.circuits) + 1
