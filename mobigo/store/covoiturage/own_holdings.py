"""What offers, requests and bookings hold about people. Where somebody goes leads to them: erasure takes whole rows.

What is gone for good is counted (`note_gone`), so that no process goes on finding it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, delete, or_
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from mobigo.store.base import change
from mobigo.store.covoiturage.own_bookings import BookingMessageRow, OwnBookingRow
from mobigo.store.covoiturage.own_offers import OwnOfferRow, RequestRow, note_gone
from mobigo.store.personal import Holding, OpensSealed, Row, Whose, rows_of


def _own_booking(whose: Whose) -> ColumnElement[bool]:
    return or_(col(OwnBookingRow.driver) == whose.pseudonym, col(OwnBookingRow.passenger) == whose.pseudonym)


def _own_message(whose: Whose) -> ColumnElement[bool]:
    """Those of their bookings, whoever wrote them."""
    return col(BookingMessageRow.booking_id).in_(select_columns(col(OwnBookingRow.id)).where(_own_booking(whose)))


def _messages(session: Session, whose: Whose, keys: OpensSealed) -> Iterator[Row]:
    for row in session.exec(select(BookingMessageRow).where(_own_message(whose)).order_by(col(BookingMessageRow.id))):
        text = keys.open(row.sealed, f"carpool_message:{row.booking_id}")
        yield {"at": row.at, "booking_id": row.booking_id, "message_text": text}


def _bookings(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    for row in session.exec(select(OwnBookingRow).where(_own_booking(whose)).order_by(col(OwnBookingRow.board_at))):
        yield {
            "at": row.board_at,
            "booking_id": row.id,
            "board_name": row.board_name,
            "alight_name": row.alight_name,
            "seats": row.seats,
            "booking_state": row.state,
        }


def _erase_messages(session: Session, whose: Whose) -> int:
    return change(session, delete(BookingMessageRow).where(_own_message(whose)))


def _erase_bookings(session: Session, whose: Whose) -> int:
    return _gone(session, change(session, delete(OwnBookingRow).where(_own_booking(whose))))


def _erase_requests(session: Session, whose: Whose) -> int:
    return _gone(session, change(session, delete(RequestRow).where(col(RequestRow.passenger) == whose.pseudonym)))


def _erase_offers(session: Session, whose: Whose) -> int:
    return _gone(session, change(session, delete(OwnOfferRow).where(col(OwnOfferRow.driver) == whose.pseudonym)))


def _gone(session: Session, n_rows: int) -> int:
    if n_rows:
        note_gone(session)
    return n_rows


_PLACES = tuple(f"{side}_{name}" for side in ("board", "alight") for name in ("name", "lat", "lon"))

# In the order of erasure: what refers to a booking goes before it.
HOLDINGS: Sequence[Holding] = (
    Holding("carpool_message", ("sender", "sealed"), _messages, _erase_messages),
    Holding("carpool_booking", ("driver", "passenger", *_PLACES), _bookings, _erase_bookings),
    Holding(
        "carpool_request",
        ("passenger", "document"),
        rows_of(RequestRow, "passenger", "made_at", {"at": "made_at", "document": "document"}),
        _erase_requests,
    ),
    Holding(
        "carpool_offer",
        ("driver", "document"),
        rows_of(OwnOfferRow, "driver", "made_at", {"at": "made_at", "line_id": "line_id", "document": "document"}),
        _erase_offers,
    ),
)
