import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mobigo.cli import main
from mobigo.cli.frame import ExitCode
from mobigo.jobs.handlers import SCHEDULES
from mobigo.store.base import migrate, open_engine, transaction
from mobigo.store.jobs import Lease, claim_next, enqueue, fail
from mobigo.store.writing import find_seat

LONG_AGO = datetime(2025, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def engine(data_dir):
    engine = open_engine(f"sqlite:///{data_dir / 'mobigo.sqlite3'}")
    migrate(engine)
    yield engine
    engine.dispose()


def listed(capsys, *options):
    code = main(["jobs", "list", "--json", *options])
    return code, json.loads(capsys.readouterr().out)


def test_jobs_are_done_listed_given_up_and_woken(engine, capsys):
    with transaction(engine) as session:
        enqueue(session, "retention.apply", {}, LONG_AGO, "tidy")
        enqueue(session, "unheard.of", {"to": "bell"}, LONG_AGO, "strange")
        claim = claim_next(session, ["unheard.of"], Lease("anna", LONG_AGO, 1), "t", LONG_AGO)
        fail(session, claim, "no rope", None, LONG_AGO)
    assert main(["jobs", "run", "--once"]) == ExitCode.OK
    assert "Tâches prises" in capsys.readouterr().err
    code, told = listed(capsys)
    assert code == ExitCode.NO
    assert told["counts"] == {"waiting": len(SCHEDULES), "running": 0, "done": 1, "dead": 1}
    by_key = {job["key"]: job for job in told["jobs"]}
    assert by_key["tidy"]["tries"][0]["outcome"] == "done"
    dead = by_key["strange"]
    assert (dead["payload"], dead["tries"][0]["why"]) == ({"to": "bell"}, "no rope")
    assert main(["jobs", "list"]) == ExitCode.NO
    assert "no rope" in capsys.readouterr().out
    assert main(["jobs", "retry", str(dead["id"])]) == ExitCode.OK
    assert listed(capsys, "--state", "dead") == (
        ExitCode.OK,
        {"counts": {"waiting": 1 + len(SCHEDULES), "running": 0, "done": 1, "dead": 0}, "jobs": []},
    )
    assert main(["jobs", "retry", str(dead["id"])]) == ExitCode.BAD_DATA
    assert main(["jobs", "retry", "999"]) == ExitCode.BAD_DATA


def test_on_sqlite_no_worker_stands_beside_a_process_that_writes(engine, capsys):
    seat = find_seat(engine)
    assert seat.try_to_take()
    assert main(["jobs", "run", "--once"]) == ExitCode.UNAVAILABLE
    assert "SQLite" in capsys.readouterr().err
    seat.leave()
    assert main(["jobs", "run", "--once"]) == ExitCode.OK


def test_a_worker_that_is_told_to_stop_ends_and_leaves_its_seat(engine, data_dir):
    with subprocess.Popen(
        [sys.executable, "-m", "mobigo", "jobs", "run"],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "MOBIGO_DATABASE_URL": str(engine.url)},
        stderr=subprocess.PIPE,
        text=True,
    ) as worker:
        first = json.loads(worker.stderr.readline())
        assert first["message"] == "the worker looks for jobs"
        assert not find_seat(engine).try_to_take()
        worker.send_signal(signal.SIGTERM)
        _, told = worker.communicate(timeout=30)
    assert worker.returncode == ExitCode.OK
    assert json.loads(told.splitlines()[-1])["message"] == "the worker stops"
    seat = find_seat(engine)
    assert seat.try_to_take()
    seat.leave()
