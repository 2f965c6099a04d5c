"""Payments: what is owed at the end of a month → one batch: whom, how much, and who waits for the next.

A driver is paid once per month, when what is owed reaches the threshold of the policy; what is
below is carried over, as is what drivers owe after a correction. A batch is a proposal until
somebody else than who prepared it approves it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from socle.errors import BadInput
from socle.money import Cents

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_MOST_ITEMS = 999_999


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is paid into which account: `name` and `iban` are identity, and never enter the books."""

    name: str
    iban: str
    bic: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One driver's payment: `end_to_end_id` names it at both banks, in at most 35 characters."""

    driver: str
    cents: Cents
    end_to_end_id: str


@dataclass(frozen=True, slots=True)
class PaymentBatch:
    """What is paid for one month; items are in the order of the drivers' pseudonyms."""

    id: str
    month: str
    items: tuple[Item, ...]
    carried_over: Mapping[str, Cents]  # driver -> what waits for next month; below zero: what is owed to the Region

    @property
    def total_cents(self) -> Cents:
        """The sum of the items."""
        return sum(item.cents for item in self.items)

    @property
    def carried_over_cents(self) -> Cents:
        """What waits, of those to whom something is owed."""
        return sum(cents for cents in self.carried_over.values() if cents > 0)


def check_month(month: str) -> str:
    """`month` itself when it is a month, as YYYY-MM.

    Raises:
        BadInput: `bad_month`.
    """
    if _MONTH.fullmatch(month) is None:
        raise BadInput("bad_month", month=month[:20])
    return month


def next_month_start(month: str) -> date:
    """The first day after `month`."""
    year, number = int(month[:4]), int(month[5:])
    return date(year + number // 12, number % 12 + 1, 1)


def make_batch(month: str, owed_cents: Mapping[str, Cents], threshold_cents: Cents) -> PaymentBatch:
    """The batch of `month` for what drivers are owed; the same claims make the same batch.

    Raises:
        BadInput: `bad_month`; `batch_too_large` beyond a million drivers.
    """
    batch_id = f"covoiturage-{check_month(month)}"
    paid = [(driver, cents) for driver, cents in sorted(owed_cents.items()) if cents >= max(1, threshold_cents)]
    if len(paid) > _MOST_ITEMS:
        raise BadInput("batch_too_large", n=len(paid))
    items = tuple(Item(driver, cents, f"{batch_id}-{position:06d}") for position, (driver, cents) in enumerate(paid, 1))
    now = {item.driver for item in items}
    waits = {driver: cents for driver, cents in sorted(owed_cents.items()) if driver not in now and cents}
    return PaymentBatch(batch_id, month, items, waits)


# --- when the money of one decision was paid ---------------------------------------------------


class PayoutState(StrEnum):
    """How far the money of a decision got. A payment pays all that its driver is owed, corrections taken off."""

    PAID = "paid"
    HANDED = "handed"  # to the bank, which has not answered
    REJECTED = "rejected"  # by the bank: owed again, and no batch has paid it since
    CARRIED_OVER = "carried_over"  # the last batch left it for a later one: too little was owed
    DISPUTED = "disputed"  # parked until somebody answers


@dataclass(frozen=True, slots=True)
class Payment:
    """An approved batch as one driver sees it: how their payment ended; None and 0 when it pays them nothing."""

    batch_id: str
    month: str
    prepared_at: datetime
    execute_on: date
    state: PayoutState | None
    cents: Cents


@dataclass(frozen=True, slots=True)
class Payout:
    """Where the money of a decision is: in which batch, to be paid when, in a payment of how much."""

    state: PayoutState
    batch_id: str = ""
    month: str = ""
    execute_on: date | None = None
    cents: Cents = 0


def find_payout(owed_at: datetime, payments: Sequence[Payment]) -> Payout | None:
    """Where the money is that a driver was owed at an instant; None before any batch was approved since.

    `payments` are all approved batches in the order in which they were prepared. Each pays what was owed by
    then whole or not at all, so that the first one to pay the driver pays this.
    """
    last: Payout | None = None
    for one in payments:
        if one.prepared_at < owed_at:
            continue
        if one.state is None and last is not None and last.state is PayoutState.REJECTED:
            continue  # what came back from the bank is told until it is paid
        state = one.state or PayoutState.CARRIED_OVER
        last = Payout(state, one.batch_id, one.month, one.execute_on if one.state else None, one.cents)
        if one.state in {PayoutState.PAID, PayoutState.HANDED}:
            return last
    return last
