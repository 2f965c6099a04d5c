"""Orders: what the office has carriers drive, and what became of it: not run, breaches, extra services.

A circuit is what one coach is paid a day's price for. It is ordered from a day on, until the next order; the plan that
is published is the order. Ids of circuits are unique over all sectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from scolaire.plans import SchoolPlan


@dataclass(frozen=True, slots=True)
class Outing:
    """One run of a circuit on the days of its period, from the depot back to it."""

    run_id: str
    days: int  # bits, Monday the lowest
    driven_m: int
    loaded_m: int
    duty_s: int


@dataclass(frozen=True, slots=True)
class Circuit:
    """All runs of one coach."""

    circuit_id: str
    lot: str
    type_id: str
    outings: tuple[Outing, ...]

    def outings_on(self, day: date) -> tuple[Outing, ...]:
        """Its runs on a school day."""
        return tuple(one for one in self.outings if one.days >> day.weekday() & 1)


@dataclass(frozen=True, slots=True)
class Order:
    """The circuits of one sector that are to be run from a day on."""

    sector: str
    from_day: date
    circuits: tuple[Circuit, ...]


@dataclass(frozen=True, slots=True)
class NotRun:
    """A run that was ordered and not run on a day."""

    day: date
    circuit_id: str
    run_id: str
    cause: str


@dataclass(frozen=True, slots=True)
class Breach:
    """What a carrier did otherwise than agreed, so many times on a day; `penalty` is what the contract calls it."""

    day: date
    circuit_id: str
    penalty: str
    n: int = 1


@dataclass(frozen=True, slots=True)
class Extra:
    """A service ordered besides; `has_day` when a day's price is paid for it too."""

    day: date
    reference: str
    lot: str
    type_id: str
    metres: int
    seconds: int
    has_day: bool = False


def order_of(plan: SchoolPlan, sector: str, from_day: date) -> Order:
    """The order that a published plan is; circuits are called `sector/circuit`."""
    circuits = []
    for circuit_id, runs in plan.circuits.items():
        kind = plan.vehicle_types[runs[0].vehicle_type]
        outings = tuple(
            Outing(run.run_id, plan.periods[run.period].days, run.driven_m, run.loaded_m, run.ends_s - run.begins_s)
            for run in runs
        )
        circuits.append(Circuit(f"{sector}/{circuit_id}", kind.lot, kind.type_id, outings))
    return Order(sector, from_day, tuple(circuits))


def circuits_on(orders: Sequence[Order], day: date) -> Iterator[Circuit]:
    """The circuits ordered on a day: of each sector those of its last order."""
    last: dict[str, Order] = {}
    for order in orders:
        if order.from_day <= day and (order.sector not in last or order.from_day >= last[order.sector].from_day):
            last[order.sector] = order
    for sector in sorted(last):
        yield from last[sector].circuits
