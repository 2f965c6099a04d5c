"""`mobigo covoiturage verify` and `export` at a terminal."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from mobigo.cli import app
from mobigo.services.covoiturage.declaring import declare
from mobigo.services.covoiturage.settling import settle
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import migrate, open_engine, reading
from tests.worlds.carpools import MORNING, carpool


@pytest.fixture
def run(data_dir):
    """The commands on books with one carpool."""
    engine = open_engine(f"sqlite:///{data_dir / 'mobigo.sqlite3'}")
    migrate(engine)
    declare(engine, carpool(), "k", "key:app1", MORNING + timedelta(hours=2))
    settle(engine, "2026-03", MORNING + timedelta(days=3))
    yield lambda *words: CliRunner().invoke(app, ["covoiturage", *words])
    engine.dispose()


def test_the_books_are_sound_here_and_in_an_export_and_an_entry_is_proved(run, tmp_path):
    assert run("verify").exit_code == 0
    file = tmp_path / "books.jsonl"
    assert run("export", "--format", "jsonl", "--out", str(file)).exit_code == 0
    told = run("verify", "--file", str(file), "--json")
    assert (told.exit_code, json.loads(told.stdout)["n_entries"]) == (0, 2)
    file.write_text(file.read_text().replace('"carpool_decided"', '"carpool_decidet"', 1))
    altered = run("verify", "--file", str(file), "--json")
    assert (altered.exit_code, json.loads(altered.stdout)["first_bad_seq"]) == (1, 1)


@pytest.mark.parametrize(("name", "word"), [("csv", "carpool_decided"), ("beancount", "balance")])
def test_the_books_leave_for_other_programs_and_the_log_says_so(run, data_dir, name, word):
    told = run("export", "--format", name)
    assert (told.exit_code, word in told.stdout) == (0, True)
    engine = open_engine(f"sqlite:///{data_dir / 'mobigo.sqlite3'}")
    with reading(engine) as session:
        (line,) = list_lines(session, AuditFilter(action="ledger.exported"), limit=2)
    engine.dispose()
    assert line.line.facts == {"format": name}


def test_rides_that_the_registry_cannot_be_told_are_named_and_nothing_is_told_without_who_pays(run):
    told = run("export", "--format", "rpc", "--siret", "12345678901234")
    assert (told.exit_code, told.stdout) == (1, "")
    assert "C1-p1" in told.stderr
    assert run("export", "--format", "rpc").exception.code == "bad_siret"
