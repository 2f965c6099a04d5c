"""Controls: carpools that the fraud rules hold: what waits, one case with its evidence, the decision of somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from mobigo.security import Permission
from mobigo.services.covoiturage import screening
from mobigo.services.covoiturage.screening import Case, HeldCarpool, Hold, Verdict
from mobigo.services.covoiturage.wording import kilometres, label_sentence
from mobigo.services.people.principal import Principal
from mobigo.texts import error_sentence, text
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line
from mobigo.web.people.forms import Fields, Link, status_of
from mobigo.web.people.signing import HOME
from mobigo.web.wording import euros, moment, say, say_count
from socle.errors import BadInput, MobigoError

CONTROLS = "/covoiturage/controles"
N_SHOWN = 20
_MOST_PAGES = 10_000
_SHOWN_LETTERS = 8  # of a pseudonym
_VERDICTS = ("released", "refused")

Moderator = Annotated[Principal, Depends(door.Needs(Permission.CARPOOL_HOLDS))]


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One carpool that waits: the gravest of its labels first."""

    href: str
    name: str
    about: str
    since: str
    is_late: bool
    labels: Sequence[str]


@dataclass(frozen=True, slots=True)
class CasesPage:
    """What waits, the longest first."""

    title: str
    said: str
    counted: str
    rows: Sequence[CaseRow]
    newer: str
    older: str
    back: Link


@dataclass(frozen=True, slots=True)
class Seen:
    """One label with what it rests on, and what was decided."""

    severity: str
    name: str
    ride: str
    sentence: str
    told: str


@dataclass(frozen=True, slots=True)
class CasePage:
    """One carpool, its labels, and the form of a decision while it waits."""

    title: str
    problems: Sequence[Link]
    problem_of: str  # the field that a problem speaks of
    problem: str
    lines: Sequence[Line]
    seen: Sequence[Seen]
    waits: bool
    action: str
    why: str
    verdict: str
    alike: str
    is_alike: bool
    back: Link


def _row(held: HeldCarpool, holds: Sequence[Hold], now: datetime) -> CaseRow:
    return CaseRow(
        href=f"{CONTROLS}/{held.carpool_id}",
        name=say("covoiturage.holds.case", carpool=held.carpool_id),
        about=say("covoiturage.holds.row", when=moment(held.end_at), driver=_short(held.driver)),
        since=say("covoiturage.holds.since", when=moment(held.found_at)),
        is_late=now - held.found_at > screening.DECIDED_WITHIN,
        labels=list(dict.fromkeys(text(f"fraud.name.{hold.code}") for hold in holds)),
    )


def _short(pseudonym: str) -> str:
    return f"{pseudonym[:_SHOWN_LETTERS]}…" if len(pseudonym) > _SHOWN_LETTERS else pseudonym


def _seen(hold: Hold) -> Seen:
    told = ""
    if hold.verdict is not None and hold.decided_at is not None:
        verdict = text(f"personal.value.hold_verdict.{hold.verdict}").capitalize()
        told = say("covoiturage.holds.told", verdict=verdict, when=moment(hold.decided_at), why=hold.why)
    return Seen(
        severity=text(f"fraud.severity.{hold.severity}"),
        name=text(f"fraud.name.{hold.code}"),
        ride=say("covoiturage.holds.of_ride", ride=hold.ride_id) if hold.ride_id else "",
        sentence=label_sentence(hold.code, hold.facts),
        told=told,
    )


def _lines(case: Case) -> list[Line]:
    carpool = case.carpool
    metres = case.official_m
    told = [
        ("driver", _short(carpool.driver)),
        ("people", ", ".join(_short(one) for one in case.passengers)),
        ("line", case.line_id or say("covoiturage.holds.no_line")),
        ("ended", moment(carpool.end_at)),
        ("reserved", euros(carpool.reserved_cents)),
    ]
    if metres is not None:
        told.insert(3, ("metres", f"{kilometres(metres)} km"))
    return [Line(say(f"covoiturage.holds.{name}"), value) for name, value in told]


def _case_page(case: Case, typed: Fields | None = None, error: MobigoError | None = None) -> CasePage:
    form = typed or {}
    sentence = error_sentence(error) if error else ""
    field = "verdict" if error is not None and error.code == "unknown_verdict" else "motif"
    return CasePage(
        title=say("covoiturage.holds.case", carpool=case.carpool.id),
        problems=[Link(f"#{field if case.waits else 'decision'}", sentence)] if error else (),
        problem_of=field if error else "",
        problem=sentence,
        lines=_lines(case),
        seen=[_seen(hold) for hold in case.holds],
        waits=case.waits,
        action=f"{CONTROLS}/{case.carpool.id}",
        why=form.get("motif", ""),
        verdict=form.get("verdict", ""),
        alike=say_count("covoiturage.holds.alike", len(case.others)) if case.others else "",
        is_alike=form.get("ensemble") == "oui",
        back=Link(CONTROLS, say("covoiturage.holds.title")),
    )


def _read_verdict(typed: str) -> Verdict:
    if typed not in _VERDICTS:
        raise BadInput("unknown_verdict")
    return Verdict(typed)


def _read_number(typed: str, most: int) -> int:
    """A whole number from 1 on, or 0 for anything else."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 and int(typed) <= most else 0


def make_router(pages: Pages) -> APIRouter:
    """`/covoiturage/controles` and a page for each case."""
    router = APIRouter(include_in_schema=False)

    @router.get(CONTROLS)
    def cases(request: Request, _principal: Moderator) -> Response:
        engine, now, typed = request.app.state.engine, door.now_of(request), request.query_params
        page = _read_number(typed.get("page", ""), _MOST_PAGES) or 1
        n, held = screening.list_cases(engine, N_SHOWN, (page - 1) * N_SHOWN)
        labels = screening.read_labels(engine, [one.carpool_id for one in held])
        done = _read_number(typed.get("fait", ""), _MOST_PAGES)
        shown = CasesPage(
            title=say("covoiturage.holds.title"),
            said=say_count("covoiturage.holds.done", done) if done else "",
            counted=say_count("covoiturage.holds.count", n) if n else "",
            rows=[_row(one, labels[one.carpool_id], now) for one in held],
            newer=door.with_query(CONTROLS, page=str(page - 1)) if page > 1 else "",
            older=door.with_query(CONTROLS, page=str(page + 1)) if page * N_SHOWN < n else "",
            back=Link(HOME, say("people.account.title")),
        )
        return pages.send(request, "covoiturage/controls.html", cache="no-store", page=shown)

    def show(
        request: Request,
        principal: Principal,
        carpool_id: str,
        typed: Fields | None = None,
        error: MobigoError | None = None,
    ) -> Response:
        case = screening.read_case(request.app.state.engine, carpool_id, principal.actor, door.now_of(request))
        status = status_of(error) if error else 200
        page = _case_page(case, typed, error)
        return pages.send(request, "covoiturage/control.html", status=status, cache="no-store", page=page)

    @router.get(f"{CONTROLS}/{{carpool_id}}")
    def case(request: Request, principal: Moderator, carpool_id: str) -> Response:
        return show(request, principal, carpool_id)

    @router.post(f"{CONTROLS}/{{carpool_id}}")
    def decide(request: Request, principal: Moderator, carpool_id: str, form: Fields) -> Response:
        engine, now = request.app.state.engine, door.now_of(request)
        try:
            n = screening.decide_case(
                engine,
                carpool_id,
                _read_verdict(form.get("verdict", "")),
                form.get("motif", ""),
                principal.actor,
                now,
                all_alike=form.get("ensemble") == "oui",
            )
        except MobigoError as error:
            return show(request, principal, carpool_id, form, error)
        return door.go(door.with_query(CONTROLS, fait=str(n)))

    return router
