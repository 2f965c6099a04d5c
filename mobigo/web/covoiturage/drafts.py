"""Drafts: rules tried out on a month or a file, proposed by one person, approved or refused by another."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import Engine

from covoiturage.policy.model import VEHICLE_TRIP
from mobigo.security import Permission
from mobigo.services.covoiturage import paying, publishing
from mobigo.services.covoiturage.publishing import Author, Draft
from mobigo.services.covoiturage.simulating import Outings, read_month, read_outings, simulate_policy
from mobigo.services.people.principal import Principal
from mobigo.texts import error_sentence, finding_sentence
from mobigo.web import door
from mobigo.web.covoiturage.rules import Part, Row, break_even_sentences, told_parts, validity, worked_rows
from mobigo.web.covoiturage.trials import Trial, tell_trial
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line
from mobigo.web.people.forms import Choice, Fields, Link, status_of
from mobigo.web.people.signing import HOME
from mobigo.web.wording import moment, month_name, say, say_count
from socle.errors import BadInput, MobigoError
from socle.times import PARIS

DRAFTS = "/finances/regles"
_MOST_SEVERAL = 50  # remarks and lines that are told one by one
_DONE = frozenset({"propose", "approuve", "refuse"})

Reader = Annotated[Principal, Depends(door.Needs(Permission.CARPOOL_MONEY_READ))]
Drafter = Annotated[Principal, Depends(door.Needs(Permission.CARPOOL_POLICY_DRAFT))]
Approver = Annotated[Principal, Depends(door.Needs(Permission.CARPOOL_POLICY_APPROVE))]
Uploaded = Annotated[Mapping[str, str], Depends(door.read_upload)]


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed into the form."""

    document: str = ""
    month: str = ""
    budget: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version in the list."""

    href: str
    name: str
    stands: str


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be said of a document that can be read."""

    title: str
    remarks: Sequence[str]
    parts: Sequence[Part]
    rows: Sequence[Row]
    break_even: Sequence[str]


@dataclass(frozen=True, slots=True)
class DraftsPage:
    """The versions, the form, and what came of it."""

    title: str
    problems: Sequence[Link]
    versions: Sequence[VersionRow]
    typed: Typed
    months: Sequence[Choice]
    may_propose: bool
    told: Told | None
    trial: Trial | None
    unreadable: Sequence[str]
    back: Link


@dataclass(frozen=True, slots=True)
class VersionPage:
    """One version, and what may be done with it."""

    title: str
    said: str
    problems: Sequence[Link]
    lines: Sequence[Line]
    told: Told
    document: str
    path: str
    may_judge: bool
    hint: str
    back: Link


def _stands(version: publishing.PolicyVersion) -> str:
    if version.is_shipped:
        return say("covoiturage.drafts.stands.shipped")
    if version.verdict is None:
        return say("covoiturage.drafts.stands.waiting")
    return say(f"covoiturage.drafts.stands.{'approved' if version.verdict.approved else 'refused'}")


def _rows(engine: Engine) -> list[VersionRow]:
    return [
        VersionRow(
            f"{DRAFTS}/{one.policy.version}",
            f"{one.policy.title} ({one.policy.id}), {validity(one.policy)}",
            _stands(one),
        )
        for one in reversed(publishing.list_policies(engine))
    ]


def _told(draft: Draft) -> Told:
    policy = draft.policy
    remarks = [f"{one.file}{': ' if one.file else ''}{finding_sentence(one)}" for one in draft.remarks[:_MOST_SEVERAL]]
    return Told(
        f"{policy.title or policy.id}, {validity(policy)}",
        remarks,
        told_parts(policy),
        worked_rows(policy) if policy.level == VEHICLE_TRIP else (),
        break_even_sentences(policy),
    )


def _page(engine: Engine, principal: Principal, typed: Typed, problems: Sequence[Link] = ()) -> DraftsPage:
    months = [one.month for one, _ in paying.list_all_months(engine)]
    chosen = typed.month or (months[0] if months else "")
    return DraftsPage(
        title=say("covoiturage.drafts.title"),
        problems=problems,
        versions=_rows(engine),
        typed=typed,
        months=[Choice(month, month_name(month), month == chosen) for month in months],
        may_propose=principal.may(Permission.CARPOOL_POLICY_DRAFT),
        told=None,
        trial=None,
        unreadable=(),
        back=Link(HOME, say("people.account.title")),
    )


def _typed(form: Mapping[str, str]) -> Typed:
    document = form.get("fichier", "").strip() or form.get("document", "")
    return Typed(document, form.get("mois", ""), form.get("budget", "").strip(), form.get("motif", ""))


def _outings(engine: Engine, form: Mapping[str, str], month: str) -> Outings | None:
    """The carpools of the file that was chosen, else of the month; None when there are neither."""
    lines = form.get("trajets", "")
    if not lines.strip():
        return read_month(engine, month) if month else None
    return read_outings((number, _decoded(line)) for number, line in enumerate(lines.splitlines(), 1) if line.strip())


def _decoded(line: str) -> object:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return None


def _budget_cents(typed: str) -> int | None:
    """Euros as a person types them: 12 000,50."""
    if not typed:
        return None
    plain = "".join(typed.split()).replace(",", ".").removesuffix("€")
    whole, _, cents = plain.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) < 12 and len(cents) < 3 and (cents or "0").isdigit()):
        raise BadInput("bad_amount")
    return int(whole) * 100 + int(cents.ljust(2, "0"))


def _author(principal: Principal) -> Author:
    return Author(principal.whose.name, principal.actor)


def _try_out(engine: Engine, page: DraftsPage, form: Mapping[str, str], now: datetime) -> DraftsPage:
    """The page with what is to be said of the document, and what carpools would cost under it."""
    draft, budget = publishing.read_draft(page.typed.document), _budget_cents(page.typed.budget)
    page = replace(page, told=_told(draft))
    outings = _outings(engine, form, page.typed.month)
    if outings is None:
        return page
    in_force = publishing.find_of_lines(engine, now.astimezone(PARIS).date())
    unreadable = [
        say("covoiturage.drafts.line_refused", line=number, sentence=error_sentence(error))
        for number, error in outings.unreadable[:_MOST_SEVERAL]
    ]
    if len(outings.unreadable) > _MOST_SEVERAL:
        unreadable.append(say_count("covoiturage.drafts.more_refused", len(outings.unreadable) - _MOST_SEVERAL))
    trial = tell_trial(simulate_policy(draft.policy, in_force, outings, budget), budget)
    return replace(page, trial=trial, unreadable=unreadable)


def _lines(version: publishing.PolicyVersion) -> list[Line]:
    told = [("stands", _stands(version)), ("version", version.policy.version)]
    if version.drafted_at is not None:
        told += [("drafted_at", moment(version.drafted_at)), ("why", version.why)]
    if version.verdict is not None:
        told += [("judged_at", moment(version.verdict.at)), ("judged_why", version.verdict.why)]
    return [Line(say(f"covoiturage.drafts.line.{name}"), value) for name, value in told]


def _version_page(
    engine: Engine, principal: Principal, version: str, said: str = "", problems: Sequence[Link] = ()
) -> VersionPage:
    kept = publishing.get_policy_version(engine, version)
    waits = not kept.is_shipped and kept.verdict is None
    may_judge = waits and principal.may(Permission.CARPOOL_POLICY_APPROVE) and kept.drafted_by != principal.whose.name
    document = kept.document.decode()
    return VersionPage(
        title=say("covoiturage.drafts.version", policy=kept.policy.id),
        said=said,
        problems=problems,
        lines=_lines(kept),
        told=_told(publishing.read_draft(document)),
        document=json.dumps(json.loads(document), ensure_ascii=False, indent=2),
        path=f"{DRAFTS}/{version}",
        may_judge=may_judge,
        hint=say("covoiturage.drafts.waits_for_another") if waits and not may_judge else "",
        back=Link(DRAFTS, say("covoiturage.drafts.title")),
    )


def make_router(pages: Pages) -> APIRouter:
    """`/finances/regles`, what is tried there, and a page for each version."""
    router = APIRouter(include_in_schema=False)

    def send(request: Request, page: DraftsPage, status: int = 200) -> Response:
        return pages.send(request, "covoiturage/drafts.html", status=status, cache="no-store", page=page)

    def send_version(
        request: Request, principal: Principal, version: str, said: str = "", error: MobigoError | None = None
    ) -> Response:
        problems = [Link("#suite", error_sentence(error))] if error else ()
        page = _version_page(request.app.state.engine, principal, version, said, problems)
        status = status_of(error) if error else 200
        return pages.send(request, "covoiturage/version.html", status=status, cache="no-store", page=page)

    @router.get(DRAFTS)
    def drafts(request: Request, principal: Reader) -> Response:
        return send(request, _page(request.app.state.engine, principal, Typed()))

    @router.post(f"{DRAFTS}/essai")
    def try_out(request: Request, principal: Reader, form: Uploaded) -> Response:
        engine, now = request.app.state.engine, door.now_of(request)
        page = _page(engine, principal, _typed(form))
        try:
            return send(request, _try_out(engine, page, form, now))
        except MobigoError as error:
            return send(request, replace(page, problems=[Link("#document", error_sentence(error))]), status_of(error))

    @router.post(f"{DRAFTS}/proposer")
    def propose(request: Request, principal: Drafter, form: Uploaded) -> Response:
        engine, typed = request.app.state.engine, _typed(form)
        try:
            policy = publishing.submit(engine, _author(principal), typed.document, typed.why, door.now_of(request))
        except MobigoError as error:
            at = "#motif" if error.code.startswith("why_") else "#document"
            page = _page(engine, principal, typed, [Link(at, error_sentence(error))])
            return send(request, page, status_of(error))
        return door.go(f"{DRAFTS}/{policy.version}?fait=propose")

    @router.get(f"{DRAFTS}/{{version}}")
    def version(request: Request, principal: Reader, version: str, fait: str = "") -> Response:
        said = say(f"covoiturage.drafts.done.{fait}") if fait in _DONE else ""
        return send_version(request, principal, version, said)

    def judge(request: Request, principal: Principal, version: str, form: Mapping[str, str], done: str) -> Response:
        engine, now = request.app.state.engine, door.now_of(request)
        try:
            why, approved = form.get("motif", ""), done == "approuve"
            publishing.judge(engine, _author(principal), version, why, now, approved=approved)
        except MobigoError as error:
            return send_version(request, principal, version, error=error)
        return door.go(f"{DRAFTS}/{version}?fait={done}")

    @router.post(f"{DRAFTS}/{{version}}/approuver")
    def approve(request: Request, principal: Approver, version: str, form: Fields) -> Response:
        return judge(request, principal, version, form, "approuve")

    @router.post(f"{DRAFTS}/{{version}}/refuser")
    def refuse(request: Request, principal: Approver, version: str, form: Fields) -> Response:
        return judge(request, principal, version, form, "refuse")

    return router
