"""Own bookings: seats in outings of drivers of ours or held by passengers of ours, and what the two write each other.

One of the two may be known at a partner operator: `operator` says at which, `partner_key` under which key
the partner's booking is kept. With a driver of theirs there is no offer: `offer_id` is empty.
Messages are sealed: who reads the table reads nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Column, ColumnElement, Index, LargeBinary, UniqueConstraint, func, or_
from sqlmodel import Field, Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from covoiturage.bookings import HELD, Booking, BookingState
from covoiturage.offers import Meeting, Taken
from mobigo.store.base import UtcDateTime
from socle.errors import NotFound
from socle.geo import LatLon


class OwnBookingRow(SQLModel, table=True):
    """Seats of an outing. Instants as they are planned now, and as they were first told."""

    __tablename__ = "carpool_booking"
    __table_args__ = (UniqueConstraint("passenger", "key"), Index("ix_carpool_booking_outing", "offer_id", "day"))

    id: str = Field(primary_key=True)
    key: str
    body_sha256: str
    offer_id: str
    day: date
    line_id: str
    driver: str = Field(index=True)
    passenger: str = Field(index=True)
    seats: int
    state: str
    board_name: str
    board_lat: float
    board_lon: float
    board_halt: int
    board_walk_m: int
    board_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    board_promised_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    alight_name: str
    alight_lat: float
    alight_lon: float
    alight_halt: int
    alight_walk_m: int
    alight_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    alight_promised_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    ride_m: int
    price_cents: int
    operator: str = Field(default="", sa_column_kwargs={"server_default": ""})
    partner_key: str = Field(default="", index=True, sa_column_kwargs={"server_default": ""})
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    change: int = Field(index=True)


class BookingMessageRow(SQLModel, table=True):
    """What one of the two of a booking wrote the other."""

    __tablename__ = "carpool_message"
    __table_args__ = (UniqueConstraint("booking_id", "sender", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    booking_id: str = Field(foreign_key="carpool_booking.id", index=True)
    sender: str = Field(index=True)
    key: str
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message, still sealed."""

    sender: str
    sealed: bytes
    at: datetime


def put_booking(session: Session, booking: Booking, key: str, body_sha256: str, made_at: datetime, number: int) -> None:
    """Keep a new booking."""
    taken = booking.taken
    session.add(
        OwnBookingRow(
            id=booking.booking_id,
            key=key,
            body_sha256=body_sha256,
            offer_id=booking.offer_id,
            day=booking.day,
            line_id=booking.line_id,
            driver=booking.driver,
            passenger=booking.passenger,
            seats=booking.seats,
            state=booking.state,
            board_name=booking.board_name,
            board_lat=taken.board.at.lat,
            board_lon=taken.board.at.lon,
            board_halt=taken.board.halt,
            board_walk_m=taken.board.walk_m,
            board_at=_instant(taken.board.instant),
            board_promised_at=_instant(taken.promised[0]),
            alight_name=booking.alight_name,
            alight_lat=taken.alight.at.lat,
            alight_lon=taken.alight.at.lon,
            alight_halt=taken.alight.halt,
            alight_walk_m=taken.alight.walk_m,
            alight_at=_instant(taken.alight.instant),
            alight_promised_at=_instant(taken.promised[1]),
            ride_m=booking.ride_m,
            price_cents=booking.price_cents,
            operator=booking.operator,
            partner_key=booking.partner_key,
            made_at=made_at,
            change=number,
        )
    )
    session.flush()


def move_booking(session: Session, booking_id: str, board_at: int, alight_at: int, number: int) -> None:
    """Keep that somebody is met at other instants."""
    row = session.get_one(OwnBookingRow, booking_id)
    row.board_at, row.alight_at, row.change = _instant(board_at), _instant(alight_at), number
    session.add(row)
    session.flush()


def set_state(session: Session, booking_id: str, state: BookingState, number: int) -> None:
    """Keep where a booking stands now."""
    row = session.get_one(OwnBookingRow, booking_id)
    row.state, row.change = state, number
    session.add(row)
    session.flush()


def find_by_key(session: Session, passenger: str, key: str) -> tuple[Booking, str] | None:
    """The booking that a passenger made under a key, and the hash of what they sent."""
    wanted = select(OwnBookingRow).where(OwnBookingRow.passenger == passenger, OwnBookingRow.key == key)
    row = session.exec(wanted).one_or_none()
    return None if row is None else (_booking(row), row.body_sha256)


def find_of_partner(session: Session, partner_key: str) -> Booking | None:
    """The booking for which a partner's booking stands."""
    row = session.exec(select(OwnBookingRow).where(OwnBookingRow.partner_key == partner_key)).one_or_none()
    return None if row is None else _booking(row)


def find_last_of_guest(session: Session, offer_id: str, passenger: str) -> Booking | None:
    """What somebody of a partner booked or asked of an offer last."""
    wanted = select(OwnBookingRow).where(OwnBookingRow.offer_id == offer_id, OwnBookingRow.passenger == passenger)
    row = session.exec(wanted.order_by(col(OwnBookingRow.change).desc()).limit(1)).one_or_none()
    return None if row is None else _booking(row)


def get_booking(session: Session, booking_id: str) -> Booking:
    """The booking of that id.

    Raises:
        NotFound: `unknown_booking`.
    """
    row = session.get(OwnBookingRow, booking_id, populate_existing=True)
    if row is None:
        raise NotFound("unknown_booking", booking=booking_id)
    return _booking(row)


def list_of_outing(session: Session, offer_id: str, day: date | None = None) -> Sequence[Booking]:
    """The bookings of an offer that hold seats, on a day or on all; in the order in which people are met."""
    wanted = select(OwnBookingRow).where(OwnBookingRow.offer_id == offer_id, _is_held())
    if day is not None:
        wanted = wanted.where(OwnBookingRow.day == day)
    return _bookings(session, wanted.order_by(col(OwnBookingRow.board_at), col(OwnBookingRow.id)))


def list_of_driver(session: Session, driver: str, day: date) -> Sequence[Booking]:
    """The bookings of a driver's outings of a day that hold seats, in the order in which people are met."""
    wanted = select(OwnBookingRow).where(OwnBookingRow.driver == driver, OwnBookingRow.day == day, _is_held())
    return _bookings(session, wanted.order_by(col(OwnBookingRow.board_at), col(OwnBookingRow.id)))


def list_of_person(session: Session, pseudonym: str, since: datetime, limit: int) -> Sequence[Booking]:
    """The bookings of somebody on either side that end after an instant, the next to come first."""
    own = or_(col(OwnBookingRow.driver) == pseudonym, col(OwnBookingRow.passenger) == pseudonym)
    wanted = select(OwnBookingRow).where(own, col(OwnBookingRow.alight_at) >= since).limit(limit)
    return _bookings(session, wanted.order_by(col(OwnBookingRow.board_at), col(OwnBookingRow.id)))


def list_changed_bookings(session: Session, after: int, since: datetime) -> Sequence[tuple[str, date]]:
    """The outings of which a booking was changed after a number and that end after an instant."""
    wanted = select(OwnBookingRow).where(OwnBookingRow.change > after, col(OwnBookingRow.alight_at) >= since)
    wanted = wanted.where(OwnBookingRow.offer_id != "")
    return sorted({(row.offer_id, row.day) for row in session.exec(wanted)})


def list_held_since(session: Session, since: datetime) -> Sequence[Booking]:
    """All bookings that hold seats in outings that end after an instant."""
    wanted = select(OwnBookingRow).where(_is_held(), col(OwnBookingRow.alight_at) >= since)
    wanted = wanted.where(OwnBookingRow.offer_id != "")
    return _bookings(session, wanted.order_by(col(OwnBookingRow.board_at), col(OwnBookingRow.id)))


def count_of_passenger(session: Session, passenger: str, begin: datetime, end: datetime) -> int:
    """How many bookings of a passenger hold seats at a time between two instants."""
    wanted = select(func.count()).select_from(OwnBookingRow)
    return session.exec(
        wanted.where(OwnBookingRow.passenger == passenger, _is_held()).where(
            col(OwnBookingRow.board_at) < end, col(OwnBookingRow.alight_at) > begin
        )
    ).one()


def add_message(session: Session, booking_id: str, sender: str, key: str, sealed: bytes, now: datetime) -> int:
    """Keep a message; its number."""
    row = BookingMessageRow(booking_id=booking_id, sender=sender, key=key, sealed=sealed, at=now)
    session.add(row)
    session.flush()
    if row.id is None:
        raise ValueError("a row that was never stored")
    return row.id


def find_message(session: Session, booking_id: str, sender: str, key: str) -> KeptMessage | None:
    """The message that somebody wrote under a key."""
    mine = (BookingMessageRow.booking_id == booking_id, BookingMessageRow.sender == sender)
    row = session.exec(select(BookingMessageRow).where(*mine, BookingMessageRow.key == key)).one_or_none()
    return None if row is None else KeptMessage(row.sender, row.sealed, row.at)


def find_message_by_id(session: Session, message_id: int) -> tuple[str, KeptMessage] | None:
    """A message, after the booking that it is of."""
    row = session.get(BookingMessageRow, message_id)
    return None if row is None else (row.booking_id, KeptMessage(row.sender, row.sealed, row.at))


def list_messages(session: Session, booking_id: str) -> Sequence[KeptMessage]:
    """The messages of a booking, the first written first."""
    wanted = select(BookingMessageRow).where(BookingMessageRow.booking_id == booking_id)
    rows = session.exec(wanted.order_by(col(BookingMessageRow.id)))
    return [KeptMessage(row.sender, row.sealed, row.at) for row in rows]


def _is_held() -> ColumnElement[bool]:
    return col(OwnBookingRow.state).in_(sorted(HELD))


def _bookings(session: Session, wanted: SelectOfScalar[OwnBookingRow]) -> list[Booking]:
    return [_booking(row) for row in session.exec(wanted)]


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _booking(row: OwnBookingRow) -> Booking:
    board_at, alight_at = int(row.board_at.timestamp()), int(row.alight_at.timestamp())
    board = Meeting(LatLon(row.board_lat, row.board_lon), board_at, row.board_halt, row.board_walk_m)
    alight = Meeting(LatLon(row.alight_lat, row.alight_lon), alight_at, row.alight_halt, row.alight_walk_m)
    promised = int(row.board_promised_at.timestamp()), int(row.alight_promised_at.timestamp())
    return Booking(
        row.id,
        row.offer_id,
        row.day,
        row.driver,
        row.passenger,
        Taken(row.id, row.seats, board, alight, promised),
        row.board_name,
        row.alight_name,
        row.ride_m,
        row.price_cents,
        BookingState(row.state),
        row.line_id,
        row.operator,
        row.partner_key,
    )
