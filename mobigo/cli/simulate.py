"""`mobigo covoiturage simulate`: what carpools would cost under a policy, and who gains or loses against another."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from mobigo.cli.covoiturage import BAD_INPUT, opened, opened_database, read_lines
from mobigo.cli.frame import ExitCode, err, out, progress, say_error, say_json
from mobigo.texts import error_sentence, text
from socle.errors import MobigoError
from socle.times import PARIS

if TYPE_CHECKING:
    from covoiturage.policy.model import Policy
    from mobigo.services.covoiturage.simulating import Outings

_COLUMNS = ("carpools", "paid", "metres", "passengers", "subsidy_cents", "fare_cents", "net_cents")


class Format(StrEnum):
    """How the answer is written."""

    TABLE = "table"
    JSON = "json"


def simulate(
    policy: Annotated[str, typer.Option("--policy", help=text("cli.simulate.policy_help"), metavar="FILE|ID")],
    against: Annotated[
        str | None, typer.Option("--against", help=text("cli.simulate.against_help"), metavar="FILE|ID")
    ] = None,
    journeys: Annotated[
        str | None, typer.Option("--journeys", help=text("cli.covoiturage.journeys_help"), metavar="FILE|-")
    ] = None,
    month: Annotated[
        str | None, typer.Option("--month", help=text("cli.simulate.month_help"), metavar="YYYY-MM")
    ] = None,
    budget_cents: Annotated[int | None, typer.Option(min=0, help=text("cli.covoiturage.budget_help"))] = None,
    form: Annotated[Format, typer.Option("--format", help=text("cli.simulate.format_help"))] = Format.TABLE,
) -> None:
    """Simulate a policy on a month or a file of carpools."""
    from mobigo.services.covoiturage.simulating import as_dict, simulate_policy

    if (journeys is None) == (month is None):
        raise typer.BadParameter(text("cli.simulate.one_source"))
    try:
        chosen = _policy(policy)
        other = None if against is None else _policy(against)
        outings = _outings(journeys, month)
    except (MobigoError, OSError) as error:
        say_error(error_sentence(error) if isinstance(error, MobigoError) else f"{error.filename} : {error.strerror}")
        raise typer.Exit(BAD_INPUT) from None
    n_steps = len(outings.cars) * (1 if other is None else 2)
    with progress(text("cli.simulate.under_way"), n_steps) as bar:
        told = as_dict(
            simulate_policy(
                chosen, other, outings, budget_cents, progress=lambda n: bar.update(bar.task_ids[0], advance=n)
            )
        )
    if form is Format.JSON:
        say_json(told)
    else:
        _say_tables(told, budget_cents)
    raise typer.Exit(BAD_INPUT if outings.unreadable else ExitCode.OK)


def _policy(named: str) -> Policy:
    """The policy of a file, or one that is kept, by its id."""
    from covoiturage.policy.language import read_policies
    from mobigo.services.covoiturage.deciding import choose_policy
    from mobigo.services.covoiturage.publishing import get_published

    file = Path(named)
    if file.suffix in {".json", ".toml"} or file.is_file():
        return choose_policy(read_policies(file.read_bytes(), toml=file.suffix == ".toml"), None)
    with opened_database() as (engine, _keys, now):
        return get_published(engine, named, now.astimezone(PARIS).date())


def _outings(journeys: str | None, month: str | None) -> Outings:
    from mobigo.services.covoiturage.simulating import read_month, read_outings

    if month is not None:
        with opened_database() as (engine, _keys, _now):
            return read_month(engine, month)
    with opened(journeys or "-") as lines:
        outings = read_outings(read_lines(lines))
    for position, error in outings.unreadable:
        sentence = text("cli.simulate.line_refused", line=position, sentence=error_sentence(error))
        err.print(sentence, markup=False, highlight=False)
    return outings


# --- tables ---------------------------------------------------------------------------------------


def _say_tables(told: dict[str, Any], budget_cents: int | None) -> None:
    against = told.get("against")
    for part in (told, *([against] if against else [])):
        out.print(text("cli.simulate.title", policy=part["policy"], version=part["policy_sha256"][:12]), markup=False)
        table = _table("cli.simulate.by")
        table.add_row(text("cli.simulate.total"), *_cells(part["total"]), style="bold")
        for name, tally in _rows(part):
            table.add_row(name, *_cells(tally))
        out.print(table)
        for one in part["break_even"]:
            out.print(break_even_sentence(one["passengers"], one["metres"]), markup=False, highlight=False)
        if budget_cents is not None:
            day = part["budget_ends_on"]
            key = "cli.simulate.budget_lasts" if day is None else "cli.simulate.budget_ends"
            out.print(text(key, day=str(day)), markup=False, highlight=False)
    if against:
        table = Table(title=text("cli.simulate.groups"), title_justify="left")
        for heading in ("line", "kinds", "drivers", "change"):
            table.add_column(
                text(f"cli.simulate.{heading}"), justify="left" if heading in {"line", "kinds"} else "right"
            )
        for line, groups in told["groups"].items():
            for group in groups:
                few = group["drivers"] is None
                table.add_row(
                    _line(line),
                    text(f"cli.simulate.kind.{group['kind']}"),
                    text("cli.simulate.few") if few else str(group["drivers"]),
                    "" if group["cents"] is None else _euros(group["cents"]),
                )
        out.print(table)


def break_even_sentence(passengers: int, metres: int | None) -> str:
    """Below which length fares exceed the subsidy."""
    key = "cli.simulate.always_more" if metres is None else "cli.simulate.break_even"
    return text(f"{key}.{'one' if passengers == 1 else 'other'}", passengers=passengers, km=_kilometres(metres or 0))


def _table(first: str) -> Table:
    table = Table(title_justify="left")
    table.add_column(text(first))
    for column in _COLUMNS:
        table.add_column(text(f"cli.simulate.{column}"), justify="right")
    return table


def _rows(part: dict[str, Any]) -> Iterator[tuple[str, dict[str, int]]]:
    yield from ((_line(line), tally) for line, tally in part["by_line"].items())
    yield from part["by_month"].items()
    for band in part["by_distance"]:
        key = "cli.simulate.band" if band["to_m"] else "cli.simulate.last_band"
        yield text(key, since=band["from_m"] // 1000, until=(band["to_m"] or 0) // 1000), band


def _line(line: str) -> str:
    return {"": text("cli.simulate.no_line"), "*": text("cli.simulate.all"), "…": text("cli.simulate.others")}.get(
        line, line
    )


def _cells(tally: dict[str, int]) -> list[str]:
    cells = []
    for column in _COLUMNS:
        value = tally[column]
        cells.append(
            _kilometres(value) if column == "metres" else _euros(value) if column.endswith("cents") else str(value)
        )
    return cells


def _euros(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100},{abs(cents) % 100:02d}"


def _kilometres(metres: int) -> str:
    return f"{metres / 1000:.1f}".replace(".", ",")
