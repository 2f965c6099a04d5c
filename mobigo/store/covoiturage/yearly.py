"""Yearly: the decided carpools that somebody drove or rode in, and the payments made to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_
from sqlmodel import Session, col, select

from mobigo.store.covoiturage.carpools import CarpoolState, get_carpool
from mobigo.store.covoiturage.decided import DecidedCarpool
from mobigo.store.covoiturage.decisions import list_of_carpools
from mobigo.store.covoiturage.payouts import ItemState
from mobigo.store.covoiturage.rows import CarpoolRow, PaymentBatchRow, PaymentItemRow, RideRow
from socle.money import Cents

_PIECE = 300  # ids in one question


@dataclass(frozen=True, slots=True)
class OwnPayment:
    """One payment to a driver: `execute_on` is None while nobody has approved it."""

    reference: str
    month: str
    cents: Cents
    state: ItemState
    execute_on: date | None


def list_decided_of(session: Session, pseudonym: str, since: datetime, until: datetime) -> Sequence[DecidedCarpool]:
    """The decided carpools of somebody that ended from `since` to before `until`, by (end, id)."""
    ridden = select(RideRow.carpool_id).where(RideRow.passenger == pseudonym)
    ids = session.exec(
        select(CarpoolRow.id)
        .where(CarpoolRow.state == CarpoolState.DECIDED)
        .where(col(CarpoolRow.end_at) >= since, col(CarpoolRow.end_at) < until)
        .where(or_(col(CarpoolRow.driver) == pseudonym, col(CarpoolRow.id).in_(ridden)))
        .order_by(col(CarpoolRow.end_at), col(CarpoolRow.id))
    ).all()
    return _with_decisions(session, ids)


def list_payments_of(session: Session, driver: str) -> Sequence[OwnPayment]:
    """The payments of a driver that somebody approved, the latest first."""
    rows = session.exec(
        select(PaymentItemRow, PaymentBatchRow)
        .join(PaymentBatchRow, col(PaymentBatchRow.id) == col(PaymentItemRow.batch_id))
        .where(PaymentItemRow.driver == driver, col(PaymentBatchRow.approved_by).is_not(None))
        .order_by(col(PaymentBatchRow.month).desc())
    )
    return [
        OwnPayment(item.end_to_end_id, batch.month, item.cents, ItemState(item.state), batch.execute_on)
        for item, batch in rows
    ]


def list_decided_between(session: Session, since: datetime, until: datetime) -> Sequence[DecidedCarpool]:
    """The decided carpools that ended from `since` to before `until`, by (end, id)."""
    ids = session.exec(
        select(CarpoolRow.id)
        .where(CarpoolRow.state == CarpoolState.DECIDED)
        .where(col(CarpoolRow.end_at) >= since, col(CarpoolRow.end_at) < until)
        .order_by(col(CarpoolRow.end_at), col(CarpoolRow.id))
    ).all()
    return _with_decisions(session, ids)


def _with_decisions(session: Session, ids: Sequence[str]) -> list[DecidedCarpool]:
    found = []
    for begin in range(0, len(ids), _PIECE):
        piece = ids[begin : begin + _PIECE]
        decisions = list_of_carpools(session, piece)
        found += [DecidedCarpool(get_carpool(session, one), decisions[one]) for one in piece if one in decisions]
    return found
