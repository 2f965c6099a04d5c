"""Registered: children of decided requests among the pupils of their sector, and what families may choose from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, delete, func, update
from sqlmodel import Session, col, select

from mobigo.store.base import change
from mobigo.store.personal import OpensSealed
from mobigo.store.scolaire.applications import KeptHome, opened_home
from mobigo.store.scolaire.family_rows import HomeRow
from mobigo.store.scolaire.rows import PupilRow, SchoolRow, SectorRow, StopRow, VehicleTypeRow
from mobigo.store.scolaire.sectors import Seals, home_values, school_of, stop_of, year_ends_at
from scolaire.pupils import Pupil, School, Stop, StopStatus
from socle.errors import NotFound


@dataclass(frozen=True, slots=True)
class PlacedSchool:
    """A school and the sector that it is of."""

    sector_id: str
    sector_code: str
    school: School


def list_schools(session: Session, school_year: int) -> list[PlacedSchool]:
    """The schools of a year, by sector and name."""
    found = session.exec(
        select(SectorRow, SchoolRow)
        .join(SchoolRow, col(SchoolRow.sector_id) == col(SectorRow.id))
        .where(SectorRow.school_year == school_year)
        .order_by(col(SectorRow.code), col(SchoolRow.title), col(SchoolRow.school_id))
    )
    return [PlacedSchool(sector.id, sector.code, school_of(row)) for sector, row in found]


def get_school(session: Session, sector_id: str, school_id: str) -> School:
    """One school.

    Raises:
        NotFound: `unknown_school`.
    """
    row = session.get(SchoolRow, (sector_id, school_id))
    if row is None:
        raise NotFound("unknown_school")
    return school_of(row)


def find_school(session: Session, sector_id: str, school_id: str) -> School | None:
    """One school; None when the sector's files tell of it no more."""
    row = session.get(SchoolRow, (sector_id, school_id))
    return None if row is None else school_of(row)


def list_stops(session: Session, sector_id: str) -> list[Stop]:
    """The stops at which coaches of a sector may stop, by name."""
    rows = select(StopRow).where(StopRow.sector_id == sector_id, StopRow.status == StopStatus.VALIDATED)
    return [stop_of(row) for row in session.exec(rows.order_by(col(StopRow.title), col(StopRow.stop_id)))]


def has_wheelchair_places(session: Session, sector_id: str) -> bool:
    """Whether a sector has a vehicle with a place for a wheelchair."""
    rows = select(VehicleTypeRow).where(VehicleTypeRow.sector_id == sector_id, VehicleTypeRow.wheelchair_places > 0)
    return any(row.n_vehicles != 0 for row in session.exec(rows))


def put_pupil(
    session: Session,
    keys: Seals,
    sector_id: str,
    school_year: int,
    application_id: str,
    name: str,
    pupil: Pupil,
    guardians: Sequence[str | None],
    barred: Mapping[int, str],
) -> None:
    """Have a registered child be a pupil of its sector; `barred` says why no coach serves it from a home."""
    remove_pupil(session, application_id)
    last = session.exec(select(func.max(PupilRow.place)).where(PupilRow.sector_id == sector_id)).one()
    for number in range(len(pupil.homes)):
        session.add(
            PupilRow(
                sector_id=sector_id,
                place=(last or 0) + 1 + number,
                guardian=guardians[number],
                barred=barred.get(number),
                application_id=application_id,
                year_ends_at=year_ends_at(school_year),
                **home_values(keys, sector_id, name, pupil, number),
            )
        )
    session.flush()


def set_guardian(session: Session, application_id: str, home: int, guardian: str) -> None:
    """A child that was registered already is told of to who looks after it in this home from now on."""
    at = (col(PupilRow.application_id) == application_id, col(PupilRow.home) == home)
    change(session, update(PupilRow).where(*at).values(guardian=guardian))


def find_home(session: Session, keys: OpensSealed, sector_id: str, pupil: str, home: int) -> KeptHome | None:
    """The home of a child of a sector as its family registered it; None when an imported file tells of it."""
    row = session.exec(
        select(HomeRow)
        .join(
            PupilRow, and_(col(PupilRow.application_id) == HomeRow.application_id, col(PupilRow.home) == HomeRow.number)
        )
        .where(PupilRow.sector_id == sector_id, PupilRow.pupil == pupil, PupilRow.home == home)
    ).one_or_none()
    return None if row is None else opened_home(keys, row)


def remove_pupil(session: Session, application_id: str) -> None:
    """A child that was registered goes by coach no more."""
    change(session, delete(PupilRow).where(col(PupilRow.application_id) == application_id))
