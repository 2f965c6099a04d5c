"""Revisions: every version of a carpool's facts, once they were put right: number 0 is what was declared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, LargeBinary, or_, update
from sqlmodel import Field, Session, SQLModel, col, select

from mobigo.store.base import UtcDateTime, change
from mobigo.store.covoiturage.carpools import KeptCarpool
from mobigo.store.covoiturage.rows import CarpoolRow, RideRow
from mobigo.store.personal import Holding, OpensSealed, Row, Whose
from socle.money import Cents


class RevisionRow(SQLModel, table=True):
    """One version of a carpool's facts, and who put them right why."""

    __tablename__ = "carpool_revision"

    carpool_id: str = Field(primary_key=True, foreign_key="carpool.id")
    number: int = Field(primary_key=True)
    facts: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    facts_sha256: str
    corrected_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    corrected_by: str
    why: str


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of a carpool's facts; the first has neither author nor reason."""

    number: int
    facts: bytes
    facts_sha256: str
    corrected_at: datetime
    corrected_by: str
    why: str


def list_revisions(session: Session, carpool_id: str) -> Sequence[Revision]:
    """The versions of a carpool's facts, the declared ones first; none when nothing was ever put right."""
    rows = session.exec(
        select(RevisionRow).where(RevisionRow.carpool_id == carpool_id).order_by(col(RevisionRow.number))
    )
    return [
        Revision(row.number, bytes(row.facts), row.facts_sha256, row.corrected_at, row.corrected_by, row.why)
        for row in rows
    ]


def add_revision(
    session: Session, carpool: KeptCarpool, facts: bytes, facts_sha256: str, by: str, why: str, now: datetime
) -> None:
    """Give a carpool other facts, and keep those that it had."""
    known = list_revisions(session, carpool.id)
    if not known:
        declared = Revision(0, carpool.facts, carpool.facts_sha256, now, "", "")
        _add(session, carpool.id, declared)
    number = known[-1].number + 1 if known else 1
    _add(session, carpool.id, Revision(number, facts, facts_sha256, now, by, why))
    changed = update(CarpoolRow).where(col(CarpoolRow.id) == carpool.id)
    change(session, changed.values(facts=facts, facts_sha256=facts_sha256))


def set_reserved(session: Session, carpool_id: str, cents: Cents) -> None:
    """Say what is promised for a carpool now."""
    change(session, update(CarpoolRow).where(col(CarpoolRow.id) == carpool_id).values(reserved_cents=cents))


def _add(session: Session, carpool_id: str, revision: Revision) -> None:
    told = {name: getattr(revision, name) for name in Revision.__slots__}
    session.add(RevisionRow(carpool_id=carpool_id, **told))


def _export(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    ridden = select(RideRow.carpool_id).where(RideRow.passenger == whose.pseudonym)
    own = or_(col(CarpoolRow.driver) == whose.pseudonym, col(CarpoolRow.id).in_(ridden))
    rows = (
        select(RevisionRow)
        .join(CarpoolRow, col(CarpoolRow.id) == col(RevisionRow.carpool_id))
        .where(or_(own, col(RevisionRow.corrected_by) == whose.name))
        .order_by(col(RevisionRow.corrected_at), col(RevisionRow.number))
    )
    for row in session.exec(rows):
        yield {"at": row.corrected_at, "carpool_id": row.carpool_id, "why": row.why}


HOLDING = Holding("carpool_revision", ("facts", "corrected_by", "why"), _export)
