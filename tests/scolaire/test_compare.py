"""Comparing plans: nobody is moved by the same plan, and each edit moves those whom it says."""

from __future__ import annotations

import random

from scolaire.compare import compare
from scolaire.edits import kinds
from scolaire.edits.applying import Context, apply
from scolaire.plans import measure
from scolaire.ways import Ways
from socle.errors import MobigoError
from tests.worlds.school_plans import drawn_edit, drawn_plan

PLAN = drawn_plan()
WAYS = Ways.straight(PLAN)


def edited(edit, plan=PLAN):
    return apply(plan, edit, Context(WAYS))


def test_a_plan_beside_itself_changes_nothing():
    found = compare(PLAN, PLAN)
    assert found.changes == ()
    assert found.all.n_felt == 0
    assert found.all.n_pupils == sum(len(halt.up) for run in PLAN.runs for halt in run.halts)
    assert found.before == found.after == measure(PLAN)


def test_who_an_edit_affects_is_who_changes_between_the_plans():
    for seed in range(12):
        try:
            found = edited(drawn_edit(PLAN, random.Random(seed), seed))
        except MobigoError:
            continue
        changed = {one.pupil_id for one in compare(PLAN, found.plan).changes}
        told = {
            one.pupil_id
            for one in found.affected
            if one.before is None
            or one.after is None
            or (one.before.stop_id, one.before.stop_s) != (one.after.stop_id, one.after.stop_s)
        }
        assert told <= changed
        assert changed <= {one.pupil_id for one in found.affected}


def test_a_closed_stop_leaves_its_pupils_and_costs_their_school():
    stop = PLAN.runs[0].halts[0].stop
    found = compare(PLAN, edited(kinds.CloseStop(PLAN.stops[stop].stop_id)).plan)
    waiting = {rider for run in PLAN.runs for halt in run.halts if halt.stop == stop for rider in halt.up}
    assert found.all.n_no_more == len(waiting)
    assert sum(one.n_no_more for one in found.by_school.values()) == len(waiting)
    assert found.week_co2_g[0] == found.before.week_m * 930 // 1000


def test_bells_ten_minutes_later_move_everybody_and_change_no_coach():
    school = PLAN.schools[0]
    plan = PLAN
    for one in PLAN.schools:
        plan = edited(kinds.MoveBell(one.school_id, one.bell_am_s + 600), plan).plan
    found = compare(PLAN, plan)
    assert found.all.n_later == found.all.n_pupils == found.all.n_felt
    assert (found.all.n_other_coach, found.all.n_other_stop, found.all.n_earlier) == (0, 0, 0)
    assert found.by_school[school.school_id].n_later == found.by_school[school.school_id].n_pupils
