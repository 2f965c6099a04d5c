"""Signing in and out: passwords, what limits guessing, sessions.

Whoever tries learns the same, in the same time, whether the account exists or not. A try is
written down before its password is looked at, so that many at once are all counted.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from mobigo.security import Keys, Permission, hash_password, is_hash_old, is_password, new_token
from mobigo.services.people.contacts import read_contact
from mobigo.services.people.principal import Principal, is_over, principal_of
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, reading, transaction
from mobigo.store.people import door
from mobigo.store.people.access import (
    OpenSession,
    close_session,
    close_sessions,
    find_session,
    list_sessions,
    open_session,
)
from mobigo.store.people.accounts import Person, PersonState, find_by_contact, find_password, get_person, set_password
from mobigo.store.people.roles import roles_of
from socle.errors import BadInput, Forbidden, NotFound, NotSignedIn, TooOften

WINDOW = timedelta(minutes=15)
FREE_TRIES = 5  # on one account; each further one waits twice as long as the one before
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(minutes=15)
TRIES_PER_ADDRESS = 100  # a school or an office may stand behind one address
_MOST_DEVICE_LETTERS = 60
_MOST_CONTACT_LETTERS = 300


@dataclass(frozen=True, slots=True)
class Where:
    """From where somebody tries: the network address, and the browser in a few words."""

    address: str
    device: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody let in: the token is shown to them once and kept nowhere."""

    token: str
    principal: Principal


def network_of(address: str) -> str:
    """What one subscriber has: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def account_of(keys: Keys, contact: str) -> tuple[str, str, str]:
    """The kind and value of what was typed, and the index under which tries on it are counted.

    For a person's own e-mail or number it is the index of their identity, so that erasing finds it.
    """
    try:
        read = read_contact(contact)
    except BadInput:
        return "", "", keys.blind("contact", contact[:_MOST_CONTACT_LETTERS])
    return read.kind, read.value, keys.blind(read.kind, read.value)


def sign_in(engine: Engine, keys: Keys, contact: str, password: str, where: Where, now: datetime) -> SignedIn:
    """Let somebody in who knows the password.

    Raises:
        NotSignedIn: `wrong_sign_in`, whatever was wrong.
        TooOften: `too_many_tries`, also for accounts that do not exist.
        Forbidden: `suspended`, told only to who knows the password.
    """
    kind, value, account = account_of(keys, contact)
    address = keys.blind("address", network_of(where.address))
    try_id = begin_try(engine, account, address, now)
    with reading(engine) as session:
        person = find_by_contact(session, keys, kind, value) if kind else None
        hashed = find_password(session, person.person_id) if person else None
    if not is_password(hashed, password) or person is None or hashed is None:
        raise NotSignedIn("wrong_sign_in")
    if person.state is not PersonState.ACTIVE:
        raise Forbidden("suspended")
    with transaction(engine) as session:
        door.mark_succeeded(session, try_id)
        if is_hash_old(hashed):
            set_password(session, person.person_id, hash_password(password), now)
        return let_in(session, keys, person, "password", where, now)


def begin_try(engine: Engine, account: str, address: str, now: datetime) -> int:
    """Write down that a password is tried, when it may be; the number of the try.

    Raises:
        TooOften: `too_many_tries`.
    """
    with transaction(engine) as session:
        door.take_turn(session, account, address)
        tries = door.tries_of_account(session, door.TryKind.SIGN_IN, account, now - WINDOW)
        if tries.last_at is not None and tries.n >= FREE_TRIES:
            wait = min(FIRST_WAIT * 2 ** min(tries.n - FREE_TRIES, 10), LONGEST_WAIT)
            _refuse_until(tries.last_at + wait, now)
        around = door.tries_of_address(session, door.TryKind.SIGN_IN, address, now - WINDOW)
        if around.last_at is not None and around.n >= TRIES_PER_ADDRESS:
            _refuse_until(around.last_at + FIRST_WAIT, now)
        return door.add_try(session, door.TryKind.SIGN_IN, account, address, now)


def _refuse_until(instant: datetime, now: datetime) -> None:
    wait_s = int((instant - now).total_seconds())
    if wait_s > 0:
        raise TooOften("too_many_tries", wait_s=wait_s, minutes=-(-wait_s // 60))


def let_in(session: Session, keys: Keys, person: Person, how: str, where: Where, now: datetime) -> SignedIn:
    """Open a session for somebody who proved who they are, in the transaction of the proof."""
    token = new_token()
    token_hash = keys.token_hash(token)
    roles = roles_of(session, [person.person_id])[person.person_id]
    open_session(session, token_hash, person.person_id, how, where.device[:_MOST_DEVICE_LETTERS], now)
    record(session, AuditLine(now, person.actor, "people.signed_in", person.actor, facts={"how": how}))
    return SignedIn(token, principal_of(person, roles, how, token_hash=token_hash))


def sign_out(engine: Engine, keys: Keys, token: str, now: datetime) -> None:
    """End the session of a token, if there is one."""
    token_hash = keys.token_hash(token)
    with transaction(engine) as session:
        found = find_session(session, token_hash)
        if found is not None:
            person = get_person(session, found.person_id)
            close_session(session, token_hash)
            record(session, AuditLine(now, person.actor, "people.signed_out", person.actor))


def list_own_sessions(engine: Engine, principal: Principal, now: datetime) -> Sequence[OpenSession]:
    """Where somebody is signed in, the last used first."""
    with reading(engine) as session:
        return [each for each in list_sessions(session, principal.person_id) if not is_over(each, principal.roles, now)]


def close_own_session(engine: Engine, principal: Principal, session_id: str, now: datetime) -> None:
    """Sign out elsewhere.

    Raises:
        NotFound: `unknown_session`.
    """
    principal.require(Permission.OWN_ACCOUNT)
    with transaction(engine) as session:
        if not session_id or not close_sessions(session, principal.person_id, session_id=session_id):
            raise NotFound("unknown_session")
        record(session, AuditLine(now, principal.actor, "people.session_closed", principal.whose.name))


def close_other_sessions(engine: Engine, principal: Principal, now: datetime) -> int:
    """Sign out everywhere but here; of how many sessions."""
    principal.require(Permission.OWN_ACCOUNT)
    with transaction(engine) as session:
        n_closed = close_sessions(session, principal.person_id, but=principal.token_hash)
        facts = {"n_sessions": n_closed}
        record(session, AuditLine(now, principal.actor, "people.sessions_closed", principal.whose.name, facts=facts))
    return n_closed
