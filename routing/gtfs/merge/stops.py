"""Stops: which stops of several sources are one place.

Two stops with the same national id are one. Stations of different sources are also
one when their folded names are equal and they are at most 150 m apart; a stop
without a station joins the station of another source on the same terms. Stops that
vehicles call at are never melted into one: they become quays of one station.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from routing.gtfs.feed import LINE, Feed
from routing.gtfs.feed.names import fold_name
from routing.gtfs.identity.namespaces import Namespaces
from routing.gtfs.merge.scope import scoped_table
from routing.gtfs.read.notes import Notes
from socle.findings import Severity
from socle.geo import LatLon, distance_m

SAME_STATION_M = 150.0
_FAR_M = 1_000.0  # two sources that place one national station further apart than this disagree

_STATION = 1


@dataclass(slots=True)
class _Place:
    """A stop already in the merged network."""

    public_id: str
    at: LatLon | None
    type: int
    sources: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Book:
    """The stops of the merged network, by id and by folded name."""

    by_id: dict[str, _Place] = field(default_factory=dict)
    stations_by_name: dict[str, list[_Place]] = field(default_factory=lambda: defaultdict(list))

    def add(self, place: _Place, name: str) -> None:
        self.by_id[place.public_id] = place
        if place.type == _STATION:
            self.stations_by_name[name].append(place)

    def find_station(self, name: str, at: LatLon | None, source_id: str) -> _Place | None:
        """The nearest station of that folded name that no stop of `source_id` is part of yet."""
        if at is None or not name:
            return None
        near = [
            (distance_m(at, place.at), place.public_id, place)
            for place in self.stations_by_name.get(name, [])
            if place.at is not None and source_id not in place.sources
        ]
        distance, _, place = min(near, key=lambda found: found[:2], default=(SAME_STATION_M + 1, "", None))
        return place if distance <= SAME_STATION_M else None


def merge_stops(
    feeds: Sequence[Feed], spaces: Mapping[str, Namespaces], notes: Notes
) -> tuple[pl.DataFrame, list[dict[str, str]]]:
    """The stops of the merged network, and for each feed the public id of each of its stop ids.

    Where sources share a stop, what the first knows of it counts, and the others fill what it leaves empty.
    """
    book = _Book()
    public_ids: list[dict[str, str]] = []
    frames: list[pl.DataFrame] = []
    for feed in feeds:
        ids, adopted = _place_stops(feed, spaces[feed.source_id], book, notes)
        public_ids.append(ids)
        frames.append(_renamed(feed.tables["stops"], feed.source_id, ids, adopted))
    together = pl.concat(frames, how="diagonal")
    merged = together.group_by("stop_id", maintain_order=True).agg(pl.all().drop_nulls().first())
    return merged, public_ids


def _place_stops(feed: Feed, space: Namespaces, book: _Book, notes: Notes) -> tuple[dict[str, str], dict[str, str]]:
    """Public id of each stop of `feed`, and the station (public id) that each orphan stop found elsewhere."""
    ids: dict[str, str] = {}
    adopted: dict[str, str] = {}
    for stop_id, name, lat, lon, kind, parent, line in _plain_stops(feed.tables["stops"]):
        at = None if lat is None or lon is None else LatLon(lat, lon)
        folded = fold_name(name)
        public_id = space.public_stop_id(feed.source_id, stop_id)
        same = book.by_id.get(public_id)
        if same is not None and same.type != kind:
            notes.add(Severity.WARNING, "shared_stop_differs", "stops.txt", line, stop=public_id, source=feed.source_id)
            public_id, same = f"{feed.source_id}:{public_id}", None
        if same is not None:
            if at and same.at and distance_m(at, same.at) > _FAR_M:
                metres = round(distance_m(at, same.at))
                notes.add(Severity.WARNING, "shared_stop_far", "stops.txt", line, stop=public_id, metres=metres)
            same.sources.add(feed.source_id)
            same.at = same.at or at
        elif kind == _STATION and (twin := book.find_station(folded, at, feed.source_id)) is not None:
            notes.add(
                Severity.INFO,
                "station_by_name",
                "stops.txt",
                line,
                name=name,
                source=feed.source_id,
                kept=twin.public_id,
            )
            twin.sources.add(feed.source_id)
            public_id = twin.public_id
        else:
            book.add(_Place(public_id, at, kind, {feed.source_id}), folded)
            if kind == 0 and parent is None and (home := book.find_station(folded, at, feed.source_id)) is not None:
                adopted[stop_id] = home.public_id
                notes.add(Severity.INFO, "stop_joins_station", "stops.txt", line, name=name, station=home.public_id)
        ids[stop_id] = public_id
    return ids, adopted


def _plain_stops(stops: pl.DataFrame) -> list[tuple[str, str | None, float | None, float | None, int, str | None, int]]:
    wanted = {
        "stop_id": pl.String,
        "stop_name": pl.String,
        "stop_lat": pl.Float64,
        "stop_lon": pl.Float64,
        "location_type": pl.Int16,
        "parent_station": pl.String,
        LINE: pl.Int32,
    }
    columns = [
        pl.col(name) if name in stops.columns else pl.lit(None, dtype).alias(name) for name, dtype in wanted.items()
    ]
    return stops.select(columns).with_columns(pl.col("location_type").fill_null(0)).rows()


def _renamed(stops: pl.DataFrame, source_id: str, ids: Mapping[str, str], adopted: Mapping[str, str]) -> pl.DataFrame:
    """`stops` under public ids, orphans with their new stations."""
    found = stops["stop_id"].replace_strict(adopted, default=None, return_dtype=pl.String)
    parents = found
    if "parent_station" in stops.columns:
        parents = stops["parent_station"].replace_strict(ids, default=None, return_dtype=pl.String)
    return scoped_table(stops, "stops", source_id, {}).with_columns(
        pl.coalesce(parents, found).alias("parent_station"),
        stops["stop_id"].replace_strict(ids, return_dtype=pl.String),
    )
