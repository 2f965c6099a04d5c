"""Fields: readers of the plain values in a document; each takes a value and the path of its field.

A reader gives the value as the engine wants it, or refuses: `policy_field` with the path
(`amount_rules[0].slices[1].from_m`) and the reason, so that whoever wrote the document finds it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NoReturn
from zoneinfo import ZoneInfo

import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from socle.errors import BadInput

Reader = Callable[[Any, str], Any]
PLACE_LEVELS: Final = ("arr", "com", "epci", "aom", "dep", "reg", "country", "reseau")
_NO_DEFAULT: Final = object()
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")  # ISO 8601 has weeks and days of the year as well


@dataclass(frozen=True, slots=True)
class Field:
    """How a field is read, and what stands for it when it is absent or null; without that it must be there."""

    read: Reader
    default: Any = _NO_DEFAULT


Fields = dict[str, Field]


def refuse(path: str, problem: str) -> NoReturn:
    """Say that the field at `path` has this problem.

    Raises:
        BadInput: `policy_field`.
    """
    raise BadInput("policy_field", field=path, problem=problem)


def obj(fields: Mapping[str, Field]) -> Callable[[Any, str], dict[str, Any]]:
    """A reader of an object with these fields and no others."""

    def read(value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            refuse(path, "object_wanted")
        for name in value:
            if name not in fields and name != "notes" and not name.startswith("_"):
                refuse(_below(path, name), "unknown_field")
        got = {}
        for name, field in fields.items():
            given = value.get(name)
            if given is not None:
                got[name] = field.read(given, _below(path, name))
            elif field.default is _NO_DEFAULT:
                refuse(_below(path, name), "missing_field")
            else:
                got[name] = field.default
        return got

    return read


def mostly(tag: str, kinds: Mapping[str, Fields]) -> Callable[[Any, str], tuple[str, dict[str, Any]]]:
    """A reader of an object whose field `tag` says which of `kinds` it is: the kind, and its fields."""

    def read(value: Any, path: str) -> tuple[str, dict[str, Any]]:
        if not isinstance(value, dict):
            refuse(path, "object_wanted")
        kind = value.get(tag)
        if not isinstance(kind, str) or kind not in kinds:
            refuse(_below(path, tag), "missing_field" if kind is None else "unknown_kind")
        rest = {name: member for name, member in value.items() if name != tag}
        return kind, obj(kinds[kind])(rest, path)

    return read


def list_of(read_one: Reader) -> Callable[[Any, str], tuple[Any, ...]]:
    """A reader of a list."""

    def read(value: Any, path: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            refuse(path, "list_wanted")
        return tuple(read_one(member, f"{path}[{i}]") for i, member in enumerate(value))

    return read


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def text(value: Any, path: str) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        refuse(path, "text_wanted")
    return value


texts = list_of(text)


def boolean(value: Any, path: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        refuse(path, "true_or_false_wanted")
    return value


def choice(*words: str) -> Callable[[Any, str], str]:
    """A reader of one of these words."""

    def read(value: Any, path: str) -> str:
        if not isinstance(value, str) or value not in words:
            refuse(path, "unknown_kind")
        return value

    return read


def number(value: Any, path: str) -> Fraction:
    """A number that is not negative, exactly."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        refuse(path, "number_wanted")
    if value < 0:
        refuse(path, "negative")
    return Fraction(value)


def whole(least: int | None = None) -> Callable[[Any, str], int]:
    """A reader of a whole number that is at least `least`."""

    def read(value: Any, path: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or value != int(value):
            refuse(path, "whole_number_wanted")
        if least is not None and value < least:
            refuse(path, "negative" if least == 0 else "too_small")
        return int(value)

    return read


metres = whole(0)


def day(value: Any, path: str) -> date:
    """A date that exists, as YYYY-MM-DD."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        refuse(path, "date_wanted")
    try:
        return date.fromisoformat(value)
    except ValueError:
        refuse(path, "impossible_date")


def days(value: Any, path: str) -> frozenset[date]:
    """A list of dates."""
    return frozenset(list_of(day)(value, path))


def instant(value: Any, path: str) -> datetime:
    """An instant of RFC 3339, in UTC."""
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        read = None
    if read is None or read.tzinfo is None or not 1900 <= read.year <= 2200:
        refuse(path, "instant_wanted")
    return read.astimezone(UTC)


def time_of_day_s(value: Any, path: str) -> int:
    """A time HH:MM as seconds after midnight; 24:00 is the end of the day."""
    hours, colon, minutes = value.partition(":") if isinstance(value, str) else ("", "", "")
    if not (colon and len(value) == 5 and (hours + minutes).isascii() and (hours + minutes).isdigit()):
        refuse(path, "time_wanted")
    seconds = int(hours) * 3600 + int(minutes) * 60
    if int(minutes) > 59 or seconds > 86_400:
        refuse(path, "time_wanted")
    return seconds


def weekdays(value: Any, path: str) -> frozenset[int]:
    """A list of weekdays, Sunday 0 to Saturday 6."""
    read = list_of(whole(0))(value, path)
    for i, weekday in enumerate(read):
        if weekday > 6:
            refuse(f"{path}[{i}]", "weekday_wanted")
    return frozenset(read)


def zone(value: Any, path: str) -> ZoneInfo:
    """A time zone by its IANA name; `localtime`, which some systems have, would be the server's clock."""
    try:
        named = ZoneInfo(text(value, path))
    except (ValueError, OSError, LookupError):
        refuse(path, "unknown_zone")
    if named.key == "localtime":
        refuse(path, "unknown_zone")
    return named


def selector(value: Any, path: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """Codes by level: a place is selected when any level of it is listed.

    The registry numbers its transport networks; all other codes are texts, for some begin with 0.
    """
    if not isinstance(value, dict):
        refuse(path, "object_wanted")
    for level in value:
        if level not in PLACE_LEVELS:
            refuse(f"{path}.{level}", "unknown_field")
    codes = {level: list_of(name if level == "reseau" else text) for level in value}
    return tuple(
        (level, frozenset(codes[level](listed, f"{path}.{level}")))
        for level, listed in sorted(value.items())
        if listed is not None
    )


def name(value: Any, path: str) -> str:
    """A text that is not empty, or a whole number that names something."""
    return str(value) if type(value) is int else text(value, path)


class Place:
    """Readers of degrees."""

    @staticmethod
    def lat(value: Any, path: str) -> float:
        """Degrees north."""
        return _degrees(value, path, 90)

    @staticmethod
    def lon(value: Any, path: str) -> float:
        """Degrees east."""
        return _degrees(value, path, 180)


def _degrees(value: Any, path: str, most: int) -> float:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not -most <= value <= most:
        refuse(path, "degrees_wanted")
    return float(value)


def shape(value: Any, path: str) -> BaseGeometry:
    """A ring of [lon, lat], closed or not, or a GeoJSON Polygon or MultiPolygon; inside by the even-odd rule."""
    if isinstance(value, list):
        read: BaseGeometry = Polygon(_ring(value, path))
    elif isinstance(value, dict) and value.get("type") == "Polygon":
        read = _polygon(value.get("coordinates"), f"{path}.coordinates")
    elif isinstance(value, dict) and value.get("type") == "MultiPolygon":
        polygons = list_of(_polygon)(value.get("coordinates"), f"{path}.coordinates")
        read = MultiPolygon(polygons)
    else:
        refuse(path, "shape_wanted")
    if read.is_empty:
        refuse(path, "shape_wanted")
    # A ring that crosses itself is cut where it does: what is covered twice is outside, as even-odd says.
    valid = read if read.is_valid else shapely.make_valid(read)
    shapely.prepare(valid)
    return valid


def _polygon(value: Any, path: str) -> Polygon:
    rings = list_of(_ring)(value, path)
    if not rings:
        refuse(path, "shape_wanted")
    return Polygon(rings[0], rings[1:])


def _ring(value: Any, path: str) -> list[tuple[float, float]]:
    points = []
    for i, point in enumerate(value if isinstance(value, list) else ()):
        if not isinstance(point, list) or len(point) < 2:
            refuse(f"{path}[{i}]", "degrees_wanted")
        points.append((Place.lon(point[0], f"{path}[{i}]"), Place.lat(point[1], f"{path}[{i}]")))
    if len(set(points)) < 3:
        refuse(path, "shape_wanted")
    return points
