"""`mobigo demo`: the demonstration region, built, imported and served from then on."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobigo.cli.frame import out, progress, settings
from mobigo.texts import text
from socle.errors import BadInput
from socle.times import PARIS

if TYPE_CHECKING:
    from mobigo.demo.region import DemoBuild

app = typer.Typer(help=text("cli.demo.help"), invoke_without_command=True)

Seed = Annotated[int, typer.Option(help=text("cli.demo.seed_help"))]
Start = Annotated[str, typer.Option(help=text("cli.demo.start_help"), metavar="AAAA-MM-JJ|week")]
Weeks = Annotated[int, typer.Option(help=text("cli.demo.weeks_help"))]
Clean = Annotated[bool, typer.Option("--clean", help=text("cli.demo.clean_help"))]


def monday_of(day: date) -> date:
    """The Monday of the week of `day`."""
    return day - timedelta(days=day.weekday())


def _start_day(start: str) -> date:
    if start == "week":
        return monday_of(datetime.now(PARIS).date())
    try:
        return date.fromisoformat(start)
    except ValueError:
        raise BadInput("demo_bad_start", start=start) from None


@app.callback()
def demo(
    context: typer.Context,
    seed: Seed = 2020,
    start: Start = "week",
    weeks: Weeks = 26,
    clean: Clean = False,
) -> None:
    """Build the region, import it and serve it from then on."""
    if context.invoked_subcommand is None:
        build_and_import(seed, _start_day(start), weeks, clean=clean)


def build_and_import(seed: int, start: date, weeks: int, *, clean: bool) -> None:
    """Write the sources of the demonstration, then import them through the ordinary front door."""
    from mobigo.cli.feed import run_import, say_report
    from mobigo.demo.region import build, write_demo
    from mobigo.services.network.importing import SourceFile

    with progress(text("cli.demo.building"), 2) as bar:
        region: DemoBuild = build(seed, start=start, weeks=weeks, clean=clean)
        bar.update(bar.task_ids[0], advance=1)
        folder = settings().data_dir / "demo" / region.name
        feeds = write_demo(region, folder)
        bar.update(bar.task_ids[0], advance=1)
    report = run_import([SourceFile(path.stem, path) for path in feeds], text("cli.demo.let_through"))
    say_report(report, as_json=False)
    out.print(text("cli.demo.built", folder=str(folder)), markup=False, highlight=False)
    if report.verdict != "served":
        raise typer.Exit(65)


def ensure_demo() -> None:
    """Build and import the demonstration when no network is loaded yet."""
    from mobigo.store.releases import find_current

    if find_current(settings().data_dir) is None:
        build_and_import(2020, monday_of(datetime.now(PARIS).date()), 26, clean=False)


@app.command("map", help=text("cli.demo.map_help"))
def draw_map(
    output: Annotated[Path, typer.Option("-o", "--output", help=text("cli.demo.map_output_help"))],
    seed: Seed = 2020,
) -> None:
    """Draw the region as one SVG."""
    from mobigo.demo.picture import render_picture
    from mobigo.demo.region import build

    region = build(seed, start=monday_of(datetime.now(PARIS).date()), weeks=1, clean=True)
    output.write_text(render_picture(region), "utf-8")
