"""Bell trials: other bells for a plan as it stands, each answer with a plan that keeps every rule."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from scolaire.bells import with_bells, with_wider_windows
from scolaire.belltrials import Bound, Trial, front_of, morning_of, try_bells
from scolaire.checking import broken_promises
from scolaire.generator import draw_sector
from scolaire.periods import Asked, plan_week
from scolaire.plans import Direction, Period, measure, window_of
from scolaire.pupils import WEDNESDAY
from scolaire.ways import Ways, places_of, straight_matrix

MONDAY = 1
ASKED = Asked(1, mixed=False, steps=1_600)


@pytest.fixture(scope="module")
def week():
    sector = draw_sector(7, n_pupils=60)
    matrix = straight_matrix(places_of(sector))
    return plan_week(sector, matrix, Asked(1, mixed=False, steps=400), "une semaine"), matrix


@pytest.fixture(scope="module")
def tried(week):
    plan, matrix = week
    return list(try_bells(plan, matrix, ASKED, 900, effort=10))


def bells_of(plan):
    return {
        (school.school_id, name): getattr(school, name)
        for school in plan.schools
        for name in ("bell_am_s", "bell_pm_s", "bell_wednesday_s")
    }


def test_every_trial_keeps_every_rule_under_its_bells_and_says_what_it_saves(week, tried):
    plan, matrix = week
    better, bound, *trials = tried
    assert isinstance(bound, Bound)
    assert better.moved_s == {}
    assert trials
    assert len(trials) <= bound.n_trials
    ways = Ways(places_of(plan), matrix)
    for one in (better, *trials):
        assert broken_promises(one.plan, ways) == ()
        assert one.measures == measure(one.plan)
        moved = {plan.schools[school].school_id: seconds for school, seconds in one.moved_s.items()}
        assert all(0 < abs(seconds) <= 900 for seconds in moved.values())
        now = bells_of(one.plan)
        for (school, name), bell in bells_of(plan).items():
            assert now[school, name] == (None if bell is None else bell + moved.get(school, 0))
    assert min(one.measures.n_vehicles for one in trials) < better.measures.n_vehicles
    assert all(bound.least <= one.measures.n_vehicles for one in (better, *trials))
    assert bound.fewest <= min(len(one.plan.runs_of(morning_of(one.plan))) for one in (better, *trials[:1]))


def test_the_front_begins_with_the_fewest_coaches_and_ends_with_no_minute(week, tried):
    plan, _ = week
    trials = [Trial(plan, measure(plan), {}), *(one for one in tried if isinstance(one, Trial))]
    front = front_of(trials, measure(plan).n_not_served)
    costs = [one.cost for one in front]
    assert costs[-1][1:] == (0, 0)
    assert [cost[0] for cost in costs] == sorted({cost[0] for cost in costs})
    assert [cost[1] for cost in costs] == sorted((cost[1] for cost in costs), reverse=True)
    nobody_served = replace(trials[0], measures=replace(trials[0].measures, n_vehicles=0, n_not_served=60))
    assert front_of([*trials, nobody_served], measure(plan).n_not_served) == front


def test_schools_whose_bells_are_fixed_and_those_of_locked_circuits_do_not_move(week):
    plan, matrix = week
    circuit = plan.runs[0].circuit_id
    locked = replace(plan, runs=tuple(replace(run, is_locked=run.circuit_id == circuit) for run in plan.runs))
    held = {halt.school for run in locked.runs if run.is_locked for halt in run.halts if halt.school is not None}
    fixed = next(school for school in range(len(plan.schools)) if school not in held)
    for one in try_bells(locked, matrix, replace(ASKED, steps=160), 900, fixed={fixed}, effort=5):
        if isinstance(one, Trial):
            assert not {fixed, *held} & set(one.moved_s)
            kept = {run.run_id: run for run in one.plan.runs if run.is_locked}
            assert kept == {run.run_id: run for run in locked.runs if run.is_locked}


def test_a_plan_that_drives_nobody_to_school_has_nothing_to_try(week):
    plan, matrix = week
    nobody = replace(plan, periods=(), runs=())
    first, bound = try_bells(nobody, matrix, ASKED, 900)
    assert first.moved_s == {}
    assert bound == Bound(0, 0, is_proved=True, n_trials=0)


def test_wider_windows_are_all_the_windows_that_moved_bells_have():
    schools = draw_sector(5, n_pupils=60).schools
    wide = with_wider_windows(schools, 600, fixed={0})
    assert wide[0] == schools[0]
    shifts = [with_bells(schools, dict.fromkeys(range(len(schools)), shift)) for shift in range(-600, 601, 300)]
    for direction, days in product(Direction, (MONDAY, WEDNESDAY)):
        period = Period("p", days, direction)
        for school in range(1, len(schools)):
            windows = [window for some in shifts if (window := window_of(some[school], period)) is not None]
            if windows:
                widest = min(begin for begin, _ in windows), max(end for _, end in windows)
                assert window_of(wide[school], period) == widest
