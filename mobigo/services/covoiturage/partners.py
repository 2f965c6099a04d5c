"""Partners: the operators that we ask for journeys, all together.

One that is slow, silent or talks nonsense is left out and named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import Engine

from covoiturage.fields import Document, Read, read_json
from covoiturage.standard.imports import OfferKind
from covoiturage.standard.questions import JourneyQuestion, TripQuestion, render_question
from covoiturage.standard.shapes import (
    read_driver_journey,
    read_driver_regular_trip,
    read_passenger_journey,
    read_passenger_regular_trip,
)
from mobigo.outbound.http import Limits, Said, ask
from mobigo.security import Keys
from mobigo.store.base import reading
from mobigo.store.covoiturage.partners import Partner, list_partners
from socle.errors import BadInput, MobigoError, Unavailable

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
    said = _ask_again(address, headers_of(partner, keys))
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


def headers_of(partner: Partner, keys: Keys) -> dict[str, str]:
    """Who asks: the key that the operator gave us, if it did."""
    if partner.sealed_key is None:
        return {}
    return {KEY_HEADER: keys.open(partner.sealed_key, key_place(partner.operator))}


def key_place(operator: str) -> str:
    """What the key that we show an operator is sealed for."""
    return f"partner.key:{operator}"
