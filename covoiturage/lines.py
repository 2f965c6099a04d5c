"""Lines: where a driver and a passenger who do not know each other meet, as data.

A line is a road with stops, hours and days. Both directions ride it; money counts the official metres
between two stops, never what a map would measure. Who waits at a stop cannot know which car will come: cars are
taken to come independently of each other, `cars_per_hour` of them in each direction, so the wait expected is an
hour divided by that number, however long one has waited already (a Poisson process has no memory). Hours are those
of the direction's first stop; at a stop further on they are later by the drive to it. A car drives at
`SPEED_KM_H` where no street network says how long it takes.

A file of lines is TOML or JSON with a list `lines`; every field is looked at, and one that does not fit is
refused by its name and a reason. The six pilot lines are in `lines.toml` beside this file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final

import shapely

from covoiturage.policy import fields
from covoiturage.policy.documents import hash_document, read_tree
from covoiturage.policy.fields import Field, list_of, obj, refuse
from socle.errors import BadInput, NotFound
from socle.geo import LatLon, distance_m
from socle.times import DAY_S

SPEED_KM_H: Final = 55  # on the departmental roads of the six lines: 33 km in 36 minutes
MAX_STOPS: Final = 200
MAX_METRES: Final = 500_000
MAX_CARS_PER_HOUR: Final = 120
FARE_MOST_CENTS: Final = 10_000
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SLACK_M: Final = 500  # a stop may be drawn that far from where it is
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_INSEE: Final = re.compile(r"[0-9][0-9AB][0-9]{3}")


@dataclass(frozen=True, slots=True)
class LineStop:
    """A stop of a line; `distance_m` are the official driving metres from the line's first stop."""

    stop_id: str
    name: str
    at: LatLon
    insee_code: str
    distance_m: int


@dataclass(frozen=True, slots=True)
class Hours:
    """Seconds after midnight between which cars leave the first stop of either direction, and how many an hour."""

    from_s: int
    until_s: int
    cars_per_hour: int

    @property
    def wait_s(self) -> int:
        """The wait to expect at a stop."""
        return round(3600 / self.cars_per_hour)


@dataclass(frozen=True, slots=True)
class Line:
    """A line in force from `valid_from` on (both days included); `fictitious` when its stops are demonstration data.

    `days` are weekdays, Monday 0. `hours` are in order and do not overlap.
    """

    line_id: str
    name: str
    territory: str
    stops: tuple[LineStop, ...]
    days: frozenset[int]
    hours: tuple[Hours, ...]
    fare_cents: int
    valid_from: date
    valid_until: date | None = None
    fictitious: bool = False

    @property
    def length_m(self) -> int:
        """Official metres from end to end."""
        return self.stops[-1].distance_m

    @property
    def is_all_day(self) -> bool:
        """Whether its hours leave no gap from their first to their last."""
        return all(one.until_s == other.from_s for one, other in pairwise(self.hours))

    def position_of(self, stop_id: str) -> int:
        """Where a stop is along the line, from 0.

        Raises:
            NotFound: `unknown_line_stop`.
        """
        for position, stop in enumerate(self.stops):
            if stop.stop_id == stop_id:
                return position
        raise NotFound("unknown_line_stop", stop=stop_id, line=self.line_id)

    def runs_on(self, day: date) -> bool:
        """Whether cars are expected on a day."""
        return (
            self.valid_from <= day
            and (self.valid_until is None or day <= self.valid_until)
            and day.weekday() in self.days
        )


def official_metres(line: Line, from_stop: str, to_stop: str) -> int:
    """The official driving metres between two stops of a line, in either direction.

    Raises:
        NotFound: `unknown_line_stop`.
    """
    one, other = line.stops[line.position_of(from_stop)], line.stops[line.position_of(to_stop)]
    return abs(one.distance_m - other.distance_m)


def drive_s(metres: int) -> int:
    """Seconds to drive official metres at the stated speed, half a second rounded up."""
    return (metres * 36 + SPEED_KM_H * 5) // (SPEED_KM_H * 10)


def course_of(line: Line) -> shapely.LineString:
    """The stops joined by straight lines, in degrees (longitude, latitude)."""
    return shapely.LineString([(stop.at.lon, stop.at.lat) for stop in line.stops])


def find_line(lines: Iterable[Line], line_id: str, day: date) -> Line | None:
    """The line of that id in force on a day: of several versions the one that began last."""
    valid = [
        line
        for line in lines
        if line.line_id == line_id and line.valid_from <= day and (line.valid_until is None or day <= line.valid_until)
    ]
    return max(valid, key=lambda line: line.valid_from) if valid else None


def in_force(lines: Iterable[Line], day: date) -> tuple[Line, ...]:
    """The lines in force on a day, by id."""
    known = tuple(lines)
    found = (find_line(known, line_id, day) for line_id in sorted({line.line_id for line in known}))
    return tuple(line for line in found if line is not None)


@cache
def shipped_lines() -> tuple[Line, ...]:
    """The six pilot lines, by id."""
    return read_lines(files("covoiturage").joinpath("lines.toml").read_bytes(), toml=True)


# --- reading ----------------------------------------------------------------------------------


def read_lines(text: bytes, *, toml: bool = False) -> tuple[Line, ...]:
    """The lines of a file.

    Raises:
        BadInput: `lines_unreadable`; `line_field` names the field and what is wrong with it.
    """
    try:
        tree = read_tree(text, toml=toml)
    except BadInput as error:
        raise BadInput("lines_unreadable", **error.facts) from None
    try:
        lines: tuple[Line, ...] = obj({"lines": Field(list_of(_read_line))})(tree, "")["lines"]
        if not lines:
            refuse("lines", "line_wanted")
        for i, line in enumerate(lines):
            if (line.line_id, line.valid_from) in {(one.line_id, one.valid_from) for one in lines[:i]}:
                refuse(f"lines[{i}].line_id", "said_twice")
    except BadInput as error:
        if error.code != "policy_field":
            raise
        raise BadInput("line_field", **error.facts) from None
    return lines


def document_of(line: Line) -> dict[str, Any]:
    """The plain tree that `read_lines` makes this line of."""
    return {
        "line_id": line.line_id,
        "name": line.name,
        "territory": line.territory,
        "fare_cents": line.fare_cents,
        "valid_from": line.valid_from.isoformat(),
        "valid_until": line.valid_until and line.valid_until.isoformat(),
        "fictitious": line.fictitious,
        "days": [WEEKDAYS[day] for day in sorted(line.days)],
        "hours": [
            {"from": render_clock(one.from_s), "until": render_clock(one.until_s), "cars_per_hour": one.cars_per_hour}
            for one in line.hours
        ],
        "stops": [
            {
                "stop_id": stop.stop_id,
                "name": stop.name,
                "insee_code": stop.insee_code,
                "lat": stop.at.lat,
                "lon": stop.at.lon,
                "distance_m": stop.distance_m,
            }
            for stop in line.stops
        ],
    }


def version_of(line: Line) -> str:
    """What changes when anything of the line does: SHA-256 of its canonical JSON."""
    return hash_document(document_of(line))


def render_clock(seconds: int) -> str:
    """Seconds after midnight as HH:MM."""
    return f"{seconds // 3600:02}:{seconds % 3600 // 60:02}"


def _id(value: Any, path: str) -> str:
    if not isinstance(value, str) or _ID.fullmatch(value) is None:
        refuse(path, "id_wanted")
    return value


def _insee(value: Any, path: str) -> str:
    if not isinstance(value, str) or _INSEE.fullmatch(value) is None:
        refuse(path, "insee_code_wanted")
    return value


def _up_to(most: int, least: int = 0) -> fields.Reader:
    read_whole = fields.whole(least)

    def read(value: Any, path: str) -> int:
        number = read_whole(value, path)
        if number > most:
            refuse(path, "too_big")
        return number

    return read


_STOP = obj(
    {
        "stop_id": Field(_id),
        "name": Field(fields.text),
        "insee_code": Field(_insee),
        "lat": Field(fields.Place.lat),
        "lon": Field(fields.Place.lon),
        "distance_m": Field(_up_to(MAX_METRES)),
    }
)
_HOURS = obj(
    {
        "from": Field(fields.time_of_day_s),
        "until": Field(fields.time_of_day_s),
        "cars_per_hour": Field(_up_to(MAX_CARS_PER_HOUR, 1)),
    }
)
_LINE = obj(
    {
        "line_id": Field(_id),
        "name": Field(fields.text),
        "territory": Field(fields.text),
        "fare_cents": Field(_up_to(FARE_MOST_CENTS)),
        "valid_from": Field(fields.day),
        "valid_until": Field(fields.day, None),
        "fictitious": Field(fields.boolean, False),
        "days": Field(list_of(fields.choice(*WEEKDAYS))),
        "hours": Field(list_of(_HOURS)),
        "stops": Field(list_of(_STOP)),
    }
)


def _read_line(value: Any, path: str) -> Line:
    given = _LINE(value, path)
    if given["valid_until"] is not None and given["valid_until"] < given["valid_from"]:
        refuse(f"{path}.valid_until", "before_start")
    if not given["days"]:
        refuse(f"{path}.days", "day_wanted")
    return Line(
        given["line_id"],
        given["name"],
        given["territory"],
        _stops(given["stops"], f"{path}.stops"),
        frozenset(map(WEEKDAYS.index, given["days"])),
        _hours(given["hours"], f"{path}.hours"),
        given["fare_cents"],
        given["valid_from"],
        given["valid_until"],
        given["fictitious"],
    )


def _stops(given: Sequence[Mapping[str, Any]], path: str) -> tuple[LineStop, ...]:
    if len(given) < 2:
        refuse(path, "two_stops_wanted")
    if len(given) > MAX_STOPS:
        refuse(path, "too_many_stops")
    stops = tuple(
        LineStop(one["stop_id"], one["name"], LatLon(one["lat"], one["lon"]), one["insee_code"], one["distance_m"])
        for one in given
    )
    seen: set[str] = set()
    for i, stop in enumerate(stops):
        if stop.stop_id in seen:
            refuse(f"{path}[{i}].stop_id", "said_twice")
        seen.add(stop.stop_id)
    if stops[0].distance_m:
        refuse(f"{path}[0].distance_m", "zero_wanted")
    for i, (before, after) in enumerate(pairwise(stops), 1):
        hop_m = after.distance_m - before.distance_m
        if hop_m <= 0:
            refuse(f"{path}[{i}].distance_m", "not_beyond_the_stop_before")
        if hop_m + _SLACK_M < distance_m(before.at, after.at):
            refuse(f"{path}[{i}].distance_m", "shorter_than_the_crow_flies")
    return stops


def _hours(given: Sequence[Mapping[str, Any]], path: str) -> tuple[Hours, ...]:
    if not given:
        refuse(path, "hours_wanted")
    hours = tuple(Hours(one["from"], min(one["until"], DAY_S), one["cars_per_hour"]) for one in given)
    for i, one in enumerate(hours):
        if one.until_s <= one.from_s:
            refuse(f"{path}[{i}].until", "ends_before_it_begins")
        if i and one.from_s < hours[i - 1].until_s:
            refuse(f"{path}[{i}].from", "overlaps_the_hours_before")
        if one.until_s - one.from_s < one.wait_s:
            refuse(f"{path}[{i}].cars_per_hour", "no_car_expected")
    return hours
