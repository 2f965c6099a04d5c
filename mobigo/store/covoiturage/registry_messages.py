"""Registry messages: what the national registry is told of each ride, when, and what it answered; never who rode.

The message of kind `journey` that was taken also holds what the registry knows by now: the hash of the
facts that it took last, and the status that it gave last. One that was refused may be followed by another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, ColumnElement, UniqueConstraint, func, or_, update
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlmodel import Field, Session, SQLModel, col, select

from mobigo.store.base import UtcDateTime, change
from mobigo.store.covoiturage.carpools import CarpoolState
from mobigo.store.covoiturage.rows import CarpoolRow, RideRow
from mobigo.store.personal import Holding, OpensSealed, Row, Whose


class Kind(StrEnum):
    """What the registry is told, or asked."""

    JOURNEY = "journey"
    CORRECTION = "correction"
    CANCELLATION = "cancellation"
    STATUS = "status"


class State(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    TAKEN = "taken"
    REFUSED = "refused"
    DROPPED = "dropped"  # there was nothing to tell, or nothing to tell it with


class RegistryMessageRow(SQLModel, table=True):
    """One message about a ride; of a kind, the next one has the next number."""

    __tablename__ = "registry_message"
    __table_args__ = (UniqueConstraint("ride_id", "kind", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    ride_id: str = Field(foreign_key="ride.id")
    kind: str
    number: int = 1
    state: str = Field(default=State.WAITING, index=True)
    facts_sha256: str = ""
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    sent_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    http_status: int | None = None
    registry_status: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `why` holds labels of the registry, or a code of ours."""

    ride_id: str
    carpool_id: str
    kind: Kind
    number: int
    state: State
    facts_sha256: str
    made_at: datetime
    sent_at: datetime | None
    http_status: int | None
    registry_status: str
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message; `http_status` is None when nothing was sent."""

    state: State
    http_status: int | None = None
    registry_status: str = ""
    facts_sha256: str = ""
    why: str = ""


def add_message(session: Session, ride_id: str, kind: Kind, now: datetime) -> int:
    """Keep the next message of its kind about a ride; its number."""
    ours = (col(RegistryMessageRow.ride_id) == ride_id, col(RegistryMessageRow.kind) == kind)
    number = session.exec(select(func.coalesce(func.max(RegistryMessageRow.number), 0) + 1).where(*ours)).one()
    session.add(RegistryMessageRow(ride_id=ride_id, kind=kind, number=number, made_at=now))
    session.flush()
    return number


def find_message(session: Session, ride_id: str, kind: Kind, number: int) -> Message | None:
    """That message."""
    row = session.exec(_messages().where(*_named(ride_id, kind, number))).one_or_none()
    return None if row is None else _told(*row)


def list_of_ride(session: Session, ride_id: str) -> Sequence[Message]:
    """What was told of a ride, in the order in which it came up."""
    of_ride = _messages().where(RegistryMessageRow.ride_id == ride_id).order_by(col(RegistryMessageRow.id))
    return [_told(*row) for row in session.exec(of_ride)]


def hold_ride(session: Session, ride_id: str) -> None:
    """Be alone in putting messages about a ride down until the transaction ends."""
    session.exec(select(RideRow.id).where(RideRow.id == ride_id).with_for_update()).all()


def note_answer(session: Session, message: Message, http_status: int, now: datetime) -> None:
    """Note what came back on a message that will be tried again."""
    _change(session, message, sent_at=now, http_status=http_status)


def end_message(session: Session, message: Message, outcome: Outcome, now: datetime) -> None:
    """Note what became of a message, and what the registry knows of the journey by now."""
    told: dict[str, object] = {"state": outcome.state, "why": outcome.why, "registry_status": outcome.registry_status}
    told["facts_sha256"] = outcome.facts_sha256
    if outcome.http_status is not None:
        told |= {"http_status": outcome.http_status, "sent_at": now}
    _change(session, message, **told)
    known: dict[str, object] = {}
    if outcome.state is State.TAKEN and message.kind is Kind.CORRECTION:
        known["facts_sha256"] = outcome.facts_sha256
    if outcome.registry_status:
        known["registry_status"] = outcome.registry_status
    if known and message.kind is not Kind.JOURNEY:
        row = RegistryMessageRow
        of_journey = (col(row.ride_id) == message.ride_id, col(row.kind) == Kind.JOURNEY)
        change(session, update(row).where(*of_journey, col(row.state) == State.TAKEN).values(**known))


def list_untold(session: Session, since: datetime, now: datetime, not_under: str) -> Sequence[tuple[str, str]]:
    """(ride, carpool) of cars that arrived after `since`, of which nothing was told; keys do not begin `not_under`."""
    rows = (
        select(RideRow.id, RideRow.carpool_id)
        .join(CarpoolRow, col(CarpoolRow.id) == col(RideRow.carpool_id))
        .where(col(CarpoolRow.end_at) > since, col(CarpoolRow.end_at) <= now)
        .where(CarpoolRow.state != CarpoolState.CANCELLED)
        .where(~col(CarpoolRow.key).startswith(not_under, autoescape=True), ~_has(Kind.JOURNEY))
        .order_by(col(CarpoolRow.end_at), col(RideRow.id))
    )
    return list(session.exec(rows).all())


def list_changed(session: Session) -> Sequence[tuple[str, str]]:
    """(ride, carpool) of journeys that the registry has and that are not so any more; of those it was told are not."""
    rows = (
        _known_rides()
        .where(~_has(Kind.CANCELLATION))
        .where(
            or_(
                col(CarpoolRow.state) == CarpoolState.CANCELLED,
                col(CarpoolRow.facts_sha256) != col(RegistryMessageRow.facts_sha256),
            )
        )
        .order_by(col(RideRow.id))
    )
    return list(session.exec(rows).all())


def list_to_ask(session: Session, since: datetime, until: datetime, asked_before: datetime) -> Sequence[str]:
    """Rides of cars that arrived between two instants, of whose journeys the registry has not said the last word."""
    asked = aliased(RegistryMessageRow)
    lately = or_(col(asked.made_at) > asked_before, col(asked.state) == State.WAITING)
    is_asked = select_columns(col(asked.id)).where(
        col(asked.ride_id) == col(RideRow.id), col(asked.kind) == Kind.STATUS, lately
    )
    rows = (
        _known_rides()
        .where(col(CarpoolRow.end_at) > since, col(CarpoolRow.end_at) <= until)
        .where(col(RegistryMessageRow.registry_status).in_(("", "pending")), ~is_asked.exists())
        .where(~_has(Kind.CANCELLATION))
        .order_by(col(RideRow.id))
    )
    return [ride_id for ride_id, _carpool_id in session.exec(rows)]


def count_messages(session: Session) -> Mapping[tuple[Kind, State], int]:
    """How many messages of each kind stand in each state; those that are none are left out."""
    kind, state = col(RegistryMessageRow.kind), col(RegistryMessageRow.state)
    rows = session.exec(select(kind, state, func.count()).group_by(kind, state))
    return {(Kind(one), State(other)): n for one, other, n in rows}


def count_statuses(session: Session) -> Mapping[str, int]:
    """How many journeys the registry gave each status."""
    status = col(RegistryMessageRow.registry_status)
    of_journeys = select(status, func.count()).where(RegistryMessageRow.kind == Kind.JOURNEY, status != "")
    return dict(session.exec(of_journeys.group_by(status)).all())


def list_refused(session: Session, most: int) -> Sequence[Message]:
    """What the registry refused or could not be told, and was not told again since; the latest first."""
    last = _messages().where(_is_refused(), ~_has_later()).order_by(col(RegistryMessageRow.id).desc()).limit(most)
    return [_told(*row) for row in session.exec(last)]


def list_corrected(session: Session, since: datetime) -> Sequence[str]:
    """Rides of cars that arrived after an instant, whose journey was refused as it was and is otherwise now."""
    rows = (
        select(RideRow.id)
        .join(CarpoolRow, col(CarpoolRow.id) == col(RideRow.carpool_id))
        .join(RegistryMessageRow, col(RegistryMessageRow.ride_id) == col(RideRow.id))
        .where(RegistryMessageRow.kind == Kind.JOURNEY, _is_refused(), ~_has_later())
        .where(col(CarpoolRow.end_at) > since, CarpoolRow.state != CarpoolState.CANCELLED)
        .where(col(RegistryMessageRow.facts_sha256) != "")
        .where(col(RegistryMessageRow.facts_sha256) != col(CarpoolRow.facts_sha256))
        .order_by(col(RideRow.id))
    )
    return list(session.exec(rows).all())


def _is_refused() -> ColumnElement[bool]:
    return col(RegistryMessageRow.state).in_((State.REFUSED, State.DROPPED))


def _has_later() -> ColumnElement[bool]:
    """Whether the message of a question was followed by another of its kind."""
    later = aliased(RegistryMessageRow)
    same = (col(later.ride_id) == col(RegistryMessageRow.ride_id), col(later.kind) == col(RegistryMessageRow.kind))
    return select_columns(col(later.id)).where(*same, col(later.number) > col(RegistryMessageRow.number)).exists()


def _messages() -> Any:  # the type of a selection of two things is its SQL
    return select(RegistryMessageRow, RideRow.carpool_id).join(
        RideRow, col(RideRow.id) == col(RegistryMessageRow.ride_id)
    )


def _known_rides() -> Any:  # likewise
    """Rides whose journeys the registry has, beside the message that told them."""
    return (
        select(RideRow.id, RideRow.carpool_id)
        .join(CarpoolRow, col(CarpoolRow.id) == col(RideRow.carpool_id))
        .join(RegistryMessageRow, col(RegistryMessageRow.ride_id) == col(RideRow.id))
        .where(RegistryMessageRow.kind == Kind.JOURNEY, RegistryMessageRow.state == State.TAKEN)
    )


def _has(kind: Kind) -> ColumnElement[bool]:
    """Whether there is a message of a kind about the ride of a question."""
    other = aliased(RegistryMessageRow)
    return select_columns(col(other.id)).where(col(other.ride_id) == col(RideRow.id), col(other.kind) == kind).exists()


def _named(ride_id: str, kind: Kind, number: int) -> tuple[ColumnElement[bool], ...]:
    row = RegistryMessageRow
    return col(row.ride_id) == ride_id, col(row.kind) == kind, col(row.number) == number


def _change(session: Session, message: Message, **values: object) -> None:
    changed = update(RegistryMessageRow).where(*_named(message.ride_id, message.kind, message.number))
    change(session, changed.values(**values))


def _told(row: RegistryMessageRow, carpool_id: str) -> Message:
    return Message(
        row.ride_id,
        carpool_id,
        Kind(row.kind),
        row.number,
        State(row.state),
        row.facts_sha256,
        row.made_at,
        row.sent_at,
        row.http_status,
        row.registry_status,
        row.why,
    )


def _export(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    """What was told of the rides that somebody drove or made."""
    rows = (
        select(RegistryMessageRow)
        .join(RideRow, col(RideRow.id) == col(RegistryMessageRow.ride_id))
        .join(CarpoolRow, col(CarpoolRow.id) == col(RideRow.carpool_id))
        .where(or_(col(RideRow.passenger) == whose.pseudonym, col(CarpoolRow.driver) == whose.pseudonym))
        .order_by(col(RegistryMessageRow.id))
    )
    for row in session.exec(rows):
        yield {"at": row.made_at, "ride_id": row.ride_id, "told": row.kind, "registry_status": row.registry_status}


# Which ride it was stays; whose it was is a pseudonym of another table.
HOLDING = Holding("registry_message", ("ride_id",), _export)
