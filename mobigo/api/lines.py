"""Lines: the carpool lines as programs read them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Request, Response
from msgspec import UNSET, Struct, UnsetType, field

from mobigo.api.access import PUBLIC, now_of
from mobigo.api.deps import CACHE_SHORT
from mobigo.api.reference import describe
from mobigo.services.covoiturage import lines as service
from mobigo.services.covoiturage.lines import Line, LinePeriod
from mobigo.services.covoiturage.passing import list_next_cars
from mobigo.texts import text
from socle.errors import BadInput
from socle.times import PARIS, render_instant

ROOT = "/api/covoiturage/lines"


class LineDayParams(Struct):
    """On which day."""

    on: date | None = None


class LineHours(Struct):
    """Hours of the first stop of either direction."""

    from_: str = field(name="from")
    until: str
    cars_per_hour: int
    expected_wait_s: int


class CarpoolStop(Struct):
    """A stop; metres from the line's first."""

    id: str
    name: str
    insee_code: str
    lat: float
    lon: float
    distance_m: int


class NextHours(Struct):
    """When cars are expected next."""

    from_: str = field(name="from")
    until: str
    expected_wait_s: int


class NextCar(Struct):
    """A car that a driver has published: when it leaves which stop, where it goes, seats free all along."""

    leaves_at: str
    from_stop: str
    to_stop: str
    seats_free: int


class LineAnswer(Struct):
    """A carpool line; its course and what comes next when it is asked for alone."""

    id: str
    name: str
    territory: str
    length_m: int
    fare_cents: int
    days: list[str]
    hours: list[LineHours]
    stops: list[CarpoolStop]
    valid_from: date
    valid_until: date | None
    demonstration_stops: bool
    course: dict[str, Any] | UnsetType = UNSET
    next_hours: list[NextHours] | UnsetType = UNSET
    next_cars: list[NextCar] | UnsetType = UNSET


class LinesAnswer(Struct):
    """The lines in force on a day."""

    lines: list[LineAnswer]


LineId = Annotated[str, Path(description=text("api.parameters.lineId"))]
router = APIRouter(tags=["covoiturage"], dependencies=[PUBLIC])


def _told(name: str, answer: type[Any]) -> dict[str, Any]:
    return {"operation_id": name, "response_model": None, "openapi_extra": describe(name, LineDayParams, answer)}


def _day(request: Request) -> date:
    said = request.query_params.get("on")
    if said is None:
        return now_of(request).astimezone(PARIS).date()
    try:
        return msgspec.convert(said, date)
    except msgspec.ValidationError:
        raise BadInput("bad_day", day=said) from None


def _answer(line: Line) -> LineAnswer:
    told = service.tell_line(line)
    return LineAnswer(
        line.line_id,
        line.name,
        line.territory,
        line.length_m,
        line.fare_cents,
        told["days"],
        [_hours(one, at.wait_s) for one, at in zip(told["hours"], line.hours, strict=True)],
        [
            CarpoolStop(stop.stop_id, stop.name, stop.insee_code, stop.at.lat, stop.at.lon, stop.distance_m)
            for stop in line.stops
        ],
        line.valid_from,
        line.valid_until,
        line.fictitious,
    )


def _hours(told: dict[str, Any], wait_s: int) -> LineHours:
    return LineHours(told["from"], told["until"], told["cars_per_hour"], wait_s)


def _next(period: LinePeriod) -> NextHours:
    return NextHours(render_instant(period.begins), render_instant(period.ends), period.wait_s)


def _public(value: Any) -> Response:
    return Response(msgspec.json.encode(value), 200, {"Cache-Control": CACHE_SHORT}, "application/json")


@router.get(ROOT, **_told("carpoolLines", LinesAnswer))
def lines(request: Request) -> Response:
    """The carpool lines in force on a day, today when none is said."""
    found = service.list_lines(request.app.state.engine, _day(request))
    return _public(LinesAnswer([_answer(line) for line in found]))


@router.get(f"{ROOT}/{{line_id}}", **_told("carpoolLine", LineAnswer))
def line(request: Request, line_id: LineId) -> Response:
    """One line with its course as GeoJSON, the hours in which cars are expected next, and those published."""
    engine, now = request.app.state.engine, now_of(request)
    found = service.get_line(engine, line_id, _day(request))
    answer = _answer(found)
    answer.course = service.course_geojson(found)
    answer.next_hours = [_next(one) for one in service.list_next_hours(found, int(now.timestamp()))]
    answer.next_cars = [
        NextCar(render_instant(car.leave_at), car.from_stop, car.to_stop, car.n_free)
        for car in list_next_cars(engine, line_id, now)
    ]
    return _public(answer)
