"""Report: what the sources of a merged network share, and what only looked shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from routing.gtfs.feed import Feed
from routing.gtfs.read.notes import Notes
from socle.findings import Severity

_PRIVATE_KEYS = {"services": ("calendar", "calendar_dates"), "trips": ("trips",), "routes": ("routes",)}
_KEY_OF = {"calendar": "service_id", "calendar_dates": "service_id", "trips": "trip_id", "routes": "route_id"}


def report_overlaps(feeds: Sequence[Feed], public_ids: Sequence[Mapping[str, str]], notes: Notes) -> None:
    """A finding for each pair of sources: stations in common, and equal private ids that were kept apart."""
    stations = [_stations(feed, ids) for feed, ids in zip(feeds, public_ids, strict=True)]
    private = [{kind: _ids(feed, tables) for kind, tables in _PRIVATE_KEYS.items()} for feed in feeds]
    for one, other in combinations(range(len(feeds)), 2):
        names: dict[str, Any] = {"one": feeds[one].source_id, "other": feeds[other].source_id}
        common = len(stations[one] & stations[other])
        if common:
            notes.add(Severity.INFO, "stations_in_common", "stops.txt", n=common, **names)
        for kind in _PRIVATE_KEYS:
            equal = len(private[one][kind] & private[other][kind])
            if equal:
                notes.add(Severity.INFO, f"{kind}_kept_apart", "", n=equal, **names)


def _stations(feed: Feed, public_ids: Mapping[str, str]) -> set[str]:
    stops = feed.tables["stops"]
    if "location_type" not in stops.columns:
        return set()
    return {public_ids[stop_id] for stop_id in stops["stop_id"].filter(stops["location_type"] == 1)}


def _ids(feed: Feed, tables: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for name in tables:
        if name in feed.tables:
            found.update(feed.tables[name][_KEY_OF[name]].unique())
    return found
