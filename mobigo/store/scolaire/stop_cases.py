"""Stop cases: stops that communes ask for, with their dossier, the opinions given, and the yearly review."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary
from sqlmodel import Field, Session, SQLModel, col, select

from mobigo.store.base import UtcDateTime
from mobigo.store.personal import Holding, OpensSealed, Row, Whose
from mobigo.store.scolaire.rows import StopRow
from mobigo.store.scolaire.sectors import stop_of
from scolaire.pupils import Stop, StopStatus
from scolaire.safety.dossier import Dossier, Says, Who
from socle.errors import NotFound
from socle.geo import LatLon


class StopCaseRow(SQLModel, table=True):
    """A stop that is asked for; `stop_id` names it among those of its sector."""

    __tablename__ = "school_stop_case"

    id: str = Field(primary_key=True)
    sector_id: str = Field(foreign_key="school_sector.id", index=True)
    stop_id: str
    commune: str = Field(index=True)
    state: str
    dossier: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    photo: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    photo_kind: str = ""
    requested_by: str  # as in the audit log
    requested_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    reviewed_on: date


class StopOpinionRow(SQLModel, table=True):
    """What somebody who must be asked says of a stop; of several the last one counts."""

    __tablename__ = "school_stop_opinion"

    case_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    who: str
    says: str
    words: str
    noted_by: str
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


@dataclass(frozen=True, slots=True)
class Opinion:
    """One opinion."""

    who: Who
    says: Says
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StopCase:
    """A stop that is asked for, as it stands."""

    case_id: str
    sector_id: str
    stop_id: str
    commune: str
    state: StopStatus
    dossier: Dossier
    photo_kind: str
    requested_at: datetime
    reviewed_on: date


def add_case(
    session: Session,
    sector_id: str,
    commune: str,
    dossier: Dossier,
    photo: tuple[str, bytes] | None,
    by: str,
    now: datetime,
) -> str:
    """Keep a stop that is asked for; its id."""
    case_id = secrets.token_hex(6)
    session.add(
        StopCaseRow(
            id=case_id,
            sector_id=sector_id,
            stop_id=f"D-{case_id}",
            commune=commune,
            state=str(StopStatus.REQUESTED),
            dossier=_told(dossier),
            photo=photo[1] if photo else None,
            photo_kind=photo[0] if photo else "",
            requested_by=by,
            requested_at=now,
            reviewed_on=now.date(),
        )
    )
    session.flush()
    return case_id


def _told(dossier: Dossier) -> dict[str, Any]:
    told = {name: getattr(dossier, name) for name in Dossier.__slots__ if name != "position"}
    return {**told, "lat": dossier.position.lat, "lon": dossier.position.lon}


def list_cases(session: Session, communes: Collection[str] | None = None) -> list[StopCase]:
    """The stops that were asked for, of some communes or all, the latest first."""
    rows = select(StopCaseRow)
    if communes is not None:
        rows = rows.where(col(StopCaseRow.commune).in_(communes))
    return [_case(row) for row in session.exec(rows.order_by(col(StopCaseRow.requested_at).desc(), StopCaseRow.id))]


def get_case(session: Session, case_id: str) -> StopCase:
    """A stop that was asked for.

    Raises:
        NotFound: `unknown_stop_case`.
    """
    return _case(_row(session, case_id))


def get_photo(session: Session, case_id: str) -> tuple[str, bytes] | None:
    """The photo of a stop and its media type."""
    row = _row(session, case_id)
    return None if row.photo is None else (row.photo_kind, row.photo)


def set_state(session: Session, case_id: str, state: StopStatus) -> None:
    """Note what was decided; the stop of the sector follows, and is made when there is none."""
    row = _row(session, case_id, locked=True)
    row.state = str(state)
    session.add(row)
    case = _case(row)
    stop = session.get(StopRow, (row.sector_id, row.stop_id))
    if stop is None:
        places = session.exec(select(StopRow.place).where(StopRow.sector_id == row.sector_id)).all()
        lat, lon = case.dossier.position
        stop = StopRow(
            sector_id=row.sector_id,
            stop_id=row.stop_id,
            place=max(places, default=-1) + 1,
            title=case.dossier.name,
            lat=lat,
            lon=lon,
            status=str(state),
        )
    stop.status = str(state)
    session.add(stop)
    session.flush()


def set_reviewed(session: Session, case_id: str, day: date) -> None:
    """Note that somebody looked at a stop again."""
    row = _row(session, case_id)
    row.reviewed_on = day
    session.add(row)
    session.flush()


def add_opinion(session: Session, case_id: str, opinion: Opinion, by: str) -> None:
    """Note what somebody says of a stop."""
    _row(session, case_id, locked=True)
    number = len(session.exec(select(StopOpinionRow.number).where(StopOpinionRow.case_id == case_id)).all())
    session.add(
        StopOpinionRow(
            case_id=case_id,
            number=number,
            who=str(opinion.who),
            says=str(opinion.says),
            words=opinion.words,
            noted_by=by,
            at=opinion.at,
        )
    )
    session.flush()


def list_opinions(session: Session, case_id: str) -> list[Opinion]:
    """What was said of a stop, the first first."""
    rows = select(StopOpinionRow).where(StopOpinionRow.case_id == case_id).order_by(col(StopOpinionRow.number))
    return [Opinion(Who(row.who), Says(row.says), row.words, row.at) for row in session.exec(rows)]


def standing(opinions: Sequence[Opinion]) -> Mapping[Who, Says]:
    """The opinion that counts of each who was asked."""
    return {one.who: one.says for one in opinions}


def list_sector_stops(session: Session, sector_id: str, but: str) -> list[Stop]:
    """The stops of a sector but one."""
    rows = select(StopRow).where(StopRow.sector_id == sector_id, StopRow.stop_id != but)
    return [stop_of(row) for row in session.exec(rows.order_by(col(StopRow.place)))]


def restore_stops(session: Session, sector_id: str) -> None:
    """After the files of a sector came again: the stops that were decided here are among its stops as before."""
    for row in session.exec(
        select(StopCaseRow).where(StopCaseRow.sector_id == sector_id).order_by(col(StopCaseRow.id))
    ).all():
        if row.state != StopStatus.REQUESTED:
            set_state(session, row.id, StopStatus(row.state))


def _row(session: Session, case_id: str, *, locked: bool = False) -> StopCaseRow:
    """The row of a case; `locked`: nobody else changes it before this transaction ends."""
    row = session.get(StopCaseRow, case_id, with_for_update=locked, populate_existing=locked)
    if row is None:
        raise NotFound("unknown_stop_case")
    return row


def _case(row: StopCaseRow) -> StopCase:
    told = dict(row.dossier)
    position = LatLon(told.pop("lat"), told.pop("lon"))
    dossier = Dossier(position=position, **told)
    return StopCase(
        row.id,
        row.sector_id,
        row.stop_id,
        row.commune,
        StopStatus(row.state),
        dossier,
        row.photo_kind,
        row.requested_at,
        row.reviewed_on,
    )


# --- what is held about who asked and who noted --------------------------------------------------


def _requested(session: Session, whose: Whose, _keys: OpensSealed) -> Sequence[Row]:
    rows = select(StopCaseRow).where(StopCaseRow.requested_by == whose.name).order_by(col(StopCaseRow.requested_at))
    return [
        {"at": row.requested_at, "stop_name": row.dossier["name"], "commune": row.commune, "stop_state": row.state}
        for row in session.exec(rows)
    ]


def _noted(session: Session, whose: Whose, _keys: OpensSealed) -> Sequence[Row]:
    rows = select(StopOpinionRow).where(StopOpinionRow.noted_by == whose.name).order_by(col(StopOpinionRow.at))
    return [
        {
            "at": row.at,
            "stop_case": row.case_id,
            "opinion_of": row.who,
            "opinion_says": row.says,
            "said_words": row.words,
        }
        for row in session.exec(rows)
    ]


HOLDINGS: Sequence[Holding] = (
    Holding("school_stop_opinion", ("noted_by",), _noted),
    Holding("school_stop_case", ("requested_by",), _requested),
)
