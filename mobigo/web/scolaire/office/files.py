"""Files: the requests of a year in a list, for the office and, with their own only, for local organisers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from mobigo.security import Permission
from mobigo.services.people.principal import Principal
from mobigo.services.scolaire import deciding, registering
from mobigo.services.scolaire.deciding import Wanted
from mobigo.services.scolaire.organising import acting_of_organiser
from mobigo.services.scolaire.registering import Acting, FormWrong
from mobigo.texts import error_sentence
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.forms import SENT_BY_US, Choice, Link, status_of
from mobigo.web.people.signing import HOME
from mobigo.web.scolaire.families.form import communes_of, request_page, seen_of, year_name
from mobigo.web.scolaire.families.requests import Group, groups_of
from mobigo.web.scolaire.words import verdict_of
from mobigo.web.wording import moment, say, say_count
from scolaire.entitlement.model import Verdict
from scolaire.registration.model import State
from socle.errors import MobigoError

OFFICE = "/scolaire/bureau"
FILES = f"{OFFICE}/demandes"
COMMUNES = "/scolaire/communes"
N_SHOWN = 30

CLERK = Depends(door.Needs(Permission.SCHOOL_OFFICE))
ORGANISER = Depends(door.Needs(Permission.SCHOOL_ORGANISE))
Clerk = Annotated[Principal, CLERK]
ActingOf = Callable[[Request, Principal], Acting]


@dataclass(frozen=True, slots=True)
class Row:
    """One request of the list."""

    href: str
    name: str
    school: str
    communes: str
    state: str
    verdict: str
    when: str


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of the list, its filters, and where a paper form is copied."""

    title: str
    problems: Sequence[Link]
    path: str
    year: str
    counted: str
    states: Sequence[Choice]
    schools: Sequence[Choice]
    verdicts: Sequence[Choice]
    commune: str
    is_late: bool
    has_appeal: bool
    rows: Sequence[Row]
    newer: str
    older: str
    groups: Sequence[Group]
    back: Link


def acting_of_clerk(_request: Request, principal: Principal) -> Acting:
    """Somebody of the office."""
    return Acting(principal.actor, principal.pseudonym, is_office=True)


def acting_locally(request: Request, principal: Principal) -> Acting:
    """Somebody of a local organiser."""
    return acting_of_organiser(request.app.state.engine, principal.actor, principal.pseudonym)


def default_year(request: Request) -> int:
    """The newest school year that takes requests, else the one under way."""
    now = door.now_of(request)
    campaigns = registering.open_campaigns(now)
    return campaigns[0].school_year if campaigns else now.year - (now.month < 7)


def read_year(request: Request, typed: str) -> int:
    """A school year of an address."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) == 4 else default_year(request)


def _wanted(request: Request) -> tuple[Wanted, int]:
    asked = request.query_params

    def word(name: str) -> str:
        return asked.get(name, "")[:80].replace("\0", "")

    number = asked.get("page", "")
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 1
    sector, _, school = word("etablissement").partition("/")
    wanted = Wanted(
        read_year(request, word("annee")),
        state=word("etat") if word("etat") in set(State) else "",
        sector_id=sector if school else "",
        school_id=school,
        commune=word("commune").upper(),
        verdict=word("decision") if word("decision") in set(Verdict) else "",
        late=bool(asked.get("retard")),
        appeal=bool(asked.get("recours")),
    )
    return wanted, min(max(page, 1), 10_000)


def _list_page(request: Request, acting: Acting, path: str, error: MobigoError | None = None) -> ListPage:
    state = request.app.state
    wanted, page = _wanted(request)
    found = deciding.list_files(
        state.engine, state.keys, acting, wanted, N_SHOWN, (page - 1) * N_SHOWN, door.now_of(request)
    )
    names = {(one.sector_id, one.school.school_id): one.school.name for one in found.schools}
    rows = [
        Row(
            f"{path}/{one.id}",
            one.name or say("school.start.unnamed"),
            names.get((one.sector_id, one.school_id), one.school_id),
            ", ".join(home.commune for home in one.homes if home.commune),
            say(f"school.state.{one.state}"),
            ", ".join(verdict_of(home.verdict) for home in one.homes),
            moment(one.submitted_at or one.made_at),
        )
        for one in found.rows
    ]
    asked = {name: value for name, value in request.query_params.items() if name != "page" and value.isprintable()}
    school = f"{wanted.sector_id}/{wanted.school_id}" if wanted.school_id else ""
    any_of = Choice("", say("school.list.any"))
    schools = [
        (f"{one.sector_id}/{one.school.school_id}", f"{one.school.name} ({one.sector_code})") for one in found.schools
    ]
    return ListPage(
        title=say("school.list.title", year=year_name(wanted.school_year)),
        problems=[Link("#nouvelle", error_sentence(error))] if error else (),
        path=path,
        year=str(wanted.school_year),
        counted=say_count("school.list.count", found.n),
        states=[any_of, *(Choice(str(one), say(f"school.state.{one}"), one == wanted.state) for one in State)],
        schools=[any_of, *(Choice(value, name, value == school) for value, name in schools)],
        verdicts=[any_of, *(Choice(str(one), verdict_of(one), one == wanted.verdict) for one in Verdict)],
        commune=wanted.commune,
        is_late=wanted.late,
        has_appeal=wanted.appeal,
        rows=rows,
        newer=door.with_query(path, **asked, page=str(page - 1)) if page > 1 else "",
        older=door.with_query(path, **asked, page=str(page + 1)) if page * N_SHOWN < found.n else "",
        groups=groups_of(found.schools, wanted.school_year),
        back=Link(OFFICE, say("school.hub.title")) if acting.is_office else Link(HOME, say("people.account.title")),
    )


def _add_list(router: APIRouter, pages: Pages, path: str, needs: Any, acting_of: ActingOf) -> None:
    """The list at `path`, and paper forms that are copied there, for whoever `needs` lets in."""

    @router.get(path)
    def listed(request: Request, principal: Principal = needs) -> Response:
        page = _list_page(request, acting_of(request, principal), path)
        return pages.send(request, "scolaire/office/list.html", cache="no-store", page=page)

    @router.post(path)
    def begin(request: Request, principal: Principal = needs, form: Mapping[str, str] = SENT_BY_US) -> Response:
        state, acting = request.app.state, acting_of(request, principal)
        try:
            school, now = form.get("etablissement", ""), door.now_of(request)
            found = registering.start(state.engine, state.keys, acting, school, now)
        except MobigoError as error:
            page = _list_page(request, acting, path, error)
            status = status_of(error)
            return pages.send(request, "scolaire/office/list.html", status=status, cache="no-store", page=page)
        return door.go(f"{path}/{found}/saisie")


def _add_form(router: APIRouter, pages: Pages, path: str, needs: Any, acting_of: ActingOf) -> None:
    """A paper form that is copied, kept and handed in."""
    find_commune = communes_of(pages)

    @router.get(f"{path}/{{request_id}}/saisie")
    def form_page(request: Request, request_id: str, fait: str = "", principal: Principal = needs) -> Response:
        state, acting = request.app.state, acting_of(request, principal)
        found = registering.read_request(state.engine, state.keys, acting, request_id, door.now_of(request))
        said = say("school.done.brouillon") if fait == "brouillon" else ""
        page = request_page(found, acting, f"{path}/{request_id}/saisie", _back(found, path), said=said)
        return pages.send(request, "scolaire/families/form.html", cache="no-store", page=page)

    @router.post(f"{path}/{{request_id}}/saisie")
    def save(
        request: Request, request_id: str, principal: Principal = needs, form: Mapping[str, str] = SENT_BY_US
    ) -> Response:
        state, now, acting = request.app.state, door.now_of(request), acting_of(request, principal)
        own, refused = f"{path}/{request_id}/saisie", None
        try:
            told = (acting, request_id, form, now, find_commune)
            problems = registering.save(state.engine, state.keys, *told, seen=seen_of(form))
            if form.get("suite") == "brouillon":
                return door.go(f"{own}?fait=brouillon")
            found = registering.read_request(state.engine, state.keys, acting, request_id)
            if not problems and found.application.state is State.DRAFT:
                registering.submit(state.engine, state.keys, acting, request_id, now, find_commune)
        except MobigoError as error:
            problems, refused = error.problems if isinstance(error, FormWrong) else (), error
        if refused is None and not problems:
            return door.go(f"{path}/{request_id}")
        found = registering.read_request(state.engine, state.keys, acting, request_id)
        page = request_page(found, acting, own, _back(found, path), typed=form, problems=problems, error=refused)
        status = status_of(refused) if refused else 400
        return pages.send(request, "scolaire/families/form.html", status=status, cache="no-store", page=page)


def _back(found: registering.Request, path: str) -> Link:
    one = found.application
    if one.state is State.DRAFT:
        return Link(path, say("school.list.title", year=year_name(one.school_year)))
    return Link(f"{path}/{one.id}", one.name)


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/bureau/demandes`, `/scolaire/communes`, and the forms copied there."""
    router = APIRouter(include_in_schema=False)
    for path, needs, acting_of in ((FILES, CLERK, acting_of_clerk), (COMMUNES, ORGANISER, acting_locally)):
        _add_list(router, pages, path, needs, acting_of)
        _add_form(router, pages, path, needs, acting_of)
    return router
