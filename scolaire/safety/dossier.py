"""Dossier: what is known of a stop that a commune asks for, and what it lacks by the rule of the day."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files

from scolaire.pupils import Stop, StopStatus
from socle.geo import LatLon, distance_m


class Who(StrEnum):
    """Whose opinion is asked."""

    COMMUNE = "commune"
    ROAD = "road"  # who keeps the road
    CARRIER = "carrier"


class Says(StrEnum):
    """What an opinion comes to."""

    FOR = "for"
    RESERVE = "reserve"
    AGAINST = "against"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a stop must have, from a day on; `sight_m` by the speed allowed, in km/h."""

    valid_from: date
    least_pupils: int
    least_metres: int
    review_days: int
    sight_m: Mapping[int, int]

    def sight_at(self, speed_kmh: int) -> int:
        """The sight that a speed asks for: that of the next speed of the table, and of its highest one beyond."""
        return next(
            (metres for speed, metres in sorted(self.sight_m.items()) if speed >= speed_kmh), max(self.sight_m.values())
        )


@dataclass(frozen=True, slots=True)
class Dossier:
    """A stop that is asked for."""

    name: str
    position: LatLon
    n_pupils: int
    visibility_m: int
    speed_kmh: int
    waiting_area: bool
    crossing: bool
    no_reversing: bool


@cache
def _rules() -> list[Rule]:
    document = tomllib.loads(files("scolaire.safety").joinpath("rules.toml").read_text("utf-8"))
    return [
        Rule(
            one["from"],
            one["least_pupils"],
            one["least_metres"],
            one["review_days"],
            {int(speed): metres for speed, metres in one["sight_m"].items()},
        )
        for one in document["rule"]
    ]


def rule_on(day: date) -> Rule:
    """The rule that holds on a day: the first one for what lies before it."""
    valid = [rule for rule in _rules() if rule.valid_from <= day] or _rules()[:1]
    return max(valid, key=lambda rule: rule.valid_from)


def find_nearest(dossier: Dossier, stops: Iterable[Stop]) -> tuple[Stop, int] | None:
    """The nearest stop in use, and its metres as the crow flies."""
    used = [stop for stop in stops if stop.status is StopStatus.VALIDATED]
    if not used:
        return None
    nearest = min(used, key=lambda stop: distance_m(dossier.position, stop.position))
    return nearest, int(distance_m(dossier.position, nearest.position))


def list_faults(dossier: Dossier, stops: Iterable[Stop], opinions: Mapping[Who, Says], rule: Rule) -> list[str]:
    """What a stop lacks: codes, the gravest first."""
    nearest = find_nearest(dossier, stops)
    found = [
        ("short_sight", dossier.visibility_m < rule.sight_at(dossier.speed_kmh)),
        ("reversing", not dossier.no_reversing),
        ("no_waiting_area", not dossier.waiting_area),
        ("no_crossing", not dossier.crossing),
        ("few_pupils", dossier.n_pupils < rule.least_pupils),
        ("too_near", nearest is not None and nearest[1] < rule.least_metres),
        ("opinion_against", Says.AGAINST in opinions.values()),
        ("opinion_missing", set(opinions) != set(Who)),
    ]
    return [code for code, holds in found if holds]
