"""Sample: the Haut-Doubs cut out of the region as one small feed, committed as text.

It serves examples, story tests and a first run without a build. Always clean, always
from the same day.
"""

from __future__ import annotations

import io
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from mobigo.demo import rail, tariff
from mobigo.demo.coaches.tables import SOURCE_ID as COACHES
from mobigo.demo.facts import Facts
from mobigo.demo.tables import Tables, Value, joined
from routing.gtfs.feed import Feed
from routing.gtfs.write import render_feed
from socle.geo import Box, LatLon

SOURCE_ID = "haut-doubs-demo"
START = date(2026, 9, 7)
RAIL_LINES = frozenset({"P10", "P18", "P28", "P29", "P38", "P78", "P88"})
COACH_BOX = Box(south=46.70, west=6.00, north=47.36, east=7.00)


def restricted(tables: Tables, routes: frozenset[str]) -> Tables:
    """What these routes need of a feed of stops, trips and days; fares and networks aside."""
    kept = dict(tables)
    kept["routes"] = tables["routes"].kept("route_id", routes.__contains__)
    kept["trips"] = tables["trips"].kept("route_id", routes.__contains__)
    trips = set(kept["trips"].texts("trip_id"))
    kept["stop_times"] = tables["stop_times"].kept("trip_id", trips.__contains__)
    kept["calendar_dates"] = tables["calendar_dates"].kept(
        "service_id", set(kept["trips"].texts("service_id")).__contains__
    )
    stops = set(kept["stop_times"].texts("stop_id"))
    if "parent_station" in tables["stops"].columns:
        stops |= set(tables["stops"].kept("stop_id", stops.__contains__).texts("parent_station"))
    kept["stops"] = tables["stops"].kept("stop_id", stops.__contains__)
    if "shapes" in tables:
        kept["shapes"] = tables["shapes"].kept("shape_id", set(kept["trips"].texts("shape_id")).__contains__)
    return kept


def _routes_inside(tables: Tables, box: Box) -> frozenset[str]:
    """The routes whose every stop lies in `box`."""
    stops = tables["stops"]
    columns = (stops.column(name) for name in ("stop_id", "stop_lat", "stop_lon"))
    inside = {stop: box.holds(LatLon(_number(lat), _number(lon))) for stop, lat, lon in zip(*columns, strict=True)}
    stops_of_trip: dict[Value, bool] = defaultdict(lambda: True)
    times = tables["stop_times"]
    for trip, stop in zip(times.column("trip_id"), times.column("stop_id"), strict=True):
        stops_of_trip[trip] &= inside[stop]
    trips = tables["trips"]
    within: dict[Value, bool] = defaultdict(lambda: True)
    for route, trip in zip(trips.column("route_id"), trips.column("trip_id"), strict=True):
        within[route] &= stops_of_trip[trip]
    return frozenset(str(route) for route, holds in within.items() if holds)


def _number(value: Value) -> float:
    return float(str(value))


def sample_tables(sources: Mapping[str, Tables], facts: Facts) -> Tables:
    """The sample from a clean region: rail and coaches of the Haut-Doubs in one feed, with their fares."""
    trains, coaches = (dict(sources[source_id]) for source_id in (rail.SOURCE_ID, COACHES))
    names = zip(trains["routes"].texts("route_id"), trains["routes"].texts("route_short_name"), strict=True)
    trains = restricted(_without_fares(trains), frozenset(route for route, short in names if short in RAIL_LINES))
    coaches = restricted(_without_fares(coaches), _routes_inside(coaches, COACH_BOX))
    trains |= tariff.rail_fares(facts, trains)
    coaches |= tariff.coach_fares(facts, coaches)
    return joined((trains, coaches))


def _without_fares(tables: Tables) -> Tables:
    fares = {"areas", "networks", "rider_categories", "route_networks", "stop_areas"}
    return {stem: table for stem, table in tables.items() if not stem.startswith("fare_") and stem not in fares}


def render_texts(feed: Feed) -> dict[str, bytes]:
    """The files of a feed by name, as a folder would hold them."""
    with zipfile.ZipFile(io.BytesIO(render_feed(feed))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_texts(texts: Mapping[str, bytes], directory: Path) -> None:
    """The files as text under `directory`, in place of any that were there."""
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("*.txt"):
        old.unlink()
    for name, content in texts.items():
        (directory / name).write_bytes(content)
