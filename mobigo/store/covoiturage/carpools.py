"""Carpools: declared once under a key, with their rides and evidence; found again by id, by month, by key."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Column, func, or_, tuple_, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, SQLModel, col, select

from covoiturage.carpool import Carpool
from covoiturage.proof import ProofClass, Refused
from mobigo.store.base import change
from mobigo.store.bulk import words_in
from mobigo.store.covoiturage.holds import is_held
from mobigo.store.covoiturage.rows import CarpoolRow, DecisionRow, RideRow
from socle.errors import NotFound
from socle.money import Cents

_CARPOOL, _RIDE, _EVIDENCE = (SQLModel.metadata.tables[name] for name in ("carpool", "ride", "evidence"))


class CarpoolState(StrEnum):
    """Where a carpool stands; what was paid stands in the books."""

    CLOSED = "closed"  # the car has arrived, nothing is decided
    DECIDED = "decided"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class KeptCarpool:
    """A carpool as it is kept: `facts` are its canonical JSON, `policy_id` the policy of its day."""

    id: str
    key: str
    body_sha256: str
    driver: str
    end_at: datetime
    facts: bytes
    facts_sha256: str
    policy_id: str | None
    month: str
    reserved_cents: Cents
    state: CarpoolState


class DueCarpool(NamedTuple):
    """What a decision about a carpool rests on beside its facts; `n_decisions` were made about it before."""

    id: str
    driver: str
    end_at: datetime
    facts_sha256: str
    policy_id: str | None
    reserved_cents: Cents
    n_decisions: int


@dataclass(frozen=True, slots=True)
class Declaration:
    """A carpool as it was declared, with what the evidence of each ride was worth, and what is kept beside."""

    carpool: Carpool
    verdicts: Mapping[str, ProofClass | Refused]
    key: str
    body_sha256: str
    facts: bytes
    facts_sha256: str
    policy_id: str | None
    month: str
    reserved_cents: Cents
    declared_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What a declaration that is kept had said and was answered."""

    id: str
    body_sha256: str
    policy_id: str | None
    reserved_cents: Cents


def add_carpools(session: Session, declarations: Iterable[Declaration]) -> None:
    """Keep carpools, their rides with what their evidence was worth, and the evidence."""
    # Rows as they are, without an object for each: a car with two passengers has some twenty of them.
    told = list(declarations)
    into = session.connection().execute
    for table, rows in (
        (_CARPOOL, [_carpool_row(one) for one in told]),
        (_RIDE, [row for one in told for row in _ride_rows(one)]),
        (_EVIDENCE, [row for one in told for row in _evidence_rows(one.carpool)]),
    ):
        if rows:
            into(table.insert(), rows)


def _carpool_row(told: Declaration) -> dict[str, Any]:
    return {
        "id": told.carpool.id,
        "key": told.key,
        "body_sha256": told.body_sha256,
        "driver": told.carpool.driver,
        "line_id": told.carpool.line_id,
        "end_at": told.carpool.end_at,
        "facts": told.facts,
        "facts_sha256": told.facts_sha256,
        "policy_id": told.policy_id,
        "month": told.month,
        "reserved_cents": told.reserved_cents,
        "state": str(CarpoolState.CLOSED),
        "declared_at": told.declared_at,
    }


def _ride_rows(told: Declaration) -> Iterator[dict[str, Any]]:
    for ride in told.carpool.rides:
        verdict = told.verdicts[ride.id]
        refused = isinstance(verdict, Refused)
        yield {
            "id": ride.id,
            "carpool_id": told.carpool.id,
            "passenger": ride.passenger,
            "board_at": ride.board_at,
            "proof_class": None if refused else str(verdict),
            "proof_why": str(verdict.why) if isinstance(verdict, Refused) else None,
        }


def _evidence_rows(carpool: Carpool) -> Iterator[dict[str, Any]]:
    for ride in carpool.rides:
        for one in ride.evidence:
            yield {
                "ride_id": ride.id,
                "kind": str(one.kind),
                "side": str(one.side),
                "given_by": one.by,
                "at": one.at,
                "device": one.device,
                "lat": one.place.lat if one.place else None,
                "lon": one.place.lon if one.place else None,
            }


def list_by_keys(session: Session, keys: Iterable[str]) -> Mapping[str, Known]:
    """The carpools that were declared under these keys, by key."""
    connection, told = session.connection(), SQLModel.metadata.tables["carpool"].c
    wanted = select_columns(told.key, told.id, told.body_sha256, told.policy_id, told.reserved_cents)
    rows: Sequence[Any] = connection.execute(wanted.where(told.key.in_(words_in(connection, keys)))).all()
    return {key: Known(*row) for key, *row in rows}


def get_carpool(session: Session, carpool_id: str) -> KeptCarpool:
    """The carpool of that id.

    Raises:
        NotFound: `unknown_carpool`.
    """
    row = session.get(CarpoolRow, carpool_id)
    if row is None:
        raise NotFound("unknown_carpool", carpool=carpool_id)
    return _kept(row)


def get_carpools(session: Session, carpool_ids: Collection[str]) -> Mapping[str, KeptCarpool]:
    """The carpools of these ids, by id; those that nobody declared are missing."""
    wanted = select(CarpoolRow).where(col(CarpoolRow.id).in_(words_in(session.connection(), carpool_ids)))
    return {row.id: _kept(row) for row in session.exec(wanted)}


def list_verdicts(session: Session, carpool_id: str) -> dict[str, ProofClass | str]:
    """What the evidence of each ride of a carpool was worth: a class, or the reason of none."""
    rows = session.exec(select(RideRow).where(RideRow.carpool_id == carpool_id).order_by(RideRow.id))
    return {row.id: ProofClass(row.proof_class) if row.proof_class else row.proof_why or "" for row in rows}


def list_known_ids(session: Session, carpool_ids: Iterable[str], ride_ids: Iterable[str]) -> tuple[set[str], set[str]]:
    """Those of these ids of carpools, and of rides, that are taken already."""
    connection = session.connection()

    def taken(column: Column[Any], ids: Iterable[str]) -> set[str]:
        return set(connection.execute(select_columns(column).where(column.in_(words_in(connection, ids)))).scalars())

    return taken(_CARPOOL.c.id, carpool_ids), taken(_RIDE.c.id, ride_ids)


def list_due(
    session: Session, month: str, until: datetime, limit: int, after: tuple[datetime, str] | None = None
) -> list[DueCarpool]:
    """The first `limit` carpools of `month` that ended by `until`, were looked at and are not held, by (end, id).

    With `after`, the end and the id of a carpool, only those that come after it.
    """
    return list(map(DueCarpool._make, _list_due(session, (), month, until, limit, after)))


def list_due_with_facts(
    session: Session, month: str, until: datetime, limit: int, after: tuple[datetime, str] | None = None
) -> list[tuple[DueCarpool, bytes]]:
    """As `list_due`, each with its canonical facts."""
    rows = _list_due(session, (_CARPOOL.c.facts,), month, until, limit, after)
    return [(DueCarpool._make(row[:-1]), row[-1]) for row in rows]


def _list_due(
    session: Session,
    more: tuple[Column[Any], ...],
    month: str,
    until: datetime,
    limit: int,
    after: tuple[datetime, str] | None,
) -> Sequence[Any]:
    place = tuple_(col(CarpoolRow.end_at), col(CarpoolRow.id))
    n_decisions = select(func.count()).where(DecisionRow.carpool_id == CarpoolRow.id).scalar_subquery()
    told = _CARPOOL.c
    due = (
        select_columns(*(told[name] for name in DueCarpool._fields if name in told), n_decisions, *more)
        .where(told.month == month, told.state == CarpoolState.CLOSED, told.end_at <= until)
        .where(col(CarpoolRow.screened_at).is_not(None), ~is_held())
        .order_by(col(CarpoolRow.end_at), col(CarpoolRow.id))
        .limit(limit)
    )
    if after is not None:
        due = due.where(place > after)
    return session.connection().execute(due).all()


def list_facts_of_month(session: Session, month: str) -> Iterator[bytes]:
    """The facts of each carpool of `month` that was not cancelled, by (end, id)."""
    rows = select(CarpoolRow.facts).where(CarpoolRow.month == month, CarpoolRow.state != CarpoolState.CANCELLED)
    yield from session.exec(rows.order_by(col(CarpoolRow.end_at), col(CarpoolRow.id)))


def list_by_state(session: Session, month: str) -> Mapping[CarpoolState, int]:
    """How many carpools of `month` are in each state."""
    counted = select(CarpoolRow.state, func.count()).where(CarpoolRow.month == month).group_by(CarpoolRow.state)
    return dict.fromkeys(CarpoolState, 0) | {CarpoolState(state): n for state, n in session.exec(counted)}


def count_held(session: Session, month: str) -> int:
    """How many carpools of `month` wait for people, and not for the calendar."""
    waiting = select(func.count()).select_from(CarpoolRow)
    return session.exec(
        waiting.where(CarpoolRow.month == month, CarpoolRow.state == CarpoolState.CLOSED, is_held())
    ).one()


def list_of_person(session: Session, pseudonym: str) -> Iterator[KeptCarpool]:
    """The carpools that somebody drove or rode in, latest first."""
    ridden = select(RideRow.carpool_id).where(RideRow.passenger == pseudonym)
    rows = session.exec(
        select(CarpoolRow)
        .where(or_(col(CarpoolRow.driver) == pseudonym, col(CarpoolRow.id).in_(ridden)))
        .order_by(col(CarpoolRow.end_at).desc())
    )
    return map(_kept, rows)


def set_state(session: Session, carpool_id: str, before: CarpoolState, after: CarpoolState) -> bool:
    """Move a carpool on; False when it was not in the state `before` any more."""
    moved = update(CarpoolRow).where(col(CarpoolRow.id) == carpool_id, col(CarpoolRow.state) == before)
    return change(session, moved.values(state=after)) == 1


def set_decided(session: Session, carpool_ids: Collection[str]) -> None:
    """Say of carpools whose car has arrived that they are decided."""
    connection = session.connection()
    moved = update(CarpoolRow).where(col(CarpoolRow.id).in_(words_in(connection, carpool_ids)))
    moved = moved.where(col(CarpoolRow.state) == CarpoolState.CLOSED).values(state=CarpoolState.DECIDED)
    connection.execute(moved)


def _kept(row: CarpoolRow) -> KeptCarpool:
    return KeptCarpool(
        row.id,
        row.key,
        row.body_sha256,
        row.driver,
        row.end_at,
        bytes(row.facts),
        row.facts_sha256,
        row.policy_id,
        row.month,
        row.reserved_cents,
        CarpoolState(row.state),
    )
