"""Offering: drivers publish, change and withdraw the seats they offer.

What is sent again under the same key is the same offer; the key with another body is refused.
A new offer is told to those who look for such a ride; one that leaves now along a line takes along at
once those who wait at its stops, who have waited longest first.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Engine

from covoiturage.bookings import Booking, BookingState
from covoiturage.drives import Ways
from covoiturage.lines import Line
from covoiturage.offers import Offer, Weekly
from mobigo.services.covoiturage.booking import step
from mobigo.services.covoiturage.given import (
    PUBLISHED_AHEAD,
    GivenOffer,
    Weeks,
    check_instant,
    digest_of,
    halts_between,
    halts_of,
)
from mobigo.services.covoiturage.joining import take_who_waits, tell_who_looks
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, reading, transaction
from mobigo.store.covoiturage import own_bookings, own_offers
from mobigo.store.covoiturage.own_offers import KeptOffer, OfferState, take_turn
from socle.errors import BadInput, Conflict, Fact, Forbidden, NotFound
from socle.times import PARIS

MOST_OFFERS = 50  # open, of one driver
COST_TENTHS = 529  # of a cent per km: what a trip costs its driver (note, section 2.2)
_DETOUR_M_PER_S = 1000 / 60  # a minute of detour is a kilometre, unless the driver says otherwise


@dataclass(frozen=True, slots=True)
class Published:
    """What became of an offer: those who look for such a ride were told, those who waited are taken along."""

    offer: Offer
    n_told: int
    booked: Sequence[Booking]
    replayed: bool


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
        booked = take_who_waits(session, ways, offer, now, number) if offer.at_once else []
        n_told = 0 if offer.at_once else tell_who_looks(session, ways, offer, now)
    return Published(offer, n_told, booked, replayed=False)


def _replayed(known: KeptOffer, digest: str) -> Published:
    if known.body_sha256 != digest:
        raise Conflict("key_used_otherwise", key=known.key)
    return Published(known.offer, 0, (), replayed=True)


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
    halts = halts_between(ways, given.origin, given.destination)
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
    check_instant(leaves, now)
    return int(leaves.timestamp())


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
