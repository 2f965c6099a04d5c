"""A month of carpools on the Region's lines: honest life with its mishaps, and people who cheat, each knowing how.

Everything follows from the seed. The month has a clock change. What is planted is known, so that
the rules can be held to it, and the rides that nobody arranged are, so that they can be left alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from covoiturage.carpool import Carpool
from covoiturage.fraud.labels import Code, Known
from mobigo.demo.carpools.life import live
from mobigo.demo.carpools.maker import Maker, Road, between
from mobigo.demo.carpools.schemes import DETERMINISTIC, GRAPH, Gang
from socle.geo import LatLon, distance_m

FIRST_DAY = date(2026, 3, 1)  # clocks change on the 29th
N_DAYS = 31
ROAD_OVER_CROW = 1.25  # the mean of the Region's lines


def _straight(line_id: str, start: LatLon, end: LatLon, n_stops: int) -> Road:
    """A line whose stops are all at the same distance."""
    stops = tuple(between((start, end), stop / (n_stops - 1)) for stop in range(n_stops))
    return Road(line_id, stops, tuple(round(distance_m(start, stop) * ROAD_OVER_CROW) for stop in stops))


ROADS = (
    _straight("sens-auxerre", LatLon(48.197, 3.283), LatLon(47.798, 3.573), 8),
    _straight("ancy-dijon", LatLon(47.776, 4.163), LatLon(47.322, 5.041), 12),
    _straight("saulieu-chatillon", LatLon(47.281, 4.229), LatLon(47.858, 4.574), 10),
    _straight("epoisses-les-laumes", LatLon(47.506, 4.171), LatLon(47.543, 4.461), 11),  # a stop every two kilometres
    _straight("besancon-maiche", LatLon(47.238, 6.024), LatLon(47.251, 6.803), 9),
    _straight("baume-avoudrey", LatLon(47.352, 6.361), LatLon(47.137, 6.433), 6),
)


@dataclass(frozen=True)
class Planted:
    """One scheme: what it should be labelled, and its gangs, each as the carpools that bear the mark."""

    code: Code
    gangs: Sequence[Gang]


@dataclass(frozen=True)
class Month:
    """Carpools in the order of their ends, what is known beside them, what was planted, who is honest."""

    carpools: Sequence[Carpool]
    known: Known
    planted: Mapping[str, Planted]
    honest: frozenset[str]  # carpools

    @property
    def n_honest_rides(self) -> int:
        """Rides that nobody arranged."""
        return sum(len(carpool.rides) for carpool in self.carpools if carpool.id in self.honest)


def make_month(seed: int, n_drivers: int, n_gangs: int = 2, n_rings: int = 20) -> Month:
    """A month around `n_drivers` who commute: `n_gangs` for each plain scheme, `n_rings` for each of the graph."""
    make = Maker(Random(seed), ROADS, FIRST_DAY, N_DAYS)
    live(make, n_drivers)
    honest = frozenset(carpool.id for carpool in make.carpools)
    planted = {}
    for schemes, n in ((DETERMINISTIC, n_gangs), (GRAPH, n_rings)):
        for name, (scheme, code) in schemes.items():
            planted[name] = Planted(code, [scheme(make) for _ in range(n)])
    carpools = sorted(make.carpools, key=lambda carpool: (carpool.end_at, carpool.id))
    return Month(carpools, make.known, planted, honest)
