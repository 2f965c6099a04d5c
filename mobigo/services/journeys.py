"""Journeys: what doors ask about travelling. Each function takes the snapshot it answers from."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from covoiturage.lines import Line
from covoiturage.policy.model import Policy
from mobigo.bridges.feeders import LINE_PAGES as LINE_PAGES
from mobigo.bridges.feeders import CarpoolFacts as CarpoolFacts  # named in the signatures of doors
from mobigo.bridges.feeders import make_feeders, tell_carpool
from routing.journeys import alternatives, boards, explain, naming, onmap, pages, rank, refresh, told
from routing.journeys.boards import MINUTE_S, BoardWish, StopEvent
from routing.journeys.gazetteer import Kind
from routing.journeys.journey import FeederLeg, Journey, Plan
from routing.journeys.pages import FIRST_PAGE, Cursor, PageWish
from routing.journeys.places import ANY, Found, Wanted
from routing.journeys.query import JourneyQuery, Place, PointPlace, StopPlace
from routing.journeys.rank import Measured, Sort
from routing.journeys.refresh import LegId, Refreshed
from routing.journeys.snapshot import Snapshot, open_snapshot
from routing.journeys.told import Reason, Told
from socle.errors import BadInput, NotFound, Unavailable
from socle.geo import Box, LatLon, distance_m

log = logging.getLogger(__name__)

# A direct way this short, times the factor asked, leaves nothing for a vehicle to win.
NO_SEARCH_WITHIN_S = 300
_SAME_PLACE_WITHIN_M = 10


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """Journeys in the order asked, the direct ways, where other pages begin, and why something is missing."""

    query: JourneyQuery
    journeys: tuple[Told, ...]
    direct: tuple[Told, ...]
    earlier: Cursor
    later: Cursor
    excluded: tuple[Reason, ...]
    n_searches: int
    search_us: int


@dataclass(frozen=True, slots=True)
class Board:
    """Events at some stops; `stop` is the one asked for, else the nearest to the center asked for."""

    stop: int
    stops: tuple[int, ...]
    events: tuple[StopEvent, ...]
    earlier: Cursor | None
    later: Cursor | None


@dataclass(frozen=True, slots=True)
class RefreshAnswer:
    """An itinerary found again; `told` is None when a ride is lost."""

    refreshed: Refreshed
    told: Told | None


def open_network(release_dir: Path, now: int, streets_dir: Path | None = None) -> Snapshot:
    """The snapshot of a release, warm: its kernels are loaded and the arrays of the day are made.

    Walks follow the streets of `streets_dir`; damaged ones are told in the log and not used.

    Raises:
        Unavailable: there is no timetable that this version can read.
    """
    try:
        snapshot = open_snapshot(release_dir, streets_dir)
    except Unavailable as error:
        if streets_dir is None or str(error.facts.get("directory", streets_dir)) != str(streets_dir):
            raise
        log.warning("walks follow the great circle: the streets cannot be opened: %s", error)
        snapshot = open_snapshot(release_dir)
    start, end = snapshot.timetable.valid
    busiest = snapshot.main_stops[(-snapshot.importance).argsort(kind="stable")[:2]].tolist()
    if len(busiest) == 2:
        one, other = (StopPlace(stop) for stop in busiest)
        at = min(max(now, start), end - 1)
        for arrive_by in (False, True):
            plan(snapshot, JourneyQuery(one, other, at, arrive_by=arrive_by), PageWish(n=1))
        if snapshot.walks is not None:
            here, there = (PointPlace(snapshot.timetable.stop_at(place.stop)) for place in (one, other))
            plan(snapshot, JourneyQuery(here, there, at), PageWish(n=1))
    return snapshot


def with_lines(snapshot: Snapshot, lines: Sequence[Line], policies: Sequence[Policy], site: str = "") -> Snapshot:
    """The snapshot with carpool lines beside its timetable; driven along the streets it walks on.

    `site` is the address at which the pages of the lines are.
    """
    streets = None if snapshot.walks is None else snapshot.walks.streets
    return replace(snapshot, feeders=make_feeders(lines, policies, streets, site))


def carpool_facts(leg: FeederLeg) -> CarpoolFacts:
    """What a ride on a carpool line costs, how long one waits, and what its driver may expect."""
    return tell_carpool(leg)


def find_places(snapshot: Snapshot, text: str, wanted: Wanted = ANY) -> list[Found]:
    """Stops and communes that `text` may mean, best first."""
    return snapshot.places.list_found(text, wanted)


def list_places_near(snapshot: Snapshot, at: LatLon, wanted: Wanted = ANY) -> list[Found]:
    """Stops and communes nearest to a point."""
    return snapshot.places.list_near(at, wanted)


def get_place(snapshot: Snapshot, reference: str) -> Place:
    """The place that `lat,lon`, `lat,lon,level` or a stop id names.

    Raises:
        BadInput: the coordinates are no place on the earth.
        NotFound: no stop has that id.
    """
    at = naming.find_point(reference)
    if at is not None:
        return PointPlace(at)
    stop = naming.find_feeder_stop(snapshot, reference)
    return PointPlace(stop.at) if stop else StopPlace(naming.get_public_stop(snapshot.timetable, reference))


def plan(
    snapshot: Snapshot,
    query: JourneyQuery,
    wish: PageWish = FIRST_PAGE,
    *,
    direct_walk: bool = True,
    fastest_direct_factor: float = 10.0,
    sort: Sort = Sort.TIME,
) -> PlanAnswer:
    """Journeys for `query`, a page of them.

    Raises:
        BadInput: the time asked is outside the timetable.
    """
    began = time.perf_counter_ns()
    edge = wish.cursor.at if wish.cursor else query.at
    if wish.cursor is None:
        _check_time(snapshot, query)
    if not direct_walk:
        query = replace(query, max_direct_s=0)
    if _are_same(snapshot, query.origin, query.destination):
        return PlanAnswer(query, (), (), Cursor(True, edge), Cursor(False, edge), (Reason("SAME_PLACE", {}),), 0, 0)
    walk = snapshot.search(replace(query, modes=frozenset(), window_s=0)).direct
    longest_s = None if walk is None else int(fastest_direct_factor * (walk.arrival - walk.departure))

    def search(one: JourneyQuery) -> Plan:
        found = snapshot.search(one)
        if longest_s is None:
            return found
        return replace(found, journeys=tuple(way for way in found.journeys if way.arrival - way.departure <= longest_s))

    is_transit = (query.modes is None or bool(query.modes)) and (longest_s is None or longest_s > NO_SEARCH_WITHIN_S)
    if is_transit:
        page = pages.find_page(search, query, wish, snapshot.timetable.valid)
    else:
        page = pages.Page((), None, Cursor(True, edge), Cursor(False, edge), 0)
    direct = (walk,) if walk is not None and wish.cursor is None else ()
    searched = time.perf_counter_ns()
    excluded: list[Reason] = []
    if not page.journeys and wish.cursor is None and is_transit:
        excluded = explain.why_nothing(snapshot, query, snapshot.search, walk)
    ways = told.tell_all(snapshot, page.journeys)
    order = rank.ranked([Measured(way.journey, way.carbon) for way in ways], sort)
    return PlanAnswer(
        query,
        tuple(ways[at] for at in order),
        tuple(told.tell(snapshot, way) for way in direct),
        page.earlier,
        page.later,
        tuple(excluded),
        page.n_searches,
        (searched - began) // 1000,
    )


def _check_time(snapshot: Snapshot, query: JourneyQuery) -> None:
    start, end = snapshot.timetable.valid
    if not start <= query.at < end:
        timetable = snapshot.timetable
        raise BadInput(
            "outside_timetable",
            first_day=timetable.first_day.isoformat(),
            last_day=timetable.last_day.isoformat(),
        )


def _are_same(snapshot: Snapshot, one: Place, other: Place) -> bool:
    if isinstance(one, StopPlace) and isinstance(other, StopPlace):
        place_of = snapshot.timetable.stop_place
        return int(place_of[one.stop]) == int(place_of[other.stop])
    return distance_m(told.place_at(snapshot, one), told.place_at(snapshot, other)) < _SAME_PLACE_WITHIN_M


def list_alternatives(snapshot: Snapshot, journey: Journey, n: int) -> dict[int, list[Journey]]:
    """By position of a ride in the journey: up to `n` short journeys that may take its place."""
    return alternatives.list_alternatives(snapshot, journey, n)


def board(
    snapshot: Snapshot,
    wish: BoardWish,
    *,
    stop_id: str | None = None,
    center: LatLon | None = None,
    radius_m: float | None = None,
    exact: bool = False,
    cursor: Cursor | None = None,
) -> Board:
    """What leaves from (arrives at) a stop, or from the stops around a center.

    The center stands in for a stop whose id is gone.

    Raises:
        BadInput: neither a stop nor a center with a radius is given.
        NotFound: no stop has that id, and no center stands in for it.
    """
    stop, stops = _stops_meant(snapshot, stop_id, center, radius_m, exact=exact)
    if cursor is not None:
        # Pages meet at whole minutes, which are never split.
        minute = cursor.at - cursor.at % MINUTE_S
        wish = replace(wish, at=minute + MINUTE_S - 1 if cursor.earlier else cursor.at, earlier=cursor.earlier)
    events = tuple(boards.list_events(snapshot, stops, wish))
    if not events:
        return Board(stop, tuple(stops), (), None, None)
    first, last = events[0].instant(wish.arrivals), events[-1].instant(wish.arrivals)
    return Board(
        stop,
        tuple(stops),
        events,
        Cursor(True, first - first % MINUTE_S - MINUTE_S),
        Cursor(False, last - last % MINUTE_S + MINUTE_S),
    )


def get_stop(
    snapshot: Snapshot,
    *,
    stop_id: str | None = None,
    center: LatLon | None = None,
    radius_m: float | None = None,
    exact: bool = False,
) -> tuple[int, list[int]]:
    """The stop meant, and the routes that call at it and around.

    Raises:
        BadInput: neither a stop nor a center is given.
        NotFound: no stop has that id.
    """
    stop, stops = _stops_meant(snapshot, stop_id, center, radius_m, exact=exact)
    return stop, boards.list_routes_at(snapshot, stops)


def _stops_meant(
    snapshot: Snapshot, stop_id: str | None, center: LatLon | None, radius_m: float | None, *, exact: bool
) -> tuple[int, list[int]]:
    timetable = snapshot.timetable
    stop = None
    if stop_id is not None:
        stop = naming.find_public_stop(timetable, stop_id) if center else naming.get_public_stop(timetable, stop_id)
    elif center is None:
        raise BadInput("stop_or_center_wanted")
    if stop is not None:
        return stop, boards.list_stops_meant(snapshot, stop, None, radius_m, exact)
    nearest = snapshot.places.list_near(center or LatLon(0, 0), Wanted(n=1, kinds=frozenset({Kind.STOP})))
    if not nearest:
        raise BadInput("stop_or_center_wanted")
    near = nearest[0].place.stop
    if radius_m is None:
        return near, boards.list_stops_meant(snapshot, near, None, None, exact=False)
    return near, boards.list_stops_meant(snapshot, None, center, radius_m, exact)


def get_trip(snapshot: Snapshot, trip_id: str) -> Told:
    """A trip of one day from end to end, with what its vehicle did before and does after when one may stay seated.

    Raises:
        NotFound: no trip of that day has the id.
    """
    known = naming.find_public_feeder(snapshot, trip_id)
    if known is not None:
        ride = naming.find_feeder_ride(known[0], 0, len(known[0].stops) - 1, known[1])
        if ride is None:
            raise NotFound("unknown_trip", id=trip_id)
        return told.tell(snapshot, Journey((ride,)))
    dated = naming.get_public_trip(snapshot.timetable, trip_id)
    legs = boards.vehicle_rides(snapshot.timetable, dated.trip, dated.service_day)
    return told.tell(snapshot, Journey(tuple(legs)))


def refresh_itinerary(snapshot: Snapshot, legs: str | Sequence[LegId], *, same_name: bool = True) -> RefreshAnswer:
    """The journey of an itinerary id, or of its legs, in today's data.

    Raises:
        BadInput: the id is none of ours.
    """
    leg_ids = refresh.read_itinerary_id(legs) if isinstance(legs, str) else legs
    again = refresh.refresh(snapshot, leg_ids, same_name=same_name)
    journey = again.journey
    return RefreshAnswer(again, None if journey is None else told.tell(snapshot, journey))


def itinerary_id(snapshot: Snapshot, journey: Journey) -> str:
    """The id under which a journey is found again."""
    return refresh.render_itinerary_id(refresh.list_leg_ids(snapshot, journey))


def list_stops_in_box(
    snapshot: Snapshot, box: Box, *, grouped: bool, modes: frozenset[str] | None, limit: int
) -> list[int]:
    """Served stops in a box.

    Raises:
        LimitExceeded: there are more than `limit`.
    """
    return onmap.list_stops_in_box(snapshot, box, grouped=grouped, modes=modes, limit=limit)


def list_moving_trips(
    snapshot: Snapshot, box: Box, start: int, end: int, *, zoom: float, limit: int
) -> list[onmap.Segment]:
    """Trips that move in a box at a time.

    Raises:
        LimitExceeded: there are more than `limit` segments.
    """
    return onmap.moving_trips(snapshot).list_segments(box, start, end, zoom, limit)


def first_view(snapshot: Snapshot) -> onmap.View:
    """Where a map opens."""
    return onmap.first_view(snapshot)
