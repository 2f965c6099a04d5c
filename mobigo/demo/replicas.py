"""Replicas: shifted copies of the region, to load the product with more than one region's worth.

Every name in a copy says « répliqué »: no figure measured on copies may be shown without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mobigo.demo.tables import Table, Tables, Value

_COLUMNS, _STEP_EAST, _STEP_SOUTH = 4, 6.0, 3.0  # degrees: copies never touch
_STOP_REFERENCES = {
    "stops": ("stop_id", "parent_station"),
    "stop_times": ("stop_id",),
    "transfers": ("from_stop_id", "to_stop_id"),
    "pathways": ("from_stop_id", "to_stop_id"),
    "stop_areas": ("stop_id",),
}
_PLACES = {"stops": ("stop_lat", "stop_lon"), "shapes": ("shape_pt_lat", "shape_pt_lon")}
_NAMES = {"agency": "agency_name", "stops": "stop_name", "feed_info": "feed_publisher_name"}


def with_replicas(sources: Mapping[str, Tables], n: int) -> dict[str, Tables]:
    """The sources, and `n` shifted copies of each, of other names and national codes."""
    every = dict(sources)
    for copy in range(1, n + 1):
        for source_id, tables in sources.items():
            every[f"{source_id}-r{copy}"] = _copied(tables, copy)
    return every


def _copied(tables: Tables, copy: int) -> Tables:
    south, east = _STEP_SOUTH * (copy // _COLUMNS), _STEP_EAST * (copy % _COLUMNS)
    copied = dict(tables)

    def change(stem: str, column: str, by: Callable[[Value], Value]) -> None:
        if stem in copied and column in copied[stem].columns:
            copied[stem] = _changed(copied[stem], column, by)

    for stem, columns in _STOP_REFERENCES.items():
        for column in columns:  # a station of a copy is no station of the country
            change(stem, column, lambda stop_id: f"R{copy}.{stop_id}")
    for stem, (lat, lon) in _PLACES.items():
        change(stem, lat, lambda degrees: round(float(str(degrees)) - south, 6))
        change(stem, lon, lambda degrees: round(float(str(degrees)) + east, 6))
    for stem, column in _NAMES.items():
        change(stem, column, lambda name: f"{name} (répliqué {copy})")
    return copied


def _changed(table: Table, column: str, by: Callable[[Value], Value]) -> Table:
    return table.changed(column, lambda value: None if value is None else by(value))
