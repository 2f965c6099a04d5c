"""The inside of Dijon's station: two levels, stairs and lifts, two ways in. Drawn, not surveyed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mobigo.demo.tables import Table
from socle.geo import LatLon

ENTRANCE, NODE = 2, 3
_WALKWAY, _STAIRS, _LIFT = 1, 2, 5
_STREET, _SUBWAY = "rue", "souterrain"


@dataclass(frozen=True, slots=True)
class _Spot:
    code: str
    kind: int
    name: str | None
    level: str
    north_m: int
    east_m: int


_SPOTS = (
    _Spot("entree-nord", ENTRANCE, "Entrée nord", _STREET, 45, 10),
    _Spot("entree-sud", ENTRANCE, "Entrée sud", _STREET, -60, -5),
    _Spot("hall", NODE, None, _STREET, 20, 0),
    _Spot("passage", NODE, None, _SUBWAY, -10, 0),
)
# (from, to, mode, metres, seconds, steps down from the first to the second)
_INSIDE = (
    ("entree-nord", "hall", _WALKWAY, 30, 25, None),
    ("hall", "passage", _STAIRS, 20, 25, -24),
    ("hall", "passage", _LIFT, None, 40, None),
    ("passage", "entree-sud", _STAIRS, 55, 60, 24),
    ("passage", "entree-sud", _LIFT, None, 70, None),
)
_METRES_PER_DEGREE = 111_195.0
_EAST_AT_DIJON = 0.678  # cos 47.32°


def _level_id(station_id: str, level: str) -> str:
    return f"{station_id}-niveau-{level}"


def quay_level_id(station_id: str) -> str:
    """The level that all quays are on."""
    return _level_id(station_id, _STREET)


def spots(station_id: str, at: LatLon) -> Iterable[tuple[str, int, str | None, LatLon, str]]:
    """Entrances and nodes: id, location type, name, place, level."""
    for spot in _SPOTS:
        place = LatLon(
            round(at.lat + spot.north_m / _METRES_PER_DEGREE, 6),
            round(at.lon + spot.east_m / _METRES_PER_DEGREE / _EAST_AT_DIJON, 6),
        )
        yield f"{station_id}-{spot.code}", spot.kind, spot.name, place, _level_id(station_id, spot.level)


def levels(station_id: str) -> Table:
    """The street and the underground passage."""
    table = Table(("level_id", "level_index", "level_name"))
    table.add(_level_id(station_id, _STREET), 0.0, "Rue")
    table.add(_level_id(station_id, _SUBWAY), -1.0, "Passage souterrain")
    return table


def pathways(station_id: str, tram_quays: Sequence[str], bus_quays: Sequence[str]) -> Table:
    """How one goes from each way in to each quay: buses from the hall, trams from the passage too."""
    table = Table(
        (
            "pathway_id",
            "from_stop_id",
            "to_stop_id",
            "pathway_mode",
            "is_bidirectional",
            "length",
            "traversal_time",
            "stair_count",
            "signposted_as",
        )
    )

    def add(one: str, other: str, mode: int, length: int | None, seconds: int, steps: int | None, sign: str) -> None:
        pathway_id = f"{station_id}-chemin-{len(table.rows) + 1:02d}"
        table.add(pathway_id, one, other, mode, 1, None if length is None else float(length), seconds, steps, sign)

    for one, other, mode, length, seconds, steps in _INSIDE:
        add(f"{station_id}-{one}", f"{station_id}-{other}", mode, length, seconds, steps, "Hall – Passage souterrain")
    for k, quay in enumerate(bus_quays):
        add(f"{station_id}-hall", quay, _WALKWAY, 60 + 5 * k, 50 + 4 * k, None, "Bus")
    for quay in tram_quays:
        add(f"{station_id}-hall", quay, _WALKWAY, 90, 75, None, "Tram")
        add(f"{station_id}-passage", quay, _STAIRS, 25, 30, 24, "Tram")
    return table
