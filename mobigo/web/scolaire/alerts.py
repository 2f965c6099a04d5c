"""Alerts: what families must know today or later of the coaches of their children, and in which language."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from mobigo.services.people.principal import Principal
from mobigo.services.scolaire import messaging
from mobigo.services.scolaire.messaging import Message
from mobigo.texts import text
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.account import back_to_account
from mobigo.web.people.forms import Choice, Field, Fields, FormPage, Owner
from mobigo.web.scolaire.sheets import Cell, Sheet, Table, send_sheet
from mobigo.web.wording import long_day, say
from scolaire.telling import Matter
from socle.errors import MobigoError
from socle.times import PARIS

ALERTS: Final = "/scolaire/alertes"


def matter_words(matter: Matter) -> str:
    """What a message is about."""
    return text(f"personal.value.school_matter.{matter}")


def about_words(request: Request, message: Message) -> str:
    """The circuits and stops of a message."""
    state = request.app.state
    circuits = ", ".join(sorted(message.scope.circuits)) or say("scolaire.messages.all_circuits")
    stops = "; ".join(messaging.name_stops(state.engine, state.keys, message))
    return f"{circuits} · {stops}" if stops else circuits


def _alerts_sheet(request: Request, principal: Principal) -> Sheet:
    state, now = request.app.state, door.now_of(request)
    today = now.astimezone(PARIS).date()
    rows = [
        [
            Cell(long_day(one.scope.day)),
            Cell(matter_words(one.matter)),
            Cell(about_words(request, one)),
            Cell(one.words),
        ]
        for one in messaging.alerts_of(state.engine, state.keys, principal.pseudonym, today)
    ]
    columns = [say(f"scolaire.messages.column.{name}") for name in ("day", "matter", "about", "words")]
    spoken = messaging.find_language(state.engine, principal.pseudonym)
    choices = [Choice(one, text(f"personal.value.language.{one}")) for one in messaging.LANGUAGES]
    form = FormPage(
        title=say("scolaire.alerts.language"),
        action=ALERTS,
        submit=say("scolaire.alerts.save"),
        fields=(Field("langue", say("scolaire.alerts.language"), "select", spoken, choices=choices),),
    )
    return Sheet(
        title=say("scolaire.alerts.title"),
        back=back_to_account(),
        said=say("scolaire.alerts.saved") if request.query_params.get("fait") == "langue" else "",
        lead=say("scolaire.alerts.lead"),
        tables=[Table(say("scolaire.alerts.title"), columns, rows, none=say("scolaire.alerts.none"))],
        form=form,
    )


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/alertes`, for families."""
    router = APIRouter(include_in_schema=False)

    @router.get(ALERTS)
    def alerts(request: Request, principal: Owner) -> Response:
        return send_sheet(pages, request, _alerts_sheet(request, principal))

    @router.post(ALERTS)
    def speak(request: Request, principal: Owner, form: Fields) -> Response:
        engine, now = request.app.state.engine, door.now_of(request)
        try:
            messaging.set_language(engine, principal.pseudonym, form.get("langue", ""), now)
        except MobigoError as error:
            return send_sheet(pages, request, _alerts_sheet(request, principal), error)
        return door.go(door.with_query(ALERTS, fait="langue"))

    return router
