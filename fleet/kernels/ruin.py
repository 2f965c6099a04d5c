"""Ruin and recreate: take requests that are near each other out of their routes, put each back where it costs least.

Christiaens and Vanden Berghe, "Slack Induction by String Removals" (2020): strings of neighbouring requests
(section 5.1), greedy insertion that now and then does not look at a route (5.2), and fewer vehicles by
counting how often each request was left out (5.4). Ours: whole runs to one destination and whole routes
are taken out too, and neighbours are those whose pick-ups are near, wherever they go.

Numbers are drawn by xorshift64* from one word of state, so that a slow twin in plain Python draws the same.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from math import log
from pathlib import Path
from typing import NamedTuple

from numba import njit

from fleet.kernels import arrays, insertion
from fleet.kernels.arrays import Flags, Instance, Ints, Longs, Room, Routes, Words
from fleet.kernels.insertion import DEAREST, cheapest, cheapest_run, draw, write_inserted
from fleet.kernels.schedule import hop, inner, refresh

LATER = 1 << 41  # than any time


class Tuning(NamedTuple):
    """What shapes the search; shares are in 1 / 65536 so that no rounding can differ."""

    mean_removed: int
    longest_string: int
    share_of_runs: int
    share_of_routes: int
    blink: int
    counts_vehicles: bool  # whether a plan with fewer vehicles is better whatever it costs


class Memory(NamedTuple):
    """What a search remembers between its steps."""

    dice: Words  # [1], the state of the numbers drawn
    absences: Longs  # request -> how many steps it was left out
    absent: Ints  # [n_requests], those left out now, the first n_absent
    n_absent: Ints  # [1]
    # the best plan so far
    best_visits: Ints
    best_n_visits: Ints
    best: Longs  # unserved, vehicles, cost; the step that found it
    # route as it was before the step
    kept_visits: Ints
    kept_n_visits: Ints
    kept_cost: Longs
    kept: Ints  # [n_routes], those touched, the first n_kept
    is_kept: Flags
    # scratch
    is_gone: Flags  # request -> taken out in this step
    pending: Ints  # destination -> aboard for it
    queue: Ints  # [n_requests], to put back
    keys: Longs  # [n_requests], what they are sorted by
    was_absent: Ints  # [n_requests]


@inner
def keep(routes: Routes, memory: Memory, n_kept: int, route: int) -> int:
    """Remember a route as it is before the first change of this step; how many are remembered."""
    if memory.is_kept[route]:
        return n_kept
    memory.is_kept[route] = 1
    memory.kept[n_kept] = route
    visits, kept_visits, n_visits = routes.visits, memory.kept_visits, routes.n_visits[route]
    memory.kept_n_visits[route] = n_visits
    memory.kept_cost[route] = routes.cost[route]
    for at in range(n_visits):
        kept_visits[route, at] = visits[route, at]
    return n_kept + 1


@inner
def take_out(routes: Routes, memory: Memory, route: int) -> None:
    """Leave only what is not gone in a route; a stop where nobody gets off any more goes as well."""
    visits, destination, is_gone, pending = routes.visits, routes.destination, memory.is_gone, memory.pending
    n_left = 0
    for at in range(routes.n_visits[route]):
        code, aim = visits[route, at], destination[route, at]
        if code >= 0:
            if is_gone[code]:
                continue
            pending[aim] += 1
        else:
            if pending[aim] == 0:
                continue
            pending[aim] = 0
        visits[route, n_left] = code
        n_left += 1
    routes.n_visits[route] = n_left


@inner
def ruin(instance: Instance, routes: Routes, memory: Memory, tuning: Tuning) -> tuple[int, int]:
    """Take about `mean_removed` requests out of routes near a random one; how many, and routes touched."""
    near, is_fixed = instance.near, instance.is_fixed
    visits, lengths, dropped_at = routes.visits, routes.n_visits, routes.dropped_at
    route_of, is_open = routes.route_of, routes.is_open
    dice, is_kept, is_gone, queue = memory.dice, memory.is_kept, memory.is_gone, memory.queue
    target = 1 + draw(dice) % (2 * tuning.mean_removed - 1)
    seed = draw(dice) % len(is_fixed)
    way = draw(dice) & 65535
    n_gone, n_kept = 0, 0
    for nth in range(near.shape[1]):
        if n_gone >= target:
            break
        request = near[seed, nth]
        route = route_of[request]
        if route < 0 or not is_open[route] or is_kept[route]:
            continue
        n_kept = keep(routes, memory, n_kept, route)
        n_visits = lengths[route]
        n_picked, position, end = 0, 0, -1
        for at in range(n_visits):
            if visits[route, at] >= 0:
                if visits[route, at] == request:
                    position, end = n_picked, dropped_at[route, at]
                n_picked += 1
        first, last = 0, n_picked
        if way >= tuning.share_of_routes + tuning.share_of_runs:
            length = 1 + draw(dice) % min(tuning.longest_string, n_picked, target - n_gone)
            lowest, highest = max(0, position - length + 1), min(position, n_picked - length)
            first = lowest + draw(dice) % (highest - lowest + 1)
            last = first + length
        whole = way < tuning.share_of_routes or way >= tuning.share_of_routes + tuning.share_of_runs
        picked = 0
        for at in range(n_visits):
            code = visits[route, at]
            if code < 0:
                continue
            if first <= picked < last and (whole or dropped_at[route, at] == end) and not is_fixed[code]:
                is_gone[code] = 1
                queue[n_gone] = code
                route_of[code] = -1
                n_gone += 1
            picked += 1
        take_out(routes, memory, route)
    return n_gone, n_kept


@inner
def sort_queue(instance: Instance, memory: Memory, n_queued: int) -> None:
    """Put what must be inserted into an order: random, most people (of as many the soonest), farthest, nearest."""
    order = draw(memory.dice) % 11
    for at in range(n_queued):
        request = memory.queue[at]
        if order < 4:
            memory.keys[at] = draw(memory.dice)
        elif order < 8:
            total = 0
            for unit in range(instance.load.shape[1]):
                total += instance.load[request, unit]
            memory.keys[at] = min(instance.latest[request], LATER) - total * LATER
        else:
            place, aim = instance.pick_place[request], instance.destination[request]
            far = hop(instance.drive, place, instance.drop_place[aim])
            memory.keys[at] = -far if order < 10 else far
    for at in range(1, n_queued):
        key, request = memory.keys[at], memory.queue[at]
        to = at
        while to > 0 and memory.keys[to - 1] > key:
            memory.keys[to], memory.queue[to] = memory.keys[to - 1], memory.queue[to - 1]
            to -= 1
        memory.keys[to], memory.queue[to] = key, request


@inner
def recreate(
    instance: Instance,
    routes: Routes,
    room: Room,
    memory: Memory,
    tuning: Tuning,
    n_queued: int,
    n_kept: int,
    is_simple: bool,
) -> tuple[int, int]:
    """Insert what is queued, each where it costs least; how many are left out, and routes touched."""
    sort_queue(instance, memory, n_queued)
    queue, absent, dice, aims = memory.queue, memory.absent, memory.dice, instance.destination
    lengths, visits, written = routes.n_visits, routes.visits, room.visits
    n_absent = 0
    for queued in range(n_queued):
        request = queue[queued]
        if is_simple:
            _, route, at, drop = cheapest_run(instance, routes, dice, tuning.blink, request)
        else:
            _, route, at, drop = cheapest(instance, routes, room, dice, tuning.blink, request, memory.is_kept)
        if route < 0:
            absent[n_absent] = request
            n_absent += 1
            continue
        n_kept = keep(routes, memory, n_kept, route)
        n_visits = write_inserted(routes, route, request, aims[request], at, drop, written, room.dropped_at)
        for nth in range(n_visits):
            visits[route, nth] = written[nth]
        lengths[route] = n_visits
        refresh(instance, routes, room, route, is_simple)
    return n_absent, n_kept


@inner
def note_best(routes: Routes, memory: Memory, n_absent: int, step: int, counts_vehicles: bool) -> bool:
    """Keep the plan when it is the best so far: fewer left out, then vehicles where they count, then cost."""
    n_used, cost = 0, 0
    for route in range(len(routes.n_visits)):
        if routes.n_visits[route]:
            n_used += 1
            cost += routes.cost[route]
    best = memory.best
    n_counted, n_best = (n_used, best[1]) if counts_vehicles else (0, 0)
    if (n_absent, n_counted, cost) >= (best[0], n_best, best[2]):
        return False
    best[0], best[1], best[2], best[3] = n_absent, n_used, cost, step
    memory.best_n_visits[:] = routes.n_visits
    for route in range(len(routes.n_visits)):
        n_visits = routes.n_visits[route]
        memory.best_visits[route, :n_visits] = routes.visits[route, :n_visits]
    return True


@inner
def give_up_route(instance: Instance, routes: Routes, memory: Memory) -> int:
    """Close the route whose requests were left out least often, or one at rest; how many are absent now."""
    chosen, least = -1, DEAREST
    for route in range(len(routes.n_visits)):
        if not routes.is_open[route]:
            continue
        if routes.n_visits[route] == 0:
            routes.is_open[route] = 0
            continue
        total = 0
        for at in range(routes.n_visits[route]):
            code = routes.visits[route, at]
            if code >= 0:
                total += 1 + memory.absences[code]
                if instance.is_fixed[code]:
                    total = DEAREST
                    break
        if total < least:
            chosen, least = route, total
    n_absent = 0
    if chosen >= 0:
        for at in range(routes.n_visits[chosen]):
            code = routes.visits[chosen, at]
            if code >= 0:
                memory.absent[n_absent] = code
                routes.route_of[code] = -1
                n_absent += 1
        routes.n_visits[chosen] = 0
        routes.is_open[chosen] = 0
    return n_absent


@inner
def settle(
    instance: Instance, routes: Routes, memory: Memory, tuning: Tuning, n_absent: int, step: int, fewest: int
) -> bool:
    """After a plan was accepted: note it if it is the best, and give a route up while there may be fewer."""
    for index in range(n_absent):
        routes.route_of[memory.absent[index]] = -1
    found = n_absent <= memory.best[0] and note_best(routes, memory, n_absent, step, tuning.counts_vehicles)
    if n_absent == 0 and memory.best[1] > fewest:
        n_used = 0
        for route in range(len(routes.n_visits)):
            n_used += routes.n_visits[route] > 0
        if n_used >= memory.best[1]:
            n_absent = give_up_route(instance, routes, memory)
    memory.n_absent[0] = n_absent
    return found


@inner
def step_once(
    instance: Instance,
    routes: Routes,
    room: Room,
    memory: Memory,
    tuning: Tuning,
    step: int,
    heat: float,
    fewest: int,
    is_simple: bool,
) -> bool:
    """One step of `take_steps`; whether a better plan was found."""
    queue, absent, was_absent, absences = memory.queue, memory.absent, memory.was_absent, memory.absences
    kept, is_kept, is_gone = memory.kept, memory.is_kept, memory.is_gone
    kept_visits, kept_n_visits, kept_cost = memory.kept_visits, memory.kept_n_visits, memory.kept_cost
    visits, lengths, route_of, costs = routes.visits, routes.n_visits, routes.route_of, routes.cost
    n_absent, n_gone, n_kept = memory.n_absent[0], 0, 0
    if step > 0:
        n_gone, n_kept = ruin(instance, routes, memory, tuning)
    else:
        for route in range(len(lengths)):
            n_kept = keep(routes, memory, n_kept, route)
    accepted = True
    for index in range(n_kept):
        accepted &= refresh(instance, routes, room, kept[index], is_simple)
    for index in range(n_gone):
        is_gone[queue[index]] = 0
    n_left = 0
    if accepted:
        for index in range(n_absent):
            was_absent[index] = absent[index]
            queue[n_gone + index] = absent[index]
        n_left, n_kept = recreate(instance, routes, room, memory, tuning, n_gone + n_absent, n_kept, is_simple)
        added = 0
        for index in range(n_kept):
            added += costs[kept[index]] - kept_cost[kept[index]]
        lighter = 0
        for index in range(n_left):
            lighter += 1 + absences[absent[index]]
        for index in range(n_absent):
            lighter -= 1 + absences[was_absent[index]]
        accepted = step == 0 or lighter < 0
        if lighter == 0 and not accepted:
            accepted = added < -heat * log((draw(memory.dice) + 1) / 2147483648.0)
        if not accepted:
            for index in range(n_absent):
                absent[index] = was_absent[index]
    for index in range(n_kept):
        is_kept[kept[index]] = 0
    found = False
    if accepted:
        for index in range(n_kept):
            routes.version[kept[index]] += 1
        found = settle(instance, routes, memory, tuning, n_left, step, fewest)
    else:
        for index in range(n_kept):
            route = kept[index]
            lengths[route] = kept_n_visits[route]
            for at in range(lengths[route]):
                visits[route, at] = kept_visits[route, at]
            refresh(instance, routes, room, route, is_simple)
        for index in range(n_absent):
            route_of[absent[index]] = -1
    for index in range(memory.n_absent[0]):
        absences[absent[index]] += 1
    return found


def _compile(sources: str) -> Callable[..., int]:
    """The one function that Python calls, kept compiled on disk for as long as `sources` are the same.

    Numba compiles anew when the file of a function changes and does not look at the files of those it calls;
    it does look at what the function encloses.
    """

    @njit(cache=True, nogil=True)
    def take_steps(
        instance: Instance,
        routes: Routes,
        room: Room,
        memory: Memory,
        tuning: Tuning,
        first: int,
        n_steps: int,
        heat: float,
        fewest: int,
        is_simple: bool,
    ) -> int:
        """Take `n_steps` steps, the first being number `first`; how often a better plan was found.

        Step 0 inserts who is absent into the routes given. While the best plan uses more than `fewest` vehicles,
        one that serves everybody gives one up. A dearer plan is accepted by chance at `heat`, in units of cost.
        """
        n_found = 0
        for step in range(first, first + n_steps if sources else first):
            n_found += step_once(instance, routes, room, memory, tuning, step, heat, fewest, is_simple)
        return n_found

    return take_steps


take_steps = _compile(
    sha256(b"".join(Path(str(each.__file__)).read_bytes() for each in (arrays, insertion))).hexdigest()
)
