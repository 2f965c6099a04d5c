"""Communes: which of them is nearest to a place, and the EPCI and département it is in."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from socle.geo import LatLon

NEAREST_WITHIN_M = 10_000
_METRES_PER_DEGREE = 111_195


@dataclass(frozen=True, slots=True)
class PublicPlace:
    """A commune, an EPCI or a département as it is named; `at` is a commune's centre."""

    code: str
    name: str
    at: LatLon | None = None


Ladder = tuple[PublicPlace, PublicPlace, PublicPlace]  # commune, EPCI, département


class Communes:
    """The communes of the region; `names` has every place by its code, `over` what each is in, the nearest first."""

    def __init__(self, rows: Iterable[Mapping[str, str]]) -> None:
        self.names: dict[str, PublicPlace] = {}
        self.over: dict[str, Sequence[PublicPlace]] = {}
        self._ladders: list[Ladder] = []
        for row in rows:
            commune = PublicPlace(row["insee_code"], row["name"], LatLon(float(row["lat"]), float(row["lon"])))
            dept = PublicPlace(row["dept"], row.get("dept_name") or row["dept"])
            epci = PublicPlace(row["epci"], row["epci_name"]) if row.get("epci") else dept
            # An EPCI may lie in two départements: it is told with that of its first commune.
            dept = self.over.setdefault(epci.code, (dept,))[0]
            self.names |= {place.code: place for place in (commune, epci, dept)}
            self.over |= {commune.code: (epci, dept), dept.code: (dept,)}
            self._ladders.append((commune, epci, dept))
        self._position = {commune.code: at for at, (commune, _epci, _dept) in enumerate(self._ladders)}
        self._at = np.array([commune.at for commune, _epci, _dept in self._ladders], np.float64).reshape(-1, 2)

    @classmethod
    def read(cls, file: Path) -> Communes:
        """Those of `places.csv` of a release."""
        with file.open(encoding="utf-8", newline="") as lines:
            return cls(csv.DictReader(lines))

    def find(self, insee_code: str) -> Ladder | None:
        """The commune of that code, its EPCI and its département."""
        at = self._position.get(insee_code)
        return None if at is None else self._ladders[at]

    def find_nearest(self, place: LatLon) -> Ladder | None:
        """The commune whose centre is nearest, its EPCI and its département; None far from all of them."""
        if not self._ladders:
            return None
        north = (self._at[:, 0] - place.lat) * _METRES_PER_DEGREE
        east = (self._at[:, 1] - place.lon) * _METRES_PER_DEGREE * np.cos(np.radians(place.lat))
        metres = np.hypot(north, east)
        nearest = int(metres.argmin())
        return self._ladders[nearest] if metres[nearest] <= NEAREST_WITHIN_M else None
