"""`mobigo covoiturage verify` and `export`: the books of carpooling checked, and handed to other programs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from mobigo.cli import ledger
from mobigo.cli.audit import who_commands
from mobigo.cli.feed import AsJson
from mobigo.cli.frame import ExitCode, err, say_json, settings
from mobigo.texts import error_sentence, text


def verify(
    file: Annotated[Path | None, typer.Option(help=text("cli.ledger.file_help"), exists=True, dir_okay=False)] = None,
    proof: Annotated[str, typer.Option(help=text("cli.ledger.key_help"), metavar="KEY")] = "",
    as_json: AsJson = False,
) -> None:
    """Look at every entry, of the database or of an export; with `--proof`, print that one of them is in the books."""
    if proof:
        from mobigo.services.ledger.proving import prove_entry

        say_json(prove_entry(ledger.open_books(), proof))
        return
    ledger.verify(file, as_json)


def export(
    format_: Annotated[
        Literal["beancount", "csv", "rpc", "jsonl"],
        typer.Option("--format", help=text("cli.covoiturage.export_format_help")),
    ],
    first: ledger.First = "",
    last: ledger.Last = "",
    output: Annotated[Path | None, typer.Option("--out", help=text("cli.ledger.output_help"))] = None,
    siret: Annotated[str, typer.Option(help=text("cli.covoiturage.siret_help"))] = "",
) -> None:
    """Write the books, or what the national registry is told of the rides; exit code 1 when a ride cannot be told."""
    if format_ != "rpc":
        ledger.export(format_, first, last, output)
        return
    n_untold = [0]
    ledger.write(_payloads(siret, first, last, n_untold), output)
    raise typer.Exit(ExitCode.NO if n_untold[0] else ExitCode.OK)


def _payloads(siret: str, first: str, last: str, n_untold: list[int]) -> Iterator[str]:
    import msgspec

    from mobigo.security import open_keys
    from mobigo.services.covoiturage.registering import Untold, list_payloads

    keys = open_keys(settings().secret_key, settings().data_dir)
    days = (ledger.find_day(first), ledger.find_day(last))
    for told in list_payloads(ledger.open_books(), keys, siret, *days, who_commands(), datetime.now(UTC)):
        if isinstance(told, Untold):
            n_untold[0] += 1
            sentence = error_sentence(told.why)
            err.print(text("cli.covoiturage.untold", ride=told.ride_id, why=sentence), markup=False, soft_wrap=True)
        else:
            yield msgspec.json.encode(told).decode() + "\n"
