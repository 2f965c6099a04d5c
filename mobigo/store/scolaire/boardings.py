"""Boardings: what happened on the runs of a day, each thing once under the id that its client gave it.

Rows are added and never changed, so that a telephone that sends twice, or a server that dies between two validations,
leaves each of them once or not at all. Of one pupil a run has one first validation, whoever comes second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Index, Integer, and_, func, insert, literal_column
from sqlalchemy import select as select_columns
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from mobigo.store.base import UtcDateTime
from mobigo.store.personal import Holding, OpensSealed, Row, Whose
from mobigo.store.scolaire.family_rows import AbsenceRow, ApplicationRow, HomeRow
from mobigo.store.scolaire.rows import PupilRow
from mobigo.store.scolaire.sectors import opened_home
from scolaire.boarding import Act, Boarding, Why
from scolaire.plans import Direction

FIRST = "ix_school_boarding_first"
_IS_FIRST: ColumnElement[bool] = literal_column("is_first")
_NOT_ENTITLED = "pupil_not_entitled"


class Stage(StrEnum):
    """Where a run stands."""

    OPENED = "opened"  # a driver looks at it
    ENDED = "ended"  # and nobody said that the coach is empty
    EMPTY = "empty"  # the driver walked through the coach: nobody is in it


class BoardingRow(SQLModel, table=True):
    """One thing that happened; `is_first`: the first validation of a pupil on a run of a day."""

    __tablename__ = "school_boarding"
    __table_args__ = (
        Index(
            FIRST,
            "sector_id",
            "day",
            "run_id",
            "pupil",
            unique=True,
            sqlite_where=_IS_FIRST,
            postgresql_where=_IS_FIRST,
        ),
        Index("ix_school_boarding_day", "sector_id", "day"),
    )

    number: int | None = Field(  # the order in which things were told
        default=None, sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    )
    id: str = Field(unique=True)
    sector_id: str = Field(foreign_key="school_sector.id")
    day: date
    circuit_id: str
    run_id: str
    direction: str
    act: str
    pupil: str | None = None
    pupil_sector: str | None = None  # of a child of another sector
    home: int | None = None  # from which the child goes on that day
    stop_id: str = ""
    why: str = ""
    is_first: bool = False
    by: str
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class RunStageRow(SQLModel, table=True):
    """A run that was opened or ended by a driver."""

    __tablename__ = "school_run_stage"

    id: str = Field(primary_key=True)
    sector_id: str = Field(foreign_key="school_sector.id")
    day: date = Field(index=True)
    circuit_id: str
    run_id: str
    stage: str
    by: str
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


@dataclass(frozen=True, slots=True)
class OnRun:
    """Which run of which day."""

    sector_id: str
    day: date
    circuit_id: str
    run_id: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that happened, and when; `pupil` with the sector that knows the child under that name."""

    event_id: str
    run_id: str
    act: Act
    pupil: str | None
    pupil_sector: str | None
    home: int | None
    stop_id: str
    why: Why | None
    is_first: bool
    by: str
    at: datetime

    @property
    def told(self) -> Boarding:
        """The same for the rules."""
        return Boarding(self.act, self.pupil, self.why)


@dataclass(frozen=True, slots=True)
class KeptStage:
    """A stage of a run."""

    day: date
    run_id: str
    stage: Stage
    by: str
    at: datetime


def find_event(session: Session, event_id: str) -> tuple[OnRun, Kept] | None:
    """What was kept under an id."""
    row = session.exec(select(BoardingRow).where(BoardingRow.id == event_id)).one_or_none()
    return None if row is None else (_on_run(row), _kept(row))


def add_event(session: Session, run: OnRun, kept: Kept) -> bool:
    """Keep something; False when another is first on that run for that pupil, or has the id, since it was looked."""
    try:
        with session.begin_nested():
            session.add(BoardingRow(**_values(run, kept)))
            session.flush()
    except IntegrityError:
        return False
    return True


def add_many(session: Session, told: Iterable[tuple[OnRun, Kept]]) -> int:
    """Keep what is known to be new, all at once; how many."""
    rows = [_values(run, kept) for run, kept in told]
    if rows:
        session.execute(insert(BoardingRow), rows)
    return len(rows)


def _values(run: OnRun, kept: Kept) -> dict[str, Any]:
    return {
        "id": kept.event_id,
        "sector_id": run.sector_id,
        "day": run.day,
        "circuit_id": run.circuit_id,
        "run_id": run.run_id,
        "direction": str(run.direction),
        "act": str(kept.act),
        "pupil": kept.pupil,
        "pupil_sector": kept.pupil_sector,
        "home": kept.home,
        "stop_id": kept.stop_id,
        "why": "" if kept.why is None else str(kept.why),
        "is_first": kept.is_first,
        "by": kept.by,
        "at": kept.at,
    }


def list_of_run(session: Session, run: OnRun) -> list[Kept]:
    """What happened on a run of a day, the first first."""
    rows = select(BoardingRow).where(
        BoardingRow.sector_id == run.sector_id, BoardingRow.day == run.day, BoardingRow.run_id == run.run_id
    )
    return [_kept(row) for row in session.exec(rows.order_by(col(BoardingRow.number)))]


def list_of_day(session: Session, sector_id: str, day: date) -> list[Kept]:
    """What happened on all runs of a sector on a day, the first first."""
    rows = select(BoardingRow).where(BoardingRow.sector_id == sector_id, BoardingRow.day == day)
    return [_kept(row) for row in session.exec(rows.order_by(col(BoardingRow.number)))]


def list_firsts(session: Session, sector_id: str, first: date, last: date) -> list[tuple[date, str, str | None, str]]:
    """Of a range of days: day, run, pupil and reason of the first validation of each pupil on each run."""
    columns = select_columns(*map(col, (BoardingRow.day, BoardingRow.run_id, BoardingRow.pupil, BoardingRow.why)))
    rows = columns.where(
        col(BoardingRow.sector_id) == sector_id,
        col(BoardingRow.day) >= first,
        col(BoardingRow.day) <= last,
        col(BoardingRow.is_first).is_(True),
    )
    return [(day, run_id, pupil, why) for day, run_id, pupil, why in session.execute(rows)]


def list_validated(session: Session, pupil_sector: str, day: date, pupil: str, direction: Direction) -> list[str]:
    """The runs, with their sectors, on which a pupil validated one way on a day."""
    columns = select(BoardingRow.sector_id, BoardingRow.run_id).where(
        BoardingRow.pupil_sector == pupil_sector,
        BoardingRow.pupil == pupil,
        BoardingRow.day == day,
        BoardingRow.direction == direction,
        col(BoardingRow.is_first).is_(True),
    )
    return [f"{sector_id}/{run_id}" for sector_id, run_id in session.exec(columns)]


def oldest_day(session: Session, sector_id: str) -> date | None:
    """The first day of which boardings are kept."""
    return session.exec(select(func.min(BoardingRow.day)).where(BoardingRow.sector_id == sector_id)).one()


def newest_day(session: Session, sector_id: str) -> date | None:
    """The last day of which boardings are kept."""
    return session.exec(select(func.max(BoardingRow.day)).where(BoardingRow.sector_id == sector_id)).one()


# --- stages of runs ----------------------------------------------------------------------------------


def add_stage(session: Session, run: OnRun, stage_id: str, stage: Stage, by: str, now: datetime) -> bool:
    """Keep a stage of a run, once under its id; False when it is there."""
    if session.get(RunStageRow, stage_id) is not None:
        return False
    row = RunStageRow(
        id=stage_id,
        sector_id=run.sector_id,
        day=run.day,
        circuit_id=run.circuit_id,
        run_id=run.run_id,
        stage=str(stage),
        by=by,
        at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        return False
    return True


def has_stage(session: Session, stage_id: str) -> bool:
    """Whether a stage is kept under an id."""
    return session.get(RunStageRow, stage_id) is not None


def list_stages(session: Session, sector_id: str, first: date, last: date) -> list[KeptStage]:
    """The stages of the runs of some days, the first first."""
    rows = select(RunStageRow).where(
        RunStageRow.sector_id == sector_id, RunStageRow.day >= first, RunStageRow.day <= last
    )
    rows = rows.order_by(col(RunStageRow.at), col(RunStageRow.id))
    return [KeptStage(row.day, row.run_id, Stage(row.stage), row.by, row.at) for row in session.exec(rows)]


def list_stages_of(session: Session, run: OnRun) -> list[KeptStage]:
    """The stages of a run of a day, the first first."""
    return [one for one in list_stages(session, run.sector_id, run.day, run.day) if one.run_id == run.run_id]


# --- who the children are ----------------------------------------------------------------------------


def find_home(session: Session, keys: OpensSealed, sector_id: str, pupil: str, weekday: int) -> tuple[bool, int | None]:
    """Whether a child goes by coach this year, and the home from which it goes on a day of the week."""
    rows = select(PupilRow).where(PupilRow.sector_id == sector_id, PupilRow.pupil == pupil).order_by(col(PupilRow.home))
    homes = session.exec(rows).all()
    is_registered = any(row.barred != _NOT_ENTITLED for row in homes)
    for row in homes:
        days = opened_home(row, keys)["school_days"]
        if isinstance(days, int) and days >> weekday & 1:
            return is_registered, row.home
    return is_registered, None


def list_registered(session: Session, sector_id: str) -> frozenset[str]:
    """The children of a sector who go by coach this year."""
    rows = select(PupilRow.pupil, PupilRow.barred).where(PupilRow.sector_id == sector_id)
    return frozenset(pupil for pupil, barred in session.exec(rows) if barred != _NOT_ENTITLED)


def list_away(session: Session, sector_id: str, first: date, last: date) -> list[tuple[str, date, date, str, int]]:
    """Absences that meet a range of days: child, first and last day, which ways, and the days of whose they count.

    A guardian speaks for the days of the own homes: the other's are none of theirs.
    """
    told = map(col, (AbsenceRow.first_day, AbsenceRow.last_day, AbsenceRow.part, HomeRow.days))
    rows = (
        select_columns(col(ApplicationRow.pupil), *told)
        .join(AbsenceRow, col(AbsenceRow.application_id) == col(ApplicationRow.id))
        .join(
            HomeRow,
            and_(
                col(HomeRow.application_id) == col(ApplicationRow.id),
                col(HomeRow.guardian) == col(AbsenceRow.guardian),
            ),
        )
        .where(
            col(ApplicationRow.sector_id) == sector_id,
            col(AbsenceRow.taken_back_at).is_(None),
            col(AbsenceRow.first_day) <= last,
            col(AbsenceRow.last_day) >= first,
        )
    )
    return [(pupil, begins, ends, part, days) for pupil, begins, ends, part, days in session.execute(rows)]


def applications_of(session: Session, sector_id: str, pupils: Iterable[str]) -> Sequence[ApplicationRow]:
    """The requests of children who were registered here, whose names are therefore known."""
    rows = select(ApplicationRow).where(ApplicationRow.sector_id == sector_id, col(ApplicationRow.pupil).in_([*pupils]))
    return session.exec(rows).all()


def _on_run(row: BoardingRow) -> OnRun:
    return OnRun(row.sector_id, row.day, row.circuit_id, row.run_id, Direction(row.direction))


def _kept(row: BoardingRow) -> Kept:
    return Kept(
        row.id,
        row.run_id,
        Act(row.act),
        row.pupil,
        row.pupil_sector,
        row.home,
        row.stop_id,
        Why(row.why) if row.why else None,
        row.is_first,
        row.by,
        row.at,
    )


# --- holdings --------------------------------------------------------------------------------------


def _boarded(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    """Where the children whom they look after got on, on the days of their own home."""
    of_theirs = and_(
        col(PupilRow.sector_id) == col(BoardingRow.pupil_sector),
        col(PupilRow.pupil) == col(BoardingRow.pupil),
        col(PupilRow.home) == col(BoardingRow.home),
    )
    rows = select(BoardingRow).join(PupilRow, of_theirs).where(PupilRow.guardian == whose.pseudonym)
    for row in session.exec(rows.order_by(col(BoardingRow.number))):
        yield {"at": row.at, "sector_id": row.sector_id, "run_id": row.run_id, "stop_id": row.stop_id}
    own = select(BoardingRow).where(BoardingRow.by == whose.name).order_by(col(BoardingRow.number))
    for row in session.exec(own):
        yield {"at": row.at, "sector_id": row.sector_id, "run_id": row.run_id}


def _staged(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    rows = select(RunStageRow).where(RunStageRow.by == whose.name).order_by(col(RunStageRow.at), col(RunStageRow.id))
    for row in session.exec(rows):
        yield {"at": row.at, "sector_id": row.sector_id, "run_id": row.run_id}


# They go with their age (`retention.toml`), and hold pseudonyms of one school year.
HOLDINGS: Sequence[Holding] = (
    Holding("school_boarding", ("pupil", "pupil_sector", "by"), _boarded),
    Holding("school_run_stage", ("by",), _staged),
)
