"""Cards of pupils: their numbers sealed, found by a blind index; whose they are this year; what a duplicate costs.

A card serves for years and a child's pseudonym for one: when the next year's cards are ordered the row is handed on to
the child's new pseudonym, and nothing keeps the old one. A child has one card that is not replaced.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ColumnElement, Index, LargeBinary, and_, func, literal_column, update
from sqlmodel import Field, Session, SQLModel, col, select

from mobigo.store.base import UtcDateTime, change
from mobigo.store.bulk import add_all, words_in
from mobigo.store.personal import Holding, OpensSealed, Row, Whose
from mobigo.store.scolaire.rows import PupilRow
from mobigo.store.scolaire.sectors import Seals, year_ends_at
from scolaire.cards import DRAWN_DIGITS, CardState, Fee, number_of
from socle.errors import NotFound
from socle.money import Cents

_KIND = "school_card"
_STANDS: ColumnElement[bool] = literal_column("state <> 'replaced'")


class CardRow(SQLModel, table=True):
    """One card; `guardian` is who asked for it as a duplicate and owes its price."""

    __tablename__ = "school_card"
    __table_args__ = (
        Index(
            "ix_school_card_standing", "sector_id", "pupil", unique=True, sqlite_where=_STANDS, postgresql_where=_STANDS
        ),
    )

    id: str = Field(primary_key=True)
    sector_id: str = Field(foreign_key="school_sector.id", index=True)
    pupil: str
    found_by: str = Field(unique=True)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    state: str
    replaces: str | None = Field(default=None, unique=True)
    fee_cents: int = 0
    fee: str = Fee.NONE
    fee_reason: str = ""  # of a waiver its code, of a payment its reference
    guardian: str | None = Field(default=None, index=True)
    ordered_by: str
    ordered_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    delivered_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    changed_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    year_ends_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


@dataclass(frozen=True, slots=True)
class Card:
    """A card as it stands."""

    card_id: str
    sector_id: str
    pupil: str
    number: str
    state: CardState
    replaces: str | None
    fee_cents: Cents
    fee: Fee
    fee_reason: str
    guardian: str | None
    ordered_at: datetime
    delivered_at: datetime | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """Whose card a number is, and how it stands."""

    card_id: str
    sector_id: str
    pupil: str
    state: CardState


def order_cards(
    session: Session, keys: Seals, sector_id: str, school_year: int, pupils: Sequence[str], by: str, now: datetime
) -> int:
    """Order a first card for each of these children, who have none; how many."""
    numbers = _free_numbers(session, keys, len(pupils))
    told = zip(pupils, numbers, strict=True)
    rows = [_values(keys, sector_id, school_year, pupil, number, by, now) for pupil, number in told]
    add_all(session.connection(), CardRow.__table__, rows)  # type: ignore[attr-defined] # SQLModel's own
    return len(rows)


def _values(
    keys: Seals, sector_id: str, school_year: int, pupil: str, number: str, by: str, now: datetime
) -> dict[str, object]:
    card_id = secrets.token_hex(8)
    return {
        "id": card_id,
        "sector_id": sector_id,
        "pupil": pupil,
        "found_by": keys.blind(_KIND, number),
        "sealed": keys.seal(number, _place(card_id)),
        "state": str(CardState.ORDERED),
        "replaces": None,
        "fee_cents": 0,
        "fee": str(Fee.NONE),
        "fee_reason": "",
        "guardian": None,
        "ordered_by": by,
        "ordered_at": now,
        "delivered_at": None,
        "changed_at": now,
        "year_ends_at": year_ends_at(school_year),
    }


def _free_numbers(session: Session, keys: Seals, n: int) -> list[str]:
    """Numbers that no card has, under any key."""
    found: dict[str, str] = {}
    while len(found) < n:
        drawn = (number_of(secrets.randbelow(10**DRAWN_DIGITS)) for _ in range(n - len(found)))
        blinds = {blind: number for number in drawn for blind in keys.blinds(_KIND, number)}
        taken = select(CardRow.found_by).where(col(CardRow.found_by).in_(words_in(session.connection(), blinds)))
        bad = {blinds[blind] for blind in session.exec(taken)}
        found |= {number: blind for blind, number in blinds.items() if number not in bad}
    return list(found)[:n]


def add_duplicate(
    session: Session,
    keys: Seals,
    old: Card,
    school_year: int,
    fee: tuple[Cents, Fee, str],
    guardian: str | None,
    by: str,
    now: datetime,
) -> Card:
    """Order a card in place of another, which is good no more."""
    set_state(session, old.card_id, CardState.REPLACED, now)
    (number,) = _free_numbers(session, keys, 1)
    values = _values(keys, old.sector_id, school_year, old.pupil, number, by, now)
    cents, stands, reason = fee
    values |= {"replaces": old.card_id, "fee_cents": cents, "fee": str(stands), "fee_reason": reason}
    values |= {"guardian": guardian}
    add_all(session.connection(), CardRow.__table__, [values])  # type: ignore[attr-defined] # SQLModel's own
    return get_card(session, keys, str(values["id"]))


def get_card(session: Session, keys: OpensSealed, card_id: str, *, locked: bool = False) -> Card:
    """A card; `locked`: nobody else changes it before this transaction ends.

    Raises:
        NotFound: `unknown_card`.
    """
    query = select(CardRow).where(CardRow.id == card_id)
    if locked:
        session.expire_all()
        query = query.with_for_update()
    row = session.exec(query).one_or_none()
    if row is None:
        raise NotFound("unknown_card")
    return _card(keys, row)


def find_by_number(session: Session, keys: Seals, number: str) -> Known | None:
    """Whose card a number is."""
    rows = select(CardRow).where(col(CardRow.found_by).in_(keys.blinds(_KIND, number)))
    row = session.exec(rows).first()
    return None if row is None else Known(row.id, row.sector_id, row.pupil, CardState(row.state))


def find_successor(session: Session, keys: OpensSealed, card_id: str) -> Card | None:
    """The card that replaced another."""
    row = session.exec(select(CardRow).where(CardRow.replaces == card_id)).one_or_none()
    return None if row is None else _card(keys, row)


def list_standing(session: Session, keys: OpensSealed, sector_id: str) -> dict[str, Card]:
    """The card that is not replaced of each child of a sector, by pseudonym."""
    rows = select(CardRow).where(CardRow.sector_id == sector_id, col(CardRow.state) != CardState.REPLACED)
    return {row.pupil: _card(keys, row) for row in session.exec(rows.order_by(col(CardRow.ordered_at), CardRow.id))}


def list_of_pupils(session: Session, keys: OpensSealed, sector_id: str, pupils: Collection[str]) -> dict[str, str]:
    """The number of the card that is not replaced of each of some children."""
    rows = select(CardRow).where(CardRow.sector_id == sector_id, col(CardRow.state) != CardState.REPLACED)
    rows = rows.where(col(CardRow.pupil).in_(pupils))
    return {row.pupil: keys.open(row.sealed, _place(row.id)) for row in session.exec(rows)}


def get_state(session: Session, card_id: str) -> CardState:
    """Where a card is now.

    Raises:
        NotFound: `unknown_card`.
    """
    state = session.exec(select(CardRow.state).where(CardRow.id == card_id)).one_or_none()
    if state is None:
        raise NotFound("unknown_card")
    return CardState(state)


def pupils_with_card(session: Session, sector_id: str) -> frozenset[str]:
    """The children of a sector who have a card that is not replaced."""
    rows = select(CardRow.pupil).where(CardRow.sector_id == sector_id, col(CardRow.state) != CardState.REPLACED)
    return frozenset(session.exec(rows))


def list_of_pupil(session: Session, keys: OpensSealed, sector_id: str, pupil: str) -> list[Card]:
    """The cards of a child, the newest first."""
    rows = select(CardRow).where(CardRow.sector_id == sector_id, CardRow.pupil == pupil)
    return [_card(keys, row) for row in session.exec(rows.order_by(col(CardRow.ordered_at).desc(), col(CardRow.id)))]


def find_of_pupil(session: Session, keys: OpensSealed, sector_id: str, pupil: str) -> Card | None:
    """The card of a child that is not replaced."""
    rows = select(CardRow).where(CardRow.sector_id == sector_id, CardRow.pupil == pupil)
    row = session.exec(rows.where(col(CardRow.state) != CardState.REPLACED)).one_or_none()
    return None if row is None else _card(keys, row)


def count_states(session: Session, sector_id: str) -> Mapping[str, int]:
    """How many cards of a sector stand where."""
    rows = select(CardRow.state, func.count()).where(CardRow.sector_id == sector_id)
    return dict(session.exec(rows.group_by(col(CardRow.state))).all())


def set_state(session: Session, card_id: str, state: CardState, now: datetime) -> None:
    """Say where a card is."""
    told: dict[str, object] = {"state": str(state), "changed_at": now}
    if state is CardState.DELIVERED:
        told["delivered_at"] = now
    change(session, update(CardRow).where(col(CardRow.id) == card_id).values(**told))


def activate(session: Session, sector_id: str, pupils: Collection[str], now: datetime) -> int:
    """Say that the cards of these children that were sent are in use; how many."""
    sent = update(CardRow).where(col(CardRow.sector_id) == sector_id, col(CardRow.state) == CardState.DELIVERED)
    sent = sent.where(col(CardRow.pupil).in_(words_in(session.connection(), pupils)))
    return change(session, sent.values(state=str(CardState.ACTIVE), changed_at=now))


def deliver_ordered(session: Session, sector_id: str, now: datetime) -> int:
    """Say that every card that was ordered is sent; how many."""
    ordered = update(CardRow).where(col(CardRow.sector_id) == sector_id, col(CardRow.state) == CardState.ORDERED)
    return change(session, ordered.values(state=str(CardState.DELIVERED), delivered_at=now, changed_at=now))


def set_fee(session: Session, card_id: str, fee: Fee, reason: str, now: datetime) -> None:
    """Say what became of the price of a duplicate."""
    told = {"fee": str(fee), "fee_reason": reason, "changed_at": now}
    change(session, update(CardRow).where(col(CardRow.id) == card_id).values(**told))


def hand_on(
    session: Session, before: str, sector_id: str, school_year: int, pupils: Mapping[str, str]
) -> frozenset[str]:
    """Have the cards of a sector of an earlier year be those of the same children now, old pseudonym to new; whose."""
    found = set()
    rows = select(CardRow).where(CardRow.sector_id == before, col(CardRow.state) != CardState.REPLACED)
    for row in session.exec(rows):
        if row.pupil in pupils:
            row.sector_id, row.pupil = sector_id, pupils[row.pupil]
            row.year_ends_at = year_ends_at(school_year)
            session.add(row)
            found.add(row.pupil)
    session.flush()
    return frozenset(found)


def find_same(session: Session, keys: Seals, sector_id: str, ids: Mapping[str, str]) -> dict[str, str]:
    """Who of an earlier sector is who now, old pseudonym to new; `ids` are the office's, by new pseudonym."""
    columns = select(PupilRow.found_by, PupilRow.pupil).where(PupilRow.sector_id == sector_id, PupilRow.home == 0)
    by_blind = dict(session.exec(columns).all())
    found = {}
    for name, office_id in ids.items():
        for blind in keys.blinds(f"school_pupil:{sector_id}", office_id):
            if blind in by_blind:
                found[by_blind[blind]] = name
    return found


def _card(keys: OpensSealed, row: CardRow) -> Card:
    return Card(
        row.id,
        row.sector_id,
        row.pupil,
        keys.open(row.sealed, _place(row.id)),
        CardState(row.state),
        row.replaces,
        row.fee_cents,
        Fee(row.fee),
        row.fee_reason,
        row.guardian,
        row.ordered_at,
        row.delivered_at,
        row.changed_at,
    )


def _place(card_id: str) -> str:
    return f"{_KIND}:{card_id}"


# --- holdings --------------------------------------------------------------------------------------


def _of_children(session: Session, whose: Whose, keys: OpensSealed) -> Iterator[Row]:
    """The cards of the children whom they look after."""
    of_theirs = and_(col(PupilRow.sector_id) == col(CardRow.sector_id), col(PupilRow.pupil) == col(CardRow.pupil))
    rows = select(CardRow).join(PupilRow, of_theirs).where(PupilRow.guardian == whose.pseudonym).distinct()
    for row in session.exec(rows.order_by(col(CardRow.ordered_at), col(CardRow.id))):
        yield {
            "at": row.ordered_at,
            "sector_id": row.sector_id,
            "card_number": keys.open(row.sealed, _place(row.id)),
            "card_state": row.state,
            "card_fee_cents": row.fee_cents if row.guardian == whose.pseudonym else 0,
        }


def _let_go(session: Session, whose: Whose) -> int:
    own = col(CardRow.guardian) == whose.pseudonym
    return change(session, update(CardRow).where(own).values(guardian=None))


HOLDINGS: Sequence[Holding] = (
    Holding("school_card", ("pupil", "found_by", "sealed", "guardian", "ordered_by"), _of_children, _let_go),
)
