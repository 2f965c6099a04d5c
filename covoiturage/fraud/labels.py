"""Labels: what a rule says about a carpool, how grave it is, and what the rules are given beside the carpools.

`block` is what cannot be, `hold` what people look at before anything is paid, `note` what is told
beside and stops nothing. People stand in all of this by pseudonyms and keyed hashes alone, and the
facts of a label hold figures and ids: no place, no name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from socle.errors import Fact
from socle.geo import LatLon


class Severity(StrEnum):
    """What a label does to the decision about its carpool."""

    BLOCK = "block"
    HOLD = "hold"
    NOTE = "note"


class Code(StrEnum):
    """Every label."""

    # One car, by itself.
    SAME_IDENTITY = "same_identity"
    SAME_DEVICE = "same_device"
    SAME_PHONE = "same_phone"
    SAME_IBAN = "same_iban"
    TOO_SHORT = "too_short"
    TOO_FAST = "too_fast"
    METRES_UNLIKE_ROUTE = "metres_unlike_route"
    SECONDS_UNLIKE_ROUTE = "seconds_unlike_route"
    TOO_MANY_ABOARD = "too_many_aboard"
    # Its traces.
    STOP_NOT_APPROACHED = "stop_not_approached"
    APART = "apart"
    TELEPORT = "teleport"
    GPS_OUTLIER = "gps_outlier"
    TRACE_GAP = "trace_gap"
    IDENTICAL_TRACES = "identical_traces"
    LEFT_TOGETHER = "left_together"
    CLOCK_AHEAD = "clock_ahead"
    CLOCK_SKEW = "clock_skew"
    # The same people's other cars, around it.
    DUPLICATE_ID = "duplicate_id"
    DECLARED_TWICE = "declared_twice"
    OVERLAP = "overlap"
    OVERLAP_IN_PART = "overlap_in_part"
    TOO_CLOSE = "too_close"
    TOO_MANY_TRIPS = "too_many_trips"
    ROLE_SWAP = "role_swap"
    # A month of it.
    CONSTANT = "constant"
    REPLAYED_TRACE = "replayed_trace"
    DEVICE_OF_MANY = "device_of_many"
    IBAN_OF_MANY = "iban_of_many"
    CLOSED_GROUP = "closed_group"
    CAPTIVE_PASSENGERS = "captive_passengers"


_BLOCKS = frozenset(
    {
        Code.SAME_IDENTITY,
        Code.SAME_DEVICE,
        Code.TOO_SHORT,
        Code.TOO_FAST,
        Code.DUPLICATE_ID,
        Code.DECLARED_TWICE,
        Code.OVERLAP,
        Code.IDENTICAL_TRACES,
        Code.REPLAYED_TRACE,
    }
)
# The policy itself pays no more than so many trips a day, so what is beyond needs nobody's decision.
_NOTES = frozenset({Code.GPS_OUTLIER, Code.TRACE_GAP, Code.CLOCK_SKEW, Code.TOO_MANY_TRIPS})
SEVERITY_OF: Mapping[Code, Severity] = {
    code: Severity.BLOCK if code in _BLOCKS else Severity.NOTE if code in _NOTES else Severity.HOLD for code in Code
}


@dataclass(frozen=True, slots=True)
class Label:
    """What one rule says about one carpool, or one ride in it; `facts` fill the rule's sentence."""

    code: Code
    carpool_id: str
    ride_id: str | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """How grave it is."""
        return SEVERITY_OF[self.code]

    @property
    def stops(self) -> bool:
        """Whether nothing is decided about the carpool until people have."""
        return self.severity is not Severity.NOTE


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of an account, as keyed hashes: who, which telephone number, which device, which bank account."""

    identity: str | None = None
    phone: str | None = None
    device: str | None = None
    iban: str | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """Where a ride was said to begin and end, and what the streets say of it."""

    start: LatLon | None = None
    end: LatLon | None = None
    routed_m: int | None = None
    routed_s: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the rules are given beside the carpools: accounts by pseudonym, ways by ride, declarations by carpool."""

    people: Mapping[str, Person] = field(default_factory=dict)
    ways: Mapping[str, Way] = field(default_factory=dict)
    declared_at: Mapping[str, datetime] = field(default_factory=dict)
