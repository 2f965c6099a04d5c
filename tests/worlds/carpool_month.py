"""A month of carpools on the Region's lines: honest life with its mishaps, and people who cheat, each knowing how.

Everything follows from the seed. The month has a clock change. What is planted is known, so that
the rules can be held to it, and the rides that nobody arranged are, so that they can be left alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from covoiturage.carpool import Carpool
from covoiturage.fraud.labels import Code, Known
from tests.worlds.carpool_honest import live
from tests.worlds.carpool_maker import Maker
from tests.worlds.carpool_schemes import DETERMINISTIC, GRAPH, Gang


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
    make = Maker(Random(seed))
    live(make, n_drivers)
    honest = frozenset(carpool.id for carpool in make.carpools)
    planted = {}
    for schemes, n in ((DETERMINISTIC, n_gangs), (GRAPH, n_rings)):
        for name, (scheme, code) in schemes.items():
            planted[name] = Planted(code, [scheme(make) for _ in range(n)])
    carpools = sorted(make.carpools, key=lambda carpool: (carpool.end_at, carpool.id))
    return Month(carpools, make.known, planted, honest)
