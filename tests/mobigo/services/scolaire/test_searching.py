"""The optimiser in the background: it proposes, is stopped, and leaves what it found when its worker is killed."""

from datetime import UTC, datetime, timedelta

import pytest

from mobigo.security import Keys
from mobigo.services.scolaire import searching, studying
from mobigo.services.scolaire.importing import import_sector
from mobigo.services.scolaire.searching import SEARCH_JOB, SearchState
from mobigo.store.base import transaction
from mobigo.store.jobs import Lease, claim_next
from scolaire.checking import broken_promises
from scolaire.generator import draw_sector
from scolaire.plans import measure
from scolaire.writing import render_sector
from socle.errors import BadInput, Conflict, NotFound

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEYS = Keys.of("k" * 32)
PLANNER, SECTOR = "person:planner", "2026-haut-doubs"


@pytest.fixture
def study(engine, tmp_path):
    import_sector(engine, KEYS, render_sector(draw_sector(3, n_pupils=40)), 2026, "haut-doubs", PLANNER, NOON)
    return searching.begin(engine, KEYS, SECTOR, "Rentrée", PLANNER, "", NOON, tmp_path)


def opened(engine, study):
    return studying.open_study(engine, KEYS, study.study_id)


def claimed(engine):
    with transaction(engine) as session:
        return claim_next(session, [SEARCH_JOB], Lease("w", NOON + timedelta(hours=1), 3), "t", NOON)


def test_a_study_begun_without_a_plan_carries_nobody_yet(engine, study):
    plan = opened(engine, study).plan
    assert plan.runs == ()
    assert len(plan.riders) == 40


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
