"""Via: the search of `raptor` with up to two stops to pass on the way.

Every label exists once per number of vias passed: layer v of a spot is place `v * n_spots + spot`.
A walker who reaches a via may stay there as long as asked and is then in the next layer; a rider
whose via asks for no stay passes it aboard. The boarding layer of a ride is kept, so that its
legs can be traced. Everything else is as in `raptor`, where the arrays are told.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from routing.kernels.raptor import ALIGHT, BOARD, FULL, NEVER, departures

Ints = NDArray[np.int32]


@njit(cache=True, nogil=True)
def search_via(
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
    via: NDArray[np.uint8],
    stay_s: Ints,
) -> int:
    """As `raptor.search`; bit v of `via[spot]` says that the spot is of via v, where one stays `stay_s[v]`.

    Rows of `access` are (layer, spot, seconds): waiting at a via near the origin is access too.
    `journeys`, `legs` and the scratch are as there, labels and lists long enough for all layers.
    """
    n_spots, n_vias = len(change_s), len(stay_s)
    refused_bits = np.uint32(refused)
    nearest = NEVER
    for i in range(len(egress)):
        egress_s[egress[i, 0]] = min(egress_s[egress[i, 0]], egress[i, 1])
        nearest = min(nearest, egress[i, 1])
    best = np.full(max_vehicles + 1, NEVER, np.int64)
    arrived[0, :] = NEVER
    ready[0, :] = NEVER
    rows = 0
    queue, marked, reached = lists[0], lists[1], lists[2]
    handed = np.full((n_vias + 1, 3, np.max(first_stop[1:] - first_stop[:-1]) if len(n_runs) else 0), -1, np.int64)
    keys, visits = departures(
        access[:, 1:],
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
    first_pass = window == 0 or len(keys) > 0
    while n_journeys != FULL and (first_pass or next_key > 0):
        n_marked = n_queued = 0
        start = begin + window if first_pass else keys[next_key - 1] >> 32
        if first_pass:
            for i in range(len(access)):
                place, at = access[i, 0] * n_spots + access[i, 1], start + access[i, 2]
                if at < ready[0, place]:
                    ready[0, place] = at
                    walked[0, place] = place
                    if board_at[place] == NEVER:
                        marked[n_marked] = place
                        n_marked += 1
                    board_at[place] = at
            n_queued = _queue_marked(
                n_spots,
                marked,
                n_marked,
                first_visit,
                visit_pattern,
                visit_position,
                needs,
                refused_bits,
                queued_at,
                queue,
            )
        else:
            # Only the patterns that depart just then, as in `raptor`.
            while next_key > 0 and keys[next_key - 1] >> 32 == start:
                next_key -= 1
                event = keys[next_key] & 0xFFFFFFFF
                i, v = visits[event, 0], visits[event, 1]
                place, at = access[i, 0] * n_spots + access[i, 1], start + access[i, 2]
                if at < ready[0, place]:
                    ready[0, place] = at
                    walked[0, place] = place
                    if board_at[place] == NEVER:
                        marked[n_marked] = place
                        n_marked += 1
                    board_at[place] = at
                if at == board_at[place]:
                    p, position = visit_pattern[v], visit_position[v]
                    if queued_at[p] < 0:
                        queued_at[p] = position
                        queue[n_queued] = p
                        n_queued += 1
                    elif position < queued_at[p]:
                        queued_at[p] = position
        latest = start + min(travel_limit + 1, direct_s)
        told = window == 0 or not first_pass
        first_pass = False

        k = 0
        while n_queued > 0:
            k += 1
            if k > rows:
                arrived[k, :] = arrived[k - 1, :]
                ready[k, :] = ready[k - 1, :]
                rows = k
            else:
                for s in range(arrived.shape[1]):
                    arrived[k, s] = min(arrived[k, s], arrived[k - 1, s])
                    ready[k, s] = min(ready[k, s], ready[k - 1, s])
            best[k] = min(best[k], best[k - 1])
            n_reached, target, bound = _ride(
                n_spots,
                via,
                stay_s,
                handed,
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
                arrived[k],
                boarding[k],
                reached,
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
                    journeys[n_journeys] = (start, bound, k, n_legs, target % n_spots)
                    n_legs = _trace(n_spots, k, target, boarding, walked, first_stop, spots, first_time, legs, n_legs)
                    n_journeys += 1
            if k < max_vehicles:
                n_marked = _change(
                    n_spots,
                    via,
                    stay_s,
                    bound - nearest,
                    change_s,
                    first_walk,
                    walk_spot,
                    walk_s,
                    arrived[k],
                    reached,
                    n_reached,
                    ready[k],
                    walked[k],
                    board_at,
                    marked,
                )
                n_queued = _queue_marked(
                    n_spots,
                    marked,
                    n_marked,
                    first_visit,
                    visit_pattern,
                    visit_position,
                    needs,
                    refused_bits,
                    queued_at,
                    queue,
                )
        for i in range(n_marked):
            board_at[marked[i]] = NEVER

    for i in range(len(egress)):
        egress_s[egress[i, 0]] = NEVER
    return n_journeys


@njit(cache=True, nogil=True)
def _queue_marked(
    n_spots: int,
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
    """Queue the patterns that may be boarded at marked places, whatever the layer."""
    n_queued = 0
    for i in range(n_marked):
        spot = marked[i] % n_spots
        for v in range(first_visit[spot], first_visit[spot + 1]):
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
    n_spots: int,
    via: NDArray[np.uint8],
    stay_s: Ints,
    handed: NDArray[np.int64],
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
) -> tuple[int, int, int]:
    """Ride the queued patterns, layer after layer.

    Where a ride passes a via aboard it is handed to the next layer: `handed[v, :, i]` is the run that
    enters layer v at position i, where it was boarded, and in which layer. -1 when none does.
    """
    n_reached = 0
    target = -1
    n_vias = len(stay_s)
    for q in range(n_queued):
        p = queue[q]
        stops, m, n = first_stop[p], first_stop[p + 1] - first_stop[p], n_runs[p]
        times = first_time[p]
        for layer in range(n_vias + 1):
            run = n
            aboard = False
            boarded_at = boarded_in = 0
            ride = 0
            for i in range(queued_at[p], m):
                spot = spots[stops + i]
                if handed[layer, 0, i] >= 0:
                    if handed[layer, 0, i] < run:
                        run = handed[layer, 0, i]
                        boarded_at, boarded_in = handed[layer, 1, i], handed[layer, 2, i]
                        ride = times + run * m
                        aboard = True
                    handed[layer, 0, i] = -1
                if aboard:
                    t = np.int64(arrival_s[ride + i])
                    if layer < n_vias and via[spot] >> layer & 1 and stay_s[layer] == 0:
                        handed[layer + 1, 0, i] = run
                        handed[layer + 1, 1, i] = boarded_at
                        handed[layer + 1, 2, i] = boarded_in
                        aboard = False
                    elif t >= bound - nearest:
                        aboard = False
                    elif allow[stops + i] & ALIGHT:
                        # Alighting at a via, one may also stay, and is then in the next layer.
                        after = layer
                        while True:
                            place = after * n_spots + spot
                            if t < arrived[place] and t < bound - nearest:
                                if boarding[place] >= 0:
                                    reached[n_reached] = place
                                    n_reached += 1
                                arrived[place] = t
                                boarding[place] = -1 - (
                                    (np.int64(ride + i) << 18) | (np.int64(boarded_at) << 2) | boarded_in
                                )
                                if after == n_vias and t + egress_s[spot] < bound:
                                    bound = t + egress_s[spot]
                                    target = place
                            if after == n_vias or via[spot] >> after & 1 == 0:
                                break
                            t += stay_s[after]
                            after += 1
                at = board_at[layer * n_spots + spot]
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
                        aboard = True
                        boarded_at, boarded_in = i, layer
                        ride = times + run * m
        queued_at[p] = -1
    for i in range(n_reached):
        boarding[reached[i]] = -1 - boarding[reached[i]]
    return n_reached, target, bound


@njit(cache=True, nogil=True)
def _change(
    n_spots: int,
    via: NDArray[np.uint8],
    stay_s: Ints,
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
    """Make places ready from those that were reached; returns how many are marked.

    One who walks to a via may stay there before boarding, and is then in the next layer.
    """
    n_marked = 0
    n_vias = len(stay_s)
    for i in range(n_reached):
        origin = reached[i]
        spot, t = origin % n_spots, arrived[origin]
        for w in range(first_walk[spot] - 1, first_walk[spot + 1]):
            if w < first_walk[spot]:  # no walk: the change at the stop itself
                to, at = spot, t + change_s[spot]
            else:
                to, at = walk_spot[w], t + walk_s[w]
                if at >= bound:
                    break
            layer = origin // n_spots
            while at < bound:
                place = layer * n_spots + to
                if at < ready[place]:
                    ready[place] = at
                    walked[place] = origin
                    if board_at[place] == NEVER:
                        marked[n_marked] = place
                        n_marked += 1
                    board_at[place] = at
                if layer == n_vias or via[to] >> layer & 1 == 0:
                    break
                at += stay_s[layer]
                layer += 1
    return n_marked


@njit(cache=True, nogil=True)
def _trace(
    n_spots: int,
    k: int,
    place: int,
    boarding: NDArray[np.int64],
    walked: Ints,
    first_stop: Ints,
    spots: Ints,
    first_time: Ints,
    legs: Ints,
    n_legs: int,
) -> int:
    """Write the `k` legs that end at `place`, last first; returns the number of rows of `legs`."""
    while k > 0:
        packed = boarding[k, place]
        time, boarded_at, layer = packed >> 18, packed >> 2 & 0xFFFF, packed & 3
        low, high = 0, len(first_time) - 1
        while high - low > 1:
            middle = (low + high) >> 1
            if first_time[middle] <= time:
                low = middle
            else:
                high = middle
        m = first_stop[low + 1] - first_stop[low]
        legs[n_legs, 0] = low
        legs[n_legs, 1] = (time - first_time[low]) // m
        legs[n_legs, 2] = boarded_at
        legs[n_legs, 3] = (time - first_time[low]) % m
        n_legs += 1
        k -= 1
        place = walked[k, layer * n_spots + spots[first_stop[low] + boarded_at]]
    return n_legs
