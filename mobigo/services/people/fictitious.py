"""Fictitious: one account for each role, with a password that everybody knows, for who tries the demonstration.

They are made only where nobody has an account, and closed for good as soon as a network of real
feeds is served: nothing of real people is ever behind a password that is printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine

from mobigo.security import Keys, Role, hash_password
from mobigo.services.people.administration import write_person_made, write_role_taken, write_state
from mobigo.store.base import Session, reading, transaction
from mobigo.store.people.access import list_keys, revoke_key
from mobigo.store.people.accounts import (
    Identity,
    Person,
    PersonState,
    count_people,
    find_by_contact,
    find_password,
    remove_password,
)
from mobigo.store.people.roles import roles_of
from mobigo.texts import text

PASSWORD = "une région fictive"  # noqa: S105  printed wherever these accounts are
ACTOR = "system:demo"
_DOMAIN = "demo.example"  # RFC 2606: no letter ever arrives there


def email_of(role: Role) -> str:
    """Where the account of a role would be written to."""
    return f"{role.replace('_', '-')}@{_DOMAIN}"


def open_accounts(engine: Engine, keys: Keys, now: datetime) -> Sequence[Role]:
    """Make them where nobody has an account; the roles whose account is there."""
    with reading(engine) as session:
        is_empty = count_people(session) == 0
    if is_empty:
        hashed = hash_password(PASSWORD)
        with transaction(engine) as session:
            if count_people(session) == 0:
                for role in Role:
                    _add(session, keys, role, hashed, now)
    return list_open(engine, keys)


def list_open(engine: Engine, keys: Keys) -> Sequence[Role]:
    """The roles whose fictitious account lets somebody in."""
    with reading(engine) as session:
        return [role for role, _person in _open(session, keys)]


def close_accounts(engine: Engine, keys: Keys, now: datetime) -> None:
    """Take their passwords, roles and keys, and suspend them: no code reaches them, so nobody opens them again."""
    if not list_open(engine, keys):
        return
    why = text("cli.demo.accounts_closed")
    with transaction(engine) as session:
        for _role, person in _open(session, keys):
            remove_password(session, person.person_id)
            for role in sorted(roles_of(session, [person.person_id])[person.person_id]):
                write_role_taken(session, person, role, ACTOR, why, now)
            for key in list_keys(session, person.person_id):
                revoke_key(session, person.person_id, key.key_id, now)
            write_state(session, person, PersonState.SUSPENDED, ACTOR, why, now)


def _add(session: Session, keys: Keys, role: Role, hashed: str, now: datetime) -> None:
    label = text(f"web.people.role.{role}")
    name = text("cli.demo.account_name", role=label[:1].upper() + label[1:])
    identity = Identity(name, email_of(role), email_verified_at=now)
    write_person_made(session, keys, identity, hashed, [role], ACTOR, now)


def _open(session: Session, keys: Keys) -> Sequence[tuple[Role, Person]]:
    found = [(role, find_by_contact(session, keys, "email", email_of(role))) for role in Role]
    return [(role, person) for role, person in found if person and find_password(session, person.person_id)]
