import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from mobigo.services.personal import (
    all_wordings,
    answer_consents,
    erase,
    export,
    has_consent,
    list_consents,
    list_history,
    render_json,
    wordings_on,
)
from mobigo.store.audit import AuditFilter, AuditLine, list_lines, record
from mobigo.store.base import reading, transaction
from mobigo.store.personal import Whose
from socle.errors import BadInput, NotFound

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ANNE, BASILE = Whose("p-anne", "aaaanne"), Whose("p-basile", "bbbasile")
AGENT = "person:agent7"


class NoKeys:
    """Nothing of these tests is sealed."""

    def open(self, sealed, place):
        raise AssertionError(place)


def answer(engine, whose=ANNE, version=1, minutes=0, actor=None, **given):
    versions = dict.fromkeys(given, version)
    return answer_consents(engine, whose, versions, given, actor or whose.name, NOON + timedelta(minutes=minutes))


def lines(engine, **wish):
    with reading(engine) as session:
        return [one.line for one in reversed(list_lines(session, AuditFilter(**wish), limit=99))]


def test_nothing_is_agreed_to_before_it_is_answered(engine):
    assert [(each.wording.purpose, each.answer, each.given) for each in list_consents(engine, ANNE, NOON)] == [
        ("service_news", None, False),
        ("surveys", None, False),
    ]
    assert not has_consent(engine, ANNE, "service_news", NOON)


def test_an_agreement_is_kept_with_the_hash_of_its_words_and_can_be_withdrawn(engine):
    assert answer(engine, service_news=True, surveys=False) == ["service_news"]
    assert has_consent(engine, ANNE, "service_news", NOON)
    assert not has_consent(engine, BASILE, "service_news", NOON)
    assert answer(engine, minutes=1, service_news=True, surveys=False) == []
    assert answer(engine, minutes=2, actor=AGENT, service_news=False) == ["service_news"]
    assert not has_consent(engine, ANNE, "service_news", NOON)
    words = wordings_on(NOON.date())["service_news"]
    told = [(each.given, each.version, each.wording_sha256, each.actor) for each in list_history(engine, ANNE)]
    assert told == [(True, 1, words.digest(), ANNE.name), (False, 1, words.digest(), AGENT)]
    assert [(line.action, line.actor, line.subject, dict(line.facts)) for line in lines(engine)] == [
        ("personal.consent_given", ANNE.name, ANNE.name, {"purpose": "service_news", "version": 1}),
        ("personal.consent_withdrawn", AGENT, ANNE.name, {"purpose": "service_news", "version": 1}),
    ]


def test_an_answer_to_other_words_than_those_in_force_is_refused_whole(engine):
    with pytest.raises(BadInput, match="consent_words_changed"):
        answer_consents(
            engine, ANNE, {"service_news": 1, "surveys": 2}, {"service_news": True, "surveys": True}, ANNE.name, NOON
        )
    with pytest.raises(BadInput, match="unknown_consent"):
        answer(engine, **{"'; DROP TABLE consent; --": True})
    assert list_history(engine, ANNE) == lines(engine) == []


def test_new_words_are_to_be_agreed_to_anew(engine, monkeypatch):
    from dataclasses import replace

    answer(engine, service_news=True)
    first = wordings_on(NOON.date())["service_news"]
    second = replace(first, version=2, from_day=NOON.date() + timedelta(days=10))
    monkeypatch.setattr("mobigo.services.personal.all_wordings", lambda: (first, second))
    assert has_consent(engine, ANNE, "service_news", NOON + timedelta(days=9))
    later = NOON + timedelta(days=11)
    assert not has_consent(engine, ANNE, "service_news", later)
    assert answer_consents(engine, ANNE, {"service_news": 2}, {"service_news": True}, ANNE.name, later)
    assert has_consent(engine, ANNE, "service_news", later)


@pytest.mark.parametrize("wording", all_wordings(), ids=lambda each: f"{each.purpose}-{each.version}")
def test_the_words_of_a_version_never_change(wording):
    assert wording.digest() == wording.sha256, "other words are another version, from another day"


def test_everything_held_about_a_person_is_exported_and_nothing_about_another(engine):
    answer(engine, service_news=True)
    answer(engine, BASILE, surveys=True)
    with transaction(engine) as session:
        record(session, AuditLine(NOON, AGENT, "people.read", ANNE.name, "rappel après un appel"))
        record(session, AuditLine(NOON, ANNE.name, "people.read", BASILE.name, "au guichet"))
    data = export(engine, ANNE, NoKeys(), ANNE.name, "", NOON + timedelta(hours=1))
    document = json.loads(b"".join(render_json(data)))
    assert document["format"] == "mobigo-personal-data"
    assert document["exported_at"] == "2026-11-21T13:00:00Z"
    assert [row["purpose"] for row in document["tables"]["consent"]] == ["service_news"]
    assert document["tables"]["audit_line"] == [
        {"at": "2026-11-21T12:00:00Z", "action": "personal.consent_given", "by": "self", "why": ""},
        {"at": "2026-11-21T12:00:00Z", "action": "people.read", "by": "person", "why": "rappel après un appel"},
        {"at": "2026-11-21T12:00:00Z", "action": "people.read", "by": "self"},
    ]
    assert BASILE.pseudonym not in json.dumps(document)
    assert "agent7" not in json.dumps(document)
    assert [line.action for line in lines(engine, subject=ANNE.name)][-1] == "personal.exported"


def test_an_export_of_nobody_is_refused_and_not_told(engine):
    with pytest.raises(NotFound, match="unknown_person"):
        export(engine, ANNE, NoKeys(), AGENT, "", NOON)
    assert lines(engine) == []


def test_erasure_takes_one_person_away_and_leaves_the_log_whole(engine):
    answer(engine, service_news=True)
    answer(engine, BASILE, service_news=True)
    before = lines(engine)
    assert erase(engine, ANNE, ANNE.name, "", NOON) == {"consent": 1}
    assert list_history(engine, ANNE) == []
    assert len(list_history(engine, BASILE)) == 1
    assert lines(engine)[: len(before)] == before
    last = lines(engine)[-1]
    assert (last.action, last.subject, dict(last.facts)) == ("personal.erased", ANNE.name, {"consent": 1})
    with pytest.raises(NotFound, match="unknown_person"):
        erase(engine, ANNE, ANNE.name, "", NOON)


def test_an_erasure_that_fails_takes_nothing_away(engine):
    answer(engine, service_news=True)
    with pytest.raises(BadInput, match="why_too_long"):
        erase(engine, ANNE, AGENT, "x" * 501, NOON)
    assert len(list_history(engine, ANNE)) == 1


def test_nothing_in_the_database_leads_from_the_pseudonym_to_somebody_after_erasure(engine):
    answer(engine, service_news=True)
    erase(engine, ANNE, ANNE.name, "", NOON)
    with engine.connect() as connection:
        dumped = str([connection.execute(text(f"SELECT * FROM {name}")).all() for name in ("consent", "audit_line")])
    assert ANNE.pseudonym in dumped
    assert ANNE.person_id not in dumped
