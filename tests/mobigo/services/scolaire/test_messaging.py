"""Messages to families on both databases: whom they reach, once, in which language, and the proof of each sending."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest

from mobigo.jobs.handlers import Means, make_handlers
from mobigo.jobs.worker import Worker
from mobigo.outbound.letters import open_post
from mobigo.security import Keys
from mobigo.services.personal import export
from mobigo.services.scolaire import messaging
from mobigo.services.scolaire.importing import import_sector
from mobigo.services.scolaire.messaging import Channel, Draft, LetterState, preview, send
from mobigo.services.scolaire.posting import list_papers, mark_posted
from mobigo.services.scolaire.studying import add_study, publish
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import reading, transaction
from mobigo.store.people.accounts import Identity, add_person, get_person, set_identity
from mobigo.store.personal import Whose
from mobigo.store.scolaire.sectors import find_pseudonyms, load_sector
from scolaire.planfiles import render_plan
from scolaire.plans import Direction
from scolaire.telling import Matter, Scope
from socle.errors import BadInput, NotFound
from tests.worlds.one_run import morning_plan
from tests.worlds.sectors import lines_of, sector_files

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEYS = Keys.of("k" * 32)
CLERK = "person:clerk"
SECTOR = "2026-haut-doubs"
SATURDAY = NOON.date()
MONDAY, THURSDAY, WEDNESDAY = date(2026, 11, 23), date(2026, 11, 26), date(2026, 11, 25)
HEADER = "pupil_id,home_lat,home_lon,school_id,level,regime,days,wheelchair,guardian"
SITE = "https://mobigo.exemple.test"


@dataclass(frozen=True)
class World:
    anna: Whose
    bruno: Whose


@pytest.fixture
def world(engine):
    """Zoé lives with Anna on Monday and Tuesday, with Bruno on Thursday and Friday; Ali's family has no account."""
    with transaction(engine) as session:
        anna = add_person(session, KEYS, Identity("Anna Durand", "anna@exemple.test", "+33639980001"), NOON)
        bruno = add_person(session, KEYS, Identity("Bruno Petit", "", "+33639980002"), NOON)
    pupils = lines_of(
        HEADER,
        f"Zoe,47.16,6.30,c1,college,externe,lu ma,0,{anna.reference}",
        f"Zoe,47.17,6.36,c1,college,externe,je ve,0,{bruno.reference}",
        f"Max,47.16,6.30,c1,college,externe,lu ma je ve,0,{anna.reference}",
        "Ali,47.17,6.36,c1,college,externe,lu ma je ve,0,",
    )
    import_sector(engine, KEYS, sector_files(pupils=pupils), 2026, "haut-doubs", CLERK, NOON)
    plan = render_plan(morning_plan("Zoe", "Max", "Ali"))
    study = add_study(engine, KEYS, SECTOR, "Rentrée", plan, CLERK, "", NOON)
    publish(engine, KEYS, study.study_id, 1, date(2026, 9, 1), CLERK, "", NOON)
    return World(Whose(anna.person_id, anna.pseudonym), Whose(bruno.person_id, bruno.pseudonym))


def draft(day=MONDAY, words="Le car a 20 minutes de retard.", matter=Matter.DELAY, **scope):
    return Draft(SECTOR, matter, Scope(day, **scope), words)


def done(engine, folder):
    """Every letter that is due is written; what was written, by address."""
    post = open_post("", "", folder, SITE)
    Worker(engine, make_handlers(Means(engine, KEYS, post, lambda: NOON)), (), lambda: NOON, "w").run_due()
    mails = [message_from_bytes(path.read_bytes(), policy=default) for path in sorted(folder.glob("mail/*"))]
    texts = [json.loads(path.read_text()) for path in sorted(folder.glob("sms/*"))]
    return {mail["To"]: mail for mail in mails} | {one["to"]: one["body"] for one in texts}


def papers(engine, message):
    return list(list_papers(engine, KEYS, message.message_id, CLERK, NOON).letters)


def counts(engine, draft):
    told = preview(engine, KEYS, draft, SITE, NOON)
    return told.n_children, told.n_guardians, dict(told.by_channel)


def test_a_message_is_counted_before_it_is_sent(engine, world):
    everybody = {Channel.EMAIL: 1, Channel.PHONE: 1, Channel.POST: 1}
    assert counts(engine, draft()) == (3, 1, everybody)  # Anna once, by both, for both children; Ali's by post
    assert counts(engine, draft(THURSDAY)) == (3, 2, {Channel.EMAIL: 1, Channel.PHONE: 2, Channel.POST: 1})
    assert counts(engine, draft(WEDNESDAY)) == (0, 0, {})
    assert counts(engine, draft(stops=frozenset({"s1"}))) == (1, 1, {Channel.EMAIL: 1, Channel.PHONE: 1})
    assert counts(engine, draft(direction=Direction.FROM_SCHOOL)) == (0, 0, {})
    assert counts(engine, draft(circuits=frozenset({"C001"})))[0] == 3
    with reading(engine) as session:
        assert [line.line.action for line in list_lines(session, AuditFilter(), limit=1)] == ["school.plan_published"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (draft(words=" ", matter=Matter.OTHER), "message_empty"),
        (draft(words="x" * 301), "message_long"),
        (draft(MONDAY - timedelta(days=9)), "message_day"),
        (draft(circuits=frozenset({"C9"})), "message_scope"),
        (draft(stops=frozenset({"s9"})), "message_scope"),
    ],
)
def test_what_cannot_be_said_is_refused(engine, world, wrong, code):
    with pytest.raises(BadInput, match=code):
        preview(engine, KEYS, wrong, SITE, NOON)
    with pytest.raises(BadInput, match=code):
        send(engine, KEYS, wrong, "k", CLERK, NOON)


def test_without_a_plan_nobody_is_concerned(engine):
    with pytest.raises(NotFound, match="unknown_sector"):
        preview(engine, KEYS, draft(), SITE, NOON)
    import_sector(engine, KEYS, sector_files(), 2026, "haut-doubs", CLERK, NOON)
    with pytest.raises(NotFound, match="nothing_published"):
        preview(engine, KEYS, draft(), SITE, NOON)


def test_each_address_is_written_to_once_and_the_proof_says_when(engine, world, tmp_path):
    message = send(engine, KEYS, draft(), "form 1", CLERK, NOON)
    assert send(engine, KEYS, draft(), "form 1", CLERK, NOON) == message
    letters = done(engine, tmp_path)
    assert set(letters) == {"anna@exemple.test", "+33639980001"}
    assert "20 minutes de retard" in letters["+33639980001"]
    body = letters["anna@exemple.test"].get_content()
    assert "20 minutes de retard" in body
    assert "23/11/2026" in body
    assert not any(name in body + letters["+33639980001"] for name in ("Zoe", "Max", "Ali", "eleve-"))
    sent = messaging.get_sent(engine, KEYS, message.message_id)
    assert dict(sent.by_state) == {
        (Channel.EMAIL, LetterState.SENT): 1,
        (Channel.PHONE, LetterState.SENT): 1,
        (Channel.POST, LetterState.WAITING): 1,
    }
    assert {one.ended_at for one in sent.letters} == {NOON, None}
    assert [one.message for one in messaging.list_sent(engine, KEYS, 2026)] == [message]
    with reading(engine) as session:
        (line,) = list_lines(session, AuditFilter(action="school.message_sent"), limit=9)
        assert (line.line.actor, line.line.facts["n"]) == (CLERK, 3)


def test_who_has_no_address_is_written_to_on_paper_and_that_is_noted(engine, world):
    message = send(engine, KEYS, draft(), "form 1", CLERK, NOON)
    assert [one.pupil_id for one in papers(engine, message)] == ["Ali"]
    assert mark_posted(engine, KEYS, message.message_id, SATURDAY, (), CLERK, NOON) == 1
    assert mark_posted(engine, KEYS, message.message_id, SATURDAY, (), CLERK, NOON) == 0
    assert papers(engine, message) == []


def test_an_address_that_is_refused_or_gone_is_told_so(engine, world, tmp_path):
    with transaction(engine) as session:
        set_identity(session, KEYS, world.anna.person_id, Identity("Anna", "anna@exemple.test", "12"))
    message = send(engine, KEYS, draft(), "form 1", CLERK, NOON)
    with transaction(engine) as session:
        set_identity(session, KEYS, world.anna.person_id, Identity("Anna", "", "12"))
    assert done(engine, tmp_path) == {}
    letters = messaging.get_sent(engine, KEYS, message.message_id).letters
    ended = {one.addressee.channel: (one.state, one.said) for one in letters}
    assert ended[Channel.EMAIL] == (LetterState.GONE, "")
    assert ended[Channel.PHONE] == (LetterState.REFUSED, "bad_number")


def test_a_guardian_is_written_to_in_the_language_that_was_chosen(engine, world, tmp_path):
    messaging.set_language(engine, world.anna.pseudonym, "de", NOON)
    assert messaging.find_language(engine, world.anna.pseudonym) == "de"
    assert messaging.find_language(engine, world.bruno.pseudonym) == "fr"
    with pytest.raises(BadInput, match="unknown_language"):
        messaging.set_language(engine, world.anna.pseudonym, "xx", NOON)
    send(engine, KEYS, draft(THURSDAY), "form 1", CLERK, NOON)
    letters = done(engine, tmp_path)
    assert letters["anna@exemple.test"]["Subject"] == "Schülerverkehr: Verspätung"
    assert letters["+33639980002"].startswith("Transport scolaire")


def test_families_see_what_concerns_their_children_in_the_home_of_that_day(engine, world):
    send(engine, KEYS, draft(words="lundi"), "1", CLERK, NOON)
    send(engine, KEYS, draft(THURSDAY, words="jeudi"), "2", CLERK, NOON)
    send(engine, KEYS, draft(THURSDAY, words="au bourg", stops=frozenset({"s1"})), "3", CLERK, NOON)

    def told(who, today=MONDAY):
        return [one.words for one in messaging.alerts_of(engine, KEYS, who.pseudonym, today)]

    assert told(world.anna) == ["lundi", "jeudi"]
    assert told(world.bruno) == ["jeudi", "au bourg"] or told(world.bruno) == ["au bourg", "jeudi"]
    assert told(world.anna, THURSDAY) == ["jeudi"]
    with reading(engine) as session:
        (zoe,) = find_pseudonyms(session, KEYS, SECTOR, ["Zoe"]).values()
        assert len(load_sector(session, KEYS, SECTOR).pupils) == 3
    children = [(SECTOR, zoe, 0)]
    assert [one.words for one in messaging.alerts_for(engine, KEYS, children, MONDAY)] == ["lundi"]
    assert messaging.alerts_for(engine, KEYS, [], MONDAY) == []


def test_who_changes_coach_after_a_message_was_sent_reads_it_too(engine, world):
    send(engine, KEYS, draft(THURSDAY, words="à l’église", stops=frozenset({"s2"})), "1", CLERK, NOON)
    assert messaging.alerts_of(engine, KEYS, world.bruno.pseudonym, MONDAY) == []  # Zoé waits at the town hall
    plan = render_plan(morning_plan("Max", "Zoe", "Ali"))
    study = add_study(engine, KEYS, SECTOR, "Novembre", plan, CLERK, "", NOON)
    publish(engine, KEYS, study.study_id, 1, date(2026, 11, 24), CLERK, "", NOON)
    (told,) = messaging.alerts_of(engine, KEYS, world.bruno.pseudonym, MONDAY)
    assert told.words == "à l’église"
    with reading(engine) as session:
        (zoe,) = find_pseudonyms(session, KEYS, SECTOR, ["Zoe"]).values()
    assert messaging.alerts_for(engine, KEYS, [(SECTOR, zoe, 0)], MONDAY) == []  # not from that home on a Thursday


@pytest.mark.parametrize("matter", list(Matter))
def test_who_has_no_account_is_written_to_on_paper_whatever_it_is_about_with_proof(engine, world, matter):
    message = send(engine, KEYS, draft(matter=matter), f"form {matter}", CLERK, NOON)
    assert [one.pupil_id for one in papers(engine, message)] == ["Ali"]
    assert mark_posted(engine, KEYS, message.message_id, SATURDAY, (), CLERK, NOON) == 1
    letters = messaging.get_sent(engine, KEYS, message.message_id).letters
    (paper,) = (one for one in letters if one.addressee.channel is Channel.POST)
    assert (paper.state, paper.ended_at, paper.posted_on) == (LetterState.SENT, NOON, SATURDAY)
    with reading(engine) as session:
        told = [line.line.action for line in list_lines(session, AuditFilter(), limit=3)]
    assert told == ["school.message_posted", "school.message_papers_read", "school.message_sent"]


def test_a_guardian_takes_away_what_was_sent_and_no_word_is_stored_in_clear(engine, world):
    send(engine, KEYS, draft(words="Verglas au col"), "1", CLERK, NOON)
    rows = export(engine, world.anna, KEYS, CLERK, "", NOON).rows
    assert {row["letter_channel"] for row in rows["school_message_letter"]} == {"email", "phone"}
    assert {row["words"] for row in rows["school_message_letter"]} == {"Verglas au col"}
    with engine.connect() as connection:
        stored = [str(row) for row in connection.exec_driver_sql("SELECT * FROM school_message")]
    assert "Verglas" not in "".join(stored)
    with reading(engine) as session:
        assert get_person(session, world.anna.person_id).pseudonym == world.anna.pseudonym


def test_what_a_message_may_speak_of_is_what_the_plan_of_that_day_has(engine, world):
    (found,) = messaging.list_published(engine, KEYS, 2026, MONDAY)
    assert found.sector_id == SECTOR
    assert [(one.name, one.stop_id, one.circuits) for one in found.stops] == [
        ("Mairie", "s1", ("C001",)),
        ("Église", "s2", ("C001",)),
    ]
    assert messaging.list_published(engine, KEYS, 2026, date(2026, 8, 1)) == []


@pytest.mark.parametrize(
    ("written", "stops"),
    [
        ("", set()),
        (" ; ", set()),
        ("mairie", {"s1"}),
        ("Église; MAIRIE ;", {"s1", "s2"}),
        ("s1, s2", {"s1", "s2"}),
        ("s1; Église", {"s1", "s2"}),
    ],
)
def test_stops_are_written_by_name_or_id(engine, world, written, stops):
    assert messaging.find_stops(engine, KEYS, SECTOR, MONDAY, written) == stops


def test_a_stop_that_the_plan_has_not_is_named(engine, world):
    with pytest.raises(BadInput, match="message_scope") as caught:
        messaging.find_stops(engine, KEYS, SECTOR, MONDAY, "Mairie; Gare, place haute")
    assert caught.value.facts["named"] == "Gare, place haute"
    with pytest.raises(NotFound, match="nothing_published"):
        messaging.find_stops(engine, KEYS, SECTOR, date(2026, 8, 1), "Mairie")
