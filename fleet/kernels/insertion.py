"""Insertion: the cheapest place of a request in a route, exactly, and the schedule that proves it.

A route with ride limits is possible when the least times that satisfy all of "not before the last visit and
the drive", "not before the window", "the ride is not longer than promised" and "the shift is not longer than
allowed" are within every window. Each of these says that one time is at least another plus a constant, so the
least times are found by going through the route and starting again from a pick-up that was too early, at most
once for each such limit (Bellman and Ford, on constraints between visits of one route). The eight steps of
Cordeau and Laporte (2003, section 5.1) look for the same schedule by slacks; this is as short and cannot miss.

Before that, positions are refused by what is kept with the route and costs a few sums: earliest and latest
times by windows, seats, and for rides the slack of a drive without any waiting. Where vehicles carry one
destination at a time and pick-ups have no windows, nobody ever waits aboard (the vehicle waits empty), and
these sums are already exact: `cheapest_run` needs nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numba import njit

from fleet.kernels.arrays import FAR, NOBODY, NOWHERE, Instance, Ints, Longs, Room, Routes, Words

DEAREST = 1 << 60  # no insertion costs as much
NEVER = 1 << 29  # as socle.matrix says it
JOINS = -2  # the request gets off where the vehicle stops at its destination already

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
    instance: Instance, vehicle_type: int, visits: Ints, dropped_at: Ints, n_visits: int, begins: Longs
) -> bool:
    """Write the least times at which each visit of a route may begin; False when there are none."""
    drive = instance.drive
    for at in range(n_visits):
        code = visits[at]
        begins[at] = instance.earliest[code] if code >= 0 else instance.drop_earliest[-1 - code]
    place_0 = instance.pick_place[visits[0]]  # a route begins with a pick-up
    reach = hop(drive, instance.start[vehicle_type], place_0)
    begins[0] = max(begins[0], instance.shift_earliest[vehicle_type] + reach)
    max_duration = instance.max_duration[vehicle_type]
    for _ in range(n_visits + 2):
        time, place = begins[0], place_0
        if time > instance.latest[visits[0]]:
            return False
        time += instance.service[visits[0]]
        for at in range(1, n_visits):
            code = visits[at]
            if code >= 0:
                here, latest, service = instance.pick_place[code], instance.latest[code], instance.service[code]
            else:
                drop = -1 - code
                here, latest, service = (
                    instance.drop_place[drop],
                    instance.drop_latest[drop],
                    instance.drop_service[drop],
                )
            time = max(time + hop(drive, place, here), begins[at])
            if time > latest:
                return False
            begins[at] = time
            time += service
            place = here
        time += hop(drive, place, instance.end[vehicle_type])
        if time > instance.shift_latest[vehicle_type]:
            return False
        settled = True
        if time - max_duration > begins[0] - reach:
            begins[0] = time - max_duration + reach
            settled = False
        for at in range(n_visits):
            code = visits[at]
            if code >= 0:
                least = begins[dropped_at[at]] - instance.max_ride[code] - instance.service[code]
                if least > begins[at]:
                    begins[at] = least
                    settled = False
        if settled:
            return True
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

    possible = find_times(instance, kind, visits, dropped_at, n_visits, room.begins)
    for at in range(n_visits):
        code = visits[at]
        service = instance.service[code] if code >= 0 else instance.drop_service[-1 - code]
        leaves[at] = room.begins[at] + service
    return possible


@inner
def fits(instance: Instance, routes: Routes, route: int, request: int, first: int, last: int) -> bool:
    """Whether those aboard leave seats for `request` after each visit from `first` to before `last`."""
    for unit in range(instance.load.shape[1]):
        most = instance.places[routes.vehicle_type[route], unit] - instance.load[request, unit]
        if most < 0:
            return False
        for at in range(max(first, 0), last):
            if routes.load[route, at, unit] > most:
                return False
    return True


@inner
def draw(dice: Words) -> int:
    """The next 31 random bits, by xorshift64*."""
    word = dice[0]
    word ^= word >> np.uint64(12)
    word ^= word << np.uint64(25)
    word ^= word >> np.uint64(27)
    dice[0] = word
    return int((word * np.uint64(2685821657736338717)) >> np.uint64(33))


@inner
def cheapest_run(
    instance: Instance, routes: Routes, dice: Words, blink: int, request: int
) -> tuple[int, int, int, int]:
    """As `cheapest`, where nobody can wait aboard and destinations do not mix.

    All arrays are taken out of their tuples once: doing it for each route costs ten times the sums themselves.
    """
    drive, cost, types, rates = instance.drive, instance.cost, routes.vehicle_type, instance.rate
    starts, ends, fixed_cost = instance.start, instance.end, instance.fixed_cost
    shift_earliest, shift_latest = instance.shift_earliest, instance.shift_latest
    places, wanted = instance.places, instance.load
    n_kinds, longest = wanted.shape[1], routes.place.shape[1]
    place, destination, dropped_at = routes.place, routes.destination, routes.dropped_at
    aboard, load, leaves, late = routes.aboard, routes.load, routes.leaves, routes.late
    along, slack, lengths = routes.along, routes.slack, routes.n_visits
    is_open, begun = routes.is_open, routes.n_begun
    aim, here = instance.destination[request], instance.pick_place[request]
    there = instance.drop_place[aim]
    service, max_ride = instance.service[request], instance.max_ride[request]
    opens, closes = instance.drop_earliest[aim], instance.drop_latest[aim]
    stay = instance.drop_service[aim]
    direct = hop(drive, here, there)
    best, best_route, best_at, best_drop = DEAREST, -1, -2, JOINS
    if direct > max_ride:
        return best, best_route, best_at, best_drop
    at_rest = -1  # the last type of which a vehicle at rest was looked at: rows stand by type
    for route in range(len(lengths)):
        n_visits, kind = lengths[route], types[route]
        if not is_open[route] or n_visits + 2 > longest:
            continue
        if n_visits == 0:
            if kind == at_rest:
                continue
            at_rest = kind
        if blink and (draw(dice) & 65535) < blink:
            continue
        seated = True
        for unit in range(n_kinds):
            seated = seated and wanted[request, unit] <= places[kind, unit]
        if not seated:
            continue
        rate = rates[kind]
        at = begun[route] - 1
        while at < n_visits:  # from run to run
            joins, end = False, n_visits
            if at + 1 < n_visits:
                joins, end = destination[route, at + 1] == aim, dropped_at[route, at + 1]
            alone = at < 0 or aboard[route, at] == NOBODY
            ready = leaves[route, at] if at >= 0 else shift_earliest[kind]
            if ready > closes:
                break
            by = late[route, at + 1] if at + 1 < n_visits else shift_latest[kind]
            if alone and opens + stay <= by:
                before = place[route, at] if at >= 0 else starts[kind]
                after = place[route, at + 1] if at + 1 < n_visits else ends[kind]
                added = fare(cost, rate, before, here) + fare(cost, rate, here, there) + fare(cost, rate, there, after)
                added += fixed_cost[kind] if n_visits == 0 else -fare(cost, rate, before, after)
                arrives = ready + hop(drive, before, here) + service + direct
                if added < best and arrives <= closes and max(arrives, opens) + stay + hop(drive, there, after) <= by:
                    best, best_route, best_at, best_drop = added, route, at, at
            if joins:
                for unit in range(n_kinds):
                    joins = joins and load[route, end - 1, unit] + wanted[request, unit] <= places[kind, unit]
            if joins:
                for gap in range(at, end):
                    before = place[route, gap] if gap >= 0 else starts[kind]
                    after = place[route, gap + 1]
                    onward = hop(drive, here, after)
                    reach = hop(drive, before, here) + service
                    added = fare(cost, rate, before, here) + fare(cost, rate, here, after)
                    added -= fare(cost, rate, before, after)
                    if (
                        added < best
                        and (leaves[route, gap] if gap >= 0 else ready) + reach + onward <= late[route, gap + 1]
                        and onward + along[route, end] - along[route, gap + 1] <= max_ride
                        and ((gap == at and alone) or reach + onward - hop(drive, before, after) <= slack[route, gap])
                    ):
                        best, best_route, best_at, best_drop = added, route, gap, JOINS
            at = end
    return best, best_route, best_at, best_drop


@inner
def write_inserted(
    routes: Routes, route: int, request: int, aim: int, at: int, drop: int, visits: Ints, dropped_at: Ints
) -> int:
    """Write the visits of a route with `request` after visit `at`, dropped after visit `drop`; how many."""
    old_visits, old_dropped_at, n_visits = routes.visits, routes.dropped_at, routes.n_visits[route]
    n_written = 0
    for old in range(-1, n_visits):
        if old >= 0:
            visits[n_written] = old_visits[route, old]
            end = old_dropped_at[route, old]
            moved = end
            if end > at:
                moved += 1
            if drop != JOINS and end > drop:
                moved += 1
            dropped_at[n_written] = moved
            n_written += 1
        if old == at:
            visits[n_written] = request
            n_written += 1
        if drop != JOINS and old == drop:
            visits[n_written] = -1 - aim
            dropped_at[n_written] = n_written
            n_written += 1
    end = at + 2
    while visits[end] != -1 - aim:
        end += 1
    dropped_at[at + 1] = end
    return n_written


@inner
def is_possible(instance: Instance, routes: Routes, room: Room, route: int, request: int, at: int, drop: int) -> bool:
    """Whether times exist for the route with `request` in it, rides and shift included."""
    n_visits = write_inserted(
        routes, route, request, instance.destination[request], at, drop, room.visits, room.dropped_at
    )
    return find_times(instance, routes.vehicle_type[route], room.visits, room.dropped_at, n_visits, room.begins)


@inner
def is_alike(routes: Routes, route: int, first: int, last: int, group: int) -> bool:
    """Whether nobody of another group is aboard after the visits from `first` to before `last`."""
    for at in range(first, last):
        if routes.aboard[route, at] != NOBODY and routes.aboard[route, at] != group:
            return False
    return True


@inner
def best_in_route(
    instance: Instance, routes: Routes, room: Room, route: int, request: int, limit: int
) -> tuple[int, int, int]:
    """The cheapest possible insertion that costs less than `limit`: cost, visit before it, visit before its drop.

    The drop is JOINS when the vehicle stops there already for somebody; the visit before is -2 when there is no
    such insertion. Of equally cheap ones it is the first along the route, dropping anew before joining.
    """
    n_visits, kind = routes.n_visits[route], routes.vehicle_type[route]
    drive, cost, rate = instance.drive, instance.cost, instance.rate[kind]
    aim, here = instance.destination[request], instance.pick_place[request]
    there, group = instance.drop_place[aim], instance.group[aim]
    service, max_ride = instance.service[request], instance.max_ride[request]
    best, best_at, best_drop = limit, -2, JOINS
    if hop(drive, here, there) > max_ride or not fits(instance, routes, route, request, 0, 0):
        return best, best_at, best_drop
    place, visits = routes.place[route], routes.visits[route]
    aboard, leaves, late = routes.aboard[route], routes.leaves[route], routes.late[route]
    along, slack = routes.along[route], routes.slack[route]
    for at in range(routes.n_begun[route] - 1, n_visits):
        if at >= 0 and aboard[at] != NOBODY and aboard[at] != group:
            continue
        before = place[at] if at >= 0 else instance.start[kind]
        ready = leaves[at] if at >= 0 else instance.shift_earliest[kind]
        after = place[at + 1] if at + 1 < n_visits else instance.end[kind]
        by = late[at + 1] if at + 1 < n_visits else instance.shift_latest[kind]
        begins = max(ready + hop(drive, before, here), instance.earliest[request])
        if begins > instance.latest[request]:
            if ready > instance.latest[request]:
                break
            continue
        shorter = hop(drive, before, after)
        longer = hop(drive, before, here) + service
        room_left = slack[at] if at >= 0 and aboard[at] != NOBODY else FAR
        spent = fare(cost, rate, before, here)
        saved = fare(cost, rate, before, after) if n_visits else -instance.fixed_cost[kind]
        drop = at + 1  # the stop at its destination that comes first
        while drop < n_visits and visits[drop] != -1 - aim:
            drop += 1
        boarded = 0  # the first visit after which somebody aboard goes there
        while boarded < n_visits and (drop == n_visits or routes.dropped_at[route, boarded] != drop):
            boarded += 1
        time = begins + service  # leaving the last visit before the new drop, if nothing slows it down
        ridden = 0
        last = here
        for end in range(at, n_visits):
            if end > at:
                if visits[end] == -1 - aim or (aboard[end] != NOBODY and aboard[end] != group):
                    break
                step = hop(drive, last, place[end])
                code = visits[end]
                if code >= 0:
                    opens, stay = instance.earliest[code], instance.service[code]
                else:
                    opens, stay = instance.drop_earliest[-1 - code], instance.drop_service[-1 - code]
                time = max(time + step, opens)
                if time > late[end]:
                    break
                time += stay
                ridden += step + stay
                last = place[end]
            if ridden > max_ride or end >= boarded or not fits(instance, routes, route, request, end, end + 1):
                break
            if ridden + hop(drive, last, there) > max_ride:
                continue
            if end + 1 < n_visits:
                onto, until = place[end + 1], late[end + 1]
            else:
                onto, until = instance.end[kind], instance.shift_latest[kind]
            added = spent + fare(cost, rate, last, there) + fare(cost, rate, there, onto) - saved
            if end > at:
                added += fare(cost, rate, here, after) - fare(cost, rate, last, onto)
            if added >= best:
                continue
            arrives = max(time + hop(drive, last, there), instance.drop_earliest[aim])
            if arrives > instance.drop_latest[aim]:
                continue
            gone = arrives + instance.drop_service[aim]
            if gone + hop(drive, there, onto) > until:
                continue
            if is_possible(instance, routes, room, route, request, at, end):
                best, best_at, best_drop = added, at, end
        if drop < n_visits:
            onward = hop(drive, here, after)
            added = spent + fare(cost, rate, here, after) - saved
            if (
                added < best
                and begins + service + onward <= by
                and longer + onward - shorter <= room_left
                and onward + along[drop] - along[at + 1] <= max_ride
                and fits(instance, routes, route, request, at, drop)
                and is_alike(routes, route, at + 1, drop, group)
                and is_possible(instance, routes, room, route, request, at, JOINS)
            ):
                best, best_at, best_drop = added, at, JOINS
    return best, best_at, best_drop


@inner
def cheapest(
    instance: Instance, routes: Routes, room: Room, dice: Words, blink: int, request: int
) -> tuple[int, int, int, int]:
    """The cheapest possible insertion of a request in all open routes: cost, route, visit before it and its drop.

    Each route is left out by chance, `blink` times in 65536; of vehicles at rest only the first of its type is
    looked at. The route is -1 when there is none. Of equally cheap ones it is the first.
    """
    best, best_route, best_at, best_drop = DEAREST, -1, -2, JOINS
    at_rest = -1
    for route in range(len(routes.n_visits)):
        n_visits, kind = routes.n_visits[route], routes.vehicle_type[route]
        if not routes.is_open[route] or n_visits + 2 > routes.visits.shape[1]:
            continue
        if n_visits == 0:
            if kind == at_rest:
                continue
            at_rest = kind
        if blink and (draw(dice) & 65535) < blink:
            continue
        cost, at, drop = best_in_route(instance, routes, room, route, request, best)
        if at != -2:
            best, best_route, best_at, best_drop = cost, route, at, drop
    return best, best_route, best_at, best_drop
