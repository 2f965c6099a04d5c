"""Rows of registration: requests of families, their homes, steps and papers, absences; private to this room.

What a family wrote is sealed; in clear stands only what the office filters by. A guardian stands in a home under
the pseudonym of the account, and how the guardian is reached lies sealed apart, so that it goes with the account.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Column, ColumnElement, Index, LargeBinary, literal_column
from sqlmodel import Field, SQLModel

from mobigo.store.base import UtcDateTime

TWINS = "ix_school_application_twins"
_COUNTS: ColumnElement[bool] = literal_column("state NOT IN ('draft', 'withdrawn')")


def _instant(*, index: bool = False) -> datetime:
    return Field(sa_column=Column(UtcDateTime, nullable=False, index=index))  # type: ignore[no-any-return] # SQLModel says Any


def _sealed() -> bytes:
    return Field(sa_column=Column(LargeBinary, nullable=False))  # type: ignore[no-any-return] # SQLModel says Any


class ApplicationRow(SQLModel, table=True):
    """A request for one child in one school year; `found_by` is equal for the same child, `code` is on its letters."""

    __tablename__ = "school_application"
    # Of two requests for one child that are handed in at once, the second is refused by the database.
    __table_args__ = (
        Index(TWINS, "school_year", "found_by", unique=True, sqlite_where=_COUNTS, postgresql_where=_COUNTS),
    )

    id: str = Field(primary_key=True)
    code: str = Field(unique=True)
    school_year: int = Field(index=True)
    sector_id: str = Field(foreign_key="school_sector.id", index=True)
    school_id: str
    level: str
    state: str = Field(index=True)
    channel: str
    is_late: bool
    has_appeal: bool
    pupil: str  # the child's pseudonym in the sector
    found_by: str | None = Field(default=None, index=True)
    made_by: str  # as in the audit log
    made_at: datetime = _instant()
    changed_at: datetime = _instant()
    submitted_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    sealed: bytes = _sealed()
    year_ends_at: datetime = _instant(index=True)


class HomeRow(SQLModel, table=True):
    """One home of a request, and what was decided for it."""

    __tablename__ = "school_application_home"

    application_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    guardian: str | None = Field(default=None, index=True)  # pseudonym of the account
    commune: str = Field(index=True)
    days: int
    stop_id: str | None = None
    verdict: str | None = None  # what holds: the book's, or the office's in its place
    reason: str | None = None
    is_overridden: bool = False
    link_hash: str | None = Field(default=None, index=True)
    link_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    sealed: bytes = _sealed()
    sealed_contact: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    year_ends_at: datetime = _instant(index=True)


class StepRow(SQLModel, table=True):
    """Something that was done with a request; added, never changed."""

    __tablename__ = "school_application_step"

    application_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    at: datetime = _instant()
    by: str
    deed: str
    home: int | None = None
    about: str = ""  # a word: which paper, which verdict
    sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    year_ends_at: datetime = _instant(index=True)


class PaperRow(SQLModel, table=True):
    """A paper that a request must bring."""

    __tablename__ = "school_application_paper"

    application_id: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    received_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    year_ends_at: datetime = _instant(index=True)


class AbsenceRow(SQLModel, table=True):
    """Days on which a child does not come."""

    __tablename__ = "school_absence"

    id: str = Field(primary_key=True)
    application_id: str = Field(index=True)
    guardian: str  # who declared it
    first_day: date
    last_day: date
    part: str
    declared_at: datetime = _instant()
    taken_back_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    year_ends_at: datetime = _instant(index=True)


class OrganiserRow(SQLModel, table=True):
    """A commune or a school that somebody of a second-rank organiser sees to."""

    __tablename__ = "school_organiser"

    holder: str = Field(primary_key=True)  # pseudonym of the account
    kind: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    given_by: str
    given_at: datetime = _instant()
