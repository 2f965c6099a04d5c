"""Elsewhere: seats that passengers of ours book with drivers of partner operators, through the standard.

What a partner offered is shown with a sealed copy of it: what is booked later is what was shown, at its
price, and nobody makes up a driver. The booking is kept here like any other, sent to the partner by a job,
and follows what the partner answers.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import uuid
from datetime import datetime, timedelta

from sqlalchemy import Engine

from covoiturage.bookings import Booking, BookingState
from covoiturage.crossing import SEATS, book_journey, person_of, shown_name
from covoiturage.drives import straight_ways
from covoiturage.fields import Document, render_json
from covoiturage.offers import Meeting, Taken
from covoiturage.standard.bookings import booking_key, hash_words
from mobigo.security import Keys
from mobigo.services.covoiturage.booking import Booked, check_free
from mobigo.services.covoiturage.declaring import check_key
from mobigo.services.covoiturage.given import NAME_LETTERS
from mobigo.services.covoiturage.keeping import keep_people, kept_booking
from mobigo.services.covoiturage.telling import begin
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import transaction
from mobigo.store.covoiturage import bookings as rows
from mobigo.store.covoiturage import own_bookings
from mobigo.store.covoiturage.own_offers import take_turn
from mobigo.texts import text
from socle.errors import BadInput, Conflict, Fact, Unavailable
from socle.geo import LatLon
from socle.times import local_day

SHOWN_FOR = timedelta(minutes=30)
MOST_LETTERS = 3_000  # of a sealed journey: it stands in an address
_PLACE = "journey of a partner"
_OF_JOURNEY = (
    *("id", "operator", "driver", "passengerPickupDate", "passengerPickupLat", "passengerPickupLng"),
    *("passengerDropLat", "passengerDropLng", "passengerPickupAddress", "passengerDropAddress"),
    *("duration", "distance", "price", "car"),
)
_OF_DRIVER = ("id", "operator", "alias")


def seal_journey(keys: Keys, journey: Document, now: datetime) -> str:
    """A journey as it was shown, for whoever books it soon; empty when it is too long for that."""
    told = {name: journey[name] for name in _OF_JOURNEY if name in journey}
    told["driver"] = {name: journey["driver"][name] for name in _OF_DRIVER}
    until = int((now + SHOWN_FOR).timestamp())
    sealed = keys.seal(render_json({"until": until, "journey": told}).decode(), _PLACE)
    written = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
    return written if len(written) <= MOST_LETTERS else ""


def open_journey(keys: Keys, written: str, now: datetime) -> Document:
    """The journey that was shown.

    Raises:
        BadInput: `journey_stale`: it was shown long ago, or never.
    """
    try:
        sealed = base64.b64decode(written + "=" * (-len(written) % 4), altchars=b"-_", validate=True)
        told = json.loads(keys.open(sealed, _PLACE))
    except (Unavailable, binascii.Error, ValueError):
        raise BadInput("journey_stale") from None
    journey: Document = told["journey"]
    if told["until"] < now.timestamp() or journey["passengerPickupDate"] < now.timestamp():
        raise BadInput("journey_stale")
    return journey


def price_cents_of(journey: Document) -> int | None:
    """What a partner asks for its journey; None when it does not say."""
    price = journey.get("price", {})
    if price.get("type") == "FREE":
        return 0
    amount = price.get("amount") if price.get("type") == "PAYING" else None
    return None if amount is None or price.get("currency", "EUR") != "EUR" else round(amount * 100)


def book_elsewhere(
    engine: Engine, journey: Document, passenger: str, here: str, names: tuple[str, str], key: str, now: datetime
) -> Booked:
    """Ask a partner for a seat in a journey that was opened; `names`: what the passenger calls its ends.

    Raises:
        BadInput: `bad_key`.
        NotFound: `unknown_partner`.
        Conflict: `key_used_otherwise`; `booked_meanwhile`.
    """
    check_key(key)
    digest = hash_words(render_json(journey).decode())
    operator = journey["operator"].lower()
    booking_id, standard_id = secrets.token_hex(12), str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
    document = book_journey(journey, standard_id, _user(booking_id, here))
    with transaction(engine) as session:
        number = take_turn(session)
        known = own_bookings.find_by_key(session, passenger, key)
        if known is not None:
            if known[1] != digest:
                raise Conflict("key_used_otherwise", key=key)
            return Booked(known[0], replayed=True)
        own = _booking(journey, booking_id, passenger, names, booking_key(standard_id))
        check_free(session, passenger, own.taken.board.instant, own.taken.alight.instant)
        own_bookings.put_booking(session, own, key, digest, now, number)
        rows.add_booking(session, kept_booking(document, ""), now)
        keep_people(session, document, now)
        begin(session, operator, document, now)
        facts: dict[str, Fact] = {"booking": booking_id, "operator": operator}
        who = f"person:{passenger}"
        record(session, AuditLine(now, who, "covoiturage.booked", who, facts=facts))
    return Booked(own, replayed=False)


def _user(booking_id: str, here: str) -> Document:
    """A passenger of ours as a partner knows them: by the booking, so that two of them do not show who it is."""
    return {"id": booking_id, "operator": here, "alias": text("covoiturage.passenger_alias")}


def _booking(journey: Document, booking_id: str, passenger: str, names: tuple[str, str], partner_key: str) -> Booking:
    pickup, drop = (
        LatLon(float(journey[f"passenger{side}Lat"]), float(journey[f"passenger{side}Lng"]))
        for side in ("Pickup", "Drop")
    )
    at = int(journey["passengerPickupDate"])
    board, alight = Meeting(pickup, at), Meeting(drop, at + max(0, int(journey["duration"])))
    said = (journey.get(f"passenger{side}Address", "") for side in ("Pickup", "Drop"))
    board_name, alight_name = (
        shown_name(one, shown_name(otherwise, text("covoiturage.agreed_place"), NAME_LETTERS), NAME_LETTERS)
        for one, otherwise in zip(said, names, strict=True)
    )
    straight = straight_ways([pickup], [drop]).metres
    promised = (board.instant, alight.instant)
    return Booking(
        booking_id,
        "",
        local_day(at),
        person_of(journey["operator"], journey["driver"]["id"]),
        passenger,
        Taken(booking_id, SEATS, board, alight, promised),
        board_name,
        alight_name,
        int(journey.get("distance", straight[0, 0])),
        price_cents_of(journey) or 0,
        BookingState.ASKED,
        "",
        journey["operator"].lower(),
        partner_key,
    )
