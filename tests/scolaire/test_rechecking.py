"""Rechecking: after every edit, looking at what changed finds what the checker finds in the whole plan."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from scolaire.checking import broken_promises
from scolaire.edits.applying import Context, apply
from scolaire.generator import draw_sector
from scolaire.periods import Asked, plan_week
from scolaire.plans import NotServed
from scolaire.rechecking import check
from scolaire.ways import Ways, places_of, straight_matrix
from socle.errors import MobigoError
from tests.worlds.school_plans import drawn_edit, drawn_plan


@pytest.mark.parametrize("mixed", [True, False])
def test_what_was_found_before_and_what_changed_give_what_the_checker_finds(mixed):
    sector = draw_sector(4, n_pupils=90)
    matrix = straight_matrix(places_of(sector))
    plan = plan_week(sector, matrix, Asked(1, mixed=mixed, steps=300, weekdays=(0, 2)), "")
    n_broken = 0
    context, dice = Context(Ways.straight(plan)), random.Random(7)
    known = check(plan, context.ways)
    for number in range(150):
        try:
            edited = apply(plan, drawn_edit(plan, dice, number), context).plan
        except MobigoError:
            continue
        context = Context(Ways.straight(edited))
        found = check(edited, context.ways, known)
        assert found.broken == broken_promises(edited, context.ways)
        n_broken += len(found.broken)
        plan, known = edited, found
    assert n_broken > 100


def test_a_plan_with_a_place_that_is_none_tells_of_that_alone_and_is_looked_at_anew_afterwards():
    plan = drawn_plan()
    known = check(plan, None)
    unknown = replace(plan, not_served=(NotServed("x", "no_vehicle", 9),))
    found = check(unknown, None, known)
    assert found.broken == broken_promises(unknown) != ()
    assert check(plan, None, found).broken == broken_promises(plan)


def test_what_is_known_without_roads_says_nothing_with_them():
    plan = drawn_plan()
    fast = replace(plan, runs=tuple(replace(run, home_s=0) for run in plan.runs))
    ways = Ways.straight(fast)
    assert check(fast, ways, check(fast, None)).broken == broken_promises(fast, ways) != broken_promises(fast)
