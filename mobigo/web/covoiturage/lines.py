"""Lines: the carpool lines, and one of them with its stops, hours, price and what a driver receives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from babel.dates import get_day_names
from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from mobigo.services.covoiturage import lines as service
from mobigo.services.covoiturage.lines import Line
from mobigo.web import door
from mobigo.web.door import PUBLIC
from mobigo.web.drawing import Layer, Mark, draw_map
from mobigo.web.layout import Pages
from mobigo.web.people.forms import Link
from mobigo.web.wording import FRENCH, distance, duration, euros, say, say_count
from socle.times import PARIS

LINES = "/covoiturage/lignes"
_WEEK = range(5)


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line among the others."""

    href: str
    name: str
    territory: str
    length: str
    stops: str
    fare: str


@dataclass(frozen=True, slots=True)
class LinesPage:
    """All lines of a day, with their map."""

    rows: Sequence[LineRow]
    is_fictitious: bool
    map: Markup
    files: Sequence[Link]


@dataclass(frozen=True, slots=True)
class StopRow:
    """A stop: how far from both ends, and what a driver receives from the first stop to here with one passenger."""

    name: str
    metres: str
    length: str
    driver: str


@dataclass(frozen=True, slots=True)
class HoursRow:
    """Hours of the day."""

    hours: str
    wait: str


@dataclass(frozen=True, slots=True)
class LinePage:
    """One line."""

    title: str
    lead: str
    facts: Sequence[str]
    is_fictitious: bool
    days: str
    hours: Sequence[HoursRow]
    stops: Sequence[StopRow]
    map: Markup
    search: Link


def days_words(line: Line) -> str:
    """On which days cars come."""
    days = sorted(line.days)
    if days == list(_WEEK):
        return say("covoiturage.lines.weekdays")
    if len(days) == 7:
        return say("covoiturage.lines.every_day")
    names = get_day_names("wide", locale=FRENCH)
    return ", ".join(names[day] for day in days)


def _map(lines: Sequence[Line], key: str, title: str) -> Markup:
    ways = [[stop.at for stop in line.stops] for line in lines]
    ends = [Mark(stop.at, stop.name, "end") for line in lines for stop in (line.stops[0], line.stops[-1])]
    between = [Mark(stop.at, stop.name, "change") for line in lines for stop in line.stops[1:-1]]
    marks = [*ends, *between] if len(lines) == 1 else ends
    named = {mark.label: mark for mark in reversed(marks)}
    described = say("covoiturage.lines.map_description", names=", ".join(line.name for line in lines))
    svg = draw_map([Layer("other", ways)], [*named.values()][::-1], key=key, title=title, description=described)
    return Markup(svg)  # noqa: S704 -- `draw_map` escapes every text


def make_lines_page(lines: Sequence[Line]) -> LinesPage:
    """The page of all lines."""
    rows = [
        LineRow(
            f"{LINES}/{line.line_id}",
            f"{line.line_id} {line.name}",
            line.territory,
            distance(line.length_m),
            str(len(line.stops)),
            euros(line.fare_cents),
        )
        for line in lines
    ]
    files = [
        Link(service.GTFS_ADDRESS, say("covoiturage.lines.gtfs")),
        Link(service.PLACES_ADDRESS, say("covoiturage.lines.places")),
    ]
    drawn = _map(lines, "lignes-carte", say("covoiturage.lines.title"))
    return LinesPage(rows, any(line.fictitious for line in lines), drawn, files)


def _between(from_s: int, until_s: int) -> str:
    clocks = {"begins": service.clock_words(from_s), "ends": service.clock_words(until_s)}
    return say("covoiturage.lines.between", **clocks)


def make_line_page(line: Line, driver_cents: Sequence[int | None]) -> LinePage:
    """The page of one line; `driver_cents` are what a driver receives from the first stop to each, if known."""
    first, last = line.stops[0], line.stops[-1]
    stops = [
        StopRow(
            stop.name,
            distance(stop.distance_m) if stop.distance_m else "—",
            duration(service.drive_s(stop.distance_m)) if stop.distance_m else "—",
            euros(cents) if cents is not None and stop.distance_m else "—",
        )
        for stop, cents in zip(line.stops, driver_cents, strict=True)
    ]
    hours = [HoursRow(_between(one.from_s, one.until_s), duration(one.wait_s)) for one in line.hours]
    whole = driver_cents[-1]
    facts = [
        say("covoiturage.lines.length", metres=distance(line.length_m)),
        say("covoiturage.lines.fare", euros=euros(line.fare_cents)),
        *([say("covoiturage.lines.driver", euros=euros(whole))] if whole is not None else []),
        say_count("covoiturage.lines.n_stops", len(line.stops)),
    ]
    title = say("covoiturage.lines.one_title", id=line.line_id, name=line.name)
    search = f"/itineraire?de={first.at.lat},{first.at.lon}&vers={last.at.lat},{last.at.lon}"
    return LinePage(
        title,
        say("covoiturage.lines.one_lead", territory=line.territory),
        facts,
        line.fictitious,
        days_words(line),
        hours,
        stops,
        _map([line], "ligne-carte", title),
        Link(search, say("covoiturage.lines.search", origin=first.name, destination=last.name)),
    )


def make_router(pages: Pages) -> APIRouter:
    """`/covoiturage/lignes` and `/covoiturage/lignes/{id}`."""
    router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])

    @router.get(LINES)
    def lines(request: Request) -> Response:
        found = service.list_lines(request.app.state.engine, door.now_of(request).astimezone(PARIS).date())
        page = make_lines_page(found)
        return pages.send(request, "covoiturage/lines.html", cache="public, max-age=60", page=page)

    @router.get(f"{LINES}/{{line_id}}")
    def line(request: Request, line_id: str) -> Response:
        day = door.now_of(request).astimezone(PARIS).date()
        engine = request.app.state.engine
        found = service.get_line(engine, line_id, day)
        page = make_line_page(found, service.list_driver_cents(engine, found, day))
        return pages.send(request, "covoiturage/line.html", cache="public, max-age=60", page=page)

    return router
