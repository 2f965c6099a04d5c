"""Contracting: contracts and indices kept as they are published, what they have driven, and carriers' accounts.

A version of a contract is added and never changed; the one of a month is the last that begins by its first day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
from mobigo.store.scolaire.publications import Publication, list_publications
from mobigo.store.scolaire.sectors import list_sectors
from mobigo.store.scolaire.studies import load_plan
from scolaire.calendar import first_of, has_school, month_before, school_days
from scolaire.contracts.documents import read_contract
from scolaire.contracts.indices import read_indices
from scolaire.contracts.model import Contract
from scolaire.contracts.orders import Circuit, Order, Outing, circuits_on, order_of
from scolaire.planfiles import read_plan
from scolaire.plans import SchoolPlan, rides_of
from socle.errors import Conflict, Fact, NotFound
from socle.findings import Finding

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


def list_circuits(session: Session, keys: Keys, month: str) -> dict[str, Circuit]:
    """The circuits that are ordered on some day with school of a month, by id.

    Raises:
        BadInput: `bad_month`, `calendar_unknown`.
    """
    days = school_days(month)
    orders = list_orders(session, keys, days[-1]) if days else []
    return {circuit.circuit_id: circuit for day in days for circuit in circuits_on(orders, day)}


# --- carriers ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Teller:
    """Who tells: `carriers` are those that an account acts for, None the office, which speaks for all."""

    actor: str
    carriers: tuple[str, ...] | None = None


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
