"""Searching: the optimiser at work on a study: how far it is, a button that stops it, and what it proposes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from mobigo.services.scolaire import searching, studying
from mobigo.services.scolaire.searching import ENDED, Search
from mobigo.texts import error_sentence
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line
from mobigo.web.people.forms import Fields, Link, status_of
from mobigo.web.scolaire.desk.comparing import compare_href
from mobigo.web.scolaire.desk.telling import Change, budget_told, changes_of, read_whole, search_href
from mobigo.web.scolaire.desk.year import YEAR, Planner, study_href
from mobigo.web.wording import number, say
from scolaire.plans import measure
from socle.errors import MobigoError


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A search."""

    title: str
    problems: Sequence[Link]
    lead: str
    href: str
    lines: Sequence[Line]
    is_over: bool
    changes: Sequence[Change]
    proposal: str
    compare: str
    version: int
    turn: int
    study_href: str
    back: Link


def _lines(one: Search, n_found: int | None) -> list[Line]:
    told: dict[str, str] = {"state": say(f"scolaire.desk.search.{one.state}")}
    if one.period:
        told["period"] = one.period
    for name, value in (("n_vehicles", one.n_vehicles), ("n_unserved", one.n_unserved)):
        if value is not None and one.state not in ENDED:
            told[name] = number(value)
    if n_found is not None:
        told["found"] = number(n_found)
    if one.bound is not None:
        told["bound"] = number(one.bound)
    if one.bound and n_found is not None:
        told["gap"] = f"{100 * (n_found - one.bound) // one.bound} %"
    told["spent"] = budget_told(one.spent_s)
    return [Line(say(f"scolaire.desk.search_line.{name}"), value) for name, value in told.items()]


def _page(request: Request, study_id: str, n: int, error: MobigoError | None = None) -> SearchPage:
    state = request.app.state
    one = searching.get_search(state.engine, study_id, n)
    study, _plan = studying.get_head(state.engine, state.keys, study_id)
    changes: Sequence[Change] = ()
    n_found = None
    if one.version is not None:
        base, found = (
            measure(studying.get_plan(state.engine, state.keys, study_id, version))
            for version in (one.base, one.version)
        )
        changes, n_found = changes_of(base, found), found.n_vehicles
    return SearchPage(
        title=say("scolaire.desk.search_title"),
        problems=[Link("#agir", error_sentence(error))] if error else (),
        lead=say("scolaire.desk.search_lead", version=one.base, budget=budget_told(one.budget_s)),
        href=search_href(study_id, n),
        lines=_lines(one, n_found),
        is_over=one.state in ENDED,
        changes=changes,
        proposal=say("scolaire.desk.proposal_lead", version=one.version) if one.version else "",
        compare=compare_href(study_id, one.base, one.version) if one.version else "",
        version=one.version or 0,
        turn=study.turn,
        study_href=study_href(study_id),
        back=Link(study_href(study_id), study.title),
    )


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/etude/…/recherche/…`."""
    router = APIRouter(include_in_schema=False)

    def show(request: Request, study_id: str, n: int, error: MobigoError | None = None) -> Response:
        page = _page(request, study_id, n, error)
        return pages.send(
            request,
            "scolaire/desk/search.html",
            fragment="scolaire/desk/search_state.html",
            status=status_of(error) if error else 200,
            cache="no-store",
            page=page,
            enhanced=True,
        )

    @router.get(f"{YEAR}/etude/{{study_id}}/recherche/{{number}}")
    def search(request: Request, _principal: Planner, study_id: str, number: str) -> Response:
        return show(request, study_id, read_whole(number))

    @router.post(f"{YEAR}/etude/{{study_id}}/recherche/{{number}}/arreter")
    def stop(request: Request, _principal: Planner, study_id: str, number: str, _form: Fields) -> Response:
        try:
            searching.stop(request.app.state.engine, study_id, read_whole(number), door.now_of(request))
        except MobigoError as error:
            return show(request, study_id, read_whole(number), error)
        return door.go(search_href(study_id, read_whole(number)))

    return router
