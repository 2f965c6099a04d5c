from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from mobigo.store.audit import (
    AuditFilter,
    AuditLine,
    last_number,
    list_actions,
    list_lines,
    list_onward,
    read_why,
    record,
)
from mobigo.store.base import reading, transaction
from socle.errors import BadInput

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
AGENT, ANNE, BASILE = "person:agent7", "person:anne", "person:basile"


def line(action="people.read", subject=ANNE, actor=AGENT, minutes=0, **facts):
    return AuditLine(NOON + timedelta(minutes=minutes), actor, action, subject, "appel au 03 80", facts)


def written(engine, *lines):
    with transaction(engine) as session:
        for each in lines:
            record(session, each)


def found(engine, limit=100, before=None, **wish):
    with reading(engine) as session:
        return [one.line for one in list_lines(session, AuditFilter(**wish), limit=limit, before=before)]


def test_lines_come_back_as_they_were_written_the_last_first(engine):
    first, second = line(role="driver", n=2, done=True, note=None), line(minutes=1)
    written(engine, first, second)
    assert found(engine) == [second, first]


def test_a_line_is_written_with_what_it_tells_or_not_at_all(engine):
    def record_and_fall():
        with transaction(engine) as session:
            record(session, line())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        record_and_fall()
    assert found(engine) == []


@pytest.mark.parametrize(
    ("wish", "minutes"),
    [
        ({}, [4, 3, 2, 1, 0]),
        ({"actor": AGENT}, [3, 2, 1, 0]),
        ({"subject": BASILE}, [3, 1]),
        ({"action": "people.read"}, [1, 0]),
        ({"action": "people"}, [2, 1, 0]),
        ({"action": "people.rea"}, []),
        ({"action": "peopl_"}, []),
        ({"since": NOON + timedelta(minutes=1), "until": NOON + timedelta(minutes=3)}, [2, 1]),
        ({"subject": ANNE, "action": "people", "since": NOON + timedelta(minutes=1)}, [2]),
    ],
)
def test_lines_are_filtered_by_who_whose_what_and_when(engine, wish, minutes):
    written(
        engine,
        line(minutes=0),
        line(subject=BASILE, minutes=1),
        line("people.role_given", minutes=2),
        line("peoples.read", subject=BASILE, minutes=3),
        line("jobs.done", subject="", actor="system:retention", minutes=4),
    )
    assert [int((each.at - NOON).total_seconds() / 60) for each in found(engine, **wish)] == minutes


@pytest.mark.parametrize(
    "who", ["Anne Martin", "anne@exemple.test", "'; DROP TABLE audit_line; --", "person:", "\0", "x" * 500]
)
def test_a_filter_names_nobody_either_for_it_is_written_down_in_its_turn(who):
    with pytest.raises(BadInput, match="bad_who"):
        AuditFilter(actor=who)
    with pytest.raises(BadInput, match="bad_who"):
        AuditFilter(subject=who)


@pytest.mark.parametrize("action", ["%", "Anne Martin", "people.", ".read", "people read", "people.read\n", "\0"])
def test_a_filter_asks_for_actions_as_they_are_written(action):
    with pytest.raises(BadInput, match="bad_action"):
        AuditFilter(action=action)


def test_pages_follow_each_other_without_gap_or_double_while_lines_are_added(engine):
    written(engine, *(line(minutes=each) for each in range(7)))
    seen, before = [], None
    for _ in range(3):
        with reading(engine) as session:
            page = list_lines(session, AuditFilter(), limit=3, before=before)
        seen += [one.line for one in page]
        before = page[-1].number
        written(engine, line(minutes=99))
    assert seen == [line(minutes=each) for each in reversed(range(7))]


def test_lines_are_told_onward_in_the_order_of_writing_up_to_a_number(engine):
    written(engine, *(line(minutes=each, subject=ANNE if each % 2 else BASILE) for each in range(9)))
    with reading(engine) as session:
        end = last_number(session)
    written(engine, line(minutes=99))
    with reading(engine) as session:
        first = list_onward(session, AuditFilter(subject=ANNE), after=0, to=end, limit=3)
        rest = list_onward(session, AuditFilter(subject=ANNE), after=first[-1].number, to=end, limit=3)
        assert list_actions(session) == ["people.read"]
    assert [one.line for one in (*first, *rest)] == [line(minutes=each) for each in (1, 3, 5, 7)]


def test_an_empty_log_has_no_last_number(engine):
    with reading(engine) as session:
        assert last_number(session) == 0


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit_line SET why = 'rien'",
        "UPDATE audit_line SET id = id + 100",
        "DELETE FROM audit_line",
        "DELETE FROM audit_line WHERE id = (SELECT max(id) FROM audit_line)",
    ],
)
def test_the_database_refuses_to_change_or_take_away_a_line(engine, tampering):
    written(engine, line(), line(minutes=1))
    with pytest.raises(DatabaseError, match="append only"), engine.begin() as connection:
        connection.execute(text(tampering))
    assert found(engine) == [line(minutes=1), line()]


def test_neither_replacing_upserting_nor_truncating_goes_round_the_refusal(engine):
    written(engine, line())
    columns = "(id, at, actor, action, subject, why, facts)"
    values = "SELECT id, at, 'x', action, subject, why, facts FROM audit_line"
    upsert = "ON CONFLICT (id) DO UPDATE SET actor = 'x'"
    ways = {
        "sqlite": [
            f"REPLACE INTO audit_line {columns} {values}",
            f"INSERT INTO audit_line {columns} {values} WHERE true {upsert}",
        ],
        "postgresql": [
            "TRUNCATE audit_line",
            "TRUNCATE audit_line CASCADE",
            f"INSERT INTO audit_line {columns} {values} {upsert}",
        ],
    }
    for way in ways[engine.dialect.name]:
        with pytest.raises(DatabaseError, match="append only"), engine.begin() as connection:
            connection.execute(text(way))
    assert found(engine) == [line()]


@pytest.mark.parametrize(
    "who", ["Anne Martin", "anne@example.org", "person:", "person:a b", "person:a\n", "+33612345678"]
)
def test_a_line_names_nobody(who):
    with pytest.raises(ValueError, match="no actor"):
        AuditLine(NOON, who, "people.read")
    with pytest.raises(ValueError, match="no subject"):
        AuditLine(NOON, AGENT, "people.read", who)


@pytest.mark.parametrize("action", ["", "read", "people.", "People.read", "people.read\n", "people read", ".read"])
def test_an_action_is_a_dotted_word(action):
    with pytest.raises(ValueError, match="no dotted action"):
        AuditLine(NOON, AGENT, action)


@pytest.mark.parametrize(
    "why",
    [
        "écrit de camille@exemple.test",
        "rappelée au 06 39 98 00 11",
        "0639980011",
        "+33 6 39 98 00 11",
        "remboursée sur FR76 3000 6000 0112 3456 7890 189",
        "FR7630006000011234567890189",
    ],
)
def test_a_reason_does_not_say_where_somebody_is_reached_for_it_outlives_them(engine, why):
    with pytest.raises(BadInput, match="why_names_somebody"):
        written(engine, AuditLine(NOON, AGENT, "people.read", ANNE, why))
    assert found(engine) == []


@pytest.mark.parametrize("why", ["lettre du 12/11/2026, reçue le 2026-11-14", "dossier PZ44 M7FR", "appel au 03 80"])
def test_a_reason_says_how_and_when_somebody_asked(engine, why):
    written(engine, AuditLine(NOON, AGENT, "people.read", ANNE, why))
    assert [line.why for line in found(engine)] == [why]


@pytest.mark.parametrize(
    ("typed", "why"), [(" a\tb\n c ", "a b c"), ("a\0b", "a b"), ("\x1b[31mrouge", "[31mrouge"), ("é\u202eè", "é è")]
)
def test_a_reason_is_one_line_that_any_database_and_terminal_takes(engine, typed, why):
    assert read_why(typed) == why
    written(engine, AuditLine(NOON, AGENT, "people.read", ANNE, read_why(typed)))
    assert [line.why for line in found(engine)] == [why]


def test_a_reason_of_nothing_printable_is_missing():
    with pytest.raises(BadInput, match="why_missing"):
        read_why(" \0\t\x1b")


def test_a_reason_has_a_length():
    AuditLine(NOON, AGENT, "people.read", why="é" * 500)
    with pytest.raises(BadInput, match="why_too_long"):
        AuditLine(NOON, AGENT, "people.read", why="é" * 501)
