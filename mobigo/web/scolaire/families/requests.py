"""Requests: a child is asked for online, step by step: the school, the form, one's answers checked, handed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response

from mobigo.services.people.principal import Principal
from mobigo.services.scolaire import linking, messaging, registering
from mobigo.services.scolaire.messaging import Message
from mobigo.services.scolaire.registering import Acting, FormWrong, PlacedSchool
from mobigo.texts import error_sentence, text
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.forms import Fields, Link, Owner, status_of
from mobigo.web.people.signing import HOME
from mobigo.web.scolaire.families.form import answers, communes_of, request_page, seen_of, year_name
from mobigo.web.wording import long_day, say
from scolaire.registration.model import State
from socle.errors import MobigoError
from socle.times import local_day

REQUESTS = "/scolaire/demande"
CHILD = "/scolaire/eleve"
_DONE = frozenset({"brouillon", "retiree", "rattachement"})


@dataclass(frozen=True, slots=True)
class Own:
    """One of one's own requests."""

    href: str
    name: str
    told: str
    renew: str  # its id, when it may be renewed


@dataclass(frozen=True, slots=True)
class Group:
    """The schools of one sector in one year."""

    name: str
    schools: Sequence[tuple[str, str]]  # what is sent, what is read


@dataclass(frozen=True, slots=True)
class StartPage:
    """One's requests, the school of a new one, and the code of a letter."""

    title: str
    said: str
    problems: Sequence[Link]
    problem_of: str
    alerts: Sequence[str]
    own: Sequence[Own]
    groups: Sequence[Group]
    like: Sequence[Own]
    closed: str
    back: Link


@dataclass(frozen=True, slots=True)
class CheckPage:
    """One's answers, before they are handed in."""

    title: str
    problems: Sequence[Link]
    lead: str
    answers: Sequence[tuple[str, Sequence[tuple[str, str, str]]]]
    note: str
    form: str
    action: str
    back: Link


def alert_words(one: Message) -> str:
    """An alert, in a sentence."""
    what = text(f"letters.school_message.fr.{one.matter}")
    return say("school.child.alert", day=long_day(one.scope.day), what=what, words=one.words).strip()


def acting_of(principal: Principal) -> Acting:
    """Somebody who acts for the own children."""
    return Acting(principal.actor, principal.pseudonym)


def groups_of(choices: Sequence[PlacedSchool], school_year: int) -> list[Group]:
    """Schools by sector, as a list to choose from."""
    by_sector: dict[str, list[tuple[str, str]]] = {}
    for one in choices:
        name = f"{one.sector_code} ({year_name(school_year)})"
        by_sector.setdefault(name, []).append((f"{one.sector_id}/{one.school.school_id}", one.school.name))
    return [Group(name, schools) for name, schools in by_sector.items()]


def _start_page(
    request: Request, principal: Principal, said: str, error: MobigoError | None = None, at: str = ""
) -> StartPage:
    state, now = request.app.state, door.now_of(request)
    today = local_day(int(now.timestamp()))
    own = registering.list_own(state.engine, state.keys, principal.pseudonym)
    campaigns = registering.open_campaigns(now)
    groups = [
        group
        for campaign in campaigns
        for group in groups_of(registering.list_choices(state.engine, campaign.school_year), campaign.school_year)
    ]
    newest = max((one.school_year for one in campaigns), default=0)
    rows = [
        Own(
            f"{REQUESTS}/{one.id}" if one.state is State.DRAFT else f"{CHILD}/{one.code}",
            one.name or say("school.start.unnamed"),
            f"{year_name(one.school_year)} : {say(f'school.state.{one.state}')}",
            one.id if one.school_year < newest and one.state not in (State.DRAFT, State.WITHDRAWN) else "",
        )
        for one in own
    ]
    return StartPage(
        title=say("school.start.title"),
        said=said,
        problems=[Link(f"#{at}", error_sentence(error))] if error else (),
        problem_of=at,
        alerts=[alert_words(one) for one in messaging.alerts_of(state.engine, state.keys, principal.pseudonym, today)],
        own=rows,
        groups=groups,
        like=[row for row in rows if row.renew],
        closed="" if groups else say("school.start.closed"),
        back=Link(HOME, say("people.account.title")),
    )


def _check_page(
    acting: Acting, found: registering.Request, now: datetime, error: MobigoError | None = None
) -> CheckPage:
    one = found.application
    path = f"{REQUESTS}/{one.id}"
    late = any(
        campaign.school_year == one.school_year and campaign.is_late(now.date())
        for campaign in registering.open_campaigns(now)
    )
    return CheckPage(
        title=say("school.check.title"),
        problems=[Link("#depot", error_sentence(error))] if error else (),
        lead=say(
            "school.check.lead",
            school=found.school.name if found.school else one.school_id,
            year=year_name(one.school_year),
        ),
        answers=answers(found, acting),
        note=say("school.check.late" if late else "school.check.note"),
        form=path,
        action=f"{path}/verifier",
        back=Link(path, say("school.check.back")),
    )


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/demande` and a request step by step."""
    router = APIRouter(include_in_schema=False)

    def start_again(request: Request, principal: Principal, error: MobigoError, at: str) -> Response:
        page = _start_page(request, principal, "", error, at)
        return pages.send(request, "scolaire/families/start.html", status=status_of(error), cache="no-store", page=page)

    @router.get(REQUESTS)
    def begin(request: Request, principal: Owner, fait: str = "") -> Response:
        page = _start_page(request, principal, say(f"school.done.{fait}") if fait in _DONE else "")
        return pages.send(request, "scolaire/families/start.html", cache="no-store", page=page)

    @router.post(REQUESTS)
    def start(request: Request, principal: Owner, form: Fields) -> Response:
        state, now, acting = request.app.state, door.now_of(request), acting_of(principal)
        school, like = form.get("etablissement", ""), form.get("comme", "")
        try:
            found = registering.start(state.engine, state.keys, acting, school, now, like=like)
        except MobigoError as error:
            return start_again(request, principal, error, "etablissement")
        return door.go(f"{REQUESTS}/{found}")

    @router.post(f"{REQUESTS}/rattachement")
    def link(request: Request, principal: Owner, form: Fields) -> Response:
        state, now = request.app.state, door.now_of(request)
        try:
            one = linking.use_link(state.engine, state.keys, acting_of(principal), form.get("code", ""), now)
        except MobigoError as error:
            return start_again(request, principal, error, "code")
        return door.go(f"{CHILD}/{one.code}?fait=rattachement")

    @router.post(f"{REQUESTS}/{{request_id}}/retirer")
    def withdraw(request: Request, principal: Owner, request_id: str, form: Fields) -> Response:
        state, now, why = request.app.state, door.now_of(request), form.get("motif", "")
        acting = acting_of(principal)
        try:
            registering.withdraw(state.engine, state.keys, acting, request_id, why, now)
        except MobigoError as error:
            return start_again(request, principal, error, "mes-demandes")
        return door.go(f"{REQUESTS}?fait=retiree")

    router.routes.extend(_make_steps(pages).routes)
    return router


def _make_steps(pages: Pages) -> APIRouter:
    """The form of a request, and one's answers checked."""
    router = APIRouter(include_in_schema=False)
    find_commune = communes_of(pages)

    @router.get(f"{REQUESTS}/{{request_id}}")
    def form_page(request: Request, principal: Owner, request_id: str, fait: str = "") -> Response:
        state, acting = request.app.state, acting_of(principal)
        found = registering.read_request(state.engine, state.keys, acting, request_id)
        said = say(f"school.done.{fait}") if fait in _DONE else ""
        page = request_page(found, acting, f"{REQUESTS}/{request_id}", _back(found), said=said)
        return pages.send(request, "scolaire/families/form.html", cache="no-store", page=page)

    @router.post(f"{REQUESTS}/{{request_id}}")
    def save(request: Request, principal: Owner, request_id: str, form: Fields) -> Response:
        state, now, acting = request.app.state, door.now_of(request), acting_of(principal)
        path, refused = f"{REQUESTS}/{request_id}", None
        try:
            told = (acting, request_id, form, now, find_commune)
            problems = registering.save(state.engine, state.keys, *told, seen=seen_of(form))
        except MobigoError as error:
            problems, refused = error.problems if isinstance(error, FormWrong) else (), error
        found = registering.read_request(state.engine, state.keys, acting, request_id)
        if refused is None and form.get("suite") == "brouillon":
            return door.go(f"{path}?fait=brouillon")
        if refused is None and not problems:
            is_draft = found.application.state is State.DRAFT
            return door.go(f"{path}/verifier" if is_draft else f"{CHILD}/{found.application.code}?fait=change")
        page = request_page(found, acting, path, _back(found), typed=form, problems=problems, error=refused)
        status = status_of(refused) if refused else 400
        return pages.send(request, "scolaire/families/form.html", status=status, cache="no-store", page=page)

    @router.get(f"{REQUESTS}/{{request_id}}/verifier")
    def check(request: Request, principal: Owner, request_id: str) -> Response:
        state, acting = request.app.state, acting_of(principal)
        found = registering.read_request(state.engine, state.keys, acting, request_id)
        page = _check_page(acting, found, door.now_of(request))
        return pages.send(request, "scolaire/families/check.html", cache="no-store", page=page)

    @router.post(f"{REQUESTS}/{{request_id}}/verifier")
    def submit(request: Request, principal: Owner, request_id: str, _form: Fields) -> Response:
        state, now, acting = request.app.state, door.now_of(request), acting_of(principal)
        try:
            one = registering.submit(state.engine, state.keys, acting, request_id, now, find_commune)
        except FormWrong as error:
            found = registering.read_request(state.engine, state.keys, acting, request_id)
            page = request_page(found, acting, f"{REQUESTS}/{request_id}", _back(found), problems=error.problems)
            return pages.send(request, "scolaire/families/form.html", status=400, cache="no-store", page=page)
        except MobigoError as error:
            found = registering.read_request(state.engine, state.keys, acting, request_id)
            checked = _check_page(acting, found, now, error)
            status = status_of(error)
            return pages.send(request, "scolaire/families/check.html", status=status, cache="no-store", page=checked)
        return door.go(f"{CHILD}/{one.code}?fait=depose")

    return router


def _back(found: registering.Request) -> Link:
    one = found.application
    if one.state is State.DRAFT:
        return Link(REQUESTS, say("school.start.title"))
    return Link(f"{CHILD}/{one.code}", one.name)
