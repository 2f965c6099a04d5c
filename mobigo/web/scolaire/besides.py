"""Besides: the forms by which the office notes what a carrier did otherwise than agreed, and orders other services."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from fastapi import APIRouter, Request, Response

from mobigo.services.scolaire import noting, stating
from mobigo.services.scolaire.noting import Teller
from mobigo.services.scolaire.stating import Month
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.forms import Choice, Field, Fields, FormPage, Link, send_form, send_refused
from mobigo.web.scolaire.contracts import CONTRACTS, Clerk, path_of, read_day
from mobigo.web.wording import month_name, say
from scolaire.calendar import first_of
from socle.errors import BadInput, MobigoError

MOST_KEY: Final = 64
_KM: Final = re.compile(r"\d{1,4}(?:[.,]\d{1,3})?", re.ASCII)
_MINUTES: Final = re.compile(r"\d{1,4}", re.ASCII)
_YES: Final = "oui"


def _key(form: Mapping[str, str]) -> str:
    """The key under which a form counts once.

    Raises:
        BadInput: `bad_form`.
    """
    key = form.get("cle", "")
    if not key.isascii() or not key.isalnum() or len(key) > MOST_KEY:
        raise BadInput("bad_form")
    return key


def _metres(typed: str) -> int:
    """Kilometres as people write them.

    Raises:
        BadInput: `extra_amounts`.
    """
    written = re.sub(r"\s", "", typed) or "0"
    if not _KM.fullmatch(written):
        raise BadInput("extra_amounts")
    return int(Decimal(written.replace(",", ".")) * 1_000)


def _whole(typed: str, code: str, **facts: int) -> int:
    written = typed.strip() or "0"
    if not _MINUTES.fullmatch(written):
        raise BadInput(code, **facts)
    return int(written)


def _month(request: Request, contract_id: str, month: str) -> Month:
    return stating.get_month(request.app.state.engine, request.app.state.keys, contract_id, month)


def _day(request: Request, found: Month) -> str:
    """The day to begin with: today when it is of the month, or else its first with school."""
    days = found.now.days or (first_of(found.month),)
    today = door.now_of(request).date()
    return str(today if today in days else days[0])


def _breach_form(request: Request, contract_id: str, month: str) -> FormPage:
    state, found = request.app.state, _month(request, contract_id, month)
    path = path_of(contract_id, month)
    choices = noting.list_choices(state.engine, state.keys, found.contract, month)
    penalties = [Choice(one.code, one.title) for one in found.contract.penalties]
    return FormPage(
        title=say("scolaire.contracts.breach.title"),
        action=f"{path}/manquement",
        submit=say("scolaire.contracts.not_run.submit"),
        lead=say("scolaire.contracts.breach.lead"),
        fields=(
            Field("jour", say("scolaire.contracts.not_run.day"), "date", _day(request, found)),
            Field(
                "course",
                say("scolaire.contracts.breach.circuit"),
                "select",
                choices=[Choice(one, one) for one in choices.circuits],
            ),
            Field("penalite", say("scolaire.contracts.breach.penalty"), "select", choices=penalties),
            Field("fois", say("scolaire.contracts.breach.times"), value="1", most=4, inputmode="numeric"),
            Field("motif", say("scolaire.contracts.not_run.why"), "area", most=noting.MOST_WHY),
        ),
        hidden={"cle": secrets.token_hex(8)},
        back=Link(path, f"{found.contract.title}, {month_name(month)}"),
    )


def _extra_form(request: Request, contract_id: str, month: str) -> FormPage:
    state, found = request.app.state, _month(request, contract_id, month)
    path = path_of(contract_id, month)
    types = noting.list_choices(state.engine, state.keys, found.contract, month).types
    words = {name: say(f"scolaire.contracts.extra.{name}") for name in _WORDS}
    days = [Choice("", say("school.form.no")), Choice(_YES, say("school.form.yes"))]
    return FormPage(
        title=words["title"],
        action=f"{path}/supplement",
        submit=words["submit"],
        lead=words["lead"],
        fields=(
            Field("jour", say("scolaire.contracts.not_run.day"), "date", _day(request, found)),
            Field("reference", words["reference"], most=64),
            Field("lot", words["lot"], "select", choices=[Choice(one, one) for one in sorted(found.contract.lots)]),
            Field("vehicule", words["vehicle"], "select", choices=[Choice(one, one) for one in types]),
            Field(
                "distance", words["distance"], hint=words["distance_hint"], required=False, most=9, inputmode="decimal"
            ),
            Field("duree", words["minutes"], required=False, most=4, inputmode="numeric"),
            Field("journee", words["day"], "select", choices=days),
            Field("motif", say("scolaire.contracts.not_run.why"), "area", most=noting.MOST_WHY),
        ),
        hidden={"cle": secrets.token_hex(8)},
        back=Link(path, f"{found.contract.title}, {month_name(month)}"),
    )


_WORDS: Final = (
    "title", "submit", "lead", "reference", "lot", "vehicle", "distance", "distance_hint", "minutes", "day",
)  # fmt: skip


def make_router(pages: Pages) -> APIRouter:
    """Below a month of a contract."""
    router = APIRouter(include_in_schema=False)
    one_month = f"{CONTRACTS}/{{contract_id}}/{{month}}"

    @router.get(f"{one_month}/manquement")
    def ask_breach(request: Request, _principal: Clerk, contract_id: str, month: str) -> Response:
        return send_form(pages, request, _breach_form(request, contract_id, month))

    @router.post(f"{one_month}/manquement")
    def tell_breach(request: Request, principal: Clerk, contract_id: str, month: str, form: Fields) -> Response:
        state, by = request.app.state, Teller(principal.actor)
        try:
            day, n = read_day(form.get("jour", "")), _whole(form.get("fois", ""), "event_times", most=noting.MOST_TIMES)
            told = (day, form.get("course", ""), form.get("penalite", ""), n, form.get("motif", ""), by)
            noting.tell_breach(state.engine, state.keys, *told, door.now_of(request), _key(form))
        except MobigoError as error:
            return send_refused(pages, request, _breach_form(request, contract_id, month), error, form)
        return door.go(door.with_query(path_of(contract_id, f"{day:%Y-%m}"), fait="manquement"))

    @router.get(f"{one_month}/supplement")
    def ask_extra(request: Request, _principal: Clerk, contract_id: str, month: str) -> Response:
        return send_form(pages, request, _extra_form(request, contract_id, month))

    @router.post(f"{one_month}/supplement")
    def order_extra(request: Request, principal: Clerk, contract_id: str, month: str, form: Fields) -> Response:
        state, by, now = request.app.state, Teller(principal.actor), door.now_of(request)
        try:
            day = read_day(form.get("jour", ""))
            metres, minutes = _metres(form.get("distance", "")), _whole(form.get("duree", ""), "extra_amounts")
            what = (form.get("reference", ""), form.get("lot", ""), form.get("vehicule", ""), metres, 60 * minutes)
            has_day, why = form.get("journee") == _YES, form.get("motif", "")
            noting.order_extra(state.engine, day, *what, has_day, why, by, now, _key(form))
        except MobigoError as error:
            return send_refused(pages, request, _extra_form(request, contract_id, month), error, form)
        return door.go(door.with_query(path_of(contract_id, f"{day:%Y-%m}"), fait="supplement"))

    return router
