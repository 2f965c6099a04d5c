"""Accounts: joining, coming back without a password, and what people do with their own account."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine

from covoiturage.sepa import check_iban
from mobigo.security import Keys, Permission, Role, check_password, hash_password, is_password
from mobigo.services.people.contacts import Contact, read_contact, read_email, read_name, read_phone
from mobigo.services.people.messages import ask_code, limit_codes, send_notice, take_code
from mobigo.services.people.principal import Principal
from mobigo.services.people.signing import SignedIn, Where, begin_try, let_in, network_of
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import reading, transaction
from mobigo.store.people import door
from mobigo.store.people.access import close_sessions
from mobigo.store.people.accounts import (
    Identity,
    Person,
    PersonState,
    add_person,
    find_by_contact,
    find_password,
    get_identity,
    get_person,
    list_issuers,
    set_identity,
    set_password,
)
from mobigo.store.people.door import Asked, Purpose
from mobigo.store.people.roles import give_role
from socle.errors import BadInput, Conflict, Forbidden

JOINING = "system:join"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody's own account as they see it."""

    person: Person
    identity: Identity
    roles: Collection[Role]
    has_password: bool
    issuers: Sequence[str]


def get_account(engine: Engine, keys: Keys, principal: Principal) -> Account:
    """One's own account."""
    principal.require(Permission.OWN_ACCOUNT)
    with reading(engine) as session:
        return Account(
            get_person(session, principal.person_id),
            get_identity(session, keys, principal.person_id),
            principal.roles,
            find_password(session, principal.person_id) is not None,
            list_issuers(session, principal.person_id),
        )


# --- joining, and coming back ----------------------------------------------------------------


def join(engine: Engine, keys: Keys, name: str, contact: str, password: str, where: Where, now: datetime) -> str:
    """Ask for an account; the id of the code that was written to `contact`.

    Whether somebody has it already is told to its owner alone, in that letter.

    Raises:
        BadInput: `bad_name`, `bad_contact`, `password_short`, `password_long`, `password_plain`.
        TooOften: `too_many_codes`.
    """
    told_name, reached = read_name(name), read_contact(contact)
    check_password(password, told_name, reached.value)
    hashed = hash_password(password)
    with transaction(engine) as session:
        limit_codes(session, keys, reached, where, now)
        known = find_by_contact(session, keys, reached.kind, reached.value)
        letter = "known" if known else "join"
        return ask_code(
            session, keys, Purpose.JOIN, reached, letter, None, {"name": told_name, "password": hashed}, now
        )


def finish_join(engine: Engine, keys: Keys, code_id: str, code: str, where: Where, now: datetime) -> SignedIn:
    """Make the account that was asked for, and let its owner in.

    Raises:
        BadInput: `wrong_code`.
        Conflict: `contact_taken` since.
    """
    asked = take_code(engine, keys, Purpose.JOIN, code_id, code, now)
    with transaction(engine) as session:
        person = add_person(session, keys, _verified(Identity(asked.facts["name"]), _contact(asked), now), now)
        set_password(session, person.person_id, asked.facts["password"], now)
        give_role(session, person.person_id, Role.TRAVELLER, JOINING, "", now)
        record(session, AuditLine(now, person.actor, "people.joined", person.actor))
        return let_in(session, keys, person, "code", where, now)


def ask_reset(engine: Engine, keys: Keys, contact: str, where: Where, now: datetime) -> str:
    """Have a code written with which a new password is set; its id, also where nobody is known.

    Raises:
        BadInput: `bad_contact`.
        TooOften: `too_many_codes`.
    """
    reached = read_contact(contact)
    with transaction(engine) as session:
        limit_codes(session, keys, reached, where, now)
        person = find_by_contact(session, keys, reached.kind, reached.value)
        person_id = person.person_id if person else None
        return ask_code(session, keys, Purpose.RESET, reached, "reset" if person else "", person_id, {}, now)


def finish_reset(
    engine: Engine, keys: Keys, code_id: str, code: str, password: str, where: Where, now: datetime
) -> SignedIn:
    """Set a new password, sign out everywhere, and let its owner in.

    Raises:
        BadInput: `wrong_code`, `password_short`, `password_long`, `password_plain`.
        Forbidden: `suspended`.
    """
    check_password(password)
    asked = take_code(engine, keys, Purpose.RESET, code_id, code, now)
    if asked.person_id is None:
        raise BadInput("wrong_code")
    hashed = hash_password(password)
    with transaction(engine) as session:
        person = get_person(session, asked.person_id)
        if person.state is not PersonState.ACTIVE:
            raise Forbidden("suspended")
        identity = get_identity(session, keys, person.person_id)
        if getattr(identity, asked.facts["kind"]) == asked.facts["to"]:
            set_identity(session, keys, person.person_id, _verified(identity, _contact(asked), now))
        set_password(session, person.person_id, hashed, now)
        close_sessions(session, person.person_id)
        record(session, AuditLine(now, person.actor, "people.password_reset", person.actor))
        send_notice(session, keys, person.person_id, _others(identity, _contact(asked)), "password", now)
        return let_in(session, keys, person, "code", where, now)


# --- one's own details -----------------------------------------------------------------------


def prove(engine: Engine, keys: Keys, principal: Principal, password: str, where: Where, now: datetime) -> None:
    """Show once more who one is, before what cannot be undone; who has no password shows nothing.

    Raises:
        BadInput: `wrong_old_password`.
        TooOften: `too_many_tries`.
    """
    principal.require(Permission.OWN_ACCOUNT)
    with reading(engine) as session:
        hashed = find_password(session, principal.person_id)
    if hashed is None:
        return
    address = keys.blind("address", network_of(where.address))
    try_id = begin_try(engine, keys.blind("own password", principal.person_id), address, now)
    if not is_password(hashed, password):
        raise BadInput("wrong_old_password")
    with transaction(engine) as session:
        door.mark_succeeded(session, try_id)


def change_password(
    engine: Engine, keys: Keys, principal: Principal, old: str, new: str, where: Where, now: datetime
) -> None:
    """Set another password and sign out everywhere else.

    Raises:
        BadInput: `wrong_old_password`, `password_short`, `password_long`, `password_plain`.
        TooOften: `too_many_tries`.
    """
    principal.require(Permission.OWN_ACCOUNT)
    with reading(engine) as session:
        identity = get_identity(session, keys, principal.person_id)
        hashed = find_password(session, principal.person_id)
    check_password(new, identity.name, identity.email)
    address = keys.blind("address", network_of(where.address))
    try_id = begin_try(engine, keys.blind("own password", principal.person_id), address, now)
    # Who came in by a code or by another provider and has no password yet sets the first one.
    if hashed is not None and not is_password(hashed, old):
        raise BadInput("wrong_old_password")
    new_hash = hash_password(new)
    with transaction(engine) as session:
        door.mark_succeeded(session, try_id)
        set_password(session, principal.person_id, new_hash, now)
        close_sessions(session, principal.person_id, but=principal.token_hash)
        record(session, AuditLine(now, principal.actor, "people.password_changed", principal.whose.name))
        send_notice(session, keys, principal.person_id, _contacts(identity), "password", now)


def change_name(engine: Engine, keys: Keys, principal: Principal, name: str, now: datetime) -> None:
    """Be called otherwise.

    Raises:
        BadInput: `bad_name`.
    """
    told = read_name(name)
    _change_identity(engine, keys, principal, {"name": told}, now)


def change_iban(engine: Engine, keys: Keys, principal: Principal, typed: str, now: datetime) -> None:
    """Be paid into this bank account; into none when nothing is typed.

    Raises:
        BadInput: `bad_iban`.
    """
    _change_identity(engine, keys, principal, {"iban": check_iban(typed) if typed.strip() else ""}, now)


def remove_contact(engine: Engine, keys: Keys, principal: Principal, kind: str, now: datetime) -> None:
    """Be reached there no longer; by something one must be able to come back.

    Raises:
        BadInput: `bad_contact`.
        Conflict: `last_contact`.
    """
    if kind not in {"email", "phone"}:
        raise BadInput("bad_contact")
    _change_identity(engine, keys, principal, {kind: ""}, now)


def ask_contact(
    engine: Engine, keys: Keys, principal: Principal, kind: str, typed: str, where: Where, now: datetime
) -> str:
    """Be reached elsewhere, once the code written there comes back; its id.

    Raises:
        BadInput: `bad_email`, `bad_phone`.
        TooOften: `too_many_codes`.
    """
    principal.require(Permission.OWN_ACCOUNT)
    contact = Contact("phone", read_phone(typed)) if kind == "phone" else Contact("email", read_email(typed))
    with transaction(engine) as session:
        limit_codes(session, keys, contact, where, now)
        return ask_code(session, keys, Purpose.CONTACT, contact, "contact", principal.person_id, {}, now)


def finish_contact(engine: Engine, keys: Keys, principal: Principal, code_id: str, code: str, now: datetime) -> None:
    """Take a new address or number as one's own.

    Raises:
        BadInput: `wrong_code`.
        Conflict: `contact_taken`.
    """
    principal.require(Permission.OWN_ACCOUNT)
    asked = take_code(engine, keys, Purpose.CONTACT, code_id, code, now)
    if asked.person_id != principal.person_id:
        raise BadInput("wrong_code")
    contact = _contact(asked)
    verified = {contact.kind: contact.value, f"{contact.kind}_verified_at": now}
    _change_identity(engine, keys, principal, verified, now)


def _change_identity(
    engine: Engine, keys: Keys, principal: Principal, changes: Mapping[str, object], now: datetime
) -> None:
    principal.require(Permission.OWN_ACCOUNT)
    with transaction(engine) as session:
        before = get_identity(session, keys, principal.person_id)
        after = replace(before, **changes)  # type: ignore[arg-type]  # fields of Identity, each of its own type
        if _contacts(before) and not _contacts(after):
            raise Conflict("last_contact")
        set_identity(session, keys, principal.person_id, after)
        changed = ", ".join(sorted(set(changes) & {"name", "email", "phone", "iban"}))
        line = AuditLine(now, principal.actor, "people.changed", principal.whose.name, facts={"changed": changed})
        record(session, line)
        send_notice(
            session, keys, principal.person_id, [each for each in _contacts(before) if each not in _contacts(after)],
            "contact_changed", now,
        )  # fmt: skip
        if before.iban != after.iban:
            send_notice(session, keys, principal.person_id, _contacts(after), "iban_changed", now)


# --- within ----------------------------------------------------------------------------------


def _contact(asked: Asked) -> Contact:
    return Contact(asked.facts["kind"], asked.facts["to"])


def _contacts(identity: Identity) -> list[Contact]:
    known = (Contact("email", identity.email), Contact("phone", identity.phone))
    return [contact for contact in known if contact.value]


def _others(identity: Identity, but: Contact) -> list[Contact]:
    return [contact for contact in _contacts(identity) if contact != but]


def _verified(identity: Identity, contact: Contact, now: datetime) -> Identity:
    """The identity with a contact that a code came back from."""
    if contact.kind == "email":
        return replace(identity, email=contact.value, email_verified_at=now)
    return replace(identity, phone=contact.value, phone_verified_at=now)
