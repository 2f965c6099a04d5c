"""Bells: lessons that begin a little earlier or later, so that one coach serves several schools after another.

With the runs of a plan fixed, CP-SAT chooses bells within the permitted windows so that the fewest coaches drive all
runs, and then so that lessons move as few minutes as can be. Each school visited ends a load: a run is cut
where nobody is aboard, and pieces follow one another in one coach when it can be there in time.

Bounds are those of CP-SAT for the runs as they are: other runs may need fewer coaches, which is why the runs
are planned again under the new bells, and the bells again for the new runs, for a few rounds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ortools.sat.python import cp_model

from scolaire.plans import Direction, Halt, Period, Run, SchoolPlan, window_of
from scolaire.pupils import School
from scolaire.timing import position_of, stay_s
from scolaire.ways import Ways

STEP_S: Final = 5 * 60  # bells move by multiples of this
EFFORT: Final = 60.0  # of CP-SAT, in its own deterministic seconds
_WALL_FACTOR: Final = 3
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Chosen:
    """Bells that were chosen, and what is known of them: no other ones do with fewer than `fewest` coaches."""

    moved_s: Mapping[int, int]  # school -> seconds later, where it is not nothing
    n_coaches: int  # for the runs as they are
    fewest: int
    is_proved: bool
    coaches: tuple[tuple[Halt, ...], ...] = ()  # what each of them drives, one load after the other

    @property
    def minutes(self) -> int:
        """By how many minutes lessons move, added up."""
        return sum(abs(moved) for moved in self.moved_s.values()) // 60


@dataclass(frozen=True, slots=True)
class _Load:
    """A part of a run with somebody aboard all along: from its first halt to the one after which nobody is."""

    halts: tuple[Halt, ...]
    schools: tuple[tuple[int, int], ...]  # (school, seconds from the first halt to it without waiting)
    slacks: tuple[tuple[int, int, int], ...]  # (school visits before getting on and off, most seconds of waiting)
    lasts_s: int


@dataclass(frozen=True, slots=True)
class _Timed:
    """A load in the model: when it begins, and when it ends before its coach may go on."""

    begin: Any
    end: Any


def choose_bells(
    plan: SchoolPlan,
    ways: Ways,
    most_s: int,
    *,
    period: int = 0,
    fixed: Collection[int] = (),
    most_coaches: int | None = None,
    effort: float = EFFORT,
) -> Chosen:
    """Bells at most `most_s` earlier or later for the morning `period` of a plan, its loads as they are.

    Bells of the schools in `fixed` do not move. `most_coaches` asks for the least minutes with that many coaches,
    instead of the fewest coaches.
    """
    if plan.periods[period].direction is not Direction.TO_SCHOOL:
        raise ValueError("bells are those of mornings")
    loads = [load for run in plan.runs_of(period) for load in _loads(plan, run, ways)]
    if not loads:
        return Chosen({}, 0, 0, is_proved=True)
    model = cp_model.CpModel()
    schools = sorted({school for load in loads for school, _ in load.schools})
    n_steps = most_s // STEP_S
    free = {school: 0 if school in fixed else n_steps for school in schools}
    moved = {school: model.new_int_var(-free[school], free[school], "") for school in schools}
    timed = [_timed(model, plan, period, load, moved) for load in loads]
    follows = _follows(model, plan, plan.periods[period], ways, loads, timed, most_s)
    n_chained = sum(follows.values())
    minutes = []
    for school in schools:
        size = model.new_int_var(0, n_steps, "")
        model.add_abs_equality(size, moved[school])
        minutes.append(size)
    total: Any = sum(minutes)
    n_loads = len(loads)
    proved = True
    fewest = most_coaches or 0
    for load, one in zip(loads, timed, strict=True):  # the plan as it is drives all loads: a first answer
        model.add_hint(one.begin, load.halts[0].arrives_s)
    for school in schools:
        model.add_hint(moved[school], 0)
    if most_coaches is None:
        model.maximize(n_chained)
        solver, status = _solved(model, effort)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Chosen({}, n_loads, 0, is_proved=False)
        fewest = n_loads - int(solver.best_objective_bound + 1e-6)
        proved = status == cp_model.OPTIMAL
        most_coaches = n_loads - round(solver.objective_value)
        model.clear_hints()  # type: ignore[no-untyped-call] # OR-Tools does not say that it returns nothing
        for variable in (*moved.values(), *(one.begin for one in timed), *follows.values()):
            model.add_hint(variable, solver.value(variable))
    model.add(n_chained >= n_loads - most_coaches)
    model.minimize(total)
    solver, status = _solved(model, effort)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Chosen({}, n_loads, fewest, is_proved=False)
    chosen = {school: STEP_S * solver.value(moved[school]) for school in schools if solver.value(moved[school])}
    next_of = dict(pair for pair, literal in follows.items() if solver.value(literal))
    return Chosen(
        chosen, n_loads - len(next_of), fewest, proved and status == cp_model.OPTIMAL, _coaches(loads, next_of)
    )


def chained(plan: SchoolPlan, morning: int, chosen: Chosen) -> SchoolPlan:
    """The plan with the runs of its morning as they were chained; those of locked circuits as they are."""
    kind_of = {halt.up: run.vehicle_type for run in plan.runs_of(morning) for halt in run.halts if halt.up}
    model = next(run for run in plan.runs_of(morning) if not run.is_locked)
    joined = [
        replace(
            model,
            run_id=f"b{at}",
            circuit_id=f"b{at}",
            vehicle_type=kind_of[halts[0].up],
            halts=halts,
        )
        for at, halts in enumerate(chosen.coaches)
    ]
    others = [run for run in plan.runs if run.period != morning or run.is_locked]
    return replace(plan, runs=(*joined, *others))


def with_bells(schools: Sequence[School], moved_s: Mapping[int, int]) -> tuple[School, ...]:
    """Schools whose lessons begin, and end, so much later on every day."""
    found = []
    for index, school in enumerate(schools):
        later = moved_s.get(index, 0)
        bells = {
            name: bell + later
            for name in ("bell_am_s", "bell_pm_s", "bell_wednesday_s")
            if (bell := getattr(school, name)) is not None
        }
        found.append(replace(school, **bells))
    return tuple(found)


def with_wider_windows(schools: Sequence[School], most_s: int, fixed: Collection[int] = ()) -> tuple[School, ...]:
    """Schools whose coaches may come whenever they may with some bell at most `most_s` earlier or later.

    Every plan under such bells keeps these windows: a bound of these schools is one of all those plans.
    """
    found = []
    for index, school in enumerate(schools):
        if index not in fixed:
            bells = {
                name: bell + later
                for name, later in (("bell_am_s", most_s), ("bell_pm_s", -most_s), ("bell_wednesday_s", -most_s))
                if (bell := getattr(school, name)) is not None
            }
            wider = {name: getattr(school, name) + 2 * most_s for name in ("window_max_s", "wait_max_s")}
            school = replace(school, **bells, **wider)
        found.append(school)
    return tuple(found)


def _coaches(loads: Sequence[_Load], next_of: Mapping[int, int]) -> tuple[tuple[Halt, ...], ...]:
    """The halts of each coach: those of its loads, one after the other."""
    found = []
    for first in sorted(set(range(len(loads))) - set(next_of.values())):
        halts, at = list(loads[first].halts), first
        while (after := next_of.get(at)) is not None:
            halts += loads[after].halts
            at = after
        found.append(tuple(halts))
    return tuple(found)


def _solved(model: cp_model.CpModel, effort: float) -> tuple[cp_model.CpSolver, Any]:
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = effort
    solver.parameters.max_time_in_seconds = _WALL_FACTOR * effort
    return solver, solver.solve(model)


def _loads(plan: SchoolPlan, run: Run, ways: Ways) -> list[_Load]:
    """A run cut where nobody is aboard; within a load the coach drives on without waiting, as long as rides allow."""
    found: list[_Load] = []
    part: list[Halt] = []
    for halt, aboard in zip(run.halts, run.loads, strict=True):
        part.append(halt)
        if aboard == 0:
            found.append(_load(plan, tuple(part), ways))
            part = []
    return found


def _load(plan: SchoolPlan, halts: tuple[Halt, ...], ways: Ways) -> _Load:
    at, places = 0, [position_of(plan, halt) for halt in halts]
    schools: list[tuple[int, int]] = []
    slacks: dict[tuple[int, int], int] = {}
    boarded: dict[int, tuple[int, int]] = {}  # rider -> visits of schools before, seconds at which the coach leaves
    for index, halt in enumerate(halts):
        if index:
            way = ways.find(places[index - 1], places[index])
            at += stay_s(halts[index - 1]) + (way[0] if way else halt.drive_s)
        for rider in halt.down:
            before, left = boarded[rider]
            slack = plan.schools[plan.riders[rider].school].ride_max_s - (at - left)
            pair = before, len(schools)
            slacks[pair] = min(slack, slacks.get(pair, slack))
        boarded.update(dict.fromkeys(halt.up, (len(schools), at + stay_s(halt))))
        if halt.school is not None:
            schools.append((halt.school, at))
    waits = tuple((before, visit, max(0, slack)) for (before, visit), slack in slacks.items())
    return _Load(halts, tuple(schools), waits, at + stay_s(halts[-1]))


def _timed(model: cp_model.CpModel, plan: SchoolPlan, period: int, load: _Load, moved: Mapping[int, Any]) -> _Timed:
    """A load whose coach is at each school in the window before its bell, and waits no longer than rides allow.

    Where a coach waits on the way to a school it does so before it takes anybody else up.
    """
    windows = [window_of(plan.schools[school], plan.periods[period]) or (0, 0) for school, _ in load.schools]
    begin = model.new_int_var(-_DAY, 2 * _DAY, "")
    waited: list[Any] = []
    for visit, ((school, at), window) in enumerate(zip(load.schools, windows, strict=True)):
        wait: Any = 0 if not visit else model.new_int_var(0, _DAY, "")
        if visit:
            model.add(wait >= waited[-1])
        waited.append(wait)
        model.add_linear_constraint(begin + wait - STEP_S * moved[school], window[0] - at, window[1] - at)
    for before, visit, most in load.slacks:
        model.add(waited[visit] - waited[before] <= most)
    return _Timed(begin, begin + load.lasts_s + waited[-1])


def _follows(
    model: cp_model.CpModel,
    plan: SchoolPlan,
    told: Period,
    ways: Ways,
    loads: Sequence[_Load],
    timed: Sequence[_Timed],
    most_s: int,
) -> dict[tuple[int, int], Any]:
    """Which load one coach may drive after which: a literal that says it does."""
    found: dict[tuple[int, int], Any] = {}
    ends = [position_of(plan, load.halts[-1]) for load in loads]
    starts = [position_of(plan, load.halts[0]) for load in loads]
    windows = [[window_of(plan.schools[school], told) or (0, 0) for school, _ in load.schools] for load in loads]
    for before in range(len(loads)):
        for after, load in enumerate(loads):
            way = ways.find(ends[before], starts[after])
            if before == after or way is None:
                continue
            earliest = windows[before][-1][0] - most_s + stay_s(loads[before].halts[-1]) + way[0]
            if earliest > windows[after][0][1] + most_s - load.schools[0][1]:
                continue
            literal = model.new_bool_var("")
            model.add(timed[after].begin >= timed[before].end + way[0]).only_enforce_if(literal)
            found[before, after] = literal
    for index in range(len(loads)):
        model.add_at_most_one(literal for (before, _), literal in found.items() if before == index)
        model.add_at_most_one(literal for (_, after), literal in found.items() if after == index)
    return found
