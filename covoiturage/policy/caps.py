"""Caps: counters of what was really paid, and the limits that read them.

A limit's order never changes an amount: all counters are read, then whoever is full refuses,
amounts bind, and all counters are charged with what is paid in the end; a journey that is paid
nothing charges nothing (unless a limit counts unpaid ones too). Days, weeks, months and years
are those of the policy's clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from covoiturage.policy.facts import Facts
from covoiturage.policy.model import AMOUNT, PERIODS, SCOPES, SEATS, TRIPS, Limit, Policy
from socle.errors import BadInput
from socle.money import Cents

Key = tuple[str, str, str | None, str, str | None]  # (counter, scope, subject, period, period_key)

# What a limit counts -> the name of its counter in a state.
COUNTER_NAMES: Mapping[str, str] = {TRIPS: "trips", AMOUNT: "amount_cents", SEATS: "seats_in_same_vehicle_trip"}
PAYABLE_TRIPS = "payable_trips"  # of a driver and day, with an amount before limits: the legal cap counts them
_ROW = ("counter", "scope", "subject", "period", "period_key", "value")
_COUNTERS = frozenset({*COUNTER_NAMES.values(), PAYABLE_TRIPS})


class Counters:
    """What was counted so far; charged by decisions, in their order."""

    def __init__(self, values: Mapping[Key, int] | None = None) -> None:
        self.values: dict[Key, int] = dict(values or {})

    def as_rows(self) -> list[dict[str, object]]:
        """The state as plain objects, in a fixed order."""
        counted = [(key, value) for key, value in self.values.items() if value]
        return [dict(zip(_ROW, (*key, value), strict=True)) for key, value in in_order(counted)]


def in_order(counted: list[tuple[Key, int]]) -> list[tuple[Key, int]]:
    """Counters with their values in the order in which they are told, an unsaid part before all others."""
    try:
        return sorted(counted)  # parts that may be unsaid are told apart by those before them
    except TypeError:  # but where somebody says otherwise
        return sorted(counted, key=lambda item: tuple([part or "" for part in item[0]]))


def read_counters(rows: Any) -> Counters:
    """The state that `Counters.as_rows` gave.

    Raises:
        BadInput: `bad_counter` names the row's position.
    """
    counters = Counters()
    if rows is not None and not isinstance(rows, list):
        raise BadInput("bad_counter", position=0)
    for position, row in enumerate(rows or ()):
        if not isinstance(row, dict):
            raise BadInput("bad_counter", position=position)
        counter, scope, subject, period, period_key, value = (row.get(name) for name in _ROW)
        known = counter in _COUNTERS and scope in SCOPES and period in PERIODS
        texts = all(word is None or isinstance(word, str) for word in (subject, period_key))
        if not (known and texts and type(value) is int and value >= 0):
            raise BadInput("bad_counter", position=position)
        key = (str(counter), str(scope), subject, str(period), period_key)
        if key in counters.values:
            raise BadInput("bad_counter", position=position)
        counters.values[key] = value
    return counters


class Limited(NamedTuple):
    """The limit that refused or bound: of its counter, for whom and when, how much and how much was used before."""

    counter: str
    scope: str
    subject: str | None
    period: str
    period_key: str | None
    max: int
    used: int


@dataclass(frozen=True, slots=True)
class _Counter:
    """One counter that limits of a policy share: (what, scope, period)."""

    counter: str
    scope: str
    period: str
    count_unpaid: bool


@lru_cache(maxsize=4096)
def period_keys(day: date) -> Mapping[str, str | None]:
    """What each period that holds `day` is called."""
    year, week, _ = day.isocalendar()
    return {
        "day": day.isoformat(),
        "iso_week": f"{year:04d}-W{week:02d}",
        "month": f"{day.year:04d}-{day.month:02d}",
        "year": f"{day.year:04d}",
        "campaign": None,
    }


def subject_of(scope: str, facts: Facts) -> str | None:
    """Whose counter it is.

    Raises:
        BadInput: `bad_fact` when nobody said who that is.
    """
    if scope == "campaign":
        return None
    if scope == "vehicle_trip":
        if facts.operator_id is None or facts.trip_id is None:
            missing = "operator_id" if facts.operator_id is None else "operator_trip_id"
            raise BadInput("bad_fact", field=missing, problem="needed_by_a_limit")
        return f"{facts.operator_id}/{facts.trip_id}"
    subject = facts.driver if scope == "driver" else facts.passenger
    if subject is None:
        raise BadInput("bad_fact", field=scope, problem="needed_by_a_limit")
    return subject


class Caps:
    """The limits of a policy, ready to judge; `budget_cents` is what `campaign_budget` stands for (None: no bound)."""

    def __init__(self, policy: Policy, budget_cents: Cents | None, *, scopes: Iterable[str] = SCOPES) -> None:
        by_priority = sorted(
            (limit for limit in policy.limits if limit.scope in set(scopes)), key=lambda limit: limit.priority
        )
        unpaid = {_identity(limit) for limit in by_priority if limit.count_unpaid}
        self._counters = tuple(
            _Counter(*identity, identity in unpaid) for identity in dict.fromkeys(map(_identity, by_priority))
        )
        at = {(one.counter, one.scope, one.period): i for i, one in enumerate(self._counters)}
        limits = [(limit, budget_cents if limit.max is None else limit.max) for limit in by_priority]
        # (limit, its maximum, position of its counter), without those that bind nothing
        self._limits = tuple((limit, most, at[_identity(limit)]) for limit, most in limits if most is not None)
        kinds = {name: kind for kind, name in COUNTER_NAMES.items()}
        self._kinds = tuple((kinds[one.counter], one.count_unpaid) for one in self._counters)
        self._counts_unpaid = bool(unpaid)
        self.counts = bool(self._counters)
        self.counts_cents = any(one.counter == "amount_cents" for one in self._counters)

    def keys(self, facts: Facts, day: date) -> list[Key]:
        """The counters that a journey reads and charges, in the order of `judge`'s."""
        names, keys = period_keys(day), []
        for one in self._counters:
            scope, period = one.scope, one.period
            keys.append((one.counter, scope, subject_of(scope, facts), period, names[period]))
        return keys

    def judge(self, cents: Cents, keys: list[Key], counters: Counters) -> tuple[Cents, list[Limited]]:
        """What of `cents` is paid, and the limits that refused or bound, by priority. Nothing is charged yet."""
        values, pay = counters.values, cents
        told = []
        if not cents:
            return 0, []
        for limit, most, at in self._limits:
            used = values.get(keys[at], 0)
            if limit.counter == AMOUNT:
                left = most - used
                if left >= cents:
                    continue
                pay = min(pay, max(0, left))
            elif used >= most:
                pay = 0
            else:
                continue
            told.append((keys[at], most, used))
        return pay, [Limited(*key, most, used) for key, most, used in told]

    def find_full(self, keys: list[Key], counters: Counters, had: Counters) -> Limited | None:
        """The first limit, by priority, that leaves nothing after what was counted and `had`; None: there is room."""
        for _, most, at in self._limits:
            key = keys[at]
            used = counters.values.get(key, 0) + had.values.get(key, 0)
            if used >= most:
                return Limited(*key, most, used)
        return None

    def charge(self, pay: Cents, seats: int, keys: list[Key], counters: Counters, *, paid: bool = False) -> None:
        """Count what is paid: a journey, its seats, its cents; `paid`: it was, though this part of it is nothing."""
        paid = paid or pay > 0
        if not paid and not self._counts_unpaid:
            return
        values = counters.values
        for (kind, unpaid), key in zip(self._kinds, keys, strict=True):
            if paid or unpaid:
                values[key] = values.get(key, 0) + (1 if kind == TRIPS else pay if kind == AMOUNT else seats)


def _identity(limit: Limit) -> tuple[str, str, str]:
    return COUNTER_NAMES[limit.counter], limit.scope, limit.period
