"""Schools: fictitious collèges and lycées where the people are, their pupils, and sectors made of both.

A collège stands in every commune of 2,500 people, one more for each 15,000; a lycée in every commune of 9,000, one
more for each 25,000. 5.0 % of a place's people are of collège age, 3.6 % of lycée age; they go to the nearest by
road, and four in five of those who live farther than 3 km away apply. Some live in hamlets along the roads, which
have a stop of their own where four of them wait.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from mobigo.demo.chance import between, fraction, whole_between
from mobigo.demo.coaches.stops import moved, town_radius_m, town_stops
from mobigo.demo.facts import Commune
from mobigo.demo.roads import EXPRESS, PRIMARY, SECONDARY, RoadGraph, RoadRows
from mobigo.demo.streets import Streets
from scolaire.pupils import (
    SCHOOL_WEEK,
    Home,
    Level,
    Pupil,
    Regime,
    School,
    Sector,
    Stop,
    StopStatus,
    VehicleType,
)
from socle.geo import LatLon, distance_m, length_m

SECTOR_TOWNS: Final = ("25578", "25462", "25204", "25411", "25356")  # Valdahon, Pontarlier, Doubs, Morteau, Maîche
SECTOR_NAME: Final = "haut-doubs"
SCHOOL_YEAR: Final = 2026  # births and levels are those of this year; ids do not depend on the start

_LEVELS: Final = (Level.COLLEGE, Level.LYCEE)
_LEAST_PEOPLE: Final = {Level.COLLEGE: 2_500, Level.LYCEE: 9_000}
_ONE_MORE: Final = {Level.COLLEGE: 15_000, Level.LYCEE: 25_000}
_OF_AGE: Final = {Level.COLLEGE: 0.050, Level.LYCEE: 0.036}
_FIRST_AGE: Final = {Level.COLLEGE: 11, Level.LYCEE: 15}
_YEARS: Final = {Level.COLLEGE: 4, Level.LYCEE: 3}
_BELLS: Final = {Level.COLLEGE: (8 * 3_600, 17 * 3_600), Level.LYCEE: (7 * 3_600 + 3_300, 17 * 3_600 + 3_300)}
_NOON: Final = 12 * 3_600
_RIDE_MAX_S: Final = {Level.COLLEGE: 45 * 60, Level.LYCEE: 60 * 60}
_WINDOW_S: Final = (5 * 60, 15 * 60)
_WORDS: Final = {Level.COLLEGE: ("c", "Collège"), Level.LYCEE: ("l", "Lycée")}
_FAR_M: Final = 3_000
_TOO_FAR_M: Final = {Level.COLLEGE: 40_000, Level.LYCEE: 15_000}  # beyond, one takes a train or a coach line, or boards
_APPLY: Final = 0.80
_IN_HAMLETS: Final = 0.15
_LEAST_AT_STOP: Final = 4
_HAMLET_AWAY_M: Final = 2_500  # from the commune's middle, a third of the way to the next at most
_HAMLET_M: Final = 150  # from the stop of a hamlet to its houses
_TWO_HOMES, _WHEELCHAIR, _BOARDER, _DAY_PUPIL = 0.02, 0.004, 0.08, 0.20
_MONDAY, _MONDAY_AND_TUESDAY = 0b00001, 0b00011
_VOWELS: Final = frozenset("AEÉÈIOUYH")
_DEPOTS: Final = ("25462", "25578", "25411")  # where coaches are garaged
_FLEET: Final = ((59, 0, 23_500, 135, 3_400), (33, 0, 19_000, 110, 3_100), (22, 2, 17_500, 95, 3_000))


@dataclass(frozen=True, slots=True)
class SitedSchool:
    """A school and its commune, by its position among the places of the roads."""

    school: School
    place: int


def schools_of(roads: RoadGraph, seed: int) -> tuple[SitedSchool, ...]:
    """Every school of the region, in the order of places, collèges first."""
    found = []
    for level in _LEVELS:
        letter, word = _WORDS[level]
        bell_am, bell_pm = _BELLS[level]
        for place, commune in enumerate(roads.places):
            if commune.population < _LEAST_PEOPLE[level]:
                continue
            n_schools = 1 + commune.population // _ONE_MORE[level]
            for number in range(1, n_schools + 1):
                school_id = f"{letter}-{commune.insee_code}-{number}"
                far = town_radius_m(commune.population) * between(0.2, 0.7, seed, "school", school_id)
                name = f"{word} de démonstration {_of(commune.name)}" + (f" {number}" if n_schools > 1 else "")
                found.append(
                    SitedSchool(
                        School(
                            school_id,
                            name,
                            moved(commune.at, far, fraction(seed, "school-bearing", school_id)),
                            bell_am,
                            bell_pm,
                            *_WINDOW_S,
                            level,
                            _RIDE_MAX_S[level],
                            bell_wednesday_s=_NOON,
                            commune=commune.insee_code,
                        ),
                        place,
                    )
                )
    return tuple(found)


def _of(name: str) -> str:
    """De Dijon, d’Avoudrey, du Russey, des Fins."""
    for article, joined in (("Le ", "du "), ("Les ", "des ")):
        if name.startswith(article):
            return joined + name.removeprefix(article)
    return f"d’{name}" if name[0] in _VOWELS else f"de {name}"


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where pupils of a commune live and wait."""

    place: int
    streets: tuple[LatLon, ...]  # nodes of its streets
    stops: tuple[Stop, ...]
    hamlet: Stop | None


class _Drawn:
    """What one call of `draw_sector` knows."""

    def __init__(self, roads: RoadGraph, streets: Streets, seed: int) -> None:
        self.roads, self.seed = roads, seed
        self.schools = schools_of(roads, seed)
        self._nodes = np.column_stack([streets.lat, streets.lon])
        self._rows: RoadRows = roads.rows((SECONDARY, PRIMARY, EXPRESS))

    def nearest(self, level: Level) -> tuple[list[int], list[int]]:
        """For every place: the place of the nearest commune that has a school of the level, and the metres there."""
        sites = sorted({one.place for one in self.schools if one.school.level is level})
        ways = self._rows.ways_from(sites)
        best = ways.metres.argmin(axis=0)
        return [sites[row] for row in best.tolist()], ways.metres.min(axis=0).tolist()

    def origin(self, place: int, with_hamlet: bool) -> _Origin:
        """The homes and stops of a commune."""
        commune = self.roads.places[place]
        around = self._nodes - np.array(commune.at)
        radius = max(town_radius_m(commune.population), 250.0)
        near = np.flatnonzero(np.hypot(around[:, 0] * 111_195, around[:, 1] * 75_800) <= radius)
        streets = tuple(LatLon(round(lat, 6), round(lon, 6)) for lat, lon in self._nodes[near].tolist())
        stops = tuple(
            Stop(f"s-{one.stop_id}", one.name, one.at, StopStatus.VALIDATED)
            for one in town_stops(commune, (), self.seed)
        )
        hamlet = self._hamlet(place) if with_hamlet else None
        return _Origin(place, streets or (commune.at,), stops, hamlet)

    def _hamlet(self, place: int) -> Stop:
        """A stop on a drawn road to a neighbour."""
        commune = self.roads.places[place]
        edges = [edge for edge, ends in enumerate(self.roads.ends.tolist()) if place in ends]
        edge = edges[int(len(edges) * fraction(self.seed, "hamlet", commune.insee_code))]
        one, other = self.roads.ends[edge].tolist()
        towards = self.roads.places[other if one == place else one]
        line = self.roads.line_between(edge, place)
        at = _along(line, min(length_m(line) / 3, _HAMLET_AWAY_M))
        return Stop(
            f"s-{commune.insee_code}-hameau", f"{commune.name}, route {_of(towards.name)}", at, StopStatus.VALIDATED
        )


def _along(line: Sequence[LatLon], metres: float) -> LatLon:
    """The point of a line that lies so far from its beginning."""
    left = metres
    for one, other in pairwise(line):
        length = distance_m(one, other)
        if length > 0 and left <= length:
            part = left / length
            lat, lon = one.lat + (other.lat - one.lat) * part, one.lon + (other.lon - one.lon) * part
            return LatLon(round(lat, 6), round(lon, 6))
        left -= length
    return line[-1]


def draw_sector(roads: RoadGraph, streets: Streets, seed: int, towns: Sequence[str] | None = SECTOR_TOWNS) -> Sector:
    """The schools of some towns and the pupils who go there from elsewhere; of all towns when None."""
    drawn = _Drawn(roads, streets, seed)
    wanted = {roads.place_index[town] for town in towns} if towns is not None else set(range(len(roads.places)))
    going = list(_going(drawn, wanted))
    counts: dict[int, int] = defaultdict(int)
    for place, _level, n_pupils, _school, _metres in going:
        counts[place] += n_pupils
    pupils: list[Pupil] = []
    stops: list[Stop] = []
    hamlets = {place: round(n * _IN_HAMLETS) for place, n in counts.items()}
    origins = {place: drawn.origin(place, hamlets[place] >= _LEAST_AT_STOP) for place in sorted(counts)}
    for origin in origins.values():
        stops += [*origin.stops, *([origin.hamlet] if origin.hamlet else [])]
    used: set[str] = set()
    for place, level, n_pupils, school_place, metres in going:
        for number in range(n_pupils):
            pupils.append(_pupil(drawn, origins[place], level, number, school_place, metres))
            used.update(home.stop_id or "" for home in pupils[-1].homes)
    schools = tuple(one.school for one in drawn.schools if one.place in wanted)
    return Sector(
        tuple(pupils),
        schools,
        tuple(stop for stop in stops if stop.stop_id in used),
        tuple(_vehicles(roads)),
        tuple((at, home) for at, pupil in enumerate(pupils) for home in range(len(pupil.homes))),
        (),
    )


def _going(drawn: _Drawn, wanted: set[int]) -> Iterator[tuple[int, Level, int, int, int]]:
    """Place, level, pupils, the place of their school and the metres there, where it is far and wanted."""
    for level in _LEVELS:
        school_place, metres = drawn.nearest(level)
        for place, commune in enumerate(drawn.roads.places):
            if school_place[place] not in wanted or not _FAR_M < metres[place] <= _TOO_FAR_M[level]:
                continue
            exact = commune.population * _OF_AGE[level] * _APPLY
            n_pupils = int(exact + fraction(drawn.seed, "pupils", level, commune.insee_code))
            if n_pupils:
                yield place, level, n_pupils, school_place[place], metres[place]


def _pupil(drawn: _Drawn, origin: _Origin, level: Level, number: int, school_place: int, metres: int) -> Pupil:
    commune: Commune = drawn.roads.places[origin.place]
    key = f"{_WORDS[level][0]}{commune.insee_code}-{number:03d}"

    def draw(kind: str) -> float:
        return fraction(drawn.seed, f"pupil-{kind}", key)

    schools = [one.school for one in drawn.schools if one.place == school_place and one.school.level is level]
    school = schools[int(len(schools) * draw("school"))]
    regime = Regime.DAY if draw("regime") < _DAY_PUPIL else Regime.HALF_BOARD
    days = SCHOOL_WEEK
    if level is Level.LYCEE and draw("boarder") < _BOARDER:
        regime, days = Regime.BOARDER, _MONDAY
    homes = [_home(drawn, origin, key, days, metres)]
    if regime is not Regime.BOARDER and draw("homes") < _TWO_HOMES:
        first = _home(drawn, origin, key, _MONDAY_AND_TUESDAY, metres)
        homes = [first, _home(drawn, origin, f"{key}-b", SCHOOL_WEEK & ~_MONDAY_AND_TUESDAY, metres)]
    age = whole_between(_FIRST_AGE[level], _FIRST_AGE[level] + _YEARS[level] - 1, drawn.seed, "pupil-age", key)
    return Pupil(
        f"demo-{key}",
        school.school_id,
        level,
        regime,
        tuple(homes),
        wheelchair=draw("wheelchair") < _WHEELCHAIR,
        birth_year=SCHOOL_YEAR - age,
        sector_school_id=school.school_id,
    )


def _home(drawn: _Drawn, origin: _Origin, key: str, days: int, metres: int) -> Home:
    """A home on a street of the commune or in its hamlet, and the stop next to it."""
    seed = drawn.seed
    commune = drawn.roads.places[origin.place]
    if origin.hamlet is not None and fraction(seed, "in-hamlet", key) < _IN_HAMLETS:
        far = _HAMLET_M * fraction(seed, "hamlet-far", key)
        at = moved(origin.hamlet.position, far, fraction(seed, "hamlet-bearing", key))
        return Home(at, days, origin.hamlet.stop_id, commune.insee_code, metres)
    at = origin.streets[int(len(origin.streets) * fraction(seed, "home", key))]
    stop = min(origin.stops, key=lambda one: (distance_m(one.position, at), one.stop_id))
    return Home(at, days, stop.stop_id, commune.insee_code, metres)


def _vehicles(roads: RoadGraph) -> Iterator[VehicleType]:
    for letter, insee_code in zip("ABC", _DEPOTS, strict=True):
        depot = roads.places[roads.place_index[insee_code]].at
        for seats, wheelchair_places, day, km, hour in _FLEET:
            type_id = f"{letter}{seats}"
            yield VehicleType(type_id, seats, wheelchair_places, day, km, hour, None, depot, f"Lot {letter}")
