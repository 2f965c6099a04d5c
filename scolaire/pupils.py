"""Pupils: who goes to school from which home on which days, the schools, the stops, the kinds of vehicles.

Days are bits, Monday the lowest. Times are seconds after midnight on the wall clock of the school, money is whole
cents. A pupil has a home for each guardian who has the child on days of its own (shared custody), so that two homes
never share a day. Ids are those of the office's files; outside the store they are pseudonyms.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from socle.geo import LatLon

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEDNESDAY: Final = 1 << 2
FRIDAY: Final = 1 << 4
SATURDAY: Final = 1 << 5
FULL_DAYS: Final = 0b0011011  # Monday, Tuesday, Thursday, Friday
SCHOOL_WEEK: Final = FULL_DAYS | WEDNESDAY
MAX_HOMES: Final = 2
WAIT_MIN_S: Final = 5 * 60  # nobody is out of class and aboard sooner
WAIT_MAX_S: Final = 30 * 60


class Level(StrEnum):
    """What a pupil attends; rule books and ride limits speak of it."""

    NURSERY = "nursery"
    PRIMARY = "primary"
    COLLEGE = "college"
    LYCEE = "lycee"
    APPRENTICE = "apprentice"
    STUDENT = "student"


class Regime(StrEnum):
    """How a pupil spends the day: a boarder travels at the ends of the week only."""

    DAY = "day"
    HALF_BOARD = "half_board"
    BOARDER = "boarder"


class SchoolStatus(StrEnum):
    """Who answers for a school: the State, the State by contract, or nobody."""

    PUBLIC = "public"
    CONTRACT = "contract"
    PRIVATE = "private"


class StopStatus(StrEnum):
    """Where a stop stands; coaches use the validated ones only."""

    REQUESTED = "requested"
    VALIDATED = "validated"
    REFUSED = "refused"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Home:
    """Where a pupil lives on `days`, and the stop the family asked for, when it did."""

    position: LatLon | None  # None: the address was not found; the stop that is asked for may do
    days: int
    stop_id: str | None = None
    commune: str = ""  # INSEE code
    road_m: int | None = None  # to the school, when somebody measured it
    guardian: str | None = None  # reference of the account of who looks after the child there
    line: int = field(default=0, compare=False)  # in `pupils.csv`

    def __post_init__(self) -> None:
        if not 0 < self.days < 1 << 7:
            raise ValueError("a home has days of the week")


@dataclass(frozen=True, slots=True)
class Pupil:
    """One child at one school in one school year."""

    pupil_id: str
    school_id: str
    level: Level
    regime: Regime
    homes: tuple[Home, ...]
    wheelchair: bool = False
    birth_year: int | None = None
    sector_school_id: str | None = None  # None: the school attended is the one of the sector
    derogation: str | None = None  # why another school than the sector's is attended

    def __post_init__(self) -> None:
        if not 0 < len(self.homes) <= MAX_HOMES:
            raise ValueError("a pupil has one home or two")
        if len(self.homes) > 1 and self.homes[0].days & self.homes[1].days:
            raise ValueError("nobody sleeps in two homes on one day")


@dataclass(frozen=True, slots=True)
class Noon:
    """The noon shuttles of a school: who is driven to eat on which days, and back before the afternoon's lessons.

    Half-boarders are driven to the stop of their canteen, day pupils to their own stop when `is_home`. Coaches leave at
    most `wait_max_s` after the morning's lessons and are back at most `window_max_s` before the afternoon's; rides
    are so short that nobody has less than `meal_s` between them, whenever coaches leave and come within that.
    """

    ends_s: int
    resumes_s: int
    days: int
    canteen_stop_id: str
    is_home: bool
    wait_max_s: int
    window_max_s: int
    ride_max_s: int
    meal_s: int

    def __post_init__(self) -> None:
        if not self.canteen_stop_id and not self.is_home:
            raise ValueError("a noon shuttle drives somebody somewhere")
        if not 0 < self.days < 1 << 7 or min(self.wait_max_s, self.window_max_s, self.meal_s) < 0:
            raise ValueError("a noon is on days of the week, and no time is less than none")
        if self.ride_max_s <= 0 or self.spare_s < 2 * self.ride_max_s:
            raise ValueError("a noon without time for two rides and a meal")

    @property
    def spare_s(self) -> int:
        """What is left of the noon for both rides, when coaches leave last and come first and everybody eats."""
        return self.resumes_s - self.window_max_s - self.ends_s - self.wait_max_s - self.meal_s

    def drives(self, regime: Regime) -> bool:
        """Whether pupils of a regime are driven."""
        return (regime is Regime.HALF_BOARD and bool(self.canteen_stop_id)) or (regime is Regime.DAY and self.is_home)


@dataclass(frozen=True, slots=True)
class School:
    """A school and when its coaches halt there.

    They arrive between `window_max_s` and `window_min_s` before the bell, and leave between `wait_min_s` and
    `wait_max_s` after the last lesson.
    """

    school_id: str
    name: str
    position: LatLon
    bell_am_s: int | None  # None: not known yet, and no coach can be planned
    bell_pm_s: int | None
    window_min_s: int
    window_max_s: int
    level: Level
    ride_max_s: int
    bell_wednesday_s: int | None = None  # the end of lessons on Wednesdays, when there are any
    status: SchoolStatus = SchoolStatus.PUBLIC
    commune: str = ""
    wait_min_s: int = WAIT_MIN_S
    wait_max_s: int = WAIT_MAX_S
    group: str = ""  # schools of several villages that share their classes and their coaches (RPI)
    noon: Noon | None = None  # None: nobody is driven at noon

    def __post_init__(self) -> None:
        if not 0 <= self.window_min_s <= self.window_max_s or not 0 <= self.wait_min_s <= self.wait_max_s:
            raise ValueError("the window of arrival ends before it begins")
        if self.ride_max_s <= 0:
            raise ValueError("no ride takes no time")


@dataclass(frozen=True, slots=True)
class Stop:
    """Where coaches may stop."""

    stop_id: str
    name: str
    position: LatLon
    status: StopStatus


@dataclass(frozen=True, slots=True)
class VehicleType:
    """Vehicles of one kind at one depot; `count` None says as many as wanted."""

    type_id: str
    seats: int
    wheelchair_places: int
    day_cents: int
    km_cents: int
    hour_cents: int
    count: int | None
    depot: LatLon
    lot: str = ""

    def __post_init__(self) -> None:
        if self.seats <= 0 or self.wheelchair_places < 0:
            raise ValueError("a vehicle has seats")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row of `pupils.csv` that no plan can serve, and the finding that says why."""

    pupil_id: str
    line: int
    code: str


@dataclass(frozen=True, slots=True)
class Sector:
    """Everything that one plan is made from. Ids are unique in each tuple, and in the order of the files."""

    pupils: tuple[Pupil, ...]
    schools: tuple[School, ...]
    stops: tuple[Stop, ...]
    vehicle_types: tuple[VehicleType, ...]
    plannable: tuple[tuple[int, int], ...]  # (pupil, home) that a coach can serve, by their places in the tuples
    left_out: tuple[LeftOut, ...]
