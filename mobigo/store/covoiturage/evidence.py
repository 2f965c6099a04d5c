"""Evidence: what was given for the rides of a carpool, as people look at it: without devices and places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from mobigo.store.covoiturage.rows import EvidenceRow, RideRow


@dataclass(frozen=True, slots=True)
class ToldEvidence:
    """One scan, code or position: for which ride, by whom, when; `has_place` when it says where."""

    ride_id: str
    kind: str
    side: str
    by: str
    at: datetime
    has_place: bool


def list_evidence(session: Session, carpool_id: str) -> Sequence[ToldEvidence]:
    """What was given for a carpool and is kept, in the order of instants."""
    rows = session.exec(
        select(EvidenceRow)
        .join(RideRow, col(RideRow.id) == col(EvidenceRow.ride_id))
        .where(RideRow.carpool_id == carpool_id)
        .order_by(col(EvidenceRow.at), col(EvidenceRow.id))
    )
    return [ToldEvidence(row.ride_id, row.kind, row.side, row.given_by, row.at, row.lat is not None) for row in rows]
