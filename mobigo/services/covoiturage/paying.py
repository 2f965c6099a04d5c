"""Paying: what drivers are owed for a month becomes a proposal, another person approves it, the bank is told.

Approving enters each payment in the books; what the bank paid or could not pay is entered from
its file. Each step done twice is done once.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Engine

from covoiturage import ledger
from covoiturage.payments import Payee, PaymentBatch, check_month, make_batch
from covoiturage.policy.shipped import find_in_force
from covoiturage.sepa import Debtor, check_iban, latin, render_pain001
from mobigo.security import Keys
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, reading, transaction
from mobigo.store.covoiturage.carpools import CarpoolState, count_held, list_by_state
from mobigo.store.covoiturage.months import MonthFigures as MonthFigures  # shown by pages
from mobigo.store.covoiturage.months import list_months
from mobigo.store.covoiturage.payouts import (
    ItemState,
    KeptItem,
    add_batch,
    approve,
    drop_proposal,
    find_batch,
    get_item,
    list_items,
    move_item,
)
from mobigo.store.covoiturage.payouts import KeptBatch as KeptBatch  # likewise
from mobigo.store.covoiturage.policies import list_in_force
from mobigo.store.ledger.books import Books, prepare
from mobigo.store.ledger.reads import list_balances
from mobigo.store.people.accounts import get_by_pseudonym, get_identity
from socle.accounting import Entry
from socle.errors import BadInput, Conflict, Fact, Forbidden, NotFound
from socle.money import Cents, render_euros

EXECUTED_AFTER = timedelta(days=3)
_PAYABLE = ("driver:", ":payable")


@dataclass(frozen=True, slots=True)
class Batch:
    """A month's batch as it stands, with its items and who waits."""

    kept: KeptBatch
    items: tuple[KeptItem, ...]
    carried_over: Mapping[str, Cents]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What the bank's file said."""

    paid: int
    rejected: int
    known: int  # said already


def prepare_batch(engine: Engine, month: str, by: str, now: datetime) -> Batch:
    """Propose the payments of `month`; a proposal that nobody approved is made anew.

    Raises:
        BadInput: `bad_month`.
        Conflict: `month_undecided` while carpools of that month wait; `batch_approved` once it was approved.
    """
    check_month(month)
    with transaction(engine) as session:
        Books(session)  # its turn: what is owed does not change meanwhile
        # What people hold is paid with the month in which they let it go, and keeps nobody else waiting.
        waiting = list_by_state(session, month)[CarpoolState.CLOSED] - count_held(session, month)
        if waiting:
            raise Conflict("month_undecided", month=month, n=waiting)
        known = find_batch(session, month)
        if known is not None and known.approved_by is not None:
            raise Conflict("batch_approved", month=month)
        if known is not None:
            drop_proposal(session, known.id)
        batch = make_batch(month, _owed(session), _threshold_cents(session, month))
        add_batch(session, batch, by, now)
        facts: dict[str, Fact] = {"batch": batch.id, "n": len(batch.items), "cents": batch.total_cents}
        record(session, AuditLine(now, by, "covoiturage.batch_prepared", facts=facts))
        return _read(session, month)


def approve_batch(engine: Engine, month: str, by: str, now: datetime) -> Batch:
    """Approve the proposal of `month`: another person than who prepared it. Its payments are entered at once.

    Raises:
        NotFound: `no_batch`.
        Forbidden: `prepared_by_you`.
        Conflict: `batch_approved`; `batch_outdated` when a driver is owed less than the proposal says.
    """
    with transaction(engine) as session:
        books = Books(session)
        batch = _read(session, month)
        if batch.kept.prepared_by == by:
            raise Forbidden("prepared_by_you")
        execute_on = now.date() + EXECUTED_AFTER
        if not approve(session, batch.kept.id, by, execute_on, now):
            raise Conflict("batch_approved", month=month)
        entries = []
        for kept in batch.items:
            item = kept.item
            if -books.balance_cents(ledger.payable_to(item.driver).code) < item.cents:
                raise Conflict("batch_outdated", month=month, driver=item.driver)
            entries.append(ledger.hand_to_bank(batch.kept.id, month, item.driver, item.cents, now))
            move_item(session, item.end_to_end_id, ItemState.PREPARED, ItemState.HANDED)
        books.open([ledger.in_transit(batch.kept.id), ledger.BANK])
        _enter(books, entries, now)
        facts: dict[str, Fact] = {"batch": batch.kept.id, "cents": batch.kept.total_cents}
        record(session, AuditLine(now, by, "covoiturage.batch_approved", facts=facts))
        return _read(session, month)


def list_all_months(engine: Engine) -> Sequence[tuple[MonthFigures, KeptBatch | None]]:
    """Every month that has carpools, the latest first, with its batch where there is one."""
    with reading(engine) as session:
        return [(one, find_batch(session, one.month)) for one in list_months(session)]


def find_month_batch(engine: Engine, month: str) -> Batch | None:
    """The batch of `month` as it stands, where there is one.

    Raises:
        BadInput: `bad_month`.
    """
    check_month(month)
    with reading(engine) as session:
        return _read(session, month) if find_batch(session, month) is not None else None


def get_batch(engine: Engine, month: str) -> Batch:
    """The batch of `month` as it stands.

    Raises:
        NotFound: `no_batch`.
    """
    with reading(engine) as session:
        return _read(session, check_month(month))


def render_order(engine: Engine, keys: Keys, month: str, debtor: Debtor, by: str, now: datetime) -> dict[str, bytes]:
    """The files of an approved batch: `pain001.xml` for the bank, `mandats.csv` for the public accountant.

    Rendered again they are the same bytes. Whose account numbers were read is written in the log.

    Raises:
        NotFound: `no_batch`; `payee_unknown` for a driver without account here.
        Conflict: `batch_not_approved`.
        BadInput: as `render_pain001`.
    """
    with transaction(engine) as session:
        batch = _read(session, check_month(month))
        approved_at, execute_on = batch.kept.approved_at, batch.kept.execute_on
        if approved_at is None or execute_on is None:
            raise Conflict("batch_not_approved", month=month)
        payees = {one.item.driver: _payee(session, keys, one.item.driver) for one in batch.items}
        for driver in payees:
            facts: dict[str, Fact] = {"batch": batch.kept.id}
            record(session, AuditLine(now, by, "covoiturage.account_read", f"person:{driver}", facts=facts))
    values = PaymentBatch(batch.kept.id, month, tuple(one.item for one in batch.items), {})
    return {
        "pain001.xml": render_pain001(values, payees, debtor, execute_on, approved_at),
        "mandats.csv": _mandates(values, payees),
    }


def confirm(engine: Engine, file: bytes, by: str, now: datetime) -> Confirmed:
    """Enter what the bank did: a CSV with the columns `end_to_end_id` and `state` (`paid` or `rejected`).

    A line that was entered before changes nothing; one that is wrong refuses the file whole.

    Raises:
        BadInput: `bank_file_unreadable`, `bank_line_wrong` names the line.
        NotFound: `unknown_payment`.
        Conflict: `payment_ended_otherwise`.
    """
    lines = _read_bank_file(file)
    paid = rejected = known = 0
    with transaction(engine) as session:
        books, entries = Books(session), []
        for end_to_end_id, state in lines:
            batch_id, kept = get_item(session, end_to_end_id)
            item, done = kept.item, ItemState(state)
            if kept.state is done:
                known += 1
                continue
            if not move_item(session, end_to_end_id, ItemState.HANDED, done):
                raise Conflict("payment_ended_otherwise", payment=end_to_end_id)
            if done is ItemState.PAID:
                paid += 1
                entries.append(ledger.confirm_payment(batch_id, end_to_end_id, item.cents, now))
            else:
                rejected += 1
                entries.append(ledger.reject_payment(batch_id, end_to_end_id, item.driver, item.cents, now))
        _enter(books, entries, now)
        told: dict[str, Fact] = {"paid": paid, "rejected": rejected}
        record(session, AuditLine(now, by, "covoiturage.bank_answered", facts=told))
    return Confirmed(paid, rejected, known)


def _read(session: Session, month: str) -> Batch:
    kept = find_batch(session, month)
    if kept is None:
        raise NotFound("no_batch", month=month)
    items = tuple(list_items(session, kept.id))
    now_paid = {one.item.driver for one in items}
    waits = {} if kept.approved_by else {d: c for d, c in sorted(_owed(session).items()) if c and d not in now_paid}
    return Batch(kept, items, waits)


def _owed(session: Session) -> dict[str, Cents]:
    """What each driver is owed, by the books; below zero is what a driver owes."""
    before, after = _PAYABLE
    return {
        one.account.code.removeprefix(before).removesuffix(after): -one.available_cents
        for one in list_balances(session)
        if one.account.code.startswith(before) and one.account.code.endswith(after)
    }


def _threshold_cents(session: Session, month: str) -> Cents:
    policy = find_in_force(list_in_force(session), date.fromisoformat(f"{month}-01"))
    return policy.car.payout.threshold_cents if policy is not None and policy.car.payout is not None else 0


def _enter(books: Books, entries: list[Entry], now: datetime) -> None:
    books.append([prepare(entry) for entry in entries], now)
    books.flush()


def _payee(session: Session, keys: Keys, driver: str) -> Payee:
    try:
        identity = get_identity(session, keys, get_by_pseudonym(session, driver).person_id)
    except NotFound:
        raise NotFound("payee_unknown", driver=driver) from None
    if not identity.iban:
        raise NotFound("payee_unknown", driver=driver)
    return Payee(identity.name, identity.iban)


def _mandates(batch: PaymentBatch, payees: Mapping[str, Payee]) -> bytes:
    """The list from which a public accountant makes mandates: one creditor a line."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(("creancier", "iban", "montant_euros", "objet", "piece"))
    for item in batch.items:
        payee = payees[item.driver]
        told = render_euros(item.cents).replace(".", ",")
        subject = f"Covoiturage {batch.month}"
        writer.writerow((latin(payee.name), check_iban(payee.iban), told, subject, item.end_to_end_id))
    return text.getvalue().encode("utf-8-sig")


def _read_bank_file(file: bytes) -> list[tuple[str, str]]:
    try:
        rows = list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        raise BadInput("bank_file_unreadable") from None
    if not rows or not {"end_to_end_id", "state"} <= set(rows[0]):
        raise BadInput("bank_file_unreadable")
    for number, row in enumerate(rows, 2):
        if row["state"] not in {ItemState.PAID, ItemState.REJECTED} or not row["end_to_end_id"]:
            raise BadInput("bank_line_wrong", line=number)
    return [(row["end_to_end_id"], row["state"]) for row in rows]
