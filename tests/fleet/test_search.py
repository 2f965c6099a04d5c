"""The search: as its slow twin decides, within every rule, the same again, and keeping what is locked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fleet.check import broken_promises
from fleet.requests import Destination, Locks, Plan, Problem, Request, VehicleType
from fleet.search import CHEAPEST, FEWEST_THEN_CHEAPEST, FEWEST_VEHICLES, Budget, Settings, search
from socle.errors import BadInput
from tests.oracles.vehicle_routes import SlowSearch, coded
from tests.worlds.carrying import booked_trips, school_morning

SMALL = Settings(mean_removed=4, longest_string=4, blink=0.05, round_steps=256, alone_steps=0)


def problems() -> list[tuple[str, Problem]]:
    """One of each kind: nobody waits aboard; several schools aboard at once; windows at both ends."""
    return [
        ("single load", school_morning(1, 14, 3, mixed=False)),
        ("mixed load", school_morning(2, 12, 3, mixed=True)),
        ("mixed load, no window", school_morning(3, 12, 2, mixed=True, window=0)),
        ("booked trips", booked_trips(4, 9, 5)),
    ]


@pytest.mark.parametrize(("kind", "problem"), problems())
@pytest.mark.parametrize("seed", [1, 2])
def test_the_kernel_decides_as_its_slow_twin(kind, problem, seed):
    n_steps = 150 if kind != "booked trips" else 60
    twin = SlowSearch(problem, seed, SMALL)
    slow = twin.run_giving_up(n_steps)
    outcome = search(problem, Budget(steps=n_steps), seed, FEWEST_VEHICLES, settings=SMALL)
    assert coded(outcome.plan) == slow
    assert outcome.impossible == tuple(twin.impossible)
    assert broken_promises(problem, outcome.plan) == ()


@pytest.mark.parametrize(("kind", "problem"), problems())
def test_the_same_seed_and_steps_give_the_same_plan_and_cheap_driving_comes_after_few_vehicles(kind, problem):
    told = [search(problem, Budget(steps=2000), 7, FEWEST_THEN_CHEAPEST, settings=SMALL) for _ in range(2)]
    assert told[0].plan == told[1].plan
    assert told[0].n_steps == 2000
    fewest = search(problem, Budget(steps=500), 7, FEWEST_VEHICLES, settings=SMALL)
    assert (len(told[0].plan.unserved), len(told[0].plan.routes)) <= (
        len(fewest.plan.unserved),
        len(fewest.plan.routes),
    )
    assert broken_promises(problem, told[0].plan) == ()


def test_a_plan_to_begin_with_is_never_made_worse():
    problem = school_morning(11, 24, 4, mixed=False)
    first = search(problem, Budget(steps=400), 1, settings=SMALL)
    second = search(problem, Budget(steps=400), 2, start=first.plan, settings=SMALL)
    assert (len(second.plan.routes), second.cost) <= (len(first.plan.routes), first.cost)
    untouched = search(problem, Budget(steps=0), 2, start=first.plan, settings=SMALL)
    assert untouched.plan == first.plan


def test_a_plan_without_somebody_is_completed():
    problem = school_morning(12, 16, 3, mixed=True)
    plan = search(problem, Budget(steps=300), 1, settings=SMALL).plan
    shorter = Plan(plan.routes[1:], plan.routes[0].requests)
    outcome = search(problem, Budget(steps=300), 1, start=shorter, settings=SMALL)
    assert outcome.plan.unserved == ()
    assert broken_promises(problem, outcome.plan) == ()


@pytest.mark.parametrize("seed", range(4))
def test_locks_hold(seed):
    problem = school_morning(20 + seed, 24, 4, mixed=bool(seed % 2))
    plan = search(problem, Budget(steps=30), 1, settings=SMALL).plan
    stays, sticks, begun = plan.routes[0], plan.routes[1].requests, plan.routes[2].visits[:2]
    locks = Locks(routes=frozenset({0}), requests=frozenset(sticks), begun={2: 2})
    found = search(problem, Budget(steps=800), seed, start=plan, locks=locks, settings=SMALL).plan
    assert broken_promises(problem, found) == ()
    assert stays.visits in {route.visits for route in found.routes}
    assert any([each for each in route.requests if each in sticks] == list(sticks) for route in found.routes)
    codes = [[(type(each), getattr(each, "request", -1)) for each in route.visits[:2]] for route in found.routes]
    assert [(type(each), getattr(each, "request", -1)) for each in begun] in codes


def test_with_several_schools_aboard_one_begins_with_one_at_a_time_and_goes_on_from_there():
    single, mixed = (school_morning(17, 30, 4, mixed=mixed) for mixed in (False, True))
    settings = replace(SMALL, alone_steps=200)
    begun = search(single, Budget(steps=200), 1, FEWEST_VEHICLES, settings=SMALL)
    assert search(mixed, Budget(steps=200), 1, FEWEST_VEHICLES, settings=settings).plan == begun.plan
    further = search(mixed, Budget(steps=900), 1, FEWEST_VEHICLES, settings=settings)
    assert broken_promises(mixed, further.plan) == ()
    assert (further.n_steps, further.plan.unserved) == (900, begun.plan.unserved)
    assert len(further.plan.routes) <= len(begun.plan.routes)


def test_a_plan_that_breaks_a_rule_is_no_plan_to_begin_with():
    problem = school_morning(13, 12, 2, mixed=False)
    plan = search(problem, Budget(steps=50), 1, settings=SMALL).plan
    doubled = Plan((*plan.routes, plan.routes[0]), plan.unserved)
    with pytest.raises(BadInput, match="start_impossible"):
        search(problem, Budget(steps=1), 1, start=doubled)


def test_who_no_vehicle_could_carry_alone_is_named_and_the_others_are_carried():
    easy = school_morning(14, 10, 2, mixed=False)
    many = replace(easy.requests[3], load=(51, 0))
    far = replace(easy.requests[5], max_ride=0)
    problem = replace(easy, requests=(*easy.requests[:3], many, easy.requests[4], far, *easy.requests[6:]))
    before = search(easy, Budget(steps=0), 1, settings=SMALL).impossible
    outcome = search(problem, Budget(steps=100), 1, settings=SMALL)
    assert outcome.impossible == outcome.plan.unserved == tuple(sorted({*before, 3, 5}))
    assert not {3, 5} & set(before)
    assert broken_promises(problem, outcome.plan) == ()


def test_with_too_few_vehicles_as_few_as_possible_are_left_out():
    problem = booked_trips(5, 14, 1)
    outcome = search(problem, Budget(steps=1500), 1, CHEAPEST, settings=SMALL)
    assert broken_promises(problem, outcome.plan) == ()
    assert 0 < len(outcome.plan.unserved) < len(problem.requests)


def test_one_more_vehicle_never_leaves_more_people_out():
    left = [
        len(search(booked_trips(6, 14, n), Budget(steps=1500), 1, CHEAPEST, settings=SMALL).plan.unserved)
        for n in (1, 2, 3, 6)
    ]
    assert left == sorted(left, reverse=True)


@pytest.mark.parametrize(("goals", "n_vehicles", "cost"), [(CHEAPEST, 2, 20), (FEWEST_THEN_CHEAPEST, 1, 120)])
def test_only_where_vehicles_count_a_dearer_plan_with_fewer_is_better(goals, n_vehicles, cost):
    at = np.array([0, 10, 110, 120])  # from 0 to 10 and from 110 to 120, by vehicles that begin and end anywhere
    drive = np.abs(at[:, None] - at[None]).astype(np.int32)
    requests = (Request(0, 0, (1,)), Request(2, 1, (1,)))
    problem = Problem(requests, (Destination(1), Destination(3)), (VehicleType((1,), 2),), drive, drive[None])
    outcome = search(problem, Budget(steps=300), 1, goals, settings=SMALL)
    assert broken_promises(problem, outcome.plan) == ()
    assert (len(outcome.plan.routes), outcome.cost) == (n_vehicles, cost)


def test_somebody_who_looks_on_is_told_of_each_better_plan_and_may_stop():
    problem = school_morning(15, 30, 4, mixed=False)
    told = []

    def stop_at_once(incumbent):
        told.append(incumbent)
        return len(told) == 2

    outcome = search(problem, Budget(steps=100_000), 1, on_better=stop_at_once, settings=SMALL)
    assert len(told) == 2
    assert outcome.n_steps < 100_000
    assert len(outcome.plan.routes) == told[-1].n_vehicles < told[0].n_vehicles


def test_nobody_to_carry_is_a_plan_without_routes():
    empty = replace(school_morning(16, 1, 1, mixed=True), requests=())
    outcome = search(empty, Budget(steps=10), 1)
    assert (outcome.plan, outcome.cost, outcome.n_steps) == (Plan(()), 0, 0)
