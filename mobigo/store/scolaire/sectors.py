"""Sectors: what the files of a sector told, kept in place of what they told before; children under pseudonyms."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
from sqlalchemy import delete
from sqlmodel import Session, SQLModel, col, select

from mobigo.store.base import change
from mobigo.store.bulk import add_all
from mobigo.store.personal import OpensSealed, Row
from mobigo.store.scolaire.rows import FindingRow, PupilRow, SchoolRow, SectorRow, StopRow, VehicleTypeRow
from mobigo.store.turns import take_turn
from scolaire.pupils import (
    Home,
    LeftOut,
    Level,
    Noon,
    Pupil,
    Regime,
    School,
    SchoolStatus,
    Sector,
    Stop,
    StopStatus,
    VehicleType,
)
from socle.errors import NotFound
from socle.findings import Finding, Severity
from socle.geo import LatLon

_YEAR_ENDS = (8, 31)  # of the year after the one in which it begins


class Seals(Protocol):
    """The keys that seal what is kept about children (`mobigo.security.Keys`)."""

    def seal(self, plain: str, place: str) -> bytes:
        """`plain`, sealed for `place`."""

    def open(self, sealed: bytes, place: str) -> str:
        """What was sealed for `place`."""

    def blind(self, kind: str, value: str) -> str:
        """What stands for `value` in a column."""

    def blinds(self, kind: str, value: str) -> tuple[str, ...]:
        """`blind` under every key."""


@dataclass(frozen=True, slots=True)
class KeptSector:
    """A sector as it stands in lists."""

    sector_id: str
    school_year: int
    code: str
    imported_at: datetime
    n_pupils: int
    n_left_out: int


class _Sealed(msgspec.Struct, array_like=True):
    """What is sealed of one home of a child."""

    pupil_id: str
    lat: float | None
    lon: float | None
    days: int
    stop_id: str | None
    commune: str
    road_m: int | None
    line: int
    birth_year: int | None
    wheelchair: bool
    sector_school_id: str | None
    derogation: str | None


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(_Sealed).decode


def sector_id_of(school_year: int, code: str) -> str:
    """The id of a sector in a school year."""
    return f"{school_year}-{code}"


def year_ends_at(school_year: int) -> datetime:
    """The instant from which what is kept of a school year counts as old."""
    return datetime(school_year + 1, *_YEAR_ENDS, tzinfo=UTC)


def put_sector(
    session: Session,
    keys: Seals,
    kept: KeptSector,
    sector: Sector,
    findings: Sequence[Finding],
    guardians: Mapping[str, str],
) -> None:
    """Keep a sector in place of what was kept under its id; a child who was known keeps the pseudonym.

    `guardians` are pseudonyms of accounts by the references that homes name. Children whom families registered stay,
    unless the files tell of them too.
    """
    take_turn(session, f"school_sector:{kept.sector_id}")
    rows = _pupil_rows(session, kept.sector_id)
    known = {row.found_by: row.pupil for row in rows}
    told = {blind for pupil in sector.pupils for blind in _blinds(keys, kept.sector_id, pupil.pupil_id)}
    for row in rows:
        if row.application_id is None or row.found_by in told:
            session.delete(row)
    session.flush()
    for table in (FindingRow, VehicleTypeRow, StopRow, SchoolRow):
        change(session, delete(table).where(col(table.sector_id) == kept.sector_id))
    session.merge(
        SectorRow(
            id=kept.sector_id,
            school_year=kept.school_year,
            code=kept.code,
            imported_at=kept.imported_at,
            n_pupils=kept.n_pupils,
            n_left_out=kept.n_left_out,
        )
    )
    session.flush()
    _add(session, SchoolRow, kept.sector_id, (_school_values(school) for school in sector.schools))
    _add(session, StopRow, kept.sector_id, (_stop_values(stop) for stop in sector.stops))
    _add(session, VehicleTypeRow, kept.sector_id, (_type_values(kind) for kind in sector.vehicle_types))
    ends_at = year_ends_at(kept.school_year)
    barred = {(one.pupil_id, one.line): one.code for one in sector.left_out}
    _add(
        session,
        PupilRow,
        kept.sector_id,
        _pupil_values(keys, kept.sector_id, sector.pupils, known, barred, guardians, ends_at),
    )
    add_all(
        session.connection(),
        FindingRow.__table__,  # type: ignore[attr-defined] # SQLModel's own
        (
            {"sector_id": kept.sector_id, "number": number, **finding.as_dict()}
            for number, finding in enumerate(findings)
        ),
    )


def _add(session: Session, row: type[SQLModel], sector_id: str, values: Iterable[Mapping[str, Any]]) -> None:
    table = row.__table__  # type: ignore[attr-defined] # SQLModel's own
    add_all(
        session.connection(),
        table,
        ({"sector_id": sector_id, "place": place, **told} for place, told in enumerate(values)),
    )


def _school_values(school: School) -> dict[str, Any]:
    return {
        "school_id": school.school_id,
        "title": school.name,
        "lat": school.position.lat,
        "lon": school.position.lon,
        "bell_am_s": school.bell_am_s,
        "bell_pm_s": school.bell_pm_s,
        "window_min_s": school.window_min_s,
        "window_max_s": school.window_max_s,
        "level": str(school.level),
        "ride_max_s": school.ride_max_s,
        "bell_wednesday_s": school.bell_wednesday_s,
        "status": str(school.status),
        "commune": school.commune,
        "wait_min_s": school.wait_min_s,
        "wait_max_s": school.wait_max_s,
        "shared_by": school.group,
        "noon": None if school.noon is None else asdict(school.noon),
    }


def _stop_values(stop: Stop) -> dict[str, Any]:
    lat, lon = stop.position
    return {"stop_id": stop.stop_id, "title": stop.name, "lat": lat, "lon": lon, "status": str(stop.status)}


def _type_values(kind: VehicleType) -> dict[str, Any]:
    return {
        "type_id": kind.type_id,
        "seats": kind.seats,
        "wheelchair_places": kind.wheelchair_places,
        "day_cents": kind.day_cents,
        "km_cents": kind.km_cents,
        "hour_cents": kind.hour_cents,
        "n_vehicles": kind.count,
        "lat": kind.depot.lat,
        "lon": kind.depot.lon,
        "lot": kind.lot,
    }


def _pupil_values(
    keys: Seals,
    sector_id: str,
    pupils: Iterable[Pupil],
    known: Mapping[str, str],
    barred: Mapping[tuple[str, int], str],
    guardians: Mapping[str, str],
    ends_at: datetime,
) -> Iterator[dict[str, Any]]:
    for pupil in pupils:
        blinds = _blinds(keys, sector_id, pupil.pupil_id)
        name = next((known[one] for one in blinds if one in known), None) or new_pseudonym()
        for number, home in enumerate(pupil.homes):
            yield {
                **home_values(keys, sector_id, name, pupil, number),
                "guardian": guardians.get(home.guardian or ""),
                "barred": barred.get((pupil.pupil_id, home.line)),
                "year_ends_at": ends_at,
            }


def home_values(keys: Seals, sector_id: str, name: str, pupil: Pupil, number: int) -> dict[str, Any]:
    """What a row holds of one home of a child whose pseudonym is `name`."""
    home = pupil.homes[number]
    position = home.position
    told = _Sealed(
        pupil.pupil_id,
        None if position is None else position.lat,
        None if position is None else position.lon,
        home.days,
        home.stop_id,
        home.commune,
        home.road_m,
        home.line,
        pupil.birth_year,
        pupil.wheelchair,
        pupil.sector_school_id,
        pupil.derogation,
    )
    return {
        "pupil": name,
        "home": number,
        "found_by": _blinds(keys, sector_id, pupil.pupil_id)[0],
        "school_id": pupil.school_id,
        "level": str(pupil.level),
        "regime": str(pupil.regime),
        "sealed": keys.seal(_ENCODE(told).decode(), _place(sector_id, name, number)),
    }


def _blinds(keys: Seals, sector_id: str, pupil_id: str) -> tuple[str, ...]:
    return keys.blinds(f"school_pupil:{sector_id}", pupil_id)


def new_pseudonym() -> str:
    """The name of a child in one sector and one school year."""
    return "eleve-" + secrets.token_hex(8)


def _place(sector_id: str, pupil: str, home: int) -> str:
    return f"school_pupil:{sector_id}:{pupil}:{home}"


# --- read back ---------------------------------------------------------------------------------


def list_sectors(session: Session, school_year: int) -> list[KeptSector]:
    """The sectors of a school year, by code."""
    rows = select(SectorRow).where(SectorRow.school_year == school_year).order_by(col(SectorRow.code))
    return [
        KeptSector(row.id, row.school_year, row.code, row.imported_at, row.n_pupils, row.n_left_out)
        for row in session.exec(rows)
    ]


def get_sector(session: Session, sector_id: str) -> KeptSector:
    """The sector with this id.

    Raises:
        NotFound: `unknown_sector`.
    """
    row = session.get(SectorRow, sector_id)
    if row is None:
        raise NotFound("unknown_sector", sector=sector_id)
    return KeptSector(row.id, row.school_year, row.code, row.imported_at, row.n_pupils, row.n_left_out)


def find_pseudonyms(session: Session, keys: Seals, sector_id: str, ids: Iterable[str]) -> dict[str, str]:
    """The pseudonyms of children by the ids that somebody gives: the office's, or the pseudonyms themselves."""
    columns = select(PupilRow.found_by, PupilRow.pupil).where(PupilRow.sector_id == sector_id, PupilRow.home == 0)
    by_blind = dict(session.exec(columns).all())
    names = set(by_blind.values())
    found = {}
    for one in ids:
        blinds = keys.blinds(f"school_pupil:{sector_id}", one)
        name = one if one in names else next((by_blind[blind] for blind in blinds if blind in by_blind), None)
        if name is not None:
            found[one] = name
    return found


def list_findings(session: Session, sector_id: str) -> list[Finding]:
    """What the last import of a sector found, in the order of the files."""
    rows = select(FindingRow).where(FindingRow.sector_id == sector_id).order_by(col(FindingRow.number))
    return [Finding(Severity(row.severity), row.code, row.file, row.line, row.facts) for row in session.exec(rows)]


def load_sector(session: Session, keys: Seals, sector_id: str) -> Sector:
    """The sector with pseudonyms for the ids of children.

    Raises:
        NotFound: `unknown_sector`.
    """
    if session.get(SectorRow, sector_id) is None:
        raise NotFound("unknown_sector", sector=sector_id)
    pupils: dict[str, list[tuple[PupilRow, _Sealed]]] = {}
    for row in _pupil_rows(session, sector_id):
        told = _DECODE(keys.open(row.sealed, _place(sector_id, row.pupil, row.home)))
        pupils.setdefault(row.pupil, []).append((row, told))
    plannable: list[tuple[int, int]] = []
    left_out: list[LeftOut] = []
    for place, homes in enumerate(pupils.values()):
        for row, told in homes:
            if row.barred is None:
                plannable.append((place, row.home))
            else:
                left_out.append(LeftOut(row.pupil, told.line, row.barred))
    return Sector(
        pupils=tuple(_pupil(name, homes) for name, homes in pupils.items()),
        schools=tuple(map(school_of, _rows(session, SchoolRow, sector_id))),
        stops=tuple(map(stop_of, _rows(session, StopRow, sector_id))),
        vehicle_types=tuple(map(_vehicle_type, _rows(session, VehicleTypeRow, sector_id))),
        plannable=tuple(plannable),
        left_out=tuple(left_out),
    )


def open_ids(session: Session, keys: Seals, sector_id: str) -> dict[str, str]:
    """The office's id of each child by pseudonym: for who may know; the service writes down that it was asked."""
    return {
        row.pupil: _DECODE(keys.open(row.sealed, _place(sector_id, row.pupil, row.home))).pupil_id
        for row in _pupil_rows(session, sector_id)
        if row.home == 0
    }


def opened_home(row: PupilRow, keys: OpensSealed) -> Row:
    """What is sealed of one home, for those whom it concerns."""
    told = _DECODE(keys.open(row.sealed, _place(row.sector_id, row.pupil, row.home)))
    return {
        "pupil_id": told.pupil_id,
        "lat": told.lat,
        "lon": told.lon,
        "school_days": told.days,
        "stop_id": told.stop_id,
        "commune": told.commune,
        "road_m": told.road_m,
        "birth_year": told.birth_year,
        "wheelchair": told.wheelchair,
        "sector_school_id": told.sector_school_id,
        "derogation": told.derogation,
    }


def _pupil_rows(session: Session, sector_id: str) -> Sequence[PupilRow]:
    rows = select(PupilRow).where(PupilRow.sector_id == sector_id)
    return session.exec(rows.order_by(col(PupilRow.place), col(PupilRow.pupil), col(PupilRow.home))).all()


def _rows(session: Session, row: Any, sector_id: str) -> Sequence[Any]:
    return session.exec(select(row).where(row.sector_id == sector_id).order_by(row.place)).all()


def _pupil(name: str, homes: Sequence[tuple[PupilRow, _Sealed]]) -> Pupil:
    row, told = homes[0]
    return Pupil(
        pupil_id=name,
        school_id=row.school_id,
        level=Level(row.level),
        regime=Regime(row.regime),
        homes=tuple(_home(one) for _row, one in homes),
        wheelchair=told.wheelchair,
        birth_year=told.birth_year,
        sector_school_id=told.sector_school_id,
        derogation=told.derogation,
    )


def _home(told: _Sealed) -> Home:
    position = None if told.lat is None or told.lon is None else LatLon(told.lat, told.lon)
    return Home(position, told.days, told.stop_id, told.commune, told.road_m, line=told.line)


def school_of(row: SchoolRow) -> School:
    """The school that a row tells of."""
    return School(
        school_id=row.school_id,
        name=row.title,
        position=LatLon(row.lat, row.lon),
        bell_am_s=row.bell_am_s,
        bell_pm_s=row.bell_pm_s,
        window_min_s=row.window_min_s,
        window_max_s=row.window_max_s,
        level=Level(row.level),
        ride_max_s=row.ride_max_s,
        bell_wednesday_s=row.bell_wednesday_s,
        status=SchoolStatus(row.status),
        commune=row.commune,
        wait_min_s=row.wait_min_s,
        wait_max_s=row.wait_max_s,
        group=row.shared_by,
        noon=None if row.noon is None else Noon(**row.noon),
    )


def stop_of(row: StopRow) -> Stop:
    """The stop that a row tells of."""
    return Stop(row.stop_id, row.title, LatLon(row.lat, row.lon), StopStatus(row.status))


def _vehicle_type(row: VehicleTypeRow) -> VehicleType:
    return VehicleType(
        type_id=row.type_id,
        seats=row.seats,
        wheelchair_places=row.wheelchair_places,
        day_cents=row.day_cents,
        km_cents=row.km_cents,
        hour_cents=row.hour_cents,
        count=row.n_vehicles,
        depot=LatLon(row.lat, row.lon),
        lot=row.lot,
    )
