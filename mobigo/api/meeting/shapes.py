"""Shapes: what is said and answered where drivers and passengers meet, as JSON."""

from __future__ import annotations

from datetime import date, datetime, time

import msgspec
from msgspec import Struct

from covoiturage.offers import Offer, Weekly
from mobigo.services.covoiturage.booking import Booking
from mobigo.services.covoiturage.requesting import KeptRequest
from socle.times import render_instant


class SearchParams(Struct, rename="camel"):
    """Where from and where to, around when."""

    from_: str = msgspec.field(name="from")
    to: str
    at: datetime
    arrive_by: bool = False
    tolerance_minutes: int = 60
    seats: int = 1
    walk_metres: int = 1000
    partners: bool = True


class NoParams(Struct):
    """Nothing is asked in the address."""


class PlaceBody(Struct, forbid_unknown_fields=True):
    """A place with the name that others read."""

    name: str
    lat: float
    lon: float


class WeeksBody(Struct, forbid_unknown_fields=True):
    """Weekdays (Monday 0) at an hour of Paris, from the first to the last day."""

    weekdays: list[int]
    clock: time
    first: date
    last: date | None = None


class OfferBody(Struct, forbid_unknown_fields=True):
    """Seats between two places or along a line; once (`at`), weekly (`weeks`), or leaving `now` along a line."""

    seats: int
    origin: PlaceBody | None = None
    destination: PlaceBody | None = None
    line_id: str = ""
    from_stop: str = ""
    to_stop: str = ""
    at: datetime | None = None
    weeks: WeeksBody | None = None
    now: bool = False
    detour_minutes: int = 0
    detour_km: int | None = None
    price_cents: int = 0


class ChangeBody(Struct, forbid_unknown_fields=True):
    """Another number of seats."""

    seats: int


class RestBody(Struct, forbid_unknown_fields=True):
    """A day on which a weekly offer does not leave."""

    day: date


class RequestBody(Struct, forbid_unknown_fields=True):
    """A ride that is looked for; at a stop of a line one waits for whoever passes."""

    at: datetime
    seats: int = 1
    origin: PlaceBody | None = None
    destination: PlaceBody | None = None
    line_id: str = ""
    from_stop: str = ""
    to_stop: str = ""
    arrive_by: bool = False
    tolerance_minutes: int = 60


class BookingBody(Struct, forbid_unknown_fields=True):
    """An offer on a day, with the wish by which it was found; `board_at` as it was shown."""

    offer_id: str
    day: date
    origin: PlaceBody
    destination: PlaceBody
    at: datetime
    seats: int = 1
    arrive_by: bool = False
    tolerance_minutes: int = 60
    walk_metres: int = 1000
    board_at: datetime | None = None


class StepBody(Struct, forbid_unknown_fields=True):
    """The state into which a booking goes: confirmed, refused, cancelled or absent."""

    state: str


class MessageBody(Struct, forbid_unknown_fields=True):
    """What is written to the other of a booking."""

    text: str


class MeetingAnswer(Struct):
    """Where and when one is met or left."""

    name: str
    lat: float
    lon: float
    at: str
    walk_metres: int


class MatchAnswer(Struct):
    """A way along with one of our drivers."""

    offer_id: str
    day: date
    line_id: str
    board: MeetingAnswer
    alight: MeetingAnswer
    ride_metres: int
    detour_seconds: int
    detour_metres: int
    free_seats: int
    price_cents: int
    at_once: bool


class PartnerAnswer(Struct):
    """A way along with the driver of a partner operator, booked there."""

    operator: str
    journey_id: str
    pickup_at: str
    pickup: list[float]
    drop: list[float]
    duration_seconds: int
    seats: int | None
    price_cents: int | None
    link: str


class RidesFound(Struct):
    """Ways along, the least effort first; those of partners, the nearest in time first; who did not answer."""

    matches: list[MatchAnswer]
    partners: list[PartnerAnswer]
    silent: list[str]


class HaltAnswer(Struct):
    """A place that a driver passes, seconds after leaving."""

    name: str
    lat: float
    lon: float
    after_seconds: int
    stop_id: str


class OfferAnswer(Struct):
    """An offer of one's own; `leaves` an instant, or the weeks."""

    offer_id: str
    line_id: str
    halts: list[HaltAnswer]
    leaves: str | WeeksBody
    seats: int
    detour_minutes: int
    detour_metres: int
    price_cents: int
    at_once: bool


class BookingAnswer(Struct):
    """A booking as one of its two people sees it; `reference` is said when boarding.

    `operator`: the partner that knows the other of the two, if one does; a driver of theirs has no offer here.
    """

    booking_id: str
    reference: str
    offer_id: str
    day: date
    line_id: str
    role: str
    state: str
    seats: int
    board: MeetingAnswer
    alight: MeetingAnswer
    ride_metres: int
    price_cents: int
    operator: str | None = None


class PublishedAnswer(Struct):
    """An offer that was published; who was told of it, who is taken along at once."""

    offer: OfferAnswer
    told: int
    booked: list[BookingAnswer]


class RequestAnswer(Struct):
    """A ride that is looked for; `booked` when somebody takes the passenger along at once."""

    request_id: str
    origin: str
    destination: str
    at: str
    seats: int
    state: str
    booked: BookingAnswer | None = None


class OffersAnswer(Struct):
    """One's own offers."""

    offers: list[OfferAnswer]


class RequestsAnswer(Struct):
    """What one looks for."""

    requests: list[RequestAnswer]


class BookingsAnswer(Struct):
    """One's bookings on either side."""

    bookings: list[BookingAnswer]


class CancelledAnswer(Struct):
    """How many bookings are called off by it."""

    cancelled: int


class MessageAnswer(Struct):
    """What one of the two wrote."""

    mine: bool
    text: str
    at: str


class MessagesAnswer(Struct):
    """What the two of a booking wrote, the first first."""

    messages: list[MessageAnswer]


def offer_answer(offer: Offer) -> OfferAnswer:
    """An offer as its driver sees it."""
    leaves: str | WeeksBody
    if isinstance(offer.leaves, Weekly):
        weekly = offer.leaves
        leaves = WeeksBody(sorted(weekly.weekdays), weekly.clock, weekly.first, weekly.last)
    else:
        leaves = render_instant(offer.leaves)
    halts = [HaltAnswer(one.name, *one.at, one.after_s, one.stop_id) for one in offer.halts]
    detour = (offer.detour_s // 60, offer.detour_m)
    return OfferAnswer(
        offer.offer_id, offer.line_id, halts, leaves, offer.seats, *detour, offer.price_cents, offer.at_once
    )


def request_answer(kept: KeptRequest) -> RequestAnswer:
    """A request as its passenger sees it."""
    names = (kept.origin_name, kept.destination_name)
    return RequestAnswer(kept.request_id, *names, render_instant(kept.wish.at), kept.wish.seats, kept.state)


def booking_answer(booking: Booking, who: str) -> BookingAnswer:
    """A booking as one of its two people sees it."""
    taken = booking.taken
    board, alight = (
        MeetingAnswer(name, *meeting.at, render_instant(meeting.instant), meeting.walk_m)
        for name, meeting in ((booking.board_name, taken.board), (booking.alight_name, taken.alight))
    )
    return BookingAnswer(
        booking.booking_id,
        booking.reference,
        booking.offer_id,
        booking.day,
        booking.line_id,
        booking.party_of(who),
        booking.state,
        booking.seats,
        board,
        alight,
        booking.ride_m,
        booking.price_cents,
        booking.operator or None,
    )
