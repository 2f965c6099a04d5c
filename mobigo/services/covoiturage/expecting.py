"""Expecting: the outings that a driver has passengers for today, whom they meet where, and the course of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from sqlalchemy import Engine

from covoiturage.boarding import Outing, Stop
from covoiturage.bookings import Booking, BookingState
from covoiturage.drives import Ways, plan_drive
from covoiturage.offers import Offer
from mobigo.security import Keys
from mobigo.services.covoiturage.booking import list_of_driver
from mobigo.services.covoiturage.outings import Course, course_of_line
from mobigo.store.base import Session, reading
from mobigo.store.covoiturage import own_bookings
from mobigo.store.covoiturage.own_offers import get_offer
from mobigo.store.people.accounts import get_by_pseudonym, get_identity
from socle.errors import NotFound
from socle.times import PARIS

_BEFORE, _AFTER = timedelta(hours=2), timedelta(hours=4)  # of the opening: who is met in this outing, not in the next


@dataclass(frozen=True, slots=True)
class Expected:
    """Somebody who booked: the first name, empty when there is none; where and when they are met, and left.

    `operator`: the partner that knows them; they have no account to scan with, and board on the driver's word.
    """

    booking_id: str
    first_name: str
    operator: str
    seats: int
    board_name: str
    board_at: int
    alight_name: str
    reference: str


@dataclass(frozen=True, slots=True)
class Departure:
    """An outing of today that somebody booked: what was offered, when it leaves, and who comes along."""

    offer: Offer
    leave_at: int
    expected: Sequence[Expected]


def list_departures(engine: Engine, keys: Keys, driver: str, now: datetime) -> Sequence[Departure]:
    """The outings of today in which a driver is to meet somebody, the next one first."""
    day = now.astimezone(PARIS).date()
    with reading(engine) as session:
        by_offer: dict[str, list[Booking]] = {}
        for booking in _confirmed(session, driver, now):
            by_offer.setdefault(booking.offer_id, []).append(booking)
        found = []
        for offer_id, own in by_offer.items():
            offer = get_offer(session, offer_id).offer
            leave_at = offer.find_leaving(day)
            if leave_at is not None:
                found.append(Departure(offer, leave_at, [_expected(session, keys, one) for one in own]))
    return sorted(found, key=lambda one: (one.leave_at, one.offer.offer_id))


def list_expected(engine: Engine, keys: Keys, outing: Outing) -> Sequence[Expected]:
    """Who is still to be met by a car on its way: at its stops, around now."""
    begin, end = outing.opened_at - _BEFORE, outing.opened_at + _AFTER
    places = {stop.at for stop in outing.stops}
    with reading(engine) as session:
        return [
            _expected(session, keys, one)
            for one in _confirmed(session, outing.driver, outing.opened_at)
            if one.line_id == (outing.line_id or "")
            and one.taken.board.at in places
            and begin.timestamp() <= one.taken.board.instant <= end.timestamp()
        ]


def course_of_offer(engine: Engine, ways: Ways, driver: str, offer_id: str, now: datetime) -> tuple[Course, str]:
    """Where a driver goes by today with those who booked, and the stop where they set out.

    Raises:
        NotFound: `unknown_offer`: there is none, it is somebody else's, or it does not leave today.
    """
    day = now.astimezone(PARIS).date()
    with reading(engine) as session:
        offer = get_offer(session, offer_id).offer
        leave_at = offer.find_leaving(day)
        if offer.driver != driver or leave_at is None:
            raise NotFound("unknown_offer", offer=offer_id)
        held = own_bookings.list_of_outing(session, offer_id, day)
    if offer.line_id:
        return course_of_line(engine, offer.line_id, day), offer.halts[0].stop_id
    confirmed = [one for one in held if one.state is not BookingState.ASKED]
    outing = plan_drive(offer, day, leave_at, [one.taken for one in confirmed], ways)
    names = {n: offer.halts[call.halt].name for n, call in enumerate(outing.calls) if call.halt >= 0}
    by_key = {one.taken.key: one for one in confirmed}
    for key, board, alight in outing.held:
        names.setdefault(board, by_key[key].board_name)
        names.setdefault(alight, by_key[key].alight_name)
    along = accumulate((metres for _, metres in outing.legs), initial=0)
    stops: list[Stop] = []
    for n, (call, metres) in enumerate(zip(outing.calls, along, strict=True)):
        if not stops or (stops[-1].name, stops[-1].at) != (names[n], call.at):  # two who are met together
            stops.append(Stop(f"{n + 1}", names[n], metres, call.at))
    return Course(tuple(stops)), stops[0].stop_id


def _confirmed(session: Session, driver: str, now: datetime) -> Sequence[Booking]:
    return [one for one in list_of_driver(session, driver, now) if one.state is BookingState.CONFIRMED]


def _expected(session: Session, keys: Keys, booking: Booking) -> Expected:
    try:
        name = get_identity(session, keys, get_by_pseudonym(session, booking.passenger).person_id).name
    except NotFound:
        name = ""
    return Expected(
        booking.booking_id,
        name.split(" ")[0],
        booking.operator,
        booking.seats,
        booking.board_name,
        booking.taken.board.instant,
        booking.alight_name,
        booking.reference,
    )
