"""Ledger: the entry that a closed statement makes in the books of public money.

The Region owes the carrier what is due, tax included; penalties are its income. What comes out below zero is what the
carrier owes. A month that was closed wrongly is put right by the correction in a later one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from scolaire.contracts.statements import Statement
from socle.accounting import Account, AccountKind, Entry, Posting

PENALTIES: Final = Account("region:school_penalties", AccountKind.INCOME)


def expense_of(contract_id: str) -> Account:
    """What the Region spends under a contract, tax included."""
    return Account(f"region:school_transport:{contract_id}", AccountKind.EXPENSES)


def payable_to(carrier_id: str) -> Account:
    """What a carrier is owed: a credit."""
    return Account(f"carrier:{carrier_id}:payable", AccountKind.LIABILITIES)


def accounts_of(contract_id: str, carrier_id: str) -> tuple[Account, ...]:
    """Every account that the statements of a contract touch."""
    return expense_of(contract_id), PENALTIES, payable_to(carrier_id)


def close_month(statement: Statement, carrier_id: str, now: datetime, facts_sha256: str) -> Entry | None:
    """The entry of a statement; None when nothing is owed and nothing was spent."""
    spent = statement.net_cents + statement.vat_cents
    amounts = {
        expense_of(statement.contract_id).code: spent,
        PENALTIES.code: -statement.penalty_cents,
        payable_to(carrier_id).code: -statement.due_cents,
    }
    postings = tuple(Posting(code, cents) for code, cents in amounts.items() if cents)
    if not postings:
        return None
    key = f"school:{statement.contract_id}:{statement.month}"
    return Entry(key, "school_statement", now, postings, facts_sha256=facts_sha256)
