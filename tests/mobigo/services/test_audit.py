import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from mobigo.services.audit import export, list_known_actions, read_page
from mobigo.store.audit import AuditFilter, AuditLine, list_lines, record
from mobigo.store.base import reading, transaction
from socle.errors import BadInput

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
OFFICER, ANNE = "person:officer", "person:anne"


def written(engine, n=1, **fields):
    with transaction(engine) as session:
        for minute in range(n):
            values = {"actor": "person:agent7", "action": "people.read", "subject": ANNE} | fields
            record(session, AuditLine(at=NOON + timedelta(minutes=minute), **values))


def newest(engine):
    with reading(engine) as session:
        return list_lines(session, AuditFilter(), limit=1)[0].line


def test_reading_the_log_is_itself_a_line_about_the_person_whose_lines_were_read(engine):
    written(engine)
    since = NOON - timedelta(days=1)
    read_page(engine, AuditFilter(subject=ANNE, action="people", since=since), OFFICER, "plainte 12", None, NOON)
    line = newest(engine)
    assert (line.actor, line.action, line.subject, line.why) == (OFFICER, "audit.read", ANNE, "plainte 12")
    assert dict(line.facts) == {"action": "people", "since": since.isoformat()}


def test_pages_follow_until_the_last_line(engine):
    written(engine, 7)
    seen, before = [], None
    wish = AuditFilter(action="people")
    while True:
        page = read_page(engine, wish, OFFICER, "", before, NOON, n_lines=3)
        seen.append([one.number for one in page.lines])
        before = page.before
        if before is None:
            break
    assert seen == [[7, 6, 5], [4, 3, 2], [1]]


def test_a_full_last_page_has_no_next(engine):
    written(engine, 3)
    assert read_page(engine, AuditFilter(), OFFICER, "", None, NOON, n_lines=3).before is None


def test_the_export_is_whole_in_pieces_and_stops_where_it_was_asked(engine, monkeypatch):
    monkeypatch.setattr("mobigo.services.audit._PIECE", 3)
    written(engine, 7, why='« été », = 1 ; "guillemets"\nligne')
    pieces = export(engine, AuditFilter(), "json", OFFICER, "contrôle", NOON)
    written(engine, 5)
    told = json.loads(b"".join(pieces))
    assert [each["number"] for each in told] == [1, 2, 3, 4, 5, 6, 7]
    assert told[0] == {
        "number": 1,
        "at": "2026-11-21T12:00:00Z",
        "actor": "person:agent7",
        "action": "people.read",
        "subject": ANNE,
        "why": '« été », = 1 ; "guillemets"\nligne',
        "facts": {},
    }
    with reading(engine) as session:
        told_of_it = list_lines(session, AuditFilter(action="audit.exported"), limit=9)
    assert [(one.number, one.line.actor, one.line.why) for one in told_of_it] == [(8, OFFICER, "contrôle")]


def test_an_export_of_nothing_is_an_empty_list_and_a_heading(engine):
    assert json.loads(b"".join(export(engine, AuditFilter(actor="key:x"), "json", OFFICER, "", NOON))) == []
    told = b"".join(export(engine, AuditFilter(actor="key:x"), "csv", OFFICER, "", NOON)).decode()
    assert list(csv.reader(io.StringIO(told))) == [["number", "at", "actor", "action", "subject", "why", "facts"]]


@pytest.mark.parametrize(
    ("why", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "\t'=1"),
        (" \r=1", " \r'=1"),
        ("＝1", "'＝1"),
        ("lettre;=1+1; @x", "lettre;'=1+1; '@x"),
        ("deux\n=1", "deux\n'=1"),
        ("5 - 3 = 2 ; a+b", "5 - 3 = 2 ; a+b"),
    ],
)
def test_a_spreadsheet_runs_nothing_of_the_export(engine, why, cell):
    written(engine, why=why, facts={"note": why})
    told = b"".join(export(engine, AuditFilter(), "csv", OFFICER, "", NOON)).decode()
    row = list(csv.reader(io.StringIO(told, newline="")))[1]
    assert row[5] == cell
    for cut in (*csv.reader(told.splitlines(), delimiter=";"), *csv.reader(told.splitlines())):
        assert not [one for one in cut if one.strip().startswith(("=", "+", "-", "@", "＝"))]
    assert set(json.loads(row[6])) == {"note"}


def test_a_csv_tells_facts_as_json(engine):
    written(engine, facts={"role": "driver", "n": 2}, why='il a dit "non", puis oui')
    told = b"".join(export(engine, AuditFilter(), "csv", OFFICER, "", NOON)).decode()
    row = list(csv.reader(io.StringIO(told, newline="")))[1]
    assert (row[5], json.loads(row[6])) == ('il a dit "non", puis oui', {"role": "driver", "n": 2})


def test_an_unknown_format_is_refused_and_not_told_as_an_export(engine):
    written(engine)
    with pytest.raises(BadInput, match="unknown_format"):
        export(engine, AuditFilter(), "../../etc/passwd", OFFICER, "", NOON)
    assert newest(engine).action == "people.read"


def test_the_actions_that_a_filter_offers_are_those_of_the_log(engine):
    written(engine)
    written(engine, action="jobs.done")
    assert list_known_actions(engine) == ["jobs.done", "people.read"]
