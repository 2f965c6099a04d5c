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

from scolaire.pupils import Level, School, Stop, VehicleType


class Direction(StrEnum):
    """Which way pupils are carried."""

    TO_SCHOOL = "to_school"
    FROM_SCHOOL = "from_school"


@dataclass(frozen=True, slots=True)
class Period:
    """Days on which the same runs are driven in one direction; of one direction no two share a day."""

    period_id: str
    days: int
    direction: Direction


@dataclass(frozen=True, slots=True)
class Rider:
    """What a coach must know of a pupil."""

    pupil_id: str
    school: int
    level: Level
    wheelchair: bool = False


@dataclass(frozen=True, slots=True)
class Halt:
    """A coach at a stop or at a school: who gets on, who gets off, by their places among the riders.

    `drive_s` and `drive_m` lead here from the halt before, or from the depot for the first one.
    """

    arrives_s: int
    leaves_s: int
    drive_s: int
    drive_m: int
    stop: int | None = None
    school: int | None = None
    up: tuple[int, ...] = ()
    down: tuple[int, ...] = ()

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
    """What a plan takes and gives; seconds and metres of one day of each period, added up."""

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


def measure(plan: SchoolPlan) -> Measures:
    """The measures of a plan; rides of a plan without any take no time.

    `day_cents` is the cost of a day on which every circuit works all its periods: each vehicle's price of a day
    once, its kilometres and its hours, halves of a cent upwards.
    """
    rides = sorted(ride.seconds for run in plan.runs for ride in rides_of(run))
    vehicle_types = {circuit: plan.vehicle_types[runs[0].vehicle_type] for circuit, runs in plan.circuits.items()}
    thousandths = 0
    for run in plan.runs:
        kind = plan.vehicle_types[run.vehicle_type]
        thousandths += run.driven_m * kind.km_cents * 3_600 + (run.ends_s - run.begins_s) * kind.hour_cents * 1_000
    driving = (thousandths + 1_800_000) // 3_600_000
    fullest = sum(max(run.loads) for run in plan.runs)
    seats = sum(plan.vehicle_types[run.vehicle_type].seats for run in plan.runs)
    return Measures(
        n_vehicles=len(vehicle_types),
        n_runs=len(plan.runs),
        n_carried=len(rides),
        n_not_served=len({each.pupil_id for each in plan.not_served}),
        driven_m=sum(run.driven_m for run in plan.runs),
        loaded_m=sum(run.loaded_m for run in plan.runs),
        duty_s=sum(run.ends_s - run.begins_s for run in plan.runs),
        day_cents=sum(kind.day_cents for kind in vehicle_types.values()) + driving,
        ride_mean_s=round(sum(rides) / len(rides)) if rides else 0,
        ride_p95_s=_percentile(rides, 95),
        ride_most_s=rides[-1] if rides else 0,
        fill_percent=100 * fullest // seats if seats else 0,
    )


def _percentile(ordered: Sequence[int], percent: int) -> int:
    """The nearest rank: the least value that this many in a hundred do not exceed."""
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else 0
