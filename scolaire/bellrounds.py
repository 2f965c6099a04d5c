"""Bell rounds: a week planned, bells chosen for its runs, the week planned again under them, and what each step gave.

The first bells are chosen for runs that were planned as if coaches might come to each school under any of its bells:
such runs follow one another far better than those of the bells as they are, and most still do when every school has
one bell. The runs of the plan as it is give the points of the front that move few minutes.

Bells stay within the permitted minutes of those of the files through all rounds; lessons of every day move together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from scolaire.bells import EFFORT, Chosen, chained, choose_bells, with_bells, with_wider_windows
from scolaire.periods import Asked, Sight, plan_week
from scolaire.plans import SchoolPlan
from scolaire.pupils import Sector
from scolaire.ways import Ways, places_of
from socle.matrix import TravelMatrix

ROUNDS: Final = 2
_PARTS: Final = 2 + ROUNDS  # of the budget: bells as filed, any bells at once, and each round
MOST_POINTS: Final = 6  # of a front, beside the plans that were made


@dataclass(frozen=True, slots=True)
class Point:
    """Bells, and how many coaches the morning takes with them: as planned, or with the runs of the plan as they are."""

    n_coaches: int
    minutes: int
    n_schools: int
    fewest: int  # no bells within the permitted minutes do with fewer for these runs
    is_proved: bool
    is_planned: bool
    moved_s: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Rung:
    """The plan with the fewest coaches, and the points that no other one beats, the fewest coaches first."""

    plan: SchoolPlan
    front: tuple[Point, ...]


def plan_with_bells(
    sector: Sector,
    matrix: TravelMatrix,
    asked: Asked,
    title: str,
    most_s: int,
    *,
    ways_named: str = "straight",
    reference: SchoolPlan | None = None,
    on_better: Callable[[Sight], bool] | None = None,
    on_plan: Callable[[SchoolPlan], None] | None = None,
    effort: float = EFFORT,
) -> Rung:
    """The week of a sector under bells that may move by `most_s`; the budget is shared by all rounds alike."""
    ways = Ways(places_of(sector), matrix)
    part = replace(
        asked,
        steps=None if asked.steps is None else max(1, asked.steps // _PARTS),
        seconds=None if asked.seconds is None else asked.seconds / _PARTS,
    )

    def planned(moved_s: Mapping[int, int], before: SchoolPlan | None) -> SchoolPlan:
        rung = replace(sector, schools=with_bells(sector.schools, moved_s))
        kept = {"ways_named": ways_named, "reference": before}
        return plan_week(rung, matrix, part, title, on_better=on_better, on_plan=on_plan, **kept)  # type: ignore[arg-type] # a word and a plan

    best = plan = planned({}, reference)
    points = [_point(plan, sector, Chosen({}, 0, 0, is_proved=True), is_planned=True)]
    if not plan.periods or not plan.runs_of(0):
        return Rung(best, _front(points))
    n_filed = len(plan.runs_of(0))
    chosen = choose_bells(plan, ways, most_s, effort=effort)
    points += _between(plan, sector, ways, most_s, chosen, n_filed, effort)
    wide = replace(sector, schools=with_wider_windows(sector.schools, most_s))
    plan = plan_week(
        wide, matrix, part, title, reference=plan, on_better=on_better, periods=plan.periods[:1], ways_named=ways_named
    )
    for _ in range(ROUNDS):
        as_filed = replace(plan, schools=sector.schools)
        chosen = choose_bells(as_filed, ways, most_s, effort=effort)
        points += _between(as_filed, sector, ways, most_s, chosen, n_filed, effort)
        plan = planned(chosen.moved_s, chained(as_filed, 0, chosen) if chosen.coaches else plan)
        points.append(_point(plan, sector, chosen, is_planned=True))
        if _rank(plan) < _rank(best):
            best = plan
    return Rung(best, _front(points))


def _rank(plan: SchoolPlan) -> tuple[int, int]:
    return len(plan.not_served), len(plan.circuits)


def _between(
    plan: SchoolPlan, sector: Sector, ways: Ways, most_s: int, chosen: Chosen, n_now: int, effort: float
) -> list[Point]:
    """The least minutes for numbers of coaches between the fewest and those of now."""
    wanted = list(range(chosen.n_coaches, n_now))
    step = max(1, -(-len(wanted) // MOST_POINTS))
    found = []
    for n_coaches in wanted[::step]:
        one = choose_bells(plan, ways, most_s, most_coaches=n_coaches, effort=effort / MOST_POINTS)
        if one.moved_s:
            found.append(_point(plan, sector, replace(one, fewest=chosen.fewest), is_planned=False))
    return found


def _point(plan: SchoolPlan, sector: Sector, chosen: Chosen, *, is_planned: bool) -> Point:
    n_coaches = len(plan.runs_of(0)) if is_planned else chosen.n_coaches
    moved = {sector.schools[school].school_id: seconds for school, seconds in sorted(chosen.moved_s.items())}
    return Point(n_coaches, chosen.minutes, len(moved), chosen.fewest, chosen.is_proved, is_planned, moved)


def _front(points: list[Point]) -> tuple[Point, ...]:
    """The points that none beats in coaches, minutes and schools."""
    found: list[Point] = []
    for one in sorted(
        points, key=lambda point: (point.n_coaches, point.minutes, point.n_schools, not point.is_planned)
    ):
        if not any(other.minutes <= one.minutes and other.n_schools <= one.n_schools for other in found):
            found.append(one)
    return tuple(found)
