"""Riding: what the codes of a driver and of a car lead to: a passenger boards or alights with one button."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from covoiturage.boarding import MOST_SEATS, Outing, Stop
from covoiturage.carpool import Side
from covoiturage.scans import Scan
from mobigo.services.covoiturage import outings, plates, scanning
from mobigo.services.covoiturage.outings import Course
from mobigo.services.people.principal import Principal
from mobigo.web import door
from mobigo.web.covoiturage.device import give_device, seen_of
from mobigo.web.covoiturage.outing import PATH_OF, RECEIPTS, problems_of, stop_choices
from mobigo.web.door import PUBLIC
from mobigo.web.layout import Pages
from mobigo.web.people.forms import Choice, Fields, Link, Owner, status_of
from mobigo.web.wording import say
from socle.errors import Conflict, MobigoError, NotFound, NotSignedIn
from socle.times import PARIS

PLATE = "/covoiturage/plaque"
_FIELD_OF = {"boarding_bad_seats": "places"}


@dataclass(frozen=True, slots=True)
class RidePage:
    """One question: at which stop; one button."""

    title: str
    lead: str
    action: str
    submit: str
    stops: Sequence[Choice]
    most_seats: int  # 0: seats are not asked for
    seats: str
    problems: Sequence[Link]
    back: Link


def _page(
    side: Side, action: str, stops: Sequence[Stop], form: Mapping[str, str], error: MobigoError | None
) -> RidePage:
    chosen = stop_choices(stops, form.get("arret", ""))
    is_board = side is Side.BOARD
    return RidePage(
        title=say("covoiturage.ride.board") if is_board else say("covoiturage.ride.alight"),
        lead=say("covoiturage.ride.board_lead") if is_board else say("covoiturage.ride.alight_lead"),
        action=action,
        submit=say("covoiturage.ride.board_submit") if is_board else say("covoiturage.ride.alight_submit"),
        stops=chosen,
        most_seats=MOST_SEATS if is_board else 0,
        seats=form.get("places", "1"),
        problems=problems_of(error, _FIELD_OF, "arret"),
        back=Link("/compte/covoiturages", say("covoiturage.mine.title")),
    )


def _seats(form: Mapping[str, str]) -> int:
    """What was typed as seats; 0, which the outing refuses, when it is no small number."""
    typed = form.get("places", "1")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 3 else 0


def _visitor(request: Request) -> Principal:
    principal = door.find_visitor(request)
    if principal is None:
        raise NotSignedIn("sign_in_first")
    return principal


def _course_of(request: Request) -> Callable[[str], Course]:
    today = door.now_of(request).astimezone(PARIS).date()

    def course(line_id: str) -> Course:
        return outings.course_of_line(request.app.state.engine, line_id, today)

    return course


def _send(
    pages: Pages,
    request: Request,
    side: Side,
    stops: Sequence[Stop],
    form: Mapping[str, str] | None = None,
    error: MobigoError | None = None,
) -> Response:
    page = _page(side, request.url.path, stops, form or {}, error)
    status = status_of(error) if error else 200
    return pages.send(request, "covoiturage/ride.html", status=status, cache="no-store", page=page)


def make_router(pages: Pages) -> APIRouter:
    """`/covoiturage/monter/…`, `/covoiturage/descendre/…`, `/covoiturage/plaque/…`."""
    router = APIRouter(include_in_schema=False)
    _add_codes(router, pages)
    _add_plate(router, pages)
    return router


# --- the code of a driver --------------------------------------------------------------------


def _stamp(side: Side, request: Request, token: str) -> Response:
    """Keep the moment of a scan, for this browser, before anybody has to sign in."""
    answer = door.go(PATH_OF[side])
    device = give_device(request, answer)
    stamped = scanning.stamp_scan(request.app.state.keys, token, device, door.now_of(request))
    answer.headers["location"] = f"{PATH_OF[side]}/{stamped}"
    return answer


def _scanned(pages: Pages, side: Side, request: Request, token: str) -> Response:
    if not scanning.is_stamped(token):
        return _stamp(side, request, token)
    scan, outing = _look(request, token)
    if scan.side is not side:
        raise Conflict("boarding_other_side")
    rider = outing.riders.get(_visitor(request).pseudonym)
    if rider is not None and (side is Side.BOARD or rider.alighted is not None):
        return door.go(f"{RECEIPTS}/{outing.id}")
    return _send(pages, request, side, outing.stops)


def _confirmed(
    pages: Pages, side: Side, request: Request, principal: Principal, token: str, form: Mapping[str, str]
) -> Response:
    state, seen, stop_id = request.app.state, seen_of(request, form), form.get("arret", "")
    given = (state.engine, state.keys, principal.pseudonym, token, stop_id, seen)
    try:
        boards = side is Side.BOARD
        done = scanning.board_by_scan(*given, _seats(form)) if boards else scanning.alight_by_scan(*given)
    except MobigoError as error:
        if error.code.startswith("scan_"):
            raise
        return _send(pages, request, side, _look(request, token)[1].stops, form, error)
    return door.go(f"{RECEIPTS}/{done.outing.id}")


def _look(request: Request, token: str) -> tuple[Scan, Outing]:
    return scanning.look_at_scan(request.app.state.engine, request.app.state.keys, token, seen_of(request))


def _add_codes(router: APIRouter, pages: Pages) -> None:
    board, alight = (f"{PATH_OF[side]}/{{token}}" for side in (Side.BOARD, Side.ALIGHT))

    @router.get(board, dependencies=[PUBLIC])
    def board_scanned(request: Request, token: str) -> Response:
        return _scanned(pages, Side.BOARD, request, token)

    @router.get(alight, dependencies=[PUBLIC])
    def alight_scanned(request: Request, token: str) -> Response:
        return _scanned(pages, Side.ALIGHT, request, token)

    @router.post(board)
    def board_confirmed(request: Request, principal: Owner, token: str, form: Fields) -> Response:
        return _confirmed(pages, Side.BOARD, request, principal, token, form)

    @router.post(alight)
    def alight_confirmed(request: Request, principal: Owner, token: str, form: Fields) -> Response:
        return _confirmed(pages, Side.ALIGHT, request, principal, token, form)


# --- the plate of a car ----------------------------------------------------------------------


def _about_plate(request: Request, principal: Principal, code: str) -> tuple[Side, Sequence[Stop]]:
    """What scanning a plate is for now: alighting for who is aboard, boarding for everybody else."""
    plate, outing = plates.look_at_plate(request.app.state.engine, code)
    rider = outing.riders.get(principal.pseudonym) if outing is not None else None
    side = Side.ALIGHT if rider is not None and rider.alighted is None else Side.BOARD
    return side, outing.stops if outing is not None else _course_of(request)(plate.line_id).stops


def _add_plate(router: APIRouter, pages: Pages) -> None:
    @router.get(f"{PLATE}/{{code}}")
    def plate_scanned(request: Request, principal: Owner, code: str) -> Response:
        side, stops = _about_plate(request, principal, code)
        answer = _send(pages, request, side, stops)
        give_device(request, answer)
        return answer

    @router.post(f"{PLATE}/{{code}}")
    def plate_confirmed(request: Request, principal: Owner, code: str, form: Fields) -> Response:
        engine, seen, stop_id = request.app.state.engine, seen_of(request, form), form.get("arret", "")
        who = principal.pseudonym
        # What the page asked for: a form sent twice does not board and alight.
        side = Side.ALIGHT if form.get("sens") == "descente" else Side.BOARD
        try:
            if side is Side.BOARD:
                course_of = _course_of(request)
                done = plates.board_by_plate(engine, who, code, course_of, stop_id, seen, _seats(form))
            else:
                done = plates.alight_by_plate(engine, who, code, stop_id, seen)
        except NotFound:
            raise
        except MobigoError as error:
            return _send(pages, request, side, _about_plate(request, principal, code)[1], form, error)
        return door.go(f"{RECEIPTS}/{done.outing.id}")
