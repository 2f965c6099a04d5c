"""The way of an urban line and the places of its stops: drawn, like everything of these networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, radians

from mobigo.demo.chance import between, fraction
from mobigo.demo.facts import Facts
from mobigo.demo.urban.plans import CENTRE, STATION, STOP_NAMES, City
from socle.geo import LatLon, distance_m

_SWING = 0.10  # of the distance between two named points: how far a way bends aside
_SMOOTHINGS = 3
_HUB_NAMES = {STATION: "{}, Place de la Gare", CENTRE: "{}, Centre-ville"}


@dataclass(frozen=True, slots=True)
class UrbanStop:
    """A stop of a city network, with a quay each way; a named point has a quay for each of its lines."""

    code: str
    name: str
    at: LatLon
    is_shared: bool


@dataclass(frozen=True, slots=True)
class UrbanCourse:
    """A line in one direction: points of its way with metres, and the point that each stop is."""

    stops: tuple[UrbanStop, ...]
    shape: tuple[LatLon, ...]
    shape_m: tuple[int, ...]
    stop_points: tuple[int, ...]

    @property
    def stop_m(self) -> tuple[int, ...]:
        """Metres from the start at each stop."""
        return tuple(self.shape_m[point] for point in self.stop_points)

    def reversed(self) -> UrbanCourse:
        """The line the other way."""
        last, end_m = len(self.shape) - 1, self.shape_m[-1]
        return UrbanCourse(
            self.stops[::-1],
            self.shape[::-1],
            tuple(end_m - metres for metres in reversed(self.shape_m)),
            tuple(last - point for point in reversed(self.stop_points)),
        )


def _between(one: LatLon, other: LatLon, share: float) -> LatLon:
    return LatLon(one.lat + (other.lat - one.lat) * share, one.lon + (other.lon - one.lon) * share)


def _aside(one: LatLon, other: LatLon, share: float) -> LatLon:
    """The middle of two places moved sideways by a share of their distance."""
    east = cos(radians(one.lat))
    north, side = other.lat - one.lat, (other.lon - one.lon) * east
    middle = _between(one, other, 0.5)
    return LatLon(middle.lat - share * side, middle.lon + share * north / east)


def _way(points: Sequence[LatLon], seed: int, code: str) -> list[LatLon]:
    """A smooth way through the points; its ends and named points stay where they are."""
    way = [points[0]]
    for i, (one, other) in enumerate(pairwise(points)):
        part = [one, _aside(one, other, between(-_SWING, _SWING, seed, "urban-bend", code, i)), other]
        for _ in range(_SMOOTHINGS):  # Chaikin's corner cutting
            inner = [_between(a, b, share) for a, b in pairwise(part) for share in (0.25, 0.75)]
            part = [part[0], *inner, part[-1]]
        way += part[1:]
    return way


def _metres(way: Sequence[LatLon]) -> list[float]:
    metres = [0.0]
    for one, other in pairwise(way):
        metres.append(metres[-1] + distance_m(one, other))
    return metres


def _stop_metres(n_stops: int, named: Sequence[tuple[float, str]]) -> list[tuple[float, str | None]]:
    """Where the stops lie: at the named points, and evenly between them."""
    lengths = [b[0] - a[0] for a, b in pairwise(named)]
    n_in = [0] * len(lengths)
    for _ in range(n_stops - len(named)):  # the longest gap so far gets the next stop
        gaps = [length / (n + 1) for length, n in zip(lengths, n_in, strict=True)]
        n_in[gaps.index(max(gaps))] += 1
    stops: list[tuple[float, str | None]] = [named[0]]
    for (start, _), end, n, length in zip(named, named[1:], n_in, lengths, strict=False):
        stops += [(start + length * (k + 1) / (n + 1), None) for k in range(n)]
        stops.append(end)
    return stops


def _rounded(at: LatLon) -> LatLon:
    return LatLon(round(at.lat, 6), round(at.lon, 6))


def named_points(city: City, facts: Facts) -> dict[str, LatLon]:
    """The points that lines are drawn through."""
    points = {commune.insee_code: commune.at for commune in facts.communes}
    return points | {STATION: facts.stations[city.uic8].at, CENTRE: points[city.insee_code]}


def courses_of_city(city: City, facts: Facts, seed: int) -> dict[str, UrbanCourse]:
    """Line code -> its course out. Lines share the stops at named points and no others."""
    points = named_points(city, facts)
    communes = {commune.insee_code: commune.name for commune in facts.communes}
    city_name = communes[city.insee_code]
    free_names = sorted(STOP_NAMES, key=lambda name: fraction(seed, "stop-name", city.prefix, name))
    courses = {}
    for line in city.lines:
        way = _way([points[name] for name in line.via], seed, f"{city.prefix}-{line.code}")
        metres = _metres(way)
        shape, shape_m = [_rounded(way[0])], [0.0]
        stops: list[UrbanStop] = []
        stop_points: list[int] = []
        at = 1
        named = [(metres[way.index(points[name])], name) for name in line.via]
        for k, (stop_m, point) in enumerate(_stop_metres(line.n_stops, named)):
            while at < len(way) and metres[at] < stop_m - 0.5:
                shape.append(_rounded(way[at]))
                shape_m.append(metres[at])
                at += 1
            if k:
                share = (stop_m - metres[at - 1]) / (metres[at] - metres[at - 1])
                shape.append(_rounded(_between(way[at - 1], way[at], share)))
                shape_m.append(stop_m)
                if metres[at] - stop_m <= 0.5:
                    at += 1
            if point is None:
                code, name = f"{line.code}-{k + 1:02d}", free_names.pop()
            elif point in _HUB_NAMES:
                code, name = point, _HUB_NAMES[point].format(city_name)
            else:
                code, name = point, f"{communes[point]}, Centre"
            stops.append(UrbanStop(f"{city.prefix}-{code}", name, shape[-1], point is not None))
            stop_points.append(len(shape) - 1)
        courses[line.code] = UrbanCourse(
            tuple(stops), tuple(shape), tuple(round(m) for m in shape_m), tuple(stop_points)
        )
    return courses
