"""Search: a day's arrays handed to the kernel, with the scratch it writes to."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.kernels.fifo import assign_lanes
from routing.kernels.polish import polish
from routing.kernels.raptor import FULL, NEVER, search
from routing.kernels.via import search_via
from routing.network.days import SearchArrays

Ints = NDArray[np.int32]

_local = threading.local()


@dataclass(frozen=True, slots=True)
class Vias:
    """Stops to pass, in the order of the search."""

    spots: NDArray[np.uint8]  # [n_spots] bit v: the spot is of via v
    stay_s: Ints  # [n_vias]

    def layered(self, access: Ints) -> Ints:
        """Rows (layer, spot, seconds) of `access`, staying at vias near the origin included."""
        rows = []
        for spot, seconds in access.tolist():
            rows.append((0, spot, seconds))
            for layer, stay_s in enumerate(self.stay_s.tolist()):
                if not self.spots[spot] >> layer & 1:
                    break
                seconds += stay_s
                rows.append((layer + 1, spot, seconds))
        return np.array(rows, np.int32).reshape(-1, 3)


def run_search(
    arrays: SearchArrays,
    scratch: Scratch,
    access: Ints,
    egress: Ints,
    begin: int,
    window: int,
    travel_limit: int,
    direct_s: int,
    max_vehicles: int,
    refused: int,
    vias: Vias | None = None,
) -> int:
    """Search; the answer is in the first rows of `scratch.journeys` and in `scratch.legs`.

    Arguments as of `raptor.search`, where `access` is layered when there are `vias`.
    Returns the number of journeys.
    """
    n_spots, n_patterns = len(arrays.change_s), len(arrays.needs)
    scratch.fit(n_spots * (1 if vias is None else len(vias.stay_s) + 1), n_patterns)
    kernel = search if vias is None else search_via
    more = (scratch.taken,) if vias is None else (vias.spots, vias.stay_s)
    while True:
        found: int = kernel(
            arrays.change_s,
            arrays.first_walk,
            arrays.walk_spot,
            arrays.walk_s,
            arrays.first_visit,
            arrays.visit_pattern,
            arrays.visit_position,
            arrays.first_stop,
            arrays.spots,
            arrays.allow,
            arrays.needs,
            arrays.n_runs,
            arrays.first_time,
            arrays.arrival_s,
            arrays.departure_s,
            access,
            egress,
            begin,
            window,
            travel_limit,
            direct_s,
            max_vehicles,
            refused,
            scratch.arrived,
            scratch.ready,
            scratch.boarding,
            scratch.walked,
            scratch.board_at,
            scratch.egress_s,
            scratch.queued_at,
            scratch.lists,
            scratch.journeys,
            scratch.legs,
            *more,
        )
        if found != FULL:
            return found
        scratch.grow_answer()


def polish_legs(arrays: SearchArrays, scratch: Scratch, legs: Ints) -> None:
    """Less walking and later departures along the legs of one journey, see `polish`."""
    polish(
        legs,
        arrays.change_s,
        arrays.first_walk,
        arrays.walk_spot,
        arrays.walk_s,
        arrays.first_stop,
        arrays.spots,
        arrays.allow,
        arrays.n_runs,
        arrays.first_time,
        arrays.arrival_s,
        arrays.departure_s,
        scratch.position_of,
    )


def warm_kernels() -> None:
    """Compile every kernel of the search, or load it from Numba's cache: what a first traveller would wait for.

    From nothing it takes some ten seconds, once for an installation; so it is done when a network is built.
    """

    def ints(*values: int) -> Ints:
        return np.array(values, np.int32)

    one_line = SearchArrays(
        change_s=ints(0, 0),
        first_walk=ints(0, 0, 0),
        walk_spot=ints(),
        walk_s=ints(),
        first_visit=ints(0, 1, 1),
        visit_pattern=ints(0),
        visit_position=ints(0),
        first_stop=ints(0, 2),
        spots=ints(0, 1),
        allow=np.array([1, 2], np.uint8),
        needs=np.zeros(1, np.uint32),
        n_runs=ints(1),
        first_time=ints(0, 2),
        arrival_s=ints(0, 60),
        departure_s=ints(0, 60),
    )
    scratch = Scratch()
    ends = np.zeros((1, 2), np.int32), np.array([[1, 0]], np.int32)
    vias = Vias(np.zeros(2, np.uint8), ints(0))
    run_search(one_line, scratch, *ends, 0, 60, 3600, NEVER, 1, 0)
    run_search(one_line, scratch, vias.layered(ends[0]), ends[1], 0, 60, 3600, NEVER, 1, 0, vias)
    polish_legs(one_line, scratch, np.array([[0, 0, 0, 1]], np.int32))
    assign_lanes(np.array([0, 1]), np.array([2]), np.array([0]), one_line.arrival_s, one_line.departure_s, ints(0))


def scratch_of_thread() -> Scratch:
    """The scratch of this thread."""
    kept: Scratch | None = getattr(_local, "scratch", None)
    if kept is None:
        kept = _local.scratch = Scratch()
    return kept


MAX_ROWS = 16  # rounds of the longest query, and the start


class Scratch:
    """What a search writes to: allocated once per thread, fitted to the arrays that are searched.

    Buffers keep their size while days come and go; a view of the first places is handed to the kernel.
    """

    def __init__(self) -> None:
        self._n_spots = self._n_patterns = -1
        self._spots_held = self._patterns_held = 0
        self.journeys = np.empty((256, 5), np.int32)
        self.legs = np.empty((2048, 4), np.int32)

    def fit(self, n_spots: int, n_patterns: int) -> None:
        """Make room for a search over so many spots and patterns."""
        if (n_spots, n_patterns) == (self._n_spots, self._n_patterns):
            return
        self._n_spots, self._n_patterns = n_spots, n_patterns
        if n_spots > self._spots_held or n_patterns > self._patterns_held:
            self._spots_held = max(n_spots, self._spots_held)
            self._patterns_held = max(n_patterns, self._patterns_held)
            cells = MAX_ROWS * self._spots_held
            self._arrived, self._ready = np.empty(cells, np.int32), np.empty(cells, np.int32)
            self._boarding, self._walked = np.zeros(cells, np.int64), np.zeros(cells, np.int32)
            self._board_at = np.full(self._spots_held, NEVER, np.int32)
            self._egress_s = np.full(self._spots_held, NEVER, np.int32)
            self.position_of = np.full(self._spots_held, -1, np.int32)
            self._queued_at = np.full(self._patterns_held, -1, np.int32)
            self._taken = np.empty((self._patterns_held, 3), np.int32)
            self._lists = np.empty(3 * max(self._spots_held, self._patterns_held), np.int32)
        cells = MAX_ROWS * n_spots
        self.arrived = self._arrived[:cells].reshape(MAX_ROWS, n_spots)
        self.ready = self._ready[:cells].reshape(MAX_ROWS, n_spots)
        self.boarding = self._boarding[:cells].reshape(MAX_ROWS, n_spots)
        self.walked = self._walked[:cells].reshape(MAX_ROWS, n_spots)
        self.board_at, self.egress_s = self._board_at[:n_spots], self._egress_s[:n_spots]
        self.queued_at, self.taken = self._queued_at[:n_patterns], self._taken[:n_patterns]
        longest = max(n_spots, n_patterns)
        self.lists = self._lists[: 3 * longest].reshape(3, longest)

    def grow_answer(self) -> None:
        """Make room for twice as many journeys."""
        self.journeys = np.empty((2 * len(self.journeys), 5), np.int32)
        self.legs = np.empty((2 * len(self.legs), 4), np.int32)
