"""Keeping: documents of the standard as the rows that keep them."""

from __future__ import annotations

from datetime import datetime

from covoiturage.fields import Document, render_json
from covoiturage.standard.bookings import Person, booking_key, people_of
from mobigo.store.base import Session
from mobigo.store.covoiturage.bookings import KeptBooking, KeptMessage, put_user

NOBODY = Person("", "").key


def message_place(booking_id: str) -> str:
    """What the messages of a booking are sealed for."""
    return f"carpool_message:{booking_id}"


def kept_booking(booking: Document, creator: str) -> KeptBooking:
    """A booking as it is kept; `creator` is the operator that made it known, empty when that is us."""
    people = people_of(booking)
    driver, passenger = (people[side].key if side in people else NOBODY for side in ("driver", "passenger"))
    return KeptBooking(booking_key(booking["id"]), driver, passenger, creator, render_json(booking).decode())


def kept_message(message: Document) -> KeptMessage:
    """A message as it is kept."""
    sender, recipient = (Person(message[side]["operator"], message[side]["id"]) for side in ("from", "to"))
    about = booking_key(message["bookingId"]) if "bookingId" in message else ""
    return KeptMessage(sender.key, recipient.key, about, render_json(message).decode())


def keep_people(session: Session, booking: Document, now: datetime) -> None:
    """Have messages reach both sides of a booking."""
    for person in people_of(booking).values():
        put_user(session, person.key, now)
