"""Applying: a plan and an edit → another plan, who is affected, and what both plans take.

Nothing is looked up or kept but figures of runs that did not change, which `Context` remembers from edit to edit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import singledispatch
from itertools import pairwise

from scolaire.checking import Broken, broken_by
from scolaire.edits.affected import Affected, list_affected
from scolaire.edits.draft import Draft, refused
from scolaire.edits.kinds import (
    AddPupil,
    AddStop,
    ChangeVehicle,
    CloseStop,
    Edit,
    ForbidRoad,
    LockCircuit,
    MergeRuns,
    MoveBell,
    MoveHalt,
    MovePupil,
    MoveStop,
    RemovePupil,
    ReorderHalts,
    SplitRun,
)
from scolaire.plans import (
    Direction,
    Halt,
    Measures,
    NoRoad,
    Rider,
    Run,
    SchoolPlan,
    Spot,
    Tally,
    Waiting,
    measure_tallies,
    tally,
)
from scolaire.pupils import SATURDAY, WEDNESDAY, Stop, StopStatus
from scolaire.timing import timed
from scolaire.ways import Ways
from socle.errors import Conflict, NotFound
from socle.geo import LatLon


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit came to; `violations` are of what it changed, the vehicles of the whole plan among it."""

    plan: SchoolPlan
    affected: tuple[Affected, ...]
    before: Measures
    after: Measures
    violations: tuple[Broken, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """What plans are changed with: the ways between their places; the rest it remembers by itself."""

    ways: Ways
    tallies: dict[int, tuple[Run, Tally]] = field(default_factory=dict, compare=False, repr=False)
    plans: list[tuple[SchoolPlan, Measures]] = field(default_factory=list, compare=False, repr=False)  # the last one

    def measure(self, plan: SchoolPlan) -> Measures:
        """As `plans.measure`, adding up what is known of runs already."""
        if self.plans and self.plans[0][0] is plan:
            return self.plans[0][1]
        found = []
        for run in plan.runs:
            known = self.tallies.get(id(run))
            if known is None or known[0] is not run:
                known = run, tally(plan, run)
            found.append(known)
        self.tallies.clear()
        self.tallies.update((id(run), (run, figures)) for run, figures in found)
        measures = measure_tallies(plan, [figures for _, figures in found])
        self.plans[:] = [(plan, measures)]
        return measures


def apply(plan: SchoolPlan, edit: Edit, context: Context) -> Edited:
    """The plan after an edit.

    Raises:
        NotFound: what it names is not in the plan. Conflict: a circuit is locked, a stop not validated.
        BadInput: it cannot be done: an order that is none, a run merged with itself.
    """
    draft = Draft(plan, context.ways)
    _change(edit, draft)
    after = draft.finish()
    before_of = {run.run_id: run for run in plan.runs}
    after_of = {run.run_id: run for run in after.runs}
    changed = [run_id for run_id in {**before_of, **after_of} if before_of.get(run_id) is not after_of.get(run_id)]
    affected = tuple(list_affected(plan, after, [(before_of.get(one), after_of.get(one)) for one in changed]))
    told = set(changed)
    runs = [index for index, run in enumerate(after.runs) if run.run_id in told]
    riders = {rider.pupil_id: index for index, rider in enumerate(after.riders)}
    touched = draft.touched | {riders[one.pupil_id] for one in affected}
    before = context.measure(plan)
    return Edited(after, affected, before, context.measure(after), broken_by(after, context.ways, runs, touched))


# --- one edit after the other -------------------------------------------------------------------


@singledispatch
def _change(edit: object, _draft: Draft) -> None:
    raise TypeError(f"no such edit: {edit!r}")


@_change.register
def _move_pupil(edit: MovePupil, draft: Draft) -> None:
    rider, stop = draft.rider(edit.pupil_id), draft.open_stop(edit.stop_id)
    into = None if edit.run_id is None else draft.run(edit.run_id)
    if into is not None:
        periods = [draft.at(into).period]
        if edit.periods and periods != [draft.period(one) for one in edit.periods]:
            raise refused("school_run_of_other_period", run=edit.run_id or "")
    else:
        named = {draft.period(one) for one in edit.periods}
        periods = [
            one
            for one in _travels(draft, rider)
            if one in named or not (named or draft.eats_at_canteen(rider, one))  # who moves house eats where they ate
        ]
    for period in periods:
        draft.take_out([rider], period)
        draft.waits([rider], period, stop)
        is_carried = draft.put_in([rider], stop, period, into, anyhow=into is not None)
        draft.name(rider, period, None if is_carried else "no_vehicle")


@_change.register
def _add_pupil(edit: AddPupil, draft: Draft) -> None:
    if any(rider.pupil_id == edit.pupil_id for rider in draft.plan.riders):
        raise Conflict("school_pupil_known", id=edit.pupil_id)
    stop, school = draft.open_stop(edit.stop_id), draft.school(edit.school_id)
    days_back = edit.days if edit.days_back is None else edit.days_back
    if not 0 < edit.days < 1 << 7 or not 0 <= days_back < 1 << 7:
        raise refused("school_days_unknown")
    waits = (Waiting(Direction.TO_SCHOOL, edit.days, stop), Waiting(Direction.FROM_SCHOOL, days_back, stop))
    rider = len(draft.plan.riders)
    told = Rider(edit.pupil_id, school, edit.level, edit.wheelchair, waits)
    draft.plan = replace(draft.plan, riders=(*draft.plan.riders, told))
    for period in _travels(draft, rider):
        is_carried = draft.put_in([rider], stop, period)
        draft.name(rider, period, None if is_carried else "no_vehicle")


@_change.register
def _remove_pupil(edit: RemovePupil, draft: Draft) -> None:
    rider = draft.rider(edit.pupil_id)
    draft.take_out([rider])
    draft.tell(rider, replace(draft.plan.riders[rider], waits=()))
    draft.forget(edit.pupil_id)


@_change.register
def _add_stop(edit: AddStop, draft: Draft) -> None:
    if any(stop.stop_id == edit.stop_id for stop in draft.plan.stops):
        raise Conflict("school_stop_known", id=edit.stop_id)
    stop = Stop(edit.stop_id, edit.name, LatLon(edit.lat, edit.lon), StopStatus.VALIDATED)
    draft.plan = replace(draft.plan, stops=(*draft.plan.stops, stop))


@_change.register
def _move_stop(edit: MoveStop, draft: Draft) -> None:
    stop = draft.stop(edit.stop_id)
    stops = list(draft.plan.stops)
    stops[stop] = replace(stops[stop], position=LatLon(edit.lat, edit.lon))
    draft.plan = replace(draft.plan, stops=tuple(stops))
    _time_again(draft, lambda run: any(halt.stop == stop for halt in run.halts))


@_change.register
def _close_stop(edit: CloseStop, draft: Draft) -> None:
    stop = draft.stop(edit.stop_id)
    into = None if edit.into is None else draft.open_stop(edit.into)
    if into == stop:
        raise refused("school_stop_into_itself", stop=edit.stop_id)
    stops = list(draft.plan.stops)
    stops[stop] = replace(stops[stop], status=StopStatus.CLOSED)
    draft.plan = replace(draft.plan, stops=tuple(stops))
    waiting: dict[tuple[int, int], list[int]] = {}  # period, school
    here = [
        (index, rider)
        for index, rider in enumerate(draft.plan.riders)
        if rider.waits and any(one.stop == stop for one in rider.waits)
    ]
    for period, told in enumerate(draft.plan.periods):
        carried = {
            rider
            for _, run in draft.runs_of(period)
            for halt in run.halts
            if halt.stop == stop
            for rider in (*halt.up, *halt.down)
        }
        asked = {index for index, rider in here if any(one.stop == stop for one in rider.waits_in(told))}
        for rider in sorted(carried | asked):
            waiting.setdefault((period, draft.plan.riders[rider].school), []).append(rider)
    for (period, _), riders in waiting.items():
        draft.take_out(riders, period)
        if into is not None:
            draft.waits(riders, period, into)
        left = set(riders) if into is None else set(draft.put_in_parts(riders, into, period))
        for rider in riders:
            why = "stop_closed" if into is None else "no_vehicle"
            draft.name(rider, period, why if rider in left else None)


@_change.register
def _reorder_halts(edit: ReorderHalts, draft: Draft) -> None:
    index = draft.run(edit.run_id)
    halts = draft.at(index).halts
    if sorted(edit.order) != list(range(len(halts))):
        raise refused("school_order_is_none", run=edit.run_id)
    draft.put(index, [halts[at] for at in edit.order])


@_change.register
def _move_halt(edit: MoveHalt, draft: Draft) -> None:
    index, into = draft.run(edit.run_id), draft.run(edit.to_run_id)
    run = draft.at(index)
    if index == into or draft.at(into).period != run.period:
        raise refused("school_run_of_other_period", run=edit.to_run_id)
    stop, groups = _group_at(draft, run, edit.halt)
    for riders in groups:
        draft.take_out(riders, index=index)
        draft.put_in(riders, stop, run.period, into, anyhow=True)


@_change.register
def _split_run(edit: SplitRun, draft: Draft) -> None:
    index = draft.run(edit.run_id)
    run = draft.at(index)
    kind = run.vehicle_type if edit.type_id is None else draft.vehicle_type(edit.type_id)
    if not 0 < edit.halt < len(run.halts):
        raise refused("school_halt_unknown", run=edit.run_id)
    ends = run.halts[edit.halt :]
    going = {rider for halt in ends if halt.stop is not None for rider in (*halt.up, *halt.down)}
    staying = {rider for halt in run.halts for rider in halt.up} - going
    if not going or not staying:
        raise refused("school_halt_unknown", run=edit.run_id)
    circuit = draft.free_circuit()
    draft.touched |= going
    halves = [[_only(halt, kept) for halt in run.halts] for kept in (staying, going)]
    new = draft.add(
        replace(run, run_id=f"{circuit}-{run.run_id.rpartition('-')[2]}", circuit_id=circuit, vehicle_type=kind)
    )
    draft.put(index, halves[0])
    draft.put(new, halves[1])


@_change.register
def _merge_runs(edit: MergeRuns, draft: Draft) -> None:
    index, other = draft.run(edit.run_id), draft.run(edit.other_run_id)
    run = draft.at(other)
    if index == other or draft.at(index).period != run.period:
        raise refused("school_run_of_other_period", run=edit.other_run_id)
    for at, halt in enumerate(run.halts):
        if halt.stop is None:
            continue
        stop, groups = _group_at(draft, run, at)
        for riders in groups:
            draft.take_out(riders, index=other)
            draft.put_in(riders, stop, run.period, index, anyhow=True)


@_change.register
def _change_vehicle(edit: ChangeVehicle, draft: Draft) -> None:
    kind = draft.vehicle_type(edit.type_id)
    for index, run in _circuit(draft, edit.circuit_id):
        draft.replace_run(draft.unlocked(index), replace(run, vehicle_type=kind))


@_change.register
def _move_bell(edit: MoveBell, draft: Draft) -> None:
    school = draft.school(edit.school_id)
    schools = list(draft.plan.schools)
    told = schools[school]
    bells = {
        name: getattr(told, name) if getattr(edit, name) is None else getattr(edit, name)
        for name in ("bell_am_s", "bell_pm_s", "bell_wednesday_s")
    }
    ends = [bell for name, bell in bells.items() if name != "bell_am_s" and bell is not None]
    if any(not 0 <= bell < 86_400 for bell in bells.values() if bell is not None) or any(
        bells["bell_am_s"] is not None and end <= bells["bell_am_s"] for end in ends
    ):
        raise refused("school_bell_impossible", school=edit.school_id)
    if told.noon is not None and any(
        bell is not None and (bell >= told.noon.ends_s if name == "bell_am_s" else bell <= told.noon.resumes_s)
        for name, bell in bells.items()
        if name != "bell_wednesday_s"
    ):
        raise refused("school_bell_impossible", school=edit.school_id)
    schools[school] = replace(told, **bells)
    draft.plan = replace(draft.plan, schools=tuple(schools))
    moved = {
        period
        for period, one in enumerate(draft.plan.periods)
        if (edit.bell_am_s is not None and one.direction is Direction.TO_SCHOOL)
        or (
            edit.bell_wednesday_s is not None
            and one.direction is Direction.FROM_SCHOOL
            and one.days in (WEDNESDAY, SATURDAY)
        )
        or (edit.bell_pm_s is not None and one.direction is Direction.FROM_SCHOOL and one.days != WEDNESDAY)
    }
    _time_again(draft, lambda run: run.period in moved and any(halt.school == school for halt in run.halts))


@_change.register
def _lock_circuit(edit: LockCircuit, draft: Draft) -> None:
    for index, run in _circuit(draft, edit.circuit_id):
        draft.runs[index] = replace(run, is_locked=edit.is_locked)


@_change.register
def _forbid_road(edit: ForbidRoad, draft: Draft) -> None:
    road = NoRoad(_spot(draft, edit.origin_id), _spot(draft, edit.target_id))
    others = tuple(one for one in draft.plan.no_roads if one != road)
    draft.plan = replace(draft.plan, no_roads=(*others, road) if edit.is_forbidden else others)
    for index, run in enumerate(draft.runs):
        if edit.is_forbidden and run is not None and not run.is_locked:
            _go_round(draft, index, run, road)


def _go_round(draft: Draft, index: int, run: Run, road: NoRoad) -> None:
    """Another place for one of the two halts of a road, the one that takes the least driving."""
    best: tuple[int, Run] | None = None
    for at in sorted(_ends(run, road)):
        if run.halts[at].stop is None:
            continue
        rest = [*run.halts[:at], *run.halts[at + 1 :]]
        for place in range(len(run.halts)):
            found = timed(draft.plan, replace(run, halts=(*rest[:place], run.halts[at], *rest[place:])), draft.ways)
            if found.is_kept and (best is None or found.run.driven_m < best[0]):
                best = found.run.driven_m, found.run
    if best is not None:
        draft.replace_run(index, best[1])


def _ends(run: Run, road: NoRoad) -> set[int]:
    pairs = pairwise(run.halts)
    return {
        end
        for at, (one, other) in enumerate(pairs)
        if NoRoad(Spot(one.stop, one.school), Spot(other.stop, other.school)) == road
        for end in (at, at + 1)
    }


# --- what they share ----------------------------------------------------------------------------


def _travels(draft: Draft, rider: int) -> list[int]:
    """The periods in which a rider travels: those written down, else those in which a coach carries the rider."""
    plan = draft.plan
    told = plan.riders[rider]
    if told.waits is not None:
        return [index for index, period in enumerate(plan.periods) if told.waits_in(period)]
    carried = {run.period for run in draft.runs if run is not None and any(rider in halt.up for halt in run.halts)}
    return sorted(carried)


def _group_at(draft: Draft, run: Run, at: int) -> tuple[int, list[list[int]]]:
    """The stop of a halt, and who gets on or off there, school by school."""
    if not 0 <= at < len(run.halts) or run.halts[at].stop is None:
        raise refused("school_halt_unknown", run=run.run_id)
    halt = run.halts[at]
    groups: dict[int, list[int]] = {}
    for rider in (*halt.up, *halt.down):
        groups.setdefault(draft.plan.riders[rider].school, []).append(rider)
    return halt.stop or 0, list(groups.values())


def _only(halt: Halt, kept: Collection[int]) -> Halt:
    up, down = (tuple(rider for rider in some if rider in kept) for some in (halt.up, halt.down))
    return replace(halt, up=up, down=down)


def _circuit(draft: Draft, circuit_id: str) -> list[tuple[int, Run]]:
    found = [(index, run) for index, run in enumerate(draft.runs) if run is not None and run.circuit_id == circuit_id]
    if not found:
        raise NotFound("no_school_circuit", id=circuit_id)
    return found


def _time_again(draft: Draft, concerns: Callable[[Run], bool]) -> None:
    for index, run in enumerate(draft.runs):
        if run is not None and concerns(run):
            draft.replace_run(draft.unlocked(index), run)


def _spot(draft: Draft, named: str) -> Spot:
    stops = {stop.stop_id: index for index, stop in enumerate(draft.plan.stops)}
    return Spot(stop=stops[named]) if named in stops else Spot(school=draft.school(named))
