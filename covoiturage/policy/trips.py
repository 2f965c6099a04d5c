"""Trips: decides the car's whole outing: kilometres once per car, passengers counted, one rounding.

Order: validity, territory, operators, rides that count, metres paid, eligibility, amount, legal
cap, limits. A ride that is not proven, or whose passenger has had their number of rides, is left
out before anything is reckoned: neither counted nor asked a fare.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from datetime import date, datetime
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from covoiturage.policy.amounts import Amounts
from covoiturage.policy.caps import PAYABLE_TRIPS, Caps, Counters, Key, Limited, period_keys
from covoiturage.policy.conditions import Selector, compile_condition
from covoiturage.policy.facts import CarFacts, Facts, RideFacts
from covoiturage.policy.model import CarRules, Policy
from covoiturage.policy.rides import Gates
from socle.errors import BadInput
from socle.money import Cents, round_half_up, share

NO_PASSENGER = "no_passenger"
_PASSENGER = ("passenger",)
_CAR_SCOPES = ("driver", "vehicle_trip", "campaign")


class LeftOut(NamedTuple):
    """A ride that does not count: `condition` is the position of the rule that refused it, or `limited` the limit."""

    ride_id: str
    condition: int | None = None
    limited: Limited | None = None


class Outing(NamedTuple):
    """What conditions and sums read of a car: the rides that count, the metres paid, the passengers counted."""

    facts: Facts
    local: datetime
    rides: tuple[RideFacts, ...]
    left_out: tuple[LeftOut, ...]


class CarDecision(NamedTuple):
    """What is paid for a car, and why not more; `outing` is None when nobody looked inside.

    `stateless_cents` is the amount before the legal cap and limits, `amount_cents` what the driver
    gets, `fare_cents` what the passengers owe. `legal_cap_cents` is the cap when it lowered the amount.
    """

    reason: str | None
    stateless_cents: Cents
    amount_cents: Cents
    fare_cents: Cents
    outing: Outing | None
    limited: tuple[Limited, ...] = ()
    legal_cap_cents: Cents | None = None

    @property
    def eligible(self) -> bool:
        """Whether every gate was open."""
        return self.reason is None

    @property
    def paid_m(self) -> int:
        """The metres paid."""
        return self.outing.facts.distance_m if self.outing else 0

    @property
    def passengers_counted(self) -> int:
        """The passengers counted, by their seats."""
        return self.outing.facts.seats if self.outing else 0

    @property
    def net_cents(self) -> Cents:
        """What the Region pays in the end: the driver's amount less the fares."""
        return self.amount_cents - self.fare_cents


class CarJudge:
    """A policy of level `vehicle_trip` with what a batch says beside it: a territory and a budget."""

    def __init__(self, policy: Policy, territory: Selector = (), budget_cents: Cents | None = None) -> None:
        self.policy = policy
        self.gates = Gates(policy, territory)
        self.amounts = Amounts(policy, territory)
        self._ride_rules = [compile_condition(rule, policy, territory) for rule in policy.car.ride_eligibility]
        self._person_caps = Caps(policy, budget_cents, scopes=_PASSENGER)
        self._car_caps = Caps(policy, budget_cents, scopes=_CAR_SCOPES)

    def within(self, budget_cents: Cents | None) -> CarJudge:
        """The same judge with another budget: what was made of the policy is made once."""
        other = copy(self)
        other._person_caps = Caps(self.policy, budget_cents, scopes=_PASSENGER)  # noqa: SLF001  it is one of us
        other._car_caps = Caps(self.policy, budget_cents, scopes=_CAR_SCOPES)  # noqa: SLF001  likewise
        return other

    def decide(self, car: CarFacts, counters: Counters) -> CarDecision:
        """Decide one car, and charge the counters with what is paid.

        Raises:
            BadInput: `bad_fact` when a limit needs to know somebody whom nobody named, or no length is known.
        """
        local = self.gates.local(car.end_at)
        reason = self.gates.closed_before_conditions(car.car, local)
        if reason is not None:
            return CarDecision(reason, 0, 0, 0, None)
        outing, person_keys = self._look(car, local, counters)
        facts, rides = outing.facts, outing.rides
        reason = self.gates.closed_by_condition(facts, local)
        stateless = 0 if reason is not None else self._stateless(facts, local, empty=not rides)
        if isinstance(stateless, str):
            reason, stateless = stateless, 0
        if reason is not None:
            return CarDecision(reason, 0, 0, 0, outing)
        day = local.date()
        cap = self._legal_cap_cents(facts, day, stateless, counters)
        payable = stateless if cap is None else min(stateless, cap)
        keys = self._car_caps.keys(facts, day)
        pay, limited = self._car_caps.judge(payable, keys, counters)
        n_seats = _seats(rides)
        self._car_caps.charge(pay, n_seats, keys, counters)
        lowered = cap if cap is not None and cap < stateless else None
        decision = CarDecision(None, stateless, pay, self._fare_cents(rides, n_seats), outing, tuple(limited), lowered)
        self._charge_passengers(decision, person_keys, counters)
        return decision

    def shares(self, decision: CarDecision) -> dict[str, Cents]:
        """What each ride that counts brought of the amount: its shares sum to it exactly."""
        return self.attribute(decision.amount_cents, decision.outing)

    def attribute(self, cents: Cents, outing: Outing | None) -> dict[str, Cents]:
        """The share of each ride in `cents`: a supplement goes to the ride that caused it, the rest by seats."""
        if outing is None or not outing.rides:
            return {}
        return attribute(cents, outing.rides, self._supplements(outing.facts, outing.local, outing.rides))

    def _look(self, car: CarFacts, local: datetime, counters: Counters) -> tuple[Outing, list[list[Key]]]:
        """What counts of a car, and the counters of each passenger whose ride does."""
        rides, left_out, person_keys = self._rides_that_count(car, local, counters)
        rules = self.policy.car
        passengers = _peak_seats(rides) if rules.passenger_basis == "peak_occupancy" else _seats(rides)
        facts = _view(car, paid_metres(car, rides, rules), passengers)
        return Outing(facts, local, rides, left_out), person_keys

    def _stateless(self, facts: Facts, local: datetime, *, empty: bool) -> Cents | str:
        rule = self.policy.car.empty_run
        if not empty or rule == "km":
            return self.amounts.stateless_cents(facts, local, facts.seats)
        return NO_PASSENGER if isinstance(rule, str) else rule

    def _rides_that_count(
        self, car: CarFacts, local: datetime, counters: Counters
    ) -> tuple[tuple[RideFacts, ...], tuple[LeftOut, ...], list[list[Key]]]:
        rules, caps, day = self._ride_rules, self._person_caps, local.date()
        kept: list[RideFacts] = []
        kept_keys: list[list[Key]] = []
        left_out: list[LeftOut] = []
        had = Counters()  # what the rides kept so far would charge
        for ride in car.rides:
            couple, closed, full = ride.couple, None, None
            for position, holds in enumerate(rules):
                if not holds(couple, local):
                    closed = position
                    break
            if closed is None and caps.counts:
                keys = caps.keys(couple, day)
                full = caps.find_full(keys, counters, had)
                if full is None:
                    kept_keys.append(keys)
                    if len(car.rides) > 1:
                        caps.charge(1, couple.seats, keys, had)
            if closed is None and full is None:
                kept.append(ride)
            else:
                left_out.append(LeftOut(ride.ride_id, closed, full))
        return tuple(kept), tuple(left_out), kept_keys

    def _charge_passengers(self, decision: CarDecision, person_keys: list[list[Key]], counters: Counters) -> None:
        """Charge each passenger whose ride counts; there are no keys when nothing is counted of passengers."""
        caps, outing, paid = self._person_caps, decision.outing, decision.amount_cents > 0
        shares = self.shares(decision) if caps.counts_cents else {}
        for ride, keys in zip(outing.rides if outing else (), person_keys, strict=False):
            caps.charge(shares.get(ride.ride_id, 0), ride.couple.seats, keys, counters, paid=paid)

    def _fare_cents(self, rides: Sequence[RideFacts], n_seats: int) -> Cents:
        fare = self.policy.car.fare
        if fare is None:
            return 0
        if fare.mode == "flat":
            return fare.cents * n_seats
        return sum(ride.couple.contribution_cents for ride in rides)

    def _legal_cap_cents(self, facts: Facts, day: date, stateless: Cents, counters: Counters) -> Cents | None:
        """At most what the trip costs, less what passengers gave the driver; None where the law sets no bound.

        Source: Code des transports, R. 3132-1 to R. 3132-4.
        """
        rule = self.policy.car.legal_cap
        if rule is None:
            return None
        if facts.driver is None:
            raise BadInput("bad_fact", field="driver", problem="needed_by_a_limit")
        key: Key = (PAYABLE_TRIPS, "driver", facts.driver, "day", period_keys(day)["day"])
        before = counters.values.get(key, 0)
        if stateless > 0:
            counters.values[key] = before + 1
        if facts.distance_m <= rule.short_m and before < rule.short_trips_per_day:
            return None
        rate = rule.cents_per_km
        cost = facts.distance_m * rate.numerator // (1000 * rate.denominator)
        given = facts.contribution_cents if self.policy.car.fare is None else 0
        return max(0, cost - given)

    def _supplements(self, facts: Facts, local: datetime, rides: Sequence[RideFacts]) -> list[Cents]:
        """Whole cents that each ride adds by being there: what its seats bring of `per_passenger` terms."""
        added = [Fraction(0)] * len(rides)
        for step in self.amounts.steps(facts, local, facts.seats):
            if step.type != "per_passenger" or step.term is None:
                continue
            given = step.term.given
            most = facts.seats if given["max_passengers"] is None else min(facts.seats, given["max_passengers"])
            seat = 0
            for i, ride in enumerate(rides):
                first, last = max(seat + 1, given["from_passenger"]), min(seat + ride.seats, most)
                added[i] += given["cents"] * max(0, last - first + 1)
                seat += ride.seats
        return [int(cents) for cents in added]


def attribute(cents: Cents, rides: Sequence[RideFacts], supplements: Sequence[Cents]) -> dict[str, Cents]:
    """The share of each ride: its supplement, and a part of the rest by seats; shares sum to `cents` exactly.

    When less is paid than the supplements, it is shared after them. There is at least one ride.
    """
    rest = cents - sum(supplements)
    if rest < 0:
        shares = share(cents, supplements)
    else:
        by_seats = share(rest, [ride.seats for ride in rides])
        shares = [own + part for own, part in zip(supplements, by_seats, strict=True)]
    return dict(zip((ride.ride_id for ride in rides), shares, strict=True))


def paid_metres(car: CarFacts, rides: Sequence[RideFacts], rules: CarRules) -> int:
    """The metres that are paid, by the policy's `distance_basis`.

    Raises:
        BadInput: `bad_fact` when neither a trace nor the line's length is known.
    """
    if rules.distance_basis == "per_ride":
        return sum(ride.distance_m for ride in rides)
    measured, official = car.measured_m, car.official_m
    if measured is None and official is None:
        raise BadInput("bad_fact", field="measured_m", problem="no_length_known")
    if official is None:
        whole = measured or 0
    elif measured is None or rules.distance_basis == "official_line":
        whole = official
    elif rules.distance_basis == "trace":
        whole = measured
    else:
        ratio = rules.detour_ratio_max
        whole = min(measured, official * ratio.numerator // ratio.denominator)
    return min(whole, _occupied_m(rides)) if rules.distance_basis == "passenger_occupied" else whole


def _occupied_m(rides: Sequence[RideFacts]) -> int:
    """The metres with somebody aboard: while several are, the fastest of their rides tells how far the car went.

    Who tells only one instant has their metres counted at it, and of several at one instant the longest ride's.
    """
    instants = sorted({ride.board_at for ride in rides} | {ride.alight_at for ride in rides})
    at_once: dict[datetime, int] = {}
    for ride in rides:
        if ride.board_at == ride.alight_at:
            at_once[ride.board_at] = max(at_once.get(ride.board_at, 0), ride.distance_m)
    metres = Fraction(sum(at_once.values()))
    for begin, end in pairwise(instants):
        aboard = [ride for ride in rides if ride.board_at <= begin and end <= ride.alight_at]
        seconds = Fraction((end - begin).total_seconds())
        metres += max(
            (ride.distance_m * seconds / Fraction((ride.alight_at - ride.board_at).total_seconds()) for ride in aboard),
            default=Fraction(0),
        )
    return round_half_up(metres.numerator, metres.denominator)


def _seats(rides: Sequence[RideFacts]) -> int:
    total = 0
    for ride in rides:
        total += ride.couple.seats
    return total


def _peak_seats(rides: Sequence[RideFacts]) -> int:
    """The most seats taken at once; who gets off leaves the seat to who gets on at that instant."""
    return max(
        (sum(r.seats for r in rides if r.board_at <= ride.board_at < r.alight_at or r is ride) for ride in rides),
        default=0,
    )


def _view(car: CarFacts, metres: int, passengers: int) -> Facts:
    """The car as conditions and sums read it, with the metres paid and the passengers counted."""
    known, given = car.car, 0
    for ride in car.rides:
        given += ride.couple.contribution_cents
    return Facts(
        known.instant,
        metres,
        passengers,
        known.operator,
        known.operator_id,
        None,
        known.driver,
        None,
        None,
        known.revenue_cents,
        given,
        known.trip_id,
        known.line_id,
        known.start_levels,
        known.end_levels,
        known.start,
        known.end,
    )
