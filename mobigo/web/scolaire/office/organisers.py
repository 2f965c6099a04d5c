"""Organisers: which communes and schools a local organiser sees to, given and taken by the office."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from mobigo.services.scolaire import organising
from mobigo.services.scolaire.organising import KINDS
from mobigo.services.scolaire.registering import Acting
from mobigo.texts import error_sentence
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.account import spelled_reference
from mobigo.web.people.forms import Choice, Fields, Link, status_of
from mobigo.web.scolaire.office.files import OFFICE, Clerk, acting_of_clerk
from mobigo.web.scolaire.office.hub import ORGANISERS
from mobigo.web.wording import say
from socle.errors import MobigoError


@dataclass(frozen=True, slots=True)
class OrganisersPage:
    """Somebody looked for, and what they see to."""

    title: str
    problems: Sequence[Link]
    who: str
    is_found: bool
    holds: str
    warning: str
    scopes: Sequence[tuple[str, str, str]]
    kinds: Sequence[Choice]
    back: Link


def _page(request: Request, who: str, error: MobigoError | None = None) -> OrganisersPage:
    found = None
    if who:
        try:
            found = organising.read_organiser(request.app.state.engine, who)
        except MobigoError as unknown:
            error = error or unknown
    return OrganisersPage(
        title=say("school.organisers.title"),
        problems=[Link("#qui", error_sentence(error))] if error else (),
        who=who,
        is_found=found is not None,
        holds=say("school.organisers.holds", who=spelled_reference(found.reference)) if found else "",
        warning=say("school.organisers.not_organiser") if found and not found.has_role else "",
        scopes=[
            (one.kind, one.value, say(f"school.organisers.kinds.{one.kind}")) for one in (found.scopes if found else ())
        ],
        kinds=[Choice(kind, say(f"school.organisers.kinds.{kind}")) for kind in KINDS],
        back=Link(OFFICE, say("school.hub.title")),
    )


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/bureau/organisateurs`."""
    router = APIRouter(include_in_schema=False)

    def send(request: Request, who: str, error: MobigoError | None = None) -> Response:
        page = _page(request, who, error)
        status = status_of(error) if error else 200
        return pages.send(request, "scolaire/office/organisers.html", status=status, cache="no-store", page=page)

    @router.get(ORGANISERS)
    def look(request: Request, _principal: Clerk, qui: str = "") -> Response:
        return send(request, "".join(char for char in qui[:40] if char.isprintable()))

    @router.post(ORGANISERS)
    def change(request: Request, principal: Clerk, form: Fields) -> Response:
        who, acting = form.get("qui", "")[:40], acting_of_clerk(request, principal)
        try:
            _change(request, acting, form, who)
        except MobigoError as error:
            return send(request, who, error)
        return door.go(door.with_query(ORGANISERS, qui=who))

    def _change(request: Request, acting: Acting, form: Mapping[str, str], who: str) -> None:
        kind, value, given = form.get("nature", ""), form.get("code", ""), form.get("geste") != "reprendre"
        now = door.now_of(request)
        organising.set_scope(request.app.state.engine, acting, who, kind, value, now, given=given)

    return router
