"""Search: who takes a passenger along; booking a seat with one of them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlencode

import anyio
from fastapi import APIRouter, Request, Response

from covoiturage.crossing import SEATS
from covoiturage.offers import KEPT_S, Match, Wish
from mobigo.security import Keys
from mobigo.services.covoiturage import booking as bookings
from mobigo.services.covoiturage import finding, lines
from mobigo.services.covoiturage.booking import GivenBooking
from mobigo.services.covoiturage.elsewhere import seal_journey
from mobigo.services.covoiturage.finding import PartnerJourney, PartnerJourneys
from mobigo.services.covoiturage.given import NAME_LETTERS, digest_of
from mobigo.services.covoiturage.ways import ways_of
from mobigo.texts import error_sentence
from mobigo.web import door
from mobigo.web.door import PUBLIC
from mobigo.web.journeys.form import Form, find_here, find_moment, read_form
from mobigo.web.journeys.places import Question, Settled
from mobigo.web.layout import Pages
from mobigo.web.meeting.parts import (
    BOOK,
    BOOK_ELSEWHERE,
    OFFER,
    RIDES,
    SEARCH,
    WAIT,
    find_snapshot,
    read_count,
    read_day,
    settle_both,
)
from mobigo.web.people.forms import Fields, FormPage, Link, Owner, send_form, send_refused
from mobigo.web.wording import clock, distance, duration, euros, long_day, minute_after, say, say_count
from socle.errors import BadInput, MobigoError
from socle.geo import LatLon
from socle.times import PARIS, local_day

MOST_SEATS = 8


@dataclass(frozen=True, slots=True)
class Card:
    """One way along: instants to show, facts in words, and where to book."""

    departure: int
    arrival: int
    length: str
    day: str
    facts: Sequence[str]
    href: str
    words: str


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of the Region, and what one may do on it."""

    name: str
    fare: str
    ways: Sequence[Link]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """The search with its results, or what stands in the way of them."""

    title: str
    when: str = ""
    problems: Sequence[Link] = ()
    questions: Sequence[Question] = ()
    cards: Sequence[Card] = ()
    count: str = ""
    is_answered: bool = False
    silent: str = ""
    seats: str = "1"
    lines: Sequence[LineRow] = ()
    ways: Sequence[Link] = ()


def _form(request: Request) -> tuple[Form, str]:
    """The search as typed, and the number of seats."""
    values = request.query_params
    form = read_form(values, door.now_of(request).astimezone(PARIS))
    seats = values.get("places", "1")[:4]
    return replace(form, path=SEARCH, more=(("places", seats),)), seats


def _line_rows(request: Request) -> list[LineRow]:
    today = door.now_of(request).astimezone(PARIS).date()
    return [
        LineRow(
            one.name,
            euros(one.fare_cents),
            (
                Link(door.with_query(WAIT, ligne=one.line_id), say("meeting.search.wait", line=one.name)),
                Link(door.with_query(OFFER, ligne=one.line_id), say("meeting.search.drive", line=one.name)),
            ),
        )
        for one in lines.list_lines(request.app.state.engine, today)
    ]


def _offer_ways(form: Form) -> list[Link]:
    typed = {
        "de": form.origin.text,
        "de_id": form.origin.id,
        "vers": form.destination.text,
        "vers_id": form.destination.id,
    }
    fields = {name: value for name, value in typed.items() if value}
    return [
        Link(f"{OFFER}?{urlencode(fields)}" if fields else OFFER, say("meeting.search.offer")),
        Link(RIDES, say("meeting.mine.title")),
    ]


def _wish(form: Form, ends: tuple[LatLon, LatLon], seats: str) -> Wish:
    moment, wrong = find_moment(form)
    if moment is None:
        raise BadInput(
            "bad_day" if wrong == say("problem.bad_date_sentence", text=form.day) else "bad_clock",
            day=form.day,
            text=form.time,
        )
    count = read_count(seats, "bad_seats", most=MOST_SEATS)
    return Wish(*ends, moment, arrive_by=form.arrive_by, seats=count)


def _card(match: Match, form: Form, wish: Wish, names: tuple[str, str], ends: tuple[LatLon, LatLon]) -> Card:
    offer = match.offer
    facts = [euros(offer.price_cents * wish.seats) if offer.price_cents else say("meeting.search.free")]
    for side, meeting, name in (("board", match.board, names[0]), ("alight", match.alight, names[1])):
        where = offer.halts[meeting.halt].name if meeting.halt >= 0 else name
        walk = distance(meeting.walk_m) if meeting.walk_m >= 10 else ""
        key = f"meeting.search.{side}" if walk else f"meeting.search.{side}_there"
        facts.append(say(key, place=where, walk=walk) if walk else say(key, place=where))
    if match.detour_s >= 30:
        facts.append(say("meeting.search.detour", detour=duration(match.detour_s)))
    facts.append(say_count("meeting.search.seats", match.n_free))
    if offer.line_id:
        facts.append(say("meeting.search.line", line=offer.line_id))
    fields = {
        "offre": offer.offer_id,
        "jour": match.day.isoformat(),
        "de": names[0],
        "de_lieu": f"{ends[0].lat:.6f},{ends[0].lon:.6f}",
        "vers": names[1],
        "vers_lieu": f"{ends[1].lat:.6f},{ends[1].lon:.6f}",
        "instant": str(wish.at),
        "rendez_vous": str(match.board.instant),
        "places": str(wish.seats),
        **({"sens": "arrivee"} if form.arrive_by else {}),
    }
    asked, leaves = local_day(wish.at), local_day(match.board.instant)
    return Card(
        match.board.instant,
        minute_after(match.alight.instant),
        duration(match.alight.instant - match.board.instant),
        long_day(leaves) if leaves != asked else "",
        facts,
        f"{BOOK}?{urlencode(fields)}",
        say("meeting.search.book"),
    )


def _partner_card(journey: PartnerJourney, wish: Wish, names: tuple[str, str], keys: Keys, now: datetime) -> Card:
    """A journey of a partner: booked here where the partner takes bookings of one seat, else on its own pages."""
    facts = [say("meeting.search.operator", operator=journey.operator)]
    if journey.price_cents is not None:
        facts.append(euros(journey.price_cents) if journey.price_cents else say("meeting.search.free"))
    if journey.seats is not None:
        facts.append(say_count("meeting.search.seats", journey.seats))
    leaves = local_day(journey.pickup_at)
    sealed = seal_journey(keys, journey.document, now) if journey.is_booked_here and wish.seats == SEATS else ""
    here = door.with_query(BOOK_ELSEWHERE, trajet=sealed, de=names[0], vers=names[1])
    return Card(
        journey.pickup_at,
        minute_after(journey.pickup_at + journey.duration_s),
        duration(journey.duration_s),
        long_day(leaves) if leaves != local_day(wish.at) else "",
        facts,
        here if sealed else journey.link,
        say("meeting.search.book") if sealed else say("meeting.search.book_at", operator=journey.operator),
    )


def _booking_page(values: dict[str, str], sentences: str, key: str) -> FormPage:
    return FormPage(
        title=say("meeting.book.title"),
        action=BOOK,
        submit=say("meeting.book.submit"),
        fields=(),
        lead=sentences,
        note=say("meeting.book.note"),
        hidden=values | {"cle": key},
        back=Link(SEARCH, say("meeting.search.title")),
    )


_BOOKING_FIELDS = ("offre", "jour", "de", "de_lieu", "vers", "vers_lieu", "instant", "rendez_vous", "places", "sens")


def _read_booking(values: dict[str, str], passenger: str) -> GivenBooking:
    """What the fields of a booking mean; they come from our own link, and from whoever writes one."""
    ends = [find_here(values.get(name, "")) for name in ("de_lieu", "vers_lieu")]
    instants = [values.get(name, "") for name in ("instant", "rendez_vous")]
    if None in ends or any(not (one.isascii() and one.isdigit() and len(one) <= 11) for one in instants):
        raise BadInput("bad_form")
    origin, destination = (end for end in ends if end is not None)
    seats = read_count(values.get("places", ""), "bad_seats", most=MOST_SEATS)
    is_arrival = values.get("sens") == "arrivee"
    wish = Wish(origin, destination, int(instants[0]), arrive_by=is_arrival, seats=seats, passenger=passenger)
    names = (values.get("de", "")[:NAME_LETTERS], values.get("vers", "")[:NAME_LETTERS])
    return GivenBooking(values.get("offre", ""), read_day(values.get("jour", "")), wish, *names, int(instants[1]))


def make_router(pages: Pages) -> APIRouter:
    """`/covoiturage`, `/covoiturage/reserver`."""
    router = APIRouter(include_in_schema=False)
    site = pages.site

    @router.get(SEARCH, dependencies=[PUBLIC])
    async def search(request: Request) -> Response:
        form, seats = _form(request)
        page = SearchPage(say("meeting.search.title"), seats=seats, ways=_offer_ways(form))
        if form.is_empty:
            page = replace(page, lines=await anyio.to_thread.run_sync(_line_rows, request))
            return pages.send(request, "meeting/search.html", page=page, form=form)
        settled = settle_both(site.current(), form)
        if isinstance(settled[0], list):
            questions, wrong = settled
            problems = [Link(f"#{field}", sentence) for sentence, field in wrong.items()]
            page = replace(page, questions=questions, problems=problems)
            return pages.send(request, "meeting/search.html", status=400 if problems else 200, page=page, form=form)
        origin, destination = settled
        return await _answer(request, page, form, origin, destination)

    async def _answer(
        request: Request, page: SearchPage, form: Form, origin: Settled, destination: Settled
    ) -> Response:
        form = replace(
            form,
            origin=replace(form.origin, text=origin.name, id=origin.id),
            destination=replace(form.destination, text=destination.name, id=destination.id),
        )
        names, ends, state, now = (
            (origin.name, destination.name),
            (origin.at, destination.at),
            request.app.state,
            door.now_of(request),
        )
        try:
            wish = _wish(form, ends, page.seats)
            if wish.at < now.timestamp() - KEPT_S:
                raise BadInput("offer_in_past")
        except BadInput as error:
            field = {"bad_day": "jour", "offer_in_past": "jour", "bad_clock": "heure"}.get(error.code, "places")
            page = replace(page, problems=[Link(f"#{field}", error_sentence(error))])
            return pages.send(request, "meeting/search.html", status=400, page=page, form=form)
        ways = ways_of(find_snapshot(pages))
        matches = await site.run(state.offer_search.search, ways, wish, now)
        look = partial(finding.find_partners, state.engine, state.keys, state.offer_boards, wish, now)
        others: PartnerJourneys = await anyio.to_thread.run_sync(look)
        cards = [_card(one, form, wish, names, ends) for one in matches]
        cards += [_partner_card(one, wish, names, state.keys, now) for one in others.journeys]
        page = replace(
            page,
            title=say("meeting.search.found", origin=origin.name, destination=destination.name),
            when=say("meeting.search.when", day=long_day(local_day(wish.at)), time=clock(wish.at)),
            cards=cards,
            count=say_count("meeting.search.count", len(cards)),
            is_answered=True,
            silent=say("meeting.search.silent", operators=", ".join(others.silent)) if others.silent else "",
            ways=_offer_ways(form),
        )
        return pages.send(request, "meeting/search.html", page=page, form=form)

    @router.get(BOOK)
    def look_again(request: Request, principal: Owner) -> Response:
        values = {name: request.query_params[name][:200] for name in _BOOKING_FIELDS if name in request.query_params}
        given = _read_booking(values, principal.pseudonym)
        met = datetime.fromtimestamp(given.board_at or 0, UTC)
        told = say(
            "meeting.book.lead",
            origin=given.origin_name,
            destination=given.destination_name,
            day=long_day(met.astimezone(PARIS).date()),
            time=clock(int(met.timestamp())),
            seats=given.wish.seats,
        )
        return send_form(pages, request, _booking_page(values, told, secrets.token_urlsafe(12)))

    @router.post(BOOK)
    def book(request: Request, principal: Owner, form: Fields) -> Response:
        values = {name: form[name][:200] for name in _BOOKING_FIELDS if name in form}
        given, key = _read_booking(values, principal.pseudonym), form.get("cle", "")
        ways = ways_of(find_snapshot(pages))
        try:
            digest = digest_of(given, key)
            done = bookings.book(
                request.app.state.engine, ways, given, digest, key, principal.actor, door.now_of(request)
            )
        except MobigoError as error:
            return send_refused(pages, request, _booking_page(values, "", key), error, form)
        return door.go(f"{RIDES}/{done.booking.booking_id}?fait=demande")

    return router
