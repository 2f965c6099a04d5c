"""Subsets: the best joint choice of few stops, proved by looking at every way to share them out among routes.

Sets of stops are bits of a number. Of each set the cheapest round trip is known (Held and Karp 1962), and how many
pupils reach no stop outside it. Stop by stop, in a fixed order, one stays closed, joins a route or begins one; what
is begun never gets cheaper than the cheapest set that holds each route. Whether everybody finds a seat is Hall's
condition: however one picks routes, those who find no open stop but theirs are no more than their seats.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from fleet.kernels.arrays import FAR, Ints, Longs


@njit(cache=True, nogil=True)
def round_trips(drive: Longs) -> Longs:
    """The cheapest round trip from place 0 through each set of the other places."""
    n_stops = len(drive) - 1
    ends = np.full((1 << n_stops, n_stops), FAR, np.int64)
    trips = np.full(1 << n_stops, FAR, np.int64)
    trips[0] = 0
    for chosen in range(1, 1 << n_stops):
        for last in range(n_stops):
            if not chosen >> last & 1:
                continue
            before = chosen & ~(1 << last)
            best = drive[0, 1 + last] if before == 0 else FAR
            for other in range(n_stops):
                if before >> other & 1:
                    best = min(best, ends[before, other] + drive[1 + other, 1 + last])
            ends[chosen, last] = best
            trips[chosen] = min(trips[chosen], best + drive[1 + last, 0])
    return trips


@njit(cache=True, nogil=True)
def trip_order(drive: Longs, chosen: int) -> Ints:
    """The stops of the cheapest round trip through one set, in their order."""
    stops = np.array([stop for stop in range(len(drive) - 1) if chosen >> stop & 1], np.int32)
    n_stops = len(stops)
    ends = np.full((1 << n_stops, n_stops), FAR, np.int64)
    for some in range(1, 1 << n_stops):
        for last in range(n_stops):
            if not some >> last & 1:
                continue
            before = some & ~(1 << last)
            best = drive[0, 1 + stops[last]] if before == 0 else FAR
            for other in range(n_stops):
                if before >> other & 1:
                    best = min(best, ends[before, other] + drive[1 + stops[other], 1 + stops[last]])
            ends[some, last] = best
    order = np.zeros(n_stops, np.int32)
    left, after = (1 << n_stops) - 1, 0
    for at in range(n_stops - 1, -1, -1):
        best, chosen_last = FAR, -1
        for last in range(n_stops):
            if left >> last & 1 and ends[left, last] + drive[1 + stops[last], after] < best:
                best, chosen_last = ends[left, last] + drive[1 + stops[last], after], last
        order[at] = stops[chosen_last]
        left &= ~(1 << chosen_last)
        after = 1 + stops[chosen_last]
    return order


@njit(cache=True, nogil=True)
def sum_of_subsets(counts: Longs, n_stops: int) -> Longs:
    """For each set what is counted for the sets within it."""
    sums = counts.copy()
    for stop in range(n_stops):
        for chosen in range(1 << n_stops):
            if chosen >> stop & 1:
                sums[chosen] += sums[chosen ^ (1 << stop)]
    return sums


@njit(cache=True, nogil=True)
def least_of_supersets(costs: Longs, n_stops: int) -> Longs:
    """For each set the least cost of the sets that hold it."""
    least = costs.copy()
    for stop in range(n_stops):
        for chosen in range(1 << n_stops):
            if not chosen >> stop & 1:
                least[chosen] = min(least[chosen], least[chosen | (1 << stop)])
    return least


@njit(cache=True, nogil=True)
def seats_suffice(within: Longs, routes: Longs, n_routes: int, closed: int, seats: int) -> bool:
    """Hall's condition for every choice among the routes; `closed` are the stops of none."""
    unions = np.zeros(1 << n_routes, np.int64)
    unions[0] = closed
    if within[closed] > 0:
        return False
    for some in range(1, 1 << n_routes):
        lowest, n_picked = 0, 0
        while not some >> lowest & 1:
            lowest += 1
        unions[some] = unions[some & (some - 1)] | routes[lowest]
        for route in range(n_routes):
            n_picked += some >> route & 1
        if within[unions[some]] > seats * n_picked:
            return False
    return True


@njit(cache=True, nogil=True)
def best_partition(
    trips: Longs, least: Longs, within: Longs, n_stops: int, n_routes_most: int, seats: int, known: int
) -> tuple[int, Longs, int]:
    """The cheapest routes that cost less than `known`, as sets, -1 when there are none; how many plans were begun."""
    routes = np.zeros(n_stops + 1, np.int64)
    best_routes = np.zeros(n_stops + 1, np.int64)
    choice = np.zeros(n_stops + 1, np.int64)  # stop -> -1 closed, else its route
    closed = np.zeros(n_stops + 1, np.int64)  # depth -> stops closed by then
    count = np.zeros(n_stops + 1, np.int64)  # depth -> routes begun by then
    bound = np.zeros(n_stops + 1, np.int64)  # depth -> what these cost at least
    best, best_count, n_begun = known, -1, 0
    depth = 0
    choice[0] = -2
    while depth >= 0:
        if choice[depth] >= 0:
            routes[choice[depth]] &= ~(1 << depth)
        choice[depth] += 1
        chosen = choice[depth]
        if chosen > count[depth] or chosen >= n_routes_most:
            depth -= 1
            continue
        n_begun += 1
        shut, n_routes, least_cost = closed[depth], count[depth], bound[depth]
        if chosen < 0:
            shut |= 1 << depth
        else:
            old = routes[chosen]
            if chosen == n_routes:
                n_routes += 1
                least_cost += least[1 << depth]
            else:
                least_cost += least[old | (1 << depth)] - least[old]
            routes[chosen] = old | (1 << depth)
        if least_cost >= best or within[shut] > 0:
            continue
        if chosen >= 0 and within[shut | routes[chosen]] > seats:
            continue
        if depth + 1 < n_stops:
            depth += 1
            choice[depth] = -2
            closed[depth], count[depth], bound[depth] = shut, n_routes, least_cost
            continue
        cost = 0
        for route in range(n_routes):
            cost += trips[routes[route]]
        if cost < best and seats_suffice(within, routes, n_routes, shut, seats):
            best, best_count = cost, n_routes
            best_routes[:] = routes
    return best, best_routes[:best_count] if best_count >= 0 else best_routes[:0], n_begun
