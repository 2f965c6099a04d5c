"""The feed of a city: `calendar` with exceptions, nights past 24:00, one line by headway, quays and stations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import floor

from mobigo.demo import labels
from mobigo.demo.chance import fraction, whole_between
from mobigo.demo.coaches.stops import moved
from mobigo.demo.facts import Facts
from mobigo.demo.labels import Edition
from mobigo.demo.tables import Table, Tables
from mobigo.demo.urban import station
from mobigo.demo.urban.courses import UrbanCourse, UrbanStop, courses_of_city
from mobigo.demo.urban.plans import (
    CENTRE,
    DIJON,
    HEADWAYS,
    SATURDAY,
    SHUTTLE_DAYS,
    SHUTTLE_HEADWAYS,
    SPEED_M_S,
    STATION,
    STOP_NAMES,
    SUNDAY,
    TRAM,
    WEEKDAY,
    City,
    UrbanLine,
)
from socle.times import public_holidays

_QUAY_ASIDE_M = 7
_WEEK = {WEEKDAY: (1, 1, 1, 1, 1, 0, 0), SATURDAY: (0, 0, 0, 0, 0, 1, 0), SUNDAY: (0, 0, 0, 0, 0, 0, 1)}
_ENGLISH = {
    "Place de la Gare": "Station square",
    "Centre-ville": "City centre",
    "Gare": "Railway station",
    "Entrée nord": "North entrance",
    "Entrée sud": "South entrance",
    "Navette": "Shuttle",
    "(fictif)": "(fictitious)",
}


def service_id(city: City, days: str) -> str:
    """The id of the days of one timetable."""
    return f"{city.prefix}-{days}"


def _calendar(city: City, edition: Edition) -> tuple[Table, Table]:
    calendar = Table(
        (
            "service_id",
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
            "start_date",
            "end_date",
        )
    )
    window = edition.window
    for days, pattern in _WEEK.items():
        calendar.add(service_id(city, days), *pattern, window.start, window.end)
    exceptions = Table(("service_id", "date", "exception_type"))
    for year in range(window.start.year, window.end.year + 1):
        for day in sorted(public_holidays(year)):
            if window.start <= day <= window.end and day.weekday() != 6:
                exceptions.add(service_id(city, SATURDAY if day.weekday() == 5 else WEEKDAY), day, 2)
                exceptions.add(service_id(city, SUNDAY), day, 1)
    return calendar, exceptions


def quay_id(stop: UrbanStop, line: UrbanLine, direction: int) -> str:
    """The quay of a stop that a line uses one way."""
    return f"{stop.code}-{line.code}-{direction}" if stop.is_shared else f"{stop.code}-{direction}"


def _stops(city: City, courses: Mapping[str, UrbanCourse], seed: int) -> Table:
    table = Table(
        (
            "stop_id",
            "stop_name",
            "stop_desc",
            "stop_lat",
            "stop_lon",
            "location_type",
            "parent_station",
            "wheelchair_boarding",
            "level_id",
        )
    )
    known: set[str] = set()
    for line in city.lines:
        for i, stop in enumerate(courses[line.code].stops):
            inside = city is DIJON and stop.code == f"{city.prefix}-{STATION}"
            if stop.code not in known:
                known.add(stop.code)
                table.add(stop.code, stop.name, labels.FICTITIOUS_STOP, *stop.at, 1, None, None, None)
                if inside:
                    for spot_id, kind, name, at, on_level in station.spots(stop.code, stop.at):
                        access = 1 if kind == station.ENTRANCE else None
                        table.add(spot_id, name, labels.FICTITIOUS_STOP, *at, kind, stop.code, access, on_level)
            level = station.quay_level_id(stop.code) if inside else None
            for direction in (0, 1):
                quay = quay_id(stop, line, direction)
                turn = fraction(seed, "quay", line.code, i) / 2 + direction / 2
                access = _wheelchair(line, seed, "quay", quay)
                at = moved(stop.at, _QUAY_ASIDE_M, turn)
                table.add(quay, stop.name, labels.FICTITIOUS_STOP, *at, 0, stop.code, access, level)
    return table


def _wheelchair(line: UrbanLine, seed: int, kind: str, key: str) -> int:
    """Trams: yes. Buses: yes (1), no (2) or not known (0)."""
    drawn = fraction(seed, f"wheelchair-{kind}", key)
    return 1 if line.route_type == TRAM or drawn < 0.65 else 2 if drawn < 0.85 else 0


def _via_names(line: UrbanLine, facts: Facts) -> str:
    names = {commune.insee_code: commune.name for commune in facts.communes}
    return " – ".join({STATION: "Gare", CENTRE: "Centre-ville"}.get(point) or names[point] for point in line.via)


def _routes(city: City, facts: Facts) -> Table:
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
    for line in city.lines:
        name = labels.fictitious(("Navette " if line.is_shuttle else "") + _via_names(line, facts))
        table.add(
            f"{city.prefix}-{line.code}",
            city.agency_id,
            line.code,
            name,
            labels.FICTITIOUS_LINE,
            line.route_type,
            line.colour,
            "FFFFFF",
        )
    return table


def departures_s(line: UrbanLine, days: str, late_s: int) -> Iterator[int]:
    """When a line leaves its first stop, each time `late_s` after the full headway."""
    due_s = 0.0
    for start_s, end_s, minutes in HEADWAYS[line.route_type, days]:
        due_s = max(due_s, start_s)
        while due_s < end_s:
            yield int(due_s) + late_s
            due_s += 60 * minutes


def running_times_s(line: UrbanLine, course: UrbanCourse) -> list[int]:
    """Seconds after the start at each stop, in whole minutes, at least one a hop."""
    times: list[int] = []
    for metres in course.stop_m:
        minute = floor(metres / SPEED_M_S[line.route_type] / 60 + 0.5)
        times.append(60 * max(minute, times[-1] // 60 + 1 if times else 0))
    return times


class _Traffic:
    """Trips, stop times, frequencies and shapes, gathered line by line."""

    def __init__(self, city: City, seed: int) -> None:
        self.city, self.seed = city, seed
        self.trips = Table(
            ("route_id", "service_id", "trip_id", "trip_headsign", "direction_id", "shape_id", "wheelchair_accessible")
        )
        self.stop_times = Table(
            (
                "trip_id",
                "arrival_time",
                "departure_time",
                "stop_id",
                "stop_sequence",
                "shape_dist_traveled",
            )
        )
        self.frequencies = Table(("trip_id", "start_time", "end_time", "headway_secs", "exact_times"))
        self.shapes = Table(("shape_id", "shape_pt_lat", "shape_pt_lon", "shape_pt_sequence", "shape_dist_traveled"))

    def add_line(self, line: UrbanLine, course: UrbanCourse) -> None:
        for direction, way in ((0, course), (1, course.reversed())):
            route = f"{self.city.prefix}-{line.code}"
            for i, (at, metres) in enumerate(zip(way.shape, way.shape_m, strict=True)):
                self.shapes.add(f"{route}-{direction}", *at, i, float(metres))
            after_s = running_times_s(line, way)
            if line.is_shuttle:
                for days in SHUTTLE_DAYS:
                    trip_id = self._add_trip(line, direction, days, 0, way, after_s, int(SHUTTLE_HEADWAYS[0][0]))
                    for start_s, end_s, minutes in SHUTTLE_HEADWAYS:
                        self.frequencies.add(trip_id, int(start_s), int(end_s), 60 * minutes, 0)
                continue
            late_s = 60 * whole_between(0, 5, self.seed, "urban-offset", route, direction)
            for days in _WEEK:
                for k, start_s in enumerate(departures_s(line, days, late_s)):
                    self._add_trip(line, direction, days, k + 1, way, after_s, start_s)

    def _add_trip(
        self,
        line: UrbanLine,
        direction: int,
        days: str,
        k: int,
        way: UrbanCourse,
        after_s: list[int],
        start_s: int,
    ) -> str:
        route = f"{self.city.prefix}-{line.code}"
        trip_id = f"{route}-{direction}-{days}-{k:03d}"
        access = _wheelchair(line, self.seed, "vehicle", trip_id)
        headsign, service = way.stops[-1].name, service_id(self.city, days)
        self.trips.add(route, service, trip_id, headsign, direction, f"{route}-{direction}", access)
        for i, (stop, after, metres) in enumerate(zip(way.stops, after_s, way.stop_m, strict=True)):
            at_s, quay = start_s + after, quay_id(stop, line, direction)
            self.stop_times.add(trip_id, at_s, at_s, quay, i, float(metres))
        return trip_id


def _station_quays(city: City, courses: Mapping[str, UrbanCourse], *, tram: bool) -> list[str]:
    """The quays of trams, or of the others, at the city's station."""
    return [
        quay_id(stop, line, direction)
        for line in city.lines
        if (line.route_type == TRAM) == tram
        for stop in courses[line.code].stops
        if stop.code == f"{city.prefix}-{STATION}"
        for direction in (0, 1)
    ]


def _transfers(trams: Sequence[str], buses: Sequence[str]) -> Table:
    """Between any tram quay and any bus quay of the station: four minutes."""
    table = Table(("from_stop_id", "to_stop_id", "transfer_type", "min_transfer_time"))
    for tram in trams:
        for bus in buses:
            table.add(tram, bus, 2, 240)
            table.add(bus, tram, 2, 240)
    return table


def _in_english(text: str) -> str:
    for french, english in _ENGLISH.items():
        text = text.replace(french, english)
    return STOP_NAMES.get(text) or text


def _translations(city: City, stops: Table, routes: Table) -> Table:
    table = Table(("table_name", "field_name", "language", "translation", "record_id", "field_value"))
    for name in dict.fromkeys(stops.texts("stop_name")):
        if _in_english(name) != name:
            table.add("stops", "stop_name", "en", _in_english(name), None, name)
    table.add("stops", "stop_desc", "en", "Fictitious stop", None, labels.FICTITIOUS_STOP)
    table.add("routes", "route_desc", "en", "Fictitious line", None, labels.FICTITIOUS_LINE)
    for route_id, name in zip(routes.texts("route_id"), routes.texts("route_long_name"), strict=True):
        table.add("routes", "route_long_name", "en", _in_english(name), route_id, None)
    table.add("agency", "agency_name", "en", f"{city.agency_name} (demonstration)", city.agency_id, None)
    return table


def urban_tables(city: City, edition: Edition) -> Tables:
    """The feed of a city, fares aside."""
    facts, seed = edition.facts, edition.seed
    courses = courses_of_city(city, facts, seed)
    traffic = _Traffic(city, seed)
    for line in city.lines:
        traffic.add_line(line, courses[line.code])
    agency = Table(("agency_id", "agency_name", "agency_url", "agency_timezone", "agency_lang"))
    agency.add(city.agency_id, labels.agency_name(city.agency_name), labels.SITE_URL, "Europe/Paris", "fr")
    calendar, exceptions = _calendar(city, edition)
    stops, routes = _stops(city, courses, seed), _routes(city, facts)
    trams, buses = (_station_quays(city, courses, tram=tram) for tram in (True, False))
    tables = {
        "agency": agency,
        "stops": stops,
        "routes": routes,
        "trips": traffic.trips,
        "stop_times": traffic.stop_times,
        "calendar": calendar,
        "calendar_dates": exceptions,
        "shapes": traffic.shapes,
        "transfers": _transfers(trams, buses),
        "translations": _translations(city, stops, routes),
        "feed_info": labels.feed_info(edition),
        "attributions": labels.attributions("geonames", "insee", "ign", "sncf"),
    }
    if traffic.frequencies.rows:
        tables["frequencies"] = traffic.frequencies
    if city is DIJON:
        hub = f"{city.prefix}-{STATION}"
        tables["levels"] = station.levels(hub)
        tables["pathways"] = station.pathways(hub, trams, buses)
    return tables
