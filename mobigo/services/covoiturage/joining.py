"""Joining: who meets whom at once: those who wait at a stop of a line, and those who look for a ride."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from covoiturage.bookings import Booking
from covoiturage.drives import Ways
from covoiturage.offers import Offer
from mobigo.services.covoiturage.booking import enter_booking, find_match, wish_around
from mobigo.services.covoiturage.notifying import OF_REQUEST, tell
from mobigo.store.base import Session
from mobigo.store.covoiturage import own_offers
from mobigo.store.covoiturage.own_offers import KeptRequest, RequestState
from socle.times import PARIS

LOOKED_AHEAD = timedelta(days=14)  # for requests that a new offer meets


def take_who_waits(session: Session, ways: Ways, offer: Offer, now: datetime, number: int) -> list[Booking]:
    """Book those who wait at stops of the line that the driver is about to pass."""
    booked = []
    for request in own_offers.list_waiting(session, offer.line_id, now):
        booking = _join(session, ways, offer, request, now, number)
        if booking is not None:
            booked.append(booking)
    return booked


def board_who_passes(session: Session, ways: Ways, request: KeptRequest, now: datetime, number: int) -> Booking | None:
    """Book with the first driver on the line who has left and is still to pass the stop."""
    found = []
    for kept in own_offers.list_at_once(session, request.line_id, now):
        leave_at = kept.offer.leaves
        if isinstance(leave_at, int):
            day = datetime.fromtimestamp(leave_at, PARIS).date()
            wish = replace(request.wish, not_before=int(now.timestamp()))
            match = find_match(session, ways, kept.offer, day, wish)
            if match is not None:
                found.append((match.rank(wish), kept.offer))
    return _join(session, ways, min(found, key=lambda one: one[0])[1], request, now, number) if found else None


def tell_who_looks(session: Session, ways: Ways, offer: Offer, now: datetime) -> int:
    """Write to those whose open requests a new offer meets within the next weeks; how many."""
    n_told = 0
    for request in own_offers.list_open_requests(session, now, now + LOOKED_AHEAD):
        wish = wish_around(request.wish, now)
        day = datetime.fromtimestamp(wish.at, PARIS).date()
        days = offer.list_days(day - timedelta(days=1), day + timedelta(days=1))
        if any(find_match(session, ways, offer, one, wish) is not None for one in days):
            tell(session, wish.passenger, OF_REQUEST, request.request_id, now, 0)
            n_told += 1
    return n_told


def _join(
    session: Session, ways: Ways, offer: Offer, request: KeptRequest, now: datetime, number: int
) -> Booking | None:
    """Have a driver who leaves at once take along somebody who waits, if there is room on their way."""
    wish = replace(request.wish, not_before=int(now.timestamp()))
    if not isinstance(offer.leaves, int):
        return None
    match = find_match(session, ways, offer, datetime.fromtimestamp(offer.leaves, PARIS).date(), wish)
    if match is None:
        return None
    names = (request.origin_name, request.destination_name)
    booking = enter_booking(
        session, match, wish, names, f"request:{request.request_id}", request.body_sha256, now, number
    )
    own_offers.put_request(session, replace(request, state=RequestState.MET))
    tell(session, wish.passenger, "confirmed", booking.booking_id, now, number)
    return booking
