"""`mobigo streets`: where one walks and drives, built from an extract of OpenStreetMap."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from mobigo.cli.feed import AsJson, told
from mobigo.cli.frame import out, progress, say_json, settings
from mobigo.texts import finding_sentence, text

if TYPE_CHECKING:
    from mobigo.services.streets import StreetsReport

app = typer.Typer(help=text("cli.streets.help"), no_args_is_help=True)


@app.command(help=text("cli.streets.build_help"))
def build(
    extract: Annotated[Path, typer.Argument(metavar="FILE", help=text("cli.streets.extract_help"))],
    as_json: AsJson = False,
) -> None:
    """Build the streets of an extract and use them from then on."""
    report = build_under_bar(extract)
    if as_json:
        say_json({"build": report.build, **report.manifest, "findings": [*map(told, report.findings)]})
        return
    for finding in report.findings:
        out.print(f"  {finding_sentence(finding)}", markup=False, highlight=False)
    _say(report)


def build_under_bar(extract: Path) -> StreetsReport:
    """Build streets under a progress bar."""
    from mobigo.services.streets import N_STEPS, build_streets

    with progress(text("cli.streets.building"), N_STEPS) as bar:
        task, begun = bar.task_ids[0], -1

        def next_step(_step: str) -> None:
            nonlocal begun
            begun += 1
            bar.update(task, completed=begun)

        return build_streets(
            extract, settings().data_dir, next_step, lambda share: bar.update(task, completed=begun + share)
        )


@app.command(help=text("cli.streets.info_help"))
def info(as_json: AsJson = False) -> None:
    """Print what the streets in use are made of."""
    from mobigo.services.streets import describe_streets

    report = describe_streets(settings().data_dir)
    if as_json:
        say_json({"build": report.build, **report.manifest})
    else:
        _say(report)


def _say(report: StreetsReport) -> None:
    manifest = report.manifest
    table = Table(title=text("cli.streets.info_title"), title_justify="left", show_header=False)
    table.add_row(text("cli.streets.build"), report.build)
    table.add_row(text("cli.streets.generator"), manifest["generator"])
    for name in ("n_nodes", "n_pieces"):
        table.add_row(text(f"cli.streets.{name}"), str(manifest[name]))
    if arcs := manifest.get("arcs"):
        table.add_row(text("cli.streets.n_arcs"), str(sum(arcs.values())))
    for name, kilometres in manifest["kilometres"].items():
        told_km = f"{kilometres:.0f} km"
        table.add_row(text(f"cli.streets.profile_{name}"), told_km)
    out.print(table)
