"""What the tables of partners hold about people of ours, whom operators know by their pseudonym, or by a booking.

Erasure takes whole rows: a partner that asks for such a booking is told that there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, or_
from sqlalchemy import select as select_columns
from sqlmodel import Session, SQLModel, col, select

from covoiturage.standard.bookings import user_prefix
from mobigo.store.base import change
from mobigo.store.covoiturage.bookings import BookingRow, EventRow, MessageRow, UserRow
from mobigo.store.covoiturage.offers import OfferRow, note_change
from mobigo.store.covoiturage.own_bookings import OwnBookingRow
from mobigo.store.personal import Holding, OpensSealed, Row, Value, Whose


def _naming(table: type[SQLModel], columns: Sequence[str], whose: Whose) -> ColumnElement[bool]:
    prefix = user_prefix(whose.pseudonym)
    named = [col(getattr(table, name)).startswith(prefix, autoescape=True) for name in columns]
    return or_(*named, col(BookingRow.key).in_(_shared(whose))) if table is BookingRow else or_(*named)


def _shared(whose: Whose) -> Any:
    """The keys of partners' bookings behind the rides that they share with somebody of a partner."""
    own = or_(col(OwnBookingRow.driver) == whose.pseudonym, col(OwnBookingRow.passenger) == whose.pseudonym)
    return select_columns(col(OwnBookingRow.partner_key)).where(own, col(OwnBookingRow.partner_key) != "")


def _holding(
    table: type[SQLModel], users: Sequence[str], columns: Sequence[str], told: Callable[[Any], dict[str, Value]]
) -> Holding:
    def export(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
        for row in session.exec(select(table).where(_naming(table, users, whose))):
            yield told(row)

    def erase(session: Session, whose: Whose) -> int:
        n_gone = change(session, delete(table).where(_naming(table, users, whose)))
        if n_gone and table is OfferRow:
            note_change(session)
        return n_gone

    return Holding(str(table.__tablename__), (*users, *columns), export, erase)


_SIDES = ("driver_user", "passenger_user")


def _of_bookings(whose: Whose) -> ColumnElement[bool]:
    keys = select_columns(col(BookingRow.key)).where(_naming(BookingRow, _SIDES, whose))
    return col(EventRow.booking_key).in_(keys)


def _export_events(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    for row in session.exec(select(EventRow).where(_of_bookings(whose))):
        yield {"at": row.received_at}


def _erase_events(session: Session, whose: Whose) -> int:
    return change(session, delete(EventRow).where(_of_bookings(whose)))


# In the order of erasure: what refers to a booking goes before it.
HOLDINGS: Sequence[Holding] = (
    Holding("partner_event", ("booking_key",), _export_events, _erase_events),
    _holding(
        BookingRow,
        _SIDES,
        ["document"],
        lambda row: {"at": row.made_at, "changed_at": row.changed_at, "document": row.document},
    ),
    _holding(
        MessageRow,
        ("from_user", "to_user"),
        ["document"],
        lambda row: {"at": row.received_at, "document": row.document},
    ),
    _holding(OfferRow, ("owner_user",), ["document"], lambda row: {"at": row.received_at, "document": row.document}),
    _holding(UserRow, ("user",), [], lambda row: {"at": row.seen_at}),
)
