"""Commands: what is done to accounts from the command line, where whoever holds the machine holds the keys.

`actor` is who sits there, as the audit log names them: `system:cli.<login>`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine

from mobigo.security import PRIVATE_ROLES, Keys, Role, check_password, hash_password
from mobigo.services.people.administration import (
    Details,
    Found,
    look_for,
    show_listed,
    write_person_made,
    write_role_given,
    write_role_taken,
    write_state,
)
from mobigo.store.audit import AuditLine, read_why, record
from mobigo.store.base import Session, transaction
from mobigo.store.people.access import close_sessions
from mobigo.store.people.accounts import Person, PersonState
from mobigo.store.people.roles import list_with_role
from socle.errors import BadInput, Conflict, NotFound


def add(
    engine: Engine, keys: Keys, details: Details, password: str, roles: Sequence[Role], actor: str, now: datetime
) -> Person:
    """Make somebody, with a password and roles: how the first administrator comes to be.

    Raises:
        BadInput: `bad_name`, `bad_email`, `bad_phone`, `contact_missing`, `password_short`, `password_plain`.
        Conflict: `contact_taken`.
    """
    told = details.read()
    if not told.email and not told.phone:
        raise BadInput("contact_missing")
    check_password(password, told.name, told.email)
    hashed = hash_password(password)
    with transaction(engine) as session:
        return write_person_made(session, keys, told, hashed, roles, actor, now)


def list_at_work(engine: Engine, keys: Keys, actor: str, now: datetime) -> Sequence[Found]:
    """Everybody who has a role at work, in the order in which they came."""
    with transaction(engine) as session:
        people = {
            person.person_id: person
            for role in Role
            if role not in PRIVATE_ROLES
            for person in list_with_role(session, role)
        }
        found = show_listed(session, keys, people.values(), actor, now)
    return sorted(found, key=lambda each: each.person.made_at)


def change_role(
    engine: Engine, keys: Keys, typed: str, role: Role, why: str, actor: str, now: datetime, *, given: bool
) -> Person:
    """Give or take a role of the one person found by e-mail, number, name or reference.

    Raises:
        BadInput: `why_missing`.
        Conflict: `role_held`, `role_not_held`, `several_people`.
        NotFound: `unknown_person`.
    """
    reason = read_why(why)
    with transaction(engine) as session:
        person = _the_one(session, keys, typed)
        write = write_role_given if given else write_role_taken
        write(session, person, role, actor, reason, now)
    return person


def change_state(
    engine: Engine, keys: Keys, typed: str, state: PersonState, why: str, actor: str, now: datetime
) -> Person:
    """Suspend the account of the one person found, or open it again.

    Raises:
        BadInput: `why_missing`.
        Conflict: `several_people`.
        NotFound: `unknown_person`.
    """
    reason = read_why(why)
    with transaction(engine) as session:
        person = _the_one(session, keys, typed)
        write_state(session, person, state, actor, reason, now)
    return person


def disconnect(engine: Engine, keys: Keys, typed: str, why: str, actor: str, now: datetime) -> tuple[Person, int]:
    """Sign the one person found out everywhere; they, and of how many sessions.

    Raises:
        BadInput: `why_missing`.
        Conflict: `several_people`.
        NotFound: `unknown_person`.
    """
    reason = read_why(why)
    with transaction(engine) as session:
        person = _the_one(session, keys, typed)
        n_closed = close_sessions(session, person.person_id)
        facts = {"n_sessions": n_closed}
        record(session, AuditLine(now, actor, "people.sessions_closed", person.actor, reason, facts))
    return person, n_closed


def _the_one(session: Session, keys: Keys, typed: str) -> Person:
    found = look_for(session, keys, typed)
    if not found:
        raise NotFound("unknown_person")
    if len(found) > 1:
        raise Conflict("several_people", n=len(found))
    return found[0]
