"""School bench on our own generator: a sector beside what is usual, and a whole region.

    python bench/school_region.py sector [--case mixed:15] [--seed 1 --seed 2] [--budget 3 --budget 60] [--peers]
    python bench/school_region.py bells [--case single:0] [--budget 60] [--minutes 10]
    python bench/school_region.py region [--budget 200] [--workers 2] [--sectors 25] [--week]

The sector is that of `scolaire.generator` (seed 1): 4,900 pupils, 42 schools, 266 stops and 801 requests (stop and
school), beside the 4,898, 40, 300 and about 738 of the sector on which the targets of S4 and S5 were set. That one is
not to be had, so what compares is how many coaches ours takes for each one of a peer in the same run. As there, only
the number of coaches counts: one kind of 59 seats, which begin and end wherever their work does; pupils in
wheelchairs take a seat, and whom no ride within the limit brings to school is left out. A case is a load and its
window in minutes. Without a window everybody arrives at the latest moment allowed; a window lets a coach arrive as
much earlier. The peers plan each school by itself (OR-Tools routing, PyVRP) and chain the runs by a minimum path
cover, without a window, as `bench/school.py` does. Ours are seconds of one thread, theirs of the wall. Every plan is
checked.

Bells are those of the same sector with its depots and coaches, for each case: the Monday planned, its bells moved by
up to so many minutes, and planned again twice, as `mobigo scolaire optimise --bells` does.

The region is all 25 sectors with their depots, sizes of coaches and wheelchairs, as `mobigo scolaire optimise
--region` plans them: the morning of a Monday, or with `--week` all periods of its week (`--sectors 4` is a part of it,
as large for each sector). Its seconds are those of the workers' processors, so that other work on
the machine costs no coaches.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.history import record
from bench.school import by_ortools, by_pyvrp, checked, n_buses_per_school
from fleet.bounds import fewest_vehicles
from fleet.requests import Problem, VehicleType
from fleet.search import FEWEST_VEHICLES, Budget, Settings, search
from mobigo.cluster import Engine
from mobigo.services.scolaire.regions import Asked as AskedOfRegion
from mobigo.services.scolaire.regions import Progress, plan_region
from scolaire.bellrounds import plan_with_bells
from scolaire.checking import broken_promises
from scolaire.generator import N_SECTORS, REGION_PUPILS, draw_region, draw_sector
from scolaire.periods import Asked
from scolaire.runs import make_morning
from scolaire.sectors import fewest_coaches, merged
from scolaire.ways import places_of, straight_matrix

SEATS = 59
PER_MS = 0.001  # the unit is a second
VEHICLE = 10**6
EFFORT = 10.0  # of CP-SAT for each choice of bells, in its own seconds
CASES = ("single:0", "single:15", "mixed:0", "mixed:2", "mixed:5", "mixed:15")
console = Console(width=None if sys.stdout.isatty() else 140)


def sector_problem(seed: int, window_s: int, *, mixed: bool) -> Problem:
    """The morning of a sector, where only the number of coaches counts."""
    sector = draw_sector(seed)
    sector = replace(
        sector,
        pupils=tuple(replace(each, wheelchair=False) for each in sector.pupils),
        vehicle_types=tuple(replace(each, seats=SEATS, wheelchair_places=1) for each in sector.vehicle_types[:1]),
    )
    problem = make_morning(sector, straight_matrix(places_of(sector)), 0, mixed=mixed).problem
    near = [
        each
        for each in problem.requests
        if problem.drive[each.place, problem.destinations[each.destination].place] <= each.max_ride
    ]
    coach = VehicleType((SEATS,), len(near), fixed_cost=VEHICLE)
    return Problem(
        tuple(replace(each, load=each.load[:1]) for each in near),
        tuple(replace(each, earliest=each.latest - window_s) for each in problem.destinations),
        (coach,),
        problem.drive,
        np.ascontiguousarray(problem.drive[None]),
    )


def bench_sector(cases: list[str], seeds: list[int], budgets: list[float], peers: bool) -> None:
    first = sector_problem(1, 0, mixed=False)
    search(first, Budget(steps=1), 0, FEWEST_VEHICLES)
    search(sector_problem(1, 0, mixed=True), Budget(steps=1), 0, FEWEST_VEHICLES)
    console.print(Settings(), f"{len(first.requests)} requests, {len(first.destinations)} schools", highlight=False)
    table = Table("load", "window", "bound", *(f"{budget:g} s, seed {seed}" for budget in budgets for seed in seeds))
    figures: dict[str, float] = {}
    for case in cases:
        load, minutes = case.split(":")
        problem, window = sector_problem(1, 60 * int(minutes), mixed=load == "mixed"), f"{minutes} min"
        cells = []
        for budget_s in budgets:
            for seed in seeds:
                budget = Budget(seconds=budget_s, clock=time.thread_time)
                n_coaches = checked(problem, search(problem, budget, seed, FEWEST_VEHICLES).plan)
                cells.append(str(n_coaches))
                figures[f"{load}, {window}, {budget_s:g} s, seed {seed}, coaches"] = n_coaches
        table.add_row(load, window, str(fewest_vehicles(problem)), *cells)
        console.print(load, window, *cells, highlight=False)
    if peers:
        by = {"OR-Tools": by_ortools} | ({"PyVRP": by_pyvrp} if find_spec("pyvrp") else {})
        for name, peer in by.items():
            n_coaches = n_buses_per_school(first, peer, budgets[0], seeds[0], PER_MS)
            figures[f"{name} per school and chained, coaches"] = n_coaches
            table.add_row(f"single, {name} per school, chained", "0 min", "", str(n_coaches))
            console.print(name, n_coaches, highlight=False)
    console.print(table)
    record("school sector", figures)


def bench_bells(case: str, budget_s: float, minutes: int) -> None:
    load, window = case.split(":")
    sector = draw_sector(1)
    schools = (replace(each, window_max_s=each.window_min_s + 60 * int(window)) for each in sector.schools)
    sector = replace(sector, schools=tuple(schools))
    asked = Asked(1, mixed=load == "mixed", seconds=budget_s, clock=time.thread_time, weekdays=(0,))
    rung = plan_with_bells(sector, straight_matrix(places_of(sector)), asked, "", 60 * minutes, effort=EFFORT)
    if broken := broken_promises(rung.plan):
        raise SystemExit(f"the checker finds {len(broken)} broken rules: {broken[:3]}")
    table = Table("coaches", "minutes moved", "schools moved", "at least, for the runs before", "planned anew")
    for point in rung.front:
        table.add_row(*map(str, (point.n_coaches, point.minutes, point.n_schools, point.fewest, point.is_planned)))
    console.print(table)
    best, before = rung.front[0], next(point for point in rung.front if not point.minutes)
    planned = next(point for point in rung.front if point.is_planned)
    figures = {
        "coaches": float(before.n_coaches),
        "coaches, other bells": float(best.n_coaches),
        "coaches at least, other bells and the runs before": float(best.fewest),
        "coaches, other bells, planned anew": float(planned.n_coaches),
        "minutes moved": float(best.minutes),
        "minutes moved, planned anew": float(planned.minutes),
    }
    console.print(figures)
    record(f"school bells, {case}, {minutes} min, {budget_s:g} s", figures)


def bench_region(budget_s: float, n_workers: int, n_sectors: int, *, is_week: bool) -> None:
    sectors = list(draw_region(1, n_pupils=REGION_PUPILS * n_sectors // N_SECTORS, n_sectors=n_sectors))
    n_pupils, n_schools = (sum(len(getattr(each, of)) for each in sectors) for of in ("pupils", "schools"))
    asked = AskedOfRegion(mixed=True, seed=1, seconds=budget_s, search_clock=time.thread_time)
    asked = asked if is_week else replace(asked, weekdays=(0,), is_morning=True)
    begun = time.perf_counter()
    with Bar("{task.description}", BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), console=console) as bar:
        task = bar.add_task("", total=1.0)

        def tell(now: Progress) -> None:
            said = f"pass {now.nth_pass}, {now.n_known} of {now.n_pieces} pieces: {now.n_coaches:,} coaches"
            bar.update(task, description=said, completed=now.share_done)

        planned = plan_region(sectors, asked, "région", Engine.PROCESSES, n_workers=n_workers, on_progress=tell)
    wall_s = time.perf_counter() - begun
    if planned.n_broken:
        raise SystemExit(f"the checker finds {planned.n_broken} broken rules")
    n_in = Counter(run.period for run in planned.plan.runs)
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    figures = {
        "pupils": float(n_pupils),
        "schools": float(n_schools),
        "coaches": float(planned.n_coaches[-1]),
        "coaches in the first period": float(n_in[0]),
        "coaches at least": float(fewest_coaches(merged(sectors), 0)),
        "coaches after the first pass": float(planned.n_coaches[0]),
        "not served, pupils": float(len({each.pupil_id for each in planned.plan.not_served})),
        "pieces": float(planned.n_pieces[0]),
        "periods": float(len(planned.plan.periods)),
        "wall_s": wall_s,
        "cpu_s": own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime,
        # the parent and each worker at their largest, as if all were so at once
        "memory at most, MB": (own.ru_maxrss + n_workers * others.ru_maxrss) / 1024,
    }
    console.print(figures)
    what = "week" if is_week else "morning"
    record(f"school region, {what} of {n_sectors} sectors, {budget_s:g} s, {n_workers} workers", figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("sector", "bells", "region"))
    parser.add_argument("--case", action="append", choices=CASES)
    parser.add_argument("--budget", type=float, action="append")
    parser.add_argument("--seed", type=int, action="append")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sectors", type=int, default=N_SECTORS)
    parser.add_argument("--week", action="store_true")
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--peers", action="store_true")
    arguments = parser.parse_args()
    if arguments.what == "sector":
        bench_sector(
            arguments.case or list(CASES), arguments.seed or [1, 2], arguments.budget or [3.0, 60.0], arguments.peers
        )
    elif arguments.what == "bells":
        for case in arguments.case or ("single:0", "single:15"):
            bench_bells(case, (arguments.budget or [60.0])[0], arguments.minutes)
    else:
        budget_s = (arguments.budget or [200.0])[0]
        bench_region(budget_s, arguments.workers, arguments.sectors, is_week=arguments.week)


if __name__ == "__main__":
    main()
