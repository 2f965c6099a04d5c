"""Person: somebody's account as an agent or an administrator sees it, and what they do with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from mobigo.security import PRIVATE_ROLES, Permission, Role
from mobigo.services.people import administration
from mobigo.services.people.administration import Details, Dossier
from mobigo.services.people.principal import Principal
from mobigo.texts import error_sentence
from mobigo.web import door
from mobigo.web.door import Needs
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line, spelled_reference
from mobigo.web.people.administration import PEOPLE, Helper, Reader, details_fields, read_role, typed_details
from mobigo.web.people.forms import Field, Fields, FormPage, Link, send_form, send_refused, status_of
from mobigo.web.wording import moment, say, spelled_phone
from socle.errors import MobigoError

Giver = Annotated[Principal, Depends(Needs(Permission.ROLES_GIVE))]
Suspender = Annotated[Principal, Depends(Needs(Permission.PEOPLE_SUSPEND))]
_DONE = frozenset({"compte", "coordonnees", "fonction", "suspension"})


@dataclass(frozen=True, slots=True)
class RoleLine:
    """A role that somebody has or had."""

    role: str
    name: str
    given: str
    taken: str


@dataclass(frozen=True, slots=True)
class PersonPage:
    """Somebody's account; what may be done with it depends on who looks."""

    title: str
    path: str
    said: str
    problems: Sequence[Link]
    lines: Sequence[Line]
    suspended: bool
    held: Sequence[RoleLine]
    past: Sequence[RoleLine]
    free: Sequence[Link]  # roles that can be given: the value and the name
    may_help: bool
    may_give: bool
    may_suspend: bool
    may_data: bool
    back: Link


def _person_page(
    principal: Principal, dossier: Dossier, said: str = "", error: MobigoError | None = None
) -> PersonPage:
    person, identity = dossier.person, dossier.identity
    lines = [
        Line(say("people.reference"), spelled_reference(person.reference)),
        Line(say("people.email"), identity.email or say("people.admin.none")),
        Line(say("people.phone"), spelled_phone(identity.phone) or say("people.admin.none")),
        Line(say("people.admin.since"), moment(person.made_at)),
        Line(say("people.admin.state"), say(f"people.state.{person.state}")),
    ]
    told = [
        RoleLine(
            str(each.role),
            say(f"people.role.{each.role}"),
            say("people.admin.given", when=moment(each.given_at), why=each.why)
            if each.why
            else say("people.admin.given_plain", when=moment(each.given_at)),
            say("people.admin.taken", when=moment(each.taken_at), why=each.taken_why) if each.taken_at else "",
        )
        for each in dossier.history
    ]
    is_self = person.person_id == principal.person_id
    free = sorted((say(f"people.role.{role}"), str(role)) for role in Role if role not in dossier.roles)
    return PersonPage(
        title=identity.name or spelled_reference(person.reference),
        path=f"{PEOPLE}/{person.pseudonym}",
        said=said,
        problems=[Link("#motif", error_sentence(error))] if error else (),
        lines=lines,
        suspended=person.state == "suspended",
        held=[each for each in told if not each.taken],
        past=[each for each in told if each.taken],
        free=[Link(value, name) for name, value in free],
        may_help=principal.may(Permission.PEOPLE_HELP) and PRIVATE_ROLES.issuperset(dossier.roles),
        may_give=principal.may(Permission.ROLES_GIVE) and not is_self,
        may_suspend=principal.may(Permission.PEOPLE_SUSPEND) and not is_self,
        may_data=principal.may(Permission.PERSONAL_DATA),
        back=Link(PEOPLE, say("people.admin.title")),
    )


def _correct_page(path: str, details: Details) -> FormPage:
    return FormPage(
        title=say("people.admin.correct"),
        action=f"{path}/coordonnees",
        submit=say("people.admin.correct_submit"),
        lead=say("people.admin.correct_lead"),
        fields=(
            *details_fields(details),
            Field("motif", say("people.admin.why"), hint=say("people.admin.why_hint"), most=300),
        ),
        back=Link(path, say("people.admin.dossier")),
    )


def make_router(pages: Pages) -> APIRouter:
    """`/personnes/{pseudonym}` and what is below it."""
    router = APIRouter(include_in_schema=False)

    def show(
        request: Request, principal: Principal, pseudonym: str, said: str = "", error: MobigoError | None = None
    ) -> Response:
        state = request.app.state
        dossier = administration.read_dossier(state.engine, state.keys, principal, pseudonym, door.now_of(request))
        page = _person_page(principal, dossier, said, error)
        status = status_of(error) if error else 200
        return pages.send(request, "people/person.html", status=status, cache="no-store", page=page)

    @router.get(f"{PEOPLE}/{{pseudonym}}")
    def person(request: Request, principal: Reader, pseudonym: str, fait: str = "") -> Response:
        return show(request, principal, pseudonym, say(f"people.done.{fait}") if fait in _DONE else "")

    @router.get(f"{PEOPLE}/{{pseudonym}}/coordonnees")
    def correct_form(request: Request, principal: Helper, pseudonym: str) -> Response:
        state = request.app.state
        dossier = administration.read_dossier(state.engine, state.keys, principal, pseudonym, door.now_of(request))
        known = Details(dossier.identity.name, dossier.identity.email, dossier.identity.phone)
        return send_form(pages, request, _correct_page(f"{PEOPLE}/{pseudonym}", known))

    @router.post(f"{PEOPLE}/{{pseudonym}}/coordonnees")
    def correct(request: Request, principal: Helper, pseudonym: str, form: Fields) -> Response:
        state, details = request.app.state, typed_details(form)
        try:
            administration.correct_person(
                state.engine, state.keys, principal, pseudonym, details, form.get("motif", ""), door.now_of(request)
            )
        except MobigoError as error:
            return send_refused(pages, request, _correct_page(f"{PEOPLE}/{pseudonym}", details), error, form)
        return door.go(f"{PEOPLE}/{pseudonym}?fait=coordonnees")

    @router.post(f"{PEOPLE}/{{pseudonym}}/fonctions")
    def change_role(request: Request, principal: Giver, pseudonym: str, form: Fields) -> Response:
        """Give the role `donner`, or take the role `reprendre`."""
        engine, now, why = request.app.state.engine, door.now_of(request), form.get("motif", "")
        try:
            if taken := form.get("reprendre", ""):
                administration.take(engine, principal, pseudonym, read_role(taken), why, now)
            else:
                administration.give(engine, principal, pseudonym, read_role(form.get("donner", "")), why, now)
        except MobigoError as error:
            return show(request, principal, pseudonym, error=error)
        return door.go(f"{PEOPLE}/{pseudonym}?fait=fonction")

    @router.post(f"{PEOPLE}/{{pseudonym}}/suspension")
    def change_state(request: Request, principal: Suspender, pseudonym: str, form: Fields) -> Response:
        engine, now, why = request.app.state.engine, door.now_of(request), form.get("motif", "")
        change = administration.restore if form.get("rouvrir") else administration.suspend
        try:
            change(engine, principal, pseudonym, why, now)
        except MobigoError as error:
            return show(request, principal, pseudonym, error=error)
        return door.go(f"{PEOPLE}/{pseudonym}?fait=suspension")

    return router
