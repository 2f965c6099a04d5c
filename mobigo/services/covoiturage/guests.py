"""Guests: passengers whom a partner operator knows, in the cars of drivers of ours.

They have no account here: a pseudonym made of the operator and its user stands for them, the driver
answers as to anybody, and the partner is told. Whoever books is alone in doing so (`take_turn`), so that
partners and passengers of ours race for one seat by the same rule.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from covoiturage.bookings import Booking, BookingState
from covoiturage.crossing import SEATS, check_price, person_of, read_wishes, shown_name, state_after
from covoiturage.drives import Ways
from covoiturage.fields import Document, refuse, render_json
from covoiturage.offers import Meeting, Offer, Taken
from covoiturage.standard.bookings import booking_key, hash_words, read_operator
from mobigo.security import Keys
from mobigo.services.covoiturage.booking import (
    check_free,
    enter_booking,
    enter_message,
    find_match,
    is_theirs,
    step,
    wish_around,
)
from mobigo.services.covoiturage.given import NAME_LETTERS
from mobigo.services.covoiturage.keeping import kept_booking, message_place
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session
from mobigo.store.covoiturage import bookings as rows
from mobigo.store.covoiturage import own_bookings, own_offers
from mobigo.store.covoiturage.own_offers import KeptOffer, OfferState, take_turn
from mobigo.texts import text
from socle.errors import BadInput, Conflict, Fact, NotFound
from socle.times import PARIS

_ACTOR = "system:covoiturage.partner"
_SENT_AGAIN = timedelta(minutes=10)  # within which the same words of the same person are one message


def find_offer(session: Session, user: Document, operator: str) -> KeptOffer | None:
    """The offer of ours that a driver of the standard stands for, where `operator` is how partners know us."""
    is_ours = user["operator"].lower() in {operator, ""}
    if not is_ours or not own_offers.is_offer(session, user["id"]):
        return None
    return own_offers.get_offer(session, user["id"])


def enter(
    session: Session, ways: Ways, kept: KeptOffer, booking: Document, caller: str, now: datetime, number: int
) -> Booking:
    """Book a seat for a passenger of a partner, in its turn; `caller` is the operator that asks, if it showed a key.

    Raises:
        BadInput: `standard_field`; `offer_in_past`, `offer_too_far`; `offer_gone`; `seats_gone`; `booked_meanwhile`.
    """
    operator = _operator(booking["passenger"], caller, "passenger.operator")
    passenger = person_of(operator, booking["passenger"]["id"] or booking["id"])
    if kept.state is not OfferState.OPEN:
        raise BadInput("offer_gone")
    found = []
    for day, wish in read_wishes(booking, kept.offer, passenger, now):
        wish = wish_around(wish, now)
        match = find_match(session, ways, kept.offer, day, wish)
        if match is not None:
            found.append((match.rank(wish), match, wish))
    if not found:
        raise BadInput("seats_gone")
    _, match, wish = min(found, key=lambda one: one[0])
    try:
        check_free(session, passenger, match.board.instant, match.alight.instant)
    except Conflict as refused:  # the contract knows no 409 here
        raise BadInput(refused.code) from None
    key = booking_key(booking["id"])
    digest = hash_words(render_json(booking).decode())
    names = _names(booking)
    return enter_booking(session, match, wish, names, f"standard:{key}", digest, now, number, _ACTOR, operator, key)


def _operator(user: Document, caller: str, field: str) -> str:
    """The operator that speaks for somebody: the one that calls, or where nobody shows a key, the one they are of.

    Raises:
        BadInput: `standard_field`.
    """
    try:
        operator = read_operator(user["operator"])
    except BadInput:
        raise refuse(field, "domain name") from None
    if caller and operator != caller:
        raise refuse(field, caller)
    return operator


def _names(booking: Document) -> tuple[str, str]:
    otherwise = text("covoiturage.agreed_place")
    said = (booking.get(f"passenger{side}Address", "") for side in ("Pickup", "Drop"))
    pickup, drop = (shown_name(name, otherwise, NAME_LETTERS) for name in said)
    return pickup, drop


def take_status(session: Session, own: Booking, status: str, now: datetime, number: int) -> None:
    """Follow what a partner says of a booking of ours, in its turn; whoever is ours is written to.

    Raises:
        BadInput: `standard_driver_answers`.
    """
    to = state_after(own, status)
    if to is own.state:
        return
    ours = own.passenger if is_theirs(own, own.driver) else own.driver
    step(session, own, to, ours, now, number)
    facts: dict[str, Fact] = {"booking": own.booking_id, "state": to, "operator": own.operator}
    record(session, AuditLine(now, _ACTOR, "covoiturage.booking_moved", f"person:{ours}", facts=facts))


def note_words(session: Session, keys: Keys, own: Booking, words: str, now: datetime) -> None:
    """Keep what a partner says with a change, among the messages of the booking."""
    sender = own.driver if is_theirs(own, own.driver) else own.passenger
    if words.strip():
        sealed = keys.seal(words.strip(), message_place(own.booking_id))
        own_bookings.add_message(session, own.booking_id, sender, f"standard:{secrets.token_hex(12)}", sealed, now)


def priced(booking: Document, offer: Offer) -> Document:
    """A partner's booking with the price that is asked here.

    Raises:
        BadInput: `standard_field`: it says another.
    """
    return booking | {"price": check_price(booking, offer.price_cents)}


# --- messages ---------------------------------------------------------------------------------


def take_words(session: Session, keys: Keys, message: Document, operator: str, caller: str, now: datetime) -> bool:
    """Give a message of somebody of a partner to whoever it is for; False when it is for nobody of ours.

    What the same person sends again within minutes is the same message: the contract has no key for it.

    Raises:
        BadInput: `standard_field`; `message_empty`; `booking_settled`; `too_many_messages`.
    """
    kept = find_offer(session, message["to"], operator)
    own = None if kept is not None else _booking_of_passenger(session, message["to"], operator)
    if kept is None and own is None:
        return False
    number = take_turn(session)
    sender_operator = _operator(message["from"], caller, "from.operator")
    sender = person_of(sender_operator, message["from"]["id"])
    if kept is not None:
        own = _booking_of_guest(session, kept, message, sender_operator, sender, now, number)
    elif own is not None:
        if own.operator != sender_operator:
            raise refuse("from.operator", own.operator)
        sender = own.driver
    words = message["message"].strip()
    if not words:
        raise BadInput("message_empty")
    if own is None or _is_known(session, keys, own, sender, words, now):
        return True
    try:
        enter_message(session, keys, own, sender, words, f"standard:{secrets.token_hex(12)}", now, number)
    except Conflict as refused:  # the contract knows no 409 here
        raise BadInput(refused.code, **refused.facts) from None
    return True


def _booking_of_passenger(session: Session, user: Document, operator: str) -> Booking | None:
    """The booking of a passenger of ours with a driver of a partner, who knows them by it."""
    if user["operator"].lower() not in {operator, ""} or not user["id"].isalnum() or not user["id"].isascii():
        return None
    try:
        own = own_bookings.get_booking(session, user["id"])
    except NotFound:
        return None
    return own if is_theirs(own, own.driver) else None


def _booking_of_guest(
    session: Session, kept: KeptOffer, message: Document, operator: str, sender: str, now: datetime, number: int
) -> Booking:
    """What the message is about: the booking that it names, the sender's last one of the offer, else a question."""
    if "bookingId" in message:
        own = own_bookings.find_of_partner(session, booking_key(message["bookingId"]))
        if own is not None and own.offer_id == kept.offer.offer_id and own.operator == operator:
            return own
    return own_bookings.find_last_of_guest(session, kept.offer.offer_id, sender) or _ask(
        session, kept, message, operator, sender, now, number
    )


def _ask(
    session: Session, kept: KeptOffer, message: Document, operator: str, sender: str, now: datetime, number: int
) -> Booking:
    """Keep a question about an offer: it holds no seat, and is told beside the bookings of the next day it leaves."""
    offer, today = kept.offer, now.astimezone(PARIS).date()
    days = offer.list_days(today, today + timedelta(days=400))
    day = next((one for one in days if (offer.find_leaving(one) or 0) > now.timestamp()), None)
    leave_at = None if day is None else offer.find_leaving(day)
    if day is None or leave_at is None or kept.state is not OfferState.OPEN:
        raise BadInput("offer_gone")
    last = len(offer.halts) - 1
    board, alight = (Meeting(offer.halts[n].at, leave_at + offer.halts[n].after_s, n) for n in (0, last))
    booking_id = secrets.token_hex(12)
    key = booking_key(booking_id)
    promised = (board.instant, alight.instant)
    own = Booking(
        booking_id,
        offer.offer_id,
        day,
        offer.driver,
        sender,
        Taken(booking_id, SEATS, board, alight, promised),
        offer.halts[0].name,
        offer.halts[last].name,
        offer.length_m,
        offer.price_cents,
        BookingState.QUESTION,
        offer.line_id,
        operator,
        key,
    )
    document = {
        "id": booking_id,
        "driver": message["to"],
        "passenger": message["from"],
        "status": "WAITING_CONFIRMATION",
        "price": {},
    }
    rows.add_booking(session, kept_booking(document, operator), now)
    own_bookings.put_booking(session, own, f"standard:{key}", hash_words(key), now, number)
    return own


def _is_known(session: Session, keys: Keys, own: Booking, sender: str, words: str, now: datetime) -> bool:
    """Whether the same person wrote just this a moment ago."""
    place = message_place(own.booking_id)
    return any(
        one.sender == sender and one.at >= now - _SENT_AGAIN and keys.open(one.sealed, place) == words
        for one in own_bookings.list_messages(session, own.booking_id)
    )
