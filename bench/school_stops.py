"""Stops bench: which stops open and how coaches drive, chosen together; ours beside CP-SAT on the published instances.

    python bench/school_stops.py DIR [--case s20 --case inst5 …] [--budget 20] [--seed 1 --seed 2] [--no-peers]

DIR holds instances of Schittekat et al. (2013), and may hold what CP-SAT once came to with two workers and 20 s each
(`reference_cpsat20s.json`), which stands in the column "then". Here CP-SAT gets one worker and the same budget: ours
are seconds of one thread, its are those that it counts by its work, and three times as many on the wall at most. It
is told the groups of pupils, not each of them, and begins with nothing. Parameters are the same for all instances.
Every plan goes through the check, and one that breaks a rule ends the bench.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from ortools.sat.python import cp_model
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.history import record
from fleet.search import Budget
from scolaire.joint.model import JointPlan, JointProblem, broken_rules, cost_of
from scolaire.joint.schittekat import COST_UNITS, list_joint_cases, read_joint_case, warm_up
from scolaire.joint.search import JointSettings, choose_and_route
from scolaire.stops import seat_on_routes

console = Console(width=None if sys.stdout.isatty() else 150)
ROUNDED = 0.006  # costs told by others have two decimals, each way rounded


def by_cp_sat(problem: JointProblem, seconds: float) -> tuple[JointPlan | None, float]:
    """Routes as circuits through the school, pupils aboard counted along them; its plan and its lower bound."""
    n_stops, seats = problem.walk_m.shape[1], problem.seats
    groups, sizes = np.unique(problem.reach, axis=0, return_counts=True)
    model = cp_model.CpModel()
    is_open = [model.new_bool_var("") for _ in range(n_stops)]
    waits: list[list[Any]] = [[] for _ in range(n_stops)]
    for group, size in zip(groups, sizes, strict=True):
        here = []
        for stop in np.flatnonzero(group).tolist():
            some = model.new_int_var(0, int(size), "")
            model.add(some == 0).only_enforce_if(~is_open[stop])
            waits[stop].append(some)
            here.append(some)
        model.add(sum(here) == int(size))
    boards = [model.new_int_var(0, seats, "") for _ in range(n_stops)]
    aboard = [model.new_int_var(0, seats, "") for _ in range(n_stops)]
    arcs, drives = [], []
    for stop in range(n_stops):
        model.add(boards[stop] == sum(waits[stop]))
        model.add(aboard[stop] >= boards[stop])
        arcs.append((1 + stop, 1 + stop, ~is_open[stop]))
        for there, here in ((0, 1 + stop), (1 + stop, 0)):
            literal = model.new_bool_var("")
            arcs.append((there, here, literal))
            drives.append(int(problem.drive[there, here]) * literal)
        for after in range(n_stops):
            if after != stop:
                literal = model.new_bool_var("")
                arcs.append((1 + stop, 1 + after, literal))
                drives.append(int(problem.drive[1 + stop, 1 + after]) * literal)
                model.add(aboard[after] >= aboard[stop] + boards[after]).only_enforce_if(literal)
    model.add_multiple_circuit(arcs)
    model.minimize(sum(drives))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.max_deterministic_time = seconds
    solver.parameters.max_time_in_seconds = 3 * seconds
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None, solver.best_objective_bound
    after = {one: other for one, other, literal in arcs if one and one != other and solver.boolean_value(literal)}
    firsts = [other for one, other, literal in arcs if not one and solver.boolean_value(literal)]
    routes = []
    for first in firsts:
        route, at = [], first
        while at:
            route.append(at - 1)
            at = after[at]
        routes.append(tuple(route))
    stop_of = seat_on_routes(problem.walk_m, problem.walk_max_m, routes, seats)
    return JointPlan(tuple(routes), tuple(stop_of)), solver.best_objective_bound


def checked(problem: JointProblem, plan: JointPlan) -> float:
    """The cost of a plan that breaks no rule; one that does ends the bench."""
    if broken := list(broken_rules(problem, plan)):
        raise SystemExit(f"a plan breaks {len(broken)} rules: {broken[:3]}")
    return cost_of(problem, plan) / COST_UNITS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--case", action="append", default=[])
    parser.add_argument("--budget", type=float, default=20.0)
    parser.add_argument("--seed", type=int, action="append")
    parser.add_argument("--no-peers", action="store_true")
    arguments = parser.parse_args()
    seeds = arguments.seed or [1, 2]
    console.print(JointSettings(), f"budget {arguments.budget:g} s, seeds {seeds}", highlight=False)
    warm_up()
    table = Table("case", "then", "CP-SAT", "its bound", *(f"ours, {seed}" for seed in seeds), "proved", "s", "less %")
    by_size: dict[int, list[tuple[bool, bool, float]]] = {}
    seeds_apart: dict[int, list[float]] = {}
    for case in list_joint_cases(arguments.folder, arguments.case):
        problem = read_joint_case(case)
        budget = Budget(seconds=arguments.budget, clock=time.thread_time)
        found = [choose_and_route(problem, budget, seed) for seed in seeds]
        ours = [checked(problem, each.plan) for each in found]
        plan, bound = (None, 0.0) if arguments.no_peers else by_cp_sat(problem, arguments.budget)
        theirs = None if plan is None else checked(problem, plan)
        peers = [cost for cost in (case.peer, theirs) if cost is not None]
        n_stops = problem.walk_m.shape[1]
        is_above = any(cost > peer + ROUNDED * 2 for peer in peers for cost in ours)
        less = 100 * (1 - max(ours) / min(peers)) if peers else 0.0
        by_size.setdefault(n_stops, []).append((found[0].is_proved, is_above, less))
        if min(ours):
            seeds_apart.setdefault(n_stops, []).append(100 * (max(ours) / min(ours) - 1))
        row = (
            case.name,
            "" if case.peer is None else f"{case.peer:.2f}",
            "" if theirs is None else f"{theirs:.2f}",
            f"{bound / COST_UNITS:.2f}",
            *(f"{cost:.2f}" for cost in ours),
            "yes" if all(each.is_proved for each in found) else "",
            f"{max(each.seconds for each in found):.2f}",
            f"{less:.2f}",
        )
        table.add_row(*row)
        console.print(*row, highlight=False)
    console.print(table)
    figures = {}
    for n_stops, each in sorted(by_size.items()):
        name = f"{n_stops} stops"
        figures[f"{name}, instances"] = float(len(each))
        figures[f"{name}, proved"] = float(sum(proved for proved, _, _ in each))
        figures[f"{name}, above CP-SAT"] = float(sum(is_above for _, is_above, _ in each))
        figures[f"{name}, mean less than CP-SAT_percent"] = statistics.mean(less for _, _, less in each)
        figures[f"{name}, seeds farthest apart_percent"] = max(seeds_apart.get(n_stops, [0.0]))
    record(f"school stops, {arguments.budget:g} s", figures)
    console.print(figures)


if __name__ == "__main__":
    main()
