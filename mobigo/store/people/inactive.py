"""Inactive: accounts that nobody has used for long, neither their owner nor an agent for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, literal
from sqlmodel import Session, col, select

from mobigo.security import PRIVATE_ROLES
from mobigo.store.audit import acted_since
from mobigo.store.people.rows import PersonRow, RoleRow, SessionRow
from mobigo.store.personal import Whose


def _unused(since: datetime) -> ColumnElement[bool]:
    """Made before `since`, not signed in, nothing done since. Who has a role at work keeps it."""
    name = literal("person:").concat(col(PersonRow.pseudonym))
    signed_in = exists().where(col(SessionRow.person_id) == col(PersonRow.id))
    at_work = col(RoleRow.role).not_in(PRIVATE_ROLES)
    in_office = exists().where(col(RoleRow.person_id) == col(PersonRow.id), col(RoleRow.taken_at).is_(None), at_work)
    return (col(PersonRow.made_at) < since) & ~signed_in & ~in_office & ~acted_since(name, since)


def lock_inactive(session: Session, since: datetime, limit: int) -> Sequence[Whose]:
    """At most `limit` people whose account was not used since an instant, nor will be before this transaction ends.

    Looked at again once locked: whoever was just coming in when they were first seen is in by then.
    """
    first = select(PersonRow.id).where(_unused(since)).order_by(col(PersonRow.id)).limit(limit).with_for_update()
    ids = session.exec(first).all()
    rows = session.exec(select(PersonRow).where(col(PersonRow.id).in_(ids), _unused(since)))
    return [Whose(row.id, row.pseudonym) for row in rows]


def count_inactive(session: Session, since: datetime) -> int:
    """How many accounts were not used since an instant."""
    return session.exec(select(func.count(col(PersonRow.id))).where(_unused(since))).one()
