"""Gazetteer: what can be named in the region: its communes, and the stops with the commune they are in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import log10

import numpy as np

from routing.journeys.words import folded_words
from socle.geo import LatLon, distances_m

REGION = "Bourgogne-Franche-Comté"
COUNTRY = "France"
DEPARTMENTS = {
    "21": "Côte-d’Or",
    "25": "Doubs",
    "39": "Jura",
    "58": "Nièvre",
    "70": "Haute-Saône",
    "71": "Saône-et-Loire",
    "89": "Yonne",
    "90": "Territoire de Belfort",
}

# A stop is taken to be in the commune whose name its own begins with, else in the nearest.
NAMED_COMMUNE_WITHIN_M = 15_000
NEAREST_COMMUNE_WITHIN_M = 8_000


class Kind(StrEnum):
    """What a place is."""

    STOP = "STOP"
    COMMUNE = "COMMUNE"


@dataclass(frozen=True, slots=True)
class Commune:
    """A commune of the table of places."""

    insee_code: str
    name: str
    at: LatLon
    population: int
    department: str
    zip_code: str = ""


@dataclass(frozen=True, slots=True)
class NamedStop:
    """A stop or station that can be typed: `stop` is its index in the timetable."""

    stop: int
    name: str
    at: LatLon
    modes: tuple[str, ...]
    importance: float


@dataclass(frozen=True, slots=True)
class Area:
    """An area that holds a place; `level` is 8 for a commune, 6 department, 4 region, 2 country (OpenStreetMap)."""

    name: str
    level: int


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """What a name stands for."""

    kind: Kind
    name: str
    at: LatLon
    importance: float
    areas: tuple[Area, ...]
    modes: tuple[str, ...] = ()
    stop: int = -1
    insee_code: str = ""
    zip_code: str = ""


def list_places(stops: Iterable[NamedStop], communes: Sequence[Commune]) -> list[NamedPlace]:
    """All communes and stops, each with the areas that hold it."""
    most_people = max((commune.population for commune in communes), default=1)
    around = _CommuneFinder(communes)
    places = [
        NamedPlace(
            Kind.COMMUNE,
            commune.name,
            commune.at,
            log10(1 + commune.population) / log10(1 + max(most_people, 9)),
            _areas_of(commune),
            insee_code=commune.insee_code,
            zip_code=commune.zip_code,
        )
        for commune in communes
    ]
    for stop in stops:
        commune = around.find(stop.name, stop.at)
        areas = _areas_of(commune) if commune else (Area(COUNTRY, 2),)
        zip_code = commune.zip_code if commune else ""
        places.append(
            NamedPlace(Kind.STOP, stop.name, stop.at, stop.importance, areas, stop.modes, stop.stop, zip_code=zip_code)
        )
    return places


def _areas_of(commune: Commune) -> tuple[Area, ...]:
    areas = [Area(commune.name, 8)]
    if commune.department in DEPARTMENTS:
        areas += [Area(DEPARTMENTS[commune.department], 6), Area(REGION, 4)]
    return (*areas, Area(COUNTRY, 2))


class _CommuneFinder:
    """Which commune a stop is in, without outlines: by its name, else by nearness."""

    def __init__(self, communes: Sequence[Commune]) -> None:
        self._communes = tuple(communes)
        self._lat = np.array([commune.at.lat for commune in communes], np.float64)
        self._lon = np.array([commune.at.lon for commune in communes], np.float64)
        self._names = [folded_words(commune.name) for commune in communes]

    def find(self, stop_name: str, at: LatLon) -> Commune | None:
        if not self._communes:
            return None
        metres = distances_m(at.lat, at.lon, self._lat, self._lon)
        words = folded_words(stop_name)
        near = np.flatnonzero(metres < NAMED_COMMUNE_WITHIN_M).tolist()
        named = [at for at in near if words[: len(self._names[at])] == self._names[at]]
        if named:  # the longest name: Semur-en-Auxois rather than a commune called Semur
            return self._communes[max(named, key=lambda at: (len(self._names[at]), -float(metres[at])))]
        nearest = int(np.argmin(metres))
        return self._communes[nearest] if metres[nearest] <= NEAREST_COMMUNE_WITHIN_M else None
