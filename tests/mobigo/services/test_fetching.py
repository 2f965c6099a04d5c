import hashlib
import json
import threading
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mobigo.services.network.fetching import fetch_source, find_fetched
from mobigo.services.network.sources import DeclaredSource
from mobigo.store.files import only_one
from mobigo.store.releases import bodies_dir, fetched_dir
from socle.errors import BadInput, Conflict, Unavailable

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def web(tmp_path):
    """A real web server on a folder: it answers If-Modified-Since as the library's does."""
    (tmp_path / "www").mkdir()
    statuses = []

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, code="-", size="-"):
            statuses.append(int(code))

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=tmp_path / "www")) as server:
        server.statuses = statuses
        server.folder = tmp_path / "www"
        server.address = f"http://127.0.0.1:{server.server_port}/val.zip"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def source(web, **declared):
    return DeclaredSource("val", "Cars du val", web.address, **declared)


def give(web, content, at=1_700_000_000):
    import os

    (web.folder / "val.zip").write_bytes(content)
    os.utime(web.folder / "val.zip", (at, at))


def test_what_has_not_changed_is_not_transferred_again_and_what_has_is(web, tmp_path):
    give(web, b"one")
    first = fetch_source(source(web), tmp_path, NOW)
    again = fetch_source(source(web), tmp_path, NOW)
    assert (first.is_new, again.is_new, again.path, web.statuses) == (True, False, first.path, [200, 304])
    assert first.path == bodies_dir(tmp_path) / f"{hashlib.sha256(b'one').hexdigest()}.zip"
    assert (again.path.read_bytes(), again.n_bytes, again.sha256) == (b"one", 3, first.sha256)
    give(web, b"three", at=1_700_000_100)
    assert (fetch_source(source(web), tmp_path, NOW).is_new, web.statuses[2:]) == (True, [200])
    give(web, b"three", at=1_700_000_200)  # touched, not changed
    assert (fetch_source(source(web), tmp_path, NOW).is_new, web.statuses[3:]) == (False, [200])
    assert first.path.read_bytes() == b"one"


@pytest.mark.parametrize("lost", ["body", "note", "damaged note", "note of another shape"])
def test_what_was_lost_is_fetched_anew(web, tmp_path, lost):
    give(web, b"one")
    first = fetch_source(source(web), tmp_path, NOW)
    note = fetched_dir(tmp_path) / "val.json"
    {
        "body": first.path.unlink,
        "note": note.unlink,
        "damaged note": lambda: note.write_text("{"),
        "note of another shape": lambda: note.write_text("{}"),
    }[lost]()
    assert fetch_source(source(web), tmp_path, NOW).path.read_bytes() == b"one"
    assert web.statuses == [200, 200]


def test_another_address_is_another_body(web, tmp_path):
    give(web, b"one")
    (web.folder / "new.zip").write_bytes(b"new")
    fetch_source(source(web), tmp_path, NOW)
    moved = DeclaredSource("val", "Cars du val", web.address.replace("val.zip", "new.zip"))
    assert find_fetched(moved, tmp_path) is None
    assert fetch_source(moved, tmp_path, NOW).path.read_bytes() == b"new"
    assert web.statuses == [200, 200]


def test_a_body_with_another_checksum_than_declared_is_thrown_away(web, tmp_path):
    give(web, b"one")
    right = hashlib.sha256(b"one").hexdigest()
    assert fetch_source(source(web, sha256=right), tmp_path, NOW).sha256 == right
    give(web, b"forged", at=1_700_000_100)
    with pytest.raises(BadInput, match="bad_checksum"):
        fetch_source(source(web, sha256=right), tmp_path, NOW)
    assert [path.name for path in bodies_dir(tmp_path).iterdir()] == [f"{right}.zip"]
    assert find_fetched(source(web), tmp_path).read_bytes() == b"one"


def test_a_server_that_is_gone_leaves_what_it_gave(web, tmp_path):
    give(web, b"one")
    fetch_source(source(web), tmp_path, NOW)
    gone = web.address
    web.shutdown()
    web.server_close()
    with pytest.raises(Unavailable, match="server_silent"):
        fetch_source(DeclaredSource("val", "", gone), tmp_path, NOW)
    assert find_fetched(DeclaredSource("val", "", gone), tmp_path).read_bytes() == b"one"
    assert json.loads((fetched_dir(tmp_path) / "val.json").read_text())["checked_at"] == "2026-11-21T12:00:00+00:00"
    assert sorted(path.name for path in fetched_dir(tmp_path).iterdir()) == [".fetch.lock", "val.json"]


def test_one_fetch_at_a_time_and_a_killed_one_leaves_nothing(web, tmp_path):
    give(web, b"one")
    left_over = fetched_dir(tmp_path) / ".building-killed"
    left_over.mkdir(parents=True)
    (left_over / "body.zip").write_bytes(b"half")
    with only_one(fetched_dir(tmp_path), "fetch"), pytest.raises(Conflict, match="already_running"):
        fetch_source(source(web), tmp_path, NOW)
    fetch_source(source(web), tmp_path, NOW)
    assert not left_over.exists()


def test_a_file_or_folder_is_a_source_too_and_the_demonstration_is_none(tmp_path):
    (tmp_path / "feed").mkdir()
    (tmp_path / "feed" / "stops.txt").write_text("stop_id\nA\n")
    local = DeclaredSource("val", "", str(tmp_path / "feed"))
    assert [fetch_source(local, tmp_path / "data", NOW).is_new for _ in range(2)] == [True, False]
    with pytest.raises(BadInput, match="demo_source"):
        fetch_source(DeclaredSource("val", "", "demo:val"), tmp_path / "data", NOW)
