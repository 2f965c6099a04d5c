import hashlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mobigo.outbound import http
from mobigo.outbound.http import Limits, Validators, ask, download, fetch, post
from socle.errors import BadInput, Unavailable

BODY = b"stop_id,stop_name\nA,Semur\n" * 100_000  # several pieces


class Server:
    """A real HTTP server whose answers are given by path: (status, headers, body), or a function of the handler."""

    def __init__(self, host="127.0.0.1"):
        self.answers = {}
        self.seen = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.seen.append((self.command, self.path, dict(self.headers), body))
                answer = outer.answers[self.path.partition("?")[0]]
                if isinstance(answer, list):
                    answer = answer.pop(0)
                if callable(answer):
                    answer(self)
                    return
                status, headers, content = answer
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_PATCH = do_GET  # noqa: N815

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer((host, 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://{host}:{self.server.server_port}"
        threading.Thread(target=lambda: self.server.serve_forever(0.01), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture
def abroad(monkeypatch):
    """A server on 127.0.0.2, which passes for one outside our network."""
    server = Server("127.0.0.2")
    inside = http._is_inside
    monkeypatch.setattr(http, "_is_inside", lambda address: address != "127.0.0.2" and inside(address))
    yield server
    server.close()


@pytest.fixture
def into(tmp_path):
    return tmp_path / "feed.zip"


def test_a_body_is_written_with_its_checksum_and_asked_for_again_only_when_it_has_changed(server, into):
    server.answers["/gtfs"] = (200, {"ETag": '"7"', "Last-Modified": "Sat, 21 Nov 2026 07:00:00 GMT"}, BODY)
    first = download(f"{server.address}/gtfs", into)
    assert into.read_bytes() == BODY
    assert (first.is_new, first.n_bytes, first.sha256) == (True, len(BODY), hashlib.sha256(BODY).hexdigest())
    assert first.validators == Validators('"7"', "Sat, 21 Nov 2026 07:00:00 GMT")
    into.unlink()
    server.answers["/gtfs"] = (304, {}, b"")
    second = download(f"{server.address}/gtfs", into, first.validators)
    assert (second.is_new, second.validators, into.exists()) == (False, first.validators, False)
    asked = server.seen[1][2]
    assert (asked["If-None-Match"], asked["If-Modified-Since"]) == ('"7"', "Sat, 21 Nov 2026 07:00:00 GMT")


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        ((404, {}, b"no"), BadInput, "server_refused"),
        ((304, {}, b""), BadInput, "server_refused"),  # unasked
        ((503, {}, b""), Unavailable, "server_busy"),
        ((200, {"Content-Length": str(len(BODY) + 9)}, BODY), Unavailable, "server_silent"),  # cut in the middle
        (lambda handler: handler.connection.close(), Unavailable, "server_silent"),
        (lambda handler: handler.wfile.write(b"\x00\x01 not HTTP\r\n\r\n"), Unavailable, "server_silent"),
    ],
)
def test_what_a_server_does_wrong_is_said(server, into, answer, error, code):
    server.answers["/gtfs"] = answer
    with pytest.raises(error) as raised:
        download(f"{server.address}/gtfs", into)
    assert raised.value.code == code


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large_is_not_read_to_its_end(server, into, announced):
    def pour(handler):
        handler.send_response(200)
        if announced:
            handler.send_header("Content-Length", str(1 << 40))
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"0" * 65_536)
        except OSError:
            handler.close_connection = True

    server.answers["/gtfs"] = pour
    with pytest.raises(BadInput, match="too_large"):
        download(f"{server.address}/gtfs", into, limits=Limits(n_bytes=1 << 20))
    assert not into.exists() or into.stat().st_size <= 1 << 20


def test_a_body_that_swells_when_it_is_unpacked_is_counted_unpacked(server, into):
    import gzip

    server.answers["/gtfs"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"0" * (8 << 20)))
    with pytest.raises(BadInput, match="too_large"):
        download(f"{server.address}/gtfs", into, limits=Limits(n_bytes=1 << 20))


@pytest.mark.parametrize("limits", [Limits(silence_s=0.1), Limits(whole_s=0.1)])
def test_a_server_that_drips_or_falls_silent_is_left(server, into, limits):
    over = threading.Event()

    def drip(handler):
        handler.send_response(200)
        handler.end_headers()
        try:
            while not over.wait(0.02 if limits.silence_s > 1 else 5):
                handler.wfile.write(b"0" * 2_000_000)
        except OSError:
            handler.close_connection = True

    server.answers["/gtfs"] = drip
    with pytest.raises(Unavailable, match="server_silent"):
        download(f"{server.address}/gtfs", into, limits=limits)
    over.set()


def test_a_download_follows_where_it_is_sent_on(server, into):
    server.answers["/gtfs"] = (302, {"Location": "/new"}, b"")
    server.answers["/new"] = (301, {"Location": f"{server.address}/newer?v=2"}, b"")
    server.answers["/newer"] = (200, {}, b"feed")
    assert download(f"{server.address}/gtfs", into).n_bytes == 4
    assert [path for _method, path, *_ in server.seen] == ["/gtfs", "/new", "/newer?v=2"]


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://127.0.0.1/", "http://user:password@127.0.0.1/", "http://", "http://[", "/gtfs"],
)
def test_a_download_does_not_follow_elsewhere_nor_in_circles(server, into, location):
    server.answers["/gtfs"] = (302, {"Location": location}, b"")
    with pytest.raises(BadInput, match="sent_astray"):
        download(f"{server.address}/gtfs", into)


def test_nobody_outside_sends_us_to_our_own_network(abroad, server, into):
    server.answers["/secret"] = (200, {}, b"secret")
    abroad.answers["/open"] = (200, {}, b"open")
    abroad.answers["/lure"] = (302, {"Location": f"{server.address}/secret"}, b"")
    abroad.answers["/mapped"] = (
        302,
        {"Location": server.address.replace("127.0.0.1", "[::ffff:127.0.0.1]") + "/secret"},
        b"",
    )
    assert download(f"{abroad.address}/open", into).n_bytes == 4
    for path in ("/lure", "/mapped"):
        with pytest.raises(BadInput, match="sent_astray"):
            download(abroad.address + path, into)
    assert server.seen == []


def test_the_address_that_was_looked_at_is_the_one_connected_to(abroad, server, into, monkeypatch):
    """A name that gives another address each time it is asked does not lead inside."""
    port = abroad.server.server_port
    answers = [["127.0.0.2"], ["127.0.0.1", "127.0.0.2"]]  # what it gives when asked, then again
    asked = socket.getaddrinfo

    def rebinding(host, *others, **named):
        if host != "feeds.example":
            return asked(host, *others, **named)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in answers.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    abroad.answers["/open"] = (200, {}, b"open")
    download(f"http://feeds.example:{port}/open", into)
    assert abroad.seen[0][2]["Host"] == f"feeds.example:{port}"
    assert answers == []


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("192.168.1.1", True),
        ("169.254.169.254", True),
        ("100.64.0.1", True),
        ("0.0.0.0", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("fd00::1", True),
        ("::ffff:10.0.0.1", True),
        ("93.184.216.34", False),
        ("2606:2800:220:1::1", False),
    ],
)
def test_inside_is_what_the_whole_world_does_not_share(address, inside):
    assert http._is_inside(address) is inside


@pytest.mark.parametrize("address", ["", "gtfs.zip", "file:///etc/passwd", "ftp://a/b", "http://", "http://[", "//a/b"])
def test_an_address_that_is_none_is_refused(address, into):
    with pytest.raises(BadInput, match="bad_server"):
        download(address, into)
    with pytest.raises(BadInput, match="bad_server"):
        fetch(address, "", [])


def test_a_server_that_is_not_there_is_silent(server, into):
    server.close()
    with pytest.raises(Unavailable, match="server_silent"):
        download(f"{server.address}/gtfs", into)
    with pytest.raises(Unavailable, match="server_silent"):
        download("http://no-such-name.invalid/gtfs", into)


def test_a_post_that_may_not_have_arrived_is_sent_again_under_its_key(server):
    waited = []
    server.answers["/pay"] = [
        lambda handler: handler.connection.close(),
        (503, {"Retry-After": "7"}, b""),
        (201, {}, b"done"),
    ]
    assert post(f"{server.address}/pay", b"<pain/>", "application/xml", "k1", pause=waited.append) == (201, b"done")
    assert waited == [1, 7]
    assert [(headers["Idempotency-Key"], body) for _m, _p, headers, body in server.seen] == [("k1", b"<pain/>")] * 3


def test_a_key_is_for_who_was_asked_and_not_for_whom_they_name(server):
    other = Server("127.0.0.3")
    try:
        server.answers["/far"] = (302, {"Location": f"{other.address}/there"}, b"")
        server.answers["/near"] = (302, {"Location": "/here"}, b"")
        server.answers["/here"] = other.answers["/there"] = (200, {}, b"[]")
        for path in ("/far", "/near"):
            headers = {"X-API-Key": "secret", "Authorization": "Bearer secret", "X-Other": "plain"}
            assert ask(f"{server.address}{path}", headers, None, Limits()).body == b"[]"
        (at_other,) = other.seen
        assert "secret" not in str(at_other)
        assert at_other[2]["X-Other"] == "plain"
        assert server.seen[-1][2]["X-API-Key"] == "secret"
    finally:
        other.close()


def test_what_is_changed_is_sent_as_a_patch(server):
    server.answers["/b/1"] = (200, {}, b"")
    assert post(f"{server.address}/b/1?status=CONFIRMED", b"", "application/json", "k", method="PATCH") == (200, b"")
    assert server.seen[0][:2] == ("PATCH", "/b/1?status=CONFIRMED")


def test_a_post_that_is_refused_or_sent_on_is_told_as_it_is(server):
    for status in (400, 302, 500):
        server.answers["/pay"] = (status, {"Location": "/elsewhere"}, b"no")
        assert post(f"{server.address}/pay", b"", "text/plain", "k1") == (status, b"no")
    server.answers["/pay"] = (502, {}, b"bad gateway")
    waited = []
    assert post(f"{server.address}/pay", b"", "text/plain", "k1", pause=waited.append)[0] == 502
    assert waited == [1, 2, 4]
    server.close()
    with pytest.raises(Unavailable, match="server_silent"):
        post(f"{server.address}/pay", b"", "text/plain", "k1", pause=waited.append)
