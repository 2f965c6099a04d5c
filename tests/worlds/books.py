"""Small books for tests: the Region's accounts, and entries said in one line."""

from __future__ import annotations

from datetime import UTC, datetime

from socle.accounting import Account, AccountKind, Entry, Posting

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)

EXPENSE, GRANTED = "region:subsidy_expense:bfc-lignes", "region:budget_granted:bfc-lignes"
BUDGET, RESERVE = "region:budget:bfc-lignes", "reserve:bfc-lignes"
ANNE, BASILE = "driver:anne:payable", "driver:basile:payable"

REGION = (
    Account(EXPENSE, AccountKind.EXPENSES),
    Account(GRANTED, AccountKind.EQUITY),
    Account(BUDGET, AccountKind.ASSETS, min_balance_cents=0),
    Account(RESERVE, AccountKind.ASSETS, min_balance_cents=0, pending_of=BUDGET),
    Account(ANNE, AccountKind.LIABILITIES),
    Account(BASILE, AccountKind.LIABILITIES),
)


def moved(key: str, to: str, cents: int, out_of: str, kind: str = "moved") -> Entry:
    """`cents` from one account to another."""
    return Entry(key, kind, NOON, (Posting(to, cents), Posting(out_of, -cents)))


def decided(key: str, cents: int = 430, driver: str = ANNE) -> Entry:
    """A carpool's subsidy, owed to its driver; no budget bounds it."""
    return moved(key, EXPENSE, cents, driver, "carpool_decided")


def granted(cents: int) -> Entry:
    """The budget of a policy."""
    return moved("budget", BUDGET, cents, GRANTED, "budget_granted")


def reserved(key: str, cents: int) -> Entry:
    """What a carpool is expected to cost, put aside."""
    return moved(key, RESERVE, cents, BUDGET, "carpool_reserved")
