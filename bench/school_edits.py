"""School edits: how long one change of a plan takes, who is affected and what breaks included (S9 of the note).

The plan is the week of the generator's sector, made anew by `--steps` steps, or the one of `--plan`, of that sector.
Edits are drawn as in the tests, one after the other on the plan that the last one left; first the change alone, then
whole requests of the planner's desk. CPU time: the processor is shared.

    python bench/school_edits.py [--steps 6000] [--edits 400] [--requests 120]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.history import record
from bench.school_desk import measure_requests
from scolaire.edits.applying import Context, apply
from scolaire.generator import draw_sector
from scolaire.periods import Asked, plan_week
from scolaire.planfiles import read_plan
from scolaire.plans import SchoolPlan, measure
from scolaire.pupils import Sector
from scolaire.ways import Ways, places_of, straight_matrix
from socle.errors import MobigoError
from tests.worlds.school_plans import drawn_edit

console = Console(width=120)


def week(sector: Sector, steps: int) -> SchoolPlan:
    """The plan of the generator's sector."""
    return plan_week(sector, straight_matrix(places_of(sector)), Asked(1, steps=steps), "bench")


def tell_requests(sector: Sector, plan: SchoolPlan, n_edits: int, seed: int) -> None:
    """What whole requests of the desk take."""
    with tempfile.TemporaryDirectory() as folder:
        taken = measure_requests(sector, plan, Path(folder), n_edits, seed)
    table = Table("request", "n", "median ms", "p95 ms", "worst ms")
    figures = {}
    for name, some in (
        ("what if, the part", taken.part),
        ("what if, the page", taken.page),
        ("kept", taken.kept),
        ("the study after it", taken.study),
    ):
        low, high = np.percentile(some, (50, 95))
        table.add_row(name, str(len(some)), f"{low:.1f}", f"{high:.1f}", f"{max(some):.1f}")
        figures |= {f"{name} p50_ms": float(low), f"{name} p95_ms": float(high)}
    console.print(table)
    console.print(f"{taken.n_refused} refused")
    record("school desk requests", figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--plan", type=Path)
    parser.add_argument("--steps", type=int, default=6_000)
    parser.add_argument("--edits", type=int, default=400)
    parser.add_argument("--requests", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    sector = draw_sector(1)
    plan = begun_with = read_plan(arguments.plan.read_bytes()) if arguments.plan else week(sector, arguments.steps)
    console.print(f"{len(plan.riders)} riders, {len(plan.runs)} runs in {len(plan.periods)} periods", highlight=False)
    context, dice = Context(Ways.straight(plan)), random.Random(arguments.seed)
    context.measure(plan)  # what a desk knows of the plan that it shows
    taken: dict[str, list[float]] = {}
    n_refused = n_affected = 0
    for number in range(arguments.edits):
        edit = drawn_edit(plan, dice, number)
        begun = time.process_time()
        try:
            found = apply(plan, edit, context)
        except MobigoError:
            n_refused += 1
            continue
        taken.setdefault(type(edit).__name__, []).append(1_000 * (time.process_time() - begun))
        n_affected += len(found.affected)
        plan = found.plan
    if found.after != measure(plan):
        raise SystemExit("measures after an edit are not those of the plan")
    table = Table("edit", "n", "median ms", "p95 ms", "worst ms")
    everything = [each for some in taken.values() for each in some]
    for name, some in [*sorted(taken.items()), ("all", everything)]:
        low, high = np.percentile(some, (50, 95))
        table.add_row(name, str(len(some)), f"{low:.1f}", f"{high:.1f}", f"{max(some):.1f}")
    console.print(table)
    console.print(f"{n_refused} refused, {n_affected / max(1, len(everything)):.0f} pupils affected on average")
    figures = {"edits": float(len(everything))}
    figures |= {f"p{rank}_ms": float(np.percentile(everything, rank)) for rank in (50, 95)}
    record("school edits", figures)
    tell_requests(sector, begun_with, arguments.requests, arguments.seed)


if __name__ == "__main__":
    main()
