"""Offers: where and when a driver goes with free seats, what a passenger wishes, and what is taken already.

A driver goes along a carpool line and stops at its stops only (many halts, no detour), or between two
places of their own and comes for passengers within the detour they accept (two halts). Who leaves every
week leaves by the clock on the wall: where the clock skips that hour it is the same hour of winter time,
where it comes twice it is the first. From the departure on everything is counted in seconds, so that
midnight and clock changes on the way need no rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise

from socle.errors import BadInput
from socle.geo import LatLon
from socle.times import PARIS, local_day

MOST_SEATS = 8  # beside the driver: a vehicle of nine places is the largest that one drives with a car licence
MOST_HALTS = 200
LONGEST_S = 12 * 3600
MOST_DETOUR_S = 3600
MOST_DETOUR_M = 50_000
MOST_WALK_M = 5_000
MOST_TOLERANCE_S = 6 * 3600
KEPT_S = 300  # how much later than promised a passenger may be met, when somebody else is taken along
WALK_M_S = 1.2


@dataclass(frozen=True, slots=True)
class Halt:
    """A place that the driver passes: seconds after the departure, metres from its beginning; `stop_id` on a line."""

    name: str
    at: LatLon
    after_s: int
    along_m: int
    stop_id: str = ""


@dataclass(frozen=True, slots=True)
class Weekly:
    """On these weekdays (Monday is 0) at this hour on the wall, from the first to the last day, but not on some."""

    weekdays: frozenset[int]
    clock: time
    first: date
    last: date | None = None
    but_not: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not self.weekdays or not self.weekdays <= set(range(7)):
            raise BadInput("no_weekday")
        if self.last is not None and self.last < self.first:
            raise BadInput("ends_before_first_day")

    def is_on(self, day: date) -> bool:
        """Whether the driver leaves on that day."""
        within = self.first <= day and (self.last is None or day <= self.last)
        return within and day.weekday() in self.weekdays and day not in self.but_not


@dataclass(frozen=True, slots=True)
class Offer:
    """Free seats from the first halt to the last; `leaves` once at an instant, or weekly.

    `at_once`: whoever books is taken without being asked for; the driver of a line says « je pars maintenant ».

    Raises:
        BadInput: `bad_seats`; `bad_halts`; `bad_detour`; `bad_price`; `no_weekday`; `ends_before_first_day`.
    """

    offer_id: str
    driver: str
    halts: tuple[Halt, ...]
    leaves: int | Weekly
    seats: int
    detour_s: int = 0
    detour_m: int = 0
    price_cents: int = 0  # per seat, whatever the length of the ride
    line_id: str = ""
    at_once: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.seats <= MOST_SEATS:
            raise BadInput("bad_seats", most=MOST_SEATS)
        steps = list(pairwise(self.halts))
        is_way = all(one.after_s < other.after_s and one.along_m < other.along_m for one, other in steps)
        begins = bool(steps) and self.halts[0].after_s == 0 and self.halts[0].along_m == 0
        if not begins or not is_way or len(self.halts) > MOST_HALTS or self.halts[-1].after_s > LONGEST_S:
            raise BadInput("bad_halts", most=MOST_HALTS, hours=LONGEST_S // 3600)
        if not 0 <= self.detour_s <= MOST_DETOUR_S or not 0 <= self.detour_m <= MOST_DETOUR_M:
            raise BadInput("bad_detour", minutes=MOST_DETOUR_S // 60, km=MOST_DETOUR_M // 1000)
        if self.takes_detours and len(self.halts) > 2:
            raise BadInput("bad_detour", minutes=MOST_DETOUR_S // 60, km=MOST_DETOUR_M // 1000)
        if self.price_cents < 0:
            raise BadInput("bad_price")

    @property
    def takes_detours(self) -> bool:
        """Whether the driver comes for passengers."""
        return self.detour_s > 0 and self.detour_m > 0

    @property
    def length_s(self) -> int:
        """Seconds from the first halt to the last."""
        return self.halts[-1].after_s

    @property
    def length_m(self) -> int:
        """Metres from the first halt to the last."""
        return self.halts[-1].along_m

    def find_leaving(self, day: date) -> int | None:
        """The instant at which the driver leaves on a day, if they do."""
        if isinstance(self.leaves, Weekly):
            return leaving_at(day, self.leaves.clock) if self.leaves.is_on(day) else None
        return self.leaves if local_day(self.leaves) == day else None

    def list_days(self, first: date, last: date) -> Iterator[date]:
        """The days between these two, both included, on which the driver leaves."""
        for n in range((last - first).days + 1):
            day = first + timedelta(days=n)
            if self.find_leaving(day) is not None:
                yield day

    @property
    def ends_at(self) -> int | None:
        """The instant after which nothing of the offer is left; None without a last day."""
        if not isinstance(self.leaves, Weekly):
            return self.leaves + self.length_s + self.detour_s
        if self.leaves.last is None:
            return None
        return leaving_at(self.leaves.last, self.leaves.clock) + self.length_s + self.detour_s


@lru_cache(maxsize=20_000)
def leaving_at(day: date, clock: time) -> int:
    """The instant of an hour on the wall."""
    return int(datetime.combine(day, clock, PARIS).timestamp())


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where and when somebody is met or left: at a halt that one walks to, or (-1) where the driver comes to."""

    at: LatLon
    instant: int
    halt: int = -1
    walk_m: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """Seats of an outing that are held; `promised`: the instants of board and alight as they were first told."""

    key: str
    seats: int
    board: Meeting
    alight: Meeting
    promised: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a passenger looks for: to leave (or arrive) around an instant, give or take the tolerance.

    Nothing is found that leaves before `not_before`, nor what `passenger` drives.

    Raises:
        BadInput: `bad_seats`; `bad_tolerance`; `bad_walk`.
    """

    origin: LatLon
    destination: LatLon
    at: int
    arrive_by: bool = False
    tolerance_s: int = 3600
    seats: int = 1
    walk_m: int = 1_000
    not_before: int = 0
    passenger: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.seats <= MOST_SEATS:
            raise BadInput("bad_seats", most=MOST_SEATS)
        if not 0 <= self.tolerance_s <= MOST_TOLERANCE_S:
            raise BadInput("bad_tolerance", hours=MOST_TOLERANCE_S // 3600)
        if not 0 <= self.walk_m <= MOST_WALK_M:
            raise BadInput("bad_walk", km=MOST_WALK_M // 1000)


@dataclass(frozen=True, slots=True)
class Match:
    """A way to go along: whom with, where one is met and left, and what it costs the driver.

    `moved`: those who are taken along already and are met later by it: key → instants of board and alight.
    """

    offer: Offer
    day: date
    leave_at: int
    board: Meeting
    alight: Meeting
    detour_s: int
    detour_m: int
    ride_m: int
    n_free: int  # seats, on the fullest stretch of the ride
    moved: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def rank(self, wish: Wish) -> tuple[int, int, int, str, date, int, int, int, int]:
        """Least first: seconds off the wished time, on board and of detour, those on foot counted twice.

        Planners of journeys count a walk twice as well; the driver's detour counts because somebody is asked for it.
        Of two ways that cost the same, the one that keeps more seats free: whoever gets out there does so first.
        """
        met = self.alight.instant if wish.arrive_by else self.board.instant
        walk_s = round((self.board.walk_m + self.alight.walk_m) / WALK_M_S)
        aboard_s = self.alight.instant - self.board.instant
        effort_s = abs(met - wish.at) + aboard_s + self.detour_s + 2 * walk_s
        where = (self.board.halt, self.alight.halt, self.alight.instant, -self.n_free)
        return effort_s, walk_s, self.board.instant, self.offer.offer_id, self.day, *where
