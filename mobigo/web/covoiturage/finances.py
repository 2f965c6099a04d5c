"""Finances: the months of the carpool lines: decided, proposed, approved by another, handed to the bank, answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import Engine

from covoiturage.payments import check_month
from covoiturage.sepa import Debtor
from mobigo.security import Permission
from mobigo.services.covoiturage import paying, settling
from mobigo.services.covoiturage.paying import Batch, KeptBatch, MonthFigures
from mobigo.services.people.principal import Principal
from mobigo.services.streets import open_drives
from mobigo.texts import error_sentence
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line
from mobigo.web.people.forms import Fields, Link, status_of
from mobigo.web.people.signing import HOME
from mobigo.web.personal.mine import attachment
from mobigo.web.wording import euros, moment, month_name, say, say_count
from socle.errors import Conflict, MobigoError

FINANCES = "/finances/covoiturage"
N_ITEMS = 200  # payments of a month on its page; the file has all
_MEDIA_TYPES = {"pain001.xml": "application/xml", "mandats.csv": "text/csv; charset=utf-8"}
_DONE = frozenset({"decide", "prepare", "approuve", "banque"})

Reader = Annotated[Principal, Depends(door.Needs(Permission.CARPOOL_MONEY_READ))]
Clerk = Annotated[Principal, Depends(door.Needs(Permission.CARPOOL_MONEY_PREPARE))]
Approver = Annotated[Principal, Depends(door.Needs(Permission.CARPOOL_MONEY_APPROVE))]


@dataclass(frozen=True, slots=True)
class MonthRow:
    """One month in the table of all."""

    href: str
    name: str
    n_waiting: int
    n_decided: int
    subsidy: str
    fares: str
    net: str
    stands: str


@dataclass(frozen=True, slots=True)
class MonthsPage:
    """Every month."""

    title: str
    rows: Sequence[MonthRow]
    back: Link


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment of a month."""

    reference: str
    driver: str
    amount: str
    state: str


@dataclass(frozen=True, slots=True)
class MonthPage:
    """One month: its figures, the one thing to do next, its payments and its files."""

    title: str
    said: str
    problems: Sequence[Link]
    lines: Sequence[Line]
    path: str
    action: str  # decider, preparer, approuver, banque, or nothing
    hint: str
    payments: Sequence[Payment]
    more: str
    has_files: bool
    back: Link


def _stands(figures: MonthFigures, batch: KeptBatch | None) -> str:
    if figures.n_waiting:
        return say("covoiturage.finances.stands.waiting")
    if batch is None:
        return say("covoiturage.finances.stands.decided")
    return say(f"covoiturage.finances.stands.{'approved' if batch.approved_by else 'prepared'}")


def _months_page(engine: Engine) -> MonthsPage:
    rows = [
        MonthRow(
            f"{FINANCES}/{one.month}",
            month_name(one.month),
            one.n_waiting,
            one.n_decided,
            euros(one.subsidy_cents),
            euros(one.fare_cents),
            euros(one.net_cents),
            _stands(one, batch),
        )
        for one, batch in paying.list_all_months(engine)
    ]
    return MonthsPage(say("covoiturage.finances.title"), rows, Link(HOME, say("people.account.title")))


def _figures_of(engine: Engine, month: str) -> MonthFigures:
    check_month(month)
    known = {one.month: one for one, _ in paying.list_all_months(engine)}
    return known.get(month, MonthFigures(month, 0, 0, 0, 0, 0))


def _month_page(engine: Engine, principal: Principal, month: str, said: str, problems: Sequence[Link]) -> MonthPage:
    figures, batch = _figures_of(engine, month), paying.find_month_batch(engine, month)
    action, hint = _next(principal, figures, batch)
    items = batch.items if batch else ()
    return MonthPage(
        title=say("covoiturage.finances.month", month=month_name(month)),
        said=said,
        problems=problems,
        lines=_lines(figures, batch),
        path=f"{FINANCES}/{month}",
        action=action,
        hint=hint,
        payments=[
            Payment(
                one.item.end_to_end_id,
                f"{one.item.driver[:8]}…",
                euros(one.item.cents),
                say(f"covoiturage.finances.item.{one.state}"),
            )
            for one in items[:N_ITEMS]
        ],
        more=say_count("covoiturage.finances.more", len(items) - N_ITEMS) if len(items) > N_ITEMS else "",
        has_files=bool(items) and batch is not None and batch.kept.approved_by is not None,
        back=Link(FINANCES, say("covoiturage.finances.title")),
    )


def _lines(figures: MonthFigures, batch: Batch | None) -> list[Line]:
    told = [
        ("waiting", str(figures.n_waiting)),
        ("held", str(figures.n_held)),
        ("decided", str(figures.n_decided)),
        ("cancelled", str(figures.n_cancelled)),
        ("subsidy", euros(figures.subsidy_cents)),
        ("fares", euros(figures.fare_cents)),
        ("net", euros(figures.net_cents)),
    ]
    if batch is not None:
        kept = batch.kept
        told += [("to_pay", euros(kept.total_cents)), ("carried_over", euros(kept.carried_over_cents))]
        told += [("prepared_at", moment(kept.prepared_at))]
        told += [("approved_at", moment(kept.approved_at))] if kept.approved_at else []
    return [Line(say(f"covoiturage.finances.line.{name}"), value) for name, value in told]


def _next(principal: Principal, figures: MonthFigures, batch: Batch | None) -> tuple[str, str]:
    """What this person can do next with the month, and a sentence about it."""
    may_prepare = principal.may(Permission.CARPOOL_MONEY_PREPARE)
    if batch is not None and batch.kept.approved_by is not None:
        return ("banque" if may_prepare and batch.items else ""), say("covoiturage.finances.hint.bank")
    if figures.n_waiting:
        return ("decider" if may_prepare else ""), say("covoiturage.finances.hint.decide")
    if batch is None:
        return ("preparer" if may_prepare and figures.n_decided else ""), say("covoiturage.finances.hint.prepare")
    if principal.may(Permission.CARPOOL_MONEY_APPROVE) and batch.kept.prepared_by != principal.actor:
        return "approuver", say("covoiturage.finances.hint.approve")
    return ("preparer" if may_prepare else ""), say("covoiturage.finances.hint.wait")


def _debtor(request: Request) -> Debtor:
    settings = request.app.state.settings
    if not settings.payer_iban:
        raise Conflict("no_payer_account")
    return Debtor(settings.payer_name, settings.payer_iban, settings.payer_bic or None)


def make_router(pages: Pages) -> APIRouter:
    """`/finances/covoiturage` and a page for each month."""
    router = APIRouter(include_in_schema=False)

    def show(
        request: Request, principal: Principal, month: str, said: str = "", error: MobigoError | None = None
    ) -> Response:
        problems = [Link("#suite", error_sentence(error))] if error else ()
        page = _month_page(request.app.state.engine, principal, month, said, problems)
        status = status_of(error) if error else 200
        return pages.send(request, "covoiturage/month.html", status=status, cache="no-store", page=page)

    def do(request: Request, principal: Principal, month: str, done: str, work: Callable[[], object]) -> Response:
        check_month(month)
        try:
            work()
        except MobigoError as error:
            return show(request, principal, month, error=error)
        return door.go(door.with_query(f"{FINANCES}/{month}", fait=done))

    @router.get(FINANCES)
    def months(request: Request, _principal: Reader) -> Response:
        return pages.send(
            request, "covoiturage/months.html", cache="no-store", page=_months_page(request.app.state.engine)
        )

    @router.get(f"{FINANCES}/{{month}}")
    def month(request: Request, principal: Reader, month: str) -> Response:
        done = request.query_params.get("fait", "")
        return show(request, principal, month, say(f"covoiturage.finances.done.{done}") if done in _DONE else "")

    @router.post(f"{FINANCES}/{{month}}/decider")
    def decide(request: Request, principal: Clerk, month: str, _form: Fields) -> Response:
        state, now = request.app.state, door.now_of(request)
        drives = open_drives(state.settings.data_dir)
        work = lambda: settling.settle(state.engine, month, now, keys=state.keys, drives=drives)  # noqa: E731  done by `do`, which answers
        return do(request, principal, month, "decide", work)

    @router.post(f"{FINANCES}/{{month}}/preparer")
    def prepare(request: Request, principal: Clerk, month: str, _form: Fields) -> Response:
        engine, now = request.app.state.engine, door.now_of(request)
        work = lambda: paying.prepare_batch(engine, month, principal.actor, now)  # noqa: E731  likewise
        return do(request, principal, month, "prepare", work)

    @router.post(f"{FINANCES}/{{month}}/approuver")
    def approve(request: Request, principal: Approver, month: str, _form: Fields) -> Response:
        engine, now = request.app.state.engine, door.now_of(request)
        work = lambda: paying.approve_batch(engine, month, principal.actor, now)  # noqa: E731  likewise
        return do(request, principal, month, "approuve", work)

    @router.post(f"{FINANCES}/{{month}}/banque")
    def bank(request: Request, principal: Clerk, month: str, form: Fields) -> Response:
        engine, now, typed = request.app.state.engine, door.now_of(request), _pasted(form)
        work = lambda: paying.confirm(engine, typed, principal.actor, now)  # noqa: E731  likewise
        return do(request, principal, month, "banque", work)

    @router.post(f"{FINANCES}/{{month}}/fichier")
    def order(request: Request, principal: Clerk, month: str, form: Fields) -> Response:
        """The bank's order or the accountant's list: a form, since reading accounts writes in the log."""
        state, name = request.app.state, form.get("nom", "")
        try:
            files = paying.render_order(
                state.engine, state.keys, month, _debtor(request), principal.actor, door.now_of(request)
            )
        except MobigoError as error:
            return show(request, principal, month, error=error)
        wanted = name if name in files else "pain001.xml"
        headers = attachment(f"covoiturage-{month}-{wanted}", _MEDIA_TYPES[wanted])
        return Response(files[wanted], headers=headers)

    return router


def _pasted(form: Mapping[str, str]) -> bytes:
    return form.get("reponse", "").encode()
