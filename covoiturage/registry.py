"""Registry: journeys as the national proof registry takes them, API v3.3: one payload for each ride.

What identifies people is made for the payload and never kept: `identity_key` is an unsalted hash, hence
personal data. The registry closes its objects: a property that it does not name is refused.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from covoiturage.fields import (
    Document,
    Read,
    Shape,
    integer,
    list_of,
    matching,
    one_of,
    read_flag,
    read_json,
    read_number,
    refuse,
    string,
)
from socle.errors import BadInput
from socle.geo import LatLon

STATUSES = (
    *("ok", "pending", "unknown", "canceled"),
    *("acquisition_error", "validation_error", "normalization_error"),
    *("fraud_error", "anomaly_error", "terms_violation_error"),
)
"""What the registry says of a journey."""
TERMS = ("distance_too_short", "too_many_trips_by_day", "too_close_trips", "expired")
"""Why the registry refuses a journey by its terms."""
MOST_SEATS = 8
MOST_DISTANCE_M = 1_000_000

_JOURNEY_ID = re.compile(r"[a-z0-9]{1,256}", re.ASCII)
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_PHONE_TRUNC = re.compile(r"\+\d{9,12}", re.ASCII)  # the pattern allows 8 digits, the least length does not
_SIRET = re.compile(r"\d{14}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)", re.ASCII)
_CANCEL_CODE = re.compile(r"[0-9A-Za-z_-]{1,32}", re.ASCII)
_LABEL = re.compile(r"[a-z_]{1,64}", re.ASCII)
_MOST_LABELS = 8
_LICENCE = re.compile(r"[A-Z0-9]{1,19}|99-.{1,61}", re.ASCII)
# Letters that do not come apart into a letter and its accent.
_LIGATURES = str.maketrans({"Œ": "OE", "Æ": "AE", "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "TH"})


# --- people -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody at the moment of the export: `over_18` is told of passengers, None when nobody knows."""

    user_id: str
    phone: str
    last_name: str
    over_18: bool | None = None


def identity_key(phone: str, last_name: str) -> str:
    """SHA-256 of number and name as the registry spells them: the same person at every operator.

    Raises:
        BadInput: `standard_field`: no number in the form of E.164, or a name without any letter.
    """
    if _E164.fullmatch(phone) is None:
        raise refuse("phone", "E.164")
    return hashlib.sha256(f"{phone}-{spelled_name(last_name)}".encode()).hexdigest()


def spelled_name(last_name: str) -> str:
    """A family name in capitals from A to Z, with blanks for everything between them.

    Raises:
        BadInput: `standard_field`: no letter is left.
    """
    capitals = unicodedata.normalize("NFKD", last_name.upper().translate(_LIGATURES))
    letters = "".join(char for char in capitals if not unicodedata.combining(char))
    spelled = " ".join(re.sub(r"[^A-Z]", " ", letters).split())
    if not spelled:
        raise refuse("last_name", "A-Z")
    return spelled


def phone_trunc(phone: str) -> str:
    """A number without its last two digits.

    Raises:
        BadInput: `standard_field`: no number that the registry takes.
    """
    trunc = phone[:-2]
    if _E164.fullmatch(phone) is None or _PHONE_TRUNC.fullmatch(trunc) is None:
        raise refuse("phone", "E.164")
    return trunc


# --- journeys ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RegistryRide:
    """One ride of a carpool as it is declared. Money is whole cents; `siret` is who pays the incentive."""

    ride_id: str
    carpool_id: str
    proof_class: str
    started_at: datetime
    start: LatLon
    ended_at: datetime
    end: LatLon
    distance_m: int
    seats: int
    driver: Identity
    driver_revenue_cents: int
    passenger: Identity
    contribution_cents: int
    incentive_cents: int
    siret: str


def render_journey(ride: RegistryRide) -> Document:
    """The payload that declares a ride.

    Raises:
        BadInput: `standard_field`: the registry would refuse it.
    """
    incentives = [{"index": 0, "amount": ride.incentive_cents, "siret": ride.siret}] if ride.incentive_cents else []
    return read_journey(
        {
            "operator_journey_id": journey_id(ride.ride_id),
            "operator_trip_id": ride.carpool_id,
            "operator_class": ride.proof_class,
            "incentives": incentives,
            "start": _render_end(ride.started_at, ride.start),
            "end": _render_end(ride.ended_at, ride.end),
            "distance": ride.distance_m,
            "driver": {"identity": _render_identity(ride.driver), "revenue": ride.driver_revenue_cents},
            "passenger": {
                "identity": _render_identity(ride.passenger) | {"over_18": ride.passenger.over_18},
                "contribution": ride.contribution_cents,
                "seats": ride.seats,
            },
        }
    )


def render_correction(ride: RegistryRide) -> Document:
    """The payload that corrects a ride declared before."""
    whole = render_journey(ride)
    return {name: whole[name] for name in _CORRECTABLE}


def render_cancellation(code: str, message: str = "") -> Document:
    """The payload that withdraws a ride.

    Raises:
        BadInput: `standard_field`.
    """
    return read_cancellation({"code": code, "message": message} if message else {"code": code})


def journey_id(ride_id: str) -> str:
    """How the registry knows a ride: its id without dashes."""
    return ride_id.replace("-", "").lower()


# --- answers ----------------------------------------------------------------------------------


def read_reasons(body: bytes) -> tuple[str, ...]:
    """The labels by which the registry says why it does not take a journey; no other word of its answer."""
    told = _read_object(body).get("error")
    data = told.get("data") if isinstance(told, dict) else None
    return _labels(data.get("terms_violation_labels")) if isinstance(data, dict) else ()


def read_status(body: bytes) -> tuple[str, tuple[str, ...]]:
    """What the registry says of a journey, and the labels of the reasons; empty when it says nothing known."""
    told = _read_object(body)
    status = told.get("status")
    found = [
        label
        for name in ("fraud_error_labels", "anomaly_error_details", "terms_violation_details")
        for label in _labels(told.get(name))
    ]
    return (status if isinstance(status, str) and status in STATUSES else ""), tuple(found)


def _read_object(body: bytes) -> Document:
    try:
        told = read_json(body)
    except BadInput:
        return {}
    return told if isinstance(told, dict) else {}


def _labels(told: Any) -> tuple[str, ...]:
    """Labels as the contract draws them: one, several, or objects that hold one each."""
    several = told if isinstance(told, list) else [told]
    plain = [one.get("label") if isinstance(one, dict) else one for one in several]
    return tuple(one for one in plain if isinstance(one, str) and _LABEL.fullmatch(one))[:_MOST_LABELS]


def _render_end(at: datetime, place: LatLon) -> Document:
    return {"datetime": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "lat": place.lat, "lon": place.lon}


def _render_identity(person: Identity) -> Document:
    return {
        "operator_user_id": person.user_id,
        "identity_key": identity_key(person.phone, person.last_name),
        "phone_trunc": phone_trunc(person.phone),
    }


# --- reading ----------------------------------------------------------------------------------


def _degrees(most: int) -> Read:
    def read(value: Any, field: str) -> int | float:
        number = read_number(value, field)
        if not -most <= number <= most:
            raise refuse(field, f"-{most}…{most}")
        return number

    return read


def _instant(value: Any, field: str) -> str:
    if not isinstance(value, str) or _INSTANT.fullmatch(value) is None:
        raise refuse(field, "date-time")
    try:
        datetime.fromisoformat(value.upper())
    except ValueError:
        raise refuse(field, "date-time") from None
    return value


def _over_18(value: Any, field: str) -> bool | None:
    return None if value is None else read_flag(value, field)


_TEXT = string()
_CENTS = integer(0)
_END = Shape({"datetime": _instant, "lat": _degrees(90), "lon": _degrees(180)}, "datetime", "lat", "lon", closed=True)
_IDENTITY = Shape(
    {
        "operator_user_id": _TEXT,
        "identity_key": string(64, 64),
        "phone_trunc": matching(_PHONE_TRUNC, "+…, 9…12"),
        "phone": _TEXT,
        "travel_pass": Shape({"name": one_of("navigo"), "user_id": _TEXT}, "name", "user_id", closed=True),
        "application_timestamp": _TEXT,
        "driving_license": matching(_LICENCE, "A-Z0-9"),
        "over_18": _over_18,
    },
    *("operator_user_id", "identity_key", "phone_trunc"),
    closed=True,
)
_INCENTIVE = Shape(
    {"index": _CENTS, "amount": _CENTS, "siret": matching(_SIRET, "SIRET")}, "index", "amount", "siret", closed=True
)
_PAYMENT = Shape(
    {"index": _CENTS, "siret": matching(_SIRET, "SIRET"), "type": _TEXT, "amount": _CENTS},
    *("index", "siret", "type", "amount"),
    closed=True,
)
read_journey = Shape(
    {
        "operator_journey_id": matching(_JOURNEY_ID, "a-z0-9, 1…256"),
        "operator_trip_id": _TEXT,
        "operator_class": one_of("A", "B", "C"),
        "incentives": list_of(_INCENTIVE),
        "licence_plate": _TEXT,
        "start": _END,
        "end": _END,
        "distance": integer(0, MOST_DISTANCE_M),
        "driver": Shape({"identity": _IDENTITY, "revenue": _CENTS}, "identity", "revenue", closed=True),
        "passenger": Shape(
            {
                "identity": _IDENTITY,
                "payments": list_of(_PAYMENT),
                "contribution": _CENTS,
                "seats": integer(1, MOST_SEATS),
            },
            *("identity", "contribution"),
            closed=True,
        ),
    },
    *("operator_journey_id", "operator_trip_id", "operator_class", "incentives"),
    *("start", "end", "distance", "driver", "passenger"),
    closed=True,
)
_CORRECTABLE = ("operator_trip_id", "operator_class", "incentives", "start", "end", "distance")
read_correction = Shape(
    {name: read_journey.fields[name] for name in _CORRECTABLE},
    *("operator_class", "incentives", "start", "end", "distance"),
    closed=True,
)
read_cancellation = Shape(
    {"code": matching(_CANCEL_CODE, "A-Za-z0-9_-, 1…32"), "message": string(0, 512)}, "code", closed=True
)
