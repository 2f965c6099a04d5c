"""`mobigo ledger`: verify the books, seal a day, prove an entry, hand the books to other programs."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mobigo.cli.audit import who_commands
from mobigo.cli.feed import AsJson
from mobigo.cli.frame import ExitCode, out, say_json, settings
from mobigo.texts import finding_sentence, text
from socle.errors import BadInput
from socle.times import PARIS

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from socle.findings import Finding

app = typer.Typer(help=text("cli.ledger.help"), no_args_is_help=True)

First = Annotated[str, typer.Option("--from", help=text("cli.ledger.from_help"), metavar="AAAA-MM-JJ")]
Last = Annotated[str, typer.Option("--to", help=text("cli.ledger.to_help"), metavar="AAAA-MM-JJ")]
Day = Annotated[str, typer.Option(help=text("cli.ledger.day_help"), metavar="AAAA-MM-JJ")]


@app.command(help=text("cli.ledger.verify_help"))
def verify(
    file: Annotated[Path | None, typer.Option(help=text("cli.ledger.file_help"), exists=True, dir_okay=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Look at every entry; exit code 1 when something is wrong."""
    if file is None:
        from mobigo.services.ledger.proving import verify as verify_books
        from mobigo.store.base import open_engine

        checked = verify_books(open_engine(settings().database_address()))  # as it is: nothing is migrated
        facts: dict[str, str | int] = {
            "n_entries": checked.n_entries,
            "n_heads": len(checked.heads),
            "chain": checked.chain.hex(),
            "root": checked.root.hex(),
        }
        _say_checked(facts, checked.findings, checked.first_bad_seq, as_json)
    else:
        from mobigo.services.ledger.rechecking import recheck

        with file.open("rb") as lines:
            told = recheck(lines)
        facts = {"n_entries": told.n_entries, "n_heads": told.n_heads}
        _say_checked(facts, told.findings, told.first_bad_seq, as_json)


def _say_checked(
    facts: dict[str, str | int], findings: Sequence[Finding], first_bad_seq: int | None, as_json: bool
) -> None:
    if as_json:
        told = [{**finding.as_dict(), "sentence": finding_sentence(finding)} for finding in findings]
        say_json({**facts, "first_bad_seq": first_bad_seq, "findings": told})
    else:
        for finding in findings:
            out.print(finding_sentence(finding), style="red", highlight=False, markup=False)
        if findings:
            where = "cli.ledger.bad" if first_bad_seq is None else "cli.ledger.bad_from"
            out.print(text(where, n=len(findings), seq=first_bad_seq), style="bold red", highlight=False)
        else:
            out.print(text("cli.ledger.sound", **facts), style="green", highlight=False)
    raise typer.Exit(ExitCode.NO if findings else ExitCode.OK)


@app.command(help=text("cli.ledger.export_help"))
def export(
    format_: Annotated[
        Literal["beancount", "csv", "jsonl"], typer.Option("--format", help=text("cli.ledger.format_help"))
    ],
    first: First = "",
    last: Last = "",
    output: Annotated[Path | None, typer.Option("-o", "--output", help=text("cli.ledger.output_help"))] = None,
) -> None:
    """Write the books for another program."""
    from mobigo.services.ledger.exporting import Format, Period, note_export
    from mobigo.services.ledger.exporting import export as export_books

    engine, period = open_books(), Period(find_day(first), find_day(last))
    lines = export_books(engine, Format(format_), period)
    note_export(engine, Format(format_), who_commands(), datetime.now(UTC))
    write(lines, output)


def write(lines: Iterable[str], output: Path | None) -> None:
    """Write lines to a file, or to where the command speaks."""
    if output is None:
        sys.stdout.writelines(lines)
        return
    with output.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)


@app.command(help=text("cli.ledger.seal_help"))
def seal(day: Day = "", as_json: AsJson = False) -> None:
    """Sign the head of a day that is over; yesterday's when none is said."""
    from mobigo.security import open_keys
    from mobigo.services.ledger.proving import seal_day

    now = datetime.now(UTC)
    wanted = find_day(day) or now.astimezone(PARIS).date() - timedelta(days=1)
    keys = open_keys(settings().secret_key, settings().data_dir)
    head = seal_day(open_books(), keys, wanted, now)
    if as_json:
        say_json(head.as_dict())
    else:
        out.print(text("cli.ledger.sealed", **head.as_dict()), highlight=False)


@app.command(help=text("cli.ledger.heads_help"))
def heads(as_json: AsJson = False) -> None:
    """List the signed heads, the latest first."""
    from mobigo.services.ledger.proving import read_heads

    found = read_heads(open_books())
    if as_json:
        say_json([head.as_dict() for head in found])
    else:
        for head in found:
            out.print(text("cli.ledger.head", **head.as_dict()), highlight=False, soft_wrap=True)


@app.command(help=text("cli.ledger.proof_help"))
def proof(
    key: Annotated[str, typer.Argument(help=text("cli.ledger.key_help"))] = "",
    day: Day = "",
    since: Annotated[str, typer.Option(help=text("cli.ledger.since_help"), metavar="AAAA-MM-JJ")] = "",
) -> None:
    """Print the proof that an entry is in the books, or that those of a day continue those of another."""
    from mobigo.services.ledger.proving import prove_days, prove_entry

    wanted, earlier = find_day(day), find_day(since)
    if bool(key) == bool(earlier):
        raise BadInput("entry_or_since_wanted")
    if earlier is None:
        say_json(prove_entry(open_books(), key, wanted))
    else:
        say_json(prove_days(open_books(), earlier, wanted))


def open_books() -> Engine:
    """The database, with every table."""
    from mobigo.store.base import migrate, open_engine

    engine = open_engine(settings().database_address())
    migrate(engine)
    return engine


def find_day(told: str) -> date | None:
    """The day that was typed; None for nothing.

    Raises:
        BadInput: `bad_day`.
    """
    if not told:
        return None
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", told, flags=re.ASCII) is None:
            raise ValueError(told)
        return date.fromisoformat(told)
    except ValueError:
        raise BadInput("bad_day", day=told) from None
