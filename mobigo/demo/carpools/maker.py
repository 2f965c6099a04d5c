"""Makes carpools with the evidence that phones give of them, on lines with stops; everything follows from the seed.

Phones see places some metres off, now and then by kilometres; they die, have wrong clocks, or are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from math import cos, pi, radians, sin
from random import Random
from typing import Any

from covoiturage.carpool import Carpool, Evidence, Kind, Ride, Side
from covoiturage.fraud.labels import Known, Person, Way
from socle.geo import LatLon
from socle.times import PARIS

ROAD_KMH = 55
# How often phones go wrong.
LEAP_PER_FIX = 0.004  # a place off by half a kilometre to five
DEAD_PHONE_PER_RIDE = 0.02
LATE_SCAN_PER_RIDE = 0.01
WRONG_CLOCK_PER_PERSON = 0.002
DECLARED_LATE_PER_CARPOOL = 0.03
_METRES_PER_DEGREE = 111_195
SHARES = (0.0, 0.3, 0.7, 1.0)  # of the ride, at which a phone tells where it is


@dataclass(frozen=True)
class Road:
    """A line as cars drive it: its stops, and the metres of each from the first."""

    line_id: str
    stops: tuple[LatLon, ...]
    metres: tuple[int, ...]

    @property
    def last(self) -> int:
        """The last stop."""
        return len(self.stops) - 1


@dataclass
class Traveller:
    """Somebody with a phone, or with none; `home` and `work` are stops of their line."""

    name: str
    line: int
    home: int
    work: int
    device: str
    noise_m: float
    clock_off_s: float = 0.0
    has_phone: bool = True


@dataclass
class Maker:
    """Makes people and carpools on `roads`, on `n_days` from `first_day` on, and keeps what is known of them.

    Names and ids begin with `prefix`; phones tell where they are at `shares` of each ride.
    """

    draw: Random
    roads: Sequence[Road]
    first_day: date
    n_days: int
    prefix: str = ""
    shares: tuple[float, ...] = SHARES
    carpools: list[Carpool] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    ways: dict[str, Way] = field(default_factory=dict)
    declared_at: dict[str, datetime] = field(default_factory=dict)
    busy: set[tuple[str, int, bool]] = field(default_factory=set)  # person, day, morning
    n_carpools: int = 0

    @property
    def known(self) -> Known:
        """What is known beside the carpools."""
        return Known(self.people, self.ways, self.declared_at)

    def traveller(self, line: int | None = None, *, has_phone: bool = True) -> Traveller:
        """A new person who lives and works on a line."""
        draw, name = self.draw, f"{self.prefix}p{len(self.people) + 1:06d}"
        on = draw.randrange(len(self.roads)) if line is None else line
        home, work = draw.sample(range(len(self.roads[on].stops)), 2)
        clock = draw.uniform(-1_500, 150) if draw.random() < WRONG_CLOCK_PER_PERSON else 0.0
        one = Traveller(name, on, home, work, f"device-{name}", draw.choice([4, 6, 6, 12, 25]), clock, has_phone)
        self.know(one, Person(f"id-{name}", f"tel-{name}", one.device if has_phone else None))
        return one

    def know(self, one: Traveller, person: Person) -> None:
        """Have `person` known of somebody."""
        self.people[one.name] = person

    def person(self, one: Traveller) -> Person:
        """What is known of somebody."""
        return self.people[one.name]

    def is_free(self, one: Traveller, day: int, hour: float) -> bool:
        """Whether somebody has no ride on that half of the day yet; from now on they have."""
        half = (one.name, day, hour < 12)
        if half in self.busy:
            return False
        self.busy.add(half)
        return True

    def drive(
        self,
        driver: Traveller,
        passengers: Sequence[Traveller],
        at: datetime,
        ends: tuple[int, int],
        *,
        whole_way: bool = False,
    ) -> Carpool:
        """A carpool between two stops of the driver's line; passengers ride their part of it or the whole way."""
        carpool_id = self.new_id()
        road = self.roads[driver.line]
        metres = abs(road.metres[ends[1]] - road.metres[ends[0]])
        seconds = round(metres / (ROAD_KMH / 3.6) * self.draw.lognormvariate(0, 0.12))
        finish = at + timedelta(seconds=seconds)
        rides = []
        for number, passenger in enumerate(passengers):
            board, alight = ends if whole_way else _part(passenger, ends)
            board_at, alight_at = (
                at + timedelta(seconds=round(seconds * _share(road, ends, stop))) for stop in (board, alight)
            )
            start, end = road.stops[board], road.stops[alight]
            ridden_m = abs(road.metres[alight] - road.metres[board])
            ride = Ride(f"{carpool_id}-{number}", passenger.name, 1, board_at, alight_at, ridden_m)
            self.ways[ride.id] = Way(start, end, ridden_m, round(ridden_m / (ROAD_KMH / 3.6)))
            rides.append(replace(ride, evidence=self.evidence(driver, passenger, (start, end), ride)))
        late = self.draw.random() < DECLARED_LATE_PER_CARPOOL
        wait = timedelta(hours=self.draw.uniform(1, 23)) if late else timedelta(minutes=self.draw.uniform(1, 30))
        told = max((one.at for ride in rides for one in ride.evidence), default=finish)
        self.declared_at[carpool_id] = max(told, finish) + wait
        return self.add(Carpool(carpool_id, driver.name, at, finish, tuple(rides), road.line_id, None, metres))

    def new_id(self) -> str:
        """An id for the next carpool."""
        self.n_carpools += 1
        return f"{self.prefix}c{self.n_carpools:07d}"

    def add(self, carpool: Carpool) -> Carpool:
        """Keep a carpool."""
        self.carpools.append(carpool)
        return carpool

    def change(self, carpool: Carpool, **about: Any) -> Carpool:
        """Replace a carpool by one that differs."""
        place = self.carpools.index(carpool)
        self.carpools[place] = replace(carpool, **about)
        return self.carpools[place]

    def stop_at(self, line: int, stop: int) -> LatLon:
        """A stop of a line."""
        return self.roads[line].stops[stop]

    def last_stop(self, line: int) -> int:
        """The last stop of a line."""
        return self.roads[line].last

    def local(self, day: int, hour: float) -> datetime:
        """An hour on the clock of a day."""
        seconds = round(min(23.9, max(0.0, hour)) * 3600)
        on_the_wall = time(seconds // 3600, seconds // 60 % 60, seconds % 60)
        return datetime.combine(self.first_day + timedelta(days=day), on_the_wall, PARIS).astimezone(UTC)

    def workdays(self) -> list[int]:
        """The days from Monday to Friday."""
        return [day for day in range(self.n_days) if (self.first_day + timedelta(days=day)).weekday() < 5]

    def sundays(self) -> list[int]:
        """The Sundays."""
        return [day for day in range(self.n_days) if (self.first_day + timedelta(days=day)).weekday() == 6]

    def evidence(
        self, driver: Traveller, passenger: Traveller, way: tuple[LatLon, LatLon], ride: Ride
    ) -> tuple[Evidence, ...]:
        """What the phones of two tell of a ride: codes at both ends, where they are on the way."""
        draw = self.draw
        dead_from = draw.uniform(0.1, 0.9) if draw.random() < DEAD_PHONE_PER_RIDE else 2.0
        late_s = draw.uniform(60, 1_200) if draw.random() < LATE_SCAN_PER_RIDE else 0.0
        found = []
        for share in self.shares:
            side = Side.BOARD if share < 0.5 else Side.ALIGHT
            instant = ride.board_at + (ride.alight_at - ride.board_at) * share
            at_end = share in {0.0, 1.0}
            if share <= dead_from and (at_end or passenger.has_phone):
                late = late_s if share == 1.0 else 0.0
                place = moved(between(way, share), late / 2, draw.uniform(0, 2 * pi))  # they walk on meanwhile
                kind = Kind.POSITION if not at_end else Kind.QR if passenger.has_phone else Kind.SMS
                found.append(self.tell(kind, side, passenger, instant + timedelta(seconds=late), place))
            # Phones do not look at the same second.
            off = draw.uniform(0, 20) * (-1 if share else 1)
            along = share + off / max(60.0, (ride.alight_at - ride.board_at).total_seconds())
            place = between(way, along)
            found.append(self.tell(Kind.POSITION, side, driver, instant + timedelta(seconds=off), place))
        return tuple(found)

    def tell(self, kind: Kind, side: Side, who: Traveller, instant: datetime, place: LatLon) -> Evidence:
        """One thing that somebody's phone tells; a code by SMS tells no place."""
        at = instant + timedelta(seconds=round(who.clock_off_s))
        if not who.has_phone:
            return Evidence(kind, side, who.name, at)
        return Evidence(kind, side, who.name, at, who.device, self.seen(who, place))

    def seen(self, who: Traveller, place: LatLon) -> LatLon:
        """Where a phone believes to be."""
        if self.draw.random() < LEAP_PER_FIX:
            return moved(place, self.draw.uniform(500, 5_000), self.draw.uniform(0, 2 * pi))
        return moved(place, abs(self.draw.gauss(0, who.noise_m)), self.draw.uniform(0, 2 * pi))


def between(way: tuple[LatLon, LatLon], share: float) -> LatLon:
    """A place on the way."""
    start, end = way
    return LatLon(start.lat + (end.lat - start.lat) * share, start.lon + (end.lon - start.lon) * share)


def moved(place: LatLon, metres: float, angle: float) -> LatLon:
    """A place `metres` away, as phones write it: six decimals."""
    north, east = metres * cos(angle), metres * sin(angle)
    lon = place.lon + east / (_METRES_PER_DEGREE * cos(radians(place.lat)))
    return LatLon(round(place.lat + north / _METRES_PER_DEGREE, 6), round(lon, 6))


def _share(road: Road, ends: tuple[int, int], stop: int) -> float:
    """How much of the way between two stops is behind a car that is at a third one."""
    begin, end = road.metres[ends[0]], road.metres[ends[1]]
    return (road.metres[stop] - begin) / (end - begin)


def _part(passenger: Traveller, ends: tuple[int, int]) -> tuple[int, int]:
    """The stops between which a passenger rides with a car that goes from end to end."""
    low, high = min(ends), max(ends)
    first, last = sorted(min(high, max(low, stop)) for stop in (passenger.home, passenger.work))
    if first == last:
        return ends
    return (first, last) if ends[0] < ends[1] else (last, first)
