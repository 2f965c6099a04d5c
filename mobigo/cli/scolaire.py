"""`mobigo scolaire`: the files of school sectors, and who has a right to school transport."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table

from mobigo.cli.audit import who_commands
from mobigo.cli.covoiturage import opened_database
from mobigo.cli.feed import AsJson, findings_table, told
from mobigo.cli.frame import ExitCode, out, progress, say_json
from mobigo.texts import text
from scolaire.entitlement.model import INCOMPLETE
from socle.errors import BadInput
from socle.times import local_day

if TYPE_CHECKING:
    from mobigo.services.scolaire.entitling import Book, Entitled
    from scolaire.entitlement.simulate import Change, Simulation

app = typer.Typer(help=text("cli.scolaire.help"), no_args_is_help=True)

FACT: Final = re.compile(r"\{\w+\}")  # of one file, in a sentence of a rule book

Year = Annotated[int | None, typer.Option("--year", min=2000, max=2100, help=text("cli.scolaire.year_help"))]


@app.command("import", help=text("cli.scolaire.import_help"))
def import_(
    folder: Annotated[
        Path, typer.Argument(help=text("cli.scolaire.import_dir_help"), metavar="DIR", exists=True, file_okay=False)
    ],
    year: Year = None,
    name: Annotated[str | None, typer.Option(help=text("cli.scolaire.name_help"))] = None,
    check: Annotated[bool, typer.Option("--check", help=text("cli.scolaire.check_help"))] = False,
    as_json: AsJson = False,
) -> None:
    """Keep a sector; exit code 1 when a row has an error."""
    from mobigo.services.scolaire.importing import check_sector, import_sector, read_folder

    files = read_folder(folder)
    with progress(text("cli.scolaire.reading", what=folder.name), 1):
        if check:
            done = check_sector(files)
        else:
            with opened_database() as (engine, keys, now):
                code = name or folder.resolve().name
                done = import_sector(engine, keys, files, _year(year), code, who_commands(), now)
    counts = {
        "pupils": len(done.sector.pupils),
        "left_out": len(done.sector.left_out),
        "schools": len(done.sector.schools),
        "stops": len(done.sector.stops),
        "errors": done.n_errors,
    }
    if as_json:
        say_json({"sector": done.sector_id, **counts, "findings": [told(finding) for finding in done.findings]})
    else:
        if done.findings:
            out.print(findings_table(done.findings, str(folder)))
        out.print(text("cli.scolaire.read", **counts), highlight=False)
    raise typer.Exit(ExitCode.NO if done.n_errors else ExitCode.OK)


def _year(given: int | None) -> int:
    from scolaire.entitlement.files import school_year_of

    return school_year_of(local_day(int(datetime.now(UTC).timestamp()))) if given is None else given


@app.command(help=text("cli.scolaire.entitle_help"))
def entitle(
    year: Year = None,
    rules: Annotated[
        list[Path] | None,
        typer.Option(help=text("cli.scolaire.rules_help"), metavar="FILE", exists=True, dir_okay=False),
    ] = None,
    simulate: Annotated[str | None, typer.Option(help=text("cli.scolaire.simulate_help"), metavar="FILE|ID")] = None,
    replay: Annotated[bool, typer.Option("--replay", help=text("cli.scolaire.replay_help"))] = False,
    as_json: AsJson = False,
) -> None:
    """Decide the files of a school year, decide them again, or try another rule book on them."""
    from mobigo.services.scolaire import entitling

    if simulate is not None and replay:
        raise BadInput("one_of_two", one="--simulate", other="--replay")
    school_year = _year(year)
    books = entitling.open_books([path.read_bytes() for path in rules or ()])
    tried = None if simulate is None else _find_book(simulate)
    with opened_database() as (engine, keys, now):
        if replay:
            n_files, n_other = entitling.replay(engine, keys, school_year)
            _say_replay(n_files, n_other, as_json=as_json)
            raise typer.Exit(ExitCode.NO if n_other else ExitCode.OK)
        with progress(text("cli.scolaire.deciding"), entitling.count_pupils(engine, school_year)) as bar:
            advance = lambda n: bar.advance(bar.task_ids[0], n)  # noqa: E731  the bar is of this block
            if tried is None:
                done = entitling.entitle(engine, keys, school_year, books, who_commands(), now, progress=advance)
            else:
                found = entitling.simulate_change(engine, keys, school_year, tried.book, progress=advance)
    if tried is None:
        _say_entitled(done, books, as_json=as_json)
    else:
        _say_simulations(found, as_json=as_json)


def _find_book(named: str) -> Book:
    """A book by a file, or by the name of one of ours."""
    from mobigo.services.scolaire.entitling import open_books
    from scolaire.entitlement.shipped import key_of

    path = Path(named)
    if path.is_file():
        return open_books([path.read_bytes()])[0]
    ours = {key_of(one.book): one for one in open_books()}
    if named not in ours:
        raise BadInput("unknown_rule_book", name=named, known=", ".join(ours))
    return ours[named]


def _say_entitled(done: Entitled, books: Sequence[Book], *, as_json: bool) -> None:
    if as_json:
        say_json(
            {
                "files": done.n_files,
                "new": done.n_new,
                "without_book": done.n_without_book,
                "verdicts": dict(done.verdicts),
                "reasons": [
                    {"book": book, "verdict": verdict, "reason": reason, "files": n}
                    for (book, verdict, reason), n in done.reasons.most_common()
                ],
            }
        )
        return
    incomplete = {(one.book.id, INCOMPLETE): text("cli.scolaire.incomplete") for one in books}
    says = incomplete | {(one.book.id, rule.code): FACT.sub("…", rule.says) for one in books for rule in one.book.rules}
    table = Table(title=text("cli.scolaire.deciding"), title_justify="left")
    for column in ("book", "verdict", "reason", "files"):
        table.add_column(text(f"cli.scolaire.column_{column}"))
    for (book, verdict, reason), n in done.reasons.most_common():
        table.add_row(book, text(f"personal.value.school_verdict.{verdict}"), says.get((book, reason), reason), str(n))
    out.print(table)
    facts = {"files": done.n_files, "new": done.n_new, "without_book": done.n_without_book}
    out.print(text("cli.scolaire.decided", **facts), highlight=False)


def _say_replay(n_files: int, n_other: int, *, as_json: bool) -> None:
    if as_json:
        say_json({"files": n_files, "other": n_other})
    else:
        out.print(text("cli.scolaire.replayed", files=n_files, other=n_other), highlight=False)


def _say_simulations(found: list[tuple[str, Simulation]], *, as_json: bool) -> None:
    if as_json:
        say_json([{"before": title, **_simulation_fields(one)} for title, one in found])
        return
    for title, one in found:
        table = Table()
        for column in ("before", "after", "files"):
            table.add_column(text(f"cli.scolaire.column_{column}"))
        for (before, after), n in sorted(one.counts.items()):
            words = (text(f"personal.value.school_verdict.{verdict}") for verdict in (before, after))
            table.add_row(*words, str(n))
        out.print(table)
        counts = {"gains": len(one.gains), "losses": len(one.losses), "others": len(one.others)}
        out.print(text("cli.scolaire.simulated", title=title, files=one.n_files, **counts), highlight=False)


def _simulation_fields(one: Simulation) -> dict[str, object]:
    def fields(changes: list[Change]) -> list[dict[str, str]]:
        return [
            {"file": change.key, "before": change.before.reason, "after": change.after.reason} for change in changes
        ]

    return {
        "files": one.n_files,
        "counts": [
            {"before": str(before), "after": str(after), "files": n}
            for (before, after), n in sorted(one.counts.items())
        ],
        "gains": fields(list(one.gains)),
        "losses": fields(list(one.losses)),
        "others": fields(list(one.others)),
        "other_reason": one.n_other_reason,
    }


@app.command(help=text("cli.scolaire.decisions_help"))
def decisions(
    to: Annotated[Path, typer.Option("--out", help=text("cli.scolaire.decisions_out_help"), metavar="FILE")],
    why: Annotated[str, typer.Option(help=text("cli.audit.why_help"))],
    year: Year = None,
) -> None:
    """Write the decisions that hold, under the ids of the office."""
    from mobigo.services.scolaire.entitling import tell_decisions

    with opened_database() as (engine, keys, now):
        found = tell_decisions(engine, keys, _year(year), who_commands(), why, now)
    with to.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("pupil_id", "home", "verdict", "reason", "sentence", "missing"))
        for one in found:
            missing = " ".join(one.missing)
            writer.writerow((one.pupil_id, one.home + 1, one.verdict, one.reason, one.sentence or "", missing))
    out.print(text("cli.scolaire.decisions_written", files=len(found)), highlight=False)


@app.command(help=text("cli.scolaire.generate_help"))
def generate(
    folder: Annotated[Path, typer.Argument(help=text("cli.scolaire.generate_dir_help"), metavar="DIR")],
    seed: Annotated[int, typer.Option(help=text("cli.scolaire.seed_help"))] = 1,
    pupils: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help=text("cli.scolaire.pupils_help"), metavar="N")
    ] = None,
    region: Annotated[bool, typer.Option("--region", help=text("cli.scolaire.region_help"))] = False,
    shuttles: Annotated[int, typer.Option(min=0, max=1_000, help=text("cli.scolaire.shuttles_help"), metavar="N")] = 0,
    as_json: AsJson = False,
) -> None:
    """Write fictitious sectors."""
    from scolaire.generator import N_PUPILS, N_SECTORS, REGION_PUPILS, draw_region, draw_sector, with_shuttles
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
            for name, content in render_sector(with_shuttles(sector, shuttles)).items():
                (into / name).write_bytes(content)
            counts["pupils"] += len(sector.pupils)
            counts["schools"] += len(sector.schools)
            counts["stops"] += len(sector.stops)
            bar.advance(bar.task_ids[0])
    if as_json:
        say_json(counts)
    else:
        out.print(text("cli.scolaire.generated", **counts), highlight=False)


@app.command(help=text("cli.scolaire.stops_help"))
def stops(
    folder: Annotated[
        Path, typer.Argument(help=text("cli.scolaire.import_dir_help"), metavar="DIR", exists=True, file_okay=False)
    ],
    walk: Annotated[int, typer.Option(min=0, max=20_000, help=text("cli.scolaire.walk_help"), metavar="M")] = 1_000,
    least: Annotated[int, typer.Option(min=1, max=1_000, help=text("cli.scolaire.least_help"), metavar="N")] = 4,
    spacing: Annotated[
        int, typer.Option(min=0, max=20_000, help=text("cli.scolaire.spacing_help"), metavar="M")
    ] = 2_000,
    effort: Annotated[float, typer.Option(min=0.01, help=text("cli.scolaire.effort_help"), metavar="S")] = 10.0,
    seed: Annotated[int, typer.Option(help=text("cli.scolaire.seed_help"))] = 1,
    as_json: AsJson = False,
) -> None:
    """Say which stops open; exit code 1 when a pupil has none."""
    from mobigo.services.scolaire.importing import read_folder
    from scolaire.reading import read_sector
    from scolaire.stops import StopRules, choose_for

    sector, _findings = read_sector(read_folder(folder))
    with progress(text("cli.scolaire.choosing"), 1):
        choice = choose_for(sector, StopRules(walk, least, spacing), effort=effort, seed=seed)
    names = [stop.stop_id for stop in sector.stops]
    ids = [(sector.pupils[p].pupil_id, h + 1) for p, h in sector.plannable]
    if as_json:
        say_json(
            {
                "open": [names[stop] for stop in choice.open_stops],
                "waits": [
                    {"pupil_id": ids[i][0], "home": ids[i][1], "stop_id": names[stop]}
                    for i, stop in enumerate(choice.stop_of)
                    if stop is not None
                ],
                "left_out": [{"pupil_id": ids[i][0], "home": ids[i][1], "why": why} for i, why in choice.why.items()],
                "walk_m": choice.walk_m,
                "fewest_stops": choice.fewest_stops,
                "proved": choice.is_proved,
            }
        )
    else:
        if choice.why:
            table = Table()
            for column in ("why", "files"):
                table.add_column(text(f"cli.scolaire.column_{column}"))
            for why, n in Counter(choice.why.values()).most_common():
                table.add_row(text(f"cli.scolaire.why.{why}"), str(n))
            out.print(table)
        n_served = len(ids) - choice.n_left_out
        facts = {
            "open": len(choice.open_stops),
            "stops": len(names),
            "pupils": n_served,
            "mean_m": choice.walk_m // max(1, n_served),
            "left_out": choice.n_left_out,
        }
        out.print(text("cli.scolaire.chosen", **facts), highlight=False)
        proof = "proved" if choice.is_proved else "not_proved"
        out.print(text(f"cli.scolaire.{proof}", fewest=choice.fewest_stops), highlight=False)
    raise typer.Exit(ExitCode.NO if choice.why else ExitCode.OK)
