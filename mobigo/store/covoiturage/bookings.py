"""Booking rows: bookings with their states, the events that were taken, users that are known, their messages.

People stand beside a document by `covoiturage.standard.bookings.Person.key`, hashes of id and operator:
those may be of any length.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Text
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel

from mobigo.store.base import UtcDateTime


class BookingRow(SQLModel, table=True):
    """A booking; `key` names it, `creator` is the operator that made it known, empty when that is us."""

    __tablename__ = "partner_booking"

    key: str = Field(primary_key=True)
    driver_user: str = Field(index=True)
    passenger_user: str = Field(index=True)
    creator: str
    document: str = Field(sa_column=Column(Text, nullable=False))
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    changed_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class EventRow(SQLModel, table=True):
    """An event that was taken: what its body was, so that the same one again changes nothing."""

    __tablename__ = "partner_event"

    key: str = Field(primary_key=True)
    booking_key: str = Field(foreign_key="partner_booking.key", index=True)
    body_sha256: str
    received_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class UserRow(SQLModel, table=True):
    """Somebody who offers, books or was named by a partner: messages reach them."""

    __tablename__ = "partner_user"

    user: str = Field(primary_key=True)
    seen_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class MessageRow(SQLModel, table=True):
    """A message, or what was said with a change of a booking (to nobody in particular)."""

    __tablename__ = "partner_message"

    id: int | None = Field(default=None, primary_key=True)
    from_user: str = Field(index=True)
    to_user: str = Field(index=True)
    booking_key: str
    document: str = Field(sa_column=Column(Text, nullable=False))
    received_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


@dataclass(frozen=True, slots=True)
class KeptBooking:
    """A booking as it is kept: its document as JSON."""

    key: str
    driver_user: str
    passenger_user: str
    creator: str
    document: str


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message as it is kept: its document as JSON; `booking_key` is empty when it is about none."""

    from_user: str
    to_user: str
    booking_key: str
    document: str


def add_booking(session: Session, booking: KeptBooking, now: datetime) -> bool:
    """Keep a booking; False when it is known already, whoever else is adding it."""
    values = {
        "key": booking.key,
        "driver_user": booking.driver_user,
        "passenger_user": booking.passenger_user,
        "creator": booking.creator,
        "document": booking.document,
        "made_at": now,
        "changed_at": now,
    }
    return _insert_new(session, BookingRow, values, "key")


def change_booking(session: Session, booking: KeptBooking, now: datetime) -> None:
    """Keep what became of a booking that is there."""
    row = session.get_one(BookingRow, booking.key)
    row.driver_user, row.passenger_user = booking.driver_user, booking.passenger_user
    row.document, row.changed_at = booking.document, now
    session.add(row)
    session.flush()


def find_booking(session: Session, key: str, *, to_change: bool = False) -> KeptBooking | None:
    """A booking; `to_change`: nobody else changes it before the transaction ends."""
    row = session.get(BookingRow, key, with_for_update=to_change, populate_existing=to_change)
    if row is None:
        return None
    return KeptBooking(row.key, row.driver_user, row.passenger_user, row.creator, row.document)


def find_event(session: Session, key: str) -> str | None:
    """The digest of the body of an event that was taken."""
    row = session.get(EventRow, key)
    return row.body_sha256 if row else None


def add_event(session: Session, key: str, booking_key: str, body_sha256: str, now: datetime) -> bool:
    """Note that an event was taken; False when it was before."""
    values = {"key": key, "booking_key": booking_key, "body_sha256": body_sha256, "received_at": now}
    return _insert_new(session, EventRow, values, "key")


def put_user(session: Session, user: str, now: datetime) -> None:
    """Have somebody known."""
    if not _insert_new(session, UserRow, {"user": user, "seen_at": now}, "user"):
        row = session.get_one(UserRow, user)
        row.seen_at = now
        session.add(row)


def is_user(session: Session, user: str) -> bool:
    """Whether somebody is known."""
    return session.get(UserRow, user) is not None


def add_message(session: Session, message: KeptMessage, now: datetime) -> int:
    """Keep a message; its number."""
    row = MessageRow(
        from_user=message.from_user,
        to_user=message.to_user,
        booking_key=message.booking_key,
        document=message.document,
        received_at=now,
    )
    session.add(row)
    session.flush()
    if row.id is None:
        raise ValueError("a row that was never stored")
    return row.id


def find_message(session: Session, message_id: int) -> KeptMessage | None:
    """A message."""
    row = session.get(MessageRow, message_id)
    return KeptMessage(row.from_user, row.to_user, row.booking_key, row.document) if row else None


def _insert_new(session: Session, table: type[SQLModel], values: dict[str, object], key: str) -> bool:
    """Insert a row unless one of that key is there, or comes there at the same time; whether it was."""
    session.flush()
    connection = session.connection()
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    added = make(table).values(**values).on_conflict_do_nothing(index_elements=[key])
    return connection.execute(added.returning(getattr(table, key))).first() is not None
