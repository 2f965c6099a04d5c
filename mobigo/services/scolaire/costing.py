"""Costing: what school transport costs before tax, by pupil, circuit, school, commune, lot, contract and month."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire.contracting import contracts_on, contracts_seen, list_circuits, list_plans, plan_year
from mobigo.services.scolaire.stating import last_of, statement_of
from mobigo.store.base import Session, reading
from mobigo.store.scolaire import contracts as store
from mobigo.store.scolaire.contracts import EventKind
from mobigo.store.scolaire.sectors import list_sectors, load_sector
from scolaire.calendar import first_of
from scolaire.contracts.costs import Cost, Costs, cost_together, share_costs, weekly_rides
from scolaire.contracts.model import Contract
from scolaire.contracts.statements import LineKind, Statement, cents_by_circuit

_EXTRAS = frozenset({LineKind.EXTRA_DAY, LineKind.EXTRA_KM, LineKind.EXTRA_HOUR})


@dataclass(frozen=True, slots=True)
class YearCosts:
    """The costs of some months, each way the same money; of a lot nobody knows what was put right."""

    costs: Costs
    lots: tuple[Cost, ...]
    contracts: tuple[Cost, ...]
    months: tuple[Cost, ...]


def count_costs(engine: Engine, keys: Keys, months: Iterable[str]) -> YearCosts:
    """What the months cost before tax, shared among the pupils who rode.

    A month is shared after the plan of its last day. Contracts whose month was not approved count with what they
    come to now.

    Raises:
        BadInput: `bad_month`, `calendar_unknown`, `index_unknown`.
    """
    sums = _Sums()
    with reading(engine) as session:
        days = [last_of(month) for month in months]
        for day in days:
            month = f"{day:%Y-%m}"
            sums.add_rides(session, keys, day)
            lots = _lots(session, keys, month)
            for contract, statement in _statements(session, keys, month):
                sums.add_statement(contract, statement, lots)
        communes = _communes(session, keys, days)
    return sums.shared(communes)


class _Sums:
    """Cents and rides, added up month by month."""

    def __init__(self) -> None:
        self._cents: Counter[str] = Counter()  # by circuit
        self._rides: dict[str, Counter[str]] = {}
        self._schools: dict[str, str] = {}
        self._groups: dict[str, Counter[str]] = {name: Counter() for name in ("lots", "contracts", "months")}
        self._circuits: dict[tuple[str, str], set[str]] = defaultdict(set)  # of each group

    def add_rides(self, session: Session, keys: Keys, day: date) -> None:
        """The rides of the plans that hold on a day."""
        last = {sector: plan for sector, _first, plan in list_plans(session, keys, day)}  # later ones win
        for sector, plan in last.items():
            for circuit, weekly in weekly_rides(plan, sector).items():
                self._rides.setdefault(circuit, Counter()).update(
                    {f"{sector}/{pupil}": n for pupil, n in weekly.items()}
                )
            self._schools |= {f"{sector}/{rider.pupil_id}": plan.schools[rider.school].name for rider in plan.riders}

    def add_statement(self, contract: Contract, statement: Statement, lots: Mapping[str, str]) -> None:
        """The lines of a statement; `lots` by circuit and by reference of what was ordered besides."""
        self._cents.update(cents_by_circuit(statement))
        only = next(iter(contract.lots)) if len(contract.lots) == 1 else ""
        for line in statement.lines:
            about = "" if line.kind is LineKind.CORRECTION else line.about
            lot = lots.get(about, only)
            for name, group in (("lots", lot), ("contracts", contract.title), ("months", statement.month)):
                self._groups[name][group] += line.cents
                if about and line.kind not in _EXTRAS:
                    self._circuits[name, group].add(about)

    def shared(self, communes: Mapping[str, str]) -> YearCosts:
        """All of it, shared."""
        groups = {
            name: tuple(
                cost_together(group, cents, self._circuits[name, group], self._rides)
                for group, cents in sorted(of_it.items())
            )
            for name, of_it in self._groups.items()
        }
        return YearCosts(share_costs(self._cents, self._rides, self._schools, communes), **groups)


def _statements(session: Session, keys: Keys, month: str) -> list[tuple[Contract, Statement]]:
    """What is or would be stated of a month; of contracts that ended, what was approved to put them right."""
    found = []
    holding = contracts_on(session, first_of(month))
    for contract_id, contract in contracts_seen(session, first_of(month)).items():
        kept = store.find_statement(session, contract_id, month)
        if kept is not None and kept.approved_by is not None:
            found.append((contract, kept.statement))
        elif contract_id in holding:
            found.append((contract, statement_of(session, keys, contract, month)))
    return found


def _lots(session: Session, keys: Keys, month: str) -> dict[str, str]:
    """The lot of each circuit of a month, and of each service ordered besides by its reference."""
    found = {circuit.circuit_id: circuit.lot for circuit in list_circuits(session, keys, month).values()}
    events = store.list_events(session, first_of(month), last_of(month))
    return found | {one.about: one.code for one in events if one.kind is EventKind.EXTRA}


def _communes(session: Session, keys: Keys, days: Iterable[date]) -> dict[str, str]:
    """The commune of each pupil of the school years of some days."""
    found: dict[str, str] = {}
    for school_year in sorted({plan_year(day) for day in days}):
        for kept in list_sectors(session, school_year):
            for pupil in load_sector(session, keys, kept.sector_id).pupils:
                found[f"{kept.code}/{pupil.pupil_id}"] = pupil.homes[0].commune
    return found


def driven_m(engine: Engine, keys: Keys, months: Iterable[str]) -> Mapping[str, int]:
    """Metres that were driven and paid for, by circuit."""
    found: Counter[str] = Counter()
    with reading(engine) as session:
        for month in months:
            for _contract, statement in _statements(session, keys, month):
                for line in statement.lines:
                    if line.kind is LineKind.KM:
                        found[line.about] += line.quantity
    return found
