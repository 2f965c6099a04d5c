"""Bookings: seats asked for, confirmed, refused or cancelled, and what the two people write each other."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from covoiturage.offers import Wish
from mobigo.api.access import decode, now_of, private_json
from mobigo.api.deps import find_snapshot
from mobigo.api.meeting.asked import ROOT, Body, Owner, key_of, named, told, zoned
from mobigo.api.meeting.shapes import (
    BookingAnswer,
    BookingBody,
    BookingsAnswer,
    MessageAnswer,
    MessageBody,
    MessagesAnswer,
    StepBody,
    booking_answer,
)
from mobigo.services.covoiturage import booking as bookings
from mobigo.services.covoiturage.booking import BookingState, GivenBooking
from mobigo.services.covoiturage.given import digest_of
from mobigo.services.covoiturage.ways import ways_of
from mobigo.services.people.principal import Principal
from mobigo.texts import text
from socle.errors import BadInput

BookingId = Annotated[str, Path(description=text("api.parameters.bookingId"))]

router = APIRouter(tags=["covoiturage"])


@router.post(f"{ROOT}/bookings", **told("bookRide", BookingAnswer, BookingBody))
def book(request: Request, principal: Owner, body: Body) -> Response:
    """Ask for seats."""
    asked: BookingBody = decode(body, BookingBody)
    origin, destination = named(asked.origin), named(asked.destination)
    if origin is None or destination is None:
        raise BadInput("one_of_two", one="origin", other="line")
    wish = Wish(
        origin.at,
        destination.at,
        int(zoned(asked.at).timestamp()),
        arrive_by=asked.arrive_by,
        tolerance_s=asked.tolerance_minutes * 60,
        seats=asked.seats,
        walk_m=asked.walk_metres,
        passenger=principal.pseudonym,
    )
    board_at = None if asked.board_at is None else int(zoned(asked.board_at).timestamp())
    given = GivenBooking(asked.offer_id, asked.day, wish, origin.name, destination.name, board_at)
    ways, key = ways_of(find_snapshot(request)), key_of(request)
    digest = digest_of(given, key)
    booked = bookings.book(request.app.state.engine, ways, given, digest, key, principal.actor, now_of(request))
    return private_json(booking_answer(booked.booking, principal.pseudonym), 201)


@router.get(f"{ROOT}/bookings", **told("listBookings", BookingsAnswer))
def list_bookings(request: Request, principal: Owner) -> Response:
    """One's bookings on either side."""
    own = bookings.list_own_bookings(request.app.state.engine, principal.pseudonym, now_of(request))
    return private_json(BookingsAnswer([booking_answer(one, principal.pseudonym) for one in own]))


@router.get(f"{ROOT}/bookings/{{booking_id}}", **told("getBooking", BookingAnswer))
def get_booking(request: Request, principal: Owner, booking_id: BookingId) -> Response:
    """A booking of one's own."""
    found = bookings.get_own_booking(request.app.state.engine, booking_id, principal.pseudonym)
    return private_json(booking_answer(found, principal.pseudonym))


@router.patch(f"{ROOT}/bookings/{{booking_id}}", **told("moveBooking", BookingAnswer, StepBody))
def move_booking(request: Request, principal: Owner, booking_id: BookingId, body: Body) -> Response:
    """Confirm, refuse, cancel a booking, or say that nobody came."""
    wish: StepBody = decode(body, StepBody)
    if wish.state not in set(BookingState):
        raise BadInput("unknown_step")
    who, state = principal.pseudonym, BookingState(wish.state)
    moved = bookings.move(request.app.state.engine, booking_id, state, who, principal.actor, now_of(request))
    return private_json(booking_answer(moved, who))


@router.get(f"{ROOT}/bookings/{{booking_id}}/messages", **told("listMessages", MessagesAnswer))
def list_messages(request: Request, principal: Owner, booking_id: BookingId) -> Response:
    """What the two of a booking wrote."""
    state = request.app.state
    return _messages(state.engine, state.keys, booking_id, principal)


@router.post(f"{ROOT}/bookings/{{booking_id}}/messages", **told("writeMessage", MessagesAnswer, MessageBody))
def write_message(request: Request, principal: Owner, booking_id: BookingId, body: Body) -> Response:
    """Write to the other of a booking."""
    wish: MessageBody = decode(body, MessageBody)
    state, who = request.app.state, principal.pseudonym
    bookings.write_message(state.engine, state.keys, booking_id, who, wish.text, key_of(request), now_of(request))
    return _messages(state.engine, state.keys, booking_id, principal, 201)


def _messages(engine: Any, keys: Any, booking_id: str, principal: Principal, status: int = 200) -> Response:
    read = bookings.read_messages(engine, keys, booking_id, principal.pseudonym)
    written = [MessageAnswer(one.is_mine, one.text, one.at.strftime("%Y-%m-%dT%H:%M:%SZ")) for one in read]
    return private_json(MessagesAnswer(written), status)
