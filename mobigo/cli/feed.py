"""`mobigo feed`: judge feeds and make the network from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from mobigo.cli.fictitious import settle_accounts
from mobigo.cli.frame import ExitCode, err, exit_code_of, out, progress, say_error, say_json, settings
from mobigo.cli.sources import list_files
from mobigo.texts import error_sentence, finding_sentence, text
from socle.errors import BadInput, MobigoError
from socle.findings import Finding, Severity, count_errors
from socle.times import local_day

if TYPE_CHECKING:
    from mobigo.services.network.importing import ImportReport, SourceFile

app = typer.Typer(help=text("cli.feed.help"), no_args_is_help=True)

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}

AsJson = Annotated[bool, typer.Option("--json", help=text("cli.json_help"))]


def findings_table(findings: Sequence[Finding], title: str) -> Table:
    """The findings for a terminal, gravest first."""
    table = Table(title=title, title_justify="left", show_lines=False)
    for column in ("severity", "where", "code", "sentence"):
        table.add_column(text(f"cli.feed.column_{column}"), overflow="fold")
    rank = list(Severity)
    for finding in sorted(findings, key=lambda each: rank.index(each.severity)):
        where = finding.file if finding.line is None else f"{finding.file}:{finding.line}"
        table.add_row(
            f"[{_STYLES[finding.severity]}]{text(f'cli.severity.{finding.severity.lower()}')}[/]",
            where,
            finding.code,
            finding_sentence(finding),
        )
    return table


def told(finding: Finding) -> dict[str, object]:
    """The finding for JSON, with its sentence."""
    return finding.as_dict() | {"sentence": finding_sentence(finding)}


@app.command(help=text("cli.feed.check_help"))
def check(
    path: Annotated[Path, typer.Argument(help=text("cli.feed.path_help"))],
    as_json: AsJson = False,
) -> None:
    """Print what is to be said of a feed; exit code 1 when there is an error."""
    from mobigo.services.network.importing import check_feed

    with progress(text("cli.step.read", what=path.name), 1):
        usable, findings = check_feed(path, local_day(int(datetime.now(UTC).timestamp())))
    n_errors = count_errors(findings)
    if as_json:
        say_json({"usable": usable, "errors": n_errors, "findings": [told(finding) for finding in findings]})
    else:
        if findings:
            out.print(findings_table(findings, str(path)))
        key = "refused" if not usable else "with_errors" if n_errors else "good"
        out.print(text(f"cli.feed.{key}", n_findings=len(findings), n_errors=n_errors), highlight=False)
    raise typer.Exit(ExitCode.NO if n_errors or not usable else ExitCode.OK)


@app.command(help=text("cli.feed.fetch_help"))
def fetch(
    source_ids: Annotated[list[str] | None, typer.Argument(help=text("cli.feed.fetch_ids_help"), metavar="ID…")] = None,
    sources: Annotated[Path | None, typer.Option(help=text("cli.feed.sources_help"), metavar="FILE")] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch declared sources into the data directory, what has changed of them."""
    from mobigo.services.network.fetching import fetch_source
    from mobigo.services.network.sources import read_sources

    path = sources or settings().sources_file
    declared = read_sources(path)
    if not declared:
        raise BadInput("nothing_declared", path=str(path))
    for each in source_ids or ():
        if each not in declared:
            raise BadInput("not_declared", source_id=each, path=str(path))
    rows: list[dict[str, object]] = []
    code = ExitCode.OK
    for source in (declared[each] for each in source_ids or declared):
        row: dict[str, object] = {"id": source.id, "address": source.address, "outcome": "demo"}
        rows.append(row)
        if source.is_demo:
            continue
        try:
            with progress(text("cli.step.receive", what=source.name), 1):
                came = fetch_source(source, settings().data_dir, datetime.now(UTC))
        except MobigoError as error:
            row |= {"outcome": "failed", "why": error_sentence(error)}
            code = code or exit_code_of(error)
        else:
            row |= {"outcome": "new" if came.is_new else "unchanged"}
            row |= {"sha256": came.sha256, "bytes": came.n_bytes, "path": str(came.path)}
    if as_json:
        say_json(rows)
    else:
        out.print(_fetched_table(rows))
    raise typer.Exit(code)


def _fetched_table(rows: Sequence[Mapping[str, object]]) -> Table:
    table = Table(title=text("cli.feed.fetched"), title_justify="left")
    for column in ("source", "outcome", "megabytes", "sha256"):
        table.add_column(text(f"cli.feed.column_{column}"), overflow="fold")
    for row in rows:
        n_bytes = row.get("bytes")
        told = text(f"cli.feed.outcome_{row['outcome']}")
        table.add_row(
            str(row["id"]),
            f"{told} : {row['why']}" if "why" in row else told,
            "" if n_bytes is None else f"{int(str(n_bytes)) / 1e6:.1f}".replace(".", ","),
            str(row.get("sha256", ""))[:12],
        )
    return table


@app.command("import", help=text("cli.feed.import_help"))
def import_(
    paths: Annotated[list[str] | None, typer.Argument(help=text("cli.feed.paths_help"))] = None,
    release_anyway: Annotated[str, typer.Option(help=text("cli.feed.release_anyway_help"), metavar="REASON")] = "",
    licence: Annotated[list[str] | None, typer.Option(help=text("cli.feed.licence_help"), metavar="[ID=]SPDX")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a release of the network from these feeds and serve it."""
    sources = list_files(paths or ())
    report = run_import(_licensed(sources, licence or ()), release_anyway)
    say_report(report, as_json=as_json)
    raise typer.Exit(ExitCode.OK if report.verdict == "served" else ExitCode.BAD_DATA)


def _licensed(sources: Sequence[SourceFile], licences: Sequence[str]) -> list[SourceFile]:
    """The sources with their licences: `ter=ODbL-1.0` is that of one source, `ODbL-1.0` that of the others."""
    by_source = {each.rpartition("=")[0]: each.rpartition("=")[2] for each in licences}
    unknown = by_source.keys() - {source.source_id for source in sources} - {""}
    if unknown:
        raise BadInput("licence_of_nothing", source_id=min(unknown))
    return [
        replace(source, licence=by_source.get(source.source_id, by_source.get("", source.licence)))
        for source in sources
    ]


def run_import(sources: Sequence[SourceFile], let_through: str = "") -> ImportReport:
    """Import with the settings of this run and a progress bar."""
    from mobigo.demo.facts import read_facts
    from mobigo.demo.region import render_places
    from mobigo.services.network.importing import N_STEPS_A_SOURCE, N_STEPS_BESIDE, Terms, import_feeds
    from mobigo.store.base import migrate, open_engine
    from routing.network.gate import Thresholds

    chosen = settings()
    engine = open_engine(chosen.database_address())
    try:
        migrate(engine)
        with progress(text("cli.step.begin"), N_STEPS_A_SOURCE * len(sources) + N_STEPS_BESIDE) as bar:
            task = bar.task_ids[0]

            def on_step(step: str, what: str) -> None:
                bar.update(task, advance=1, description=text(f"cli.step.{step}", what=what))

            terms = Terms(
                data_dir=chosen.data_dir,
                engine=engine,
                communes=render_places(read_facts().communes, read_facts()),
                thresholds=Thresholds(
                    chosen.gate_trips_drop_pct,
                    chosen.gate_stops_drop_pct,
                    chosen.gate_horizon_days,
                    tuple(chosen.gate_protected_lines),
                ),
                releases_kept=chosen.releases_kept,
                let_through=let_through,
                on_step=on_step,
            )
            report = import_feeds(sources, terms, datetime.now(UTC))
    finally:
        engine.dispose()
    settle_accounts(wished=False)
    return report


def say_report(report: ImportReport, *, as_json: bool) -> None:
    """Print what became of an import."""
    if as_json:
        say_json(
            {
                "verdict": report.verdict,
                "release": report.release_id,
                "sources": [
                    {
                        "id": source.source_id,
                        "sha256": source.sha256,
                        "bytes": source.n_bytes,
                        "refused": source.refused,
                        "findings": [told(finding) for finding in source.findings],
                    }
                    for source in report.sources
                ],
                "merging": [told(finding) for finding in report.merging],
                "held": [told(finding) for finding in report.held],
            }
        )
        return
    for source in report.sources:
        _say_source(source.source_id, source.findings, refused=source.refused)
    if report.merging:
        out.print(_counts_table(report.merging, text("cli.feed.merging")))
    for reason in report.held:
        say_error(finding_sentence(reason))
    err.print(text(f"cli.feed.verdict_{report.verdict}", release=report.release_id), highlight=False, markup=False)


def _say_source(source_id: str, findings: Sequence[Finding], *, refused: bool) -> None:
    if refused:
        errors = [finding for finding in findings if finding.severity is Severity.ERROR]
        out.print(findings_table(errors, text("cli.feed.source_refused", source_id=source_id)))
    elif findings:
        out.print(_counts_table(findings, text("cli.feed.source_findings", source_id=source_id)))


def _counts_table(findings: Sequence[Finding], title: str) -> Table:
    """One row per code: how many, and the first one told."""
    table = Table(title=title, title_justify="left")
    for column in ("severity", "count", "code", "first"):
        table.add_column(text(f"cli.feed.column_{column}"), overflow="fold")
    by_code: dict[tuple[int, str], list[Finding]] = {}
    for finding in findings:
        by_code.setdefault((list(Severity).index(finding.severity), finding.code), []).append(finding)
    for (_rank, code), group in sorted(by_code.items()):
        severity = group[0].severity
        table.add_row(
            f"[{_STYLES[severity]}]{text(f'cli.severity.{severity.lower()}')}[/]",
            str(len(group)),
            code,
            finding_sentence(group[0]),
        )
    return table
