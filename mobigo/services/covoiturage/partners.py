"""Partners: the operators that we ask for journeys, book with, and tell what became of a booking.

Asking is done at once, of all partners together: one that is slow, silent or talks nonsense is left
out and named. Telling is put off as jobs, which hold keys of bookings and never names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from sqlalchemy import Engine

from covoiturage.fields import Document, Read, read_json, render_json
from covoiturage.standard import bookings
from covoiturage.standard.bookings import booking_key, operators_of, render_event
from covoiturage.standard.imports import OfferKind
from covoiturage.standard.questions import JourneyQuestion, TripQuestion, render_question
from covoiturage.standard.shapes import (
    read_driver_journey,
    read_driver_regular_trip,
    read_passenger_journey,
    read_passenger_regular_trip,
)
from mobigo.outbound.http import Limits, Said, ask, post
from mobigo.security import Keys
from mobigo.services.covoiturage.keeping import keep_people, kept_booking, kept_message
from mobigo.store.base import Session, reading, transaction
from mobigo.store.covoiturage import bookings as rows
from mobigo.store.covoiturage.partners import Partner, find_partner, list_partners
from mobigo.store.jobs import Claim, enqueue
from socle.errors import BadInput, MobigoError, NotFound, Unavailable

TELL_JOB = "covoiturage.tell"
PREFIX = "/standard-covoiturage/v1"  # of our own interface
KEY_HEADER = "X-API-Key"
_ASKING = Limits(n_bytes=8 << 20, silence_s=3.0, whole_s=5.0)
_TRIES = 2  # of a question; a traveller waits for the answer
_MOST_AT_ONCE = 8
_PATHS: Mapping[OfferKind, tuple[str, Read]] = {
    OfferKind.DRIVER_JOURNEY: ("/driver_journeys", read_driver_journey),
    OfferKind.PASSENGER_JOURNEY: ("/passenger_journeys", read_passenger_journey),
    OfferKind.DRIVER_REGULAR_TRIP: ("/driver_regular_trips", read_driver_regular_trip),
    OfferKind.PASSENGER_REGULAR_TRIP: ("/passenger_regular_trips", read_passenger_regular_trip),
}


# --- asking -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PartnerAnswers:
    """What partners answered, one after the other; `silent`: why those say nothing that do; `n_odd`: left out."""

    offers: Sequence[Document]
    silent: Mapping[str, str]
    n_odd: int


def ask_partners(
    engine: Engine, keys: Keys, kind: OfferKind, question: JourneyQuestion | TripQuestion
) -> PartnerAnswers:
    """What all partners offer, asked at the same time."""
    with reading(engine) as session:
        partners = list_partners(session)
    offers: list[Document] = []
    silent: dict[str, str] = {}
    n_odd = 0

    def of_partner(partner: Partner) -> tuple[list[Document], int] | MobigoError:
        try:
            return _ask(partner, keys, kind, question)
        except (BadInput, Unavailable) as fault:
            return fault

    with ThreadPoolExecutor(_MOST_AT_ONCE, "partner") as threads:
        for partner, answered in zip(partners, threads.map(of_partner, partners), strict=True):
            if isinstance(answered, MobigoError):
                silent[partner.operator] = answered.code
            else:
                offers += answered[0]
                n_odd += answered[1]
    return PartnerAnswers(offers, silent, n_odd)


def _ask(
    partner: Partner, keys: Keys, kind: OfferKind, question: JourneyQuestion | TripQuestion
) -> tuple[list[Document], int]:
    """The offers of one partner, and how many of them are not as the contract has them."""
    path, read = _PATHS[kind]
    address = f"{partner.server}{path}?{urlencode(render_question(question))}"
    said = _ask_again(address, _headers(partner, keys))
    if said.status != 200:
        raise Unavailable("partner_silent", operator=partner.operator, said=str(said.status))
    told = read_json(said.body)
    if not isinstance(told, list):
        raise BadInput("partner_refused", operator=partner.operator, said="200")
    offers = []
    for each in told:
        try:
            offers.append(read(each, ""))
        except BadInput:
            continue
    return offers, len(told) - len(offers)


def _ask_again(address: str, headers: Mapping[str, str]) -> Said:
    for _ in range(_TRIES - 1):
        try:
            said = ask(address, headers, None, _ASKING)
        except Unavailable:
            continue
        if said.status < 500:
            return said
    return ask(address, headers, None, _ASKING)


def _headers(partner: Partner, keys: Keys) -> dict[str, str]:
    if partner.sealed_key is None:
        return {}
    return {KEY_HEADER: keys.open(partner.sealed_key, key_place(partner.operator))}


def key_place(operator: str) -> str:
    """What the key that we show an operator is sealed for."""
    return f"partner.key:{operator}"


# --- telling ----------------------------------------------------------------------------------


def tell_others(session: Session, booking: Document, teller: str, now: datetime) -> None:
    """Have the operators of both sides told of a booking's state, but for the one that told us."""
    for operator in _partners_among(session, operators_of(booking) - {teller}):
        _put_off(session, operator, "event", booking, now)


def begin_booking(engine: Engine, operator: str, booking: Document, now: datetime) -> None:
    """Book with a partner: the booking is kept here and sent there.

    Raises:
        BadInput: `standard_first_status`, `standard_booking_known`.
        NotFound: `unknown_partner`.
    """
    bookings.check_new(booking)
    with transaction(engine) as session:
        if not _partners_among(session, {operator}):
            raise NotFound("unknown_partner", operator=operator)
        if not rows.add_booking(session, kept_booking(booking, ""), now):
            raise BadInput("standard_booking_known")
        keep_people(session, booking, now)
        _put_off(session, operator, "booking", booking, now)


def change_own(engine: Engine, booking_id: str, status: str, now: datetime) -> None:
    """Move a booking that our side changes, and have its partners told.

    Raises:
        NotFound: `missing_booking`.
        Conflict: `status_already_set`.
    """
    with transaction(engine) as session:
        kept = rows.find_booking(session, booking_key(booking_id), to_change=True)
        if kept is None:
            raise NotFound("missing_booking")
        changed = bookings.moved(json.loads(kept.document), status)
        rows.change_booking(session, kept_booking(changed, kept.creator), now)
        for operator in _partners_among(session, operators_of(changed)):
            _put_off(session, operator, "status", changed, now)


def send_message(engine: Engine, message: Document, now: datetime) -> None:
    """Keep a message to somebody of a partner, and have it sent.

    Raises:
        NotFound: `unknown_partner`.
    """
    operator = message["to"]["operator"].lower()
    with transaction(engine) as session:
        if not _partners_among(session, {operator}):
            raise NotFound("unknown_partner", operator=operator)
        number = rows.add_message(session, kept_message(message), now)
        payload = {"operator": operator, "what": "message", "message": number}
        enqueue(session, TELL_JOB, payload, now, f"{TELL_JOB}:message:{number}")


def _partners_among(session: Session, operators: AbstractSet[str]) -> list[str]:
    """Those of some operators that are partners; what others call themselves may be any text."""
    return [partner.operator for partner in list_partners(session) if partner.operator in operators]


def _put_off(session: Session, operator: str, what: str, booking: Document, now: datetime) -> None:
    key, status = booking_key(booking["id"]), booking["status"]
    payload = {"operator": operator, "what": what, "booking": key, "status": status}
    enqueue(session, TELL_JOB, payload, now, f"{TELL_JOB}:{what}:{operator}:{key}:{status}")


@dataclass(frozen=True, slots=True)
class _Letter:
    """What is sent: where under a partner's address, and how; `is_last`: the booking is still as it tells."""

    method: str
    path: str
    body: bytes
    is_last: bool = True


def tell(engine: Engine, keys: Keys, site: str, claim: Claim) -> None:
    """Do the job of telling a partner. What is not to be told any more is done.

    Raises:
        Unavailable: `server_silent`, `partner_silent`: to be tried again.
        BadInput: `partner_refused`, which trying again does not mend.
    """
    payload = claim.payload
    operator, what, status = str(payload["operator"]), str(payload["what"]), str(payload.get("status", ""))
    with reading(engine) as session:
        partner = find_partner(session, operator)
        letter = _write(session, payload, site)
    if partner is None or letter is None:
        return
    said, _body = post(
        f"{partner.server}{letter.path}",
        letter.body,
        "application/json",
        claim.key,
        _headers(partner, keys),
        method=letter.method,
    )
    is_known = said == 409 and what == "status"  # the partner was there before us
    is_overtaken = said == 400 and what == "event" and not letter.is_last  # a later state was told first
    if 200 <= said < 300 or is_known or is_overtaken:
        return
    if said >= 500 or said in {401, 408, 425, 429}:
        raise Unavailable("partner_silent", operator=operator, said=str(said))
    raise BadInput("partner_refused", operator=operator, said=f"{said} {what} {status}".strip())


def _write(session: Session, payload: Mapping[str, object], site: str) -> _Letter | None:
    """What a job sends; None when there is nothing to tell any more."""
    what = payload["what"]
    if what == "message":
        message = rows.find_message(session, int(str(payload["message"])))
        return None if message is None else _Letter("POST", "/messages", message.document.encode())
    kept = rows.find_booking(session, str(payload["booking"]))
    if kept is None:
        return None
    booking = json.loads(kept.document)
    told = booking | {"status": payload["status"]}
    is_last = told == booking
    path = f"/bookings/{quote(booking['id'], safe='')}"
    if what == "status":
        return _Letter("PATCH", f"{path}?{urlencode({'status': told['status']})}", b"", is_last)
    if what == "booking":
        return _Letter("POST", "/bookings", render_json(told), is_last)
    other = "passenger" if booking["driver"]["operator"].lower() == payload["operator"] else "driver"
    web_url = booking.get("webUrl", f"{site}{PREFIX}{path}")
    return _Letter("POST", "/booking_events", render_json(render_event(told, other, web_url)), is_last)
