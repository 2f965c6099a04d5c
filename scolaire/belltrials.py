"""Bell trials: what a plan would take if lessons began a little earlier or later, each answer with its whole plan.

The plan is first made better under its own bells, so that nothing is put down to bells that the optimiser gives
without them. CP-SAT then says how few coaches the mornings of that plan could do with, and the least minutes for each
number of coaches from there on; each of these becomes a plan whose mornings begin as CP-SAT chained them and whose
periods are all searched further. Lessons of all days move together. Locked circuits stay, and so do the bells of
their schools.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from scolaire.again import Sight, fewest_coaches, improve
from scolaire.bells import EFFORT, Chosen, chained, choose_bells, with_bells, with_wider_windows
from scolaire.periods import Asked
from scolaire.plans import Direction, Measures, SchoolPlan, measure
from scolaire.ways import Ways, places_of
from socle.matrix import TravelMatrix

MOST_TRIALS: Final = 6  # beside the plan under its own bells
_LEAST_EFFORT: Final = 4.0  # of CP-SAT, however short the time: with less it finds nothing for a small sector either
_PARTS: Final = MOST_TRIALS + 2  # of the budget: that plan, CP-SAT, each trial


@dataclass(frozen=True, slots=True)
class Bound:
    """What no bells within the permitted minutes can beat, and how many trials follow."""

    least: int  # coaches of any plan
    fewest: int  # coaches of a morning with the runs that were found
    is_proved: bool  # and bells that do with `fewest` were found
    n_trials: int


@dataclass(frozen=True, slots=True)
class Trial:
    """A plan under bells that moved by so many seconds, school by school; none of them: its own bells."""

    plan: SchoolPlan
    measures: Measures
    moved_s: Mapping[int, int]

    @property
    def cost(self) -> tuple[int, int, int]:
        """Coaches, minutes and schools moved: what a front is made of."""
        minutes = sum(abs(moved) for moved in self.moved_s.values()) // 60
        return self.measures.n_vehicles, minutes, len(self.moved_s)


def try_bells(
    plan: SchoolPlan,
    matrix: TravelMatrix,
    asked: Asked,
    most_s: int,
    *,
    fixed: Collection[int] = (),
    on_better: Callable[[Sight], bool] | None = None,
    effort: float = EFFORT,
) -> Iterator[Trial | Bound]:
    """The plan made better, what no bells can beat, and then trial after trial, the fewest coaches first.

    Bells move by `most_s` at most; those of schools in `fixed` do not. Who asks for no more trials stops the work.

    Raises:
        BadInput: `sector_without_vehicles`.
    """
    part = replace(
        asked,
        steps=None if asked.steps is None else max(1, asked.steps // _PARTS),
        seconds=None if asked.seconds is None else asked.seconds / _PARTS,
    )
    better = improve(plan, matrix, part, on_better=on_better)
    yield Trial(better, measure(better), {})
    least = fewest_coaches(replace(plan, schools=with_wider_windows(plan.schools, most_s, fixed)), matrix) or 0
    morning = morning_of(better)
    if morning is None:
        yield Bound(least, 0, is_proved=True, n_trials=0)
        return
    ways = Ways(places_of(plan), matrix)
    locked = [run for run in better.runs if run.is_locked]
    held = {*fixed, *(halt.school for run in locked for halt in run.halts if halt.school is not None)}
    free = replace(better, runs=tuple(run for run in better.runs if not run.is_locked))
    n_now, n_held = len(free.runs_of(morning)), sum(run.period == morning for run in locked)
    effort = effort if part.seconds is None else max(_LEAST_EFFORT, part.seconds)

    def chosen_for(n_coaches: int | None, share: float) -> Chosen:
        return choose_bells(free, ways, most_s, period=morning, fixed=held, most_coaches=n_coaches, effort=share)

    fewest = chosen_for(None, effort / 2)
    wanted = _spread(range(fewest.n_coaches, n_now)) if fewest.moved_s else []
    yield Bound(least, fewest.fewest + n_held, fewest.is_proved, len(wanted))
    for n_coaches in wanted:
        chosen = fewest if n_coaches == fewest.n_coaches else chosen_for(n_coaches, effort / MOST_TRIALS)
        if chosen.moved_s:
            begun = replace(chained(better, morning, chosen), schools=with_bells(better.schools, chosen.moved_s))
            found = improve(begun, matrix, part, led_by=morning, on_better=on_better)
            yield Trial(found, measure(found), chosen.moved_s)


def front_of(trials: Sequence[Trial], most_not_served: int) -> list[Trial]:
    """The trials that none beats in coaches, minutes and schools, the fewest coaches first.

    One that leaves more pupils than `most_not_served` without a coach is none of them.
    """
    serving = [one for one in trials if one.measures.n_not_served <= most_not_served]
    found: list[Trial] = []
    for one in sorted(serving, key=lambda each: each.cost):
        if not any(all(a <= b for a, b in zip(other.cost, one.cost, strict=True)) for other in found):
            found.append(one)
    return found


def morning_of(plan: SchoolPlan) -> int | None:
    """The period to school with most runs; None when nobody is driven to school."""
    mornings = [at for at, period in enumerate(plan.periods) if period.direction is Direction.TO_SCHOOL]
    driven = [at for at in mornings if plan.runs_of(at)]
    return max(driven, key=lambda at: (len(plan.runs_of(at)), -at), default=None)


def _spread(wanted: Sequence[int]) -> list[int]:
    """At most `MOST_TRIALS` of them, evenly, the first one among them."""
    step = max(1, -(-len(wanted) // MOST_TRIALS))
    return list(wanted[::step])
