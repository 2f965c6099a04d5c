"""Conditions: the words of the rule language, each a function of facts that answers yes, no, or unknown (None).

    level_in, regime_in, status_in      levels, regimes, statuses
    age_below, age_from                 years, on 31 December of the year in which the school year begins
    road_below                          metres; a straight line as long as that already says no
    straight_below                      metres
    same_commune                        home and school
    home_inside, home_outside           an urban authority, which carries its own pupils
    same_authority                      home and school inside one urban authority
    home_in_departments                 departments, by the commune's code
    sector_school                       the one of the sector is attended
    derogation_in                       reasons
    all, any, not                       of

Unknown follows Kleene: `all` is no as soon as one is no, `any` is yes as soon as one is yes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from scolaire.entitlement.model import Condition, Facts

Test = Callable[[Facts], bool | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a condition takes (field → `int`, `words` of a list, or `conditions`) and the facts that it asks."""

    takes: Mapping[str, str]
    asks: tuple[str, ...]
    make: Callable[[Mapping[str, Any]], Test]


def department_of(commune: str) -> str:
    """The code of the department in a commune's INSEE code; three letters overseas."""
    return commune[:3] if commune.startswith("97") else commune[:2]


def _in(fact: str, field: str) -> Kind:
    def make(given: Mapping[str, Any]) -> Test:
        wanted = frozenset(given[field])
        return lambda facts: getattr(facts, fact) in wanted

    return Kind({field: "words"}, (fact,), make)


def _age(*, is_below: bool) -> Kind:
    def make(given: Mapping[str, Any]) -> Test:
        years = given["years"]

        def test(facts: Facts) -> bool | None:
            if facts.birth_year is None:
                return None
            return (facts.school_year - facts.birth_year < years) is is_below

        return test

    return Kind({"years": "int"}, ("birth_year",), make)


def _road_below(given: Mapping[str, Any]) -> Test:
    metres = given["metres"]

    def test(facts: Facts) -> bool | None:
        if facts.road_m is not None:
            return bool(facts.road_m < metres)
        # A road is never shorter than the straight line.
        return False if facts.straight_m is not None and facts.straight_m >= metres else None

    return test


def _straight_below(given: Mapping[str, Any]) -> Test:
    metres = given["metres"]
    return lambda facts: None if facts.straight_m is None else bool(facts.straight_m < metres)


def _same_commune(_given: Mapping[str, Any]) -> Test:
    def test(facts: Facts) -> bool | None:
        if facts.home_commune is None or facts.school_commune is None:
            return None
        return facts.home_commune == facts.school_commune

    return test


def _home_authority(*, is_inside: bool) -> Kind:
    def make(_given: Mapping[str, Any]) -> Test:
        return lambda facts: None if facts.home_authority is None else bool(facts.home_authority) is is_inside

    return Kind({}, ("home_authority",), make)


def _same_authority(_given: Mapping[str, Any]) -> Test:
    def test(facts: Facts) -> bool | None:
        if facts.home_authority == "" or facts.school_authority == "":
            return False
        if facts.home_authority is None or facts.school_authority is None:
            return None
        return facts.home_authority == facts.school_authority

    return test


def _home_in_departments(given: Mapping[str, Any]) -> Test:
    wanted = frozenset(given["departments"])
    return lambda facts: None if facts.home_commune is None else department_of(facts.home_commune) in wanted


def _sector_school(_given: Mapping[str, Any]) -> Test:
    return lambda facts: facts.attends_sector_school


KINDS: Final[Mapping[str, Kind]] = {
    "level_in": _in("level", "levels"),
    "regime_in": _in("regime", "regimes"),
    "status_in": _in("school_status", "statuses"),
    "derogation_in": _in("derogation", "reasons"),
    "age_below": _age(is_below=True),
    "age_from": _age(is_below=False),
    "road_below": Kind({"metres": "int"}, ("road_m",), _road_below),
    "straight_below": Kind({"metres": "int"}, ("straight_m",), _straight_below),
    "same_commune": Kind({}, ("home_commune", "school_commune"), _same_commune),
    "home_inside": _home_authority(is_inside=True),
    "home_outside": _home_authority(is_inside=False),
    "same_authority": Kind({}, ("home_authority", "school_authority"), _same_authority),
    "home_in_departments": Kind({"departments": "words"}, ("home_commune",), _home_in_departments),
    "sector_school": Kind({}, (), _sector_school),
}
JOINTS: Final = ("all", "any", "not")


def compile_all(conditions: tuple[Condition, ...]) -> Test:
    """One function for conditions that must all hold; none at all hold."""
    tests = tuple(compile_condition(one) for one in conditions)
    if len(tests) == 1:
        return tests[0]

    def test(facts: Facts) -> bool | None:
        answer: bool | None = True
        for one in tests:
            held = one(facts)
            if held is False:
                return False
            if held is None:
                answer = None
        return answer

    return test


def compile_condition(condition: Condition) -> Test:
    """The function that a condition is."""
    if condition.kind == "all":
        return compile_all(condition.of)
    tests = tuple(compile_condition(one) for one in condition.of)
    if condition.kind == "not":
        (only,) = tests
        return lambda facts: None if (held := only(facts)) is None else not held
    if condition.kind == "any":

        def test(facts: Facts) -> bool | None:
            answer: bool | None = False
            for one in tests:
                held = one(facts)
                if held:
                    return True
                if held is None:
                    answer = None
            return answer

        return test
    return KINDS[condition.kind].make(condition.given)


def list_missing(condition: Condition, facts: Facts) -> list[str]:
    """The facts that would settle a condition which is unknown; none when it is not."""
    if compile_condition(condition)(facts) is not None:
        return []
    if condition.of:
        return [fact for one in condition.of for fact in list_missing(one, facts)]
    return [fact for fact in KINDS[condition.kind].asks if getattr(facts, fact) is None]
