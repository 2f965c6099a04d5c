"""`mobigo network`: rebuild, describe and measure the network that is served."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from mobigo.cli.feed import AsJson, run_import, say_report
from mobigo.cli.frame import ExitCode, out, say_json, settings
from mobigo.cli.sources import declare
from mobigo.cli.stats import stats
from mobigo.texts import text
from mobigo.web.wording import NBSP, moment

app = typer.Typer(help=text("cli.network.help"), no_args_is_help=True)
app.command(help=text("cli.stats.help"))(stats)


@app.command(help=text("cli.network.build_help"))
def build(
    release_anyway: Annotated[str, typer.Option(help=text("cli.feed.release_anyway_help"), metavar="REASON")] = "",
    as_json: AsJson = False,
) -> None:
    """Rebuild the served network from the bodies that it was made of."""
    from mobigo.services.network.importing import SourceFile
    from mobigo.store.releases import bodies_dir, get_current, read_manifest

    data_dir = settings().data_dir
    sources = [
        declare(SourceFile(source["id"], bodies_dir(data_dir) / f"{source['sha256']}.zip", source.get("licence", "")))
        for source in read_manifest(get_current(data_dir))["sources"]
    ]
    report = run_import(sources, release_anyway)
    say_report(report, as_json=as_json)
    raise typer.Exit(ExitCode.OK if report.verdict == "served" else ExitCode.BAD_DATA)


@app.command(help=text("cli.network.info_help"))
def info(as_json: AsJson = False) -> None:
    """Print what the served network is made of."""
    from mobigo.store.releases import get_current, read_manifest

    manifest = read_manifest(get_current(settings().data_dir))
    if as_json:
        say_json(manifest)
        return
    table = Table(title=text("cli.network.info_title"), title_justify="left", show_header=False)
    for name in ("release", "built_at", "valid_from", "valid_to", "n_stops", "n_routes", "n_trips", "gtfs_sha256"):
        told = manifest[name]
        if name == "built_at":
            told = moment(datetime.fromisoformat(told)).replace(NBSP, " ")
        table.add_row(text(f"cli.network.{name}"), str(told))
    out.print(table)
    sources = Table(title=text("cli.network.sources_title"), title_justify="left")
    for column in ("id", "publisher", "licence", "version", "sha256"):
        sources.add_column(text(f"cli.network.source_{column}"), overflow="fold")
    for source in manifest["sources"]:
        licence = source.get("licence") or text("cli.network.licence_unknown")
        sources.add_row(source["id"], source["publisher"], licence, source["version"], source["sha256"][:12])
    out.print(sources)
