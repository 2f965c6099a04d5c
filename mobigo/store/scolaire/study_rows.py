"""Rows of studies; private to this room. A plan names children by their pseudonyms: its file is sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Column, LargeBinary
from sqlmodel import Field, SQLModel

from mobigo.store.base import UtcDateTime


class StudyRow(SQLModel, table=True):
    """A study; `turn` is the number of the last line of its journal, `head` the version that is looked at."""

    __tablename__ = "school_study"

    id: str = Field(primary_key=True)  # `2026-haut-doubs-e1`
    sector_id: str = Field(foreign_key="school_sector.id", index=True)
    number: int
    title: str
    made_by: str
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    head: int
    turn: int
    year_ends_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class VersionRow(SQLModel, table=True):
    """One version of the plan of a study: the plan file, sealed; `parent` is the version it was made from."""

    __tablename__ = "school_study_version"

    study_id: str = Field(foreign_key="school_study.id", primary_key=True)
    number: int = Field(primary_key=True)
    parent: int | None = None
    sha256: str  # of the plan file
    figures: dict[str, int] | None = Field(default=None, sa_column=Column(JSON, nullable=True))  # for lists
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    year_ends_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class JournalRow(SQLModel, table=True):
    """One line of the journal: after it the head is `version`; what was changed and why are sealed."""

    __tablename__ = "school_study_line"

    study_id: str = Field(foreign_key="school_study.id", primary_key=True)
    number: int = Field(primary_key=True)
    act: str
    version: int
    done_by: str
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    year_ends_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
