"""Affected: who goes otherwise after an edit, and how they went before."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from scolaire.plans import Run, SchoolPlan, rides_of


@dataclass(frozen=True, slots=True)
class Passage:
    """How a pupil goes in one period: the stop and when the coach leaves or reaches it, the school and when."""

    run_id: str
    circuit_id: str
    stop_id: str
    stop_s: int
    school_s: int


@dataclass(frozen=True, slots=True)
class Affected:
    """A pupil whose stop, times or coach are others in a period; None: not carried."""

    pupil_id: str
    period_id: str
    before: Passage | None
    after: Passage | None


def passages(plan: SchoolPlan, run: Run) -> Iterator[tuple[int, Passage]]:
    """How each rider of a run goes."""
    to_school = plan.periods[run.period].direction.is_to_school
    for ride in rides_of(run):
        if ride.stop is None:
            continue
        up, down = run.halts[ride.up], run.halts[ride.down]
        at_stop, at_school = (up.leaves_s, down.arrives_s) if to_school else (down.arrives_s, up.leaves_s)
        yield ride.rider, Passage(run.run_id, run.circuit_id, plan.stops[ride.stop].stop_id, at_stop, at_school)


def list_affected(
    before: SchoolPlan, after: SchoolPlan, changed: Collection[tuple[Run | None, Run | None]]
) -> Iterator[Affected]:
    """Who goes otherwise in runs that changed, each as it was and as it is."""
    old: dict[tuple[int, int], Passage] = {}
    new: dict[tuple[int, int], Passage] = {}
    for run, other in changed:
        for plan, one, found in ((before, run, old), (after, other, new)):
            if one is not None:
                found.update(((one.period, rider), passage) for rider, passage in passages(plan, one))
    for period, rider in sorted({**old, **new}):
        was, now = old.get((period, rider)), new.get((period, rider))
        if was != now:
            yield Affected(after.riders[rider].pupil_id, after.periods[period].period_id, was, now)
