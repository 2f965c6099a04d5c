"""Offers: a driver publishes, changes and withdraws seats; a passenger says what they look for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from mobigo.api.access import decode, now_of, private_json
from mobigo.api.deps import find_snapshot
from mobigo.api.meeting.asked import ROOT, Body, Owner, find_line, key_of, named, told, zoned
from mobigo.api.meeting.shapes import (
    CancelledAnswer,
    ChangeBody,
    OfferAnswer,
    OfferBody,
    OffersAnswer,
    PublishedAnswer,
    RequestAnswer,
    RequestBody,
    RequestsAnswer,
    RestBody,
    booking_answer,
    offer_answer,
    request_answer,
)
from mobigo.services.covoiturage import offering, requesting
from mobigo.services.covoiturage.given import GivenOffer, GivenRequest, Weeks
from mobigo.services.covoiturage.ways import ways_of
from mobigo.texts import text
from socle.errors import BadInput

OfferId = Annotated[str, Path(description=text("api.parameters.offerId"))]
RequestId = Annotated[str, Path(description=text("api.parameters.requestId"))]

router = APIRouter(tags=["covoiturage"])


@router.post(f"{ROOT}/offers", **told("publishOffer", PublishedAnswer, OfferBody))
def publish(request: Request, principal: Owner, body: Body) -> Response:
    """Offer seats."""
    wish: OfferBody = decode(body, OfferBody)
    now = now_of(request)
    if sum((wish.at is not None, wish.weeks is not None, wish.now)) != 1:
        raise BadInput("one_of_two", one="at", other="weeks")
    leaves: datetime | Weeks = now if wish.at is None else zoned(wish.at)
    if wish.weeks is not None:
        leaves = Weeks(tuple(wish.weeks.weekdays), wish.weeks.clock, wish.weeks.first, wish.weeks.last)
    given = GivenOffer(
        leaves=datetime.fromtimestamp(0, UTC) if wish.now else leaves,  # the same body an instant later is the same
        seats=wish.seats,
        origin=named(wish.origin),
        destination=named(wish.destination),
        line_id=wish.line_id,
        from_stop=wish.from_stop,
        to_stop=wish.to_stop,
        detour_min=wish.detour_minutes,
        detour_km=wish.detour_km,
        price_cents=wish.price_cents,
        at_once=wish.now,
    )
    line, engine = find_line(request, wish.line_id, now), request.app.state.engine
    ways = ways_of(find_snapshot(request))
    who, actor = principal.pseudonym, principal.actor
    published = offering.publish(engine, ways, who, given, line, key_of(request), actor, now)
    booked = [booking_answer(one, who) for one in published.booked]
    return private_json(PublishedAnswer(offer_answer(published.offer), published.n_told, booked), 201)


@router.get(f"{ROOT}/offers", **told("listOffers", OffersAnswer))
def list_offers(request: Request, principal: Owner) -> Response:
    """One's own offers."""
    own = offering.list_own_offers(request.app.state.engine, principal.pseudonym, now_of(request))
    return private_json(OffersAnswer([offer_answer(one) for one in own]))


@router.patch(f"{ROOT}/offers/{{offer_id}}", **told("changeOffer", OfferAnswer, ChangeBody))
def change_offer(request: Request, principal: Owner, offer_id: OfferId, body: Body) -> Response:
    """Offer more or fewer seats."""
    wish: ChangeBody = decode(body, ChangeBody)
    who, actor, now = principal.pseudonym, principal.actor, now_of(request)
    offer = offering.change_seats(request.app.state.engine, offer_id, who, wish.seats, actor, now)
    return private_json(offer_answer(offer))


@router.post(f"{ROOT}/offers/{{offer_id}}/rests", **told("restOffer", CancelledAnswer, RestBody))
def rest_offer(request: Request, principal: Owner, offer_id: OfferId, body: Body) -> Response:
    """Not leave on one day."""
    wish: RestBody = decode(body, RestBody)
    who, actor, now = principal.pseudonym, principal.actor, now_of(request)
    return private_json(
        CancelledAnswer(offering.rest_on(request.app.state.engine, offer_id, who, wish.day, actor, now))
    )


@router.delete(f"{ROOT}/offers/{{offer_id}}", **told("withdrawOffer", CancelledAnswer))
def withdraw_offer(request: Request, principal: Owner, offer_id: OfferId) -> Response:
    """Offer no more."""
    who, actor, now = principal.pseudonym, principal.actor, now_of(request)
    return private_json(CancelledAnswer(offering.withdraw(request.app.state.engine, offer_id, who, actor, now)))


@router.post(f"{ROOT}/requests", **told("askForRide", RequestAnswer, RequestBody))
def ask(request: Request, principal: Owner, body: Body) -> Response:
    """Look for a ride."""
    wish: RequestBody = decode(body, RequestBody)
    at = zoned(wish.at)
    given = GivenRequest(
        at=at,
        seats=wish.seats,
        origin=named(wish.origin),
        destination=named(wish.destination),
        line_id=wish.line_id,
        from_stop=wish.from_stop,
        to_stop=wish.to_stop,
        arrive_by=wish.arrive_by,
        tolerance_s=wish.tolerance_minutes * 60,
    )
    ways, who = ways_of(find_snapshot(request)), principal.pseudonym
    line = find_line(request, wish.line_id, at)
    asked = requesting.ask(request.app.state.engine, ways, who, given, line, key_of(request), now_of(request))
    answer = request_answer(asked.request)
    answer.booked = None if asked.booked is None else booking_answer(asked.booked, who)
    return private_json(answer, 201)


@router.get(f"{ROOT}/requests", **told("listRequests", RequestsAnswer))
def list_requests(request: Request, principal: Owner) -> Response:
    """What one looks for."""
    own = requesting.list_own_requests(request.app.state.engine, principal.pseudonym, now_of(request))
    return private_json(RequestsAnswer([request_answer(one) for one in own]))


@router.delete(f"{ROOT}/requests/{{request_id}}", **told("giveUpRequest", RequestsAnswer))
def give_up(request: Request, principal: Owner, request_id: RequestId) -> Response:
    """Look no more; what one still looks for."""
    requesting.give_up(request.app.state.engine, request_id, principal.pseudonym)
    return list_requests(request, principal)
