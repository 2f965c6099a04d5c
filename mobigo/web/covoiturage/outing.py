"""Outing: the pages of who drives: begin along a line, show the code, see who is aboard, arrive."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from covoiturage.boarding import Outing, Stop
from covoiturage.carpool import Side
from mobigo.services.covoiturage import boarding_codes, outings, scanning
from mobigo.services.covoiturage.expecting import Departure, Expected, course_of_offer, list_departures, list_expected
from mobigo.services.covoiturage.lines import list_lines
from mobigo.services.covoiturage.scanning import Code
from mobigo.services.covoiturage.ways import ways_of
from mobigo.services.people.contacts import read_phone
from mobigo.services.people.principal import Principal
from mobigo.texts import error_sentence
from mobigo.web import door
from mobigo.web.covoiturage.device import give_device, seen_of
from mobigo.web.layout import Pages, absolute
from mobigo.web.meeting.parts import find_snapshot
from mobigo.web.people.account import Line
from mobigo.web.people.forms import Choice, Fields, Link, Owner, status_of
from mobigo.web.people.signing import HOME
from mobigo.web.print import draw_qr
from mobigo.web.wording import clock, moment, say, say_count
from socle.errors import BadInput, MobigoError, NotFound, TooOften
from socle.times import PARIS

OUTING = "/covoiturage/trajet"
NEW = f"{OUTING}/nouveau"
RECEIPTS = "/covoiturage/trajets"
PLATES = "/covoiturage/plaques"
PATH_OF = {Side.BOARD: "/covoiturage/monter", Side.ALIGHT: "/covoiturage/descendre"}
SIDES = {"montee": Side.BOARD, "descente": Side.ALIGHT}
SET_DOWN = "descente_"  # before the id of a ride, in the names of fields
RENEW_S = 45  # a code lives 60 seconds, so that one is always good while the page renews itself

# Error code -> the field it speaks of.
_FIELD_OF = {
    "bad_phone": "telephone",
    "unknown_booking": "passager",
    "boarding_unknown_stop": "arret",
    "too_many_codes": "telephone",
    "wrong_boarding_code": "code",
}


@dataclass(frozen=True, slots=True)
class Booked:
    """An outing of today that passengers booked, to begin by one button: what it is called, and whom one meets."""

    offer_id: str
    name: str
    expected: Sequence[str]


@dataclass(frozen=True, slots=True)
class StartPage:
    """Where one begins: with those who booked; or a line, then a stop of it."""

    title: str
    booked: Sequence[Booked]
    lines: Sequence[Link]
    line_id: str
    line_name: str
    stops: Sequence[Choice]
    key: str
    problems: Sequence[Link]
    back: Link


@dataclass(frozen=True, slots=True)
class Aboard:
    """Somebody in the car, told without a name: boarded where and when."""

    ride_id: str
    told: str
    is_out: bool


@dataclass(frozen=True, slots=True)
class DrivingPage:
    """A car on its way."""

    title: str
    lines: Sequence[Line]
    riders: Sequence[Aboard]
    expected: Sequence[str]
    guests: Sequence[Choice]  # of those, the passengers of partners, who have no code to scan
    stops: Sequence[Choice]
    asked: str  # the id of the code that is being typed
    phone: str
    side: str
    problems: Sequence[Link]
    back: Link


@dataclass(frozen=True, slots=True)
class CodePage:
    """The code of this minute, as large as the screen."""

    title: str
    lead: str
    qr: Markup
    until: str
    renew_s: int
    other: Link
    again: Link
    back: Link


def stop_choices(stops: Sequence[Stop], chosen: str = "") -> list[Choice]:
    """The stops of an outing, to choose one."""
    return [Choice(stop.stop_id, stop.name, stop.stop_id == chosen) for stop in stops]


def clock_of(instant: datetime) -> str:
    """07:02."""
    return f"{instant.astimezone(PARIS):%H:%M}"


def problems_of(error: MobigoError | None, fields: Mapping[str, str], otherwise: str) -> list[Link]:
    """What stands at the top of a page whose form was refused: the sentence, and the field it leads to."""
    if error is None:
        return []
    return [Link(f"#{fields.get(error.code, otherwise)}", error_sentence(error))]


def name_of_stop(outing: Outing, stop_id: str) -> str:
    """What people call a stop."""
    stop = outing.find_stop(stop_id)
    return stop.name if stop is not None else ""


def _aboard(outing: Outing) -> list[Aboard]:
    told = []
    for number, rider in enumerate(outing.riders.values(), 1):
        up, down = rider.boarded, rider.alighted
        sentence = say(
            "covoiturage.outing.boarded",
            number=number,
            stop=name_of_stop(outing, up.stop_id),
            at=clock_of(up.at),
            seats=say_count("covoiturage.outing.seats", up.seats),
        )
        if down is not None:
            at, stop = clock_of(down.at), name_of_stop(outing, down.stop_id)
            sentence = f"{sentence} {say('covoiturage.outing.alighted', stop=stop, at=at)}"
        told.append(Aboard(rider.ride_id, sentence, down is not None))
    return told


def _told(expected: Sequence[Expected]) -> list[str]:
    """Camille, à Sens à 07:02, jusqu'à Auxerre: 1 place, and the letters that tell who it is."""
    return [
        say(
            "covoiturage.outing.expected_one",
            who=_who(one),
            stop=one.board_name,
            at=clock(one.board_at),
            to=one.alight_name,
            seats=say_count("covoiturage.outing.seats", one.seats),
            reference=one.reference,
        )
        for one in expected
    ]


def _who(expected: Expected) -> str:
    if expected.operator:
        return say("covoiturage.outing.guest", operator=expected.operator)
    return expected.first_name or say("covoiturage.outing.nameless")


def _booked(departure: Departure) -> Booked:
    halts = departure.offer.halts
    ends = {"origin": halts[0].name, "destination": halts[-1].name}
    name = say("covoiturage.outing.booked_way", at=clock(departure.leave_at), **ends)
    return Booked(departure.offer.offer_id, name, _told(departure.expected))


def _start_page(
    request: Request, principal: Principal, form: Mapping[str, str], error: MobigoError | None
) -> StartPage:
    state, now = request.app.state, door.now_of(request)
    lines = list_lines(state.engine, now.astimezone(PARIS).date())
    line = next((one for one in lines if one.line_id == form.get("ligne")), None)
    stop_id = form.get("arret", "")
    booked = [_booked(one) for one in list_departures(state.engine, state.keys, principal.pseudonym, now)]
    begun = "reserve" if booked and "reservation" in form else "arret" if line else "ligne"
    return StartPage(
        title=say("covoiturage.outing.start"),
        booked=booked,
        lines=[Link(door.with_query(NEW, ligne=one.line_id), one.name) for one in lines],
        line_id=line.line_id if line else "",
        line_name=line.name if line else "",
        stops=[Choice(stop.stop_id, stop.name, stop.stop_id == stop_id) for stop in line.stops] if line else (),
        key=form.get("cle") or secrets.token_urlsafe(16),
        problems=problems_of(error, {"unknown_line": "ligne"}, begun),
        back=Link(HOME, say("people.account.title")),
    )


def _driving_page(
    outing: Outing, expected: Sequence[Expected], form: Mapping[str, str], error: MobigoError | None
) -> DrivingPage:
    return DrivingPage(
        title=say("covoiturage.outing.title"),
        lines=[
            Line(say("covoiturage.outing.since"), moment(outing.opened_at)),
            Line(say("covoiturage.outing.aboard"), say_count("covoiturage.outing.people", len(outing.aboard))),
        ],
        riders=_aboard(outing),
        expected=_told(expected),
        guests=[
            Choice(one.booking_id, told) for one, told in zip(expected, _told(expected), strict=True) if one.operator
        ],
        stops=stop_choices(outing.stops, form.get("arret", "")),
        asked=form.get("demande", ""),
        phone=form.get("telephone", ""),
        side=form.get("sens", "montee"),
        problems=problems_of(error, _FIELD_OF, "aboard"),
        back=Link(HOME, say("people.account.title")),
    )


def _code_page(word: str, shown: Code, address: str) -> CodePage:
    other = "montee" if word == "descente" else "descente"
    return CodePage(
        title=say(f"covoiturage.code.{word}"),
        lead=say(f"covoiturage.code.lead_{word}"),
        qr=draw_qr(address, say("covoiturage.code.qr")),
        until=say("covoiturage.code.until", at=f"{shown.valid_until.astimezone(PARIS):%H:%M:%S}"),
        renew_s=RENEW_S,
        other=Link(door.with_query(f"{OUTING}/code", sens=other), say(f"covoiturage.code.{other}")),
        again=Link(door.with_query(f"{OUTING}/code", sens=word), say("covoiturage.code.again")),
        back=Link(OUTING, say("covoiturage.outing.title")),
    )


def _driven(request: Request, principal: Principal) -> Outing:
    outing = outings.find_driven(request.app.state.engine, principal.pseudonym)
    if outing is None:
        raise NotFound("no_outing_of_yours")
    return outing


def _send_start(
    pages: Pages, request: Request, principal: Principal, form: Mapping[str, str], error: MobigoError | None = None
) -> Response:
    page = _start_page(request, principal, form, error)
    status = status_of(error) if error else 200
    answer = pages.send(request, "covoiturage/start.html", status=status, cache="no-store", page=page)
    give_device(request, answer)
    return answer


def _send_driving(
    pages: Pages, request: Request, outing: Outing, form: Mapping[str, str], error: MobigoError | None = None
) -> Response:
    state = request.app.state
    page = _driving_page(outing, list_expected(state.engine, state.keys, outing), form, error)
    status = status_of(error) if error else 200
    answer = pages.send(request, "covoiturage/driving.html", status=status, cache="no-store", page=page)
    give_device(request, answer)
    if isinstance(error, TooOften):
        answer.headers["Retry-After"] = str(error.wait_s)
    return answer


def make_router(pages: Pages) -> APIRouter:
    """`/covoiturage/trajet…`."""
    router = APIRouter(include_in_schema=False)
    _add_way(router, pages)
    _add_sms(router, pages)
    _add_guests(router, pages)
    _add_ends(router, pages)
    return router


def _add_way(router: APIRouter, pages: Pages) -> None:
    """Begin, look, show the code."""

    @router.get(NEW)
    def start(request: Request, principal: Owner) -> Response:
        return _send_start(pages, request, principal, request.query_params)

    @router.post(NEW)
    def begin(request: Request, principal: Owner, form: Fields) -> Response:
        engine, seen, driver = request.app.state.engine, seen_of(request, form), principal.pseudonym
        try:
            if "reservation" in form:
                ways = ways_of(find_snapshot(pages))
                course, stop_id = course_of_offer(engine, ways, driver, form["reservation"], seen.now)
            else:
                day = seen.now.astimezone(PARIS).date()
                course, stop_id = outings.course_of_line(engine, form.get("ligne", ""), day), form.get("arret", "")
            outings.open_outing(engine, driver, course, stop_id, seen, form.get("cle", ""), principal.actor)
        except MobigoError as error:
            return _send_start(pages, request, principal, form, error)
        return door.go(OUTING)

    @router.get(OUTING)
    def current(request: Request, principal: Owner) -> Response:
        engine = request.app.state.engine
        outing = outings.find_current(engine, principal.pseudonym, door.now_of(request))
        if outing is None:
            return door.go(NEW)
        if outing.driver != principal.pseudonym:
            return door.go(f"{RECEIPTS}/{outing.id}")
        return _send_driving(pages, request, outing, {"demande": request.query_params.get("demande", "")})

    @router.get(f"{OUTING}/code")
    def code(request: Request, principal: Owner) -> Response:
        state, outing = request.app.state, _driven(request, principal)
        word = "descente" if request.query_params.get("sens") == "descente" else "montee"
        now = door.now_of(request)
        shown = scanning.show_code(state.engine, state.keys, outing.id, principal.pseudonym, SIDES[word], now)
        address = absolute(pages.site, request, f"{PATH_OF[shown.side]}/{shown.token}")
        answer = pages.send(request, "covoiturage/code.html", cache="no-store", page=_code_page(word, shown, address))
        give_device(request, answer)
        return answer


def _add_sms(router: APIRouter, pages: Pages) -> None:
    """A code sent to a passenger, and typed."""

    @router.post(f"{OUTING}/sms")
    def send_sms(request: Request, principal: Owner, form: Fields) -> Response:
        state, outing = request.app.state, _driven(request, principal)
        try:
            phone, side = read_phone(form.get("telephone", "")), SIDES.get(form.get("sens", ""), Side.BOARD)
            now = door.now_of(request)
            asked = boarding_codes.ask_code(state.engine, state.keys, outing.id, principal.pseudonym, phone, side, now)
        except MobigoError as error:
            return _send_driving(pages, request, outing, form, error)
        return door.go(f"{door.with_query(OUTING, demande=asked)}#code")

    @router.post(f"{OUTING}/sms/code")
    def type_code(request: Request, principal: Owner, form: Fields) -> Response:
        state, outing = request.app.state, _driven(request, principal)
        typed = (form.get("demande", ""), form.get("code", ""), form.get("arret", ""), seen_of(request, form))
        try:
            boarding_codes.use_code(state.engine, state.keys, outing.id, principal.pseudonym, *typed)
        except MobigoError as error:
            return _send_driving(pages, request, outing, form, error)
        return door.go(OUTING)


def _add_guests(router: APIRouter, pages: Pages) -> None:
    """A passenger of a partner is aboard, as the driver says."""

    @router.post(f"{OUTING}/passager")
    def board(request: Request, principal: Owner, form: Fields) -> Response:
        engine, outing = request.app.state.engine, _driven(request, principal)
        told = (form.get("passager", ""), form.get("arret", ""), seen_of(request, form), principal.actor)
        try:
            outings.board_guest(engine, outing.id, principal.pseudonym, *told)
        except MobigoError as error:
            return _send_driving(pages, request, outing, form, error)
        return door.go(OUTING)


def _add_ends(router: APIRouter, pages: Pages) -> None:
    """Arrive, or give up."""

    @router.post(f"{OUTING}/arriver")
    def arrive(request: Request, principal: Owner, form: Fields) -> Response:
        engine, outing = request.app.state.engine, _driven(request, principal)
        down = {name.removeprefix(SET_DOWN): stop for name, stop in form.items() if name.startswith(SET_DOWN) and stop}
        told = (form.get("arrivee", ""), down, seen_of(request, form), principal.actor)
        try:
            closed = outings.close_outing(engine, outing.id, principal.pseudonym, *told)
        except MobigoError as error:
            return _send_driving(pages, request, outing, form, error)
        return door.go(f"{RECEIPTS}/{closed.outing.id}")

    @router.post(f"{OUTING}/annuler")
    def cancel(request: Request, principal: Owner, form: Fields) -> Response:
        engine, outing = request.app.state.engine, _driven(request, principal)
        if form.get("compris") != "oui":
            return _send_driving(pages, request, outing, form, BadInput("not_understood"))
        who, now = principal.pseudonym, door.now_of(request)
        outings.cancel_outing(engine, outing.id, who, "", principal.actor, now)
        return door.go(f"{RECEIPTS}/{outing.id}")
