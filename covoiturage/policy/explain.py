"""Explain: the steps by which an amount came about, in order, each with its exact value; words come from elsewhere.

Made by the same sums as the decision, so that the last step is always the amount that is paid.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from covoiturage.policy.amounts import Amounts, AmountStep
from covoiturage.policy.caps import Limited
from covoiturage.policy.conditions import missing_facts
from covoiturage.policy.facts import CarFacts, Facts
from covoiturage.policy.model import Condition, Policy
from covoiturage.policy.rides import Decision, RideJudge
from covoiturage.policy.trips import CarDecision, CarJudge, LeftOut
from socle.errors import Fact
from socle.money import Cents

NO_FACTS: Final[Mapping[str, Fact]] = MappingProxyType({})


class Step(NamedTuple):
    """One step: which (`step`, `type`), its exact value in cents where it has one, and the facts that tell it.

    `slice` is the position of the slice for a term.
    """

    step: str
    type: str
    exact: Fraction | None = None
    slice: int | None = None
    facts: Mapping[str, Fact] = NO_FACTS


def render_exact(number: Fraction) -> str:
    """`number` to the last digit: `541.125`, or `1/3` when no decimal says it."""
    numerator, denominator = number.as_integer_ratio()
    if denominator == 1:
        return str(numerator)
    n_decimals, times = _decimals_of(denominator)
    if not n_decimals:
        return f"{numerator}/{denominator}"
    digits = f"{abs(numerator) * times:0{n_decimals + 1}d}"
    return f"{'-' if numerator < 0 else ''}{digits[:-n_decimals]}.{digits[-n_decimals:]}"


@lru_cache(maxsize=1_000)  # a policy has a few
def _decimals_of(denominator: int) -> tuple[int, int]:
    """How many decimals this denominator makes, and what it takes to be a power of ten; 0: there is no end of them."""
    rest, n_twos, n_fives = denominator, 0, 0
    while rest % 2 == 0:
        rest, n_twos = rest // 2, n_twos + 1
    while rest % 5 == 0:
        rest, n_fives = rest // 5, n_fives + 1
    n_decimals = max(n_twos, n_fives)
    return (n_decimals, 10**n_decimals // denominator) if rest == 1 else (0, 0)


@lru_cache(maxsize=10_000)
def _whole(cents: Cents) -> Fraction:
    """Whole cents as an exact number: amounts come again and again, and making a fraction takes a microsecond."""
    return Fraction(cents)


def explain_ride(judge: RideJudge, facts: Facts, decision: Decision) -> list[Step]:
    """How the decision about a couple came about."""
    if decision.reason is not None:
        return [_gate(judge.policy, decision.reason, facts)]
    local = judge.gates.local(facts.instant)
    return [
        *_amount_steps(judge.amounts, facts, local),
        Step("round", "half_up", _whole(decision.stateless_cents)),
        *(_limit(limited) for limited in decision.limited),
        Step("total", "paid", _whole(decision.amount_cents)),
    ]


def explain_car(judge: CarJudge, car: CarFacts, decision: CarDecision) -> list[Step]:
    """How the decision about a car came about."""
    outing = decision.outing
    if outing is None:
        return [_gate(judge.policy, decision.reason or "", None)]
    steps = [_left_out(left, car, judge.policy) for left in outing.left_out]
    steps.append(Step("metres", judge.policy.car.distance_basis, facts=_lengths(car, decision.paid_m)))
    if decision.reason is not None:
        return [*steps, _gate(judge.policy, decision.reason, outing.facts)]
    if outing.rides or judge.policy.car.empty_run == "km":
        steps += _amount_steps(judge.amounts, outing.facts, outing.local)
    else:
        steps.append(Step("term", "empty_run", _whole(decision.stateless_cents)))
    steps.append(Step("round", "half_up", _whole(decision.stateless_cents)))
    if decision.legal_cap_cents is not None:
        steps.append(Step("legal_cap", "cost_of_the_trip", _whole(decision.legal_cap_cents)))
    steps += [_limit(limited) for limited in decision.limited]
    return [*steps, Step("total", "paid", _whole(decision.amount_cents))]


def _left_out(left: LeftOut, car: CarFacts, policy: Policy) -> Step:
    if left.limited is not None:
        return Step("ride", "had_their_number", facts={"ride": left.ride_id, "max": left.limited.max})
    told: dict[str, Fact] = {"ride": left.ride_id, "condition": left.condition}
    rule = policy.car.ride_eligibility[left.condition or 0]
    couple = next(ride.couple for ride in car.rides if ride.ride_id == left.ride_id)
    told |= {"type": rule.type, "metres": couple.distance_m}
    return Step("ride", "left_out", facts=told | _missing(rule, couple))


def _missing(condition: Condition, facts: Facts) -> dict[str, Fact]:
    """What nobody said that `condition` needed."""
    missing = sorted(set(missing_facts(condition, facts)))
    return {"missing": ", ".join(missing)} if missing else {}


def _amount_steps(amounts: Amounts, facts: Facts, local: datetime) -> Iterator[Step]:
    for told in amounts.steps(facts, local, facts.seats):
        yield Step(told.step, told.type, told.exact, told.slice, _reckoned(told, facts, amounts.policy))


def _reckoned(told: AmountStep, facts: Facts, policy: Policy) -> dict[str, Fact]:
    """The numbers of a step as its sentence wants them: exact ones as text."""
    if told.step == "post":
        return {"number": render_exact(policy.post[told.rule].number)}
    if told.term is None:
        return {"metres": facts.distance_m}
    given = told.term.given
    reckoned: dict[str, Fact] = {"n": facts.seats}
    if "cents_per_km" in given:
        limit = given["limit_m"] or facts.distance_m
        reckoned |= {
            "metres": max(0, min(facts.distance_m, limit) - given["offset_m"]),
            "rate": render_exact(given["cents_per_km"]),
        }
        most = given.get("max_cents_per_seat")
        if most is not None and told.exact == facts.seats * most:
            reckoned["most"] = render_exact(most)
    if "cents" in given:
        reckoned["rate"] = render_exact(given["cents"])
    if told.type == "per_passenger":
        counted = facts.seats if given["max_passengers"] is None else min(facts.seats, given["max_passengers"])
        reckoned["n"] = max(0, counted - given["from_passenger"] + 1)
    return reckoned


def _lengths(car: CarFacts, paid_m: int) -> dict[str, Fact]:
    return {"metres": paid_m, "measured_m": car.measured_m, "official_m": car.official_m}


def _limit(limited: Limited) -> Step:
    facts: dict[str, Fact] = {
        "scope": limited.scope,
        "period": limited.period,
        "period_key": limited.period_key,
        "max": limited.max,
        "used": limited.used,
    }
    return Step("limit", limited.counter, facts=facts)


def _gate(policy: Policy, reason: str, facts: Facts | None) -> Step:
    """The gate that was closed; for a condition its type, and what nobody said that it needed."""
    kind, _, position = reason.partition(":")
    if kind != "condition":
        return Step("gate", reason)
    condition: Condition = policy.eligibility[int(position)]
    told: dict[str, Fact] = {"condition": int(position), "type": condition.type}
    if facts is not None:
        told |= {"metres": facts.distance_m} | _missing(condition, facts)
    return Step("gate", "condition", facts=told)
