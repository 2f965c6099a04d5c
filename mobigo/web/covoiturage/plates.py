"""Plates: the codes of one's own cars, each on a page to print and hang up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from mobigo.services.covoiturage import plates
from mobigo.services.covoiturage.lines import get_line, list_lines
from mobigo.web import door
from mobigo.web.covoiturage.outing import NEW, PLATES, problems_of
from mobigo.web.covoiturage.riding import PLATE
from mobigo.web.layout import Pages, absolute
from mobigo.web.people.forms import Choice, Fields, Link, Owner, status_of
from mobigo.web.print import draw_qr
from mobigo.web.wording import moment, say
from socle.errors import MobigoError, NotFound
from socle.times import PARIS


@dataclass(frozen=True, slots=True)
class OwnPlate:
    """One plate."""

    plate_id: str
    name: str
    href: str


@dataclass(frozen=True, slots=True)
class PlatesPage:
    """One's plates, and a new one."""

    title: str
    plates: Sequence[OwnPlate]
    lines: Sequence[Choice]
    problems: Sequence[Link]
    back: Link


@dataclass(frozen=True, slots=True)
class PlatePage:
    """A plate as it is printed."""

    title: str
    line: str
    qr: Markup
    address: str
    back: Link


def make_router(pages: Pages) -> APIRouter:
    """`/covoiturage/plaques…`."""
    router = APIRouter(include_in_schema=False)

    def names(request: Request) -> dict[str, str]:
        today = door.now_of(request).astimezone(PARIS).date()
        return {line.line_id: line.name for line in list_lines(request.app.state.engine, today)}

    def send(request: Request, principal: Owner, error: MobigoError | None = None) -> Response:
        known = names(request)
        own = [
            OwnPlate(
                plate.id,
                say(
                    "covoiturage.plates.made",
                    line=known.get(plate.line_id, plate.line_id),
                    at=moment(plate.made_at),
                ),
                f"{PLATES}/{plate.id}",
            )
            for plate in plates.list_plates_of(request.app.state.engine, principal.pseudonym)
        ]
        page = PlatesPage(
            title=say("covoiturage.plates.title"),
            plates=own,
            lines=[Choice(line_id, name) for line_id, name in known.items()],
            problems=problems_of(error, {}, "ligne"),
            back=Link(NEW, say("covoiturage.outing.start")),
        )
        status = status_of(error) if error else 200
        return pages.send(request, "covoiturage/plates.html", status=status, cache="no-store", page=page)

    @router.get(PLATES)
    def own_plates(request: Request, principal: Owner) -> Response:
        return send(request, principal)

    @router.post(PLATES)
    def make(request: Request, principal: Owner, form: Fields) -> Response:
        engine, now, line_id = request.app.state.engine, door.now_of(request), form.get("ligne", "")
        try:
            get_line(engine, line_id, now.astimezone(PARIS).date())
            plate = plates.make_plate(engine, principal.pseudonym, line_id, principal.actor, now)
        except MobigoError as error:
            return send(request, principal, error)
        return door.go(f"{PLATES}/{plate.id}")

    @router.post(f"{PLATES}/retirer")
    def withdraw(request: Request, principal: Owner, form: Fields) -> Response:
        engine, now = request.app.state.engine, door.now_of(request)
        try:
            plates.withdraw_plate(engine, principal.pseudonym, form.get("plaque", ""), principal.actor, now)
        except MobigoError as error:
            return send(request, principal, error)
        return door.go(PLATES)

    @router.get(f"{PLATES}/{{plate_id}}")
    def printed(request: Request, principal: Owner, plate_id: str) -> Response:
        own = plates.list_plates_of(request.app.state.engine, principal.pseudonym)
        plate = next((one for one in own if one.id == plate_id), None)
        if plate is None:
            raise NotFound("unknown_plate")
        address = absolute(pages.site, request, f"{PLATE}/{plate.code}")
        page = PlatePage(
            title=say("covoiturage.plates.plate"),
            line=names(request).get(plate.line_id, plate.line_id),
            qr=draw_qr(address, say("covoiturage.plates.qr")),
            address=address,
            back=Link(PLATES, say("covoiturage.plates.title")),
        )
        return pages.send(request, "covoiturage/plate.html", cache="no-store", page=page)

    return router
