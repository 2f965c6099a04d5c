"""The joint choice: the best there is on few stops, within every rule, the same for the same seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.search import Budget
from scolaire.joint.model import JointPlan, JointProblem, broken_rules, cost_of
from scolaire.joint.search import PROVED_UP_TO, choose_and_route
from tests.oracles.joint_choice import best


def town(places, homes, walk_max_m, seats, n_coaches=9) -> JointProblem:
    """School, stops and homes as points of a plane with streets at right angles."""
    places, homes = np.array(places).reshape(-1, 2), np.array(homes).reshape(-1, 2)
    drive = np.abs(places[:, None] - places[None, :]).sum(axis=2)
    walk = np.abs(homes[:, None] - places[None, 1:]).sum(axis=2)
    return JointProblem(drive.astype(np.int64), walk.astype(np.int32), walk_max_m, seats, n_coaches)


def test_one_stop_in_reach_of_all_is_enough():
    problem = town([(0, 0), (10, 0), (12, 0), (14, 0)], [(10, 1), (14, 1)], 3, 2)
    outcome = choose_and_route(problem, Budget(steps=10), 1)
    assert outcome.plan == JointPlan(((1,),), (1, 1))
    assert (outcome.cost, outcome.is_proved) == (24, True)


def test_the_nearer_stop_does_not_open_when_the_coach_passes_the_other_anyway():
    # Who lives beside the dead end of stop 0 walks to stop 1, which the coach passes on its way to stop 2.
    problem = town([(0, 0), (10, 5), (10, 0), (20, 0)], [(10, 5), (20, 0)], 5, 9)
    outcome = choose_and_route(problem, Budget(steps=50), 1)
    assert (outcome.cost, outcome.plan.stop_of) == (40, (1, 2))


def test_a_full_coach_is_left_by_somebody_who_has_another():
    # Two seats: who reaches both stops makes room at the first for the one who reaches nothing else.
    problem = town([(0, 0), (5, 0), (-5, 0)], [(0, 0), (5, 0), (5, 0), (-5, 0)], 5, 2)
    outcome = choose_and_route(problem, Budget(steps=50), 1)
    assert outcome.plan.stop_of == (1, 0, 0, 1)
    assert (outcome.cost, outcome.is_proved) == (20, True)


def test_of_plans_with_the_same_routes_the_one_with_short_walks_is_told():
    problem = town([(0, 0), (10, 0), (20, 0)], [(10, 0), (12, 0), (19, 0), (20, 0)], 11, 4)
    outcome = choose_and_route(problem, Budget(steps=50), 1)
    walked = sum(int(problem.walk_m[pupil, stop]) for pupil, stop in enumerate(outcome.plan.stop_of))
    assert list(broken_rules(problem, outcome.plan)) == []
    assert (outcome.cost, walked) == (20, 0 + 2 + 9 + 10)


def test_who_reaches_no_stop_or_finds_no_seat_is_left_out_and_the_others_ride():
    problem = town([(0, 0), (10, 0)], [(10, 0), (10, 1), (99, 99)], 5, 1, n_coaches=1)
    outcome = choose_and_route(problem, Budget(steps=50), 1)
    assert sum(stop is None for stop in outcome.plan.stop_of) == 2
    assert outcome.plan.stop_of[2] is None
    assert not outcome.is_proved
    assert set(broken_rules(problem, outcome.plan)) == {"left_out"}


@pytest.mark.parametrize("homes", [[], [(99, 99)]])
def test_nobody_to_carry_needs_no_coach(homes):
    outcome = choose_and_route(town([(0, 0), (10, 0)], homes, 5, 1), Budget(steps=5), 1)
    assert (outcome.plan.routes, outcome.cost) == ((), 0)


coordinate = st.integers(0, 12)
points = st.tuples(coordinate, coordinate)


@st.composite
def small_towns(draw) -> JointProblem:
    """Few stops, and homes of which every one has a stop."""
    stops = draw(st.lists(points, min_size=1, max_size=4))
    homes = draw(st.lists(points, min_size=1, max_size=6))
    problem = town([(6, 6), *stops], homes, draw(st.integers(2, 12)), draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    twisted = problem.drive + np.triu(draw(st.integers(0, 3)) * (problem.drive > 0))  # ways back differ
    return JointProblem(twisted, problem.walk_m, problem.walk_max_m, problem.seats, problem.n_coaches)


@settings(max_examples=150, deadline=None)
@given(small_towns(), st.booleans())
def test_what_is_proved_is_the_best_of_all_and_the_search_alone_keeps_every_rule(problem, proves):
    most = PROVED_UP_TO if proves else 0
    outcome = choose_and_route(problem, Budget(steps=300), 1, proved_up_to=most)
    if not problem.reach.any(axis=1).all():
        return
    least = best(problem.drive.tolist(), problem.reach.tolist(), problem.seats, problem.n_coaches)
    broken = set(broken_rules(problem, outcome.plan))
    if least is None or (broken and not proves):
        assert broken == {"left_out"}
        return
    assert not broken
    assert outcome.cost == cost_of(problem, outcome.plan)
    assert outcome.cost == least if proves else outcome.cost >= least
    assert outcome.is_proved == (proves or outcome.cost == 0)


def drawn_town(seed, n_stops=25, n_pupils=120) -> JointProblem:
    dice = np.random.default_rng(seed)
    return town(dice.integers(0, 1000, (n_stops + 1, 2)), dice.integers(0, 1000, (n_pupils, 2)), 400, 25)


def test_same_seed_same_plan_and_longer_is_never_worse():
    problem = drawn_town(5)
    one, again, longer = (choose_and_route(problem, Budget(steps=n), 3) for n in (300, 300, 900))
    assert one.plan == again.plan
    assert longer.cost <= one.cost
    reached = problem.reach.any(axis=1)
    broken = list(broken_rules(problem, one.plan))
    assert broken == ["left_out"] * int((~reached).sum())


def test_the_search_is_stopped_from_outside_with_the_best_so_far():
    told = []

    def enough(n_left, cost) -> bool:
        told.append((n_left, cost))
        return len(told) == 2

    outcome = choose_and_route(drawn_town(6), Budget(steps=10_000), 1, on_better=enough)
    assert len(told) == 2
    assert outcome.cost == told[-1][1]
    assert outcome.n_steps < 10_000


@pytest.mark.parametrize(
    ("routes", "stop_of", "code"),
    [
        (((0, 1), ()), (0, 0, 1), "empty_route"),
        (((0, 1, 7),), (0, 0, 1), "no_such_stop"),
        (((0, 1), (0,)), (0, 0, 1), "stop_twice"),
        (((0,), (1,), (2,)), (0, 0, 1), "too_many_routes"),
        (((0, 1),), (0, 0), "not_everybody"),
        (((0, 1),), (0, 0, None), "left_out"),
        (((0, 1),), (0, 0, 2), "closed_stop"),
        (((0, 1, 2),), (2, 0, 1), "too_far"),
        (((0, 1),), (0, 0, 1), "overfull"),
    ],
)
def test_the_check_sees_each_planted_fault(routes, stop_of, code):
    seats = 2 if code == "overfull" else 3
    problem = town([(0, 0), (10, 0), (20, 0), (30, 0)], [(10, 0), (10, 1), (20, 0)], 5, seats, n_coaches=2)
    assert list(broken_rules(problem, JointPlan(((0, 1),), (0, 0, 1)))) == ([] if seats == 3 else ["overfull"])
    assert code in set(broken_rules(problem, JointPlan(routes, stop_of)))
