"""Figures: a year's circuits as anybody may read them: kilometres, pupils, cost, nobody recognised.

Circuits of fewer than `LEAST` pupils are one row together; when even that row has fewer, the circuit with the fewest
pupils of all others joins it. The rows are one partition of the year, so that nothing can be subtracted from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scolaire.contracts.costs import LEAST, Cost
from socle.money import Cents, render_euros

OTHERS: Final = "autres"
COLUMNS: Final = ("circuit", "n_circuits", "km", "pupils", "euros")


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: a circuit, or several that are too small to be told alone; `metres` are those paid for."""

    circuit: str
    n_circuits: int
    metres: int
    n_pupils: int
    cents: Cents


def year_figures(circuits: Sequence[Cost], metres: Mapping[str, int]) -> tuple[Figure, ...]:
    """The rows of a year, the circuits in order and what is summed last; nothing when all together are too few."""
    rows = [Figure(one.about, 1, metres.get(one.about, 0), one.n_pupils, one.cents) for one in circuits if one.about]
    shown = sorted((row for row in rows if row.n_pupils >= LEAST), key=lambda row: (row.n_pupils, row.circuit))
    others = [row for row in rows if row.n_pupils < LEAST]
    while others and shown and sum(row.n_pupils for row in others) < LEAST:
        others.append(shown.pop(0))
    if sum(row.n_pupils for row in others) < LEAST:
        others = []
    found = sorted(shown, key=lambda row: row.circuit)
    if others:
        sums = (
            sum(row.metres for row in others),
            sum(row.n_pupils for row in others),
            sum(row.cents for row in others),
        )
        found.append(Figure(OTHERS, len(others), *sums))
    return tuple(found)


def render_figures(figures: Sequence[Figure]) -> bytes:
    """The table as CSV, kilometres to the nearest one."""
    lines = [",".join(COLUMNS)]
    lines += [
        f"{one.circuit},{one.n_circuits},{(one.metres + 500) // 1_000},{one.n_pupils},{render_euros(one.cents)}"
        for one in figures
    ]
    return ("\n".join(lines) + "\n").encode()
