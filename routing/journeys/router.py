"""Router: one query, one Plan.

The window is cut at midnights, because a search reads the arrays of one day and its neighbours
(`routing.network.days`); a search leaves out what leaving at its end dominates, so the pieces side
by side give what the whole would.
"""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from routing.journeys.access import direct_walk, given_stops, spots_of, stops_of, vias_between
from routing.journeys.feeders import NO_FEEDERS, Feeders
from routing.journeys.feeding import Feeding
from routing.journeys.journey import Journey, Plan
from routing.journeys.query import JourneyQuery
from routing.journeys.unwind import Ways, forward_legs, make_journey, make_walk, stays_of
from routing.journeys.walks import Walks
from routing.kernels.arrays import ALIGHT, BOARD, NEVER, SearchArrays, Vias
from routing.kernels.polish import polish
from routing.network.days import Day, days_of
from routing.network.modes import MODE_NUMBER, MODES
from routing.network.runs import (
    ALIGHT_UNBOOKED,
    BOARD_UNBOOKED,
    NEEDS_NO_BIKE,
    NEEDS_STEPS,
)
from routing.network.search import run_search, scratch_of_thread
from routing.network.timetable import Timetable
from routing.network.transfers import NEVER_S
from socle.errors import BadInput
from socle.times import day_number, day_of_number, service_day_start


def plan(timetable: Timetable, query: JourneyQuery, walks: Walks | None = None, feeders: Feeders = NO_FEEDERS) -> Plan:
    """The journeys that answer `query`, Pareto-optimal as `JourneyQuery` says; on foot by `walks` where they are.

    `feeders` are ridden where their mode is asked for; see `feeding`.

    Raises:
        BadInput: `outside_timetable` when the calendars say nothing of the time asked.
    """
    first, last = timetable.valid
    if not first <= query.at <= last:
        raise BadInput(
            "outside_timetable",
            day=timetable.day_of(query.at).isoformat(),
            first_day=timetable.first_day.isoformat(),
            last_day=timetable.last_day.isoformat(),
        )
    walk = direct_walk(timetable, query, walks)
    direct = make_walk(query, walk) if walk else None
    searched = _searched(query)
    if query.modes is not None and not query.modes:
        return Plan((), direct, searched)
    direct_s = walk[0] if walk else NEVER
    journeys = _timetabled(timetable, query, walks, direct_s)
    asked = _asked(feeders, query)
    if asked.feeders:
        feeding = Feeding(timetable, query, walks, asked, lambda one: _timetabled(timetable, one, walks, direct_s))
        if feeding.applies:
            journeys += feeding.list_journeys(journeys, direct_s)
    journeys.sort(key=lambda journey: (journey.departure, journey.arrival, journey.n_changes))
    return Plan(tuple(journeys), direct, searched)


def _asked(feeders: Feeders, query: JourneyQuery) -> Feeders:
    """The feeders that the query allows; nobody knows whether a stranger's car takes a wheelchair or a bicycle."""
    if not feeders.feeders or query.wheelchair or query.bikes:
        return NO_FEEDERS
    modes = query.modes
    return feeders if modes is None else feeders.of_modes(modes)


def _timetabled(timetable: Timetable, query: JourneyQuery, walks: Walks | None, direct_s: int) -> list[Journey]:
    """The journeys by timetabled vehicles alone, in the order of the days searched."""
    journeys: list[Journey] = []
    origin = given_stops(query.access) or stops_of(timetable, query, query.origin, query.max_access_s, walks)
    destination = given_stops(query.egress) or stops_of(
        timetable, query, query.destination, query.max_egress_s, walks, backward=True
    )
    for day, begin, end in _pieces(timetable, query):
        journeys += _search_day(timetable, query, walks, day, begin, end, origin, destination, direct_s)
    return journeys


def _searched(query: JourneyQuery) -> tuple[int, int]:
    """The interval of departures (arrivals) that answers the query."""
    return (query.at - query.window_s, query.at) if query.arrive_by else (query.at, query.at + query.window_s)


def _pieces(timetable: Timetable, query: JourneyQuery) -> list[tuple[date, int, int]]:
    """The searched interval cut at midnights: day, begin, end."""
    begin, end = _searched(query)
    if begin == end:
        return [(_day_holding(timetable, begin), begin, end)]
    pieces = []
    while begin < end:
        # An interval of arrivals is open at its begin: what begins at midnight is of the new day both ways.
        day = _day_holding(timetable, begin)
        midnight = min(_start(timetable, day, 1), end)
        pieces.append((day, begin, midnight))
        begin = midnight
    return pieces


def _start(timetable: Timetable, day: date, later: int = 0) -> int:
    """The instant from which the service day `later` days after `day` counts."""
    return service_day_start(day_of_number(day_number(day) + later), timetable.zone_infos[0])


def _day_holding(timetable: Timetable, instant: int) -> date:
    """The service day in which `instant` lies: not the calendar's in the hour when clocks change."""
    day = timetable.day_of(instant)
    if instant < _start(timetable, day):
        return day_of_number(day_number(day) - 1)
    if instant >= _start(timetable, day, 1):
        return day_of_number(day_number(day) + 1)
    return day


Stops = tuple[NDArray[np.int32], NDArray[np.int32]]


def _search_day(
    timetable: Timetable,
    query: JourneyQuery,
    walks: Walks | None,
    service_day: date,
    begin: int,
    end: int,
    origin: Stops,
    destination: Stops,
    direct_s: int,
) -> list[Journey]:
    """The journeys of one piece of the window."""
    day = days_of(timetable).get(service_day)
    start = _start(timetable, service_day)
    side = day.backward if query.arrive_by else day.forward
    access, egress = spots_of(day, *origin), spots_of(day, *destination)
    from_s, window_s = begin - start, end - begin
    if query.arrive_by:
        access, egress = egress, access
        from_s = start - end
    if not len(access) or not len(egress):
        return []
    arrays = _with_settings(timetable, day, side, query)
    vias = _vias(timetable, day, query)
    scratch = scratch_of_thread()
    n_found = run_search(
        arrays,
        scratch,
        access,
        egress,
        from_s,
        window_s,
        query.travel_limit_s,
        direct_s,
        query.max_changes + 1,
        refused_needs(query),
        vias,
    )
    if not n_found:
        return []
    forward = arrays
    if query.arrive_by:
        access, egress = egress, access
        forward = _with_settings(timetable, day, day.forward, query)
    of_vias = np.zeros(day.n_spots, np.uint8) if vias is None else vias.spots
    ways = Ways(
        timetable,
        query,
        walks,
        day,
        service_day,
        dict(zip(origin[0].tolist(), origin[1].tolist(), strict=True)),
        dict(zip(destination[0].tolist(), destination[1].tolist(), strict=True)),
        forward.walk_s,
    )
    journeys = []
    for leave, arrive, n_vehicles, first_leg in scratch.room.journeys[:n_found].tolist():
        rows = scratch.room.legs[first_leg : first_leg + n_vehicles]
        legs = forward_legs(day, rows, mirrored=query.arrive_by)
        stays = stays_of(vias, rows, mirrored=query.arrive_by)
        ends = (-arrive, -leave) if query.arrive_by else (leave, arrive)
        polish(legs, forward, day.spot_stop, access, egress, *ends, stays, of_vias, scratch.mark)
        journeys.append(make_journey(ways, legs, stays))
    return journeys


def _vias(timetable: Timetable, day: Day, query: JourneyQuery) -> Vias | None:
    """The vias in the order of the search, None when there is none."""
    wanted = vias_between(timetable, query)
    if not wanted:
        return None
    marks = np.zeros(day.n_spots, np.uint8)
    order = wanted[::-1] if query.arrive_by else wanted
    for number, via in enumerate(order):
        marks[day.spots_of(timetable.place_of(via.place.stop))] |= np.uint8(1 << number)
    return Vias(marks, np.array([via.stay_s for via in order], np.int32))


def refused_needs(query: JourneyQuery) -> int:
    """The bits of patterns' needs that the query does not allow."""
    refused = 0
    if query.modes is not None:
        refused = (1 << len(MODES)) - 1
        for mode in query.modes:
            refused &= ~(1 << MODE_NUMBER[mode])
    if query.wheelchair:
        refused |= NEEDS_STEPS
    if query.bikes:
        refused |= NEEDS_NO_BIKE
    return refused


def _changed(seconds: NDArray[np.int32], query: JourneyQuery) -> NDArray[np.int32]:
    """Change times under the query's settings; a forbidden change stays forbidden."""
    if query.change_factor == 1.0 and not query.extra_change_s and not query.min_change_s:
        return seconds
    wished = np.maximum(np.ceil(seconds * query.change_factor - 1e-9) + query.extra_change_s, query.min_change_s)
    return np.where(seconds >= NEVER_S, NEVER_S, np.minimum(wished, NEVER_S)).astype(np.int32)


def _with_settings(timetable: Timetable, day: Day, side: SearchArrays, query: JourneyQuery) -> SearchArrays:
    """The arrays of a day as the query sees them: its change times, and where it may board and alight."""
    arrays = side
    change_s, walk_s = _changed(side.change_s, query), _changed(side.walk_s, query)
    if change_s is not side.change_s:
        arrays = arrays._replace(change_s=change_s, walk_s=walk_s)
    if query.no_booking:
        unbooked = side.allow & np.uint8(BOARD_UNBOOKED | ALIGHT_UNBOOKED)
        arrays = arrays._replace(allow=(unbooked >> 2).astype(np.uint8))
    if query.wheelchair:
        barred = timetable.stop_wheelchair[day.spot_stop] == 2
        kept = np.where(barred[side.spots], 0, BOARD | ALIGHT).astype(np.uint8)
        arrays = arrays._replace(allow=arrays.allow & kept)
    return arrays
