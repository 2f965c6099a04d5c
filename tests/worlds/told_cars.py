"""Carpools told in short, for tests of rules: minutes after eight, people by letter, places by kilometres north."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from covoiturage.carpool import Carpool, Evidence, Kind, Ride, Side
from covoiturage.fraud.car import check_car
from covoiturage.fraud.checks import find_labels
from covoiturage.fraud.labels import Known, Label, Way
from covoiturage.fraud.traces import traces_of
from socle.geo import LatLon

EIGHT = datetime(2026, 3, 2, 8, tzinfo=UTC)
KM_PER_DEGREE = 111.195


def at(minute: float, day: int = 0) -> datetime:
    return EIGHT + timedelta(days=day, minutes=minute)


def north(km: float, east: float = 0.0) -> LatLon:
    return LatLon(47 + km / KM_PER_DEGREE, 6 + east / KM_PER_DEGREE / 0.682)


def car(
    carpool_id: str = "C1",
    driver: str = "d",
    passengers: str = "p",
    begin: float = 0,
    end: float = 30,
    *,
    day: int = 0,
    metres: int = 25_000,
    evidence: tuple[Evidence, ...] = (),
    seats: int = 1,
) -> Carpool:
    rides = tuple(
        Ride(f"{carpool_id}-{one}", one, seats, at(begin, day), at(end, day), metres, evidence=evidence)
        for one in passengers
    )
    return Carpool(carpool_id, driver, at(begin, day), at(end, day), rides)


def was(by: str, minute: float, km: float, east: float = 0.0, *, device: str | None = None) -> Evidence:
    """Where somebody's phone was on the way north of half an hour; two phones err by some metres."""
    east += (ord(by) - ord("d")) / 1000
    side = Side.BOARD if minute < 15 else Side.ALIGHT
    return Evidence(Kind.POSITION, side, by, at(minute), device or f"phone-{by}", north(km, east))


def told(carpool: Carpool, known: Known | None = None) -> set[str]:
    """The labels of one car by itself."""
    return {str(label.code) for label in check_car(carpool, traces_of(carpool), known or Known())}


def found(*carpools: Carpool, known: Known | None = None) -> list[tuple[str, str]]:
    """The labels of several cars: carpool and code."""
    return [(label.carpool_id, str(label.code)) for label in find_labels(carpools, known or Known())]


def label_of(code: str, *carpools: Carpool, known: Known | None = None) -> Label:
    """The one label of that code."""
    (label,) = [one for one in find_labels(carpools, known or Known()) if one.code == code]
    return label


def way(start_km: float, end_km: float, routed_m: int | None = None, routed_s: int | None = None) -> Way:
    return Way(north(start_km), north(end_km), routed_m, routed_s)
