"""Roles given and taken: who, when, why; nothing is forgotten."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from mobigo.security import Role
from mobigo.store.people.accounts import Person, PersonState, _person
from mobigo.store.people.rows import PersonRow, RoleRow


@dataclass(frozen=True, slots=True)
class RoleGiven:
    """A role that somebody has or had; `given_by` and `taken_by` as in the audit log."""

    role: Role
    given_at: datetime
    given_by: str
    why: str
    taken_at: datetime | None
    taken_by: str
    taken_why: str


def give_role(session: Session, person_id: str, role: Role, by: str, why: str, now: datetime) -> bool:
    """Give a role; False when the person has it already."""
    if _held(session, person_id, role) is not None:
        return False
    session.add(RoleRow(person_id=person_id, role=role, given_at=now, given_by=by, why=why))
    session.flush()
    return True


def take_role(session: Session, person_id: str, role: Role, by: str, why: str, now: datetime) -> bool:
    """Take a role; False when the person does not have it."""
    row = _held(session, person_id, role)
    if row is None:
        return False
    row.taken_at, row.taken_by, row.taken_why = now, by, why
    session.add(row)
    session.flush()
    return True


def roles_of(session: Session, person_ids: Collection[str]) -> Mapping[str, frozenset[Role]]:
    """The roles that each of these people has now."""
    held: dict[str, set[Role]] = {person_id: set() for person_id in person_ids}
    rows = session.exec(select(RoleRow).where(col(RoleRow.person_id).in_(person_ids), col(RoleRow.taken_at).is_(None)))
    for row in rows:
        held[row.person_id].add(Role(row.role))
    return {person_id: frozenset(roles) for person_id, roles in held.items()}


def list_roles_given(session: Session, person_id: str) -> Sequence[RoleGiven]:
    """Every role that somebody has or had, the latest first."""
    rows = session.exec(select(RoleRow).where(RoleRow.person_id == person_id).order_by(col(RoleRow.id).desc()))
    return [
        RoleGiven(Role(row.role), row.given_at, row.given_by, row.why, row.taken_at, row.taken_by, row.taken_why)
        for row in rows
    ]


def list_with_role(session: Session, role: Role, *, locked: bool = False) -> list[Person]:
    """The active people who have a role; `locked`: nobody else changes that before this transaction ends."""
    query = (
        select(PersonRow)
        .join(RoleRow, col(RoleRow.person_id) == col(PersonRow.id))
        .where(RoleRow.role == role, col(RoleRow.taken_at).is_(None), PersonRow.state == PersonState.ACTIVE)
        .order_by(col(PersonRow.made_at))
    )
    return [_person(row) for row in session.exec(query.with_for_update() if locked else query)]


def _held(session: Session, person_id: str, role: Role) -> RoleRow | None:
    return session.exec(
        select(RoleRow).where(RoleRow.person_id == person_id, RoleRow.role == role, col(RoleRow.taken_at).is_(None))
    ).one_or_none()
