"""Books: a TOML document → a `RuleBook`, every field looked at, or the field that is wrong and why.

    id, title, explanation, departments, valid_from, valid_until
    [[rules]]  code, verdict (entitled, pays, refused), says, [[rules.when]] type = a word of `conditions`
    [[cases]]  name, verdict, reason, [cases.facts] what differs from `COMMON`

The last rule has no condition, so that a book answers every file. A book whose cases do not come out as written is
refused like one that cannot be read.
"""

from __future__ import annotations

import hashlib
import json
import re
import string
import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final, NoReturn

from scolaire.entitlement.conditions import JOINTS, KINDS
from scolaire.entitlement.model import FACTS, Case, Condition, Facts, Rule, RuleBook, Value, Verdict
from scolaire.pupils import Level, Regime, SchoolStatus
from socle.errors import BadInput

MAX_BYTES: Final = 200_000
MAX_DEPTH: Final = 8
SAID: Final = frozenset({"road_km", "straight_km", "age", "school_year"})  # what a sentence may name
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_ID: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_DEPARTMENT: Final = re.compile(r"[0-9][0-9AB][0-9]?")
_OF_RULES: Final = (Verdict.ENTITLED, Verdict.PAYS, Verdict.REFUSED)
_WORDS: Final[Mapping[str, frozenset[str] | None]] = {
    "levels": frozenset(Level),
    "regimes": frozenset(Regime),
    "statuses": frozenset(SchoolStatus),
    "reasons": None,
    "departments": None,
}
COMMON: Final[Mapping[str, Any]] = {  # a pupil about whom everything is known, nothing special
    "school_year": 2026,
    "level": Level.COLLEGE,
    "regime": Regime.HALF_BOARD,
    "school_status": SchoolStatus.PUBLIC,
    "home_commune": "21001",
    "school_commune": "21002",
    "home_authority": "",
    "school_authority": "",
    "birth_year": 2014,
    "straight_m": 6_000,
    "road_m": 8_000,
    "attends_sector_school": True,
    "derogation": "",
}


def read_book(document: bytes) -> RuleBook:
    """The rule book of a TOML document; its cases are read, not tried (`judge.wrong_cases`).

    Raises:
        BadInput: `rule_book_unreadable`, `rule_book_field`.
    """
    if len(document) > MAX_BYTES:
        raise BadInput("rule_book_unreadable", line=0)
    try:
        tree = tomllib.loads(document.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        found = re.search(r"at line (\d+)", str(error))
        raise BadInput("rule_book_unreadable", line=int(found[1]) if found else 0) from None
    return _book(tree)


def _book(tree: dict[str, Any]) -> RuleBook:
    _only(tree, "", "id", "title", "explanation", "departments", "valid_from", "valid_until", "rules", "cases", "notes")
    valid_from = _day(tree.get("valid_from"), "valid_from")
    valid_until = None if "valid_until" not in tree else _day(tree["valid_until"], "valid_until")
    if valid_until is not None and valid_until < valid_from:
        _refuse("valid_until", "before_start")
    departments = _words(tree.get("departments"), "departments", None)
    if not departments or not all(map(_DEPARTMENT.fullmatch, departments)):
        _refuse("departments", "departments_wanted")
    rules = tuple(_rule(one, f"rules[{i}]") for i, one in enumerate(_objects(tree.get("rules"), "rules")))
    if not rules or rules[-1].when:
        _refuse("rules", "last_rule_open")
    for i, rule in enumerate(rules[:-1]):
        if not rule.when:
            _refuse(f"rules[{i}].when", "rule_shadows")
    codes = [rule.code for rule in rules]
    if len(set(codes)) < len(codes):
        _refuse("rules", "said_twice")
    cases = tuple(
        _case(one, f"cases[{i}]", frozenset(codes)) for i, one in enumerate(_objects(tree.get("cases", []), "cases"))
    )
    return RuleBook(
        id=_text(tree.get("id"), "id", _ID),
        title=_text(tree.get("title"), "title"),
        version=hashlib.sha256(render_canonical(tree)).hexdigest(),
        departments=frozenset(departments),
        valid_from=valid_from,
        valid_until=valid_until,
        explanation=_text(tree.get("explanation"), "explanation"),
        rules=rules,
        cases=cases,
    )


def render_canonical(tree: Mapping[str, Any]) -> bytes:
    """A tree as JSON whose bytes do not depend on the order of keys."""
    told = json.dumps(tree, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=date.isoformat)
    return told.encode("utf-8", "backslashreplace")


def _rule(tree: dict[str, Any], path: str) -> Rule:
    _only(tree, path, "code", "when", "verdict", "says", "notes")
    verdict = _text(tree.get("verdict"), f"{path}.verdict")
    if verdict not in _OF_RULES:
        _refuse(f"{path}.verdict", "unknown_kind")
    when = _objects(tree.get("when", []), f"{path}.when")
    code = _text(tree.get("code"), f"{path}.code", _CODE)
    if code == Verdict.INCOMPLETE:
        _refuse(f"{path}.code", "unknown_kind")
    return Rule(
        code,
        tuple(_condition(one, f"{path}.when[{i}]", 0) for i, one in enumerate(when)),
        Verdict(verdict),
        _sentence(tree.get("says"), f"{path}.says"),
    )


def _condition(tree: dict[str, Any], path: str, depth: int) -> Condition:
    kind = _text(tree.get("type"), f"{path}.type")
    if depth > MAX_DEPTH:
        _refuse(path, "nested_too_deep")
    if kind in JOINTS:
        _only(tree, path, "type", "of", "notes")
        of = _objects([tree["of"]] if isinstance(tree.get("of"), dict) else tree.get("of"), f"{path}.of")
        if not of or (kind == "not" and len(of) != 1):
            _refuse(f"{path}.of", "condition_wanted")
        return Condition(kind, of=tuple(_condition(one, f"{path}.of[{i}]", depth + 1) for i, one in enumerate(of)))
    if kind not in KINDS:
        _refuse(f"{path}.type", "unknown_kind")
    takes = KINDS[kind].takes
    _only(tree, path, "type", "notes", *takes)
    readers: Mapping[str, Callable[[Any, str], Value]] = {
        "int": _whole,
        "words": lambda value, at: _words(value, at, _WORDS[at.rpartition(".")[2]]),
    }
    return Condition(kind, {name: readers[sort](tree.get(name), f"{path}.{name}") for name, sort in takes.items()})


def _case(tree: dict[str, Any], path: str, codes: frozenset[str]) -> Case:
    _only(tree, path, "name", "facts", "verdict", "reason", "notes")
    given = tree.get("facts", {})
    if not isinstance(given, dict):
        _refuse(f"{path}.facts", "object_wanted")
    _only(given, f"{path}.facts", *FACTS, "unknown")
    unknown = _words(given.get("unknown", []), f"{path}.facts.unknown", frozenset(FACTS))
    told = {**COMMON, **{name: value for name, value in given.items() if name != "unknown"}}
    for name, value in told.items():
        if not isinstance(value, str if isinstance(COMMON[name], str) else type(COMMON[name])):
            _refuse(f"{path}.facts.{name}", "another_kind_wanted")
    for name, enum in (("level", Level), ("regime", Regime), ("school_status", SchoolStatus)):
        if told[name] not in frozenset(enum):
            _refuse(f"{path}.facts.{name}", "unknown_kind")
        told[name] = enum(told[name])
    verdict, reason = tree.get("verdict"), tree.get("reason")
    if verdict not in frozenset(Verdict):
        _refuse(f"{path}.verdict", "unknown_kind")
    if reason not in codes and not (verdict == reason == Verdict.INCOMPLETE):
        _refuse(f"{path}.reason", "unknown_kind")
    facts = Facts(**(told | dict.fromkeys(unknown)))
    return Case(_text(tree.get("name"), f"{path}.name"), facts, Verdict(str(verdict)), str(reason))


# --- values ---------------------------------------------------------------------------------------


def _refuse(path: str, problem: str) -> NoReturn:
    raise BadInput("rule_book_field", field=path, problem=problem)


def _only(tree: Mapping[str, Any], path: str, *names: str) -> None:
    for name in tree:
        if name not in names:
            _refuse(f"{path}.{name[:40]}".lstrip("."), "unknown_field")


def _objects(value: Any, path: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        _refuse(path, "list_wanted")
    return value


def _text(value: Any, path: str, pattern: re.Pattern[str] | None = None) -> str:
    if not isinstance(value, str) or not value.strip():
        _refuse(path, "text_wanted")
    if pattern is not None and pattern.fullmatch(value) is None:
        _refuse(path, "text_wanted")
    return value


def _sentence(value: Any, path: str) -> str:
    said = _text(value, path)
    try:
        holes = [(name, how, sort) for _, name, how, sort in string.Formatter().parse(said) if name is not None]
    except ValueError:
        _refuse(path, "braces")
    if any(name not in SAID or how or sort for name, how, sort in holes):
        _refuse(path, "braces")
    return said


def _day(value: Any, path: str) -> date:
    if type(value) is not date:
        _refuse(path, "date_wanted")
    return value


def _whole(value: Any, path: str) -> int:
    if type(value) is not int or not 0 <= value <= 1_000_000:
        _refuse(path, "whole_number_wanted")
    return value


def _words(value: Any, path: str, known: frozenset[str] | None) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        _refuse(path, "list_wanted")
    if known is not None and not known.issuperset(value):
        _refuse(path, "unknown_kind")
    return tuple(value)
