"""Filling on pages: boardings against registrations with a chart and its table, and what a planner may do about it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from mobigo.security import Permission
from mobigo.services.people.principal import Principal
from mobigo.services.scolaire import carding, filling
from mobigo.services.scolaire.filling import Filled
from mobigo.services.scolaire.registering import Acting
from mobigo.texts import finding_sentence
from mobigo.web import door
from mobigo.web.drawing import Bar, bar_chart
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line, back_to_account
from mobigo.web.people.forms import Choice, Field, FormPage, Link
from mobigo.web.scolaire.contracts import read_day
from mobigo.web.scolaire.desk.editing import edit_href
from mobigo.web.scolaire.desk.year import Planner
from mobigo.web.scolaire.office.files import ORGANISER, Clerk, acting_locally, acting_of_clerk, read_year
from mobigo.web.scolaire.places import FILL, LOCAL_FILL, OFFICE_FILL
from mobigo.web.scolaire.sheets import NOTHING, Cell, Sheet, Table, send_sheet
from mobigo.web.wording import long_day, say
from scolaire.fill import Used
from socle.errors import MobigoError
from socle.times import PARIS

N_BARS: Final = 12


def _days(request: Request) -> tuple[date, date]:
    today = door.now_of(request).astimezone(PARIS).date()
    typed = request.query_params
    last = read_day(typed["au"]) if typed.get("au") else today
    first = read_day(typed["du"]) if typed.get("du") else last - timedelta(days=filling.USUAL_DAYS - 1)
    return first, last


def _ask(path: str, sectors: list[str], sector_id: str, first: date, last: date) -> FormPage:
    fields = (
        Field(
            "secteur", say("scolaire.cards.sector"), "select", sector_id, choices=[Choice(one, one) for one in sectors]
        ),
        Field("du", say("scolaire.fill.first"), "date", first.isoformat()),
        Field("au", say("scolaire.fill.last"), "date", last.isoformat()),
    )
    return FormPage(say("scolaire.cards.show"), path, say("scolaire.cards.show"), fields)


def _used(one: Used, name: str) -> list[Cell]:
    numbers = (one.n_expected, one.n_seen, one.percent, one.n_outings)
    return [Cell(name), *(Cell(str(n)) for n in numbers)]


def _tables(found: Filled, proposals: list[list[Cell]]) -> list[Table]:
    fill = found.fill
    common = ("expected", "seen", "percent", "outings")
    of_circuits = [say(f"scolaire.fill.column.{name}") for name in ("circuit", *common, "most", "seats", "silent")]
    circuits = [
        [*_used(one, one.name), Cell(str(one.most)), Cell(str(one.seats)), Cell(str(one.n_silent))]
        for one in fill.circuits
    ]
    of_stops = [say(f"scolaire.fill.column.{name}") for name in ("stop", *common)]
    stops = [
        _used(one, found.stops.get(one.name, one.name))
        for one in sorted(fill.stops, key=lambda one: (one.percent, one.name))
    ]
    proposed = [say("scolaire.fill.column.finding")]
    if any(act.text for _, act in proposals):
        proposed.append(say("scolaire.fill.column.act"))
    proposals = [row[: len(proposed)] for row in proposals]
    none = say("scolaire.fill.nothing")
    return [
        Table(say("scolaire.fill.proposals"), proposed, proposals, none=say("scolaire.fill.no_proposal")),
        Table(say("scolaire.fill.circuits"), of_circuits, circuits, frozenset(range(1, 8)), none),
        Table(say("scolaire.fill.stops"), of_stops, stops, frozenset(range(1, 5)), none),
    ]


def _proposals(found: Filled, *, may_plan: bool) -> list[list[Cell]]:
    rows = []
    for one in found.fill.findings:
        act = Cell("")
        if may_plan and found.study_id is not None and one.code == "stop_never_used":
            href = edit_href(found.study_id, "close_stop", arret=str(one.facts["stop_id"]))
            act = Cell(say("scolaire.desk.kind.close_stop.name"), href)
        elif may_plan and found.study_id is not None and one.code == "coach_too_large":
            href = edit_href(found.study_id, "change_vehicle", circuit=str(one.facts["circuit_id"]))
            act = Cell(say("scolaire.desk.kind.change_vehicle.name"), href)
        rows.append([Cell(finding_sentence(one)), act])
    return rows


def _chart(found: Filled) -> Markup:
    """The circuits that are used least: the table under it has all."""
    least = sorted((one for one in found.fill.circuits if one.n_expected), key=lambda one: (one.percent, one.name))
    if not least:
        return NOTHING
    bars = [Bar(one.name, one.percent, f"{one.percent} %") for one in least[:N_BARS]]
    told = say("scolaire.fill.chart_told", n=len(bars))
    svg = bar_chart(bars, key="remplissage", title=say("scolaire.fill.chart"), description=told, full=100)
    return Markup(svg)  # noqa: S704  drawn by us, names are escaped there


def _sheet(
    request: Request, path: str, back: Link, within: Acting | None, *, may_plan: bool
) -> tuple[Sheet, MobigoError | None]:
    state, now = request.app.state, door.now_of(request)
    sectors = carding.list_sector_ids(state.engine, read_year(request, request.query_params.get("annee", "")))
    chosen = request.query_params.get("secteur", "")
    sector_id = chosen if chosen in sectors else (sectors[0] if sectors else "")
    title = say("scolaire.fill.title")
    if not sector_id:
        return Sheet(title, back, lead=say("scolaire.cards.no_sector")), None
    today = now.astimezone(PARIS).date()
    first, last = today - timedelta(days=filling.USUAL_DAYS - 1), today
    try:
        first, last = _days(request)
        found = filling.fill(state.engine, state.keys, sector_id, first, last, now, within)
    except MobigoError as error:
        return Sheet(title, back, ask=_ask(path, sectors, sector_id, first, last)), error
    fill = found.fill
    lines = [
        Line(say("scolaire.fill.column.expected"), str(fill.n_expected)),
        Line(say("scolaire.fill.column.seen"), str(fill.n_seen)),
        Line(say("scolaire.fill.never"), str(len(fill.never_seen))),
    ]
    if found.kept_since is not None:
        lines.append(Line(say("scolaire.fill.since"), long_day(found.kept_since)))
    tables = _tables(found, _proposals(found, may_plan=may_plan))
    if within is not None:
        named = filling.list_never_seen(state.engine, state.keys, within, found, now)
        rows = [[Cell(one.name)] for one in named]
        tables.append(
            Table(
                say("scolaire.fill.never"), [say("scolaire.cards.column.pupil")], rows, none=say("scolaire.fill.nobody")
            )
        )
    lead = say("scolaire.fill.lead", first=long_day(first), last=long_day(last))
    ask = _ask(path, sectors, sector_id, first, last)
    return Sheet(title, back, lead=lead, lines=lines, ask=ask, chart=_chart(found), tables=tables), None


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/remplissage` for planners, the same under the office and local organisers."""
    router = APIRouter(include_in_schema=False)

    @router.get(FILL)
    def fill(request: Request, _principal: Planner) -> Response:
        sheet, error = _sheet(request, FILL, back_to_account(), None, may_plan=True)
        return send_sheet(pages, request, sheet, error)

    @router.get(OFFICE_FILL)
    def office_fill(request: Request, principal: Clerk) -> Response:
        may_plan = principal.may(Permission.SCHOOL_PLAN)
        acting = acting_of_clerk(request, principal)
        sheet, error = _sheet(request, OFFICE_FILL, back_to_account(), acting, may_plan=may_plan)
        return send_sheet(pages, request, sheet, error)

    @router.get(LOCAL_FILL)
    def local_fill(request: Request, principal: Principal = ORGANISER) -> Response:
        acting = acting_locally(request, principal)
        sheet, error = _sheet(request, LOCAL_FILL, back_to_account(), acting, may_plan=False)
        return send_sheet(pages, request, sheet, error)

    return router
