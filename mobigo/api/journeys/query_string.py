"""Query string: the parameters of a request, read into their struct, or refused with the one that is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

import msgspec

from mobigo.api.journeys.params import Instant, Params
from mobigo.texts import text
from socle.errors import BadInput, LimitExceeded
from socle.times import PARIS


@cache
def _fields(struct: type[Params]) -> dict[str, tuple[bool, Any, int | None]]:
    """By name outside: whether it is a list, its type for people, the limit above which we refuse."""
    told = {}
    for field in msgspec.inspect.type_info(struct).fields:  # type: ignore[attr-defined]  # a struct's, not any type's
        kind, limit = field.type, None
        if isinstance(kind, msgspec.inspect.Metadata):
            limit = (kind.extra or {}).get("limit")
            kind = kind.type
        told[field.encode_name] = (isinstance(kind, msgspec.inspect.VarTupleType), kind, limit)
    return told


P = TypeVar("P", bound=Params)


def read_params(struct: type[P], pairs: Iterable[tuple[str, str]]) -> P:
    """The parameters of a query string.

    A list may be written `a=x,y` or `a=x&a=y`, or both; an empty value is an empty list.

    Raises:
        BadInput: a parameter is missing, malformed or given twice.
        LimitExceeded: more is asked than is served.
    """
    known = _fields(struct)
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name not in known:
            continue
        if known[name][0]:
            values.setdefault(name, []).extend(part for part in value.split(",") if part)
        elif values.setdefault(name, value) != value:
            raise BadInput("repeated_parameter", parameter=name)
    try:
        params = msgspec.convert(values, struct, strict=False, dec_hook=_read_instant)
    except msgspec.ValidationError as error:
        raise _bad_parameter(struct, str(error)) from None
    for name, (_, _, limit) in known.items():
        if limit is not None and name in values and float(values[name]) > limit:
            raise LimitExceeded("over_limit", parameter=name, limit=limit)
    return params


_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?\s*(Z|z|[+ -]\d\d:?\d\d)", re.ASCII)


def read_instant(written: str) -> int:
    """UTC seconds of an ISO 8601 time with `Z` or an offset; a `+` that arrived as a blank is taken for what it was.

    Raises:
        ValueError: the text is no such time.
    """
    match = _ISO.fullmatch(written.strip())
    if match is None:
        raise ValueError(written)
    year, month, day, hour, minute, second, zone = match.groups()
    at = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=UTC)
    offset_s = 0
    if zone not in ("Z", "z"):
        digits = zone[1:].replace(":", "")
        offset_s = (int(digits[:2]) * 60 + int(digits[2:])) * 60 * (-1 if zone[0] == "-" else 1)
    seconds = int(at.timestamp()) - offset_s
    if not 0 <= seconds < 1 << 33:
        raise ValueError(written)
    return seconds


def read_local_time(written: str) -> int:
    """As `read_instant`; without an offset the time is that of a clock in France.

    Raises:
        ValueError: the text is no time.
    """
    try:
        return read_instant(written)
    except ValueError:
        at = datetime.fromisoformat(written)
        return int((at if at.tzinfo else at.replace(tzinfo=PARIS)).timestamp())


def _read_instant(wanted: type, value: object) -> object:
    if wanted is Instant and isinstance(value, str):
        return Instant(read_instant(value))
    raise NotImplementedError


_WHERE = re.compile(r"at `\$\.([A-Za-z]+)")
_MISSING = re.compile(r"missing required field `([A-Za-z]+)`")


def _bad_parameter(struct: type[Params], said: str) -> BadInput:
    """The error of the parameter that msgspec names."""
    missing = _MISSING.search(said)
    if missing is not None:
        return BadInput("missing_parameter", parameter=missing[1])
    where = _WHERE.search(said)
    name = where[1] if where else ""
    kind = _fields(struct)[name][1] if name in _fields(struct) else None
    return BadInput("bad_parameter", parameter=name, expected=_expected(kind))


def _expected(kind: Any) -> str:
    """What a parameter should have been, in French."""
    match kind:
        case msgspec.inspect.VarTupleType():
            return _expected(
                kind.item_type.type if isinstance(kind.item_type, msgspec.inspect.Metadata) else kind.item_type
            )
        case msgspec.inspect.BoolType():
            return text("api.expected.bool")
        case msgspec.inspect.IntType():
            return text("api.expected.int", least=_bound(kind.ge, 0), most=_bound(kind.le, 1 << 31))
        case msgspec.inspect.FloatType():
            return text("api.expected.float")
        case msgspec.inspect.LiteralType():
            return text("api.expected.one_of", values=", ".join(str(value) for value in kind.values))
        case msgspec.inspect.CustomType():
            return text("api.expected.time")
        case _:
            return text("api.expected.text")


def _bound(bound: int | None, default: int) -> int:
    return default if bound is None else bound
