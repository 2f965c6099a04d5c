"""Carrier: a coach company's runs of a day, how many pupils, and what it tells of runs that did not take place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import MAXYEAR, MINYEAR, date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from mobigo.security import Permission
from mobigo.services.people.principal import Principal
from mobigo.services.scolaire import coaches, contracting, noting
from mobigo.services.scolaire.contracting import Placed
from mobigo.services.scolaire.noting import Teller
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.account import back_to_account
from mobigo.web.people.forms import Choice, Fields, FormPage, Link, send_form, send_refused
from mobigo.web.scolaire.contracts import read_day
from mobigo.web.scolaire.places import BOARD, ROADBOOK, board_href
from mobigo.web.scolaire.sheets import Cell, Sheet, Table, send_sheet
from mobigo.web.scolaire.told import not_run_form, take_run
from mobigo.web.scolaire.words import hour
from mobigo.web.wording import distance, long_day, say
from socle.errors import BadInput, MobigoError
from socle.times import PARIS

CARRIER = "/exploitant"
Carrier = Annotated[Principal, Depends(door.Needs(Permission.SCHOOL_CARRY))]


def _day(request: Request) -> date:
    """The day that is looked at: today unless the address names one."""
    typed = request.query_params.get("jour", "")
    if not typed:
        return door.now_of(request).astimezone(PARIS).date()
    day = read_day(typed)
    if not MINYEAR < day.year < MAXYEAR:  # it has a day before and one after
        raise BadInput("event_day")
    return day


def _runs(request: Request, principal: Principal, day: date) -> Sequence[Placed]:
    state = request.app.state
    carriers = contracting.carriers_of(state.engine, principal.pseudonym)
    return contracting.runs_on(state.engine, state.keys, day, carriers) if carriers else []


def _row(one: Placed, seen: coaches.RunToday | None, day: date) -> list[Cell]:
    circuit, run = one.circuit.circuit_id, one.outing.run_id
    stands = "missed" if one.missed else "runs"
    told = say(f"scolaire.carrier.{stands}")
    if seen is not None and not one.missed:
        told = say(f"scolaire.board.stage.{'overdue' if seen.is_overdue else str(seen.stage or 'none')}")
    boarded = "" if seen is None else f"{seen.n_boarded} / {seen.n_expected}"
    return [
        Cell(run, board_href(BOARD, circuit, run, day.isoformat())),
        Cell(circuit),
        Cell(f"{hour(one.begins_s)} – {hour(one.ends_s)}"),
        Cell(boarded),
        Cell(distance(one.outing.driven_m)),
        Cell(say("scolaire.board.roadbook_short"), board_href(ROADBOOK, circuit, run, day.isoformat())),
        Cell(told),
    ]


def _sheet(request: Request, principal: Principal, day: date) -> Sheet:
    state = request.app.state
    by = Teller(principal.actor, contracting.carriers_of(state.engine, principal.pseudonym))
    seen = {
        (one.circuit_id, one.run_id): one
        for one in coaches.list_runs(state.engine, state.keys, day, by, door.now_of(request))
    }
    rows = [
        _row(one, seen.get((one.circuit.circuit_id, one.outing.run_id)), day)
        for one in sorted(_runs(request, principal, day), key=lambda one: (one.begins_s, one.outing.run_id))
    ]
    columns = [
        say(f"scolaire.carrier.column.{name}")
        for name in ("run", "circuit", "times", "pupils", "driven", "roadbook", "state")
    ]
    caption = say("scolaire.carrier.runs_of", day=long_day(day))
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    links = [Link(door.with_query(CARRIER, jour=str(one)), long_day(one)) for one in (before, after)]
    if rows:
        links.append(Link(door.with_query(f"{CARRIER}/course", jour=str(day)), say("scolaire.contracts.tell")))
    return Sheet(
        title=say("scolaire.carrier.title"),
        back=back_to_account(),
        said=say("scolaire.contracts.done.note") if request.query_params.get("fait") == "note" else "",
        lead=say("scolaire.carrier.lead"),
        tables=[Table(caption, columns, rows, frozenset({3, 4}), say("scolaire.carrier.none"))],
        links=links,
    )


def _form(request: Request, principal: Principal, day: date) -> FormPage:
    placed = _runs(request, principal, day)
    runs = [
        Choice(f"{one.circuit.circuit_id}|{one.outing.run_id}", f"{one.circuit.circuit_id} · {one.outing.run_id}")
        for one in placed
    ]
    causes = {cause.code: cause.title for one in placed for cause in one.contract.causes}
    back = Link(door.with_query(CARRIER, jour=str(day)), say("scolaire.carrier.title"))
    return not_run_form(f"{CARRIER}/course", back, day, runs, [Choice(code, title) for code, title in causes.items()])


def make_router(pages: Pages) -> APIRouter:
    """`/exploitant`."""
    router = APIRouter(include_in_schema=False)

    @router.get(CARRIER)
    def runs(request: Request, principal: Carrier) -> Response:
        return send_sheet(pages, request, _sheet(request, principal, _day(request)))

    @router.get(f"{CARRIER}/course")
    def ask(request: Request, principal: Carrier) -> Response:
        return send_form(pages, request, _form(request, principal, _day(request)))

    @router.post(f"{CARRIER}/course")
    def tell(request: Request, principal: Carrier, form: Fields) -> Response:
        state, now = request.app.state, door.now_of(request)
        about, run_id = take_run(form)
        day = now.astimezone(PARIS).date()
        by = Teller(principal.actor, contracting.carriers_of(state.engine, principal.pseudonym))
        try:
            day = read_day(form.get("jour", ""))
            why = form.get("motif", "")
            noting.tell_not_run(state.engine, state.keys, day, about, run_id, form.get("cause", ""), why, by, now)
        except MobigoError as error:
            return send_refused(pages, request, _form(request, principal, day), error, form)
        return door.go(door.with_query(CARRIER, jour=str(day), fait="note"))

    return router
