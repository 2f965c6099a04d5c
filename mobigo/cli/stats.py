"""`mobigo network stats`: the planner's figures as tables, CSV files and charts."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.table import Table

from mobigo.cli.feed import AsJson
from mobigo.cli.frame import err, out, progress, say_json, settings
from mobigo.texts import text
from socle.errors import BadInput
from socle.times import PARIS, render_gtfs_time

if TYPE_CHECKING:
    from routing.gtfs.analysis import Analysis, LineDay, StopDay

Row = TypeVar("Row")


def stats(
    day: Annotated[list[str] | None, typer.Option(help=text("cli.stats.day_help"), metavar="AAAA-MM-JJ")] = None,
    top: Annotated[int, typer.Option(min=1, help=text("cli.stats.top_help"))] = 20,
    csv_dir: Annotated[Path | None, typer.Option("--csv", help=text("cli.stats.csv_help"), metavar="DIR")] = None,
    svg_dir: Annotated[Path | None, typer.Option("--svg", help=text("cli.stats.svg_help"), metavar="DIR")] = None,
    feed: Annotated[Path | None, typer.Option(help=text("cli.stats.feed_help"))] = None,
    as_json: AsJson = False,
) -> None:
    """Trips and hours of service per line and day, speeds, busiest stops."""
    from mobigo.store.releases import FEED, get_current

    path = feed or get_current(settings().data_dir) / FEED
    with progress(text("cli.stats.reading"), 2) as bar:
        from routing.gtfs.analysis import analyse, list_days

        days = [_day(each) for each in day] if day else [_usual_day(list_days(path))]
        bar.update(bar.task_ids[0], advance=1, description=text("cli.stats.counting"))
        analysis = analyse(path, days)
        bar.update(bar.task_ids[0], advance=1)
    if csv_dir:
        _write_csv(csv_dir / "lignes.csv", [asdict(line) | {"speed_km_h": line.speed_km_h} for line in analysis.lines])
        _write_csv(csv_dir / "arrets.csv", [asdict(stop) for stop in analysis.stops])
        err.print(text("cli.stats.written", folder=str(csv_dir)), markup=False, highlight=False)
    if svg_dir:
        _write_charts(svg_dir, analysis, top)
        err.print(text("cli.stats.written", folder=str(svg_dir)), markup=False, highlight=False)
    if as_json:
        say_json(
            {
                "lines": [_plain(asdict(line) | {"speed_km_h": line.speed_km_h}) for line in analysis.lines],
                "stops": [_plain(asdict(stop)) for stop in analysis.stops],
            }
        )
        return
    for each in days:
        _say_day(each, analysis, top)


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise BadInput("bad_day", day=written) from None


def _usual_day(days: Sequence[date]) -> date:
    """The next Tuesday of the timetable, else its first day: what a planner looks at first."""
    today = datetime.now(PARIS).date()
    ahead = [day for day in days if day >= today] or list(days)
    if not ahead:
        raise BadInput("no_service_on_days", days="")
    return next((day for day in ahead if day.weekday() == 1), ahead[0])


def _plain(row: dict[str, object]) -> dict[str, object]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}


def _write_csv(path: Path, rows: Sequence[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(_plain(row) for row in rows)


def _number(value: float | None, digits: int = 0) -> str:
    """A number as French readers write it."""
    if value is None:
        return "–"
    return f"{value:,.{digits}f}".replace(",", "\N{NARROW NO-BREAK SPACE}").replace(".", ",")


def _clock(seconds: int) -> str:
    return render_gtfs_time(seconds)[:5]


def _say_day(day: date, analysis: Analysis, top: int) -> None:
    lines = [line for line in analysis.lines if line.day == day]
    stops = [stop for stop in analysis.stops if stop.day == day]
    out.print(
        text(
            "cli.stats.total",
            day=f"{day:%d/%m/%Y}",
            n_lines=len(lines),
            n_trips=sum(line.n_trips for line in lines),
            hours=_number(sum(line.service_h for line in lines)),
            km=_number(sum(line.service_km for line in lines)),
            n_stops=len(stops),
        ),
        highlight=False,
    )
    out.print(_table("line", _LINE_COLUMNS, lines[:top]))
    out.print(_table("stop", _STOP_COLUMNS, stops[:top]))


_LINE_COLUMNS: dict[str, Callable[[LineDay], str]] = {
    "name": lambda line: line.name,
    "n_trips": lambda line: _number(line.n_trips),
    "first": lambda line: _clock(line.first_s),
    "last": lambda line: _clock(line.last_s),
    "headway": lambda line: _number(None if line.headway_s is None else line.headway_s / 60),
    "hours": lambda line: _number(line.service_h, 1),
    "km": lambda line: _number(line.service_km),
    "speed": lambda line: _number(line.speed_km_h),
}
_STOP_COLUMNS: dict[str, Callable[[StopDay], str]] = {
    "name": lambda stop: stop.name,
    "n_trips": lambda stop: _number(stop.n_trips),
    "n_routes": lambda stop: _number(stop.n_routes),
    "first": lambda stop: _clock(stop.first_s),
    "last": lambda stop: _clock(stop.last_s),
}


def _table(what: str, columns: dict[str, Callable[[Row], str]], rows: Iterable[Row]) -> Table:
    table = Table(title=text(f"cli.stats.{what}_title"), title_justify="left")
    for name in columns:
        table.add_column(text(f"cli.stats.{what}_{name}"), justify="left" if name == "name" else "right")
    for row in rows:
        table.add_row(*(tell(row) for tell in columns.values()))
    return table


def _write_charts(folder: Path, analysis: Analysis, top: int) -> None:
    from mobigo.web.drawing import Bar, bar_chart

    folder.mkdir(parents=True, exist_ok=True)
    lines = analysis.lines[:top]
    charts = {
        "courses": [Bar(line.name, line.n_trips, _number(line.n_trips)) for line in lines],
        "heures": [Bar(line.name, line.service_h, _number(line.service_h, 1)) for line in lines],
        "vitesses": [Bar(line.name, line.speed_km_h or 0, _number(line.speed_km_h)) for line in lines],
        "arrets": [Bar(stop.name, stop.n_trips, _number(stop.n_trips)) for stop in analysis.stops[:top]],
    }
    for key, bars in charts.items():
        title = text(f"cli.stats.chart_{key}")
        description = text("cli.stats.chart_description", csv="lignes.csv, arrets.csv")
        (folder / f"{key}.svg").write_text(bar_chart(bars, key=key, title=title, description=description), "utf-8")
