"""`mobigo scolaire studies`."""

import json
from datetime import UTC, datetime

import pytest

from mobigo.cli import main
from mobigo.cli.frame import ExitCode, settings
from mobigo.security import open_keys
from mobigo.store.base import migrate, open_engine
from tests.worlds.school_office import publish_a_plan

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    data = tmp_path / "var"
    monkeypatch.setenv("MOBIGO_DATA_DIR", str(data))
    settings.cache_clear()
    engine = open_engine(settings().database_url or f"sqlite:///{data / 'mobigo.sqlite3'}")
    migrate(engine)
    publish_a_plan(engine, open_keys("", data), "person:planner", NOON)
    engine.dispose()
    yield
    settings.cache_clear()


def run(*arguments, code=ExitCode.OK):
    assert main(["scolaire", "studies", *arguments]) == code


def test_studies_are_listed_shown_and_published(capsys):
    run("list", "2026", "--json")
    (study,) = json.loads(capsys.readouterr().out)
    name, before = study["study"], study["published_from"]
    run("list", "2026")
    assert "véhicules" in capsys.readouterr().out
    run("publish", name, "--from", "2027-01-04", "--why", "rentrée de janvier")
    assert f"{name}\N{NO-BREAK SPACE}: la version 1 vaut à partir du 2027-01-04." in capsys.readouterr().out
    run("list", "2026", "--json")
    assert json.loads(capsys.readouterr().out)[0]["published_from"] == ["2027-01-04", *before]
    run("show", name, "--json")
    told = json.loads(capsys.readouterr().out)
    assert [line["act"] for line in told["journal"]] == ["published", "published", "made"]
    assert told["figures"]["n_vehicles"] == study["n_vehicles"]
    run("show", name)
    assert "Version 1 publiée" in capsys.readouterr().out


def test_what_is_no_study_and_what_is_outside_the_year_are_refused(capsys):
    run("show", "x", code=ExitCode.BAD_DATA)
    run("list", "2026", "--json")
    name = json.loads(capsys.readouterr().out)[0]["study"]
    run("publish", name, "--from", "2029-01-04", "--why", "x", code=ExitCode.BAD_DATA)
