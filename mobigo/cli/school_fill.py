"""`mobigo scolaire fill`: boardings of some days held against registrations, as figures and what follows from them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.table import Table

from mobigo.cli.covoiturage import opened_database
from mobigo.cli.feed import AsJson
from mobigo.cli.frame import out, say_json
from mobigo.texts import finding_sentence, text
from socle.times import PARIS

_DAY = ["%Y-%m-%d"]
_COLUMNS = ("name", "n_expected", "n_seen", "percent", "n_outings")


def fill(
    sector: Annotated[str, typer.Argument(help=text("cli.school_fill.sector_help"), metavar="SECTOR")],
    since: Annotated[
        datetime | None, typer.Option("--from", help=text("cli.school_fill.from_help"), formats=_DAY)
    ] = None,
    until: Annotated[datetime | None, typer.Option("--to", help=text("cli.school_fill.to_help"), formats=_DAY)] = None,
    as_json: AsJson = False,
) -> None:
    """Circuits and stops with what was expected and seen, and each proposal; no child is named."""
    from mobigo.services.scolaire.filling import USUAL_DAYS
    from mobigo.services.scolaire.filling import fill as look

    with opened_database() as (engine, keys, now):
        last = until.date() if until else now.astimezone(PARIS).date()
        first = since.date() if since else last - timedelta(days=USUAL_DAYS - 1)
        found = look(engine, keys, sector, first, last, now)
    told = found.fill
    if as_json:
        used = {"circuits": told.circuits, "stops": told.stops}
        rows = {name: [{**asdict(one), "percent": one.percent} for one in each] for name, each in used.items()}
        findings = [{**one.as_dict(), "sentence": finding_sentence(one)} for one in told.findings]
        days = {"from": str(first), "to": str(last)}
        say_json(days | rows | {"n_pupils_never_seen": len(told.never_seen), "findings": findings})
        return
    for kind, each in (("circuits", told.circuits), ("stops", told.stops)):
        table = Table(title=text(f"cli.school_fill.{kind}"))
        for column in _COLUMNS:
            table.add_column(text(f"cli.school_fill.column.{column}"), justify="left" if column == "name" else "right")
        for one in each:
            name = found.stops.get(one.name, one.name) if kind == "stops" else one.name
            table.add_row(name, *(str(getattr(one, column)) for column in _COLUMNS[1:]))
        out.print(table)
    for finding in told.findings:
        out.print(finding_sentence(finding), markup=False, highlight=False, soft_wrap=True)
    if not told.findings:
        out.print(text("cli.school_fill.nothing"), highlight=False)
