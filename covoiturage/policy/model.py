"""Model: what a policy says, checked and frozen; money rates are exact fractions, metres whole.

Made by `language` from documents only, so that whoever reads it need not check it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from shapely.geometry.base import BaseGeometry

RIDE, VEHICLE_TRIP = "ride", "vehicle_trip"
CAMPAIGN_BUDGET = "campaign_budget"
PERIODS = ("day", "iso_week", "month", "year", "campaign")
SCOPES = ("driver", "passenger", "vehicle_trip", "campaign")
TRIPS, AMOUNT, SEATS = "trips", "amount", "seats_in_same_vehicle_trip"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: its type, its parameters, and the conditions it is made of."""

    type: str
    given: Mapping[str, Any] = field(default_factory=dict)
    of: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """One term of an amount, with its parameters: cents and rates as exact fractions, metres whole."""

    type: str
    given: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Slice:
    """What is added from `from_m` metres on; `to_m` (excluded, None: open) ends it in mode `single`."""

    from_m: int
    to_m: int | None
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class AmountRule:
    """How an amount is made when `when` holds (None: always). `target` is set in mode `complement_to_target`."""

    when: Condition | None
    mode: str
    slices: tuple[Slice, ...] = ()
    target: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class PostOperation:
    """What is done to the amount afterwards; `number` is the factor or the cents."""

    type: str
    when: Condition | None
    number: Fraction


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `max` (None: the batch's budget) of what `counter` counts, per subject of `scope` and `period`."""

    counter: str
    period: str
    scope: str
    max: int | None
    priority: int
    count_unpaid: bool


@dataclass(frozen=True, slots=True)
class Fare:
    """What a passenger is asked: `cents` per seat when `mode` is flat, else what ticketing quoted."""

    mode: str
    cents: int


@dataclass(frozen=True, slots=True)
class LegalCap:
    """The cost of a kilometre that a driver may not earn on, lifted for the first short trips of a day."""

    cents_per_km: Fraction
    short_m: int
    short_trips_per_day: int


@dataclass(frozen=True, slots=True)
class Payout:
    """When drivers are paid: per `period`, once their balance reaches `threshold_cents`."""

    period: str
    threshold_cents: int


@dataclass(frozen=True, slots=True)
class CarRules:
    """What only a policy of level `vehicle_trip` says. `empty_run`: none, km, or cents for a car without passenger."""

    distance_basis: str = "driver_on_line"
    detour_ratio_max: Fraction = Fraction(11, 10)
    passenger_basis: str = "distinct"
    empty_run: str | int = "none"
    fare: Fare | None = None
    legal_cap: LegalCap | None = None
    payout: Payout | None = None
    ride_eligibility: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one campaign in one version. `version` is the SHA-256 of its document."""

    id: str
    title: str
    version: str
    level: str
    zone: ZoneInfo
    valid_from: date | None
    valid_until: date | None
    operators: tuple[tuple[datetime, frozenset[str]], ...]  # from that instant on: these; by instant
    eligibility: tuple[Condition, ...]
    amount_rules: tuple[AmountRule, ...]
    post: tuple[PostOperation, ...]
    limits: tuple[Limit, ...]
    car: CarRules
    dates: Mapping[str, frozenset[date]] = field(default_factory=dict)
    shapes: Mapping[str, BaseGeometry] = field(default_factory=dict)
