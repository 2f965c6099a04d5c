"""`mobigo scolaire optimise`: the morning of a sector planned from its files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from mobigo.cli.frame import ExitCode, out, progress
from mobigo.texts import text


def optimise(
    folder: Annotated[
        Path,
        typer.Option("--dir", help=text("cli.school_plan.dir_help"), metavar="DIR", exists=True, file_okay=False),
    ],
    to: Annotated[Path, typer.Option("--out", help=text("cli.school_plan.out_help"), metavar="PLAN")],
    budget_s: Annotated[
        float, typer.Option("--budget", min=0.1, help=text("cli.school_plan.budget_help"), metavar="SECONDS")
    ] = 60.0,
    seed: Annotated[int, typer.Option(min=0, help=text("cli.school_plan.seed_help"))] = 1,
    mixed: Annotated[bool, typer.Option("--mixed/--single", help=text("cli.school_plan.mixed_help"))] = True,
    weekday: Annotated[int, typer.Option("--day", min=1, max=7, help=text("cli.school_plan.day_help"))] = 1,
) -> None:
    """Write a plan; exit code 1 when somebody is not served or the checker finds a broken rule."""
    from fleet.check import broken_promises
    from fleet.search import Budget, Incumbent
    from mobigo.services.scolaire.importing import read_folder
    from scolaire.planfiles import render_plan
    from scolaire.reading import read_sector
    from scolaire.runs import make_morning, plan_morning, school_plan
    from scolaire.ways import places_of, straight_matrix

    sector, _findings = read_sector(read_folder(folder))
    morning = make_morning(sector, straight_matrix(places_of(sector)), weekday - 1, mixed=mixed)
    with progress(text("cli.school_plan.under_way"), round(budget_s)) as bar:

        def show(incumbent: Incumbent) -> bool:
            told = text("cli.school_plan.incumbent", n=incumbent.n_vehicles, left=incumbent.n_unserved)
            bar.update(bar.task_ids[0], completed=incumbent.seconds, description=told)
            return False

        budget = Budget(seconds=budget_s, clock=time.perf_counter)
        outcome = plan_morning(morning.problem, budget, seed, show)
    broken = broken_promises(morning.problem, outcome.plan)
    plan = school_plan(morning, outcome, seed, folder.resolve().name)
    to.write_bytes(render_plan(plan))
    n_not_served = len({each.pupil_id for each in plan.not_served})
    facts = {"buses": len(plan.circuits), "left": n_not_served}
    out.print(text("cli.school_plan.done", **facts, broken=len(broken), path=str(to)), highlight=False)
    raise typer.Exit(ExitCode.NO if broken or n_not_served else ExitCode.OK)
