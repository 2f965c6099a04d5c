"""Documents: JSON or TOML text → the plain tree of a policy, with exact numbers, and its version.

A decimal is read as `Decimal`, never as a float: 52.9 is 52.9. The version of a policy is the
SHA-256 of its canonical JSON (sorted keys, no spaces, UTF-8, shortest numbers), so that the order
of keys, blanks and the zeros of 1.10 make no other version, nor does TOML with the same tree.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from datetime import date, time
from decimal import Decimal
from typing import Any, NoReturn

from socle.errors import BadInput

Tree = dict[str, Any]

MAX_DEPTH = 64  # of lists and objects in one another: what is nested deeper was not written by a person
_BIGGEST = 10**15  # a number beyond it is a slip: no rate, length or amount comes near
_FINEST = -30  # and so is a decimal finer than this power of ten: a third written out by a program is not
_PLACE_IN_TOML = re.compile(r"line (\d+), column (\d+)")  # Python 3.11 tells it in its message only
_HALF_A_LETTER = re.compile("[\ud800-\udfff]")  # what JSON can escape and UTF-8 cannot hold


def read_documents(text: bytes, *, toml: bool = False) -> dict[str, Tree]:
    """The documents of a file by id: one document, or a collection under `policies`.

    A single document without an `id` is named by the empty string; in a collection the key names it,
    whatever `id` it says (it is the key that batches know it by).

    Raises:
        BadInput: `policy_unreadable` when the text is no JSON (TOML) of that kind.
    """
    tree = read_tree(text, toml=toml)
    if "policies" not in tree:
        said = tree.get("id")
        return {"" if said is None else str(said): tree}
    collection = tree["policies"]
    if not isinstance(collection, dict) or not all(isinstance(document, dict) for document in collection.values()):
        _refuse("policies", "documents_by_id_wanted")
    return collection


def read_tree(text: bytes, *, toml: bool = False) -> Tree:
    """The object that a JSON (TOML) text is.

    Raises:
        BadInput: `policy_unreadable`.
    """
    tree = _parse_toml(text) if toml else _parse_json(text)
    if not isinstance(tree, dict):
        _refuse("1:1", "object_wanted")
    return tree


def hash_document(tree: Tree) -> str:
    """The version of a document: SHA-256 of its canonical JSON, in hexadecimal."""
    return hashlib.sha256(render_canonical(tree).encode()).hexdigest()


def render_canonical(value: Any) -> str:
    """`value` as canonical JSON: sorted keys, no spaces, numbers without needless zeros."""
    if isinstance(value, dict):
        members = (f"{json.dumps(key, ensure_ascii=False)}:{render_canonical(value[key])}" for key in sorted(value))
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(render_canonical, value)) + "]"
    if isinstance(value, Decimal):
        shortest = f"{value:f}"
        return (shortest.rstrip("0").rstrip(".") if "." in shortest else shortest) or "0"
    return json.dumps(value, ensure_ascii=False)


def _parse_json(text: bytes) -> Any:
    try:
        tree = json.loads(
            _decode(text), parse_float=_exact, parse_constant=_beyond_reason, object_pairs_hook=_each_key_once
        )
    except json.JSONDecodeError as error:
        _refuse(f"{error.lineno}:{error.colno}", "json_wanted")
    except ValueError:  # whole numbers of thousands of digits
        _refuse("1:1", "number_beyond_reason")
    except RecursionError:
        _refuse("1:1", "too_deep")
    return _plain(tree, 0)


def _parse_toml(text: bytes) -> Any:
    try:
        tree = tomllib.loads(_decode(text), parse_float=_exact)
    except RecursionError:
        _refuse("1:1", "too_deep")
    except ValueError as error:
        place = _PLACE_IN_TOML.search(str(error))
        _refuse(f"{place[1]}:{place[2]}" if place else "1:1", "toml_wanted")
    return _plain(tree, 0)


def _decode(text: bytes) -> str:
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        _refuse(f"{line}:1", "utf8_wanted")


def _exact(written: str) -> Decimal:
    number = Decimal(written)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < _FINEST:
        _beyond_reason(written)
    return number


def _beyond_reason(written: str) -> NoReturn:
    _refuse(written[:40], "number_beyond_reason")


def _each_key_once(pairs: list[tuple[str, Any]]) -> Tree:
    tree = dict(pairs)
    if len(tree) < len(pairs):
        keys = [key for key, _ in pairs]
        _refuse(next(key for key in keys if keys.count(key) > 1)[:40], "key_said_twice")
    return tree


def _plain(value: Any, depth: int) -> Any:
    """`value` with the dates and times of TOML as text, after looking that nothing in it is beyond reason."""
    if depth > MAX_DEPTH:
        _refuse("1:1", "too_deep")
    if isinstance(value, dict):
        return {_plain(key, depth): _plain(member, depth + 1) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(member, depth + 1) for member in value]
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, str) and not value.isascii() and _HALF_A_LETTER.search(value):
        _refuse(value[:40].encode(errors="replace").decode(), "half_a_letter")
    if isinstance(value, int | Decimal) and not -_BIGGEST <= value <= _BIGGEST:
        _beyond_reason(str(value))
    return value


def _refuse(where: str, problem: str) -> NoReturn:
    """`where`: line and column, or the key or number itself."""
    raise BadInput("policy_unreadable", problem=problem, where=where)
