"""Cards on pages: ordered, sent, blocked, replaced, paid or waived, for the office; read for local organisers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request, Response

from mobigo.services.people.principal import Principal
from mobigo.services.scolaire import carding
from mobigo.services.scolaire.carding import Card, CardFile, Holder
from mobigo.services.scolaire.registering import Acting
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line
from mobigo.web.people.forms import Choice, Field, Fields, FormPage, Link
from mobigo.web.scolaire.office.files import (
    COMMUNES,
    OFFICE,
    ORGANISER,
    Clerk,
    acting_locally,
    acting_of_clerk,
    read_year,
)
from mobigo.web.scolaire.places import CARDS, LOCAL_CARDS, card_href, card_line, fee_line
from mobigo.web.scolaire.sheets import Cell, Do, Sheet, Table, send_sheet
from mobigo.web.wording import euros, moment, say, say_count
from scolaire.cards import CardState, Fee, Waiver, spelled
from socle.errors import MobigoError

N_SHOWN: Final = 50
_STATES: Final = ("", "none", "due", *(str(one) for one in CardState if one is not CardState.REPLACED))
_DONE: Final = frozenset({"etat", "duplicata", "prix"})


def _row(acting: Acting, one: Holder) -> list[Cell]:
    card = one.card
    if card is None:
        return [Cell(one.name), Cell(""), Cell(say("scolaire.cards.state.none")), Cell(""), Cell("")]
    return [
        Cell(one.name, card_href(acting, card.card_id)),
        Cell(spelled(card.number)),
        Cell(say(f"scolaire.cards.state.{card.state}")),
        Cell(moment(card.changed_at)),
        Cell(euros(card.fee_cents) if card.fee is Fee.DUE else ""),
    ]


def _list_sheet(request: Request, acting: Acting) -> Sheet:
    state, asked = request.app.state, request.query_params
    path = CARDS if acting.is_office else LOCAL_CARDS
    sectors = carding.list_sector_ids(state.engine, read_year(request, asked.get("annee", "")))
    chosen = asked.get("secteur", "")
    sector_id = chosen if chosen in sectors else (sectors[0] if sectors else "")
    wanted = asked.get("etat", "") if asked.get("etat", "") in _STATES else ""
    typed = asked.get("page", "")
    page = int(typed) if typed.isascii() and typed.isdigit() and 0 < len(typed) < 6 else 1
    page = max(page, 1)
    back = Link(OFFICE, say("school.hub.title")) if acting.is_office else Link(COMMUNES, say("scolaire.cards.communes"))
    if not sector_id:
        return Sheet(say("scolaire.cards.title"), back, lead=say("scolaire.cards.no_sector"))
    offset = (page - 1) * N_SHOWN
    found = carding.list_cards(
        state.engine, state.keys, acting, sector_id, wanted, N_SHOWN, offset, door.now_of(request)
    )
    columns = [say(f"scolaire.cards.column.{name}") for name in ("pupil", "number", "state", "changed", "due")]
    rows = [_row(acting, one) for one in found.holders]
    about = {"secteur": sector_id, "etat": wanted}
    links = [
        Link(door.with_query(path, **about, page=str(other)), say(f"scolaire.cards.{name}"))
        for other, name, there in ((page - 1, "before", page > 1), (page + 1, "after", offset + N_SHOWN < found.n))
        if there
    ]
    lines = [Line(say(f"scolaire.cards.state.{name}"), str(n)) for name, n in sorted(found.counts.items())]
    lines.append(Line(say("scolaire.cards.state.none"), str(found.n_without)))
    fields = (
        Field(
            "secteur", say("scolaire.cards.sector"), "select", sector_id, choices=[Choice(one, one) for one in sectors]
        ),
        Field(
            "etat",
            say("scolaire.cards.column.state"),
            "select",
            wanted,
            choices=[Choice(one, say(f"scolaire.cards.state.{one or 'all'}")) for one in _STATES],
        ),
    )
    n_done = asked.get("fait", "")
    said = ""
    if n_done in {"commande", "envoi"}:
        said = say(f"scolaire.cards.done.{n_done}")
    actions = []
    if acting.is_office:
        hidden = {"secteur": sector_id}
        actions = [
            Do(f"{CARDS}/commander", say("scolaire.cards.order"), hidden=hidden),
            Do(f"{CARDS}/envoyer", say("scolaire.cards.send"), hidden=hidden),
        ]
    return Sheet(
        title=say("scolaire.cards.title"),
        back=back,
        said=said,
        lead=say("scolaire.cards.lead"),
        lines=lines,
        ask=FormPage(say("scolaire.cards.show"), path, say("scolaire.cards.show"), fields),
        tables=[
            Table(
                say_count("scolaire.cards.counted", found.n),
                columns,
                rows,
                frozenset({4}),
                say("scolaire.cards.nobody"),
            )
        ],
        actions=actions,
        links=links,
    )


def _waivers(*, optional: bool) -> list[Choice]:
    none = [Choice("", say("scolaire.cards.waiver.none"))] if optional else []
    return none + [Choice(str(one), say(f"scolaire.cards.waiver.{one}")) for one in Waiver]


def _forms(file: CardFile, path: str) -> list[FormPage]:
    forms = []
    fields: tuple[Field, ...]
    if file.states:
        choices = [Choice(str(one), say(f"scolaire.cards.state.{one}")) for one in file.states]
        fields = (
            Field("etat", say("scolaire.cards.column.state"), "select", choices=choices),
            Field("motif", say("scolaire.cards.why"), required=False, most=300, hint=say("scolaire.cards.why_hint")),
        )
        title = say("scolaire.cards.change")
        forms.append(FormPage(title, f"{path}/etat", title, fields))
    if file.may_replace:
        title = say("scolaire.cards.replace")
        fields = (Field("gratuit", say("scolaire.cards.waive"), "select", choices=_waivers(optional=True)),)
        lead = say("scolaire.cards.replace_lead", price=euros(file.price_cents))
        forms.append(FormPage(title, f"{path}/duplicata", title, fields, lead=lead))
    if file.card.fee is Fee.DUE:
        fields = (
            Field("reference", say("scolaire.cards.reference"), required=False, most=carding.MOST_REFERENCE),
            Field("remise", say("scolaire.cards.waive"), "select", choices=_waivers(optional=True)),
        )
        title = say("scolaire.cards.settle", price=euros(file.card.fee_cents))
        forms.append(FormPage(title, f"{path}/prix", say("scolaire.cards.settle_submit"), fields))
    return forms


def _other(acting: Acting, one: Card) -> list[Cell]:
    return [
        Cell(spelled(one.number), card_href(acting, one.card_id)),
        Cell(say(f"scolaire.cards.state.{one.state}")),
        Cell(moment(one.changed_at)),
    ]


def _card_sheet(request: Request, acting: Acting, card_id: str, said: str) -> Sheet:
    state = request.app.state
    file = carding.read_card(state.engine, state.keys, acting, card_id, door.now_of(request))
    card, path = file.card, card_href(acting, card_id)
    columns = [say(f"scolaire.cards.column.{name}") for name in ("number", "state", "changed")]
    others = [_other(acting, one) for one in file.others]
    return Sheet(
        title=say("scolaire.cards.named", number=spelled(card.number)),
        back=Link(CARDS if acting.is_office else LOCAL_CARDS, say("scolaire.cards.title")),
        said=said,
        lead=card_line(card) if card.state is not CardState.REPLACED else say("scolaire.cards.is_replaced"),
        lines=[
            Line(say("scolaire.cards.column.pupil"), file.name),
            Line(say("scolaire.cards.ordered"), moment(card.ordered_at)),
            Line(say("scolaire.cards.column.changed"), moment(card.changed_at)),
        ],
        remarks=[fee_line(card)] if card.fee is not Fee.NONE else [],
        tables=[Table(say("scolaire.cards.others"), columns, others, none=say("scolaire.cards.no_other"))],
        forms=_forms(file, path) if acting.is_office else (),
    )


Act = Callable[[Request, Acting, str, Mapping[str, str], datetime], str]


def _state(request: Request, acting: Acting, card_id: str, form: Mapping[str, str], now: datetime) -> str:
    state, wanted = request.app.state, form.get("etat", "")
    carding.set_state(state.engine, state.keys, acting, card_id, wanted, form.get("motif", ""), now)
    return card_id


def _duplicate(request: Request, acting: Acting, card_id: str, form: Mapping[str, str], now: datetime) -> str:
    state = request.app.state
    return carding.replace_card(state.engine, state.keys, acting, card_id, now, waiver=form.get("gratuit", "")).card_id


def _price(request: Request, acting: Acting, card_id: str, form: Mapping[str, str], now: datetime) -> str:
    state = request.app.state
    reference, waiver = form.get("reference", ""), form.get("remise", "")
    carding.settle_fee(state.engine, state.keys, acting, card_id, now, reference=reference, waiver=waiver)
    return card_id


ACTS: Final[Mapping[str, Act]] = {"etat": _state, "duplicata": _duplicate, "prix": _price}


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/bureau/cartes` and `/scolaire/communes/cartes`."""
    router = APIRouter(include_in_schema=False)

    @router.get(CARDS)
    def cards(request: Request, principal: Clerk) -> Response:
        return send_sheet(pages, request, _list_sheet(request, acting_of_clerk(request, principal)))

    @router.post(f"{CARDS}/commander")
    def order(request: Request, principal: Clerk, form: Fields) -> Response:
        state, sector_id = request.app.state, form.get("secteur", "")[:80]
        acting, now = acting_of_clerk(request, principal), door.now_of(request)
        carding.order_missing(state.engine, state.keys, acting, sector_id, now)
        return door.go(door.with_query(CARDS, secteur=sector_id, annee=sector_id[:4], fait="commande"))

    @router.post(f"{CARDS}/envoyer")
    def deliver(request: Request, principal: Clerk, form: Fields) -> Response:
        acting, sector_id = acting_of_clerk(request, principal), form.get("secteur", "")[:80]
        carding.deliver(request.app.state.engine, acting, sector_id, door.now_of(request))
        return door.go(door.with_query(CARDS, secteur=sector_id, annee=sector_id[:4], fait="envoi"))

    @router.get(f"{CARDS}/{{card_id}}")
    def card(request: Request, principal: Clerk, card_id: str, fait: str = "") -> Response:
        said = say(f"scolaire.cards.done.{fait}") if fait in _DONE else ""
        return send_sheet(pages, request, _card_sheet(request, acting_of_clerk(request, principal), card_id, said))

    def do(name: str, act: Act) -> None:
        @router.post(f"{CARDS}/{{card_id}}/{name}")
        def done(request: Request, principal: Clerk, card_id: str, form: Fields) -> Response:
            acting = acting_of_clerk(request, principal)
            try:
                shown = act(request, acting, card_id, form, door.now_of(request))
            except MobigoError as error:
                return send_sheet(pages, request, _card_sheet(request, acting, card_id, ""), error)
            return door.go(door.with_query(card_href(acting, shown), fait=name))

    for name, act in ACTS.items():
        do(name, act)

    @router.get(LOCAL_CARDS)
    def local_cards(request: Request, principal: Principal = ORGANISER) -> Response:
        return send_sheet(pages, request, _list_sheet(request, acting_locally(request, principal)))

    @router.get(f"{LOCAL_CARDS}/{{card_id}}")
    def local_card(request: Request, card_id: str, principal: Principal = ORGANISER) -> Response:
        return send_sheet(pages, request, _card_sheet(request, acting_locally(request, principal), card_id, ""))

    return router
