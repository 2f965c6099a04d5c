"""Holdings: what covoiturage keeps about somebody. Traces go with the account; the rest holds pseudonyms only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import delete, or_
from sqlmodel import Session, col, select

from mobigo.store.base import change
from mobigo.store.covoiturage.disputes import HOLDING as DISPUTES
from mobigo.store.covoiturage.registry_messages import HOLDING as REGISTRY_MESSAGES
from mobigo.store.covoiturage.revisions import HOLDING as REVISIONS
from mobigo.store.covoiturage.rows import (
    CapCounterRow,
    CarpoolRow,
    DecisionRow,
    EvidenceRow,
    HoldRow,
    PaymentBatchRow,
    PaymentItemRow,
    RideRow,
)
from mobigo.store.personal import Holding, OpensSealed, Row, Whose, rows_of


def _erase_evidence(session: Session, whose: Whose) -> int:
    return change(session, delete(EvidenceRow).where(col(EvidenceRow.given_by) == whose.pseudonym))


def _decisions(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    rows = (
        select(DecisionRow)
        .join(CarpoolRow, col(CarpoolRow.id) == col(DecisionRow.carpool_id))
        .where(CarpoolRow.driver == whose.pseudonym)
        .order_by(col(DecisionRow.decided_at))
    )
    for row in session.exec(rows):
        yield {
            "at": row.decided_at,
            "carpool_id": row.carpool_id,
            "amount_cents": row.amount_cents,
            "policy_id": row.policy_id,
        }


def _holds(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    """What rules saw in their carpools and what was decided about it; what they decided about those of others."""
    ridden = select(RideRow.carpool_id).where(RideRow.passenger == whose.pseudonym)
    own = or_(col(CarpoolRow.driver) == whose.pseudonym, col(CarpoolRow.id).in_(ridden))
    rows = (
        select(HoldRow)
        .join(CarpoolRow, col(CarpoolRow.id) == col(HoldRow.carpool_id))
        .where(or_(own, col(HoldRow.decided_by) == whose.name))
        .order_by(col(HoldRow.id))
    )
    for row in session.exec(rows):
        yield {"at": row.found_at, "carpool_id": row.carpool_id, "hold_code": row.code, "hold_verdict": row.verdict}


def _batches(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    own = or_(col(PaymentBatchRow.prepared_by) == whose.name, col(PaymentBatchRow.approved_by) == whose.name)
    for row in session.exec(select(PaymentBatchRow).where(own).order_by(col(PaymentBatchRow.id))):
        yield {"at": row.prepared_at, "key": row.id}


# In the order of erasure: what refers to a row goes before it.
HOLDINGS: Sequence[Holding] = (
    Holding(
        "evidence",
        ("given_by", "device", "lat", "lon"),
        rows_of(
            EvidenceRow,
            "given_by",
            "at",
            {"at": "at", "ride_id": "ride_id", "evidence_kind": "kind", "lat": "lat", "lon": "lon"},
        ),
        _erase_evidence,
    ),
    REVISIONS,
    DISPUTES,
    Holding("hold", ("facts", "decided_by", "why"), _holds),
    Holding("decision", ("counters_before", "charged"), _decisions),
    Holding(
        "cap_counter",
        ("subject",),
        rows_of(
            CapCounterRow,
            "subject",
            "period_key",
            {"counter": "counter", "period_key": "period_key", "counted": "value"},
        ),
    ),
    REGISTRY_MESSAGES,
    Holding(
        "ride",
        ("passenger",),
        rows_of(
            RideRow,
            "passenger",
            "board_at",
            {"at": "board_at", "ride_id": "id", "carpool_id": "carpool_id", "proof_class": "proof_class"},
        ),
    ),
    Holding(
        "carpool",
        ("driver", "facts"),
        rows_of(
            CarpoolRow,
            "driver",
            "end_at",
            {"at": "end_at", "carpool_id": "id", "line_id": "line_id", "carpool_state": "state"},
        ),
    ),
    Holding(
        "payment_item",
        ("driver",),
        rows_of(
            PaymentItemRow,
            "driver",
            "end_to_end_id",
            {"key": "end_to_end_id", "amount_cents": "cents", "payment_state": "state"},
        ),
    ),
    Holding("payment_batch", ("prepared_by", "approved_by"), _batches),
)
