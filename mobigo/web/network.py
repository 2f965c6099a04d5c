"""Network: the pages of stops: finding one, its departures, its platforms and its accessibility."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from mobigo.services import journeys as service
from mobigo.web.door import PUBLIC
from mobigo.web.journeys.form import find_clock, find_day, find_here
from mobigo.web.layout import Pages
from mobigo.web.looks import (
    Choice,
    LineSign,
    headsign,
    place_icon,
    platform_code,
    sign_of_route,
    sign_of_trip,
    stop_href,
    where_words,
)
from mobigo.web.wording import clock, long_day, say, short_day
from routing.journeys.boards import BoardWish, StopEvent
from routing.journeys.gazetteer import Kind
from routing.journeys.naming import stop_name
from routing.journeys.places import Found, Wanted
from routing.journeys.snapshot import Snapshot
from socle.geo import LatLon
from socle.times import PARIS, local_day

N_ROWS = 20
N_CHOICES = 8
NEARBY_M = 10_000
ONLY_STOPS = frozenset({Kind.STOP})
ACCESS = ("unknown", "yes", "no")  # by GTFS wheelchair_boarding
MORNING = time(6)  # a day without an hour means from the morning on
ON_DEMAND = (2, 3)  # GTFS pickup_type: phone the agency, ask the driver


@dataclass(frozen=True, slots=True)
class Row:
    """One departure."""

    at: int
    day: str  # when it is not the day asked
    look: str
    icon: str
    word: str
    name: str
    direction: str
    platform: str
    note: str


@dataclass(frozen=True, slots=True)
class StopPage:
    """What the page of a stop shows."""

    name: str
    what: str
    description: str
    href: str
    heading: str
    caption: str
    problem: str
    rows: Sequence[Row]
    has_platforms: bool
    earlier: str
    later: str
    day: str
    time: str
    first_day: str
    last_day: str
    access: str
    lines: Sequence[LineSign]
    quays: Sequence[Choice]
    from_href: str
    to_href: str


@dataclass(frozen=True, slots=True)
class StopsPage:
    """What the page that finds stops shows."""

    text: str = ""
    problem: str = ""
    heading: str = ""
    choices: Sequence[Choice] = ()


def _choices(snapshot: Snapshot, found: Sequence[Found]) -> list[Choice]:
    return [
        Choice(stop_href(snapshot, one.place.stop), place_icon(one.place), one.place.name, where_words(one))
        for one in found
        if one.place.kind is Kind.STOP
    ]


def find_stops(snapshot: Snapshot, values: Mapping[str, str]) -> StopsPage:
    """The stops of a name, or around a point, or around the commune of that name."""
    text = values.get("nom", "").strip()[:200]
    around = values.get("autour", "").strip()
    if around:
        point = find_here(around)
        if point is None:
            return StopsPage(around, say("problem.unfindable_here", text=around))
        return _near_page(snapshot, "", point)
    if not text:
        return StopsPage()
    named = service.find_places(snapshot, text, Wanted(n=N_CHOICES, kinds=ONLY_STOPS))
    if named:
        return StopsPage(text, "", say("stops.found"), _choices(snapshot, named))
    communes = service.find_places(snapshot, text, Wanted(n=1))
    if not communes:
        return StopsPage(text, say("stops.unknown", text=text))
    return _near_page(snapshot, text, communes[0].place.at)


def _near_page(snapshot: Snapshot, text: str, at: LatLon) -> StopsPage:
    near = service.list_places_near(snapshot, at, Wanted(n=N_CHOICES, kinds=ONLY_STOPS))
    choices = _choices(snapshot, [one for one in near if one.distance_m is not None and one.distance_m <= NEARBY_M])
    if not choices:
        return StopsPage(text, say("stops.none"))
    return StopsPage(text, "", say("stops.around"), choices)


def _row(snapshot: Snapshot, event: StopEvent, asked: date) -> Row:
    timetable = snapshot.timetable
    at = event.instant(arrivals=False)
    sign = sign_of_trip(snapshot, event.trip)
    note = ""
    sequence = int(timetable.trip_sequence[event.trip])
    if timetable.sequence_pickup[int(timetable.sequence_first_stop[sequence]) + event.position] in ON_DEMAND:
        note = say("stop.note_on_demand")
    elif timetable.trip_headway_s[event.trip] > 0:
        note = say("stop.note_headway")
    return Row(
        at,
        short_day(local_day(at)) if local_day(at) != asked else "",
        sign.look,
        sign.icon,
        sign.word,
        sign.name,
        headsign(snapshot, event.trip, event.position),
        platform_code(snapshot, event.stop),
        note,
    )


def _quays(snapshot: Snapshot, stop: int) -> list[Choice]:
    """The platforms of a station that have a code and are served, by code."""
    timetable = snapshot.timetable
    children = timetable.stop_children[timetable.stop_first_child[stop] : timetable.stop_first_child[stop + 1]]
    coded = [(platform_code(snapshot, child), child) for child in children.tolist() if snapshot.stop_modes[child]]
    return [
        Choice(stop_href(snapshot, child), "board", say("stop.quay", platform=code), "")
        for code, child in sorted(coded)
        if code
    ]


def _access(snapshot: Snapshot, stop: int) -> str:
    return say(f"stop.access_{ACCESS[int(snapshot.timetable.stop_wheelchair[stop])]}")


def _lines(snapshot: Snapshot, routes: Sequence[int]) -> list[LineSign]:
    """The lines that call here, each once."""
    return list(dict.fromkeys(sign_of_route(snapshot, route) for route in routes))


@dataclass(frozen=True, slots=True)
class _Asked:
    """The departures asked for: from a minute of a day on, or until its end."""

    day: date
    hour: time
    earlier: bool

    @property
    def at(self) -> int:
        """The first instant asked for (the last one with `earlier`)."""
        minute = int(datetime.combine(self.day, self.hour, PARIS).timestamp())
        return minute + 59 if self.earlier else minute


def _read_asked(values: Mapping[str, str], now: datetime) -> _Asked:
    """The day and hour of the address; `now` where there is none."""
    local = now.astimezone(PARIS)
    day = find_day(values.get("jour", "")) or local.date()
    hour = find_clock(values.get("heure", "")) or (local.time() if day == local.date() else MORNING)
    return _Asked(day, hour.replace(second=0, microsecond=0), values.get("sens") == "avant")


def _list_departures(snapshot: Snapshot, stop: int, asked: _Asked) -> tuple[Sequence[StopEvent], str]:
    """The departures, or why there are none."""
    timetable = snapshot.timetable
    first, end = timetable.valid
    if not first <= asked.at < end:
        known = say("problem.outside_sentence", first=long_day(timetable.first_day), last=long_day(timetable.last_day))
        return (), f"{known} {say('problem.outside_advice')}"
    is_platform = bool(timetable.stop_parent[stop] >= 0)
    board = service.board(
        snapshot,
        BoardWish(asked.at, n=N_ROWS, earlier=asked.earlier),
        stop_id=snapshot.stop_ids[stop],
        exact=is_platform,
        radius_m=0.0 if is_platform else None,
    )
    return board.events, "" if board.events else say("stop.none")


def make_stop_page(snapshot: Snapshot, stop_id: str, values: Mapping[str, str], now: datetime) -> StopPage:
    """The departures from a stop at the day and hour of the address, else from `now` on.

    Of a station, those of all its platforms and of the stops beside; of a platform, its own.

    Raises:
        NotFound: no stop has that id.
    """
    timetable = snapshot.timetable
    stop, routes = service.get_stop(snapshot, stop_id=stop_id)
    asked = _read_asked(values, now)
    events, problem = _list_departures(snapshot, stop, asked)
    rows = [_row(snapshot, event, asked.day) for event in events]
    station, platform = stop_name(snapshot, stop), platform_code(snapshot, stop)
    name = f"{station}, {say('stop.quay', platform=platform)}" if platform else station
    href = stop_href(snapshot, stop)
    begins = rows[0].at if rows and asked.earlier else asked.at
    nearest = service.list_places_near(snapshot, timetable.stop_at(stop), Wanted(n=1, kinds=ONLY_STOPS))
    station_id = snapshot.stop_ids[timetable.stop_station(stop)]
    return StopPage(
        name=name,
        what=where_words(replace(nearest[0], distance_m=None)) if nearest else "",
        description=say("stop.describe", name=name),
        href=href,
        heading=say("stop.heading", day=long_day(local_day(begins)), time=clock(begins)),
        caption=say("stop.caption", name=name),
        problem=problem,
        rows=rows,
        has_platforms=any(row.platform for row in rows),
        earlier=_board_href(href, rows[0].at - 60, earlier=True) if rows else "",
        later=_board_href(href, rows[-1].at + 60) if rows else "",
        day=asked.day.isoformat(),
        time=asked.hour.strftime("%H:%M"),
        first_day=timetable.first_day.isoformat(),
        last_day=timetable.last_day.isoformat(),
        access=_access(snapshot, stop),
        lines=_lines(snapshot, routes),
        quays=_quays(snapshot, stop),
        from_href=f"/?{urlencode({'de': station, 'de_id': station_id})}",
        to_href=f"/?{urlencode({'vers': station, 'vers_id': station_id})}",
    )


def _board_href(href: str, instant: int, *, earlier: bool = False) -> str:
    """The address of the departures from (until) the minute of `instant`."""
    there = datetime.fromtimestamp(instant, PARIS)
    fields = {"jour": there.date().isoformat(), "heure": there.strftime("%H:%M")}
    return f"{href}?{urlencode(fields | {'sens': 'avant'} if earlier else fields)}"


def make_router(pages: Pages) -> APIRouter:
    """`/arrets` and `/arret/{id}`."""
    router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])
    site = pages.site

    @router.get("/arrets")
    async def stops_page(request: Request) -> Response:
        page = await site.run(find_stops, site.current(), request.query_params)
        return pages.send(request, "stops.html", status=404 if page.problem else 200, page=page)

    @router.get("/arret/{stop_id:path}")
    async def stop_page(request: Request, stop_id: str) -> Response:
        page = await site.run(make_stop_page, site.current(), stop_id, request.query_params, datetime.now(PARIS))
        return pages.send(request, "stop.html", page=page, cache="public, max-age=15, stale-while-revalidate=600")

    return router
