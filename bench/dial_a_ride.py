"""Dial-a-ride bench: ours on the published instances beside OR-Tools routing.

    python bench/dial_a_ride.py DIR [--set a] [--set R] [--only a8-96 …] [--budget 30] [--seed 1 --seed 2] [--no-peers]

DIR holds Cordeau's a-set (2006) and the R-set of Cordeau and Laporte (2003), with `darp_bks.json` beside it: the
best known costs. A plan carries everybody with the vehicles given and costs its driving. Ours are seconds of one
thread; OR-Tools (local cheapest insertion, guided local search) reads the clock on the wall and gets as many.
Parameters are the same for all instances. Every plan goes through `fleet.check`, and through a second check in real
numbers written from the published rules, from the file itself; one that breaks a rule ends the bench.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, hypot
from pathlib import Path

from ortools.constraint_solver import pywrapcp, routing_enums_pb2
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.history import record
from fleet.check import broken_promises
from fleet.coding import make_instance, time_route
from fleet.requests import DropOff, PickUp, Plan, Problem
from fleet.search import CHEAPEST, Budget, Settings, search
from tests.worlds.dial_a_ride import TICKS, read_dial_a_ride

SETTINGS = Settings(mean_removed=8, hot=5.0 * TICKS, cold=0.02 * TICKS, round_steps=30_000)
CLOSE = 1e-3  # of a minute: our whole numbers are millionths
LEFT_OUT = 10**7  # dearer to OR-Tools than any detour
THOUSANDTHS = 1000  # OR-Tools counts in whole ones
console = Console(width=None if sys.stdout.isatty() else 140)


@dataclass(frozen=True)
class Published:
    """An instance as its file says it: node 0 the depot, i the pick-up of trip i, i + n its drop."""

    n_vehicles: int
    longest: float
    seats: float
    ride: float
    nodes: list[list[float]]  # x, y, service, load, earliest, latest

    @property
    def n_trips(self) -> int:
        """How many trips are asked for."""
        return (len(self.nodes) - 1) // 2

    def drive(self, one: int, other: int) -> float:
        """Minutes and cost alike."""
        return hypot(*(a - b for a, b in zip(self.nodes[one][:2], self.nodes[other][:2], strict=True)))


def read_published(path: Path) -> Published:
    """The file, number by number; some repeat the depot at the end."""
    head, *lines = [[float(each) for each in line.split()] for line in path.read_text().splitlines() if line.strip()]
    nodes = [line[1:] for line in lines]
    return Published(round(head[0]), head[2], head[3], head[4], nodes[: len(nodes) - (len(nodes) + 1) % 2])


def cost_by_the_published_rules(told: Published, plan: Plan) -> float:
    """Driving of a plan whose own times keep every rule; one that is broken ends the bench."""
    served: list[int] = []
    total = 0.0
    for route in plan.routes:
        aboard: dict[int, float] = {}
        stops = [
            (visit.request + 1 if isinstance(visit, PickUp) else visit.destination + 1 + told.n_trips, visit)
            for visit in route.visits
        ]
        nodes = [0, *(node for node, _ in stops), 0]
        total += sum(told.drive(one, other) for one, other in pairwise(nodes))
        load, ready, before = 0.0, None, 0
        for node, visit in stops:
            _, _, service, people, earliest, latest = told.nodes[node]
            begins = visit.begins / TICKS
            ok = earliest - CLOSE <= begins <= latest + CLOSE
            ok &= ready is None or begins >= ready + told.drive(before, node) - CLOSE
            load += people
            ok &= 0 <= load <= told.seats
            if isinstance(visit, DropOff):
                ok &= begins - aboard.pop(node - told.n_trips) <= told.ride + CLOSE
            else:
                aboard[node] = begins + service
                served.append(node)
            if not ok:
                raise SystemExit(f"node {node} breaks a published rule")
            ready, before = begins + service, node
        first, last = stops[0], stops[-1]
        starts = first[1].begins / TICKS - told.drive(0, first[0])
        ends = (ready or 0.0) + told.drive(last[0], 0)
        opens, closes = told.nodes[0][4:6]
        if ends - starts > told.longest + CLOSE or starts < opens - CLOSE or ends > closes + CLOSE or aboard:
            raise SystemExit("a shift breaks a published rule")
    if sorted(served) != list(range(1, told.n_trips + 1)) or len(plan.routes) > told.n_vehicles:
        raise SystemExit("a plan leaves somebody out, or has too many vehicles")
    return total


def by_ortools(problem: Problem, told: Published, seconds: float) -> Plan | None:
    """OR-Tools routing; None when it finds nothing in time."""
    n_nodes, n_trips = 1 + 2 * told.n_trips, told.n_trips
    manager = pywrapcp.RoutingIndexManager(n_nodes, told.n_vehicles, 0)
    model = pywrapcp.RoutingModel(manager)
    solver = model.solver()
    apart = [[told.drive(one, other) for other in range(n_nodes)] for one in range(n_nodes)]
    cost = [[round(each * THOUSANDTHS) for each in row] for row in apart]
    takes = [[ceil((told.nodes[one][2] + each) * THOUSANDTHS) for each in row] for one, row in enumerate(apart)]
    model.SetArcCostEvaluatorOfAllVehicles(model.RegisterTransitMatrix(cost))
    horizon = round(told.nodes[0][5] * THOUSANDTHS)
    model.AddDimension(model.RegisterTransitMatrix(takes), horizon, horizon, False, "time")
    model.AddDimension(
        model.RegisterUnaryTransitVector([round(node[3]) for node in told.nodes[:n_nodes]]),
        0,
        round(told.seats),
        True,
        "load",
    )
    clock = model.GetDimensionOrDie("time")
    for vehicle in range(told.n_vehicles):
        clock.SetSpanUpperBoundForVehicle(round(told.longest * THOUSANDTHS), vehicle)
    for node in range(1, n_nodes):
        earliest, latest = (round(each * THOUSANDTHS) for each in told.nodes[node][4:6])
        clock.CumulVar(manager.NodeToIndex(node)).SetRange(earliest, latest)
    for trip in range(1, n_trips + 1):
        up, down = manager.NodeToIndex(trip), manager.NodeToIndex(trip + n_trips)
        model.AddPickupAndDelivery(up, down)
        solver.Add(model.VehicleVar(up) == model.VehicleVar(down))
        solver.Add(clock.CumulVar(up) <= clock.CumulVar(down))
        for index in (up, down):  # its insertion gives up where it may leave nobody out for the time being
            model.AddDisjunction([index], LEFT_OUT)
        solver.Add(model.ActiveVar(up) == model.ActiveVar(down))
        longest = round((told.ride + told.nodes[trip][2]) * THOUSANDTHS)
        solver.Add(clock.CumulVar(down) - clock.CumulVar(up) <= longest)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.LOCAL_CHEAPEST_INSERTION
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    parameters.time_limit.FromMilliseconds(int(seconds * 1000))
    found = model.SolveWithParameters(parameters)
    if found is None:
        return None
    instance, routes = make_instance(problem), []
    for vehicle in range(told.n_vehicles):
        codes, index = [], found.Value(model.NextVar(model.Start(vehicle)))
        while not model.IsEnd(index):
            node = manager.IndexToNode(index)
            codes.append(node - 1 if node <= n_trips else -1 - (node - n_trips - 1))
            index = found.Value(model.NextVar(index))
        if codes:
            routes.append(time_route(instance, 0, codes))
    if None in routes:
        raise SystemExit("a route of OR-Tools has no schedule")
    carried = {request for route in routes if route is not None for request in route.requests}
    left = tuple(request for request in range(n_trips) if request not in carried)
    return Plan(tuple(route for route in routes if route is not None), left)


def gap_percent(problem: Problem, told: Published, plan: Plan | None, best: float) -> float | None:
    """How much dearer a plan is than the best known one; None without a plan, or when somebody is left out."""
    if plan is None or plan.unserved:
        return None
    if broken := broken_promises(problem, plan):
        raise SystemExit(f"a plan breaks {len(broken)} rules: {broken[:3]}")
    # published costs have two decimals, and a plan is no better than a proven optimum by its third
    return 100 * (round(cost_by_the_published_rules(told, plan), 2) / best - 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", action="append", choices=("a", "R"), dest="sets")
    parser.add_argument("--only", action="append")
    parser.add_argument("--budget", type=float, default=30.0)
    parser.add_argument("--seed", type=int, action="append")
    parser.add_argument("--no-peers", action="store_true")
    arguments = parser.parse_args()
    seeds = arguments.seed or [1, 2]
    sets = tuple(arguments.sets or ("a", "R"))
    known = json.loads((arguments.folder.parent / "darp_bks.json").read_text())
    best_of = {name: min(values.values()) for name, values in known.items() if values and name.startswith(sets)}
    names = [name for name in best_of if not arguments.only or name in arguments.only]
    console.print(SETTINGS, f"budget {arguments.budget:g} s, seeds {seeds}", highlight=False)
    columns = [f"ours, {seed}" for seed in seeds] + ([] if arguments.no_peers else ["OR-Tools"])
    table = Table("instance", "trips", "vehicles", "best known", *(f"{column}, %" for column in columns))
    gaps: dict[tuple[str, str], list[float]] = {}
    missed: dict[tuple[str, str], int] = {}
    warm = read_dial_a_ride(arguments.folder / f"{names[0]}.txt")
    search(warm, Budget(steps=1), 0, CHEAPEST, settings=SETTINGS)
    for name in names:
        path = arguments.folder / f"{name}.txt"
        problem, told = read_dial_a_ride(path), read_published(path)
        budget = Budget(seconds=arguments.budget, clock=time.thread_time)
        plans = [search(problem, budget, seed, CHEAPEST, settings=SETTINGS).plan for seed in seeds]
        if not arguments.no_peers:
            plans.append(by_ortools(problem, told, arguments.budget))
        cells = []
        for column, plan in zip(columns, plans, strict=True):
            gap = gap_percent(problem, told, plan, best_of[name])
            key = name[0], column
            if gap is None:
                missed[key] = missed.get(key, 0) + 1
            else:
                gaps.setdefault(key, []).append(gap)
            cells.append("none" if gap is None else f"{gap:.2f}")
        row = (name, str(told.n_trips), str(told.n_vehicles), f"{best_of[name]:.2f}", *cells)
        table.add_row(*row)
        console.print(*row, highlight=False)
    console.print(table)
    figures = {f"{of}-set, {column}, mean gap_percent": statistics.mean(each) for (of, column), each in gaps.items()}
    figures |= {f"{of}-set, {column}, worst gap_percent": max(each) for (of, column), each in gaps.items()}
    figures |= {f"{of}-set, {column}, instances without a plan": float(n) for (of, column), n in missed.items()}
    figures["instances"] = float(len(names))
    record(f"dial-a-ride, {arguments.budget:g} s", figures)
    console.print(figures)


if __name__ == "__main__":
    main()
