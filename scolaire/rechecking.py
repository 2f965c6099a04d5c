"""Rechecking: what is wrong with a plan that came of another one by an edit, looking only at what is another thing now.

An edit leaves the runs, riders, stops and schools that it does not concern the very objects that they were. What the
checker found of those stands; the answer is the checker's own of the whole plan, in its order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scolaire.checking import (
    Broken,
    Drives,
    broken_as_a_whole,
    broken_circuits,
    broken_ids,
    broken_run,
    broken_services,
)
from scolaire.plans import NotServed, Run, SchoolPlan


@dataclass(frozen=True, slots=True)
class Checked:
    """A plan and what is wrong with it: its ids; all together; each rider's service; each run; all circuits."""

    plan: SchoolPlan
    is_driven: bool  # whether drives were looked at
    ids: tuple[Broken, ...]
    whole: tuple[Broken, ...] = ()
    riders: tuple[Sequence[Broken], ...] = ()
    runs: tuple[Sequence[Broken], ...] = ()
    circuits: tuple[Broken, ...] = ()

    @property
    def broken(self) -> tuple[Broken, ...]:
        """As `checking.broken_promises`."""
        riders = (one for some in self.riders for one in some)
        runs = (one for some in self.runs for one in some)
        return (*self.ids, *self.whole, *riders, *runs, *self.circuits)


@dataclass(frozen=True, slots=True)
class _Changed:
    """The places of what is not the object that it was, or is new."""

    riders: frozenset[int]
    schools: frozenset[int]
    stops: frozenset[int]
    types: frozenset[int]


def check(plan: SchoolPlan, drives: Drives | None, before: Checked | None = None) -> Checked:
    """What is wrong with a plan; `before` is what was found of one that it came from, on the same roads."""
    if ids := tuple(broken_ids(plan, range(len(plan.runs)))):
        return Checked(plan, drives is not None, ids)
    known = before if before is not None and _is_like(before, plan, drives) else None
    changed = _changed(None if known is None else known.plan, plan)
    of_run = {} if known is None else {id(run): found for run, found in zip(known.plan.runs, known.runs, strict=True)}
    runs = []
    for run in plan.runs:
        found = None if _concerns(plan, run, changed) else of_run.get(id(run))
        runs.append(list(broken_run(plan, run, drives)) if found is None else found)
    return Checked(
        plan,
        drives is not None,
        (),
        tuple(broken_as_a_whole(plan)),
        _services(plan, known, changed),
        tuple(runs),
        tuple(broken_circuits(plan, {run.circuit_id for run in plan.runs})),
    )


def _is_like(before: Checked, plan: SchoolPlan, drives: Drives | None) -> bool:
    """Whether what was found of single runs and riders may stand."""
    old = before.plan
    return (
        not before.ids
        and before.is_driven == (drives is not None)
        and (old.periods, old.no_roads) == (plan.periods, plan.no_roads)
        and (old.making.mixed, old.making.ways) == (plan.making.mixed, plan.making.ways)
        and len(old.riders) <= len(plan.riders)
    )


def _changed(old: SchoolPlan | None, new: SchoolPlan) -> _Changed:
    if old is None:
        return _Changed(
            *(frozenset(range(len(some))) for some in (new.riders, new.schools, new.stops, new.vehicle_types))
        )
    return _Changed(
        _others(old.riders, new.riders),
        _others(old.schools, new.schools),
        _others(old.stops, new.stops),
        _others(old.vehicle_types, new.vehicle_types),
    )


def _others(old: Sequence[object], new: Sequence[object]) -> frozenset[int]:
    if old is new:
        return frozenset()
    same = {at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one is other}
    return frozenset(range(len(new))) - same


def _concerns(plan: SchoolPlan, run: Run, changed: _Changed) -> bool:
    """Whether something that a run is judged by is another thing than before."""
    if run.vehicle_type in changed.types:
        return True
    for halt in run.halts:
        if halt.stop in changed.stops or halt.school in changed.schools:
            return True
        if changed.riders and not (changed.riders.isdisjoint(halt.up) and changed.riders.isdisjoint(halt.down)):
            return True
        if changed.schools and any(plan.riders[rider].school in changed.schools for rider in halt.up):
            return True
    return False


def _services(plan: SchoolPlan, known: Checked | None, changed: _Changed) -> tuple[Sequence[Broken], ...]:
    if known is None:
        return tuple(broken_services(plan, range(len(plan.riders))))
    old = known.plan
    kept = set(map(id, old.runs)) & set(map(id, plan.runs))
    stale = set(changed.riders)
    stale |= _riders_of(run for run in (*old.runs, *plan.runs) if id(run) not in kept)
    names = _named(old) ^ _named(plan)
    renamed = {one.pupil_id for one in names}
    stale |= {at for at, rider in enumerate(plan.riders) if rider.pupil_id in renamed}
    found = [*known.riders, *([()] * (len(plan.riders) - len(old.riders)))]
    looked_at = sorted(stale)
    for rider, some in zip(looked_at, broken_services(plan, looked_at), strict=True):
        found[rider] = some
    return tuple(found)


def _riders_of(runs: Iterable[Run]) -> set[int]:
    return {rider for run in runs for halt in run.halts for rider in halt.up}


def _named(plan: SchoolPlan) -> set[NotServed]:
    return set(plan.not_served)
