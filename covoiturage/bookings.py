"""Bookings: a passenger's seats in one outing of a driver, from being asked for to having ridden.

    asked → confirmed → aboard → done
      ↓ refused   ↓ absent        either side cancels what is asked or confirmed

What is asked holds its seats like what is confirmed, so that a driver's yes never comes too late.
One of the two may be somebody of a partner operator, who has no account here. A question is what such a
passenger wrote to a driver without having booked: it holds no seat and goes no further.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from covoiturage.offers import Taken
from socle.errors import Conflict, Forbidden


class BookingState(StrEnum):
    """Where a booking stands."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    ABOARD = "aboard"
    DONE = "done"
    ABSENT = "absent"
    QUESTION = "question"


class Party(StrEnum):
    """Who moves a booking on: one of its two people, or the outing itself."""

    DRIVER = "driver"
    PASSENGER = "passenger"
    OUTING = "outing"


HELD = frozenset({BookingState.ASKED, BookingState.CONFIRMED, BookingState.ABOARD, BookingState.DONE})
"""The states in which seats are held."""

_DRIVER, _PASSENGER, _OUTING = Party.DRIVER, Party.PASSENGER, Party.OUTING
_MOVES: Mapping[tuple[BookingState, BookingState], frozenset[Party]] = {
    (BookingState.ASKED, BookingState.CONFIRMED): frozenset({_DRIVER}),
    (BookingState.ASKED, BookingState.REFUSED): frozenset({_DRIVER}),
    (BookingState.ASKED, BookingState.CANCELLED): frozenset({_PASSENGER, _DRIVER}),
    (BookingState.CONFIRMED, BookingState.CANCELLED): frozenset({_PASSENGER, _DRIVER}),
    (BookingState.CONFIRMED, BookingState.ABSENT): frozenset({_DRIVER, _OUTING}),
    (BookingState.CONFIRMED, BookingState.ABOARD): frozenset({_OUTING}),
    (BookingState.ABOARD, BookingState.DONE): frozenset({_OUTING}),
}


@dataclass(frozen=True, slots=True)
class Booking:
    """Seats held by a passenger in an outing; `taken` says where and when they are met and left."""

    booking_id: str
    offer_id: str
    day: date
    driver: str
    passenger: str
    taken: Taken
    board_name: str
    alight_name: str
    ride_m: int
    price_cents: int  # of all its seats
    state: BookingState
    line_id: str = ""
    operator: str = ""  # the partner operator of one of the two; empty when both are ours
    partner_key: str = ""  # under which the partner's booking is kept

    @property
    def theirs(self) -> Party | None:
        """Which of the two is somebody of the partner: the passenger of an offer of ours, else the driver."""
        if not self.operator:
            return None
        return Party.PASSENGER if self.offer_id else Party.DRIVER

    @property
    def seats(self) -> int:
        """How many seats are held."""
        return self.taken.seats

    @property
    def reference(self) -> str:
        """Four letters that the passenger says when boarding, so that the driver knows whom they take."""
        letters = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that is mistaken for another
        digest = hashlib.sha256(self.booking_id.encode()).digest()
        return "".join(letters[byte % len(letters)] for byte in digest[:4])

    def party_of(self, pseudonym: str) -> Party:
        """Which of its two people somebody is.

        Raises:
            Forbidden: `not_yours`: neither.
        """
        if pseudonym == self.driver:
            return Party.DRIVER
        if pseudonym == self.passenger:
            return Party.PASSENGER
        raise Forbidden("not_yours")


def check_move(booking: Booking, to: BookingState, by: Party, now: int) -> None:
    """Refuse a step that a booking cannot take.

    Nobody confirms a ride that would be over, nor misses a passenger before the hour.

    Raises:
        Conflict: `booking_settled`: not from the state in which it is; `ride_over`; `ride_to_come`.
        Forbidden: `not_your_step`.
    """
    allowed = _MOVES.get((booking.state, to))
    if allowed is None:
        raise Conflict("booking_settled", state=booking.state)
    if by not in allowed:
        raise Forbidden("not_your_step")
    if to is BookingState.CONFIRMED and now >= booking.taken.alight.instant:
        raise Conflict("ride_over")
    if to is BookingState.ABSENT and now < booking.taken.board.instant:
        raise Conflict("ride_to_come")
