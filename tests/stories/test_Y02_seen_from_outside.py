"""Two real processes seen from outside: health, numbers of both, one log, a graceful end, jobs done beside."""

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mobigo.store.base import migrate, open_engine, transaction
from mobigo.store.jobs import enqueue
from mobigo.store.releases import current_link
from tests.worlds.site import TUESDAY, sample_snapshot

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60
QUESTION = f"/api/v6/plan?fromPlace=46.9059,6.3547&toPlace=47.2473,6.0222&time={TUESDAY}T05:00:00Z"

pytestmark = pytest.mark.slow


def wait_until(true):
    pause = threading.Event()
    for _ in range(PATIENCE_S * 20):
        try:
            if true():
                return
        except OSError:
            pass
        pause.wait(0.05)
    pytest.fail("it never came")


@pytest.fixture
def site(tmp_path):
    """(the process of `mobigo serve --workers 2`, its address, its log, its database)."""
    data_dir = tmp_path / "data"
    environment = {**os.environ, "MOBIGO_DATA_DIR": str(data_dir)}
    environment.pop("MOBIGO_DATABASE_URL", None)

    def command(*words):
        return [sys.executable, "-m", "mobigo", *words]

    release = data_dir / "network" / "releases" / "sample"
    release.mkdir(parents=True)
    sample_snapshot(release)
    current_link(data_dir).symlink_to(release)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with (tmp_path / "log").open("wb") as log:
        serve = command("serve", "--workers", "2", "--port", str(port))
        with subprocess.Popen(serve, cwd=ROOT, env=environment, stderr=log) as server:
            try:
                wait_until(lambda: urllib.request.urlopen(f"{address}/health/ready", timeout=5).status == 200)
                yield server, address, tmp_path / "log", data_dir / "mobigo.sqlite3"
            finally:
                server.terminate()


def get(address, path, headers=None):
    request = urllib.request.Request(address + path, headers=headers or {})
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        return answer.read().decode(), answer.headers


def test_two_processes_are_one_server_until_they_are_told_to_stop(site):
    server, address, log, database = site
    for number in range(20):
        headers = get(address, QUESTION, {"X-Request-Id": f"question-{number}"})[1]
        assert headers["X-Request-Id"] == f"question-{number}"
    counts = [get(address, "/metrics")[0] for _ in range(10)]
    asked = {
        float(re.search(r'mobigo_requests_total{method="GET",route="/api/v6/plan",status="200"} (\S+)', each)[1])
        for each in counts
    }
    assert asked == {20.0}  # whichever process tells them

    engine = open_engine(f"sqlite:///{database}")
    migrate(engine)
    with transaction(engine) as session:
        enqueue(session, "retention.apply", {}, datetime(2025, 1, 1, tzinfo=UTC), "tonight")
    engine.dispose()

    def state():
        with sqlite3.connect(database, timeout=30) as connection:
            return connection.execute("SELECT state FROM job WHERE key = 'tonight'").fetchone()[0]

    wait_until(lambda: state() == "done")
    with ThreadPoolExecutor(8) as clients:
        last = [clients.submit(get, address, QUESTION) for _ in range(40)]
        last[3].result()  # some are answered, many are under way or wait their turn
        server.terminate()
        answered = [each for each in last if each.exception() is None]
    assert server.wait(PATIENCE_S) == 0
    # A connection that was never accepted may be refused; a request that was taken in is answered whole.
    assert all(
        isinstance(each.exception(), (urllib.error.URLError, ConnectionError)) for each in last if each.exception()
    )
    assert all(json.loads(each.result()[0])["itineraries"] for each in answered)

    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines() if line.startswith("{")]
    by_id = {line["id"]: line for line in lines if line["message"] == "request"}
    assert {f"question-{number}" for number in range(20)} <= by_id.keys()
    assert "46.90" not in log.read_text("utf-8")
    assert [line["message"] for line in lines].count("a job is done") >= 1
    assert not [line for line in lines if line["level"] in {"error", "critical"}]
