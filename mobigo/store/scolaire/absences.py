"""Absences: the days on which a child does not come, as a guardian declared them and may take them back."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, select

from mobigo.store.scolaire.applications import KeptApplication
from mobigo.store.scolaire.family_rows import AbsenceRow
from mobigo.store.scolaire.sectors import year_ends_at
from socle.errors import NotFound


@dataclass(frozen=True, slots=True)
class Absence:
    """Days without a child: both ways, the way out or the way back."""

    id: str
    first_day: date
    last_day: date
    part: str
    declared_at: datetime


def add_absence(
    session: Session, one: KeptApplication, guardian: str, days: tuple[date, date], part: str, now: datetime
) -> str:
    """Keep an absence; its id."""
    row = AbsenceRow(
        id=secrets.token_hex(8),
        application_id=one.id,
        guardian=guardian,
        first_day=days[0],
        last_day=days[1],
        part=part,
        declared_at=now,
        year_ends_at=year_ends_at(one.school_year),
    )
    session.add(row)
    session.flush()
    return row.id


def list_absences(session: Session, application_id: str, since: date) -> list[Absence]:
    """The absences that end on `since` or later, the first first."""
    rows = select(AbsenceRow).where(
        AbsenceRow.application_id == application_id,
        col(AbsenceRow.taken_back_at).is_(None),
        AbsenceRow.last_day >= since,
    )
    return [
        Absence(row.id, row.first_day, row.last_day, row.part, row.declared_at)
        for row in session.exec(rows.order_by(col(AbsenceRow.first_day), col(AbsenceRow.id)))
    ]


def take_back(session: Session, application_id: str, absence_id: str, now: datetime) -> None:
    """The child comes after all.

    Raises:
        NotFound: `unknown_absence`.
    """
    row = session.get(AbsenceRow, absence_id)
    if row is None or row.application_id != application_id or row.taken_back_at is not None:
        raise NotFound("unknown_absence")
    row.taken_back_at = now
    session.add(row)
    session.flush()
