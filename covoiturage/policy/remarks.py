"""Remarks: what is allowed in a policy and yet looks like a slip, for whoever writes one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from covoiturage.policy.model import AmountRule, Condition, Policy, Slice
from socle.findings import Finding, Severity


def list_remarks(policy: Policy) -> list[Finding]:
    """What is odd in `policy`; `file` of a finding is the field it speaks of."""
    return [*_rules(policy), *_posts(policy), *_limits(policy), *_distances(policy)]


def _odd(code: str, field: str, **facts: int | str) -> Finding:
    return Finding(Severity.WARNING, code, field, facts=facts)


def _rules(policy: Policy) -> Iterator[Finding]:
    if not policy.amount_rules:
        yield _odd("policy_pays_nothing", "amount_rules")
    for position, rule in enumerate(policy.amount_rules):
        if rule.when is None and position + 1 < len(policy.amount_rules):
            yield _odd("policy_rule_unreachable", f"amount_rules[{position + 1}]")
            return
        if rule.mode == "single":
            yield from _gaps(rule, f"amount_rules[{position}].slices")
        yield from _ends_before_starts(rule, f"amount_rules[{position}].slices")
        yield from _overlaps_of_cumulative(rule, f"amount_rules[{position}].slices")


def _gaps(rule: AmountRule, field: str) -> Iterator[Finding]:
    for before, after in pairwise(sorted(rule.slices, key=_from)):
        if before.to_m is not None and before.to_m < after.from_m:
            yield _odd("policy_gap", field, from_m=before.to_m, to_m=after.from_m)


def _ends_before_starts(rule: AmountRule, field: str) -> Iterator[Finding]:
    for position, part in enumerate(rule.slices):
        if part.to_m is not None and part.to_m <= part.from_m:
            yield _odd("policy_to_not_above_from", f"{field}[{position}].to_m", from_m=part.from_m, to_m=part.to_m)


def _overlaps_of_cumulative(rule: AmountRule, field: str) -> Iterator[Finding]:
    if rule.mode == "cumulative":
        for before, after in pairwise(sorted(rule.slices, key=_from)):
            if before.to_m is not None and before.to_m > after.from_m:
                yield _odd("policy_slices_overlap", field, from_m=after.from_m, to_m=before.to_m)


def _from(part: Slice) -> int:
    return part.from_m


def _posts(policy: Policy) -> Iterator[Finding]:
    floor = None
    for position, operation in enumerate(policy.post):
        if operation.type == "floor" and operation.when is None:
            floor = operation.number
        if operation.type == "cap" and floor is not None and operation.number < floor:
            yield _odd("policy_cap_below_floor", f"post[{position}].cents")


def _limits(policy: Policy) -> Iterator[Finding]:
    seen: set[tuple[str, str, str, int | None]] = set()
    for position, limit in enumerate(policy.limits):
        if limit.max == 0:
            yield _odd("policy_limit_of_zero", f"limits[{position}].max")
        key = (limit.counter, limit.scope, limit.period, limit.max)
        if key in seen:
            yield _odd("policy_limit_twice", f"limits[{position}]")
        seen.add(key)


def _distances(policy: Policy) -> Iterator[Finding]:
    """Slices that no eligible distance reaches."""
    below = min((most for condition in policy.eligibility for most in _upper(condition)), default=None)
    if below is None:
        return
    for r, rule in enumerate(policy.amount_rules):
        for s, part in enumerate(rule.slices):
            if part.from_m >= below:
                yield _odd("policy_slice_unreachable", f"amount_rules[{r}].slices[{s}].from_m", below_m=below)


def _upper(condition: Condition) -> Iterator[int]:
    if condition.type == "distance" and condition.given["max_m_exclusive"] is not None:
        yield condition.given["max_m_exclusive"]
    if condition.type == "all":
        for part in condition.of:
            yield from _upper(part)
