"""Letters on paper on both databases: to whom, of which home, and the day on which they were posted."""

from datetime import date, timedelta

import pytest

from mobigo.security import Keys
from mobigo.services.scolaire import deciding, messaging, registering
from mobigo.services.scolaire.messaging import Draft, LetterState, send
from mobigo.services.scolaire.posting import PaperLetter, list_papers, mark_posted
from mobigo.services.scolaire.studying import add_study, publish
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import reading
from scolaire.planfiles import render_plan
from scolaire.telling import Matter, Scope
from socle.errors import BadInput, NotFound
from tests.worlds.one_run import morning_plan
from tests.worlds.schooling import AUTUMN, JULY, OFFICE, SCHOOL, SECTOR, school_year, typed

KEYS = Keys.of("k" * 32)
CLERK = "person:clerk"
MONDAY = date(2026, 11, 23)
TODAY = AUTUMN.date()


@pytest.fixture
def message(engine):
    """Zoé was registered at the counter, by a family without an account; p1 and p2 are of the imported file."""
    school_year(engine, KEYS)
    asked = registering.start(engine, KEYS, OFFICE, SCHOOL, JULY)
    registering.save(engine, KEYS, OFFICE, asked, typed(route_m_1="6200"), JULY)
    registering.submit(engine, KEYS, OFFICE, asked, JULY)
    zoe = deciding.decide(engine, KEYS, OFFICE, asked, JULY).pupil
    study = add_study(engine, KEYS, SECTOR, "Rentrée", render_plan(morning_plan("p1", "p2", zoe)), CLERK, "", JULY)
    publish(engine, KEYS, study.study_id, 1, date(2026, 9, 1), CLERK, "", JULY)
    draft = Draft(SECTOR, Matter.STOP_MOVED, Scope(MONDAY), "L’arrêt Mairie passe devant l’école.")
    return send(engine, KEYS, draft, "form", CLERK, AUTUMN).message_id


def posted(engine, message, day=TODAY, but=(), now=AUTUMN):
    return mark_posted(engine, KEYS, message, day, but, CLERK, now)


def test_a_letter_has_name_and_address_of_the_registered_home_and_the_id_where_nobody_wrote_one(engine, message):
    papers = list_papers(engine, KEYS, message, CLERK, AUTUMN)
    told = {one.pupil_id: one for one in papers.letters}
    (zoe,) = set(told) - {"p1", "p2"}
    assert told[zoe] == PaperLetter(told[zoe].number, zoe, "Camille Durand", "3 chemin du Puits", "25701")
    assert told["p1"] == PaperLetter(told["p1"].number, "p1")
    assert (
        papers.sentence
        == "Transport scolaire, tous les circuits du secteur, le 23/11/2026\N{NO-BREAK SPACE}: arrêt déplacé."
    )
    assert papers.message.words == "L’arrêt Mairie passe devant l’école."
    with reading(engine) as session:
        (line,) = list_lines(session, AuditFilter(action="school.message_papers_read"), limit=9)
    assert (line.line.actor, line.line.facts["n"]) == (CLERK, 3)


def test_what_was_posted_has_its_day_and_what_was_not_waits(engine, message):
    numbers = [one.number for one in list_papers(engine, KEYS, message, CLERK, AUTUMN).letters]
    later = AUTUMN + timedelta(days=2)
    assert posted(engine, message, TODAY + timedelta(days=1), numbers[:1], later) == 2
    (left,) = list_papers(engine, KEYS, message, CLERK, later).letters
    assert left.number == numbers[0]
    letters = messaging.get_sent(engine, KEYS, message).letters
    assert {(one.state, one.posted_on, one.ended_at) for one in letters if one.number in numbers[1:]} == {
        (LetterState.SENT, TODAY + timedelta(days=1), later)
    }
    assert posted(engine, message, TODAY, (), later) == 1
    assert posted(engine, message, TODAY, (), later) == 0
    with reading(engine) as session:
        lines = list_lines(session, AuditFilter(action="school.message_posted"), limit=9)
    assert [(line.line.facts["n"], line.line.facts["day"]) for line in reversed(lines)] == [
        (2, "2026-11-22"),
        (1, "2026-11-21"),
        (0, "2026-11-21"),
    ]


@pytest.mark.parametrize(
    ("day", "but", "code"),
    [
        (TODAY - timedelta(days=1), (), "posted_day"),
        (TODAY + timedelta(days=1), (), "posted_day"),
        (TODAY, (7,), "posted_numbers"),
        (TODAY, (-1,), "posted_numbers"),
    ],
)
def test_a_day_that_cannot_be_and_a_letter_that_does_not_wait_are_refused(engine, message, day, but, code):
    with pytest.raises(BadInput, match=code):
        posted(engine, message, day, but)
    assert len(list_papers(engine, KEYS, message, CLERK, AUTUMN).letters) == 3


def test_of_a_message_that_is_none_nothing_is_told(engine):
    with pytest.raises(NotFound, match="unknown_school_message"):
        list_papers(engine, KEYS, "x", CLERK, AUTUMN)
    with pytest.raises(NotFound, match="unknown_school_message"):
        posted(engine, "x")
