"""Contracting: contracts and indices kept as they are published, carriers' accounts, and what happened on the road.

A version of a contract is added and never changed; the one of a month is the last that begins by its first day. What
the office or a carrier tells of a day (a run that did not take place, a breach, an extra service) counts in the month's
statement until somebody takes it back, with a reason; each is a line of the audit log.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire.keeping import Kept
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, reading, transaction
from mobigo.store.people.accounts import find_by_reference
from mobigo.store.scolaire import contracts as store
from mobigo.store.scolaire.contracts import Event as Event  # doors name them
from mobigo.store.scolaire.contracts import EventKind as EventKind
from mobigo.store.scolaire.sectors import list_sectors
from mobigo.store.scolaire.studies import Publication, list_publications, load_plan
from scolaire.calendar import first_of, has_school, month_before
from scolaire.contracts.documents import read_contract
from scolaire.contracts.indices import read_indices
from scolaire.contracts.model import Contract
from scolaire.contracts.orders import Circuit, Order, Outing, circuits_on, order_of
from scolaire.planfiles import read_plan
from scolaire.plans import SchoolPlan, rides_of
from socle.errors import BadInput, Conflict, Fact, Forbidden, NotFound
from socle.findings import Finding

MOST_WHY: Final = 300
MOST_BACK: Final = timedelta(days=400)
MOST_TIMES: Final = 100
MOST_MONTHS_BACK: Final = 24  # for which a closed month is looked at again, also after the end of its contract
_FIRST_MONTH: Final = 8
_CONTRACTS: Final = Kept[Contract](256)  # by version
_PLANS: Final = Kept[SchoolPlan](16)  # by the hash of the file


@dataclass(frozen=True, slots=True)
class Version:
    """A contract as it holds from a day on, who kept it and when."""

    contract: Contract
    number: int
    kept_by: str
    kept_at: datetime


@dataclass(frozen=True, slots=True)
class Placed:
    """A run that a carrier drives on a day, from when to when, for how many pupils, and what was told of it."""

    circuit: Circuit
    outing: Outing
    contract: Contract
    missed: Event | None
    begins_s: int
    ends_s: int
    n_pupils: int


# --- documents -----------------------------------------------------------------------------------


def import_contract(engine: Engine, document: bytes, actor: str, now: datetime) -> tuple[Contract, bool]:
    """Keep a version of a contract; whether it is new.

    Raises:
        BadInput: as `read_contract`.
        Conflict: `lot_taken` by another contract in the same months; `carrier_changed`.
    """
    contract = read_contract(document)
    with transaction(engine) as session:
        store.take_turn_of_contracts(session)
        for other, until in _held(_versions(session)):
            _check_beside(contract, other, until)
        is_new = store.add_contract(
            session, contract.id, contract.carrier_id, contract.valid_from, contract.version, document, actor, now
        )
        if is_new:
            facts: dict[str, Fact] = {"contract_id": contract.id, "valid_from": str(contract.valid_from)}
            record(session, AuditLine(now, actor, "school.contract_imported", facts=facts))
    return contract, is_new


def _held(versions: Sequence[Version]) -> Iterator[tuple[Contract, date]]:
    """The versions of contracts, each with the last day on which it holds before the next one of its contract."""
    ranked = sorted(versions, key=lambda one: (one.contract.id, one.contract.valid_from, one.number))
    for one, following in zip(ranked, [*ranked[1:], None], strict=False):
        until = one.contract.valid_until or date.max
        if following is not None and following.contract.id == one.contract.id:
            until = min(until, following.contract.valid_from - timedelta(days=1))
        yield one.contract, until


def _check_beside(contract: Contract, other: Contract, until: date) -> None:
    if other.id == contract.id:
        if other.carrier_id != contract.carrier_id:
            raise Conflict("carrier_changed", contract=contract.id, carrier=other.carrier_id)
        return
    ends = contract.valid_until or date.max
    meets = contract.valid_from <= until and other.valid_from <= min(ends, until)
    taken = contract.lots & other.lots
    if meets and taken:
        raise Conflict("lot_taken", lot=min(taken), contract=other.id)


def import_indices(engine: Engine, content: bytes, actor: str, now: datetime) -> tuple[int, Sequence[Finding]]:
    """Keep published values of indices; how many are new or others, and what is to be said of the file."""
    values, findings = read_indices(content)
    with transaction(engine) as session:
        n_new = store.add_values(session, values, actor, now)
        record(session, AuditLine(now, actor, "school.indices_imported", facts={"n": n_new}))
    return n_new, findings


def list_versions(engine: Engine) -> list[Version]:
    """Every version of every contract."""
    with reading(engine) as session:
        return _versions(session)


def _versions(session: Session) -> list[Version]:
    found = []
    for row in store.list_contracts(session):
        contract = _CONTRACTS.get(row.version, partial(read_contract, row.document))
        found.append(Version(contract, row.number, row.kept_by, row.kept_at))
    return found


def contracts_on(session: Session, day: date) -> dict[str, Contract]:
    """The contracts in force on a day, by id: of each the version that begins last."""
    return {key: contract for key, contract in _begun(session, day).items() if contract.is_in_force(day)}


def contracts_seen(session: Session, day: date) -> dict[str, Contract]:
    """Those in force on a day, and those that ended so lately that their months are still put right."""
    oldest = first_of(month_before(f"{day:%Y-%m}", MOST_MONTHS_BACK))
    return {key: one for key, one in _begun(session, day).items() if one.is_in_force(max(one.valid_from, oldest))}


def months_of(session: Session, contract_id: str, months: Sequence[str]) -> list[tuple[str, Contract]]:
    """Those of some months in which a contract was in force, each with the version that it is paid by."""
    versions = [one for one in _versions(session) if one.contract.id == contract_id]
    found = []
    for month in months:
        contract = _newest(versions, first_of(month)).get(contract_id)
        if contract is not None and contract.is_in_force(first_of(month)):
            found.append((month, contract))
    return found


def _begun(session: Session, day: date) -> dict[str, Contract]:
    """The contracts that began by a day, by id: of each the version that begins last."""
    return _newest(_versions(session), day)


def _newest(versions: Sequence[Version], day: date) -> dict[str, Contract]:
    found: dict[str, tuple[tuple[date, int], Contract]] = {}
    for one in versions:
        rank = (one.contract.valid_from, one.number)
        if one.contract.valid_from <= day and (one.contract.id not in found or rank > found[one.contract.id][0]):
            found[one.contract.id] = (rank, one.contract)
    return {key: contract for key, (_, contract) in sorted(found.items())}


def get_contract(session: Session, contract_id: str, month: str) -> Contract:
    """The version of a contract that a month is paid by; after its end the last one, by which months are put right.

    Raises:
        BadInput: `bad_month`.
        NotFound: `unknown_contract`: none of that id holds in that month, or held shortly before.
    """
    found = contracts_seen(session, first_of(month)).get(contract_id)
    if found is None:
        raise NotFound("unknown_contract", contract=contract_id[:64])
    return found


# --- orders --------------------------------------------------------------------------------------


def plan_year(day: date) -> int:
    """The school year whose plans may hold on a day: from August on the one that begins."""
    return day.year if day.month >= _FIRST_MONTH else day.year - 1


def list_plans(session: Session, keys: Keys, day: date) -> list[tuple[str, date, SchoolPlan]]:
    """The published plans of the school year of a day that begin by then: sector, first day, plan; later ones win."""
    sectors = {one.sector_id: one.code for one in list_sectors(session, plan_year(day))}
    published = [one for one in list_publications(session, list(sectors)) if one.valid_from <= day]
    published.sort(key=lambda one: (one.sector_id, one.valid_from, one.number))
    found = []
    for one in published:
        plan = _PLANS.get(one.sha256, partial(_load, session, keys, one))
        found.append((sectors[one.sector_id], one.valid_from, plan))
    return found


def _load(session: Session, keys: Keys, published: Publication) -> SchoolPlan:
    return read_plan(load_plan(session, keys, published.study_id, published.version))


def list_orders(session: Session, keys: Keys, day: date) -> list[Order]:
    """The orders of the school year that begin by a day."""
    return [order_of(plan, sector, first) for sector, first, plan in list_plans(session, keys, day)]


def runs_on(engine: Engine, keys: Keys, day: date, carriers: Sequence[str] | None = None) -> list[Placed]:
    """The runs of a day that a contract pays for, of some carriers or of all; none on days without school.

    Raises:
        BadInput: `calendar_unknown`.
    """
    with reading(engine) as session:
        if not has_school(day):
            return []
        plans = list_plans(session, keys, day)
        contracts = [
            one for one in contracts_on(session, day).values() if carriers is None or one.carrier_id in carriers
        ]
        missed = {
            (one.about, one.run_id): one
            for one in store.list_events(session, day, day)
            if one.kind is EventKind.NOT_RUN
        }
    by_lot = {lot: contract for contract in contracts for lot in contract.lots}
    orders = [order_of(plan, sector, first) for sector, first, plan in plans]
    driven = {(sector, run.run_id): run for sector, _first, plan in plans for run in plan.runs}  # later plans win
    found = []
    for circuit in circuits_on(orders, day):
        sector = circuit.circuit_id.partition("/")[0]
        for outing in circuit.outings_on(day) if circuit.lot in by_lot else ():
            run, event = driven[sector, outing.run_id], missed.get((circuit.circuit_id, outing.run_id))
            n_pupils = sum(1 for _ in rides_of(run))
            found.append(Placed(circuit, outing, by_lot[circuit.lot], event, run.begins_s, run.ends_s, n_pupils))
    return found


# --- what happened -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Teller:
    """Who tells: `carriers` are those that an account acts for, None the office, which speaks for all."""

    actor: str
    carriers: tuple[str, ...] | None = None


def tell_not_run(
    engine: Engine, keys: Keys, day: date, about: str, run_id: str, cause: str, why: str, by: Teller, now: datetime
) -> Event:
    """Note that a run did not take place.

    Raises:
        BadInput: `event_day`, `why_missing`, `why_too_long`, `unknown_cause`, `calendar_unknown`.
        NotFound: `run_not_ordered` on that day, or not of that carrier.
        Conflict: `told_already`, `month_closed` for a carrier.
    """
    placed = _find_run(engine, keys, day, about, run_id, by, now)
    if placed.contract.find_cause(cause) is None:
        raise BadInput("unknown_cause", cause=cause[:40])
    event = _event(EventKind.NOT_RUN, day, about, cause, why, by, now)
    return _add(engine, placed.contract, replace(event, run_id=run_id), now)


def tell_breach(
    engine: Engine, keys: Keys, day: date, about: str, penalty: str, n: int, why: str, by: Teller, now: datetime
) -> Event:
    """Note what a carrier did otherwise than agreed, so many times.

    Raises:
        BadInput: `event_day`, `why_missing`, `why_too_long`, `unknown_penalty`, `event_times`.
        NotFound: `run_not_ordered`: that circuit had no run on that day.
    """
    placed = _find_run(engine, keys, day, about, None, by, now)
    if placed.contract.find_penalty(penalty) is None:
        raise BadInput("unknown_penalty", penalty=penalty[:40])
    if not 1 <= n <= MOST_TIMES:
        raise BadInput("event_times", most=MOST_TIMES)
    event = _event(EventKind.BREACH, day, about, penalty, why, by, now)
    return _add(engine, placed.contract, replace(event, n=n), now)


def order_extra(
    engine: Engine,
    day: date,
    reference: str,
    lot: str,
    type_id: str,
    metres: int,
    seconds: int,
    has_day: bool,
    why: str,
    by: Teller,
    now: datetime,
) -> Event:
    """Order a service besides the plan.

    Raises:
        BadInput: `event_day`, `why_missing`, `why_too_long`, `reference_missing`, `extra_amounts`.
        NotFound: `unknown_lot`: no contract has it on that day.
    """
    _check_day(day, now)
    if not reference.strip() or len(reference) > 64:
        raise BadInput("reference_missing")
    if not (0 <= metres <= 2_000_000 and 0 <= seconds <= 86_400) or not (metres or seconds or has_day):
        raise BadInput("extra_amounts")
    with reading(engine) as session:
        contracts = [one for one in contracts_on(session, day).values() if lot in one.lots]
    if not contracts or contracts[0].find_prices(lot, type_id) is None:
        raise NotFound("unknown_lot", lot=lot[:64])
    event = _event(EventKind.EXTRA, day, reference.strip(), lot, why, by, now)
    told = replace(event, type_id=type_id, metres=metres, seconds=seconds, has_day=has_day)
    return _add(engine, contracts[0], told, now)


def take_back(engine: Engine, event_id: str, why: str, by: Teller, now: datetime) -> Event:
    """Take back what was told.

    Raises:
        BadInput: `why_missing`, `why_too_long`.
        NotFound: `unknown_event`.
        Forbidden: `told_by_another`: a carrier takes back only what it told itself.
        Conflict: `taken_back_already`.
    """
    why = _checked_why(why)
    with transaction(engine) as session:
        event = store.get_event(session, event_id)
        if by.carriers is not None and event.told_for not in by.carriers:
            raise Forbidden("told_by_another")
        taken = store.take_back(session, event_id, by.actor, why, now)
        facts: dict[str, Fact] = {"circuit_id": event.about, "day": str(event.day)}
        record(session, AuditLine(now, by.actor, "school.event_taken_back", "", why, facts))
    return taken


def get_told(engine: Engine, event_id: str) -> Event:
    """One of the things that were told.

    Raises:
        NotFound: `unknown_event`.
    """
    with reading(engine) as session:
        return store.get_event(session, event_id)


def list_told(engine: Engine, first: date, last: date) -> list[Event]:
    """Everything that was told of these days, also what was taken back."""
    with reading(engine) as session:
        return store.list_events(session, first, last, standing=False)


def _find_run(
    engine: Engine, keys: Keys, day: date, about: str, run_id: str | None, by: Teller, now: datetime
) -> Placed:
    _check_day(day, now)
    for placed in runs_on(engine, keys, day, by.carriers):
        if placed.circuit.circuit_id == about and run_id in (None, placed.outing.run_id):
            return placed
    raise NotFound("run_not_ordered", run=(run_id or about)[:64], day=day.isoformat())


def _check_day(day: date, now: datetime) -> None:
    if not now.date() - MOST_BACK <= day <= now.date() + MOST_BACK:
        raise BadInput("event_day")


def _checked_why(why: str) -> str:
    why = why.strip()
    if not why:
        raise BadInput("why_missing")
    if len(why) > MOST_WHY:
        raise BadInput("why_too_long", most=MOST_WHY)
    return why


def _event(kind: EventKind, day: date, about: str, code: str, why: str, by: Teller, now: datetime) -> Event:
    told_for = by.carriers[0] if by.carriers else None
    why = _checked_why(why)
    return Event(secrets.token_hex(8), kind, day, about, "", code, "", 1, 0, 0, False, by.actor, told_for, now, why)


def _add(engine: Engine, contract: Contract, event: Event, now: datetime) -> Event:
    told = replace(event, told_for=contract.carrier_id) if event.told_for is not None else event
    with transaction(engine) as session:
        closed = store.find_statement(session, contract.id, f"{event.day:%Y-%m}")
        if told.told_for is not None and closed is not None and closed.approved_by is not None:
            raise Conflict("month_closed", month=f"{event.day:%Y-%m}")
        store.add_event(session, told)
        facts: dict[str, Fact] = {"circuit_id": told.about, "day": str(told.day)}
        action = {
            EventKind.NOT_RUN: "school.not_run_told",
            EventKind.BREACH: "school.breach_told",
            EventKind.EXTRA: "school.extra_ordered",
        }[told.kind]
        record(session, AuditLine(now, told.told_by, action, "", told.why, facts))
    return told


# --- carriers ------------------------------------------------------------------------------------


def give_carrier(engine: Engine, reference: str, carrier_id: str, actor: str, now: datetime) -> bool:
    """Have an account act for a carrier; False when it does already.

    Raises:
        NotFound: `unknown_reference`, `unknown_carrier`.
    """
    with transaction(engine) as session:
        person = find_by_reference(session, reference)
        if person is None:
            raise NotFound("unknown_reference", reference=reference[:20])
        if carrier_id not in {row.carrier_id for row in store.list_contracts(session)}:
            raise NotFound("unknown_carrier", carrier=carrier_id[:64])
        is_new = store.add_carrier_account(session, person.pseudonym, carrier_id, actor, now)
        if is_new:
            facts: dict[str, Fact] = {"carrier_id": carrier_id}
            record(session, AuditLine(now, actor, "school.carrier_given", f"person:{person.pseudonym}", "", facts))
    return is_new


def take_carrier(engine: Engine, reference: str, carrier_id: str, actor: str, now: datetime) -> bool:
    """Have it act for it no more; False when it did not.

    Raises:
        NotFound: `unknown_reference`.
    """
    with transaction(engine) as session:
        person = find_by_reference(session, reference)
        if person is None:
            raise NotFound("unknown_reference", reference=reference[:20])
        is_gone = store.remove_carrier_account(session, person.pseudonym, carrier_id)
        if is_gone:
            facts: dict[str, Fact] = {"carrier_id": carrier_id}
            record(session, AuditLine(now, actor, "school.carrier_taken", f"person:{person.pseudonym}", "", facts))
    return is_gone


def carriers_of(engine: Engine, holder: str) -> tuple[str, ...]:
    """The carriers that an account acts for."""
    with reading(engine) as session:
        return tuple(store.list_carriers_of(session, holder))
