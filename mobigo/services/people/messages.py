"""Messages: what is written to people about their account, put off as jobs.

The job holds the id of a code, not the address: that is sealed beside the code, and gone a day
after the code expired. A notice is a code that nobody is told, kept in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from mobigo.outbound.letters import Mail, Post
from mobigo.security import Keys, new_code, spelled_code
from mobigo.services.people.contacts import Contact
from mobigo.services.people.signing import WINDOW, Where, network_of
from mobigo.store.base import Session, reading, transaction
from mobigo.store.jobs import enqueue
from mobigo.store.people import door
from mobigo.store.people.door import Asked, Purpose, TryKind, add_code, get_code, use_code
from mobigo.texts import text
from socle.errors import BadInput, Fact, NotFound, TooOften

MESSAGE_JOB = "people.message"
CODE_LIFE = timedelta(minutes=30)
NOTICE_LIFE = timedelta(days=1)
CODE_TRIES = 5
CODES_PER_CONTACT = 3  # in `WINDOW`
CODES_PER_ADDRESS = 30


@dataclass(frozen=True, slots=True)
class Message:
    """A letter by e-mail, or its text alone by SMS."""

    contact: Contact
    subject: str
    body: str


def ask_code(
    session: Session,
    keys: Keys,
    purpose: Purpose,
    contact: Contact,
    letter: str,
    person_id: str | None,
    facts: Mapping[str, str],
    now: datetime,
) -> str:
    """Have a code written to `contact`; the id under which it is brought back. An empty `letter`: none is sent."""
    told = {**facts, "kind": contact.kind, "to": contact.value, "letter": letter}
    code_id = add_code(session, keys, purpose, new_code(), person_id, told, now, CODE_LIFE)
    enqueue(session, MESSAGE_JOB, {"code_id": code_id}, now, f"{MESSAGE_JOB}:{code_id}")
    return code_id


def send_notice(
    session: Session, keys: Keys, person_id: str, contacts: list[Contact], letter: str, now: datetime
) -> None:
    """Tell somebody what was done with their account."""
    for contact in contacts:
        facts = {"kind": contact.kind, "to": contact.value, "letter": letter}
        code_id = add_code(session, keys, Purpose.NOTICE, new_code(), person_id, facts, now, NOTICE_LIFE)
        enqueue(session, MESSAGE_JOB, {"code_id": code_id}, now, f"{MESSAGE_JOB}:{code_id}")


def limit_codes(session: Session, keys: Keys, contact: Contact, where: Where, now: datetime) -> None:
    """Count a code asked for, when it may be.

    Raises:
        TooOften: `too_many_codes`.
    """
    account = keys.blind(contact.kind, contact.value)
    address = keys.blind("address", network_of(where.address))
    door.take_turn(session, account, address)
    of_account = door.tries_of_account(session, TryKind.CODE, account, now - WINDOW)
    of_address = door.tries_of_address(session, TryKind.CODE, address, now - WINDOW)
    for tries, most in ((of_account, CODES_PER_CONTACT), (of_address, CODES_PER_ADDRESS)):
        if tries.last_at is not None and tries.n >= most:
            wait_s = max(1, int((tries.last_at + WINDOW - now).total_seconds()))
            raise TooOften("too_many_codes", wait_s=wait_s, minutes=-(-wait_s // 60))
    door.add_try(session, TryKind.CODE, account, address, now)


def take_code(engine: Engine, keys: Keys, purpose: Purpose, code_id: str, code: str, now: datetime) -> Asked:
    """What a code was asked for; a wrong one is counted, whatever happens next.

    Raises:
        BadInput: `wrong_code`: not it, too late, too often, or used.
    """
    with transaction(engine) as session:
        asked = use_code(session, keys, purpose, code_id, spelled_code(code), CODE_TRIES, now)
    if asked is None:
        raise BadInput("wrong_code")
    return asked


def send_message(engine: Engine, keys: Keys, code_id: str, post: Post, key: str, now: datetime) -> bool:
    """Write to whom a code or a notice is for; whether there was anything to send, still.

    Raises:
        BadInput: `bad_mail`, `bad_number`, `mail_refused`.
        Unavailable: `mail_silent`.
    """
    message = find_message(engine, keys, code_id, post.site, now)
    if message is None:
        return False
    if message.contact.kind == "phone":
        post.texts.send(message.contact.value, message.body, key)
    else:
        post.mails.send(Mail(message.contact.value, message.subject, message.body, key))
    return True


def find_message(engine: Engine, keys: Keys, code_id: str, site: str, now: datetime) -> Message | None:
    """What the job of a code sends, in French; None when there is nothing to send, or not any more."""
    try:
        with reading(engine) as session:
            asked = get_code(session, keys, code_id)
    except NotFound:
        return None
    letter = asked.facts["letter"]
    if not letter or now > asked.expires_at:
        return None
    key = f"letters.{letter}"
    facts: dict[str, Fact] = {
        "code": asked.facts["code"],
        "minutes": int(CODE_LIFE.total_seconds()) // 60,
        "site": site,
    }
    contact = Contact(asked.facts["kind"], asked.facts["to"])
    form = "sms" if contact.kind == "phone" else "body"
    return Message(contact, text(f"{key}.subject", **facts), text(f"{key}.{form}", **facts))
