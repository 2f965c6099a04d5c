"""Analysis: the planner's view of a network through gtfs-kit, this library's only door.

gtfs-kit keeps fourteen tables and drops the rest, so a feed goes in here and only
figures come out: it is never on the way from a producer to a traveller.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from math import isnan
from pathlib import Path

import geopandas
import gtfs_kit
import pandas as pd
from shapely.geometry.base import BaseGeometry

from socle.errors import BadInput
from socle.times import find_gtfs_date, find_gtfs_time_s, render_gtfs_date

_LONE_AGENCY = "agency"


@dataclass(frozen=True, slots=True)
class LineDay:
    """One line on one service day, both directions together.

    Times are seconds of the service day. Kilometres follow the shapes, or the
    straight lines between stops where a trip has none. `headway_s` is the mean
    between departures from 07:00 to 19:00, None with fewer than two.
    """

    day: date
    route_id: str
    name: str
    route_type: int
    n_trips: int
    n_stop_patterns: int
    first_s: int
    last_s: int
    headway_s: int | None
    peak_n_trips: int
    service_h: float
    service_km: float

    @property
    def speed_km_h(self) -> float | None:
        """Commercial speed, stops included; None without duration."""
        return self.service_km / self.service_h if self.service_h > 0 else None


@dataclass(frozen=True, slots=True)
class StopDay:
    """One station, or one stop without a station, on one service day. Times are seconds of the service day."""

    day: date
    stop_id: str
    name: str
    n_routes: int
    n_trips: int
    first_s: int
    last_s: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """The figures of some days, lines by trips and stops by trips, most first within a day."""

    lines: tuple[LineDay, ...]
    stops: tuple[StopDay, ...]


def list_days(path: Path) -> list[date]:
    """Every service day of the GTFS zip or folder at `path`, in order."""
    return [_day(text) for text in _read(path).get_dates()]


def count_trips(path: Path) -> dict[date, int]:
    """Trips on each service day of the GTFS zip or folder at `path`, those of frequencies.txt once per departure."""
    feed = _read(path)
    sizes = feed.trips["service_id"].value_counts()
    return {
        _day(text): int(sizes.reindex(feed.get_active_services(text), fill_value=0).sum()) for text in feed.get_dates()
    }


def analyse(path: Path, days: Sequence[date]) -> Analysis:
    """The figures of `days` for the GTFS zip or folder at `path`.

    Raises:
        BadInput: `no_service_on_days` when nothing runs on any of them.
    """
    dates = [render_gtfs_date(day) for day in days]
    feed = _read(path).restrict_to_dates(dates)
    if feed.trips.empty:
        raise BadInput("no_service_on_days", days=", ".join(day.isoformat() for day in days))
    if "shape_id" not in feed.trips.columns:
        feed.trips = feed.trips.assign(shape_id=None)
    feed = feed.create_shapes()  # straight lines for the trips that have no shape
    trips = feed.compute_trip_stats(compute_dist_from_shapes=True)
    lines = sorted(_lines(feed, feed.compute_route_stats(dates, trips)), key=_by_trips)
    feed = _at_stations(feed)
    stops = sorted(_stops(feed, feed.compute_stop_stats(dates)), key=_by_trips)
    return Analysis(tuple(lines), tuple(stops))


def restrict(path: Path, outline: BaseGeometry, target: Path) -> None:
    """Write the trips of the GTFS at `path` with a stop within `outline` (degrees, x east) to the zip `target`."""
    area = geopandas.GeoDataFrame(geometry=[outline], crs="EPSG:4326")
    _read(path).restrict_to_area(area).to_file(target)


def _read(path: Path) -> gtfs_kit.Feed:
    feed = gtfs_kit.read_feed(path, dist_units="km")
    if "agency_id" not in feed.agency.columns:  # a lone agency need not have one, but restricting asks for it
        feed.agency = feed.agency.assign(agency_id=_LONE_AGENCY)
    if "agency_id" not in feed.routes.columns:
        feed.routes = feed.routes.assign(agency_id=feed.agency["agency_id"].iloc[0])
    return feed if feed.frequencies is None else feed.expand_frequencies()


def _at_stations(feed: gtfs_kit.Feed) -> gtfs_kit.Feed:
    """`feed` whose vehicles call at stations instead of at their quays."""
    if "parent_station" not in feed.stops.columns:
        return feed
    station_of = {
        stop_id: parent if isinstance(parent, str) else stop_id
        for stop_id, parent in zip(feed.stops["stop_id"], feed.stops["parent_station"], strict=True)
    }
    feed.stop_times = feed.stop_times.assign(
        stop_id=[station_of.get(each, each) for each in feed.stop_times["stop_id"]]
    )
    return feed


def _lines(feed: gtfs_kit.Feed, stats: pd.DataFrame) -> Iterator[LineDay]:
    long_names = _texts(feed.routes, "route_id", "route_long_name")
    for row in stats.to_dict("records"):
        name = " ".join(part for part in (_text(row["route_short_name"]), long_names[row["route_id"]]) if part)
        yield LineDay(
            day=_day(row["date"]),
            route_id=str(row["route_id"]),
            name=name or str(row["route_id"]),
            route_type=int(row["route_type"]),
            n_trips=int(row["num_trips"]),
            n_stop_patterns=int(row["num_stop_patterns"]),
            first_s=_seconds(row["start_time"]),
            last_s=_seconds(row["end_time"]),
            headway_s=None if isnan(row["mean_headway"]) else round(row["mean_headway"] * 60),
            peak_n_trips=int(row["peak_num_trips"]),
            service_h=float(row["service_duration"]),
            service_km=float(row["service_distance"]),
        )


def _stops(feed: gtfs_kit.Feed, stats: pd.DataFrame) -> Iterator[StopDay]:
    names = _texts(feed.stops, "stop_id", "stop_name")
    for row in stats.to_dict("records"):
        yield StopDay(
            day=_day(row["date"]),
            stop_id=str(row["stop_id"]),
            name=names[row["stop_id"]] or str(row["stop_id"]),
            n_routes=int(row["num_routes"]),
            n_trips=int(row["num_trips"]),
            first_s=_seconds(row["start_time"]),
            last_s=_seconds(row["end_time"]),
        )


def _by_trips(figures: LineDay | StopDay) -> tuple[date, int, str]:
    return figures.day, -figures.n_trips, figures.route_id if isinstance(figures, LineDay) else figures.stop_id


def _texts(frame: pd.DataFrame, key: str, column: str) -> dict[str, str]:
    if column not in frame.columns:
        return dict.fromkeys(frame[key], "")
    return {each: _text(value) for each, value in zip(frame[key], frame[column], strict=True)}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _day(text: str) -> date:
    day = find_gtfs_date(text)
    if day is None:
        raise ValueError(f"gtfs-kit gave no date: {text!r}")
    return day


def _seconds(text: str) -> int:
    seconds = find_gtfs_time_s(text)
    if seconds is None:
        raise ValueError(f"gtfs-kit gave no time: {text!r}")
    return seconds
