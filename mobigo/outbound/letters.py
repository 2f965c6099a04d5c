"""Letters: messages to people, by mail and by telephone.

Mail is handed to an SMTP server, encrypted and to whom can prove who it is; text messages to a gateway
by HTTP. Where no server or gateway is known they are files in a folder of this machine, from which an
operator's own takes them. The same key is the same message, however often it is sent.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import smtplib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from mobigo.outbound.http import check_server, post, trust
from socle.errors import BadInput, MobigoError, Unavailable

# Scheme of a mail server's address -> how it is spoken to, and where it listens unless the address says.
_SCHEMES = {"smtp": ("starttls", 587), "smtps": ("tls", 465), "smtp+plain": ("none", 25)}
_NOBODY = "mobigo@localhost"  # the sender of letters that stay on this machine
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}
_NOT_THIS_ONE = {400, 409, 413, 422}  # statuses about the message itself; any other is about the gateway or the moment
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")  # E.164


@dataclass(frozen=True, slots=True)
class Mail:
    """One message to one person. The same `key` is the same message."""

    to: str
    subject: str
    body: str
    key: str


class Mails(Protocol):
    """Where mail is handed in."""

    def send(self, mail: Mail) -> None:
        """Hand one in.

        Raises:
            BadInput: `bad_mail` (an address or subject that is none), `mail_refused` for good.
            Unavailable: `mail_silent`.
        """
        ...


class TextMessages(Protocol):
    """Where text messages are handed in. The same `key` is the same message."""

    def send(self, number: str, body: str, key: str) -> None:
        """Hand one in.

        Raises:
            BadInput: `bad_number`, `sms_refused` for good.
            Unavailable: `sms_silent`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Post:
    """How letters leave, and the address of the site that they speak of."""

    mails: Mails
    texts: TextMessages
    site: str


def open_post(mail_url: str, sender: str, folder: Path, site: str, sms_url: str = "", sms_token: str = "") -> Post:
    """The post of the settings; what has no server or gateway is written into `folder`.

    Raises:
        BadInput: `bad_mail_server`, `bad_mail_sender`, `bad_sms_gateway`, `bad_sms_token`.
    """
    mails = read_mail_server(mail_url, sender) if mail_url else MailsInFiles(folder / "mail", sender or _NOBODY)
    texts = read_gateway(sms_url, sms_token) if sms_url else TextMessagesInFiles(folder / "sms")
    return Post(mails, texts, site)


# --- mail -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server. `security` is starttls, tls or none; `sender` stands in From."""

    host: str
    port: int
    sender: str
    security: str = "starttls"
    user: str = ""
    password: str = ""
    authorities: Path | None = None  # certificates to trust instead of the system's
    timeout_s: float = 30

    def send(self, mail: Mail) -> None:
        """Hand a message in; once it returns the mail server has it.

        Raises:
            BadInput: `bad_mail` (an address or subject that is none), `mail_refused` for good.
            Unavailable: `mail_silent`: no server, no encryption, or it says to come back later.
        """
        message = _message(self.sender, mail)
        we = self.sender.rpartition("@")[2]  # else Python asks the network for this machine's name
        try:
            with self._session(we) as session:
                if self.security == "starttls":
                    session.starttls(context=self._context())  # refused by the server: nothing is sent
                if self.user:
                    session.login(self.user, self.password)
                session.send_message(message)
        except smtplib.SMTPRecipientsRefused as refusal:
            code, said = next(iter(refusal.recipients.values()))
            raise self._failure(code, said) from None
        except smtplib.SMTPResponseException as refusal:
            raise self._failure(refusal.smtp_code, refusal.smtp_error) from None
        except (smtplib.SMTPException, OSError) as fault:
            raise Unavailable("mail_silent", server=self.host, reason=type(fault).__name__) from None

    def _session(self, we: str) -> smtplib.SMTP:
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, we, timeout=self.timeout_s, context=self._context())
        return smtplib.SMTP(self.host, self.port, we, timeout=self.timeout_s)

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authorities) if self.authorities else trust()

    def _failure(self, code: int, said: bytes | str) -> BadInput | Unavailable:
        """A refusal for good is about this message (550 to 554); any other is about the server or the moment."""
        told = f"{code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
        if 550 <= code <= 554:
            return BadInput("mail_refused", said=told)
        return Unavailable("mail_silent", server=self.host, reason=told)


def read_mail_server(url: str, sender: str) -> MailServer:
    """The server at an address such as `smtp://user:password@mail.example:587`.

    Raises:
        BadInput: `bad_mail_server`, which may hold a password and is not told; `bad_mail_sender`.
    """
    try:
        parts = urlsplit(url)
        security, port = _SCHEMES[parts.scheme]
        port = parts.port or port
    except (ValueError, KeyError):
        raise BadInput("bad_mail_server") from None
    if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise BadInput("bad_mail_server")
    try:
        _address(sender)
    except BadInput:
        raise BadInput("bad_mail_sender", sender=sender) from None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(parts.hostname, port, sender, security, user, password)


@dataclass(frozen=True, slots=True)
class MailsInFiles:
    """One file per message in a folder, as it would have been sent."""

    folder: Path
    sender: str

    def send(self, mail: Mail) -> None:
        """Write it, whole and once."""
        _write_once(self.folder / f"{_name_of(mail.key)}.eml", _message(self.sender, mail).as_bytes())


def _message(sender: str, mail: Mail) -> EmailMessage:
    """The message; a control character in a header would begin another header, so it is refused."""
    if _CONTROL.search(mail.subject):
        raise BadInput("bad_mail")
    from_ = _address(sender)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = from_, _address(mail.to), mail.subject
    message["Message-ID"] = f"<{_name_of(mail.key)}@{from_.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body, cte="quoted-printable")  # passes where eight bits do not
    return message


def _address(typed: str) -> Address:
    if _CONTROL.search(typed):
        raise BadInput("bad_mail")
    try:
        address = Address(addr_spec=typed)
    except (HeaderParseError, ValueError, IndexError):
        raise BadInput("bad_mail") from None
    if not (address.username and address.domain):
        raise BadInput("bad_mail")
    return address


def _name_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


# --- text messages --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Gateway:
    """An address that takes text messages as JSON, `to` and `body`, and knows by the `Idempotency-Key` what it has.

    What it answers is not told further than its status: it may repeat the number or the words.
    """

    address: str
    token: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """Its name, without what the address may hold beside."""
        return urlsplit(self.address).hostname or ""

    def send(self, number: str, body: str, key: str) -> None:
        """Hand a message in, once; a job that failed for now does it again.

        Raises:
            BadInput: `bad_number`, `sms_refused` for good.
            Unavailable: `sms_silent`: no gateway, or it does not take messages, or ours, now.
        """
        content = _text_message(number, body)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            status, _said = post(self.address, content, "application/json", _name_of(key), headers, most_tries=1)
        except MobigoError as fault:  # whatever it is, it is about the gateway and not about this message
            raise Unavailable("sms_silent", server=self.host, reason=fault.code) from None
        if status in _NOT_THIS_ONE:
            raise BadInput("sms_refused", said=str(status))
        if not 200 <= status < 300:
            raise Unavailable("sms_silent", server=self.host, reason=str(status))


def read_gateway(url: str, token: str) -> Gateway:
    """The gateway at an address; what is sent there is encrypted, unless it is on this machine.

    Raises:
        BadInput: `bad_sms_gateway`, `bad_sms_token`: neither is told.
    """
    try:
        parts = urlsplit(url)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _THIS_MACHINE)
        check_server(url)
    except (ValueError, BadInput):
        raise BadInput("bad_sms_gateway") from None
    if not is_safe or parts.username or parts.password or parts.fragment:
        raise BadInput("bad_sms_gateway")
    if not all("!" <= letter <= "~" for letter in token):
        raise BadInput("bad_sms_token")
    return Gateway(url, token)


@dataclass(frozen=True, slots=True)
class TextMessagesInFiles:
    """One JSON file per message in a folder."""

    folder: Path

    def send(self, number: str, body: str, key: str) -> None:
        """Write it, whole and once."""
        _write_once(self.folder / f"{_name_of(key)}.json", _text_message(number, body))


def _text_message(number: str, body: str) -> bytes:
    plain = re.sub(r"[\s.()-]", "", number)
    if not _NUMBER.fullmatch(plain):
        raise BadInput("bad_number")
    return json.dumps({"to": plain, "body": body}, ensure_ascii=False).encode()


# --- files ----------------------------------------------------------------------------------


def list_written(folder: Path) -> Sequence[tuple[Path, datetime]]:
    """The letters that are files in the folder of the settings, with the instant of their writing."""
    found = []
    for place in sorted(folder.glob("*/*")):
        with suppress(FileNotFoundError):  # a gateway takes them away at any moment
            found.append((place, datetime.fromtimestamp(place.stat().st_mtime, UTC)))
    return found


def remove_written(folder: Path, before: datetime) -> int:
    """Take away the letters that were written before an instant; how many went."""
    old = [place for place, written in list_written(folder) if written < before]
    for place in old:
        place.unlink(missing_ok=True)
    return len(old)


def _write_once(place: Path, content: bytes) -> None:
    """Write a file that only this user may read; the first one of its name stays."""
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = place.with_suffix(f".{os.getpid()}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, place)
    except FileExistsError:
        pass
    finally:
        partial.unlink()
