import json
import sys
from pathlib import Path

import pytest

from mobigo.cli import main
from mobigo.cli.frame import ExitCode, settings
from mobigo.store.base import migrate, open_engine, transaction
from mobigo.store.jobs import Lease, claim_next, enqueue, fail
from mobigo.store.writing import find_seat
from tests.mobigo.cli.test_jobs_commands import LONG_AGO


@pytest.fixture
def engine(data_dir):
    engine = open_engine(f"sqlite:///{data_dir / 'mobigo.sqlite3'}")
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def examined(data_dir, capsys):
    """What the doctor says: name -> (level, sentence)."""

    def examine():
        settings.cache_clear()
        main(["doctor", "--json"])
        return {check["name"]: (check["level"], check["sentence"]) for check in json.loads(capsys.readouterr().out)}

    return examine


def test_a_variable_that_is_no_setting_is_said(examined, monkeypatch):
    assert "settings" not in examined()
    monkeypatch.setenv("MOBIGO_DATABSE_URL", "postgresql://x/y")
    level, sentence = examined()["settings"]
    assert (level, "MOBIGO_DATABSE_URL" in sentence) == ("warning", True)


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(examined, monkeypatch, address):
    monkeypatch.setenv("MOBIGO_DATABASE_URL", address)
    assert examined()["database"][0] == "error"


def test_sqlite_where_its_locks_do_not_hold_is_refused(examined, engine, monkeypatch):
    assert examined()["database"][0] == "good"
    doctor = sys.modules["mobigo.cli.doctor"]
    real = doctor._file_system_of
    monkeypatch.setattr(doctor, "_file_system_of", lambda _: "nfs4")
    level, sentence = examined()["database"]
    assert (level, "nfs4" in sentence) == ("error", True)
    assert real(Path("/proc/self")) == "proc"


def test_who_writes_to_a_sqlite_file_is_said(examined, engine):
    assert examined()["writer"][0] == "good"
    seat = find_seat(engine)
    assert seat.try_to_take()
    level, sentence = examined()["writer"]
    assert (level, "mobigo jobs run" in sentence) == ("warning", True)
    with seat.listen() as listener:
        listener.listen()
        assert examined()["writer"][0] == "good"
    seat.leave()


def test_a_server_does_not_start_beside_a_worker_on_sqlite(engine, data_dir, capsys):
    (data_dir / "network" / "releases" / "r1").mkdir(parents=True)
    (data_dir / "network" / "releases" / "r1" / "manifest.json").write_text("{}")
    (data_dir / "network" / "current").symlink_to("releases/r1")
    seat = find_seat(engine)
    assert seat.try_to_take()
    assert main(["serve", "--port", "47811"]) == ExitCode.UNAVAILABLE
    assert "un seul processus" in capsys.readouterr().err
    seat.leave()


def test_jobs_that_were_given_up_are_said(examined, engine):
    assert "jobs" not in examined()
    with transaction(engine) as session:
        enqueue(session, "ring", {}, LONG_AGO, "a")
        claim = claim_next(session, ["ring"], Lease("anna", LONG_AGO, 1), "t", LONG_AGO)
        fail(session, claim, "no rope", None, LONG_AGO)
    assert examined()["jobs"][0] == "warning"
