"""Administration: what agents and administrators do with the accounts of others.

Who looks at somebody's identity leaves a line in the audit log, found or changed or not. Agents
help the public; the account of somebody with a role at work is none of theirs, or an agent could
take over an administrator's by changing where its codes are sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine

from mobigo.security import PRIVATE_ROLES, Keys, Permission, Role, permissions_of
from mobigo.services.people.contacts import Contact, read_contact, read_email, read_name, read_phone
from mobigo.services.people.messages import send_notice
from mobigo.services.people.principal import Principal
from mobigo.store.audit import AuditLine, read_why, record
from mobigo.store.base import Session, transaction
from mobigo.store.people.access import close_sessions
from mobigo.store.people.accounts import (
    Identity,
    Person,
    PersonState,
    add_person,
    find_by_contact,
    find_by_reference,
    get_by_pseudonym,
    get_identity,
    list_by_name,
    set_identity,
    set_password,
    set_state,
)
from mobigo.store.people.roles import RoleGiven, give_role, list_roles_given, list_with_role, roles_of, take_role
from socle.errors import BadInput, Conflict, Forbidden

MOST_FOUND = 20
_FIELDS = ("name", "email", "phone")


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody that was looked for."""

    person: Person
    identity: Identity
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Dossier:
    """Somebody's account as who is in charge of it sees it; `given_by` as in the audit log."""

    person: Person
    identity: Identity
    roles: frozenset[Role]
    history: Sequence[RoleGiven]


@dataclass(frozen=True, slots=True)
class Details:
    """What somebody tells of themselves, as typed; all may be empty but the name."""

    name: str
    email: str = ""
    phone: str = ""

    def read(self) -> Identity:
        """The three in one spelling, none of them verified.

        Raises:
            BadInput: `bad_name`, `bad_email`, `bad_phone`.
        """
        return Identity(
            read_name(self.name),
            read_email(self.email) if self.email.strip() else "",
            read_phone(self.phone) if self.phone.strip() else "",
        )


def find_people(engine: Engine, keys: Keys, principal: Principal, typed: str, now: datetime) -> Sequence[Found]:
    """People by e-mail, telephone number, whole name or reference; each one shown is written down."""
    principal.require(Permission.PEOPLE_READ)
    with transaction(engine) as session:
        found = []
        for person in look_for(session, keys, typed):
            roles = roles_of(session, [person.person_id])[person.person_id]
            found.append(Found(person, get_identity(session, keys, person.person_id), roles))
            record(session, AuditLine(now, principal.actor, "people.found", person.actor))
    return found


def look_for(session: Session, keys: Keys, typed: str) -> Sequence[Person]:
    """People by e-mail, telephone number, whole name or reference."""
    reference = "".join(typed.split()).replace("-", "").upper()
    person = find_by_reference(session, reference)
    if person is None:
        try:
            contact = read_contact(typed)
            person = find_by_contact(session, keys, contact.kind, contact.value)
        except BadInput:
            return list_by_name(session, keys, typed, MOST_FOUND)
    return [person] if person else []


def list_holders(engine: Engine, keys: Keys, principal: Principal, role: Role, now: datetime) -> Sequence[Found]:
    """Everybody who has a role at work.

    Raises:
        Forbidden: `not_allowed`; the public is not listed.
    """
    principal.require(Permission.ROLES_GIVE)
    if role in PRIVATE_ROLES:
        raise Forbidden("not_allowed", permission=Permission.ROLES_GIVE)
    with transaction(engine) as session:
        return show_listed(session, keys, list_with_role(session, role), principal.actor, now)


def show_listed(session: Session, keys: Keys, people: Collection[Person], actor: str, now: datetime) -> list[Found]:
    """Who these people are; each one shown is written down."""
    roles = roles_of(session, [person.person_id for person in people])
    for person in people:
        record(session, AuditLine(now, actor, "people.role_listed", person.actor))
    return [Found(person, get_identity(session, keys, person.person_id), roles[person.person_id]) for person in people]


def read_dossier(engine: Engine, keys: Keys, principal: Principal, pseudonym: str, now: datetime) -> Dossier:
    """Somebody's account; the reading is written down.

    Raises:
        NotFound: `unknown_person`.
    """
    principal.require(Permission.PEOPLE_READ)
    with transaction(engine) as session:
        person = get_by_pseudonym(session, pseudonym)
        record(session, AuditLine(now, principal.actor, "people.read", person.actor))
        return Dossier(
            person,
            get_identity(session, keys, person.person_id),
            roles_of(session, [person.person_id])[person.person_id],
            list_roles_given(session, person.person_id),
        )


def make_person(engine: Engine, keys: Keys, principal: Principal, details: Details, now: datetime) -> Person:
    """Make an account for somebody who calls or stands at the counter, with an address or none.

    Where they are reached, they are written how to confirm that it is theirs and to choose a password.

    Raises:
        BadInput: `bad_name`, `bad_email`, `bad_phone`.
        Conflict: `contact_taken`.
    """
    principal.require(Permission.PEOPLE_HELP)
    told = details.read()
    with transaction(engine) as session:
        person = add_person(session, keys, told, now)
        give_role(session, person.person_id, Role.TRAVELLER, principal.actor, "", now)
        record(session, AuditLine(now, principal.actor, "people.made", person.actor))
        send_notice(session, keys, person.person_id, _reached(told, _FIELDS), "noted", now)
    return person


def correct_person(
    engine: Engine, keys: Keys, principal: Principal, pseudonym: str, details: Details, why: str, now: datetime
) -> None:
    """Write down what somebody tells anew; where they were reached before, they are told of it.

    Where they are reached from now on, they are written how to confirm that it is theirs.

    Raises:
        BadInput: `bad_name`, `bad_email`, `bad_phone`, `why_missing`.
        Conflict: `contact_taken`.
        Forbidden: `staff_account`.
        NotFound: `unknown_person`.
    """
    principal.require(Permission.PEOPLE_HELP)
    told, reason = details.read(), read_why(why)
    with transaction(engine) as session:
        person = get_by_pseudonym(session, pseudonym)
        if not PRIVATE_ROLES.issuperset(roles_of(session, [person.person_id])[person.person_id]):
            raise Forbidden("staff_account")
        before = get_identity(session, keys, person.person_id)
        changed = [field for field in _FIELDS if getattr(before, field) != getattr(told, field)]
        if not changed:  # what was typed is what is there: that tells who it is
            record(session, AuditLine(now, principal.actor, "people.read", person.actor, reason))
            return
        after = replace(
            told,
            iban=before.iban,
            email_verified_at=before.email_verified_at if "email" not in changed else None,
            phone_verified_at=before.phone_verified_at if "phone" not in changed else None,
        )
        set_identity(session, keys, person.person_id, after)
        facts = {"changed": ", ".join(changed)}
        record(session, AuditLine(now, principal.actor, "people.corrected", person.actor, reason, facts))
        send_notice(session, keys, person.person_id, _reached(before, changed), "contact_changed", now)
        send_notice(session, keys, person.person_id, _reached(told, changed), "noted", now)


def _reached(identity: Identity, fields: Iterable[str]) -> list[Contact]:
    """Where somebody is reached, of `fields`."""
    return [Contact(kind, value) for kind in fields if kind != "name" and (value := getattr(identity, kind))]


# --- roles and suspension --------------------------------------------------------------------


def give(engine: Engine, principal: Principal, pseudonym: str, role: Role, why: str, now: datetime) -> None:
    """Give somebody a role; nobody gives one to themselves.

    Raises:
        BadInput: `why_missing`.
        Conflict: `role_held`.
        Forbidden: `not_allowed`, `own_roles`.
        NotFound: `unknown_person`.
    """
    reason = read_why(why)
    with transaction(engine) as session:
        person = _in_charge_of(session, principal, Permission.ROLES_GIVE, pseudonym)
        write_role_given(session, person, role, principal.actor, reason, now)


def take(engine: Engine, principal: Principal, pseudonym: str, role: Role, why: str, now: datetime) -> None:
    """Take a role from somebody, who is signed out: what is open was opened with it.

    Raises:
        BadInput: `why_missing`.
        Conflict: `role_not_held`.
        Forbidden: `not_allowed`, `own_roles`.
        NotFound: `unknown_person`.
    """
    reason = read_why(why)
    with transaction(engine) as session:
        person = _in_charge_of(session, principal, Permission.ROLES_GIVE, pseudonym)
        write_role_taken(session, person, role, principal.actor, reason, now)


def suspend(engine: Engine, principal: Principal, pseudonym: str, why: str, now: datetime) -> None:
    """Close an account to its owner, at once and everywhere.

    Raises:
        BadInput: `why_missing`.
        Forbidden: `not_allowed`, `own_roles`.
        NotFound: `unknown_person`.
    """
    reason = read_why(why)
    with transaction(engine) as session:
        person = _in_charge_of(session, principal, Permission.PEOPLE_SUSPEND, pseudonym)
        write_state(session, person, PersonState.SUSPENDED, principal.actor, reason, now)


def restore(engine: Engine, principal: Principal, pseudonym: str, why: str, now: datetime) -> None:
    """Open a suspended account again.

    Raises:
        BadInput: `why_missing`.
        Forbidden: `not_allowed`, `own_roles`.
        NotFound: `unknown_person`.
    """
    reason = read_why(why)
    with transaction(engine) as session:
        person = _in_charge_of(session, principal, Permission.PEOPLE_SUSPEND, pseudonym)
        write_state(session, person, PersonState.ACTIVE, principal.actor, reason, now)


def _in_charge_of(session: Session, principal: Principal, permission: Permission, pseudonym: str) -> Person:
    """The person, when the principal still may do this to them.

    Administrators take turns here and are looked up again, so that of two who take each other's role
    at the same instant one comes too late; and since nobody does it to themselves, one is always left.
    """
    principal.require(permission)
    list_with_role(session, Role.ADMINISTRATOR, locked=True)
    roles = roles_of(session, [principal.person_id])[principal.person_id]
    if permission not in permissions_of(roles):
        raise Forbidden("not_allowed", permission=permission)
    person = get_by_pseudonym(session, pseudonym)
    if person.person_id == principal.person_id:
        raise Forbidden("own_roles")
    return person


def write_person_made(
    session: Session, keys: Keys, identity: Identity, hashed: str, roles: Sequence[Role], actor: str, now: datetime
) -> Person:
    """Make somebody with a password (by its hash) and roles, in the audit log too.

    Raises:
        Conflict: `contact_taken`.
    """
    person = add_person(session, keys, identity, now)
    set_password(session, person.person_id, hashed, now)
    record(session, AuditLine(now, actor, "people.made", person.actor))
    for role in dict.fromkeys((Role.TRAVELLER, *roles)):
        write_role_given(session, person, role, actor, "", now)
    return person


def write_role_given(session: Session, person: Person, role: Role, actor: str, why: str, now: datetime) -> None:
    """Give a role, in the audit log too.

    Raises:
        Conflict: `role_held`.
    """
    if not give_role(session, person.person_id, role, actor, why, now):
        raise Conflict("role_held")
    record(session, AuditLine(now, actor, "people.role_given", person.actor, why, {"role": role}))


def write_role_taken(session: Session, person: Person, role: Role, actor: str, why: str, now: datetime) -> None:
    """Take a role and close what was opened with it, in the audit log too.

    Raises:
        Conflict: `role_not_held`.
    """
    if not take_role(session, person.person_id, role, actor, why, now):
        raise Conflict("role_not_held")
    close_sessions(session, person.person_id)
    record(session, AuditLine(now, actor, "people.role_taken", person.actor, why, {"role": role}))


def write_state(session: Session, person: Person, state: PersonState, actor: str, why: str, now: datetime) -> None:
    """Suspend an account and close what is open, or open it again, in the audit log too."""
    set_state(session, person, state)
    if state is PersonState.SUSPENDED:
        close_sessions(session, person.person_id)
    action = "people.suspended" if state is PersonState.SUSPENDED else "people.restored"
    record(session, AuditLine(now, actor, action, person.actor, why))
