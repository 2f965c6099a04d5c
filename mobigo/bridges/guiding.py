"""Guiding: what a coach driver is told of a leg on the streets: where to turn, and on which side a stop lies."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import atan2, cos, degrees, radians

from routing.streets.graph import Streets
from routing.streets.profiles import CAR
from routing.streets.travel import reach, spots_at
from scolaire.roadbook import Guidance, Guide, Hand, Turn
from socle.geo import LatLon, distance_m, length_m
from socle.matrix import NEVER

_AHEAD, _BACK = 40.0, 150.0  # degrees off straight on
_ASIDE_M = 3.0  # a stop nearer to the middle of its street lies on no side that could be told
_STEP_M = 5.0  # a bearing is taken over so much of the way: corners are drawn with short pieces


def guide_on(streets: Streets) -> Guide:
    """The ways of cars on these streets; None where a place is on no street or there is no way."""

    def guide(origin: LatLon, destination: LatLon) -> Guidance | None:
        found = reach(spots_at(streets, CAR, [origin]), spots_at(streets, CAR, [destination]))
        if found.seconds[0] >= NEVER:
            return None
        named = [(streets.texts[int(streets.piece_name[piece])], course) for piece, course in found.pieces(0)]
        return guidance_along([one for one in named if len(one[1]) > 1], destination)

    return guide


def guidance_along(ways: Sequence[tuple[str, Sequence[LatLon]]], destination: LatLon) -> Guidance:
    """The turns along streets with their names and courses, in the direction of travel, and the side of its end."""
    turns = []
    since = 0.0
    for (name, course), (next_name, next_course) in pairwise(ways):
        since += length_m(course)
        if next_name == name:
            continue
        hand = _hand(_bearing(course[::-1]) + 180, _bearing(next_course))
        turns.append(Turn(round(since), hand, next_name))
        since = 0.0
    return Guidance(tuple(turns), _side(ways[-1][1], destination) if ways else None)


def _bearing(course: Sequence[LatLon]) -> float:
    """Degrees from north by east, over the first metres of a course."""
    first = course[0]
    last = next((place for place in course[1:] if distance_m(first, place) >= _STEP_M), course[-1])
    return degrees(atan2((last.lon - first.lon) * cos(radians(first.lat)), last.lat - first.lat))


def _hand(before: float, after: float) -> Hand:
    turned = (after - before + 180) % 360 - 180
    if abs(turned) < _AHEAD:
        return Hand.AHEAD
    if abs(turned) > _BACK:
        return Hand.BACK
    return Hand.RIGHT if turned > 0 else Hand.LEFT


def _side(course: Sequence[LatLon], place: LatLon) -> Hand | None:
    """On which side of a course its end lies."""
    end = course[-1]
    if distance_m(end, place) < _ASIDE_M:
        return None
    along = _bearing(course[::-1]) + 180
    aside = _bearing((end, place))
    return Hand.RIGHT if 0 < (aside - along) % 360 < 180 else Hand.LEFT
