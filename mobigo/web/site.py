"""Site: all pages together, as one router that the application mounts."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from mobigo.web import about, network
from mobigo.web.journeys import detail, search
from mobigo.web.layout import Pages


def make_router(pages: Pages) -> APIRouter:
    """Every page and every static file."""
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{name}")
    async def static_file(request: Request, name: str) -> Response:
        return pages.send_asset(request, name)

    for part in (search, detail, network, about):
        router.include_router(part.make_router(pages))
    return router
