"""Fields: the machinery by which objects of other people's contracts are read: kinds of values, shapes, JSON.

A document is a plain tree whose every field was looked at. What a contract does not name is left out
(or refused, where it says so), what is unknown is absent and never null, a whole number stays whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from socle.errors import BadInput

Document = dict[str, Any]
Read = Callable[[Any, str], Any]
"""A value and the name of its field → the value as it is kept; raises `standard_field`."""


# --- JSON -----------------------------------------------------------------------------------


def read_json(text: bytes) -> Any:
    """The tree of a JSON text in UTF-8.

    Raises:
        BadInput: `standard_not_json`.
    """
    try:
        return json.loads(text.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError):  # also numbers of thousands of digits
        raise BadInput("standard_not_json") from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def render_json(value: Any) -> bytes:
    """`value` as JSON in UTF-8 without blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


# --- kinds of values ------------------------------------------------------------------------


def refuse(field: str, wanted: str) -> BadInput:
    """What to raise when `field` is not what the contract wants there."""
    return BadInput("standard_field", field=field or "$", wanted=wanted)


def string(least: int = 0, most: int | None = None) -> Read:
    """Text of that many letters, which UTF-8 can hold."""
    wanted = "string" if most is None else f"string, {least}…{most}"

    def read(value: Any, field: str) -> str:
        if not isinstance(value, str) or len(value) < least or (most is not None and len(value) > most):
            raise refuse(field, wanted)
        try:
            value.encode()
        except UnicodeEncodeError:  # half a surrogate pair is no text
            raise refuse(field, wanted) from None
        return value

    return read


def matching(pattern: re.Pattern[str], wanted: str) -> Read:
    """Text that matches a pattern as a whole."""

    def read(value: Any, field: str) -> str:
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            raise refuse(field, wanted)
        return value

    return read


def one_of(*words: str) -> Read:
    """One of some words."""

    def read(value: Any, field: str) -> str:
        if not isinstance(value, str) or value not in words:
            raise refuse(field, ", ".join(words))
        return value

    return read


def read_number(value: Any, field: str) -> int | float:
    """A number that is neither infinite nor beyond what a float holds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not is_number(value):
        raise refuse(field, "number")
    return value


def is_number(value: float) -> bool:
    """Whether `value` fits a float: what other programs read numbers into."""
    try:
        return isfinite(float(value))
    except OverflowError:
        return False


def integer(least: int | None = None, most: int | None = None) -> Read:
    """A whole number, between both bounds when they are given; 3.0 is one."""
    bounds = "" if least is None else f", {least}…" + ("" if most is None else str(most))
    wanted = f"integer{bounds}"

    def read(value: Any, field: str) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not is_number(value):
            raise refuse(field, wanted)
        if (least is not None and value < least) or (most is not None and value > most):
            raise refuse(field, wanted)
        return value

    return read


def read_flag(value: Any, field: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise refuse(field, "boolean")
    return value


def list_of(read_one: Read) -> Read:
    """A list of things that are all read alike."""

    def read(value: Any, field: str) -> list[Any]:
        if not isinstance(value, list):
            raise refuse(field, "array")
        return [read_one(one, f"{field}[{number}]") for number, one in enumerate(value)]

    return read


class Shape:
    """An object: its fields in the order of the contract, some of them required; a `closed` one takes no other."""

    def __init__(self, fields: Mapping[str, Read], *required: str, closed: bool = False) -> None:
        self.fields = dict(fields)
        self.required = frozenset(required)
        self.closed = closed

    def joined(self, fields: Mapping[str, Read], *required: str) -> Shape:
        """The same shape and more."""
        return Shape({**self.fields, **fields}, *self.required, *required)

    def __call__(self, value: Any, field: str = "") -> Document:
        """The document of a plain tree.

        Raises:
            BadInput: `standard_field`.
        """
        if not isinstance(value, dict):
            raise refuse(field, "object")
        dot = f"{field}." if field else ""
        for name in self.fields:
            if name in self.required and name not in value:
                raise refuse(f"{dot}{name}", "required")
        for name in value if self.closed else ():
            if name not in self.fields:
                raise refuse(f"{dot}{name}"[:100], "—")
        return {name: read(value[name], f"{dot}{name}") for name, read in self.fields.items() if name in value}
