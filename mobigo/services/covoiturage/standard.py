"""Standard: what partner operators search, book and say here, as the standard-covoiturage contract has it.

A partner sees and changes the bookings that its people have a part in, or that it made known; all
others are missing to it. Where the interface is left open everybody sees everything: it is for trying.
What concerns a driver or a passenger of ours goes on in `guests`: they answer, and nobody for them. Such a
booking is changed in its turn (`take_turn`), taken before the row is, as everywhere else.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from covoiturage.bookings import Booking
from covoiturage.drives import Ways
from covoiturage.fields import Document, render_json
from covoiturage.standard import bookings
from covoiturage.standard.boards import JourneyBoard, Rank, TripBoard
from covoiturage.standard.bookings import Person, booking_key, hash_words
from covoiturage.standard.imports import OfferKind
from covoiturage.standard.questions import JourneyQuestion, TripQuestion
from mobigo.security import Keys
from mobigo.services.covoiturage import guests
from mobigo.services.covoiturage.keeping import NOBODY, keep_people, kept_booking, kept_message
from mobigo.services.covoiturage.telling import tell_others
from mobigo.store.base import Session, reading, transaction
from mobigo.store.covoiturage import bookings as rows
from mobigo.store.covoiturage import own_bookings
from mobigo.store.covoiturage.bookings import KeptMessage
from mobigo.store.covoiturage.offers import Version, get_version, list_documents
from mobigo.store.covoiturage.own_offers import take_turn
from mobigo.store.covoiturage.partners import find_key
from mobigo.store.recall import is_known, recall
from socle.errors import BadInput, Conflict, NotFound, NotSignedIn

KEY_PREFIX = "partner"


# --- who calls --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Caller:
    """The operator that calls; `key_id` of its key. Both are empty where the interface is open."""

    operator: str = ""
    key_id: str = ""

    def has_part_in(self, booking: Document, creator: str) -> bool:
        """Whether the caller may see and change a booking."""
        return not self.operator or self.operator == creator or self.operator in bookings.operators_of(booking)


def get_caller(engine: Engine, keys: Keys, shown: str) -> Caller:
    """Who shows this key.

    Raises:
        NotSignedIn: `bad_token`.
    """
    key_id, secret = _parts_of(shown)
    found = recall(engine, find_key, key_id) if key_id else None
    if found is None or found[0].revoked_at is not None or not keys.is_token(found[1], secret):
        raise NotSignedIn("bad_token")
    return Caller(found[0].operator, key_id)


def is_caller_known(engine: Engine, shown: str) -> bool:
    """Whether `get_caller` would say without a look at the database whose key this is."""
    key_id, _ = _parts_of(shown)
    return not key_id or is_known(engine, find_key, key_id)


def _parts_of(shown: str) -> tuple[str, str]:
    """The id and the secret of a key; empty when it is none."""
    prefix, _, rest = shown.partition("_")
    key_id, _, secret = rest.partition("_")
    is_key = prefix == KEY_PREFIX and key_id.isalnum() and key_id.isascii()
    return (key_id, secret) if is_key else ("", "")


# --- searches ---------------------------------------------------------------------------------


class OfferBoards:
    """What searches look at: the offers of each kind in memory, read again when they have changed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._journeys: dict[OfferKind, tuple[Version, JourneyBoard, list[bytes]]] = {}
        self._trips: dict[OfferKind, tuple[Version, TripBoard, list[bytes]]] = {}

    def find_journeys(self, kind: OfferKind, question: JourneyQuestion) -> list[tuple[Rank, bytes]]:
        """The journeys that answer, as JSON, each after its rank."""
        return self._find(kind, question, self._journeys, JourneyBoard)

    def find_trips(self, kind: OfferKind, question: TripQuestion) -> list[tuple[Rank, bytes]]:
        """The regular trips that answer, as JSON, each after its rank."""
        return self._find(kind, question, self._trips, TripBoard)

    def read_all(self) -> None:
        """Read what no search has asked for yet."""
        for kind in OfferKind:
            if kind in {OfferKind.DRIVER_REGULAR_TRIP, OfferKind.PASSENGER_REGULAR_TRIP}:
                self._read(kind, self._trips, TripBoard)
            else:
                self._read(kind, self._journeys, JourneyBoard)

    def _find(
        self, kind: OfferKind, question: Any, kept: dict[OfferKind, tuple[Version, Any, list[bytes]]], make: Any
    ) -> list[tuple[Rank, bytes]]:
        _, board, bodies = self._read(kind, kept, make)
        return [(rank, bodies[position]) for rank, position in board.find(question)]

    def _read(
        self, kind: OfferKind, kept: dict[OfferKind, tuple[Version, Any, list[bytes]]], make: Any
    ) -> tuple[Version, Any, list[bytes]]:
        version, found = recall(self._engine, get_version), kept.get(kind)
        if found is None or found[0] != version:
            with self._lock, reading(self._engine) as session:
                version, found = get_version(session), kept.get(kind)
                if found is None or found[0] != version:
                    texts = list_documents(session, kind)
                    found = version, make([json.loads(each) for each in texts]), [each.encode() for each in texts]
                    kept[kind] = found
        return found


# --- bookings ---------------------------------------------------------------------------------


def book(engine: Engine, ways: Ways, caller: Caller, here: str, booking: Document, now: datetime) -> Document:
    """Take a booking that an operator begins; `here` is our own domain. The booking as it is kept.

    A seat of a driver of ours is asked for as by anybody, at the price that the driver asks.

    Raises:
        BadInput: `standard_first_status`, `standard_booking_known`; `standard_no_such_driver`: one of ours who
            offers nothing; and as `guests.enter`.
    """
    bookings.check_new(booking)
    with transaction(engine) as session:
        offer = guests.find_offer(session, booking["driver"], here)
        number = 0
        if offer is not None:
            number = take_turn(session)
            session.expire_all()
            offer = guests.find_offer(session, booking["driver"], here)
        elif _is_of(booking["driver"], here) and not rows.is_user(session, Person(here, booking["driver"]["id"]).key):
            raise BadInput("standard_no_such_driver")
        kept = booking if offer is None else guests.priced(booking, offer.offer)
        if not rows.add_booking(session, kept_booking(kept, caller.operator), now):
            raise BadInput("standard_booking_known")
        if offer is not None:
            guests.enter(session, ways, offer, kept, caller.operator, now, number)
        keep_people(session, kept, now)
        tell_others(session, kept, caller.operator, now)
    return kept


def _is_of(user: Document, operator: str) -> bool:
    return bool(operator) and user["operator"].lower() == operator


def get_booking(engine: Engine, caller: Caller, booking_id: str) -> Document:
    """A booking that the caller has a part in.

    Raises:
        NotFound: `missing_booking`.
    """
    with reading(engine) as session:
        return _get(session, caller, booking_id)[0]


def change_status(
    engine: Engine, keys: Keys, caller: Caller, booking_id: str, status: str, said: str, now: datetime
) -> None:
    """Move a booking up the ladder; what is `said` with it is kept, and read by whoever of ours it is about.

    Raises:
        NotFound: `missing_booking`.
        Conflict: `status_already_set`.
    """
    with transaction(engine) as session:
        own, number = _turn_of(session, booking_key(booking_id))
        booking, creator = _get(session, caller, booking_id, to_change=True)
        changed = bookings.moved(booking, status)
        kept = kept_booking(changed, creator)
        if own is not None:
            guests.take_status(session, own, status, now, number)
            guests.note_words(session, keys, own, said, now)
        rows.change_booking(session, kept, now)
        if said and own is None:
            document = render_json({"message": said, "status": status}).decode()
            rows.add_message(session, KeptMessage(NOBODY, NOBODY, kept.key, document), now)
        tell_others(session, changed, caller.operator, now)


def take_event(engine: Engine, caller: Caller, event: Document, now: datetime) -> None:
    """Take what an operator tells of a booking; the same event again changes nothing.

    Raises:
        BadInput: `standard_event_changed`: it had another body before; `standard_booking_known`: the
            booking is others'; `status_already_set`.
    """
    key = hash_words(caller.operator, event["id"].lower())
    data = event["data"]
    digest = hash_words(render_json(data).decode())  # a token is a new one each time
    with transaction(engine) as session:
        known_key = booking_key(data["id"])
        own, number = _turn_of(session, known_key)
        kept = rows.find_booking(session, known_key, to_change=True)
        before = rows.find_event(session, key)
        if before is not None:
            if before != digest:
                raise BadInput("standard_event_changed")
            return
        if kept is None:
            booking, creator = bookings.booking_of_event(data), caller.operator
            if not rows.add_booking(session, kept_booking(booking, creator), now):
                raise BadInput("standard_booking_known")
        else:
            known = json.loads(kept.document)
            if not caller.has_part_in(known, kept.creator):
                raise BadInput("standard_booking_known")
            booking, creator = _after_event(known, data), kept.creator
            if own is not None:
                guests.take_status(session, own, data["status"], now, number)
            rows.change_booking(session, kept_booking(booking, creator), now)
        if not rows.add_event(session, key, known_key, digest, now):
            raise BadInput("standard_event_changed")
        keep_people(session, booking, now)
        tell_others(session, booking, caller.operator, now)


def _after_event(known: Document, data: Document) -> Document:
    try:
        return bookings.after_event(known, data)
    except Conflict as refused:  # the contract knows no 409 here
        raise BadInput(refused.code, **refused.facts) from None


def _turn_of(session: Session, partner_key: str) -> tuple[Booking | None, int]:
    """The booking of one of ours behind a partner's, as it is once nobody else changes it."""
    if own_bookings.find_of_partner(session, partner_key) is None:
        return None, 0
    number = take_turn(session)
    session.expire_all()
    return own_bookings.find_of_partner(session, partner_key), number


def _get(session: Session, caller: Caller, booking_id: str, *, to_change: bool = False) -> tuple[Document, str]:
    """A booking and who made it known."""
    kept = rows.find_booking(session, booking_key(booking_id), to_change=to_change)
    booking: Document = {} if kept is None else json.loads(kept.document)
    if kept is None or not caller.has_part_in(booking, kept.creator):
        raise NotFound("missing_booking")
    return booking, kept.creator


# --- messages ---------------------------------------------------------------------------------


def take_message(engine: Engine, keys: Keys, caller: Caller, here: str, message: Document, now: datetime) -> None:
    """Take a message to somebody known here; one to a driver or passenger of ours is sealed and given to them.

    Raises:
        NotFound: `missing_user`.
        BadInput: as `guests.take_words`.
    """
    kept = kept_message(message)
    with transaction(engine) as session:
        if guests.take_words(session, keys, message, here, caller.operator, now):
            return
        if not rows.is_user(session, kept.to_user):
            raise NotFound("missing_user")
        rows.add_message(session, kept, now)
