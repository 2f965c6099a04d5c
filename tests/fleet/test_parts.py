"""A few routes of a plan as a problem of their own, and back in the plan."""

import random

import pytest

from fleet.check import broken_promises
from fleet.parts import cost_of, part_of
from fleet.search import Budget, Settings, search
from tests.worlds.carrying import booked_trips, school_morning

SMALL = Settings(mean_removed=4, longest_string=4, round_steps=256)
PROBLEMS = (school_morning(41, 24, 4, mixed=True), school_morning(42, 24, 4, mixed=False), booked_trips(43, 20, 4))


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_part_searched_again_is_a_whole_plan_that_breaks_no_rule(problem):
    plan = search(problem, Budget(steps=200), 1, settings=SMALL).plan
    for seed in range(6):
        dice = random.Random(seed)
        routes = set(dice.sample(range(len(plan.routes)), min(3, len(plan.routes))))
        part = part_of(problem, plan, routes, plan.unserved)
        assert broken_promises(part.problem, part.start) == ()
        again = part.whole(part.start)
        assert sorted(again.routes, key=repr) == sorted(plan.routes, key=repr)
        assert again.unserved == plan.unserved
        better = part.whole(search(part.problem, Budget(steps=100), seed, start=part.start, settings=SMALL).plan)
        assert broken_promises(problem, better) == ()
        beside = {plan.routes[index] for index in range(len(plan.routes)) if index not in routes}
        assert beside <= set(better.routes)


def test_a_part_has_only_the_vehicles_that_nobody_else_uses():
    problem = PROBLEMS[0]
    plan = search(problem, Budget(steps=200), 1, settings=SMALL).plan
    part = part_of(problem, plan, {0}, ())
    for kind, (mine, all_of_them) in enumerate(zip(part.problem.vehicle_types, problem.vehicle_types, strict=True)):
        assert mine.count == all_of_them.count - sum(route.vehicle_type == kind for route in plan.routes[1:])


def test_the_cost_of_all_routes_is_that_of_the_search():
    for problem in PROBLEMS:
        outcome = search(problem, Budget(steps=200), 1, settings=SMALL)
        assert sum(cost_of(problem, route) for route in outcome.plan.routes) == outcome.cost
