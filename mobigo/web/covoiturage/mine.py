"""Mine: one's own carpools with the reason of every amount, and the bank account that one is paid into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response

from mobigo.services.covoiturage import disputing, mine
from mobigo.services.covoiturage.disputing import Dispute
from mobigo.services.covoiturage.mine import CarpoolState, OwnCarpool
from mobigo.services.covoiturage.paid import payout_sentence
from mobigo.services.people import accounts
from mobigo.web import door
from mobigo.web.covoiturage.certificates import CERTIFICATE, RECEIPTS
from mobigo.web.covoiturage.disputes import told_of
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line, back_to_account
from mobigo.web.people.forms import Field, Fields, FormPage, Link, Owner, send_form, send_refused
from mobigo.web.people.signing import HOME
from mobigo.web.wording import euros, moment, say
from socle.errors import MobigoError
from socle.times import PARIS

CARPOOLS = "/compte/covoiturages"
ACCOUNT = "/compte/versements"
_LETTERS_OF_A_GROUP = 4


@dataclass(frozen=True, slots=True)
class Row:
    """One carpool: when, as whom, where it stands, its amount, and the steps that make it."""

    at: str
    role: str
    state: str
    amount: str
    steps: Sequence[str]
    said: Sequence[str]  # in disputes
    dispute: str  # where one says that something is wrong, while there is time


@dataclass(frozen=True, slots=True)
class MoneyPage:
    """One's own carpools."""

    title: str
    lines: Sequence[Line]
    rows: Sequence[Row]
    ways: Sequence[Link]
    back: Link


def _state(one: OwnCarpool) -> str:
    if one.payout is not None:
        return payout_sentence(one.payout)
    if one.state is CarpoolState.DECIDED:
        return say("covoiturage.mine.state.refused") if one.is_refused else say("covoiturage.mine.state.decided")
    return say(f"covoiturage.mine.state.{one.state}")


def _row(one: OwnCarpool, said: Sequence[Dispute], now: datetime) -> Row:
    in_time = disputing.in_time(one.end_at, now) and not any(each.is_open for each in said)
    return Row(
        at=moment(one.end_at),
        role=say("covoiturage.mine.driver") if one.is_driver else say("covoiturage.mine.passenger"),
        state=_state(one),
        amount=euros(one.amount_cents) if one.amount_cents else "",
        steps=one.explanation,
        said=[told_of(each) for each in said],
        dispute=f"{CARPOOLS}/{one.carpool_id}/contester" if in_time else "",
    )


def spelled_iban(iban: str) -> str:
    """An IBAN in groups of four, as banks print it."""
    return " ".join(iban[at : at + _LETTERS_OF_A_GROUP] for at in range(0, len(iban), _LETTERS_OF_A_GROUP))


def _account_page(iban: str, *, has_password: bool) -> FormPage:
    password = Field("mot_de_passe", say("people.password"), "password", autocomplete="current-password", most=256)
    return FormPage(
        title=say("covoiturage.mine.account"),
        action=ACCOUNT,
        submit=say("covoiturage.mine.account_submit"),
        lead=say("covoiturage.mine.account_lead"),
        fields=(
            Field(
                "iban",
                say("covoiturage.mine.iban"),
                value=spelled_iban(iban),
                hint=say("covoiturage.mine.iban_hint"),
                required=False,
                most=50,
            ),
            *((password,) if has_password else ()),
        ),
        back=back_to_account(),
    )


def make_router(pages: Pages) -> APIRouter:
    """`/compte/covoiturages`, `/compte/versements`."""
    router = APIRouter(include_in_schema=False)

    @router.get(CARPOOLS)
    def money(request: Request, principal: Owner) -> Response:
        engine, now = request.app.state.engine, door.now_of(request)
        own = mine.get_own_money(engine, principal.pseudonym)
        said = disputing.list_own(engine, principal.pseudonym, [one.carpool_id for one in own.carpools])
        told = [("owed", own.owed_cents), ("owing", own.owing_cents)]
        page = MoneyPage(
            title=say("covoiturage.mine.title"),
            lines=[Line(say(f"covoiturage.mine.{name}"), euros(cents)) for name, cents in told],
            rows=[_row(one, said[one.carpool_id], now) for one in own.carpools],
            ways=[
                Link("/covoiturage/trajet", say("covoiturage.mine.outing")),
                Link(ACCOUNT, say("covoiturage.mine.account")),
                Link(RECEIPTS, say("covoiturage.receipts.title")),
                Link(f"{CERTIFICATE}/{now.astimezone(PARIS).year}", say("covoiturage.mine.certificate")),
            ],
            back=back_to_account(),
        )
        return pages.send(request, "covoiturage/mine.html", cache="no-store", page=page)

    @router.get(ACCOUNT)
    def account_form(request: Request, principal: Owner) -> Response:
        state = request.app.state
        known = accounts.get_account(state.engine, state.keys, principal)
        return send_form(pages, request, _account_page(known.identity.iban, has_password=known.has_password))

    @router.post(ACCOUNT)
    def change_account(request: Request, principal: Owner, form: Fields) -> Response:
        """The password is asked again: who finds an open screen must not turn somebody's money elsewhere."""
        state, now = request.app.state, door.now_of(request)
        known = accounts.get_account(state.engine, state.keys, principal)
        try:
            where = door.where_of(request)
            accounts.prove(state.engine, state.keys, principal, form.get("mot_de_passe", ""), where, now)
            accounts.change_iban(state.engine, state.keys, principal, form.get("iban", ""), now)
        except MobigoError as error:
            page = _account_page(known.identity.iban, has_password=known.has_password)
            return send_refused(pages, request, page, error, form)
        return door.go(f"{HOME}?fait=versements")

    return router
