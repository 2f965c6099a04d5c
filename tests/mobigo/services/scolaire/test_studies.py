"""Studies of a plan on both databases: kept under pseudonyms, changed by turns, undone, redone, published."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import inspect, text

from mobigo.security import Keys
from mobigo.services import retention
from mobigo.services.scolaire import studying
from mobigo.services.scolaire.importing import import_sector
from mobigo.services.scolaire.studying import Act, add_study, adopt, change, open_study, publish, redo, undo
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import reading, transaction
from mobigo.store.scolaire import studies as store
from mobigo.store.scolaire.sectors import load_sector
from scolaire.planfiles import render_plan
from scolaire.plans import rides_of
from scolaire.ways import straight_way
from socle.errors import BadInput, Conflict, NotFound, Unavailable
from tests.worlds.one_run import morning_plan
from tests.worlds.sectors import sector_files

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEYS = Keys.of("k" * 32)
PLANNER, OTHER = "person:planner", "person:other"
SECTOR = "2026-haut-doubs"
MONDAY = date(2026, 11, 23)


@pytest.fixture
def sector(engine):
    import_sector(engine, KEYS, sector_files(), 2026, "haut-doubs", PLANNER, NOON)


@pytest.fixture
def study(engine, sector):
    plan = render_plan(morning_plan("p1", "p2", left="nobody's row"))
    return add_study(engine, KEYS, SECTOR, " Rentrée ", plan, PLANNER, "premier jet", NOON)


def opened(engine):
    return open_study(engine, KEYS, f"{SECTOR}-e1")


def entitled(engine, title):
    """The plan of the head under another title, kept as an edit."""
    now = opened(engine)
    plan = replace(now.plan, title=title)
    edit = {"kind": "title", "to": title}
    return change(engine, KEYS, now.study.study_id, now.study.turn, plan, edit, PLANNER, "essai", NOON)


def test_a_plan_is_kept_under_the_pseudonyms_of_its_pupils_and_sealed(engine, study):
    with reading(engine) as session:
        children = {pupil.pupil_id for pupil in load_sector(session, KEYS, SECTOR).pupils}
    found = opened(engine)
    assert {rider.pupil_id for rider in found.plan.riders} == children
    assert found.plan.not_served == ()
    assert (found.study.title, found.study.head, found.study.turn) == ("Rentrée", 1, 1)
    assert [rides.rider for run in found.plan.runs for rides in rides_of(run)] == [0, 1]
    with engine.connect() as connection:
        for table in ("school_study", "school_study_version", "school_study_line"):
            rows = [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table}"))]
            assert not any(child in str(rows) for child in (*children, "nobody", "premier jet"))


def test_a_plan_kept_once_may_be_begun_with_again(engine, study):
    again = render_plan(opened(engine).plan)
    assert add_study(engine, KEYS, SECTOR, "Suite", again, PLANNER, "", NOON).study_id == f"{SECTOR}-e2"


@pytest.mark.parametrize(
    ("plan", "title", "code"),
    [
        (morning_plan("p1", "p9"), "x", "plan_of_other_sector"),
        (morning_plan("p1", "p1"), "x", "plan_twice"),
        (morning_plan("p1", "p2"), " ", "study_title"),
        (morning_plan("p1", "p2"), "x" * 101, "study_title"),
    ],
)
def test_what_is_no_plan_of_the_sector_is_refused(engine, sector, plan, title, code):
    with pytest.raises(BadInput, match=code):
        add_study(engine, KEYS, SECTOR, title, render_plan(plan), PLANNER, "", NOON)
    with pytest.raises(NotFound, match="unknown_study"):
        opened(engine)


def test_a_study_of_no_sector_is_refused(engine):
    with pytest.raises(NotFound, match="unknown_sector"):
        add_study(engine, KEYS, "2026-x", "x", render_plan(morning_plan("p1")), PLANNER, "", NOON)


def test_undoing_and_redoing_walk_along_the_changes(engine, study):
    entitled(engine, "deux")
    entitled(engine, "trois")
    assert (opened(engine).before, opened(engine).after) == (2, None)
    undo(engine, KEYS, study.study_id, 3, PLANNER, NOON)
    undo(engine, KEYS, study.study_id, 4, PLANNER, NOON)
    found = opened(engine)
    assert (found.plan.title, found.before, found.after) == ("Essai", None, 2)
    with pytest.raises(Conflict, match="nothing_to_undo"):
        undo(engine, KEYS, study.study_id, 5, PLANNER, NOON)
    redo(engine, KEYS, study.study_id, 5, OTHER, NOON)
    assert opened(engine).plan.title == "deux"
    entitled(engine, "quatre")  # what was undone is left, and found again by its number
    assert (opened(engine).study.head, opened(engine).after) == (4, None)
    with pytest.raises(Conflict, match="nothing_to_redo"):
        redo(engine, KEYS, study.study_id, 7, PLANNER, NOON)
    adopt(engine, KEYS, study.study_id, 7, 3, PLANNER, "tout compte fait", NOON)
    found = opened(engine)
    assert found.plan.title == "trois"
    acts = [(line.act, line.version, line.done_by, line.why) for line in found.journal]
    assert acts[:3] == [
        (Act.ADOPTED, 3, PLANNER, "tout compte fait"),
        (Act.EDITED, 4, PLANNER, "essai"),
        (Act.REDONE, 2, OTHER, ""),
    ]
    assert found.journal[1].edit == {"kind": "title", "to": "quatre"}
    assert [version.parent for version in found.versions] == [None, 1, 2, 2]


def test_of_two_who_change_one_study_the_second_is_told_what_changed(engine, study):
    looked = opened(engine)
    entitled(engine, "deux")
    for late in (
        lambda turn: change(engine, KEYS, study.study_id, turn, looked.plan, {}, OTHER, "", NOON),
        lambda turn: undo(engine, KEYS, study.study_id, turn, OTHER, NOON),
        lambda turn: publish(engine, KEYS, study.study_id, turn, MONDAY, OTHER, "", NOON),
    ):
        with pytest.raises(Conflict, match="study_moved_on"):
            late(looked.study.turn)
    (line,) = studying.list_since(engine, KEYS, study.study_id, looked.study.turn)
    assert (line.done_by, line.why, line.edit) == (PLANNER, "essai", {"kind": "title", "to": "deux"})


def test_a_proposal_moves_nothing_and_is_no_redoing(engine, study):
    with transaction(engine) as session:
        proposed = store.add_version(session, KEYS, study.study_id, 1, render_plan(morning_plan("p1")), NOON)
        better = store.put_version(
            session, KEYS, study.study_id, proposed.number, render_plan(morning_plan("p2")), NOON
        )
    found = opened(engine)
    assert (found.study.head, found.after, better.number) == (1, None, 2)
    assert studying.get_plan(engine, KEYS, study.study_id, 2) == morning_plan("p2")


def test_a_plan_holds_from_its_day_on_until_another_does_and_the_last_word_of_a_day_counts(engine, study):
    later = MONDAY + timedelta(days=14)
    assert studying.find_published(engine, KEYS, SECTOR, MONDAY) is None
    with pytest.raises(NotFound, match="nothing_published"):
        studying.get_published(engine, KEYS, SECTOR, MONDAY)
    publish(engine, KEYS, study.study_id, 1, MONDAY, PLANNER, "rentrée", NOON)
    entitled(engine, "deux")
    publish(engine, KEYS, study.study_id, 3, later, PLANNER, "", NOON)
    entitled(engine, "trois")
    publish(engine, KEYS, study.study_id, 5, later, OTHER, "corrigé", NOON)

    def title(day):
        found = studying.find_published(engine, KEYS, SECTOR, day)
        return found and found.plan.title

    days = (MONDAY - timedelta(days=1), MONDAY, later - timedelta(days=1), later)
    assert [title(day) for day in days] == [None, "Essai", "Essai", "trois"]
    ((sector,),) = (studying.list_year(engine, 2026, MONDAY),)
    assert [one.version for one in sector.publications] == [3, 2, 1]
    assert [one.study_id for one in sector.studies] == [study.study_id]
    with reading(engine) as session:
        told = list_lines(session, AuditFilter(action="school"), limit=20)
    assert sorted({each.line.action for each in told}) == [
        "school.imported",
        "school.plan_published",
        "school.study_made",
    ]


def test_a_plan_holds_within_its_school_year_only(engine, study):
    for day in (date(2026, 7, 31), date(2027, 8, 1)):
        with pytest.raises(BadInput, match="publication_outside_year"):
            publish(engine, KEYS, study.study_id, 1, day, PLANNER, "", NOON)


def test_the_rides_of_a_pupil_are_those_of_the_plan_that_holds(engine, study):
    pupil = opened(engine).plan.riders[1].pupil_id
    assert studying.find_rides(engine, KEYS, SECTOR, pupil, MONDAY) == []
    publish(engine, KEYS, study.study_id, 1, MONDAY, PLANNER, "", NOON)
    ((plan, ride),) = studying.find_rides(engine, KEYS, SECTOR, pupil, MONDAY)
    assert plan.stops[ride.stop].name == "Église"
    assert ride.seconds == straight_way(plan.stops[1].position, plan.schools[0].position)[0]


def test_a_plan_that_was_altered_is_not_told(engine, study):
    with engine.begin() as connection:
        connection.execute(text("UPDATE school_study_version SET sha256 = 'x'"))
    with pytest.raises(Unavailable, match="plan_altered"):
        opened(engine)


def test_studies_are_forgotten_with_their_year(engine, study):
    publish(engine, KEYS, study.study_id, 1, MONDAY, PLANNER, "", NOON)
    for now, left in ((datetime(2028, 8, 30, tzinfo=UTC), 1), (datetime(2028, 9, 2, tzinfo=UTC), 0)):
        retention.apply(engine, now=now)
        with engine.connect() as connection:
            counts = [
                connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()
                for table in inspect(engine).get_table_names()
                if table.startswith(("school_study", "school_publication"))
            ]
        assert len(counts) == 4
        assert all(bool(n) is bool(left) for n in counts)
