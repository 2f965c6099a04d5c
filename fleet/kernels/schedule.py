"""Schedule: when each visit of a route may begin, and what is kept with a route so that insertions cost little.

A route with ride limits is possible when the least times that satisfy all of "not before the last visit and
the drive", "not before the window", "the ride is not longer than promised" and "the shift is not longer than
allowed" are within every window. Each of these says that one time is at least another plus a constant, so the
least times are found by going through the route and starting again from a pick-up that was too early, at most
once for each such limit (Bellman and Ford, on constraints between visits of one route). The eight steps of
Cordeau and Laporte (2003, section 5.1) look for the same schedule by slacks; this is as short and cannot miss.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from numba import njit

from fleet.kernels.arrays import FAR, NOBODY, NOWHERE, Instance, Ints, Room, Routes

NEVER = 1 << 29  # as socle.matrix says it

Kernel = TypeVar("Kernel", bound=Callable[..., object])
inner: Callable[[Kernel], Kernel] = njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)  # type: ignore[call-overload]  # options that numba has and its types do not know
"""Called by kernels alone, which spares half of the time that compiling takes."""


@inner
def hop(drive: Ints, origin: int, target: int) -> int:
    """Time from place to place; 0 from or to nowhere, FAR where there is no way."""
    if origin == NOWHERE or target == NOWHERE:
        return 0
    time = int(drive[origin, target])
    return time if time < NEVER else FAR


@inner
def fare(cost: Ints, rate: int, origin: int, target: int) -> int:
    """What driving from place to place costs; 0 from or to nowhere."""
    if origin == NOWHERE or target == NOWHERE:
        return 0
    return int(cost[rate, origin, target])


@njit(cache=True, nogil=True)
def find_times(
    instance: Instance, vehicle_type: int, visits: Ints, dropped_at: Ints, n_visits: int, room: Room
) -> bool:
    """Write the least times at which each visit of a route may begin to `room.begins`; False when there are none."""
    drive, begins, steps, until, limits = instance.drive, room.begins, room.steps, room.until, room.limits
    here = instance.start[vehicle_type]
    left = instance.shift_earliest[vehicle_type]  # at the earliest
    stay = 0
    for at in range(n_visits):
        code = visits[at]
        if code >= 0:
            there, opens, until[at] = instance.pick_place[code], instance.earliest[code], instance.latest[code]
        else:
            there = instance.drop_place[-1 - code]
            opens, until[at] = instance.drop_earliest[-1 - code], instance.drop_latest[-1 - code]
        steps[at] = stay + hop(drive, here, there)
        left = max(left + steps[at], opens)
        if left > until[at]:
            return False
        begins[at] = left
        if code >= 0:
            stay = instance.service[code]
            limits[at] = instance.max_ride[code] + stay
        else:
            stay = instance.drop_service[-1 - code]
            limits[at] = FAR
        here = there
    reach = steps[0]
    back = stay + hop(drive, here, instance.end[vehicle_type])
    max_duration, shift_latest = instance.max_duration[vehicle_type], instance.shift_latest[vehicle_type]
    for _ in range(n_visits + 2):
        time = begins[n_visits - 1] + back
        if time > shift_latest:
            return False
        first = n_visits  # of the visits that were too early
        for at in range(n_visits - 1, -1, -1):
            least = begins[dropped_at[at]] - limits[at]
            if least > begins[at]:
                begins[at] = least
                first = at
        if time - max_duration > begins[0] - reach:
            begins[0] = time - max_duration + reach
            first = 0
        if first == n_visits:
            return True
        if begins[first] > until[first]:
            return False
        for at in range(first + 1, n_visits):
            least = begins[at - 1] + steps[at]
            if least > begins[at]:
                begins[at] = least
            if begins[at] > until[at]:
                return False
    return False


@inner
def refresh_runs(instance: Instance, routes: Routes, route: int) -> bool:
    """As `refresh`, where nobody can wait aboard: a route is runs one after the other, and two walks suffice."""
    n_visits, kind = routes.n_visits[route], routes.vehicle_type[route]
    drive, cost, rate = instance.drive, instance.cost, instance.rate[kind]
    visits, place, destination = routes.visits, routes.place, routes.destination
    dropped_at, aboard, load = routes.dropped_at, routes.aboard, routes.load
    leaves, late, along, slack = routes.leaves, routes.late, routes.along, routes.slack
    pick_place, aims, service, max_ride = instance.pick_place, instance.destination, instance.service, instance.max_ride
    drop_place, drop_service, wanted = instance.drop_place, instance.drop_service, instance.load
    drop_earliest, drop_latest, groups = instance.drop_earliest, instance.drop_latest, instance.group
    n_kinds = wanted.shape[1]
    if n_visits == 0:
        routes.cost[route] = 0
        return True
    total = instance.fixed_cost[kind]
    here = instance.start[kind]
    driven = 0  # never waiting
    ready = instance.shift_earliest[kind]
    for at in range(n_visits):
        code = visits[route, at]
        if code >= 0:
            there, stay = pick_place[code], service[code]
            destination[route, at] = aims[code]
            routes.route_of[code] = route
        else:
            there, stay = drop_place[-1 - code], drop_service[-1 - code]
            destination[route, at] = -1 - code
        place[route, at] = there
        step = hop(drive, here, there)
        total += fare(cost, rate, here, there)
        driven += step
        along[route, at] = driven
        driven += stay
        ready += step
        if code < 0:
            ready = max(ready, drop_earliest[-1 - code])
        ready += stay
        leaves[route, at] = ready
        here = there
    end = instance.end[kind]
    routes.cost[route] = total + fare(cost, rate, here, end)
    by = instance.shift_latest[kind] - hop(drive, here, end)
    drop = n_visits - 1
    possible = True
    for at in range(n_visits - 1, -1, -1):
        code = visits[route, at]
        if code >= 0:
            by -= service[code]
            stay = service[code]
        else:
            drop = at
            stay = drop_service[-1 - code]
            by = min(by - stay, drop_latest[-1 - code])
        dropped_at[route, at] = drop
        late[route, at] = by
        possible = possible and leaves[route, at] - stay <= by
        if at > 0:
            by -= hop(drive, place[route, at - 1], place[route, at])
    left = FAR
    for at in range(n_visits):
        code = visits[route, at]
        if code >= 0:
            drop = dropped_at[route, at]
            left = min(left, max_ride[code] - (along[route, drop] - along[route, at] - service[code]))
            possible = possible and left >= 0
            aboard[route, at] = groups[aims[code]]
        else:
            left = FAR
            aboard[route, at] = NOBODY
        slack[route, at] = left
        for unit in range(n_kinds):
            if code < 0:
                load[route, at, unit] = 0
            elif at > 0:
                load[route, at, unit] = load[route, at - 1, unit] + wanted[code, unit]
            else:
                load[route, at, unit] = wanted[code, unit]
    return possible


@inner
def refresh(instance: Instance, routes: Routes, room: Room, route: int, is_simple: bool) -> bool:
    """Make everything that is kept with a route from its visits; False when no times satisfy it."""
    if is_simple:
        return refresh_runs(instance, routes, route)
    n_visits = routes.n_visits[route]
    kind = routes.vehicle_type[route]
    rate = instance.rate[kind]
    drive, cost = instance.drive, instance.cost
    visits, place, destination = routes.visits[route], routes.place[route], routes.destination[route]
    dropped_at, aboard, load = routes.dropped_at[route], routes.aboard[route], routes.load[route]
    leaves, late, along, slack = routes.leaves[route], routes.late[route], routes.along[route], routes.slack[route]
    n_kinds = load.shape[1]
    if n_visits == 0:
        routes.cost[route] = 0
        return True
    total = instance.fixed_cost[kind]
    here = instance.start[kind]
    time = 0
    for at in range(n_visits):
        code = visits[at]
        slack[at] = FAR
        aboard[at] = NOBODY
        for unit in range(n_kinds):
            load[at, unit] = 0
        if code >= 0:
            place[at], destination[at] = instance.pick_place[code], instance.destination[code]
            service = instance.service[code]
            routes.route_of[code] = route
        else:
            place[at], destination[at] = instance.drop_place[-1 - code], -1 - code
            service = instance.drop_service[-1 - code]
        total += fare(cost, rate, here, place[at])
        time += hop(drive, here, place[at])
        along[at] = time
        time += service
        here = place[at]
    routes.cost[route] = total + fare(cost, rate, here, instance.end[kind])

    time = instance.shift_latest[kind] - hop(drive, here, instance.end[kind])
    for at in range(n_visits - 1, -1, -1):
        code = visits[at]
        if code >= 0:
            drop = room.next_drop[destination[at]]
            dropped_at[at] = drop
            time = min(time - instance.service[code], instance.latest[code])
            left = instance.max_ride[code] - (along[drop] - along[at] - instance.service[code])
            for inside in range(at, drop):
                slack[inside] = min(slack[inside], left)
                aboard[inside] = instance.group[destination[at]]
                for unit in range(n_kinds):
                    load[inside, unit] += instance.load[code, unit]
        else:
            dropped_at[at] = at
            room.next_drop[-1 - code] = at
            time = min(time - instance.drop_service[-1 - code], instance.drop_latest[-1 - code])
        late[at] = time
        if at > 0:
            time -= hop(drive, place[at - 1], place[at])
    for at in range(n_visits):
        room.next_drop[destination[at]] = -1

    possible = find_times(instance, kind, visits, dropped_at, n_visits, room)
    for at in range(n_visits):
        code = visits[at]
        service = instance.service[code] if code >= 0 else instance.drop_service[-1 - code]
        leaves[at] = room.begins[at] + service
    return possible
