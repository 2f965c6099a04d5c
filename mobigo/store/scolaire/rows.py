"""Rows of school transport; private to this room.

A child stands in them under a pseudonym of one sector and one year, drawn when the child is first seen: nobody can
follow a child from year to year. What the office wrote about the child is sealed; only what is counted is not.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary
from sqlmodel import Field, SQLModel

from mobigo.store.base import UtcDateTime


class SectorRow(SQLModel, table=True):
    """A sector in one school year, as its files were last imported."""

    __tablename__ = "school_sector"

    id: str = Field(primary_key=True)  # `2026-haut-doubs`
    school_year: int = Field(index=True)
    code: str
    imported_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    n_pupils: int
    n_left_out: int


class SchoolRow(SQLModel, table=True):
    """A school of a sector."""

    __tablename__ = "school"

    sector_id: str = Field(foreign_key="school_sector.id", primary_key=True)
    school_id: str = Field(primary_key=True)
    place: int  # in the file: what is read back is in the order in which it was written
    title: str
    lat: float
    lon: float
    bell_am_s: int | None = None
    bell_pm_s: int | None = None
    window_min_s: int
    window_max_s: int
    level: str
    ride_max_s: int
    bell_wednesday_s: int | None = None
    status: str
    commune: str
    wait_min_s: int
    wait_max_s: int
    shared_by: str  # the villages that share their schools
    noon: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))


class StopRow(SQLModel, table=True):
    """A stop of a sector."""

    __tablename__ = "school_stop"

    sector_id: str = Field(foreign_key="school_sector.id", primary_key=True)
    stop_id: str = Field(primary_key=True)
    place: int
    title: str
    lat: float
    lon: float
    status: str


class VehicleTypeRow(SQLModel, table=True):
    """A kind of vehicles of a sector."""

    __tablename__ = "school_vehicle_type"

    sector_id: str = Field(foreign_key="school_sector.id", primary_key=True)
    type_id: str = Field(primary_key=True)
    place: int
    seats: int
    wheelchair_places: int
    day_cents: int
    km_cents: int
    hour_cents: int
    n_vehicles: int | None = None
    lat: float
    lon: float
    lot: str


class PupilRow(SQLModel, table=True):
    """One home of a child; `found_by` finds the child by the office's id, `barred` says why no coach can serve it."""

    __tablename__ = "school_pupil"

    sector_id: str = Field(foreign_key="school_sector.id", primary_key=True)
    pupil: str = Field(primary_key=True)
    home: int = Field(primary_key=True)
    place: int
    found_by: str
    guardian: str | None = Field(default=None, index=True)  # pseudonym of the account
    school_id: str
    level: str
    regime: str
    barred: str | None = None
    application_id: str | None = Field(default=None, index=True)  # of who was registered here, not told by a file
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    year_ends_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class FindingRow(SQLModel, table=True):
    """A finding of the last import."""

    __tablename__ = "school_finding"

    sector_id: str = Field(foreign_key="school_sector.id", primary_key=True)
    number: int = Field(primary_key=True)
    severity: str
    code: str
    file: str
    line: int | None = None
    facts: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))


class RuleBookRow(SQLModel, table=True):
    """The document of a rule book by which something was decided, for ever."""

    __tablename__ = "school_rule_book"

    version: str = Field(primary_key=True)
    book_id: str
    valid_from: date
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    kept_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class DecisionRow(SQLModel, table=True):
    """A decision about one home of a child, on sealed facts; of several of one home the highest number holds."""

    __tablename__ = "school_decision"

    sector_id: str = Field(foreign_key="school_sector.id", primary_key=True)
    pupil: str = Field(primary_key=True)
    home: int = Field(primary_key=True)
    number: int = Field(primary_key=True)
    book_version: str = Field(foreign_key="school_rule_book.version")
    facts_key: str  # tells whether facts are the same, without telling them
    verdict: str
    reason: str
    missing: list[str] = Field(sa_column=Column(JSON, nullable=False))
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    decided_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    year_ends_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
