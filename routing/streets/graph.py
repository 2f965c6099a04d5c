"""Graph: the streets as flat arrays that every process maps into its memory.

Made once from the NetworkX graph of `osm`, then frozen. An index is named after what it points to;
`xs_first_y[x]` to `xs_first_y[x + 1]` is the slice of ys that belong to x. Times are milliseconds and
lengths millimetres, so that a thousand short pieces add up to the metre; latitudes and longitudes are
in 1e-7 degrees, as OpenStreetMap has them. CLOSED (of `kernels.dijkstra`) says: not this way.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import networkx as nx  # type: ignore[import-untyped]  # has no types of its own
import numpy as np
from numpy.typing import NDArray

from routing.kernels.components import strong_components
from routing.kernels.dijkstra import CLOSED, Rows
from routing.kernels.nearest import Grid, Lines, make_grid
from routing.mapped import Strings, map_array, save_arrays, undamaged
from routing.streets.hierarchy import Hierarchy, OnContracted, make_hierarchy
from routing.streets.profiles import CAR, PROFILES, Profile
from routing.streets.tags import Tags
from socle.errors import Fact, Unavailable
from socle.findings import Finding, Severity
from socle.geo import Box, distances_m

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
# Streets that are joined to the others by nothing (a courtyard whose gate is not mapped) are found by
# nobody: one who asks from there is led from the next street. A part counts that has this share of the
# nodes of the largest, or this many.
_ISLAND_SHARE, _ISLAND_NODES = 0.1, 2_000
_CONTRACTED = (CAR,)  # on foot and by bicycle one goes to what is near, which is found sooner without
_HIERARCHY = "hierarchy"

Ints = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Ways:
    """What one profile searches: rows of edges by the node that they leave."""

    first_edge: Ints  # [n_nodes + 1]
    edge_to: Ints  # node
    edge_piece: Ints  # the piece that the edge runs along
    edge_mm: Ints
    edge_ms: Ints  # from the node to `edge_to`
    edge_back_ms: Ints  # from `edge_to` to the node: what is searched when ways towards a place are
    # piece -> what it takes as drawn, and against it
    along_ms: Ints  # [n_pieces]
    against_ms: Ints  # [n_pieces]
    is_found: NDArray[np.uint8]  # [n_pieces] whether a place may be joined to it

    @cached_property
    def forward(self) -> Rows:
        """To search from a place."""
        return Rows(self.first_edge, self.edge_to, self.edge_ms, self.edge_mm)

    @cached_property
    def backward(self) -> Rows:
        """To search towards a place."""
        return Rows(self.first_edge, self.edge_to, self.edge_back_ms, self.edge_mm)


@dataclass(frozen=True, eq=False)
class Streets:
    """The streets of one extract. Their directory may be opened by many processes at once."""

    digest: str  # of the extract and the schema's version
    generator: str  # the program that wrote the extract

    texts: Strings  # text -> characters; text 0 is empty
    # node -> where it is
    node_lat: Ints  # [n_nodes]
    node_lon: Ints
    # piece -> … A piece is a street from one node to the next; a gate is one without length.
    piece_from: Ints  # [n_pieces] node
    piece_to: Ints  # [n_pieces] node
    piece_way: NDArray[np.int64]  # [n_pieces] id in OpenStreetMap, of a node for a gate
    piece_name: Ints  # [n_pieces] text
    piece_mm: Ints  # [n_pieces]
    # piece -> its course, both ends included
    piece_first_point: Ints  # [n_pieces + 1]
    point_lat: Ints
    point_lon: Ints
    point_mm: Ints  # from the beginning of the piece
    point_piece: Ints  # piece
    # the grid over the points, see `kernels.nearest`
    cells: NDArray[np.int64]  # south, west, height, width, n_rows, n_columns
    cell_first_segment: Ints
    cell_segments: Ints

    ways: Mapping[str, Ways]  # by profile
    hierarchies: Mapping[str, Hierarchy] = field(default_factory=dict)  # likewise, of those that are contracted

    @property
    def n_nodes(self) -> int:
        """Where streets meet, end or are barred."""
        return len(self.node_lat)

    @property
    def n_pieces(self) -> int:
        """Streets between two nodes, gates included."""
        return len(self.piece_mm)

    @property
    def is_demo(self) -> bool:
        """Whether these streets are invented."""
        return is_demo_generator(self.generator)

    @cached_property
    def lines(self) -> Lines:
        """The courses of the pieces, as the grid's kernel reads them."""
        return Lines(self.point_lat, self.point_lon, self.point_piece)

    @cached_property
    def grid(self) -> Grid:
        """The grid over them."""
        south, west, height, width, n_rows, n_columns = self.cells.tolist()
        return Grid(south, west, height, width, n_rows, n_columns, self.cell_first_segment, self.cell_segments)

    @property
    def box(self) -> Box:
        """What the streets cover."""
        lat, lon = self.point_lat, self.point_lon
        return Box(*(float(value) / 1e7 for value in (lat.min(), lon.min(), lat.max(), lon.max())))

    def kilometres(self, profile: str) -> float:
        """Length of what a profile may use."""
        ways = self.ways[profile]
        is_open = (ways.along_ms != CLOSED) | (ways.against_ms != CLOSED)
        return float(self.piece_mm[is_open].sum(dtype=np.int64)) / 1e6


def is_demo_generator(generator: str) -> bool:
    """Whether the program that wrote an extract invents streets."""
    return generator.startswith("mobigo demo")


def make_streets(
    graph: nx.MultiDiGraph, *, digest: str = "", generator: str = "", file: str = ""
) -> tuple[Streets, list[Finding]]:
    """The arrays of a graph of streets, and what is to be said of it."""
    number, lat, lon = _numbered(graph)
    pieces = sorted(graph.edges(data=True), key=lambda edge: (number[edge[0]], number[edge[1]], edge[2]["way"]))
    points, n_points, point_mm, piece_mm = _measured([edge[2]["points"] for edge in pieces])
    one = np.array([number[edge[0]] for edge in pieces], np.int32)
    other = np.array([number[edge[1]] for edge in pieces], np.int32)
    names: dict[str, int] = {"": 0}
    lines = Lines(
        np.ascontiguousarray(points[:, 0], np.int32),
        np.ascontiguousarray(points[:, 1], np.int32),
        np.repeat(np.arange(len(pieces), dtype=np.int32), n_points),
    )
    grid = make_grid(lines)
    tags = [edge[2]["tags"] for edge in pieces]
    is_gate = np.array([edge[2]["gate"] for edge in pieces], np.bool_)
    ways = {profile.name: _make_ways(profile, tags, is_gate, one, other, piece_mm, len(lat)) for profile in PROFILES}
    streets = Streets(
        digest,
        generator,
        piece_name=np.array([names.setdefault(said.get("name", ""), len(names)) for said in tags], np.int32),
        texts=Strings.of(list(names)),
        node_lat=lat,
        node_lon=lon,
        piece_from=one,
        piece_to=other,
        piece_way=np.array([edge[2]["way"] for edge in pieces], np.int64),
        piece_mm=piece_mm,
        piece_first_point=np.concatenate([[0], np.cumsum(n_points)]).astype(np.int32),
        point_lat=lines.lat,
        point_lon=lines.lon,
        point_mm=point_mm,
        point_piece=lines.line,
        cells=np.array(grid[:6], np.int64),
        cell_first_segment=grid.first_segment,
        cell_segments=grid.segments,
        ways=ways,
    )
    return streets, _findings(streets, is_gate, file)


def _findings(streets: Streets, is_gate: NDArray[np.bool_], file: str) -> list[Finding]:
    found = []
    for profile in PROFILES:
        ways = streets.ways[profile.name]
        is_open = (ways.along_ms != CLOSED) | (ways.against_ms != CLOSED)
        lost = is_open & ~is_gate & (ways.is_found == 0) & (streets.piece_mm > 0)
        if lost.any():
            facts: dict[str, Fact] = {
                "profile": profile.name,
                "n": int(lost.sum()),
                "metres": int(streets.piece_mm[lost].sum() // 1000),
            }
            found.append(Finding(Severity.INFO, "osm_islands", file, facts=facts))
    return found


def _numbered(graph: nx.MultiDiGraph) -> tuple[dict[Any, int], Ints, Ints]:
    """Nodes by number, and where each is: along a curve that keeps neighbours close (Morton's), for the cache."""
    nodes = list(graph.nodes(data=True))
    lat = np.array([round(place["lat"] * 1e7) for _, place in nodes], np.int64)
    lon = np.array([round(place["lon"] * 1e7) for _, place in nodes], np.int64)
    code = np.zeros(len(nodes), np.int64)
    for values, shift in ((lat, 1), (lon, 0)):
        low = int(values.min(initial=0))
        span = max(int(values.max(initial=0)) - low, 1)
        cell = (values - low) * 65_535 // span
        for bit in range(16):
            code |= (cell >> bit & 1) << (2 * bit + shift)
    order = np.argsort(code, kind="stable")
    number = {nodes[old][0]: new for new, old in enumerate(order.tolist())}
    return number, lat[order].astype(np.int32), lon[order].astype(np.int32)


def _measured(courses: list[Ints]) -> tuple[Ints, Ints, Ints, Ints]:
    """The points of all pieces end to end, how many each has, their millimetres from its beginning, its length."""
    n_points = np.array([len(course) for course in courses], np.int32)
    if not courses:
        return np.zeros((0, 2), np.int32), n_points, n_points, n_points
    points = np.concatenate(courses)
    degrees = points / 1e7
    steps = distances_m(degrees[:-1, 0], degrees[:-1, 1], degrees[1:, 0], degrees[1:, 1])
    last = np.cumsum(n_points) - 1
    steps[last[:-1]] = 0.0  # from one piece to the next
    first = last + 1 - n_points
    from_first = np.concatenate([[0.0], np.cumsum(steps)])
    mm = np.rint((from_first - np.repeat(from_first[first], n_points)) * 1000)
    return points, n_points, mm.astype(np.int32), mm[last].astype(np.int32)


def _make_ways(
    profile: Profile,
    tags: Iterable[Tags],
    is_gate: NDArray[np.bool_],
    one: Ints,
    other: Ints,
    piece_mm: Ints,
    n_nodes: int,
) -> Ways:
    """What a profile may use of the pieces, as rows."""
    speeds = np.array(_speeds(profile, tags, is_gate), np.float64).reshape(-1, 2)
    ms = np.full((len(piece_mm), 2), CLOSED, np.int64)
    for side in range(2):
        is_open = speeds[:, side] > 0
        ms[is_open, side] = np.rint(piece_mm[is_open] / speeds[is_open, side])
    along, against = ms[:, 0].astype(np.int32), ms[:, 1].astype(np.int32)
    is_open = (along != CLOSED) | (against != CLOSED)
    used = np.flatnonzero(is_open & (one != other))  # what comes back to where it began leads nowhere
    edge_from, edge_to = np.concatenate([one[used], other[used]]), np.concatenate([other[used], one[used]])
    piece = np.concatenate([used, used]).astype(np.int32)
    order = np.lexsort((piece, edge_to, edge_from))
    first_edge = np.searchsorted(edge_from[order], np.arange(n_nodes + 1)).astype(np.int32)
    out = np.concatenate([along[used], against[used]])[order]
    back = np.concatenate([against[used], along[used]])[order]
    edge_to, piece = edge_to[order], piece[order]
    component = strong_components(first_edge, edge_to, out)
    n_members = np.bincount(component, minlength=1)
    is_large = n_members >= min(_ISLAND_NODES, n_members.max() * _ISLAND_SHARE)
    joined = (component[one] == component[other]) & is_large[component[one]] if n_nodes else np.zeros(0, np.bool_)
    is_found = is_open & ~is_gate & (piece_mm > 0) & joined
    return Ways(first_edge, edge_to, piece, piece_mm[piece], out, back, along, against, is_found.astype(np.uint8))


def _speeds(profile: Profile, tags: Iterable[Tags], is_gate: NDArray[np.bool_]) -> list[tuple[float, float]]:
    known: dict[tuple[int, bool], tuple[float, float]] = {}
    speeds = []
    for said, gate in zip(tags, is_gate.tolist(), strict=True):
        key = (id(said), gate)  # pieces of a way share their tags
        if key not in known:
            if gate:
                known[key] = (0.0, 0.0) if profile.is_barred_by(said) else (1.0, 1.0)
            else:
                known[key] = profile.speeds(said)
        speeds.append(known[key])
    return speeds


def contract_streets(streets: Streets, on_contracted: OnContracted = lambda _share: None) -> Streets:
    """The same streets with a hierarchy for cars."""
    made = {profile.name: make_hierarchy(streets.ways[profile.name].forward, on_contracted) for profile in _CONTRACTED}
    return dataclasses.replace(streets, hierarchies=made)


def save_streets(streets: Streets, directory: Path) -> None:
    """Write `streets` into the empty or absent `directory`; the manifest comes last."""
    directory.mkdir(parents=True, exist_ok=True)
    save_arrays(streets, directory)
    for name, ways in streets.ways.items():
        (directory / name).mkdir(exist_ok=True)
        save_arrays(ways, directory / name)
    for name, hierarchy in streets.hierarchies.items():
        (directory / name / _HIERARCHY).mkdir(exist_ok=True)
        save_arrays(hierarchy, directory / name / _HIERARCHY)
    manifest = {
        "schema": SCHEMA_VERSION,
        "digest": streets.digest,
        "generator": streets.generator,
        "n_nodes": streets.n_nodes,
        "n_pieces": streets.n_pieces,
        "box": streets.box,
        "kilometres": {name: round(streets.kilometres(name), 3) for name in streets.ways},
        "arcs": {name: hierarchy.n_arcs for name, hierarchy in streets.hierarchies.items()},
    }
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")


def read_manifest(directory: Path) -> dict[str, Any]:
    """What the streets of `directory` say of themselves.

    Raises:
        Unavailable: `no_streets` when there are none, `streets_of_other_version` when this
            version of Mobigo cannot read them, `release_damaged`.
    """
    if not (directory / MANIFEST).exists():
        raise Unavailable("no_streets", directory=str(directory))
    with undamaged(directory):
        manifest: dict[str, Any] = json.loads((directory / MANIFEST).read_text("utf-8"))
        found = manifest["schema"]
    if found != SCHEMA_VERSION:
        raise Unavailable("streets_of_other_version", found=found, wanted=SCHEMA_VERSION)
    return manifest


def open_streets(directory: Path) -> Streets:
    """The streets of `directory`, mapped into memory.

    Raises:
        Unavailable: as `read_manifest`.
    """
    manifest = read_manifest(directory)
    with undamaged(directory):
        values: dict[str, Any] = {name: manifest[name] for name in ("digest", "generator")}
        parts = [map_array(directory / f"texts.{name}.npy") for name in ("first_byte", "data")]
        values["texts"] = Strings(*parts)
        values["ways"] = {profile.name: Ways(**_map_fields(Ways, directory / profile.name)) for profile in PROFILES}
        values["hierarchies"] = {
            name: Hierarchy(**_map_fields(Hierarchy, directory / name / _HIERARCHY))
            for name in manifest.get("arcs", ())
        }
        for part in dataclasses.fields(Streets):
            if part.name not in values:
                values[part.name] = map_array(directory / f"{part.name}.npy")
        return Streets(**values)


def _map_fields(kind: type[Any], directory: Path) -> dict[str, Any]:
    return {part.name: map_array(directory / f"{part.name}.npy") for part in dataclasses.fields(kind)}


def digest_of(path: Path) -> str:
    """What tells the streets of an extract from others: the extract's bytes and how they are read."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(f"streets {SCHEMA_VERSION}".encode())
    return digest.hexdigest()
