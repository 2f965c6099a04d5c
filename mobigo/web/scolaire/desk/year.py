"""The year: what is planned and published of each sector of a school year, and what is left to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from mobigo.security import Permission
from mobigo.services.people.principal import Principal
from mobigo.services.scolaire import searching, studying
from mobigo.services.scolaire.studying import SectorStudies
from mobigo.texts import error_sentence
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line
from mobigo.web.people.forms import Choice, Link, status_of
from mobigo.web.people.signing import HOME
from mobigo.web.wording import distance, euros, long_day, moment, number, say, say_count
from scolaire.entitlement.files import school_year_of
from socle.errors import MobigoError
from socle.times import PARIS

YEAR = "/scolaire"
_ADDED_UP = ("n_vehicles", "n_carried", "driven_m", "day_cents", "n_broken", "n_not_served")

Planner = Annotated[Principal, Depends(door.Needs(Permission.SCHOOL_PLAN))]
Uploaded = Annotated[Mapping[str, str], Depends(door.read_upload)]


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One study in the table."""

    href: str
    title: str
    stands: str
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class SectorPart:
    """A sector: what was published, and its studies."""

    key: str
    name: str
    told: str
    published: str
    rows: Sequence[StudyRow]


@dataclass(frozen=True, slots=True)
class YearPage:
    """The school year."""

    title: str
    problems: Sequence[Link]
    bar: Sequence[Line]
    todo: Sequence[Link]
    sectors: Sequence[SectorPart]
    choices: Sequence[Choice]
    typed: Mapping[str, str]
    earlier: Link
    later: Link
    back: Link


def study_href(study_id: str) -> str:
    """The page of a study."""
    return f"{YEAR}/etude/{study_id}"


def figures_told(figures: Mapping[str, int]) -> tuple[str, ...]:
    """Vehicles, rides, kilometres, euros of a day, promises that are broken, pupils who are not served."""
    return (
        number(figures["n_vehicles"]),
        number(figures["n_carried"]),
        distance(figures["driven_m"]),
        euros(figures["day_cents"]),
        number(figures["n_broken"]),
        number(figures["n_not_served"]),
    )


def _sector(one: SectorStudies, day: date) -> SectorPart:
    sector = one.sector
    holds = [each for each in one.publications if each.valid_from <= day]
    coming = [each for each in one.publications if each.valid_from > day]
    published = say("scolaire.desk.nothing_published")
    if holds:
        newest = max(holds, key=lambda each: (each.valid_from, each.number))
        published = say("scolaire.desk.published_since", day=long_day(newest.valid_from))
    elif coming:
        soonest = min(coming, key=lambda each: (each.valid_from, -each.number))
        published = say("scolaire.desk.published_from", day=long_day(soonest.valid_from))
    heads = {(each.study_id, each.version) for each in one.publications}
    rows = []
    for study in one.studies:
        figures = one.heads[study.study_id].figures
        is_published = (study.study_id, study.head) in heads
        rows.append(
            StudyRow(
                study_href(study.study_id),
                study.title,
                say("scolaire.desk.stands.published" if is_published else "scolaire.desk.stands.draft"),
                figures_told(figures) if figures else ("",) * len(_ADDED_UP),
            )
        )
    told = say(
        "scolaire.desk.sector_told",
        pupils=number(sector.n_pupils),
        left_out=number(sector.n_left_out),
        at=moment(sector.imported_at),
    )
    return SectorPart(sector.sector_id, sector.code, told, published, rows)


def _todo(sectors: Sequence[SectorStudies]) -> list[Link]:
    """What is left to do, the sectors in order."""
    found = []
    for one in sectors:
        at, name = f"#{one.sector.sector_id}", one.sector.code
        if one.figures is None:
            key = "no_study" if not one.studies else "not_published"
            found.append(Link(at, say(f"scolaire.desk.todo.{key}", sector=name)))
            continue
        found += [
            Link(at, say_count(f"scolaire.desk.todo.{figure}", one.figures[figure], sector=name))
            for figure in ("n_broken", "n_not_served")
            if one.figures[figure]
        ]
    return found


def _bar(sectors: Sequence[SectorStudies]) -> list[Line]:
    published = [one.figures for one in sectors if one.figures is not None]
    total = {name: sum(figures[name] for figures in published) for name in _ADDED_UP}
    lines = [
        Line(say("scolaire.desk.bar.pupils"), number(sum(one.sector.n_pupils for one in sectors))),
        Line(say("scolaire.desk.bar.published"), say("scolaire.desk.of", n=len(published), all=len(sectors))),
    ]
    names = [say(f"scolaire.desk.column.{name}") for name in _ADDED_UP]
    return lines + [Line(name, told) for name, told in zip(names, figures_told(total), strict=True)]


def _year(request: Request) -> int:
    typed = request.query_params.get("annee", "")
    if typed.isascii() and typed.isdigit() and len(typed) == 4 and 2000 <= int(typed) <= 2100:
        return int(typed)
    return school_year_of(door.now_of(request).astimezone(PARIS).date())


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire`."""
    router = APIRouter(include_in_schema=False)

    def show(request: Request, typed: Mapping[str, str], error: MobigoError | None = None) -> Response:
        year, day = _year(request), door.now_of(request).astimezone(PARIS).date()
        sectors = studying.list_year(request.app.state.engine, year, day)
        name = f"{year}-{year + 1}"
        page = YearPage(
            title=say("scolaire.desk.year", year=name),
            problems=[Link("#fichier", error_sentence(error))] if error else (),
            bar=_bar(sectors),
            todo=_todo(sectors),
            sectors=[_sector(one, day) for one in sectors],
            choices=[
                Choice(one.sector.sector_id, one.sector.code, one.sector.sector_id == typed.get("secteur"))
                for one in sectors
            ],
            typed={"titre": typed.get("titre", ""), "motif": typed.get("motif", "")},
            earlier=Link(f"{YEAR}?annee={year - 1}", f"{year - 1}-{year}"),
            later=Link(f"{YEAR}?annee={year + 1}", f"{year + 1}-{year + 2}"),
            back=Link(HOME, say("people.account.title")),
        )
        status = status_of(error) if error else 200
        return pages.send(request, "scolaire/desk/year.html", status=status, cache="no-store", page=page)

    @router.get(YEAR)
    def year(request: Request, _principal: Planner) -> Response:
        return show(request, {})

    @router.post(f"{YEAR}/etudes")
    def add(request: Request, principal: Planner, form: Uploaded) -> Response:
        state = request.app.state
        try:
            content, why, now = form.get("fichier", ""), form.get("motif", "").strip()[:300], door.now_of(request)
            about = (state.engine, state.keys, form.get("secteur", ""), form.get("titre", ""))
            if content.strip():
                study = studying.add_study(*about, content.encode(), principal.actor, why, now, state.data_dir)
            else:
                study = searching.begin(*about, principal.actor, why, now, state.data_dir)
        except MobigoError as error:
            return show(request, form, error)
        return door.go(study_href(study.study_id))

    return router
