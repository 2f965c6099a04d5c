"""Statements: what a carrier is owed for a month, each line with its quantity, price and coefficient.

Rounding: a line is computed exactly and rounded once, to the nearest cent and half a cent upwards; value-added tax is
rounded once on the sum of the lines. Days and their price are what was ordered, and what is withheld for a run that
did not take place is a line of its own; kilometres and hours are what was run. A run's share of a day's price is the
price divided by the runs of that circuit on that day. The minimum of a day is due when everything ordered was run.
Penalties are taken off after tax, whole cents each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from scolaire.calendar import school_days
from scolaire.contracts.indices import Coefficient, Values, coefficient_of
from scolaire.contracts.model import Contract, Kilometres, Prices
from scolaire.contracts.orders import Breach, Circuit, Extra, NotRun, Order, Outing, circuits_on
from socle.findings import Finding, Severity
from socle.money import Cents, round_half_up

_CENT_E4: Final = 100  # ten-thousandths of a euro in a cent
_HOUR_S: Final = 3_600
_KM_M: Final = 1_000


class LineKind(StrEnum):
    """What a line is paid for."""

    DAY = "day"
    KM = "km"
    HOUR = "hour"
    MINIMUM = "minimum"
    WITHHELD = "withheld"
    EXTRA_DAY = "extra_day"
    EXTRA_KM = "extra_km"
    EXTRA_HOUR = "extra_hour"
    CORRECTION = "correction"  # of a month that was closed
    PENALTY = "penalty"
    PENALTY_CAP = "penalty_cap"


# What one of the quantity is for: days, metres, seconds; of the others it is how many times.
UNITS: Final[Mapping[LineKind, int]] = {
    LineKind.KM: _KM_M,
    LineKind.HOUR: _HOUR_S,
    LineKind.EXTRA_KM: _KM_M,
    LineKind.EXTRA_HOUR: _HOUR_S,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `quantity` (days, metres, seconds, times) at `price_e4` for one of its unit, times the coefficient.

    `about` is a circuit, the reference of an extra service or a month; `run`, `day` and `cause` explain what is
    withheld or a penalty.
    """

    kind: LineKind
    about: str
    quantity: int
    price_e4: int
    cents: Cents
    run: str = ""
    day: date | None = None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Correction:
    """What a closed month comes to now, less what was stated for it."""

    month: str
    net_cents: Cents
    penalty_cents: Cents


@dataclass(frozen=True, slots=True)
class Statement:
    """The statement of a month; `is_provisional` as long as an index in it is not published."""

    contract_id: str
    version: str
    month: str
    days: tuple[date, ...]
    coefficient: Coefficient
    lines: tuple[Line, ...]
    penalties: tuple[Line, ...]
    net_cents: Cents
    vat_cents: Cents
    penalty_cents: Cents
    due_cents: Cents
    findings: tuple[Finding, ...]

    @property
    def is_provisional(self) -> bool:
        """Whether it cannot be closed yet."""
        return bool(self.coefficient.missing)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a statement of a month is made from; of other months and lots it may hold more."""

    orders: Sequence[Order]
    not_run: Sequence[NotRun] = ()
    breaches: Sequence[Breach] = ()
    extras: Sequence[Extra] = ()


def make_statement(
    contract: Contract, month: str, facts: Facts, values: Values, corrections: Sequence[Correction] = ()
) -> Statement:
    """The statement of a month.

    Raises:
        BadInput: `bad_month`, `calendar_unknown`, `index_unknown`.
    """
    days = tuple(day for day in school_days(month) if contract.is_in_force(day))
    maker = _Maker(contract, coefficient_of(contract, _priced_month(contract, month), values), facts, days)
    lines = [*maker.of_circuits(), *maker.of_extras(month), *_of_corrections(corrections)]
    net = sum(line.cents for line in lines)
    own = net - sum(one.net_cents for one in corrections)  # a cap is on the month's own lines
    penalties = maker.of_penalties(month, corrections, own)
    vat = round_half_up(net * contract.vat_e4, 10_000)
    taken = sum(line.cents for line in penalties)
    return Statement(
        contract_id=contract.id,
        version=contract.version,
        month=month,
        days=days,
        coefficient=maker.coefficient,
        lines=tuple(lines),
        penalties=tuple(penalties),
        net_cents=net,
        vat_cents=vat,
        penalty_cents=taken,
        due_cents=net + vat - taken,
        findings=tuple(maker.findings),
    )


def _priced_month(contract: Contract, month: str) -> str:
    """The month whose prices hold: after the end of a contract those of its last one."""
    return month if contract.valid_until is None else min(month, f"{contract.valid_until:%Y-%m}")


def is_owed(contract: Contract, month: str, facts: Facts) -> bool:
    """Whether a month has something to state: a circuit that was ordered, or an extra service.

    Raises:
        BadInput: `bad_month`, `calendar_unknown` where something was ordered before the end of the month.
    """
    if any(_is_of_month(extra, contract, month) for extra in facts.extras):
        return True
    if not facts.orders:
        return False
    days = (day for day in school_days(month) if contract.is_in_force(day))
    return any(
        circuit.lot in contract.lots and circuit.outings_on(day)
        for day in days
        for circuit in circuits_on(facts.orders, day)
    )


def _is_of_month(extra: Extra, contract: Contract, month: str) -> bool:
    return f"{extra.day:%Y-%m}" == month and extra.lot in contract.lots and contract.is_in_force(extra.day)


def _of_corrections(corrections: Sequence[Correction]) -> list[Line]:
    return [Line(LineKind.CORRECTION, one.month, 1, 0, one.net_cents) for one in corrections if one.net_cents]


class _Maker:
    """The lines of one month, with what there is to say about the facts."""

    def __init__(self, contract: Contract, coefficient: Coefficient, facts: Facts, days: Sequence[date]) -> None:
        self.contract = contract
        self.coefficient = coefficient
        self.findings = [
            Finding(Severity.WARNING, "index_not_published", facts={"index": index, "month": month})
            for index, month in coefficient.missing
        ]
        self._facts = facts
        self._days = days
        self._missed: dict[tuple[date, str, str], str] = {}
        self._known: set[tuple[date, str, str]] = set()  # runs ordered, by day, circuit and run
        self._circuits: set[str] = set()
        for one in facts.not_run:
            self._missed.setdefault((one.day, one.circuit_id, one.run_id), one.cause)

    def of_circuits(self) -> list[Line]:
        """Days, kilometres, hours, minimum and what is withheld, circuit by circuit."""
        found: dict[str, list[tuple[date, Circuit]]] = {}
        for day in self._days:
            for circuit in circuits_on(self._facts.orders, day):
                outings = circuit.outings_on(day)
                if circuit.lot in self.contract.lots and outings:
                    found.setdefault(circuit.circuit_id, []).append((day, circuit))
                    self._known |= {(day, circuit.circuit_id, one.run_id) for one in outings}
        self._circuits = set(found)
        lines: list[Line] = []
        for circuit_id in sorted(found):
            lines += self._of_circuit(circuit_id, found[circuit_id])
        self._look_at_not_run()
        return lines

    def _of_circuit(self, circuit_id: str, days: Sequence[tuple[date, Circuit]]) -> list[Line]:
        """The lines of one circuit; one whose vehicle or lot changed has those of each."""
        lines: list[Line] = []
        for lot, type_id in sorted({(circuit.lot, circuit.type_id) for _day, circuit in days}):
            of_kind = [(day, one) for day, one in days if (one.lot, one.type_id) == (lot, type_id)]
            prices = self.contract.find_prices(lot, type_id)
            if prices is None:
                about = {"circuit": circuit_id, "vehicle": type_id}
                self.findings.append(Finding(Severity.ERROR, "circuit_without_price", facts=about))
                continue
            lines += self._priced(circuit_id, of_kind, prices)
        return lines

    def _priced(self, circuit_id: str, days: Sequence[tuple[date, Circuit]], prices: Prices) -> list[Line]:
        metres = seconds = short = n_short = 0
        withheld: list[Line] = []
        for day, circuit in days:
            outings = circuit.outings_on(day)
            run = [one for one in outings if (day, circuit_id, one.run_id) not in self._missed]
            metres += sum(map(self._metres, run))
            seconds += sum(one.duty_s for one in run)
            withheld += self._withheld(day, circuit_id, outings, prices)
            if len(run) == len(outings) and prices.minimum_e4:
                missing = _short_of_minimum(prices, sum(map(self._metres, run)), sum(one.duty_s for one in run))
                if missing > 0:
                    short, n_short = short + missing, n_short + 1
        lines = [
            self._line(LineKind.DAY, circuit_id, len(days), prices.day_e4),
            self._line(LineKind.KM, circuit_id, metres, prices.km_e4),
            self._line(LineKind.HOUR, circuit_id, seconds, prices.hour_e4),
        ]
        if n_short:
            cents = self._cents(short, _KM_M * _HOUR_S)
            lines.append(Line(LineKind.MINIMUM, circuit_id, n_short, prices.minimum_e4, cents))
        return [line for line in lines if line.quantity and line.price_e4] + withheld

    def _metres(self, outing: Outing) -> int:
        return outing.loaded_m if self.contract.kilometres is Kilometres.LOADED else outing.driven_m

    def _withheld(self, day: date, circuit_id: str, outings: Sequence[Outing], prices: Prices) -> list[Line]:
        lines = []
        for one in outings:
            code = self._missed.get((day, circuit_id, one.run_id))
            cause = None if code is None else self.contract.find_cause(code)
            if cause is not None and cause.withheld_percent and prices.day_e4:
                cents = self._cents(-prices.day_e4 * cause.withheld_percent, 100 * len(outings))
                lines.append(Line(LineKind.WITHHELD, circuit_id, 1, prices.day_e4, cents, one.run_id, day, cause.code))
        return lines

    def of_extras(self, month: str) -> list[Line]:
        """The services ordered besides in the month."""
        lines: list[Line] = []
        for extra in sorted(self._facts.extras, key=lambda one: (one.day, one.reference)):
            if not _is_of_month(extra, self.contract, month):
                continue
            prices = self.contract.find_prices(extra.lot, extra.type_id)
            if prices is None:
                about = {"circuit": extra.reference, "vehicle": extra.type_id}
                self.findings.append(Finding(Severity.ERROR, "circuit_without_price", facts=about))
                continue
            for kind, quantity, price_e4 in (
                (LineKind.EXTRA_DAY, int(extra.has_day), prices.day_e4),
                (LineKind.EXTRA_KM, extra.metres, prices.km_e4),
                (LineKind.EXTRA_HOUR, extra.seconds, prices.hour_e4),
            ):
                if quantity and price_e4:
                    lines.append(self._line(kind, extra.reference, quantity, price_e4, extra.day))
        return lines

    def of_penalties(self, month: str, corrections: Iterable[Correction], net: Cents) -> list[Line]:
        """The penalties of the month, no more of them together than the contract lets."""
        lines = []
        for (day, circuit_id, run_id), code in sorted(self._missed.items()):
            cause = self.contract.find_cause(code)
            penalty = None if cause is None or cause.penalty is None else self.contract.find_penalty(cause.penalty)
            if penalty is not None and (day, circuit_id, run_id) in self._known:
                cents = penalty.cents
                lines.append(Line(LineKind.PENALTY, circuit_id, 1, cents * _CENT_E4, cents, run_id, day, penalty.code))
        for breach in sorted(self._facts.breaches, key=lambda one: (one.day, one.circuit_id, one.penalty)):
            if f"{breach.day:%Y-%m}" != month or breach.circuit_id not in self._circuits:
                continue
            penalty = self.contract.find_penalty(breach.penalty)
            if penalty is None:
                about = {"circuit": breach.circuit_id, "penalty": breach.penalty}
                self.findings.append(Finding(Severity.ERROR, "penalty_unknown", facts=about))
                continue
            cents = penalty.cents * breach.n
            price = penalty.cents * _CENT_E4
            lines.append(
                Line(LineKind.PENALTY, breach.circuit_id, breach.n, price, cents, "", breach.day, penalty.code)
            )
        of_month, most = sum(line.cents for line in lines), self.contract.penalties_most_percent
        limit = of_month if most is None else max(net, 0) * most // 100
        if of_month > limit:
            lines.append(Line(LineKind.PENALTY_CAP, month, 1, 0, limit - of_month))
        taken = [one for one in corrections if one.penalty_cents]
        return [*lines, *(Line(LineKind.CORRECTION, one.month, 1, 0, one.penalty_cents) for one in taken)]

    def _look_at_not_run(self) -> None:
        """Remark on what was told of runs that were not ordered, or of causes that the contract does not know."""
        days = frozenset(self._days)
        for (day, circuit_id, run_id), code in sorted(self._missed.items()):
            if day not in days or circuit_id not in self._circuits:
                continue
            about = {"circuit": circuit_id, "run": run_id, "day": day.isoformat()}
            if (day, circuit_id, run_id) not in self._known:
                self.findings.append(Finding(Severity.WARNING, "not_run_not_ordered", facts=about))
            elif self.contract.find_cause(code) is None:
                self.findings.append(Finding(Severity.ERROR, "cause_unknown", facts=about | {"cause": code}))

    def _line(self, kind: LineKind, about: str, quantity: int, price_e4: int, day: date | None = None) -> Line:
        cents = self._cents(quantity * price_e4, UNITS.get(kind, 1))
        return Line(kind, about, quantity, price_e4, cents, day=day)

    def _cents(self, amount_e4: int, divided_by: int) -> Cents:
        """The cents of ten-thousandths of a euro divided by something, times the coefficient, rounded once."""
        return round_half_up(amount_e4 * self.coefficient.number, divided_by * self.coefficient.scale * _CENT_E4)


def _short_of_minimum(prices: Prices, metres: int, seconds: int) -> int:
    """What a day falls short of its minimum: ten-thousandths of a euro, times metres in a km and seconds in an hour."""
    unit = _KM_M * _HOUR_S
    earned = prices.day_e4 * unit + metres * prices.km_e4 * _HOUR_S + seconds * prices.hour_e4 * _KM_M
    return prices.minimum_e4 * unit - earned


def cents_by_circuit(statement: Statement) -> Mapping[str, Cents]:
    """What each circuit of a statement costs before tax; extra services and corrections under an empty name."""
    found: Counter[str] = Counter()
    other = frozenset({LineKind.EXTRA_DAY, LineKind.EXTRA_KM, LineKind.EXTRA_HOUR, LineKind.CORRECTION})
    for line in statement.lines:
        found["" if line.kind in other else line.about] += line.cents
    return found
