"""Offering: drivers publish, change and withdraw the seats they offer; passengers say what they look for.

What is sent again under the same key is the same offer or request; the key with another body is refused.
A new offer is told to those who look for such a ride; one that leaves now along a line takes along at
once those who wait at its stops, who have waited longest first.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Engine

from covoiturage.bookings import Booking, BookingState
from covoiturage.drives import Ways, drive, list_matches, plan_drive
from covoiturage.lines import Line, drive_s
from covoiturage.matching import look_around
from covoiturage.offers import Halt, Match, Offer, Weekly, Wish
from mobigo.services.covoiturage.booking import GivenBooking, enter_booking, step, wish_around
from mobigo.services.covoiturage.notifying import OF_REQUEST, tell
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, reading, transaction
from mobigo.store.covoiturage import own_bookings, own_offers
from mobigo.store.covoiturage.own_offers import KeptOffer, OfferState, RequestState, take_turn
from mobigo.store.covoiturage.own_offers import KeptRequest as KeptRequest  # named in the signatures of doors
from socle.errors import BadInput, Conflict, Fact, Forbidden, NotFound
from socle.geo import LatLon
from socle.times import PARIS

MOST_OFFERS = 50  # open, of one driver
MOST_REQUESTS = 20  # open, of one passenger
LEAST_WAY_M = 1_000
PUBLISHED_AHEAD = timedelta(days=365)
CLOCKS_MAY_DIFFER = timedelta(minutes=5)
LOOKED_AHEAD = timedelta(days=14)  # for requests that a new offer meets
COST_TENTHS = 529  # of a cent per km: what a trip costs its driver (note, section 2.2)
_DETOUR_M_PER_S = 1000 / 60  # a minute of detour is a kilometre, unless the driver says otherwise
NAME_LETTERS = 120


@dataclass(frozen=True, slots=True)
class Named:
    """A place as somebody chose it."""

    name: str
    at: LatLon


@dataclass(frozen=True, slots=True)
class Weeks:
    """Days of the week, Monday 0, at an hour; from the first to the last day."""

    weekdays: Sequence[int]
    clock: time
    first: date
    last: date | None = None


@dataclass(frozen=True, slots=True)
class GivenOffer:
    """What a driver publishes: between two places, or from stop to stop of a line."""

    leaves: datetime | Weeks
    seats: int
    origin: Named | None = None
    destination: Named | None = None
    line_id: str = ""
    from_stop: str = ""
    to_stop: str = ""
    detour_min: int = 0
    detour_km: int | None = None
    price_cents: int = 0
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class GivenRequest:
    """What a passenger looks for: between two places, or at a stop of a line, where they wait."""

    at: datetime
    seats: int = 1
    origin: Named | None = None
    destination: Named | None = None
    line_id: str = ""
    from_stop: str = ""
    to_stop: str = ""
    arrive_by: bool = False
    tolerance_s: int = 3600


@dataclass(frozen=True, slots=True)
class Published:
    """What became of an offer: those who look for such a ride were told, those who waited are taken along."""

    offer: Offer
    n_told: int
    booked: Sequence[Booking]
    replayed: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a request; `booked`: somebody who passes at once takes the passenger along."""

    request: KeptRequest
    booked: Booking | None
    replayed: bool


# --- offers -----------------------------------------------------------------------------------


def publish(
    engine: Engine, ways: Ways, driver: str, given: GivenOffer, line: Line | None, key: str, actor: str, now: datetime
) -> Published:
    """Offer seats. `line` is the one that `given` names.

    Raises:
        BadInput: `bad_key`; as `make_offer`.
        Conflict: `key_used_otherwise`; `too_many_offers`.
    """
    digest = digest_of(given, key)
    with reading(engine) as session:
        known = own_offers.find_offer_by_key(session, driver, key)
    if known is not None:
        return _replayed(known, digest)
    offer = make_offer(ways, driver, given, line, secrets.token_hex(12), now)
    with transaction(engine) as session:
        number = take_turn(session)
        known = own_offers.find_offer_by_key(session, driver, key)
        if known is not None:
            return _replayed(known, digest)
        if own_offers.count_offers_of(session, driver, now) >= MOST_OFFERS:
            raise Conflict("too_many_offers", most=MOST_OFFERS)
        own_offers.put_offer(session, KeptOffer(offer, OfferState.OPEN, key, digest, now), number)
        facts: dict[str, Fact] = {"offer": offer.offer_id}
        record(session, AuditLine(now, actor, "covoiturage.offered", f"person:{driver}", facts=facts))
        booked = _take_who_waits(session, ways, offer, now, number) if offer.at_once else []
        n_told = 0 if offer.at_once else _tell_who_looks(session, ways, offer, now)
    return Published(offer, n_told, booked, replayed=False)


def _replayed(known: KeptOffer, digest: str) -> Published:
    if known.body_sha256 != digest:
        raise Conflict("key_used_otherwise", key=known.key)
    return Published(known.offer, 0, (), replayed=True)


def digest_of(given: GivenOffer | GivenRequest | GivenBooking, key: str) -> str:
    """The hash of what somebody sent, for which a key stands.

    Raises:
        BadInput: `bad_key`.
    """
    if not (0 < len(key) <= 200 and key.isascii() and key.isprintable()):
        raise BadInput("bad_key")
    told = json.dumps(asdict(given), sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def make_offer(ways: Ways, driver: str, given: GivenOffer, line: Line | None, offer_id: str, now: datetime) -> Offer:
    """The offer that a driver means.

    Raises:
        BadInput: `offer_in_past`, `offer_too_far`, `ends_too_near`, `bad_place_name`, `price_above_cost`,
            `one_of_two`, and as `Offer`.
        NotFound: `unknown_line_stop`.
    """
    leaves = _leaves(given.leaves, now, at_once=given.at_once)
    if line is not None:
        halts = halts_of(line, given.from_stop, given.to_stop)
        fare = (0, 0, line.fare_cents, line.line_id, given.at_once)
        return Offer(offer_id, driver, halts, leaves, given.seats, *fare)
    if given.origin is None or given.destination is None or given.at_once:
        raise BadInput("one_of_two", one="origin", other="line")
    halts = _halts_between(ways, given.origin, given.destination)
    detour_s = given.detour_min * 60
    detour_m = round(detour_s * _DETOUR_M_PER_S) if given.detour_km is None else given.detour_km * 1000
    offer = Offer(offer_id, driver, halts, leaves, given.seats, detour_s, detour_m, given.price_cents)
    most = offer.length_m * COST_TENTHS // 10_000 // offer.seats
    if offer.price_cents > most:
        raise BadInput("price_above_cost", most=most)
    return offer


def _leaves(given: datetime | Weeks, now: datetime, *, at_once: bool) -> int | Weekly:
    if isinstance(given, Weeks):
        weekly = Weekly(frozenset(given.weekdays), given.clock, given.first, given.last)
        today = now.astimezone(PARIS).date()
        if weekly.last is not None and weekly.last < today:
            raise BadInput("offer_in_past")
        if weekly.first > today + PUBLISHED_AHEAD:
            raise BadInput("offer_too_far", days=PUBLISHED_AHEAD.days)
        return weekly
    leaves = now if at_once else given
    if leaves < now - CLOCKS_MAY_DIFFER:
        raise BadInput("offer_in_past")
    if leaves > now + PUBLISHED_AHEAD:
        raise BadInput("offer_too_far", days=PUBLISHED_AHEAD.days)
    return int(leaves.timestamp())


def halts_of(line: Line, from_stop: str, to_stop: str) -> tuple[Halt, ...]:
    """The stops that a driver passes between two of a line, in the direction in which they drive.

    Raises:
        NotFound: `unknown_line_stop`.
        BadInput: `ends_too_near`: they are one.
    """
    one, other = line.position_of(from_stop), line.position_of(to_stop)
    if one == other:
        raise BadInput("ends_too_near", metres=LEAST_WAY_M)
    stops = line.stops[one : other + 1] if one < other else line.stops[other : one + 1][::-1]
    begin = stops[0].distance_m
    along = [abs(stop.distance_m - begin) for stop in stops]
    return tuple(
        Halt(stop.name, stop.at, drive_s(metres), metres, stop.stop_id)
        for stop, metres in zip(stops, along, strict=True)
    )


def _halts_between(ways: Ways, origin: Named, destination: Named) -> tuple[Halt, Halt]:
    for place in (origin, destination):
        if not 0 < len(place.name) <= NAME_LETTERS or not place.name.isprintable():
            raise BadInput("bad_place_name", most=NAME_LETTERS)
    ((step_,),) = drive(ways, [origin.at], [destination.at])
    if step_[1] < LEAST_WAY_M:
        raise BadInput("ends_too_near", metres=LEAST_WAY_M)
    return Halt(origin.name, origin.at, 0, 0), Halt(destination.name, destination.at, *step_)


def withdraw(engine: Engine, offer_id: str, driver: str, actor: str, now: datetime) -> int:
    """Offer no more; those who hold seats are told that it is off. How many there were.

    Raises:
        NotFound: `unknown_offer`.
        Forbidden: `not_yours`.
        Conflict: `offer_gone`: it was withdrawn before.
    """
    with transaction(engine) as session:
        number = take_turn(session)
        kept = _own_open(session, offer_id, driver)
        n_off = _call_off(session, offer_id, None, now, number)
        own_offers.put_offer(session, replace(kept, state=OfferState.WITHDRAWN), number)
        facts: dict[str, Fact] = {"offer": offer_id, "n_bookings": n_off}
        record(session, AuditLine(now, actor, "covoiturage.offer_withdrawn", f"person:{driver}", facts=facts))
    return n_off


def rest_on(engine: Engine, offer_id: str, driver: str, day: date, actor: str, now: datetime) -> int:
    """Not leave on one day of a weekly offer; those who hold seats that day are told.

    Raises:
        NotFound: `unknown_offer`.
        Forbidden: `not_yours`.
        Conflict: `offer_gone`: it was withdrawn, or does not leave that day.
    """
    with transaction(engine) as session:
        number = take_turn(session)
        kept = _own_open(session, offer_id, driver)
        weekly = kept.offer.leaves
        if not isinstance(weekly, Weekly) or not weekly.is_on(day):
            raise Conflict("offer_gone")
        n_off = _call_off(session, offer_id, day, now, number)
        leaves = replace(weekly, but_not=weekly.but_not | {day})
        own_offers.put_offer(session, replace(kept, offer=replace(kept.offer, leaves=leaves)), number)
        facts: dict[str, Fact] = {"offer": offer_id, "n_bookings": n_off}
        record(session, AuditLine(now, actor, "covoiturage.offer_changed", f"person:{driver}", facts=facts))
    return n_off


def change_seats(engine: Engine, offer_id: str, driver: str, seats: int, actor: str, now: datetime) -> Offer:
    """Offer more or fewer seats, never fewer than are held.

    Raises:
        NotFound: `unknown_offer`.
        Forbidden: `not_yours`.
        BadInput: `bad_seats`.
        Conflict: `offer_gone`; `seats_held`.
    """
    with transaction(engine) as session:
        number = take_turn(session)
        kept = _own_open(session, offer_id, driver)
        offer = replace(kept.offer, seats=seats)
        by_day: dict[date, int] = {}
        for booking in own_bookings.list_of_outing(session, offer_id):
            if booking.taken.alight.instant > now.timestamp():
                by_day[booking.day] = by_day.get(booking.day, 0) + booking.seats
        held = max(by_day.values(), default=0)
        if held > seats:
            raise Conflict("seats_held", held=held)
        own_offers.put_offer(session, replace(kept, offer=offer), number)
        facts: dict[str, Fact] = {"offer": offer_id, "seats": seats}
        record(session, AuditLine(now, actor, "covoiturage.offer_changed", f"person:{driver}", facts=facts))
    return offer


def _own_open(session: Session, offer_id: str, driver: str) -> KeptOffer:
    kept = own_offers.get_offer(session, offer_id)
    if kept.offer.driver != driver:
        raise Forbidden("not_yours")
    if kept.state is not OfferState.OPEN:
        raise Conflict("offer_gone")
    return kept


def _call_off(session: Session, offer_id: str, day: date | None, now: datetime, number: int) -> int:
    """Cancel what is asked or confirmed and still to come."""
    off = [
        booking
        for booking in own_bookings.list_of_outing(session, offer_id, day)
        if booking.state in {BookingState.ASKED, BookingState.CONFIRMED}
        and booking.taken.board.instant > now.timestamp()
    ]
    for booking in off:
        step(session, booking, BookingState.CANCELLED, booking.passenger, now, number)
    return len(off)


def list_own_offers(engine: Engine, driver: str, now: datetime) -> Sequence[Offer]:
    """What somebody offers, the first published first."""
    with reading(engine) as session:
        return [kept.offer for kept in own_offers.list_offers_of(session, driver, now)]


def get_own_offer(engine: Engine, offer_id: str, driver: str) -> KeptOffer:
    """An offer of one's own.

    Raises:
        NotFound: `unknown_offer`: there is none, or it is somebody else's.
    """
    with reading(engine) as session:
        kept = own_offers.get_offer(session, offer_id)
    if kept.offer.driver != driver:
        raise NotFound("unknown_offer", offer=offer_id)
    return kept


# --- requests ---------------------------------------------------------------------------------


def ask(
    engine: Engine, ways: Ways, passenger: str, given: GivenRequest, line: Line | None, key: str, now: datetime
) -> Asked:
    """Look for a seat; whoever offers one later is shown, whoever passes at once takes the passenger along.

    Raises:
        BadInput: `bad_key`, `offer_in_past`, `offer_too_far`, `ends_too_near`,
            `bad_place_name`, `one_of_two`, or as `Wish`.
        NotFound: `unknown_line_stop`.
        Conflict: `key_used_otherwise`; `too_many_requests`.
    """
    digest = digest_of(given, key)
    if given.at < now - CLOCKS_MAY_DIFFER:
        raise BadInput("offer_in_past")
    if given.at > now + PUBLISHED_AHEAD:
        raise BadInput("offer_too_far", days=PUBLISHED_AHEAD.days)
    origin, destination = _ends_of(ways, given, line)
    wish = Wish(
        origin.at,
        destination.at,
        int(given.at.timestamp()),
        arrive_by=given.arrive_by,
        tolerance_s=given.tolerance_s,
        seats=given.seats,
        passenger=passenger,
    )
    line_id = "" if line is None else line.line_id
    ends_at = datetime.fromtimestamp(wish.at + wish.tolerance_s, UTC)
    about = (line_id, RequestState.OPEN, key, digest, ends_at, now)
    kept = KeptRequest(secrets.token_hex(12), wish, origin.name, destination.name, *about)
    with transaction(engine) as session:
        number = take_turn(session)
        known = own_offers.find_request_by_key(session, passenger, key)
        if known is not None:
            if known.body_sha256 != digest:
                raise Conflict("key_used_otherwise", key=key)
            return Asked(known, None, replayed=True)
        if len(own_offers.list_requests_of(session, passenger, now)) >= MOST_REQUESTS:
            raise Conflict("too_many_requests", most=MOST_REQUESTS)
        own_offers.put_request(session, kept)
        booked = _board_who_passes(session, ways, kept, now, number) if line_id else None
    return Asked(kept, booked, replayed=False)


def _ends_of(ways: Ways, given: GivenRequest, line: Line | None) -> tuple[Named, Named]:
    if line is not None:
        halts = halts_of(line, given.from_stop, given.to_stop)
    elif given.origin is None or given.destination is None:
        raise BadInput("one_of_two", one="origin", other="line")
    else:
        halts = _halts_between(ways, given.origin, given.destination)
    return Named(halts[0].name, halts[0].at), Named(halts[-1].name, halts[-1].at)


def give_up(engine: Engine, request_id: str, passenger: str) -> None:
    """Look for a seat no more.

    Raises:
        NotFound: `unknown_request`.
        Forbidden: `not_yours`.
    """
    with transaction(engine) as session:
        take_turn(session)
        kept = own_offers.get_request(session, request_id)
        if kept.wish.passenger != passenger:
            raise Forbidden("not_yours")
        own_offers.put_request(session, replace(kept, state=RequestState.WITHDRAWN))


def list_own_requests(engine: Engine, passenger: str, now: datetime) -> Sequence[KeptRequest]:
    """What somebody looks for."""
    with reading(engine) as session:
        return own_offers.list_requests_of(session, passenger, now)


# --- who meets whom ---------------------------------------------------------------------------


def find_match(session: Session, ways: Ways, offer: Offer, day: date, wish: Wish) -> Match | None:
    """The best way along with an offer on a day, beside those who are taken along."""
    leave_at = offer.find_leaving(day)
    if leave_at is None:
        return None
    taken = [booking.taken for booking in own_bookings.list_of_outing(session, offer.offer_id, day)]
    outing = plan_drive(offer, day, leave_at, taken, ways)
    (near,) = look_around([outing], wish, ways)
    return min(list_matches(outing, wish, near), key=lambda one: one.rank(wish), default=None)


def _take_who_waits(session: Session, ways: Ways, offer: Offer, now: datetime, number: int) -> list[Booking]:
    """Book those who wait at stops of the line that the driver is about to pass."""
    booked = []
    for request in own_offers.list_waiting(session, offer.line_id, now):
        booking = _join(session, ways, offer, request, now, number)
        if booking is not None:
            booked.append(booking)
    return booked


def _board_who_passes(session: Session, ways: Ways, request: KeptRequest, now: datetime, number: int) -> Booking | None:
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


def _tell_who_looks(session: Session, ways: Ways, offer: Offer, now: datetime) -> int:
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
