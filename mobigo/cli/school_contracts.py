"""`mobigo scolaire contracts`: contracts and indices imported, months stated, invoices checked, costs shared."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from mobigo.cli.audit import who_commands
from mobigo.cli.covoiturage import opened_database
from mobigo.cli.feed import AsJson, findings_table, told
from mobigo.cli.frame import ExitCode, out, say_json
from mobigo.texts import text
from socle.findings import count_errors
from socle.money import render_euros

if TYPE_CHECKING:
    from scolaire.contracts.statements import Line, Statement

app = typer.Typer(help=text("cli.school_contracts.help"), no_args_is_help=True)

Contract = Annotated[str, typer.Argument(help=text("cli.school_contracts.contract_help"), metavar="CONTRACT")]
Month = Annotated[str, typer.Argument(help=text("cli.school_contracts.month_help"), metavar="MONTH")]


class By(StrEnum):
    """What costs are told by."""

    CIRCUIT = "circuit"
    SCHOOL = "school"
    COMMUNE = "commune"


@app.command("import", help=text("cli.school_contracts.import_help"))
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(help=text("cli.school_contracts.files_help"), metavar="FILE…", exists=True, dir_okay=False),
    ],
) -> None:
    """Keep contracts (TOML) and values of indices (CSV); exit code 1 when a row of values has an error."""
    from mobigo.services.scolaire.contracting import import_contract, import_indices

    n_errors = 0
    with opened_database() as (engine, _keys, now):
        for file in files:
            if file.suffix == ".toml":
                contract, is_new = import_contract(engine, file.read_bytes(), who_commands(), now)
                word = "kept" if is_new else "known"
                out.print(text(f"cli.school_contracts.{word}", contract=contract.id), highlight=False)
                continue
            n_new, findings = import_indices(engine, file.read_bytes(), who_commands(), now)
            n_errors += count_errors(findings)
            if findings:
                out.print(findings_table(findings, str(file)))
            out.print(text("cli.school_contracts.values", n=n_new), highlight=False)
    raise typer.Exit(ExitCode.NO if n_errors else ExitCode.OK)


@app.command(help=text("cli.school_contracts.statement_help"))
def statement(
    contract: Contract,
    month: Month,
    prepare: Annotated[bool, typer.Option("--prepare", help=text("cli.school_contracts.prepare_help"))] = False,
    as_json: AsJson = False,
) -> None:
    """Tell a month line by line; with `--prepare`, propose it for approval."""
    from mobigo.services.scolaire.stating import get_month, prepare_month

    with opened_database() as (engine, keys, now):
        if prepare:
            found = prepare_month(engine, keys, contract, month, who_commands(), now)
        else:
            found = get_month(engine, keys, contract, month)
    shown = found.shown
    if as_json:
        say_json(_fields(shown))
        return
    if shown.findings:
        out.print(findings_table(shown.findings, month))
    table = Table(title=f"{found.contract.title}, {month}", title_justify="left")
    for column in ("about", "kind", "quantity", "price", "euros"):
        table.add_column(text(f"cli.school_contracts.column_{column}"))
    for line in (*shown.lines, *shown.penalties):
        word = text(f"school_lines.{line.kind}")
        table.add_row(
            " ".join(filter(None, (line.about, line.run, str(line.day or ""), line.cause))),
            word,
            _quantity(line),
            f"{line.price_e4 / 10_000:.4f}",
            render_euros(line.cents),
        )
    out.print(table)
    sums = ("net", "vat", "penalty", "due")
    euros = {name: render_euros(getattr(shown, f"{name}_cents")) for name in sums}
    out.print(text("cli.school_contracts.sums", **euros), highlight=False)


def _quantity(line: Line) -> str:
    from scolaire.contracts.statements import UNITS

    unit = UNITS.get(line.kind, 1)
    return str(line.quantity) if unit == 1 else f"{line.quantity / unit:.3f}"


def _fields(shown: Statement) -> dict[str, object]:
    return {
        "contract": shown.contract_id,
        "version": shown.version,
        "month": shown.month,
        "coefficient": shown.coefficient.number / shown.coefficient.scale,
        "provisional": shown.is_provisional,
        "lines": [_line(line) for line in shown.lines],
        "penalties": [_line(line) for line in shown.penalties],
        "net_cents": shown.net_cents,
        "vat_cents": shown.vat_cents,
        "penalty_cents": shown.penalty_cents,
        "due_cents": shown.due_cents,
        "findings": [told(finding) for finding in shown.findings],
    }


def _line(line: Line) -> dict[str, object]:
    return {
        "kind": str(line.kind),
        "about": line.about,
        "quantity": line.quantity,
        "price_e4": line.price_e4,
        "cents": line.cents,
        "run": line.run,
        "day": None if line.day is None else line.day.isoformat(),
        "cause": line.cause,
    }


@app.command("check-invoice", help=text("cli.school_contracts.check_help"))
def check_invoice(
    contract: Contract,
    month: Month,
    file: Annotated[
        Path,
        typer.Argument(help=text("cli.school_contracts.invoice_help"), metavar="FILE", exists=True, dir_okay=False),
    ],
    as_json: AsJson = False,
) -> None:
    """Hold an invoice against the statement; exit code 1 when they differ."""
    from mobigo.services.scolaire.stating import check

    with opened_database() as (engine, keys, _now):
        found = check(engine, keys, contract, month, file.read_bytes())
    if as_json:
        say_json(
            {
                "right": found.is_right,
                "stated_cents": found.stated_cents,
                "invoiced_cents": found.invoiced_cents,
                "differences": [
                    {
                        "about": one.about,
                        "kind": one.kind,
                        "stated_cents": one.stated_cents,
                        "invoiced_cents": one.invoiced_cents,
                        "line": one.line,
                    }
                    for one in found.differences
                ],
                "findings": [told(finding) for finding in found.findings],
            }
        )
    else:
        if found.findings:
            out.print(findings_table(found.findings, str(file)))
        euros = {"stated": render_euros(found.stated_cents), "invoiced": render_euros(found.invoiced_cents)}
        word = "right" if found.is_right else "wrong"
        out.print(text(f"cli.school_contracts.{word}", n=len(found.differences), **euros), highlight=False)
    raise typer.Exit(ExitCode.OK if found.is_right else ExitCode.NO)


@app.command(help=text("cli.school_contracts.costs_help"))
def costs(
    months: Annotated[list[str], typer.Argument(help=text("cli.school_contracts.months_help"), metavar="MONTH…")],
    by: Annotated[By, typer.Option("--by", help=text("cli.school_contracts.by_help"))] = By.CIRCUIT,
    public: Annotated[
        Path | None, typer.Option("--public", help=text("cli.school_contracts.public_help"), metavar="FILE")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what months cost; with `--public`, write the table that anybody may read."""
    from mobigo.services.scolaire.costing import count_costs, driven_m
    from scolaire.contracts.figures import render_figures, year_figures

    with opened_database() as (engine, keys, _now):
        found = count_costs(engine, keys, months).costs
        if public is not None:
            figures = year_figures(found.circuits, driven_m(engine, keys, months))
            public.write_bytes(render_figures(figures))
            out.print(text("cli.school_contracts.written", n=len(figures), path=str(public)), highlight=False)
            return
    rows = {By.CIRCUIT: found.circuits, By.SCHOOL: found.schools, By.COMMUNE: found.communes}[by]
    if as_json:
        say_json([{"about": one.about, "pupils": one.n_pupils, "cents": one.cents} for one in rows])
        return
    table = Table()
    for column in ("about", "pupils", "euros", "per_pupil"):
        table.add_column(text(f"cli.school_contracts.column_{column}"))
    for one in (*rows, found.total):
        mean = one.per_pupil_cents
        about = one.about or text("cli.school_contracts." + ("total" if one is found.total else "unshared"))
        table.add_row(about, str(one.n_pupils), render_euros(one.cents), "" if mean is None else render_euros(mean))
    out.print(table)


@app.command(help=text("cli.school_contracts.carrier_help"))
def carrier(
    reference: Annotated[str, typer.Argument(help=text("cli.school_contracts.reference_help"), metavar="REFERENCE")],
    carrier_id: Annotated[str, typer.Argument(help=text("cli.school_contracts.carrier_id_help"), metavar="CARRIER")],
    take: Annotated[bool, typer.Option("--take", help=text("cli.school_contracts.take_help"))] = False,
) -> None:
    """Have an account act for a carrier, or no more."""
    from mobigo.services.scolaire.contracting import give_carrier, take_carrier

    with opened_database() as (engine, _keys, now):
        do = take_carrier if take else give_carrier
        is_changed = do(engine, reference, carrier_id, who_commands(), now)
    word = "unchanged" if not is_changed else "taken" if take else "given"
    out.print(text(f"cli.school_contracts.{word}", carrier=carrier_id), highlight=False)
