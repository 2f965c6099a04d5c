"""Hub: where the office stands in a school year, and the doors to all that it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from mobigo.services.scolaire import deciding, registering
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.forms import Fields, Link
from mobigo.web.people.signing import HOME
from mobigo.web.scolaire.families.form import year_name
from mobigo.web.scolaire.office.files import FILES, OFFICE, Clerk, acting_of_clerk, read_year
from mobigo.web.scolaire.places import CARDS, OFFICE_BOARD, OFFICE_FILL
from mobigo.web.wording import say
from scolaire.registration.model import State

IMPORT = f"{OFFICE}/import"
TRIAL = f"{OFFICE}/essai"
ORGANISERS = f"{OFFICE}/organisateurs"
STOPS = f"{OFFICE}/arrets"


@dataclass(frozen=True, slots=True)
class HubPage:
    """The states of a year's requests in figures, and where one may go on."""

    title: str
    said: str
    year: str
    year_name: str
    states: Sequence[tuple[str, int, str]]
    ways: Sequence[Link]
    years: Sequence[Link]
    back: Link


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/bureau`."""
    router = APIRouter(include_in_schema=False)

    @router.get(OFFICE)
    def hub(request: Request, _principal: Clerk, annee: str = "", decides: str = "", incomplets: str = "") -> Response:
        state, year = request.app.state, read_year(request, annee)
        counts = deciding.count_files(state.engine, year)
        said = ""
        if decides.isascii() and decides.isdigit() and incomplets.isascii() and incomplets.isdigit():
            said = say("school.hub.decided", decided=decides[:9], incomplete=incomplets[:9])
        page = HubPage(
            title=say("school.hub.title"),
            said=said,
            year=str(year),
            year_name=say("school.hub.year", year=year_name(year)),
            states=[
                (say(f"school.state.{one}"), counts.get(one, 0), door.with_query(FILES, annee=str(year), etat=one))
                for one in State
            ],
            ways=(
                Link(door.with_query(FILES, annee=str(year)), say("school.hub.list")),
                Link(IMPORT, say("school.hub.import")),
                Link(TRIAL, say("school.hub.simulate")),
                Link(ORGANISERS, say("school.hub.organisers")),
                Link(STOPS, say("school.hub.stops")),
                Link(CARDS, say("scolaire.cards.title")),
                Link(OFFICE_BOARD, say("scolaire.board.office_title")),
                Link(OFFICE_FILL, say("scolaire.fill.title")),
            ),
            years=[
                Link(door.with_query(OFFICE, annee=str(one.school_year)), year_name(one.school_year))
                for one in registering.open_campaigns(door.now_of(request))
            ],
            back=Link(HOME, say("people.account.title")),
        )
        return pages.send(request, "scolaire/office/hub.html", cache="no-store", page=page)

    @router.post(f"{OFFICE}/decider")
    def decide_ready(request: Request, principal: Clerk, form: Fields) -> Response:
        state, year = request.app.state, read_year(request, form.get("annee", ""))
        acting, now = acting_of_clerk(request, principal), door.now_of(request)
        decided, incomplete = deciding.decide_ready(state.engine, state.keys, acting, year, now)
        return door.go(door.with_query(OFFICE, annee=str(year), decides=str(decided), incomplets=str(incomplete)))

    return router
