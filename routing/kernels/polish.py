"""Polish: among journeys equal in departure, arrival and vehicles, one that walks less and hurries less.

A search tells which vehicles make the journey. Here each of them is taken as late as the next one
allows, and each change is made where the walk is shortest, then where the next vehicle leaves last.
It is a choice along the lines that were found, not over all journeys that tie.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from routing.kernels.raptor import ALIGHT, BOARD, NEVER

Ints = NDArray[np.int32]


@njit(cache=True, nogil=True)
def polish(
    legs: Ints,
    change_s: Ints,
    first_walk: Ints,
    walk_spot: Ints,
    walk_s: Ints,
    first_stop: Ints,
    spots: Ints,
    allow: NDArray[np.uint8],
    n_runs: Ints,
    first_time: Ints,
    arrival_s: Ints,
    departure_s: Ints,
    position_of: Ints,
) -> None:
    """Rewrite `legs`, rows (pattern, run, boarding, alighting) in the order of travel, over forward arrays.

    Where the first vehicle is boarded and the last one left does not change. `position_of` is scratch
    by spot, all -1, left so.
    """
    k = len(legs)
    for i in range(1, k):  # each as early as the one before allows: the last one when arriving by a time
        needed_s = _change_s(legs, i, change_s, first_walk, walk_spot, walk_s, first_stop, spots)
        ready = _arrival(legs, i - 1, first_stop, first_time, arrival_s) + needed_s
        p, board = legs[i, 0], legs[i, 2]
        base = first_time[p] + board * n_runs[p]
        while legs[i, 1] > 0 and departure_s[base + legs[i, 1] - 1] >= ready:
            legs[i, 1] -= 1
    for i in range(k - 2, -1, -1):
        _shorten(
            legs,
            i,
            change_s,
            first_walk,
            walk_spot,
            walk_s,
            first_stop,
            spots,
            allow,
            n_runs,
            first_time,
            arrival_s,
            departure_s,
            position_of,
        )
        needed_s = _change_s(legs, i + 1, change_s, first_walk, walk_spot, walk_s, first_stop, spots)
        after = legs[i + 1, 0]
        due = departure_s[first_time[after] + legs[i + 1, 2] * n_runs[after] + legs[i + 1, 1]] - needed_s
        p = legs[i, 0]
        m = first_stop[p + 1] - first_stop[p]
        place = first_time[p] + legs[i, 3]
        while legs[i, 1] + 1 < n_runs[p] and arrival_s[place + (legs[i, 1] + 1) * m] <= due:
            legs[i, 1] += 1


@njit(cache=True, nogil=True)
def _arrival(legs: Ints, i: int, first_stop: Ints, first_time: Ints, arrival_s: Ints) -> int:
    """When leg `i` alights."""
    p = legs[i, 0]
    m = first_stop[p + 1] - first_stop[p]
    return int(arrival_s[first_time[p] + legs[i, 1] * m + legs[i, 3]])


@njit(cache=True, nogil=True)
def _change_s(
    legs: Ints, i: int, change_s: Ints, first_walk: Ints, walk_spot: Ints, walk_s: Ints, first_stop: Ints, spots: Ints
) -> int:
    """Seconds of the change before leg `i`."""
    one = spots[first_stop[legs[i - 1, 0]] + legs[i - 1, 3]]
    other = spots[first_stop[legs[i, 0]] + legs[i, 2]]
    if one == other:
        return int(change_s[one])
    for w in range(first_walk[one], first_walk[one + 1]):
        if walk_spot[w] == other:
            return int(walk_s[w])
    return NEVER


@njit(cache=True, nogil=True)
def _shorten(
    legs: Ints,
    i: int,
    change_s: Ints,
    first_walk: Ints,
    walk_spot: Ints,
    walk_s: Ints,
    first_stop: Ints,
    spots: Ints,
    allow: NDArray[np.uint8],
    n_runs: Ints,
    first_time: Ints,
    arrival_s: Ints,
    departure_s: Ints,
    position_of: Ints,
) -> None:
    """Change from leg `i` to the next where the walk is shortest, then where the next leaves last."""
    p, run = legs[i, 0], legs[i, 1]
    q, next_run = legs[i + 1, 0], legs[i + 1, 1]
    stops, m = first_stop[p], first_stop[p + 1] - first_stop[p]
    next_stops, n = first_stop[q], n_runs[q]
    for y in range(legs[i + 1, 3]):
        if allow[next_stops + y] & BOARD:
            position_of[spots[next_stops + y]] = y  # the last one where the line passes twice
    best_walk, best_departure = NEVER, -NEVER
    for x in range(legs[i, 2] + 1, m):
        if allow[stops + x] & ALIGHT == 0:
            continue
        t = arrival_s[first_time[p] + run * m + x]
        one = spots[stops + x]
        for w in range(first_walk[one] - 1, first_walk[one + 1]):
            if w < first_walk[one]:
                other, walk, at = one, 0, t + change_s[one]
            else:
                other, walk, at = walk_spot[w], walk_s[w], t + walk_s[w]
            y = position_of[other]
            if y < 0:
                continue
            leaves = departure_s[first_time[q] + y * n + next_run]
            if at <= leaves and (walk < best_walk or (walk == best_walk and leaves > best_departure)):
                best_walk, best_departure = walk, leaves
                legs[i, 3], legs[i + 1, 2] = x, y
    for y in range(legs[i + 1, 3]):
        position_of[spots[next_stops + y]] = -1
