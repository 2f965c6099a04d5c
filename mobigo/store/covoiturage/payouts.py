"""Payouts: batches prepared and approved, their items and how each ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import and_, update
from sqlmodel import Session, col, select

from covoiturage.payments import Item, Payment, PaymentBatch, PayoutState
from mobigo.store.base import change
from mobigo.store.covoiturage.rows import PaymentBatchRow, PaymentItemRow
from socle.errors import NotFound
from socle.money import Cents


class ItemState(StrEnum):
    """How far a payment got."""

    PREPARED = "prepared"
    HANDED = "handed"  # to the bank
    PAID = "paid"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class KeptBatch:
    """A batch as it is kept; `approved_by` is None while it is a proposal."""

    id: str
    month: str
    prepared_by: str
    prepared_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    execute_on: date | None
    total_cents: Cents
    carried_over_cents: Cents


@dataclass(frozen=True, slots=True)
class KeptItem:
    """One payment and how far it got."""

    item: Item
    state: ItemState


def add_batch(session: Session, batch: PaymentBatch, by: str, now: datetime) -> None:
    """Keep a proposal."""
    session.add(
        PaymentBatchRow(
            id=batch.id,
            month=batch.month,
            prepared_by=by,
            prepared_at=now,
            total_cents=batch.total_cents,
            carried_over_cents=batch.carried_over_cents,
        )
    )
    session.flush()
    session.add_all(
        PaymentItemRow(
            end_to_end_id=item.end_to_end_id,
            batch_id=batch.id,
            driver=item.driver,
            cents=item.cents,
            state=ItemState.PREPARED,
        )
        for item in batch.items
    )


def find_batch(session: Session, month: str) -> KeptBatch | None:
    """The batch of that month."""
    row = session.exec(select(PaymentBatchRow).where(PaymentBatchRow.month == month)).one_or_none()
    return None if row is None else KeptBatch(**{name: getattr(row, name) for name in KeptBatch.__slots__})


def list_items(session: Session, batch_id: str) -> Sequence[KeptItem]:
    """The items of a batch in their order."""
    rows = session.exec(
        select(PaymentItemRow).where(PaymentItemRow.batch_id == batch_id).order_by(col(PaymentItemRow.end_to_end_id))
    )
    return [KeptItem(Item(row.driver, row.cents, row.end_to_end_id), ItemState(row.state)) for row in rows]


def list_payments(session: Session, driver: str) -> Sequence[Payment]:
    """Every approved batch as one driver sees it, in the order in which they were prepared."""
    own = and_(col(PaymentItemRow.batch_id) == col(PaymentBatchRow.id), col(PaymentItemRow.driver) == driver)
    rows = session.exec(
        select(PaymentBatchRow, PaymentItemRow)
        .join(PaymentItemRow, own, isouter=True)
        .where(col(PaymentBatchRow.approved_by).is_not(None))
        .order_by(col(PaymentBatchRow.prepared_at), col(PaymentBatchRow.id))
    )
    return [_payment(batch, item) for batch, item in rows]


def _payment(batch: PaymentBatchRow, item: PaymentItemRow | None) -> Payment:
    if batch.execute_on is None:
        raise ValueError("an approved batch without a day")
    state, cents = (None, 0) if item is None else (PayoutState(item.state), item.cents)
    return Payment(batch.id, batch.month, batch.prepared_at, batch.execute_on, state, cents)


def get_item(session: Session, end_to_end_id: str) -> tuple[str, KeptItem]:
    """The batch of an item, and the item.

    Raises:
        NotFound: `unknown_payment`.
    """
    row = session.get(PaymentItemRow, end_to_end_id)
    if row is None:
        raise NotFound("unknown_payment", payment=end_to_end_id[:40])
    return row.batch_id, KeptItem(Item(row.driver, row.cents, row.end_to_end_id), ItemState(row.state))


def approve(session: Session, batch_id: str, by: str, execute_on: date, now: datetime) -> bool:
    """Make a proposal final; False when it was already."""
    pending = update(PaymentBatchRow).where(
        col(PaymentBatchRow.id) == batch_id, col(PaymentBatchRow.approved_by).is_(None)
    )
    return change(session, pending.values(approved_by=by, approved_at=now, execute_on=execute_on)) == 1


def move_item(session: Session, end_to_end_id: str, before: ItemState, after: ItemState) -> bool:
    """Move a payment on; False when it was not in the state `before` any more."""
    moved = update(PaymentItemRow).where(
        col(PaymentItemRow.end_to_end_id) == end_to_end_id, col(PaymentItemRow.state) == before
    )
    return change(session, moved.values(state=after)) == 1


def drop_proposal(session: Session, batch_id: str) -> None:
    """Take away a batch that nobody approved, to prepare it anew."""
    for row in session.exec(select(PaymentItemRow).where(PaymentItemRow.batch_id == batch_id)):
        session.delete(row)
    session.flush()
    session.delete(session.get_one(PaymentBatchRow, batch_id))
    session.flush()
