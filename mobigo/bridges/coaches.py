"""Coaches: what the streets say of driving a school coach from place to place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from routing.streets.graph import Streets
from routing.streets.profiles import CAR
from routing.streets.travel import spots_at, travel_matrix
from scolaire.ways import straight_matrix
from socle.geo import LatLon
from socle.matrix import NEVER, TravelMatrix

PACE: Final = 1.2
"""Seconds of a coach for one of a car on the same way: slower away from halts and through bends; an assumption."""


def coach_matrix(streets: Streets, places: Sequence[LatLon]) -> tuple[TravelMatrix, float]:
    """Ways between places along the streets, and the share of the places that are on one.

    To and from a place that is on no street the way is a straight line made as long as roads are; between two
    that are, where no street leads, there is none.
    """
    spots = spots_at(streets, CAR, places)
    driven = travel_matrix(spots)
    straight = straight_matrix(places)
    is_joined = np.asarray(spots.is_joined)
    both = is_joined[:, None] & is_joined[None, :]
    paced = np.where(driven.is_reached, np.ceil(driven.seconds * PACE), NEVER).astype(np.int32)
    seconds = np.where(both, paced, straight.seconds).astype(np.int32)
    metres = np.where(both, driven.metres, straight.metres).astype(np.int32)
    return TravelMatrix(seconds, metres), float(is_joined.mean()) if len(places) else 0.0
