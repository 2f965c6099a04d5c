"""Model: a carrier's contract as values, read from a document and never changed.

Prices are whole ten-thousandths of a euro (`_e4`), because a kilometre costs fractions of a cent; what is paid is
whole cents. A coefficient is a whole number over ten to the power of its decimals. Months are such as `2026-11`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

E4: Final = 10_000  # ten-thousandths of a euro in one; also of a weight or a rate in the whole


class Kilometres(StrEnum):
    """Which kilometres are paid: from depot to depot, or those with somebody aboard."""

    DRIVEN = "driven"
    LOADED = "loaded"


class Fault(StrEnum):
    """Whose fault it is that a coach did not run."""

    CARRIER = "carrier"
    OFFICE = "office"
    NOBODY = "nobody"


class Revised(StrEnum):
    """How often prices are revised."""

    NEVER = "never"
    YEARLY = "yearly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Prices:
    """What a circuit of a lot costs; `type_id` None is for every kind of vehicle without prices of its own."""

    lot: str
    type_id: str | None
    day_e4: int
    km_e4: int
    hour_e4: int
    minimum_e4: int  # of a day on which everything ordered was run


@dataclass(frozen=True, slots=True)
class Term:
    """One index in the formula: its share of the price, and its value in the month of the offer."""

    index: str
    weight_e4: int
    base_e4: int


@dataclass(frozen=True, slots=True)
class Indexation:
    """How prices follow published indices: `fixed` + the sum of weight × value / base, rounded to `decimals`.

    The value is the one of `lag_months` before the month from which the revision holds; that month is the one itself
    when revised monthly, the last `month_of_year` when yearly; before `begins` prices are those of the offer.
    """

    revised: Revised
    begins: str = ""
    fixed_e4: int = E4
    terms: tuple[Term, ...] = ()
    month_of_year: int = 1
    lag_months: int = 0
    decimals: int = 3
    rounds_up: bool = False  # else to the nearest, half upwards


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a coach does not run, and what that changes: so much of its share of the day's price is withheld."""

    code: str
    title: str
    fault: Fault
    withheld_percent: int
    penalty: str | None = None  # the penalty that is due besides


@dataclass(frozen=True, slots=True)
class Penalty:
    """What a breach costs the carrier, each time; never indexed, and outside of value-added tax."""

    code: str
    title: str
    cents: int


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract, or an amendment of one, in force from the first of a month; `version` is the hash of its document."""

    id: str
    title: str
    carrier_id: str
    carrier: str
    version: str
    valid_from: date
    valid_until: date | None
    lots: frozenset[str]
    prices: tuple[Prices, ...]
    kilometres: Kilometres
    indexation: Indexation
    causes: tuple[Cause, ...]
    penalties: tuple[Penalty, ...]
    penalties_most_percent: int | None  # of the net amount of the month
    vat_e4: int

    def find_prices(self, lot: str, type_id: str) -> Prices | None:
        """The prices of a kind of vehicle in a lot: its own, or the ones for all."""
        found = [one for one in self.prices if one.lot == lot and one.type_id in (type_id, None)]
        return min(found, key=lambda one: one.type_id is None, default=None)

    def find_cause(self, code: str) -> Cause | None:
        """The cause of that code."""
        return next((one for one in self.causes if one.code == code), None)

    def find_penalty(self, code: str) -> Penalty | None:
        """The penalty of that code."""
        return next((one for one in self.penalties if one.code == code), None)

    def is_in_force(self, day: date) -> bool:
        """Whether it holds on a day, other versions aside."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)
