"""Routes: the paths of the journey API in all its versions, each a reader of parameters and a maker of an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import UNSET

from mobigo.api.access import PUBLIC
from mobigo.api.deps import current_snapshot, encode, in_pool, now, written
from mobigo.api.journeys import map as on_map
from mobigo.api.journeys import params as p
from mobigo.api.journeys import places, plan, timetable
from mobigo.api.journeys.bodies import PlanPostBody, RefreshItineraryPostBody
from mobigo.api.journeys.query_string import read_params
from mobigo.api.journeys.shapes import (
    InitialAnswer,
    Itinerary,
    Match,
    Place,
    PlanAnswer,
    RentalsAnswer,
    StopAnswer,
    StoptimesAnswer,
    TripSegment,
)
from mobigo.api.journeys.versions import LATEST, VERSIONS, for_version
from mobigo.api.reference import describe
from routing.journeys.refresh import read_leg_ids
from routing.journeys.snapshot import Snapshot
from socle.errors import BadInput, LimitExceeded

router = APIRouter(dependencies=[PUBLIC])

MAX_BODY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, read: its parameters as sent, the version of the path, the instant it came."""

    parameters: Mapping[str, str]
    version: int
    now: int


QUICK_DEPARTURES = 32


def _never(_params: Any) -> bool:
    return False


def _always(_params: Any) -> bool:
    return True


def _is_short_board(params: p.StoptimesParams) -> bool:
    return params.window is UNSET and params.n is not UNSET and params.n <= QUICK_DEPARTURES


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path: what it takes, what it answers with, and from which struct OpenAPI describes both."""

    path: str
    name: str
    params: type[p.Params]
    answer: Any
    make: Callable[[Snapshot, Any, Asked], Any]
    versions: tuple[int, ...] = (1,)
    is_kept: bool = False  # shared by many who ask the same: caches may keep it for a moment
    is_quick: Callable[[Any], bool] = _never  # answered on the event loop: a millisecond, whatever is asked
    aliases: tuple[str, ...] = ()


ALL_VERSIONS = tuple(VERSIONS)

ENDPOINTS = (
    Endpoint(
        "plan",
        "plan",
        p.PlanParams,
        PlanAnswer,
        lambda snapshot, params, asked: plan.plan_answer(snapshot, params, asked.version, asked.now, asked.parameters),
        ALL_VERSIONS,
    ),
    Endpoint(
        "refresh-itinerary",
        "refreshItinerary",
        p.RefreshParams,
        Itinerary,
        lambda snapshot, params, _: plan.refresh_answer(snapshot, params),
        ALL_VERSIONS,
    ),
    Endpoint(
        "trip",
        "trip",
        p.TripParams,
        Itinerary,
        lambda snapshot, params, _: timetable.trip_answer(snapshot, params),
        ALL_VERSIONS,
    ),
    Endpoint(
        "stoptimes",
        "stoptimes",
        p.StoptimesParams,
        StoptimesAnswer,
        lambda snapshot, params, asked: timetable.stoptimes_answer(snapshot, params, asked.now),
        ALL_VERSIONS,
        is_kept=True,
        is_quick=_is_short_board,
    ),
    Endpoint(
        "stop",
        "stopInfo",
        p.StopParams,
        StopAnswer,
        lambda snapshot, params, _: timetable.stop_answer(snapshot, params),
        ALL_VERSIONS,
        is_kept=True,
    ),
    Endpoint(
        "geocode",
        "geocode",
        p.GeocodeParams,
        list[Match],
        lambda snapshot, params, _: places.geocode_answer(snapshot, params),
        is_quick=_always,
    ),
    Endpoint(
        "reverse-geocode",
        "reverseGeocode",
        p.ReverseGeocodeParams,
        list[Match],
        lambda snapshot, params, _: places.reverse_geocode_answer(snapshot, params),
        is_quick=_always,
    ),
    Endpoint(
        "map/initial",
        "initial",
        p.Params,
        InitialAnswer,
        lambda snapshot, _params, _: on_map.initial_answer(snapshot),
        is_kept=True,
        is_quick=_always,
    ),
    Endpoint(
        "map/stops",
        "stops",
        p.MapStopsParams,
        list[Place],
        lambda snapshot, params, _: on_map.map_stops_answer(snapshot, params),
        ALL_VERSIONS,
        is_kept=True,
    ),
    Endpoint(
        "map/trips",
        "trips",
        p.MapTripsParams,
        list[TripSegment],
        lambda snapshot, params, _: on_map.map_trips_answer(snapshot, params),
        ALL_VERSIONS,
        is_kept=True,
    ),
    Endpoint(
        "map/levels",
        "levels",
        p.MapLevelsParams,
        list[float],
        lambda _snapshot, params, _: on_map.levels_answer(params),
        is_kept=True,
        is_quick=_always,
    ),
    Endpoint(
        "rentals",
        "rentals",
        p.RentalsParams,
        RentalsAnswer,
        lambda _snapshot, params, _: on_map.rentals_answer(params),
        is_quick=_always,
        aliases=("/api/v1/map/rentals",),
    ),
)


async def _answer(request: Request, endpoint: Endpoint, version: int) -> Response:
    """Read the parameters, then search, shape, encode and compress: on the pool, or at once when that is quick."""
    snapshot = current_snapshot(request)
    params = read_params(endpoint.params, request.query_params.multi_items())
    asked = Asked(dict(request.query_params), version, now())

    def make() -> Response:
        value = for_version(endpoint.make(snapshot, params, asked), version)
        return written(request, snapshot, encode(value), kept=endpoint.is_kept)

    response: Response = make() if endpoint.is_quick(params) else await in_pool(request, make)
    return response


def _handler(endpoint: Endpoint, version: int) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        return await _answer(request, endpoint, version)

    return handle


async def _body(request: Request) -> Any:
    """The JSON of a request.

    Raises:
        BadInput: it is none, or larger than any we expect.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise LimitExceeded("body_too_large", limit=MAX_BODY_BYTES)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadInput("not_json") from None


async def post_plan(request: Request) -> Response:
    """Plan with one's own ways to and from stops in the body."""
    snapshot = current_snapshot(request)
    params = read_params(p.PlanParams, request.query_params.multi_items())
    offsets = plan.read_offsets(snapshot, await _body(request))
    parameters, asked_at = dict(request.query_params), now()

    def make() -> Response:
        answer = plan.plan_answer(snapshot, params, LATEST, asked_at, parameters, offsets)
        return written(request, snapshot, encode(answer))

    response: Response = await in_pool(request, make)
    return response


async def post_refresh(request: Request) -> Response:
    """Refresh an itinerary whose legs are in the body."""
    snapshot = current_snapshot(request)
    params = read_params(p.RefreshPostParams, request.query_params.multi_items())
    body = await _body(request)
    leg_ids = read_leg_ids(body.get("id") if isinstance(body, dict) else None)
    version = int(request.url.path.split("/")[2].removeprefix("v"))

    def make() -> Response:
        answer = for_version(plan.refresh_answer(snapshot, params, leg_ids), version)
        return written(request, snapshot, encode(answer))

    response: Response = await in_pool(request, make)
    return response


def _add(endpoint: Endpoint) -> None:
    latest = max(endpoint.versions)
    for version in endpoint.versions:
        own = f"/api/v{version}/{endpoint.path}"
        for path in (own, *(endpoint.aliases if version == latest else ())):
            router.add_api_route(
                path,
                _handler(endpoint, version),
                methods=["GET"],
                name=f"{endpoint.name}-v{version}",
                operation_id=endpoint.name,
                include_in_schema=version == latest and path == own,
                openapi_extra=describe(endpoint.name, endpoint.params, endpoint.answer),
                response_model=None,
                tags=["journeys"],
            )


for _endpoint in ENDPOINTS:
    _add(_endpoint)
router.add_api_route(
    "/api/v6/plan",
    post_plan,
    methods=["POST"],
    operation_id="planPost",
    openapi_extra=describe("planPost", p.PlanParams, PlanAnswer, body=PlanPostBody),
    response_model=None,
    tags=["journeys"],
)
for _version in VERSIONS:
    router.add_api_route(
        f"/api/v{_version}/refresh-itinerary",
        post_refresh,
        methods=["POST"],
        operation_id="refreshItineraryPost",
        include_in_schema=_version == LATEST,
        openapi_extra=describe("refreshItineraryPost", p.RefreshPostParams, Itinerary, body=RefreshItineraryPostBody),
        response_model=None,
        tags=["journeys"],
    )
