"""Roads: the graph between the region's communes, drawn from their places alone.

No road of it is real. Two Gabriel graphs are laid over each other, one of all
communes (secondary roads) and one of the main towns (primary roads); each road is
longer than the straight line by a drawn factor, and the six carpool lines are given
their published lengths.

An edge joins the communes `ends[e]` (positions in `places`) over `metres[e]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import cos, pi, radians

import numpy as np
import shapely
from numpy.typing import NDArray

from mobigo.demo.chance import between
from mobigo.demo.facts import CarpoolLine, Commune, Facts
from routing.kernels.dijkstra import one_to_many
from socle.geo import LatLon, distance_m

_SECONDARY_LONGER, _PRIMARY_LONGER, _LONGER_BY = 1.08, 1.07, 0.20
_MAIN_TOWN_PEOPLE = 5_000
_MAIN_RANKS = frozenset({"prefecture", "subprefecture", "epci_main"})
_SCALED_BY = (0.93, 1.15)  # a published length outside needs a road of its own
_METRES_PER_DEGREE = 111_195.0
_SCALE_EAST = cos(radians(47.0))

SECONDARY, PRIMARY, EXPRESS = "secondary", "primary", "express"


@dataclass(frozen=True)
class RoadGraph:
    """Communes joined by roads."""

    places: tuple[Commune, ...]
    ends: NDArray[np.int32]  # [n_edges, 2], the lower INSEE code first
    metres: NDArray[np.int64]  # [n_edges]
    kinds: tuple[str, ...]  # [n_edges]
    lines: tuple[tuple[LatLon, ...], ...]  # [n_edges], from ends[e, 0] to ends[e, 1], as long as metres[e]

    @cached_property
    def place_index(self) -> Mapping[str, int]:
        """INSEE code -> position in `places`."""
        return {place.insee_code: i for i, place in enumerate(self.places)}

    def rows(self, kinds: Iterable[str]) -> RoadRows:
        """The roads of these kinds, both ways, as arrays to search."""
        wanted = frozenset(kinds)
        edges = np.array([e for e, kind in enumerate(self.kinds) if kind in wanted], np.int64)
        return _rows(len(self.places), self.ends, self.metres, edges)

    def line_between(self, edge: int, start: int) -> tuple[LatLon, ...]:
        """The course of an edge, from its end `start`."""
        course = self.lines[edge]
        return course if self.ends[edge, 0] == start else course[::-1]


@dataclass(frozen=True)
class RoadRows:
    """Roads as CSR rows; `edge[i]` is the edge of the graph that row entry `i` runs along."""

    first_edge: NDArray[np.int64]  # [n_places + 1]
    edge_to: NDArray[np.int32]
    edge_cost: NDArray[np.int64]  # metres
    edge_from: NDArray[np.int32]
    edge: NDArray[np.int32]

    def ways_from(self, sources: Sequence[int]) -> RoadWays:
        """The shortest ways from each source to everywhere."""
        metres, came_by = one_to_many(self.first_edge, self.edge_to, self.edge_cost, np.array(sources, np.int64))
        return RoadWays(self, {source: row for row, source in enumerate(sources)}, metres, came_by)


@dataclass(frozen=True)
class RoadWays:
    """Shortest ways from some places to all."""

    rows: RoadRows
    row_of: Mapping[int, int]
    metres: NDArray[np.int32]  # [n_sources, n_places]
    came_by: NDArray[np.int32]

    def way_m(self, source: int, target: int) -> int:
        """Metres of the shortest way."""
        return int(self.metres[self.row_of[source], target])

    def edges(self, source: int, target: int) -> list[int]:
        """The edges of the graph along the shortest way, in driving order."""
        came_by, edges = self.came_by[self.row_of[source]], []
        at = target
        while at != source:
            entry = int(came_by[at])
            edges.append(int(self.rows.edge[entry]))
            at = int(self.rows.edge_from[entry])
        return edges[::-1]


def _rows(n_places: int, ends: NDArray[np.int32], metres: NDArray[np.int64], edges: NDArray[np.int64]) -> RoadRows:
    edge_from = np.concatenate([ends[edges, 0], ends[edges, 1]])
    edge_to = np.concatenate([ends[edges, 1], ends[edges, 0]])
    edge = np.concatenate([edges, edges]).astype(np.int32)
    order = np.lexsort((edge_to, edge_from))
    first_edge = np.searchsorted(edge_from[order], np.arange(n_places + 1)).astype(np.int64)
    return RoadRows(first_edge, edge_to[order], metres[edge[order]], edge_from[order], edge[order])


def _plane(places: Sequence[Commune]) -> NDArray[np.float64]:
    """Metres east and north, right enough within the region."""
    at = np.array([place.at for place in places])
    return np.column_stack([at[:, 1] * _METRES_PER_DEGREE * _SCALE_EAST, at[:, 0] * _METRES_PER_DEGREE])


def gabriel_pairs(points: NDArray[np.float64]) -> list[tuple[int, int]]:
    """The pairs of points that have no third one in the circle over their distance, in order.

    Source: K. R. Gabriel and R. R. Sokal, "A new statistical approach to geographic
    variation analysis", 1969; every such pair is an edge of the Delaunay triangulation.
    """
    index = {(float(x), float(y)): i for i, (x, y) in enumerate(points)}
    lines = shapely.get_parts(shapely.delaunay_triangles(shapely.multipoints(points), only_edges=True))
    corners = shapely.get_coordinates(lines).reshape(-1, 2, 2)
    drawn = [(index[float(a[0]), float(a[1])], index[float(b[0]), float(b[1])]) for a, b in corners]
    pairs = sorted((min(pair), max(pair)) for pair in drawn)
    ends = np.array(pairs)
    middle = (points[ends[:, 0]] + points[ends[:, 1]]) / 2
    radius = np.hypot(*(points[ends[:, 0]] - points[ends[:, 1]]).T) / 2
    tree = shapely.STRtree(shapely.points(points))
    near = tree.query(shapely.points(middle), predicate="dwithin", distance=radius * (1 - 1e-9))
    crowded = set()
    for pair, point in near.T:
        if point not in pairs[pair]:
            crowded.add(int(pair))
    return [pair for i, pair in enumerate(pairs) if i not in crowded]


def is_main_town(place: Commune, carpool_ends: frozenset[str]) -> bool:
    """Whether primary roads lead to the commune."""
    return place.rank in _MAIN_RANKS or place.population >= _MAIN_TOWN_PEOPLE or place.insee_code in carpool_ends


def _drawn_roads(
    places: Sequence[Commune], members: Sequence[int], kind: str, longer: float, seed: int
) -> dict[tuple[int, int], int]:
    """Ends (lower INSEE code first) -> metres of a road of the Gabriel graph of `members`."""
    roads = {}
    for one, other in gabriel_pairs(_plane([places[m] for m in members])):
        a, b = sorted((members[one], members[other]), key=lambda i: places[i].insee_code)
        factor = between(longer, longer + _LONGER_BY, seed, f"road-{kind}", places[a].insee_code, places[b].insee_code)
        roads[a, b] = round(distance_m(places[a].at, places[b].at) * factor)
    return roads


def _fit_carpool_line(
    line: CarpoolLine, places: Sequence[Commune], roads: dict[tuple[int, int], tuple[int, str]]
) -> None:
    """Make the shortest way along the line as long as it was published to be."""
    index = {place.insee_code: i for i, place in enumerate(places)}
    keys = sorted(roads)
    ends = np.array(keys, np.int32)
    metres = np.array([roads[key][0] for key in keys], np.int64)
    rows = _rows(len(places), ends, metres, np.arange(len(keys)))
    stops = [index[insee_code] for insee_code in line.via]
    ways = rows.ways_from(stops[:-1])
    edges = [edge for a, b in pairwise(stops) for edge in ways.edges(a, b)]
    factor = line.published_m / sum(int(metres[edge]) for edge in edges)
    if _SCALED_BY[0] <= factor <= _SCALED_BY[1]:
        for edge in edges:
            roads[keys[edge]] = (round(int(metres[edge]) * factor), roads[keys[edge]][1])
    else:
        a, b = sorted((stops[0], stops[-1]), key=lambda i: places[i].insee_code)
        roads[a, b] = (line.published_m, EXPRESS)


def make_roads(facts: Facts, seed: int) -> RoadGraph:
    """The road graph of the region."""
    places = facts.communes
    carpool_ends = frozenset(insee_code for line in facts.carpool_lines for insee_code in line.via)
    roads = {
        ends: (metres, SECONDARY)
        for ends, metres in _drawn_roads(places, range(len(places)), SECONDARY, _SECONDARY_LONGER, seed).items()
    }
    towns = [i for i, place in enumerate(places) if is_main_town(place, carpool_ends)]
    for ends, metres in _drawn_roads(places, towns, PRIMARY, _PRIMARY_LONGER, seed).items():
        if ends not in roads or metres < roads[ends][0]:
            roads[ends] = (metres, PRIMARY)
    for line in facts.carpool_lines:
        _fit_carpool_line(line, places, roads)
    keys = sorted(roads, key=lambda ends: (places[ends[0]].insee_code, places[ends[1]].insee_code, roads[ends][1]))
    return RoadGraph(
        places=places,
        ends=np.array(keys, np.int32),
        metres=np.array([roads[key][0] for key in keys], np.int64),
        kinds=tuple(roads[key][1] for key in keys),
        lines=_courses(places, keys, [roads[key][0] for key in keys], seed),
    )


# --- the course of a road: a wave over the straight line, as high as its length asks ------

_BEND_M = 2_000  # metres between two bends
_POINTS = 16  # of a course, or twice as many beyond 8 km


def _courses(
    places: Sequence[Commune], ends: Sequence[tuple[int, int]], metres: Sequence[int], seed: int
) -> tuple[tuple[LatLon, ...], ...]:
    plane = _plane(places)
    courses: list[tuple[LatLon, ...]] = [()] * len(ends)
    for n_points, some in (
        (_POINTS, [e for e, m in enumerate(metres) if m <= 4 * _BEND_M]),
        (2 * _POINTS, [e for e, m in enumerate(metres) if m > 4 * _BEND_M]),
    ):
        a, b = plane[[ends[e][0] for e in some]], plane[[ends[e][1] for e in some]]
        wished = np.array([metres[e] for e in some], np.float64)
        codes = [(places[ends[e][0]].insee_code, places[ends[e][1]].insee_code) for e in some]
        bends = np.clip(np.round(wished / _BEND_M), 1, n_points // 4)
        skew = np.array([between(-0.6, 0.6, seed, "bend", *code) for code in codes])
        side = np.array([1.0 if between(0, 1, seed, "side", *code) < 0.5 else -1.0 for code in codes])
        t = np.linspace(0, 1, n_points + 1)
        wave = np.sin(pi * bends[:, None] * t) + skew[:, None] * np.sin(pi * (bends[:, None] + 1) * t)
        wave *= side[:, None]
        wave[:, 0] = wave[:, -1] = 0.0
        height = _heights(np.hypot(*(b - a).T), wave, wished)
        along = a[:, None, :] + (b - a)[:, None, :] * t[None, :, None]
        across = np.column_stack([-(b - a)[:, 1], (b - a)[:, 0]]) / np.hypot(*(b - a).T)[:, None]
        points = along + across[:, None, :] * (height[:, None] * wave)[:, :, None]
        for e, course in zip(some, points, strict=True):
            inner = [
                LatLon(round(float(y) / _METRES_PER_DEGREE, 6), round(float(x) / _METRES_PER_DEGREE / _SCALE_EAST, 6))
                for x, y in course[1:-1]
            ]
            courses[e] = (places[ends[e][0]].at, *inner, places[ends[e][1]].at)
    return tuple(courses)


def _heights(chord: NDArray[np.float64], wave: NDArray[np.float64], wished: NDArray[np.float64]) -> NDArray[np.float64]:
    """How high each wave must be for its line to be `wished` long, by halving."""
    step = chord / (wave.shape[1] - 1)
    low, high = np.zeros_like(chord), wished.copy()
    for _ in range(40):
        height = (low + high) / 2
        rise = np.diff(wave, axis=1) * height[:, None]
        too_long = np.hypot(rise, step[:, None]).sum(axis=1) > wished
        low, high = np.where(too_long, low, height), np.where(too_long, height, high)
    return low
