"""Offers: journeys and regular trips of partners, as their documents; the version that tells when they changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Text, UniqueConstraint, delete, func, insert, update
from sqlalchemy import select as select_columns
from sqlmodel import Field, Session, SQLModel, col, select

from mobigo.store.base import UtcDateTime, change

_PIECE = 500  # rows of one statement: SQLite takes 32,766 values


class OfferRow(SQLModel, table=True):
    """One offer; `key` is the operator's name for it, `owner_user` stands for whose it is."""

    __tablename__ = "partner_offer"
    __table_args__ = (UniqueConstraint("key"),)

    id: int | None = Field(default=None, primary_key=True)
    key: str
    kind: str
    owner_user: str = Field(index=True)
    document: str = Field(sa_column=Column(Text, nullable=False))
    received_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class OfferVersionRow(SQLModel, table=True):
    """One row: how often offers were changed."""

    __tablename__ = "partner_offer_version"

    id: int = Field(default=1, primary_key=True)
    n_changes: int = 0


@dataclass(frozen=True, slots=True)
class KeptOffer:
    """An offer as it is kept: its document as JSON."""

    key: str
    kind: str
    owner_user: str
    document: str


Version = tuple[int, int]


def put_offers(session: Session, offers: Iterable[KeptOffer], now: datetime) -> int:
    """Keep offers; those of the same key are replaced. How many were kept."""
    kept = list({offer.key: offer for offer in offers}.values())
    for start in range(0, len(kept), _PIECE):
        piece = kept[start : start + _PIECE]
        change(session, delete(OfferRow).where(col(OfferRow.key).in_([offer.key for offer in piece])))
        values = [
            {
                "key": offer.key,
                "kind": offer.kind,
                "owner_user": offer.owner_user,
                "document": offer.document,
                "received_at": now,
            }
            for offer in piece
        ]
        session.connection().execute(insert(OfferRow), values)
    if kept:
        note_change(session)
    return len(kept)


def note_change(session: Session) -> None:
    """Have boards that were made of the offers made anew."""
    more = update(OfferVersionRow).values(n_changes=col(OfferVersionRow.n_changes) + 1)
    if change(session, more) == 0:
        session.add(OfferVersionRow(id=1, n_changes=1))
        session.flush()


def get_version(session: Session) -> Version:
    """What is another when the offers are others: how often they were changed, and the oldest that retention left."""
    oldest = select_columns(func.min(OfferRow.id)).scalar_subquery()
    found = session.connection().execute(select_columns(col(OfferVersionRow.n_changes), oldest)).first()
    return (found[0], found[1] or 0) if found else (0, 0)


def list_documents(session: Session, kind: str) -> Sequence[str]:
    """The documents of one kind, the first received first."""
    wanted = select(OfferRow.document).where(OfferRow.kind == kind).order_by(col(OfferRow.id))
    return session.exec(wanted).all()
