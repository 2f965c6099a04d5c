"""Simulate: what carpools would cost under a policy, by line, month and distance, and who gains against another.

Cars are decided in the order of their ends, from nothing counted, as a month is, and as if the policy
were in force on all their days: a draft begins in the future and is tried on the past. A policy of
couples sees each ride of a car as a couple. People appear in groups of at least six, or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from fractions import Fraction
from itertools import pairwise

from covoiturage.policy.amounts import Amounts
from covoiturage.policy.caps import Counters
from covoiturage.policy.facts import CarFacts, Facts
from covoiturage.policy.model import RIDE, Policy
from covoiturage.policy.rides import RideJudge
from covoiturage.policy.trips import CarJudge
from socle.errors import BadInput
from socle.money import Cents

LEAST_GROUP = 6  # fewer people than that could be recognised
BANDS_M = (0, 10_000, 20_000, 30_000, 50_000, 80_000)  # a band lasts until the next; the last is open
ALL_LINES, OTHER_LINES = "*", "…"  # names that no line has
UNDECIDED = "undecided"  # reason of a car of which the policy wants to know what nobody said
_LONGEST_M, _GRID_M = 150_000, 500


@dataclass(slots=True)
class Tally:
    """Carpools counted: all, and of those that are paid their metres and passengers; money of both kinds."""

    carpools: int = 0
    paid: int = 0
    metres: int = 0
    passengers: int = 0
    subsidy_cents: Cents = 0
    fare_cents: Cents = 0

    @property
    def net_cents(self) -> Cents:
        """What the Region pays in the end."""
        return self.subsidy_cents - self.fare_cents

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        self.carpools += 1
        self.subsidy_cents += outcome.subsidy_cents
        self.fare_cents += outcome.fare_cents
        if outcome.subsidy_cents:
            self.paid += 1
            self.metres += outcome.metres
            self.passengers += outcome.passengers


@dataclass(frozen=True, slots=True)
class Outcome:
    """One car under a policy; `reason` when nothing could be paid."""

    reason: str | None
    metres: int = 0
    passengers: int = 0
    subsidy_cents: Cents = 0
    fare_cents: Cents = 0


@dataclass(frozen=True, slots=True)
class BreakEven:
    """With so many passengers, fares exceed the subsidy below `metres`; None: at every length that was looked at."""

    passengers: int
    metres: int | None


@dataclass(slots=True)
class Simulation:
    """What carpools cost under `policy`. `reasons` counts those not paid; the budget ends in the course of a day."""

    policy: Policy
    total: Tally = field(default_factory=Tally)
    by_line: dict[str, Tally] = field(default_factory=dict)  # "": on no line
    by_month: dict[str, Tally] = field(default_factory=dict)
    by_band: dict[int, Tally] = field(default_factory=dict)  # by the first metre of the band
    reasons: Counter[str] = field(default_factory=Counter)
    break_even: Sequence[BreakEven] = ()
    budget_ends_on: date | None = None
    # (line, driver) -> cents: not to be told but by `compare`
    of_driver: dict[tuple[str, str], Cents] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """Drivers whom a change concerns alike: `gain`, `lose`, `same`, or `change` where one of the two is too small.

    `drivers` (and `cents`, what they get more) is None when even together they are fewer than `LEAST_GROUP`.
    """

    kind: str
    drivers: int | None
    cents: Cents | None


def simulate(
    policy: Policy,
    cars: Iterable[CarFacts],
    budget_cents: Cents | None = None,
    *,
    progress: Callable[[int], None] = lambda _n: None,
) -> Simulation:
    """What `cars` cost under `policy`; `progress` is told of each piece of a thousand."""
    tried = replace(policy, valid_from=None, valid_until=None)
    judge = RideJudge(tried, (), budget_cents) if policy.level == RIDE else CarJudge(tried, (), budget_cents)
    told, counters = Simulation(policy, break_even=break_even(policy)), Counters()
    for position, car in enumerate(sorted(cars, key=lambda car: (car.end_at, car.carpool_id)), start=1):
        outcome = _decide(judge, car, counters)
        line, day = car.car.line_id or "", car.end_at.astimezone(policy.zone).date()
        for tally in (
            told.total,
            told.by_line.setdefault(line, Tally()),
            told.by_month.setdefault(f"{day:%Y-%m}", Tally()),
            told.by_band.setdefault(_band(car), Tally()),
        ):
            tally.add(outcome)
        if outcome.reason is not None:
            told.reasons[outcome.reason] += 1
        if car.driver is not None:
            key = (line, car.driver)
            told.of_driver[key] = told.of_driver.get(key, 0) + outcome.subsidy_cents
        spent = told.total.subsidy_cents
        if budget_cents is not None and told.budget_ends_on is None and spent >= budget_cents:
            told.budget_ends_on = day
        if position % 1000 == 0:
            progress(1000)
    progress(told.total.carpools % 1000)
    return told


def _decide(judge: RideJudge | CarJudge, car: CarFacts, counters: Counters) -> Outcome:
    try:
        if isinstance(judge, RideJudge):
            return _decide_rides(judge, car, counters)
        decision = judge.decide(car, counters)
    except BadInput:  # that is an answer here: this policy cannot be run on what is known
        return Outcome(UNDECIDED)
    return Outcome(
        _reason(decision.reason, decision.amount_cents, limited=bool(decision.limited)),
        decision.paid_m,
        decision.passengers_counted,
        decision.amount_cents,
        decision.fare_cents,
    )


def _decide_rides(judge: RideJudge, car: CarFacts, counters: Counters) -> Outcome:
    subsidy = passengers = 0
    reason: str | None = "no_passenger"
    for ride in car.rides:
        decision = judge.decide(ride.couple._replace(instant=ride.board_at), counters)
        subsidy += decision.amount_cents
        passengers += ride.seats if decision.amount_cents else 0
        reason = _reason(decision.reason, decision.amount_cents, limited=bool(decision.limited))
    return Outcome(None if subsidy else reason, driven_m(car), passengers, subsidy)


def _reason(gate: str | None, cents: Cents, *, limited: bool) -> str | None:
    """Why nothing is paid; conditions are one reason here."""
    if gate is not None:
        return gate.partition(":")[0]
    return None if cents else "limit" if limited else "nothing_due"


def driven_m(car: CarFacts) -> int:
    """How far the car went, whatever a policy pays: the line's metres, else the trace's, else the longest ride's."""
    known = car.official_m if car.official_m is not None else car.measured_m
    return known if known is not None else max((ride.distance_m for ride in car.rides), default=0)


def _band(car: CarFacts) -> int:
    metres = driven_m(car)
    return max(band for band in BANDS_M if band <= metres)


# --- where fares and subsidy meet -----------------------------------------------------------------


def break_even(policy: Policy, most_passengers: int = 3) -> tuple[BreakEven, ...]:
    """The length of a trip below which fares exceed the subsidy, for one passenger and more.

    Before rounding and the legal cap, of trips up to 150 km; nothing for a policy without a fare of its own.
    """
    fare = policy.car.fare
    if fare is None or fare.mode != "flat":
        return ()
    amounts = Amounts(policy, ())
    return tuple(
        BreakEven(n, _last_below(policy, amounts, n, Fraction(fare.cents * n))) for n in range(1, most_passengers + 1)
    )


def _last_below(policy: Policy, amounts: Amounts, passengers: int, fares: Fraction) -> int | None:
    """The least length from which on the amount is at least `fares`."""
    at = policy.valid_from or policy.valid_until or date(2026, 1, 5)
    local = datetime(at.year, at.month, at.day, 12, tzinfo=UTC).astimezone(policy.zone)

    def falls_short(metres: int) -> bool:
        exact = Fraction(0)
        for step in amounts.steps(Facts(local, metres, passengers), local, passengers):
            exact = step.exact if step.step == "post" else exact + step.exact
        return exact < fares

    if falls_short(_LONGEST_M):
        return None
    grid = range(_LONGEST_M, -1, -_GRID_M)
    for enough, short in pairwise(grid):
        if falls_short(short):
            while enough - short > 1:
                middle = (enough + short) // 2
                enough, short = (enough, middle) if falls_short(middle) else (middle, short)
            return enough
    return 0


# --- who gains, who loses -------------------------------------------------------------------------


def compare(before: Simulation, after: Simulation) -> dict[str, tuple[Group, ...]]:
    """How drivers fare under `after` against `before`, by line, and on all lines (`ALL_LINES`).

    Lines on which fewer than `LEAST_GROUP` drivers drive are told together (`OTHER_LINES`), or not at all.
    """
    changes: dict[str, dict[str, Cents]] = {}
    overall: dict[str, Cents] = {}
    for line, driver in before.of_driver | after.of_driver:
        change = after.of_driver.get((line, driver), 0) - before.of_driver.get((line, driver), 0)
        of_line = changes.setdefault(line, {})
        of_line[driver] = of_line.get(driver, 0) + change
        overall[driver] = overall.get(driver, 0) + change
    told = {ALL_LINES: groups_of(overall.values())}
    others: list[Cents] = []
    for line in sorted(changes):
        if len(changes[line]) < LEAST_GROUP:
            others += changes[line].values()
        else:
            told[line] = groups_of(changes[line].values())
    if len(others) >= LEAST_GROUP:
        told[OTHER_LINES] = groups_of(others)
    return told


def groups_of(changes: Iterable[Cents]) -> tuple[Group, ...]:
    """The drivers who gain, lose and neither, so that no group tells of fewer than `LEAST_GROUP`.

    When those who gain or those who lose are too few they are told together: beside the other
    group and the total, what they get would be known all the same.
    """
    listed = list(changes)
    gain, lose = [cents for cents in listed if cents > 0], [cents for cents in listed if cents < 0]
    n_same = len(listed) - len(gain) - len(lose)
    same = Group("same", None if 0 < n_same < LEAST_GROUP else n_same, 0)
    if any(0 < len(one) < LEAST_GROUP for one in (gain, lose)):
        both = [*gain, *lose]
        if len(both) < LEAST_GROUP:
            return (Group("change", None, None),)
        return Group("change", len(both), sum(both)), same
    return Group("gain", len(gain), sum(gain)), Group("lose", len(lose), sum(lose)), same
