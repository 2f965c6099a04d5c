"""Site: all pages together, as one router that the application mounts."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from mobigo.web import about, jobs, network, reference
from mobigo.web.covoiturage import (
    budgets,
    certificates,
    controls,
    disputes,
    drafts,
    finances,
    lines,
    outing,
    plates,
    receipt,
    registry,
    riding,
    rules,
)
from mobigo.web.covoiturage import mine as carpools
from mobigo.web.door import PUBLIC
from mobigo.web.journeys import detail, search
from mobigo.web.layout import Pages
from mobigo.web.meeting import elsewhere, proposing, rides
from mobigo.web.meeting import search as meeting
from mobigo.web.people import account, administration, devices, joining, keys, outside, person, signing
from mobigo.web.personal import mine, officer
from mobigo.web.scolaire import alerts, besides, carrier, contracts, costs, messages, told
from mobigo.web.scolaire.boarding import cards, driving, filling
from mobigo.web.scolaire.desk import acting, bells, comparing, editing, halts, onmap, run, searching, study, year
from mobigo.web.scolaire.families import child, requests
from mobigo.web.scolaire.office import file, files, hub, importing, organisers, stops, trial


def make_router(pages: Pages, document: Callable[[], reference.OpenApi]) -> APIRouter:
    """Every page and every static file; `document` is the API's OpenAPI document."""
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{name}", dependencies=[PUBLIC])
    async def static_file(request: Request, name: str) -> Response:
        return pages.send_asset(request, name)

    for part in (
        search,
        meeting,
        elsewhere,
        proposing,
        rides,
        detail,
        network,
        about,
        joining,
        account,
        devices,
        keys,
        administration,
        person,
        signing,
        outside,
        mine,
        officer,
        jobs,
        budgets,  # before the months, whose addresses take any word
        registry,
        finances,
        certificates,
        controls,
        disputes,
        lines,
        rules,
        drafts,
        carpools,
        outing,
        riding,
        receipt,
        plates,
        contracts,
        told,
        besides,
        costs,
        carrier,
        driving,
        cards,  # before the files of communes, whose addresses take any word
        filling,
        alerts,
        messages,
        year,
        study,
        run,
        halts,
        onmap,
        editing,
        requests,
        child,
        hub,
        importing,
        trial,
        organisers,
        stops,
        files,
        file,
        acting,
        comparing,
        searching,
        bells,
    ):
        router.routes.extend(part.make_router(pages).routes)
    router.routes.extend(reference.make_router(pages, document).routes)
    return router
