"""`mobigo scolaire`: the files of school sectors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobigo.cli.feed import AsJson
from mobigo.cli.frame import out, progress, say_json
from mobigo.texts import text

app = typer.Typer(help=text("cli.scolaire.help"), no_args_is_help=True)


@app.command(help=text("cli.scolaire.generate_help"))
def generate(
    folder: Annotated[Path, typer.Argument(help=text("cli.scolaire.generate_dir_help"), metavar="DIR")],
    seed: Annotated[int, typer.Option(help=text("cli.scolaire.seed_help"))] = 1,
    pupils: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help=text("cli.scolaire.pupils_help"), metavar="N")
    ] = None,
    region: Annotated[bool, typer.Option("--region", help=text("cli.scolaire.region_help"))] = False,
    as_json: AsJson = False,
) -> None:
    """Write fictitious sectors."""
    from scolaire.generator import N_PUPILS, N_SECTORS, REGION_PUPILS, draw_region, draw_sector
    from scolaire.writing import render_sector

    sectors = (
        draw_region(seed, n_pupils=pupils or REGION_PUPILS)
        if region
        else iter([draw_sector(seed, n_pupils=pupils or N_PUPILS)])
    )
    counts = {"pupils": 0, "schools": 0, "stops": 0}
    with progress(text("cli.scolaire.generating"), N_SECTORS if region else 1) as bar:
        for number, sector in enumerate(sectors):
            into = folder / f"secteur-{number:02d}" if region else folder
            into.mkdir(parents=True, exist_ok=True)
            for name, content in render_sector(sector).items():
                (into / name).write_bytes(content)
            counts["pupils"] += len(sector.pupils)
            counts["schools"] += len(sector.schools)
            counts["stops"] += len(sector.stops)
            bar.advance(bar.task_ids[0])
    if as_json:
        say_json(counts)
    else:
        out.print(text("cli.scolaire.generated", **counts), highlight=False)
