import json
import sys
from pathlib import Path

import pytest

from mobigo.cli import main
from mobigo.cli.frame import ExitCode, settings
from mobigo.security import open_keys
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


def test_a_secret_key_that_others_may_read_or_that_is_short_is_said(examined, data_dir, monkeypatch):
    assert examined()["secret_key"][0] == "warning"
    assert not (data_dir / "secret.key").exists()  # looking makes none
    open_keys("", data_dir)
    assert examined()["secret_key"][0] == "good"
    (data_dir / "secret.key").chmod(0o644)
    level, sentence = examined()["secret_key"]
    assert (level, "chmod 600" in sentence) == ("error", True)
    monkeypatch.setenv("MOBIGO_SECRET_KEY", "too short")
    level, sentence = examined()["secret_key"]
    assert (level, "too short" in sentence) == ("error", False)


def test_a_data_directory_that_cannot_be_one_is_said(examined, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MOBIGO_DATA_DIR", str(tmp_path / "file" / "data"))
    level, sentence = examined()["data_dir"]
    assert (level, "MOBIGO_DATA_DIR" in sentence) == ("error", True)


def test_a_database_that_waits_for_a_migration_is_said(examined, engine):
    migrate(engine, "0001")
    level, sentence = examined()["database"]
    assert (level, "mobigo serve" in sentence) == ("warning", True)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgrsql://mobigo:s3cr3t@db.test/mobigo", "MOBIGO_DATABASE_URL"),
        ("postgresql://mobigo:s3cr3t@127.0.0.1:1/mobigo", "ne répond pas"),
        ("no address", "MOBIGO_DATABASE_URL"),
    ],
)
def test_a_database_that_is_named_wrongly_or_does_not_answer_is_said(examined, monkeypatch, address, said):
    monkeypatch.setenv("MOBIGO_DATABASE_URL", address)
    level, sentence = examined()["database"]
    assert (level, said in sentence, "s3cr3t" in sentence) == ("error", True, False)


def test_how_letters_leave_is_said(examined, monkeypatch):
    assert examined()["letters"][0] == "warning"
    monkeypatch.setenv("MOBIGO_MAIL_URL", "smtps://mobigo:s3cr3t@mail.test")
    assert examined()["letters"][0] == "error"  # nobody to send from
    monkeypatch.setenv("MOBIGO_MAIL_SENDER", "no-reply@mobigo.test")
    assert examined()["letters"] == ("good", "Le courriel part par mail.test:465.")


def test_how_text_messages_leave_is_said(examined, monkeypatch):
    assert examined()["text_messages"][0] == "warning"
    monkeypatch.setenv("MOBIGO_SMS_URL", "http://sms.test/send?key=s3cr3t")
    level, sentence = examined()["text_messages"]
    assert (level, "s3cr3t" in sentence) == ("error", False)
    monkeypatch.setenv("MOBIGO_SMS_URL", "https://sms.test/send?key=s3cr3t")
    assert examined()["text_messages"] == ("good", "Les SMS partent par sms.test.")


def test_a_setting_that_cannot_be_is_named_without_its_value(monkeypatch, data_dir, capsys):
    monkeypatch.setenv("MOBIGO_PORT", "s3cr3t")
    monkeypatch.setenv("MOBIGO_LOG_FORMAT", "xml")
    settings.cache_clear()
    with pytest.raises(SystemExit) as ended:
        settings()
    told = capsys.readouterr().err
    assert ended.value.code == ExitCode.USAGE
    assert [name in told for name in ("MOBIGO_PORT", "MOBIGO_LOG_FORMAT", "s3cr3t")] == [True, True, False]
