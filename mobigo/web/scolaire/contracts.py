"""Contracts on pages: a month's statement line by line, the two who close it, a carrier's invoice held against it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated
from urllib.parse import quote

from babel.numbers import format_decimal
from fastapi import APIRouter, Depends, Request, Response

from mobigo.security import Permission
from mobigo.services.people.principal import Principal
from mobigo.services.scolaire import noting, stating
from mobigo.services.scolaire.noting import Event, EventKind
from mobigo.services.scolaire.stating import Month
from mobigo.texts import finding_sentence, text
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line, back_to_account
from mobigo.web.people.forms import Field, Fields, FormPage, Link, send_form
from mobigo.web.scolaire.sheets import Cell, Do, Sheet, Table, send_sheet
from mobigo.web.wording import FRENCH, euros, long_day, moment, month_name, say
from scolaire.contracts.invoices import Check
from scolaire.contracts.model import Contract
from scolaire.contracts.statements import UNITS, LineKind
from scolaire.contracts.statements import Line as Stated
from socle.errors import BadInput, MobigoError

CONTRACTS = "/scolaire/contrats"
_DONE = frozenset({"prepare", "approuve", "note", "retire", "manquement", "supplement"})

Reader = Annotated[Principal, Depends(door.Needs(Permission.SCHOOL_MONEY_READ))]
Clerk = Annotated[Principal, Depends(door.Needs(Permission.SCHOOL_MONEY_PREPARE))]
Approver = Annotated[Principal, Depends(door.Needs(Permission.SCHOOL_MONEY_APPROVE))]


def read_day(typed: str) -> date:
    """A day as a form sends it.

    Raises:
        BadInput: `bad_day`.
    """
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise BadInput("bad_day", day=typed[:20]) from None


def path_of(contract_id: str, month: str) -> str:
    """Where a month of a contract is looked at."""
    return f"{CONTRACTS}/{quote(contract_id, safe='')}/{quote(month, safe='')}"


def _list_sheet(request: Request) -> Sheet:
    today = door.now_of(request).date()
    rows = []
    state = request.app.state
    for one in stating.list_standing(state.engine, state.keys, today):
        contract = one.contract
        for month, kept in one.months:
            is_closed = kept is not None and kept.approved_by is not None
            opened = "ended" if one.is_after_end(month) else "open"
            stands = say(f"scolaire.contracts.stands.{'approved' if is_closed else opened}")
            due = euros(kept.statement.due_cents) if kept is not None and is_closed else ""
            rows.append(
                [
                    Cell(f"{contract.title}, {month_name(month)}", path_of(contract.id, month)),
                    Cell(contract.carrier),
                    Cell(", ".join(sorted(contract.lots))),
                    Cell(stands),
                    Cell(due),
                ]
            )
    columns = [say(f"scolaire.contracts.column.{name}") for name in ("month", "carrier", "lots", "stands", "due")]
    table = Table(say("scolaire.contracts.months"), columns, rows, frozenset({4}), say("scolaire.contracts.none"))
    return Sheet(
        say("scolaire.contracts.title"),
        back_to_account(),
        lead=say("scolaire.contracts.lead"),
        tables=[table],
        links=[Link("/scolaire/couts", say("scolaire.costs.link"))],
    )


# --- a month -------------------------------------------------------------------------------------


def _quantity(line: Stated) -> str:
    unit = UNITS.get(line.kind, 1)
    return str(format_decimal(line.quantity / unit, "#,##0.###", locale=FRENCH))


def _row(contract: Contract, line: Stated) -> list[Cell]:
    known = contract.find_penalty(line.cause) if line.kind is LineKind.PENALTY else contract.find_cause(line.cause)
    explained = [line.run, long_day(line.day) if line.day else "", known.title if known else line.cause]
    what = text(f"school_lines.{line.kind}")
    price = str(format_decimal(line.price_e4 / 10_000, "#,##0.00##", locale=FRENCH)) if line.price_e4 else ""
    about = month_name(line.about) if line.kind is LineKind.CORRECTION else line.about
    cells = (about, what, ", ".join(filter(None, explained)), _quantity(line), price, euros(line.cents))
    return [Cell(one) for one in cells]


def _month_sheet(request: Request, principal: Principal, found: Month, said: str) -> Sheet:
    shown, kept, contract = found.shown, found.kept, found.contract
    path = path_of(contract.id, found.month)
    columns = [
        say(f"scolaire.contracts.column.{name}")
        for name in ("about", "kind", "explained", "quantity", "price", "euros")
    ]
    numbers = frozenset({3, 4, 5})
    lines = [
        Line(say("scolaire.contracts.line.carrier"), contract.carrier),
        Line(
            say("scolaire.contracts.line.coefficient"),
            str(format_decimal(shown.coefficient.number / shown.coefficient.scale, "0.######", locale=FRENCH)),
        ),
        Line(say("scolaire.contracts.line.days"), str(len(shown.days))),
        Line(say("scolaire.contracts.line.net"), euros(shown.net_cents)),
        Line(say("scolaire.contracts.line.vat"), euros(shown.vat_cents)),
        Line(say("scolaire.contracts.line.penalties"), euros(shown.penalty_cents)),
        Line(say("scolaire.contracts.line.due"), euros(shown.due_cents)),
    ]
    if kept is not None:
        lines.append(Line(say("scolaire.contracts.line.prepared"), moment(kept.prepared_at)))
        if kept.approved_at is not None:
            lines.append(Line(say("scolaire.contracts.line.approved"), moment(kept.approved_at)))
    return Sheet(
        title=f"{contract.title}, {month_name(found.month)}",
        back=Link(CONTRACTS, say("scolaire.contracts.title")),
        said=said,
        lead=say("scolaire.contracts.rounding"),
        lines=lines,
        remarks=[finding_sentence(one) for one in shown.findings],
        tables=[
            Table(say("scolaire.contracts.lines"), columns, [_row(contract, one) for one in shown.lines], numbers,
                  say("scolaire.contracts.no_line")),
            Table(say("scolaire.contracts.penalties"), columns, [_row(contract, one) for one in shown.penalties],
                  numbers, say("scolaire.contracts.no_penalty")),
            _told(request, found),
        ],
        actions=_actions(principal, found, path),
        links=[
            *(_ways_to_tell(path) if _may_prepare(principal) else []),
            Link(f"{path}/facture", say("scolaire.contracts.invoice.title")),
        ],
    )  # fmt: skip


def _ways_to_tell(path: str) -> list[Link]:
    return [
        Link(f"{path}/course", say("scolaire.contracts.tell")),
        Link(f"{path}/manquement", say("scolaire.contracts.breach.tell")),
        Link(f"{path}/supplement", say("scolaire.contracts.extra.tell")),
    ]


def _may_prepare(principal: Principal) -> bool:
    return principal.may(Permission.SCHOOL_MONEY_PREPARE)


def _actions(principal: Principal, found: Month, path: str) -> list[Do]:
    kept = found.kept
    if kept is not None and kept.approved_by is not None:
        return []
    actions = []
    if _may_prepare(principal):
        actions.append(Do(f"{path}/preparer", say("scolaire.contracts.do.prepare")))
    if kept is not None and principal.may(Permission.SCHOOL_MONEY_APPROVE) and kept.prepared_by != principal.actor:
        actions.append(Do(f"{path}/approuver", say("scolaire.contracts.do.approve")))
    return actions


def _told(request: Request, found: Month) -> Table:
    """What was told of the days of the month, also what was taken back."""
    state = request.app.state
    events = noting.list_told_of(state.engine, state.keys, found.contract, found.month)
    columns = [say(f"scolaire.contracts.column.{name}") for name in ("event", "day", "cause", "why", "told", "state")]
    path = path_of(found.contract.id, found.month)
    rows = [_event_row(found, one, path) for one in events]
    return Table(say("scolaire.contracts.told"), columns, rows, none=say("scolaire.contracts.nothing_told"))


def _event_row(found: Month, event: Event, path: str) -> list[Cell]:
    cause = found.contract.find_cause(event.code) if event.kind is EventKind.NOT_RUN else None
    penalty = found.contract.find_penalty(event.code) if event.kind is EventKind.BREACH else None
    who = "carrier" if event.told_for else "office"
    state = Cell(say("scolaire.contracts.taken_back", why=event.taken_back_why))
    if event.taken_back_at is None:
        state = Cell(say("scolaire.contracts.take_back"), f"{path}/note/{event.event_id}")
    return [
        Cell(f"{event.about} {event.run_id}".strip()),
        Cell(long_day(event.day)),
        Cell(cause.title if cause else penalty.title if penalty else _extra_words(event)),
        Cell(event.why),
        Cell(f"{say(f'scolaire.contracts.by.{who}')}, {moment(event.told_at)}"),
        state,
    ]


def _extra_words(event: Event) -> str:
    return say("scolaire.contracts.extra.of_lot", lot=event.code) if event.kind is EventKind.EXTRA else event.code


# --- forms ---------------------------------------------------------------------------------------


def _invoice_form(contract_id: str, month: str) -> FormPage:
    path = path_of(contract_id, month)
    return FormPage(
        title=say("scolaire.contracts.invoice.title"),
        action=f"{path}/facture",
        submit=say("scolaire.contracts.invoice.submit"),
        lead=say("scolaire.contracts.invoice.lead"),
        fields=(Field("facture", say("scolaire.contracts.invoice.rows"), "area", most=60_000),),
        back=Link(path, say("scolaire.contracts.invoice.back")),
    )


def _check_sheet(contract_id: str, month: str, check: Check) -> Sheet:
    path = path_of(contract_id, month)
    rows = [
        [
            Cell(one.about or say("scolaire.contracts.invoice.whole")),
            Cell(text(f"school_lines.{one.kind}")),
            Cell("" if one.stated_cents is None else euros(one.stated_cents)),
            Cell("" if one.invoiced_cents is None else euros(one.invoiced_cents)),
            Cell(euros(one.cents)),
        ]
        for one in check.differences
    ]
    columns = [
        say(f"scolaire.contracts.column.{name}") for name in ("about", "kind", "stated", "invoiced", "difference")
    ]
    table = Table(
        say("scolaire.contracts.invoice.differences"), columns, rows, frozenset({2, 3, 4}),
        say("scolaire.contracts.invoice.none"),
    )  # fmt: skip
    word = "right" if check.is_right else "wrong"
    return Sheet(
        title=say("scolaire.contracts.invoice.title"),
        back=Link(path, say("scolaire.contracts.invoice.back")),
        lead=say(f"scolaire.contracts.invoice.{word}"),
        lines=[
            Line(say("scolaire.contracts.column.stated"), euros(check.stated_cents)),
            Line(say("scolaire.contracts.column.invoiced"), euros(check.invoiced_cents)),
        ],
        remarks=[
            say("scolaire.contracts.invoice.line", n=one.line, said=finding_sentence(one))
            if one.line
            else finding_sentence(one)
            for one in check.findings
        ],
        tables=[table],
    )


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/contrats` and a page for each month of a contract."""
    router = APIRouter(include_in_schema=False)
    one_month = f"{CONTRACTS}/{{contract_id}}/{{month}}"

    def show(
        request: Request, principal: Principal, contract_id: str, month: str, error: MobigoError | None = None
    ) -> Response:
        state = request.app.state
        found = stating.get_month(state.engine, state.keys, contract_id, month)
        done = request.query_params.get("fait", "")
        said = say(f"scolaire.contracts.done.{done}") if done in _DONE and error is None else ""
        return send_sheet(pages, request, _month_sheet(request, principal, found, said), error)

    def do(
        request: Request, principal: Principal, contract_id: str, month: str, done: str, work: Callable[[], object]
    ) -> Response:
        try:
            work()
        except MobigoError as error:
            return show(request, principal, contract_id, month, error)
        return door.go(door.with_query(path_of(contract_id, month), fait=done))

    @router.get(CONTRACTS)
    def contracts(request: Request, _principal: Reader) -> Response:
        return send_sheet(pages, request, _list_sheet(request))

    @router.get(one_month)
    def month(request: Request, principal: Reader, contract_id: str, month: str) -> Response:
        return show(request, principal, contract_id, month)

    @router.post(f"{one_month}/preparer")
    def prepare(request: Request, principal: Clerk, contract_id: str, month: str, _form: Fields) -> Response:
        state, now = request.app.state, door.now_of(request)
        work = lambda: stating.prepare_month(state.engine, state.keys, contract_id, month, principal.actor, now)  # noqa: E731  done by `do`, which answers
        return do(request, principal, contract_id, month, "prepare", work)

    @router.post(f"{one_month}/approuver")
    def approve(request: Request, principal: Approver, contract_id: str, month: str, _form: Fields) -> Response:
        state, now = request.app.state, door.now_of(request)
        work = lambda: stating.approve_month(state.engine, state.keys, contract_id, month, principal.actor, now)  # noqa: E731  likewise
        return do(request, principal, contract_id, month, "approuve", work)

    @router.get(f"{one_month}/facture")
    def ask_invoice(request: Request, _principal: Reader, contract_id: str, month: str) -> Response:
        stating.get_month(request.app.state.engine, request.app.state.keys, contract_id, month)  # or there is none
        return send_form(pages, request, _invoice_form(contract_id, month))

    @router.post(f"{one_month}/facture")
    def check(request: Request, _principal: Reader, contract_id: str, month: str, form: Fields) -> Response:
        state, rows = request.app.state, form.get("facture", "").encode()
        found = stating.check(state.engine, state.keys, contract_id, month, rows)
        return send_sheet(pages, request, _check_sheet(contract_id, month, found))

    return router
