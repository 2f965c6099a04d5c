"""Journey: what one traveller does, door to door, made of legs.

Stops and trips are indexes into the Timetable that was searched; instants are UTC seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from routing.journeys.feeder import Feeder
from routing.journeys.query import Place
from socle.geo import LatLon


@dataclass(frozen=True, slots=True)
class Call:
    """A vehicle at a stop. The first call of a trip has no arrival, its last no departure.

    `pickup` and `drop_off` as in GTFS: 0 regular, 1 none, 2 phone the agency, 3 ask the driver.
    """

    stop: int
    arrival: int | None
    departure: int | None
    pickup: int = 0
    drop_off: int = 0


@dataclass(frozen=True, slots=True)
class TransitLeg:
    """A ride on one trip: `calls` from boarding to alighting, all stops between included.

    `first_call` and `last_call` are positions in the trip's calls. `stay_seated`: the vehicle
    is the previous leg's (block or in-seat transfer), so no change is counted.
    """

    trip: int
    service_day: date
    calls: tuple[Call, ...]
    first_call: int
    stay_seated: bool = False

    @property
    def last_call(self) -> int:
        """Position of the alighting in the trip's calls."""
        return self.first_call + len(self.calls) - 1

    @property
    def departure(self) -> int:
        """Instant of boarding."""
        departure = self.calls[0].departure
        if departure is None:
            raise ValueError("a ride begins with a departure")
        return departure

    @property
    def arrival(self) -> int:
        """Instant of alighting."""
        arrival = self.calls[-1].arrival
        if arrival is None:
            raise ValueError("a ride ends with an arrival")
        return arrival


@dataclass(frozen=True, slots=True)
class WalkLeg:
    """A walk: access, egress, between two vehicles, or the whole way.

    Between two vehicles the walk starts on alighting, and waiting comes after it.
    """

    origin: Place
    destination: Place
    departure: int
    arrival: int
    distance_m: int
    path: tuple[LatLon, ...]


@dataclass(frozen=True, slots=True)
class FeederLeg:
    """A ride on a feeder between two of its stops, by position.

    It begins when one is at the stop: the wait to expect, `wait_s`, is part of it.
    """

    feeder: Feeder
    first: int
    last: int
    head: int  # see `feeder`
    wait_s: int

    @property
    def departure(self) -> int:
        """When to be at the stop."""
        return self.head + self.feeder.drive_s[self.first]

    @property
    def boarding(self) -> int:
        """When one is expected to be driven off."""
        return self.departure + self.wait_s

    @property
    def arrival(self) -> int:
        """When one is expected to get out."""
        return self.head + self.wait_s + self.feeder.drive_s[self.last]

    @property
    def distance_m(self) -> int:
        """Metres driven."""
        return self.feeder.drive_m[self.last] - self.feeder.drive_m[self.first]

    @property
    def path(self) -> tuple[LatLon, ...]:
        """The way to draw."""
        return self.feeder.path_between(self.first, self.last)


Leg = TransitLeg | WalkLeg | FeederLeg


def is_seated(leg: Leg) -> bool:
    """Whether one is in the vehicle of the leg before."""
    return isinstance(leg, TransitLeg) and leg.stay_seated


@dataclass(frozen=True, slots=True)
class Journey:
    """The legs, in the order they are travelled; never empty."""

    legs: tuple[Leg, ...]

    @property
    def departure(self) -> int:
        """Instant of leaving."""
        return self.legs[0].departure

    @property
    def arrival(self) -> int:
        """Instant of arriving."""
        return self.legs[-1].arrival

    @property
    def n_vehicles(self) -> int:
        """How many vehicles are boarded."""
        return sum(not isinstance(leg, WalkLeg) and not is_seated(leg) for leg in self.legs)

    @property
    def is_timetabled(self) -> bool:
        """Whether every vehicle is a timetabled one."""
        return not any(isinstance(leg, FeederLeg) for leg in self.legs)

    @property
    def n_changes(self) -> int:
        """Vehicles minus one, at least 0."""
        return max(0, self.n_vehicles - 1)

    @property
    def walk_s(self) -> int:
        """Seconds on foot."""
        return sum(leg.arrival - leg.departure for leg in self.legs if isinstance(leg, WalkLeg))


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer to one query.

    `journeys` is the Pareto set ordered by departure, arrival, changes. `direct` is the walk
    without any vehicle, when it is short enough. `searched` is the interval of departures
    (arrivals with `arrive_by`) that was searched: what comes before its first instant or from
    its second on is another page.
    """

    journeys: tuple[Journey, ...]
    direct: Journey | None
    searched: tuple[int, int]
