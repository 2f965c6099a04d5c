"""`mobigo audit`: who did what, when, on whose data, and why."""

from __future__ import annotations

import getpass
import re
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table
from rich.text import Text

from mobigo.cli.feed import AsJson
from mobigo.cli.frame import err, out, say_json, settings
from mobigo.texts import action_words, text
from socle.errors import BadInput
from socle.times import PARIS

if TYPE_CHECKING:
    from mobigo.store.audit import AuditFilter, NumberedLine

app = typer.Typer(help=text("cli.audit.help"), no_args_is_help=True)

Actor = Annotated[str, typer.Option(help=text("cli.audit.actor_help"), metavar="WHO")]
Subject = Annotated[str, typer.Option(help=text("cli.audit.subject_help"), metavar="WHO")]
Action = Annotated[str, typer.Option(help=text("cli.audit.action_help"), metavar="WORD")]
Since = Annotated[str, typer.Option(help=text("cli.audit.since_help"), metavar="AAAA-MM-JJ")]
Until = Annotated[str, typer.Option(help=text("cli.audit.until_help"), metavar="AAAA-MM-JJ")]
Why = Annotated[str, typer.Option(help=text("cli.audit.why_help"))]


def who_commands() -> str:
    """Who sits at this terminal, as the audit log names them: by the login of the machine."""
    return "system:cli." + re.sub(r"[^A-Za-z0-9._-]", "-", getpass.getuser())[:80]


@app.command("list", help=text("cli.audit.list_help"))
def list_(
    actor: Actor = "",
    subject: Subject = "",
    action: Action = "",
    since: Since = "",
    until: Until = "",
    why: Why = "",
    last: Annotated[int, typer.Option(min=1, max=10_000, help=text("cli.audit.last_help"))] = 50,
    as_json: AsJson = False,
) -> None:
    """Print the last lines of the log that match."""
    from mobigo.services.audit import line_fields, read_page
    from mobigo.store.base import migrate, open_engine

    engine = open_engine(settings().database_address())
    migrate(engine)
    now = datetime.now(UTC)
    wish = _wish(actor, subject, action, since, until)
    page = read_page(engine, wish, who_commands(), why, None, now, n_lines=last)
    engine.dispose()
    if as_json:
        say_json([line_fields(each) for each in page.lines])
    else:
        out.print(_table(page.lines))


@app.command(help=text("cli.audit.export_help"))
def export(
    output: Annotated[Path | None, typer.Option("--output", "-o", help=text("cli.audit.output_help"))] = None,
    written_as: Annotated[Literal["csv", "json"], typer.Option("--format", help=text("cli.audit.format_help"))] = "csv",
    actor: Actor = "",
    subject: Subject = "",
    action: Action = "",
    since: Since = "",
    until: Until = "",
    why: Why = "",
) -> None:
    """Write every line that matches, in the order of writing."""
    from mobigo.services.audit import export as export_lines
    from mobigo.store.base import migrate, open_engine

    engine = open_engine(settings().database_address())
    migrate(engine)
    wish = _wish(actor, subject, action, since, until)
    pieces = export_lines(engine, wish, written_as, who_commands(), why, datetime.now(UTC))
    if output is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    else:
        with output.open("wb") as file:
            file.writelines(pieces)
        err.print(text("cli.audit.written", path=str(output)), markup=False, highlight=False)
    engine.dispose()


def _wish(actor: str, subject: str, action: str, since: str, until: str) -> AuditFilter:
    from mobigo.store.audit import AuditFilter

    first, last = _midnight(since), _midnight(until)
    return AuditFilter(actor, action, subject, first, last and last + timedelta(days=1))


def _midnight(written: str) -> datetime | None:
    if not written:
        return None
    try:
        return datetime.combine(date.fromisoformat(written), time(), PARIS)
    except ValueError:
        raise BadInput("bad_day", day=written) from None


def _table(lines: Sequence[NumberedLine]) -> Table:
    table = Table(title=text("cli.audit.title"), title_justify="left")
    for column in ("number", "at", "actor", "action", "subject", "why", "facts"):
        table.add_column(text(f"cli.audit.column_{column}"), overflow="fold")
    for each in lines:
        line = each.line
        told = ", ".join(f"{name}={value}" for name, value in line.facts.items())
        when = line.at.astimezone(PARIS).strftime("%Y-%m-%d %H:%M:%S")
        cells = (str(each.number), when, line.actor, action_words(line.action), line.subject, line.why, told)
        table.add_row(*(Text(cell) for cell in cells))
    return table
