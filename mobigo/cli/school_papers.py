"""`mobigo scolaire roadbook`: what leaves a plan on paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobigo.cli.frame import out, progress
from mobigo.texts import text
from socle.errors import BadInput, NotFound

if TYPE_CHECKING:
    from scolaire.plans import Run, SchoolPlan

PlanFile = Annotated[
    Path, typer.Argument(help=text("cli.school_papers.plan_help"), metavar="PLAN", exists=True, dir_okay=False)
]


def open_plan(path: Path) -> SchoolPlan:
    """The plan of a file.

    Raises:
        BadInput: see `scolaire.planfiles.read_plan`.
    """
    from scolaire.planfiles import read_plan

    return read_plan(path.read_bytes())


def roadbook(
    plan_file: PlanFile,
    to: Annotated[Path, typer.Option("--out", help=text("cli.school_papers.out_help"), metavar="FILE")],
    runs: Annotated[
        list[str] | None, typer.Option("--run", help=text("cli.school_papers.run_help"), metavar="ID")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help=text("cli.school_papers.all_help"))] = False,
    ids: Annotated[bool, typer.Option("--ids", help=text("cli.school_papers.ids_help"))] = False,
) -> None:
    """Write the road-books of a plan."""
    from mobigo.web.papers.roadbooks import render_roadbooks
    from scolaire.roadbook import make_roadbook

    if everything == bool(runs):
        raise BadInput("one_of_two", one="--run", other="--all")
    plan = open_plan(plan_file)
    chosen = plan.runs if everything else _chosen(plan, runs or [])
    with progress(text("cli.school_papers.setting"), 1):
        to.write_bytes(render_roadbooks([make_roadbook(plan, run) for run in chosen], ids=ids))
    out.print(text("cli.school_papers.written", n=len(chosen), path=str(to)), highlight=False)


def _chosen(plan: SchoolPlan, wanted: list[str]) -> tuple[Run, ...]:
    """The runs by their ids, in the order asked for.

    Raises:
        NotFound: `unknown_run`.
    """
    known = {run.run_id: run for run in plan.runs}
    for run_id in wanted:
        if run_id not in known:
            raise NotFound("unknown_run", run=run_id)
    return tuple(known[run_id] for run_id in wanted)
