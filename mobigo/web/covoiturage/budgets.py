"""Budgets on a page: what was voted for each policy and what is left of it; a clerk enters a vote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from fastapi import APIRouter, Request, Response

from mobigo.security import Permission
from mobigo.services.covoiturage import budgets
from mobigo.services.people.principal import Principal
from mobigo.texts import error_sentence
from mobigo.web import door
from mobigo.web.covoiturage.finances import FINANCES, Clerk, Reader
from mobigo.web.layout import Pages
from mobigo.web.people.forms import Fields, Link, status_of
from mobigo.web.wording import euros, say
from socle.errors import BadInput, MobigoError
from socle.money import Cents

BUDGETS = f"{FINANCES}/budgets"
_EUROS = re.compile(r"[0-9]{1,10}([.,][0-9]{1,2})?")
_FIELD_OF = {"bad_vote": "vote", "vote_entered_otherwise": "vote", "policy_not_published": "regle"}


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One policy: its name and its four amounts."""

    policy: str
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class BudgetsPage:
    """Every budget, and for a clerk the form of a vote."""

    title: str
    said: str
    problems: Sequence[Link]
    problem_of: str
    problem: str
    rows: Sequence[BudgetRow]
    may_grant: bool
    action: str
    chosen: str
    euros: str
    vote: str
    back: Link


def _read_cents(typed: str) -> Cents:
    """An amount in euros as cents.

    Raises:
        BadInput: `bad_grant`.
    """
    said = "".join(typed.split())
    if _EUROS.fullmatch(said) is None:
        raise BadInput("bad_grant", most=budgets.MOST_CENTS // 100)
    return int(Decimal(said.replace(",", ".")) * 100)


def _page(
    request: Request,
    principal: Principal,
    said: str = "",
    typed: Fields | None = None,
    error: MobigoError | None = None,
) -> BudgetsPage:
    form, unlimited = typed or {}, [say("covoiturage.budgets.no_limit"), "", "", ""]
    rows = []
    for one in budgets.list_budgets(request.app.state.engine):
        cents = (one.granted_cents, one.used_cents, one.promised_cents, one.left_cents)
        cells = [euros(each) for each in cents] if one.granted_cents else unlimited
        rows.append(BudgetRow(one.policy_id, cells))
    sentence = error_sentence(error) if error else ""
    field = _FIELD_OF.get(error.code, "euros") if error else ""
    return BudgetsPage(
        title=say("covoiturage.budgets.title"),
        said=said,
        problems=[Link(f"#{field}", sentence)] if error else (),
        problem_of=field,
        problem=sentence,
        rows=rows,
        may_grant=principal.may(Permission.CARPOOL_MONEY_PREPARE),
        action=BUDGETS,
        chosen=form.get("regle", ""),
        euros=form.get("euros", ""),
        vote=form.get("vote", ""),
        back=Link(FINANCES, say("covoiturage.finances.title")),
    )


def make_router(pages: Pages) -> APIRouter:
    """`/finances/covoiturage/budgets`."""
    router = APIRouter(include_in_schema=False)

    @router.get(BUDGETS)
    def shown(request: Request, principal: Reader) -> Response:
        done = request.query_params.get("fait", "")
        said = {"oui": say("covoiturage.budgets.done"), "deja": say("covoiturage.budgets.known")}.get(done, "")
        page = _page(request, principal, said)
        return pages.send(request, "covoiturage/budgets.html", cache="no-store", page=page)

    @router.post(BUDGETS)
    def grant(request: Request, principal: Clerk, form: Fields) -> Response:
        engine, now = request.app.state.engine, door.now_of(request)
        try:
            cents, vote = _read_cents(form.get("euros", "")), form.get("vote", "").strip()
            is_new = budgets.grant(engine, form.get("regle", ""), cents, vote, principal.actor, now)
        except MobigoError as error:
            page = _page(request, principal, "", form, error)
            return pages.send(request, "covoiturage/budgets.html", status=status_of(error), cache="no-store", page=page)
        return door.go(door.with_query(BUDGETS, fait="oui" if is_new else "deja"))

    return router
