"""Carpools: rides and amounts → the three public tables of a month, through `privacy`.

`carpool-od` counts rides between two places, `carpool-trips` tells each of the same rides in the
columns of the national registry's public file, `carpool-subsidies` sums what the books say was
spent. The first two are made from one partition: a pair of communes, or of their EPCI, or of their
départements, with the month and the kind of day.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from mobigo.opendata.communes import Ladder, PublicPlace
from mobigo.opendata.privacy import WITHHELD, Cell, Key, Released, Unit, release
from mobigo.opendata.tables import Column, Table, Value
from socle.money import Cents, render_euros
from socle.times import PARIS, public_holidays

K_PEOPLE: Final = 11  # different passengers, and different drivers, of a pair of places
K_RIDES: Final = 6  # rides that are told alike, of as many different passengers and drivers

LEVELS: Final = ("commune", "epci", "departement")
OTHERS: Final = "autres"
COUNTRY: Final = "France"

WORKDAY, SATURDAY, SUNDAY = "ouvrable", "samedi", "dimanche_ferie"
# First hour of each band, in local time; the first is that of the night before.
BANDS: Final = ((0, "nuit"), (6, "matin"), (9, "journee"), (16, "soir"), (19, "nuit"))
SLOT_MIN: Final = 10
DISTANCE_M: Final = 5_000
DURATION_MIN: Final = 10

_END = ("datetime", "date", "time", "lon", "lat", "insee", "department", "town", "towngroup", "country")
_OPTIONAL = frozenset({"datetime", "time", "lon", "lat", "insee", "department", "town", "towngroup"})


def _ends(end: str) -> list[Column]:
    return [Column(f"journey_{end}_{name}", required=name not in _OPTIONAL) for name in _END]


TRIP_COLUMNS: Final = (
    Column("journey_id"),
    Column("trip_id"),
    *_ends("start"),
    *_ends("end"),
    Column("passenger_seats", "integer", required=False),
    Column("operator_class", required=False),
    Column("journey_distance", "integer", required=False),
    Column("journey_duration", "integer", required=False),
    Column("has_incentive", required=False),
    Column("level"),
    Column("day_type"),
    Column("time_band", required=False),
)
OD_COLUMNS: Final = (
    Column("month"),
    Column("day_type"),
    Column("level"),
    Column("origin_code"),
    Column("origin_name"),
    Column("destination_code"),
    Column("destination_name"),
    Column("n_rides", "integer"),
)
SUBSIDY_COLUMNS: Final = (
    Column("month"),
    Column("ride_month", required=False),
    Column("line"),
    Column("euros", "number"),
)


@dataclass(frozen=True, slots=True)
class OpenRide:
    """A ride that counts, before anything is hidden."""

    passenger: str
    driver: str
    board_at: datetime
    alight_at: datetime
    origin: Ladder
    destination: Ladder
    seats: int
    distance_m: int
    proof_class: str
    is_paid: bool


@dataclass(frozen=True, slots=True)
class OpenAmount:
    """What one entry of the books adds to what was spent, for a ride of which month."""

    driver: str
    line: str
    ride_month: str
    cents: Cents


# --- rides -----------------------------------------------------------------------------------


def release_rides(rides: Sequence[OpenRide], month: str, k_people: int = K_PEOPLE, k_rides: int = K_RIDES) -> Released:
    """The cells of the rides of a month; the totals of a place and a kind of day count as known."""
    return release([_unit(ride, month) for ride in rides], k_people, k_rides, (_of_kind, _leaves, _reaches))


def _unit(ride: OpenRide, month: str) -> Unit:
    begins, ends = ride.board_at.astimezone(PARIS), ride.alight_at.astimezone(PARIS)
    kind = day_type(begins.date())
    levels = tuple(
        (month, kind, start.code, end.code) for start, end in zip(ride.origin, ride.destination, strict=True)
    )
    minutes = (ends - begins).total_seconds() / 60
    details = (
        time_band(begins),
        f"{begins.hour:02d}:{begins.minute // SLOT_MIN * SLOT_MIN:02d}",
        str(_nearest(ride.distance_m, DISTANCE_M)),
        str(_nearest(round(minutes), DURATION_MIN)),
        str(ride.seats),
        ride.proof_class,
        "true" if ride.is_paid else "false",
    )
    return Unit((ride.passenger, ride.driver), levels, details)


def _nearest(value: int, step: int) -> int:
    return (value + step // 2) // step * step


def _of_kind(key: Key) -> Key:
    _month, kind, _start, _end = key
    return "kind", kind


def _leaves(key: Key) -> Key:
    _month, kind, start, _end = key
    return "start", kind, start


def _reaches(key: Key) -> Key:
    _month, kind, _start, end = key
    return "end", kind, end


def day_type(day: date) -> str:
    """Whether people go to work on a day."""
    if day.weekday() == 6 or day in public_holidays(day.year):
        return SUNDAY
    return SATURDAY if day.weekday() == 5 else WORKDAY


def time_band(at: datetime) -> str:
    """The part of the day of a local time."""
    return next(name for first, name in reversed(BANDS) if at.hour >= first)


def od_table(released: Released, names: Mapping[str, PublicPlace]) -> Table:
    """How many rides there were between two places."""
    rows: list[tuple[Value, ...]] = []
    for cell in released.cells:
        month, kind, start, end = cell.key
        told = (start, names[start].name, end, names[end].name)
        rows.append((month, kind, LEVELS[cell.level], *told, len(cell.rows)))
    return Table("carpool-od", OD_COLUMNS, sorted(rows, key=_by_text))


def trips_table(
    released: Released,
    names: Mapping[str, PublicPlace],
    over: Mapping[str, Sequence[PublicPlace]],
    new_id: Callable[[], str] = lambda: secrets.token_hex(8),
) -> Table:
    """Each ride by itself; `over` gives the EPCI and the département of a commune, the département of an EPCI.

    Its ids are drawn for each row of each publication, so that nothing is followed from one to
    another, nor two rides in the car that they shared.
    """
    rows = [row for cell in released.cells for row in _trips_of(cell, names, over)]
    rows.sort(key=_by_text)
    return Table("carpool-trips", TRIP_COLUMNS, [(new_id(), new_id(), *row) for row in rows])


def _trips_of(
    cell: Cell, names: Mapping[str, PublicPlace], over: Mapping[str, Sequence[PublicPlace]]
) -> list[tuple[Value, ...]]:
    month, kind, start, end = cell.key
    begin = _where(cell.level, start, names, over)
    finish = _where(cell.level, end, names, over)
    rows: list[tuple[Value, ...]] = []
    for band, slot, metres, minutes, seats, proof, is_paid in cell.rows:
        rows.append(
            (
                None, month, slot or None, *begin,
                None, month, None, *finish,
                _whole(seats), proof or None, _whole(metres), _whole(minutes), is_paid or None,
                LEVELS[cell.level], kind, band or None,
            )
        )  # fmt: skip
    return rows


def _where(
    level: int, code: str, names: Mapping[str, PublicPlace], over: Mapping[str, Sequence[PublicPlace]]
) -> tuple[Value, ...]:
    """Longitude, latitude, commune, département, its name, the group's, the country: as far as the level tells."""
    place, above = names[code], over[code]
    if level == 0:
        lon, lat = (f"{place.at.lon:.3f}", f"{place.at.lat:.3f}") if place.at else (None, None)
        return lon, lat, place.code, above[1].code, place.name, above[0].name, COUNTRY
    if level == 1:
        return None, None, None, above[0].code, None, place.name, COUNTRY
    return None, None, None, place.code, None, None, COUNTRY


def _whole(detail: str) -> int | None:
    return None if detail == WITHHELD else int(detail)


def _by_text(row: Sequence[Value]) -> tuple[str, ...]:
    return tuple("" if value is None else str(value) for value in row)


# --- amounts ---------------------------------------------------------------------------------


def release_amounts(amounts: Sequence[OpenAmount], k: int = K_RIDES) -> Released:
    """What was spent by line and month of the rides; what concerns too few drivers is told together."""
    units = [Unit((one.driver,), ((one.ride_month, one.line), ("", OTHERS)), weight=one.cents) for one in amounts]
    return release(units, k)


def subsidies_table(released: Released, month: str) -> Table:
    """Euros by line, as the books of `month` have them."""
    rows: list[tuple[Value, ...]] = [
        (month, cell.key[0] or None, cell.key[1], render_euros(cell.weight)) for cell in released.cells
    ]
    return Table("carpool-subsidies", SUBSIDY_COLUMNS, sorted(rows, key=_by_text))
