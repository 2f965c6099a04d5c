"""Officer: the audit log, what is kept and for how long, and somebody's data on their demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from mobigo.security import Permission
from mobigo.services import audit, personal, retention
from mobigo.services.audit import AuditFilter, NumberedLine
from mobigo.services.people.principal import Principal
from mobigo.services.personal import Person
from mobigo.texts import action_words, error_sentence, text
from mobigo.web import door
from mobigo.web.journeys.form import find_day
from mobigo.web.layout import Pages
from mobigo.web.people.account import spelled_reference
from mobigo.web.people.forms import Choice, Field, Fields, FormPage, Link, send_form, send_refused
from mobigo.web.people.signing import HOME
from mobigo.web.personal.mine import attachment
from mobigo.web.personal.told import facts_words, who_words
from mobigo.web.wording import moment, say, say_count
from socle.errors import BadInput, MobigoError
from socle.times import PARIS

AUDIT = "/journal"
RETENTION = "/conservation"
PERSON = "/personnes/{pseudonym}"
_MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
_MOST_FILTER_LETTERS = 110
_FIELD_OF = {"bad_action": "quoi", "bad_day": "du", "why_names_somebody": "motif"}

AuditReader = Annotated[Principal, Depends(door.Needs(Permission.AUDIT_READ))]
Officer = Annotated[Principal, Depends(door.Needs(Permission.PERSONAL_DATA))]


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line of the log as it is shown; who and on whose data with the address of all their lines."""

    number: int
    at: str
    who: str
    who_href: str
    action: str
    whose: str
    whose_href: str
    is_own: bool
    why: str
    facts: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """The log and its filter."""

    title: str
    typed: Mapping[str, str]
    actions: Sequence[Choice]
    problems: Sequence[Link]
    wrong: str
    rows: Sequence[LineRow]
    people: Sequence[Link]
    files: Sequence[Link]
    first: str
    older: str
    back: Link


@dataclass(frozen=True, slots=True)
class KeptRow:
    """One rule and what is there; `state` only where age counts."""

    what: str
    duration: str
    oldest: str
    state: str


@dataclass(frozen=True, slots=True)
class RetentionPage:
    """Nothing older than the rules allow, or what is."""

    title: str
    verdict: str
    is_late: bool
    applied: str
    rows: Sequence[KeptRow]
    back: Link


def _back() -> Link:
    return Link(HOME, say("people.account.title"))


def _read_typed(values: Mapping[str, str]) -> dict[str, str]:
    return {
        name: " ".join(values.get(name, "").split())[:_MOST_FILTER_LETTERS]
        for name in ("qui", "quoi", "sur", "du", "au", "motif")
    }


def _read_wish(typed: Mapping[str, str]) -> AuditFilter:
    """The filter; its last day is whole.

    Raises:
        BadInput: `bad_day`.
    """
    days = {}
    for name in ("du", "au"):
        day = find_day(typed[name])
        if typed[name] and day is None:
            raise BadInput("bad_day", day=typed[name])
        days[name] = datetime.combine(day, time(), PARIS) if day else None
    until = days["au"]
    try:
        end = until and until + timedelta(days=1)
    except OverflowError:
        end = None  # after the last day there is
    return AuditFilter(typed["qui"], typed["quoi"], typed["sur"], days["du"], end)


def _href(typed: Mapping[str, str], **changes: str) -> str:
    fields = {name: value for name, value in ({**typed, **changes}).items() if value}
    return f"{AUDIT}?{urlencode(fields)}" if fields else AUDIT


def _row(numbered: NumberedLine) -> LineRow:
    line = numbered.line
    return LineRow(
        number=numbered.number,
        at=f"{line.at.astimezone(PARIS):%d/%m/%Y, %H:%M:%S}",
        who=who_words(line.actor),
        who_href=_href({"qui": line.actor}),
        action=action_words(line.action),
        whose=who_words(line.subject),
        whose_href=_href({"sur": line.subject}),
        is_own=line.subject == line.actor,
        why=line.why,
        facts=facts_words(line),
    )


def _find_before(typed: str) -> int | None:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 19 else None


def _audit_page(
    typed: Mapping[str, str],
    actions: Sequence[str],
    found: audit.AuditPage | None,
    before: str = "",
    error: BadInput | None = None,
) -> AuditPage:
    field = _FIELD_OF.get(error.code, "qui") if error else ""  # which of two people or days is not told apart
    file = urlencode({name: value for name, value in typed.items() if value})
    return AuditPage(
        title=say("personal.audit.title"),
        typed=typed,
        actions=[Choice(action, action_words(action), action == typed["quoi"]) for action in actions],
        problems=[Link(f"#{field}", error_sentence(error))] if error else [],
        wrong=field,
        rows=[_row(each) for each in found.lines] if found else [],
        people=[
            Link(f"/personnes/{who.removeprefix('person:')}", say("personal.audit.dossier", who=who_words(who)))
            for who in dict.fromkeys((typed["sur"], typed["qui"]))
            if found and who.startswith("person:")
        ],
        files=[
            Link(f"{AUDIT}/fichier?format={kind}{'&' if file else ''}{file}", say(f"personal.audit.file_{kind}"))
            for kind in _MEDIA_TYPES
        ],
        first=_href(typed) if before else "",
        older=_href(typed, avant=str(found.before)) if found and found.before else "",
        back=_back(),
    )


def _retention_page(report: retention.Report) -> RetentionPage:
    rows = []
    for kept in report.kept:
        state = ""
        if kept.limit and kept.age and kept.age.n_older:
            state = say_count("personal.retention.late_rows", kept.age.n_older)
        elif kept.limit:
            state = say("personal.retention.tidy", limit=moment(kept.limit))
        rows.append(
            KeptRow(
                what=text(f"retention.{kept.rule.code}.what"),
                duration=say("personal.retention.duration", duration=retention.duration_words(kept.rule)),
                oldest=moment(kept.age.oldest) if kept.age and kept.age.oldest else "",
                state=state,
            )
        )
    late = report.n_older > 0
    return RetentionPage(
        title=say("personal.retention.title"),
        verdict=say_count("personal.retention.late", report.n_older) if late else say("personal.retention.all_tidy"),
        is_late=late,
        applied=(
            say("personal.retention.applied", at=moment(report.applied_at))
            if report.applied_at
            else say("personal.retention.never_applied")
        ),
        rows=rows,
        back=_back(),
    )


def _reason() -> Field:
    return Field("motif", say("personal.person.why"), hint=say("personal.person.why_hint"), most=500)


def _person_page(person: Person) -> FormPage:
    pseudonym = person.pseudonym
    return FormPage(
        title=say("personal.person.title"),
        action=f"/personnes/{pseudonym}/donnees",
        submit=say("personal.person.submit"),
        lead=say("personal.person.lead", reference=spelled_reference(person.reference)),
        fields=(_reason(),),
        links=(
            Link(f"/personnes/{pseudonym}/effacer", say("personal.person.erase")),
            Link(_href({"sur": person.actor}), say("personal.person.audit")),
        ),
        back=Link(f"/personnes/{pseudonym}", say("personal.person.back")),
    )


def _erase_page(person: Person) -> FormPage:
    pseudonym = person.pseudonym
    return FormPage(
        title=say("personal.person.erase"),
        action=f"/personnes/{pseudonym}/effacer",
        submit=say("personal.person.erase_submit"),
        lead=say("personal.person.erase_lead", reference=spelled_reference(person.reference)),
        fields=(
            _reason(),
            Field(
                "compris", say("personal.erase.box"), "choices", choices=(Choice("oui", say("personal.person.yes")),)
            ),
        ),
        back=Link(f"/personnes/{pseudonym}/donnees", say("personal.person.title")),
    )


def make_router(pages: Pages) -> APIRouter:
    """`/journal`, `/conservation`, `/personnes/{pseudonym}/donnees` and `/effacer`."""
    router = APIRouter(include_in_schema=False)

    @router.get(AUDIT)
    def audit_page(request: Request, principal: AuditReader) -> Response:
        engine, now = request.app.state.engine, door.now_of(request)
        typed = _read_typed(request.query_params)
        before = request.query_params.get("avant", "")
        actions = audit.list_known_actions(engine)
        try:
            found = audit.read_page(
                engine, _read_wish(typed), principal.actor, typed["motif"], _find_before(before), now
            )
        except BadInput as error:
            page = _audit_page(typed, actions, None, error=error)
            return pages.send(request, "personal/audit.html", status=400, cache="no-store", page=page)
        page = _audit_page(typed, actions, found, before=before)
        return pages.send(request, "personal/audit.html", cache="no-store", page=page)

    @router.get(f"{AUDIT}/fichier")
    def audit_file(request: Request, principal: AuditReader, format: str = "csv") -> Response:  # noqa: A002  the name in the address
        engine, now = request.app.state.engine, door.now_of(request)
        typed = _read_typed(request.query_params)
        pieces = audit.export(engine, _read_wish(typed), format, principal.actor, typed["motif"], now)
        name = f"mobigo-journal-{now:%Y-%m-%d}.{format}"
        return StreamingResponse(pieces, headers=attachment(name, _MEDIA_TYPES[format]))

    @router.get(RETENTION)
    def retention_page(request: Request, _principal: AuditReader) -> Response:
        state = request.app.state
        report = retention.report(state.engine, door.now_of(request), letters=state.settings.letters_dir())
        return pages.send(request, "personal/retention.html", cache="no-store", page=_retention_page(report))

    @router.get(f"{PERSON}/donnees")
    def person_form(request: Request, _principal: Officer, pseudonym: str) -> Response:
        return send_form(pages, request, _person_page(personal.get_person(request.app.state.engine, pseudonym)))

    @router.post(f"{PERSON}/donnees")
    def person_file(request: Request, principal: Officer, pseudonym: str, form: Fields) -> Response:
        state, now = request.app.state, door.now_of(request)
        person = personal.get_person(state.engine, pseudonym)
        try:
            why = personal.read_why(form.get("motif", ""))
            data = personal.export(state.engine, person.whose, state.keys, principal.actor, why, now)
        except MobigoError as error:
            return send_refused(pages, request, _person_page(person), error, form)
        name = f"mobigo-donnees-{pseudonym}-{now:%Y-%m-%d}.json"
        return Response(b"".join(personal.render_json(data)), headers=attachment(name, "application/json"))

    @router.get(f"{PERSON}/effacer")
    def erase_form(request: Request, _principal: Officer, pseudonym: str) -> Response:
        return send_form(pages, request, _erase_page(personal.get_person(request.app.state.engine, pseudonym)))

    @router.post(f"{PERSON}/effacer")
    def erase(request: Request, principal: Officer, pseudonym: str, form: Fields) -> Response:
        state, now = request.app.state, door.now_of(request)
        person = personal.get_person(state.engine, pseudonym)
        try:
            why = personal.read_why(form.get("motif", ""))
            if form.get("compris_oui") != "oui":
                raise BadInput("not_understood")
            personal.erase(state.engine, person.whose, principal.actor, why, now)
        except MobigoError as error:
            return send_refused(pages, request, _erase_page(person), error, form)
        return door.go(_href({"sur": person.actor}))

    return router
