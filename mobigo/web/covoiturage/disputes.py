"""Disputes on pages: somebody says what is wrong with a carpool of theirs; moderators look at it and answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from covoiturage.correction import Correction, RideChange
from mobigo.security import Permission
from mobigo.services.covoiturage import disputing
from mobigo.services.covoiturage.disputing import Answer, Dispute, DisputeCase, Reason
from mobigo.services.covoiturage.wording import kilometres, label_sentence
from mobigo.services.people.principal import Principal
from mobigo.texts import error_sentence, text
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line
from mobigo.web.people.forms import Fields, Link, Owner, status_of
from mobigo.web.people.signing import HOME
from mobigo.web.wording import euros, moment, say, say_count
from socle.errors import BadInput, MobigoError

DISPUTES = "/covoiturage/litiges"
CARPOOLS = "/compte/covoiturages"
N_SHOWN = 20
_MOST_PAGES = 10_000
_SHOWN_LETTERS = 8  # of a pseudonym
_FIELD_OF = {
    "unknown_reason": "raison",
    "words_missing": "mots",
    "words_too_long": "mots",
    "unknown_answer": "reponse",
    "correction_missing": "metres",
    "correction_unwanted": "metres",
    "bad_correction": "metres",
    "nothing_corrected": "metres",
    "not_a_count": "metres",
    "unknown_ride": "metres",
    "why_missing": "motif",
    "why_too_long": "motif",
}
_DEEDS = ("", "retirer", "retablir", "admettre")  # what a moderator does with a ride

Moderator = Annotated[Principal, Depends(door.Needs(Permission.CARPOOL_HOLDS))]


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose."""

    value: str
    name: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class OwnPage:
    """The form in which somebody says what is wrong, or what was said and answered before."""

    title: str
    problems: Sequence[Link]
    problem_of: str
    problem: str
    action: str
    reasons: Sequence[Option]
    words: str
    said: Sequence[str]
    may: bool
    until: str
    back: Link


@dataclass(frozen=True, slots=True)
class DisputeLine:
    """One dispute that waits."""

    href: str
    name: str
    about: str
    words: str


@dataclass(frozen=True, slots=True)
class DisputesPage:
    """What waits, the longest first."""

    title: str
    said: str
    counted: str
    rows: Sequence[DisputeLine]
    newer: str
    older: str
    back: Link


@dataclass(frozen=True, slots=True)
class RideForm:
    """One ride as a moderator may put it right."""

    ride_id: str
    told: str
    seats: str
    deeds: Sequence[Option]


@dataclass(frozen=True, slots=True)
class DisputePage:
    """One dispute: what was said, the facts, their proofs, what was decided and put right; the form of an answer."""

    title: str
    problems: Sequence[Link]
    problem_of: str
    problem: str
    lines: Sequence[Line]
    facts: Sequence[Line]
    evidence: Sequence[str]
    steps: Sequence[str]
    history: Sequence[str]
    waits: bool
    answered: str
    action: str
    answers: Sequence[Option]
    metres: str
    rides: Sequence[RideForm]
    why: str
    back: Link


def reason_name(reason: Reason) -> str:
    """A reason in French."""
    return text(f"web.covoiturage.disputes.reason.{reason}")


def told_of(dispute: Dispute) -> str:
    """What the person reads of their dispute: what they said, and the answer once there is one."""
    opened = say("covoiturage.disputes.opened", when=moment(dispute.opened_at), reason=reason_name(dispute.reason))
    if dispute.answer is None or dispute.decided_at is None:
        return f"{opened} {say('covoiturage.disputes.waits')}"
    answer = text(f"web.covoiturage.disputes.answer.{dispute.answer}")
    when = moment(dispute.decided_at)
    return f"{opened} {say('covoiturage.disputes.answered', when=when, answer=answer, why=dispute.why)}"


def _short(pseudonym: str) -> str:
    return f"{pseudonym[:_SHOWN_LETTERS]}…" if len(pseudonym) > _SHOWN_LETTERS else pseudonym


def _options(values: Sequence[str], family: str, chosen: str) -> list[Option]:
    return [Option(value, text(f"web.covoiturage.disputes.{family}.{value}"), value == chosen) for value in values]


def _own_page(
    request: Request,
    principal: Principal,
    carpool_id: str,
    typed: Fields | None = None,
    error: MobigoError | None = None,
) -> OwnPage:
    engine, now, form = request.app.state.engine, door.now_of(request), typed or {}
    carpool = disputing.get_own_carpool(engine, principal.pseudonym, carpool_id)
    known = disputing.list_own(engine, principal.pseudonym, [carpool_id])[carpool_id]
    sentence = error_sentence(error) if error else ""
    field = _FIELD_OF.get(error.code, "mots") if error else ""
    return OwnPage(
        title=say("covoiturage.disputes.own_title", when=moment(carpool.end_at)),
        problems=[Link(f"#{field}", sentence)] if error else (),
        problem_of=field,
        problem=sentence,
        action=f"{CARPOOLS}/{carpool_id}/contester",
        reasons=_options([str(one) for one in Reason], "reason", form.get("raison", "")),
        words=form.get("mots", ""),
        said=[told_of(one) for one in known],
        may=disputing.in_time(carpool.end_at, now) and not any(one.is_open for one in known),
        until=moment(carpool.end_at + disputing.DISPUTED_WITHIN),
        back=Link(CARPOOLS, say("covoiturage.mine.title")),
    )


def _row(dispute: Dispute) -> DisputeLine:
    return DisputeLine(
        href=f"{DISPUTES}/{dispute.id}",
        name=say("covoiturage.holds.case", carpool=dispute.carpool_id),
        about=say("covoiturage.disputes.opened", when=moment(dispute.opened_at), reason=reason_name(dispute.reason)),
        words=dispute.words,
    )


def _rides(case: DisputeCase) -> Mapping[str, tuple[Mapping[str, Any], bool]]:
    """Each ride that was declared, with its last facts, and whether it counts now."""
    declared = case.declared["rides"]
    present = {ride["ride_id"]: ride for ride in case.facts["rides"]}
    return {
        one["ride_id"]: (present.get(one["ride_id"], one), one["ride_id"] in present)
        for one in [*declared, *present.values()]
    }


def _ride_form(ride_id: str, ride: Mapping[str, Any], counts: bool, form: Mapping[str, str]) -> RideForm:
    proof = ride["operator_class"] or say("covoiturage.disputes.no_proof")
    told = say(
        "covoiturage.disputes.ride",
        passenger=_short(ride["passenger"]),
        seats=ride["seats"],
        metres=kilometres(ride["distance_m"]),
        proof=proof,
    )
    deeds = [one for one in _DEEDS if one not in ({"retablir"} if counts else {"retirer", "admettre"})]
    chosen = form.get(f"trajet_{ride_id}", "")
    options = [Option(one, say(f"covoiturage.disputes.deed.{one or 'laisser'}"), one == chosen) for one in deeds]
    return RideForm(
        ride_id,
        told if counts else f"{told} {say('covoiturage.disputes.struck')}",
        form.get(f"places_{ride_id}", ""),
        options,
    )


def _evidence(case: DisputeCase) -> list[str]:
    told = [
        say(
            "covoiturage.disputes.evidence_line",
            kind=text(f"web.covoiturage.disputes.kind.{one.kind}"),
            side=text(f"web.covoiturage.disputes.side.{one.side}"),
            who=_short(one.by),
            when=moment(one.at),
        )
        for one in case.evidence
    ]
    return told + [
        f"{text(f'fraud.name.{hold.code}')} : {label_sentence(hold.code, hold.facts)}" for hold in case.holds
    ]


def _history(case: DisputeCase) -> list[str]:
    events = [
        (
            one.decided_at,
            say("covoiturage.disputes.was_decided", when=moment(one.decided_at), amount=euros(one.amount_cents)),
        )
        for one in case.decisions
    ]
    events += [
        (one.corrected_at, say("covoiturage.disputes.was_corrected", when=moment(one.corrected_at), why=one.why))
        for one in case.revisions
        if one.number
    ]
    events += [(one.opened_at, told_of(one)) for one in case.others]
    return [sentence for _, sentence in sorted(events)]


def _dispute_page(case: DisputeCase, typed: Fields | None = None, error: MobigoError | None = None) -> DisputePage:
    form, dispute, carpool = typed or {}, case.dispute, case.carpool
    sentence = error_sentence(error) if error else ""
    field = _FIELD_OF.get(error.code, "motif") if error else ""
    decision = case.decisions[-1] if case.decisions else None
    measured = case.facts["measured_m"]
    official = case.facts["official_m"]
    who = "driver" if dispute.opened_by == carpool.driver else "passenger"
    lines = [
        Line(
            say("covoiturage.disputes.line.by"), f"{say(f'covoiturage.disputes.by.{who}')} {_short(dispute.opened_by)}"
        ),
        Line(say("covoiturage.disputes.line.reason"), reason_name(dispute.reason)),
        Line(say("covoiturage.disputes.line.words"), dispute.words or say("covoiturage.disputes.no_words")),
        Line(say("covoiturage.disputes.line.opened"), moment(dispute.opened_at)),
        Line(say("covoiturage.disputes.line.held"), euros(dispute.held_cents)),
    ]
    facts = [
        Line(say("covoiturage.holds.driver"), _short(carpool.driver)),
        Line(say("covoiturage.holds.line"), str(case.facts["line_id"] or say("covoiturage.holds.no_line"))),
        Line(say("covoiturage.holds.ended"), moment(carpool.end_at)),
        Line(say("covoiturage.disputes.line.state"), say(f"covoiturage.mine.state.{carpool.state}")),
    ]
    if official is not None:
        facts.append(Line(say("covoiturage.holds.metres"), f"{kilometres(official)} km"))
    if measured is not None:
        facts.append(Line(say("covoiturage.disputes.line.measured"), f"{kilometres(measured)} km"))
    return DisputePage(
        title=say("covoiturage.disputes.case", carpool=carpool.id),
        problems=[Link(f"#{field if dispute.is_open else 'decision'}", sentence)] if error else (),
        problem_of=field,
        problem=sentence,
        lines=lines,
        facts=facts,
        evidence=_evidence(case),
        steps=[step["text"] for step in decision.explanation] if decision is not None else (),
        history=_history(case),
        waits=dispute.is_open,
        answered="" if dispute.is_open else told_of(dispute),
        action=f"{DISPUTES}/{dispute.id}",
        answers=_options([str(one) for one in Answer], "choose", form.get("reponse", "")),
        metres=form.get("metres", ""),
        rides=[_ride_form(ride_id, ride, counts, form) for ride_id, (ride, counts) in _rides(case).items()],
        why=form.get("motif", ""),
        back=Link(DISPUTES, say("covoiturage.disputes.title")),
    )


def _read_count(typed: str) -> int | None:
    """A whole number, None for nothing.

    Raises:
        BadInput: `not_a_count`.
    """
    said = "".join(typed.split())
    if not said:
        return None
    if not (said.isascii() and said.isdigit() and len(said) <= 7):
        raise BadInput("not_a_count")
    return int(said)


def _read_correction(case: DisputeCase, form: Fields) -> Correction | None:
    """What a moderator puts right; None when nothing is."""
    rides: dict[str, RideChange] = {}
    for ride_id in _rides(case):
        deed, seats = form.get(f"trajet_{ride_id}", ""), _read_count(form.get(f"places_{ride_id}", ""))
        if deed or seats is not None:
            rides[ride_id] = RideChange(struck=deed == "retirer", vouched=deed == "admettre", seats=seats)
    metres = _read_count(form.get("metres", ""))
    return Correction(metres, rides) if rides or metres is not None else None


def make_router(pages: Pages) -> APIRouter:
    """`/compte/covoiturages/{id}/contester`, `/covoiturage/litiges` and a page for each dispute."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{CARPOOLS}/{{carpool_id}}/contester")
    def own(request: Request, principal: Owner, carpool_id: str) -> Response:
        page = _own_page(request, principal, carpool_id)
        return pages.send(request, "covoiturage/own_dispute.html", cache="no-store", page=page)

    @router.post(f"{CARPOOLS}/{{carpool_id}}/contester")
    def open_own(request: Request, principal: Owner, carpool_id: str, form: Fields) -> Response:
        engine, now, reason = request.app.state.engine, door.now_of(request), form.get("raison", "")
        try:
            if reason not in {str(one) for one in Reason}:
                raise BadInput("unknown_reason")
            words = form.get("mots", "")
            disputing.open_dispute(engine, principal.pseudonym, carpool_id, Reason(reason), words, now)
        except MobigoError as error:
            page = _own_page(request, principal, carpool_id, form, error)
            status = status_of(error)
            return pages.send(request, "covoiturage/own_dispute.html", status=status, cache="no-store", page=page)
        return door.go(f"{CARPOOLS}/{carpool_id}/contester")

    @router.get(DISPUTES)
    def waiting(request: Request, _principal: Moderator) -> Response:
        typed = request.query_params.get("page", "")
        page = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 5 and int(typed) else 1
        n, found = disputing.list_cases(request.app.state.engine, N_SHOWN, (page - 1) * N_SHOWN)
        shown = DisputesPage(
            title=say("covoiturage.disputes.title"),
            said=say("covoiturage.disputes.done") if "fait" in request.query_params else "",
            counted=say_count("covoiturage.disputes.count", n) if n else "",
            rows=[_row(one) for one in found],
            newer=door.with_query(DISPUTES, page=str(page - 1)) if page > 1 else "",
            older=door.with_query(DISPUTES, page=str(page + 1)) if page * N_SHOWN < n else "",
            back=Link(HOME, say("people.account.title")),
        )
        return pages.send(request, "covoiturage/disputes.html", cache="no-store", page=shown)

    @router.get(f"{DISPUTES}/{{dispute_id}}")
    def dispute(request: Request, principal: Moderator, dispute_id: str) -> Response:
        case = disputing.read_case(request.app.state.engine, dispute_id, principal.actor, door.now_of(request))
        return pages.send(request, "covoiturage/dispute.html", cache="no-store", page=_dispute_page(case))

    @router.post(f"{DISPUTES}/{{dispute_id}}")
    def answer(request: Request, principal: Moderator, dispute_id: str, form: Fields) -> Response:
        engine, now, said = request.app.state.engine, door.now_of(request), form.get("reponse", "")
        case = disputing.read_case(engine, dispute_id, principal.actor, now)
        try:
            if said not in {str(one) for one in Answer}:
                raise BadInput("unknown_answer")
            correction = _read_correction(case, form)
            why = form.get("motif", "")
            disputing.answer_dispute(engine, dispute_id, Answer(said), correction, why, principal.actor, now)
        except MobigoError as error:
            page, status = _dispute_page(case, form, error), status_of(error)
            return pages.send(request, "covoiturage/dispute.html", status=status, cache="no-store", page=page)
        return door.go(f"{DISPUTES}?fait=oui")

    return router
