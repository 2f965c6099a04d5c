"""Amounts: rules compiled into sums of whole numbers, exact, and rounded once at the end.

Every rate and factor of a document is a fraction; all are brought to one denominator, `scale`
(a thousandth of a cent's fraction, since rates are per kilometre and lengths in metres), so that
an amount is a whole number of `1/scale` cents until it is rounded. The plain interpreter in
`tests/oracles` reckons with fractions instead, and agrees on every random policy and journey.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import NamedTuple

from covoiturage.policy.conditions import Predicate, Selector, compile_condition
from covoiturage.policy.facts import Facts
from covoiturage.policy.model import AmountRule, Condition, Policy, Term
from socle.money import Cents, round_half_up

NO_RULE, NO_SLICE = "no_amount_rule", "no_slice"
TARGET = "complement_to_target"

Scaled = int  # cents x scale
Sum = Callable[[int, int], Scaled]  # (metres, seats or passengers) -> scaled


@dataclass(frozen=True, slots=True)
class _Slice:
    from_m: int
    below_m: int | None  # None: open, as always in mode `cumulative`
    sums: tuple[Sum, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    when: Predicate | None
    slices: tuple[_Slice, ...]
    target: Callable[[Facts], Scaled] | None


@dataclass(frozen=True, slots=True)
class _Post:
    when: Predicate | None
    do: Callable[[Scaled, Facts], Scaled]


class AmountStep(NamedTuple):
    """One step of an amount: what was added (a term) or what it became (a post operation), in exact cents.

    `rule` and `slice` are positions in the document; a post operation has its own in `rule`.
    """

    step: str
    type: str
    exact: Fraction
    rule: int
    slice: int | None = None
    term: Term | None = None


class Amounts:
    """The amount rules and post operations of a policy, ready to reckon."""

    def __init__(self, policy: Policy, territory: Selector) -> None:
        self.policy = policy
        self.scale = _scale_of(policy)
        self._rules = tuple(self._rule(rule, territory) for rule in policy.amount_rules)
        self._posts = tuple(
            _Post(self._when(operation.when, territory), self._do(operation.type, operation.number))
            for operation in policy.post
        )

    def stateless_cents(self, facts: Facts, local: datetime, passengers: int) -> Cents | str:
        """What `facts` are worth before any limit, rounded; or why there is no amount."""
        for rule in self._rules:
            if rule.when is None or rule.when(facts, local):
                break
        else:
            return NO_RULE
        metres = facts.distance_m
        if rule.target is not None:
            total = rule.target(facts)
        else:
            total, reached = 0, False
            for part in rule.slices:
                if metres >= part.from_m and (part.below_m is None or metres < part.below_m):
                    reached = True
                    for sum_ in part.sums:
                        total += sum_(metres, passengers)
            if not reached:
                return NO_SLICE
        for post in self._posts:
            if post.when is None or post.when(facts, local):
                total = post.do(total, facts)
        return self.rounded(total)

    def rounded(self, total: Scaled) -> Cents:
        """Whole cents, half up, never below zero: a subsidy is not asked back."""
        return round_half_up(total, self.scale) if total > 0 else 0

    def steps(self, facts: Facts, local: datetime, passengers: int) -> Iterator[AmountStep]:
        """The steps that make the amount of `facts`, by the same sums; nothing when there is no amount."""
        position = next(
            (i for i, rule in enumerate(self._rules) if rule.when is None or rule.when(facts, local)),
            None,
        )
        if position is None:
            return
        rule, said, metres, total = self._rules[position], self.policy.amount_rules[position], facts.distance_m, 0
        if rule.target is not None:
            total = rule.target(facts)
            yield AmountStep("term", TARGET, self._exact(total), position)
        for at, part in enumerate(rule.slices):
            if metres >= part.from_m and (part.below_m is None or metres < part.below_m):
                for sum_, term in zip(part.sums, said.slices[at].terms, strict=True):
                    added = sum_(metres, passengers)
                    total += added
                    yield AmountStep("term", term.type, self._exact(added), position, at, term)
        for at, (post, operation) in enumerate(zip(self._posts, self.policy.post, strict=True)):
            if post.when is None or post.when(facts, local):
                total = post.do(total, facts)
                yield AmountStep("post", operation.type, self._exact(total), at)

    def _exact(self, total: Scaled) -> Fraction:
        return _exactly(total, self.scale)

    def _when(self, condition: Condition | None, territory: Selector) -> Predicate | None:
        return None if condition is None else compile_condition(condition, self.policy, territory)

    def _rule(self, rule: AmountRule, territory: Selector) -> _Rule:
        slices = tuple(
            _Slice(
                part.from_m, part.to_m if rule.mode == "single" else None, tuple(self._sum(term) for term in part.terms)
            )
            for part in rule.slices
        )
        return _Rule(self._when(rule.when, territory), slices, None if rule.target is None else self._target(rule))

    def _scaled(self, number: Fraction) -> Scaled:
        return number.numerator * (self.scale // number.denominator)

    def _sum(self, term: Term) -> Sum:
        given = term.given
        if term.type == "flat":
            flat = self._scaled(given["cents"])
            return lambda _metres, _seats: flat
        if term.type == "per_seat":
            each = self._scaled(given["cents"])
            return lambda _metres, seats: seats * each
        if term.type == "per_passenger":
            return self._per_passenger(given["cents"], given["from_passenger"], given["max_passengers"])
        per_m = self._scaled(given["cents_per_km"]) // 1000
        offset, limit = given["offset_m"], given["limit_m"] or None
        if term.type == "per_km":
            return lambda metres, _: per_m * _between(metres, offset, limit)
        if given["max_cents_per_seat"] is None:
            return lambda metres, seats: seats * per_m * _between(metres, offset, limit)
        most = self._scaled(given["max_cents_per_seat"])
        return lambda metres, seats: seats * min(most, per_m * _between(metres, offset, limit))

    def _per_passenger(self, cents: Fraction, first: int, most: int | None) -> Sum:
        each = self._scaled(cents)
        if most is None:
            return lambda _metres, passengers: each * max(0, passengers - first + 1)
        return lambda _metres, passengers: each * max(0, min(passengers, most) - first + 1)

    def _target(self, rule: AmountRule) -> Callable[[Facts], Scaled]:
        given = rule.target or {}
        target, per_km = self._scaled(given["target_cents"]), self._scaled(given["plus_cents_per_rounded_km"])
        most = None if given["max_cents"] is None else self._scaled(given["max_cents"])
        from_m, most_extra_m, of_passenger = given["from_m"], given["max_extra_m"], given["minus"][0] == "p"

        def reckon(facts: Facts) -> Scaled:
            paid = facts.contribution_cents if of_passenger else facts.revenue_cents
            total = (
                target
                - paid * self.scale
                + per_km * ((_between(facts.distance_m, from_m, None, most_extra_m) + 500) // 1000)
            )
            return total if most is None else min(most, total)

        return reckon

    def _do(self, kind: str, number: Fraction) -> Callable[[Scaled, Facts], Scaled]:
        if kind == "multiply":
            up, down = number.numerator, number.denominator
            return lambda total, _: total * up // down  # exact: the scale holds every factor's denominator
        if kind == "raise_to_driver_revenue":
            return lambda total, facts: max(total, facts.revenue_cents * self.scale)
        cents = self._scaled(number)
        if kind == "floor":
            return lambda total, _: max(total, cents)
        return lambda total, _: min(total, cents)


@lru_cache(maxsize=50_000)  # lengths, and so amounts, come again and again
def _exactly(total: Scaled, scale: int) -> Fraction:
    return Fraction(total, scale)


def _between(metres: int, offset: int, limit: int | None, most: int | None = None) -> int:
    """The metres beyond `offset`, up to the length `limit` of the whole, and at most `most` of them."""
    counted = max(0, (metres if limit is None else min(metres, limit)) - offset)
    return counted if most is None else min(counted, most)


def _scale_of(policy: Policy) -> int:
    """A denominator that every amount of the policy has, at every step."""
    numbers: list[Fraction] = []
    for rule in policy.amount_rules:
        for part in rule.slices:
            for term in part.terms:
                numbers += [value for value in term.given.values() if isinstance(value, Fraction)]
        if rule.target is not None:
            numbers += [value for value in rule.target.values() if isinstance(value, Fraction)]
    scale = 1
    for operation in policy.post:
        if operation.type == "multiply":
            scale *= operation.number.denominator
        else:
            numbers.append(operation.number)
    return 1000 * scale * lcm(1, *(number.denominator for number in numbers))
