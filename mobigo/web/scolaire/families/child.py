"""A child: the right to go by coach and why, stop and times, days off, the card, an appeal, whom to ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from fastapi import APIRouter, Request, Response

from mobigo.services.people.principal import Principal
from mobigo.services.scolaire import carding, families, handling
from mobigo.services.scolaire.families import Absence, ChildFile, KeptStep, Ruling, Times
from mobigo.texts import error_sentence
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line
from mobigo.web.people.forms import Choice, Fields, Link, Owner, status_of
from mobigo.web.scolaire.families.form import year_name
from mobigo.web.scolaire.families.requests import CHILD, REQUESTS, acting_of, alert_words
from mobigo.web.scolaire.places import card_line, fee_line
from mobigo.web.scolaire.words import day_names, hour, verdict_of
from mobigo.web.wording import euros, long_day, moment, say
from scolaire.cards import MAY_BE_REPLACED, duplicate_cents
from scolaire.registration.model import MAY, Deed, State
from socle.errors import BadInput, MobigoError
from socle.times import local_day

_DONE = frozenset({"depose", "change", "rattachement", "absence", "annulee", "recours", "duplicata"})


@dataclass(frozen=True, slots=True)
class TimeRow:
    """One ride in a table."""

    days: str
    way: str
    stop: str
    stop_at: str
    school: str
    school_at: str
    circuit: str


@dataclass(frozen=True, slots=True)
class AbsenceRow:
    """Days off, and the id by which they are taken back."""

    id: str
    told: str


@dataclass(frozen=True, slots=True)
class ChildPage:
    """A child as a guardian reads of it."""

    title: str
    said: str
    problems: Sequence[Link]
    problem_of: str
    problem: str
    typed: Mapping[str, str]
    alerts: Sequence[str]
    lines: Sequence[Line]
    rulings: Sequence[str]
    missing: Sequence[str]
    times: Sequence[TimeRow]
    unpublished: str
    absences: Sequence[AbsenceRow]
    may_be_absent: bool
    parts: Sequence[Choice]
    today: str
    card: str
    card_id: str
    fee: str
    duplicate: str
    papers: Sequence[str]
    steps: Sequence[str]
    path: str
    form: str
    withdraw: str
    may_appeal: bool
    may_change: bool
    may_withdraw: bool
    appeal: str
    back: Link


def _ruling(ruling: Ruling, *, is_known: bool) -> str:
    if ruling.home.verdict is None:
        return say("school.child.waits" if not is_known else "school.child.no_book")
    verdict = verdict_of(ruling.home.verdict)
    if ruling.sentence is None:
        return say("school.child.verdict", verdict=verdict)
    return say("school.child.verdict_why", verdict=verdict, why=ruling.sentence)


def time_row(one: Times) -> TimeRow:
    """A ride as a row of a table."""
    return TimeRow(
        day_names(one.days),
        say(f"school.way.{one.direction}"),
        one.stop,
        hour(one.stop_s),
        one.school,
        hour(one.school_s),
        one.circuit_id,
    )


def _lines(found: ChildFile) -> list[Line]:
    one = found.application
    lines = [
        Line(say("school.child.school"), found.school.name if found.school else one.school_id),
        Line(say("school.child.year"), year_name(one.school_year)),
        Line(
            say("school.child.state"), say(f"school.state.{one.state}"), say("school.child.late") if one.is_late else ""
        ),
        Line(say("school.child.code"), one.code),
    ]
    for ruling in found.rulings:
        home = ruling.home
        lines.append(Line(say("school.child.own_days"), day_names(home.days) or say("school.child.no_days")))
        stop = found.stops.get(home.stop_id or "")
        lines.append(Line(say("school.child.stop"), stop.name if stop else say("school.form.any_stop")))
    return lines


def _step(step: KeptStep) -> str:
    told = say("school.child.step", when=moment(step.at), what=say(f"school.deed.{step.deed}"))
    return f"{told} {step.words}".strip()


def _child_page(
    found: ChildFile,
    now: datetime,
    said: str = "",
    error: MobigoError | None = None,
    at: str = "",
    typed: Mapping[str, str] | None = None,
) -> ChildPage:
    one = found.application
    path, sentence = f"{CHILD}/{one.code}", error_sentence(error) if error else ""
    is_known = one.state in (State.DECIDED, State.INCOMPLETE)
    missing = [say(f"school.missing.{fact}") for ruling in found.rulings for fact in ruling.missing]
    return ChildPage(
        title=one.name,
        said=said,
        problems=[Link(f"#{at}", sentence)] if error else (),
        problem_of=at,
        problem=sentence,
        typed=typed or {},
        alerts=[alert_words(each) for each in found.alerts],
        lines=_lines(found),
        rulings=[_ruling(ruling, is_known=is_known) for ruling in found.rulings],
        missing=list(dict.fromkeys(missing)),
        times=[time_row(each) for each in found.times],
        unpublished=_unpublished(found),
        absences=[AbsenceRow(each.id, _absence(each)) for each in found.absences],
        may_be_absent=one.state not in (State.DRAFT, State.WITHDRAWN),
        parts=[Choice(part, say(f"school.absence.part.{part}")) for part in families.PARTS],
        today=local_day(int(now.timestamp())).isoformat(),
        card=card_line(found.card),
        card_id=found.card.card_id if found.card else "",
        fee=fee_line(found.card) if found.card else "",
        duplicate=_duplicate(found, now),
        papers=[
            say(
                "school.child.paper_there" if there else "school.child.paper_missing", paper=say(f"school.paper.{code}")
            )
            for code, there in found.papers.items()
        ],
        steps=[_step(step) for step in found.steps],
        path=path,
        form=f"{REQUESTS}/{one.id}",
        withdraw=f"{REQUESTS}/{one.id}/retirer",
        may_appeal=Deed.APPEALED in MAY[one.state] and not one.has_appeal,
        may_change=bool({Deed.CHANGED, Deed.MOVED} & MAY[one.state]),
        may_withdraw=Deed.WITHDRAWN in MAY[one.state],
        appeal=say("school.child.appeal_open") if one.has_appeal else "",
        back=Link(REQUESTS, say("school.start.title")),
    )


def _duplicate(found: ChildFile, now: datetime) -> str:
    """What is said where another card may be asked for."""
    if found.card is None or found.card.state not in MAY_BE_REPLACED:
        return ""
    price = duplicate_cents(local_day(int(now.timestamp())))
    return say("school.card.duplicate_lead", price=euros(price))


def _unpublished(found: ChildFile) -> str:
    if found.times:
        return ""
    return say("school.child.no_ride" if found.is_published else "school.child.unpublished")


def _absence(one: Absence) -> str:
    part = say(f"school.absence.part.{one.part}")
    if one.first_day == one.last_day:
        return say("school.absence.one_day", day=long_day(one.first_day), part=part)
    return say("school.absence.days", first=long_day(one.first_day), last=long_day(one.last_day), part=part)


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed.strip())
    except ValueError:
        raise BadInput("absence_days") from None


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/eleve/{code}` and what is done there."""
    router = APIRouter(include_in_schema=False)

    def send(
        request: Request,
        principal: Principal,
        code: str,
        said: str = "",
        error: MobigoError | None = None,
        at: str = "",
        typed: Mapping[str, str] | None = None,
    ) -> Response:
        state, now = request.app.state, door.now_of(request)
        found = families.read_child(state.engine, state.keys, acting_of(principal), code, now)
        page = _child_page(found, now, said, error, at, typed)
        status = status_of(error) if error else 200
        return pages.send(request, "scolaire/families/child.html", status=status, cache="no-store", page=page)

    @router.get(f"{CHILD}/{{code}}")
    def child(request: Request, principal: Owner, code: str, fait: str = "") -> Response:
        return send(request, principal, code, say(f"school.done.{fait}") if fait in _DONE else "")

    @router.post(f"{CHILD}/{{code}}/absences")
    def declare(request: Request, principal: Owner, code: str, form: Fields) -> Response:
        state, now, acting = request.app.state, door.now_of(request), acting_of(principal)
        try:
            if absence_id := form.get("annuler", ""):
                families.take_absence_back(state.engine, state.keys, acting, code, absence_id, now)
                return door.go(f"{CHILD}/{code}?fait=annulee")
            first = _day(form.get("premier", ""))
            last = _day(form["dernier"]) if form.get("dernier", "").strip() else first
            part = form.get("trajets", "")
            families.declare_absence(state.engine, state.keys, acting, code, first, last, part, now)
        except MobigoError as error:
            return send(request, principal, code, "", error, "premier", form)
        return door.go(f"{CHILD}/{code}?fait=absence")

    @router.post(f"{CHILD}/{{code}}/recours")
    def appeal(request: Request, principal: Owner, code: str, form: Fields) -> Response:
        state, now, acting = request.app.state, door.now_of(request), acting_of(principal)
        found = families.read_child(state.engine, state.keys, acting, code, now)
        try:
            handling.appeal(state.engine, state.keys, acting, found.application.id, form.get("mots", ""), now)
        except MobigoError as error:
            return send(request, principal, code, "", error, "mots", form)
        return door.go(f"{CHILD}/{code}?fait=recours")

    @router.post(f"{CHILD}/{{code}}/duplicata")
    def duplicate(request: Request, principal: Owner, code: str, form: Fields) -> Response:
        state, now, acting = request.app.state, door.now_of(request), acting_of(principal)
        try:
            carding.replace_own(state.engine, state.keys, acting, code, form.get("carte", ""), now)
        except MobigoError as error:
            return send(request, principal, code, "", error, "carte", form)
        return door.go(f"{CHILD}/{code}?fait=duplicata")

    return router
