"""Raptor: all Pareto-optimal journeys of a departure, or of a window of departures.

Rounds of Delling, Pajor, Werneck, "Round-Based Public Transit Routing" (2012, 2015), section 3.1:
round k finds what is reached with k vehicles. The range search goes from the last departure to the
first and keeps the labels (rRAPTOR, section 4.1), so that what a later departure reaches as early
prunes the earlier ones. Arriving by a time is the same code over mirrored arrays.

Two labels per spot and round, because a walk is never followed by a walk: `arrived`, by vehicle,
from where one may walk on; and `ready`, the first moment to board, after the change or the walk.
Row k of both never exceeds row k - 1. Times are int32 seconds; NEVER is later than all.

The arrays are those of `SearchArrays` in `routing.network.days`.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

NEVER = 1 << 29  # twice it still fits an int32
BOARD, ALIGHT = 1, 2
FULL = -1  # the answer does not fit the buffers

Ints = NDArray[np.int32]


@njit(cache=True, nogil=True)
def search(
    change_s: Ints,
    first_walk: Ints,
    walk_spot: Ints,
    walk_s: Ints,
    first_visit: Ints,
    visit_pattern: Ints,
    visit_position: Ints,
    first_stop: Ints,
    spots: Ints,
    allow: NDArray[np.uint8],
    needs: NDArray[np.uint32],
    n_runs: Ints,
    first_time: Ints,
    arrival_s: Ints,
    departure_s: Ints,
    access: Ints,
    egress: Ints,
    begin: int,
    window: int,
    travel_limit: int,
    direct_s: int,
    max_vehicles: int,
    refused: int,
    arrived: Ints,
    ready: Ints,
    boarding: NDArray[np.int64],
    walked: Ints,
    board_at: Ints,
    egress_s: Ints,
    queued_at: Ints,
    lists: Ints,
    journeys: Ints,
    legs: Ints,
    taken: Ints,
) -> int:
    """Write the journeys found to `journeys` and `legs`; return how many, or FULL.

    `access` and `egress` are rows (spot, seconds). `window` 0: waiting counts from `begin`; else all
    departures in `[begin, begin + window)` that no departure at its end or later dominates.
    Patterns whose `needs` meet `refused` are not used. Journeys of `direct_s` or longer, and those
    longer than `travel_limit`, are left out.

    A row of `journeys` is (departure, arrival, vehicles, first leg, egress spot); its legs are rows of
    `legs`: (pattern, run, position of boarding, position of alighting), last vehicle first.

    The rest is scratch, left as it was found: labels by round and spot, with what they came from
    (`boarding`: place of the arrival in the times of its pattern, and position of boarding; `walked`:
    the spot left); `board_at` and `egress_s` by spot, all NEVER; `queued_at` by pattern, all -1;
    `lists`: patterns to scan, spots that became ready, spots that were reached.
    """
    refused_bits = np.uint32(refused)
    nearest = NEVER
    for i in range(len(egress)):
        egress_s[egress[i, 0]] = min(egress_s[egress[i, 0]], egress[i, 1])
        nearest = min(nearest, egress[i, 1])
    best = np.full(max_vehicles + 1, NEVER, np.int64)
    arrived[0, :] = NEVER
    ready[0, :] = NEVER
    taken[:, 1] = NEVER
    rows = 0  # the rows after this one hold nothing yet
    queue, marked, reached = lists[0], lists[1], lists[2]
    keys, visits = departures(
        access,
        begin,
        window,
        first_visit,
        visit_pattern,
        visit_position,
        needs,
        refused_bits,
        n_runs,
        first_time,
        departure_s,
    )

    n_journeys = n_legs = 0
    next_key = len(keys)
    first_pass = window == 0 or len(keys) > 0  # a window without departures has no journeys
    while n_journeys != FULL and (first_pass or next_key > 0):
        if first_pass:
            # From every access spot, at the end of the window: alone it answers a single departure, in a
            # range it only prunes. Doing it last, within the bound of what was found, was tried: every
            # departure then explores for itself, a third slower on TER, 5 % faster on Porto Alegre.
            start = begin + window
            n_marked = 0
            for i in range(len(access)):
                spot, at = access[i, 0], start + access[i, 1]
                if at < ready[0, spot]:
                    ready[0, spot] = at
                    walked[0, spot] = spot
                    if board_at[spot] == NEVER:
                        marked[n_marked] = spot
                        n_marked += 1
                    board_at[spot] = at
            n_queued = _queue_marked(
                marked, n_marked, first_visit, visit_pattern, visit_position, needs, refused_bits, queued_at, queue
            )
        else:
            start = keys[next_key - 1] >> 32
            next_key, n_marked, n_queued = _depart(
                start,
                keys,
                next_key,
                visits,
                access,
                visit_pattern,
                visit_position,
                ready[0],
                walked[0],
                board_at,
                marked,
                queued_at,
                queue,
            )
        latest = start + min(travel_limit + 1, direct_s)
        told = window == 0 or not first_pass
        first_pass = False

        k = 0
        while n_queued > 0:
            k += 1
            row = k
            if window == 0:
                row = 0  # one departure needs no label of earlier rounds: what is sooner is sooner
            elif k > rows:
                arrived[k, :] = arrived[k - 1, :]
                ready[k, :] = ready[k - 1, :]
                rows = k
            else:
                _not_after(arrived[k], arrived[k - 1])
                _not_after(ready[k], ready[k - 1])
            best[k] = min(best[k], best[k - 1])
            n_reached, target, bound = _ride(
                queue,
                n_queued,
                queued_at,
                first_stop,
                spots,
                allow,
                n_runs,
                first_time,
                arrival_s,
                departure_s,
                board_at,
                egress_s,
                min(best[k], latest),
                nearest,
                arrived[row],
                boarding[k],
                reached,
                k,
                taken,
            )
            for i in range(n_marked):
                board_at[marked[i]] = NEVER
            n_marked = n_queued = 0
            if target >= 0:
                best[k] = bound
                if told and (n_journeys == len(journeys) or n_legs + k > len(legs)):
                    n_journeys = FULL
                    break
                if told:
                    journeys[n_journeys] = (start, bound, k, n_legs, target)
                    n_legs = _trace(k, target, boarding, walked, first_stop, spots, first_time, legs, n_legs)
                    n_journeys += 1
            if k < max_vehicles:
                n_marked = _change(
                    bound - nearest,
                    change_s,
                    first_walk,
                    walk_spot,
                    walk_s,
                    arrived[row],
                    reached,
                    n_reached,
                    ready[row],
                    walked[k],
                    board_at,
                    marked,
                )
                n_queued = _queue_marked(
                    marked, n_marked, first_visit, visit_pattern, visit_position, needs, refused_bits, queued_at, queue
                )
        for i in range(n_marked):
            board_at[marked[i]] = NEVER

    for i in range(len(egress)):
        egress_s[egress[i, 0]] = NEVER
    return n_journeys


@njit(cache=True, nogil=True)
def _first_from(departure_s: Ints, base: int, n: int, at: int) -> int:
    """The first of `n` ascending departures from place `base` on that is at `at` or later, `n` if none is."""
    low, high = 0, n
    while low < high:
        middle = (low + high) >> 1
        if departure_s[base + middle] < at:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def departures(
    access: Ints,
    begin: int,
    window: int,
    first_visit: Ints,
    visit_pattern: Ints,
    visit_position: Ints,
    needs: NDArray[np.uint32],
    refused: np.uint32,
    n_runs: Ints,
    first_time: Ints,
    departure_s: Ints,
) -> tuple[NDArray[np.int64], Ints]:
    """All departures of a window: ascending keys (moment of leaving, event), and event -> (access, visit)."""
    n_events = 0
    if window > 0:
        for i in range(len(access)):
            low, high = begin + access[i, 1], begin + window + access[i, 1]
            for v in range(first_visit[access[i, 0]], first_visit[access[i, 0] + 1]):
                p = visit_pattern[v]
                if needs[p] & refused == 0:
                    base, n = first_time[p] + visit_position[v] * n_runs[p], n_runs[p]
                    n_events += _first_from(departure_s, base, n, high) - _first_from(departure_s, base, n, low)
    keys = np.empty(n_events, np.int64)
    visits = np.empty((n_events, 2), np.int32)
    if n_events == 0:
        return keys, visits
    event = 0
    for i in range(len(access)):
        low, high = begin + access[i, 1], begin + window + access[i, 1]
        for v in range(first_visit[access[i, 0]], first_visit[access[i, 0] + 1]):
            p = visit_pattern[v]
            if needs[p] & refused == 0:
                base, n = first_time[p] + visit_position[v] * n_runs[p], n_runs[p]
                for r in range(_first_from(departure_s, base, n, low), _first_from(departure_s, base, n, high)):
                    keys[event] = (np.int64(departure_s[base + r] - access[i, 1]) << 32) | event
                    visits[event, 0] = i
                    visits[event, 1] = v
                    event += 1
    keys.sort()
    return keys, visits


@njit(cache=True, nogil=True)
def _not_after(labels: Ints, before: Ints) -> None:
    """Let no label be later than the one of the round before."""
    for s in range(len(labels)):
        labels[s] = min(labels[s], before[s])


@njit(cache=True, nogil=True)
def _depart(
    start: int,
    keys: NDArray[np.int64],
    next_key: int,
    visits: Ints,
    access: Ints,
    visit_pattern: Ints,
    visit_position: Ints,
    ready: Ints,
    walked: Ints,
    board_at: Ints,
    marked: Ints,
    queued_at: Ints,
    queue: Ints,
) -> tuple[int, int, int]:
    """Mark and queue what one boards when leaving at `start`; returns the next key, numbers of marked and queued.

    Only the patterns that depart just then: the others were boarded as well by leaving later.
    """
    n_marked = n_queued = 0
    while next_key > 0 and keys[next_key - 1] >> 32 == start:
        next_key -= 1
        event = keys[next_key] & 0xFFFFFFFF
        i, v = visits[event, 0], visits[event, 1]
        spot, at = access[i, 0], start + access[i, 1]
        if at < ready[spot]:
            ready[spot] = at
            walked[spot] = spot
            if board_at[spot] == NEVER:
                marked[n_marked] = spot
                n_marked += 1
            board_at[spot] = at
        if at == board_at[spot]:
            p, position = visit_pattern[v], visit_position[v]
            if queued_at[p] < 0:
                queued_at[p] = position
                queue[n_queued] = p
                n_queued += 1
            elif position < queued_at[p]:
                queued_at[p] = position
    return next_key, n_marked, n_queued


@njit(cache=True, nogil=True)
def _change(
    bound: int,
    change_s: Ints,
    first_walk: Ints,
    walk_spot: Ints,
    walk_s: Ints,
    arrived: Ints,
    reached: Ints,
    n_reached: int,
    ready: Ints,
    walked: Ints,
    board_at: Ints,
    marked: Ints,
) -> int:
    """Make spots ready from those that were reached, by changing there or walking on; returns how many are marked."""
    n_marked = 0
    for i in range(n_reached):
        spot = reached[i]
        t = arrived[spot]
        at = t + change_s[spot]
        if at < bound and at < ready[spot]:
            ready[spot] = at
            walked[spot] = spot
            if board_at[spot] == NEVER:
                marked[n_marked] = spot
                n_marked += 1
            board_at[spot] = at
        for w in range(first_walk[spot], first_walk[spot + 1]):
            at = t + walk_s[w]
            if at >= bound:
                break
            to = walk_spot[w]
            if at < ready[to]:
                ready[to] = at
                walked[to] = spot
                if board_at[to] == NEVER:
                    marked[n_marked] = to
                    n_marked += 1
                board_at[to] = at
    return n_marked


@njit(cache=True, nogil=True)
def _queue_marked(
    marked: Ints,
    n_marked: int,
    first_visit: Ints,
    visit_pattern: Ints,
    visit_position: Ints,
    needs: NDArray[np.uint32],
    refused: np.uint32,
    queued_at: Ints,
    queue: Ints,
) -> int:
    """Queue the patterns that may be boarded at marked spots (2012, figure 1, first stage)."""
    n_queued = 0
    for i in range(n_marked):
        for v in range(first_visit[marked[i]], first_visit[marked[i] + 1]):
            p, position = visit_pattern[v], visit_position[v]
            if queued_at[p] < 0:
                if needs[p] & refused == 0:
                    queued_at[p] = position
                    queue[n_queued] = p
                    n_queued += 1
            elif position < queued_at[p]:
                queued_at[p] = position
    return n_queued


@njit(cache=True, nogil=True)
def _ride(
    queue: Ints,
    n_queued: int,
    queued_at: Ints,
    first_stop: Ints,
    spots: Ints,
    allow: NDArray[np.uint8],
    n_runs: Ints,
    first_time: Ints,
    arrival_s: Ints,
    departure_s: Ints,
    board_at: Ints,
    egress_s: Ints,
    bound: int,
    nearest: int,
    arrived: Ints,
    boarding: NDArray[np.int64],
    reached: Ints,
    k: int,
    taken: Ints,
) -> tuple[int, int, int]:
    """Ride the queued patterns, each from its first marked spot (2012, figure 1, second stage).

    Returns the number of spots reached sooner, the spot where the target is reached sooner (or -1),
    and when it is reached. Target pruning (section 3.1) with the shortest egress included.
    """
    n_reached = 0
    target = -1
    for q in range(n_queued):
        p = queue[q]
        stops, m, n = first_stop[p], first_stop[p + 1] - first_stop[p], n_runs[p]
        times = first_time[p]
        run = n  # only earlier runs than this one are of use
        if taken[p, 1] <= queued_at[p] and taken[p, 2] <= k:
            run = taken[p, 0]
        aboard = noted = False
        boarded_at = 0
        ride = 0
        for i in range(queued_at[p], m):
            spot = spots[stops + i]
            if aboard:
                t = arrival_s[ride + i]
                if t >= bound - nearest:
                    aboard = False
                elif t < arrived[spot] and allow[stops + i] & ALIGHT:
                    if boarding[spot] >= 0:
                        reached[n_reached] = spot
                        n_reached += 1
                    arrived[spot] = t
                    boarding[spot] = -1 - ((np.int64(ride + i) << 16) | boarded_at)
                    if t + egress_s[spot] < bound:
                        bound = t + egress_s[spot]
                        target = spot
            at = board_at[spot]
            if at < NEVER and allow[stops + i] & BOARD:
                base = times + i * n
                if run > 0 and departure_s[base + run - 1] >= at:
                    low, high = 0, run - 1
                    while low < high:
                        middle = (low + high) >> 1
                        if departure_s[base + middle] < at:
                            low = middle + 1
                        else:
                            high = middle
                    run = low
                    if not noted:
                        taken[p, 0], taken[p, 1], taken[p, 2] = run, i, k
                        noted = True
                    aboard = True
                    boarded_at = i
                    ride = times + run * m
        queued_at[p] = -1
    for i in range(n_reached):
        boarding[reached[i]] = -1 - boarding[reached[i]]
    return n_reached, target, bound


@njit(cache=True, nogil=True)
def _trace(
    k: int,
    spot: int,
    boarding: NDArray[np.int64],
    walked: Ints,
    first_stop: Ints,
    spots: Ints,
    first_time: Ints,
    legs: Ints,
    n_legs: int,
) -> int:
    """Write the `k` legs that end at `spot`, last first; returns the number of rows of `legs`.

    Every label on the way was made in this very pass, since only what became sooner is followed.
    """
    while k > 0:
        place, boarded_at = boarding[k, spot] >> 16, boarding[k, spot] & 0xFFFF
        low, high = 0, len(first_time) - 1
        while high - low > 1:
            middle = (low + high) >> 1
            if first_time[middle] <= place:
                low = middle
            else:
                high = middle
        m = first_stop[low + 1] - first_stop[low]
        legs[n_legs, 0] = low
        legs[n_legs, 1] = (place - first_time[low]) // m
        legs[n_legs, 2] = boarded_at
        legs[n_legs, 3] = (place - first_time[low]) % m
        n_legs += 1
        k -= 1
        spot = walked[k, spots[first_stop[low] + boarded_at]]
    return n_legs
