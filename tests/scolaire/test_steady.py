"""A plan of a changed demand that moves few: who rides already keeps coach, turn and time as far as can be."""

from dataclasses import replace

import numpy as np
import pytest

from fleet.check import broken_promises
from fleet.requests import Destination, Plan, Problem, Request, VehicleType
from fleet.search import Budget, Settings, search
from scolaire.checking import broken_promises as broken_school_promises
from scolaire.compare import compare
from scolaire.generator import draw_sector
from scolaire.periods import Asked, plan_week
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
    outcome = search_steadily(problem, Budget(steps=700), 1, fewer, settings=SMALL)
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
    outcome = search_steadily(problem, Budget(steps=700), 1, start, settings=SMALL)
    assert sorted(map(sorted, orders(outcome.plan))) == [[0, 1], [2], [3]]
    more = replace(problem, vehicle_types=(VehicleType((2,), 4),))
    outcome = search_steadily(more, Budget(steps=700), 1, start, settings=SMALL)
    assert sorted(map(sorted, orders(outcome.plan))) == [[0], [1], [2], [3]]


def test_nobody_is_fetched_much_earlier_for_somebody_new():
    # The one farthest out would wait 400 seconds longer aboard, or drive off as much earlier: a coach of its own comes.
    at = np.array([0, 1000, 800])
    drive = np.abs(at[:, None] - at[None]).astype(np.int32)
    requests = (Request(1, 0, (1,)), Request(2, 0, (1,), service=400, max_ride=900))
    problem = Problem(requests, (Destination(0, 5000, 5000),), (VehicleType((9,), 2),), drive, drive[None])
    alone = replace(problem, requests=requests[:1])
    start = search(alone, Budget(steps=5), 1, settings=SMALL).plan
    outcome = search_steadily(problem, Budget(steps=700), 1, Plan(start.routes, (1,)), settings=SMALL)
    assert sorted(orders(outcome.plan)) == [(0,), (1,)]
    near = replace(problem, requests=(requests[0], replace(requests[1], service=200)))
    outcome = search_steadily(near, Budget(steps=700), 1, Plan(start.routes, (1,)), settings=SMALL)
    assert orders(outcome.plan) == [(0, 1)]


def test_a_search_stopped_at_once_has_the_plan_so_far():
    problem = school_morning(32, 24, 4, mixed=True)
    plan = search(problem, Budget(steps=200), 1, settings=SMALL).plan
    told = []
    outcome = search_steadily(
        problem,
        Budget(steps=70_000),
        1,
        Plan(plan.routes[2:], (*plan.unserved, *(each for route in plan.routes[:2] for each in route.requests))),
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
    # the steady plan is the last one: some go later, whose coach passes a stop by where nobody waits any more
    assert all(each.before and each.after and not each.has_other_stop and each.earlier_s < 0 for each in felt)
    assert 5 * moved[True] <= moved[False]
    assert coaches[True] <= len(old.circuits) + 1
