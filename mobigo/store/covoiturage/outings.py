"""Outings: a car on its way, its events in the order in which they came, and the plates of cars.

Events are added and never changed; where somebody was and on which device lies in a table of its own,
which forgets. `open_for` is the driver while the outing is open: nobody drives two cars at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Integer, UniqueConstraint, delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from covoiturage.boarding import Event, How, Outing, State, Step, Stop
from mobigo.store.base import UtcDateTime, change
from mobigo.store.personal import Holding, Whose, rows_of
from socle.errors import Conflict, NotFound
from socle.geo import LatLon

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")


class OutingRow(SQLModel, table=True):
    """One outing; `key` is that under which it was opened, `body_sha256` of what was asked then."""

    __tablename__ = "outing"

    id: str = Field(primary_key=True)
    key: str = Field(unique=True)
    body_sha256: str
    driver: str = Field(index=True)
    open_for: str | None = Field(default=None, unique=True)
    line_id: str | None = None
    stops: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    state: str
    plate_id: str | None = None
    opened_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class EventRow(SQLModel, table=True):
    """One thing that happened in it."""

    __tablename__ = "outing_event"
    __table_args__ = (UniqueConstraint("outing_id", "number"),)

    id: int | None = Field(default=None, sa_column=Column(_NUMBER, primary_key=True))
    outing_id: str = Field(foreign_key="outing.id")
    number: int
    step: str
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    given_by: str = Field(index=True)
    stop_id: str
    ride_id: str
    how: str
    mark: str
    seats: int


class TraceRow(SQLModel, table=True):
    """Where the device of an event was, and the keyed hash of the device."""

    __tablename__ = "outing_trace"

    event_id: int = Field(sa_column=Column(_NUMBER, primary_key=True, autoincrement=False))
    given_by: str = Field(index=True)
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    device: str | None = None
    lat: float | None = None
    lon: float | None = None


class PlateRow(SQLModel, table=True):
    """The printed code of a car. It hangs in the car for all to see, so it is kept as it is."""

    __tablename__ = "plate"

    id: str = Field(primary_key=True)
    driver: str = Field(index=True)
    code: str = Field(unique=True)
    line_id: str
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True, index=True))


@dataclass(frozen=True, slots=True)
class Opening:
    """What is kept of an outing beside itself: the key it was opened under, and the plate that opened it."""

    key: str
    body_sha256: str
    plate_id: str | None = None


@dataclass(frozen=True, slots=True)
class Plate:
    """The printed code of a car that goes along a line."""

    id: str
    driver: str
    code: str
    line_id: str
    made_at: datetime
    ended_at: datetime | None = None


# --- outings ---------------------------------------------------------------------------------


def add_outing(session: Session, outing: Outing, opening: Opening) -> None:
    """Keep an outing that begins.

    Raises:
        Conflict: `outing_open_already`: the driver is on the way with another.
    """
    row = OutingRow(
        id=outing.id,
        key=opening.key,
        body_sha256=opening.body_sha256,
        driver=outing.driver,
        open_for=outing.driver,
        line_id=outing.line_id,
        stops=[_told(stop) for stop in outing.stops],
        state=State.OPEN,
        plate_id=opening.plate_id,
        opened_at=outing.opened_at,
    )
    if find_open(session, outing.driver) is not None:
        raise Conflict("outing_open_already")
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:  # between the look above and now, on PostgreSQL
        raise Conflict("outing_open_already") from None
    _add_events(session, outing.id, 0, outing.events)


def get_outing(session: Session, outing_id: str, *, locked: bool = False) -> Outing:
    """The outing of that id; `locked`: nobody else adds to it before this transaction ends.

    Raises:
        NotFound: `unknown_carpool`.
    """
    query = select(OutingRow).where(OutingRow.id == outing_id)
    row = session.exec(query.with_for_update() if locked else query).one_or_none()
    if row is None:
        raise NotFound("unknown_carpool", carpool=outing_id)
    return _outing(session, row)


def find_by_key(session: Session, key: str) -> tuple[Outing, Opening] | None:
    """The outing that was opened under this key."""
    row = session.exec(select(OutingRow).where(OutingRow.key == key)).one_or_none()
    return None if row is None else (_outing(session, row), Opening(row.key, row.body_sha256, row.plate_id))


def find_open(session: Session, driver: str, *, locked: bool = False) -> Outing | None:
    """The outing that a driver is on the way with."""
    query = select(OutingRow).where(OutingRow.open_for == driver)
    row = session.exec(query.with_for_update() if locked else query).one_or_none()
    return None if row is None else _outing(session, row)


def find_aboard(session: Session, passenger: str, since: datetime) -> Outing | None:
    """The latest open outing, begun after `since`, in which somebody boarded."""
    boarded = select(EventRow.outing_id).where(EventRow.given_by == passenger, EventRow.step == Step.BOARDED)
    row = session.exec(
        select(OutingRow)
        .where(col(OutingRow.id).in_(boarded), OutingRow.state == State.OPEN, col(OutingRow.opened_at) >= since)
        .order_by(col(OutingRow.opened_at).desc(), OutingRow.id)
    ).first()
    return None if row is None else _outing(session, row)


def add_events(session: Session, outing: Outing, events: Sequence[Event]) -> Outing:
    """Add what happened; the outing was read under its lock."""
    _add_events(session, outing.id, len(outing.events), events)
    after = outing.with_events(*events)
    if after.state is not State.OPEN:
        row = session.get_one(OutingRow, outing.id)
        row.state, row.open_for = after.state, None
        session.add(row)
    session.flush()
    return after


def opened_by_plate(session: Session, outing_id: str) -> bool:
    """Whether the plate of a car opened the outing: its driver shows no codes."""
    return session.exec(select(OutingRow.plate_id).where(OutingRow.id == outing_id)).one_or_none() is not None


def _add_events(session: Session, outing_id: str, number: int, events: Sequence[Event]) -> None:
    for i, event in enumerate(events):
        row = EventRow(
            outing_id=outing_id,
            number=number + i,
            step=event.step,
            at=event.at,
            given_by=event.by,
            stop_id=event.stop_id,
            ride_id=event.ride_id,
            how=event.how or "",
            mark=event.mark,
            seats=event.seats,
        )
        session.add(row)
        session.flush()
        if row.id is not None and (event.device or event.place):
            lat, lon = event.place or (None, None)
            session.add(
                TraceRow(event_id=row.id, given_by=event.by, at=event.at, device=event.device, lat=lat, lon=lon)
            )


def _outing(session: Session, row: OutingRow) -> Outing:
    rows = session.exec(select(EventRow).where(EventRow.outing_id == row.id).order_by(col(EventRow.number))).all()
    traces = session.exec(select(TraceRow).where(col(TraceRow.event_id).in_([one.id for one in rows]))).all()
    trace_of = {trace.event_id: trace for trace in traces}
    events = tuple(_event(one, trace_of.get(one.id or 0)) for one in rows)
    return Outing(row.id, row.driver, tuple(_stop(one) for one in row.stops), events, row.line_id)


def _event(row: EventRow, trace: TraceRow | None) -> Event:
    place = None
    if trace is not None and trace.lat is not None and trace.lon is not None:
        place = LatLon(trace.lat, trace.lon)
    return Event(
        Step(row.step),
        row.at,
        row.given_by,
        row.stop_id,
        row.ride_id,
        How(row.how) if row.how else None,
        row.mark,
        row.seats,
        trace.device if trace else None,
        place,
    )


def _told(stop: Stop) -> dict[str, Any]:
    place = None if stop.at is None else list(stop.at)
    return {"id": stop.stop_id, "name": stop.name, "distance_m": stop.distance_m, "at": place}


def _stop(told: dict[str, Any]) -> Stop:
    place = None if told["at"] is None else LatLon(*told["at"])
    return Stop(told["id"], told["name"], told["distance_m"], place)


# --- plates ----------------------------------------------------------------------------------


def add_plate(session: Session, plate: Plate) -> None:
    """Keep the plate of a car."""
    session.add(PlateRow(**{name: getattr(plate, name) for name in Plate.__slots__}))
    session.flush()


def find_plate(session: Session, code: str) -> Plate | None:
    """The plate that has this code and still holds."""
    row = session.exec(select(PlateRow).where(PlateRow.code == code, col(PlateRow.ended_at).is_(None))).one_or_none()
    return None if row is None else _plate(row)


def list_plates(session: Session, driver: str) -> list[Plate]:
    """The plates of somebody's cars that still hold, the newest first."""
    rows = select(PlateRow).where(PlateRow.driver == driver, col(PlateRow.ended_at).is_(None))
    return [_plate(row) for row in session.exec(rows.order_by(col(PlateRow.made_at).desc(), PlateRow.id))]


def end_plate(session: Session, driver: str, plate_id: str, now: datetime) -> None:
    """Have a plate of this driver hold no more.

    Raises:
        NotFound: `unknown_plate`.
    """
    row = session.exec(
        select(PlateRow).where(PlateRow.id == plate_id, PlateRow.driver == driver, col(PlateRow.ended_at).is_(None))
    ).one_or_none()
    if row is None:
        raise NotFound("unknown_plate")
    row.ended_at = now
    session.add(row)


def _plate(row: PlateRow) -> Plate:
    return Plate(**{name: getattr(row, name) for name in Plate.__slots__})


# --- what is held about people ---------------------------------------------------------------


def _erase_traces(session: Session, whose: Whose) -> int:
    return change(session, delete(TraceRow).where(col(TraceRow.given_by) == whose.pseudonym))


def _erase_plates(session: Session, whose: Whose) -> int:
    return change(session, delete(PlateRow).where(col(PlateRow.driver) == whose.pseudonym))


# In the order of erasure.
HOLDINGS: Sequence[Holding] = (
    Holding(
        "outing_trace",
        ("given_by", "device", "lat", "lon"),
        rows_of(TraceRow, "given_by", "event_id", {"at": "at", "lat": "lat", "lon": "lon"}),
        _erase_traces,
    ),
    Holding(
        "outing_event",
        ("given_by",),
        rows_of(
            EventRow,
            "given_by",
            "id",
            {"at": "at", "carpool_id": "outing_id", "outing_step": "step", "stop_id": "stop_id"},
        ),
    ),
    Holding(
        "outing",
        ("driver", "open_for"),
        rows_of(
            OutingRow,
            "driver",
            "opened_at",
            {"at": "opened_at", "carpool_id": "id", "line_id": "line_id", "outing_state": "state"},
        ),
    ),
    Holding(
        "plate",
        ("driver", "code"),
        rows_of(PlateRow, "driver", "made_at", {"at": "made_at", "line_id": "line_id", "revoked_at": "ended_at"}),
        _erase_plates,
    ),
)
