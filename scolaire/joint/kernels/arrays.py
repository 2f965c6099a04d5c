"""Arrays: what the kernels of the joint choice read and write, and what maps to what.

Pupils who reach the same stops are one group. Place 0 of the table of driving is the school, place 1 + s is stop s.
"""

from __future__ import annotations

from typing import NamedTuple

from fleet.kernels.arrays import Flags, Ints, Longs, Words


class Country(NamedTuple):
    """The problem, unchanged by the search."""

    drive: Longs  # [1 + n_stops, 1 + n_stops], what driving costs
    near: Ints  # [n_stops, n_stops], stops by the way there and back, itself first
    seats: int  # of each coach
    # group ->
    size: Ints  # pupils
    reach: Flags  # [n_groups, n_stops]
    # stop ->
    captive: Ints  # pupils who reach no other stop
    # stop -> its groups: group_of[first_group[s]:first_group[s + 1]]
    first_group: Ints  # [n_stops + 1]
    group_of: Ints


class Routes(NamedTuple):
    """The plan at hand: one row for each coach that may be used."""

    visits: Ints  # [n_routes, n_stops]
    n_visits: Ints
    load: Ints  # route -> pupils seated
    bound: Ints  # route -> pupils who reach no stop but one of its stops
    route_of: Ints  # stop -> its route, -1 when it is closed
    seated: Ints  # [n_groups, n_routes], how many of the group board it
    touches: Ints  # [n_groups, n_routes], at how many of its stops they could
    standing: Ints  # group -> pupils without a seat


class Room(NamedTuple):
    """Scratch, and what a step may have to take back."""

    dice: Words  # [1], the state of the numbers drawn
    queue: Ints  # [n_routes], routes that a search for a seat came to
    came_from: Ints  # route -> the route before it on that way, -1 for the first
    came_by: Ints  # route -> the group that would change to it
    order: Ints  # [n_stops]
    gone: Ints  # [n_stops]
    kept: Routes  # as they were before the step
    best_visits: Ints
    best_n_visits: Ints
    best: Longs  # pupils without a seat, cost
