"""Finding: who takes a passenger along, among our drivers and those of partner operators.

Each process keeps the offers in an index and reads on from the last change that it knows. Partners' offers
are those that they handed over and what they answer when they are asked; each is told with its operator.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from sqlalchemy import Engine

from covoiturage.drives import Ways
from covoiturage.fields import Document
from covoiturage.matching import N_MATCHES, OfferIndex
from covoiturage.offers import Match, Wish
from covoiturage.standard.imports import OfferKind
from covoiturage.standard.questions import Ends, JourneyQuestion
from mobigo.security import Keys
from mobigo.services.covoiturage.booking import wish_around
from mobigo.services.covoiturage.elsewhere import price_cents_of
from mobigo.services.covoiturage.partners import ask_partners
from mobigo.services.covoiturage.standard import OfferBoards
from mobigo.store.base import Session, reading
from mobigo.store.covoiturage import own_bookings, own_offers
from mobigo.store.covoiturage.own_offers import OfferState, Version
from mobigo.store.covoiturage.partners import list_partners
from mobigo.store.recall import recall
from socle.geo import LatLon

T = TypeVar("T")
_STILL_LOOKED_AT = timedelta(days=1)  # outings that are over for so long are read no more
_PARTNER_KM = 2.0
_N_OF_PARTNERS = 20


class OfferSearch:
    """The offers of our drivers, searched in this process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._index = OfferIndex()
        self._ways: Ways | None = None
        self._version: Version = (-1, 0)

    def search(self, ways: Ways, wish: Wish, now: datetime, limit: int = N_MATCHES) -> list[Match]:
        """The best ways along that have not left yet."""
        return self.ask(ways, now, lambda index: index.search(wish_around(wish, now), limit))

    def ask(self, ways: Ways, now: datetime, what: Callable[[OfferIndex], T]) -> T:
        """What somebody wants to know of the offers as they are now."""
        with self._lock:
            self._read_on(ways, now)
            return what(self._index)

    def _read_on(self, ways: Ways, now: datetime) -> None:
        if ways is self._ways and recall(self._engine, own_offers.get_version) == self._version:
            return
        with reading(self._engine) as session:
            version = own_offers.get_version(session)
            if version[0] != self._version[0] or ways is not self._ways:
                self._index, self._ways, self._version = OfferIndex(ways), ways, (version[0], 0)
            self._read_changed(session, self._version[1], now)
            self._version = version

    def _read_changed(self, session: Session, after: int, now: datetime) -> None:
        since = now - _STILL_LOOKED_AT
        for kept in own_offers.list_changed_offers(session, after, since):
            if kept.state is OfferState.OPEN:
                self._index.put(kept.offer)
            else:
                self._index.remove(kept.offer.offer_id)
        if after == 0:
            outings: dict[tuple[str, Any], list[Any]] = {}
            for booking in own_bookings.list_held_since(session, since):
                outings.setdefault((booking.offer_id, booking.day), []).append(booking.taken)
            for (offer_id, day), taken in outings.items():
                self._index.take(offer_id, day, taken)
            return
        for offer_id, day in own_bookings.list_changed_bookings(session, after, since):
            held = own_bookings.list_of_outing(session, offer_id, day)
            self._index.take(offer_id, day, [booking.taken for booking in held])


@dataclass(frozen=True, slots=True)
class PartnerJourney:
    """A way along with a partner's driver, booked at the partner's; instants in UTC seconds."""

    operator: str
    journey_id: str
    pickup_at: int
    pickup: LatLon
    drop: LatLon
    duration_s: int
    seats: int | None
    price_cents: int | None
    link: str  # empty where the partner gives none
    document: Document  # as the partner told it
    is_booked_here: bool = False  # through the standard


@dataclass(frozen=True, slots=True)
class PartnerJourneys:
    """What partners offer, the nearest in time first, and those who did not answer."""

    journeys: Sequence[PartnerJourney]
    silent: Sequence[str]


def find_partners(engine: Engine, keys: Keys, boards: OfferBoards, wish: Wish, now: datetime) -> PartnerJourneys:
    """What partner operators offer for a wish to leave, within two kilometres of its ends."""
    at = float(wish.at)
    ends = Ends(wish.origin, wish.destination, _PARTNER_KM, _PARTNER_KM)
    question = JourneyQuestion(ends, at, float(wish.tolerance_s), _N_OF_PARTNERS)
    kept: list[Document] = [json.loads(body) for _, body in boards.find_journeys(OfferKind.DRIVER_JOURNEY, question)]
    answered = ask_partners(engine, keys, OfferKind.DRIVER_JOURNEY, question)
    with reading(engine) as session:
        takers = {partner.operator for partner in list_partners(session) if partner.takes_bookings}
    found: dict[tuple[str, str], PartnerJourney] = {}
    for document in (*kept, *answered.offers):
        journey = _journey(document, takers)
        if journey.pickup_at >= now.timestamp() and (journey.seats is None or journey.seats >= wish.seats):
            found.setdefault((journey.operator, journey.journey_id), journey)
    order = sorted(found.values(), key=lambda one: (abs(one.pickup_at - wish.at), one.operator, one.journey_id))
    return PartnerJourneys(order[:_N_OF_PARTNERS], sorted(answered.silent))


def _journey(document: Document, takers: AbstractSet[str]) -> PartnerJourney:
    """`takers`: the operators at which we book. Who has no id, or asks no price that we know, is booked there."""
    link, cents = document.get("webUrl", ""), price_cents_of(document)
    is_taken = document["operator"].lower() in takers and bool(document["driver"]["id"])
    return PartnerJourney(
        document["operator"],
        str(document.get("id", "")),
        int(document["passengerPickupDate"]),
        LatLon(document["passengerPickupLat"], document["passengerPickupLng"]),
        LatLon(document["passengerDropLat"], document["passengerDropLng"]),
        int(document.get("duration", 0)),
        document.get("availableSeats"),
        cents,
        link if urlsplit(link).scheme in {"http", "https"} else "",
        document,
        is_booked_here=is_taken and cents is not None,
    )


def utc(instant: int) -> datetime:
    """An instant as a date and hour in UTC."""
    return datetime.fromtimestamp(instant, UTC)
