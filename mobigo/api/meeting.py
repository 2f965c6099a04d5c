"""Meeting: drivers offer seats, passengers find and book them, both write each other."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import partial
from typing import Annotated, Any

import anyio
import msgspec
from fastapi import APIRouter, Depends, Path, Request, Response
from msgspec import Struct

from covoiturage.offers import Match, Meeting, Offer, Weekly, Wish
from mobigo.api.access import PUBLIC, Needs, decode, now_of, private_json, read_json
from mobigo.api.deps import find_snapshot, in_pool
from mobigo.api.reference import describe
from mobigo.security import Permission
from mobigo.services.covoiturage import booking as bookings
from mobigo.services.covoiturage import finding, lines, offering
from mobigo.services.covoiturage.booking import Booking, BookingState, GivenBooking
from mobigo.services.covoiturage.finding import PartnerJourney, PartnerJourneys
from mobigo.services.covoiturage.offering import GivenOffer, GivenRequest, KeptRequest, Named, Weeks
from mobigo.services.covoiturage.ways import ways_of
from mobigo.services.people.principal import Principal
from mobigo.texts import text
from routing.journeys.naming import find_point, get_public_stop
from routing.journeys.snapshot import Snapshot
from socle.errors import BadInput
from socle.geo import LatLon
from socle.times import PARIS, render_instant

ROOT = "/api/covoiturage"
_NEAR = 3  # decimals of places in answers to anybody: a hundred metres


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
    """A booking as one of its two people sees it; `reference` is said when boarding."""

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


Body = Annotated[bytes, Depends(read_json)]
Owner = Annotated[Principal, Depends(Needs(Permission.OWN_ACCOUNT))]
OfferId = Annotated[str, Path(description=text("api.parameters.offerId"))]
RequestId = Annotated[str, Path(description=text("api.parameters.requestId"))]
BookingId = Annotated[str, Path(description=text("api.parameters.bookingId"))]

router = APIRouter(tags=["covoiturage"])


def _told(name: str, answer: type[Any], body: type[Any] | None = None, params: type[Any] = NoParams) -> dict[str, Any]:
    """What OpenAPI says of an endpoint of this room."""
    extra = describe(name, params, answer, body, private=params is NoParams)
    return {"operation_id": name, "response_model": None, "openapi_extra": extra}


def _key(request: Request) -> str:
    return request.headers.get("idempotency-key", "")


def _zoned(instant: datetime) -> datetime:
    """An instant with its zone; one without is refused, for nobody knows when it is."""
    if instant.tzinfo is None:
        raise BadInput("bad_field", reason="at")
    return instant.astimezone(UTC)


# --- search -----------------------------------------------------------------------------------


def _place(snapshot: Snapshot | None, written: str) -> LatLon:
    """`lat,lon` or the id of a stop."""
    at = find_point(written)
    if at is not None:
        return at
    if snapshot is None:
        raise BadInput("bad_coordinates", value=written)
    return snapshot.timetable.stop_at(get_public_stop(snapshot.timetable, written))


@router.get(f"{ROOT}/search", dependencies=[PUBLIC], **_told("searchRides", RidesFound, params=SearchParams))
async def search(request: Request) -> Response:
    """Who takes a passenger along."""
    try:
        asked = msgspec.convert(dict(request.query_params), SearchParams, strict=False)
    except msgspec.ValidationError as error:
        raise BadInput("bad_field", reason=str(error)) from None
    snapshot, now, state = find_snapshot(request), now_of(request), request.app.state
    wish = Wish(
        _place(snapshot, asked.from_),
        _place(snapshot, asked.to),
        int(_zoned(asked.at).timestamp()),
        arrive_by=asked.arrive_by,
        tolerance_s=asked.tolerance_minutes * 60,
        seats=asked.seats,
        walk_m=asked.walk_metres,
    )
    matches = await in_pool(request, lambda: state.offer_search.search(ways_of(snapshot), wish, now))
    others = PartnerJourneys((), ())
    if asked.partners:
        look = partial(finding.find_partners, state.engine, state.keys, state.offer_boards, wish, now)
        others = await anyio.to_thread.run_sync(look)
    found = RidesFound(
        [_match(one, wish) for one in matches], [_partner(one) for one in others.journeys], list(others.silent)
    )
    return private_json(found)


def _match(match: Match, wish: Wish) -> MatchAnswer:
    offer = match.offer
    return MatchAnswer(
        offer.offer_id,
        match.day,
        offer.line_id,
        _near(offer, match.board),
        _near(offer, match.alight),
        match.ride_m,
        match.detour_s,
        match.detour_m,
        match.n_free,
        offer.price_cents * wish.seats,
        offer.at_once,
    )


def _near(offer: Offer, meeting: Meeting) -> MeetingAnswer:
    """Where one is met, not to the metre: a driver's door is told to who has booked."""
    name = offer.halts[meeting.halt].name if meeting.halt >= 0 else ""
    at = (round(meeting.at.lat, _NEAR), round(meeting.at.lon, _NEAR))
    return MeetingAnswer(name, *at, render_instant(meeting.instant), meeting.walk_m)


def _partner(journey: PartnerJourney) -> PartnerAnswer:
    return PartnerAnswer(
        journey.operator,
        journey.journey_id,
        render_instant(journey.pickup_at),
        list(journey.pickup),
        list(journey.drop),
        journey.duration_s,
        journey.seats,
        journey.price_cents,
        journey.link,
    )


# --- offers -----------------------------------------------------------------------------------


def _named(place: PlaceBody | None) -> Named | None:
    if place is None:
        return None
    if not (-90 <= place.lat <= 90 and -180 <= place.lon <= 180):
        raise BadInput("bad_coordinates", value=f"{place.lat},{place.lon}")
    return Named(place.name, LatLon(place.lat, place.lon))


def _line(request: Request, line_id: str, at: datetime) -> lines.Line | None:
    if not line_id:
        return None
    return lines.get_line(request.app.state.engine, line_id, at.astimezone(PARIS).date())


@router.post(f"{ROOT}/offers", **_told("publishOffer", PublishedAnswer, OfferBody))
def publish(request: Request, principal: Owner, body: Body) -> Response:
    """Offer seats."""
    wish: OfferBody = decode(body, OfferBody)
    now = now_of(request)
    if sum((wish.at is not None, wish.weeks is not None, wish.now)) != 1:
        raise BadInput("one_of_two", one="at", other="weeks")
    leaves: datetime | Weeks = now if wish.at is None else _zoned(wish.at)
    if wish.weeks is not None:
        leaves = Weeks(tuple(wish.weeks.weekdays), wish.weeks.clock, wish.weeks.first, wish.weeks.last)
    given = GivenOffer(
        leaves=datetime.fromtimestamp(0, UTC) if wish.now else leaves,  # the same body an instant later is the same
        seats=wish.seats,
        origin=_named(wish.origin),
        destination=_named(wish.destination),
        line_id=wish.line_id,
        from_stop=wish.from_stop,
        to_stop=wish.to_stop,
        detour_min=wish.detour_minutes,
        detour_km=wish.detour_km,
        price_cents=wish.price_cents,
        at_once=wish.now,
    )
    line, engine = _line(request, wish.line_id, now), request.app.state.engine
    ways = ways_of(find_snapshot(request))
    who, actor = principal.pseudonym, principal.actor
    published = offering.publish(engine, ways, who, given, line, _key(request), actor, now)
    booked = [_booking(one, who) for one in published.booked]
    return private_json(PublishedAnswer(_offer(published.offer), published.n_told, booked), 201)


@router.get(f"{ROOT}/offers", **_told("listOffers", OffersAnswer))
def list_offers(request: Request, principal: Owner) -> Response:
    """One's own offers."""
    own = offering.list_own_offers(request.app.state.engine, principal.pseudonym, now_of(request))
    return private_json(OffersAnswer([_offer(one) for one in own]))


@router.patch(f"{ROOT}/offers/{{offer_id}}", **_told("changeOffer", OfferAnswer, ChangeBody))
def change_offer(request: Request, principal: Owner, offer_id: OfferId, body: Body) -> Response:
    """Offer more or fewer seats."""
    wish: ChangeBody = decode(body, ChangeBody)
    who, actor, now = principal.pseudonym, principal.actor, now_of(request)
    return private_json(_offer(offering.change_seats(request.app.state.engine, offer_id, who, wish.seats, actor, now)))


@router.post(f"{ROOT}/offers/{{offer_id}}/rests", **_told("restOffer", CancelledAnswer, RestBody))
def rest_offer(request: Request, principal: Owner, offer_id: OfferId, body: Body) -> Response:
    """Not leave on one day."""
    wish: RestBody = decode(body, RestBody)
    who, actor, now = principal.pseudonym, principal.actor, now_of(request)
    return private_json(
        CancelledAnswer(offering.rest_on(request.app.state.engine, offer_id, who, wish.day, actor, now))
    )


@router.delete(f"{ROOT}/offers/{{offer_id}}", **_told("withdrawOffer", CancelledAnswer))
def withdraw_offer(request: Request, principal: Owner, offer_id: OfferId) -> Response:
    """Offer no more."""
    who, actor, now = principal.pseudonym, principal.actor, now_of(request)
    return private_json(CancelledAnswer(offering.withdraw(request.app.state.engine, offer_id, who, actor, now)))


def _offer(offer: Offer) -> OfferAnswer:
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


# --- requests ---------------------------------------------------------------------------------


@router.post(f"{ROOT}/requests", **_told("askForRide", RequestAnswer, RequestBody))
def ask(request: Request, principal: Owner, body: Body) -> Response:
    """Look for a ride."""
    wish: RequestBody = decode(body, RequestBody)
    at = _zoned(wish.at)
    given = GivenRequest(
        at=at,
        seats=wish.seats,
        origin=_named(wish.origin),
        destination=_named(wish.destination),
        line_id=wish.line_id,
        from_stop=wish.from_stop,
        to_stop=wish.to_stop,
        arrive_by=wish.arrive_by,
        tolerance_s=wish.tolerance_minutes * 60,
    )
    ways, who = ways_of(find_snapshot(request)), principal.pseudonym
    line = _line(request, wish.line_id, at)
    asked = offering.ask(request.app.state.engine, ways, who, given, line, _key(request), now_of(request))
    told = _request(asked.request)
    told.booked = None if asked.booked is None else _booking(asked.booked, who)
    return private_json(told, 201)


@router.get(f"{ROOT}/requests", **_told("listRequests", RequestsAnswer))
def list_requests(request: Request, principal: Owner) -> Response:
    """What one looks for."""
    own = offering.list_own_requests(request.app.state.engine, principal.pseudonym, now_of(request))
    return private_json(RequestsAnswer([_request(one) for one in own]))


@router.delete(f"{ROOT}/requests/{{request_id}}", **_told("giveUpRequest", RequestsAnswer))
def give_up(request: Request, principal: Owner, request_id: RequestId) -> Response:
    """Look no more; what one still looks for."""
    offering.give_up(request.app.state.engine, request_id, principal.pseudonym)
    return list_requests(request, principal)


def _request(kept: KeptRequest) -> RequestAnswer:
    names = (kept.origin_name, kept.destination_name)
    return RequestAnswer(kept.request_id, *names, render_instant(kept.wish.at), kept.wish.seats, kept.state)


# --- bookings ---------------------------------------------------------------------------------


@router.post(f"{ROOT}/bookings", **_told("bookRide", BookingAnswer, BookingBody))
def book(request: Request, principal: Owner, body: Body) -> Response:
    """Ask for seats."""
    asked: BookingBody = decode(body, BookingBody)
    origin, destination = _named(asked.origin), _named(asked.destination)
    if origin is None or destination is None:
        raise BadInput("one_of_two", one="origin", other="line")
    wish = Wish(
        origin.at,
        destination.at,
        int(_zoned(asked.at).timestamp()),
        arrive_by=asked.arrive_by,
        tolerance_s=asked.tolerance_minutes * 60,
        seats=asked.seats,
        walk_m=asked.walk_metres,
        passenger=principal.pseudonym,
    )
    board_at = None if asked.board_at is None else int(_zoned(asked.board_at).timestamp())
    given = GivenBooking(asked.offer_id, asked.day, wish, origin.name, destination.name, board_at)
    ways, key = ways_of(find_snapshot(request)), _key(request)
    digest = offering.digest_of(given, key)
    booked = bookings.book(request.app.state.engine, ways, given, digest, key, principal.actor, now_of(request))
    return private_json(_booking(booked.booking, principal.pseudonym), 201)


@router.get(f"{ROOT}/bookings", **_told("listBookings", BookingsAnswer))
def list_bookings(request: Request, principal: Owner) -> Response:
    """One's bookings on either side."""
    own = bookings.list_own_bookings(request.app.state.engine, principal.pseudonym, now_of(request))
    return private_json(BookingsAnswer([_booking(one, principal.pseudonym) for one in own]))


@router.get(f"{ROOT}/bookings/{{booking_id}}", **_told("getBooking", BookingAnswer))
def get_booking(request: Request, principal: Owner, booking_id: BookingId) -> Response:
    """A booking of one's own."""
    found = bookings.get_own_booking(request.app.state.engine, booking_id, principal.pseudonym)
    return private_json(_booking(found, principal.pseudonym))


@router.patch(f"{ROOT}/bookings/{{booking_id}}", **_told("moveBooking", BookingAnswer, StepBody))
def move_booking(request: Request, principal: Owner, booking_id: BookingId, body: Body) -> Response:
    """Confirm, refuse, cancel a booking, or say that nobody came."""
    wish: StepBody = decode(body, StepBody)
    if wish.state not in set(BookingState):
        raise BadInput("unknown_step")
    who, state = principal.pseudonym, BookingState(wish.state)
    moved = bookings.move(request.app.state.engine, booking_id, state, who, principal.actor, now_of(request))
    return private_json(_booking(moved, who))


def _booking(booking: Booking, who: str) -> BookingAnswer:
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
    )


@router.get(f"{ROOT}/bookings/{{booking_id}}/messages", **_told("listMessages", MessagesAnswer))
def list_messages(request: Request, principal: Owner, booking_id: BookingId) -> Response:
    """What the two of a booking wrote."""
    state = request.app.state
    return _messages(state.engine, state.keys, booking_id, principal)


@router.post(f"{ROOT}/bookings/{{booking_id}}/messages", **_told("writeMessage", MessagesAnswer, MessageBody))
def write_message(request: Request, principal: Owner, booking_id: BookingId, body: Body) -> Response:
    """Write to the other of a booking."""
    wish: MessageBody = decode(body, MessageBody)
    state, who = request.app.state, principal.pseudonym
    bookings.write_message(state.engine, state.keys, booking_id, who, wish.text, _key(request), now_of(request))
    return _messages(state.engine, state.keys, booking_id, principal, 201)


def _messages(engine: Any, keys: Any, booking_id: str, principal: Principal, status: int = 200) -> Response:
    read = bookings.read_messages(engine, keys, booking_id, principal.pseudonym)
    told = [MessageAnswer(one.is_mine, one.text, one.at.strftime("%Y-%m-%dT%H:%M:%SZ")) for one in read]
    return private_json(MessagesAnswer(told), status)
