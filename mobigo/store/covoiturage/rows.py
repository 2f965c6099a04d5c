"""Rows of covoiturage; private to this room. People stand in them by pseudonym."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from mobigo.store.base import UtcDateTime


class CarpoolRow(SQLModel, table=True):
    """One car's outing as it was declared; `facts` are canonical JSON, what every decision about it reads."""

    __tablename__ = "carpool"
    __table_args__ = (Index("ix_carpool_month_end", "month", "end_at", "id"),)  # a month is decided in this order

    id: str = Field(primary_key=True)
    key: str = Field(unique=True)  # the idempotency key of its declaration
    body_sha256: str
    driver: str = Field(index=True)
    line_id: str | None = None
    end_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    facts: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    facts_sha256: str
    policy_id: str | None = Field(default=None, index=True)  # in force on the local day of its end
    month: str  # of that day
    reserved_cents: int = Field(default=0, sa_type=BigInteger)
    state: str
    declared_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    # When the fraud rules looked at it; nothing is decided before.
    screened_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))


class RideRow(SQLModel, table=True):
    """One passenger in it, and what their evidence was worth."""

    __tablename__ = "ride"

    id: str = Field(primary_key=True)
    carpool_id: str = Field(foreign_key="carpool.id", index=True)
    passenger: str = Field(index=True)
    board_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    proof_class: str | None = None
    proof_why: str | None = None


class EvidenceRow(SQLModel, table=True):
    """One scan, code or position."""

    __tablename__ = "evidence"

    id: int | None = Field(default=None, primary_key=True)
    ride_id: str = Field(foreign_key="ride.id", index=True)
    kind: str
    side: str
    given_by: str = Field(index=True)
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    device: str | None = None
    lat: float | None = None
    lon: float | None = None


class HoldRow(SQLModel, table=True):
    """One label of a carpool, or of a ride in it (empty: of all), and what people decided about it."""

    __tablename__ = "hold"
    __table_args__ = (UniqueConstraint("carpool_id", "code", "ride_id"),)

    id: int | None = Field(default=None, primary_key=True)
    carpool_id: str = Field(foreign_key="carpool.id", index=True)
    ride_id: str = ""
    code: str
    severity: str
    facts: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    found_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    verdict: str | None = None
    decided_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True, index=True))
    decided_by: str | None = None
    why: str | None = None


class DecisionRow(SQLModel, table=True):
    """One decision about a carpool; a later one has the next number. `charged` is what it added to counters."""

    __tablename__ = "decision"

    carpool_id: str = Field(foreign_key="carpool.id", primary_key=True)
    number: int = Field(primary_key=True)
    policy_id: str
    policy_sha256: str
    facts_sha256: str
    reason: str | None = None
    stateless_cents: int = Field(sa_type=BigInteger)
    amount_cents: int = Field(sa_type=BigInteger)
    fare_cents: int = Field(sa_type=BigInteger)
    budget_cents: int | None = Field(default=None, sa_type=BigInteger)
    counters_before: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    charged: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    explanation: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    decided_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    reversed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))


class CapCounterRow(SQLModel, table=True):
    """What was counted under a policy; a subject or period that is none is the empty string."""

    __tablename__ = "cap_counter"

    policy_id: str = Field(primary_key=True)
    counter: str = Field(primary_key=True)
    scope: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    period: str = Field(primary_key=True)
    period_key: str = Field(primary_key=True)
    value: int = Field(sa_type=BigInteger)


class PaymentBatchRow(SQLModel, table=True):
    """One month's payments: prepared by one person, approved by another."""

    __tablename__ = "payment_batch"

    id: str = Field(primary_key=True)
    month: str = Field(unique=True)
    prepared_by: str
    prepared_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    approved_by: str | None = None
    approved_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    execute_on: date | None = None
    total_cents: int = Field(sa_type=BigInteger)
    carried_over_cents: int = Field(sa_type=BigInteger)


class PaymentItemRow(SQLModel, table=True):
    """One driver's payment of a batch."""

    __tablename__ = "payment_item"
    __table_args__ = (UniqueConstraint("batch_id", "driver"),)

    end_to_end_id: str = Field(primary_key=True)
    batch_id: str = Field(foreign_key="payment_batch.id", index=True)
    driver: str = Field(index=True)
    cents: int = Field(sa_type=BigInteger)
    state: str
