"""A study: its map, what it breaks, its circuits, the day of its coaches, how long rides last, and its journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from mobigo.services.scolaire import filling, searching, studying
from mobigo.services.scolaire.looking import CircuitFigures, Seen, look
from mobigo.services.scolaire.studying import OpenStudy
from mobigo.texts import error_sentence
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line
from mobigo.web.people.forms import Choice, Link, status_of
from mobigo.web.scolaire.desk.boarded import Boarded, boarded
from mobigo.web.scolaire.desk.comparing import compare_href
from mobigo.web.scolaire.desk.pictures import Drawn, day_of_coaches, look_of, plan_map, ride_times
from mobigo.web.scolaire.desk.telling import (
    DONE,
    Change,
    Todo,
    Told,
    budget_told,
    changes_of,
    journal_told,
    kpis_of,
    run_href,
    search_link,
    todo_of,
)
from mobigo.web.scolaire.desk.year import YEAR, Planner, study_href
from mobigo.web.wording import distance, duration, long_day, moment, number, say
from scolaire.plans import measure
from socle.errors import MobigoError
from socle.times import PARIS

SORTS: Mapping[str, str] = {
    "circuit": "circuit_id",
    "eleves": "n_pupils",
    "km": "driven_m",
    "duree": "duty_s",
    "remplissage": "fill_percent",
    "trajet": "ride_most_s",
    "defauts": "n_broken",
}
_USUAL_S = 60
_COLUMNS = ("circuit", "eleves", "km", "duree", "remplissage", "trajet", "defauts")


@dataclass(frozen=True, slots=True)
class Heading:
    """A column, and the link that sorts by it."""

    href: str
    name: str
    sort: str  # aria-sort, empty when the table is sorted by another


@dataclass(frozen=True, slots=True)
class CircuitRow:
    """One circuit in the table."""

    look: str
    name: str
    vehicle: str
    runs: Sequence[Link]
    cells: Sequence[str]
    locked: bool
    href: str


@dataclass(frozen=True, slots=True)
class StudyPage:
    """A study at its head."""

    title: str
    lead: str
    said: str
    problems: Sequence[Link]
    moved: Sequence[Told]
    href: str
    turn: int
    may_undo: bool
    may_redo: bool
    kpis: Sequence[Line]
    todo: Sequence[Todo]
    boarded: Boarded | None
    changes: Sequence[Change]
    compare: str
    shown: str
    map: Drawn
    gantt: Drawn
    rides: Drawn
    headings: Sequence[Heading]
    rows: Sequence[CircuitRow]
    journal: Sequence[Told]
    published: Sequence[str]
    versions: Sequence[Link]
    searches: Sequence[Link]
    budgets: Sequence[Choice]
    valid_from: str
    first_day: str
    last_day: str
    back: Link


def _circuits(seen: Seen, study_id: str, chosen: str, sort: str) -> list[CircuitRow]:
    places = {one.circuit_id: at for at, one in enumerate(seen.circuits)}
    name = SORTS[sort]
    ordered = sorted(seen.circuits, key=lambda one: (getattr(one, name), one.circuit_id), reverse=sort != "circuit")
    return [
        CircuitRow(
            look_of(places[one.circuit_id]),
            one.circuit_id,
            seen.plan.vehicle_types[one.vehicle_type].type_id,
            [Link(run_href(study_id, run.run_id), run.run_id) for run in one.runs],
            (
                number(one.n_pupils),
                distance(one.driven_m),
                duration(one.duty_s),
                f"{one.fill_percent} %",
                duration(one.ride_most_s),
                number(one.n_broken),
            ),
            one.is_locked,
            f"{study_href(study_id)}?{'' if one.circuit_id == chosen else f'circuit={one.circuit_id}'}#plan",
        )
        for one in ordered
    ]


def _headings(study_id: str, sort: str) -> list[Heading]:
    return [
        Heading(
            f"{study_href(study_id)}?tri={name}#circuits",
            say(f"scolaire.desk.sort.{name}"),
            ("ascending" if name == "circuit" else "descending") if name == sort else "",
        )
        for name in _COLUMNS
    ]


def _stands(found: OpenStudy) -> str:
    head = found.study.head
    holds = next((one for one in found.published if one.version == head), None)
    if holds is not None:
        return say("scolaire.desk.lead.published", version=head, day=long_day(holds.valid_from))
    return say("scolaire.desk.lead.draft", version=head)


def _chosen(seen: Seen, circuit: str) -> Sequence[tuple[int, CircuitFigures]]:
    numbered = list(enumerate(seen.circuits))
    return [one for one in numbered if one[1].circuit_id == circuit] or numbered


def study_page(
    request: Request, study_id: str, said: str = "", error: MobigoError | None = None, since: int | None = None
) -> StudyPage:
    """The page of a study at its head."""
    state, typed = request.app.state, request.query_params
    found = studying.open_study(state.engine, state.keys, study_id)
    seen = look(found.plan, state.data_dir)
    before = None
    if found.before is not None:
        before = measure(studying.get_plan(state.engine, state.keys, study_id, found.before))
    sort = typed.get("tri", "") if typed.get("tri", "") in SORTS else "circuit"
    shown = _chosen(seen, typed.get("circuit", ""))
    first, last = studying.days_of_year(found.sector.school_year)
    today = door.now_of(request).astimezone(PARIS).date()
    proposed = filling.propose(state.engine, state.keys, found.sector.sector_id, door.now_of(request))
    moved = [] if since is None else studying.list_since(state.engine, state.keys, study_id, since)
    versions = [one for one in reversed(found.versions) if one.number != found.study.head][:20]
    return StudyPage(
        title=found.study.title,
        lead=say("scolaire.desk.lead.sector", sector=found.sector.code, stands=_stands(found)),
        said=said,
        problems=[Link("#agir", error_sentence(error))] if error else (),
        moved=[journal_told(line) for line in moved],
        href=study_href(study_id),
        turn=found.study.turn,
        may_undo=found.before is not None,
        may_redo=found.after is not None,
        kpis=kpis_of(seen.measures),
        todo=todo_of(study_id, found.plan, seen.broken),
        boarded=boarded(study_id, found.sector.sector_id, found.plan, proposed),
        changes=changes_of(before, seen.measures) if before is not None else (),
        compare=compare_href(study_id, found.before, found.study.head) if found.before is not None else "",
        shown=shown[0][1].circuit_id if len(shown) == 1 and len(seen.circuits) > 1 else "",
        map=plan_map(found.plan, shown),
        gantt=day_of_coaches(seen.circuits),
        rides=ride_times(found.plan),
        headings=_headings(study_id, sort),
        rows=_circuits(seen, study_id, shown[0][1].circuit_id if len(shown) == 1 else "", sort),
        journal=[journal_told(line) for line in found.journal],
        published=[
            say("scolaire.desk.published_line", day=long_day(one.valid_from), version=one.version, why=one.why)
            for one in found.published
        ],
        versions=[
            Link(str(one.number), say("scolaire.desk.version_told", version=one.number, at=moment(one.made_at)))
            for one in versions
        ],
        searches=[search_link(one) for one in searching.list_searches(state.engine, study_id)],
        budgets=[Choice(str(one), budget_told(one), one == _USUAL_S) for one in searching.BUDGETS_S],
        valid_from=str(min(max(today, first), last)),
        first_day=str(first),
        last_day=str(last),
        back=Link(f"{YEAR}?annee={found.sector.school_year}", say("scolaire.desk.title")),
    )


def send_study(
    pages: Pages,
    request: Request,
    study_id: str,
    error: MobigoError | None = None,
    since: int | None = None,
    said: str = "",
) -> Response:
    """The page of a study; with what was wrong, and what changed since a turn."""
    page = study_page(request, study_id, said, error, since)
    status = status_of(error) if error else 200
    return pages.send(request, "scolaire/desk/study.html", status=status, cache="no-store", page=page)


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/etude/…`."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{YEAR}/etude/{{study_id}}")
    def study(request: Request, _principal: Planner, study_id: str, fait: str = "") -> Response:
        said = say(f"scolaire.desk.done.{fait}") if fait in DONE else ""
        return send_study(pages, request, study_id, said=said)

    return router
