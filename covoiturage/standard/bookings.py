"""Bookings: how far one has come, what an event makes of it, who has a part in it.

States only go up the ladder of the contract and may skip steps. A booking that an event made known
has one side that nobody has named yet: a user without id, until an event of the other side names them.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass

from covoiturage.fields import Document, refuse
from covoiturage.standard.shapes import STATUSES, UUID
from socle.errors import BadInput, Conflict

FIRST_STATUS = STATUSES[0]
_CORRECTED = ("distance", "duration", "webUrl")  # what an event knows better than what was said before
_SIDES = ("driver", "passenger")
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}$)({_LABEL}\.)+{_LABEL}", re.ASCII | re.IGNORECASE)
_EVENTS = uuid.UUID("8c5b1d5e-6f0b-5c0e-9d7c-0f8a4b1f9a53")  # the name space of our events' ids


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as operators know them: an id among those of an operator."""

    operator: str
    user_id: str

    @property
    def key(self) -> str:
        """What stands for them in tables: ids may be of any length. The id comes first (see `user_prefix`)."""
        return f"{user_prefix(self.user_id)}{hash_words(self.operator.lower())[:16]}"


def user_prefix(user_id: str) -> str:
    """How the keys of everybody of that id begin: of somebody of ours, whom operators know by pseudonym."""
    return f"{hash_words(user_id)}."


def read_operator(text: str) -> str:
    """The domain name of an operator, in lower case.

    Raises:
        BadInput: `standard_field`.
    """
    if _DOMAIN.fullmatch(text) is None:
        raise refuse("operator", "domain name")
    return text.lower()


def hash_words(*words: str) -> str:
    """SHA-256 of some words, told apart."""
    told = "".join(f"{len(word)}:{word}" for word in words)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def booking_key(booking_id: str) -> str:
    """What names a booking in tables: a UUID in whatever case, or any other word."""
    return hash_words(booking_id.lower() if UUID.fullmatch(booking_id) else booking_id)


def people_of(booking: Document) -> dict[str, Person]:
    """The driver and the passenger; a side that nobody has named is left out."""
    return {
        side: Person(booking[side]["operator"], booking[side]["id"]) for side in _SIDES if booking[side]["id"] != ""
    }


def operators_of(booking: Document) -> frozenset[str]:
    """The operators of both sides, in lower case."""
    return frozenset(booking[side]["operator"].lower() for side in _SIDES if booking[side]["operator"])


def check_new(booking: Document) -> None:
    """Refuse a booking that does not begin at the beginning.

    Raises:
        BadInput: `standard_first_status`.
    """
    if booking["status"] != FIRST_STATUS:
        raise BadInput("standard_first_status", status=booking["status"], first=FIRST_STATUS)


def moved(booking: Document, status: str) -> Document:
    """The booking further up the ladder.

    Raises:
        Conflict: `status_already_set`: it is there, or beyond.
    """
    if STATUSES.index(status) <= STATUSES.index(booking["status"]):
        raise Conflict("status_already_set", status=status)
    return booking | {"status": status}


def booking_of_event(data: Document) -> Document:
    """The booking that an event makes known, with nobody on the other side."""
    nobody = {"id": "", "operator": "", "alias": ""}
    booking = {"driver": nobody, "passenger": nobody, "price": {}, **data}
    return {name: booking[name] for name in _ORDER if name in booking}


def after_event(booking: Document, data: Document) -> Document:
    """A booking that we know, after an event.

    Raises:
        Conflict: `status_already_set`.
    """
    named = {side: data[side] for side in _SIDES if side in data and booking[side]["id"] == ""}
    corrected = {name: data[name] for name in _CORRECTED if name in data}
    changed = moved(booking, data["status"]) | named | corrected
    if "price" in data and changed["price"] == {}:
        changed["price"] = data["price"]
    return {name: changed[name] for name in _ORDER if name in changed}


def render_event(booking: Document, side: str, web_url: str) -> Document:
    """The event that tells an operator of a booking; `side` is whom the event names: the other side.

    The same booking in the same state is the same event, so that one sent twice is known as such.
    """
    names = [*_OF_EVENT, side, *(("price", "car") if side == "driver" else ())]
    data = {"webUrl": web_url} | {name: booking[name] for name in names if name in booking}
    told = uuid.uuid5(_EVENTS, f"{booking['id']} {side} {booking['status']}")
    return {"id": str(told), "idToken": "", "data": data}


_OF_EVENT = (
    "id",
    "passengerPickupDate",
    "passengerPickupLat",
    "passengerPickupLng",
    "passengerDropLat",
    "passengerDropLng",
    "passengerPickupAddress",
    "passengerDropAddress",
    "status",
    "distance",
    "duration",
    "webUrl",
)
_ORDER = (
    *("id", "driver", "passenger"),
    *_OF_EVENT[1:],
    *("price", "car", "driverJourneyId", "passengerJourneyId"),
)
