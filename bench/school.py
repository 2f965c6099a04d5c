"""School bench: ours on the published multi-school instances beside BiRD, OR-Tools routing and PyVRP.

    python bench/school.py DIR [--case CSCB01:2700 …] [--budget 12] [--seed 1 --seed 2] [--no-peers]

The peers do what is usual: each school is a vehicle routing problem of its own (fewest runs, then least
driving), and the runs of all schools are then chained as well as can be, by a minimum path cover. OR-Tools
(savings, guided local search) and PyVRP (hybrid genetic search, the extra `mobigo[bench]`) share out what we have
among the schools by their stops, and get a second for each school at least: never less than we do. Ours are
seconds of one thread, theirs on the wall, for they read that clock themselves. Every plan, the peers' too,
goes through `fleet.check`, and one that breaks a rule ends the bench.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2
from ortools.graph.python import max_flow
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.history import record
from fleet.bounds import fewest_vehicles
from fleet.check import broken_promises
from fleet.coding import make_instance, time_route
from fleet.requests import Plan, Problem
from fleet.search import Budget
from scolaire.sbrp import ANCHOR, SETTINGS, choose_cases, list_cases, read_problem, solve, warm_up

TICKS_PER_MS = 8.8  # of the published instances
NEW_RUN_MS = 10**8
console = Console(width=None if sys.stdout.isatty() else 140)
Runs = list[list[int]]  # the requests of each run, in order
PerSchool = Callable[[Problem, Sequence[int], float, int, float], Runs]


def tables(problem: Problem, requests: Sequence[int], per_ms: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Driving and the ride of who boards first, in whole milliseconds rounded up, node 0 being the school.

    `per_ms` are the problem's units of time in a millisecond.

    The run begins anywhere, so leaving node 0 costs nothing; the longest ride is that from the first stop, from
    the end of its service on: drives, and the services of all other stops.
    """
    school = problem.destinations[problem.requests[requests[0]].destination].place
    places = [school, *(problem.requests[each].place for each in requests)]
    service = np.array([0, *(problem.requests[each].service for each in requests)], np.int64)
    drive = problem.drive[np.ix_(places, places)].astype(np.int64)
    ride = drive + service[None, :]
    drive[0], ride[0] = 0, 0
    np.fill_diagonal(ride, 0)
    limit = int(problem.requests[requests[0]].max_ride / per_ms)
    return np.ceil(drive / per_ms).astype(np.int64), np.ceil(ride / per_ms).astype(np.int64), limit


def by_ortools(problem: Problem, requests: Sequence[int], seconds: float, _seed: int, per_ms: float) -> Runs:
    """Runs of one school by OR-Tools routing, which has no seed."""
    drive, ride, limit = tables(problem, requests, per_ms)
    manager = pywrapcp.RoutingIndexManager(len(drive), len(requests), 0)
    model = pywrapcp.RoutingModel(manager)
    model.SetArcCostEvaluatorOfAllVehicles(model.RegisterTransitMatrix(drive.tolist()))
    model.SetFixedCostOfAllVehicles(NEW_RUN_MS)
    loads = [0, *(problem.requests[each].load[0] for each in requests)]
    model.AddDimension(model.RegisterUnaryTransitVector(loads), 0, problem.vehicle_types[0].places[0], True, "load")
    model.AddDimension(model.RegisterTransitMatrix(ride.tolist()), 0, limit, True, "ride")
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.SAVINGS
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    parameters.time_limit.FromMilliseconds(int(seconds * 1000))
    found = model.SolveWithParameters(parameters)
    runs = []
    for vehicle in range(len(requests)):
        run, index = [], found.Value(model.NextVar(model.Start(vehicle)))
        while not model.IsEnd(index):
            run.append(requests[manager.IndexToNode(index) - 1])
            index = found.Value(model.NextVar(index))
        if run:
            runs.append(run)
    return runs


def by_pyvrp(problem: Problem, requests: Sequence[int], seconds: float, seed: int, per_ms: float) -> Runs:
    """Runs of one school by PyVRP."""
    import pyvrp
    from pyvrp.stop import MaxRuntime

    drive, ride, limit = tables(problem, requests, per_ms)
    model = pyvrp.Model()
    nodes = [model.add_location(0, 0) for _ in range(1 + len(requests))]
    model.add_depot(nodes[0])
    for each, node in zip(requests, nodes[1:], strict=True):
        model.add_client(node, delivery=problem.requests[each].load[0])
    # dearer than any detour within a ride, and no dearer: larger costs keep PyVRP away from plans within the rules
    model.add_vehicle_type(
        len(requests), capacity=problem.vehicle_types[0].places[0], shift_duration=limit, fixed_cost=3 * limit
    )
    for row, origin in enumerate(nodes):
        for column, target in enumerate(nodes):
            if row != column:
                model.add_edge(origin, target, distance=int(drive[row, column]), duration=int(ride[row, column]))
    firm = pyvrp.SolveParams(penalty=pyvrp.PenaltyParams(max_penalty=1e9))
    best = model.solve(MaxRuntime(seconds), seed=seed, display=False, params=firm).best
    if not best.is_feasible():
        raise SystemExit("PyVRP found no plan that keeps the rules")
    return [[requests[each.idx] for each in route if each.is_client()] for route in best.routes()]


def chained(problem: Problem, runs: Runs) -> Plan:
    """The runs of all schools in as few buses as can be: a bus leaves a school at its bell and goes on."""
    aims = [problem.requests[run[0]].destination for run in runs]
    n_runs, flow = len(runs), max_flow.SimpleMaxFlow()
    source, sink = 2 * n_runs, 2 * n_runs + 1
    for before in range(n_runs):
        flow.add_arc_with_capacity(source, before, 1)
        flow.add_arc_with_capacity(n_runs + before, sink, 1)
    follows = {}
    for after, run in enumerate(runs):
        places = [*(problem.requests[each].place for each in run), problem.destinations[aims[after]].place]
        driven = sum(int(problem.drive[one, other]) for one, other in pairwise(places))
        driven += sum(problem.requests[each].service for each in run)
        for before, aim in enumerate(aims):
            gone = problem.destinations[aim].latest + problem.destinations[aim].service
            empty = int(problem.drive[problem.destinations[aim].place, places[0]])
            if gone + empty + driven <= problem.destinations[aims[after]].latest:
                follows[flow.add_arc_with_capacity(before, n_runs + after, 1)] = before, after
    flow.solve(source, sink)
    onward = dict(pair for arc, pair in follows.items() if flow.flow(arc))
    instance, routes = make_instance(problem), []
    for first in set(range(n_runs)) - set(onward.values()):
        codes, at = [], first
        while at is not None:
            codes += [*runs[at], -1 - aims[at]]
            at = onward.get(at)
        routes.append(time_route(instance, 0, codes))
    if None in routes:
        raise SystemExit("a chain has no schedule")
    return Plan(tuple(route for route in routes if route is not None))


def n_buses_per_school(
    problem: Problem, method: PerSchool, budget_s: float, seed: int, per_ms: float = TICKS_PER_MS
) -> int:
    """Buses when each school is planned by itself and runs are chained afterwards."""
    of: dict[int, list[int]] = {}
    for request, asked in enumerate(problem.requests):
        of.setdefault(asked.destination, []).append(request)
    runs: Runs = []
    for requests in of.values():
        runs += method(problem, requests, max(1.0, budget_s * len(requests) / len(problem.requests)), seed, per_ms)
    return checked(problem, chained(problem, runs))


def checked(problem: Problem, plan: Plan) -> int:
    """How many buses a plan has that breaks no rule; one that does ends the bench."""
    broken = broken_promises(problem, plan)
    if broken or plan.unserved:
        raise SystemExit(f"a plan breaks {len(broken)} rules and leaves {len(plan.unserved)} out: {broken[:3]}")
    return len(plan.routes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--case", action="append", default=[])
    parser.add_argument("--budget", type=float, default=12.0)
    parser.add_argument("--seed", type=int, action="append")
    parser.add_argument("--no-peers", action="store_true")
    arguments = parser.parse_args()
    seeds = arguments.seed or [1, 2]
    peers: dict[str, PerSchool] = {} if arguments.no_peers else {"OR-Tools": by_ortools}
    if not arguments.no_peers:
        if find_spec("pyvrp"):
            peers["PyVRP"] = by_pyvrp
        else:
            console.print("PyVRP is skipped: it is not installed (pip install 'mobigo[bench]').")
    console.print(replace(SETTINGS), f"budget {arguments.budget:g} s, seeds {seeds}", highlight=False)
    warm_up()
    table = Table(
        "case", "stops", "bound", "BiRD", *(f"ours, {seed}" for seed in seeds), "s to BiRD", "steps/s", *peers
    )
    sums = [0] * (1 + len(seeds) + len(peers))
    reached, missed = [], 0
    for case in choose_cases(list_cases(arguments.folder), arguments.case):
        problem = read_problem(case)
        budget = Budget(seconds=arguments.budget, clock=time.thread_time)
        results = [solve(case, problem, budget, seed) for seed in seeds]
        ours = [checked(problem, each.outcome.plan) for each in results]
        others = [n_buses_per_school(problem, peer, arguments.budget, seeds[0]) for peer in peers.values()]
        bird = case.published[ANCHOR]
        sums = [total + n for total, n in zip(sums, (bird, *ours, *others), strict=True)]
        found = [each.anchor_after_s for each in results if each.anchor_after_s is not None]
        reached += found
        missed += len(results) - len(found)
        after = " ".join(f"{seconds:.2f}" for seconds in found)
        speed = statistics.median(each.outcome.n_steps / each.outcome.seconds for each in results)
        row = (
            case.label,
            len(problem.requests),
            fewest_vehicles(problem),
            bird,
            *ours,
            after,
            f"{speed:,.0f}",
            *others,
        )
        table.add_row(*map(str, row))
        console.print(*row, highlight=False)
    table.add_section()
    table.add_row("all", "", "", *map(str, sums[: 1 + len(seeds)]), "", "", *map(str, sums[1 + len(seeds) :]))
    console.print(table)
    figures = {f"seed {seed}, buses": float(n) for seed, n in zip(seeds, sums[1:], strict=False)}
    figures |= {"BiRD, buses": float(sums[0]), "cases": float(len(table.rows) - 1)}
    figures |= {f"{name}, buses": float(n) for name, n in zip(peers, sums[1 + len(seeds) :], strict=True)}
    if reached:
        figures |= {"to BiRD, median_s": statistics.median(reached), "to BiRD, worst_s": max(reached)}
    figures["BiRD not reached, plans"] = float(missed)
    record(f"school, {arguments.budget:g} s{', with peers' if peers else ''}", figures)
    console.print(figures)


if __name__ == "__main__":
    main()
