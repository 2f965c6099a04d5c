"""Picture: the demonstration drawn as one SVG map, to be looked at.

Equirectangular at 47° N, north up; roads grey, coaches green, urban lines violet, railways
dark with a dot at each station, towns named by size.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import cos, radians, sqrt
from xml.sax.saxutils import escape

from mobigo.demo.facts import Facts
from mobigo.demo.region import DemoBuild
from mobigo.demo.tables import Tables
from socle.geo import Box, LatLon

_WHOLE = Box(south=46.05, west=2.75, north=48.45, east=7.25)
_WIDTH = 1400
_NAMED_PEOPLE = 5_000  # in the whole region; fewer in a smaller box
_SCALE_EAST = cos(radians(47.0))


class _Sheet:
    """Places of a box as points of the picture."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.scale = _WIDTH / ((box.east - box.west) * _SCALE_EAST)
        self.height = round((box.north - box.south) * self.scale)

    def point(self, at: LatLon) -> tuple[float, float]:
        x = (at.lon - self.box.west) * _SCALE_EAST * self.scale
        return round(x, 1), round((self.box.north - at.lat) * self.scale, 1)

    def path(self, line: Iterable[LatLon]) -> str:
        return "M" + "L".join("{} {}".format(*self.point(at)) for at in line)

    def paths(self, lines: Iterable[Sequence[LatLon]], style: str) -> str:
        return f'<path d="{"".join(self.path(line) for line in lines)}" fill="none" {style}/>'


def _shapes(tables: Tables) -> list[list[LatLon]]:
    lines: dict[str, list[LatLon]] = defaultdict(list)
    for shape_id, lat, lon, *_ in tables["shapes"].rows:
        lines[str(shape_id)].append(LatLon(float(str(lat)), float(str(lon))))
    return list(lines.values())


def _railways(facts: Facts, modes: frozenset[str]) -> list[tuple[LatLon, LatLon]]:
    """The hops of these modes, an express hop being left out where shorter ones lead as far."""
    used = {(min(hop), max(hop)) for p in facts.patterns if p.mode in modes for hop in pairwise(p.stops)}
    kept: dict[str, dict[str, float]] = defaultdict(dict)
    hops = []
    for one, other in sorted(used, key=lambda hop: (facts.segments[hop].km, hop)):
        km = facts.segments[one, other].km
        if not _leads_within(kept, one, other, 1.12 * km):
            kept[one][other] = kept[other][one] = km
            hops.append((facts.stations[one].at, facts.stations[other].at))
    return hops


def _leads_within(kept: Mapping[str, Mapping[str, float]], one: str, other: str, limit_km: float) -> bool:
    reached, front = {one: 0.0}, [one]
    while front:
        at = front.pop()
        for to, km in kept.get(at, {}).items():
            so_far = reached[at] + km
            if so_far <= limit_km and so_far < reached.get(to, limit_km + 1):
                reached[to] = so_far
                front.append(to)
    return other in reached


class _Names:
    """Names set down where no earlier one stands."""

    def __init__(self) -> None:
        self._boxes: list[tuple[float, float, float, float]] = []

    def find_room(self, x: float, y: float, name: str, size: int) -> bool:
        box = (x, y - size, x + 0.56 * size * len(name), y)
        if any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in self._boxes):
            return False
        self._boxes.append(box)
        return True


def render_picture(demo: DemoBuild, box: Box = _WHOLE) -> str:
    """The map of what lies in `box`."""
    sheet = _Sheet(box)
    roads = demo.roads
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {sheet.height}" font-family="sans-serif">',
        f'<rect width="{_WIDTH}" height="{sheet.height}" fill="#f7f5ef"/>',
        sheet.paths(roads.lines, 'stroke="#d5d0c4" stroke-width="0.7"'),
    ]
    for source_id, tables in demo.sources.items():
        if "shapes" in tables:
            colour = "#2f7d4f" if source_id.startswith("cars") else "#7b3fa0"
            parts.append(sheet.paths(_shapes(tables), f'stroke="{colour}" stroke-width="1.3"'))
    facts = demo.edition.facts
    parts.append(sheet.paths(_railways(facts, frozenset({"tgv"})), 'stroke="#8fa3c2" stroke-width="1"'))
    parts.append(sheet.paths(_railways(facts, frozenset({"train"})), 'stroke="#1c2f4f" stroke-width="2.2"'))
    for station in facts.stations.values():
        x, y = sheet.point(station.at)
        parts.append(f'<circle cx="{x}" cy="{y}" r="2.6" fill="#fff" stroke="#1c2f4f" stroke-width="1.2"/>')
    share = (box.north - box.south) / (_WHOLE.north - _WHOLE.south)
    names = _Names()
    for commune in sorted(roads.places, key=lambda commune: -commune.population):
        x, y = sheet.point(commune.at)
        radius = round(max(0.8, sqrt(commune.population) / 45), 1)
        parts.append(f'<circle cx="{x}" cy="{y}" r="{radius}" fill="#c0562b" fill-opacity="0.55"/>')
        size = 11 if commune.population < 25_000 else 15
        wants_name = box.holds(commune.at) and commune.population >= _NAMED_PEOPLE * share**2
        if wants_name and names.find_room(x, y, commune.name, size):
            parts.append(
                f'<text x="{round(x + radius + 2, 1)}" y="{round(y + 4, 1)}" font-size="{size}" paint-order="stroke" '
                f'stroke="#f7f5ef" stroke-width="3">{escape(commune.name)}</text>'
            )
    return "\n".join([*parts, "</svg>", ""])
