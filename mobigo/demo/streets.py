"""Streets: a drawn grid inside every commune, joined by the drawn roads. None of it is real.

Lines of a jittered grid on the disc that a commune's people fill; a tenth of the
pieces is left out and a few are one-way, but all is reached by two-way streets.
`render_osm` writes it as OpenStreetMap XML, so that any reader of extracts reads it.

Nodes are numbered from 0 in `lat`, `lon`; a way is a run of nodes with its tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi, radians, sin
from xml.sax.saxutils import quoteattr

import numpy as np
import shapely
from numpy.typing import NDArray

from mobigo.demo.chance import fraction
from mobigo.demo.coaches.stops import town_radius_m
from mobigo.demo.facts import Commune, Facts
from mobigo.demo.roads import EXPRESS, PRIMARY, SECONDARY, RoadGraph
from socle.geo import LatLon, distance_m

_SPACING_M = ((50_000, 150.0), (5_000, 180.0), (0, 220.0))  # by people
_JITTER = 0.20  # of the spacing
_LEFT_OUT, _ONE_WAY = 0.10, 0.05
_ONE_WAY_PEOPLE = 20_000
_FOOTPATH_PEOPLE, _FOOTPATHS = 5_000, 0.03  # of the cells
_STEPS, _UNKNOWN = 0.01, 0.20  # of the footpaths
_METRES_PER_DEGREE = 111_195.0
_ROAD_TAGS = {
    SECONDARY: {"highway": "secondary", "maxspeed": "80"},
    PRIMARY: {"highway": "primary", "maxspeed": "80"},
    EXPRESS: {"highway": "trunk", "maxspeed": "90"},
}
_FICTITIOUS = {"note": "fictif"}

_NAMES = tuple(
    name.strip()
    for name in """
    Grande Rue, Rue du Moulin, Rue de l'Église, Rue des Écoles, Rue du Lavoir, Rue de la Fontaine, Rue des Jardins,
    Rue du Château, Rue des Vignes, Rue du Pont, Rue de la Forge, Rue du Four, Rue des Tilleuls, Rue des Lilas,
    Rue du Stade, Rue de la Poste, Rue des Prés, Rue du Bois, Rue de la Source, Rue des Acacias, Rue du Puits,
    Rue de la Croix, Rue des Champs, Rue du Verger, Rue des Cerisiers, Rue de la Halle, Rue du Marché, Rue Neuve,
    Rue Haute, Rue Basse, Rue de la Vallée, Rue des Noyers, Rue du Coteau, Rue de la Combe, Rue du Tertre,
    Rue des Marronniers, Rue de l'Étang, Rue du Canal, Rue du Ruisseau, Rue de la Rivière, Rue des Saules,
    Rue des Peupliers, Rue des Charmes, Rue des Érables, Rue des Bouleaux, Rue des Chênes, Rue des Frênes,
    Rue des Hêtres, Rue du Sapin, Rue de la Scierie, Rue de la Tuilerie, Rue des Tanneurs, Rue des Tisserands,
    Rue des Vignerons, Rue des Bergers, Rue du Lycée, Rue du Collège, Rue de la Mairie, Rue du Théâtre,
    Rue du Musée, Rue des Remparts, Rue de la Tour, Rue du Beffroi, Rue de l'Horloge, Rue du Cloître,
    Rue du Couvent, Rue de la Chapelle, Rue du Calvaire, Rue du Midi, Rue du Levant, Rue du Couchant, Rue du Nord,
    Rue de la Paix, Rue de la Liberté, Rue de l'Espérance, Rue de l'Avenir, Rue du Repos, Rue de la Gaieté,
    Rue des Alouettes, Rue des Mésanges, Rue des Hirondelles, Rue des Merles, Rue du Rossignol, Rue de la Huppe,
    Rue des Roses, Rue des Violettes, Rue des Iris, Rue des Bleuets, Rue des Coquelicots, Rue des Pervenches,
    Rue des Genêts, Rue de la Bruyère, Rue du Muguet, Rue des Jonquilles, Rue du Clos, Rue de l'Enclos,
    Rue du Pâtis, Rue des Communaux, Rue de la Carrière, Rue de la Sablière, Rue de la Marnière, Rue du Viaduc,
    Rue du Gué, Rue de la Passerelle, Rue du Port, Rue du Quai, Rue de l'Écluse, Rue du Barrage, Rue de l'Usine,
    Rue de la Filature, Rue des Forges, Rue de la Verrerie, Rue de la Faïencerie, Rue des Potiers, Rue du Charron,
    Rue du Sabotier, Rue des Maraîchers, Rue du Pressoir, Rue de la Grange, Rue du Colombier, Rue de la Ferme,
    Rue des Granges, Rue du Chemin Vert, Rue de la Montée, Rue de la Côte, Rue du Belvédère, Rue du Panorama
    """.replace("\n", " ").split(",")
)


@dataclass(frozen=True, slots=True)
class Way:
    """A street or road: its nodes in order, and what OpenStreetMap would say of it."""

    nodes: tuple[int, ...]
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class Streets:
    """Every street, road and path of the region."""

    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    ways: tuple[Way, ...]


class _Groups:
    """Nodes that are joined already (union by path halving)."""

    def __init__(self, n: int) -> None:
        self._parent = list(range(n))

    def _find(self, node: int) -> int:
        parent = self._parent
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def join(self, one: int, other: int) -> bool:
        """Join two nodes; whether they were apart."""
        one, other = self._find(one), self._find(other)
        self._parent[other] = one
        return one != other


def _spared(edges: Sequence[tuple[int, int]], chosen: Sequence[bool], n_nodes: int) -> list[bool]:
    """`chosen` less the edges without which the other edges would not join all that they join together."""
    groups = _Groups(n_nodes)
    for (one, other), is_chosen in zip(edges, chosen, strict=True):
        if not is_chosen:
            groups.join(one, other)
    return [is_chosen and not groups.join(one, other) for (one, other), is_chosen in zip(edges, chosen, strict=True)]


def _spacing_m(people: int) -> float:
    return next(metres for least, metres in _SPACING_M if people >= least)


def _reach_m(commune: Commune) -> float:
    """How far the streets of a commune go from its middle."""
    return max(town_radius_m(commune.population), _spacing_m(commune.population))


def _around_middle(cells: Mapping[tuple[int, int], int]) -> list[int]:
    """The nodes of the cells that are joined to the middle, in order."""
    reached, front = {(0, 0)}, [(0, 0)]
    while front:
        i, j = front.pop()
        new = {(i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)} & cells.keys() - reached
        reached |= new
        front += new
    return sorted(cells[cell] for cell in reached)


def _rivals(places: Sequence[Commune]) -> list[list[Commune]]:
    """For each commune, those whose streets would meet its own."""
    at = np.array([(place.at.lon * cos(radians(47.0)), place.at.lat) for place in places]) * _METRES_PER_DEGREE
    reach = np.array([_reach_m(place) for place in places])
    tree = shapely.STRtree(shapely.points(at))
    pairs = tree.query(shapely.points(at), predicate="dwithin", distance=reach + reach.max())
    met: list[list[Commune]] = [[] for _ in places]
    for one, other in sorted(zip(*pairs.tolist(), strict=True)):
        if one != other and np.hypot(*(at[one] - at[other])) < reach[one] + reach[other]:
            met[one].append(places[other])
    return met


class _Grid:
    """The streets of one commune; node numbers count from 0 within it."""

    def __init__(self, commune: Commune, rivals: Sequence[Commune], seed: int) -> None:
        draw = np.random.Generator(np.random.PCG64(int(fraction(seed, "streets", commune.insee_code) * 2**53)))
        spacing, radius = _spacing_m(commune.population), _reach_m(commune)
        reach = int(radius // spacing)
        line = np.arange(-reach, reach + 1)
        cells = [(int(i), int(j)) for i in line for j in line if (i * i + j * j) * spacing**2 <= radius**2]
        jitter = draw.uniform(-_JITTER, _JITTER, (len(cells), 2))
        jitter[cells.index((0, 0))] = 0.0  # the middle is where the coach stops
        plane = (np.array(cells) + jitter) * spacing
        turn = draw.uniform(0, pi / 2)
        east = plane[:, 0] * cos(turn) - plane[:, 1] * sin(turn)
        north = plane[:, 0] * sin(turn) + plane[:, 1] * cos(turn)
        scale_east = _METRES_PER_DEGREE * cos(radians(commune.at.lat))
        own = np.ones(len(cells), np.bool_)  # what is not rather a neighbour's, for its size
        for rival in rivals:
            away = (rival.at.lon - commune.at.lon) * scale_east, (rival.at.lat - commune.at.lat) * _METRES_PER_DEGREE
            theirs = np.hypot(east - away[0], north - away[1]) / _reach_m(rival)
            own &= np.hypot(east, north) / radius <= theirs
        kept = _around_middle({cell: node for node, cell in enumerate(cells) if own[node]})
        self.commune = commune
        self.number = {cells[old]: node for node, old in enumerate(kept)}
        self.lat = np.round(commune.at.lat + north[kept] / _METRES_PER_DEGREE, 7)
        self.lon = np.round(commune.at.lon + east[kept] / scale_east, 7)
        self._names = draw.permutation(len(_NAMES))
        self._draw = draw
        self._reach = reach

    def ways(self) -> Iterable[Way]:
        """Streets along the lines of the grid, then footpaths across its cells."""
        along = [  # (line, one, other), line by line
            ((axis, fixed), one, other)
            for axis in (0, 1)
            for fixed in range(-self._reach, self._reach + 1)
            for one, other in self._pieces(axis, fixed)
        ]
        edges = [(one, other) for _, one, other in along]
        left_out = _spared(edges, list(self._draw.random(len(edges)) < _LEFT_OUT), len(self.number))
        kept = [piece for piece, out in zip(along, left_out, strict=True) if not out]
        share = _ONE_WAY if self.commune.population >= _ONE_WAY_PEOPLE else 0.0
        chosen = list(self._draw.random(len(kept)) < share)
        one_way = _spared([(one, other) for _, one, other in kept], chosen, len(self.number))
        yield from self._runs(kept, one_way)
        if self.commune.population >= _FOOTPATH_PEOPLE:
            yield from self._footpaths()

    def _pieces(self, axis: int, fixed: int) -> Iterable[tuple[int, int]]:
        for step in range(-self._reach, self._reach):
            ends = [(at, fixed) if axis == 0 else (fixed, at) for at in (step, step + 1)]
            if ends[0] in self.number and ends[1] in self.number:
                yield self.number[ends[0]], self.number[ends[1]]

    def _runs(self, pieces: Sequence[tuple[tuple[int, int], int, int]], one_way: Sequence[bool]) -> Iterable[Way]:
        """Pieces of one line that follow each other and are alike become one way."""
        run: list[int] = []
        last: tuple[tuple[int, int], bool] | None = None
        for (line, one, other), is_one_way in zip(pieces, one_way, strict=True):
            if last == (line, is_one_way) and run[-1] == one:
                run.append(other)
                continue
            if last is not None:
                yield Way(tuple(run), self._tags(*last))
            run, last = [one, other], (line, is_one_way)
        if last is not None:
            yield Way(tuple(run), self._tags(*last))

    def _tags(self, line: tuple[int, int], is_one_way: bool) -> dict[str, str]:
        axis, fixed = line
        name = _NAMES[self._names[(2 * (fixed + self._reach) + axis) % len(_NAMES)]]
        tags = {
            "highway": "tertiary" if fixed == 0 else "residential",
            "name": name,
            "maxspeed": "50" if fixed == 0 else "30",
            "sidewalk": "both",
            "surface": "asphalt",
        }
        return tags | ({"oneway": "yes"} if is_one_way else {}) | _FICTITIOUS

    def _footpaths(self) -> Iterable[Way]:
        for (i, j), node in self.number.items():
            across = self.number.get((i + 1, j + 1))
            drawn = self._draw.random(3)
            if across is None or drawn[0] >= _FOOTPATHS:
                continue
            tags = {"highway": "steps", "step_count": "12"} if drawn[1] < _STEPS else {"highway": "footway"}
            known = {} if drawn[2] < _UNKNOWN else {"kerb": "lowered", "incline": "0%"}
            yield Way((node, across), tags | {"surface": "paved"} | known | _FICTITIOUS)


def make_streets(facts: Facts, roads: RoadGraph, seed: int) -> Streets:
    """The streets of every commune, the roads between them, and a way to every station."""
    lat: list[NDArray[np.float64]] = []
    lon: list[NDArray[np.float64]] = []
    ways: list[Way] = []
    first: list[int] = []
    rivals = _rivals(roads.places)
    grids = [_Grid(commune, near, seed) for commune, near in zip(roads.places, rivals, strict=True)]
    n_nodes = 0
    for grid in grids:
        first.append(n_nodes)
        ways += [Way(tuple(node + n_nodes for node in way.nodes), way.tags) for way in grid.ways()]
        lat.append(grid.lat)
        lon.append(grid.lon)
        n_nodes += len(grid.lat)
    for edge, (one, other) in enumerate(roads.ends.tolist()):
        course = _outside(roads, edge, one, other)
        start = first[one] + _nearest(grids[one], course[0])
        end = first[other] + _nearest(grids[other], course[-1])
        inner = course[1:-1]
        lat.append(np.array([at.lat for at in inner]))
        lon.append(np.array([at.lon for at in inner]))
        ways.append(
            Way((start, *range(n_nodes, n_nodes + len(inner)), end), _ROAD_TAGS[roads.kinds[edge]] | _FICTITIOUS)
        )
        n_nodes += len(inner)
    return _with_stations(facts, np.concatenate(lat), np.concatenate(lon), ways)


def _outside(roads: RoadGraph, edge: int, one: int, other: int) -> list[LatLon]:
    """The course of a road between two towns: a point at each edge of them, and what lies between."""
    course = roads.lines[edge]
    centres = [(roads.places[place].at, town_radius_m(roads.places[place].population)) for place in (one, other)]
    between = [at for at in course[1:-1] if all(distance_m(at, centre) > radius for centre, radius in centres)]
    middle = course[len(course) // 2]
    return [between[0] if between else middle, *between, between[-1] if between else middle]


def _nearest(grid: _Grid, at: LatLon) -> int:
    """The node of a commune nearest to a point: where a road from there enters."""
    east = (grid.lon - at.lon) * cos(radians(at.lat))
    return int(np.argmin((grid.lat - at.lat) ** 2 + east**2))


def _with_stations(facts: Facts, lat: NDArray[np.float64], lon: NDArray[np.float64], ways: list[Way]) -> Streets:
    """A short street from every station of the region to the nearest node."""
    scale = cos(radians(47.0))
    tree = shapely.STRtree(shapely.points(lon * scale, lat))
    stations = [station for station in facts.stations.values() if station.in_region]
    nearest = tree.nearest(shapely.points([(s.at.lon * scale, s.at.lat) for s in stations]))
    tags = {
        "highway": "residential",
        "name": "Rue de la Gare",
        "maxspeed": "30",
        "sidewalk": "both",
        "surface": "asphalt",
    }
    for k, node in enumerate(nearest.tolist()):
        ways.append(Way((node, len(lat) + k), tags | _FICTITIOUS))
    return Streets(
        np.concatenate([lat, [station.at.lat for station in stations]]),
        np.concatenate([lon, [station.at.lon for station in stations]]),
        tuple(ways),
    )


def render_osm(streets: Streets) -> bytes:
    """The streets as OpenStreetMap XML; ids count from 1."""
    out = ['<?xml version="1.0" encoding="UTF-8"?>\n<osm version="0.6" generator="mobigo demo">\n']
    places = zip(streets.lat.tolist(), streets.lon.tolist(), strict=True)
    out += [
        f'<node id="{i}" version="1" lat="{lat:.7f}" lon="{lon:.7f}"/>\n'
        for i, (lat, lon) in enumerate(places, start=1)
    ]
    quoted: dict[str, str] = {}
    for i, way in enumerate(streets.ways, start=1):
        nodes = "".join(f'<nd ref="{node + 1}"/>' for node in way.nodes)
        for value in way.tags.values():
            if value not in quoted:
                quoted[value] = quoteattr(value)
        tags = "".join(f'<tag k="{key}" v={quoted[value]}/>' for key, value in way.tags.items())
        out.append(f'<way id="{i}" version="1">{nodes}{tags}</way>\n')
    out.append("</osm>\n")
    return "".join(out).encode()
