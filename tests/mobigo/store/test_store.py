import contextlib
import os
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import InternalError, StatementError
from sqlmodel import SQLModel

from mobigo.store import base
from mobigo.store.base import current_revision, migrate, newest_revision, open_engine, reading, transaction
from mobigo.store.network import (
    Release,
    SourceVersion,
    list_findings,
    list_releases,
    list_source_versions,
    record_release,
    record_source_version,
)
from socle.errors import BadInput, Unavailable
from socle.findings import Finding, Severity

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_migrations_go_up_down_and_up_again_and_end_at_the_models(engine):
    assert current_revision(engine) == newest_revision(engine)
    migrate(engine, "base")
    assert current_revision(engine) is None
    assert inspect(engine).get_table_names() == ["alembic_version"]
    migrate(engine, newest_revision(engine))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


@pytest.fixture
def sqlite(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'mobigo.sqlite3'}")
    migrate(engine)
    yield engine
    engine.dispose()


def test_sqlite_is_opened_so_that_commits_survive_a_power_cut(sqlite):
    with sqlite.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_a_transaction_that_fails_leaves_nothing(engine):
    version = SourceVersion("ter", "aa", 1, NOON, "accepted")

    def record_and_fall():
        with transaction(engine) as session:
            record_source_version(session, version, [])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        record_and_fall()
    with transaction(engine) as session:
        assert list_source_versions(session, "ter") == []


def test_a_second_look_at_the_same_bytes_replaces_verdict_and_findings(engine):
    first = SourceVersion("ter", "aa", 10, NOON, "refused", "empty")
    second = SourceVersion("ter", "aa", 10, NOON, "accepted")
    remark = Finding(Severity.WARNING, "stop_without_place", "stops.txt", 3, {"stop_id": "S1"})
    with transaction(engine) as session:
        record_source_version(session, first, [remark, remark])
    with transaction(engine) as session:
        record_source_version(session, second, [remark])
    with transaction(engine) as session:
        assert list_source_versions(session, "ter") == [second]
        assert list_findings(session, "ter", "aa") == [remark]
        assert list_findings(session, "tgv", "aa") == []


def test_releases_come_latest_first(engine):
    def release(number):
        return Release(
            f"r{number}",
            NOON.replace(day=number),
            date(2026, 11, 1),
            date(2027, 5, 1),
            "c",
            {"ter": "aa"},
            "1",
            "served",
        )

    with transaction(engine) as session:
        for number in (2, 9, 5):
            record_release(session, release(number))
    with transaction(engine) as session:
        assert list_releases(session) == [release(9), release(5), release(2)]


def test_an_instant_without_zone_is_refused(engine):
    with pytest.raises(StatementError, match="without zone"), transaction(engine) as session:
        record_source_version(session, SourceVersion("ter", "aa", 1, NOON.replace(tzinfo=None), "accepted"), [])


MIGRATE = """
import sys
from mobigo.store.base import migrate, open_engine
migrate(open_engine(sys.argv[1]))
"""


def test_two_processes_that_start_at_once_bring_the_schema_up_once(database_address):
    both = [
        subprocess.Popen([sys.executable, "-c", MIGRATE, database_address], stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [(one.communicate(timeout=60)[1], one.returncode) for one in both] == [("", 0), ("", 0)]
    engine = open_engine(database_address)
    assert current_revision(engine) == newest_revision(engine)
    engine.dispose()


def test_a_reader_sees_one_state_and_waits_for_nobody(engine):
    version = SourceVersion("ter", "aa", 1, NOON, "accepted")
    with reading(engine) as before:
        assert list_source_versions(before, "ter") == []
        with transaction(engine) as session:
            record_source_version(session, version, [])
            with reading(engine) as meanwhile:
                assert list_source_versions(meanwhile, "ter") == []
        assert list_source_versions(before, "ter") == []
    with reading(engine) as after:
        assert list_source_versions(after, "ter") == [version]


def test_a_reader_changes_nothing(engine):
    with contextlib.suppress(Unavailable, InternalError), reading(engine) as session:
        record_source_version(session, SourceVersion("ter", "aa", 1, NOON, "accepted"), [])
    with reading(engine) as session:
        assert list_source_versions(session, "ter") == []


def test_a_database_that_another_holds_is_said_to_be_busy(tmp_path, monkeypatch):
    monkeypatch.setattr(base, "BUSY_S", 0.05)
    engine = open_engine(f"sqlite:///{tmp_path / 'mobigo.sqlite3'}")
    migrate(engine)
    with contextlib.closing(sqlite3.connect(tmp_path / "mobigo.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="database_busy"), transaction(engine) as session:
            record_source_version(session, SourceVersion("ter", "a", 1, NOON, "accepted"), [])
        with pytest.raises(Unavailable, match="database_busy"):
            migrate(engine)
    with transaction(engine) as session:
        record_source_version(session, SourceVersion("ter", "a", 1, NOON, "accepted"), [])


def test_a_database_that_cannot_be_opened_or_is_out_of_room_is_told_with_its_path(tmp_path, sqlite):
    (tmp_path / "folder.sqlite3").mkdir()
    with pytest.raises(Unavailable) as refusal:
        migrate(open_engine(f"sqlite:///{tmp_path / 'folder.sqlite3'}"))
    assert (refusal.value.code, refusal.value.facts["path"]) == ("cannot_write", str(tmp_path / "folder.sqlite3"))
    with pytest.raises(Unavailable) as refusal, transaction(sqlite) as session:
        session.connection().execute(text("PRAGMA max_page_count = 1"))
        version = SourceVersion("ter", "c" * 64, 1, NOON, "refused", "x" * 100_000)
        record_source_version(session, version, [])
    assert refusal.value.code == "disk_full"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_database_that_may_not_be_written_is_told_with_its_path(tmp_path, sqlite):
    sqlite.dispose()
    base = tmp_path / "mobigo.sqlite3"
    base.chmod(0o400)
    with pytest.raises(Unavailable) as refusal:
        migrate(open_engine(f"sqlite:///{base}"))
    assert (refusal.value.code, refusal.value.facts["path"]) == ("cannot_write", str(base))


def test_a_file_that_is_no_database_is_said_and_left_alone(tmp_path):
    place = tmp_path / "mobigo.sqlite3"
    place.write_bytes(b"not a database at all, but a letter" * 100)
    engine = open_engine(f"sqlite:///{place}")
    with pytest.raises(Unavailable, match="database_silent"):
        migrate(engine)
    assert place.read_bytes().startswith(b"not a database")


@pytest.mark.parametrize("address", ["nonsense", "oracle9://x/y", "mysql+absent://user:secret@host/db"])
def test_an_address_we_cannot_open_is_refused_without_telling_it(address):
    with pytest.raises(BadInput, match="bad_database_address") as refused:
        open_engine(address)
    assert refused.value.facts == {}
