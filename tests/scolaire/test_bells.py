"""Bells: fewest coaches and least minutes against every way of ringing, on mornings small enough to try them all."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import pytest

from scolaire.bellrounds import plan_with_bells
from scolaire.bells import STEP_S, chained, choose_bells, with_bells, with_wider_windows
from scolaire.checking import broken_promises
from scolaire.generator import draw_sector
from scolaire.periods import Asked, plan_week
from scolaire.plans import window_of
from scolaire.timing import timed
from scolaire.ways import Ways, places_of, straight_matrix


def morning(seed, n_pupils=24):
    sector = draw_sector(seed, n_pupils=n_pupils)
    matrix = straight_matrix(places_of(sector))
    plan = plan_week(sector, matrix, Asked(1, mixed=False, steps=300, weekdays=(1,)), "")
    return sector, matrix, plan, Ways(places_of(sector), matrix)


def fewest_by_trying(plan, ways, most_s):
    """Coaches and minutes of the best bells: every shift of every school, every way of chaining loads."""
    loads = []
    for run in plan.runs_of(0):
        part = []
        for halt, aboard in zip(run.halts, run.loads, strict=True):
            part.append(halt)
            if not aboard:
                loads.append(replace(run, halts=tuple(part)))
                part = []
    assert 1 < len(loads) <= 4
    schools = sorted({halt.school for load in loads for halt in load.halts if halt.school is not None})
    best = None
    for shifts in product(range(-most_s, most_s + 1, STEP_S), repeat=len(schools)):
        moved = replace(plan, schools=with_bells(plan.schools, dict(zip(schools, shifts, strict=True))))
        n_coaches = min((chains(moved, order, ways) for order in permutations(loads)), default=0)
        key = n_coaches, sum(map(abs, shifts)) // 60
        best = key if best is None or key < best else best
    return best


def chains(plan, order, ways):
    """Coaches when each one goes on with the next load of this order as long as it can."""
    n, current = 0, None
    for load in order:
        if current is not None:
            joined = replace(current, halts=(*current.halts, *load.halts))
            if timed(plan, joined, ways).is_kept:
                current = joined
                continue
        n, current = n + 1, load
    return n


@pytest.mark.parametrize("seed", [1, 7, 8])
def test_fewest_coaches_and_least_minutes_are_those_of_trying_everything(seed):
    _, _, plan, ways = morning(seed, 5)
    chosen = choose_bells(plan, ways, 300)
    assert chosen.is_proved
    assert (chosen.n_coaches, chosen.minutes) == fewest_by_trying(plan, ways, 300)
    assert chosen.fewest == chosen.n_coaches
    assert all(abs(moved) <= 300 and moved % STEP_S == 0 for moved in chosen.moved_s.values())


def test_bells_that_may_not_move_do_not_and_more_freedom_never_costs_coaches():
    _, _, plan, ways = morning(5, 60)
    found = [choose_bells(plan, ways, most) for most in (0, 300, 600)]
    assert found[0].moved_s == {}
    assert found[0].n_coaches >= found[1].n_coaches >= found[2].n_coaches
    assert found[2].fewest <= found[2].n_coaches
    more = choose_bells(plan, ways, 600, most_coaches=found[0].n_coaches)
    assert more.minutes == 0


def test_the_runs_are_kept_under_the_new_bells():
    sector, matrix, plan, ways = morning(5, 60)
    chosen = choose_bells(plan, ways, 600)
    moved = replace(sector, schools=with_bells(sector.schools, chosen.moved_s))
    again = plan_week(moved, matrix, Asked(1, mixed=False, steps=600, weekdays=(1,)), "", reference=plan)
    assert broken_promises(again, ways) == ()
    assert len(again.runs_of(0)) <= len(plan.runs_of(0))
    assert all(window_of(school, again.periods[0]) for school in again.schools)


def test_runs_for_any_bell_keep_every_rule_of_the_bells_chosen_for_them():
    sector, matrix, plan, ways = morning(5, 60)
    asked = Asked(1, mixed=False, steps=600, weekdays=(1,))
    wide = replace(sector, schools=with_wider_windows(sector.schools, 600))
    free = plan_week(wide, matrix, asked, "", reference=plan, periods=plan.periods[:1])
    assert len(free.runs_of(0)) <= len(plan.runs_of(0))
    chosen = choose_bells(replace(free, schools=sector.schools), ways, 600)
    begun = replace(chained(free, 0, chosen), schools=with_bells(sector.schools, chosen.moved_s))
    assert len(begun.runs_of(0)) == chosen.n_coaches
    assert all(timed(begun, run, ways).is_kept for run in begun.runs_of(0))


def test_rounds_of_bells_give_a_front_on_which_fewer_coaches_cost_minutes():
    sector, matrix, plan, ways = morning(8, 5)
    asked = Asked(1, mixed=False, steps=900, weekdays=(1,))
    rung = plan_with_bells(sector, matrix, asked, "", 600)
    assert broken_promises(rung.plan, ways) == ()
    assert len(rung.plan.runs_of(0)) < len(plan.runs_of(0))
    n_coaches = [point.n_coaches for point in rung.front]
    minutes = [point.minutes for point in rung.front]
    assert n_coaches == sorted(set(n_coaches))
    assert minutes == sorted(minutes, reverse=True)
    assert minutes[-1] == 0
    filed = {school.school_id: school.bell_am_s for school in sector.schools}
    assert all(abs(school.bell_am_s - filed[school.school_id]) <= 600 for school in rung.plan.schools)
