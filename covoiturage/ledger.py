"""Ledger: the chart of accounts of carpooling, and the entry that each event makes. People are pseudonyms.

| event | entry |
|---|---|
| a budget is granted | the budget of the policy grows |
| a car has closed | its estimate is promised: reserved from the budget, which never goes below zero |
| it is decided | the driver is owed the amount; the promise is undone and the budget pays what was decided |
| a ride is decided | the passenger owes the fare |
| it is disputed, the dispute ends | the driver's claim is parked, and comes back |
| a batch is paid out | claims wait at the bank, then are paid, or come back |

A correction after that is a reversal and a new entry. It may leave a driver owing the Region: that
is set against later months, shown, and never collected by itself.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final

from socle.accounting import Account, AccountKind, Entry, Posting
from socle.money import Cents

FARE_REVENUE: Final = Account("region:fare_revenue", AccountKind.INCOME)
DISPUTED: Final = Account("suspense:disputed", AccountKind.LIABILITIES)
BANK: Final = Account("bank:payments", AccountKind.ASSETS)
_REMEMBERED: Final = 50_000  # people whose account is made once: those of a national month come some forty times each


@lru_cache
def budget_of(policy_id: str) -> Account:
    """What may still be promised under a policy: never below zero."""
    return Account(f"region:budget:{policy_id}", AccountKind.ASSETS, min_balance_cents=0)


def reserve_of(policy_id: str) -> Account:
    """What is promised for cars that closed and are not decided."""
    return Account(f"reserve:{policy_id}", AccountKind.ASSETS, pending_of=budget_of(policy_id).code)


def budget_used_of(policy_id: str) -> Account:
    """What of the budget was decided."""
    return Account(f"region:budget_used:{policy_id}", AccountKind.ASSETS)


@lru_cache
def budget_granted_of(policy_id: str) -> Account:
    """What was granted in all."""
    return Account(f"region:budget_granted:{policy_id}", AccountKind.EQUITY)


@lru_cache
def subsidy_of(policy_id: str) -> Account:
    """What the Region spends under a policy."""
    return Account(f"region:subsidy_expense:{policy_id}", AccountKind.EXPENSES)


@lru_cache(maxsize=_REMEMBERED)
def payable_to(driver: str) -> Account:
    """What a driver is owed: a credit, or a debit after a correction that came too late."""
    return Account(f"driver:{driver}:payable", AccountKind.LIABILITIES)


@lru_cache(maxsize=_REMEMBERED)
def receivable_from(passenger: str) -> Account:
    """What a passenger owes for fares; ticketing collects it."""
    return Account(f"passenger:{passenger}:receivable", AccountKind.ASSETS)


def in_transit(batch_id: str) -> Account:
    """What a batch has handed to the bank and the bank has not paid."""
    return Account(f"payout:in_transit:{batch_id}", AccountKind.LIABILITIES)


@lru_cache
def accounts_of(policy_id: str) -> tuple[Account, ...]:
    """The accounts of one policy, and those that all share."""
    own = (budget_of, reserve_of, budget_used_of, budget_granted_of, subsidy_of)
    return (*(account(policy_id) for account in own), FARE_REVENUE, DISPUTED, BANK)


def grant_budget(policy_id: str, cents: Cents, decision: str, at: datetime) -> Entry:
    """`cents` more may be spent under a policy, by the vote called `decision`."""
    granted = Posting(budget_granted_of(policy_id).code, -cents)
    return Entry(f"budget:{policy_id}:{decision}", "budget_granted", at, (_to(budget_of(policy_id), cents), granted))


def reserve(carpool_id: str, policy_id: str, estimate: Cents, at: datetime, version: int = 0) -> Entry | None:
    """The promise for a car that closed, by that version of its facts; None when nothing is promised."""
    if estimate == 0:
        return None
    postings = (_to(reserve_of(policy_id), estimate), _to(budget_of(policy_id), -estimate))
    return Entry(reserve_key(carpool_id, version), "carpool_reserved", at, postings)


def reserve_key(carpool_id: str, version: int) -> str:
    """The key of a promise: the first of a car, or that of its facts put right for the `version`th time."""
    key = f"carpool:{carpool_id}:reserved"
    return f"{key}:{version}" if version else key


def decision_key(carpool_id: str, number: int) -> str:
    """The key of the entry of decision `number`."""
    return f"carpool:{carpool_id}:decision:{number}"


def fare_key(ride_id: str, number: int) -> str:
    """The key of a fare as decision `number` about the car charges it."""
    return f"ride:{ride_id}:fare" if number == 1 else f"ride:{ride_id}:fare:{number}"


def decide(
    carpool_id: str,
    number: int,
    policy_id: str,
    driver: str,
    cents: Cents,
    at: datetime,
    *,
    reserved: Cents | None = None,
    facts_sha256: str | None = None,
) -> Entry | None:
    """The driver is owed `cents` by decision `number` about a car; `reserved` was promised (None: no budget is kept).

    None when nothing is owed and nothing was promised.
    """
    postings = [_to(subsidy_of(policy_id), cents), _to(payable_to(driver), -cents)]
    if reserved is not None:
        postings.append(_to(budget_used_of(policy_id), cents))
        postings.append(_to(reserve_of(policy_id), -reserved))
        postings.append(_to(budget_of(policy_id), reserved - cents))
    moved = tuple(posting for posting in postings if posting.cents)
    if not moved:
        return None
    return Entry(decision_key(carpool_id, number), "carpool_decided", at, moved, facts_sha256=facts_sha256)


def charge_fare(ride_id: str, passenger: str, cents: Cents, at: datetime, number: int = 1) -> Entry | None:
    """A passenger owes the fare of a ride, by decision `number` about the car; None for a ride that costs nothing."""
    if cents == 0:
        return None
    postings = (_to(receivable_from(passenger), cents), _to(FARE_REVENUE, -cents))
    return Entry(fare_key(ride_id, number), "ride_fare", at, postings)


def dispute(dispute_id: str, driver: str, cents: Cents, at: datetime) -> Entry:
    """A driver's claim is parked until a dispute ends."""
    postings = (_to(payable_to(driver), cents), _to(DISPUTED, -cents))
    return Entry(f"dispute:{dispute_id}:opened", "disputed", at, postings)


def close_dispute(dispute_id: str, driver: str, cents: Cents, at: datetime) -> Entry:
    """The dispute is over: the claim comes back; when it ended against the driver the decision is reversed too."""
    postings = (_to(DISPUTED, cents), _to(payable_to(driver), -cents))
    return Entry(f"dispute:{dispute_id}:closed", "dispute_closed", at, postings)


def hand_to_bank(batch_id: str, month: str, driver: str, cents: Cents, at: datetime) -> Entry:
    """A driver's claim leaves with a batch: once per month and driver, whatever is sent twice."""
    postings = (_to(payable_to(driver), cents), _to(in_transit(batch_id), -cents))
    return Entry(f"payout:{month}:{driver}", "payout_batched", at, postings)


def confirm_payment(batch_id: str, end_to_end_id: str, cents: Cents, at: datetime) -> Entry:
    """The bank has paid."""
    postings = (_to(in_transit(batch_id), cents), _to(BANK, -cents))
    return Entry(f"payout:{end_to_end_id}:confirmed", "payout_confirmed", at, postings)


def reject_payment(batch_id: str, end_to_end_id: str, driver: str, cents: Cents, at: datetime) -> Entry:
    """The bank could not pay: the driver is owed the amount again."""
    postings = (_to(in_transit(batch_id), cents), _to(payable_to(driver), -cents))
    return Entry(f"payout:{end_to_end_id}:rejected", "payout_rejected", at, postings)


def _to(account: Account, cents: Cents) -> Posting:
    return Posting(account.code, cents)
