"""Disputes: what somebody says is wrong with a carpool of theirs, and what was answered."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Column, ColumnElement, UniqueConstraint, func, or_, update
from sqlmodel import Field, Session, SQLModel, col, select

from mobigo.store.base import UtcDateTime, change
from mobigo.store.covoiturage.rows import CarpoolRow
from mobigo.store.personal import Holding, OpensSealed, Row, Whose
from socle.errors import NotFound
from socle.money import Cents


class Reason(StrEnum):
    """What somebody says is wrong."""

    NOT_PAID = "not_paid"
    REFUSED = "refused"
    DISTANCE = "distance"
    PASSENGERS = "passengers"
    FARE = "fare"
    NOT_THERE = "not_there"
    OTHER = "something_else"


class Answer(StrEnum):
    """How a dispute ended."""

    UPHELD = "upheld"  # as the person said
    CORRECTED = "corrected"  # otherwise than they said
    REJECTED = "rejected"


class DisputeRow(SQLModel, table=True):
    """One dispute; `held_cents` of the driver's claim wait until it ends. Words go with the account."""

    __tablename__ = "dispute"
    __table_args__ = (UniqueConstraint("opened_by", "key"),)

    id: str = Field(primary_key=True)
    key: str  # what names it when it is sent again
    carpool_id: str = Field(foreign_key="carpool.id", index=True)
    opened_by: str = Field(index=True)
    reason: str
    words: str
    opened_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    held_cents: int = Field(default=0, sa_type=BigInteger)
    answer: str | None = None
    why: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))


@dataclass(frozen=True, slots=True)
class Dispute:
    """One dispute as it stands."""

    id: str
    key: str
    carpool_id: str
    opened_by: str
    reason: Reason
    words: str
    opened_at: datetime
    held_cents: Cents
    answer: Answer | None
    why: str
    decided_by: str | None
    decided_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether nobody has answered."""
        return self.answer is None


def is_disputed() -> ColumnElement[bool]:
    """Whether somebody disputes the carpool of the row at hand, and nobody has answered."""
    return (
        select(DisputeRow.id)
        .where(col(DisputeRow.carpool_id) == col(CarpoolRow.id), col(DisputeRow.answer).is_(None))
        .exists()
    )


def add_dispute(session: Session, dispute: Dispute) -> None:
    """Keep a dispute that was opened."""
    told = {name: getattr(dispute, name) for name in Dispute.__slots__}
    session.add(DisputeRow(**told))


def get_dispute(session: Session, dispute_id: str) -> Dispute:
    """The dispute of that id.

    Raises:
        NotFound: `unknown_dispute`.
    """
    row = session.get(DisputeRow, dispute_id)
    if row is None:
        raise NotFound("unknown_dispute", dispute=dispute_id)
    return _told(row)


def find_dispute_by_key(session: Session, opened_by: str, key: str) -> Dispute | None:
    """The dispute that somebody opened under that key."""
    row = session.exec(select(DisputeRow).where(DisputeRow.opened_by == opened_by, DisputeRow.key == key)).one_or_none()
    return None if row is None else _told(row)


def list_disputes_of(session: Session, carpool_ids: Collection[str]) -> dict[str, list[Dispute]]:
    """The disputes about these carpools, in the order in which they were opened."""
    found: dict[str, list[Dispute]] = {carpool_id: [] for carpool_id in carpool_ids}
    rows = select(DisputeRow).where(col(DisputeRow.carpool_id).in_(list(carpool_ids)))
    for row in session.exec(rows.order_by(col(DisputeRow.opened_at), col(DisputeRow.id))):
        found[row.carpool_id].append(_told(row))
    return found


def list_open(session: Session, limit: int, skip: int = 0) -> tuple[int, Sequence[Dispute]]:
    """How many disputes nobody has answered, and some of them, those that wait longest first."""
    waiting = select(DisputeRow).where(col(DisputeRow.answer).is_(None))
    n = session.exec(select(func.count()).select_from(waiting.subquery())).one()
    rows = session.exec(waiting.order_by(col(DisputeRow.opened_at), col(DisputeRow.id)).limit(limit).offset(skip))
    return n, [_told(row) for row in rows]


def end_dispute(session: Session, dispute_id: str, answer: Answer, why: str, by: str, now: datetime) -> bool:
    """Answer a dispute; False when somebody has already."""
    waiting = update(DisputeRow).where(col(DisputeRow.id) == dispute_id, col(DisputeRow.answer).is_(None))
    return change(session, waiting.values(answer=answer, why=why, decided_by=by, decided_at=now)) == 1


def _told(row: DisputeRow) -> Dispute:
    return Dispute(
        row.id,
        row.key,
        row.carpool_id,
        row.opened_by,
        Reason(row.reason),
        row.words,
        row.opened_at,
        row.held_cents,
        Answer(row.answer) if row.answer else None,
        row.why or "",
        row.decided_by,
        row.decided_at,
    )


def _export(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    own = or_(col(DisputeRow.opened_by) == whose.pseudonym, col(DisputeRow.decided_by) == whose.name)
    for row in session.exec(select(DisputeRow).where(own).order_by(col(DisputeRow.opened_at))):
        words = row.words if row.opened_by == whose.pseudonym else ""
        yield {"at": row.opened_at, "carpool_id": row.carpool_id, "words": words, "why": row.why}


def _erase(session: Session, whose: Whose) -> int:
    said = update(DisputeRow).where(col(DisputeRow.opened_by) == whose.pseudonym, col(DisputeRow.words) != "")
    return change(session, said.values(words=""))


HOLDING = Holding("dispute", ("opened_by", "words", "decided_by", "why"), _export, _erase)
