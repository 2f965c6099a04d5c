"""Feeders: those beside a network, found by place and by mode, with what is remembered of the walks to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from routing.journeys.access import stops_of
from routing.journeys.feeder import Feeder
from routing.journeys.query import JourneyQuery, PointPlace
from routing.journeys.walks import Walks
from routing.network.timetable import Timetable
from socle.geo import LatLon, distances_m

_LEAST_METRES_PER_DEGREE = 111_000.0  # of latitude, a little less than it is
_KEPT = 4096  # walks between a stop of a feeder and the network that are remembered


@dataclass(frozen=True, eq=False)
class Feeders:
    """The feeders beside a network."""

    feeders: tuple[Feeder, ...]

    @cached_property
    def _places(self) -> tuple[list[tuple[Feeder, int]], np.ndarray, np.ndarray]:
        stops = [(feeder, i) for feeder in self.feeders for i in range(len(feeder.stops))]
        at = np.array([feeder.stops[i].at for feeder, i in stops]).reshape(-1, 2)
        return stops, at[:, 0], at[:, 1]

    def of_modes(self, modes: frozenset[str]) -> Feeders:
        """Those of some modes; one and the same value for the same modes, so that what it remembers is found."""
        return self._of_modes(modes)

    @cached_property
    def _of_modes(self) -> Callable[[frozenset[str]], Feeders]:
        def choose(modes: frozenset[str]) -> Feeders:
            chosen = tuple(feeder for feeder in self.feeders if feeder.mode in modes)
            return self if len(chosen) == len(self.feeders) else Feeders(chosen)

        return lru_cache(maxsize=None)(choose)

    @cached_property
    def reached(self) -> Callable[..., dict[int, int]]:
        """The stops of a network around a point of a feeder with the seconds to walk to (from) each, remembered."""
        return lru_cache(maxsize=_KEPT)(_reached)

    def near(self, at: LatLon, metres: float) -> list[tuple[Feeder, int]]:
        """Stops of feeders within a great circle, by feeder and position."""
        stops, lat, lon = self._places
        # Most questions are asked far from any: one comparison of latitudes says so.
        beside = np.flatnonzero(np.abs(lat - at.lat) * _LEAST_METRES_PER_DEGREE <= metres)
        if not len(beside):
            return []
        within = beside[distances_m(at.lat, at.lon, lat[beside], lon[beside]) <= metres]
        return [stops[i] for i in within.tolist()]


NO_FEEDERS = Feeders(())


def _reached(
    timetable: Timetable, walks: Walks | None, at: LatLon, speed_m_s: float, limit_s: int, backward: bool
) -> dict[int, int]:
    point = PointPlace(at)
    query = JourneyQuery(point, point, 0, walk_speed_m_s=speed_m_s)
    stops, seconds = stops_of(timetable, query, point, limit_s, walks, backward=backward)
    return dict(zip(stops.tolist(), seconds.tolist(), strict=True))
