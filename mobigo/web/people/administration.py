"""Administration: looking for people, and opening accounts for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from mobigo.security import PRIVATE_ROLES, Permission, Role
from mobigo.services.people import administration
from mobigo.services.people.administration import Details, Found
from mobigo.services.people.principal import Principal
from mobigo.web import door
from mobigo.web.door import Needs
from mobigo.web.layout import Pages
from mobigo.web.people.account import spelled_reference
from mobigo.web.people.forms import Field, Fields, FormPage, Link, send_form, send_refused
from mobigo.web.people.signing import HOME
from mobigo.web.wording import say, say_count, spelled_phone
from socle.errors import BadInput, MobigoError

PEOPLE = "/personnes"
Reader = Annotated[Principal, Depends(Needs(Permission.PEOPLE_READ))]
HELPER = Depends(Needs(Permission.PEOPLE_HELP))
Helper = Annotated[Principal, HELPER]


@dataclass(frozen=True, slots=True)
class Row:
    """Somebody found."""

    href: str
    name: str
    reach: str
    roles: str


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Looking for people; `roles` are those whose holders may be listed."""

    title: str
    typed: str
    counted: str
    rows: Sequence[Row]
    roles: Sequence[Link]
    new: Link | None
    back: Link


def _roles(roles: frozenset[Role]) -> str:
    return ", ".join(sorted(say(f"people.role.{role}") for role in roles))


def _row(found: Found) -> Row:
    reach = ", ".join(filter(None, (found.identity.email, spelled_phone(found.identity.phone))))
    return Row(
        f"{PEOPLE}/{found.person.pseudonym}",
        found.identity.name or spelled_reference(found.person.reference),
        reach or say("people.admin.no_contact"),
        _roles(found.roles),
    )


def _search_page(principal: Principal, typed: str, found: Sequence[Found] | None) -> SearchPage:
    at_work = sorted((say(f"people.role.{role}"), str(role)) for role in Role if role not in PRIVATE_ROLES)
    return SearchPage(
        title=say("people.admin.title"),
        typed=typed,
        counted=say_count("people.admin.found", len(found)) if found is not None else "",
        rows=[_row(each) for each in found or ()],
        roles=[Link(f"{PEOPLE}?fonction={role}", name) for name, role in at_work]
        if principal.may(Permission.ROLES_GIVE)
        else (),
        new=Link(f"{PEOPLE}/nouvelle", say("people.admin.new")) if principal.may(Permission.PEOPLE_HELP) else None,
        back=Link(HOME, say("people.account.title")),
    )


def details_fields(details: Details) -> Sequence[Field]:
    """Who somebody is, as they tell it."""
    return (
        Field("nom", say("people.name"), value=details.name, most=100),
        Field("courriel", say("people.email"), "email", details.email, required=False),
        Field("telephone", say("people.phone"), "tel", spelled_phone(details.phone), required=False, most=30),
    )


def _new_page() -> FormPage:
    return FormPage(
        title=say("people.admin.new"),
        action=f"{PEOPLE}/nouvelle",
        submit=say("people.admin.new_submit"),
        lead=say("people.admin.new_lead"),
        fields=details_fields(Details("")),
        back=Link(PEOPLE, say("people.admin.title")),
    )


def typed_details(form: Fields) -> Details:
    """What was typed of it."""
    return Details(form.get("nom", ""), form.get("courriel", ""), form.get("telephone", ""))


def read_role(value: str) -> Role:
    """The role of a form or an address.

    Raises:
        BadInput: `unknown_role`.
    """
    try:
        return Role(value)
    except ValueError:
        raise BadInput("unknown_role") from None


def make_router(pages: Pages) -> APIRouter:
    """`/personnes`, `/personnes/nouvelle`."""
    router = APIRouter(include_in_schema=False)

    @router.get(PEOPLE)
    def search(request: Request, principal: Reader, fonction: str = "") -> Response:
        """The search, or with `fonction` those who have a role at work."""
        state, found = request.app.state, None
        if fonction:
            role, now = read_role(fonction), door.now_of(request)
            found = administration.list_holders(state.engine, state.keys, principal, role, now)
        return pages.send(request, "people/search.html", cache="no-store", page=_search_page(principal, "", found))

    @router.post(PEOPLE)
    def find(request: Request, principal: Reader, form: Fields) -> Response:
        """Sent as a form and answered at once: a name or number stands in no address and no log."""
        state, typed = request.app.state, form.get("qui", "").strip()
        now = door.now_of(request)
        found = administration.find_people(state.engine, state.keys, principal, typed, now) if typed else []
        return pages.send(request, "people/search.html", cache="no-store", page=_search_page(principal, typed, found))

    @router.get(f"{PEOPLE}/nouvelle", dependencies=[HELPER])
    def new_form(request: Request) -> Response:
        return send_form(pages, request, _new_page())

    @router.post(f"{PEOPLE}/nouvelle")
    def make(request: Request, principal: Helper, form: Fields) -> Response:
        state = request.app.state
        try:
            person = administration.make_person(
                state.engine, state.keys, principal, typed_details(form), door.now_of(request)
            )
        except MobigoError as error:
            return send_refused(pages, request, _new_page(), error, form)
        return door.go(f"{PEOPLE}/{person.pseudonym}?fait=compte")

    return router
