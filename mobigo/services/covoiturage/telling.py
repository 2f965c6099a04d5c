"""Telling: what partner operators are told of the rides that we share with them.

Put off as jobs, which hold keys of bookings and messages and never names: what is told is read when it is
sent, and nothing is told of what is gone by then. A partner that knows a booking already knows it from us:
its answer was lost on the way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode, urlsplit

from sqlalchemy import Engine

from covoiturage.bookings import Booking, BookingState, Party
from covoiturage.crossing import STATUS_OF, is_above
from covoiturage.fields import Document, read_json, render_json
from covoiturage.standard.bookings import booking_key, operators_of, render_event
from mobigo.outbound.http import Limits, post, send
from mobigo.security import Keys
from mobigo.services.covoiturage.keeping import kept_booking, message_place
from mobigo.services.covoiturage.notifying import tell as write_letter
from mobigo.services.covoiturage.partners import PREFIX, headers_of
from mobigo.store.base import Session, reading, transaction
from mobigo.store.covoiturage import bookings as rows
from mobigo.store.covoiturage import own_bookings
from mobigo.store.covoiturage.own_offers import take_turn
from mobigo.store.covoiturage.partners import Partner, find_partner, list_partners
from mobigo.store.jobs import Claim, enqueue
from mobigo.texts import text
from socle.errors import BadInput, NotFound, Unavailable

TELL_JOB = "covoiturage.tell"
_LOOKING = Limits(n_bytes=1 << 20, silence_s=10.0, whole_s=30.0)
# What is said with a change that somebody of ours makes; letters of `texts`.
_SAID = {
    BookingState.CONFIRMED: "confirmed",
    BookingState.REFUSED: "refused",
    BookingState.CANCELLED: "cancelled",
    BookingState.ABSENT: "absent",
}


# --- what is to be told -------------------------------------------------------------------------


def tell_others(session: Session, booking: Document, teller: str, now: datetime) -> None:
    """Have the operators of both sides told of a booking's state, but for the one that told us."""
    for operator in _partners_among(session, operators_of(booking) - {teller}):
        _put_off(session, operator, "event", booking, now)


def begin(session: Session, operator: str, booking: Document, now: datetime) -> None:
    """Have a booking made at a partner.

    Raises:
        NotFound: `unknown_partner`.
    """
    if not _partners_among(session, {operator}):
        raise NotFound("unknown_partner", operator=operator)
    _put_off(session, operator, "booking", booking, now)


def follow(session: Session, booking: Booking, to: BookingState, now: datetime) -> None:
    """Have the partner of a booking told that it has moved on, when that is a step on the contract's ladder."""
    kept = rows.find_booking(session, booking.partner_key, to_change=True)
    if kept is None or to not in STATUS_OF:
        return
    document = json.loads(kept.document)
    if not is_above(STATUS_OF[to], document["status"]):
        return
    changed = document | {"status": STATUS_OF[to]}
    rows.change_booking(session, kept_booking(changed, kept.creator), now)
    for operator in _partners_among(session, {booking.operator}):
        said = _SAID.get(to, "") if booking.theirs is Party.PASSENGER else ""
        _put_off(session, operator, "status", changed, now, said)


def send_words(session: Session, booking: Booking, message_id: int, now: datetime) -> None:
    """Have a message to somebody of a partner sent."""
    payload = {"operator": booking.operator, "what": "message", "message": message_id}
    enqueue(session, TELL_JOB, payload, now, f"{TELL_JOB}:message:{message_id}")


def _partners_among(session: Session, operators: AbstractSet[str]) -> list[str]:
    """Those of some operators that are partners; what others call themselves may be any text."""
    return [partner.operator for partner in list_partners(session) if partner.operator in operators]


def _put_off(session: Session, operator: str, what: str, booking: Document, now: datetime, said: str = "") -> None:
    key, status = booking_key(booking["id"]), booking["status"]
    payload = {"operator": operator, "what": what, "booking": key, "status": status, "said": said}
    enqueue(session, TELL_JOB, payload, now, f"{TELL_JOB}:{what}:{operator}:{key}:{status}")


# --- how it is told ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Letter:
    """What is sent: where under a partner's address, and how; `is_last`: the booking is still as it tells."""

    method: str
    path: str
    body: bytes
    is_last: bool = True


def tell(engine: Engine, keys: Keys, site: str, claim: Claim, now: datetime) -> None:
    """Do the job of telling a partner. What is not to be told any more is done.

    Raises:
        Unavailable: `server_silent`, `partner_silent`: to be tried again.
        BadInput: `partner_refused`, which trying again does not mend.
    """
    payload = claim.payload
    operator, what, status = str(payload["operator"]), str(payload["what"]), str(payload.get("status", ""))
    with reading(engine) as session:
        partner = find_partner(session, operator)
        letter = _write(session, keys, payload, site)
    if partner is None or letter is None:
        return
    said, _body = post(
        f"{partner.server}{letter.path}",
        letter.body,
        "application/json",
        claim.key,
        headers_of(partner, keys),
        method=letter.method,
    )
    is_known = said == 409 and what == "status"  # the partner was there before us
    is_overtaken = said == 400 and what == "event" and not letter.is_last  # a later state was told first
    if 200 <= said < 300 or is_known or is_overtaken:
        return
    if said >= 500 or said in {401, 408, 425, 429}:
        raise Unavailable("partner_silent", operator=operator, said=str(said))
    if said == 400 and what == "booking":
        if _is_there(partner, keys, letter):
            return
        _not_taken(engine, str(payload["booking"]), now)
    raise BadInput("partner_refused", operator=operator, said=f"{said} {what} {status}".strip())


def _write(session: Session, keys: Keys, payload: Mapping[str, object], site: str) -> _Letter | None:
    """What a job sends; None when there is nothing to tell any more."""
    what = payload["what"]
    if what == "message":
        return _write_message(session, keys, int(str(payload["message"])), (urlsplit(site).hostname or "").lower())
    kept = rows.find_booking(session, str(payload["booking"]))
    if kept is None:
        return None
    booking = json.loads(kept.document)
    told = booking | {"status": payload["status"]}
    is_last = told == booking
    path = f"/bookings/{quote(booking['id'], safe='')}"
    if what == "status":
        asked = {"status": told["status"], **_said(session, kept.key, str(payload.get("said", "")))}
        return _Letter("PATCH", f"{path}?{urlencode(asked)}", b"", is_last)
    if what == "booking":
        return _Letter("POST", "/bookings", render_json(told), is_last)
    other = "passenger" if booking["driver"]["operator"].lower() == payload["operator"] else "driver"
    web_url = booking.get("webUrl", f"{site}{PREFIX}{path}")
    return _Letter("POST", "/booking_events", render_json(render_event(told, other, web_url)), is_last)


def _said(session: Session, partner_key: str, letter: str) -> dict[str, str]:
    """What a passenger of theirs is told with a change: also what they say when boarding."""
    own = own_bookings.find_of_partner(session, partner_key) if letter else None
    return {} if own is None else {"message": text(f"covoiturage.to_guest.{letter}", reference=own.reference)}


def _write_message(session: Session, keys: Keys, message_id: int, here: str) -> _Letter | None:
    found = own_bookings.find_message_by_id(session, message_id)
    if found is None:
        return None
    booking_id, message = found
    own = own_bookings.get_booking(session, booking_id)
    kept = rows.find_booking(session, own.partner_key)
    if kept is None:
        return None
    document: Document = json.loads(kept.document)
    is_driver = own.theirs is Party.PASSENGER  # of ours
    mine = text("covoiturage.driver_alias" if is_driver else "covoiturage.passenger_alias")
    them = document["passenger" if is_driver else "driver"]
    is_booked = own.state is not BookingState.QUESTION
    said: Document = {
        "from": {"id": own.offer_id if is_driver else own.booking_id, "operator": here, "alias": mine},
        "to": {name: them[name] for name in ("id", "operator", "alias")},
        "message": keys.open(message.sealed, message_place(booking_id)),
        "recipientCarpoolerType": "PASSENGER" if is_driver else "DRIVER",
        **({"bookingId": document["id"]} if is_booked else {}),
    }
    return _Letter("POST", "/messages", render_json(said))


def _is_there(partner: Partner, keys: Keys, letter: _Letter) -> bool:
    """Whether the partner has the booking that it refuses: ours, whose answer was lost."""
    booking = json.loads(letter.body)
    path = f"{partner.server}/bookings/{quote(booking['id'], safe='')}"
    said = send("GET", path, headers_of(partner, keys), b"", _LOOKING)
    if said.status != 200:
        return False
    try:
        there = read_json(said.body)
    except BadInput:
        return False
    return isinstance(there, dict) and all(there.get(side) == booking[side] for side in ("driver", "passenger"))


def _not_taken(engine: Engine, partner_key: str, now: datetime) -> None:
    """A seat that the partner does not give: the passenger is told."""
    with transaction(engine) as session:
        number = take_turn(session)
        own = own_bookings.find_of_partner(session, partner_key)
        kept = rows.find_booking(session, partner_key, to_change=True)
        if own is None or kept is None or own.state is not BookingState.ASKED:
            return
        own_bookings.set_state(session, own.booking_id, BookingState.REFUSED, number)
        cancelled = json.loads(kept.document) | {"status": "CANCELLED"}
        rows.change_booking(session, kept_booking(cancelled, kept.creator), now)
        write_letter(session, own.passenger, "refused", own.booking_id, now, number)
