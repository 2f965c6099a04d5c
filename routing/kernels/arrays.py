"""Arrays: what a search reads of a day, what it writes to, and the stops to pass.

Named tuples, because Numba takes them apart when it compiles: a kernel that is given one costs what
it would cost if every array were an argument.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Bytes = NDArray[np.uint8]

NEVER = 1 << 29  # later than all; twice it still fits an int32
BOARD, ALIGHT = 1, 2


class SearchArrays(NamedTuple):
    """One direction of a day.

    Backward, times are negated and patterns run from their last spot to their first, so that
    arriving as late as possible is searched by the very same code as leaving as early.
    """

    # spot -> seconds to change between two runs there
    change_s: Ints  # [n_spots]
    # spot -> walks to other spots, shortest first
    first_walk: Ints  # [n_spots + 1]
    walk_spot: Ints
    walk_s: Ints
    # spot -> the patterns that may be boarded there
    first_visit: Ints  # [n_spots + 1]
    visit_pattern: Ints
    visit_position: Ints
    # pattern -> its spots, and what is allowed there (BOARD | ALIGHT | … of `routing.network.runs`)
    first_stop: Ints  # [n_patterns + 1]
    spots: Ints
    allow: Bytes
    # pattern -> what a query must allow (bits of `routing.network.runs`)
    needs: NDArray[np.uint32]  # [n_patterns]
    # pattern -> its runs, ascending; times of pattern p with n runs of m stops begin at first_time[p]:
    # arrivals run by run (first_time[p] + run * m + position), for riding;
    # departures stop by stop (first_time[p] + position * n + run), for boarding.
    n_runs: Ints  # [n_patterns]
    first_time: Ints  # [n_patterns + 1]
    arrival_s: Ints
    departure_s: Ints


class Vias(NamedTuple):
    """Stops to pass, in the order of the search."""

    spots: Bytes  # [n_spots] bit v: the spot is of via v
    stay_s: Ints  # [n_vias]


class Room(NamedTuple):
    """What a search writes to; all but the answer is left as it was found.

    A *layer* holds those who have passed as many vias; without vias there is one. A *place* is a spot
    in a layer: `layer * n_spots + spot`. A *slot* is a pattern in a layer: `layer * n_patterns + pattern`.
    """

    # round and place -> the labels, and what they came from: the place of the arrival in the times of
    # its pattern, where it was boarded and in which layer; the place one walked on from
    arrived: Ints  # [rounds + 1, n_places]
    ready: Ints
    boarding: NDArray[np.int64]  # time << 32 | position << 2 | layer; never negative
    walked: Ints
    # place -> when one may board there in this round, else NEVER
    board_at: Ints  # [n_places]
    egress_s: Ints  # [n_spots] seconds from there to the target, else NEVER
    queued_at: Ints  # [n_slots] the first position to board, else -1
    taken: Ints  # [n_slots, 3] run, position, round of the last boarding
    lists: Ints  # [3, most of places and patterns] patterns to scan, places marked, places reached
    # The answer. A row of `journeys` is (departure, arrival, vehicles, first leg), a row of `legs`
    # (pattern, run, position of boarding, position of alighting, layer of boarding), last vehicle first.
    journeys: Ints
    legs: Ints
