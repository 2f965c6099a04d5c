"""OSM: an extract of OpenStreetMap becomes a graph of streets.

The only file that opens extracts: .pbf, and .osm plain or compressed, told apart by their first
bytes. What nobody can use (a way of one node, a node that the extract lacks) is left out with a
finding, one per kind with the number of cases and the first; what is no extract at all is refused.

The graph is a NetworkX MultiDiGraph. A node is where streets meet, end or are barred, with `lat`
and `lon`; an edge is a piece of a way between two of them, in the direction that it is drawn, with

- `way`: the id in OpenStreetMap (a node's for a gate), `tags`: what its mappers say of it,
- `points`: an array [n, 2] of latitudes and longitudes in 1e-7 degrees, as OpenStreetMap has them.

Who may use an edge, and back, is said by `profiles`. A barrier that stops somebody is drawn as a
node of its own for each street that leads to it, joined by edges without length (`gate`): the
barrier's tags are then judged like those of any street.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import networkx as nx  # type: ignore[import-untyped]  # has no types of its own
import numpy as np
import osmium
from numpy.typing import NDArray

from routing.streets.profiles import HIGHWAYS, PROFILES
from routing.streets.tags import Tags, is_limit_known
from socle.errors import BadInput
from socle.findings import Finding, Severity
from socle.geo import LatLon, distance_m

LONGEST_STEP_M = 50_000.0  # between two nodes of a way: more is a slip, and no street
_LOOK_CLOSER_E7 = 2_000_000  # steps of less than 0.2 degrees in all are shorter than that
_LONGEST_RUN_E7 = 80_000_000  # degrees of latitude and longitude together: less than 900 km, whose millimetres fit

# What is read of a way or node; the rest is let go.
_KEPT = frozenset(
    [
        "highway",
        "railway",
        "public_transport",
        "name",
        "ref",
        "maxspeed",
        "maxspeed:forward",
        "maxspeed:backward",
        "oneway",
        "oneway:bicycle",
        "oneway:foot",
        "oneway:motor_vehicle",
        "junction",
        "access",
        "foot",
        "bicycle",
        "vehicle",
        "motor_vehicle",
        "motorcar",
        "motorroad",
        "wheelchair",
        "ramp:wheelchair",
        "surface",
        "smoothness",
        "incline",
        "width",
        "kerb",
        "sac_scale",
        "conveying",
        "sidewalk",
        "sidewalk:both",
        "sidewalk:left",
        "sidewalk:right",
        "cycleway",
        "cycleway:left",
        "cycleway:right",
        "barrier",
        "area",
        "note",
    ]
)
_SIGNS = (  # what a file begins with, how osmium calls it
    (b"\x1f\x8b", "osm.gz"),
    (b"BZh", "osm.bz2"),
)


@dataclass(frozen=True, slots=True)
class Way:
    """A street as mapped; `nodes` are positions in the extract's arrays."""

    id: int
    nodes: tuple[int, ...]
    tags: Tags


@dataclass(frozen=True, slots=True)
class Extract:
    """The streets of an extract, as mapped."""

    generator: str  # the program that wrote it
    node_id: NDArray[np.int64]
    lat_e7: NDArray[np.int32]
    lon_e7: NDArray[np.int32]
    node_tags: Mapping[int, Tags]  # by position, of the nodes that may stop somebody
    ways: tuple[Way, ...]


@dataclass(slots=True)
class _Remarks:
    """Cases by kind: how many, and the first."""

    file: str
    n: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, code: str, example: object) -> None:
        self.n[code] += 1
        self.first.setdefault(code, str(example)[:80])

    def findings(self) -> list[Finding]:
        return [
            Finding(Severity.WARNING, code, self.file, facts={"n": n, "example": self.first[code]})
            for code, n in sorted(self.n.items())
        ]


def read_extract(path: Path) -> tuple[Extract, list[Finding]]:
    """The streets of the extract at `path`, and what is to be said of it.

    Raises:
        BadInput: `osm_not_an_extract`, `osm_unreadable` when it is cut short or damaged,
            `osm_no_streets` when there is none in it.
        OSError: the file cannot be read.
    """
    kind = _kind_of(path)
    remarks = _Remarks(path.name)
    try:
        file = osmium.io.File(str(path), kind)
        header = osmium.FileProcessor(file, osmium.osm.NOTHING).header
        refs, found = _read_streets(file, remarks)
        wanted = {ref for _, ids, _ in refs for ref in ids}
        # In a file that is not sorted a node may come after its way.
        if header.get("sorting", "") != "Type_then_ID" and not wanted <= found.keys():
            _read_nodes(file, wanted, found)
    except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
        raise BadInput("osm_unreadable", file=path.name, reason=str(error)) from error
    extract = _extract_of(header.get("generator", ""), refs, found, remarks)
    if not extract.ways:
        raise BadInput("osm_no_streets", file=path.name)
    return extract, remarks.findings()


def _kind_of(path: Path) -> str:
    """What kind of extract a file is, by its first bytes.

    Raises:
        BadInput: `osm_not_an_extract`.
    """
    with path.open("rb") as file:
        begin = file.read(64)
    if begin[4:6] == b"\x0a\x09" and begin[6:15] == b"OSMHeader":
        return "pbf"
    for sign, kind in _SIGNS:
        if begin.startswith(sign):
            return kind
    if begin.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "osm"
    raise BadInput("osm_not_an_extract", file=path.name)


_Ref = tuple[int, list[int], Tags]  # id of a way, ids of its nodes, tags
_Node = tuple[int, int, Tags]  # lat_e7, lon_e7, tags
_NOTHING: Tags = {}


def _read_streets(file: osmium.io.File, remarks: _Remarks) -> tuple[list[_Ref], dict[int, _Node]]:
    """The ways that somebody may use, and the nodes of them that were there before."""
    objects = osmium.FileProcessor(file, osmium.osm.NODE | osmium.osm.WAY).with_locations()
    objects = objects.with_filter(osmium.filter.KeyFilter("highway", "railway", "public_transport", "barrier", "kerb"))
    known: dict[frozenset[tuple[str, str]], tuple[Tags, bool]] = {}
    refs: list[_Ref] = []
    found: dict[int, _Node] = {}
    tagged: dict[int, Tags] = {}
    for one in objects:
        if not isinstance(one, osmium.osm.Node | osmium.osm.Way) or one.deleted:
            continue
        said = {tag.k: tag.v for tag in one.tags if tag.k in _KEPT}
        if isinstance(one, osmium.osm.Node):
            tagged[one.id] = said
            continue
        key = frozenset(said.items())
        if key not in known:  # many ways say the same
            known[key] = said, any(any(profile.speeds(said)) for profile in PROFILES)
        tags, is_used = known[key]
        _remark_tags(tags, remarks, is_used=is_used)
        if not is_used:
            continue
        ids = []
        for node in one.nodes:
            ids.append(node.ref)
            place = node.location
            if place.valid() and node.ref not in found:
                found[node.ref] = place.y, place.x, tagged.get(node.ref, _NOTHING)
        if len(ids) < 2:
            remarks.add("osm_short_way", one.id)
        else:
            refs.append((one.id, ids, tags))
    return refs, found


def _remark_tags(tags: Tags, remarks: _Remarks, *, is_used: bool) -> None:
    highway = tags.get("highway", "")
    if highway and highway not in HIGHWAYS:
        remarks.add("osm_unknown_highway", highway)
    if is_used:
        for name in ("maxspeed", "maxspeed:forward", "maxspeed:backward"):
            if name in tags and not is_limit_known(tags[name]):
                remarks.add("osm_unknown_maxspeed", tags[name])


def _read_nodes(file: osmium.io.File, wanted: set[int], found: dict[int, _Node]) -> None:
    """Find the nodes of `wanted` wherever they stand in the file."""
    for node in osmium.FileProcessor(file, osmium.osm.NODE):
        if not isinstance(node, osmium.osm.Node) or node.id not in wanted or node.id in found:
            continue
        if node.location.valid() and not node.deleted:
            tags = {tag.k: tag.v for tag in node.tags if tag.k in _KEPT} if len(node.tags) else _NOTHING
            found[node.id] = node.location.y, node.location.x, tags


def _extract_of(generator: str, refs: list[_Ref], found: dict[int, _Node], remarks: _Remarks) -> Extract:
    ids = sorted(found)
    position = {node: i for i, node in enumerate(ids)}
    lat = [found[node][0] for node in ids]
    lon = [found[node][1] for node in ids]
    ways: list[Way] = []
    seen: set[int] = set()
    for way, nodes, tags in sorted(refs, key=lambda ref: ref[0]):
        if way in seen:
            remarks.add("osm_repeated_way", way)
            continue
        seen.add(way)
        run: list[int] = []
        runs = [run]
        for node in nodes:
            if node not in position:
                remarks.add("osm_missing_node", node)
                run = []
                runs.append(run)
            elif not run or run[-1] != position[node]:
                run.append(position[node])
        ways += [Way(way, tuple(part), tags) for run in runs for part in _short_steps(run, lat, lon, way, remarks)]
    stopping = {position[node]: tags for node, (_, _, tags) in found.items() if tags and _stops_somebody(tags)}
    return Extract(
        generator, np.array(ids, np.int64), np.array(lat, np.int32), np.array(lon, np.int32), stopping, tuple(ways)
    )


def _short_steps(run: list[int], lat: list[int], lon: list[int], way: int, remarks: _Remarks) -> Iterator[list[int]]:
    """The parts of a run of nodes without absurdly long steps, none of them too long to measure."""
    begin = run_e7 = 0
    for end in range(1, len(run)):
        one, other = run[end - 1], run[end]
        step_e7 = abs(lat[one] - lat[other]) + abs(lon[one] - lon[other])
        run_e7 += step_e7
        if step_e7 > _LOOK_CLOSER_E7 and _is_long(lat, lon, one, other):
            remarks.add("osm_long_step", way)
            if end - begin > 1:
                yield run[begin:end]
            begin = end
            run_e7 = 0
        elif run_e7 > _LONGEST_RUN_E7:
            yield run[begin : end + 1]
            begin, run_e7 = end, 0
    if len(run) - begin > 1:
        yield run[begin:]


def _is_long(lat: list[int], lon: list[int], one: int, other: int) -> bool:
    places = [LatLon(lat[at] / 1e7, lon[at] / 1e7) for at in (one, other)]
    return distance_m(*places) > LONGEST_STEP_M


def _stops_somebody(tags: Tags) -> bool:
    return any(profile.is_barred_by(tags) for profile in PROFILES)


Node = int | tuple[int, int]  # an OpenStreetMap id; with a number for the copies before a barrier


def street_graph(extract: Extract) -> nx.MultiDiGraph:
    """The graph of an extract, see above."""
    n_nodes = len(extract.node_id)
    passed = [node for way in extract.ways for node in way.nodes]
    ended = [node for way in extract.ways for node in (way.nodes[0], way.nodes[-1])]
    visits = np.bincount(passed + ended, minlength=n_nodes)
    visits[list(extract.node_tags)] += 2
    is_junction = visits > 1
    graph: nx.MultiDiGraph = nx.MultiDiGraph()
    n_copies: Counter[int] = Counter()
    places = np.stack([extract.lat_e7, extract.lon_e7], axis=1)

    def arrive(position: int) -> Node:
        """The graph's node for one end of a piece."""
        node = int(extract.node_id[position])
        tags = extract.node_tags.get(position)
        if tags is None:
            _add_node(graph, node, places[position])
            return node
        copy = (node, n_copies[position])
        n_copies[position] += 1
        _add_node(graph, node, places[position])
        _add_node(graph, copy, places[position])
        graph.add_edge(copy, node, way=node, tags=tags, points=places[[position, position]], gate=True)
        return copy

    for way in extract.ways:
        nodes = way.nodes
        begin = 0
        for end in range(1, len(nodes)):
            if is_junction[nodes[end]]:
                points = places[list(nodes[begin : end + 1])]
                graph.add_edge(
                    arrive(nodes[begin]), arrive(nodes[end]), way=way.id, tags=way.tags, points=points, gate=False
                )
                begin = end
    return graph


def _add_node(graph: nx.MultiDiGraph, node: Node, place: NDArray[np.int32]) -> None:
    if node not in graph:
        graph.add_node(node, lat=int(place[0]) / 1e7, lon=int(place[1]) / 1e7)
