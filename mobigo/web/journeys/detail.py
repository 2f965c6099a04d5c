"""Detail: the page of one journey, to understand it, print it, share it and put it in an agenda.

The id in the address holds the journey itself (journey-api, refresh-itinerary): nothing is
stored, and what the address is opened on later is today's timetable, with what changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response

from mobigo.services import journeys as service
from mobigo.web.door import PUBLIC
from mobigo.web.journeys.calendar import MEDIA_TYPE, Appointment, render_calendar
from mobigo.web.journeys.cards import length_of, list_facts
from mobigo.web.journeys.form import Form, Side
from mobigo.web.journeys.picture import Ends, Picture, draw_journeys
from mobigo.web.journeys.places import commune_at, end_name
from mobigo.web.journeys.steps import LEAST_WALK_M, Step, list_steps, plain_lines
from mobigo.web.layout import Pages, absolute
from mobigo.web.looks import place_id, sign_of_feeder, sign_of_trip
from mobigo.web.wording import clock, distance, long_day, mass, minute_after, reason_sentence, say, say_count
from routing.journeys.journey import FeederLeg, Journey, Leg, TransitLeg, WalkLeg
from routing.journeys.naming import stop_name
from routing.journeys.query import Place, PointPlace, StopPlace
from routing.journeys.snapshot import Snapshot
from routing.journeys.told import LegFacts, Reason, Told, place_at
from socle.errors import NotFound
from socle.times import PARIS, local_day

N_OTHERS = 3  # rides told that could take the place of one


@dataclass(frozen=True, slots=True)
class CarbonRow:
    """What one leg emits."""

    leg: str
    distance: str
    legal: str
    full: str


@dataclass(frozen=True, slots=True)
class CarbonTable:
    """What each leg and the whole journey emit, and what is to be known of the figures."""

    rows: Sequence[CarbonRow]
    legal: str
    full: str
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class JourneyPage:
    """What the page of a journey shows."""

    title: str
    description: str
    when: str
    href: str
    calendar_href: str
    search_href: str
    changes: Sequence[str]
    facts: Sequence[str]
    steps: Sequence[Step]
    carbon: CarbonTable
    map: Picture


def journey_href(snapshot: Snapshot, journey: Journey) -> str:
    """The address of a journey's page."""
    return f"/trajet/{service.itinerary_id(snapshot, journey)}"


def _ends_of(journey: Journey) -> tuple[Place, Place]:
    first, last = journey.legs[0], journey.legs[-1]
    return _begins_at(first), _ends_at(last)


def _begins_at(leg: Leg) -> Place:
    if isinstance(leg, TransitLeg):
        return StopPlace(leg.calls[0].stop)
    return _feeder_stop(leg, leg.first) if isinstance(leg, FeederLeg) else leg.origin


def _ends_at(leg: Leg) -> Place:
    if isinstance(leg, TransitLeg):
        return StopPlace(leg.calls[-1].stop)
    return _feeder_stop(leg, leg.last) if isinstance(leg, FeederLeg) else leg.destination


def _feeder_stop(leg: FeederLeg, stop: int) -> Place:
    return PointPlace(leg.feeder.stops[stop].at, leg.feeder.stops[stop].name)


def _side(snapshot: Snapshot, name: str, place: Place) -> Side:
    """The end of a journey as the field of a search that finds it again."""
    if isinstance(place, PointPlace):
        commune = commune_at(snapshot, place.at)
        if commune is not None:
            return Side(name, commune.name, place_id(snapshot, commune))
        return Side(name, f"{place.at.lat:.5f},{place.at.lon:.5f}")
    station = snapshot.timetable.stop_station(place.stop)
    return Side(name, stop_name(snapshot, station), snapshot.stop_ids[station])


def _name(snapshot: Snapshot, place: Place) -> str:
    if isinstance(place, StopPlace):
        return stop_name(snapshot, place.stop)
    return place.name or end_name(snapshot, place.at)


def ends_of(snapshot: Snapshot, journey: Journey) -> Ends:
    """Where a journey begins and ends, by name and on the map."""
    origin, goal = _ends_of(journey)
    return Ends(_name(snapshot, origin), place_at(snapshot, origin), _name(snapshot, goal), place_at(snapshot, goal))


def _leg_words(snapshot: Snapshot, leg: Leg) -> str:
    if isinstance(leg, TransitLeg):
        return sign_of_trip(snapshot, leg.trip).spoken
    return sign_of_feeder(leg).spoken if isinstance(leg, FeederLeg) else say("mode.WALK")


def _carbon(snapshot: Snapshot, told: Told) -> CarbonTable:
    unknown = say("journey.unknown")

    def row(facts: LegFacts, leg: str) -> CarbonRow:
        carbon = facts.carbon
        return CarbonRow(
            leg,
            distance(facts.distance_m),
            mass(carbon.legal_g) if carbon else unknown,
            mass(carbon.full_g) if carbon else unknown,
        )

    rows = [
        row(facts, _leg_words(snapshot, leg))
        for leg, facts in zip(told.journey.legs, told.legs, strict=True)
        if not isinstance(leg, WalkLeg) or facts.distance_m >= LEAST_WALK_M
    ]
    if told.carbon is None:
        return CarbonTable(rows, unknown, unknown, (say("journey.carbon_unknown"),))
    notes = (
        say("journey.carbon_note", table=told.carbon.table),
        say("journey.carbon_car", mass=mass(told.carbon.car_alone_g)),
    )
    return CarbonTable(rows, mass(told.carbon.legal_g), mass(told.carbon.full_g), notes)


def _find_again(snapshot: Snapshot, itinerary_id: str) -> tuple[Told, tuple[Reason, ...]]:
    """The journey of an id in today's timetable, and what differs.

    Raises:
        BadInput: the id is none of ours.
        NotFound: a ride of it is gone.
    """
    again = service.refresh_itinerary(snapshot, itinerary_id)
    if again.told is None:
        raise NotFound("journey_gone")
    return again.told, again.refreshed.changes


def make_journey_page(snapshot: Snapshot, itinerary_id: str) -> JourneyPage:
    """The journey of that id as today's timetable has it.

    Raises:
        BadInput: the id is none of ours.
        NotFound: a ride of it is gone.
    """
    told, changes = _find_again(snapshot, itinerary_id)
    journey = told.journey
    ends = ends_of(snapshot, journey)
    origin, goal = _ends_of(journey)
    leaves = datetime.fromtimestamp(journey.departure, PARIS)
    form = Form(
        _side(snapshot, "de", origin),
        _side(snapshot, "vers", goal),
        leaves.date().isoformat(),
        leaves.strftime("%H:%M"),
    )
    href = f"/trajet/{itinerary_id}"
    n_changes = say_count("changes", journey.n_changes)
    departure, arrival = clock(journey.departure), clock(minute_after(journey.arrival))
    return JourneyPage(
        title=say("journey.title", origin=ends.origin, destination=ends.destination),
        description=say(
            "journey.describe", departure=departure, arrival=arrival, length=length_of(journey), changes=n_changes
        ),
        when=say("journey.when", day=long_day(local_day(journey.departure)), departure=departure, arrival=arrival),
        href=href,
        calendar_href=f"{href}.ics",
        search_href=form.href(),
        changes=[reason_sentence(change) for change in changes],
        facts=[length_of(journey), *list_facts(told)],
        steps=list_steps(snapshot, told, ends, service.list_alternatives(snapshot, journey, N_OTHERS)),
        carbon=_carbon(snapshot, told),
        map=draw_journeys(snapshot, [journey], ends),
    )


def make_appointment(snapshot: Snapshot, itinerary_id: str, href: str, now: datetime) -> bytes:
    """The agenda file of the journey of that id, made `now`; `href` is the whole address of its page."""
    told, _ = _find_again(snapshot, itinerary_id)
    ends = ends_of(snapshot, told.journey)
    appointment = Appointment(
        uid=f"{hashlib.sha256(itinerary_id.encode()).hexdigest()[:32]}@mobigo",
        title=say("journey.title", origin=ends.origin, destination=ends.destination),
        where=ends.origin,
        begins=told.journey.departure,
        ends=told.journey.arrival,
        lines=(*plain_lines(list_steps(snapshot, told, ends)), *([say("site.demo")] if snapshot.is_demo else []), href),
        href=href,
    )
    return render_calendar(appointment, stamped=int(now.timestamp()))


def make_router(pages: Pages) -> APIRouter:
    """`/trajet/{id}` and its agenda file."""
    router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])
    site = pages.site

    @router.get("/trajet/{itinerary_id}.ics")
    async def calendar_file(request: Request, itinerary_id: str) -> Response:
        href = absolute(site, request, f"/trajet/{itinerary_id}")
        body = await site.run(make_appointment, site.current(), itinerary_id, href, datetime.now(PARIS))
        headers = {"Content-Disposition": 'attachment; filename="trajet.ics"', "Cache-Control": "private, no-cache"}
        return Response(body, headers=headers, media_type=MEDIA_TYPE)

    @router.get("/trajet/{itinerary_id}")
    async def journey_page(request: Request, itinerary_id: str) -> Response:
        page = await site.run(make_journey_page, site.current(), itinerary_id)
        return pages.send(request, "journey.html", page=page)

    return router
