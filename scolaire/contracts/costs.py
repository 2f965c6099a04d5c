"""Costs: what circuits cost, shared among the pupils whom they carry: by pupil, school, commune.

A circuit's cents are shared among its pupils after the rides that they have on it, by the largest remainder, so that
the shares sum to what was paid. What no pupil is carried for stands under an empty name.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scolaire.plans import SchoolPlan, rides_of
from socle.money import Cents, render_euros, share

_FORMULA: Final = frozenset("=+-@\t\r")
LEAST: Final = 5  # pupils; fewer are not told of outside of the office


@dataclass(frozen=True, slots=True)
class Cost:
    """What something costs, and for how many pupils."""

    about: str
    n_pupils: int
    cents: Cents

    @property
    def per_pupil_cents(self) -> Cents | None:
        """The mean, half a cent upwards."""
        return (2 * self.cents + self.n_pupils) // (2 * self.n_pupils) if self.n_pupils else None


@dataclass(frozen=True, slots=True)
class Costs:
    """The same money seen four ways: each way sums to all of it."""

    circuits: tuple[Cost, ...]
    schools: tuple[Cost, ...]
    communes: tuple[Cost, ...]
    total: Cost
    pupils: tuple[Cents, ...]  # the share of each, ascending

    @property
    def median_cents(self) -> Cents:
        """What half of the pupils cost no more than."""
        return self.pupils[(len(self.pupils) - 1) // 2] if self.pupils else 0


Rides = Mapping[str, Mapping[str, int]]
"""Circuit → pupil → rides in a week."""


def weekly_rides(plan: SchoolPlan, sector: str) -> Rides:
    """How often each pupil rides on each circuit in a week of school."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for run in plan.runs:
        n_days = plan.periods[run.period].days.bit_count()
        for ride in rides_of(run):
            found[f"{sector}/{run.circuit_id}"][plan.riders[ride.rider].pupil_id] += n_days
    return found


def share_costs(
    cents: Mapping[str, Cents], rides: Rides, schools: Mapping[str, str], communes: Mapping[str, str]
) -> Costs:
    """The cents of circuits shared among pupils, whose schools and communes are given by their ids.

    A credit (a month of which more was withheld than run) is shared like a cost.
    """
    by_pupil: Counter[str] = Counter()
    unshared = 0
    for circuit, paid in cents.items():
        weights = {pupil: n for pupil, n in sorted(rides.get(circuit, {}).items()) if n > 0}
        if not weights:
            unshared += paid
            continue
        sign = -1 if paid < 0 else 1
        for pupil, part in zip(weights, share(abs(paid), list(weights.values())), strict=True):
            by_pupil[pupil] += sign * part
    riding = {circuit: len([n for n in rides.get(circuit, {}).values() if n > 0]) for circuit in cents}
    n_pupils = len(by_pupil)
    return Costs(
        tuple(Cost(circuit, riding[circuit], cents[circuit]) for circuit in sorted(cents)),
        _grouped(by_pupil, schools, unshared),
        _grouped(by_pupil, communes, unshared),
        Cost("", n_pupils, sum(cents.values())),
        tuple(sorted(by_pupil.values())),
    )


def cost_together(about: str, cents: Cents, circuits: Iterable[str], rides: Rides) -> Cost:
    """What circuits cost together, for all who ride on any of them."""
    riding = {pupil for circuit in circuits for pupil, n in rides.get(circuit, {}).items() if n > 0}
    return Cost(about, len(riding), cents)


def render_costs(costs: Sequence[Cost]) -> bytes:
    """A table of costs as CSV; what a spreadsheet would run as a formula has an apostrophe before it."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("objet", "eleves", "euros", "euros_par_eleve"))
    for one in costs:
        mean = "" if one.per_pupil_cents is None else render_euros(one.per_pupil_cents)
        about = f"'{one.about}" if one.about[:1] in _FORMULA else one.about
        writer.writerow((about, one.n_pupils, render_euros(one.cents), mean))
    return buffer.getvalue().encode()


def _grouped(by_pupil: Mapping[str, Cents], names: Mapping[str, str], unshared: Cents) -> tuple[Cost, ...]:
    sums: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for pupil, cents in by_pupil.items():
        name = names.get(pupil, "")
        sums[name] += cents
        counts[name] += 1
    if unshared:
        sums[""] += unshared
    return tuple(Cost(name, counts[name], sums[name]) for name in sorted(sums))
