"""`mobigo covoiturage lines`: the carpool lines in force, and files of other ones."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from mobigo.cli.audit import who_commands
from mobigo.cli.covoiturage import BAD_INPUT, opened_database
from mobigo.cli.feed import AsJson
from mobigo.cli.frame import out, say_error, say_json, settings
from mobigo.texts import error_sentence, text
from socle.errors import BadInput, Conflict
from socle.times import PARIS


class Form(StrEnum):
    """What the lines are written as."""

    GTFS = "gtfs"
    PLACES = "bnlc"


FILES = {Form.GTFS: "lignes.gtfs.zip", Form.PLACES: "lieux.csv"}
app = typer.Typer(help=text("cli.covoiturage.lines_help"), no_args_is_help=True)


@app.command("import", help=text("cli.covoiturage.lines_import_help"))
def import_(
    file: Annotated[Path, typer.Argument(help=text("cli.covoiturage.lines_file_help"), metavar="FILE")],
) -> None:
    """Keep the lines of a file; all or none."""
    from mobigo.services.covoiturage.lines import import_lines

    try:
        content = file.read_bytes()
        with opened_database() as (engine, _keys, now):
            added = import_lines(engine, content, toml=file.suffix == ".toml", actor=who_commands(), now=now)
    except (BadInput, Conflict, OSError) as error:
        said = f"{error.filename} : {error.strerror}" if isinstance(error, OSError) else error_sentence(error)
        say_error(said)
        raise typer.Exit(BAD_INPUT) from None
    out.print(text("cli.covoiturage.lines_imported", n=len(added)))


@app.command("export", help=text("cli.covoiturage.lines_export_help"))
def export(
    form: Annotated[Form, typer.Option("--format", help=text("cli.covoiturage.lines_format_help"))],
    to: Annotated[Path, typer.Option("--out", help=text("cli.covoiturage.lines_out_help"), metavar="FILE")],
) -> None:
    """Write the lines in force today as a file for others."""
    from mobigo.services.covoiturage.lines import open_lines_file

    with opened_database() as (engine, _keys, now):
        published = open_lines_file(engine, FILES[form], now.astimezone(PARIS).date(), settings().site_address())
    to.write_bytes(published.file.read())


@app.command("list", help=text("cli.covoiturage.lines_list_help"))
def list_(
    on: Annotated[
        datetime | None,
        typer.Option("--on", formats=["%Y-%m-%d"], help=text("cli.covoiturage.lines_on_help"), metavar="AAAA-MM-JJ"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the lines in force on a day."""
    from covoiturage.lines import document_of
    from mobigo.services.covoiturage.lines import list_lines

    with opened_database() as (engine, _keys, now):
        day: date = on.date() if on else now.astimezone(PARIS).date()
        lines = list_lines(engine, day)
    if as_json:
        say_json([document_of(line) for line in lines])
        return
    table = Table(title=text("cli.covoiturage.lines_title", day=day.isoformat()), title_justify="left")
    for name in ("id", "name", "stops", "km", "fare"):
        table.add_column(text(f"cli.covoiturage.lines_{name}"), justify="left" if name in {"id", "name"} else "right")
    for line in lines:
        km = f"{line.length_m / 1000:.1f}".replace(".", ",")
        fare = f"{line.fare_cents / 100:.2f}".replace(".", ",")
        table.add_row(line.line_id, line.name, str(len(line.stops)), km, fare)
    out.print(table)
