"""Seats: stops put into routes and taken out, and everybody seated who can be, by ways that alternate.

A pupil who finds all coaches full that stop within reach may still be seated when somebody aboard can change to
another coach, and so on to one with a free seat: an augmenting path between groups and routes. When there is none,
the coaches that were come to are those that hold more pupils than seats whatever one does.
"""

from __future__ import annotations

from fleet.kernels.schedule import inner
from scolaire.joint.kernels.arrays import Country, Room, Routes


@inner
def open_stop(country: Country, routes: Routes, stop: int, route: int, at: int) -> None:
    """Put a closed stop into a route as its visit number `at`."""
    visits = routes.visits
    for to in range(routes.n_visits[route], at, -1):
        visits[route, to] = visits[route, to - 1]
    visits[route, at] = stop
    routes.n_visits[route] += 1
    routes.route_of[stop] = route
    routes.bound[route] += country.captive[stop]
    for index in range(country.first_group[stop], country.first_group[stop + 1]):
        routes.touches[country.group_of[index], route] += 1


@inner
def close_stop(country: Country, routes: Routes, stop: int) -> int:
    """Take a stop out of its route; who can no longer board there stands. Which visit it was."""
    route, visits = routes.route_of[stop], routes.visits
    at = 0
    while visits[route, at] != stop:
        at += 1
    routes.n_visits[route] -= 1
    for to in range(at, routes.n_visits[route]):
        visits[route, to] = visits[route, to + 1]
    routes.route_of[stop] = -1
    routes.bound[route] -= country.captive[stop]
    for index in range(country.first_group[stop], country.first_group[stop + 1]):
        group = country.group_of[index]
        routes.touches[group, route] -= 1
        if routes.touches[group, route] == 0:
            n_up = routes.seated[group, route]
            routes.seated[group, route] = 0
            routes.load[route] -= n_up
            routes.standing[group] += n_up
    return at


@inner
def find_seat(country: Country, routes: Routes, room: Room, group: int) -> tuple[int, int]:
    """The route with a free seat that somebody of the group can be seated by, -1 when there is none; routes come to."""
    queue, came_from, came_by = room.queue, room.came_from, room.came_by
    seated, touches, load = routes.seated, routes.touches, routes.load
    n_routes = len(load)
    n_queued = 0
    for route in range(n_routes):
        came_by[route] = -1
        if touches[group, route] > 0:
            came_by[route], came_from[route] = group, -1
            if load[route] < country.seats:
                return route, 0
            queue[n_queued] = route
            n_queued += 1
    at = 0
    while at < n_queued:
        full = queue[at]
        at += 1
        for other in range(len(country.size)):
            if seated[other, full] == 0:
                continue
            for route in range(n_routes):
                if came_by[route] < 0 and touches[other, route] > 0:
                    came_by[route], came_from[route] = other, full
                    if load[route] < country.seats:
                        return route, n_queued
                    queue[n_queued] = route
                    n_queued += 1
    return -1, n_queued


@inner
def seat_group(country: Country, routes: Routes, room: Room, group: int) -> int:
    """Seat whoever stands of a group, as far as can be; routes come to when somebody cannot, 0 otherwise."""
    seated, came_from, came_by = routes.seated, room.came_from, room.came_by
    while routes.standing[group] > 0:
        route, n_seen = find_seat(country, routes, room, group)
        if route < 0:
            return n_seen
        n_up = min(routes.standing[group], country.seats - routes.load[route])
        to = route
        while came_from[to] >= 0:
            n_up = min(n_up, seated[came_by[to], came_from[to]])
            to = came_from[to]
        routes.load[route] += n_up
        to = route
        while True:
            seated[came_by[to], to] += n_up
            if came_from[to] < 0:
                break
            seated[came_by[to], came_from[to]] -= n_up
            to = came_from[to]
        routes.standing[group] -= n_up
    return 0


@inner
def seat_all(country: Country, routes: Routes, room: Room) -> int:
    """Seat everybody who can be; how many stand all the same."""
    n_standing = 0
    for group in range(len(country.size)):
        if routes.standing[group] > 0:
            seat_group(country, routes, room, group)
            n_standing += routes.standing[group]
    return n_standing
