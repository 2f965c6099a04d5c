"""Opening: what public tables are made from: rides that count and where they went, entries of what was spent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, SQLModel, col

from mobigo.store.covoiturage.carpools import CarpoolState
from mobigo.store.covoiturage.rows import CarpoolRow, DecisionRow
from mobigo.store.ledger.rows import ACCOUNT, ENTRY, POSTING
from socle.geo import LatLon
from socle.money import Cents

_SPENT = "region:subsidy_expense:"
_BY_CARPOOL = "carpool:"  # keys of entries about one


@dataclass(frozen=True, slots=True)
class DecidedCarpool:
    """A carpool that counts: its facts as a policy read them, and what its driver is paid."""

    driver: str
    facts: Mapping[str, Any]
    amount_cents: Cents


@dataclass(frozen=True, slots=True)
class Spending:
    """What an entry of the books adds to what was spent; the driver is empty where no carpool of ours is named."""

    seq: int
    carpool_id: str
    driver: str
    line_id: str | None
    month: str
    cents: Cents


def list_counting(session: Session, month: str) -> Iterator[DecidedCarpool]:
    """The carpools of `month` that were decided and not refused."""
    rows = session.connection().execute(
        select(col(CarpoolRow.driver), col(CarpoolRow.facts), col(DecisionRow.amount_cents))
        .join(DecisionRow, col(DecisionRow.carpool_id) == col(CarpoolRow.id))
        .where(col(CarpoolRow.month) == month, col(CarpoolRow.state) == CarpoolState.DECIDED)
        .where(col(DecisionRow.reversed_at).is_(None), col(DecisionRow.reason).is_(None))
        .order_by(col(CarpoolRow.end_at), col(CarpoolRow.id))
    )
    for driver, facts, cents in rows:
        yield DecidedCarpool(driver, json.loads(facts), int(cents))


def places_of_rides(session: Session, month: str) -> Mapping[tuple[str, str], LatLon]:
    """Where each ride of `month` began and ended, by (ride, side), as far as a phone told: the passenger's first."""
    told, ride, carpool = (SQLModel.metadata.tables[name].c for name in ("evidence", "ride", "carpool"))
    rows = session.connection().execute(
        select(told.ride_id, told.side, told.lat, told.lon, told.given_by == ride.passenger, told.at)
        .join_from(SQLModel.metadata.tables["evidence"], SQLModel.metadata.tables["ride"], ride.id == told.ride_id)
        .join(SQLModel.metadata.tables["carpool"], carpool.id == ride.carpool_id)
        .where(carpool.month == month, told.lat.is_not(None), told.lon.is_not(None))
        .order_by(told.id)
    )
    best: dict[tuple[str, str], tuple[tuple[bool, float], LatLon]] = {}
    for ride_id, side, lat, lon, is_passenger, at in rows:
        # The earliest of those who boarded, the latest of those who alighted.
        when = at.timestamp() if side == "board" else -at.timestamp()
        rank = (not is_passenger, when)
        known = best.get((ride_id, side))
        if known is None or rank < known[0]:
            best[ride_id, side] = (rank, LatLon(lat, lon))
    return {key: place for key, (_rank, place) in best.items()}


def list_spending(session: Session, after: int) -> Iterator[Spending]:
    """What the entries after number `after` add to what was spent, in their order."""
    rows = session.connection().execute(
        select(ENTRY.c.seq, ENTRY.c.key, POSTING.c.cents)
        .join(POSTING, POSTING.c.entry_seq == ENTRY.c.seq)
        .join(ACCOUNT, POSTING.c.account_id == ACCOUNT.c.id)
        .where(ENTRY.c.seq > after, ACCOUNT.c.code.startswith(_SPENT))
        .order_by(ENTRY.c.seq)
    )
    entries = [(int(seq), _carpool_of(key), int(cents)) for seq, key, cents in rows]
    known = {row.id: row for row in _rows_of(session, sorted({one for _, one, _ in entries}))}
    for seq, carpool_id, cents in entries:
        row = known.get(carpool_id)
        if row is None:
            yield Spending(seq, carpool_id, "", None, "", cents)
        else:
            yield Spending(seq, carpool_id, row.driver, row.line_id, row.month, cents)


def last_entry(session: Session) -> int:
    """The number of the last entry of the books, 0 before the first."""
    return int(session.connection().execute(select(func.max(ENTRY.c.seq))).scalar() or 0)


def _carpool_of(key: str) -> str:
    return key.split(":")[1] if key.startswith(_BY_CARPOOL) else ""


def _rows_of(session: Session, carpool_ids: list[str]) -> Iterator[Any]:
    for begin in range(0, len(carpool_ids), 500):
        piece = carpool_ids[begin : begin + 500]
        yield from session.connection().execute(
            select(col(CarpoolRow.id), col(CarpoolRow.driver), col(CarpoolRow.line_id), col(CarpoolRow.month)).where(
                col(CarpoolRow.id).in_(piece)
            )
        )
