"""Timetable: departures of a stop, what calls there, and whole trips."""

from __future__ import annotations

from msgspec import UNSET

from mobigo.api.journeys.params import StopParams, StoptimesParams, TripParams, transit_modes
from mobigo.api.journeys.places import get_point
from mobigo.api.journeys.shapes import Itinerary, Place, Route, StopAnswer, StopTime, StopTimeExtra, StoptimesAnswer
from mobigo.api.journeys.shaping import Drawn, Shaper, shaper_of
from mobigo.services import journeys
from routing.journeys.boards import BoardWish, StopEvent, trip_calls
from routing.journeys.journey import Call
from routing.journeys.naming import TAG, trip_headsign, trip_public_id
from routing.journeys.pages import read_cursor
from routing.journeys.snapshot import Snapshot
from routing.network.modes import CARBON_CLASSES, MODES
from socle.errors import BadInput

_KNOWN = {1: "YES", 2: "NO"}


def stoptimes_answer(snapshot: Snapshot, params: StoptimesParams, now: int) -> StoptimesAnswer:
    """The answer of stoptimes."""
    if params.n is UNSET and params.window is UNSET:
        raise BadInput("n_or_window_wanted")
    earlier = params.arrive_by if params.direction is UNSET else params.direction == "EARLIER"
    wish = BoardWish(
        at=now if params.time is UNSET else int(params.time),
        n=0 if params.n is UNSET else params.n,
        window_s=0 if params.window is UNSET else params.window,
        arrivals=params.arrive_by,
        both=params.both,
        earlier=earlier,
        modes=transit_modes(params.mode),
    )
    board = journeys.board(
        snapshot,
        wish,
        stop_id=None if params.stop_id is UNSET else params.stop_id,
        center=None if params.center is UNSET else get_point(params.center),
        radius_m=None if params.radius is UNSET else params.radius,
        exact=params.exact_radius,
        cursor=read_cursor(params.page_cursor) if params.page_cursor else None,
    )
    shaper = shaper_of(snapshot)
    return StoptimesAnswer(
        stop_times=[_stop_time(shaper, event, params) for event in board.events],
        place=shaper.stop(board.stop),
        previous_page_cursor="" if board.earlier is None else str(board.earlier),
        next_page_cursor="" if board.later is None else str(board.later),
    )


def _stop_time(shaper: Shaper, event: StopEvent, params: StoptimesParams) -> StopTime:
    snapshot, timetable = shaper.snapshot, shaper.snapshot.timetable
    at = int(timetable.sequence_first_stop[timetable.trip_sequence[event.trip]]) + event.position
    pickup, drop_off = int(timetable.sequence_pickup[at]), int(timetable.sequence_drop_off[at])
    place = shaper.call(Call(event.stop, event.arrival, event.departure, pickup, drop_off))
    told = drop_off if params.arrive_by else pickup
    trip_from, trip_to = shaper.trip_ends(event.trip, event.service_day)
    wheelchair = _KNOWN.get(int(timetable.trip_wheelchair[event.trip]), "UNKNOWN")
    stop_time = StopTime(
        place=place,
        real_time=False,
        headsign=trip_headsign(snapshot, event.trip, event.position),
        trip_from=trip_from,
        trip_to=trip_to,
        trip_id=trip_public_id(timetable, event.trip, event.service_day),
        pickup_dropoff_type="NOT_ALLOWED" if told == 1 else "NORMAL",
        cancelled=False,
        trip_cancelled=False,
        wheelchair_accessible="ACCESSIBLE" if wheelchair == "YES" else "NOT_ACCESSIBLE",
        reservation="COMPULSORY" if told in (2, 3) else "NONE",
        mobigo=StopTimeExtra(
            wheelchair=wheelchair,  # type: ignore[arg-type]  # Known, by `_KNOWN`
            bikes=_KNOWN.get(int(timetable.trip_bikes[event.trip]), "UNKNOWN"),  # type: ignore[arg-type]  # likewise
            carbon_class=CARBON_CLASSES[timetable.trip_carbon[event.trip]],
        ),
        **shaper.about_trip(event.trip),  # type: ignore[arg-type]  # fields of many types
    )
    if params.fetch_stops:
        _add_stops(shaper, stop_time, event, before=params.arrive_by)
    return stop_time


def _add_stops(shaper: Shaper, stop_time: StopTime, event: StopEvent, *, before: bool) -> None:
    calls = trip_calls(shaper.snapshot.timetable, event.trip, event.service_day)
    if before:
        stop_time.previous_stops = [shaper.call(call) for call in calls[: event.position]]
    else:
        stop_time.next_stops = [shaper.call(call) for call in calls[event.position + 1 :]]


def stop_answer(snapshot: Snapshot, params: StopParams) -> StopAnswer:
    """The answer of stop."""
    stop, routes = journeys.get_stop(
        snapshot,
        stop_id=None if params.stop_id is UNSET else params.stop_id,
        center=None if params.center is UNSET else get_point(params.center),
        radius_m=None if params.radius is UNSET else params.radius,
        exact=params.exact_radius,
    )
    return StopAnswer(place=_with_modes(snapshot, stop), routes=[_route(snapshot, route) for route in routes])


def _with_modes(snapshot: Snapshot, stop: int) -> Place:
    place = shaper_of(snapshot).stop(stop)
    place.modes = list(snapshot.modes_of(stop))  # type: ignore[arg-type]  # MODES are Modes
    return place


def _route(snapshot: Snapshot, route: int) -> Route:
    timetable, texts = snapshot.timetable, snapshot.texts
    agency = int(timetable.route_agency[route])
    color, text_color = texts[timetable.route_color[route]], texts[timetable.route_text_color[route]]
    told = Route(
        route_id=TAG + timetable.route_id[route],
        route_short_name=texts[timetable.route_short_name[route]],
        route_long_name=texts[timetable.route_long_name[route]],
        mode=MODES[timetable.route_mode[route]],
        agency_id=TAG + timetable.agency_id[agency],
        agency_name=texts[timetable.agency_name[agency]],
        agency_url=texts[timetable.agency_url[agency]],
        route_type=int(timetable.route_type[route]),
    )
    if color and text_color:
        told.route_color, told.route_text_color = color, text_color
    return told


def trip_answer(snapshot: Snapshot, params: TripParams) -> Itinerary:
    """The answer of trip: one leg from end to end, several when a vehicle's trips are not joined."""
    told = journeys.get_trip(snapshot, params.trip_id)
    return shaper_of(snapshot).itinerary(told, Drawn(params.detailed_legs), joined=params.join_interlined_legs)
