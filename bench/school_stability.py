"""Stability bench: how many pupils move when a plan is made again after the demand changed a little.

    python bench/school_stability.py [--share 0.03] [--budget 60] [--seed 1 --seed 2] [--pupils 4900] [--way steady]

The sector is that of `scolaire.generator` (seed 1), Monday's morning and evening, several schools in one coach. In the
share of pupils half leave; as many come, each to a home near that of a pupil of the same school. The plan of the
old demand and each plan of the new one get the same budget, in seconds of one thread: from nothing, from the old
plan, and from the old plan moving few (`--steady`). Moved is whoever is in both plans and waits at another stop, or
is fetched or set down more than five minutes earlier or later, or is carried no more (`scolaire.compare`); whoever has
another coach at the same stop and time is counted beside it. Every plan is checked.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.history import record
from scolaire.checking import broken_promises
from scolaire.compare import compare
from scolaire.generator import draw_sector
from scolaire.periods import Asked, plan_week
from scolaire.plans import SchoolPlan
from scolaire.pupils import Sector
from scolaire.ways import Ways, places_of, straight_matrix

NEIGHBOURS = 40
WAYS = ("from nothing", "from the old plan", "steady")
console = Console(width=None if sys.stdout.isatty() else 140)


def changed(sector: Sector, share: float, seed: int) -> tuple[Sector, set[str]]:
    """The sector with other pupils in place of `share` of them, and who is in both."""
    dice = np.random.default_rng(seed)
    placed = [number for number, home in sector.plannable if len(sector.pupils[number].homes) == 1 and home == 0]
    placed = [number for number in placed if sector.pupils[number].homes[0].position is not None]
    at = np.array([sector.pupils[number].homes[0].position for number in placed], dtype=np.float64)
    pupils = list(sector.pupils)
    gone = dice.choice(len(placed), size=round(share / 2 * len(placed)), replace=False)
    for nth, leaving in enumerate(gone.tolist()):
        like = int(dice.integers(len(placed)))
        near = np.argsort(((at - at[like]) ** 2).sum(axis=1), kind="stable")[:NEIGHBOURS]
        home = sector.pupils[placed[int(dice.choice(near))]].homes[0]
        school = sector.pupils[placed[like]]
        new = replace(school, pupil_id=f"new-{nth}", homes=(replace(home, days=school.homes[0].days),))
        pupils[placed[leaving]] = new
    stayed = {pupil.pupil_id for pupil in sector.pupils} & {pupil.pupil_id for pupil in pupils}
    return replace(sector, pupils=tuple(pupils)), stayed


def planned(sector: Sector, asked: Asked, before: SchoolPlan | None) -> SchoolPlan:
    """A plan that breaks no rule; one that does ends the bench."""
    matrix = straight_matrix(places_of(sector))
    plan = plan_week(sector, matrix, asked, "bench", reference=before)
    if broken := broken_promises(plan, Ways(places_of(sector), matrix)):
        raise SystemExit(f"a plan breaks {len(broken)} rules: {broken[:3]}")
    return plan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--share", type=float, default=0.03)
    parser.add_argument("--budget", type=float, default=60.0)
    parser.add_argument("--seed", type=int, action="append")
    parser.add_argument("--pupils", type=int)
    parser.add_argument("--way", action="append", choices=WAYS)
    arguments = parser.parse_args()
    sector = draw_sector(1) if arguments.pupils is None else draw_sector(1, n_pupils=arguments.pupils)
    planned(draw_sector(2, n_pupils=20), Asked(steps=1, weekdays=(0,)), None)
    table = Table("seed", "plan", "coaches", "not served", "moved", "of", "moved %", "moved or other coach %")
    moved: dict[str, list[float]] = {}
    others: dict[str, list[float]] = {}
    coaches: dict[str, list[int]] = {}
    for seed in arguments.seed or [1, 2]:
        asked = Asked(seed, seconds=arguments.budget, clock=time.thread_time, weekdays=(0,))
        old = planned(sector, asked, None)
        new_sector, stayed = changed(sector, arguments.share, seed)
        row = (str(seed), "old demand", str(len(old.circuits)), str(len(old.not_served)))
        table.add_row(*row)
        console.print(*row, highlight=False)
        for way in arguments.way or WAYS:
            new = planned(new_sector, replace(asked, steady=way == "steady"), None if way == "from nothing" else old)
            both = compare(old, new)
            felt = {one.pupil_id for one in both.changes if one.is_felt and one.pupil_id in stayed}
            carried = stayed & {rider.pupil_id for rider in old.riders}
            coach = {one.pupil_id for one in both.changes if one.has_other_coach and one.pupil_id in stayed}
            share, strict = (100 * len(some) / len(carried) for some in (felt, felt | coach))
            moved.setdefault(way, []).append(share)
            coaches.setdefault(way, []).append(len(new.circuits))
            row = (str(seed), way, str(len(new.circuits)), str(len(new.not_served)), str(len(felt)), str(len(carried)))
            table.add_row(*row, f"{share:.2f}", f"{strict:.2f}")
            console.print(*row, f"{share:.2f}", f"{strict:.2f}", highlight=False)
            others.setdefault(way, []).append(strict)
    console.print(table)
    figures = {f"{way}, moved_percent": statistics.mean(each) for way, each in moved.items()}
    figures |= {f"{way}, moved_or_other_coach_percent": statistics.mean(each) for way, each in others.items()}
    figures |= {f"{way}, coaches": statistics.mean(each) for way, each in coaches.items()}
    record(f"school stability, {arguments.share:.0%}, {arguments.budget:g} s", figures)
    console.print(figures)


if __name__ == "__main__":
    main()
