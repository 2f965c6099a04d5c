"""Lines are those that were imported, else the six pilot lines."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from sqlmodel import select

from covoiturage.lines import document_of, read_lines, shipped_lines
from mobigo.services.covoiturage.lines import get_line, import_lines, list_lines
from mobigo.store.audit import AuditRow
from mobigo.store.base import reading
from socle.errors import BadInput, Conflict, NotFound

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
TODAY = date(2026, 11, 21)


def file_of(*documents):
    return json.dumps({"lines": documents}).encode()


def with_fare(cents, since):
    return {**document_of(shipped_lines()[5]), "fare_cents": cents, "valid_from": since}


def test_without_any_import_the_six_pilot_lines_are_in_force(engine):
    assert [line.line_id for line in list_lines(engine, TODAY)] == ["CV1", "CV2", "CV3", "CV4", "CV5", "CV6"]
    assert get_line(engine, "CV6", TODAY).length_m == 33_000
    assert list_lines(engine, date(2019, 11, 27)) == ()


def test_imported_lines_replace_the_shipped_ones(engine):
    added = import_lines(engine, file_of(with_fare(200, "2026-01-01")), toml=False, actor="system:command", now=NOW)
    assert list_lines(engine, TODAY) == added
    assert get_line(engine, "CV6", TODAY).fare_cents == 200
    with pytest.raises(NotFound):
        get_line(engine, "CV1", TODAY)
    with reading(engine) as session:
        (line,) = session.exec(select(AuditRow)).all()
    assert (line.action, line.actor, line.facts) == ("covoiturage.lines_imported", "system:command", {"lines": "CV6"})


def test_a_later_version_of_a_line_holds_from_its_first_day(engine):
    for cents, since in ((150, "2026-01-01"), (200, "2026-12-01")):
        import_lines(engine, file_of(with_fare(cents, since)), toml=False, actor="system:command", now=NOW)
    assert get_line(engine, "CV6", TODAY).fare_cents == 150
    assert get_line(engine, "CV6", date(2026, 12, 1)).fare_cents == 200


def test_a_file_imported_twice_adds_nothing(engine):
    text = file_of(*map(document_of, shipped_lines()))
    assert import_lines(engine, text, toml=False, actor="system:command", now=NOW) == read_lines(text)
    assert import_lines(engine, text, toml=False, actor="system:command", now=NOW) == ()


def test_a_version_that_is_kept_does_not_change_and_a_file_is_kept_whole_or_not_at_all(engine):
    import_lines(engine, file_of(with_fare(150, "2026-01-01")), toml=False, actor="system:command", now=NOW)
    other = {**document_of(shipped_lines()[0]), "valid_from": "2026-01-01"}
    with pytest.raises(Conflict) as refused:
        import_lines(engine, file_of(other, with_fare(200, "2026-01-01")), toml=False, actor="system:command", now=NOW)
    assert refused.value.facts == {"line": "CV6", "day": "2026-01-01"}
    assert [line.line_id for line in list_lines(engine, TODAY)] == ["CV6"]


def test_a_file_that_is_wrong_is_refused_before_anything_is_kept(engine):
    with pytest.raises(BadInput):
        import_lines(engine, file_of(with_fare(-1, "2026-01-01")), toml=False, actor="system:command", now=NOW)
    assert len(list_lines(engine, TODAY)) == 6
