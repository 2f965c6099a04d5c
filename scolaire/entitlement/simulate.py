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
            others.append(Change(key, old, new))
        elif _RANK[new.verdict] < _RANK[old.verdict]:
            gains.append(Change(key, old, new))
        else:
            losses.append(Change(key, old, new))
    return Simulation(n_files, dict(counts), gains, losses, others, n_other_reason)
