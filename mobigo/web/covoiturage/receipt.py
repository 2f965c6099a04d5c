"""Receipt: what a carpool was, or is so far, for one of its people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from covoiturage.boarding import Outing
from mobigo.services.covoiturage import carpools, outings
from mobigo.services.covoiturage.carpools import Part, ToldCarpool
from mobigo.web.covoiturage.outing import RECEIPTS, clock_of, name_of_stop
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line
from mobigo.web.people.forms import Link, Owner
from mobigo.web.people.signing import HOME
from mobigo.web.wording import distance, euros, moment, say


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """What a carpool was, for one of its people."""

    title: str
    lead: str
    lines: Sequence[Line]
    rides: Sequence[str]
    links: Sequence[Link]
    back: Link


def _receipt_page(told: ToldCarpool, outing: Outing | None, cents: int | None) -> ReceiptPage:
    lines = [Line(say("covoiturage.receipt.start"), moment(told.start_at))]
    if told.end_at is not None:
        lines.append(Line(say("covoiturage.receipt.end"), moment(told.end_at)))
    lines.append(Line(say("covoiturage.receipt.state"), say(f"covoiturage.receipt.state_{told.state}")))
    if cents is not None:
        lines.append(Line(say("covoiturage.receipt.amount"), euros(cents)))
    rides = []
    for ride in told.rides:
        metres = distance(ride.distance_m) if ride.distance_m is not None else ""
        names = [name_of_stop(outing, stop) if outing else "" for stop in (ride.board_stop, ride.alight_stop)]
        proof = say(f"covoiturage.receipt.class_{ride.proof_class}") if ride.proof_class else ""
        at = clock_of(ride.board_at)
        if ride.alight_at is None:
            rides.append(say("covoiturage.receipt.aboard", at=at, stop=names[0]))
            continue
        facts = {"from": names[0], "to": names[1], "at": at, "until": clock_of(ride.alight_at), "metres": metres}
        rides.append(f"{say('covoiturage.receipt.ride', **facts)} {proof}".strip())
    is_driver = told.part is Part.DRIVER
    return ReceiptPage(
        title=say("covoiturage.receipt.title"),
        lead=say("covoiturage.receipt.driver") if is_driver else say("covoiturage.receipt.passenger"),
        lines=lines,
        rides=rides,
        links=[Link("/compte/covoiturages", say("covoiturage.receipt.mine"))],
        back=Link(HOME, say("people.account.title")),
    )


def make_router(pages: Pages) -> APIRouter:
    """`/covoiturage/trajets/…`."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{RECEIPTS}/{{carpool_id}}")
    def receipt(request: Request, principal: Owner, carpool_id: str) -> Response:
        engine, who = request.app.state.engine, principal.pseudonym
        told = carpools.get_told(engine, carpool_id, who)
        outing = outings.get_outing_of(engine, carpool_id, who) if carpools.is_outing(engine, carpool_id) else None
        cents = None
        if told.state == "decided":
            cents = carpools.get_decision(engine, carpool_id, who).amount_cents
        page = _receipt_page(told, outing, cents)
        return pages.send(request, "covoiturage/receipt.html", cache="no-store", page=page)

    return router
