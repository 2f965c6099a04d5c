"""Journal: an edit → one JSON object, and back."""

from __future__ import annotations

import types
from dataclasses import MISSING, fields
from enum import StrEnum
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from scolaire.edits.kinds import Edit
from socle.errors import BadInput

KINDS: Final[dict[str, type]] = {
    "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind.__name__)[1:]: kind
    for kind in get_args(Edit)
}
_NAMES: Final = {kind: name for name, kind in KINDS.items()}
_MOST: Final = 1 << 40


def render_edit(edit: Edit) -> dict[str, Any]:
    """The edit as plain values: `kind`, and its fields."""
    told = {each.name: getattr(edit, each.name) for each in fields(edit)}
    return {
        "kind": _NAMES[type(edit)],
        **{name: list(value) if isinstance(value, tuple) else value for name, value in told.items()},
    }


def read_edit(tree: object) -> Edit:
    """The edit that plain values tell of.

    Raises:
        BadInput: `edit_unreadable` with the field.
    """
    if not isinstance(tree, dict) or not isinstance(tree.get("kind"), str) or tree["kind"] not in KINDS:
        raise BadInput("edit_unreadable", where="kind")
    kind = KINDS[tree["kind"]]
    hints = get_type_hints(kind)
    needed = {each.name for each in fields(kind) if each.default is MISSING}
    given = {name: value for name, value in tree.items() if name != "kind"}
    strange = sorted(map(str, (set(given) - set(hints)) | (needed - set(given))))
    if strange:
        raise BadInput("edit_unreadable", where=strange[0][:40])
    edit: Edit = kind(**{name: _read(hints[name], value, name) for name, value in given.items()})
    return edit


def _read(hint: Any, value: object, where: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        inner = next(one for one in get_args(hint) if one is not types.NoneType)
        return None if value is None else _read(inner, value, where)
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(_read(get_args(hint)[0], one, where) for one in value)
    if hint is float and type(value) in (int, float) and abs(value) <= 180:  # type: ignore[arg-type] # a number
        return float(value)  # type: ignore[arg-type] # likewise
    if isinstance(hint, type) and issubclass(hint, StrEnum) and isinstance(value, str) and value in set(hint):
        return hint(value)
    if hint not in (int, str, bool) or type(value) is not hint or (hint is int and abs(value) > _MOST):  # type: ignore[arg-type] # an int
        raise BadInput("edit_unreadable", where=where)
    return value
