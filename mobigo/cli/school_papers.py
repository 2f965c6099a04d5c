"""`mobigo scolaire roadbook`, `papers` and `export`: what leaves a plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mobigo.cli.audit import who_commands
from mobigo.cli.covoiturage import opened_database
from mobigo.cli.frame import err, out, progress, say_json, settings
from mobigo.texts import text
from socle.errors import BadInput, NotFound
from socle.times import local_day

if TYPE_CHECKING:
    from scolaire.plans import Run, SchoolPlan

PlanFile = Annotated[
    Path, typer.Argument(help=text("cli.school_papers.plan_help"), metavar="PLAN", exists=True, dir_okay=False)
]


def open_plan(path: Path) -> SchoolPlan:
    """The plan of a file.

    Raises:
        BadInput: `plan_without_runs`; see `scolaire.planfiles.read_plan`.
    """
    from scolaire.planfiles import read_plan

    plan = read_plan(path.read_bytes())
    if not plan.runs:
        raise BadInput("plan_without_runs")
    return plan


def roadbook(
    plan_file: PlanFile,
    to: Annotated[Path, typer.Option("--out", help=text("cli.school_papers.out_help"), metavar="FILE")],
    runs: Annotated[
        list[str] | None, typer.Option("--run", help=text("cli.school_papers.run_help"), metavar="ID")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help=text("cli.school_papers.all_help"))] = False,
    ids: Annotated[bool, typer.Option("--ids", help=text("cli.school_papers.ids_help"))] = False,
    straight: Annotated[bool, typer.Option("--straight", help=text("cli.school_papers.straight_help"))] = False,
) -> None:
    """Write the road-books of a plan."""
    from mobigo.services.streets import open_guide
    from mobigo.web.papers.roadbooks import render_roadbooks
    from scolaire.roadbook import make_roadbook

    if everything == bool(runs):
        raise BadInput("one_of_two", one="--run", other="--all")
    plan = open_plan(plan_file)
    chosen = plan.runs if everything else _chosen(plan, runs or [])
    guide = None if straight else open_guide(settings().data_dir)
    with progress(text("cli.school_papers.setting"), 1):
        to.write_bytes(render_roadbooks([make_roadbook(plan, run, guide) for run in chosen], ids=ids))
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


def papers(
    plan_file: PlanFile,
    kind: Annotated[str, typer.Option(help=text("cli.school_papers.kind_help"), metavar="posters|schools|families")],
    to: Annotated[Path, typer.Option("--out", help=text("cli.school_papers.papers_out_help"), metavar="FILE|DIR")],
    only: Annotated[list[str] | None, typer.Option(help=text("cli.school_papers.only_help"), metavar="ID")] = None,
    ids: Annotated[bool, typer.Option("--ids", help=text("cli.school_papers.papers_ids_help"))] = False,
) -> None:
    """Write posters, lists of schools or notices: one file, or one in a folder for each."""
    kinds = _kinds(ids=ids)
    if kind not in kinds:
        raise BadInput("unknown_paper_kind", kind=kind, known=", ".join(kinds))
    make, render = kinds[kind]
    plan = open_plan(plan_file)
    found: dict[str, Any] = make(plan)
    for name in only or ():
        if name not in found:
            raise NotFound("unknown_in_plan", name=name)
    chosen = {name: found[name] for name in (only or found)}
    if to.suffix.lower() == ".pdf":
        with progress(text("cli.school_papers.setting"), 1):
            to.write_bytes(render(list(chosen.values()), plan.title))
    else:
        to.mkdir(parents=True, exist_ok=True)
        with progress(text("cli.school_papers.setting"), len(chosen)) as bar:
            for number, (name, one) in enumerate(chosen.items(), 1):
                (to / f"{number:04d}-{_file_name(name)}.pdf").write_bytes(render([one], plan.title))
                bar.advance(bar.task_ids[0])
    out.print(text("cli.school_papers.papers_written", n=len(chosen), path=str(to)), highlight=False)


def _kinds(
    *, ids: bool
) -> dict[str, tuple[Callable[[SchoolPlan], dict[str, Any]], Callable[[Sequence[Any], str], bytes]]]:
    """How the papers of each kind are made, by the id of the stop, the school or the pupil, and set."""
    from mobigo.web.papers import school
    from scolaire.papers import notices_of, posters_of, school_lists

    def lists(these: Sequence[Any], title: str) -> bytes:
        return school.render_school_lists(these, title, ids=ids)

    return {
        "posters": (lambda plan: {one.stop.stop_id: one for one in posters_of(plan)}, school.render_posters),
        "schools": (lambda plan: {one.school.school_id: one for one in school_lists(plan)}, lists),
        "families": (lambda plan: {one.pupil_id: one for one in notices_of(plan)}, school.render_notices),
    }


def _file_name(name: str) -> str:
    """An id as a part of the name of a file, whatever it holds."""
    return re.sub(r"[^0-9A-Za-z-]+", "-", name)[:40].strip("-")


def export(
    plan_file: PlanFile,
    form: Annotated[
        str, typer.Option("--format", help=text("cli.school_papers.format_help"), metavar="gtfs|geojson|csv")
    ],
    to: Annotated[Path, typer.Option("--out", help=text("cli.school_papers.export_out_help"), metavar="FILE")],
    inside: Annotated[bool, typer.Option("--inside", help=text("cli.school_papers.inside_help"))] = False,
    year: Annotated[
        int | None, typer.Option("--year", min=2000, max=2100, help=text("cli.school_papers.year_help"))
    ] = None,
) -> None:
    """Write the lines of a plan for other programs, and say what is not told."""
    from mobigo.services.scolaire.exporting import export_plan
    from scolaire.entitlement.files import school_year_of
    from scolaire.lines import open_lines, whole_lines

    plan = open_plan(plan_file)
    school_year = school_year_of(local_day(int(datetime.now(UTC).timestamp()))) if year is None else year
    to.write_bytes(export_plan(plan, form, school_year, settings().site_address(), inside=inside))
    lines = whole_lines(plan) if inside else open_lines(plan)
    told = text("cli.school_papers.exported", path=str(to), runs=len(lines.runs), places=len(lines.places))
    out.print(told, highlight=False)
    if lines.n_hidden_halts:
        hidden = {"halts": lines.n_hidden_halts, "runs": lines.n_hidden_runs}
        out.print(text("cli.school_papers.hidden", **hidden), highlight=False)


def open_data() -> None:
    """Publish the circuits that hold today as open data, unless nothing is new."""
    from mobigo.services.scolaire.opening import publish_circuits

    with opened_database() as (engine, keys, now):
        done = publish_circuits(engine, keys, settings().data_dir, who_commands(), now)
    if done is None:
        err.print(text("cli.school_papers.nothing_holds"), markup=False)
    else:
        say_json({"is_new": done.is_new, **done.manifest})
