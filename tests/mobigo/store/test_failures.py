"""A database that goes away, comes back, or has no room: a clear error, told once, nothing lost."""

import logging
import os
import resource
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from mobigo.jobs.worker import Worker
from mobigo.store.base import _FAILING, migrate, open_engine, reading, transaction
from mobigo.store.jobs import JobState, count_jobs, enqueue
from mobigo.store.network import SourceVersion, list_source_versions, record_source_version
from socle.errors import Unavailable
from tests.worlds import postgresql

NOON = datetime(2025, 11, 21, 12, tzinfo=UTC)


def write(engine, name, in_the_middle=lambda: None, padding=""):
    with transaction(engine) as session:
        record_source_version(session, SourceVersion("bell", name, 1, NOON, "accepted", padding), [])
        session.flush()
        in_the_middle()


def written(engine):
    with reading(engine) as session:
        return {version.sha256 for version in list_source_versions(session, "bell")}


def errors(caplog):
    return [(record.levelname, record.message) for record in caplog.records if record.name == "mobigo.store.base"]


def refused(engine, name, **how):
    with pytest.raises(Unavailable) as raised:
        write(engine, name, **how)
    return raised.value.code


@pytest.fixture(autouse=True)
def _nothing_fails_yet():
    _FAILING.clear()


@pytest.fixture
def sqlite(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'base' / 'mobigo.sqlite3'}")
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def server():
    if postgresql.find_programs() is None or not os.environ.get("MOBIGO_TEST_DATABASE"):
        pytest.skip("MOBIGO_TEST_DATABASE names no PostgreSQL server, or its programs are not here")
    with postgresql.running() as server:
        yield server


@pytest.mark.parametrize("mode", ["immediate", "fast"])
def test_a_postgresql_that_is_restarted_in_the_middle_loses_what_was_not_acknowledged_alone(server, caplog, mode):
    engine = open_engine(server.address)
    migrate(engine)
    write(engine, "before")
    assert refused(engine, "during", in_the_middle=lambda: server.stop(mode)) == "database_silent"
    assert [refused(engine, "away") for _ in range(5)] == ["database_silent"] * 5
    with pytest.raises(Unavailable, match="database_silent"):
        written(engine)
    server.start()
    write(engine, "after")
    assert written(engine) == {"before", "after"}
    assert errors(caplog) == [("ERROR", "the database fails"), ("WARNING", "the database answers again")]
    engine.dispose()


def test_a_sqlite_file_that_is_moved_away_is_missed_and_what_was_written_is_in_it_when_it_is_back(
    sqlite, tmp_path, caplog
):
    here, there = tmp_path / "base", tmp_path / "elsewhere"
    write(sqlite, "before")
    write(sqlite, "during", in_the_middle=lambda: here.rename(there))
    assert [refused(sqlite, "away") for _ in range(3)] == ["cannot_write"] * 3
    assert not here.exists()
    here.mkdir()
    assert refused(sqlite, "away") == "cannot_write"
    assert list(here.iterdir()) == []  # no empty database is made in its place
    here.rmdir()
    there.rename(here)
    write(sqlite, "after")
    assert written(sqlite) == {"before", "during", "after"}
    assert errors(caplog) == [("ERROR", "the database fails"), ("WARNING", "the database answers again")]


def test_a_sqlite_file_that_is_replaced_by_a_copy_is_the_one_written_from_then_on(sqlite, tmp_path):
    write(sqlite, "before")
    sqlite.dispose()  # its log is folded in
    base = tmp_path / "base" / "mobigo.sqlite3"
    shutil.copy(base, tmp_path / "copy")
    write(sqlite, "forgotten")
    for name in ("", "-wal", "-shm"):
        base.with_name(base.name + name).unlink(missing_ok=True)
    (tmp_path / "copy").rename(base)
    write(sqlite, "after")
    assert written(sqlite) == {"before", "after"}
    other = open_engine(f"sqlite:///{base}")
    assert written(other) == {"before", "after"}
    other.dispose()


def bound(engine, n_pages):
    """Let the database grow by so many pages more, as on a disk that is nearly full."""
    with engine.connect() as connection:
        n_now = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {n_now + n_pages}")


def test_a_full_disk_is_said_once_and_keeps_all_that_was_acknowledged(sqlite, caplog):
    bound(sqlite, 20)
    acknowledged, codes = set(), []
    for number in range(40):
        try:
            write(sqlite, f"row-{number}", padding="x" * 4000)
            acknowledged.add(f"row-{number}")
        except Unavailable as refusal:
            codes.append(refusal.code)
    assert 5 < len(acknowledged) < 40
    assert set(codes) == {"disk_full"}
    assert written(sqlite) == acknowledged
    assert errors(caplog).count(("ERROR", "the database fails")) <= 2  # a small row may still have fitted between
    bound(sqlite, 1000)
    write(sqlite, "after", padding="x" * 4000)
    assert written(sqlite) == acknowledged | {"after"}


def test_a_job_whose_effects_find_no_room_is_still_there_when_there_is_room(sqlite, caplog):
    caplog.set_level(logging.CRITICAL, "mobigo.jobs.worker")
    with transaction(sqlite) as session:
        enqueue(session, "ring", {}, NOON, "a")

    def ring(_claim):
        version = SourceVersion("bell", "rung", 1, NOON, "accepted", "x" * 400_000)
        return lambda session: record_source_version(session, version, [])

    now = [NOON]
    worker = Worker(sqlite, {"ring": ring}, [], lambda: now[0], "anna")
    bound(sqlite, 8)
    worker.run_due()
    assert written(sqlite) == set()
    bound(sqlite, 1000)
    now[0] = NOON.replace(hour=13)
    worker.run_due()
    assert written(sqlite) == {"rung"}
    with reading(sqlite) as session:
        assert count_jobs(session)[JobState.DONE] == 1


LIMITED = """
import resource, sys
from datetime import UTC, datetime
from mobigo.store.base import open_engine, transaction
from mobigo.store.network import SourceVersion, record_source_version
from socle.errors import Unavailable
engine = open_engine(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
for number in range(200):
    try:
        with transaction(engine) as session:
            version = SourceVersion("bell", f"row-{number}", 1, datetime.now(UTC), "accepted", "x" * 4000)
            record_source_version(session, version, [])
    except Unavailable as refusal:
        print("refused", refusal.code)
        break
    print("row", f"row-{number}", flush=True)
"""


def test_a_file_that_may_not_grow_keeps_all_that_was_acknowledged(sqlite):
    assert resource.RLIMIT_FSIZE
    sqlite.dispose()
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(sqlite.url)], capture_output=True, text=True, check=True, timeout=60
    )
    *rows, last = (line.split() for line in done.stdout.splitlines())
    assert last == ["refused", "database_silent"]
    assert len(rows) > 5
    assert written(sqlite) == {name for _row, name in rows}
    write(sqlite, "after")
