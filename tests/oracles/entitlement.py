"""Entitlement from the raw document, one rule after the other, without compiling anything."""

import tomllib
from collections.abc import Mapping
from typing import Any

from scolaire.entitlement.model import Facts

Truth = bool | None


def decide(document: bytes, facts: Facts) -> tuple[str, str]:
    """Verdict and reason; an unknown condition stops the list."""
    for rule in tomllib.loads(document.decode())["rules"]:
        truth = conjunction([holds(one, facts) for one in rule.get("when", [])])
        if truth is None:
            return "incomplete", "incomplete"
        if truth:
            return rule["verdict"], rule["code"]
    raise AssertionError


def conjunction(truths: list[Truth]) -> Truth:
    if False in truths:
        return False
    return None if None in truths else True


def holds(condition: Mapping[str, Any], facts: Facts) -> Truth:
    kind = condition["type"]
    of = condition.get("of", [])
    inner = [holds(one, facts) for one in ([of] if isinstance(of, dict) else of)]
    match kind:
        case "all":
            return conjunction(inner)
        case "not":
            return None if inner[0] is None else not inner[0]
        case "any":
            found = conjunction([None if one is None else not one for one in inner])
            return None if found is None else not found
        case "level_in":
            return facts.level in condition["levels"]
        case "regime_in":
            return facts.regime in condition["regimes"]
        case "status_in":
            return facts.school_status in condition["statuses"]
        case "derogation_in":
            return facts.derogation in condition["reasons"]
        case "sector_school":
            return facts.attends_sector_school
        case "age_below" | "age_from":
            if facts.birth_year is None:
                return None
            is_below = facts.school_year - facts.birth_year < condition["years"]
            return is_below if kind == "age_below" else not is_below
        case "road_below":
            if facts.road_m is None:
                return False if facts.straight_m is not None and facts.straight_m >= condition["metres"] else None
            return facts.road_m < condition["metres"]
        case "straight_below":
            return None if facts.straight_m is None else facts.straight_m < condition["metres"]
        case "same_commune":
            return (
                None
                if None in (facts.home_commune, facts.school_commune)
                else facts.home_commune == facts.school_commune
            )
        case "home_inside":
            return None if facts.home_authority is None else facts.home_authority != ""
        case "home_outside":
            return None if facts.home_authority is None else facts.home_authority == ""
        case "same_authority":
            ends = facts.home_authority, facts.school_authority
            return False if "" in ends else None if None in ends else ends[0] == ends[1]
        case "home_in_departments":
            commune = facts.home_commune
            if commune is None:
                return None
            return any(commune.startswith(one) for one in condition["departments"])
    raise AssertionError(kind)
