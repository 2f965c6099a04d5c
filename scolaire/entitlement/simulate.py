"""Simulate: what a change of rules does to files that were decided: who gains, who loses, who stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scolaire.entitlement.judge import Judge
from scolaire.entitlement.model import Decision, Facts, Verdict

_RANK: Final = {Verdict.ENTITLED: 0, Verdict.PAYS: 1, Verdict.REFUSED: 2}


@dataclass(frozen=True, slots=True)
class Change:
    """A file whose verdict changes."""

    key: str
    before: Decision
    after: Decision
    commune: str = ""  # of the home


@dataclass(frozen=True, slots=True)
class ByCommune:
    """Files of one commune that gain and that lose; `commune` is empty for all communes where they are too few."""

    commune: str
    n_gains: int
    n_losses: int


def count_by_commune(changes: Simulation, k: int) -> list[ByCommune]:
    """Gains and losses by commune, each told only where neither is of fewer than `k` files (0 is told).

    What is left out is one line, of two communes at least and of no fewer than `k` files either; until it is so, the
    communes told are one fewer: none of its parts must follow from the others and the totals.
    """
    gains = Counter(one.commune for one in changes.gains)
    losses = Counter(one.commune for one in changes.losses)
    rows = [ByCommune(commune, gains[commune], losses[commune]) for commune in sorted(gains | losses)]
    told = [row for row in rows if row.commune and _is_told(row.n_gains, k) and _is_told(row.n_losses, k)]
    hidden = [row for row in rows if row not in told]
    while hidden and told and not _is_told_together(hidden, k):
        least = min(told, key=lambda row: (row.n_gains + row.n_losses, row.commune))
        told.remove(least)
        hidden.append(least)
    if hidden:
        told.append(ByCommune("", sum(row.n_gains for row in hidden), sum(row.n_losses for row in hidden)))
    return told


def _is_told(n: int, k: int) -> bool:
    return n == 0 or n >= k


def _is_told_together(hidden: Sequence[ByCommune], k: int) -> bool:
    totals = sum(row.n_gains for row in hidden), sum(row.n_losses for row in hidden)
    return len(hidden) > 1 and all(_is_told(n, k) for n in totals)


@dataclass(frozen=True, slots=True)
class Simulation:
    """How many files go from which verdict to which, and those that gain, lose, or can no longer be told."""

    n_files: int
    counts: Mapping[tuple[Verdict, Verdict], int]
    gains: Sequence[Change]
    losses: Sequence[Change]
    others: Sequence[Change]  # from or to incomplete
    n_other_reason: int  # the same verdict for another reason

    @property
    def n_unchanged(self) -> int:
        """Files that keep their verdict."""
        return sum(n for (before, after), n in self.counts.items() if before is after)


def simulate(files: Iterable[tuple[str, Facts]], before: Judge, after: Judge) -> Simulation:
    """Decide every file by both books; changes stand in the order of the files."""
    counts: Counter[tuple[Verdict, Verdict]] = Counter()
    gains: list[Change] = []
    losses: list[Change] = []
    others: list[Change] = []
    n_files = n_other_reason = 0
    for key, facts in files:
        n_files += 1
        old, new = before.decide(facts), after.decide(facts)
        counts[old.verdict, new.verdict] += 1
        if old.verdict is new.verdict:
            n_other_reason += old.reason != new.reason
            continue
        if Verdict.INCOMPLETE in (old.verdict, new.verdict):
            others.append(Change(key, old, new, facts.home_commune or ""))
        elif _RANK[new.verdict] < _RANK[old.verdict]:
            gains.append(Change(key, old, new, facts.home_commune or ""))
        else:
            losses.append(Change(key, old, new, facts.home_commune or ""))
    return Simulation(n_files, dict(counts), gains, losses, others, n_other_reason)
