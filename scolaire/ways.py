"""Ways: what driving from one place to another takes, as whoever changes a plan asks for it.

Known ways are those of a matrix between places. A place that no matrix knows, a stop that somebody has just put on
the map, is driven to along a straight line made as long as roads are.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Final

import numpy as np

from scolaire.plans import SchoolPlan
from scolaire.pupils import Sector
from socle.geo import LatLon, distance_m, distances_m
from socle.matrix import NEVER, TravelMatrix

ROAD_FACTOR: Final = 1.3  # a road and the straight line, where no streets tell it
COACH_M_S: Final = 40 / 3.6  # the mean speed of a coach between villages, halts not counted


def places_of(of: Sector | SchoolPlan) -> tuple[LatLon, ...]:
    """What the matrix of a sector is between: stops, then schools, then the depots of its types of vehicles."""
    return (
        *(stop.position for stop in of.stops),
        *(school.position for school in of.schools),
        *(each.depot for each in of.vehicle_types),
    )


def straight_matrix(places: Sequence[LatLon]) -> TravelMatrix:
    """Coach times along straight lines made as long as roads are, where no streets are known."""
    lat = np.array([place.lat for place in places])
    lon = np.array([place.lon for place in places])
    metres = distances_m(lat[:, None], lon[:, None], lat[None, :], lon[None, :]) * ROAD_FACTOR
    return TravelMatrix(np.ceil(metres / COACH_M_S).astype(np.int32), np.rint(metres).astype(np.int32))


class Ways:
    """Seconds and metres from place to place."""

    def __init__(self, places: Sequence[LatLon], matrix: TravelMatrix) -> None:
        self._matrix = matrix
        self._at: dict[LatLon, int] = {}
        for index, place in enumerate(places):
            self._at.setdefault(place, index)

    @classmethod
    def straight(cls, of: Sector | SchoolPlan) -> Ways:
        """The ways of a sector or plan along straight lines."""
        places = places_of(of)
        return cls(places, straight_matrix(places))

    def find(self, origin: LatLon, target: LatLon) -> tuple[int, int] | None:
        """What driving takes, in seconds and metres; None when there is no way."""
        one, other = self._at.get(origin), self._at.get(target)
        if one is None or other is None:
            return straight_way(origin, target)
        seconds = self._matrix.seconds.item(one, other)
        return None if seconds >= NEVER else (seconds, self._matrix.metres.item(one, other))


def straight_way(origin: LatLon, target: LatLon) -> tuple[int, int]:
    """As `straight_matrix` has it."""
    metres = distance_m(origin, target) * ROAD_FACTOR
    return ceil(metres / COACH_M_S), round(metres)
