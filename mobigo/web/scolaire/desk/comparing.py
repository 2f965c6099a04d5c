"""Comparing: two versions of plans of one sector, in differences only: measures, schools, pupils."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from mobigo.services.scolaire import studying
from mobigo.services.scolaire.studying import Study
from mobigo.web.layout import Pages
from mobigo.web.people.forms import Link
from mobigo.web.scolaire.desk.pictures import clock
from mobigo.web.scolaire.desk.telling import Change, changes_of, numbers_of, pupil_name, read_whole
from mobigo.web.scolaire.desk.year import YEAR, Planner, study_href
from mobigo.web.wording import mass, number, say, say_count
from scolaire.compare import Change as Moved
from scolaire.compare import Comparison, Going, Tallied, compare
from scolaire.plans import SchoolPlan
from socle.errors import BadInput, NotFound

_MOST_TOLD = 100
TALLIES = (
    "n_pupils",
    "n_other_stop",
    "n_earlier",
    "n_later",
    "n_other_coach",
    "n_no_more",
    "n_newly",
    "n_felt",
)


@dataclass(frozen=True, slots=True)
class SchoolRow:
    """How many pupils of a school are touched."""

    name: str
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class PupilRow:
    """A pupil who goes otherwise, on days on which that is the same."""

    pupil: str
    days: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ComparePage:
    """Two plans side by side."""

    title: str
    lead: str
    changes: Sequence[Change]
    felt: str
    schools: Sequence[SchoolRow]
    rows: Sequence[PupilRow]
    more: str
    back: Link


def compare_href(study_id: str, before: int, after: int) -> str:
    """Two versions of one study side by side."""
    return f"{YEAR}/comparer/{study_id}.{before}/{study_id}.{after}"


def _plan(request: Request, named: str) -> tuple[Study, int, SchoolPlan]:
    study_id, _, version = named.rpartition(".")
    if not study_id:
        raise NotFound("unknown_study", study=named[:100])
    state, wanted = request.app.state, read_whole(version)
    plan = studying.get_plan(state.engine, state.keys, study_id, wanted)
    study, _head = studying.get_head(state.engine, state.keys, study_id)
    return study, wanted, plan


def _going(plan: SchoolPlan, one: Going | None) -> str:
    if one is None:
        return say("scolaire.desk.not_carried")
    stop = next((each.name for each in plan.stops if each.stop_id == one.stop_id), one.stop_id)
    return say("scolaire.desk.going", stop=stop, at=clock(one.stop_s), circuit=one.circuit_id)


def _rows(before: SchoolPlan, after: SchoolPlan, changes: Sequence[Moved]) -> list[PupilRow]:
    """Whoever must be told first; days alike in one row."""
    days: dict[tuple[str, str, str, str, bool], list[int]] = {}
    numbers = {**numbers_of(before), **numbers_of(after)}
    for one in changes:
        name = pupil_name(numbers, one.pupil_id)
        told = (name, one.direction, _going(before, one.before), _going(after, one.after), one.is_felt)
        days.setdefault(told, []).append(one.day)
    ordered = sorted(days.items(), key=lambda item: not item[0][4])
    return [
        PupilRow(
            name,
            f"{say(f'scolaire.desk.direction.{direction}')} : "
            + ", ".join(say(f"scolaire.desk.day.{day}") for day in sorted(some)),
            was,
            now,
        )
        for (name, direction, was, now, _felt), some in ordered
    ]


def _cells(one: Tallied) -> list[str]:
    return [number(getattr(one, name)) for name in TALLIES]


def _changes(found: Comparison) -> list[Change]:
    changes = changes_of(found.before, found.after)
    was, now = found.week_co2_g
    if was != now:
        sign = "+" if now > was else "−"
        name = say("scolaire.desk.co2")
        changes.append(Change(name, mass(was), mass(now), f"{sign}{mass(abs(now - was))}"))
    return changes


def _compare_page(request: Request, one: str, other: str) -> ComparePage:
    (study, version, before), (second, second_version, after) = _plan(request, one), _plan(request, other)
    if study.sector_id != second.sector_id:
        raise BadInput("plans_of_two_sectors", one=study.sector_id, other=second.sector_id)
    found = compare(before, after)
    names = {school.school_id: school.name for plan in (before, after) for school in plan.schools}
    touched = {school: tallied for school, tallied in found.by_school.items() if any(_counts(tallied)[1:])}
    rows = _rows(before, after, found.changes)
    rest = len(rows) - _MOST_TOLD
    titles = {"one": study.title, "other": second.title}
    return ComparePage(
        title=say("scolaire.desk.comparison"),
        lead=say("scolaire.desk.comparison_lead", version=version, other_version=second_version, **titles),
        changes=_changes(found),
        felt=say_count("scolaire.desk.felt", found.all.n_felt),
        schools=[SchoolRow(names.get(school, school), _cells(one)) for school, one in touched.items()]
        + [SchoolRow(say("scolaire.desk.all_schools"), _cells(found.all))],
        rows=rows[:_MOST_TOLD],
        more=say_count("scolaire.desk.more", rest) if rest > 0 else "",
        back=Link(study_href(second.study_id), second.title),
    )


def _counts(one: Tallied) -> list[int]:
    return [getattr(one, name) for name in TALLIES]


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/comparer/…`."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{YEAR}/comparer/{{one}}/{{other}}")
    def comparison(request: Request, _principal: Planner, one: str, other: str) -> Response:
        page = _compare_page(request, one, other)
        return pages.send(request, "scolaire/desk/compare.html", cache="no-store", page=page)

    return router
