"""`mobigo demo`: the demonstration region, built, imported and served from then on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from mobigo.cli.feed import AsJson, told
from mobigo.cli.fictitious import say_accounts, settle_accounts, settle_carpools, settle_schools
from mobigo.cli.frame import ExitCode, out, progress, say_json, settings
from mobigo.cli.sources import declare
from mobigo.cli.streets import build_under_bar
from mobigo.texts import finding_sentence, text
from socle.errors import BadInput, MobigoError
from socle.times import PARIS

app = typer.Typer(help=text("cli.demo.help"), invoke_without_command=True)

Seed = Annotated[int, typer.Option(help=text("cli.demo.seed_help"))]
Start = Annotated[str, typer.Option(help=text("cli.demo.start_help"), metavar="AAAA-MM-JJ|week")]
Weeks = Annotated[int, typer.Option(help=text("cli.demo.weeks_help"))]
Scale = Annotated[str, typer.Option(help=text("cli.demo.scale_help"), metavar="sector|sample")]
Replicate = Annotated[int, typer.Option(min=0, max=40, help=text("cli.demo.replicate_help"), metavar="N")]
Pupils = Annotated[str, typer.Option(help=text("cli.demo.pupils_help"), metavar="sector|region")]
Clean = Annotated[bool, typer.Option("--clean", help=text("cli.demo.clean_help"))]


LICENCE = "ODbL-1.0"  # as data/gtfs/sources.toml has it


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
    scale: Scale = "sector",
    clean: Clean = False,
    replicate: Replicate = 0,
    pupils: Pupils = "sector",
    as_json: AsJson = False,
) -> None:
    """Build the region, import it and serve it from then on."""
    if context.invoked_subcommand is None:
        if scale not in {"sector", "sample"}:
            raise BadInput("demo_bad_scale", scale=scale)
        if pupils not in {"sector", "region"}:
            raise BadInput("demo_bad_pupils", pupils=pupils)
        folder, feeds = build_sources(
            seed, _start_day(start), weeks, scale=scale, clean=clean, replicas=replicate, pupils=pupils
        )
        import_sources(folder, feeds, as_json=as_json)
        build_demo_streets(folder)
        accounts = settle_accounts(wished=True)
        if scale != "sample":
            settle_carpools(seed)
            settle_schools()
        say_accounts(accounts)


def build_sources(
    seed: int,
    start: date,
    weeks: int,
    *,
    scale: str = "sector",
    clean: bool = False,
    replicas: int = 0,
    pupils: str = "sector",
) -> tuple[Path, list[Path]]:
    """Write what the producers of the demonstration would send: the folder, and the feeds in it."""
    from mobigo.demo.region import build, write_demo

    with progress(text("cli.demo.building"), 2) as bar:
        region = build(seed, start=start, weeks=weeks, scale=scale, clean=clean, replicas=replicas, pupils=pupils)
        bar.update(bar.task_ids[0], advance=1)
        folder = settings().data_dir / "demo" / region.name
        feeds = write_demo(region, folder)
        bar.update(bar.task_ids[0], advance=1)
    return folder, feeds


def import_sources(folder: Path, feeds: Sequence[Path], *, as_json: bool = False) -> None:
    """Import the feeds through the ordinary front door and say what became of them."""
    from mobigo.cli.feed import run_import, say_report
    from mobigo.services.network.importing import SourceFile

    sources = [declare(SourceFile(path.stem, path, LICENCE)) for path in feeds]
    report = run_import(sources, text("cli.demo.let_through"))
    say_report(report, as_json=as_json)
    if not as_json:
        out.print(text("cli.demo.built", folder=str(folder)), markup=False, highlight=False)
    if report.verdict != "served":
        raise typer.Exit(ExitCode.BAD_DATA)


def build_demo_streets(folder: Path) -> None:
    """Use the streets of the demonstration, unless real ones are in use; the sample has none."""
    from mobigo.services.streets import find_generator
    from routing.streets.graph import is_demo_generator

    extract = folder / "streets.osm.gz"
    in_use = find_generator(settings().data_dir)
    if extract.is_file() and (in_use is None or is_demo_generator(in_use)):
        build_under_bar(extract)


def ensure_demo() -> None:
    """Build and import the demonstration when no network is loaded, or one that is over or of another version."""
    if not _is_served():
        folder, feeds = build_sources(2020, monday_of(datetime.now(PARIS).date()), 26)
        import_sources(folder, feeds)
        build_demo_streets(folder)


def _is_served() -> bool:
    """Whether the network loaded can be served; one of real feeds is never replaced by the demonstration."""
    from mobigo.store.releases import TIMETABLE, find_current, read_manifest
    from routing.network.timetable import open_timetable

    release = find_current(settings().data_dir)
    if release is None:
        return False
    if not read_manifest(release)["demo"]:
        return True
    try:
        return open_timetable(release / TIMETABLE).last_day >= datetime.now(PARIS).date()
    except MobigoError:
        return False


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


@app.command("sample", help=text("cli.demo.sample_help"))
def write_sample(
    output: Annotated[Path, typer.Option("-o", "--output", help=text("cli.demo.sample_output_help"))],
) -> None:
    """Write the committed sample anew."""
    from mobigo.demo.region import sample_texts
    from mobigo.demo.sample import write_texts

    texts = sample_texts()
    write_texts(texts, output)
    n_bytes = sum(map(len, texts.values()))
    out.print(text("cli.demo.sample_written", n_files=len(texts), n_kilobytes=n_bytes // 1000, folder=str(output)))


@app.command("plan", help=text("cli.demo.plan_help"))
def write_plan(
    output: Annotated[Path, typer.Option("-o", "--output", help=text("cli.demo.plan_output_help"))],
) -> None:
    """Plan the school sector of the demonstration anew, as it is shipped."""
    from mobigo.demo.region import DEFAULT_SEED, SECTOR, build
    from mobigo.demo.school_plan import make_plan, render_shipped

    sector = build(DEFAULT_SEED, start=monday_of(datetime.now(PARIS).date()), weeks=1, scale=SECTOR).sector
    if sector is not None:
        with progress(text("cli.demo.planning"), 1):
            output.write_bytes(render_shipped(make_plan(sector)))
        out.print(text("cli.demo.plan_written", path=str(output)), markup=False, highlight=False)


@app.command("check", help=text("cli.demo.check_help"))
def check(
    sample: Annotated[Path, typer.Option(help=text("cli.demo.check_sample_help"))] = Path("data/gtfs/haut-doubs-demo"),
    as_json: AsJson = False,
) -> None:
    """Check the tables of facts, the committed sample, and every build in the data directory."""
    from mobigo.demo.facts import check_facts, read_facts
    from mobigo.demo.region import MANIFEST, check_build, check_sample

    checked = {text("cli.demo.facts"): check_facts(read_facts())}
    if sample.is_dir():
        checked[str(sample)] = check_sample(sample)
    for manifest in sorted((settings().data_dir / "demo").glob(f"*/{MANIFEST}")):
        checked[str(manifest.parent)] = check_build(manifest.parent)
    if as_json:
        say_json([{"checked": what, "findings": [*map(told, found)]} for what, found in checked.items()])
        raise typer.Exit(ExitCode.NO if any(checked.values()) else ExitCode.OK)
    for what, findings in checked.items():
        key = "checked_bad" if findings else "checked_good"
        out.print(text(f"cli.demo.{key}", what=what, n_findings=len(findings)), markup=False, highlight=False)
        for finding in findings:
            out.print(f"  {finding.file} : {finding_sentence(finding)}", markup=False, highlight=False)
    if any(checked.values()):
        raise typer.Exit(ExitCode.NO)
