"""Given: what drivers and passengers state of a ride that they offer or look for, checked here.

What is stated between two places is measured along the streets; what is stated along a line, by its stops.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta

from covoiturage.drives import Ways, drive
from covoiturage.lines import Line, drive_s
from covoiturage.offers import Halt
from mobigo.services.covoiturage.booking import GivenBooking
from socle.errors import BadInput
from socle.geo import LatLon

LEAST_WAY_M = 1_000
PUBLISHED_AHEAD = timedelta(days=365)
CLOCKS_MAY_DIFFER = timedelta(minutes=5)
NAME_LETTERS = 120


@dataclass(frozen=True, slots=True)
class Named:
    """A place as somebody chose it."""

    name: str
    at: LatLon


@dataclass(frozen=True, slots=True)
class Weeks:
    """Days of the week, Monday 0, at an hour; from the first to the last day."""

    weekdays: Sequence[int]
    clock: time
    first: date
    last: date | None = None


@dataclass(frozen=True, slots=True)
class GivenOffer:
    """What a driver publishes: between two places, or from stop to stop of a line."""

    leaves: datetime | Weeks
    seats: int
    origin: Named | None = None
    destination: Named | None = None
    line_id: str = ""
    from_stop: str = ""
    to_stop: str = ""
    detour_min: int = 0
    detour_km: int | None = None
    price_cents: int = 0
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class GivenRequest:
    """What a passenger looks for: between two places, or at a stop of a line, where they wait."""

    at: datetime
    seats: int = 1
    origin: Named | None = None
    destination: Named | None = None
    line_id: str = ""
    from_stop: str = ""
    to_stop: str = ""
    arrive_by: bool = False
    tolerance_s: int = 3600


def digest_of(given: GivenOffer | GivenRequest | GivenBooking, key: str) -> str:
    """The hash of what somebody sent, for which a key stands.

    Raises:
        BadInput: `bad_key`.
    """
    if not (0 < len(key) <= 200 and key.isascii() and key.isprintable()):
        raise BadInput("bad_key")
    told = json.dumps(asdict(given), sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def halts_of(line: Line, from_stop: str, to_stop: str) -> tuple[Halt, ...]:
    """The stops that a driver passes between two of a line, in the direction in which they drive.

    Raises:
        NotFound: `unknown_line_stop`.
        BadInput: `ends_too_near`: they are one.
    """
    one, other = line.position_of(from_stop), line.position_of(to_stop)
    if one == other:
        raise BadInput("ends_too_near", metres=LEAST_WAY_M)
    stops = line.stops[one : other + 1] if one < other else line.stops[other : one + 1][::-1]
    begin = stops[0].distance_m
    along = [abs(stop.distance_m - begin) for stop in stops]
    return tuple(
        Halt(stop.name, stop.at, drive_s(metres), metres, stop.stop_id)
        for stop, metres in zip(stops, along, strict=True)
    )


def halts_between(ways: Ways, origin: Named, destination: Named) -> tuple[Halt, Halt]:
    """The two ends of a way between places, measured along the streets.

    Raises:
        BadInput: `bad_place_name`; `ends_too_near`.
    """
    for place in (origin, destination):
        if not 0 < len(place.name) <= NAME_LETTERS or not place.name.isprintable():
            raise BadInput("bad_place_name", most=NAME_LETTERS)
    ((step_,),) = drive(ways, [origin.at], [destination.at])
    if step_[1] < LEAST_WAY_M:
        raise BadInput("ends_too_near", metres=LEAST_WAY_M)
    return Halt(origin.name, origin.at, 0, 0), Halt(destination.name, destination.at, *step_)


def check_instant(at: datetime, now: datetime) -> None:
    """Refuse what is over, and what nobody knows yet.

    Raises:
        BadInput: `offer_in_past`; `offer_too_far`.
    """
    if at < now - CLOCKS_MAY_DIFFER:
        raise BadInput("offer_in_past")
    if at > now + PUBLISHED_AHEAD:
        raise BadInput("offer_too_far", days=PUBLISHED_AHEAD.days)
