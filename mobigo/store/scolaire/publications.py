"""Publications: which version of which study the coaches of a sector drive, from which day on, and who said so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Column, func
from sqlmodel import Field, Session, SQLModel, col, select

from mobigo.store.base import UtcDateTime
from mobigo.store.scolaire.sectors import get_sector, year_ends_at
from mobigo.store.scolaire.studies import Study, get_version
from mobigo.store.turns import take_turn


class PublicationRow(SQLModel, table=True):
    """A version that a person published: it holds from `valid_from` on, until the next one; nothing is taken back.

    Of several of one sector and day the one with the highest number holds.
    """

    __tablename__ = "school_publication"

    sector_id: str = Field(foreign_key="school_sector.id", primary_key=True)
    number: int = Field(primary_key=True)
    valid_from: date = Field(index=True)
    study_id: str = Field(foreign_key="school_study.id", index=True)
    version: int
    sha256: str
    published_by: str
    published_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    why: str
    year_ends_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


@dataclass(frozen=True, slots=True)
class Publication:
    """A published version; the day it holds from, and who said so."""

    sector_id: str
    number: int
    valid_from: date
    study_id: str
    version: int
    sha256: str
    published_by: str
    published_at: datetime
    why: str


def add_publication(session: Session, study: Study, valid_from: date, by: str, why: str, now: datetime) -> Publication:
    """Have the head of a study hold from a day on."""
    take_turn(session, f"school_publications:{study.sector_id}")
    highest = select(func.max(PublicationRow.number)).where(PublicationRow.sector_id == study.sector_id)
    row = PublicationRow(
        sector_id=study.sector_id,
        number=(session.exec(highest).one() or 0) + 1,
        valid_from=valid_from,
        study_id=study.study_id,
        version=study.head,
        sha256=get_version(session, study.study_id, study.head).sha256,
        published_by=by,
        published_at=now,
        why=why,
        year_ends_at=year_ends_at(get_sector(session, study.sector_id).school_year),
    )
    session.add(row)
    session.flush()
    return _publication(row)


def list_publications(session: Session, sector_ids: Sequence[str]) -> list[Publication]:
    """Everything that was ever published of sectors, the newest first."""
    rows = select(PublicationRow).where(col(PublicationRow.sector_id).in_(sector_ids))
    rows = rows.order_by(col(PublicationRow.sector_id), col(PublicationRow.number).desc())
    return [_publication(row) for row in session.exec(rows)]


def find_publication(session: Session, sector_id: str, day: date) -> Publication | None:
    """What holds in a sector on a day."""
    rows = select(PublicationRow).where(PublicationRow.sector_id == sector_id, PublicationRow.valid_from <= day)
    rows = rows.order_by(col(PublicationRow.valid_from).desc(), col(PublicationRow.number).desc())
    row = session.exec(rows.limit(1)).one_or_none()
    return None if row is None else _publication(row)


def _publication(row: PublicationRow) -> Publication:
    return Publication(
        row.sector_id,
        row.number,
        row.valid_from,
        row.study_id,
        row.version,
        row.sha256,
        row.published_by,
        row.published_at,
        row.why,
    )
