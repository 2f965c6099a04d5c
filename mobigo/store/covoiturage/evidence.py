"""Evidence: what was given for the rides of a carpool, as people look at it: without devices and places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from mobigo.store.covoiturage.rows import EvidenceRow, RideRow
from socle.geo import LatLon


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


def find_ends(session: Session, carpool_id: str) -> dict[str, dict[str, LatLon]]:
    """Where each ride of a carpool began and ended, by its side, where evidence says so and is still kept."""
    rows = session.exec(
        select(EvidenceRow)
        .join(RideRow, col(RideRow.id) == col(EvidenceRow.ride_id))
        .where(RideRow.carpool_id == carpool_id, col(EvidenceRow.lat).is_not(None), col(EvidenceRow.lon).is_not(None))
        .order_by(col(EvidenceRow.id))
    )
    found: dict[str, dict[str, LatLon]] = {}
    for row in rows:
        if row.lat is not None and row.lon is not None:
            found.setdefault(row.ride_id, {}).setdefault(row.side, LatLon(row.lat, row.lon))
    return found
