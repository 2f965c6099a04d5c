"""Stops: which stops of several sources are one place.

Two stops with the same national id are one. Stations of different sources are also
one when they have the same national code, or when their folded names are equal and
they are at most 150 m apart; a stop without a station joins the station of another
source on the same terms. Stops that vehicles call at are never melted into one: they
become quays of one station.
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


@dataclass(frozen=True, slots=True)
class _Orphan:
    """A stop that vehicles call at and that belongs to no station of its source."""

    stop_id: str
    name: str | None
    at: LatLon | None
    code: str | None
    line: int


@dataclass(slots=True)
class _Book:
    """The stops of the merged network, by id and by folded name."""

    by_id: dict[str, _Place] = field(default_factory=dict)
    stations_by_code: dict[str, _Place] = field(default_factory=dict)
    stations_by_name: dict[str, list[_Place]] = field(default_factory=lambda: defaultdict(list))

    def add(self, place: _Place, name: str, code: str | None) -> None:
        self.by_id[place.public_id] = place
        if place.type == _STATION:
            self.stations_by_name[name].append(place)
            if code is not None:
                self.stations_by_code.setdefault(code, place)

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
    placed = [_place_stops(feed, spaces[feed.source_id], book, notes) for feed in feeds]
    frames = [
        _renamed(feed.tables["stops"], feed.source_id, ids, _adopt(orphans, feed.source_id, book, notes))
        for feed, (ids, orphans) in zip(feeds, placed, strict=True)
    ]
    together = pl.concat(frames, how="diagonal")
    merged = together.group_by("stop_id", maintain_order=True).agg(pl.all().drop_nulls().first())
    return merged, [ids for ids, _ in placed]


def _place_stops(feed: Feed, space: Namespaces, book: _Book, notes: Notes) -> tuple[dict[str, str], list[_Orphan]]:
    """Public id of each stop of `feed`, and its stops without a station."""
    ids: dict[str, str] = {}
    orphans: list[_Orphan] = []
    for stop_id, name, lat, lon, kind, parent, line in _plain_stops(feed.tables["stops"]):
        at = None if lat is None or lon is None else LatLon(lat, lon)
        code = space.find_station_code(stop_id)
        public_id = space.public_stop_id(feed.source_id, stop_id)
        same = book.by_id.get(public_id)
        if same is None and kind == _STATION:
            same = _find_twin(book, feed.source_id, name, at, code)
            if same is not None:
                facts = {"name": name or "", "source": feed.source_id, "kept": same.public_id}
                notes.add_rows(Severity.INFO, "station_by_name", "stops.txt", [(line, facts)], 1)
        if same is not None and same.type != kind:
            notes.add(Severity.WARNING, "shared_stop_differs", "stops.txt", line, stop=public_id, source=feed.source_id)
            public_id, same = f"{feed.source_id}:{public_id}", None
        if same is None:
            book.add(_Place(public_id, at, kind, {feed.source_id}), fold_name(name), code)
        else:
            public_id = same.public_id
            _share(same, at, feed.source_id, line, notes)
        if kind == 0 and parent is None:
            orphans.append(_Orphan(stop_id, name, at, code, line))
        ids[stop_id] = public_id
    return ids, orphans


def _find_twin(book: _Book, source_id: str, name: str | None, at: LatLon | None, code: str | None) -> _Place | None:
    """The station of another source that is the same by code, else by name and place."""
    coded = None if code is None else book.stations_by_code.get(code)
    return coded or book.find_station(fold_name(name), at, source_id)


def _share(place: _Place, at: LatLon | None, source_id: str, line: int, notes: Notes) -> None:
    """Note that `source_id` knows `place` too, and where it sees it."""
    if at and place.at and distance_m(at, place.at) > _FAR_M:
        metres = round(distance_m(at, place.at))
        notes.add(Severity.WARNING, "shared_stop_far", "stops.txt", line, stop=place.public_id, metres=metres)
    place.sources.add(source_id)
    place.at = place.at or at


def _adopt(orphans: Sequence[_Orphan], source_id: str, book: _Book, notes: Notes) -> dict[str, str]:
    """The station (public id) that each orphan finds, in whatever source it is."""
    adopted: dict[str, str] = {}
    for orphan in orphans:
        home = _find_twin(book, source_id, orphan.name, orphan.at, orphan.code)
        if home is not None:
            adopted[orphan.stop_id] = home.public_id
            facts = {"name": orphan.name or "", "station": home.public_id}
            notes.add_rows(Severity.INFO, "stop_joins_station", "stops.txt", [(orphan.line, facts)], 1)
    return adopted


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
