import datetime as dt
import hashlib
import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mobigo import outbound
from mobigo.outbound import (
    Limits,
    Mail,
    MailServer,
    TextMessagesInFiles,
    Validators,
    download,
    fetch,
    post,
    send_mail,
)
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

            do_POST = do_GET  # noqa: N815

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
    inside = outbound._is_inside
    monkeypatch.setattr(outbound, "_is_inside", lambda address: address != "127.0.0.2" and inside(address))
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
    assert outbound._is_inside(address) is inside


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


# --- mail -----------------------------------------------------------------------------------


class Box:
    def __init__(self):
        self.mails = []
        self.refusals = {}

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, session.ssl is not None))
        return "250 OK"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of 127.0.0.1 that nobody signed, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def context_of(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def post_office(certificate):
    """A real SMTP server that wants STARTTLS and a password."""
    box = Box()

    def open_for(_server, _session, _envelope, _mechanism, data):
        return AuthResult(success=(data.login, data.password) == (b"mobigo", b"secret"), handled=False)

    controller = Controller(
        box,
        hostname="localhost",
        port=0,
        tls_context=context_of(certificate),
        require_starttls=True,
        auth_required=True,
        authenticator=open_for,
        auth_exclude_mechanism=["LOGIN"],
    )
    controller.port = free_port()
    controller.start()
    sender = "no-reply@mobigo.test"
    box.server = MailServer("localhost", controller.port, sender, "starttls", "mobigo", "secret", certificate)
    yield box
    controller.stop()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


MAIL = Mail(
    "ana@example.test", "Votre réservation à Semur", "Bonjour,\n\nà 8 h 05 devant la mairie.\n.\nfin", "booking:7"
)


def test_mail_is_handed_in_encrypted_and_says_what_it_said(post_office):
    from email import message_from_bytes
    from email.policy import default

    send_mail(post_office.server, MAIL)
    send_mail(post_office.server, MAIL)
    (sender, to, content, was_encrypted), again = post_office.mails
    message = message_from_bytes(content, policy=default)
    assert (sender, to, was_encrypted) == ("no-reply@mobigo.test", ["ana@example.test"], True)
    assert (message["Subject"], message.get_content().replace("\r\n", "\n").strip()) == (MAIL.subject, MAIL.body)
    assert message["Message-ID"] == message_from_bytes(again[2], policy=default)["Message-ID"]


def test_mail_is_not_handed_to_a_server_that_cannot_prove_who_it_is_nor_encrypt(post_office, certificate):
    from dataclasses import replace

    with pytest.raises(Unavailable, match="mail_silent"):
        send_mail(replace(post_office.server, authorities=None), MAIL)
    plain = Box()
    controller = Controller(plain, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        open_server = MailServer("127.0.0.1", controller.port, "no-reply@mobigo.test")
        with pytest.raises(Unavailable, match="mail_silent"):
            send_mail(open_server, MAIL)
        assert plain.mails == []
        send_mail(replace(open_server, security="none"), MAIL)
        assert len(plain.mails) == 1
    finally:
        controller.stop()
    assert post_office.mails == []


def test_mail_over_tls_from_the_first_byte(certificate):
    box = Box()
    port = free_port()
    controller = Controller(box, hostname="localhost", port=port, ssl_context=context_of(certificate))
    controller.start()
    try:
        send_mail(MailServer("localhost", port, "no-reply@mobigo.test", "tls", authorities=certificate), MAIL)
    finally:
        controller.stop()
    assert len(box.mails) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "Bonjour\r\nBcc: all@example.test"),
        ("subject", "Bonjour\nBcc: all@example.test"),
        ("subject", "Bonjour\x0bBcc: all@example.test"),
        ("subject", "Bonjour\u2028Bcc: all@example.test"),
        ("to", "ana@example.test\r\nBcc: all@example.test"),
        ("to", "ana@example.test, all@example.test"),
        ("to", "Ana <ana@example.test>"),
        ("to", "ana"),
        ("to", ""),
        ("to", "@example.test"),
        ("to", "ana@"),
    ],
)
def test_nobody_writes_headers_of_our_mails(post_office, field, value):
    from dataclasses import replace

    with pytest.raises(BadInput, match="bad_mail"):
        send_mail(post_office.server, replace(MAIL, **{field: value}))
    assert post_office.mails == []


@pytest.mark.parametrize(
    ("refusal", "error", "code"),
    [
        ("550 no such user", BadInput, "mail_refused"),
        ("451 later", Unavailable, "mail_silent"),
        ("530 no", Unavailable, "mail_silent"),
    ],
)
def test_a_refusal_for_good_is_told_from_one_for_now(post_office, refusal, error, code):
    post_office.refusals[MAIL.to] = refusal
    with pytest.raises(error) as raised:
        send_mail(post_office.server, MAIL)
    assert raised.value.code == code


def test_a_wrong_password_or_no_server_is_no_fault_of_the_message(post_office):
    from dataclasses import replace

    with pytest.raises(Unavailable, match="mail_silent") as raised:
        send_mail(replace(post_office.server, password="wrong"), MAIL)
    assert "wrong" not in str(raised.value)
    with pytest.raises(Unavailable, match="mail_silent"):
        send_mail(replace(post_office.server, port=free_port()), MAIL)


# --- text messages --------------------------------------------------------------------------


def test_a_text_message_is_one_file_however_often_it_is_sent(tmp_path):
    port = TextMessagesInFiles(tmp_path / "sms")
    for body in ("Votre car part à 8 h 05.", "another under the same key"):
        port.send("+33 6 39 98 01 02", body, "booking:7")
    port.send("+33639980103", "à vous", "booking:8")
    files = sorted(path.name for path in (tmp_path / "sms").iterdir())
    told = [json.loads((tmp_path / "sms" / name).read_text("utf-8")) for name in files]
    assert sorted(told, key=lambda each: each["to"]) == [
        {"to": "+33639980102", "body": "Votre car part à 8 h 05."},
        {"to": "+33639980103", "body": "à vous"},
    ]
    assert all((tmp_path / "sms" / name).stat().st_mode & 0o777 == 0o600 for name in files)


@pytest.mark.parametrize("number", ["", "0639980102", "+33", "+0639980102", "+33639980102\n;rm", "+336399801020000000"])
def test_a_number_that_is_not_whole_is_refused(tmp_path, number):
    with pytest.raises(BadInput, match="bad_number"):
        TextMessagesInFiles(tmp_path).send(number, "à vous", "k")
    assert list(tmp_path.iterdir()) == []
