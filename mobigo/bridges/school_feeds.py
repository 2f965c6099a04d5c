"""School feeds: the lines of a school plan as GTFS.

What is open to all has the base type of a bus: validators and planners know no other (docs/decisions.md); the type of
school buses (712) is for what stays inside. Each run is a trip on the days of its period that have school.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import pairwise

from routing.gtfs.feed import make_feed
from routing.gtfs.write import render_feed
from scolaire.lines import LineRun, SchoolLines
from scolaire.pupils import WEEKDAYS
from socle.errors import BadInput
from socle.geo import LatLon, distance_m

Cell = str | int | float | date | None
BUS = 3
SCHOOL_BUS = 712
NETWORK = "scolaire"


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who publishes: names and addresses as passengers read them."""

    agency: str
    site: str
    publisher: str
    network: str
    stop_note: str  # what the description of a stop says
    school_note: str
    line_note: str
    line_end: str = ""  # of each line's name
    version: str = ""
    contact_email: str | None = None


Tables = Mapping[str, Mapping[str, Sequence[Cell]]]
"""Files of a feed by stem, each as columns."""


def tables_of_lines(lines: SchoolLines, days: Sequence[date], by: Publisher, *, inside: bool = False) -> Tables:
    """The lines over the school days of a year; `inside` says the kind of bus exactly.

    Raises:
        BadInput: `nothing_to_publish`: none of the runs has a day.
    """
    masks = sorted({run.period.days for run in lines.runs})
    dates = [(_service(mask), day, 1) for mask in masks for day in days if mask >> day.weekday() & 1]
    running = {service for service, _day, _type in dates}
    runs = [run for run in lines.runs if _service(run.period.days) in running]
    if not runs:
        raise BadInput("nothing_to_publish")
    circuits = sorted({run.circuit_id for run in runs})
    kind = SCHOOL_BUS if inside else BUS
    used = sorted({passing.place for run in runs for passing in run.passings})
    courses = {run.run_id: _course(lines, run) for run in runs}
    return {
        "agency": {
            "agency_id": [NETWORK],
            "agency_name": [by.agency],
            "agency_url": [by.site],
            "agency_timezone": ["Europe/Paris"],
            "agency_lang": ["fr"],
        },
        "stops": _columns(
            ("stop_id", "stop_name", "stop_desc", "stop_lat", "stop_lon", "location_type"),
            [
                (
                    lines.places[at].place_id,
                    lines.places[at].name,
                    by.school_note if lines.places[at].is_school else by.stop_note,
                    *lines.places[at].at,
                    0,
                )
                for at in used
            ],
        ),
        "routes": _columns(
            ("route_id", "agency_id", "route_short_name", "route_long_name", "route_desc", "route_type"),
            [(one, NETWORK, one, _line_name(lines, one) + by.line_end, by.line_note, kind) for one in circuits],
        ),
        "trips": _columns(
            (
                *("route_id", "service_id", "trip_id", "trip_headsign", "direction_id", "shape_id"),
                "wheelchair_accessible",
            ),
            [
                (
                    run.circuit_id,
                    _service(run.period.days),
                    run.run_id,
                    lines.places[run.passings[-1].place].name,
                    int(not run.period.direction.is_to_school),
                    run.run_id,
                    1 if run.takes_wheelchairs else 2,
                )
                for run in runs
            ],
        ),
        "stop_times": _columns(
            (
                *("trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence"),
                *("pickup_type", "drop_off_type", "shape_dist_traveled"),
            ),
            [row for run in runs for row in _times(lines, run, courses[run.run_id])],
        ),
        "calendar_dates": _columns(
            ("service_id", "date", "exception_type"),
            dates,
        ),
        "shapes": _columns(
            ("shape_id", "shape_pt_lat", "shape_pt_lon", "shape_pt_sequence", "shape_dist_traveled"),
            [
                (run.run_id, *place, number, metres)
                for run in runs
                for number, (place, metres) in enumerate(courses[run.run_id])
            ],
        ),
        "networks": {"network_id": [NETWORK], "network_name": [by.network]},
        "route_networks": _columns(
            ("network_id", "route_id"),
            [(NETWORK, one) for one in circuits],
        ),
        "feed_info": {
            "feed_publisher_name": [by.publisher],
            "feed_publisher_url": [by.site],
            "feed_lang": ["fr"],
            "feed_start_date": [days[0]],
            "feed_end_date": [days[-1]],
            "feed_version": [by.version or _version(lines, days)],
            "feed_contact_email": [by.contact_email],
            "feed_contact_url": [by.site],
        },
    }


def render_lines(lines: SchoolLines, days: Sequence[date], by: Publisher, *, inside: bool = False) -> bytes:
    """The zip of `tables_of_lines`; same lines, days and publisher, same bytes."""
    return render_feed(make_feed(NETWORK, tables_of_lines(lines, days, by, inside=inside)))


def _columns(names: Sequence[str], rows: Sequence[Sequence[Cell]]) -> dict[str, list[Cell]]:
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def _service(mask: int) -> str:
    """The id of the days of a period: `mo-tu-th-fr`."""
    return "-".join(name[:2] for at, name in enumerate(WEEKDAYS) if mask >> at & 1)


def _line_name(lines: SchoolLines, circuit: str) -> str:
    """From where to where its first run goes."""
    first = next(run for run in lines.runs if run.circuit_id == circuit)
    ends = (first.passings[0], first.passings[-1])
    return " – ".join(lines.places[end.place].name for end in ends)


def _course(lines: SchoolLines, run: LineRun) -> list[tuple[LatLon, float]]:
    """The places of a run joined by straight lines, with the metres from the first."""
    places = [lines.places[passing.place].at for passing in run.passings]
    metres = [0.0]
    for one, other in pairwise(places):
        metres.append(round(metres[-1] + distance_m(one, other), 1))
    return list(zip(places, metres, strict=True))


def _times(lines: SchoolLines, run: LineRun, course: Sequence[tuple[LatLon, float]]) -> list[tuple[Cell, ...]]:
    """GTFS knows 0 for "whoever wants" and 1 for "nobody"."""
    return [
        (
            run.run_id,
            passing.arrives_s,
            passing.leaves_s,
            lines.places[passing.place].place_id,
            number,
            0 if passing.takes_up else 1,
            0 if passing.sets_down else 1,
            metres,
        )
        for number, (passing, (_at, metres)) in enumerate(zip(run.passings, course, strict=True))
    ]


def _version(lines: SchoolLines, days: Sequence[date]) -> str:
    return f"{days[0]:%Y%m%d}-{sha256(repr((lines, days)).encode()).hexdigest()[:12]}"
