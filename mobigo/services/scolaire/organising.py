"""Organising: which communes and schools somebody of a second-rank organiser (a commune, a syndicate) sees to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Engine

from mobigo.security import Permission, permissions_of
from mobigo.services.scolaire.registering import Acting
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import reading, transaction
from mobigo.store.people.accounts import Person, find_by_reference
from mobigo.store.people.roles import roles_of
from mobigo.store.scolaire.organisers import COMMUNE, SCHOOL, add_scope, list_scopes, remove_scope
from mobigo.store.scolaire.organisers import Scope as Scope  # doors name it
from socle.errors import BadInput, NotFound

KINDS: Final = (COMMUNE, SCHOOL)
_COMMUNE: Final = re.compile(r"[0-9][0-9AB][0-9]{3}")
_SCHOOL: Final = re.compile(r"[A-Za-z0-9._-]{1,60}")


@dataclass(frozen=True, slots=True)
class Organiser:
    """Somebody by reference, whether they have the role, and what they see to."""

    reference: str
    has_role: bool
    scopes: Sequence[Scope]


def acting_of_organiser(engine: Engine, actor: str, pseudonym: str) -> Acting:
    """Somebody as who acts for the families of the own communes and schools."""
    with reading(engine) as session:
        scopes = list_scopes(session, pseudonym)
    communes = tuple(one.value for one in scopes if one.kind == COMMUNE)
    return Acting(actor, pseudonym, places=(communes, tuple(one.value for one in scopes if one.kind == SCHOOL)))


def read_organiser(engine: Engine, reference: str) -> Organiser:
    """What somebody sees to.

    Raises:
        NotFound: `unknown_person`.
    """
    with reading(engine) as session:
        person = find_by_reference(session, _spelled(reference))
        if person is None:
            raise NotFound("unknown_person")
        roles = roles_of(session, [person.person_id])[person.person_id]
        has_role = Permission.SCHOOL_ORGANISE in permissions_of(roles)
        return Organiser(person.reference, has_role, list_scopes(session, person.pseudonym))


def set_scope(
    engine: Engine, acting: Acting, reference: str, kind: str, value: str, now: datetime, *, given: bool
) -> None:
    """Have somebody see to a commune or a school, or no more; a line of the audit log says who had it so.

    Raises:
        NotFound: `unknown_person`; `unknown_scope`: there was nothing to take.
        BadInput: `bad_scope_value`.
    """
    value = value.strip().upper() if kind == COMMUNE else value.strip()
    wanted = {COMMUNE: _COMMUNE, SCHOOL: _SCHOOL}.get(kind)
    if wanted is None or not wanted.fullmatch(value):
        raise BadInput("bad_scope_value")
    with transaction(engine) as session:
        person: Person | None = find_by_reference(session, _spelled(reference))
        if person is None:
            raise NotFound("unknown_person")
        if given:
            done = add_scope(session, person.pseudonym, kind, value, acting.actor, now)
        else:
            done = remove_scope(session, person.pseudonym, kind, value)
            if not done:
                raise NotFound("unknown_scope")
        if done:
            action = "school.scope_given" if given else "school.scope_taken"
            record(session, AuditLine(now, acting.actor, action, person.actor, facts={"organiser_of": value}))


def _spelled(reference: str) -> str:
    return "".join(reference.split()).replace("-", "").upper()
