"""Searching: who takes a passenger along."""

from __future__ import annotations

from functools import partial

import anyio
import msgspec
from fastapi import APIRouter, Request, Response

from covoiturage.offers import Match, Meeting, Offer, Wish
from mobigo.api.access import PUBLIC, now_of, private_json
from mobigo.api.deps import find_snapshot, in_pool
from mobigo.api.meeting.asked import ROOT, told, zoned
from mobigo.api.meeting.shapes import MatchAnswer, MeetingAnswer, PartnerAnswer, RidesFound, SearchParams
from mobigo.services.covoiturage import finding
from mobigo.services.covoiturage.finding import PartnerJourney, PartnerJourneys
from mobigo.services.covoiturage.ways import ways_of
from routing.journeys.naming import find_point, get_public_stop
from routing.journeys.snapshot import Snapshot
from socle.errors import BadInput
from socle.geo import LatLon
from socle.times import render_instant

_NEAR = 3  # decimals of places in answers to anybody: a hundred metres

router = APIRouter(tags=["covoiturage"])


def _place(snapshot: Snapshot | None, written: str) -> LatLon:
    """`lat,lon` or the id of a stop."""
    at = find_point(written)
    if at is not None:
        return at
    if snapshot is None:
        raise BadInput("bad_coordinates", value=written)
    return snapshot.timetable.stop_at(get_public_stop(snapshot.timetable, written))


@router.get(f"{ROOT}/search", dependencies=[PUBLIC], **told("searchRides", RidesFound, params=SearchParams))
async def search(request: Request) -> Response:
    """Who takes a passenger along."""
    try:
        asked = msgspec.convert(dict(request.query_params), SearchParams, strict=False)
    except msgspec.ValidationError as error:
        raise BadInput("bad_field", reason=str(error)) from None
    snapshot, now, state = find_snapshot(request), now_of(request), request.app.state
    wish = Wish(
        _place(snapshot, asked.from_),
        _place(snapshot, asked.to),
        int(zoned(asked.at).timestamp()),
        arrive_by=asked.arrive_by,
        tolerance_s=asked.tolerance_minutes * 60,
        seats=asked.seats,
        walk_m=asked.walk_metres,
    )
    matches = await in_pool(request, lambda: state.offer_search.search(ways_of(snapshot), wish, now))
    others = PartnerJourneys((), ())
    if asked.partners:
        look = partial(finding.find_partners, state.engine, state.keys, state.offer_boards, wish, now)
        others = await anyio.to_thread.run_sync(look)
    found = RidesFound(
        [_match(one, wish) for one in matches], [_partner(one) for one in others.journeys], list(others.silent)
    )
    return private_json(found)


def _match(match: Match, wish: Wish) -> MatchAnswer:
    offer = match.offer
    return MatchAnswer(
        offer.offer_id,
        match.day,
        offer.line_id,
        _near(offer, match.board),
        _near(offer, match.alight),
        match.ride_m,
        match.detour_s,
        match.detour_m,
        match.n_free,
        offer.price_cents * wish.seats,
        offer.at_once,
    )


def _near(offer: Offer, meeting: Meeting) -> MeetingAnswer:
    """Where one is met, not to the metre: a driver's door is told to who has booked."""
    name = offer.halts[meeting.halt].name if meeting.halt >= 0 else ""
    at = (round(meeting.at.lat, _NEAR), round(meeting.at.lon, _NEAR))
    return MeetingAnswer(name, *at, render_instant(meeting.instant), meeting.walk_m)


def _partner(journey: PartnerJourney) -> PartnerAnswer:
    return PartnerAnswer(
        journey.operator,
        journey.journey_id,
        render_instant(journey.pickup_at),
        list(journey.pickup),
        list(journey.drop),
        journey.duration_s,
        journey.seats,
        journey.price_cents,
        journey.link,
    )
