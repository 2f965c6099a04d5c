"""The coach feed, in the shape of the regional information system: shapes, and days in `calendar_dates`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mobigo.demo import labels
from mobigo.demo.chance import fraction
from mobigo.demo.coaches.lines import CoachLine, choose_lines
from mobigo.demo.coaches.stops import CoachStop, Course, course, stops_of_communes
from mobigo.demo.coaches.times import CoachTrip, Runs, coach_trips
from mobigo.demo.labels import Edition
from mobigo.demo.rail import RailTrip
from mobigo.demo.roads import RoadGraph
from mobigo.demo.tables import Table, Tables

SOURCE_ID = "cars-demo"
AGENCY_ID = "CAR-DEMO"
_COLOURS = ("7A1F5C", "00665E", "9A3B00", "1F3A93", "2F5D1E", "8A1538", "4A4A00", "00538B")


def wheelchair(seed: int, kind: str, key: str) -> int:
    """Yes (1), no (2) or not known (0): three in five, one in four, the rest."""
    drawn = fraction(seed, f"wheelchair-{kind}", key)
    return 1 if drawn < 0.60 else 2 if drawn < 0.85 else 0


def shape_id(line: CoachLine, direction: int) -> str:
    """The id of a line's way in one direction."""
    return f"{line.code}-{direction}"


def _stops(courses: Mapping[tuple[str, int], Course], seed: int) -> Table:
    stops: dict[str, CoachStop] = {stop.stop_id: stop for way in courses.values() for stop in way.stops}
    table = Table(("stop_id", "stop_name", "stop_desc", "stop_lat", "stop_lon", "location_type", "wheelchair_boarding"))
    for stop_id in sorted(stops):
        stop = stops[stop_id]
        table.add(stop_id, stop.name, labels.FICTITIOUS_STOP, *stop.at, 0, wheelchair(seed, "stop", stop_id))
    return table


def _routes(lines: Sequence[CoachLine], roads: RoadGraph) -> Table:
    table = Table(
        (
            "route_id",
            "agency_id",
            "route_short_name",
            "route_long_name",
            "route_desc",
            "route_type",
            "route_color",
            "route_text_color",
        )
    )
    for i, line in enumerate(lines):
        name = labels.fictitious(line.name(roads.places))
        colour = _COLOURS[i % len(_COLOURS)]
        table.add(line.code, AGENCY_ID, line.code, name, labels.FICTITIOUS_LINE, 3, colour, "FFFFFF")
    return table


def _shapes(lines: Sequence[CoachLine], courses: Mapping[tuple[str, int], Course]) -> Table:
    table = Table(("shape_id", "shape_pt_lat", "shape_pt_lon", "shape_pt_sequence", "shape_dist_traveled"))
    for line in lines:
        for direction in (0, 1):
            way = courses[line.code, direction]
            for i, (at, metres) in enumerate(zip(way.shape, way.shape_m, strict=True)):
                table.add(shape_id(line, direction), *at, i, float(metres))
    return table


def _trips(
    trips: Sequence[CoachTrip], courses: Mapping[tuple[str, int], Course], roads: RoadGraph, seed: int
) -> tuple[Table, Table]:
    trip_table = Table(
        ("route_id", "service_id", "trip_id", "trip_headsign", "direction_id", "shape_id", "wheelchair_accessible")
    )
    stop_times = Table(
        (
            "trip_id",
            "arrival_time",
            "departure_time",
            "stop_id",
            "stop_sequence",
            "shape_dist_traveled",
        )
    )
    for trip in trips:
        code, direction = trip.line.code, trip.direction
        way = courses[code, direction]
        headsign = roads.places[way.place_of_stop[-1]].name
        accessible = wheelchair(seed, "trip", trip.trip_id)
        trip_table.add(code, trip.runs, trip.trip_id, headsign, direction, shape_id(trip.line, direction), accessible)
        for i, (stop, at_s, metres) in enumerate(zip(way.stops, trip.times_s, way.stop_m, strict=True)):
            stop_times.add(trip.trip_id, at_s, at_s, stop.stop_id, i, float(metres))
    return trip_table, stop_times


def coach_tables(edition: Edition, roads: RoadGraph, trains: Sequence[RailTrip]) -> Tables:
    """The coach feed, fares aside."""
    facts, seed, window = edition.facts, edition.seed, edition.window
    lines = choose_lines(facts, roads)
    town = stops_of_communes(facts, lines, roads, seed)
    courses = {
        (line.code, direction): course(line, roads, town, back=bool(direction))
        for line in lines
        for direction in (0, 1)
    }
    calendar_dates = Table(("service_id", "date", "exception_type"))
    for runs in Runs:
        for day in window.days(runs.kinds):
            calendar_dates.add(runs, day, 1)
    run = set(calendar_dates.texts("service_id"))
    trips = [trip for trip in coach_trips(lines, courses, roads.places, trains, seed) if trip.runs in run]
    trip_table, stop_times = _trips(trips, courses, roads, seed)
    agency = Table(("agency_id", "agency_name", "agency_url", "agency_timezone", "agency_lang"))
    agency.add(AGENCY_ID, labels.agency_name("Cars de la région"), labels.SITE_URL, "Europe/Paris", "fr")
    return {
        "agency": agency,
        "stops": _stops(courses, seed),
        "routes": _routes(lines, roads),
        "trips": trip_table,
        "stop_times": stop_times,
        "calendar_dates": calendar_dates,
        "shapes": _shapes(lines, courses),
        "feed_info": labels.feed_info(edition),
        "attributions": labels.attributions("geonames", "insee", "ign"),
    }
