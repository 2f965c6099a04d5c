import contextlib
import http.client
import json
import multiprocessing
import os
import signal
import socket
import threading
import time

import pytest

from mobigo.store.base import migrate, open_engine, reading
from mobigo.store.network import list_source_versions
from tests.worlds import writing_app

# Each server process is forked from one that has imported everything: they start in no time.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([writing_app.__name__])


def ask(port, method, path, body=b"", headers=None, timeout_s=30):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if content[:1] == b"{" else content, answer.headers
    finally:
        connection.close()


@contextlib.contextmanager
def serving(database, n_processes):
    """A server of several processes on one port; gives both. Every process answers by then."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        arguments = (listener, f"sqlite:///{database}")
        processes = [PROCESSES.Process(target=writing_app.serve, args=arguments) for _ in range(n_processes)]
        for process in processes:
            process.start()
    try:
        seen_within(port, n_processes)
        yield port, processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(30)


def seen_within(port, n_processes, seconds=30):
    """The processes that answer, once there are that many."""
    seen, ends_at = set(), time.monotonic() + seconds
    while len(seen) < n_processes:
        assert time.monotonic() < ends_at, f"only {len(seen)} processes answer"
        with contextlib.suppress(OSError, http.client.HTTPException):
            seen.add(ask(port, "GET", "/read")[1]["pid"])
    return seen


@pytest.fixture
def database(tmp_path):
    # Longer than the address of a socket may be.
    path = tmp_path / ("a-folder-with-a-long-name" * 5) / "mobigo.sqlite3"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    yield path
    engine.dispose()


def rung(database):
    engine = open_engine(f"sqlite:///{database}")
    with reading(engine) as session:
        found = {version.sha256: version.verdict for version in list_source_versions(session, "bell")}
    engine.dispose()
    return found


def test_whatever_process_is_asked_one_writes(database):
    with serving(database, 2) as (port, _processes):
        answers = {}
        for number in range(60):
            method = ("POST", "GET")[number % 2]  # a GET that turns out to write is begun again
            status, told, _headers = ask(port, method, f"/ring/{number}")
            assert status == 200
            answers[str(number)] = told["pid"]
        readers = {ask(port, "GET", "/read")[1]["pid"] for _ in range(60)}
    assert len(readers) == 2
    assert len(set(answers.values())) == 1
    assert rung(database) == {name: f"by {pid}" for name, pid in answers.items()}


def test_a_request_arrives_as_it_was_sent(database):
    with serving(database, 2) as (port, _processes):
        body = os.urandom(3_000_000)
        forged = {"X-Mobigo-Peer": "10.0.0.1:1", "X-Mobigo-Scheme": "https", "X-Mine": "é".encode("latin-1")}
        told = [ask(port, "POST", f"/ring/a%20b{n}?q=%C3%A9%27&r=1", body, forged) for n in range(20)]
    for status, answer, headers in told:
        assert status == 200
        assert {name: answer[name] for name in ("n_bytes", "client", "scheme", "query", "host")} == {
            "n_bytes": 3_000_000,
            "client": "127.0.0.1",
            "scheme": "http",
            "query": "q=%C3%A9%27&r=1",
            "host": f"127.0.0.1:{port}",
        }
        assert "x-mine" in answer["told"]
        assert len(headers.get_all("date")) == 1
        assert len(headers.get_all("content-length")) == 1
    assert {answer["pid"] for _status, answer, _headers in told} == {told[0][1]["pid"]}
    assert sum("x-mobigo-peer" in answer["told"] for _status, answer, _headers in told) < 20
    assert sorted(rung(database)) == sorted(f"a b{n}" for n in range(20))


def test_a_writer_that_is_killed_is_replaced_and_nothing_is_lost(database):
    with serving(database, 4) as (port, _processes):
        acknowledged, refused, lock = {}, [], threading.Lock()
        over = threading.Event()

        def ring(thread):
            number = 0
            while not over.is_set():
                name, number = f"{thread}-{number}", number + 1
                try:
                    status, told, _headers = ask(port, "POST", f"/ring/{name}")
                except (OSError, http.client.HTTPException):
                    status = 0  # the killed process had taken it in
                with lock:
                    if status == 200:
                        acknowledged[name] = told["pid"]
                    else:
                        refused.append(status)

        threads = [threading.Thread(target=ring, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        killed = []
        for _ in range(3):
            n_before, ends_at = len(acknowledged), time.monotonic() + 30
            while len(acknowledged) < n_before + 40 and time.monotonic() < ends_at:
                time.sleep(0.005)
            killed.append(list(acknowledged.values())[-1])
            os.kill(killed[-1], signal.SIGKILL)
            while list(acknowledged.values())[-1] == killed[-1] and time.monotonic() < ends_at:
                time.sleep(0.005)
        over.set()
        for thread in threads:
            thread.join()
    kept = rung(database)
    assert {name: f"by {pid}" for name, pid in acknowledged.items()}.items() <= kept.items()
    writers = list(acknowledged.values())
    assert len(set(killed)) == 3
    assert set(killed) <= set(writers)
    assert len(set(writers)) == 4
    # At most what each of four had under way at each death, and once more before somebody else sat down.
    assert len(refused) <= 2 * 4 * 3
    assert set(refused) <= {0, 503}


def test_two_servers_on_one_file_have_one_writer(database):
    with serving(database, 1) as (first, _one), serving(database, 1) as (second, _two):
        assert ask(first, "GET", "/read")[1]["pid"] != ask(second, "GET", "/read")[1]["pid"]
        writers = {ask(port, "POST", f"/ring/{port}-{n}")[1]["pid"] for n in range(5) for port in (first, second)}
    assert len(writers) == 1


def test_a_server_told_to_stop_ends_what_it_handed_over(database):
    with serving(database, 2) as (port, processes):
        answers = []
        threads = [
            threading.Thread(target=lambda n=n: answers.append(ask(port, "POST", f"/slow/{n}")[:2])) for n in range(8)
        ]
        for thread in threads:
            thread.start()
        while len(list(database.parent.glob("begun-*"))) < 8:
            time.sleep(0.01)
        for process in processes:
            process.terminate()
        while accepts(port):
            pass
        (database.parent / "let-go").touch()
        for thread in threads:
            thread.join()
        for process in processes:
            process.join(30)
        assert {process.exitcode for process in processes} <= {0, -signal.SIGTERM}
    assert answers == [(200, b"at last")] * 8


def accepts(port):
    """Whether somebody still takes requests in; the system itself goes on accepting connections."""
    try:
        return ask(port, "GET", "/read", timeout_s=0.5)[0] == 200
    except (OSError, http.client.HTTPException):
        return False
