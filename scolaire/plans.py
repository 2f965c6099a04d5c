"""Plans: which coach drives which run, when it halts where, and who gets on and off there.

A run is one coach under way once: in one direction, on the days of one period. The runs that one coach drives in a
day, morning, noon and evening, are its circuit. Everything that a driver, a family or a checker needs stands in the
plan, but where pupils live: they are known by their ids alone.

Times are seconds after midnight, days are bits with Monday the lowest, places are places in the plan's own tuples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scolaire.pupils import SATURDAY, WEDNESDAY, Level, School, Stop, VehicleType

MOVED_S: Final = 5 * 60
"""Whoever is fetched, or set down, earlier or later than was told by more than this is moved."""


class Direction(StrEnum):
    """Which way pupils are carried, at the ends of the day or to eat and back."""

    TO_SCHOOL = "to_school"
    FROM_SCHOOL = "from_school"
    NOON_FROM_SCHOOL = "noon_from_school"
    NOON_TO_SCHOOL = "noon_to_school"

    @property
    def is_to_school(self) -> bool:
        """Whether pupils wait at stops and get off at schools."""
        return self in (Direction.TO_SCHOOL, Direction.NOON_TO_SCHOOL)

    @property
    def is_noon(self) -> bool:
        """Whether it is a noon shuttle."""
        return self in (Direction.NOON_FROM_SCHOOL, Direction.NOON_TO_SCHOOL)


@dataclass(frozen=True, slots=True)
class Period:
    """Days on which the same runs are driven in one direction; of one direction no two share a day."""

    period_id: str
    days: int
    direction: Direction


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where a pupil is taken up, or set down, on some days; no stop when none is in reach."""

    direction: Direction
    days: int
    stop: int | None


@dataclass(frozen=True, slots=True)
class Rider:
    """What a coach must know of a pupil; `waits` None when nobody wrote down on which days the pupil travels."""

    pupil_id: str
    school: int
    level: Level
    wheelchair: bool = False
    waits: tuple[Waiting, ...] | None = None

    def waits_in(self, period: Period) -> tuple[Waiting, ...]:
        """Where the pupil waits on days of a period: once, unless two homes share it."""
        return tuple(one for one in self.waits or () if one.direction is period.direction and one.days & period.days)


@dataclass(frozen=True, slots=True)
class Spot:
    """A stop or a school of the plan."""

    stop: int | None = None
    school: int | None = None

    def __post_init__(self) -> None:
        if (self.stop is None) == (self.school is None):
            raise ValueError("a spot is a stop or a school")


@dataclass(frozen=True, slots=True)
class NoRoad:
    """A coach does not drive from one spot straight to the other: a bridge too weak, a street closed."""

    origin: Spot
    target: Spot


@dataclass(frozen=True, slots=True)
class Halt:
    """A coach at a stop or at a school: who gets on, who gets off, by their places among the riders.

    `drive_s` and `drive_m` lead here from the halt before, or from the depot for the first one. `told_s` is when
    families of this stop were told that the coach leaves it with their children, or brings them back to it.
    """

    arrives_s: int
    leaves_s: int
    drive_s: int
    drive_m: int
    stop: int | None = None
    school: int | None = None
    up: tuple[int, ...] = ()
    down: tuple[int, ...] = ()
    told_s: int | None = None

    def __post_init__(self) -> None:
        if (self.stop is None) == (self.school is None):
            raise ValueError("a coach halts at a stop or at a school")
        if self.leaves_s < self.arrives_s or self.drive_s < 0 or self.drive_m < 0:
            raise ValueError("nobody leaves before arriving")


@dataclass(frozen=True, slots=True)
class Run:
    """What one coach drives once in a period; `home_s` and `home_m` lead from its last halt back to the depot."""

    run_id: str
    circuit_id: str
    period: int
    vehicle_type: int
    halts: tuple[Halt, ...]
    home_s: int
    home_m: int
    is_locked: bool = False  # nobody changes it, an optimiser neither
    has_attendant: bool = False  # in the guide's seat, which is none of the pupils'

    def __post_init__(self) -> None:
        if not self.halts:
            raise ValueError("a run that halts nowhere is none")
        if self.home_s < 0 or self.home_m < 0:
            raise ValueError("nobody arrives before leaving")

    @property
    def begins_s(self) -> int:
        """When the coach leaves its depot."""
        return self.halts[0].arrives_s - self.halts[0].drive_s

    @property
    def ends_s(self) -> int:
        """When it is back."""
        return self.halts[-1].leaves_s + self.home_s

    @property
    def driven_m(self) -> int:
        """Metres from the depot back to the depot."""
        return sum(halt.drive_m for halt in self.halts) + self.home_m

    @property
    def loads(self) -> tuple[int, ...]:
        """Who is aboard when the coach leaves each halt, counted in pupils."""
        aboard, found = 0, []
        for halt in self.halts:
            aboard += len(halt.up) - len(halt.down)
            found.append(aboard)
        return tuple(found)

    @property
    def loaded_m(self) -> int:
        """Metres with somebody aboard."""
        carried = zip(self.halts[1:], self.loads, strict=False)
        return sum(halt.drive_m for halt, load in carried if load > 0)


@dataclass(frozen=True, slots=True)
class NotServed:
    """A pupil whom no run of a period carries, or none of any (`period` None), and the code of the reason."""

    pupil_id: str
    why: str
    period: int | None = None


@dataclass(frozen=True, slots=True)
class Making:
    """How a plan was made: as many steps with the same seed on the same files give it again."""

    seed: int
    steps: int
    mixed: bool
    bound: int | None = None  # no plan of these periods has fewer vehicles
    ways: str = "straight"  # straight lines made as long as roads, or the build of the streets
    steps_of: tuple[int, ...] = ()  # of each period; their sum is `steps`


@dataclass(frozen=True, slots=True)
class SchoolPlan:
    """The school transport of a sector: every tuple in an order that does not change by itself."""

    title: str
    schools: tuple[School, ...]
    stops: tuple[Stop, ...]
    vehicle_types: tuple[VehicleType, ...]
    riders: tuple[Rider, ...]
    periods: tuple[Period, ...]
    runs: tuple[Run, ...]
    not_served: tuple[NotServed, ...]
    making: Making
    no_roads: tuple[NoRoad, ...] = ()

    def runs_of(self, period: int) -> tuple[Run, ...]:
        """The runs of a period, in order."""
        return tuple(run for run in self.runs if run.period == period)

    @property
    def circuits(self) -> dict[str, tuple[Run, ...]]:
        """The runs of each circuit, both in the order of the plan."""
        found: dict[str, list[Run]] = {}
        for run in self.runs:
            found.setdefault(run.circuit_id, []).append(run)
        return {circuit: tuple(runs) for circuit, runs in found.items()}


@dataclass(frozen=True, slots=True)
class Ride:
    """One pupil under way: from `up` to `down`, both halts of the run; a ride lasts from leaving to arriving."""

    rider: int
    run: Run
    up: int
    down: int

    @property
    def seconds(self) -> int:
        """How long the pupil is aboard."""
        return self.run.halts[self.down].arrives_s - self.run.halts[self.up].leaves_s

    @property
    def stop(self) -> int | None:
        """Where the pupil waits in the morning, or is set down in the evening."""
        ends = (self.run.halts[self.up].stop, self.run.halts[self.down].stop)
        return ends[0] if ends[0] is not None else ends[1]


def bell_of(school: School, period: Period) -> int | None:
    """The bell that the coaches of a period go by; None: no lessons, or nobody knows.

    Lessons of Saturdays end as those of Wednesdays, where there are any.
    """
    if period.direction.is_noon:
        noon = school.noon
        return None if noon is None else noon.resumes_s if period.direction.is_to_school else noon.ends_s
    if period.direction is Direction.TO_SCHOOL:
        return school.bell_am_s
    if period.days == SATURDAY and school.bell_wednesday_s is not None:
        return school.bell_wednesday_s
    return school.bell_wednesday_s if period.days == WEDNESDAY else school.bell_pm_s


def window_of(school: School, period: Period) -> tuple[int, int] | None:
    """When coaches halt at a school: from when to when they arrive in the morning, or leave after lessons."""
    bell = bell_of(school, period)
    if bell is None:
        return None
    window_max_s, wait_max_s = school.window_max_s, school.wait_max_s
    if period.direction.is_noon and school.noon is not None:
        window_max_s, wait_max_s = school.noon.window_max_s, school.noon.wait_max_s
    if period.direction.is_to_school:
        return bell - window_max_s, bell - min(school.window_min_s, window_max_s)
    return bell + min(school.wait_min_s, wait_max_s), bell + wait_max_s


def ride_max_of(school: School, period: Period) -> int:
    """How long a pupil of a school may be aboard."""
    if period.direction.is_noon and school.noon is not None:
        return school.noon.ride_max_s
    return school.ride_max_s


def rides_of(run: Run) -> Iterator[Ride]:
    """Every pupil who gets on and off again, in the order of getting off; nobody who does only one of both."""
    boarded: dict[int, int] = {}
    for at, halt in enumerate(run.halts):
        for rider in halt.down:
            if rider in boarded:
                yield Ride(rider, run, boarded.pop(rider), at)
        boarded.update(dict.fromkeys(halt.up, at))


@dataclass(frozen=True, slots=True)
class Measures:
    """What a plan takes and gives; seconds and metres of one day of each period, added up, and those of a week."""

    n_vehicles: int
    n_runs: int
    n_carried: int  # rides, not pupils: who travels there and back counts twice
    n_not_served: int
    driven_m: int
    loaded_m: int
    duty_s: int
    day_cents: int
    ride_mean_s: int
    ride_p95_s: int
    ride_most_s: int
    fill_percent: int  # of the seats, where each run is fullest
    week_m: int = 0
    week_cents: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """What one run takes and gives; what a plan's measures are added up from."""

    driven_m: int
    loaded_m: int
    duty_s: int
    fullest: int
    seats: int
    thousandths: int  # of a cent and of an hour: what driving costs, times 3,600,000
    ride_s: NDArray[np.int64]


def tally(plan: SchoolPlan, run: Run) -> Tally:
    """The figures of one run."""
    kind = plan.vehicle_types[run.vehicle_type]
    duty = run.ends_s - run.begins_s
    return Tally(
        driven_m=run.driven_m,
        loaded_m=run.loaded_m,
        duty_s=duty,
        fullest=max(run.loads),
        seats=kind.seats,
        thousandths=run.driven_m * kind.km_cents * 3_600 + duty * kind.hour_cents * 1_000,
        ride_s=np.array([ride.seconds for ride in rides_of(run)], np.int64),
    )


def measure(plan: SchoolPlan) -> Measures:
    """The measures of a plan; rides of a plan without any take no time.

    The cost of a day is the price of each vehicle that works on it, once, and its kilometres and hours, halves of
    a cent upwards; `day_cents` is that of the dearest day.
    """
    return measure_tallies(plan, [tally(plan, run) for run in plan.runs])


def measure_tallies(plan: SchoolPlan, tallies: Sequence[Tally]) -> Measures:
    """The measures of a plan whose runs have these tallies."""
    rides = np.sort(np.concatenate([each.ride_s for each in tallies])) if tallies else np.zeros(0, np.int64)
    days = [_day_cents(plan, tallies, 1 << day) for day in range(7)]
    week_m = sum(
        each.driven_m * plan.periods[run.period].days.bit_count() for run, each in zip(plan.runs, tallies, strict=True)
    )
    seats = sum(each.seats for each in tallies)
    return Measures(
        n_vehicles=len({run.circuit_id for run in plan.runs}),
        n_runs=len(plan.runs),
        n_carried=len(rides),
        n_not_served=len({each.pupil_id for each in plan.not_served}),
        driven_m=sum(each.driven_m for each in tallies),
        loaded_m=sum(each.loaded_m for each in tallies),
        duty_s=sum(each.duty_s for each in tallies),
        day_cents=max(days),
        ride_mean_s=round(int(rides.sum()) / len(rides)) if len(rides) else 0,
        ride_p95_s=_percentile(rides, 95),
        ride_most_s=int(rides[-1]) if len(rides) else 0,
        fill_percent=100 * sum(each.fullest for each in tallies) // seats if seats else 0,
        week_m=week_m,
        week_cents=sum(days),
    )


def _day_cents(plan: SchoolPlan, tallies: Sequence[Tally], day: int) -> int:
    types: dict[str, int] = {}
    thousandths = 0
    for run, each in zip(plan.runs, tallies, strict=True):
        if plan.periods[run.period].days & day:
            types.setdefault(run.circuit_id, run.vehicle_type)
            thousandths += each.thousandths
    driving = (thousandths + 1_800_000) // 3_600_000
    return sum(plan.vehicle_types[kind].day_cents for kind in types.values()) + driving


def _percentile(ordered: NDArray[np.int64], percent: int) -> int:
    """The nearest rank: the least value that this many in a hundred do not exceed."""
    return int(ordered[-(-len(ordered) * percent // 100) - 1]) if len(ordered) else 0
