"""Polish: among journeys equal in departure, arrival and vehicles, one that walks less and hurries less.

A search tells which vehicles make the journey. Here each of them is taken as late as the next one
allows, each change is made where the walk is shortest, then where the next vehicle leaves last, and
the first is boarded and the last left where the walk from the origin and to the target is shortest.
It is a choice along the lines that were found, not over all journeys that tie. Vias stay where the
search passed them: nothing moves across the stops of one.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from routing.kernels.arrays import ALIGHT, BOARD, NEVER, Ints, SearchArrays


@njit(cache=True, nogil=True)
def polish(
    legs: Ints,
    arrays: SearchArrays,
    spot_stop: Ints,
    access: Ints,
    egress: Ints,
    leave: int,
    arrive: int,
    stay_s: Ints,
    of_vias: NDArray[np.uint8],
    mark: Ints,
) -> None:
    """Rewrite `legs`, rows (pattern, run, boarding, alighting) in the order of travel, over forward arrays.

    `access` and `egress` are rows (spot, seconds). Nobody leaves before `leave` or arrives after `arrive`.
    `stay_s[i]` is spent at vias before leg i, the last one after all; `of_vias` is not 0 where a spot
    belongs to a via. `mark` is scratch by spot, all -1, left so.
    """
    k = len(legs)
    first_time, n_runs = arrays.first_time, arrays.n_runs
    for i in range(1, k):  # each as early as the one before allows: the last one when arriving by a time
        ready = _arrival(legs[i - 1], arrays) + _change_s(legs, i, arrays) + stay_s[i]
        base = first_time[legs[i, 0]] + legs[i, 2] * n_runs[legs[i, 0]]
        while legs[i, 1] > 0 and arrays.departure_s[base + legs[i, 1] - 1] >= ready:
            legs[i, 1] -= 1
    for i in range(k - 2, -1, -1):
        _shorten(legs[i], legs[i + 1], arrays, spot_stop, stay_s[i + 1], of_vias, mark)
        after = legs[i + 1]
        departure = arrays.departure_s[first_time[after[0]] + after[2] * n_runs[after[0]] + after[1]]
        due = departure - _change_s(legs, i + 1, arrays) - stay_s[i + 1]
        while legs[i, 1] + 1 < n_runs[legs[i, 0]]:
            legs[i, 1] += 1
            if _arrival(legs[i], arrays) > due:
                legs[i, 1] -= 1
                break
    _board_near(legs[0], arrays, access, leave + stay_s[0], of_vias, mark)
    _alight_near(legs[k - 1], arrays, egress, arrive - stay_s[k], of_vias, mark)


@njit(cache=True, nogil=True)
def _arrival(leg: Ints, arrays: SearchArrays) -> int:
    """When a leg alights."""
    p = leg[0]
    m = arrays.first_stop[p + 1] - arrays.first_stop[p]
    return int(arrays.arrival_s[arrays.first_time[p] + leg[1] * m + leg[3]])


@njit(cache=True, nogil=True)
def _change_s(legs: Ints, i: int, arrays: SearchArrays) -> int:
    """Seconds of the change before leg `i`."""
    one = arrays.spots[arrays.first_stop[legs[i - 1, 0]] + legs[i - 1, 3]]
    other = arrays.spots[arrays.first_stop[legs[i, 0]] + legs[i, 2]]
    if one == other:
        return int(arrays.change_s[one])
    for w in range(arrays.first_walk[one], arrays.first_walk[one + 1]):
        if arrays.walk_spot[w] == other:
            return int(arrays.walk_s[w])
    return NEVER


@njit(cache=True, nogil=True)
def _free(p: int, position: int, arrays: SearchArrays, of_vias: NDArray[np.uint8]) -> tuple[int, int]:
    """The positions `[first, end)` of a pattern to which one may move from `position` without crossing a via."""
    stops, end = arrays.first_stop[p], arrays.first_stop[p + 1]
    if of_vias[arrays.spots[stops + position]]:
        return position, position + 1
    low, high = position, position + 1
    while low > 0 and of_vias[arrays.spots[stops + low - 1]] == 0:
        low -= 1
    while stops + high < end and of_vias[arrays.spots[stops + high]] == 0:
        high += 1
    return low, high


@njit(cache=True, nogil=True)
def _shorten(
    leg: Ints, after: Ints, arrays: SearchArrays, spot_stop: Ints, stay_s: int, of_vias: NDArray[np.uint8], mark: Ints
) -> None:
    """Change from `leg` to the next one where the walk is shortest, then where the next leaves last."""
    p, q = leg[0], after[0]
    spots, first_walk, walk_s = arrays.spots, arrays.first_walk, arrays.walk_s
    stops, m = arrays.first_stop[p], arrays.first_stop[p + 1] - arrays.first_stop[p]
    next_stops, n = arrays.first_stop[q], arrays.n_runs[q]
    first, end = _free(q, after[2], arrays, of_vias)
    end = min(end, after[3])
    for y in range(first, end):
        if arrays.allow[next_stops + y] & BOARD:
            mark[spots[next_stops + y]] = y  # the last one where the line passes twice
    best_walk, best_departure = NEVER, -NEVER
    low, high = _free(p, leg[3], arrays, of_vias)
    for x in range(max(low, leg[2] + 1), high):
        if arrays.allow[stops + x] & ALIGHT == 0:
            continue
        t = arrays.arrival_s[arrays.first_time[p] + leg[1] * m + x] + stay_s
        one = spots[stops + x]
        for w in range(first_walk[one] - 1, first_walk[one + 1]):
            if w < first_walk[one]:
                other, walk, at = one, 0, t + arrays.change_s[one]
            else:
                other, walk, at = arrays.walk_spot[w], walk_s[w], t + walk_s[w]
                if spot_stop[other] == spot_stop[one]:  # a rule of transfers.txt, no walk
                    walk = 0
            y = mark[other]
            if y < 0:
                continue
            leaves = arrays.departure_s[arrays.first_time[q] + y * n + after[1]]
            if at <= leaves and (walk < best_walk or (walk == best_walk and leaves > best_departure)):
                best_walk, best_departure = walk, leaves
                leg[3], after[2] = x, y
    for y in range(first, end):
        mark[spots[next_stops + y]] = -1


@njit(cache=True, nogil=True)
def _board_near(
    leg: Ints, arrays: SearchArrays, access: Ints, leave: int, of_vias: NDArray[np.uint8], mark: Ints
) -> None:
    """Board where the walk from the origin is shortest, then where one leaves last, and not before `leave`."""
    p = leg[0]
    stops, n = arrays.first_stop[p], arrays.n_runs[p]
    for i in range(len(access)):
        mark[access[i, 0]] = access[i, 1]
    best_walk, best_leave = NEVER, -NEVER
    first, end = _free(p, leg[2], arrays, of_vias)
    for x in range(first, min(end, leg[3])):
        walk = mark[arrays.spots[stops + x]]
        if walk >= 0 and arrays.allow[stops + x] & BOARD:
            leaves = arrays.departure_s[arrays.first_time[p] + x * n + leg[1]] - walk
            if leaves >= leave and (walk < best_walk or (walk == best_walk and leaves > best_leave)):
                best_walk, best_leave = walk, leaves
                leg[2] = x
    for i in range(len(access)):
        mark[access[i, 0]] = -1


@njit(cache=True, nogil=True)
def _alight_near(
    leg: Ints, arrays: SearchArrays, egress: Ints, arrive: int, of_vias: NDArray[np.uint8], mark: Ints
) -> None:
    """Alight where the walk to the target is shortest, then where one arrives first, and not after `arrive`."""
    p = leg[0]
    stops, m = arrays.first_stop[p], arrays.first_stop[p + 1] - arrays.first_stop[p]
    for i in range(len(egress)):
        mark[egress[i, 0]] = egress[i, 1]
    best_walk, best_arrival = NEVER, NEVER
    first, end = _free(p, leg[3], arrays, of_vias)
    for x in range(max(first, leg[2] + 1), end):
        walk = mark[arrays.spots[stops + x]]
        if walk >= 0 and arrays.allow[stops + x] & ALIGHT:
            arrives = arrays.arrival_s[arrays.first_time[p] + leg[1] * m + x] + walk
            if arrives <= arrive and (walk < best_walk or (walk == best_walk and arrives < best_arrival)):
                best_walk, best_arrival = walk, arrives
                leg[3] = x
    for i in range(len(egress)):
        mark[egress[i, 0]] = -1
