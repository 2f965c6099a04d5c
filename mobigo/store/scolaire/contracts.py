"""Contracts: their documents for ever, values of indices, what happened on the road, statements, accounts of carriers.

Documents and values are added and never changed: the database refuses it. What was told of a day may be taken back,
with who and why. A statement is a proposal until another person approves it, and then stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import msgspec
from sqlalchemy import Column, ColumnElement, Index, LargeBinary, delete, func, literal_column, update
from sqlmodel import Field, Session, SQLModel, col, select

from mobigo.store.base import UtcDateTime, change
from mobigo.store.personal import Holding, OpensSealed, Row, Whose
from mobigo.store.turns import add_unless_there, take_turn
from scolaire.contracts.indices import Published, Values
from scolaire.contracts.statements import Statement
from socle.errors import Conflict, NotFound


class EventKind(StrEnum):
    """What was told of a day."""

    NOT_RUN = "not_run"
    BREACH = "breach"
    EXTRA = "extra"


class ContractRow(SQLModel, table=True):
    """One version of a contract; of several that begin on one day the highest number holds."""

    __tablename__ = "school_contract"

    contract_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    carrier_id: str = Field(index=True)
    valid_from: date
    version: str
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    kept_by: str
    kept_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class IndexRow(SQLModel, table=True):
    """A value of an index; of several of one month the highest number holds."""

    __tablename__ = "school_index"

    code: str = Field(primary_key=True)
    month: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    value_e4: int
    source: str
    kept_by: str
    kept_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


_STANDS: ColumnElement[bool] = literal_column("kind = 'not_run' AND taken_back_at IS NULL")


class EventRow(SQLModel, table=True):
    """A run that did not take place, a breach, or an extra service; `told_for` is the carrier when it told itself."""

    __tablename__ = "school_service_event"
    # Of two people who tell of one run at once, the second is refused by the database.
    __table_args__ = (
        Index(
            "ux_school_service_event_not_run", "day", "about", "run_id",
            unique=True, sqlite_where=_STANDS, postgresql_where=_STANDS,
        ),
    )  # fmt: skip

    id: str = Field(primary_key=True)
    kind: str
    day: date = Field(index=True)
    about: str  # a circuit with its sector, or the reference of an extra service
    run_id: str = ""
    code: str  # the cause, the penalty, or the lot
    type_id: str = ""
    n: int = 1
    metres: int = 0
    seconds: int = 0
    has_day: bool = False
    told_by: str
    told_for: str | None = None
    told_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    why: str
    taken_back_by: str | None = None
    taken_back_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    taken_back_why: str = ""


class StatementRow(SQLModel, table=True):
    """The statement of a month; `approved_by` is None while it is a proposal."""

    __tablename__ = "school_statement"

    contract_id: str = Field(primary_key=True)
    month: str = Field(primary_key=True)
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    prepared_by: str
    prepared_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    approved_by: str | None = None
    approved_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))


class CarrierRow(SQLModel, table=True):
    """An account that acts for a carrier."""

    __tablename__ = "school_carrier"

    holder: str = Field(primary_key=True)
    carrier_id: str = Field(primary_key=True)
    given_by: str
    given_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


@dataclass(frozen=True, slots=True)
class KeptContract:
    """A version of a contract as it is kept."""

    contract_id: str
    number: int
    carrier_id: str
    valid_from: date
    version: str
    document: bytes
    kept_by: str
    kept_at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was told of a day, and who told it."""

    event_id: str
    kind: EventKind
    day: date
    about: str
    run_id: str
    code: str
    type_id: str
    n: int
    metres: int
    seconds: int
    has_day: bool
    told_by: str
    told_for: str | None
    told_at: datetime
    why: str
    taken_back_by: str | None = None
    taken_back_at: datetime | None = None
    taken_back_why: str = ""


@dataclass(frozen=True, slots=True)
class KeptStatement:
    """A statement and where it stands."""

    statement: Statement
    document: bytes
    prepared_by: str
    prepared_at: datetime
    approved_by: str | None
    approved_at: datetime | None


_ENCODE = msgspec.json.Encoder(order="deterministic").encode
_DECODE = msgspec.json.Decoder(Statement).decode


# --- contracts and indices -------------------------------------------------------------------------


def add_contract(
    session: Session,
    contract_id: str,
    carrier_id: str,
    valid_from: date,
    version: str,
    document: bytes,
    by: str,
    now: datetime,
) -> bool:
    """Keep a version; False when it is the newest of its day already. Who asks has the turn of contracts."""
    rows = select(ContractRow).where(ContractRow.contract_id == contract_id, ContractRow.valid_from == valid_from)
    newest = session.exec(rows.order_by(col(ContractRow.number).desc()).limit(1)).one_or_none()
    if newest is not None and newest.version == version:
        return False
    highest = select(func.max(ContractRow.number)).where(ContractRow.contract_id == contract_id)
    number = (session.exec(highest).one() or 0) + 1
    row = ContractRow(
        contract_id=contract_id,
        number=number,
        carrier_id=carrier_id,
        valid_from=valid_from,
        version=version,
        document=document,
        kept_by=by,
        kept_at=now,
    )
    session.add(row)
    session.flush()
    return True


def take_turn_of_contracts(session: Session) -> None:
    """Nobody else keeps a contract before this transaction ends."""
    take_turn(session, "school_contract")


def list_contracts(session: Session) -> list[KeptContract]:
    """Every version of every contract, by contract and in the order in which they were kept."""
    rows = select(ContractRow).order_by(col(ContractRow.contract_id), col(ContractRow.number))
    return [KeptContract(**{name: getattr(row, name) for name in KeptContract.__slots__}) for row in session.exec(rows)]


def add_values(session: Session, values: Iterable[Published], by: str, now: datetime) -> int:
    """Keep values of indices that differ from those that hold; how many."""
    take_turn(session, "school_index")
    standing, numbers = _standing(session)
    n_new = 0
    for one in values:
        key = (one.index, one.month)
        if standing.get(key) == one.value_e4:
            continue
        numbers[key] = numbers.get(key, 0) + 1
        session.add(
            IndexRow(
                code=one.index,
                month=one.month,
                number=numbers[key],
                value_e4=one.value_e4,
                source=one.source,
                kept_by=by,
                kept_at=now,
            )
        )
        n_new += 1
    session.flush()
    return n_new


def get_values(session: Session) -> Values:
    """The values that hold."""
    return _standing(session)[0]


def _standing(session: Session) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], int]]:
    rows = session.exec(select(IndexRow).order_by(col(IndexRow.number))).all()
    values = {(row.code, row.month): row.value_e4 for row in rows}
    return values, {(row.code, row.month): row.number for row in rows}


# --- what happened ---------------------------------------------------------------------------------


def add_event(session: Session, event: Event) -> bool:
    """Keep what was told; False when it was, by the same form.

    Raises:
        Conflict: `told_already` of the same run on the same day.
    """
    values = {name: getattr(event, name) for name in Event.__slots__ if name != "event_id"}
    row = EventRow(id=event.event_id, **values)
    if event.kind is not EventKind.NOT_RUN:
        return add_unless_there(session, row, ("id",))
    if not add_unless_there(session, row, ("day", "about", "run_id"), _STANDS):
        raise Conflict("told_already", run=event.run_id, day=event.day.isoformat())
    return True


def take_back(session: Session, event_id: str, by: str, why: str, now: datetime) -> Event:
    """Take back what was told.

    Raises:
        NotFound: `unknown_event`.
        Conflict: `taken_back_already`.
    """
    row = session.get(EventRow, event_id)
    if row is None:
        raise NotFound("unknown_event")
    standing = update(EventRow).where(col(EventRow.id) == event_id, col(EventRow.taken_back_at).is_(None))
    if change(session, standing.values(taken_back_by=by, taken_back_at=now, taken_back_why=why)) != 1:
        raise Conflict("taken_back_already")
    return _event(row)


def get_event(session: Session, event_id: str) -> Event:
    """What was told under an id.

    Raises:
        NotFound: `unknown_event`.
    """
    row = session.get(EventRow, event_id)
    if row is None:
        raise NotFound("unknown_event")
    return _event(row)


def list_events(session: Session, first: date, last: date, *, standing: bool = True) -> list[Event]:
    """What was told of these days; with `standing` not what was taken back."""
    rows = select(EventRow).where(EventRow.day >= first, EventRow.day <= last)
    if standing:
        rows = rows.where(col(EventRow.taken_back_at).is_(None))
    return [
        _event(row) for row in session.exec(rows.order_by(col(EventRow.day), col(EventRow.told_at), col(EventRow.id)))
    ]


def _event(row: EventRow) -> Event:
    values = {name: getattr(row, name) for name in Event.__slots__ if name not in ("event_id", "kind")}
    return Event(event_id=row.id, kind=EventKind(row.kind), **values)


# --- statements ------------------------------------------------------------------------------------


def put_proposal(session: Session, statement: Statement, by: str, now: datetime) -> None:
    """Keep a proposal in place of the one before.

    Raises:
        Conflict: `statement_approved`.
    """
    key = (statement.contract_id, statement.month)
    row = session.get(StatementRow, key, with_for_update=True)
    if row is not None and row.approved_by is not None:
        raise Conflict("statement_approved", month=statement.month)
    if row is not None:
        change(session, delete(StatementRow).where(*_of(statement.contract_id, statement.month)))
    session.add(
        StatementRow(contract_id=key[0], month=key[1], document=_ENCODE(statement), prepared_by=by, prepared_at=now)
    )
    session.flush()


def approve(session: Session, contract_id: str, month: str, by: str, now: datetime) -> bool:
    """Make a proposal final; False when it was already."""
    pending = update(StatementRow).where(*_of(contract_id, month), col(StatementRow.approved_by).is_(None))
    return change(session, pending.values(approved_by=by, approved_at=now)) == 1


def find_statement(session: Session, contract_id: str, month: str) -> KeptStatement | None:
    """The statement of a month, proposed or approved."""
    row = session.get(StatementRow, (contract_id, month))
    return None if row is None else _kept(row)


def list_statements(session: Session, contract_ids: Collection[str]) -> list[KeptStatement]:
    """The statements of contracts, by contract and month."""
    rows = select(StatementRow).where(col(StatementRow.contract_id).in_(contract_ids))
    return [_kept(row) for row in session.exec(rows.order_by(col(StatementRow.contract_id), col(StatementRow.month)))]


def _of(contract_id: str, month: str) -> tuple[ColumnElement[bool], ...]:
    return col(StatementRow.contract_id) == contract_id, col(StatementRow.month) == month


def _kept(row: StatementRow) -> KeptStatement:
    return KeptStatement(
        _DECODE(row.document), row.document, row.prepared_by, row.prepared_at, row.approved_by, row.approved_at
    )


# --- carriers --------------------------------------------------------------------------------------


def add_carrier_account(session: Session, holder: str, carrier_id: str, by: str, now: datetime) -> bool:
    """Have an account act for a carrier; False when it does."""
    row = CarrierRow(holder=holder, carrier_id=carrier_id, given_by=by, given_at=now)
    return add_unless_there(session, row, ("holder", "carrier_id"))


def remove_carrier_account(session: Session, holder: str, carrier_id: str) -> bool:
    """Have it act for it no more; False when it did not."""
    of_it = (col(CarrierRow.holder) == holder, col(CarrierRow.carrier_id) == carrier_id)
    return change(session, delete(CarrierRow).where(*of_it)) == 1


def list_carriers_of(session: Session, holder: str) -> list[str]:
    """The carriers that an account acts for."""
    rows = select(CarrierRow.carrier_id).where(CarrierRow.holder == holder)
    return list(session.exec(rows.order_by(col(CarrierRow.carrier_id))))


# --- holdings --------------------------------------------------------------------------------------


def _contracts_kept(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    for row in session.exec(select(ContractRow).where(ContractRow.kept_by == whose.name)):
        yield {"at": row.kept_at, "contract_id": row.contract_id}


def _values_kept(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    for row in session.exec(select(IndexRow).where(IndexRow.kept_by == whose.name)):
        yield {"at": row.kept_at, "school_index": row.code, "month": row.month}


def _events_told(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    for row in session.exec(select(EventRow).where(EventRow.told_by == whose.name).order_by(col(EventRow.told_at))):
        yield {"at": row.told_at, "circuit_id": row.about, "run_id": row.run_id, "why": row.why}
    back = select(EventRow).where(EventRow.taken_back_by == whose.name)
    for row in session.exec(back.order_by(col(EventRow.taken_back_at))):
        yield {"at": row.taken_back_at, "circuit_id": row.about, "run_id": row.run_id, "why": row.taken_back_why}


def _statements_made(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    mine = (col(StatementRow.prepared_by) == whose.name) | (col(StatementRow.approved_by) == whose.name)
    for row in session.exec(select(StatementRow).where(mine).order_by(col(StatementRow.month))):
        yield {"at": row.prepared_at, "contract_id": row.contract_id, "month": row.month}


def _acts_for(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    for row in session.exec(select(CarrierRow).where(CarrierRow.holder == whose.pseudonym)):
        yield {"at": row.given_at, "carrier_id": row.carrier_id}


def _acts_no_more(session: Session, whose: Whose) -> int:
    return change(session, delete(CarrierRow).where(col(CarrierRow.holder) == whose.pseudonym))


# Public money is accounted for: names stand in it as pseudonyms, and no child does.
HOLDINGS: Sequence[Holding] = (
    Holding("school_contract", ("kept_by",), _contracts_kept),
    Holding("school_index", ("kept_by",), _values_kept),
    Holding("school_service_event", ("told_by", "taken_back_by", "why", "taken_back_why"), _events_told),
    Holding("school_statement", ("prepared_by", "approved_by"), _statements_made),
    Holding("school_carrier", ("holder", "given_by"), _acts_for, _acts_no_more),
)
