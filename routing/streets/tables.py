"""Tables: ways between places that are asked for again and again.

Each place is joined to its street and climbed from once, in either direction; what is kept of it is some
fifty junctions and what it takes to get there. A table of ways between a hundred places then costs some
millionths of a second for each, and is the same as `travel_matrix`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.streets.graph import Streets
from routing.streets.hierarchy import Hierarchy, KeptAscents, meet_all
from routing.streets.profiles import Profile
from routing.streets.travel import Spots, climb_room, limit_ms, put_along_pieces, spots_at, told, travel_matrix
from socle.geo import LatLon
from socle.matrix import TravelMatrix

_MOST_KEPT = 40_000  # places, of about 1.3 kB each; then all are forgotten and learnt anew
_COLUMNS = ("lat", "lon", "piece", "along_mm", "beside_mm", "on_lat", "on_lon")

Longs = NDArray[np.int64]


class Tables:
    """Ways by one profile; for several threads."""

    def __init__(self, streets: Streets, profile: Profile, most_kept: int = _MOST_KEPT) -> None:
        self._streets, self._profile, self._most_kept = streets, profile, most_kept
        self._hierarchy = streets.hierarchies.get(profile.name)
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._number: dict[LatLon, int] = {}
        self._columns: dict[str, NDArray[Any]] = {}
        if self._hierarchy is not None:
            self._leaving = KeptAscents(self._hierarchy, backward=False)
            self._arriving = KeptAscents(self._hierarchy, backward=True)

    def find(
        self, origins: Sequence[LatLon], destinations: Sequence[LatLon], limit_s: float | None = None
    ) -> tuple[TravelMatrix, NDArray[np.bool_]]:
        """What it takes from each origin to each destination, and which pairs are both on streets."""
        if self._hierarchy is None:
            return self._find_slowly(origins, destinations, limit_s)
        limit = limit_ms(limit_s, 1.0)
        with self._lock:
            one, other = self._numbers_of(self._hierarchy, origins, destinations)
            room = climb_room(self._hierarchy)
            ms, mm = meet_all(self._leaving.lists(), self._arriving.lists(), one, other, limit, room)
            pieces = self._columns["piece"]
            here, there = pieces[one][:, None], pieces[other]
            are_joined = (here >= 0) & (there >= 0)
            i, j = np.nonzero(are_joined & (here == there))
            if len(i):
                put_along_pieces(self._spots(one[i]), self._spots(other[j]), (i, j), limit, ms, mm)
        return TravelMatrix(*told(ms, mm, 1.0)), are_joined

    def _find_slowly(
        self, origins: Sequence[LatLon], destinations: Sequence[LatLon], limit_s: float | None
    ) -> tuple[TravelMatrix, NDArray[np.bool_]]:
        here, there = (spots_at(self._streets, self._profile, places) for places in (origins, destinations))
        are_joined = here.is_joined[:, None] & there.is_joined
        return travel_matrix(here, there, limit_s), are_joined

    def _numbers_of(
        self, hierarchy: Hierarchy, origins: Sequence[LatLon], destinations: Sequence[LatLon]
    ) -> tuple[Longs, Longs]:
        """Under which numbers the places are kept; those that are not yet are from now on."""
        number = self._number
        try:
            return _numbers(number, origins), _numbers(number, destinations)
        except KeyError:  # some are new
            pass
        new = [place for place in dict.fromkeys((*origins, *destinations)) if place not in number]
        if new:
            if len(number) + len(new) > self._most_kept:
                self._forget()
                number, new = self._number, list(dict.fromkeys((*origins, *destinations)))
            spots, room, n = spots_at(self._streets, self._profile, new), climb_room(hierarchy), len(number)
            self._leaving.add(spots.leaving, room)
            self._arriving.add(spots.arriving, room)
            for name in _COLUMNS:
                values = getattr(spots, name)
                column = self._columns.get(name, values[:0])
                while len(column) < n + len(new):
                    column = np.concatenate([column, np.empty(len(column) + len(new), column.dtype)])
                column[n : n + len(new)] = values
                self._columns[name] = column
            number.update(zip(new, range(n, n + len(new)), strict=True))
        return _numbers(number, origins), _numbers(number, destinations)

    def _spots(self, numbers: Longs) -> Spots:
        return Spots(self._streets, self._profile, *(self._columns[name][numbers] for name in _COLUMNS))


def _numbers(number: Mapping[LatLon, int], places: Sequence[LatLon]) -> Longs:
    return np.fromiter(map(number.__getitem__, places), np.int64, len(places))
