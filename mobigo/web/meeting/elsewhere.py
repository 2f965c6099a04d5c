"""Elsewhere: booking a seat with the driver of a partner operator, on our own page."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

from mobigo.services.covoiturage.elsewhere import MOST_LETTERS, book_elsewhere, open_journey, price_cents_of
from mobigo.services.covoiturage.given import NAME_LETTERS
from mobigo.texts import text
from mobigo.web import door
from mobigo.web.layout import Pages, absolute
from mobigo.web.meeting.parts import BOOK_ELSEWHERE, RIDES, SEARCH
from mobigo.web.people.forms import Fields, FormPage, Link, Owner, send_form, send_refused
from mobigo.web.wording import clock, euros, long_day, say
from socle.errors import MobigoError
from socle.times import local_day

_FIELDS = {"trajet": MOST_LETTERS, "de": NAME_LETTERS, "vers": NAME_LETTERS}


def _read(values: Mapping[str, str]) -> dict[str, str]:
    return {name: values[name][:most] for name, most in _FIELDS.items() if name in values}


def _page(values: dict[str, str], lead: str, key: str) -> FormPage:
    return FormPage(
        title=say("meeting.book.title"),
        action=BOOK_ELSEWHERE,
        submit=say("meeting.book.submit"),
        fields=(),
        lead=lead,
        note=say("meeting.book.note_elsewhere"),
        hidden=values | {"cle": key},
        back=Link(SEARCH, say("meeting.search.title")),
    )


def make_router(pages: Pages) -> APIRouter:
    """`/covoiturage/reserver-ailleurs`."""
    router = APIRouter(include_in_schema=False)

    @router.get(BOOK_ELSEWHERE)
    def look_again(request: Request, _principal: Owner) -> Response:
        values = _read(request.query_params)
        journey = open_journey(request.app.state.keys, values.get("trajet", ""), door.now_of(request))
        at, place = int(journey["passengerPickupDate"]), text("covoiturage.agreed_place")
        told = say(
            "meeting.book.lead_elsewhere",
            origin=values.get("de") or place,
            destination=values.get("vers") or place,
            day=long_day(local_day(at)),
            time=clock(at),
            operator=journey["operator"],
            price=euros(price_cents_of(journey) or 0),
        )
        return send_form(pages, request, _page(values, told, secrets.token_urlsafe(12)))

    @router.post(BOOK_ELSEWHERE)
    def book(request: Request, principal: Owner, form: Fields) -> Response:
        values, key, state, now = _read(form), form.get("cle", ""), request.app.state, door.now_of(request)
        here = (urlsplit(absolute(pages.site, request, "")).hostname or "").lower()
        names = (values.get("de", ""), values.get("vers", ""))
        try:
            journey = open_journey(state.keys, values.get("trajet", ""), now)
            done = book_elsewhere(state.engine, journey, principal.pseudonym, here, names, key, now)
        except MobigoError as error:
            return send_refused(pages, request, _page(values, "", key), error, form)
        return door.go(f"{RIDES}/{done.booking.booking_id}?fait=demande_ailleurs")

    return router
