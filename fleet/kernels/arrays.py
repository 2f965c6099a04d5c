"""Arrays: what the kernels read and write, and what maps to what.

A visit is coded as one number: `request` when it is a pick-up, `-1 - destination` when it drops. Where a
shape has a depot that is not given, its place is -1 and driving there takes and costs nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Flags = NDArray[np.uint8]
Words = NDArray[np.uint64]

FAR = 1 << 44  # no drive takes as long: stands for "there is no way"
NOWHERE = -1
NOBODY = -1


class Instance(NamedTuple):
    """The problem, unchanged by the search."""

    # request ->
    pick_place: Ints
    destination: Ints
    load: Ints  # [n_requests, n_kinds]
    service: Longs
    earliest: Longs
    latest: Longs
    max_ride: Longs
    is_fixed: Flags  # stays in its route
    near: Ints  # [n_requests, n_near], the requests picked up nearest, itself first
    # destination ->
    drop_place: Ints
    drop_service: Longs
    drop_earliest: Longs
    drop_latest: Longs
    group: Ints
    # vehicle type ->
    places: Ints  # [n_types, n_kinds]
    start: Ints
    end: Ints
    shift_earliest: Longs
    shift_latest: Longs
    max_duration: Longs
    fixed_cost: Longs
    rate: Ints
    # place, place ->
    drive: Ints
    cost: Ints  # [n_rates, n_places, n_places]


class Routes(NamedTuple):
    """The plan at hand: one row for each vehicle that may be used; `n_visits` 0 is a vehicle at rest."""

    # route ->
    visits: Ints  # [n_routes, longest]
    n_visits: Ints
    vehicle_type: Ints
    n_begun: Ints  # visits that nothing may come before
    is_open: Flags  # may be used and changed
    cost: Longs
    # route, visit -> (of what the visits say, made by `refresh`)
    place: Ints
    destination: Ints  # where the request goes; where everybody gets off
    dropped_at: Ints  # the visit that ends it: its own index for a drop
    aboard: Ints  # group aboard after it, NOBODY when empty
    load: Ints  # [n_routes, longest, n_kinds], taken after it
    leaves: Longs  # earliest end of its service
    late: Longs  # latest beginning, by windows alone
    along: Longs  # beginning, if one drove on without ever waiting
    slack: Longs  # how much longer the drive to the next may be for the rides of those aboard
    version: Ints  # how often it was changed for good
    # request ->
    route_of: Ints  # -1 when nobody carries it
    # request, route ->
    known: Longs  # [n_requests, n_routes, 4], the cheapest insertion as last looked at, see `insertion.cheapest`


class Room(NamedTuple):
    """Scratch: what a kernel needs while it runs and nobody reads afterwards."""

    visits: Ints  # [longest + 2], a route as it might become
    dropped_at: Ints  # [longest + 2]
    # visit of a route as it might become -> [longest + 2]
    begins: Longs  # the least time at which it may begin
    steps: Longs  # from the beginning of the visit before it to its own; the first: from leaving the depot
    until: Longs  # the latest time by its window
    limits: Longs  # of a pick-up: until its drop begins; of a drop FAR
    next_drop: Ints  # [n_destinations], -1 between uses
