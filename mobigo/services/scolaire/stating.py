"""Stating: the month of a contract counted, proposed by one person, approved by another, entered in the books.

An approved month stays. What is told of it afterwards (a run that did not take place, an index, another published
plan) is a correction in the next statement: what the month comes to now, less all that was stated for it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire.contracting import contracts_on, get_contract, list_orders, list_plans, plan_year
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, reading, transaction
from mobigo.store.ledger.books import Books, prepare
from mobigo.store.scolaire import contracts as store
from mobigo.store.scolaire.contracts import Event, EventKind
from mobigo.store.scolaire.contracts import KeptStatement as KeptStatement  # doors name it
from mobigo.store.scolaire.sectors import list_sectors, load_sector
from scolaire.calendar import first_of, month_before
from scolaire.contracts import ledger
from scolaire.contracts.costs import Costs, share_costs, weekly_rides
from scolaire.contracts.invoices import Check, check_invoice
from scolaire.contracts.model import Contract
from scolaire.contracts.orders import Breach, Extra, NotRun
from scolaire.contracts.statements import Correction, Facts, LineKind, Statement, cents_by_circuit, make_statement
from socle.errors import Conflict, Fact, Forbidden, NotFound

MOST_MONTHS_BACK: Final = 24  # for which a closed month is looked at again


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
    """A contract in lists, with the months that were stated."""

    contract: Contract
    months: Sequence[KeptStatement]


def list_standing(engine: Engine, day: date) -> list[Standing]:
    """The contracts in force on a day, with what was stated of them."""
    with reading(engine) as session:
        contracts = contracts_on(session, day)
        stated = store.list_statements(session, list(contracts))
    return [
        Standing(contract, [one for one in stated if one.statement.contract_id == contract.id])
        for contract in contracts.values()
    ]


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
    return Month(contract, month, _statement(session, keys, contract, month, corrections), kept)


def _statement(
    session: Session, keys: Keys, contract: Contract, month: str, corrections: Sequence[Correction] = ()
) -> Statement:
    last = _last_of(month)
    events = store.list_events(session, first_of(month), last)
    facts = Facts(list_orders(session, keys, last), *_events(events))
    return make_statement(contract, month, facts, store.get_values(session), corrections)


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


def _last_of(month: str) -> date:
    return first_of(month_before(month, -1)) - timedelta(days=1)


def _corrections(session: Session, keys: Keys, contract_id: str, month: str) -> list[Correction]:
    """What the months closed before come to now, less what was stated for them until then."""
    oldest = month_before(month, MOST_MONTHS_BACK)
    closed = [
        one.statement
        for one in store.list_statements(session, [contract_id])
        if one.approved_by is not None and oldest <= one.statement.month < month
    ]
    net: Counter[str] = Counter()
    penalties: Counter[str] = Counter()
    for statement in closed:
        for line in statement.lines:
            net[line.about if line.kind is LineKind.CORRECTION else statement.month] += line.cents
        for line in statement.penalties:
            penalties[line.about if line.kind is LineKind.CORRECTION else statement.month] += line.cents
    found = []
    for statement in closed:
        at = statement.month
        again = _statement(session, keys, get_contract(session, contract_id, at), at)
        correction = Correction(at, again.net_cents - net[at], again.penalty_cents - penalties[at])
        if correction.net_cents or correction.penalty_cents:
            found.append(correction)
    return found


def _check_order(session: Session, contract_id: str, month: str) -> None:
    closed = [one.statement.month for one in store.list_statements(session, [contract_id]) if one.approved_by]
    if any(one > month for one in closed):
        raise Conflict("later_month_closed", month=month)


def prepare_month(engine: Engine, keys: Keys, contract_id: str, month: str, by: str, now: datetime) -> Month:
    """Propose the statement of a month that has ended; one that nobody approved is made anew.

    Raises:
        BadInput, NotFound: as `get_month`.
        Conflict: `statement_too_early`, `statement_provisional`, `statement_approved`, `later_month_closed`.
    """
    if _last_of(month) >= now.date():
        raise Conflict("statement_too_early", month=month)
    with transaction(engine) as session:
        Books(session)  # its turn: no other statement of the contract is closed meanwhile
        found = _month(session, keys, contract_id, month)
        if found.now.is_provisional:
            raise Conflict("statement_provisional", month=month)
        _check_order(session, contract_id, month)
        store.put_proposal(session, found.now, by, now)
        facts: dict[str, Fact] = {"contract_id": contract_id, "month": month, "cents": found.now.due_cents}
        record(session, AuditLine(now, by, "school.statement_prepared", facts=facts))
        return _month(session, keys, contract_id, month)


def approve_month(engine: Engine, keys: Keys, contract_id: str, month: str, by: str, now: datetime) -> Month:
    """Approve what another person proposed, and enter it in the books.

    Raises:
        NotFound: `no_statement`, `unknown_contract`.
        Forbidden: `prepared_by_you`.
        Conflict: `statement_approved`, `later_month_closed`; `statement_outdated` when the month comes to
            something else by now.
    """
    with transaction(engine) as session:
        books = Books(session)
        found = _month(session, keys, contract_id, month)
        kept = found.kept
        if kept is None:
            raise NotFound("no_statement", month=month)
        if kept.prepared_by == by:
            raise Forbidden("prepared_by_you")
        _check_order(session, contract_id, month)
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


# --- costs ---------------------------------------------------------------------------------------


def count_costs(engine: Engine, keys: Keys, months: Iterable[str]) -> Costs:
    """What the months cost before tax, by circuit, school and commune, shared among the pupils who rode.

    A month is shared after the plan of its last day. Contracts whose month was not approved count with what they
    come to now.

    Raises:
        BadInput: `bad_month`, `calendar_unknown`, `index_unknown`.
    """
    cents: Counter[str] = Counter()
    rides: dict[str, Counter[str]] = {}
    schools: dict[str, str] = {}
    communes: dict[str, str] = {}
    with reading(engine) as session:
        for month in months:
            for statement in _statements(session, keys, month):
                cents.update(cents_by_circuit(statement))
            _add_rides(session, keys, _last_of(month), rides, schools, communes)
    return share_costs(cents, rides, schools, communes)


def _statements(session: Session, keys: Keys, month: str) -> list[Statement]:
    found = []
    for contract_id, contract in contracts_on(session, first_of(month)).items():
        kept = store.find_statement(session, contract_id, month)
        is_closed = kept is not None and kept.approved_by is not None
        found.append(kept.statement if kept is not None and is_closed else _statement(session, keys, contract, month))
    return found


def _add_rides(
    session: Session,
    keys: Keys,
    day: date,
    rides: dict[str, Counter[str]],
    schools: dict[str, str],
    communes: dict[str, str],
) -> None:
    last = {sector: plan for sector, _first, plan in list_plans(session, keys, day)}  # later ones win
    for sector, plan in last.items():
        names = {rider.pupil_id: plan.schools[rider.school].name for rider in plan.riders}
        for circuit, weekly in weekly_rides(plan, sector).items():
            rides.setdefault(circuit, Counter()).update({f"{sector}/{pupil}": n for pupil, n in weekly.items()})
        schools |= {f"{sector}/{pupil}": name for pupil, name in names.items()}
    for kept in list_sectors(session, plan_year(day)):
        if kept.code in last:
            for pupil in load_sector(session, keys, kept.sector_id).pupils:
                communes[f"{kept.code}/{pupil.pupil_id}"] = pupil.homes[0].commune


def driven_m(engine: Engine, keys: Keys, months: Iterable[str]) -> Mapping[str, int]:
    """Metres that were driven and paid for, by circuit."""
    found: Counter[str] = Counter()
    with reading(engine) as session:
        for month in months:
            for statement in _statements(session, keys, month):
                for line in statement.lines:
                    if line.kind is LineKind.KM:
                        found[line.about] += line.quantity
    return found
