"""Ways: what driving takes, along the streets in use where there are some, else along the great circle made longer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from covoiturage.drives import FARTHER, Ways, straight_ways
from routing.journeys.snapshot import Snapshot
from routing.streets.graph import Streets
from routing.streets.profiles import CAR
from routing.streets.tables import Tables
from socle.geo import LatLon
from socle.matrix import TravelMatrix


@lru_cache(maxsize=2)  # the streets in use, and those before them while a release is swapped
def street_ways(streets: Streets) -> Ways:
    """The ways by car along some streets."""
    tables = Tables(streets, CAR)

    def ways(origins: Sequence[LatLon], destinations: Sequence[LatLon], within_s: float | None = None) -> TravelMatrix:
        matrix, are_joined = tables.find(origins, destinations, within_s)
        if within_s is not None:
            is_beyond = ~matrix.is_reached & are_joined
            matrix.seconds[is_beyond] = matrix.metres[is_beyond] = FARTHER
        return matrix

    return ways


def ways_of(snapshot: Snapshot | None) -> Ways:
    """The ways by car of a release of the network."""
    if snapshot is None or snapshot.walks is None:
        return straight_ways
    return street_ways(snapshot.walks.streets)
