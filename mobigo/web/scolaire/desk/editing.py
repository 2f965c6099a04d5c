"""Editing: every change of a plan as a form: tried out with who is affected, then kept with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from mobigo.services.scolaire import editing, studying
from mobigo.services.scolaire.editing import Tried
from mobigo.services.scolaire.studying import Study
from mobigo.texts import error_sentence
from mobigo.web import door
from mobigo.web.layout import Pages, wants_fragment
from mobigo.web.people.forms import Field, Fields, Link, status_of
from mobigo.web.scolaire.desk.asking import QUESTIONS, fields_of, read_answers
from mobigo.web.scolaire.desk.pictures import clock
from mobigo.web.scolaire.desk.telling import (
    Change,
    Todo,
    Told,
    after_href,
    changes_of,
    journal_told,
    numbers_of,
    pupil_name,
    read_turn,
    todo_of,
)
from mobigo.web.scolaire.desk.year import YEAR, Planner, study_href
from mobigo.web.wording import say, say_count
from scolaire.edits.affected import Affected, Passage
from scolaire.plans import SchoolPlan
from socle.errors import MobigoError

KEEP = "garder"  # what the button of a change that was tried out says
_MOST_AFFECTED = 60  # told one by one; the rest is counted


@dataclass(frozen=True, slots=True)
class AffectedRow:
    """A pupil whom the change concerns, in one period."""

    pupil: str
    period: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do."""

    lead: str
    changes: Sequence[Change]
    todo: Sequence[Todo]
    rows: Sequence[AffectedRow]
    more: str


@dataclass(frozen=True, slots=True)
class EditPage:
    """The kinds of changes, the form of one, and what it would do."""

    title: str
    problems: Sequence[Link]
    moved: Sequence[Told]
    kinds: Sequence[Link]
    kind: str
    lead: str
    action: str
    fields: Sequence[Field]
    turn: int
    why: str
    preview: Preview | None
    hidden: Mapping[str, str]
    kept: Mapping[str, str]
    back: Link


def edit_href(study_id: str, kind: str, **answers: str) -> str:
    """The form of a kind of change, with some answers."""
    path = f"{study_href(study_id)}/modifier/{kind}"
    return door.with_query(path, **answers) if answers else path


def _passage(names: Mapping[str, str], one: Passage | None) -> str:
    if one is None:
        return say("scolaire.desk.not_carried")
    return say(
        "scolaire.desk.passage",
        stop=names.get(one.stop_id, one.stop_id),
        at=clock(one.stop_s),
        school_at=clock(one.school_s),
        run=one.run_id,
    )


def _preview(study_id: str, tried: Tried) -> Preview:
    edited, plan = tried.edited, tried.edited.plan
    names = {stop.stop_id: stop.name for stop in plan.stops}
    pupils = {one.pupil_id for one in edited.affected}
    shown = edited.affected[:_MOST_AFFECTED]
    rest = len(edited.affected) - len(shown)
    numbers = numbers_of(plan)
    return Preview(
        lead=say_count("scolaire.desk.affected", len(pupils)),
        changes=changes_of(edited.before, edited.after),
        todo=todo_of(study_id, plan, edited.violations),
        rows=[_row(numbers, names, one) for one in shown],
        more=say_count("scolaire.desk.more", rest) if rest else "",
    )


def _row(numbers: Mapping[str, int], names: Mapping[str, str], one: Affected) -> AffectedRow:
    told = [_passage(names, each) for each in (one.before, one.after)]
    return AffectedRow(pupil_name(numbers, one.pupil_id), one.period_id, *told)


def _kinds(study_id: str) -> list[Link]:
    return [Link(edit_href(study_id, kind), say(f"scolaire.desk.kind.{kind}.name")) for kind in QUESTIONS]


def _tree(request: Request, study: Study, plan: SchoolPlan, kind: str, form: Mapping[str, str]) -> dict[str, Any]:
    tree = read_answers(plan, kind, form)
    if kind == "add_pupil":
        state = request.app.state
        edit = editing.new_pupil(state.engine, state.keys, study.sector_id, tree["pupil_id"], tree["stop_id"])
        tree = {"kind": kind, **asdict(edit)}
    return tree


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/etude/…/modifier`."""
    router = APIRouter(include_in_schema=False)

    def show(
        request: Request,
        study_id: str,
        kind: str,
        typed: Mapping[str, str],
        tried: Tried | None = None,
        error: MobigoError | None = None,
        since: int | None = None,
    ) -> Response:
        state = request.app.state
        study, plan = studying.get_head(state.engine, state.keys, study_id)
        moved = [] if since is None else studying.list_since(state.engine, state.keys, study_id, since)
        alone = wants_fragment(request)
        kept = {"periode": typed["periode"]} if typed.get("periode") else {}  # where it came from
        at = error.facts.get("name", "formulaire") if error else ""
        page = EditPage(
            title=say(f"scolaire.desk.kind.{kind}.name") if kind else say("scolaire.desk.edit"),
            problems=[Link(f"#{at}", error_sentence(error))] if error else (),
            moved=[journal_told(line) for line in moved],
            kinds=_kinds(study_id) if not alone else (),
            kind=kind,
            lead=say(f"scolaire.desk.kind.{kind}.lead") if kind else "",
            action=edit_href(study_id, kind) if kind else "",
            fields=fields_of(plan, kind, typed) if kind and not alone else (),
            turn=study.turn,
            why=typed.get("motif", "")[:300],
            preview=_preview(study_id, tried) if tried else None,
            hidden=kept | {one.name: typed.get(one.name, "") for one in QUESTIONS[kind]} if tried else {},
            kept=kept,
            back=Link(study_href(study_id), study.title),
        )
        status = status_of(error) if error else 200
        return pages.send(
            request,
            "scolaire/desk/edit.html",
            fragment="scolaire/desk/preview.html",
            status=status,
            cache="no-store",
            page=page,
            enhanced=True,
            alone=alone,
        )

    @router.get(f"{YEAR}/etude/{{study_id}}/modifier")
    def kinds(request: Request, _principal: Planner, study_id: str) -> Response:
        return show(request, study_id, "", {})

    @router.get(f"{YEAR}/etude/{{study_id}}/modifier/{{kind}}")
    def ask(request: Request, _principal: Planner, study_id: str, kind: str) -> Response:
        return show(request, study_id, kind if kind in QUESTIONS else "", request.query_params)

    @router.post(f"{YEAR}/etude/{{study_id}}/modifier/{{kind}}")
    def change(request: Request, principal: Planner, study_id: str, kind: str, form: Fields) -> Response:
        state = request.app.state
        if kind not in QUESTIONS:
            return show(request, study_id, "", {})
        turn: int | None = None
        try:
            turn = read_turn(form)
            study, plan = studying.get_head(state.engine, state.keys, study_id)
            tree = _tree(request, study, plan, kind, form)
            if form.get("faire") != KEEP:
                tried = editing.try_out(state.engine, state.keys, study_id, turn, tree, state.data_dir)
                return show(request, study_id, kind, form, tried)
            why = form.get("motif", "").strip()[:300]
            now = door.now_of(request)
            editing.keep(state.engine, state.keys, study_id, turn, tree, principal.actor, why, now, state.data_dir)
        except MobigoError as error:
            since = turn if error.code == "study_moved_on" else None
            return show(request, study_id, kind, form, error=error, since=since)
        return door.go(after_href(form, study_id, "change"))

    return router
