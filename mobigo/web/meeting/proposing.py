"""Proposing: a driver offers seats; a passenger looks for one that nobody offers yet, or waits at a stop.

First the two places (or the line, known by the link), then the rest on one form.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from covoiturage.offers import MOST_SEATS
from mobigo.services.covoiturage import lines, offering, requesting
from mobigo.services.covoiturage.given import GivenOffer, GivenRequest, Named, Weeks
from mobigo.services.covoiturage.lines import Line
from mobigo.services.covoiturage.ways import ways_of
from mobigo.services.people.principal import Principal
from mobigo.web import door
from mobigo.web.journeys.form import find_here, read_form
from mobigo.web.journeys.places import Question, Settled
from mobigo.web.layout import Pages
from mobigo.web.meeting.parts import (
    OFFER,
    RIDES,
    SEARCH,
    WAIT,
    find_snapshot,
    read_cents,
    read_clock,
    read_count,
    read_day,
    read_moment,
    settle_both,
)
from mobigo.web.people.forms import Choice, Field, Fields, FormPage, Link, Owner, send_form, send_refused
from mobigo.web.wording import say
from socle.errors import BadInput, MobigoError
from socle.times import PARIS

_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_PLACES = ("de", "de_lieu", "vers", "vers_lieu", "ligne", "cle")


@dataclass(frozen=True, slots=True)
class PlacesPage:
    """Where from and where to, asked before the rest."""

    title: str
    lead: str
    action: str
    submit: str
    problems: Sequence[Link]
    questions: Sequence[Question]
    back: Link


def _back() -> Link:
    return Link(SEARCH, say("meeting.search.title"))


def _days(typed: Mapping[str, str]) -> list[Choice]:
    return [Choice(day, say(f"meeting.day.{day}"), f"jours_{day}" in typed) for day in _DAYS]


def _when(typed: Mapping[str, str]) -> tuple[Field, Field]:
    return (
        Field("jour", say("form.day"), "date", typed.get("jour", "")),
        Field("heure", say("form.time"), "time", typed.get("heure", "")),
    )


def _seats(typed: Mapping[str, str], label: str) -> Field:
    return Field("places", label, "number", typed.get("places", "1"), inputmode="numeric", most=1)


def _stops(line: Line, typed: Mapping[str, str]) -> tuple[Field, Field]:
    choices = [Choice(stop.stop_id, stop.name) for stop in line.stops]
    first, last = typed.get("montee", choices[0].value), typed.get("descente", choices[-1].value)
    return (
        Field("montee", say("meeting.offer.from_stop"), "select", first, choices=choices),
        Field("descente", say("meeting.offer.to_stop"), "select", last, choices=choices),
    )


def _offer_page(hidden: Mapping[str, str], line: Line | None, typed: Mapping[str, str]) -> FormPage:
    """What is left to say once the places or the line are known."""
    names = {"origin": hidden.get("de", ""), "destination": hidden.get("vers", "")}
    weekly = Field("jours", say("meeting.offer.weekly"), "choices", choices=_days(typed), required=False)
    last = Field("fin", say("meeting.offer.last"), "date", typed.get("fin", ""), required=False)
    seats = _seats(typed, say("meeting.offer.seats"))
    if line is not None:
        now = Field(
            "depart",
            say("meeting.offer.when"),
            "select",
            typed.get("depart", "maintenant"),
            choices=(Choice("maintenant", say("meeting.offer.now")), Choice("plus_tard", say("meeting.offer.later"))),
        )
        when = (replace(each, required=False) for each in _when(typed))
        fields: tuple[Field, ...] = (*_stops(line, typed), now, *when, weekly, last, seats)
        lead = say("meeting.offer.lead_line", line=line.name)
    else:
        detour = Field(
            "detour",
            say("meeting.offer.detour"),
            "number",
            typed.get("detour", "10"),
            say("meeting.offer.detour_hint"),
            inputmode="numeric",
            most=2,
        )
        price = Field(
            "prix",
            say("meeting.offer.price"),
            value=typed.get("prix", ""),
            hint=say("meeting.offer.price_hint"),
            required=False,
            inputmode="decimal",
            most=8,
        )
        fields = (*_when(typed), weekly, last, seats, detour, price)
        lead = say("meeting.offer.lead", **names)
    return FormPage(
        title=say("meeting.offer.title"),
        action=OFFER,
        submit=say("meeting.offer.submit"),
        fields=fields,
        lead=lead,
        note=say("meeting.offer.note"),
        hidden=hidden,
        back=_back(),
    )


def _wait_page(hidden: Mapping[str, str], line: Line | None, typed: Mapping[str, str]) -> FormPage:
    seats = _seats(typed, say("meeting.offer.seats_wanted"))
    if line is not None:
        fields: tuple[Field, ...] = (*_stops(line, typed), seats)
        title, lead = say("meeting.wait.title_line"), say("meeting.wait.lead_line", line=line.name)
    else:
        fields = (*_when(typed), seats)
        title = say("meeting.wait.title")
        lead = say("meeting.wait.lead", origin=hidden.get("de", ""), destination=hidden.get("vers", ""))
    submit = say("meeting.wait.submit")
    return FormPage(title=title, action=WAIT, submit=submit, fields=fields, lead=lead, hidden=hidden, back=_back())


def _line(request: Request, line_id: str) -> Line | None:
    if not line_id:
        return None
    today = door.now_of(request).astimezone(PARIS).date()
    return lines.get_line(request.app.state.engine, line_id, today)


def _hidden_of(form: Mapping[str, str]) -> dict[str, str]:
    return {name: form[name][:200] for name in _PLACES if name in form}


def _named(form: Mapping[str, str], side: str) -> Named | None:
    at = find_here(form.get(f"{side}_lieu", ""))
    return None if at is None else Named(form.get(side, ""), at)


def _given_offer(form: Mapping[str, str], line: Line | None) -> GivenOffer:
    """What a driver typed.

    Raises:
        BadInput: with the code of the field that is not understood.
    """
    seats = read_count(form.get("places", ""), "bad_seats", most=MOST_SEATS)
    weekdays = tuple(number for number, day in enumerate(_DAYS) if f"jours_{day}" in form)
    leaves: datetime | Weeks
    is_now = line is not None and form.get("depart") == "maintenant"
    if is_now:
        leaves = datetime.fromtimestamp(0, UTC)  # the same form a moment later is the same
    elif weekdays:
        last = read_day(form["fin"]) if form.get("fin", "").strip() else None
        leaves = Weeks(weekdays, read_clock(form.get("heure", "")), read_day(form.get("jour", "")), last)
    else:
        leaves = read_moment(form)
    if line is not None:
        one, other = form.get("montee", ""), form.get("descente", "")
        return GivenOffer(leaves, seats, None, None, line.line_id, one, other, at_once=is_now)
    detour = read_count(form.get("detour", "") or "0", "bad_detour", minutes=60, km=50)
    return GivenOffer(
        leaves,
        seats,
        _named(form, "de"),
        _named(form, "vers"),
        detour_min=detour,
        price_cents=read_cents(form.get("prix", "")),
    )


def _ask(
    pages: Pages, request: Request, principal: Principal, form: Mapping[str, str], line: Line | None
) -> requesting.Asked:
    """Look for a seat, as the form says."""
    now = door.now_of(request)
    seats = read_count(form.get("places", ""), "bad_seats", most=MOST_SEATS)
    if line is not None:
        first, last = form.get("montee", ""), form.get("descente", "")
        given = GivenRequest(now, seats, None, None, line.line_id, first, last)
    else:
        origin, destination = _named(form, "de"), _named(form, "vers")
        if origin is None or destination is None:
            raise BadInput("bad_form")
        given = GivenRequest(read_moment(form), seats, origin, destination)
    ways = ways_of(find_snapshot(pages))
    who, key = principal.pseudonym, form.get("cle", "")
    return requesting.ask(request.app.state.engine, ways, who, given, line, key, now)


def make_router(pages: Pages) -> APIRouter:
    """`/covoiturage/proposer`, `/covoiturage/attendre`."""
    router = APIRouter(include_in_schema=False)

    def begin(
        request: Request,
        path: str,
        title: str,
        lead: str,
        make: Callable[[Mapping[str, str], Line | None, Mapping[str, str]], FormPage],
    ) -> Response:
        """The form, once it is known from where to where; else the question for that."""
        key = secrets.token_urlsafe(12)
        typed = {name: value for name, value in request.query_params.items() if name in {"jour", "heure", "places"}}
        line = _line(request, request.query_params.get("ligne", ""))
        if line is not None:
            return send_form(pages, request, make({"ligne": line.line_id, "cle": key}, line, typed))
        form = replace(read_form(request.query_params, door.now_of(request)), path=path, more=tuple(typed.items()))
        page = PlacesPage(title, lead, path, say("meeting.offer.next"), (), (), _back())
        if not form.is_empty:
            settled = settle_both(pages.site.current(), form)
            if isinstance(settled[0], Settled) and isinstance(settled[1], Settled):
                ends = {"de": settled[0], "vers": settled[1]}
                hidden = {name: end.name for name, end in ends.items()}
                hidden |= {f"{name}_lieu": f"{end.at.lat:.6f},{end.at.lon:.6f}" for name, end in ends.items()}
                return send_form(pages, request, make(hidden | {"cle": key}, None, typed))
            questions, wrong = settled
            problems = [Link(f"#{field}", sentence) for sentence, field in wrong.items()]
            page = replace(page, questions=questions, problems=problems)
        status = 400 if page.problems else 200
        return pages.send(request, "meeting/places.html", status=status, cache="no-store", page=page, form=form)

    @router.get(OFFER)
    def begin_offer(request: Request, _principal: Owner) -> Response:
        return begin(request, OFFER, say("meeting.offer.title"), say("meeting.offer.where"), _offer_page)

    @router.get(WAIT)
    def begin_wait(request: Request, _principal: Owner) -> Response:
        return begin(request, WAIT, say("meeting.wait.title"), say("meeting.wait.where"), _wait_page)

    @router.post(OFFER)
    def publish(request: Request, principal: Owner, form: Fields) -> Response:
        line = _line(request, form.get("ligne", ""))
        state, now = request.app.state, door.now_of(request)
        try:
            given, ways = _given_offer(form, line), ways_of(find_snapshot(pages))
            who, actor, key = principal.pseudonym, principal.actor, form.get("cle", "")
            done = offering.publish(state.engine, ways, who, given, line, key, actor, now)
        except MobigoError as error:
            return send_refused(pages, request, _offer_page(_hidden_of(form), line, form), error, form)
        return door.go(f"{RIDES}?fait={'pris' if done.booked else 'propose'}")

    @router.post(WAIT)
    def wait(request: Request, principal: Owner, form: Fields) -> Response:
        line = _line(request, form.get("ligne", ""))
        try:
            done = _ask(pages, request, principal, form, line)
        except MobigoError as error:
            return send_refused(pages, request, _wait_page(_hidden_of(form), line, form), error, form)
        if done.booked is not None:
            return door.go(f"{RIDES}/{done.booked.booking_id}?fait=monte")
        return door.go(f"{RIDES}?fait=cherche")

    return router
