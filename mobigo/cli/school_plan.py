"""`mobigo scolaire optimise`: the morning of a sector planned from its files, or of a region from its sectors' files.

The plan so far is on disk while the search goes on, always whole: a run that is killed leaves it there.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from mobigo.cli.frame import ExitCode, out, progress
from mobigo.cluster import Engine
from mobigo.texts import text
from socle.errors import BadInput

if TYPE_CHECKING:
    from scolaire.plans import SchoolPlan


KEEP_EVERY_S: Final = 5.0


def optimise(
    to: Annotated[Path, typer.Option("--out", help=text("cli.school_plan.out_help"), metavar="PLAN")],
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help=text("cli.school_plan.dir_help"), metavar="DIR", exists=True, file_okay=False),
    ] = None,
    region: Annotated[
        Path | None,
        typer.Option("--region", help=text("cli.school_plan.region_help"), metavar="DIR", exists=True, file_okay=False),
    ] = None,
    budget_s: Annotated[
        float, typer.Option("--budget", min=0.1, help=text("cli.school_plan.budget_help"), metavar="SECONDS")
    ] = 60.0,
    seed: Annotated[int, typer.Option(min=0, help=text("cli.school_plan.seed_help"))] = 1,
    mixed: Annotated[bool, typer.Option("--mixed/--single", help=text("cli.school_plan.mixed_help"))] = True,
    weekday: Annotated[int, typer.Option("--day", min=1, max=7, help=text("cli.school_plan.day_help"))] = 1,
    engine: Annotated[Engine, typer.Option(help=text("cli.school_plan.engine_help"))] = Engine.PROCESSES,
    workers: Annotated[
        int | None, typer.Option(min=1, max=10_000, help=text("cli.school_plan.workers_help"), metavar="N")
    ] = None,
) -> None:
    """Write a plan; exit code 1 when somebody is not served or the checker finds a broken rule."""
    if (folder is None) == (region is None):
        raise BadInput("one_of_two", one="--dir", other="--region")
    if folder is not None:
        plan, n_broken = _sector(folder, to, budget_s, seed, mixed=mixed, weekday=weekday - 1)
    else:
        asked = _Asked(budget_s, seed, mixed, weekday - 1, engine, workers)
        plan, n_broken = _region(region or Path(), to, asked)
    _put(plan, to)
    n_not_served = len({each.pupil_id for each in plan.not_served})
    facts = {"buses": len(plan.circuits), "left": n_not_served}
    out.print(text("cli.school_plan.done", **facts, broken=n_broken, path=str(to)), highlight=False)
    raise typer.Exit(ExitCode.NO if n_broken or n_not_served else ExitCode.OK)


def _put(plan: SchoolPlan, path: Path) -> None:
    """Write the plan: whole, or not at all."""
    from scolaire.planfiles import render_plan

    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(render_plan(plan))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _sector(folder: Path, to: Path, budget_s: float, seed: int, *, mixed: bool, weekday: int) -> tuple[SchoolPlan, int]:
    from fleet.check import broken_promises
    from fleet.search import Budget, Incumbent, Outcome
    from mobigo.services.scolaire.importing import read_folder
    from scolaire.reading import read_sector
    from scolaire.runs import make_morning, plan_morning, school_plan
    from scolaire.ways import places_of, straight_matrix

    sector, _findings = read_sector(read_folder(folder))
    title = folder.resolve().name
    morning = make_morning(sector, straight_matrix(places_of(sector)), weekday, mixed=mixed)
    kept: float | None = None
    with progress(text("cli.school_plan.under_way"), round(budget_s)) as bar:

        def show(incumbent: Incumbent) -> bool:
            nonlocal kept
            told = text("cli.school_plan.incumbent", n=incumbent.n_vehicles, left=incumbent.n_unserved)
            bar.update(bar.task_ids[0], completed=incumbent.seconds, description=told)
            if kept is None or incumbent.seconds - kept >= KEEP_EVERY_S:
                kept = incumbent.seconds
                so_far = Outcome(incumbent.plan(), incumbent.cost, (), incumbent.n_steps, incumbent.seconds)
                _put(school_plan(morning, so_far, seed, title), to)
            return False

        budget = Budget(seconds=budget_s, clock=time.perf_counter)
        outcome = plan_morning(morning.problem, budget, seed, show)
    return school_plan(morning, outcome, seed, title), len(broken_promises(morning.problem, outcome.plan))


class _Asked(NamedTuple):
    budget_s: float
    seed: int
    mixed: bool
    weekday: int
    engine: Engine
    n_workers: int | None


def _region(folder: Path, to: Path, asked: _Asked) -> tuple[SchoolPlan, int]:
    from mobigo.services.scolaire import regions
    from mobigo.services.scolaire.importing import read_folder
    from scolaire.pupils import Sector
    from scolaire.reading import read_sector

    folders = sorted(path for path in folder.iterdir() if path.is_dir())
    if not folders:
        raise BadInput("no_sectors", folder=str(folder))
    sectors: list[Sector] = []
    with progress(text("cli.scolaire.reading", what=folder.name), len(folders)) as bar:
        for path in folders:
            sectors.append(read_sector(read_folder(path))[0])
            bar.advance(bar.task_ids[0])
    with progress(text("cli.school_plan.under_way"), 200) as bar:

        def show(now: regions.Progress) -> None:
            facts = {"n": now.n_coaches, "left": now.n_unserved, "known": now.n_known, "pieces": now.n_pieces}
            told = text("cli.school_plan.pieces", nth=now.nth_pass, **facts)
            done = 100 * (now.nth_pass - 1 + now.share_done)
            bar.update(bar.task_ids[0], completed=done, description=told)

        planned = regions.plan_region(
            sectors,
            regions.Asked(asked.weekday, asked.mixed, asked.seed, seconds=asked.budget_s),
            folder.resolve().name,
            asked.engine,
            n_workers=asked.n_workers,
            on_progress=show,
            on_plan=lambda plan: _put(plan, to),
        )
    return planned.plan, planned.n_broken
