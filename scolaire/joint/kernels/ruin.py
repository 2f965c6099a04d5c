"""Ruin and recreate over stops: close some that are near each other, open others until everybody is seated.

After Christiaens and Vanden Berghe, "Slack Induction by String Removals" (2020), with what the choice of stops adds:
whoever stands says which stops would help (their own, and those of pupils whose coaches are in the way), the
cheapest of them opens, and stops that nobody needs any more close again. Seats are given by `seats`, exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from math import log
from pathlib import Path
from typing import NamedTuple

from numba import njit

from fleet.kernels.insertion import DEAREST, draw
from fleet.kernels.schedule import inner
from scolaire.joint.kernels import arrays, seats
from scolaire.joint.kernels.arrays import Country, Room, Routes
from scolaire.joint.kernels.seats import close_stop, open_stop, seat_all, seat_group


class Tuning(NamedTuple):
    """What shapes the search; shares are in 1 / 65536."""

    mean_removed: int
    share_of_routes: int
    share_of_strings: int
    share_of_barred: int  # stops just closed that may not open again in the same step
    blink: int


@inner
def way_at(routes: Routes, route: int, at: int) -> int:
    """The place of a visit; the school before the first and after the last."""
    return 1 + routes.visits[route, at] if 0 <= at < routes.n_visits[route] else 0


@inner
def cost_of(country: Country, routes: Routes) -> int:
    """What driving all routes costs."""
    total = 0
    for route in range(len(routes.n_visits)):
        for at in range(routes.n_visits[route] + (routes.n_visits[route] > 0)):
            total += country.drive[way_at(routes, route, at - 1), way_at(routes, route, at)]
    return total


@inner
def copy_plan(plan: Routes, to: Routes) -> None:
    """Have `to` say what `plan` says."""
    to.visits[:] = plan.visits
    to.n_visits[:] = plan.n_visits
    to.load[:] = plan.load
    to.bound[:] = plan.bound
    to.route_of[:] = plan.route_of
    to.seated[:] = plan.seated
    to.touches[:] = plan.touches
    to.standing[:] = plan.standing


@inner
def ruin(country: Country, routes: Routes, room: Room, tuning: Tuning) -> int:
    """Close about `mean_removed` stops near a random one: routes, strings of them, or one by one; how many."""
    dice, gone, near = room.dice, room.gone, country.near
    n_stops = len(near)
    target = 1 + draw(dice) % (2 * tuning.mean_removed - 1)
    seed = draw(dice) % n_stops
    way = draw(dice) & 65535
    n_gone = 0
    for nth in range(n_stops):
        if n_gone >= target:
            break
        stop = near[seed, nth]
        route = routes.route_of[stop]
        if route < 0:
            continue
        n_visits = routes.n_visits[route]
        first, n_taken = 0, n_visits
        if way >= tuning.share_of_routes:
            at = 0
            while routes.visits[route, at] != stop:
                at += 1
            first, n_taken = at, 1
            if way < tuning.share_of_routes + tuning.share_of_strings:
                n_taken = 1 + draw(dice) % min(n_visits, target - n_gone)
                lowest, highest = max(0, at - n_taken + 1), min(at, n_visits - n_taken)
                first = lowest + draw(dice) % (highest - lowest + 1)
        for _ in range(n_taken):
            taken = routes.visits[route, first]
            gone[n_gone] = taken
            n_gone += 1
            close_stop(country, routes, taken)
    return n_gone


@inner
def open_one(country: Country, routes: Routes, room: Room, tuning: Tuning, group: int, by_gain: bool) -> bool:
    """Open the stop that helps a standing group for least; False when none can.

    Helping are stops that the group reaches and those that pupils could change to who sit in the full coaches that
    the search for a seat has just come to.
    """
    drive, dice, lengths = country.drive, room.dice, routes.n_visits
    n_stops, n_routes = len(country.near), len(lengths)
    best, best_stop, best_route, best_at = DEAREST, -1, -1, -1
    for stop in range(n_stops):
        if routes.route_of[stop] != -1:
            continue
        wanted, helps = 0, country.reach[group, stop] != 0
        for index in range(country.first_group[stop], country.first_group[stop + 1]):
            other = country.group_of[index]
            wanted += routes.standing[other]
            for route in range(n_routes):
                if room.came_by[route] >= 0 and routes.seated[other, route] > 0:
                    wanted += routes.seated[other, route]
                    helps = True
        if not helps:
            continue
        had_empty = False
        for route in range(n_routes):
            n_visits = lengths[route]
            if n_visits == 0:
                if had_empty:
                    continue
                had_empty = True
            elif room.came_by[route] >= 0 or routes.load[route] >= country.seats:
                continue
            if n_visits and routes.bound[route] + country.captive[stop] > country.seats:
                continue
            if tuning.blink and (draw(dice) & 65535) < tuning.blink:
                continue
            gain = min(country.seats - routes.load[route], wanted)
            for at in range(n_visits + 1):
                before, after = way_at(routes, route, at - 1), way_at(routes, route, at)
                added = drive[before, 1 + stop] + drive[1 + stop, after] - drive[before, after]
                if by_gain:
                    added = added * 64 // gain
                if added < best:
                    best, best_stop, best_route, best_at = added, stop, route, at
    if best_stop >= 0:
        open_stop(country, routes, best_stop, best_route, best_at)
    return best_stop >= 0


@inner
def recreate(country: Country, routes: Routes, room: Room, tuning: Tuning, n_gone: int) -> int:
    """Open stops until everybody is seated; how many pupils stand because none is left that helps."""
    dice, gone = room.dice, room.gone
    by_gain = draw(dice) & 1 == 1
    for at in range(n_gone):
        if (draw(dice) & 65535) < tuning.share_of_barred:
            routes.route_of[gone[at]] = -2
    n_standing = seat_all(country, routes, room)
    while n_standing:
        chosen, n_seen = -1, 0
        for group in range(len(country.size)):
            if routes.standing[group] > 0:
                n_seen += 1
                if draw(dice) % n_seen == 0:
                    chosen = group
        seat_group(country, routes, room, chosen)
        if not open_one(country, routes, room, tuning, chosen, by_gain):
            is_barred = False
            for stop in range(len(country.near)):
                if routes.route_of[stop] == -2:
                    routes.route_of[stop] = -1
                    is_barred = True
            if not is_barred:
                break
        n_standing = seat_all(country, routes, room)
    for stop in range(len(country.near)):
        if routes.route_of[stop] == -2:
            routes.route_of[stop] = -1
    return n_standing


@inner
def spare_stops(country: Country, routes: Routes, room: Room) -> None:
    """Close stops without which everybody seated still is, in random order."""
    dice, order, drive = room.dice, room.order, country.drive
    n_open = 0
    for stop in range(len(country.near)):
        if routes.route_of[stop] >= 0:
            order[n_open] = stop
            n_open += 1
    n_standing = 0
    for group in range(len(country.size)):
        n_standing += routes.standing[group]
    for last in range(n_open, 0, -1):
        index = draw(dice) % last
        stop = order[index]
        order[index] = order[last - 1]
        route = routes.route_of[stop]
        n_used, n_free = 0, 0
        for other in range(len(routes.n_visits)):
            if routes.n_visits[other] > (other == route):
                n_used += 1
                n_free += country.seats - routes.load[other]
        n_moved = 0
        for at in range(country.first_group[stop], country.first_group[stop + 1]):
            group = country.group_of[at]
            if routes.touches[group, route] == 1:
                n_moved += routes.seated[group, route]
        if country.captive[stop] > 0 or n_moved > n_free + (n_moved if routes.n_visits[route] > 1 else 0):
            continue
        at = close_stop(country, routes, stop)
        before, after = way_at(routes, route, at - 1), way_at(routes, route, at)
        saved = drive[before, 1 + stop] + drive[1 + stop, after] - drive[before, after]
        if saved < 0 or seat_all(country, routes, room) > n_standing:
            open_stop(country, routes, stop, route, at)
            seat_all(country, routes, room)


@inner
def straighten(country: Country, routes: Routes, route: int) -> None:
    """Reverse pieces of a route, and move pieces of up to three stops within it, while that makes it shorter."""
    drive, visits, n_visits = country.drive, routes.visits, routes.n_visits[route]
    moved = n_visits > 1
    while moved:
        moved = False
        for first in range(n_visits):
            for last in range(first + 1, n_visits):
                before, after = way_at(routes, route, first - 1), way_at(routes, route, last + 1)
                now, then = drive[before, 1 + visits[route, first]], drive[before, 1 + visits[route, last]]
                now += drive[1 + visits[route, last], after]
                then += drive[1 + visits[route, first], after]
                for at in range(first, last):
                    now += drive[1 + visits[route, at], 1 + visits[route, at + 1]]
                    then += drive[1 + visits[route, at + 1], 1 + visits[route, at]]
                if then < now:
                    for at in range((last - first + 1) // 2):
                        one, other = visits[route, first + at], visits[route, last - at]
                        visits[route, first + at], visits[route, last - at] = other, one
                    moved = True
        for length in range(1, 4):
            for first in range(n_visits - length + 1):
                last = first + length - 1
                before, after = way_at(routes, route, first - 1), way_at(routes, route, last + 1)
                head, tail = 1 + visits[route, first], 1 + visits[route, last]
                spared = drive[before, head] + drive[tail, after] - drive[before, after]
                best, best_at = spared, -1
                for at in range(n_visits + 1):
                    if first <= at <= last + 1:
                        continue
                    one, other = way_at(routes, route, at - 1), way_at(routes, route, at)
                    added = drive[one, head] + drive[tail, other] - drive[one, other]
                    if added < best:
                        best, best_at = added, at
                if best_at >= 0:
                    for _ in range(length):
                        if best_at > first:
                            stop = visits[route, first]
                            for at in range(first, best_at - 1):
                                visits[route, at] = visits[route, at + 1]
                            visits[route, best_at - 1] = stop
                        else:
                            stop = visits[route, last]
                            for at in range(last, best_at, -1):
                                visits[route, at] = visits[route, at - 1]
                            visits[route, best_at] = stop
                    moved = True


@inner
def step_once(country: Country, routes: Routes, room: Room, tuning: Tuning, heat: float, is_first: bool) -> bool:
    """One step of `take_steps`; whether the plan is the best so far."""
    copy_plan(routes, room.kept)
    was_standing, was_cost = 0, cost_of(country, routes)
    for group in range(len(country.size)):
        was_standing += routes.standing[group]
    n_gone = 0 if is_first else ruin(country, routes, room, tuning)
    n_standing = recreate(country, routes, room, tuning, n_gone)
    spare_stops(country, routes, room)
    for route in range(len(routes.n_visits)):
        straighten(country, routes, route)
    cost = cost_of(country, routes)
    accepted = n_standing < was_standing
    if n_standing == was_standing:
        accepted = cost - was_cost < -heat * log((draw(room.dice) + 1) / 2147483648.0)
    if not accepted:
        copy_plan(room.kept, routes)
        return False
    best = room.best
    if (n_standing, cost) >= (best[0], best[1]):
        return False
    best[0], best[1] = n_standing, cost
    room.best_visits[:] = routes.visits
    room.best_n_visits[:] = routes.n_visits
    return True


def _compile(sources: str) -> Callable[..., int]:
    """The one function that Python calls, kept compiled on disk for as long as `sources` are the same.

    As in `fleet.kernels.ruin`: numba does not look at the files of the functions that it calls.
    """

    @njit(cache=True, nogil=True)
    def take_steps(
        country: Country, routes: Routes, room: Room, tuning: Tuning, first: int, n_steps: int, heat: float
    ) -> int:
        """Take `n_steps` steps, the first being number `first`, of which 0 makes a plan; how often a better was found.

        A dearer plan is accepted by chance at `heat`, in units of cost.
        """
        n_found = 0
        for step in range(first, first + n_steps if sources else first):
            n_found += step_once(country, routes, room, tuning, heat, step == 0)
        return n_found

    return take_steps


take_steps = _compile(sha256(b"".join(Path(str(each.__file__)).read_bytes() for each in (arrays, seats))).hexdigest())
