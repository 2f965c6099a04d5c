"""Plan files: a plan → one JSON object, and back; equal plans are equal bytes. docs/school-files.md names the fields.

The fields of the file are those of `plans`, so that what is read is checked against their types and their own rules:
a number out of its range, a place that is none, a field that is missing or not known is refused by its name.
"""

from __future__ import annotations

import json
import types
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec

from scolaire.plans import Halt, NotServed, Rider, Run, SchoolPlan
from socle.errors import BadInput
from socle.geo import LatLon

FORMAT: Final = "mobigo-school-plan"
VERSION: Final = 2
MOST_BYTES: Final = 100_000_000
_BIGGEST: Final = 1 << 40
_MANY: Final = (Run, Rider, NotServed)  # of which there are thousands, and which hold no position and no fraction
_QUICK: Final = msgspec.json.Encoder()  # writes them as `_JSON` does, in a tenth of the time
_JSON: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def render_plan(plan: SchoolPlan) -> bytes:
    """The file of a plan, a line for each thing of a list: what differs between two files is then a few lines."""
    told = {"format": FORMAT, "version": VERSION} | {each.name: getattr(plan, each.name) for each in fields(plan)}
    return b"{\n" + b",\n".join(b'"%s":%s' % (name.encode(), _lines(value)) for name, value in told.items()) + b"\n}\n"


def _lines(value: object) -> bytes:
    if not isinstance(value, tuple):
        return _JSON.encode(_told(value)).encode()
    if value and isinstance(value[0], _MANY):
        return b"[\n" + b",\n".join(map(_QUICK.encode, value)) + b"\n]"
    return ("[\n" + ",\n".join(_JSON.encode(_told(one)) for one in value) + "\n]").encode()


def read_plan(content: bytes) -> SchoolPlan:
    """The plan of a file.

    Raises:
        BadInput: `plan_unreadable` with the field; `plan_version_unknown`.
    """
    try:
        tree = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise BadInput("plan_unreadable", where="JSON") from None
    if not isinstance(tree, dict) or tree.pop("format", None) != FORMAT:
        raise BadInput("plan_unreadable", where="format")
    version = tree.pop("version", None)
    if version != VERSION:
        raise BadInput("plan_version_unknown", version=str(version)[:20], known=VERSION)
    plan: SchoolPlan = _read(SchoolPlan, tree, "")
    _check_places(plan)
    return plan


def _told(value: Any) -> Any:
    """What JSON writes: a tuple as a list, an object by its fields, everything else as it is."""
    kind: Any = type(value)
    if kind is tuple:
        return [_told(one) for one in value]
    names = _names(kind)
    return {name: _told(getattr(value, name)) for name in names} if names else value


@cache
def _names(kind: type) -> tuple[str, ...]:
    if issubclass(kind, LatLon):
        return LatLon._fields
    return tuple(each.name for each in fields(kind)) if is_dataclass(kind) else ()


def _read(kind: Any, value: Any, where: str) -> Any:
    """`value` as a `kind`; both are walked together."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        inner = next(one for one in get_args(kind) if one is not types.NoneType)
        return None if value is None else _read(inner, value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise _refused(where)
        return tuple(_read(get_args(kind)[0], one, f"{where}[{at}]") for at, one in enumerate(value))
    if kind is LatLon:
        return _position(value, where)
    if is_dataclass(kind):
        return _object(kind, value, where)
    if issubclass(kind, StrEnum):
        if not isinstance(value, str) or value not in set(kind):
            raise _refused(where)
        return kind(value)
    if type(value) is not kind or (kind is int and abs(value) > _BIGGEST):
        raise _refused(where)
    return value


def _object(kind: Any, value: Any, where: str) -> Any:
    hints = _hints(kind)
    if not isinstance(value, dict):
        raise _refused(where)
    strange = sorted((set(value) - set(hints)) | (_needed(kind) - set(value)))
    if strange:
        raise _refused(f"{where}.{strange[0]}")
    found = {name: _read(hint, value[name], f"{where}.{name}") for name, hint in hints.items() if name in value}
    try:
        return kind(**found)
    except ValueError:
        raise _refused(where) from None


@cache
def _hints(kind: type) -> dict[str, Any]:
    return {each.name: get_type_hints(kind)[each.name] for each in fields(kind)}


@cache
def _needed(kind: type) -> set[str]:
    """Fields that stand in every file; those with a value of their own came later."""
    return {each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING}


def _position(value: Any, where: str) -> LatLon:
    if not isinstance(value, dict) or set(value) != {"lat", "lon"}:
        raise _refused(where)
    lat, lon = value["lat"], value["lon"]
    if type(lat) not in (int, float) or type(lon) not in (int, float) or not (abs(lat) <= 90 and abs(lon) <= 180):
        raise _refused(where)
    return LatLon(lat, lon)


def _check_places(plan: SchoolPlan) -> None:
    """Whether every place named is one of the plan."""
    for at, rider in enumerate(plan.riders):
        _check(rider.school, len(plan.schools), f".riders[{at}].school")
        for waiting in rider.waits or ():
            _check(waiting.stop, len(plan.stops), f".riders[{at}].waits")
    for at, road in enumerate(plan.no_roads):
        for spot in (road.origin, road.target):
            _check(spot.stop, len(plan.stops), f".no_roads[{at}]")
            _check(spot.school, len(plan.schools), f".no_roads[{at}]")
    for at, left in enumerate(plan.not_served):
        _check(left.period, len(plan.periods), f".not_served[{at}].period")
    for at, run in enumerate(plan.runs):
        _check(run.period, len(plan.periods), f".runs[{at}].period")
        _check(run.vehicle_type, len(plan.vehicle_types), f".runs[{at}].vehicle_type")
        _check_halts(plan, run, f".runs[{at}].halts")


def _check_halts(plan: SchoolPlan, run: Run, where: str) -> None:
    for at, halt in enumerate(run.halts):
        _check_halt(plan, halt, f"{where}[{at}]")


def _check_halt(plan: SchoolPlan, halt: Halt, where: str) -> None:
    _check(halt.stop, len(plan.stops), f"{where}.stop")
    _check(halt.school, len(plan.schools), f"{where}.school")
    for rider in (*halt.up, *halt.down):
        _check(rider, len(plan.riders), f"{where}.up")


def _check(place: int | None, n_places: int, where: str) -> None:
    if place is not None and not 0 <= place < n_places:
        raise _refused(where)


def _refused(where: str) -> BadInput:
    return BadInput("plan_unreadable", where=where.removeprefix(".") or "$")
