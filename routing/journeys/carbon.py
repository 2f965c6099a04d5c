"""Carbon: what a leg emits, from the dated table of official factors.

`factors.csv` beside this file holds the figures of ADEME's Impact CO2 (Base
Empreinte). Two figures are shown. The *legal* one is the use of the vehicle with
the production of its energy: what article D. 1431-1 and following of the Code des
transports ask to tell a traveller. The *full* one adds the making of the vehicle.

A new table is added as further rows with a later `valid_from`; rows are never
changed, so that a figure shown last year can be found again. Two official values
of the thermal car have existed (110.56 and 192.0 g/km): that is why.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files

CAR_CLASS = "CAR"
WALK_CLASS = "WALK"
CARPOOL_CLASS = "CARPOOL"  # the timetable's word: a car with its driver and one passenger
CARPOOL_ABOARD = 2

# The observed ratio of road to great circle is 1.08 to 1.43 in the region, 1.25 on average.
ROAD_DETOUR = 1.25


@dataclass(frozen=True, slots=True)
class Factor:
    """Emissions of one class of vehicle, in thousandths of a gram per kilometre.

    Of one passenger, or of the whole vehicle when `per_vehicle`.
    """

    carbon_class: str
    per_vehicle: bool
    legal_mg_per_km: int
    full_mg_per_km: int


@dataclass(frozen=True, slots=True)
class FactorTable:
    """The factors in force from a day on, under the name that answers cite."""

    name: str
    valid_from: date
    factors: dict[str, Factor]


@dataclass(frozen=True, slots=True)
class LegCarbon:
    """Emissions of one leg for one person."""

    legal_g: int
    full_g: int
    distance_m: int
    carbon_class: str
    legal_g_per_km: float
    full_g_per_km: float


@dataclass(frozen=True, slots=True)
class Carbon:
    """Emissions of a journey for one person, and of the same way alone in a thermal car."""

    legal_g: int
    full_g: int
    table: str
    car_alone_g: int


@cache
def all_tables() -> tuple[FactorTable, ...]:
    """Every table of `factors.csv`, oldest first."""
    lines = files("routing.journeys").joinpath("factors.csv").read_text("utf-8").splitlines()
    tables: dict[str, FactorTable] = {}
    for row in csv.DictReader(lines):
        table = tables.setdefault(row["table"], FactorTable(row["table"], date.fromisoformat(row["valid_from"]), {}))
        table.factors[row["class"]] = Factor(
            row["class"], row["basis"] == "vehicle", _mg(row["legal_g_per_km"]), _mg(row["full_g_per_km"])
        )
    return tuple(sorted(tables.values(), key=lambda table: table.valid_from))


def get_table(day: date) -> FactorTable:
    """The table in force on `day`; the oldest one for days before it."""
    tables = all_tables()
    return next((table for table in reversed(tables) if table.valid_from <= day), tables[0])


def find_leg_carbon(table: FactorTable, carbon_class: str, distance_m: int, n_aboard: int = 1) -> LegCarbon | None:
    """Emissions over `distance_m`, or None when no official factor exists for the class.

    A factor per vehicle is shared by the `n_aboard` people in it, and the class told
    is then `CARPOOL_<n>`. Each figure is rounded once, half a gram up.
    """
    if carbon_class == CARPOOL_CLASS:
        carbon_class, n_aboard = CAR_CLASS, max(n_aboard, CARPOOL_ABOARD)
    factor = table.factors.get(carbon_class)
    if factor is None:
        return None
    n_people = n_aboard if factor.per_vehicle else 1
    return LegCarbon(
        legal_g=_grams(distance_m, factor.legal_mg_per_km, n_people),
        full_g=_grams(distance_m, factor.full_mg_per_km, n_people),
        distance_m=distance_m,
        carbon_class=f"CARPOOL_{n_people}" if n_people > 1 else carbon_class,
        legal_g_per_km=factor.legal_mg_per_km / n_people / 1000,
        full_g_per_km=factor.full_mg_per_km / n_people / 1000,
    )


def find_sum(table: FactorTable, legs: Sequence[LegCarbon | None], car_distance_m: int) -> Carbon | None:
    """Emissions of all legs together, or None when one leg's are unknown: a part is not a sum."""
    known = [leg for leg in legs if leg is not None]
    if len(known) < len(legs):
        return None
    return Carbon(
        legal_g=sum(leg.legal_g for leg in known),
        full_g=sum(leg.full_g for leg in known),
        table=table.name,
        car_alone_g=_grams(car_distance_m, table.factors[CAR_CLASS].legal_mg_per_km, 1),
    )


def _mg(grams: str) -> int:
    return int(Decimal(grams) * 1000)


def _grams(distance_m: int, mg_per_km: int, n_people: int) -> int:
    return (2 * distance_m * mg_per_km + 1_000_000 * n_people) // (2_000_000 * n_people)
