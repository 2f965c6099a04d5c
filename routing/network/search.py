"""Search: a day's arrays handed to the kernels, with the room they write to."""

from __future__ import annotations

import threading

import numpy as np

from routing.kernels.arrays import NEVER, Ints, Room, SearchArrays, Vias
from routing.kernels.fifo import assign_lanes
from routing.kernels.polish import polish
from routing.kernels.raptor import FULL, search

_local = threading.local()


def layered(access: Ints, vias: Vias) -> Ints:
    """Rows (place, seconds) of `access`, which are (spot, seconds), staying at vias near the origin included."""
    rows = []
    for spot, seconds in access.tolist():
        rows.append((spot, seconds))
        for layer, stay_s in enumerate(vias.stay_s.tolist()):
            if not vias.spots[spot] >> layer & 1:
                break
            seconds += stay_s
            rows.append(((layer + 1) * len(vias.spots) + spot, seconds))
    return np.array(rows, np.int32).reshape(-1, 2)


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
    """Search; the answer is in the first rows of `scratch.room.journeys` and in `scratch.room.legs`.

    Arguments as of `raptor.search`, but rows of `access` are (spot, seconds). Returns the number of journeys.
    """
    n_layers = 1 if vias is None else len(vias.stay_s) + 1
    scratch.fit(n_layers * len(arrays.change_s), n_layers * len(arrays.needs))
    if vias is not None:
        access = layered(access, vias)
    limits = (begin, window, travel_limit, direct_s, max_vehicles, refused)
    while True:
        found: int = search(arrays, scratch.room, access, egress, *limits, vias)
        if found != FULL:
            return found
        scratch.grow_answer()


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
    run_search(one_line, scratch, *ends, 0, 60, 3600, NEVER, 1, 0, vias)
    no_stay, of_vias = np.zeros(2, np.int32), np.zeros(2, np.uint8)
    polish(ints(0, 0, 0, 1).reshape(1, 4), one_line, ints(0, 1), *ends, 0, 60, no_stay, of_vias, scratch.mark)
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

    Buffers keep their size while days come and go; `room` are views of their first places.
    """

    def __init__(self) -> None:
        self._n_places = self._n_slots = -1
        self._places_held = self._slots_held = -1
        self._journeys = np.empty((256, 4), np.int32)
        self._legs = np.empty((2048, 5), np.int32)
        self.fit(0, 0)

    def fit(self, n_places: int, n_slots: int) -> None:
        """Make room for a search over so many places and slots."""
        if (n_places, n_slots) == (self._n_places, self._n_slots):
            return
        self._n_places, self._n_slots = n_places, n_slots
        if n_places > self._places_held or n_slots > self._slots_held:
            self._places_held = max(n_places, self._places_held)
            self._slots_held = max(n_slots, self._slots_held)
            cells = MAX_ROWS * self._places_held
            self._arrived, self._ready = np.empty(cells, np.int32), np.empty(cells, np.int32)
            self._boarding, self._walked = np.zeros(cells, np.int64), np.zeros(cells, np.int32)
            self._board_at = np.full(self._places_held, NEVER, np.int32)
            self._egress_s = np.full(self._places_held, NEVER, np.int32)
            self._mark = np.full(self._places_held, -1, np.int32)
            self._queued_at = np.full(self._slots_held, -1, np.int32)
            self._taken = np.empty((self._slots_held, 3), np.int32)
            self._lists = np.empty(3 * max(self._places_held, self._slots_held), np.int32)
        self._view()

    def grow_answer(self) -> None:
        """Make room for twice as many journeys."""
        self._journeys = np.empty((2 * len(self._journeys), 4), np.int32)
        self._legs = np.empty((2 * len(self._legs), 5), np.int32)
        self._view()

    def _view(self) -> None:
        n_places, n_slots = self._n_places, self._n_slots
        shape = (MAX_ROWS, n_places)
        longest = max(n_places, n_slots)
        self.mark = self._mark[:n_places]  # spot -> a number while a kernel works, else -1
        self.room = Room(
            arrived=self._arrived[: MAX_ROWS * n_places].reshape(shape),
            ready=self._ready[: MAX_ROWS * n_places].reshape(shape),
            boarding=self._boarding[: MAX_ROWS * n_places].reshape(shape),
            walked=self._walked[: MAX_ROWS * n_places].reshape(shape),
            board_at=self._board_at[:n_places],
            egress_s=self._egress_s[:n_places],
            queued_at=self._queued_at[:n_slots],
            taken=self._taken[:n_slots],
            lists=self._lists[: 3 * longest].reshape(3, longest),
            journeys=self._journeys,
            legs=self._legs,
        )
