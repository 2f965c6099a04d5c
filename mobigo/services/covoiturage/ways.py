"""Ways: what driving takes, along the streets in use where there are some, else along the great circle made longer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from covoiturage.drives import FARTHER, Ways, straight_ways
from routing.journeys.snapshot import Snapshot
from routing.streets.graph import Streets
from routing.streets.profiles import CAR
from routing.streets.travel import reach, spots_at
from socle.geo import LatLon
from socle.matrix import NEVER, TravelMatrix


@lru_cache(maxsize=2)  # the streets in use, and those before them while a release is swapped
def _street_ways(streets: Streets) -> Ways:
    def ways(origins: Sequence[LatLon], destinations: Sequence[LatLon], within_s: float | None = None) -> TravelMatrix:
        """One search for each place of the shorter list, from it or backward to it."""
        backward = len(destinations) < len(origins)
        few, many = (destinations, origins) if backward else (origins, destinations)
        spots = spots_at(streets, CAR, many)
        each = [spots_at(streets, CAR, [place]) for place in few]
        found = [reach(one, spots, within_s, backward=backward) for one in each]
        seconds, metres = (np.array([getattr(one, name) for one in found], np.int32) for name in ("seconds", "metres"))
        shape = (len(few), len(many))
        seconds, metres = seconds.reshape(shape), metres.reshape(shape)
        if within_s is not None:
            is_joined = np.array([one.is_joined[0] for one in each], np.bool_)[:, None] & spots.is_joined
            is_beyond = (seconds >= NEVER) & is_joined
            seconds[is_beyond] = metres[is_beyond] = FARTHER
        return TravelMatrix(seconds.T.copy(), metres.T.copy()) if backward else TravelMatrix(seconds, metres)

    return ways


def ways_of(snapshot: Snapshot | None) -> Ways:
    """The ways by car of a release of the network."""
    if snapshot is None or snapshot.walks is None:
        return straight_ways
    return _street_ways(snapshot.walks.streets)
