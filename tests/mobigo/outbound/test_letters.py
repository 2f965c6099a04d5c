import datetime as dt
import json
import socket
import ssl
from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mobigo.outbound.letters import Mail, MailServer, MailsInFiles, TextMessagesInFiles, open_post, read_mail_server
from socle.errors import BadInput, Unavailable


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
    post_office.server.send(MAIL)
    post_office.server.send(MAIL)
    (sender, to, content, was_encrypted), again = post_office.mails
    message = message_from_bytes(content, policy=default)
    assert (sender, to, was_encrypted) == ("no-reply@mobigo.test", ["ana@example.test"], True)
    assert (message["Subject"], message.get_content().replace("\r\n", "\n").strip()) == (MAIL.subject, MAIL.body)
    assert message["Message-ID"] == message_from_bytes(again[2], policy=default)["Message-ID"]


def test_mail_is_not_handed_to_a_server_that_cannot_prove_who_it_is_nor_encrypt(post_office, certificate):

    with pytest.raises(Unavailable, match="mail_silent"):
        replace(post_office.server, authorities=None).send(MAIL)
    plain = Box()
    controller = Controller(plain, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        open_server = MailServer("127.0.0.1", controller.port, "no-reply@mobigo.test")
        with pytest.raises(Unavailable, match="mail_silent"):
            open_server.send(MAIL)
        assert plain.mails == []
        replace(open_server, security="none").send(MAIL)
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
        MailServer("localhost", port, "no-reply@mobigo.test", "tls", authorities=certificate).send(MAIL)
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

    with pytest.raises(BadInput, match="bad_mail"):
        post_office.server.send(replace(MAIL, **{field: value}))
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
        post_office.server.send(MAIL)
    assert raised.value.code == code


def test_a_wrong_password_or_no_server_is_no_fault_of_the_message(post_office):

    with pytest.raises(Unavailable, match="mail_silent") as raised:
        replace(post_office.server, password="wrong").send(MAIL)
    assert "wrong" not in str(raised.value)
    with pytest.raises(Unavailable, match="mail_silent"):
        replace(post_office.server, port=free_port()).send(MAIL)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.test", ("mail.test", 587, "starttls", "", "")),
        ("smtps://mobigo:p%40ss@mail.test", ("mail.test", 465, "tls", "mobigo", "p@ss")),
        ("smtp+plain://[::1]:2525", ("::1", 2525, "none", "", "")),
    ],
)
def test_a_mail_server_is_named_by_one_address(url, server):
    read = read_mail_server(url, "no-reply@mobigo.test")
    assert (read.host, read.port, read.security, read.user, read.password) == server


@pytest.mark.parametrize(
    "url", ["mail.test", "http://mail.test", "smtp://", "smtp://u:secret@mail.test:port", "smtp://u:secret@m.test/x"]
)
def test_an_address_that_names_no_mail_server_is_refused_without_its_password(url):
    with pytest.raises(BadInput, match="bad_mail_server") as raised:
        read_mail_server(url, "no-reply@mobigo.test")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("sender", ["", "mobigo", "a@b\r\nBcc: c@d.test"])
def test_a_mail_server_wants_a_sender(sender, tmp_path):
    with pytest.raises(BadInput, match="bad_mail_sender"):
        open_post("smtp://mail.test", sender, tmp_path, "https://mobigo.test")


def test_without_a_server_mail_is_one_file_however_often_it_is_sent(tmp_path):
    post = open_post("", "", tmp_path / "letters", "https://mobigo.test")
    assert isinstance(post.mails, MailsInFiles)
    post.mails.send(MAIL)
    post.mails.send(replace(MAIL, body="another under the same key"))
    (file,) = (tmp_path / "letters" / "mail").iterdir()
    told = message_from_bytes(file.read_bytes(), policy=default)
    assert (told["To"], told["Subject"]) == (MAIL.to, MAIL.subject)
    assert told.get_content().strip() == MAIL.body.strip()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


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
