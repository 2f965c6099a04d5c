"""Imports: a file of partner data, in the contract's own shapes.

A file holds arrays by name. `null` is nothing, and so is a field that is null. What the contract
does not take is set apart with a finding; the rest is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from covoiturage.fields import Document, Read, read_json, refuse, render_json
from covoiturage.standard.bookings import hash_words, read_operator
from covoiturage.standard.shapes import (
    read_booking,
    read_driver_journey,
    read_driver_regular_trip,
    read_message,
    read_passenger_journey,
    read_passenger_regular_trip,
    read_user,
)
from socle.errors import BadInput
from socle.findings import Finding, Severity


class OfferKind(StrEnum):
    """What somebody offers or asks for."""

    DRIVER_JOURNEY = "driver_journey"
    PASSENGER_JOURNEY = "passenger_journey"
    DRIVER_REGULAR_TRIP = "driver_regular_trip"
    PASSENGER_REGULAR_TRIP = "passenger_regular_trip"


@dataclass(frozen=True, slots=True)
class Offer:
    """A journey or a regular trip of an operator."""

    kind: OfferKind
    document: Document

    @property
    def owner(self) -> Document:
        """Whose it is."""
        side = "driver" if self.kind in {OfferKind.DRIVER_JOURNEY, OfferKind.DRIVER_REGULAR_TRIP} else "passenger"
        user: Document = self.document[side]
        return user

    @property
    def key(self) -> str:
        """What names it: its id among those of its operator, or all that it says."""
        told = self.document.get("id") or render_json(self.document).decode()
        return hash_words(self.kind, "id" if "id" in self.document else "", self.document["operator"].lower(), told)


@dataclass(frozen=True, slots=True)
class PartnerData:
    """What a file holds, and what was set apart."""

    offers: tuple[Offer, ...] = ()
    bookings: tuple[Document, ...] = ()
    users: tuple[Document, ...] = ()
    messages: tuple[Document, ...] = ()
    findings: tuple[Finding, ...] = ()


_OFFERS: Mapping[str, tuple[OfferKind, Read]] = {
    "driverJourneys": (OfferKind.DRIVER_JOURNEY, read_driver_journey),
    "passengerJourneys": (OfferKind.PASSENGER_JOURNEY, read_passenger_journey),
    "driverRegularTrips": (OfferKind.DRIVER_REGULAR_TRIP, read_driver_regular_trip),
    "passengerRegularTrips": (OfferKind.PASSENGER_REGULAR_TRIP, read_passenger_regular_trip),
}
_OTHERS: Mapping[str, Read] = {"bookings": read_booking, "users": read_user, "messages": read_message}
SECTIONS = (*_OFFERS, *_OTHERS)


def read_partner_data(text: bytes) -> PartnerData:
    """What a file of partner data holds.

    Raises:
        BadInput: `standard_not_json`, `standard_field`: it is no object of arrays.
    """
    tree = read_json(text)
    if not isinstance(tree, dict):
        raise refuse("", "object")
    findings = [Finding(Severity.WARNING, "standard_unknown", name) for name in tree if name not in SECTIONS]
    read: dict[str, list[Any]] = {}
    for name in SECTIONS:
        rows = [] if tree.get(name) is None else tree[name]
        if not isinstance(rows, list):
            raise refuse(name, "array")
        read[name] = []
        for number, row in enumerate(rows):
            place = f"{name}[{number}]"
            try:
                read[name].append(_read_row(name, _without_nulls(row)))
            except BadInput as fault:
                findings.append(Finding(Severity.ERROR, "standard_set_apart", place, facts=fault.facts))
            except RecursionError:
                facts = {"field": "$", "wanted": "object"}
                findings.append(Finding(Severity.ERROR, "standard_set_apart", place, facts=facts))
    offers = tuple(offer for name in _OFFERS for offer in read[name])
    others = {name: tuple(read[name]) for name in _OTHERS}
    return PartnerData(offers, **others, findings=tuple(findings))


def _read_row(name: str, row: Any) -> Offer | Document:
    if name in _OTHERS:
        document: Document = _OTHERS[name](row, "")
        return document
    kind, read = _OFFERS[name]
    if isinstance(row, dict) and "Schedules" in row:
        row = {"schedules": row["Schedules"], **row}
    offer = Offer(kind, read(row, ""))
    read_operator(offer.document["operator"])
    return offer


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_without_nulls(member) for member in value]
    return value
