"""Feeds: carpool lines as GTFS.

Nobody timetables a line, so its trips are frequencies without exact times: what a reader makes of a headway is the
expected wait. Both directions are trips of the same route (extended type 1551, ride sharing).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from covoiturage.lines import Line, LineStop, drive_s
from routing.gtfs.feed import Feed, make_feed
from routing.gtfs.write import render_feed
from socle.times import render_gtfs_date, render_gtfs_time

SOURCE = "covoiturage"
Cell = str | int | float | date | None
_AGENCY = "lignes-de-covoiturage"
_RIDE_SHARING = 1551
_DAYS_AHEAD = 365
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def feed_of_lines(lines: Sequence[Line], day: date, site: str) -> Feed:
    """The lines in force on a day, for a year from then on; `site` is the address of who publishes."""
    last = day + timedelta(days=_DAYS_AHEAD)
    trips = [(line, direction) for line in lines for direction in (0, 1)]
    spots: dict[tuple[str, float, float], LineStop] = {}
    for line in lines:
        for stop in line.stops:
            spots.setdefault((stop.name, *stop.at), stop)
    times: list[tuple[Cell, ...]] = [
        (row[0], spots[row[1].name, *row[1].at].stop_id, *row[2:])
        for line, direction in trips
        for row in _times(line, direction)
    ]
    points = [row for line, direction in trips for row in _points(line, direction)]
    frequencies = [
        (_trip(line, direction), render_gtfs_time(one.from_s), render_gtfs_time(one.until_s), one.wait_s, 0)
        for line, direction in trips
        for one in line.hours
    ]
    stops = list(spots.values())
    tables: dict[str, Mapping[str, Sequence[Cell]]] = {
        "agency": {
            "agency_id": [_AGENCY],
            "agency_name": ["Lignes de covoiturage"],
            "agency_url": [f"{site}/covoiturage/lignes"],
            "agency_timezone": ["Europe/Paris"],
            "agency_lang": ["fr"],
        },
        "stops": {
            "stop_id": [stop.stop_id for stop in stops],
            "stop_name": [stop.name for stop in stops],
            "stop_lat": [stop.at.lat for stop in stops],
            "stop_lon": [stop.at.lon for stop in stops],
        },
        "routes": {
            "route_id": [line.line_id for line in lines],
            "agency_id": [_AGENCY for _ in lines],
            "route_short_name": [line.line_id for line in lines],
            "route_long_name": [line.name for line in lines],
            "route_type": [_RIDE_SHARING for _ in lines],
            "route_url": [f"{site}/covoiturage/lignes/{line.line_id}" for line in lines],
        },
        "trips": {
            "route_id": [line.line_id for line, _ in trips],
            "service_id": [line.line_id for line, _ in trips],
            "trip_id": [_trip(line, direction) for line, direction in trips],
            "trip_headsign": [_ordered(line, direction)[-1].name for line, direction in trips],
            "direction_id": [direction for _, direction in trips],
            "shape_id": [_trip(line, direction) for line, direction in trips],
        },
        "stop_times": _columns(
            (
                *("trip_id", "stop_id", "stop_sequence", "arrival_time", "departure_time", "timepoint"),
                "shape_dist_traveled",
            ),
            times,
        ),
        "shapes": _columns(
            ("shape_id", "shape_pt_lat", "shape_pt_lon", "shape_pt_sequence", "shape_dist_traveled"), points
        ),
        "frequencies": _columns(("trip_id", "start_time", "end_time", "headway_secs", "exact_times"), frequencies),
        "calendar": {
            "service_id": [line.line_id for line in lines],
            **{name: [int(weekday in line.days) for line in lines] for weekday, name in enumerate(_DAYS)},
            "start_date": [render_gtfs_date(max(day, line.valid_from)) for line in lines],
            "end_date": [render_gtfs_date(min(last, line.valid_until or last)) for line in lines],
        },
        "feed_info": {
            "feed_publisher_name": ["Mobigo"],
            "feed_publisher_url": [site],
            "feed_lang": ["fr"],
            "feed_start_date": [render_gtfs_date(day)],
            "feed_end_date": [render_gtfs_date(last)],
            "feed_version": [day.isoformat()],
            "feed_contact_url": [site],
        },
    }
    return make_feed(SOURCE, tables)


def render_lines(lines: Sequence[Line], day: date, site: str) -> bytes:
    """The zip of `feed_of_lines`; same lines and day, same bytes."""
    return render_feed(feed_of_lines(lines, day, site))


def _trip(line: Line, direction: int) -> str:
    return f"{line.line_id}-{direction}"


def _ordered(line: Line, direction: int) -> Sequence[LineStop]:
    return line.stops[::-1] if direction else line.stops


def _points(line: Line, direction: int) -> list[tuple[Cell, ...]]:
    """The stops joined, with official metres."""
    stops = _ordered(line, direction)
    return [
        (_trip(line, direction), *stop.at, sequence, float(abs(stop.distance_m - stops[0].distance_m)))
        for sequence, stop in enumerate(stops)
    ]


def _times(line: Line, direction: int) -> list[tuple[str, LineStop, int, str, str, int, float]]:
    stops = _ordered(line, direction)
    begins = line.hours[0].from_s
    rows = []
    for sequence, stop in enumerate(stops):
        metres = abs(stop.distance_m - stops[0].distance_m)
        at = render_gtfs_time(begins + drive_s(metres))
        rows.append((_trip(line, direction), stop, sequence, at, at, 0, float(metres)))
    return rows


def _columns(names: Sequence[str], rows: Sequence[Sequence[Cell]]) -> dict[str, list[Cell]]:
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}
