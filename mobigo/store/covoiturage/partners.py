"""Partners: the keys we gave to operators, and the operators that we ask and tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, LargeBinary, delete, false
from sqlalchemy import select as select_columns
from sqlmodel import Field, Session, SQLModel, col, select

from mobigo.store.base import UtcDateTime, change
from socle.errors import Conflict, NotFound


class PartnerKeyRow(SQLModel, table=True):
    """A key that an operator shows us."""

    __tablename__ = "partner_key"

    id: str = Field(primary_key=True)
    secret_hash: str
    operator: str = Field(index=True)
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    revoked_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))


class PartnerRow(SQLModel, table=True):
    """An operator that we ask and tell."""

    __tablename__ = "partner"

    operator: str = Field(primary_key=True)
    server: str
    sealed_key: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    takes_bookings: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


@dataclass(frozen=True, slots=True)
class PartnerKey:
    """A key given to an operator; its secret is known to the operator alone."""

    key_id: str
    operator: str
    made_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Partner:
    """An operator that serves the standard at `server`; `sealed_key` is what we show there, if anything.

    `takes_bookings`: seats are booked there through the standard; else at the address that each journey gives.
    """

    operator: str
    server: str
    sealed_key: bytes | None
    made_at: datetime
    takes_bookings: bool = False


def add_key(session: Session, key: PartnerKey, secret_hash: str) -> None:
    """Keep a key."""
    session.add(PartnerKeyRow(id=key.key_id, secret_hash=secret_hash, operator=key.operator, made_at=key.made_at))
    session.flush()


def find_key(session: Session, key_id: str) -> tuple[PartnerKey, str] | None:
    """A key and the hash of its secret."""
    wanted = select_columns(
        col(PartnerKeyRow.operator),
        col(PartnerKeyRow.made_at),
        col(PartnerKeyRow.revoked_at),
        col(PartnerKeyRow.secret_hash),
    ).where(col(PartnerKeyRow.id) == key_id)
    row = session.connection().execute(wanted).first()  # no object: it is asked at each call
    return (PartnerKey(key_id, row[0], row[1], row[2]), row[3]) if row else None


def list_keys(session: Session) -> Sequence[PartnerKey]:
    """All keys, by operator, the newest first."""
    order = (col(PartnerKeyRow.operator), col(PartnerKeyRow.made_at).desc(), col(PartnerKeyRow.id))
    return [_key(row) for row in session.exec(select(PartnerKeyRow).order_by(*order))]


def revoke_key(session: Session, key_id: str, now: datetime) -> PartnerKey:
    """End a key; it stays listed.

    Raises:
        NotFound: `unknown_key`.
    """
    row = session.get(PartnerKeyRow, key_id)
    if row is None:
        raise NotFound("unknown_key")
    row.revoked_at = row.revoked_at or now
    session.add(row)
    return _key(row)


def add_partner(session: Session, partner: Partner) -> None:
    """Have an operator asked and told.

    Raises:
        Conflict: `partner_known`.
    """
    if session.get(PartnerRow, partner.operator) is not None:
        raise Conflict("partner_known", operator=partner.operator)
    session.add(
        PartnerRow(
            operator=partner.operator,
            server=partner.server,
            sealed_key=partner.sealed_key,
            made_at=partner.made_at,
            takes_bookings=partner.takes_bookings,
        )
    )
    session.flush()


def remove_partner(session: Session, operator: str) -> None:
    """Ask and tell an operator no more.

    Raises:
        NotFound: `unknown_partner`.
    """
    if change(session, delete(PartnerRow).where(col(PartnerRow.operator) == operator)) == 0:
        raise NotFound("unknown_partner", operator=operator)


def find_partner(session: Session, operator: str) -> Partner | None:
    """The operator of that domain name."""
    row = session.get(PartnerRow, operator)
    return _partner(row) if row else None


def list_partners(session: Session) -> Sequence[Partner]:
    """All operators that we ask and tell."""
    return [_partner(row) for row in session.exec(select(PartnerRow).order_by(col(PartnerRow.operator)))]


def _key(row: PartnerKeyRow) -> PartnerKey:
    return PartnerKey(row.id, row.operator, row.made_at, row.revoked_at)


def _partner(row: PartnerRow) -> Partner:
    return Partner(row.operator, row.server, row.sealed_key, row.made_at, row.takes_bookings)
