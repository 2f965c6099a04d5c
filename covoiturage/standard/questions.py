"""Questions: the query strings of searches read as the contract has them.

A number is written as JSON writes numbers; whatever the contract does not bound is not bounded here
either: a negative radius or count is a question to which nothing answers. Unknown parameters are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from covoiturage.fields import is_number, refuse
from covoiturage.standard.shapes import WEEKDAYS, time_of_day_s
from socle.geo import LatLon

Parameters = Mapping[str, Sequence[str]]
"""Each parameter with all its values."""

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_MOST_LETTERS = 400  # of a number: no float has more
DEFAULT_RADIUS_KM = 1.0
DEFAULT_DELTA_S = 900


@dataclass(frozen=True, slots=True)
class Ends:
    """Where from and where to, and how far from there, in kilometres as the crow flies."""

    departure: LatLon
    arrival: LatLon
    departure_km: float
    arrival_km: float


@dataclass(frozen=True, slots=True)
class JourneyQuestion:
    """Journeys whose passenger is picked up within `delta_s` of the instant `at`; at most `count`, or all."""

    ends: Ends
    at: float
    delta_s: float
    count: int | None


@dataclass(frozen=True, slots=True)
class TripQuestion:
    """Regular trips with a schedule on one of `weekdays`, within `delta_s` of a time of day.

    Where `since` or `until` is given, a schedule that lists journeys has one of them in between.
    """

    ends: Ends
    time_of_day_s: float
    weekdays: frozenset[str]
    delta_s: float
    since: float | None
    until: float | None
    count: int | None


def read_journey_question(asked: Parameters) -> JourneyQuestion:
    """What `driver_journeys` and `passenger_journeys` are asked.

    Raises:
        BadInput: `standard_field`.
    """
    return JourneyQuestion(
        _read_ends(asked),
        _whole(_required(asked, "departureDate"), "departureDate"),
        _find_whole(asked, "timeDelta", DEFAULT_DELTA_S),
        _find_count(asked),
    )


def read_trip_question(asked: Parameters) -> TripQuestion:
    """What `driver_regular_trips` and `passenger_regular_trips` are asked.

    Raises:
        BadInput: `standard_field`.
    """
    weekdays = one_value(asked, "departureWeekdays")
    return TripQuestion(
        _read_ends(asked),
        time_of_day_s(_required(asked, "departureTimeOfDay"), "departureTimeOfDay"),
        frozenset(WEEKDAYS if weekdays is None else weekdays.split(",")),
        _find_whole(asked, "timeDelta", DEFAULT_DELTA_S),
        _find_bound(asked, "minDepartureDate"),
        _find_bound(asked, "maxDepartureDate"),
        _find_count(asked),
    )


def one_value(asked: Parameters, name: str) -> str | None:
    """The value of a parameter; None when it is not there.

    Raises:
        BadInput: `standard_field` when it is there twice.
    """
    values = asked.get(name, ())
    if len(values) > 1:
        raise refuse(name, "1")
    return values[0] if values else None


def _required(asked: Parameters, name: str) -> str:
    value = one_value(asked, name)
    if value is None:
        raise refuse(name, "required")
    return value


def _read_ends(asked: Parameters) -> Ends:
    lat_lon = [
        _number(_required(asked, name), name) for name in ("departureLat", "departureLng", "arrivalLat", "arrivalLng")
    ]
    radii = [
        DEFAULT_RADIUS_KM if (value := one_value(asked, name)) is None else _number(value, name)
        for name in ("departureRadius", "arrivalRadius")
    ]
    return Ends(LatLon(*lat_lon[:2]), LatLon(*lat_lon[2:]), *radii)


def _number(text: str, name: str) -> float:
    if len(text) > _MOST_LETTERS or _NUMBER.fullmatch(text) is None or not is_number(float(text)):
        raise refuse(name, "number")
    return float(text)


def _whole(text: str, name: str) -> float:
    number = _number(text, name)
    if not number.is_integer():
        raise refuse(name, "integer")
    return number


def _find_whole(asked: Parameters, name: str, otherwise: float) -> float:
    value = one_value(asked, name)
    return otherwise if value is None else _whole(value, name)


def _find_bound(asked: Parameters, name: str) -> float | None:
    value = one_value(asked, name)
    return None if value is None else _whole(value, name)


def _find_count(asked: Parameters) -> int | None:
    count = _find_bound(asked, "count")
    return None if count is None else max(0, int(count))


def render_question(question: JourneyQuestion | TripQuestion) -> list[tuple[str, str]]:
    """The query string of a question that we ask others."""
    ends = question.ends
    told: list[tuple[str, float | str | None]] = [
        ("departureLat", ends.departure.lat),
        ("departureLng", ends.departure.lon),
        ("arrivalLat", ends.arrival.lat),
        ("arrivalLng", ends.arrival.lon),
        ("departureRadius", ends.departure_km),
        ("arrivalRadius", ends.arrival_km),
        ("timeDelta", int(question.delta_s)),
        ("count", question.count),
    ]
    if isinstance(question, JourneyQuestion):
        told.append(("departureDate", int(question.at)))
    else:
        second = round(question.time_of_day_s) % 86_400
        told += [
            ("departureTimeOfDay", f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"),
            ("departureWeekdays", ",".join(day for day in WEEKDAYS if day in question.weekdays)),
            ("minDepartureDate", None if question.since is None else int(question.since)),
            ("maxDepartureDate", None if question.until is None else int(question.until)),
        ]
    return [(name, str(value)) for name, value in told if value is not None]
