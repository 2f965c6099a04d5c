"""Ops: is the process alive, can it answer, what are its numbers."""

from __future__ import annotations

from collections.abc import Mapping

import anyio
import msgspec
from fastapi import APIRouter, Request, Response

from mobigo import metrics
from mobigo.api.access import PUBLIC
from mobigo.api.deps import current_snapshot
from mobigo.api.journeys.params import Params
from mobigo.api.journeys.shapes import HealthAnswer
from mobigo.api.problems import respond_problem
from mobigo.api.reference import describe
from mobigo.services.health import check_database, count_jobs
from socle.errors import BadInput, MobigoError, Unavailable

router = APIRouter(dependencies=[PUBLIC])
_FRESH = {"Cache-Control": "no-store"}


@router.get("/health/live", include_in_schema=False)
async def live() -> Response:
    """The process runs."""
    return Response(b'{"live":true}', media_type="application/json", headers=_FRESH)


@router.get("/health/ready", include_in_schema=False)
async def ready(request: Request) -> Response:
    """The process can answer: a network is open and the database stands where it should. 503 until then."""
    snapshot = current_snapshot(request)
    await anyio.to_thread.run_sync(check_database, request.app.state.engine)
    body = msgspec.json.encode({"ready": True, "release": snapshot.release})
    return Response(body, media_type="application/json", headers=_FRESH)


@router.get("/metrics", include_in_schema=False)
async def numbers(request: Request) -> Response:
    """The numbers of all processes of this server, for Prometheus."""
    body = await anyio.to_thread.run_sync(_numbers, request)
    return Response(body, media_type=metrics.CONTENT_TYPE, headers=_FRESH)


def _numbers(request: Request) -> bytes:
    gauges: dict[str, tuple[str, Mapping[str, float]]] = {}
    try:
        gauges["mobigo_jobs"] = ("Jobs in each state.", count_jobs(request.app.state.engine))
        gauges["mobigo_database_answers"] = ("Whether the database answers.", {"": 1})
    except Unavailable:
        gauges["mobigo_database_answers"] = ("Whether the database answers.", {"": 0})
    return metrics.render(gauges)


@router.get(
    "/api/v1/health",
    operation_id="health",
    openapi_extra=describe("health", Params, HealthAnswer),
    response_model=None,
    tags=["journeys"],
)
async def health(request: Request) -> Response:
    """What the journey API says of itself: 200 once a network is open, 400 until then. No live feed is configured."""
    try:
        current_snapshot(request)
    except MobigoError:
        return respond_problem(BadInput("no_network"))
    body = msgspec.json.encode(HealthAnswer())
    return Response(body, media_type="application/json", headers=_FRESH)
