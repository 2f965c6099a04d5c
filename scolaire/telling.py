"""Telling: whom a message about coaches concerns: the children who ride on a day, by circuit, direction and stop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from scolaire.plans import Direction, SchoolPlan, rides_of


class Matter(StrEnum):
    """What a message is about."""

    DELAY = "delay"
    SNOW = "snow"
    STRIKE = "strike"
    NOT_RUN = "not_run"
    STOP_MOVED = "stop_moved"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Scope:
    """Of which coaches a message speaks; nothing named is everything. Stops are where pupils wait or are set down."""

    day: date
    circuits: frozenset[str] = frozenset()
    stops: frozenset[str] = frozenset()
    direction: Direction | None = None


def concerned(plan: SchoolPlan, scope: Scope) -> frozenset[str]:
    """The pupils who ride within the scope on its day, by the ids of the plan."""
    found = set()
    for run in plan.runs:
        period = plan.periods[run.period]
        is_meant = not scope.circuits or run.circuit_id in scope.circuits
        if (
            not is_meant
            or not period.days >> scope.day.weekday() & 1
            or scope.direction not in (None, period.direction)
        ):
            continue
        for ride in rides_of(run):
            stop = None if ride.stop is None else plan.stops[ride.stop].stop_id
            if not scope.stops or stop in scope.stops:
                found.add(plan.riders[ride.rider].pupil_id)
    return frozenset(found)
