"""Driving: what the streets say of the ways that carpools declare."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from routing.streets.graph import Streets
from routing.streets.profiles import CAR
from routing.streets.travel import spots_at, travel_matrix
from socle.geo import LatLon
from socle.matrix import NEVER

Driven = tuple[int, int]
"""Metres and seconds of the quickest way by car."""
Drives = Callable[[Sequence[tuple[LatLon, LatLon]]], Sequence[Driven | None]]
"""Ways from place to place, each as `Driven`; None where a place is on no street or there is no way."""


def drives_on(streets: Streets) -> Drives:
    """The ways on these streets; places that occur again are looked for once."""

    def drive(ways: Sequence[tuple[LatLon, LatLon]]) -> Sequence[Driven | None]:
        told: list[Driven | None] = [None] * len(ways)
        by_origin: dict[LatLon, list[int]] = defaultdict(list)
        for i, (origin, _destination) in enumerate(ways):
            by_origin[origin].append(i)
        for origin, numbers in by_origin.items():
            targets = sorted({ways[i][1] for i in numbers})
            found = travel_matrix(spots_at(streets, CAR, [origin]), spots_at(streets, CAR, targets))
            at = {place: n for n, place in enumerate(targets)}
            for i in numbers:
                n = at[ways[i][1]]
                if found.seconds[0, n] < np.int32(NEVER):
                    told[i] = int(found.metres[0, n]), int(found.seconds[0, n])
        return told

    return drive
