"""Crossing: rides that two operators share, where the passenger is known at one and the driver at the other.

The contract has five states in one ladder, we have more, and which of them a partner may say depends on
whose driver it is: a driver of ours is asked here, and no operator answers for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from covoiturage.announcing import told_place, told_price
from covoiturage.bookings import Booking, BookingState, Party
from covoiturage.fields import Document, refuse
from covoiturage.offers import KEPT_S, Offer, Wish
from covoiturage.standard.bookings import FIRST_STATUS, hash_words
from covoiturage.standard.shapes import STATUSES
from socle.errors import BadInput
from socle.geo import LatLon, distance_m
from socle.times import local_day

SEATS = 1  # a booking of the contract is of one person
_AHEAD = timedelta(days=366)  # nobody publishes later than a year ahead
_ROUNDING_M = 150.0  # what telling a place to the hundred metres moves it by, and more

STATUS_OF: Mapping[BookingState, str] = {
    BookingState.ASKED: "WAITING_CONFIRMATION",
    BookingState.CONFIRMED: "CONFIRMED",
    BookingState.ABOARD: "CONFIRMED",
    BookingState.DONE: "COMPLETED_PENDING_VALIDATION",
    BookingState.REFUSED: "CANCELLED",
    BookingState.CANCELLED: "CANCELLED",
    BookingState.ABSENT: "CANCELLED",
}
"""What a partner is told of a booking of ours."""

_COMING = frozenset({BookingState.ASKED, BookingState.CONFIRMED})


def person_of(operator: str, user_id: str) -> str:
    """What stands here for somebody of a partner, who has no account: the same for the same user of an operator."""
    return f"partner-{hash_words(operator.lower(), user_id)[:32]}"


def state_after(booking: Booking, status: str) -> BookingState:
    """Where a booking of ours stands once the partner has said how its own stands.

    What has been ridden here stays ridden: a partner that cancels it later changes its own booking alone.

    Raises:
        BadInput: `standard_driver_answers`: the partner would answer for a driver of ours.
    """
    state = booking.state
    if booking.theirs is Party.PASSENGER:
        if status == "CANCELLED":
            return BookingState.CANCELLED if state in _COMING else state
        if state is BookingState.ASKED:
            raise BadInput("standard_driver_answers")
        return state
    if state not in {*_COMING, BookingState.ABOARD}:
        return state
    if status == "CANCELLED":
        return BookingState.REFUSED if state is BookingState.ASKED else BookingState.CANCELLED
    return BookingState.CONFIRMED if status == "CONFIRMED" else BookingState.DONE


# --- a partner's passenger with a driver of ours ----------------------------------------------


def read_wishes(booking: Document, offer: Offer, passenger: str, now: datetime) -> Iterator[tuple[date, Wish]]:
    """What a partner's booking asks of an offer: the days on which it may leave then, and the wish.

    A place that was told to the hundred metres means the driver's own.

    Raises:
        BadInput: `standard_field`, `offer_in_past`, `offer_too_far`.
    """
    at = booking["passengerPickupDate"]
    if at < now.timestamp() - KEPT_S:
        raise BadInput("offer_in_past")
    if at > (now + _AHEAD).timestamp():
        raise BadInput("offer_too_far", days=_AHEAD.days)
    origin, destination = (_meant(booking, side, offer) for side in ("Pickup", "Drop"))
    wish = Wish(origin, destination, int(at), tolerance_s=KEPT_S, seats=SEATS, passenger=passenger)
    day = local_day(wish.at)
    for one in offer.list_days(day - timedelta(days=1), day):
        yield one, wish


def _meant(booking: Document, side: str, offer: Offer) -> LatLon:
    lat, lon = (booking[f"passenger{side}{name}"] for name in ("Lat", "Lng"))
    if not (abs(lat) <= 90 and abs(lon) <= 180):
        raise refuse(f"passenger{side}Lat", "-90…90")
    place = LatLon(float(lat), float(lon))
    away = [(distance_m(told_place(halt.at, halt.stop_id), place), halt.at) for halt in offer.halts]
    metres, halt_at = min(away, key=lambda one: one[0])
    return halt_at if metres <= _ROUNDING_M else place


def check_price(booking: Document, cents: int) -> Document:
    """The price that is asked here, once the booking agrees to it or says none.

    Raises:
        BadInput: `standard_field`: it says another.
    """
    said = booking["price"]
    kind, amount = said.get("type"), said.get("amount")
    is_free = kind == "FREE" and not amount
    other = amount is not None and round(amount * 100) != cents
    if other or (is_free and cents) or said.get("currency", "EUR") != "EUR":
        raise refuse("price", f"{cents / 100:.2f} EUR")
    return told_price(cents)


def shown_name(said: str, otherwise: str, most: int) -> str:
    """A name that somebody else gives, as we show it: in one line, and not for ever."""
    name = " ".join("".join(letter if letter.isprintable() else " " for letter in said).split())
    return name[:most] or otherwise


# --- a passenger of ours with a partner's driver ----------------------------------------------


def book_journey(journey: Document, booking_id: str, passenger: Document) -> Document:
    """The booking of a partner's journey for somebody of ours."""
    same = ("passengerPickupDate", "passengerPickupLat", "passengerPickupLng", "passengerDropLat", "passengerDropLng")
    known = ("passengerPickupAddress", "passengerDropAddress", "duration", "distance", "car")
    return {
        "id": booking_id,
        "driver": journey["driver"],
        "passenger": passenger,
        **{name: journey[name] for name in same},
        **{name: journey[name] for name in known if name in journey},
        "status": FIRST_STATUS,
        "price": journey.get("price", {}),
        **({"driverJourneyId": journey["id"]} if journey.get("id") else {}),
    }


def is_above(status: str, other: str) -> bool:
    """Whether one status stands higher on the ladder than another."""
    return STATUSES.index(status) > STATUSES.index(other)
