"""Raptor: all Pareto-optimal journeys of a departure, or of a window of departures.

Rounds of Delling, Pajor, Werneck, "Round-Based Public Transit Routing" (2012, 2015), section 3.1:
round k finds what is reached with k vehicles. The range search goes from the last departure to the
first and keeps the labels (rRAPTOR, section 4.1), so that what a later departure reaches as early
prunes the earlier ones. Arriving by a time is the same code over mirrored arrays.

Two labels per place and round, because a walk is never followed by a walk: `arrived`, by vehicle,
from where one may walk on; and `ready`, the first moment to board, after the change or the walk.
Row k of both never exceeds row k - 1. Times are int32 seconds; NEVER is later than all.

With vias every label exists once per number of vias passed (`Room` tells of layers and places). A
walker who reaches a via may stay there as long as asked and is then in the next layer; a rider whose
via asks for no stay passes it aboard. `vias` None compiles to a kernel without any of that.

A kernel and all that it calls stand in one file: Numba compiles anew when the file of the kernel
changes, and does not look at others.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from routing.kernels.arrays import ALIGHT, BOARD, NEVER, Ints, Room, SearchArrays, Vias

FULL = -1  # the answer does not fit the buffers


@njit(cache=True, nogil=True)
def search(
    arrays: SearchArrays,
    room: Room,
    access: Ints,
    egress: Ints,
    begin: int,
    window: int,
    travel_limit: int,
    direct_s: int,
    max_vehicles: int,
    refused: int,
    vias: Vias | None,
) -> int:
    """Write the journeys found to `room.journeys` and `room.legs`; return how many, or FULL.

    `access` are rows (place, seconds): staying at a via near the origin is access to a later layer;
    `egress` rows (spot, seconds). `window` 0: waiting counts from `begin`; else all departures in
    `[begin, begin + window)` that no departure at its end or later dominates. Patterns whose needs
    meet `refused` are not used. Journeys of `direct_s` or longer, and those longer than
    `travel_limit`, are left out.
    """
    arrived, ready, boarding, walked = room.arrived, room.ready, room.boarding, room.walked
    board_at, egress_s, journeys = room.board_at, room.egress_s, room.journeys
    queue, marked, reached = room.lists[0], room.lists[1], room.lists[2]
    refused_bits = np.uint32(refused)
    handed = np.empty((0, 3, 0), np.int64)
    if vias is not None:
        longest = np.max(arrays.first_stop[1:] - arrays.first_stop[:-1]) if len(arrays.needs) else 0
        handed = np.full((len(vias.stay_s) + 1, 3, longest), -1, np.int64)
    nearest = NEVER
    for i in range(len(egress)):
        egress_s[egress[i, 0]] = min(egress_s[egress[i, 0]], egress[i, 1])
        nearest = min(nearest, egress[i, 1])
    best = np.full(max_vehicles + 1, NEVER, np.int64)
    arrived[0, :] = NEVER
    ready[0, :] = NEVER
    room.taken[:, 1] = NEVER
    rows = 0  # the rows after this one hold nothing yet
    keys, visits = _departures(arrays, access, begin, window, refused_bits)

    n_journeys = n_legs = 0
    next_key = len(keys)
    first_pass = window == 0 or len(keys) > 0  # a window without departures has no journeys
    while n_journeys != FULL and (first_pass or next_key > 0):
        if first_pass:
            # From every access place, at the end of the window: alone it answers a single departure, in a
            # range it only prunes. Doing it last, within the bound of what was found, was tried: every
            # departure then explores for itself, a third slower on TER, 5 % faster on Porto Alegre.
            start = begin + window
            n_marked = 0
            for i in range(len(access)):
                place, at = access[i, 0], start + access[i, 1]
                if at < ready[0, place]:
                    ready[0, place] = at
                    walked[0, place] = place
                    if board_at[place] == NEVER:
                        marked[n_marked] = place
                        n_marked += 1
                    board_at[place] = at
            n_queued = _queue_marked(arrays, room, marked, n_marked, refused_bits, queue, vias)
        else:
            start = keys[next_key - 1] >> 32
            next_key, n_marked, n_queued = _depart(
                arrays, room, start, keys, next_key, visits, access, marked, queue, rows, vias
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
            best[k] = min(best[k], best[k - 1])
            n_reached, target, bound = _ride(
                arrays, room, queue, n_queued, k, row, rows, min(best[k], latest), nearest, reached, handed, vias
            )
            for i in range(n_marked):
                board_at[marked[i]] = NEVER
            n_marked = n_queued = 0
            if target >= 0:
                best[k] = bound
                if told and (n_journeys == len(journeys) or n_legs + k > len(room.legs)):
                    n_journeys = FULL
                    break
                if told:
                    journeys[n_journeys] = (start, bound, k, n_legs)
                    n_legs = _trace(arrays, room.legs, k, target, boarding, walked, n_legs)
                    n_journeys += 1
            if k < max_vehicles:
                n_marked = _change(arrays, room, k, row, rows, bound - nearest, reached, n_reached, marked, vias)
                n_queued = _queue_marked(arrays, room, marked, n_marked, refused_bits, queue, vias)
        for i in range(n_marked):
            board_at[marked[i]] = NEVER

    for i in range(len(egress)):
        egress_s[egress[i, 0]] = NEVER
    return n_journeys


@njit(cache=True, nogil=True)
def _first_from(departure_s: Ints, base: int, n: int, at: int) -> int:
    """The first of `n` ascending departures from `base` on that is at `at` or later, `n` if none is."""
    low, high = 0, n
    while low < high:
        middle = (low + high) >> 1
        if departure_s[base + middle] < at:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def _departures(
    arrays: SearchArrays, access: Ints, begin: int, window: int, refused: np.uint32
) -> tuple[NDArray[np.int64], Ints]:
    """All departures of a window: ascending keys (moment of leaving, event), and event -> (access, visit)."""
    first_visit, visit_pattern, visit_position = arrays.first_visit, arrays.visit_pattern, arrays.visit_position
    needs, n_runs, first_time, departure_s = arrays.needs, arrays.n_runs, arrays.first_time, arrays.departure_s
    n_spots = len(arrays.change_s)
    n_events = 0
    if window > 0:
        for i in range(len(access)):
            spot, low, high = access[i, 0] % n_spots, begin + access[i, 1], begin + window + access[i, 1]
            for v in range(first_visit[spot], first_visit[spot + 1]):
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
        spot, low, high = access[i, 0] % n_spots, begin + access[i, 1], begin + window + access[i, 1]
        for v in range(first_visit[spot], first_visit[spot + 1]):
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
def _depart(
    arrays: SearchArrays,
    room: Room,
    start: int,
    keys: NDArray[np.int64],
    next_key: int,
    visits: Ints,
    access: Ints,
    marked: Ints,
    queue: Ints,
    rows: int,
    vias: Vias | None,
) -> tuple[int, int, int]:
    """Mark and queue what one boards when leaving at `start`; returns the next key, numbers of marked and queued.

    Only the patterns that depart just then: the others were boarded as well by leaving later.
    """
    ready, walked, board_at, queued_at = room.ready, room.walked, room.board_at, room.queued_at
    visit_pattern, visit_position = arrays.visit_pattern, arrays.visit_position
    n_spots, n_patterns = len(arrays.change_s), len(arrays.needs)
    n_marked = n_queued = 0
    while next_key > 0 and keys[next_key - 1] >> 32 == start:
        next_key -= 1
        event = keys[next_key] & 0xFFFFFFFF
        i, v = visits[event, 0], visits[event, 1]
        place, at = access[i, 0], start + access[i, 1]
        if at < ready[0, place]:
            for r in range(rows + 1):
                if ready[r, place] <= at:
                    break
                ready[r, place] = at
            walked[0, place] = place
            if board_at[place] == NEVER:
                marked[n_marked] = place
                n_marked += 1
            board_at[place] = at
        if at == board_at[place]:
            slot, position = visit_pattern[v], visit_position[v]
            if vias is not None:
                slot += place // n_spots * n_patterns
            if queued_at[slot] < 0:
                queued_at[slot] = position
                queue[n_queued] = visit_pattern[v]
                n_queued += 1
            elif position < queued_at[slot]:
                queued_at[slot] = position
    return next_key, n_marked, n_queued


@njit(cache=True, nogil=True)
def _queue_marked(
    arrays: SearchArrays,
    room: Room,
    marked: Ints,
    n_marked: int,
    refused: np.uint32,
    queue: Ints,
    vias: Vias | None,
) -> int:
    """Queue the patterns that may be boarded at marked places (2012, figure 1, first stage).

    One that is queued in several layers stands there as often: all of them are ridden the first time.
    """
    first_visit, visit_pattern, visit_position = arrays.first_visit, arrays.visit_pattern, arrays.visit_position
    needs, queued_at = arrays.needs, room.queued_at
    n_spots, n_patterns = len(arrays.change_s), len(arrays.needs)
    n_queued = 0
    for i in range(n_marked):
        spot, first_slot = marked[i], 0
        if vias is not None:
            spot, first_slot = marked[i] % n_spots, marked[i] // n_spots * n_patterns
        for v in range(first_visit[spot], first_visit[spot + 1]):
            p, position = visit_pattern[v], visit_position[v]
            slot = first_slot + p
            if queued_at[slot] < 0:
                if needs[p] & refused == 0:
                    queued_at[slot] = position
                    queue[n_queued] = p
                    n_queued += 1
            elif position < queued_at[slot]:
                queued_at[slot] = position
    return n_queued


@njit(cache=True, nogil=True)
def _ride(
    arrays: SearchArrays,
    room: Room,
    queue: Ints,
    n_queued: int,
    k: int,
    row: int,
    rows: int,
    bound: int,
    nearest: int,
    reached: Ints,
    handed: NDArray[np.int64],
    vias: Vias | None,
) -> tuple[int, int, int]:
    """Ride the queued patterns, each from its first marked place (2012, figure 1, second stage).

    Returns the number of places reached sooner, the place where the target is reached sooner (or -1),
    and when it is reached. Target pruning (section 3.1) with the shortest egress included.

    Layers are ridden one after the other. Where a ride passes a via aboard it is handed to the next
    layer: `handed[v, :, i]` is the run that enters layer v at position i, where it was boarded, and in
    which layer; all -1 when it begins and when it ends.
    """
    first_stop, spots, allow = arrays.first_stop, arrays.spots, arrays.allow
    n_runs, first_time = arrays.n_runs, arrays.first_time
    arrival_s, departure_s = arrays.arrival_s, arrays.departure_s
    arrived, boarding, board_at, egress_s = room.arrived, room.boarding[k], room.board_at, room.egress_s
    queued_at, taken = room.queued_at, room.taken
    n_spots, n_patterns = len(arrays.change_s), len(arrays.needs)
    n_vias = 0
    if vias is not None:
        n_vias = len(vias.stay_s)
    n_reached = 0
    target = -1
    for q in range(n_queued):
        p = queue[q]
        stops, m, n = first_stop[p], first_stop[p + 1] - first_stop[p], n_runs[p]
        times = first_time[p]
        entered = m  # the first position where this layer is entered aboard
        for layer in range(n_vias + 1):
            slot, first_place = layer * n_patterns + p, layer * n_spots
            begin = queued_at[slot] if queued_at[slot] >= 0 else m
            queued_at[slot] = -1
            begin, entered = min(begin, entered), m
            run = n  # only earlier runs than this one are of use
            if taken[slot, 1] <= begin and taken[slot, 2] <= k:
                run = taken[slot, 0]
            aboard = noted = False
            boarded_at = boarded_in = 0
            ride = 0
            for i in range(begin, m):
                spot = spots[stops + i]
                if vias is not None and handed[layer, 0, i] >= 0:
                    if handed[layer, 0, i] < run:
                        run = handed[layer, 0, i]
                        boarded_at, boarded_in = handed[layer, 1, i], handed[layer, 2, i]
                        ride = times + run * m
                        aboard = True
                        if not noted:
                            taken[slot, 0], taken[slot, 1], taken[slot, 2] = run, i, k
                            noted = True
                    handed[layer, 0, i] = -1
                if aboard:
                    t = np.int64(arrival_s[ride + i])
                    passes = False
                    if vias is not None:
                        passes = layer < n_vias and vias.spots[spot] >> layer & 1 and vias.stay_s[layer] == 0
                    if passes:
                        handed[layer + 1, 0, i] = run
                        handed[layer + 1, 1, i] = boarded_at
                        handed[layer + 1, 2, i] = boarded_in
                        entered = min(entered, i)
                        aboard = False
                    elif t >= bound - nearest:
                        aboard = False
                    elif allow[stops + i] & ALIGHT:
                        after = layer
                        while True:
                            place = after * n_spots + spot
                            if t < arrived[row, place] and t < bound - nearest:
                                if boarding[place] >= 0:
                                    reached[n_reached] = place
                                    n_reached += 1
                                for r in range(row, rows + 1):
                                    if arrived[r, place] <= t:
                                        break
                                    arrived[r, place] = t
                                boarding[place] = -1 - (
                                    (np.int64(ride + i) << 32) | (np.int64(boarded_at) << 2) | boarded_in
                                )
                                if after == n_vias and t + egress_s[spot] < bound:
                                    bound = t + egress_s[spot]
                                    target = place
                            if vias is None:
                                break
                            # Alighting at a via, one may also stay, and is then in the next layer.
                            if after == n_vias or vias.spots[spot] >> after & 1 == 0:
                                break
                            t += vias.stay_s[after]
                            after += 1
                at = board_at[first_place + spot]
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
                            taken[slot, 0], taken[slot, 1], taken[slot, 2] = run, i, k
                            noted = True
                        aboard = True
                        boarded_at, boarded_in = i, layer
                        ride = times + run * m
    for i in range(n_reached):
        boarding[reached[i]] = -1 - boarding[reached[i]]
    return n_reached, target, bound


@njit(cache=True, nogil=True)
def _change(
    arrays: SearchArrays,
    room: Room,
    k: int,
    row: int,
    rows: int,
    bound: int,
    reached: Ints,
    n_reached: int,
    marked: Ints,
    vias: Vias | None,
) -> int:
    """Make places ready from those that were reached, by changing there or walking on; returns how many are marked.

    One who walks to a via may stay there before boarding, and is then in the next layer.
    """
    change_s, first_walk, walk_spot, walk_s = arrays.change_s, arrays.first_walk, arrays.walk_spot, arrays.walk_s
    arrived, ready, walked, board_at = room.arrived[row], room.ready, room.walked[k], room.board_at
    n_spots = len(change_s)
    n_marked = 0
    for i in range(n_reached):
        origin = reached[i]
        spot, layer, t = origin, 0, arrived[origin]
        if vias is not None:
            spot, layer = origin % n_spots, origin // n_spots
        for w in range(first_walk[spot] - 1, first_walk[spot + 1]):
            if w < first_walk[spot]:  # no walk: the change at the stop itself
                to, at = spot, t + change_s[spot]
                if at >= bound:
                    continue
            else:
                to, at = walk_spot[w], t + walk_s[w]
                if at >= bound:
                    break
            after = layer
            while True:
                place = after * n_spots + to
                if at < ready[row, place]:
                    for r in range(row, rows + 1):
                        if ready[r, place] <= at:
                            break
                        ready[r, place] = at
                    walked[place] = origin
                    if board_at[place] == NEVER:
                        marked[n_marked] = place
                        n_marked += 1
                    board_at[place] = at
                if vias is None:
                    break
                if after == len(vias.stay_s) or vias.spots[to] >> after & 1 == 0:
                    break
                at += vias.stay_s[after]
                after += 1
                if at >= bound:
                    break
    return n_marked


@njit(cache=True, nogil=True)
def _trace(
    arrays: SearchArrays, legs: Ints, k: int, place: int, boarding: NDArray[np.int64], walked: Ints, n_legs: int
) -> int:
    """Write the `k` legs that end at `place`, last first; returns the number of rows of `legs`.

    Every label on the way was made in this very pass, since only what became sooner is followed.
    """
    first_stop, spots, first_time = arrays.first_stop, arrays.spots, arrays.first_time
    n_spots = len(arrays.change_s)
    while k > 0:
        packed = boarding[k, place]
        time, boarded_at, layer = packed >> 32, packed >> 2 & 0x3FFFFFFF, packed & 3
        low, high = 0, len(first_time) - 1
        while high - low > 1:
            middle = (low + high) >> 1
            if first_time[middle] <= time:
                low = middle
            else:
                high = middle
        m = first_stop[low + 1] - first_stop[low]
        legs[n_legs] = (low, (time - first_time[low]) // m, boarded_at, (time - first_time[low]) % m, layer)
        n_legs += 1
        k -= 1
        place = walked[k, layer * n_spots + spots[first_stop[low] + boarded_at]]
    return n_legs
