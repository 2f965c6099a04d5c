"""Ops: is the process alive, can it answer."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request, Response

from mobigo.api.access import PUBLIC
from mobigo.api.deps import current_snapshot
from mobigo.api.journeys.params import Params
from mobigo.api.journeys.shapes import HealthAnswer
from mobigo.api.problems import respond_problem
from mobigo.api.reference import describe
from socle.errors import BadInput, MobigoError

router = APIRouter(dependencies=[PUBLIC])


@router.get("/health/live", include_in_schema=False)
async def live() -> Response:
    """The process runs."""
    return Response(b'{"live":true}', media_type="application/json", headers={"Cache-Control": "no-store"})


@router.get("/health/ready", include_in_schema=False)
async def ready(request: Request) -> Response:
    """The process can answer: a network is open. 503 until then."""
    snapshot = current_snapshot(request)
    body = msgspec.json.encode({"ready": True, "release": snapshot.release})
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


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
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})
