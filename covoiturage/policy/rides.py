"""Rides: decides one driver-passenger couple at a time, as the campaigns of the national registry do.

Order: validity, territory, operators, eligibility, first amount rule, terms, post operations,
rounding, limits. The first gate that is closed gives the reason.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime
from typing import NamedTuple

from covoiturage.policy.amounts import Amounts
from covoiturage.policy.caps import Caps, Counters, Limited
from covoiturage.policy.conditions import Predicate, Selector, compile_condition, selects
from covoiturage.policy.facts import Facts
from covoiturage.policy.model import Policy
from socle.money import Cents

OUTSIDE_VALIDITY, OUTSIDE_TERRITORY = "outside_validity", "outside_territory"
NOT_LISTED = "operator_not_listed"


class Decision(NamedTuple):
    """What is paid and why not more: `reason` when a gate is closed, `limited` when limits refuse or bind.

    `stateless_cents` is the amount before limits; `amount_cents` what is paid.
    """

    reason: str | None
    stateless_cents: Cents
    amount_cents: Cents
    limited: tuple[Limited, ...] = ()

    @property
    def eligible(self) -> bool:
        """Whether every gate was open."""
        return self.reason is None


class Gates:
    """What must hold before an amount is reckoned: validity, territory, operators, conditions."""

    def __init__(self, policy: Policy, territory: Selector) -> None:
        self._zone = policy.zone
        self._from, self._until = policy.valid_from, policy.valid_until
        self._territory = territory
        self._since = [since for since, _ in policy.operators]
        self._operators = [listed for _, listed in policy.operators]
        self._conditions: tuple[Predicate, ...] = tuple(
            compile_condition(condition, policy, territory) for condition in policy.eligibility
        )

    def local(self, instant: datetime) -> datetime:
        """`instant` by the policy's clock."""
        return instant.astimezone(self._zone)

    def closed_before_conditions(self, facts: Facts, local: datetime) -> str | None:
        """The reason of the first closed gate among validity, territory and operators."""
        day = local.date()
        if (self._from is not None and day < self._from) or (self._until is not None and day > self._until):
            return OUTSIDE_VALIDITY
        chosen = self._territory
        if chosen and not (selects(chosen, facts.start_levels) or selects(chosen, facts.end_levels)):
            return OUTSIDE_TERRITORY
        if self._since:
            at = bisect_right(self._since, facts.instant.astimezone(UTC)) - 1
            if at < 0:
                return NOT_LISTED
            if facts.operator not in self._operators[at]:
                return NOT_LISTED
        return None

    def closed_by_condition(self, facts: Facts, local: datetime) -> str | None:
        """The reason of the first condition that does not hold."""
        for position, holds in enumerate(self._conditions):
            if not holds(facts, local):
                return f"condition:{position}"
        return None

    def closed(self, facts: Facts, local: datetime) -> str | None:
        """The reason of the first closed gate of all."""
        return self.closed_before_conditions(facts, local) or self.closed_by_condition(facts, local)


class RideJudge:
    """A policy of level `ride` with what a batch says beside it: a territory and a budget."""

    def __init__(self, policy: Policy, territory: Selector = (), budget_cents: Cents | None = None) -> None:
        self.policy = policy
        self.gates = Gates(policy, territory)
        self.amounts = Amounts(policy, territory)
        self.caps = Caps(policy, budget_cents)

    def decide(self, facts: Facts, counters: Counters) -> Decision:
        """Decide one couple, and charge the counters with what is paid.

        Raises:
            BadInput: `bad_fact` when a limit needs to know somebody whom nobody named.
        """
        local = self.gates.local(facts.instant)
        reason = self.gates.closed(facts, local)
        if reason is not None:
            return Decision(reason, 0, 0)
        cents = self.amounts.stateless_cents(facts, local, facts.seats)
        if isinstance(cents, str):
            return Decision(cents, 0, 0)
        keys = self.caps.keys(facts, local.date())
        pay, limited = self.caps.judge(cents, keys, counters)
        self.caps.charge(pay, facts.seats, keys, counters)
        return Decision(None, cents, pay, tuple(limited))
