"""Rides: one's own offers, requests and bookings, each with what may be done about it; the messages of a booking."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from covoiturage.offers import Offer, Weekly
from mobigo.services.covoiturage import booking as bookings
from mobigo.services.covoiturage import offering, requesting
from mobigo.services.covoiturage.booking import Booking, BookingState, Party
from mobigo.services.covoiturage.requesting import KeptRequest
from mobigo.services.people.principal import Principal
from mobigo.texts import all_texts, error_sentence
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.meeting.parts import RIDES, SEARCH, first_page, other_words, read_day, state_words
from mobigo.web.people.account import Line, back_to_account
from mobigo.web.people.forms import Field, Fields, Link, Owner, status_of
from mobigo.web.wording import clock, euros, long_day, moment, say, say_count
from socle.errors import MobigoError
from socle.times import local_day

_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_STEPS = {
    "confirmer": BookingState.CONFIRMED,
    "refuser": BookingState.REFUSED,
    "annuler": BookingState.CANCELLED,
    "absent": BookingState.ABSENT,
}
BookingId = Annotated[str, Path(max_length=64)]


@dataclass(frozen=True, slots=True)
class Button:
    """A form of one button: where it goes, its words, and what it is about for who hears it."""

    action: str
    words: str
    about: str
    plain: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """An offer, a request or a booking: what, when, facts, buttons; `href` its own page; `rest` a day to leave out."""

    name: str
    when: str
    facts: Sequence[str]
    buttons: Sequence[Button]
    href: str = ""
    rest: str = ""


@dataclass(frozen=True, slots=True)
class RidesPage:
    """All that is one's own."""

    title: str
    said: str
    problems: Sequence[Link]
    bookings: Sequence[Row]
    offers: Sequence[Row]
    requests: Sequence[Row]
    past: Sequence[Row]
    ways: Sequence[Link]
    back: Link


@dataclass(frozen=True, slots=True)
class Spoken:
    """A message."""

    who: str
    at: str
    text: str


@dataclass(frozen=True, slots=True)
class RidePage:
    """One booking."""

    title: str
    said: str
    problems: Sequence[Link]
    lines: Sequence[Line]
    buttons: Sequence[Button]
    messages: Sequence[Spoken]
    field: Field | None
    hint: str
    action: str
    key: str
    back: Link


def _said(request: Request) -> str:
    done = first_page(request)
    return say(f"meeting.done.{done}") if f"web.meeting.done.{done}" in all_texts() else ""


def _steps(booking: Booking, who: str, now: datetime) -> list[Button]:
    """What one of the two may do about a booking now."""
    party, at = booking.party_of(who), now.timestamp()
    is_driver = party is Party.DRIVER
    steps = []
    if booking.state is BookingState.ASKED and is_driver and at < booking.taken.alight.instant:
        steps += ["confirmer", "refuser"]
    if booking.state is BookingState.CONFIRMED and is_driver and at >= booking.taken.board.instant:
        steps.append("absent")
    if booking.state is BookingState.CONFIRMED or (booking.state is BookingState.ASKED and not is_driver):
        steps.append("annuler")
    about = f"{booking.board_name} {clock(booking.taken.board.instant)}"
    return [
        Button(f"{RIDES}/{booking.booking_id}/{step}", say(f"meeting.step.{step}"), about, step != "confirmer")
        for step in steps
    ]


def _booking_row(booking: Booking, who: str, now: datetime) -> Row:
    at = booking.taken.board.instant
    facts = [say("meeting.mine.driving") if booking.party_of(who) is Party.DRIVER else say("meeting.mine.riding")]
    facts += [state_words(booking), say_count("meeting.mine.seats", booking.seats)]
    if booking.operator:
        facts.append(other_words(booking, who))
    return Row(
        say("meeting.mine.way", origin=booking.board_name, destination=booking.alight_name),
        say("meeting.search.when_at", day=long_day(local_day(at)), time=clock(at)),
        facts,
        _steps(booking, who, now),
        f"{RIDES}/{booking.booking_id}",
    )


def _offer_row(offer: Offer) -> Row:
    if isinstance(offer.leaves, Weekly):
        days = ", ".join(say(f"meeting.day.{_DAYS[day]}") for day in sorted(offer.leaves.weekdays))
        when = say("meeting.mine.weekly", days=days, time=f"{offer.leaves.clock:%H:%M}")
        rest = f"{RIDES}/propositions/{offer.offer_id}/repos"
    else:
        when = say("meeting.search.when_at", day=long_day(local_day(offer.leaves)), time=clock(offer.leaves))
        rest = ""
    name = say("meeting.mine.way", origin=offer.halts[0].name, destination=offer.halts[-1].name)
    facts = [say_count("meeting.search.seats", offer.seats)]
    if offer.takes_detours:
        facts.append(say("meeting.mine.detour", minutes=offer.detour_s // 60))
    if offer.line_id:
        facts.append(say("meeting.search.line", line=offer.line_id))
    elif offer.price_cents:
        facts.append(say("meeting.mine.price", price=euros(offer.price_cents)))
    button = Button(f"{RIDES}/propositions/{offer.offer_id}/retirer", say("meeting.step.retirer"), f"{name}, {when}")
    return Row(name, when, facts, [button], rest=rest)


def _request_row(kept: KeptRequest) -> Row:
    at = kept.wish.at
    name = say("meeting.mine.way", origin=kept.origin_name, destination=kept.destination_name)
    when = say("meeting.search.when_at", day=long_day(local_day(at)), time=clock(at))
    button = Button(f"{RIDES}/recherches/{kept.request_id}/retirer", say("meeting.step.arreter"), f"{name}, {when}")
    waiting = [say("meeting.mine.waiting", line=kept.line_id)] if kept.line_id else []
    return Row(name, when, [*waiting, say_count("meeting.mine.seats", kept.wish.seats)], [button])


def _rides_page(request: Request, principal: Principal, problem: str = "") -> RidesPage:
    engine, now, who = request.app.state.engine, door.now_of(request), principal.pseudonym
    own = bookings.list_own_bookings(engine, who, now)
    is_over = [datetime.fromtimestamp(one.taken.alight.instant, UTC) < now for one in own]
    rows = [_booking_row(one, who, now) for one in own]
    return RidesPage(
        title=say("meeting.mine.title"),
        said="" if problem else _said(request),
        problems=[Link("#contenu", problem)] if problem else (),
        bookings=[row for row, over in zip(rows, is_over, strict=True) if not over],
        past=[row for row, over in zip(rows, is_over, strict=True) if over][::-1],
        offers=[_offer_row(one) for one in offering.list_own_offers(engine, who, now)],
        requests=[_request_row(one) for one in requesting.list_own_requests(engine, who, now)],
        ways=(
            Link(SEARCH, say("meeting.search.title")),
            Link("/covoiturage/proposer", say("meeting.search.offer")),
            Link("/compte/covoiturages", say("meeting.mine.money")),
        ),
        back=back_to_account(),
    )


def _ride_page(
    request: Request, principal: Principal, booking: Booking, problem: str = "", typed: str = ""
) -> RidePage:
    state, now, who = request.app.state, door.now_of(request), principal.pseudonym
    taken = booking.taken
    reference = Line(say("meeting.ride.reference"), booking.reference, say("meeting.ride.reference_what"))
    lines = [
        Line(say("meeting.ride.state"), state_words(booking)),
        *((Line(say("meeting.ride.with"), other_words(booking, who)),) if booking.operator else ()),
        *(() if booking.theirs is Party.DRIVER else (reference,)),  # a driver of theirs knows another one
        Line(say("meeting.ride.board"), f"{booking.board_name}, {clock(taken.board.instant)}"),
        Line(say("meeting.ride.alight"), f"{booking.alight_name}, {clock(taken.alight.instant)}"),
        Line(say("meeting.ride.day"), long_day(local_day(taken.board.instant))),
        Line(say("meeting.ride.seats"), str(booking.seats)),
        Line(say("meeting.ride.price"), euros(booking.price_cents)),
    ]
    other = other_words(booking, who)
    read = bookings.read_messages(state.engine, state.keys, booking.booking_id, who)
    field = Field(
        "texte",
        say("meeting.ride.write"),
        "area",
        typed,
        problem=problem if typed or problem else "",
        most=bookings.MESSAGE_LETTERS,
    )
    return RidePage(
        title=say("meeting.mine.way", origin=booking.board_name, destination=booking.alight_name),
        said="" if problem else _said(request),
        problems=[Link("#texte", problem)] if problem else (),
        lines=lines,
        buttons=_steps(booking, who, now),
        messages=[Spoken(say("meeting.ride.me") if one.is_mine else other, moment(one.at), one.text) for one in read],
        field=field if bookings.may_write(booking, now) else None,
        hint=say(
            "meeting.ride.write_hint_elsewhere" if booking.operator else "meeting.ride.write_hint",
            operator=booking.operator,
        ),
        action=f"{RIDES}/{booking.booking_id}/messages",
        key=secrets.token_urlsafe(12),
        back=Link(RIDES, say("meeting.mine.title")),
    )


def make_router(pages: Pages) -> APIRouter:
    """`/compte/trajets` and what is under it."""
    router = APIRouter(include_in_schema=False)

    def refused(request: Request, principal: Principal, error: MobigoError) -> Response:
        page = _rides_page(request, principal, error_sentence(error))
        return pages.send(request, "meeting/rides.html", status=status_of(error), cache="no-store", page=page)

    @router.get(RIDES)
    def rides(request: Request, principal: Owner) -> Response:
        page = _rides_page(request, principal)
        return pages.send(request, "meeting/rides.html", cache="no-store", page=page)

    @router.get(f"{RIDES}/{{booking_id}}")
    def ride(request: Request, principal: Owner, booking_id: BookingId) -> Response:
        booking = bookings.get_own_booking(request.app.state.engine, booking_id, principal.pseudonym)
        page = _ride_page(request, principal, booking)
        return pages.send(request, "meeting/ride.html", cache="no-store", page=page)

    @router.post(f"{RIDES}/propositions/{{offer_id}}/retirer")
    def withdraw(request: Request, principal: Owner, offer_id: BookingId, _form: Fields) -> Response:
        now = door.now_of(request)
        try:
            offering.withdraw(request.app.state.engine, offer_id, principal.pseudonym, principal.actor, now)
        except MobigoError as error:
            return refused(request, principal, error)
        return door.go(f"{RIDES}?fait=retire")

    @router.post(f"{RIDES}/propositions/{{offer_id}}/repos")
    def rest(request: Request, principal: Owner, offer_id: BookingId, form: Fields) -> Response:
        now = door.now_of(request)
        try:
            day = read_day(form.get("jour", ""))
            offering.rest_on(request.app.state.engine, offer_id, principal.pseudonym, day, principal.actor, now)
        except MobigoError as error:
            return refused(request, principal, error)
        return door.go(f"{RIDES}?fait=repos")

    @router.post(f"{RIDES}/recherches/{{request_id}}/retirer")
    def give_up(request: Request, principal: Owner, request_id: BookingId, _form: Fields) -> Response:
        try:
            requesting.give_up(request.app.state.engine, request_id, principal.pseudonym)
        except MobigoError as error:
            return refused(request, principal, error)
        return door.go(f"{RIDES}?fait=arrete")

    @router.post(f"{RIDES}/{{booking_id}}/messages")
    def write(request: Request, principal: Owner, booking_id: BookingId, form: Fields) -> Response:
        state, who, typed = request.app.state, principal.pseudonym, form.get("texte", "")
        booking = bookings.get_own_booking(state.engine, booking_id, who)
        try:
            now, key = door.now_of(request), form.get("cle", "")
            bookings.write_message(state.engine, state.keys, booking_id, who, typed, key, now)
        except MobigoError as error:
            page = _ride_page(request, principal, booking, error_sentence(error), typed)
            return pages.send(request, "meeting/ride.html", status=status_of(error), cache="no-store", page=page)
        return door.go(f"{RIDES}/{booking_id}?fait=ecrit")

    for word, state in _STEPS.items():
        _add_step(router, word, state, refused)
    return router


def _add_step(
    router: APIRouter,
    word: str,
    state: BookingState,
    refused: Callable[[Request, Principal, MobigoError], Response],
) -> None:
    """The button that takes a booking one step on."""

    @router.post(f"{RIDES}/{{booking_id}}/{word}", name=word)
    def step(request: Request, principal: Owner, booking_id: BookingId, _form: Fields) -> Response:
        now = door.now_of(request)
        try:
            bookings.move(request.app.state.engine, booking_id, state, principal.pseudonym, principal.actor, now)
        except MobigoError as error:
            return refused(request, principal, error)
        return door.go(f"{RIDES}/{booking_id}?fait={word}")
