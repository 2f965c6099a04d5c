"""Booking: seats are asked for, confirmed or refused, cancelled, and the two people write each other.

Whoever books is alone in changing offers and bookings until it is done (`take_turn`), and the match is
made again from what is booked by then: no seat is given twice, whoever races for it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Engine

from covoiturage.bookings import Booking as Booking  # named in the signatures of doors
from covoiturage.bookings import BookingState as BookingState
from covoiturage.bookings import Party as Party
from covoiturage.bookings import check_move
from covoiturage.drives import Ways, list_matches, plan_drive
from covoiturage.matching import look_around
from covoiturage.offers import KEPT_S, Match, Offer, Taken, Wish
from mobigo.security import Keys
from mobigo.services.covoiturage.keeping import message_place
from mobigo.services.covoiturage.notifying import tell
from mobigo.services.covoiturage.telling import follow, send_words
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, reading, transaction
from mobigo.store.covoiturage import own_bookings, own_offers
from mobigo.store.covoiturage.own_offers import OfferState, RequestState, take_turn
from socle.errors import BadInput, Conflict, Fact, NotFound
from socle.times import PARIS

MESSAGE_LETTERS = 500
MOST_MESSAGES = 60  # in one booking, of both together
WRITES_AFTER = timedelta(days=7)  # for what was forgotten in the car
LOOKS_BACK = timedelta(days=60)
MOST_SHOWN = 100
_GONE = frozenset({BookingState.REFUSED, BookingState.CANCELLED})
_LETTERS = {
    BookingState.CONFIRMED: "confirmed",
    BookingState.REFUSED: "refused",
    BookingState.CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True)
class GivenBooking:
    """What a passenger books: an offer on a day, for the wish by which it was found; `board_at` as it was shown."""

    offer_id: str
    day: date
    wish: Wish
    origin_name: str
    destination_name: str
    board_at: int | None = None


@dataclass(frozen=True, slots=True)
class Booked:
    """What became of it; `replayed` when it was known."""

    booking: Booking
    replayed: bool


@dataclass(frozen=True, slots=True)
class Message:
    """What one of the two wrote."""

    is_mine: bool
    text: str
    at: datetime


def wish_around(wish: Wish, now: datetime) -> Wish:
    """A wish for nothing that has left."""
    return replace(wish, not_before=int(now.timestamp()))


def book(engine: Engine, ways: Ways, given: GivenBooking, digest: str, key: str, actor: str, now: datetime) -> Booked:
    """Ask for seats; with a driver who leaves at once they are confirmed.

    Raises:
        NotFound: `unknown_offer`.
        BadInput: `own_offer`.
        Conflict: `key_used_otherwise`; `offer_gone`; `seats_gone`: nobody fits in any more; `match_changed`: one
            would be met at another time; `booked_meanwhile`: the passenger rides elsewhere then.
    """
    wish = wish_around(given.wish, now)
    with transaction(engine) as session:
        number = take_turn(session)
        known = own_bookings.find_by_key(session, wish.passenger, key)
        if known is not None:
            if known[1] != digest:
                raise Conflict("key_used_otherwise", key=key)
            return Booked(known[0], replayed=True)
        kept = own_offers.get_offer(session, given.offer_id)
        if kept.offer.driver == wish.passenger:
            raise BadInput("own_offer")
        if kept.state is not OfferState.OPEN or kept.offer.find_leaving(given.day) is None:
            raise Conflict("offer_gone")
        match = find_match(session, ways, kept.offer, given.day, wish)
        if match is None:
            raise Conflict("seats_gone")
        if given.board_at is not None and abs(match.board.instant - given.board_at) > KEPT_S:
            raise Conflict("match_changed")
        check_free(session, wish.passenger, match.board.instant, match.alight.instant)
        names = (given.origin_name, given.destination_name)
        booking = enter_booking(session, match, wish, names, key, digest, now, number, actor)
        for request in own_offers.list_requests_of(session, wish.passenger, now):
            if abs(request.wish.at - wish.at) <= request.wish.tolerance_s:
                own_offers.put_request(session, replace(request, state=RequestState.MET))
    return Booked(booking, replayed=False)


def find_match(session: Session, ways: Ways, offer: Offer, day: date, wish: Wish) -> Match | None:
    """The best way along with an offer on a day, beside those who are taken along."""
    leave_at = offer.find_leaving(day)
    if leave_at is None:
        return None
    taken = [booking.taken for booking in own_bookings.list_of_outing(session, offer.offer_id, day)]
    outing = plan_drive(offer, day, leave_at, taken, ways)
    (near,) = look_around([outing], wish, ways)
    return min(list_matches(outing, wish, near), key=lambda one: one.rank(wish), default=None)


def check_free(session: Session, passenger: str, begin: int, end: int) -> None:
    """Refuse a passenger who rides elsewhere between two instants.

    Raises:
        Conflict: `booked_meanwhile`.
    """
    during = (datetime.fromtimestamp(one, UTC) for one in (begin, end))
    if own_bookings.count_of_passenger(session, passenger, *during):
        raise Conflict("booked_meanwhile")


def enter_booking(
    session: Session,
    match: Match,
    wish: Wish,
    names: tuple[str, str],
    key: str,
    digest: str,
    now: datetime,
    number: int,
    actor: str = "",
    operator: str = "",
    partner_key: str = "",
) -> Booking:
    """Keep a booking of a match that was just made, in its turn; those who are met later by it are moved.

    `operator`, `partner_key`: the passenger is known at a partner, whose booking is kept under that key.
    """
    offer = match.offer
    halts = [offer.halts[meeting.halt] if meeting.halt >= 0 else None for meeting in (match.board, match.alight)]
    board_name, alight_name = (name if halt is None else halt.name for halt, name in zip(halts, names, strict=True))
    booking_id = secrets.token_hex(12)
    promised = match.board.instant, match.alight.instant
    booking = Booking(
        booking_id,
        offer.offer_id,
        match.day,
        offer.driver,
        wish.passenger,
        Taken(booking_id, wish.seats, match.board, match.alight, promised),
        board_name,
        alight_name,
        match.ride_m,
        offer.price_cents * wish.seats,
        BookingState.CONFIRMED if offer.at_once else BookingState.ASKED,
        offer.line_id,
        operator,
        partner_key,
    )
    own_bookings.put_booking(session, booking, key, digest, now, number)
    for other, (board_at, alight_at) in match.moved.items():
        own_bookings.move_booking(session, other, board_at, alight_at, number)
    facts: dict[str, Fact] = {"booking": booking_id, "seats": wish.seats}
    if operator:
        facts["operator"] = operator
    who = actor or f"person:{wish.passenger}"
    record(session, AuditLine(now, who, "covoiturage.booked", f"person:{wish.passenger}", facts=facts))
    tell(session, offer.driver, "taken" if offer.at_once else "asked", booking_id, now, number)
    return booking


# --- steps ------------------------------------------------------------------------------------


def move(engine: Engine, booking_id: str, to: BookingState, who: str, actor: str, now: datetime) -> Booking:
    """Take a booking a step on, for one of its two people; the other is told.

    Raises:
        NotFound: `unknown_booking`, also to everybody else.
        Forbidden: `not_your_step`.
        Conflict: as `check_move`.
    """
    with transaction(engine) as session:
        number = take_turn(session)
        booking = _own(session, booking_id, who)
        party = booking.party_of(who)
        if to not in {*_LETTERS, BookingState.ABSENT}:
            raise BadInput("unknown_step")
        check_move(booking, to, party, int(now.timestamp()))
        other = booking.passenger if party is Party.DRIVER else booking.driver
        facts: dict[str, Fact] = {"booking": booking_id, "state": to}
        record(session, AuditLine(now, actor, "covoiturage.booking_moved", f"person:{booking.passenger}", facts=facts))
        return step(session, booking, to, other, now, number)


def step(session: Session, booking: Booking, to: BookingState, told: str, now: datetime, number: int) -> Booking:
    """Keep the new state of a booking, in its turn, and write to `told`, or have the partner that knows them told."""
    own_bookings.set_state(session, booking.booking_id, to, number)
    if booking.operator:
        follow(session, booking, to, now)
    if to in _LETTERS and not is_theirs(booking, told):
        tell(session, told, _LETTERS[to], booking.booking_id, now, number)
    return replace(booking, state=to)


def is_theirs(booking: Booking, pseudonym: str) -> bool:
    """Whether somebody of a booking is known at a partner, and has no account here."""
    theirs = booking.theirs
    return theirs is not None and pseudonym == (booking.passenger if theirs is Party.PASSENGER else booking.driver)


def note_boarded(session: Session, booking_id: str, now: datetime) -> Booking:
    """The passenger is in the car, as the outing says.

    Raises:
        NotFound: `unknown_booking`.
        Conflict: `booking_settled`.
    """
    return _noted(session, booking_id, BookingState.ABOARD, now)


def note_alighted(session: Session, booking_id: str, now: datetime) -> Booking:
    """The passenger has left the car, as the outing says.

    Raises:
        NotFound: `unknown_booking`.
        Conflict: `booking_settled`.
    """
    return _noted(session, booking_id, BookingState.DONE, now)


def note_absent(session: Session, booking_id: str, now: datetime) -> Booking:
    """Nobody came, as the outing says.

    Raises:
        NotFound: `unknown_booking`.
        Conflict: `booking_settled`, `ride_to_come`.
    """
    return _noted(session, booking_id, BookingState.ABSENT, now)


def _noted(session: Session, booking_id: str, to: BookingState, now: datetime) -> Booking:
    number = take_turn(session)
    booking = own_bookings.get_booking(session, booking_id)
    check_move(booking, to, Party.OUTING, int(now.timestamp()))
    return step(session, booking, to, "", now, number)


# --- what there is ----------------------------------------------------------------------------


def get_own_booking(engine: Engine, booking_id: str, who: str) -> Booking:
    """A booking, for its two people.

    Raises:
        NotFound: `unknown_booking`, also to everybody else.
    """
    with reading(engine) as session:
        return _own(session, booking_id, who)


def _own(session: Session, booking_id: str, who: str) -> Booking:
    booking = own_bookings.get_booking(session, booking_id)
    if who not in {booking.driver, booking.passenger}:
        raise NotFound("unknown_booking", booking=booking_id)
    return booking


def list_own_bookings(engine: Engine, who: str, now: datetime) -> Sequence[Booking]:
    """Somebody's bookings on either side, of the last weeks and to come."""
    with reading(engine) as session:
        return own_bookings.list_of_person(session, who, now - LOOKS_BACK, MOST_SHOWN)


def list_of_driver(session: Session, driver: str, now: datetime) -> Sequence[Booking]:
    """Who is to be met by a driver today, in the order in which they are."""
    return own_bookings.list_of_driver(session, driver, now.astimezone(PARIS).date())


# --- messages ---------------------------------------------------------------------------------


def write_message(engine: Engine, keys: Keys, booking_id: str, who: str, text: str, key: str, now: datetime) -> bool:
    """Write to the other of a booking; False when it was written before under this key.

    Raises:
        NotFound: `unknown_booking`, also to everybody else.
        BadInput: `bad_key`; `message_empty`; `message_long`.
        Conflict: `key_used_otherwise`; `too_many_messages`; `booking_settled`: it is off, or long over.
    """
    written = text.strip()
    if not written:
        raise BadInput("message_empty")
    if len(written) > MESSAGE_LETTERS:
        raise BadInput("message_long", most=MESSAGE_LETTERS)
    if not (0 < len(key) <= 200 and key.isascii() and key.isprintable()):
        raise BadInput("bad_key")
    with transaction(engine) as session:
        number = take_turn(session)
        booking = _own(session, booking_id, who)
        before = own_bookings.find_message(session, booking_id, who, key)
        if before is not None:
            if keys.open(before.sealed, message_place(booking_id)) != written:
                raise Conflict("key_used_otherwise", key=key)
            return False
        enter_message(session, keys, booking, who, written, key, now, number)
    return True


def enter_message(
    session: Session, keys: Keys, booking: Booking, who: str, text: str, key: str, now: datetime, number: int
) -> None:
    """Keep a message sealed, in its turn; the other is written to, or the partner that knows them is sent it.

    Raises:
        Conflict: `booking_settled`; `too_many_messages`.
    """
    if not may_write(booking, now):
        raise Conflict("booking_settled", state=booking.state)
    if len(own_bookings.list_messages(session, booking.booking_id)) >= MOST_MESSAGES:
        raise Conflict("too_many_messages", most=MOST_MESSAGES)
    sealed = keys.seal(text, message_place(booking.booking_id))
    message_id = own_bookings.add_message(session, booking.booking_id, who, key, sealed, now)
    other = booking.passenger if who == booking.driver else booking.driver
    if is_theirs(booking, other):
        send_words(session, booking, message_id, now)
    else:
        tell(session, other, "message", booking.booking_id, now, number)


def may_write(booking: Booking, now: datetime) -> bool:
    """Whether the two may still write each other."""
    over = datetime.fromtimestamp(booking.taken.alight.instant, UTC) + WRITES_AFTER
    return booking.state not in _GONE and now < over


def read_messages(engine: Engine, keys: Keys, booking_id: str, who: str) -> Sequence[Message]:
    """What the two of a booking wrote, for them alone.

    Raises:
        NotFound: `unknown_booking`, also to everybody else.
    """
    with reading(engine) as session:
        _own(session, booking_id, who)
        kept = own_bookings.list_messages(session, booking_id)
    return [Message(one.sender == who, keys.open(one.sealed, message_place(booking_id)), one.at) for one in kept]
