"""Towns typed as metres: extracts of OpenStreetMap small enough to hold in the head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import cos, radians
from pathlib import Path
from xml.sax.saxutils import quoteattr

import networkx as nx
import numpy as np
from hypothesis import strategies as st

from routing.streets.graph import Streets, make_streets
from routing.streets.osm import read_extract, street_graph
from socle.geo import LatLon

_METRES_PER_DEGREE = 111_195.0
_SOUTH, _WEST = 47.0, 6.0

Place = tuple[float, float]  # metres east and north
Way = tuple[Sequence[int], Mapping[str, str]]  # nodes, tags

STREET = {"highway": "residential"}


def at(east: float, north: float) -> LatLon:
    """A place of the town."""
    return LatLon(_SOUTH + north / _METRES_PER_DEGREE, _WEST + east / _METRES_PER_DEGREE / cos(radians(_SOUTH)))


def _tags(tags: Mapping[str, str]) -> str:
    return "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items())


def osm_text(
    nodes: Mapping[int, Place], ways: Sequence[Way], node_tags: Mapping[int, Mapping[str, str]] | None = None
) -> str:
    """The town as OpenStreetMap XML; ways count from 1."""
    out = ['<?xml version="1.0" encoding="UTF-8"?>\n<osm version="0.6" generator="a test">\n']
    for node, place in nodes.items():
        lat, lon = at(*place)
        out.append(
            f'<node id="{node}" lat="{lat:.7f}" lon="{lon:.7f}">{_tags((node_tags or {}).get(node, {}))}</node>\n'
        )
    for number, (ids, tags) in enumerate(ways, 1):
        refs = "".join(f'<nd ref="{node}"/>' for node in ids)
        out.append(f'<way id="{number}">{refs}{_tags(tags)}</way>\n')
    return "".join([*out, "</osm>\n"])


def town(
    folder: Path,
    nodes: Mapping[int, Place],
    ways: Sequence[Way],
    node_tags: Mapping[int, Mapping[str, str]] | None = None,
) -> Streets:
    """The streets of a town."""
    path = folder / "town.osm"
    path.write_text(osm_text(nodes, ways, node_tags), "utf-8")
    return make_streets(street_graph(read_extract(path)[0]))[0]


@st.composite
def towns(draw):
    """A random graph of streets as `osm` would make it, with loops, gates, one-ways, and places near by."""
    n = draw(st.integers(2, 7))
    place = st.tuples(st.integers(-40, 40), st.integers(-40, 40))  # times 10 m
    nodes = [at(10.0 * x, 10.0 * y) for x, y in draw(st.lists(place, min_size=n, max_size=n, unique=True))]
    graph = nx.MultiDiGraph()
    for number, node in enumerate(nodes):
        graph.add_node(number, lat=round(node.lat, 7), lon=round(node.lon, 7))
    kind = st.sampled_from(
        [
            {"highway": "residential"},
            {"highway": "residential", "oneway": "yes"},
            {"highway": "footway"},
            {"highway": "steps"},
            {"highway": "cycleway"},
        ]
    )
    for way in range(draw(st.integers(1, 12))):
        one, other = draw(st.integers(0, n - 1)), draw(st.integers(0, n - 1))
        bends = [
            at(10.0 * x, 10.0 * y) for x, y in draw(st.lists(place, min_size=1 if one == other else 0, max_size=2))
        ]
        points = [[round(p.lat * 1e7), round(p.lon * 1e7)] for p in (nodes[one], *bends, nodes[other])]
        graph.add_edge(one, other, way=way, tags=draw(kind), points=np.array(points, np.int32), gate=False)
    asked = [at(10.0 * x + 3, 10.0 * y + 1) for x, y in draw(st.lists(place, min_size=1, max_size=5))]
    return graph, asked
