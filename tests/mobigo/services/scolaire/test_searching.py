"""The optimiser in the background: it proposes, is stopped, and leaves what it found when its worker is killed."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from mobigo.security import Keys
from mobigo.services.scolaire import searching, studying
from mobigo.services.scolaire.importing import import_sector
from mobigo.services.scolaire.searching import SEARCH_JOB, Bells, SearchState
from mobigo.store.base import transaction
from mobigo.store.jobs import Lease, claim_next
from scolaire.checking import broken_promises
from scolaire.generator import draw_sector
from scolaire.plans import measure
from scolaire.writing import render_sector
from socle.errors import BadInput, Conflict, NotFound
from tests.worlds.school_plans import drawn_plan

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEYS = Keys.of("k" * 32)
PLANNER, SECTOR = "person:planner", "2026-haut-doubs"


@pytest.fixture
def study(engine, tmp_path):
    import_sector(engine, KEYS, render_sector(draw_sector(5, n_pupils=60)), 2026, "haut-doubs", PLANNER, NOON)
    return searching.begin(engine, KEYS, SECTOR, "Rentrée", PLANNER, "", NOON, tmp_path)


def opened(engine, study):
    return studying.open_study(engine, KEYS, study.study_id)


def claimed(engine, seconds=1):
    """What a worker takes; the clock of the searches that wait is cut short of what people may choose."""
    with transaction(engine) as session:
        session.execute(text("UPDATE school_search SET budget_s = :seconds"), {"seconds": seconds})
        return claim_next(session, [SEARCH_JOB], Lease("w", NOON + timedelta(hours=1), 3), "t", NOON)


def test_a_study_begun_without_a_plan_carries_nobody_yet(engine, study):
    plan = opened(engine, study).plan
    assert plan.runs == ()
    assert len(plan.riders) == 60


def test_what_the_optimiser_finds_is_a_proposal_until_somebody_takes_it_up(engine, study, tmp_path):
    asked = searching.ask(engine, study.study_id, 1, 10, 1, PLANNER, NOON)
    with pytest.raises(Conflict, match="search_under_way"):
        searching.ask(engine, study.study_id, 1, 10, 1, PLANNER, NOON)
    effects = searching.run(engine, KEYS, tmp_path, claimed(engine), lambda: NOON)
    found = searching.get_search(engine, study.study_id, asked.number)
    with pytest.raises(Conflict, match="search_under_way"):
        studying.adopt(engine, KEYS, study.study_id, 1, found.version, PLANNER, "", NOON)
    with transaction(engine) as session:
        effects(session)
    found = searching.get_search(engine, study.study_id, asked.number)
    assert found.state is SearchState.DONE
    assert (opened(engine, study).study.head, opened(engine, study).after) == (1, None)
    plan = studying.get_plan(engine, KEYS, study.study_id, found.version)
    assert measure(plan).n_not_served == 0
    assert broken_promises(plan) == ()
    assert found.bound is not None
    assert found.bound <= measure(plan).n_vehicles
    studying.adopt(engine, KEYS, study.study_id, 1, found.version, PLANNER, "", NOON)
    assert opened(engine, study).plan == plan


def test_one_that_is_stopped_before_it_begins_does_nothing(engine, study, tmp_path):
    asked = searching.ask(engine, study.study_id, 1, 300, 1, PLANNER, NOON)
    searching.stop(engine, study.study_id, asked.number, NOON)
    with pytest.raises(Conflict, match="search_over"):
        searching.stop(engine, study.study_id, asked.number, NOON)
    with transaction(engine) as session:
        searching.run(engine, KEYS, tmp_path, claimed(engine), lambda: NOON)(session)
    found = searching.get_search(engine, study.study_id, asked.number)
    assert (found.state, found.version) == (SearchState.STOPPED, None)


def test_one_whose_worker_was_killed_is_over_and_left_what_it_had(engine, study, tmp_path):
    asked = searching.ask(engine, study.study_id, 1, 10, 1, PLANNER, NOON)
    claim = claimed(engine)
    searching.run(engine, KEYS, tmp_path, claim, lambda: NOON)  # killed before it could say that it is done
    assert searching.get_search(engine, study.study_id, asked.number).state is SearchState.RUNNING
    with transaction(engine) as session:
        searching.run(engine, KEYS, tmp_path, claim, lambda: NOON)(session)
    found = searching.get_search(engine, study.study_id, asked.number)
    assert found.state is SearchState.STOPPED
    assert measure(studying.get_plan(engine, KEYS, study.study_id, found.version)).n_not_served == 0


def test_what_nobody_offers_is_refused(engine, study):
    with pytest.raises(BadInput, match="search_budget"):
        searching.ask(engine, study.study_id, 1, 11, 1, PLANNER, NOON)
    with pytest.raises(NotFound, match="unknown_search"):
        searching.get_search(engine, study.study_id, 7)
    with pytest.raises(Conflict, match="study_moved_on"):
        searching.ask(engine, study.study_id, 9, 10, 1, PLANNER, NOON)


def test_other_bells_are_tried_in_the_background_and_their_plans_are_proposals(engine, study, tmp_path):
    head = drawn_plan(5, 60, mixed=False)
    study = studying.add_plan(engine, KEYS, SECTOR, "Horaires", head, PLANNER, "", NOON)
    turn, made = study.turn, study.head
    fixed = head.schools[3].school_id
    asked = searching.ask(engine, study.study_id, turn, 10, 1, PLANNER, NOON, Bells(900, (fixed,)))
    with transaction(engine) as session:
        searching.run(engine, KEYS, tmp_path, claimed(engine, 3), lambda: NOON)(session)
    found = searching.get_search(engine, study.study_id, asked.number)
    assert found.state is SearchState.DONE
    assert opened(engine, study).study.head == made
    assert found.bells.trials[-1].moved_s == {}
    bells = {school.school_id: school.bell_am_s for school in head.schools}
    for one in found.bells.trials:
        plan = studying.get_plan(engine, KEYS, study.study_id, one.version)
        assert broken_promises(plan) == ()
        assert {school.school_id: school.bell_am_s for school in plan.schools} == {
            school: bell + one.moved_s.get(school, 0) for school, bell in bells.items()
        }
        assert fixed not in one.moved_s
    best = found.bells.trials[0]
    plan = studying.get_plan(engine, KEYS, study.study_id, best.version)
    assert found.bound <= measure(plan).n_vehicles < measure(head).n_vehicles
    studying.adopt(engine, KEYS, study.study_id, turn, best.version, PLANNER, "autres horaires", NOON)
    assert studying.undo(engine, KEYS, study.study_id, turn + 1, PLANNER, NOON).head == made


def test_bells_move_by_the_minutes_of_the_list(engine, study):
    with pytest.raises(BadInput, match="bells_minutes"):
        searching.ask(engine, study.study_id, 1, 10, 1, PLANNER, NOON, Bells(60, ()))
