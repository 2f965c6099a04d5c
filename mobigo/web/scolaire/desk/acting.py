"""Acting: what is done to a study as a whole: undone, redone, another version taken up, published, optimised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from fastapi import APIRouter, Request, Response

from mobigo.services.scolaire import searching, studying
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.forms import Fields
from mobigo.web.scolaire.desk.study import send_study
from mobigo.web.scolaire.desk.telling import after_href, read_turn, read_whole, search_href
from mobigo.web.scolaire.desk.year import YEAR, Planner, study_href
from socle.errors import BadInput, MobigoError

_SEED = 1


def _why(form: Mapping[str, str]) -> str:
    return form.get("motif", "").strip()[:300]


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise BadInput("bad_day", day=typed[:20]) from None


def make_router(pages: Pages) -> APIRouter:
    """What is sent from `/scolaire/etude/…`."""
    router = APIRouter(include_in_schema=False)

    def act(request: Request, study_id: str, form: Mapping[str, str], do: Callable[[int], str]) -> Response:
        """Do something at the turn of the form, and look at where it leads."""
        turn: int | None = None
        try:
            turn = read_turn(form)
            return door.go(do(turn))
        except MobigoError as error:
            since = turn if error.code == "study_moved_on" else None
            return send_study(pages, request, study_id, error, since)

    def done_with(study_id: str, what: str) -> str:
        return door.with_query(study_href(study_id), fait=what)

    @router.post(f"{YEAR}/etude/{{study_id}}/annuler")
    def undo(request: Request, principal: Planner, study_id: str, form: Fields) -> Response:
        state, now = request.app.state, door.now_of(request)

        def do(turn: int) -> str:
            studying.undo(state.engine, state.keys, study_id, turn, principal.actor, now)
            return after_href(form, study_id, "annule")

        return act(request, study_id, form, do)

    @router.post(f"{YEAR}/etude/{{study_id}}/retablir")
    def redo(request: Request, principal: Planner, study_id: str, form: Fields) -> Response:
        state, now = request.app.state, door.now_of(request)

        def do(turn: int) -> str:
            studying.redo(state.engine, state.keys, study_id, turn, principal.actor, now)
            return done_with(study_id, "retabli")

        return act(request, study_id, form, do)

    @router.post(f"{YEAR}/etude/{{study_id}}/reprendre")
    def adopt(request: Request, principal: Planner, study_id: str, form: Fields) -> Response:
        state, now = request.app.state, door.now_of(request)

        def do(turn: int) -> str:
            version, why = read_whole(form.get("version", "")), _why(form)
            studying.adopt(state.engine, state.keys, study_id, turn, version, principal.actor, why, now)
            return done_with(study_id, "repris")

        return act(request, study_id, form, do)

    @router.post(f"{YEAR}/etude/{{study_id}}/publier")
    def publish(request: Request, principal: Planner, study_id: str, form: Fields) -> Response:
        state, now = request.app.state, door.now_of(request)

        def do(turn: int) -> str:
            day, why = _day(form.get("jour", "")), _why(form)
            if not why:
                raise BadInput("why_missing")
            studying.publish(state.engine, state.keys, study_id, turn, day, principal.actor, why, now)
            return done_with(study_id, "publie")

        return act(request, study_id, form, do)

    @router.post(f"{YEAR}/etude/{{study_id}}/recherches")
    def search(request: Request, principal: Planner, study_id: str, form: Fields) -> Response:
        state, now = request.app.state, door.now_of(request)

        def do(turn: int) -> str:
            budget = read_whole(form.get("duree", ""))
            asked = searching.ask(state.engine, study_id, turn, budget, _SEED, principal.actor, now)
            return search_href(study_id, asked.number)

        return act(request, study_id, form, do)

    return router
