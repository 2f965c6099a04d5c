"""A plan made better from where people left it: nothing is worse, what is locked or forbidden stays so."""

from dataclasses import replace

import pytest

from scolaire.again import first_plan, improve, is_better
from scolaire.checking import Rule, broken_promises
from scolaire.edits.applying import Context, apply
from scolaire.edits.kinds import ForbidRoad, LockCircuit, MovePupil
from scolaire.generator import draw_sector
from scolaire.periods import Asked
from scolaire.plans import measure
from scolaire.ways import Ways, places_of, straight_matrix


@pytest.fixture(scope="module")
def sector():
    return draw_sector(3, n_pupils=60)


@pytest.fixture(scope="module")
def first(sector):
    return first_plan(sector, "Rentrée")


def better(plan, steps=64, seed=1, **told):
    return improve(plan, straight_matrix(places_of(plan)), Asked(seed=seed, steps=steps), **told)


@pytest.fixture(scope="module")
def planned(first):
    return better(first)


def test_before_anybody_plans_everybody_is_named(first):
    assert first.runs == ()
    assert {one.pupil_id for one in first.not_served} == {rider.pupil_id for rider in first.riders}
    assert broken_promises(first) == ()


def test_a_first_plan_is_found_and_keeps_every_rule(first, planned):
    assert is_better(planned, first)
    assert planned.not_served == ()
    assert broken_promises(planned, Ways.straight(planned)) == ()
    assert planned.making.bound is not None
    assert planned.making.bound <= measure(planned).n_vehicles


def test_a_search_that_finds_nothing_leaves_as_many_coaches(planned):
    again = better(planned, steps=8, seed=2)
    assert len(again.runs) <= len(planned.runs)
    assert {one.pupil_id for one in again.not_served} <= {one.pupil_id for one in planned.not_served}
    assert broken_promises(again, Ways.straight(again)) == ()


def test_what_people_changed_is_kept(planned):
    context = Context(Ways.straight(planned))
    circuit = planned.runs[0].circuit_id
    locked = apply(planned, LockCircuit(circuit), context).plan
    free = {rider for run in locked.runs if run.circuit_id != circuit for halt in run.halts for rider in halt.up}
    carried = {rider for run in locked.runs if run.circuit_id == circuit for halt in run.halts for rider in halt.up}
    rider = min(free - carried)
    stop = next(one.stop_id for one in planned.stops if one.status == "validated")
    changed = apply(locked, MovePupil(planned.riders[rider].pupil_id, stop), context).plan
    changed = apply(changed, ForbidRoad(planned.stops[0].stop_id, planned.stops[1].stop_id), context).plan
    again = better(changed)
    assert [run for run in again.runs if run.is_locked] == [run for run in changed.runs if run.is_locked]
    assert again.riders == changed.riders
    assert again.no_roads == changed.no_roads
    assert len({run.run_id for run in again.runs}) == len(again.runs)
    rules = {one.rule for one in broken_promises(again, Ways.straight(again))}
    assert rules <= {one.rule for one in broken_promises(changed, Ways.straight(changed))} - {Rule.ROAD_FORBIDDEN}


def test_vehicles_of_locked_circuits_are_not_to_be_had(planned):
    few = replace(planned, vehicle_types=tuple(replace(kind, count=1) for kind in planned.vehicle_types))
    context = Context(Ways.straight(few))
    locked = apply(few, LockCircuit(few.runs[0].circuit_id), context).plan
    again = better(locked)
    driven = {run.circuit_id: run.vehicle_type for run in again.runs}
    before = sum(one.rule is Rule.TOO_MANY_VEHICLES for one in broken_promises(locked))
    assert sum(one.rule is Rule.TOO_MANY_VEHICLES for one in broken_promises(again)) <= before
    assert len(driven) >= 1


def test_whoever_says_stop_gets_what_there_is(first):
    seen = []

    def stop(sight):
        seen.append(sight)
        return True

    found = better(first, steps=1_000, on_better=stop)
    assert len(seen) == 1
    assert {run.period for run in found.runs} <= {0}
    assert broken_promises(found, Ways.straight(found)) == ()
