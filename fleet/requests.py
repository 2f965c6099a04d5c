"""Requests: who must be carried, by what vehicles, and the plan that does it.

Times are whole numbers of one unit that the caller chooses for the whole problem: seconds, unless a
published instance needs finer ones to be exact. Nothing is ever rounded here, so that a plan is right or
wrong on every machine alike. Places are rows of the matrices.

A vehicle picks up request by request and drops at a destination everybody aboard who goes there: a school
is a destination of many requests, a booked trip has a destination of its own. Only destinations of one
`group` share a vehicle at the same time, so mixed load is one group for all, single load a group for each,
and a cluster of village schools a group of its own in between.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

NO_LIMIT: Final = 1 << 40
"""Later, longer and dearer than anything planned; the sum of a few is still an int64."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where requests are dropped: the vehicle begins there within the window and leaves `service` later."""

    place: int
    earliest: int = -NO_LIMIT
    latest: int = NO_LIMIT
    service: int = 0
    group: int = 0  # only destinations of one group are aboard together

    def __post_init__(self) -> None:
        if self.earliest > self.latest or self.service < 0:
            raise ValueError("a destination opens before it closes")


@dataclass(frozen=True, slots=True)
class Request:
    """Some people at one place who go to one destination, together.

    `load` counts the places of each kind that they take (seats, wheelchair places). Their ride is from the
    end of the service at the pick-up to its beginning at the destination, waiting included.
    """

    place: int
    destination: int  # index of a Destination
    load: tuple[int, ...]
    service: int = 0
    earliest: int = -NO_LIMIT
    latest: int = NO_LIMIT
    max_ride: int = NO_LIMIT

    def __post_init__(self) -> None:
        if self.earliest > self.latest or self.service < 0 or self.max_ride < 0:
            raise ValueError("a request opens before it closes")
        if any(places < 0 for places in self.load):
            raise ValueError("nobody takes less than no place")


@dataclass(frozen=True, slots=True)
class Depot:
    """Where vehicles stand; None in a VehicleType: they start or end wherever their work does, at no cost."""

    place: int


@dataclass(frozen=True, slots=True)
class VehicleType:
    """`count` vehicles alike: places of each kind, where and when they work, what each costs once used."""

    places: tuple[int, ...]
    count: int
    start: Depot | None = None
    end: Depot | None = None
    earliest: int = -NO_LIMIT
    latest: int = NO_LIMIT
    max_duration: int = NO_LIMIT  # from leaving the start to reaching the end
    fixed_cost: int = 0
    rate: int = 0  # which table of driving costs is theirs

    def __post_init__(self) -> None:
        if self.count < 0 or self.fixed_cost < 0 or self.earliest > self.latest:
            raise ValueError("a vehicle type has vehicles, costs and a day")


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Everything that is asked: requests, destinations, vehicles, and the tables of driving."""

    requests: tuple[Request, ...]
    destinations: tuple[Destination, ...]
    vehicle_types: tuple[VehicleType, ...]
    drive: NDArray[np.int32]  # [n_places, n_places], time; socle.matrix.NEVER where there is no way
    cost: NDArray[np.int32]  # [n_rates, n_places, n_places], what driving costs by rate

    def __post_init__(self) -> None:
        n_places = len(self.drive)
        if self.drive.shape != (n_places, n_places) or self.cost.shape[1:] != (n_places, n_places):
            raise ValueError("drive and cost are square tables of the same places")
        if self.drive.dtype != np.int32 or self.cost.dtype != np.int32 or (self.drive.size and self.drive.min() < 0):
            raise ValueError("nobody arrives before leaving")
        if not self.vehicle_types:
            raise ValueError("somebody must drive")
        kinds = {len(each.load) for each in self.requests} | {len(each.places) for each in self.vehicle_types}
        if len(kinds) != 1:
            raise ValueError("loads and places count the same kinds")
        places = [each.place for each in self.requests] + [each.place for each in self.destinations]
        places += [each.start.place for each in self.vehicle_types if each.start]
        places += [each.end.place for each in self.vehicle_types if each.end]
        if any(not 0 <= place < n_places for place in places):
            raise ValueError("every place is a row of the tables")
        if any(not 0 <= each.destination < len(self.destinations) for each in self.requests):
            raise ValueError("every request has a destination")
        if any(not 0 <= each.rate < len(self.cost) for each in self.vehicle_types):
            raise ValueError("every rate has a table")


@dataclass(frozen=True, slots=True)
class PickUp:
    """A vehicle takes one request aboard, its service beginning at `begins`."""

    request: int
    begins: int


@dataclass(frozen=True, slots=True)
class DropOff:
    """A vehicle sets everybody aboard for one destination down, beginning at `begins`."""

    destination: int
    begins: int


Visit = PickUp | DropOff


@dataclass(frozen=True, slots=True)
class Route:
    """What one vehicle does: its visits in order, at least one."""

    vehicle_type: int
    visits: tuple[Visit, ...]

    def __post_init__(self) -> None:
        if not self.visits:
            raise ValueError("a vehicle that goes nowhere has no route")

    @property
    def requests(self) -> tuple[int, ...]:
        """The requests taken aboard, in order."""
        return tuple(visit.request for visit in self.visits if isinstance(visit, PickUp))


@dataclass(frozen=True, slots=True)
class Plan:
    """Routes, and the requests that nobody carries."""

    routes: tuple[Route, ...]
    unserved: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Locks:
    """What a search that starts from a plan may not change.

    `routes` stay as they are, all of them; `requests` stay in their route, in the order they have there, while
    others may come between; nothing comes before the first `begun[route]` visits of a route, which have begun.
    """

    routes: frozenset[int] = frozenset()
    requests: frozenset[int] = frozenset()
    begun: dict[int, int] = field(default_factory=dict)
