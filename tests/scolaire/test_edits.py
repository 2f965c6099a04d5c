"""Edits: what they change equals a plan made anew, who is affected is everybody who is, and refusals say why."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scolaire.checking import Rule, broken_promises
from scolaire.edits import kinds
from scolaire.edits.affected import passages
from scolaire.edits.applying import Context, apply
from scolaire.edits.journal import read_edit, render_edit
from scolaire.plans import measure, rides_of
from scolaire.pupils import Level, StopStatus
from scolaire.timing import timed
from scolaire.ways import Ways
from socle.errors import BadInput, Conflict, MobigoError, NotFound
from tests.oracles.school_times import slow_times
from tests.worlds.examples import random_examples
from tests.worlds.school_plans import drawn_edit, drawn_plan

PLAN = drawn_plan()
WAYS = Ways.straight(PLAN)


def edited(edit, plan=PLAN):
    return apply(plan, edit, Context(WAYS))


def test_the_plan_of_the_optimiser_breaks_no_promise():
    assert broken_promises(PLAN, WAYS) == ()


@random_examples(25)
@given(seed=st.integers(0, 10**9))
def test_edit_equals_full_recost(seed):
    dice = random.Random(seed)
    plan, context = PLAN, Context(WAYS)
    for number in range(8):
        try:
            found = apply(plan, drawn_edit(plan, dice, number), context)
        except MobigoError:
            continue
        assert found.before == measure(plan)
        assert found.after == measure(found.plan)
        was, now = gone(plan), gone(found.plan)
        changed = {key for key in {**was, **now} if was.get(key) != now.get(key)}
        assert {(one.pupil_id, one.period_id) for one in found.affected} == changed
        for run in found.plan.runs:  # as if every run were timed from nothing
            assert timed(found.plan, run, WAYS).run == run
        assert set(found.violations) <= set(broken_promises(found.plan, WAYS))
        plan = found.plan
    for run in plan.runs[:6]:
        assert slow_times(plan, run) == [halt.arrives_s for halt in run.halts]


def gone(plan):
    return {
        (plan.riders[rider].pupil_id, plan.periods[run.period].period_id): passage
        for run in plan.runs
        for rider, passage in passages(plan, run)
    }


@random_examples(25)
@given(seed=st.integers(0, 10**9))
def test_every_edit_comes_back_from_the_journal(seed):
    dice = random.Random(seed)
    edit = drawn_edit(PLAN, dice, 1)
    assert read_edit(json.loads(json.dumps(render_edit(edit)))) == edit


@pytest.mark.parametrize(
    ("tree", "where"),
    [
        ([], "kind"),
        ({"kind": "explode"}, "kind"),
        ({"kind": "remove_pupil"}, "pupil_id"),
        ({"kind": "remove_pupil", "pupil_id": 7}, "pupil_id"),
        ({"kind": "remove_pupil", "pupil_id": "a", "more": 1}, "more"),
        ({"kind": "reorder_halts", "run_id": "a", "order": [True]}, "order"),
        ({"kind": "move_stop", "stop_id": "a", "lat": 1e9, "lon": 0}, "lat"),
    ],
)
def test_what_is_no_edit_is_refused_by_its_field(tree, where):
    with pytest.raises(BadInput, match="edit_unreadable") as refused:
        read_edit(tree)
    assert refused.value.facts["where"] == where


def test_a_pupil_who_moves_is_taken_up_at_the_other_stop_and_breaks_nothing():
    first, other = next(
        pair for run in PLAN.runs for pair in pairwise(run.halts) if None not in (pair[0].stop, pair[1].stop)
    )
    rider, other = first.up[0], other.stop  # at the next stop of the same coach there is room, and the ride is shorter
    found = edited(kinds.MovePupil(PLAN.riders[rider].pupil_id, PLAN.stops[other].stop_id))
    mine = next(one for one in found.affected if one.pupil_id == PLAN.riders[rider].pupil_id)
    assert mine.after is not None
    assert mine.after.stop_id == PLAN.stops[other].stop_id
    assert found.violations == ()
    assert broken_promises(found.plan, WAYS) == ()


def test_adding_and_removing_a_pupil_leaves_everybody_as_before():
    run = next(each for each in PLAN.runs if max(each.loads) < PLAN.vehicle_types[each.vehicle_type].seats)
    stop, school = run.halts[-2].stop, run.halts[-1].school  # the last stop before the school: the shortest ride
    assert stop is not None
    add = kinds.AddPupil("neu", PLAN.schools[school].school_id, PLAN.stops[stop].stop_id, Level.COLLEGE, days=1)
    with_one = edited(add)
    assert any(one.pupil_id == "neu" and one.before is None and one.after for one in with_one.affected)
    assert broken_promises(with_one.plan, WAYS) == ()
    again = edited(kinds.RemovePupil("neu"), with_one.plan)
    assert again.plan.runs == PLAN.runs
    with pytest.raises(Conflict, match="school_pupil_known"):
        edited(add, with_one.plan)


def test_a_closed_stop_names_who_waited_there_or_sends_them_to_another():
    stop = PLAN.runs[0].halts[0].stop
    stop_id = PLAN.stops[stop].stop_id
    closed = edited(kinds.CloseStop(stop_id))
    left = {one.pupil_id for one in closed.plan.not_served if one.why == "stop_closed"}
    assert left == {one.pupil_id for one in closed.affected if one.after is None}
    assert left
    assert broken_promises(closed.plan, WAYS) == ()
    near = min(
        (each for each in PLAN.stops if each.stop_id != stop_id),
        key=lambda each: WAYS.find(each.position, PLAN.stops[stop].position),
    )
    moved = edited(kinds.CloseStop(stop_id, near.stop_id))
    assert left <= {one.pupil_id for one in moved.affected if one.after and one.after.stop_id == near.stop_id}
    assert moved.plan.stops[stop].status is StopStatus.CLOSED


def test_halts_in_an_order_that_breaks_a_rule_are_timed_and_said():
    run = max(PLAN.runs, key=lambda each: len(each.halts))
    backwards = tuple(reversed(range(len(run.halts))))
    found = edited(kinds.ReorderHalts(run.run_id, backwards))
    assert Rule.NEVER_UP in {each.rule for each in found.violations}


def test_a_run_split_in_two_and_merged_again_serves_the_same_pupils():
    run = max(PLAN.runs, key=lambda each: len(each.halts))
    split = edited(kinds.SplitRun(run.run_id, 1))
    new = next(each for each in split.plan.runs if each.run_id not in {one.run_id for one in PLAN.runs})
    assert split.after.n_vehicles == split.before.n_vehicles + 1
    assert split.violations == ()
    merged = edited(kinds.MergeRuns(run.run_id, new.run_id), split.plan)
    assert merged.after.n_vehicles == split.before.n_vehicles
    assert {ride.rider for each in merged.plan.runs for ride in rides_of(each)} == {
        ride.rider for each in PLAN.runs for ride in rides_of(each)
    }


def test_a_smaller_vehicle_than_its_pupils_need_is_said():
    run = max(PLAN.runs, key=lambda each: max(each.loads))
    smallest = min(PLAN.vehicle_types, key=lambda kind: kind.seats)
    found = edited(kinds.ChangeVehicle(run.circuit_id, smallest.type_id))
    assert Rule.TOO_FULL in {each.rule for each in found.violations}


def test_bells_moved_move_their_coaches_with_them():
    plan = PLAN
    for school in PLAN.schools:
        plan = edited(kinds.MoveBell(school.school_id, school.bell_am_s + 600), plan).plan
    assert [[halt.arrives_s for halt in run.halts] for run in plan.runs] == [
        [halt.arrives_s + 600 for halt in run.halts] for run in PLAN.runs
    ]


def test_a_locked_circuit_is_not_changed_until_it_is_unlocked():
    run = PLAN.runs[0]
    locked = edited(kinds.LockCircuit(run.circuit_id)).plan
    rider = next(rides_of(run)).rider
    with pytest.raises(Conflict, match="school_circuit_locked"):
        edited(kinds.RemovePupil(PLAN.riders[rider].pupil_id), locked)
    again = edited(kinds.LockCircuit(run.circuit_id, is_locked=False), locked).plan
    assert edited(kinds.RemovePupil(PLAN.riders[rider].pupil_id), again).affected


def test_a_forbidden_road_is_gone_round_or_said():
    run = max(PLAN.runs, key=lambda each: len(each.halts))
    first, then = run.halts[:2]
    road = kinds.ForbidRoad(PLAN.stops[first.stop].stop_id, PLAN.stops[then.stop].stop_id)
    found = edited(road)
    told = {each.rule for each in broken_promises(found.plan, WAYS)}
    now = next(each for each in found.plan.runs if each.run_id == run.run_id)
    assert (now.halts != run.halts) != (Rule.ROAD_FORBIDDEN in told)
    assert edited(replace(road, is_forbidden=False), found.plan).plan.no_roads == ()


@pytest.mark.parametrize(
    ("edit", "why", "code"),
    [
        (kinds.RemovePupil("?"), NotFound, "no_school_pupil"),
        (kinds.MovePupil(PLAN.riders[0].pupil_id, "?"), NotFound, "no_school_stop"),
        (kinds.SplitRun("?", 1), NotFound, "no_school_run"),
        (kinds.ChangeVehicle("?", PLAN.vehicle_types[0].type_id), NotFound, "no_school_circuit"),
        (kinds.MoveBell("?"), NotFound, "no_school"),
        (kinds.ReorderHalts(PLAN.runs[0].run_id, (0, 0)), BadInput, "school_order_is_none"),
        (kinds.MergeRuns(PLAN.runs[0].run_id, PLAN.runs[0].run_id), BadInput, "school_run_of_other_period"),
        (kinds.MoveBell(PLAN.schools[0].school_id, 23 * 3600), BadInput, "school_bell_impossible"),
    ],
)
def test_what_cannot_be_done_is_refused(edit, why, code):
    with pytest.raises(why, match=code):
        edited(edit)
