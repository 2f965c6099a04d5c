"""Towns typed as metres: extracts of OpenStreetMap small enough to hold in the head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import cos, radians
from pathlib import Path
from xml.sax.saxutils import quoteattr

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
