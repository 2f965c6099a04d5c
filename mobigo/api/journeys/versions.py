"""Versions: one shape, version 6, and one adapter to what versions 1 to 5 said differently.

v1: polylines of precision 7, later 6. v1 to v3: `routeShortName` carries the display name,
also of the trips of a segment. v1 to v4: METRO and AREAL_LIFT for SUBURBAN and AERIAL_LIFT
in legs, stop times and segments. v1 to v5: places always have a `level`. (What `maxTransfers`
counts changed in v3; that is a matter of the parameters.)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import UNSET, UnsetType

from mobigo.api.journeys.shapes import (
    EncodedPolyline,
    Itinerary,
    Leg,
    Mode,
    Place,
    PlanAnswer,
    StopAnswer,
    StopTime,
    StoptimesAnswer,
    TripSegment,
)
from socle.geo import read_polyline, render_polyline

LATEST = 6
VERSIONS = range(1, LATEST + 1)

_V1_PRECISION = 7
_OLD_MODES: dict[str, Mode] = {"SUBURBAN": "METRO", "AERIAL_LIFT": "AREAL_LIFT"}


def for_version(value: Any, version: int) -> Any:
    """`value` as `version` says it; the value is changed in place, so it must be the caller's own."""
    if version < LATEST:
        _adapt(value, version)
    return value


def _adapt(value: Any, version: int) -> None:
    match value:
        case list():
            for one in value:
                _adapt(one, version)
        case PlanAnswer():
            _places([value.from_, value.to])
            _adapt(value.itineraries, version)
            _adapt(value.direct, version)
        case Itinerary():
            _adapt(value.legs, version)
        case Leg():
            _leg(value, version)
        case StoptimesAnswer():
            _places([value.place])
            _adapt(value.stop_times, version)
        case StopAnswer():
            _places([value.place])
        case StopTime():
            _places([value.place, value.trip_from, value.trip_to])
            _places(_given(value.previous_stops) + _given(value.next_stops))
            _named(value, version)
        case TripSegment():
            _places([value.from_, value.to])
            _moded(value, version)
            if version < 4:
                for trip in value.trips:
                    trip.route_short_name, trip.display_name = trip.display_name, UNSET
        case Place():
            _places([value])


def _leg(leg: Leg, version: int) -> None:
    ends = [end for end in (leg.trip_from, leg.trip_to) if end is not UNSET]
    _places([leg.from_, leg.to, *ends, *_given(leg.intermediate_stops)])
    _named(leg, version)
    if version == 1:
        leg.leg_geometry = _finer(leg.leg_geometry)
    if leg.alternatives is not UNSET:
        _adapt(leg.alternatives, version)


def _named(told: Leg | StopTime, version: int) -> None:
    _moded(told, version)
    if version < 4 and told.display_name is not UNSET:
        told.route_short_name = told.display_name


def _moded(told: Leg | StopTime | TripSegment, version: int) -> None:
    if version < 5:
        told.mode = _OLD_MODES.get(told.mode, told.mode)


def _places(places: Iterable[Place]) -> None:
    for place in places:
        if place.level is UNSET:
            place.level = 0.0


def _given(places: list[Place] | UnsetType) -> list[Place]:
    return [] if places is UNSET else places


def _finer(line: EncodedPolyline) -> EncodedPolyline:
    points = render_polyline(read_polyline(line.points, line.precision), _V1_PRECISION)
    return EncodedPolyline(points=points, precision=_V1_PRECISION, length=line.length)
