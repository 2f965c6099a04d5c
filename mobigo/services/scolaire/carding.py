"""Carding: cards of pupils ordered, sent, blocked, replaced; a duplicate is charged in the books or waived.

An office sees to all cards, a local organiser to those of its communes and schools, a guardian to the own children's:
each reads where a card is and may ask for another, which makes the old one good for nothing in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Engine

from mobigo.security import Keys, spelled_code
from mobigo.services.scolaire.registering import Acting
from mobigo.store.audit import AuditLine, read_why, record, spelled_why
from mobigo.store.base import Session, reading, transaction
from mobigo.store.ledger.books import Books, prepare
from mobigo.store.ledger.reads import get_entry
from mobigo.store.scolaire import cards as store
from mobigo.store.scolaire.application_steps import add_step
from mobigo.store.scolaire.applications import find_by_code, opened_fields
from mobigo.store.scolaire.boardings import applications_of, list_registered
from mobigo.store.scolaire.cards import Card as Card  # doors name it
from mobigo.store.scolaire.sectors import get_sector, list_sectors, load_sector, open_ids, sector_id_of
from mobigo.store.turns import take_turn
from scolaire import cards as rules
from scolaire.cards import MAY, MAY_BE_REPLACED, CardState, Fee, Waiver, duplicate_cents
from scolaire.registration.model import Deed
from socle.accounting import reversal_of
from socle.errors import BadInput, Conflict, Fact, Forbidden, NotFound
from socle.money import Cents
from socle.times import local_day

MOST_REFERENCE: Final = 60
BY_HAND: Final = (CardState.DELIVERED, CardState.ACTIVE, CardState.BLOCKED, CardState.LOST)
"""The states that a person may give a card; the others come of what is done."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A child of a sector and its card, if there is one; `name` is the office's id where nobody told the name."""

    pupil: str
    name: str
    card: Card | None


@dataclass(frozen=True, slots=True)
class SectorCards:
    """The cards of a sector: how many stand where, how many children have none, and a page of the list."""

    sector_id: str
    counts: Mapping[str, int]
    n_without: int
    n: int
    holders: Sequence[Holder]


def list_sector_ids(engine: Engine, school_year: int) -> list[str]:
    """The sectors of a school year."""
    with reading(engine) as session:
        return [one.sector_id for one in list_sectors(session, school_year)]


def list_cards(
    engine: Engine,
    keys: Keys,
    acting: Acting,
    sector_id: str,
    wanted: str,
    limit: int,
    offset: int,
    now: datetime,
) -> SectorCards:
    """A page of the children of a sector with their cards; `wanted` is a state, `none`, `due` or empty for all.

    That somebody looked is a line of the audit log.

    Raises:
        NotFound: `unknown_sector`.
        Forbidden: `not_allowed`.
    """
    _check_office(acting)
    with transaction(engine) as session:
        get_sector(session, sector_id)
        pupils = sorted(_of_scope(session, keys, sector_id, acting, list_registered(session, sector_id)))
        cards = store.list_standing(session, keys, sector_id)
        chosen = [name for name in pupils if _is_wanted(cards.get(name), wanted)]
        page = chosen[offset : offset + limit]
        names = names_of(session, keys, sector_id, page)
        ids = open_ids(session, keys, sector_id) if any(one not in names for one in page) else {}
        facts: dict[str, Fact] = {"sector_id": sector_id, "n": len(page)}
        record(session, AuditLine(now, acting.actor, "school.cards_listed", facts=facts))
        counts: dict[str, int] = {}
        for name in pupils:
            if name in cards:
                counts[cards[name].state] = counts.get(cards[name].state, 0) + 1
        holders = [Holder(one, names.get(one) or ids.get(one, ""), cards.get(one)) for one in page]
        n_without = sum(name not in cards for name in pupils)
        return SectorCards(sector_id, counts, n_without, len(chosen), holders)


def _is_wanted(card: Card | None, wanted: str) -> bool:
    if wanted == "none":
        return card is None
    if wanted == "due":
        return card is not None and card.fee is Fee.DUE
    return not wanted or (card is not None and card.state == wanted)


def names_of(session: Session, keys: Keys, sector_id: str, pupils: Iterable[str]) -> dict[str, str]:
    """First and last name of the children who were registered here."""
    found = {}
    for row in applications_of(session, sector_id, pupils):
        told = opened_fields(keys, row)
        found[row.pupil] = f"{told.get('prenom', '')} {told.get('nom_eleve', '')}".strip()
    return {pupil: name for pupil, name in found.items() if name}


def pupils_of_places(
    session: Session, keys: Keys, sector_id: str, places: tuple[Iterable[str], Iterable[str]]
) -> set[str]:
    """The children of a sector who live in one of the communes, or go to one of the schools."""
    communes, schools = (frozenset(one) for one in places)
    return {
        pupil.pupil_id
        for pupil in load_sector(session, keys, sector_id).pupils
        if pupil.school_id in schools or any(home.commune in communes for home in pupil.homes)
    }


def _of_scope(session: Session, keys: Keys, sector_id: str, acting: Acting, pupils: frozenset[str]) -> set[str]:
    if acting.places is None:
        return set(pupils)
    return set(pupils) & pupils_of_places(session, keys, sector_id, acting.places)


def _check_office(acting: Acting) -> None:
    if not acting.for_others:
        raise Forbidden("not_allowed")


def _check_all(acting: Acting) -> None:
    if not acting.is_office:
        raise Forbidden("not_allowed")


# --- ordered and sent ------------------------------------------------------------------------------


def order_missing(engine: Engine, keys: Keys, acting: Acting, sector_id: str, now: datetime) -> tuple[int, int]:
    """Order a card for every child of a sector who has none; how many, and how many have last year's.

    Raises:
        NotFound: `unknown_sector`.
        Forbidden: `not_allowed`.
    """
    _check_all(acting)
    with transaction(engine) as session:
        take_turn(session, f"school_cards:{sector_id}")
        sector = get_sector(session, sector_id)
        without = list_registered(session, sector_id) - store.pupils_with_card(session, sector_id)
        kept: frozenset[str] = frozenset()
        before = sector_id_of(sector.school_year - 1, sector.code)
        if without and store.pupils_with_card(session, before):
            ids = open_ids(session, keys, sector_id)
            same = store.find_same(session, keys, before, {name: ids[name] for name in without if name in ids})
            kept = store.hand_on(session, before, sector_id, sector.school_year, same)
        missing = sorted(without - kept)
        n = store.order_cards(session, keys, sector_id, sector.school_year, missing, acting.actor, now)
        facts: dict[str, Fact] = {"sector_id": sector_id, "n": n, "kept": len(kept)}
        record(session, AuditLine(now, acting.actor, "school.cards_ordered", facts=facts))
    return n, len(kept)


def deliver(engine: Engine, acting: Acting, sector_id: str, now: datetime) -> int:
    """Note that all cards ordered for a sector were sent to the families; how many.

    Raises:
        NotFound: `unknown_sector`.
        Forbidden: `not_allowed`.
    """
    _check_all(acting)
    with transaction(engine) as session:
        get_sector(session, sector_id)
        n = store.deliver_ordered(session, sector_id, now)
        facts: dict[str, Fact] = {"sector_id": sector_id, "n": n}
        record(session, AuditLine(now, acting.actor, "school.cards_sent", facts=facts))
    return n


@dataclass(frozen=True, slots=True)
class CardFile:
    """One card as the office sees it: whose, which before it, and what may be done."""

    card: Card
    name: str
    others: Sequence[Card]
    states: Sequence[CardState]
    may_replace: bool
    price_cents: Cents


def read_card(engine: Engine, keys: Keys, acting: Acting, card_id: str, now: datetime) -> CardFile:
    """A card for who sees to it; that somebody looked is a line of the audit log.

    Raises:
        NotFound: `unknown_card`.
    """
    with transaction(engine) as session:
        card = _seen_to(session, keys, acting, card_id)
        name = names_of(session, keys, card.sector_id, [card.pupil]).get(card.pupil)
        if name is None:
            name = open_ids(session, keys, card.sector_id).get(card.pupil, "")
        others = [one for one in store.list_of_pupil(session, keys, card.sector_id, card.pupil) if one != card]
        _record(session, "school.card_read", card, acting, now)
    states = [state for state in BY_HAND if state in MAY[card.state]]
    price = duplicate_cents(local_day(int(now.timestamp())))
    return CardFile(card, name, others, states, card.state in MAY_BE_REPLACED, price)


def set_state(engine: Engine, keys: Keys, acting: Acting, card_id: str, state: str, why: str, now: datetime) -> None:
    """Send, block, open or lose a card.

    Raises:
        NotFound: `unknown_card`.
        BadInput: `unknown_card_state`, `why_missing`, `why_too_long`: whoever blocks a card says why.
        Conflict: `card_state`.
    """
    if state not in BY_HAND:
        raise BadInput("unknown_card_state")
    wanted = CardState(state)
    said = read_why(why) if wanted is CardState.BLOCKED else spelled_why(why)
    with transaction(engine) as session:
        card = _seen_to(session, keys, acting, card_id, locked=True)
        if wanted not in MAY[card.state]:
            raise Conflict("card_state", state=str(card.state), wanted=str(wanted))
        store.set_state(session, card.card_id, wanted, now)
        _note(session, keys, card, acting, str(wanted), now)
        _record(session, "school.card_state", card, acting, now, said, state=str(wanted))


# --- duplicates ------------------------------------------------------------------------------------


def replace_card(engine: Engine, keys: Keys, acting: Acting, card_id: str, now: datetime, *, waiver: str = "") -> Card:
    """Order a duplicate and charge its price, unless an office waives it; asked for twice it is the same.

    Raises:
        NotFound: `unknown_card`.
        BadInput: `unknown_waiver`.
        Forbidden: `not_allowed`: a family waives nothing.
        Conflict: `card_state`: a card that was not sent is not replaced.
    """
    if waiver and not acting.for_others:
        raise Forbidden("not_allowed")
    if waiver and waiver not in set(Waiver):
        raise BadInput("unknown_waiver")
    with transaction(engine) as session:
        old = _seen_to(session, keys, acting, card_id, locked=True)
        if old.state is CardState.REPLACED:
            known = store.find_successor(session, keys, old.card_id)
            if known is not None:
                return known
        if old.state not in MAY_BE_REPLACED:
            raise Conflict("card_state", state=str(old.state), wanted=str(CardState.REPLACED))
        cents = duplicate_cents(local_day(int(now.timestamp())))
        stands = Fee.WAIVED if waiver else Fee.DUE if cents else Fee.NONE
        guardian = None if acting.for_others else acting.pseudonym
        year = get_sector(session, old.sector_id).school_year
        fee = (cents, stands, waiver)
        card = store.add_duplicate(session, keys, old, year, fee, guardian, acting.actor, now)
        if stands is Fee.DUE:
            books = Books(session)
            books.open((rules.receivable_from(guardian), rules.FEES))
            books.append([prepare(rules.charge(card.card_id, cents, guardian, now))], now)
            books.flush()
        _note(session, keys, card, acting, str(CardState.REPLACED), now)
        _record(session, "school.card_replaced", card, acting, now, cents=cents, fee=str(stands))
    return card


def replace_own(engine: Engine, keys: Keys, acting: Acting, code: str, card_id: str, now: datetime) -> Card:
    """Order a duplicate of the card of one's own child.

    Raises:
        NotFound: `unknown_application`, `unknown_card`: no child of theirs has this code, or this card.
        Conflict: `card_state`.
    """
    with reading(engine) as session:
        one = find_by_code(session, keys, spelled_code(code))
        if one is None or not one.homes_of(acting.pseudonym):
            raise NotFound("unknown_application")
        if store.get_card(session, keys, card_id).pupil != one.pupil:
            raise NotFound("unknown_card")
    return replace_card(engine, keys, acting, card_id, now)


def settle_fee(
    engine: Engine, keys: Keys, acting: Acting, card_id: str, now: datetime, *, reference: str = "", waiver: str = ""
) -> None:
    """Note that a duplicate was paid, under a reference, or that nothing is asked for it after all.

    Raises:
        NotFound: `unknown_card`.
        BadInput: `reference_missing`, `unknown_waiver`.
        Forbidden: `not_allowed`.
        Conflict: `card_fee`: nothing is due.
    """
    _check_all(acting)
    reference = reference.strip()
    if waiver and waiver not in set(Waiver):
        raise BadInput("unknown_waiver")
    if not waiver and not 0 < len(reference) <= MOST_REFERENCE:
        raise BadInput("reference_missing")
    with transaction(engine) as session:
        books = Books(session)
        card = _seen_to(session, keys, acting, card_id, locked=True)
        if card.fee is not Fee.DUE:
            raise Conflict("card_fee", fee=str(card.fee))
        charged = get_entry(session, rules.fee_key(card_id)).read().entry
        if waiver:
            entry = reversal_of(charged, f"school_card:{card_id}:waived", now)
        else:
            entry = rules.settle(card_id, charged, now)
            books.open((rules.RECEIPTS,))
        books.append([prepare(entry)], now)
        books.flush()
        fee = Fee.WAIVED if waiver else Fee.PAID
        store.set_fee(session, card_id, fee, waiver or reference, now)
        _record(session, "school.card_fee", card, acting, now, fee=str(fee), cents=card.fee_cents)


def _seen_to(session: Session, keys: Keys, acting: Acting, card_id: str, *, locked: bool = False) -> Card:
    """A card for who may see to it; for anybody else there is none."""
    card = store.get_card(session, keys, card_id, locked=locked)
    if acting.is_office:
        return card
    if acting.places is not None:
        if card.pupil in pupils_of_places(session, keys, card.sector_id, acting.places):
            return card
        raise NotFound("unknown_card")
    for row in applications_of(session, card.sector_id, [card.pupil]):
        one = find_by_code(session, keys, row.code)
        if one is not None and one.homes_of(acting.pseudonym):
            return card
    raise NotFound("unknown_card")


def _note(session: Session, keys: Keys, card: Card, acting: Acting, about: str, now: datetime) -> None:
    """A step in the child's request, which its family reads."""
    for row in applications_of(session, card.sector_id, [card.pupil]):
        one = find_by_code(session, keys, row.code)
        if one is not None:
            add_step(session, keys, one, Deed.CARD, acting.actor, now, about=about)


def _record(
    session: Session, action: str, card: Card, acting: Acting, now: datetime, why: str = "", **facts: Fact
) -> None:
    subject = f"person:{acting.pseudonym}" if not acting.for_others else ""
    told: dict[str, Fact] = {"card_id": card.card_id, "sector_id": card.sector_id, **facts}
    record(session, AuditLine(now, acting.actor, action, subject, why, told))
