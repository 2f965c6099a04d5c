"""Where a coach line stops in each commune, and the course of its vehicle.

A commune has one stop, and one more for each 2,500 people, four at most; one at the
station, where there is one near the centre. All stand on drawn places, none is real.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from math import cos, hypot, pi, radians, sin, sqrt

from mobigo.demo.chance import between
from mobigo.demo.coaches.lines import NO_COACHES_IN, CoachLine
from mobigo.demo.facts import Commune, Facts, Station
from mobigo.demo.roads import RoadGraph
from socle.geo import LatLon, distance_m

TOWN_HALL, CHURCH, SCHOOL, MARKET, STATION = "mairie", "eglise", "college", "halle", "gare"
_NAMES = {TOWN_HALL: "Mairie", CHURCH: "Église", SCHOOL: "Collège", MARKET: "Halle", STATION: "Gare"}
_IN_ORDER = (TOWN_HALL, CHURCH, SCHOOL, MARKET)
_PEOPLE_PER_STOP = 2_500
_STATION_NEAR_M = 400  # beyond the edge of the town
_CORE_M = 1_000  # coaches keep to the core of a large town
_FORECOURT_M = 60  # from the station's place to the coach stop before it
_METRES_PER_DEGREE = 111_195.0
# People per km² in the built-up part, from this many people on.
_DENSITY = ((50_000, 4_000), (5_000, 2_000), (0, 1_000))


@dataclass(frozen=True, slots=True)
class CoachStop:
    """A stop of the coaches."""

    stop_id: str
    name: str
    at: LatLon
    uic8: str | None  # the station it serves


@dataclass(frozen=True, slots=True)
class Course:
    """A line in one direction: its stops, the shape of its way and where on it each stop lies."""

    stops: tuple[CoachStop, ...]
    place_of_stop: tuple[int, ...]  # positions in `places`
    shape: tuple[LatLon, ...]
    shape_m: tuple[int, ...]  # metres from the start at each point of the shape
    stop_m: tuple[int, ...]  # and at each stop


def town_radius_m(population: int) -> float:
    """Radius of the disc that holds `population` people at the density of a place of its size."""
    density = next(per_km2 for least, per_km2 in _DENSITY if population >= least)
    return 1000 * sqrt(population / density / pi)


def moved(at: LatLon, metres: float, bearing: float) -> LatLon:
    """The place `metres` away at `bearing` (a fraction of the turn, from north by east)."""
    north, east = metres * cos(2 * pi * bearing), metres * sin(2 * pi * bearing)
    return LatLon(
        round(at.lat + north / _METRES_PER_DEGREE, 6),
        round(at.lon + east / _METRES_PER_DEGREE / cos(radians(at.lat)), 6),
    )


def find_near_station(commune: Commune, stations: Sequence[Station]) -> Station | None:
    """The busiest station with trains that the town reaches; the table lists the busiest first."""
    reach_m = town_radius_m(commune.population) + _STATION_NEAR_M
    return next((s for s in stations if s.has_trains and distance_m(s.at, commune.at) <= reach_m), None)


def town_stops(commune: Commune, stations: Sequence[Station], seed: int) -> tuple[CoachStop, ...]:
    """The stops of a commune, the town hall first, the station last."""
    n = min(len(_IN_ORDER), 1 + commune.population // _PEOPLE_PER_STOP)
    radius_m = town_radius_m(commune.population)
    turn = between(0, 1, seed, "town", commune.insee_code)
    stops = []
    for k, kind in enumerate(_IN_ORDER[:n]):
        metres = 0.0 if k == 0 else min(radius_m, _CORE_M) * between(0.25, 0.50, seed, "stop", commune.insee_code, kind)
        bearing = turn + k / 3 + between(-0.08, 0.08, seed, "bearing", commune.insee_code, kind)
        stops.append(_stop(commune, kind, moved(commune.at, metres, bearing)))
    station = find_near_station(commune, stations)
    if station is not None:
        at = moved(station.at, _FORECOURT_M, between(0, 1, seed, "forecourt", station.uic8))
        stops.append(_stop(commune, STATION, at, station.uic8))
    return tuple(stops)


def _stop(commune: Commune, kind: str, at: LatLon, uic8: str | None = None) -> CoachStop:
    return CoachStop(f"{commune.insee_code}-{kind}", f"{commune.name}, {_NAMES[kind]}", at, uic8)


def stops_of_communes(
    facts: Facts, lines: Sequence[CoachLine], roads: RoadGraph, seed: int
) -> dict[int, tuple[CoachStop, ...]]:
    """The stops of every commune that a line passes; none where other authorities run the coaches."""
    by_commune: dict[str, list[Station]] = {}
    for station in facts.stations.values():
        by_commune.setdefault(station.insee_code, []).append(station)
    return {
        place: town_stops(roads.places[place], by_commune.get(roads.places[place].insee_code, []), seed)
        for place in sorted({place for line in lines for place in line.places})
        if roads.places[place].dept != NO_COACHES_IN
    }


def _in_driving_order(stops: Sequence[CoachStop], behind: LatLon | None, ahead: LatLon | None) -> tuple[CoachStop, ...]:
    """The stops of a commune in the order of the shortest drive; a line begins and ends at the station."""
    first = [stop for stop in stops if stop.uic8 is not None and behind is None]
    last = [stop for stop in stops if stop.uic8 is not None and ahead is None]
    between_ends = [stop for stop in stops if stop not in first and stop not in last]

    def drive(order: tuple[CoachStop, ...]) -> float:
        points = [stop.at for stop in (*first, *order, *last)]
        points = [*([behind] if behind else []), *points, *([ahead] if ahead else [])]
        east = cos(radians(points[0].lat))
        return sum(hypot(b.lat - a.lat, (b.lon - a.lon) * east) for a, b in pairwise(points))

    return (*first, *min(permutations(between_ends), key=drive), *last)


def course(line: CoachLine, roads: RoadGraph, town: Mapping[int, tuple[CoachStop, ...]], *, back: bool) -> Course:
    """The line one way: from its first commune to its last, or `back`."""
    places = line.places[::-1] if back else line.places
    edges = line.edges[::-1] if back else line.edges
    stops: list[CoachStop] = []
    place_of_stop: list[int] = []
    at_point: list[int] = []  # the point of the shape that each stop is
    shape: list[LatLon] = []
    for i, place in enumerate(places):
        centre = roads.places[place].at
        behind = roads.places[places[i - 1]].at if i else None
        ahead = roads.places[places[i + 1]].at if i + 1 < len(places) else None
        here = [] if _passes_twice(places, i) else _in_driving_order(town.get(place, ()), behind, ahead)
        if here and shape:  # the road ends where the first stop lies
            clear_m = distance_m(centre, here[0].at)
            while (
                len(shape) > 1
                and shape[-1] not in {s.at for s in stops[-1:]}
                and distance_m(shape[-1], centre) <= clear_m
            ):
                shape.pop()
        for stop in here:
            stops.append(stop)
            place_of_stop.append(place)
            at_point.append(len(shape))
            shape.append(stop.at)
        if not here:
            shape.append(centre)
        if ahead is not None:
            clear_m = distance_m(centre, shape[-1])
            shape += [p for p in roads.line_between(edges[i], place)[1:-1] if distance_m(p, centre) > clear_m]
    metres = _metres_along(shape)
    return Course(tuple(stops), tuple(place_of_stop), tuple(shape), metres, tuple(metres[point] for point in at_point))


def _passes_twice(places: Sequence[int], i: int) -> bool:
    """Whether the line has stopped in this commune before (a known relation may double back)."""
    return places[i] in places[:i]


def _metres_along(shape: Sequence[LatLon]) -> tuple[int, ...]:
    metres, total = [0], 0.0
    for one, other in pairwise(shape):
        total += distance_m(one, other)
        metres.append(round(total))
    return tuple(metres)
