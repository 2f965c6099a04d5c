"""`mobigo scolaire fill`."""

import json

import pytest

from mobigo.cli import main
from mobigo.cli.frame import ExitCode, settings
from mobigo.security import open_keys
from mobigo.services.scolaire import boarding, carding, coaches
from mobigo.store.base import migrate, open_engine
from tests.mobigo.services.scolaire.test_boarding import CLERK, COACHES, MONDAY, MORNING, OFFICE
from tests.worlds.school_office import CIRCUIT, RUN, SECTOR, under_contract


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A morning on which one of two children got on."""
    data = tmp_path / "var"
    monkeypatch.setenv("MOBIGO_DATA_DIR", str(data))
    settings.cache_clear()
    engine = open_engine(settings().database_url or f"sqlite:///{data / 'mobigo.sqlite3'}")
    migrate(engine)
    keys = open_keys("", data)
    under_contract(engine, keys, CLERK, MORNING)
    carding.order_missing(engine, keys, OFFICE, SECTOR, MORNING)
    coach = coaches.find_coach(engine, keys, MONDAY, CIRCUIT, RUN, COACHES)
    boarding.tick(engine, keys, coach, [0], "", "form-1234", COACHES, MORNING)
    engine.dispose()
    yield
    settings.cache_clear()


def test_circuits_and_stops_are_told_with_what_was_seen(capsys):
    asked = ["scolaire", "fill", SECTOR, "--from", str(MONDAY), "--to", str(MONDAY)]
    assert main([*asked, "--json"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert [(one["n_expected"], one["n_seen"], one["percent"]) for one in told["circuits"]] == [(2, 1, 50)]
    assert {one["name"]: one["n_seen"] for one in told["stops"]} == {"s1": 1, "s2": 0}
    assert main(asked) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "Église" in shown
    assert "Rien à revoir." in shown


def test_days_that_are_none_are_refused(capsys):
    asked = ["scolaire", "fill", SECTOR, "--from", str(MONDAY), "--to", "2026-01-01"]
    assert main(asked) == ExitCode.BAD_DATA
    assert main(["scolaire", "fill", "x"]) == ExitCode.BAD_DATA
