"""Cards: the contactless card of a pupil, which serves for years: its number, where it is, what another one costs.

A number is eight digits drawn by chance and one that checks them (Damm 2004), so that a slip of one digit, or two
neighbours that changed places, never leads to another child. Prices are dated data (`card_tariff.csv`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

from socle.accounting import Account, AccountKind, Entry, Posting
from socle.errors import BadInput
from socle.money import Cents

TARIFF: Final = "card_tariff.csv"
DRAWN_DIGITS: Final = 8

# A totally anti-symmetric quasigroup of order ten: H. M. Damm, dissertation, Marburg 2004, p. 111.
_DAMM: Final = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)
_NUMBER: Final = re.compile(rf"[0-9]{{{DRAWN_DIGITS + 1}}}")
_BETWEEN: Final = re.compile(r"[\s.·-]+")


class CardState(StrEnum):
    """Where a card is."""

    ORDERED = "ordered"
    DELIVERED = "delivered"  # sent to the family; the first validation makes it active
    ACTIVE = "active"
    BLOCKED = "blocked"  # by the office; it may be opened again
    LOST = "lost"
    REPLACED = "replaced"  # by another card, for ever


class Fee(StrEnum):
    """What became of the price of a duplicate."""

    NONE = "none"
    DUE = "due"
    PAID = "paid"
    WAIVED = "waived"


class Waiver(StrEnum):
    """Why an office asks nothing for a duplicate."""

    DEFECT = "defect"
    THEFT = "theft"
    HARDSHIP = "hardship"
    MISTAKE = "mistake"  # the office's own


MAY: Final[Mapping[CardState, frozenset[CardState]]] = {
    CardState.ORDERED: frozenset({CardState.DELIVERED, CardState.BLOCKED}),
    CardState.DELIVERED: frozenset({CardState.ACTIVE, CardState.LOST, CardState.BLOCKED}),
    CardState.ACTIVE: frozenset({CardState.LOST, CardState.BLOCKED}),
    CardState.BLOCKED: frozenset({CardState.ACTIVE, CardState.LOST}),
    CardState.LOST: frozenset({CardState.ACTIVE}),  # it was found again
    CardState.REPLACED: frozenset(),
}
"""Which state somebody may give a card next; a duplicate replaces any card but one that is only ordered."""
MAY_BE_REPLACED: Final = frozenset({CardState.DELIVERED, CardState.ACTIVE, CardState.BLOCKED, CardState.LOST})
OPENS: Final = frozenset({CardState.DELIVERED, CardState.ACTIVE})
"""The states in which a card is good aboard."""


def number_of(drawn: int) -> str:
    """The number made of digits drawn by chance.

    Raises:
        ValueError: there are more than eight of them.
    """
    if not 0 <= drawn < 10**DRAWN_DIGITS:
        raise ValueError(drawn)
    digits = f"{drawn:0{DRAWN_DIGITS}}"
    return f"{digits}{_check(digits)}"


def read_number(typed: str) -> str:
    """The number that somebody typed, with blanks or hyphens where they liked.

    Raises:
        BadInput: `card_number`: it has not nine digits, or they do not go together.
    """
    digits = _BETWEEN.sub("", typed.strip())
    if not _NUMBER.fullmatch(digits) or _check(digits) != 0:
        raise BadInput("card_number")
    return digits


def spelled(number: str) -> str:
    """A number as it is printed: `123 456 789`."""
    return " ".join(number[at : at + 3] for at in range(0, len(number), 3))


def _check(digits: str) -> int:
    found = 0
    for digit in digits:
        found = _DAMM[found][int(digit)]
    return found


@dataclass(frozen=True, slots=True)
class Price:
    """What a duplicate costs from a day on."""

    from_day: date
    duplicate_cents: Cents
    source: str


@cache
def prices() -> tuple[Price, ...]:
    """The prices of the table, the oldest first."""
    rows = csv.DictReader(files("scolaire").joinpath(TARIFF).read_text("utf-8").splitlines())
    found = (Price(date.fromisoformat(row["valid_from"]), int(row["duplicate_cents"]), row["source"]) for row in rows)
    return tuple(sorted(found, key=lambda one: one.from_day))


def duplicate_cents(day: date) -> Cents:
    """What a duplicate that is asked for on a day costs; nothing before the first price."""
    return next((one.duplicate_cents for one in reversed(prices()) if one.from_day <= day), 0)


# --- books -----------------------------------------------------------------------------------------

FEES: Final = Account("region:school_card_fees", AccountKind.INCOME)
RECEIPTS: Final = Account("bank:school_receipts", AccountKind.ASSETS)
OWED_ON_PAPER: Final = Account("region:school_card_receivable", AccountKind.ASSETS)


def receivable_from(guardian: str | None) -> Account:
    """What an account of a guardian owes for cards; one account for all families without any."""
    return OWED_ON_PAPER if guardian is None else Account(f"family:{guardian}:receivable", AccountKind.ASSETS)


def fee_key(card_id: str) -> str:
    """The key of the entry by which a duplicate is charged."""
    return f"school_card:{card_id}:fee"


def charge(card_id: str, cents: Cents, guardian: str | None, now: datetime) -> Entry:
    """A family owes the price of a duplicate."""
    postings = (Posting(receivable_from(guardian).code, cents), Posting(FEES.code, -cents))
    return Entry(fee_key(card_id), "school_card_fee", now, postings)


def settle(card_id: str, charged: Entry, now: datetime) -> Entry:
    """What was charged has been paid."""
    owed = next(posting for posting in charged.postings if posting.cents > 0)
    postings = (Posting(RECEIPTS.code, owed.cents), Posting(owed.account, -owed.cents))
    return Entry(f"school_card:{card_id}:paid", "school_card_paid", now, postings)
