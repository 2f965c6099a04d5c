"""`mobigo retention`: what is kept about people, how old it is, and taking away what is too old."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from mobigo.cli.feed import AsJson
from mobigo.cli.frame import ExitCode, out, say_json, settings
from mobigo.texts import text
from socle.times import PARIS

if TYPE_CHECKING:
    from mobigo.services.retention import Kept

app = typer.Typer(help=text("cli.retention.help"), no_args_is_help=True)


@app.command(help=text("cli.retention.report_help"))
def report(as_json: AsJson = False) -> None:
    """Print what is kept under each rule; exit code 1 when something is older than its rule allows."""
    from mobigo.services.retention import duration_words
    from mobigo.services.retention import report as make_report
    from mobigo.store.base import migrate, open_engine

    engine = open_engine(settings().database_address())
    migrate(engine)
    told = make_report(engine, datetime.now(UTC), letters=settings().letters_dir())
    engine.dispose()
    if as_json:
        applied = told.applied_at and told.applied_at.isoformat()
        say_json({"applied_at": applied, "n_older": told.n_older, "rules": [_told(each) for each in told.kept]})
    else:
        table = Table(title=text("cli.retention.title"), title_justify="left")
        for column in ("what", "kept", "limit", "oldest", "n_older"):
            table.add_column(text(f"cli.retention.column_{column}"), overflow="fold")
        for each in told.kept:
            n_older = str(each.age.n_older) if each.limit and each.age else ""
            oldest = _local(each.age.oldest) if each.age else ""
            what, kept = text(f"retention.{each.rule.code}.what"), duration_words(each.rule)
            cells = (what, kept, _local(each.limit), oldest, n_older)
            table.add_row(*map(Text, cells))
        out.print(table)
        verdict = text("cli.retention.tidy") if not told.n_older else text("cli.retention.late", n_older=told.n_older)
        out.print(verdict, highlight=False)
    raise typer.Exit(ExitCode.NO if told.n_older else ExitCode.OK)


@app.command("apply", help=text("cli.retention.apply_help"))
def apply_(
    after_pause: Annotated[bool, typer.Option("--after-pause", help=text("cli.retention.after_pause_help"))] = False,
    as_json: AsJson = False,
) -> None:
    """Take away what is older than the rules allow."""
    from mobigo.services.retention import apply
    from mobigo.store.base import migrate, open_engine

    engine = open_engine(settings().database_address())
    migrate(engine)
    counts = apply(engine, after_pause=after_pause, letters=settings().letters_dir(), now=datetime.now(UTC))
    engine.dispose()
    if as_json:
        say_json(counts)
        return
    for code, n in counts.items():
        out.print(text("cli.retention.gone", n=n, what=text(f"retention.{code}.what")), highlight=False)


def _local(instant: datetime | None) -> str:
    return "" if instant is None else instant.astimezone(PARIS).strftime("%Y-%m-%d %H:%M")


def _told(kept: Kept) -> dict[str, object]:
    rule, age = kept.rule, kept.age
    return {
        "code": rule.code,
        "table": rule.table,
        "then": rule.then,
        "keep_months": rule.keep_months,
        "keep_days": rule.keep_days,
        "from": rule.from_day.isoformat(),
        "source": rule.source,
        "limit": kept.limit and kept.limit.isoformat(),
        "oldest": age and age.oldest and age.oldest.isoformat(),
        "n_older": age.n_older if age else 0,
    }
