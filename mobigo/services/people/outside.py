"""Outside: signing in by a provider, which lets in who it knows already, or whose verified e-mail is one of ours.

Nothing is stored between going there and coming back: what must be remembered travels sealed as
`state`, and opens only for the browser that left (its cookie), within ten minutes. Once in, the
browser has another cookie, so the same way back leads nowhere a second time.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from mobigo.security import CLOCKS_DIFFER, Keys, Role, new_token
from mobigo.services.people.contacts import Contact, read_email, read_name
from mobigo.services.people.messages import send_notice
from mobigo.services.people.provider import Claims, Provider
from mobigo.services.people.signing import SignedIn, Where, begin_try, let_in, network_of
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, transaction
from mobigo.store.people import door
from mobigo.store.people.accounts import (
    Identity,
    Person,
    PersonState,
    add_person,
    find_by_contact,
    find_by_outside,
    get_identity,
    link_outside,
)
from mobigo.store.people.roles import give_role
from socle.errors import BadInput, Conflict, Forbidden, NotSignedIn, Unavailable

ACTOR = "system:outside"
WAY_LIFE = timedelta(minutes=10)
_MOST_AFTER_LETTERS = 500


@dataclass(frozen=True, slots=True)
class ComingBack:
    """What the browser brings from the provider, as its address has it."""

    code: str = ""
    state: str = ""
    issuer: str = ""
    error: str = ""


def go_outside(provider: Provider, keys: Keys, browser: str, callback: str, after: str, now: datetime) -> str:
    """The address of the provider's sign-in; `browser` is the cookie that comes back with it, `after` where to go then.

    Raises:
        Unavailable: `outside_silent`.
    """
    verifier, nonce = new_token(), new_token()
    told = {"verifier": verifier, "nonce": nonce, "at": now.timestamp(), "after": after[:_MOST_AFTER_LETTERS]}
    sealed = keys.seal(json.dumps(told), _place(keys, browser))
    state = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return provider.sign_in_address(callback, state, nonce, challenge, now)


def come_back(
    engine: Engine,
    keys: Keys,
    provider: Provider,
    brought: ComingBack,
    browser: str,
    callback: str,
    where: Where,
    now: datetime,
) -> tuple[SignedIn, str]:
    """Let in who comes back from the provider, and where they wanted to go.

    Raises:
        NotSignedIn: `outside_too_old` (or of another browser), `outside_refused`, `outside_unverified`.
        Conflict: `outside_contact`: the account of this e-mail has not confirmed it with us.
        Forbidden: `suspended`.
        TooOften: `too_many_tries`.
        Unavailable: `outside_silent`.
    """
    told = _opened(keys, brought.state, browser, now)
    provider.check_issuer(brought.issuer, now)
    if brought.error or not brought.code:
        raise NotSignedIn("outside_refused", name=provider.access.name)
    address = keys.blind("address", network_of(where.address))
    try_id = begin_try(engine, keys.blind("outside", brought.state), address, now)
    claims = provider.take_code(brought.code, callback, str(told["verifier"]), str(told["nonce"]), now)
    with transaction(engine) as session:
        person = find_by_outside(session, keys, claims.issuer, claims.subject)
        if person is None:
            person = _link(session, keys, claims, provider.access.name, now)
        if person.state is not PersonState.ACTIVE:
            raise Forbidden("suspended")
        door.mark_succeeded(session, try_id)
        return let_in(session, keys, person, claims.issuer, where, now), str(told["after"])


def _place(keys: Keys, browser: str) -> str:
    return f"outside:{keys.blind('browser', browser)}"


def _opened(keys: Keys, state: str, browser: str, now: datetime) -> dict[str, object]:
    """What was sealed as `state` for this browser, while it holds."""
    try:
        sealed = base64.b64decode(state.encode("ascii") + b"=" * (-len(state) % 4), altchars=b"-_", validate=True)
        told: dict[str, object] = json.loads(keys.open(sealed, _place(keys, browser)))
    except (ValueError, Unavailable):
        raise NotSignedIn("outside_too_old") from None
    age_s = now.timestamp() - float(str(told["at"]))
    if not browser or not -CLOCKS_DIFFER.total_seconds() <= age_s <= WAY_LIFE.total_seconds():
        raise NotSignedIn("outside_too_old")
    return told


def _link(session: Session, keys: Keys, claims: Claims, name: str, now: datetime) -> Person:
    """The account that a newcomer gets: theirs by an e-mail that we and the provider have verified, or a new one."""
    try:
        email = read_email(claims.email)
    except BadInput:
        raise NotSignedIn("outside_unverified", name=name) from None
    person = find_by_contact(session, keys, "email", email)
    if person is None:
        identity = Identity(_name_of(claims, email), email, email_verified_at=now)
        person = add_person(session, keys, identity, now)
        give_role(session, person.person_id, Role.TRAVELLER, ACTOR, "", now)
        record(session, AuditLine(now, person.actor, "people.joined", person.actor))
    elif get_identity(session, keys, person.person_id).email_verified_at is None:
        raise Conflict("outside_contact")
    else:
        send_notice(session, keys, person.person_id, [Contact("email", email)], "linked", now)
    link_outside(session, keys, person.person_id, claims.issuer, claims.subject, now)
    facts = {"issuer": claims.issuer}
    record(session, AuditLine(now, person.actor, "people.linked", person.actor, facts=facts))
    return person


def _name_of(claims: Claims, email: str) -> str:
    try:
        return read_name(claims.name)
    except BadInput:
        return email.partition("@")[0]
