"""Carpool: one car, once, as it was declared: who drove, who rode from where to where, and what proves it.

People are pseudonyms. A carpool is declared whole when the car has arrived; what a policy reads of
it (`facts_of`) is kept as canonical JSON, so that its hash stands in the books and a decision can be
made again from the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from socle.errors import BadInput
from socle.geo import LatLon

MAX_RIDES = 30
MAX_DURATION = timedelta(hours=24)


class Side(StrEnum):
    """An end of a ride."""

    BOARD = "board"
    ALIGHT = "alight"


class Kind(StrEnum):
    """What evidence is: a code scanned, a code sent by SMS, or where a device was."""

    QR = "qr"
    SMS = "sms"
    POSITION = "position"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that speaks for a ride: `by` is the pseudonym of who gave it, `device` the keyed hash of theirs."""

    kind: Kind
    side: Side
    by: str
    at: datetime
    device: str | None = None
    place: LatLon | None = None


@dataclass(frozen=True, slots=True)
class Ride:
    """One passenger in the car; `certified` says that an operator vouches for the match."""

    id: str
    passenger: str
    seats: int
    board_at: datetime
    alight_at: datetime
    distance_m: int
    over_18: bool | None = None
    contribution_cents: int = 0
    certified: bool = False
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Carpool:
    """One outing of one car.

    Raises:
        BadInput: `ends_before_start`; `carpool_too_long`; `too_many_rides`; `ride_outside_carpool` when a
            ride begins before the car or ends after it; `ride_id_twice`.
    """

    id: str
    driver: str
    start_at: datetime
    end_at: datetime
    rides: tuple[Ride, ...]
    line_id: str | None = None
    measured_m: int | None = None
    official_m: int | None = None

    def __post_init__(self) -> None:
        if self.end_at < self.start_at:
            raise BadInput("ends_before_start", what=self.id)
        if self.end_at - self.start_at > MAX_DURATION:
            raise BadInput("carpool_too_long", carpool=self.id)
        if len(self.rides) > MAX_RIDES:
            raise BadInput("too_many_rides", carpool=self.id, most=MAX_RIDES)
        if len({ride.id for ride in self.rides}) < len(self.rides):
            raise BadInput("ride_id_twice", carpool=self.id)
        for ride in self.rides:
            if ride.alight_at < ride.board_at:
                raise BadInput("ends_before_start", what=ride.id)
            if ride.board_at < self.start_at or ride.alight_at > self.end_at:
                raise BadInput("ride_outside_carpool", ride=ride.id)


def facts_of(carpool: Carpool, classes: Mapping[str, str | None]) -> dict[str, Any]:
    """What a policy of level `vehicle_trip` reads of a carpool; `classes` are the proof classes by ride."""
    return {
        "carpool_id": carpool.id,
        "driver": carpool.driver,
        "line_id": carpool.line_id,
        "start_at": _told(carpool.start_at),
        "end_at": _told(carpool.end_at),
        "measured_m": carpool.measured_m,
        "official_m": carpool.official_m,
        "rides": [
            {
                "ride_id": ride.id,
                "passenger": ride.passenger,
                "seats": ride.seats,
                "operator_class": classes.get(ride.id),
                "board_at": _told(ride.board_at),
                "alight_at": _told(ride.alight_at),
                "distance_m": ride.distance_m,
                "passenger_is_over_18": ride.over_18,
                "contribution_cents": ride.contribution_cents,
            }
            for ride in sorted(carpool.rides, key=lambda ride: (ride.board_at, ride.id))
        ],
    }


def render_facts(facts: Mapping[str, Any]) -> bytes:
    """Facts as canonical JSON: sorted keys, no spaces, UTF-8."""
    return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def hash_facts(rendered: bytes) -> str:
    """SHA-256 of canonical facts, in hexadecimal, as an entry of the books names them."""
    return hashlib.sha256(rendered).hexdigest()


def _told(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
