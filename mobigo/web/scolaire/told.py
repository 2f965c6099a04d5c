"""Told: the forms by which the office says that a run did not take place, and takes back what was told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from mobigo.services.scolaire import contracting, noting, stating
from mobigo.services.scolaire.noting import Teller
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.forms import Choice, Field, Fields, FormPage, Link, send_form, send_refused
from mobigo.web.scolaire.contracts import CONTRACTS, Clerk, path_of, read_day
from mobigo.web.wording import month_name, say
from scolaire.calendar import first_of
from socle.errors import MobigoError


def not_run_form(action: str, back: Link, day: date, runs: list[Choice], causes: list[Choice]) -> FormPage:
    """The form in which somebody tells that a run did not take place."""
    return FormPage(
        title=say("scolaire.contracts.not_run.title"),
        action=action,
        submit=say("scolaire.contracts.not_run.submit"),
        lead=say("scolaire.contracts.not_run.lead"),
        fields=(
            Field("jour", say("scolaire.contracts.not_run.day"), "date", day.isoformat()),
            Field("course", say("scolaire.contracts.not_run.run"), "select", choices=runs),
            Field("cause", say("scolaire.contracts.not_run.cause"), "select", choices=causes),
            Field("motif", say("scolaire.contracts.not_run.why"), "area", most=noting.MOST_WHY),
        ),
        back=back,
    )


def take_run(form: Mapping[str, str]) -> tuple[str, str]:
    """Circuit and run of the choice that was made; empty when it is none of ours."""
    about, _, run_id = form.get("course", "").rpartition("|")
    return about, run_id


def _form_of(request: Request, contract_id: str, month: str) -> FormPage:
    state, path = request.app.state, path_of(contract_id, month)
    found = stating.get_month(state.engine, state.keys, contract_id, month)
    days = found.shown.days or (first_of(month),)
    today = door.now_of(request).date()
    day = today if today in days else days[0]
    runs: dict[str, None] = {}
    for one in days:
        for placed in contracting.runs_on(state.engine, state.keys, one, (found.contract.carrier_id,)):
            if placed.contract.id == contract_id:
                runs[f"{placed.circuit.circuit_id}|{placed.outing.run_id}"] = None
    choices = [Choice(one, one.replace("|", " · ")) for one in sorted(runs)]
    causes = [Choice(cause.code, cause.title) for cause in found.contract.causes]
    back = Link(path, f"{found.contract.title}, {month_name(month)}")
    return not_run_form(f"{path}/course", back, day, choices, causes)


def _back_form(contract_id: str, month: str, event_id: str) -> FormPage:
    path = path_of(contract_id, month)
    return FormPage(
        title=say("scolaire.contracts.back.title"),
        action=f"{path}/note/{quote(event_id, safe='')}",
        submit=say("scolaire.contracts.take_back"),
        fields=(Field("motif", say("scolaire.contracts.not_run.why"), "area", most=noting.MOST_WHY),),
        back=Link(path, say("scolaire.contracts.invoice.back")),
    )


def make_router(pages: Pages) -> APIRouter:
    """Below a month of a contract."""
    router = APIRouter(include_in_schema=False)
    one_month = f"{CONTRACTS}/{{contract_id}}/{{month}}"

    @router.get(f"{one_month}/course")
    def ask_not_run(request: Request, _principal: Clerk, contract_id: str, month: str) -> Response:
        return send_form(pages, request, _form_of(request, contract_id, month))

    @router.post(f"{one_month}/course")
    def tell(request: Request, principal: Clerk, contract_id: str, month: str, form: Fields) -> Response:
        state, now = request.app.state, door.now_of(request)
        about, run_id = take_run(form)
        try:
            day = read_day(form.get("jour", ""))
            told = (day, about, run_id, form.get("cause", ""), form.get("motif", ""), Teller(principal.actor))
            noting.tell_not_run(state.engine, state.keys, *told, now)
        except MobigoError as error:
            return send_refused(pages, request, _form_of(request, contract_id, month), error, form)
        return door.go(door.with_query(path_of(contract_id, f"{day:%Y-%m}"), fait="note"))

    @router.get(f"{one_month}/note/{{event_id}}")
    def ask_back(request: Request, _principal: Clerk, contract_id: str, month: str, event_id: str) -> Response:
        state = request.app.state
        stating.get_month(state.engine, state.keys, contract_id, month)  # neither is taken for granted
        noting.get_told(state.engine, event_id)
        return send_form(pages, request, _back_form(contract_id, month, event_id))

    @router.post(f"{one_month}/note/{{event_id}}")
    def take_back(
        request: Request, principal: Clerk, contract_id: str, month: str, event_id: str, form: Fields
    ) -> Response:
        engine, now = request.app.state.engine, door.now_of(request)
        try:
            noting.take_back(engine, event_id, form.get("motif", ""), Teller(principal.actor), now)
        except MobigoError as error:
            return send_refused(pages, request, _back_form(contract_id, month, event_id), error, form)
        return door.go(door.with_query(path_of(contract_id, month), fait="retire"))

    return router
