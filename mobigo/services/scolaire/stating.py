"""Stating: the month of a contract counted, proposed by one person, approved by another, entered in the books.

An approved month stays. What is told of it afterwards (a run that did not take place, an index, another published
plan) is a correction in the next statement: what the month comes to now, less all that was stated for it. Months are
closed in their order, so that none is left open behind; one that came to nothing needs no statement, and what is told
of it later is corrected like the others. After the end of a contract its statements hold corrections alone.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire.contracting import (
    MOST_MONTHS_BACK,
    contracts_on,
    contracts_seen,
    get_contract,
    list_orders,
    months_of,
)
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, reading, transaction
from mobigo.store.ledger.books import Books, prepare
from mobigo.store.scolaire import contracts as store
from mobigo.store.scolaire.contracts import Event, EventKind
from mobigo.store.scolaire.contracts import KeptStatement as KeptStatement  # doors name it
from scolaire.calendar import first_of, month_before
from scolaire.contracts import ledger
from scolaire.contracts.invoices import Check, check_invoice
from scolaire.contracts.model import Contract
from scolaire.contracts.orders import Breach, Extra, NotRun
from scolaire.contracts.statements import (
    Correction,
    Facts,
    LineKind,
    Statement,
    is_owed,
    make_statement,
)
from socle.errors import Conflict, Fact, Forbidden, NotFound

MONTHS_LISTED: Final = 12  # of each contract


@dataclass(frozen=True, slots=True)
class Month:
    """A month of a contract: what it comes to now, and what was proposed or approved of it."""

    contract: Contract
    month: str
    now: Statement
    kept: KeptStatement | None

    @property
    def shown(self) -> Statement:
        """What was approved; before that, what the month comes to now."""
        return self.kept.statement if self.kept is not None and self.kept.approved_by is not None else self.now


@dataclass(frozen=True, slots=True)
class Standing:
    """A contract in lists: the months to look at, the newest first, with what was stated of each."""

    contract: Contract
    months: Sequence[tuple[str, KeptStatement | None]]

    def is_after_end(self, month: str) -> bool:
        """Whether a month is one in which the contract is only put right."""
        return self.contract.valid_until is not None and first_of(month) > self.contract.valid_until


def list_standing(engine: Engine, keys: Keys, day: date) -> list[Standing]:
    """The contracts in force on a day or ended not long before, with what was stated of their months.

    Of one that ended, the last month that is over stands first when there is something of it to put right.

    Raises:
        BadInput: `calendar_unknown`, `index_unknown`.
    """
    with reading(engine) as session:
        found = []
        for contract in contracts_seen(session, day).values():
            kept = {one.statement.month: one for one in store.list_statements(session, [contract.id])}
            months = {month: kept.get(month) for month in _listed(contract, day)}
            last, over = next(iter(months)), month_before(f"{day:%Y-%m}", 1)
            months |= {month: one for month, one in kept.items() if month > last}
            if over > last and _corrections(session, keys, contract.id, over):
                months[over] = kept.get(over)
            found.append(Standing(contract, sorted(months.items(), key=lambda each: each[0], reverse=True)))
    return found


def _listed(contract: Contract, day: date) -> list[str]:
    """The last months of a contract until a day, the newest first."""
    newest = f"{min(day, contract.valid_until or day):%Y-%m}"
    months = [month_before(newest, back) for back in range(MONTHS_LISTED)]
    return [month for month in months if first_of(month) >= contract.valid_from]


def get_month(engine: Engine, keys: Keys, contract_id: str, month: str) -> Month:
    """A month of a contract as it stands.

    Raises:
        BadInput: `bad_month`, `calendar_unknown`, `index_unknown`.
        NotFound: `unknown_contract`.
    """
    with reading(engine) as session:
        return _month(session, keys, contract_id, month)


def _month(session: Session, keys: Keys, contract_id: str, month: str) -> Month:
    contract = get_contract(session, contract_id, month)
    kept = store.find_statement(session, contract_id, month)
    corrections = _corrections(session, keys, contract_id, month)
    return Month(contract, month, statement_of(session, keys, contract, month, corrections), kept)


def statement_of(
    session: Session, keys: Keys, contract: Contract, month: str, corrections: Sequence[Correction] = ()
) -> Statement:
    """What a month of a contract comes to now."""
    return make_statement(contract, month, _facts(session, keys, month), store.get_values(session), corrections)


def _facts(session: Session, keys: Keys, month: str) -> Facts:
    last = last_of(month)
    events = store.list_events(session, first_of(month), last)
    return Facts(list_orders(session, keys, last), *_events(events))


def _events(events: Sequence[Event]) -> tuple[list[NotRun], list[Breach], list[Extra]]:
    of = {kind: [one for one in events if one.kind is kind] for kind in EventKind}
    return (
        [NotRun(one.day, one.about, one.run_id, one.code) for one in of[EventKind.NOT_RUN]],
        [Breach(one.day, one.about, one.code, one.n) for one in of[EventKind.BREACH]],
        [
            Extra(one.day, one.about, one.code, one.type_id, one.metres, one.seconds, one.has_day)
            for one in of[EventKind.EXTRA]
        ],
    )


def last_of(month: str) -> date:
    """The last day of a month."""
    return first_of(month_before(month, -1)) - timedelta(days=1)


def _corrections(session: Session, keys: Keys, contract_id: str, month: str) -> list[Correction]:
    """What the months before come to now, less what was stated for them until then.

    A month that nobody stated counts as stated at nothing once a later one is closed.
    """
    closed = [one for one in _approved(session, contract_id) if one.month < month]
    net: Counter[str] = Counter()
    penalties: Counter[str] = Counter()
    for statement in closed:
        for line in statement.lines:
            net[line.about if line.kind is LineKind.CORRECTION else statement.month] += line.cents
        for line in statement.penalties:
            penalties[line.about if line.kind is LineKind.CORRECTION else statement.month] += line.cents
    found = []
    for at, contract in _months_back(session, contract_id, month):
        is_stated = any(statement.month == at for statement in closed)
        is_passed_over = any(statement.month > at for statement in closed)
        if not is_stated and not (is_passed_over and is_owed(contract, at, _facts(session, keys, at))):
            continue
        again = statement_of(session, keys, contract, at)
        correction = Correction(at, again.net_cents - net[at], again.penalty_cents - penalties[at])
        if correction.net_cents or correction.penalty_cents:
            found.append(correction)
    return found


def _approved(session: Session, contract_id: str) -> list[Statement]:
    return [one.statement for one in store.list_statements(session, [contract_id]) if one.approved_by is not None]


def _months_back(session: Session, contract_id: str, month: str) -> list[tuple[str, Contract]]:
    """The months before one in which the contract was in force, each with its version, the oldest first."""
    return months_of(session, contract_id, [month_before(month, back) for back in range(MOST_MONTHS_BACK, 0, -1)])


def _check_order(session: Session, keys: Keys, contract_id: str, month: str) -> None:
    closed = {one.month for one in _approved(session, contract_id)}
    if any(one > month for one in closed):
        raise Conflict("later_month_closed", month=month)
    for at, contract in _months_back(session, contract_id, month):
        is_open = at not in closed and not any(one > at for one in closed)
        if is_open and is_owed(contract, at, _facts(session, keys, at)):
            raise Conflict("earlier_month_open", month=month, open=at)


def prepare_month(engine: Engine, keys: Keys, contract_id: str, month: str, by: str, now: datetime) -> Month:
    """Propose the statement of a month that has ended; one that nobody approved is made anew.

    Raises:
        BadInput, NotFound: as `get_month`.
        Conflict: `statement_too_early`, `statement_provisional`, `statement_approved`, `later_month_closed`,
            `earlier_month_open`; `nothing_to_state` after the end of the contract.
    """
    if last_of(month) >= now.date():
        raise Conflict("statement_too_early", month=month)
    with transaction(engine) as session:
        Books(session)  # its turn: no other statement of the contract is closed meanwhile
        found = _month(session, keys, contract_id, month)
        if found.now.is_provisional:
            raise Conflict("statement_provisional", month=month)
        _check_order(session, keys, contract_id, month)
        is_ended = not contracts_on(session, first_of(month)).get(contract_id)
        if is_ended and not (found.now.lines or found.now.penalties):
            raise Conflict("nothing_to_state", month=month)
        store.put_proposal(session, found.now, by, now)
        facts: dict[str, Fact] = {"contract_id": contract_id, "month": month, "cents": found.now.due_cents}
        record(session, AuditLine(now, by, "school.statement_prepared", facts=facts))
        return _month(session, keys, contract_id, month)


def approve_month(engine: Engine, keys: Keys, contract_id: str, month: str, by: str, now: datetime) -> Month:
    """Approve what another person proposed, and enter it in the books.

    Raises:
        NotFound: `no_statement`, `unknown_contract`.
        Forbidden: `prepared_by_you`.
        Conflict: `statement_approved`, `later_month_closed`, `earlier_month_open`; `statement_outdated` when the
            month comes to something else by now.
    """
    with transaction(engine) as session:
        books = Books(session)
        found = _month(session, keys, contract_id, month)
        kept = found.kept
        if kept is None:
            raise NotFound("no_statement", month=month)
        if kept.prepared_by == by:
            raise Forbidden("prepared_by_you")
        _check_order(session, keys, contract_id, month)
        if kept.approved_by is not None:
            raise Conflict("statement_approved", month=month)
        if kept.statement != found.now:
            raise Conflict("statement_outdated", month=month)
        if not store.approve(session, contract_id, month, by, now):
            raise Conflict("statement_approved", month=month)
        carrier = found.contract.carrier_id
        digest = hashlib.sha256(kept.document).hexdigest()
        entry = ledger.close_month(kept.statement, carrier, now, digest)
        if entry is not None:
            books.open(ledger.accounts_of(contract_id, carrier))
            books.append([prepare(entry)], now)
            books.flush()
        facts: dict[str, Fact] = {"contract_id": contract_id, "month": month, "cents": kept.statement.due_cents}
        record(session, AuditLine(now, by, "school.statement_approved", facts=facts))
        return _month(session, keys, contract_id, month)


def check(engine: Engine, keys: Keys, contract_id: str, month: str, content: bytes) -> Check:
    """A carrier's invoice against the statement that was approved, or else against what the month comes to now.

    Raises:
        BadInput, NotFound: as `get_month`.
    """
    return check_invoice(get_month(engine, keys, contract_id, month).shown, content)
