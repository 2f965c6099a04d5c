"""Insertion: the cheapest place of a request in a route, exactly.

Positions are refused by what is kept with the route (`schedule`) and costs a few sums: earliest and latest
times by windows, seats, and for rides the slack of a drive without any waiting; what is left is proved by its
schedule. Where vehicles carry one destination at a time and pick-ups have no windows, nobody ever waits aboard
(the vehicle waits empty), and these sums are already exact: `cheapest_run` needs nothing else.
"""

from __future__ import annotations

import numpy as np

from fleet.kernels.arrays import FAR, NOBODY, Flags, Instance, Ints, Room, Routes, Words
from fleet.kernels.schedule import fare, find_times, hop, inner

DEAREST = 1 << 60  # no insertion costs as much
NONE_CHEAPER = -2  # in the place of a visit: nothing costs less than said
JOINS = -2  # the request gets off where the vehicle stops at its destination already


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
    return find_times(instance, routes.vehicle_type[route], room.visits, room.dropped_at, n_visits, room)


@inner
def is_alike(routes: Routes, route: int, first: int, last: int, group: int) -> bool:
    """Whether nobody of another group is aboard after the visits from `first` to before `last`."""
    for at in range(first, last):
        if routes.aboard[route, at] != NOBODY and routes.aboard[route, at] != group:
            return False
    return True


@inner
def best_after(
    instance: Instance, routes: Routes, room: Room, route: int, request: int, at: int, limit: int
) -> tuple[int, int]:
    """The cheapest possible insertion after visit `at` that costs less than `limit`: cost, visit before its drop.

    The drop is JOINS when the vehicle stops there already for somebody; the cost is `limit` when there is no such
    insertion. Of equally cheap ones it is the first along the route, dropping anew before joining.
    """
    n_visits, kind = routes.n_visits[route], routes.vehicle_type[route]
    drive, cost, rate = instance.drive, instance.cost, instance.rate[kind]
    aim, here = instance.destination[request], instance.pick_place[request]
    there, group, halt = instance.drop_place[aim], instance.group[aim], instance.drop_service[aim]
    service, max_ride = instance.service[request], instance.max_ride[request]
    best, best_drop = limit, JOINS
    place, visits = routes.place[route], routes.visits[route]
    aboard, late = routes.aboard[route], routes.late[route]
    along, slack = routes.along[route], routes.slack[route]
    before = place[at] if at >= 0 else instance.start[kind]
    ready = routes.leaves[route, at] if at >= 0 else instance.shift_earliest[kind]
    after = place[at + 1] if at + 1 < n_visits else instance.end[kind]
    by = late[at + 1] if at + 1 < n_visits else instance.shift_latest[kind]
    begins = max(ready + hop(drive, before, here), instance.earliest[request])
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
            if end == at + 1 and longer + hop(drive, here, after) - shorter > room_left:
                break
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
        # who is aboard rides at least as much longer as the vehicle drives longer
        if end == at:
            further = longer + hop(drive, here, there) + halt + hop(drive, there, onto) - shorter
            if further > room_left:
                continue
        else:
            further = hop(drive, last, there) + halt + hop(drive, there, onto) - hop(drive, last, onto)
            if aboard[end] != NOBODY and further > slack[end]:
                continue
        arrives = max(time + hop(drive, last, there), instance.drop_earliest[aim])
        if arrives > instance.drop_latest[aim]:
            continue
        gone = arrives + halt
        if gone + hop(drive, there, onto) > until:
            continue
        if is_possible(instance, routes, room, route, request, at, end):
            best, best_drop = added, end
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
            best, best_drop = added, JOINS
    return best, best_drop


@inner
def cheapest(
    instance: Instance, routes: Routes, room: Room, dice: Words, blink: int, request: int, is_kept: Flags
) -> tuple[int, int, int, int]:
    """The cheapest possible insertion of a request in all open routes: cost, route, visit before it and its drop.

    Each route is left out by chance, `blink` times in 65536; of vehicles at rest only the first of its type is
    looked at. The route is -1 when there is none. Of equally cheap ones it is the first.

    A position is looked at closely (`best_after`) only when a pick-up there may be in time and cost less than the
    best so far together with the cheapest drop that may be in time anywhere along the route. As in `cheapest_run`,
    arrays are taken out of their tuples once.

    What was found in a route is kept for as long as the route stays as it is, which is most of the time for most of
    them: `known` says of which version it is, what the cheapest insertion costs, or that none costs less, and where
    it is. Routes that this step has changed (`is_kept`) are neither looked up nor kept.
    """
    drive, cost, types, rates = instance.drive, instance.cost, routes.vehicle_type, instance.rate
    starts, ends, fixed_cost = instance.start, instance.end, instance.fixed_cost
    shift_earliest, shift_latest = instance.shift_earliest, instance.shift_latest
    places, wanted = instance.places, instance.load
    n_kinds, longest = wanted.shape[1], routes.place.shape[1]
    place, visits, aboard, load = routes.place, routes.visits, routes.aboard, routes.load
    leaves, late, slack, lengths = routes.leaves, routes.late, routes.slack, routes.n_visits
    is_open, begun, version, known = routes.is_open, routes.n_begun, routes.version, routes.known[request]
    aim, here = instance.destination[request], instance.pick_place[request]
    there, group, halt = instance.drop_place[aim], instance.group[aim], instance.drop_service[aim]
    opens, closes = instance.drop_earliest[aim], instance.drop_latest[aim]
    service, earliest, latest = instance.service[request], instance.earliest[request], instance.latest[request]
    best, best_route, best_at, best_drop = DEAREST, -1, -2, JOINS
    direct = hop(drive, here, there)
    if direct > instance.max_ride[request]:
        return best, best_route, best_at, best_drop
    at_rest = -1
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
        if not is_kept[route] and known[route, 0] == version[route]:
            if known[route, 1] >= best:
                continue
            if known[route, 2] != NONE_CHEAPER:
                best, best_route, best_at, best_drop = known[route, 1], route, known[route, 2], known[route, 3]
                continue
        rate, home, shift_ends = rates[kind], ends[kind], shift_latest[kind]
        # the least that a drop of its own adds after some visit, the last such visit, the last stop there already
        least, last_end, last_drop = DEAREST, -1, -1
        for end in range(n_visits):
            if visits[route, end] == -1 - aim:
                last_drop = end
            last = place[route, end]
            onto, until = home, shift_ends
            if end + 1 < n_visits:
                onto, until = place[route, end + 1], late[route, end + 1]
            arrives = leaves[route, end] + hop(drive, last, there)
            if arrives <= closes and max(arrives, opens) + halt + hop(drive, there, onto) <= until:
                last_end = end
                added = fare(cost, rate, last, there) + fare(cost, rate, there, onto) - fare(cost, rate, last, onto)
                least = min(least, added)
        for at in range(begun[route] - 1, n_visits):
            ready = leaves[route, at] if at >= 0 else shift_earliest[kind]
            if ready > closes or ready > latest:
                break
            is_shared = at >= 0 and aboard[route, at] != NOBODY
            if is_shared:
                seated = aboard[route, at] == group
                for unit in range(n_kinds):
                    seated = seated and load[route, at, unit] + wanted[request, unit] <= places[kind, unit]
                if not seated:
                    continue
            before = place[route, at] if at >= 0 else starts[kind]
            begins = max(ready + hop(drive, before, here), earliest)
            leave = begins + service
            if begins > latest or leave + direct > closes:
                continue
            after, by = home, shift_ends
            if at + 1 < n_visits:
                after, by = place[route, at + 1], late[route, at + 1]
            spent = fare(cost, rate, before, here)
            saved = fare(cost, rate, before, after) if n_visits else -fixed_cost[kind]
            further = hop(drive, before, here) + service - hop(drive, before, after)
            room_left = slack[route, at] if is_shared else FAR
            may = (
                spent + fare(cost, rate, here, there) + fare(cost, rate, there, after) - saved < best
                and max(leave + direct, opens) + halt + hop(drive, there, after) <= by
                and further + direct + halt + hop(drive, there, after) <= room_left
            )
            if not may and at + 1 < n_visits:
                between = spent + fare(cost, rate, here, after) - saved
                onward = hop(drive, here, after)
                may = (
                    ((at < last_drop and between < best) or (at < last_end and between + least < best))
                    and leave + onward <= by
                    and further + onward <= room_left
                )
            if may:
                added, drop = best_after(instance, routes, room, route, request, at, best)
                if added < best:
                    best, best_route, best_at, best_drop = added, route, at, drop
        if not is_kept[route]:
            known[route, 0], known[route, 1] = version[route], best
            known[route, 2], known[route, 3] = NONE_CHEAPER, JOINS
            if best_route == route:
                known[route, 2], known[route, 3] = best_at, best_drop
    return best, best_route, best_at, best_drop
