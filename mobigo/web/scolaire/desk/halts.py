"""Halts: the runs of one period side by side, each with its halts, from which a halt goes over to another run.

A link leads from each halt to the form that moves it; where scripts run it is dragged, which sends that same form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from mobigo.services.scolaire import studying
from mobigo.services.scolaire.looking import Seen, look
from mobigo.web.layout import Pages
from mobigo.web.people.forms import Choice, Link
from mobigo.web.scolaire.desk.editing import edit_href
from mobigo.web.scolaire.desk.pictures import clock, look_of, name_of
from mobigo.web.scolaire.desk.telling import DONE, halts_href, period_told, read_whole, run_href
from mobigo.web.scolaire.desk.year import YEAR, Planner, study_href
from mobigo.web.wording import say
from scolaire.plans import Run, SchoolPlan


@dataclass(frozen=True, slots=True)
class HaltItem:
    """A halt in its run; a school's has no place to go to."""

    place: int
    at: str
    name: str
    told: str
    move: Link | None


@dataclass(frozen=True, slots=True)
class RunPart:
    """A run with its halts."""

    run_id: str
    href: str
    look: str
    told: str
    locked: bool
    halts: Sequence[HaltItem]


@dataclass(frozen=True, slots=True)
class HaltsPage:
    """The runs of a period."""

    title: str
    lead: str
    said: str
    href: str  # of the study
    action: str
    periods: Sequence[Choice]  # with addresses for values
    period: int
    turn: int
    may_undo: bool
    runs: Sequence[RunPart]
    back: Link


def _halts(study_id: str, plan: SchoolPlan, run: Run) -> list[HaltItem]:
    found = []
    for place, (halt, load) in enumerate(zip(run.halts, run.loads, strict=True), 1):
        move = None
        if halt.stop is not None:
            href = edit_href(study_id, "move_halt", course=run.run_id, halte=str(place), periode=str(run.period))
            move = Link(href, say("scolaire.desk.this_halt", n=place, run=run.run_id))
        told = say("scolaire.desk.halt_load", up=len(halt.up), down=len(halt.down), load=load)
        found.append(HaltItem(place, clock(halt.arrives_s), name_of(plan, halt), told, move))
    return found


def _run(study_id: str, seen: Seen, run: Run, circuit: int) -> RunPart:
    seats = seen.plan.vehicle_types[run.vehicle_type].seats
    told = say(
        "scolaire.desk.run_aboard", begins=clock(run.begins_s), ends=clock(run.ends_s), most=max(run.loads), seats=seats
    )
    halts = _halts(study_id, seen.plan, run)
    return RunPart(run.run_id, run_href(study_id, run.run_id), look_of(circuit), told, run.is_locked, halts)


def _halts_page(request: Request, study_id: str, period: int, said: str) -> HaltsPage:
    state = request.app.state
    study, plan, may_undo = studying.get_turn(state.engine, state.keys, study_id)
    seen = look(plan, state.data_dir)
    period = period if period < len(plan.periods) else 0
    places = {one.circuit_id: at for at, one in enumerate(seen.circuits)}
    runs = sorted((run for run in plan.runs if run.period == period), key=lambda run: places[run.circuit_id])
    return HaltsPage(
        title=say("scolaire.desk.halts_by_run"),
        lead=say("scolaire.desk.halts_by_run_lead"),
        said=said,
        href=study_href(study_id),
        action=edit_href(study_id, "move_halt"),
        periods=[
            Choice(halts_href(study_id, at), period_told(one), at == period) for at, one in enumerate(plan.periods)
        ],
        period=period,
        turn=study.turn,
        may_undo=may_undo,
        runs=[_run(study_id, seen, run, places[run.circuit_id]) for run in runs],
        back=Link(study_href(study_id), study.title),
    )


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/etude/…/haltes`."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{YEAR}/etude/{{study_id}}/haltes")
    def halts(request: Request, _principal: Planner, study_id: str, periode: str = "", fait: str = "") -> Response:
        said = say(f"scolaire.desk.done.{fait}") if fait in DONE else ""
        page = _halts_page(request, study_id, read_whole(periode), said)
        return pages.send(request, "scolaire/desk/halts.html", cache="no-store", page=page)

    return router
