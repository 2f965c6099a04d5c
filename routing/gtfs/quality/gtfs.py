"""GTFS: what the reference asks for or recommends, and what no reading of single rows shows."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from routing.gtfs.feed import LINE, Feed
from routing.gtfs.read.notes import Notes
from socle.findings import Severity

_CELL_DEGREES = 0.5  # about 55 km north to south, 37 km east to west in France
_SHORT_HORIZON_DAYS = 14
_RECOMMENDED = ("feed_info", "shapes")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def judge(feed: Feed, today: date, notes: Notes) -> None:
    """Findings on the files, the calendar and the places of `feed`."""
    for name in _RECOMMENDED:
        if not feed.n_rows(name):
            notes.add(Severity.INFO, "recommended_file_missing", f"{name}.txt")
    _judge_calendar(feed, today, notes)
    _judge_places(feed, notes)


def _judge_calendar(feed: Feed, today: date, notes: Notes) -> None:
    calendar = feed.tables.get("calendar")
    if calendar is not None:
        backwards = calendar.filter(calendar["start_date"] > calendar["end_date"])
        told = [(line, {"service": service}) for line, service in backwards.select(LINE, "service_id").rows()]
        notes.add_rows(Severity.ERROR, "calendar_backwards", "calendar.txt", told, len(told))
    last_days = last_day_of_services(feed)
    used = feed.tables["trips"].select("service_id", LINE).unique("service_id", keep="first", maintain_order=True)
    idle = used.filter(~used["service_id"].is_in(list(last_days)))
    told = [(line, {"service": service}) for service, line in idle.rows()]
    notes.add_rows(Severity.WARNING, "service_never_runs", "trips.txt", told, len(told))
    lasts = [day for service, day in last_days.items() if service in set(used["service_id"])]
    if not lasts:
        notes.add(Severity.ERROR, "nothing_runs", "calendar.txt")
    elif max(lasts) < today:
        notes.add(Severity.WARNING, "calendar_over", "calendar.txt", last_day=str(max(lasts)))
    elif (max(lasts) - today).days < _SHORT_HORIZON_DAYS:
        notes.add(Severity.WARNING, "calendar_ends_soon", "calendar.txt", last_day=str(max(lasts)))


def last_day_of_services(feed: Feed) -> dict[str, date]:
    """The last day on which each service runs; a service that never runs is not in it."""
    days: dict[str, set[date]] = {}
    last: dict[str, date] = {}
    exceptions = feed.tables.get("calendar_dates")
    removed: dict[str, set[date]] = {}
    if exceptions is not None:
        for service, day, kind in exceptions.select("service_id", "date", "exception_type").rows():
            (days if kind == 1 else removed).setdefault(service, set()).add(day)
    for service, added in days.items():
        last[service] = max(added)
    calendar = feed.tables.get("calendar")
    if calendar is not None:
        for service, start, end, *week in calendar.select("service_id", "start_date", "end_date", *_WEEKDAYS).rows():
            day = _last_in_calendar(start, end, week, removed.get(service, set()))
            if day is not None:
                last[service] = max(day, last.get(service, day))
    return last


def _last_in_calendar(start: date, end: date, week: list[int], removed: set[date]) -> date | None:
    if not any(week):
        return None
    for number in range(end.toordinal(), start.toordinal() - 1, -1):
        day = date.fromordinal(number)
        if week[day.weekday()] == 1 and day not in removed:
            return day
    return None


def _judge_places(feed: Feed, notes: Notes) -> None:
    stops = feed.tables["stops"]
    if not stops.height:
        return
    if not {"stop_lat", "stop_lon"} <= set(stops.columns):
        notes.add(Severity.ERROR, "no_places", "stops.txt")
        return
    nowhere = stops["stop_lat"].is_null() | stops["stop_lon"].is_null()
    nowhere = nowhere | ((stops["stop_lat"] == 0) & (stops["stop_lon"] == 0)).fill_null(value=False)
    if nowhere.all():
        notes.add(Severity.ERROR, "no_places", "stops.txt")
        return
    placed = stops.filter(~nowhere)
    lat, lon = placed["stop_lat"].to_numpy(), placed["stop_lon"].to_numpy()
    cell = np.floor(lat / _CELL_DEGREES).astype(np.int64) * 10_000 + np.floor(lon / _CELL_DEGREES).astype(np.int64)
    cells, of_stop = np.unique(cell, return_inverse=True)
    there = set(cells.tolist())
    around = [step + side for step in (-10_000, 0, 10_000) for side in (-1, 0, 1) if (step, side) != (0, 0)]
    lonely = [not any(number + step in there for step in around) for number in cells.tolist()]
    # a cell on its own with few stops is far away; a second town of the same dataset has many
    few = np.bincount(of_stop) <= max(1, placed.height // 100)
    alone = (np.array(lonely) & few)[of_stop] if len(cells) > 1 else np.zeros(placed.height, bool)
    told = [
        (line, {"stop": stop, "place": f"{north:.5f}, {east:.5f}"})
        for line, stop, north, east in placed.filter(pl.Series(alone))
        .select(LINE, "stop_id", "stop_lat", "stop_lon")
        .rows()
    ]
    notes.add_rows(Severity.INFO, "stop_far_from_others", "stops.txt", told, len(told))
