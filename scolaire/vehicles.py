"""Vehicles: which runs of several periods one coach drives, and which type of which depot and lot that coach is.

The runs of a period are matched with the circuits that there are so that most pupils keep their coach (an assignment);
then each circuit gets the cheapest type that seats all its runs, with the vehicles that there are and the share of
the circuits that each lot was promised (CP-SAT). No plan has more circuits than its largest period has runs, unless
vehicles are so few that a coach of the morning cannot be the one of the evening (then circuits are of one type), or
the day of one driver would be too long (`duty`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ortools.graph.python import linear_sum_assignment
from ortools.sat.python import cp_model

from scolaire.duty import keeps_duty
from scolaire.plans import Run, SchoolPlan, tally
from scolaire.timing import timed
from scolaire.ways import Ways

EFFORT: Final = 10.0  # of CP-SAT, in its own deterministic seconds
_WALL_FACTOR: Final = 3
_NO: Final = 1 << 20  # dearer than any coach kept
_LETTERS: Final = {"matin": "M", "midi": "W", "soir": "S", "repas": "R", "reprise": "A"}


def make_circuits(plan: SchoolPlan, ways: Ways, shares: Mapping[str, float] | None = None) -> SchoolPlan:
    """The plan with its runs timed, gathered in circuits, and a type of vehicle for each.

    `shares` are least shares of the circuits, by lot. Every run comes with a type that could drive it.
    """
    plan = replace(plan, runs=tuple(timed(plan, run, ways).run for run in plan.runs))
    priced = list(_priced(plan, _matched(plan, alike=False), ways))
    chosen = _types(plan, [costs for _, costs in priced], shares or {})
    matched: Sequence[Sequence[int]] = [circuit for circuit, _ in priced]
    if chosen is None:
        matched = _matched(plan, alike=True)
        chosen = [plan.runs[circuit[0]].vehicle_type for circuit in matched]
    order = sorted(range(len(matched)), key=lambda one: (plan.runs[matched[one][0]].begins_s, matched[one][0]))
    runs: dict[int, Run] = {}
    for number, circuit in enumerate(order, start=1):
        for index in matched[circuit]:
            runs[index] = replace(plan.runs[index], circuit_id=f"C{number:03d}", vehicle_type=chosen[circuit])
    named = _named(plan, [runs[index] for index in range(len(plan.runs))])
    made = sorted(named, key=lambda run: (run.period, run.circuit_id))
    return replace(plan, runs=tuple(timed(plan, run, ways).run for run in made))


def _named(plan: SchoolPlan, runs: Sequence[Run]) -> list[Run]:
    """Runs by their circuit and what period they are of: C001-M, and a number from the second such period on."""
    seen = Counter[str]()
    suffix = []
    for period in plan.periods:
        letter = _LETTERS.get(period.period_id.partition("-")[0], "P")
        seen[letter] += 1
        suffix.append(letter if seen[letter] == 1 else f"{letter}{seen[letter]}")
    return [replace(run, run_id=f"{run.circuit_id}-{suffix[run.period]}") for run in runs]


def _matched(plan: SchoolPlan, *, alike: bool) -> list[list[int]]:
    """Circuits as places of runs; `alike`: runs of one circuit have one type already."""
    needs = [_needs(plan, run) for run in plan.runs]
    by_period: dict[int, list[int]] = {}
    for index, run in enumerate(plan.runs):
        by_period.setdefault(run.period, []).append(index)
    circuits: list[list[int]] = []
    riders: list[set[int]] = []
    for period in sorted(by_period, key=lambda one: (-len(by_period[one]), one)):
        runs = by_period[period]
        carried = [{rider for halt in plan.runs[index].halts for rider in halt.up} for index in runs]
        pairs = _pairs(plan, runs, carried, circuits, riders, needs, alike=alike)
        for at, index in enumerate(runs):
            circuit = pairs.get(at)
            if circuit is None:
                circuits.append([index])
                riders.append(set(carried[at]))
            else:
                circuits[circuit].append(index)
                riders[circuit] |= carried[at]
    return circuits


def _pairs(
    plan: SchoolPlan,
    runs: Sequence[int],
    carried: Sequence[set[int]],
    circuits: Sequence[Sequence[int]],
    riders: Sequence[set[int]],
    needs: Sequence[tuple[int, int]],
    *,
    alike: bool,
) -> dict[int, int]:
    """Which circuit each run goes to, so that the fewest pupils change coach; some run may have none."""
    if not circuits:
        return {}
    n = max(len(runs), len(circuits))
    assignment = linear_sum_assignment.SimpleLinearSumAssignment()
    for at in range(n):
        for circuit in range(n):
            cost = _NO
            if (
                at < len(runs)
                and circuit < len(circuits)
                and _fits(plan, runs[at], circuits[circuit], needs, alike=alike)
            ):
                cost = len(carried[at]) - len(carried[at] & riders[circuit])
            assignment.add_arc_with_cost(at, circuit, cost)
    if assignment.solve() != assignment.OPTIMAL:
        raise RuntimeError("a square table without holes has an assignment")
    return {at: assignment.right_mate(at) for at in range(len(runs)) if assignment.assignment_cost(at) < _NO}


def _fits(
    plan: SchoolPlan, index: int, circuit: Sequence[int], needs: Sequence[tuple[int, int]], *, alike: bool
) -> bool:
    """Whether one coach, and one driver a day, can drive a run and those of a circuit."""
    run, others = plan.runs[index], [plan.runs[other] for other in circuit]
    if alike and others[0].vehicle_type != run.vehicle_type:
        return False
    most = tuple(max(needs[one][unit] for one in (index, *circuit)) for unit in range(2))
    if not any(kind.seats >= most[0] and kind.wheelchair_places >= most[1] for kind in plan.vehicle_types):
        return False
    return _is_a_day(plan, run, others)


def _is_a_day(plan: SchoolPlan, run: Run, others: Sequence[Run]) -> bool:
    """Whether a run and others are driven one after the other, and by one driver on each of its days."""
    days = plan.periods[run.period].days
    others = [other for other in others if other is not run and plan.periods[other.period].days & days]
    return all(other.ends_s <= run.begins_s or run.ends_s <= other.begins_s for other in others) and all(
        keeps_duty([run, *(other for other in others if plan.periods[other.period].days >> day & 1)])
        for day in range(7)
        if days >> day & 1
    )


def _needs(plan: SchoolPlan, run: Run) -> tuple[int, int]:
    """Seats and wheelchair places that a run takes where it is fullest."""
    seats = chairs = most_seats = most_chairs = 0
    for halt in run.halts:
        for riders, sign in ((halt.down, -1), (halt.up, 1)):
            in_chairs = sum(plan.riders[rider].wheelchair for rider in riders)
            chairs += sign * in_chairs
            seats += sign * (len(riders) - in_chairs)
        most_seats, most_chairs = max(most_seats, seats), max(most_chairs, chairs)
    return most_seats, most_chairs


def _priced(
    plan: SchoolPlan, circuits: Sequence[Sequence[int]], ways: Ways
) -> Iterator[tuple[Sequence[int], dict[int, int]]]:
    """Circuits with what each type costs; one that no type can drive in a day of one driver is as many as it has runs.

    Runs were matched from the depots that they came with, and from another one a day may last longer.
    """
    for circuit in circuits:
        costs = _costs(plan, circuit, ways)
        if costs or len(circuit) == 1:
            yield circuit, costs
        else:
            yield from (([index], _costs(plan, [index], ways)) for index in circuit)


def _types(plan: SchoolPlan, costs: Sequence[dict[int, int]], shares: Mapping[str, float]) -> list[int] | None:
    """The type of each circuit, all together the cheapest; None when vehicles do not suffice for these circuits."""
    model = cp_model.CpModel()
    takes = [{kind: model.new_bool_var("") for kind in cost} for cost in costs]
    for options in takes:
        if not options:
            return None
        model.add_exactly_one(options.values())
    for kind, told in enumerate(plan.vehicle_types):
        if told.count is not None:
            model.add(sum(options[kind] for options in takes if kind in options) <= told.count)
    for lot, share in shares.items():
        of_lot: list[Any] = [
            literal for options in takes for kind, literal in options.items() if plan.vehicle_types[kind].lot == lot
        ]
        model.add(sum(of_lot) >= int(share * len(costs)))
    model.minimize(
        sum(
            cost[kind] * literal
            for cost, options in zip(costs, takes, strict=True)
            for kind, literal in options.items()
        )
    )
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = EFFORT
    solver.parameters.max_time_in_seconds = _WALL_FACTOR * EFFORT
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return [next(kind for kind, literal in options.items() if solver.boolean_value(literal)) for options in takes]


def _costs(plan: SchoolPlan, circuit: Sequence[int], ways: Ways) -> dict[int, int]:
    """What each type that can drive all runs of a circuit costs in a week, in cents."""
    needs = [_needs(plan, plan.runs[index]) for index in circuit]
    days = 0
    for index in circuit:
        days |= plan.periods[plan.runs[index].period].days
    found: dict[int, int] = {}
    depots: dict[object, list[Run]] = {}
    for kind, told in enumerate(plan.vehicle_types):
        if any(told.seats < seats or told.wheelchair_places < chairs for seats, chairs in needs):
            continue
        if told.depot not in depots:
            moved = (replace(plan.runs[index], vehicle_type=kind) for index in circuit)
            depots[told.depot] = [timed(plan, run, ways).run for run in moved]
        if not all(_is_a_day(plan, run, depots[told.depot]) for run in depots[told.depot]):
            continue
        driven = sum(
            tally(plan, replace(run, vehicle_type=kind)).thousandths * plan.periods[run.period].days.bit_count()
            for run in depots[told.depot]
        )
        found[kind] = told.day_cents * days.bit_count() + driven // 3_600_000
    return found
