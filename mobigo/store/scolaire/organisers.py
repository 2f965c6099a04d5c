"""Organisers: the communes and schools that somebody of a second-rank organiser sees to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from mobigo.store.scolaire.family_rows import OrganiserRow
from mobigo.store.turns import add_unless_there

COMMUNE, SCHOOL = "commune", "school"


@dataclass(frozen=True, slots=True)
class Scope:
    """One commune (INSEE code) or school (its id) of somebody."""

    kind: str
    value: str
    given_at: datetime


def add_scope(session: Session, holder: str, kind: str, value: str, by: str, now: datetime) -> bool:
    """Have somebody see to a commune or a school; False when they do."""
    row = OrganiserRow(holder=holder, kind=kind, value=value, given_by=by, given_at=now)
    return add_unless_there(session, row, ("holder", "kind", "value"))


def remove_scope(session: Session, holder: str, kind: str, value: str) -> bool:
    """Have somebody see to it no more; False when they did not."""
    row = session.get(OrganiserRow, (holder, kind, value))
    if row is None:
        return False
    session.delete(row)
    session.flush()
    return True


def list_scopes(session: Session, holder: str) -> list[Scope]:
    """What somebody sees to."""
    rows = select(OrganiserRow).where(OrganiserRow.holder == holder)
    rows = rows.order_by(col(OrganiserRow.kind), col(OrganiserRow.value))
    return [Scope(row.kind, row.value, row.given_at) for row in session.exec(rows)]
