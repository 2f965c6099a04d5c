"""Compile: a Feed becomes a Timetable, the arrays that servers map and searches read.

Nothing here depends on the clock or on the order of a set: the same feed gives the same bytes.
What a search reads of one day is made from the Timetable by `days`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from routing.mapped import Strings
from routing.network import columns
from routing.network.calendars import make_calendars, without_stray_days
from routing.network.columns import AnyFeed, Ints, Texts
from routing.network.modes import (
    CARBON_NUMBER,
    MODE_NUMBER,
    carbon_class,
    mode_of_route_type,
    mode_of_stop_id,
    mode_of_trip,
)
from routing.network.sequences import Sequences, make_sequences
from routing.network.shapes import Shapes, lay_stops, make_shapes
from routing.network.timetable import SCHEMA_VERSION, Timetable, open_timetable, save_timetable
from routing.network.transfers import change_seconds, group_places, make_footpaths, make_rules, split_rules
from socle.geo import distances_m

DEFAULT_ZONE = "Europe/Paris"
INTERURBAN_HOP_M = 2_000  # urban buses stop every 300 to 600 m, coach lines every few kilometres


def compile_feed(feed: AnyFeed, directory: Path) -> Timetable:
    """Write the Timetable of `feed` into `directory` and open it."""
    save_timetable(make_timetable(feed), directory)
    return open_timetable(directory)


def make_timetable(feed: AnyFeed) -> Timetable:
    """The Timetable of `feed`, in memory."""
    known = Texts()
    stop_ids = columns.texts(feed, "stops", "stop_id")
    stop_row = columns.rows_of(stop_ids)
    n_stops = len(stop_ids)
    lat, lon = columns.floats(feed, "stops", "stop_lat"), columns.floats(feed, "stops", "stop_lon")
    parent = columns.refer(columns.texts(feed, "stops", "parent_station"), stop_row)
    lat, lon = (
        np.where(np.isnan(lat) & (parent >= 0), lat[parent], lat),
        np.where(np.isnan(lon) & (parent >= 0), lon[parent], lon),
    )
    names = columns.texts(feed, "stops", "stop_name")
    names = [name or (names[up] if up >= 0 else "") for name, up in zip(names, parent.tolist(), strict=True)]
    wheelchair = columns.ints(feed, "stops", "wheelchair_boarding", 0).astype(np.uint8)
    wheelchair = np.where((wheelchair == 0) & (parent >= 0), wheelchair[parent], wheelchair)
    first_child, children = _group(parent, n_stops)

    sequences = make_sequences(feed, known, lat, lon)
    served = np.zeros(n_stops, np.bool_)
    served[sequences.stops] = True
    rules = make_rules(feed, stop_row)
    plain, special = split_rules(rules, first_child, children)
    change_s = change_seconds(n_stops, plain)
    footpaths = make_footpaths(lat, lon, parent, served, change_s, plain)
    place = group_places(names, lat, lon, parent)
    place_first, place_stops = _group(place, int(place.max(initial=-1)) + 1)

    zones, agency_zone, stop_zone = _zones(feed)
    route = _Routes(feed, known)
    trip_rows = sequences.trip_row
    trip_route = route.of_trips[trip_rows]
    modes, carbon = _vehicles(sequences, stop_ids, route.types, trip_route, lat, lon)
    shapes = make_shapes(feed)
    trip_path, path_shape, path_first, path_point = _paths(feed, sequences, shapes, lat, lon)
    calendars = make_calendars(feed)
    services = columns.rows_of(calendars.service_ids)
    trip_service = columns.refer(columns.texts(feed, "trips", "service_id"), services)[trip_rows]
    n_trips = np.bincount(trip_service[trip_service >= 0], minlength=len(calendars.service_ids))
    calendars = without_stray_days(calendars, n_trips)
    trip_ids = columns.texts(feed, "trips", "trip_id")
    blocks = Texts()

    def of_trips(values: list[str]) -> Ints:
        return known.of(values)[trip_rows]

    def number_of_trips(column: str, default: int) -> Ints:
        return columns.ints(feed, "trips", column, default)[trip_rows]

    picked_ids = [trip_ids[row] for row in trip_rows.tolist()]
    values = {
        "zones": Strings.of(zones),
        "stop_id": Strings.of(stop_ids),
        "stop_id_order": _byte_order(stop_ids),
        "stop_name": known.of(names),
        "stop_code": known.of(columns.texts(feed, "stops", "stop_code")),
        "stop_platform_code": known.of(columns.texts(feed, "stops", "platform_code")),
        "stop_description": known.of(columns.texts(feed, "stops", "stop_desc")),
        "stop_lat": lat,
        "stop_lon": lon,
        "stop_parent": parent,
        "stop_location_type": columns.ints(feed, "stops", "location_type", 0).astype(np.uint8),
        "stop_wheelchair": wheelchair.astype(np.uint8),
        "stop_level": _levels(feed),
        "stop_zone": stop_zone,
        "stop_change_s": change_s,
        "stop_first_child": first_child,
        "stop_children": children,
        "stop_place": place,
        "place_first_stop": place_first,
        "place_stops": place_stops,
        "stop_first_footpath": footpaths.first,
        "footpath_stop": footpaths.stop,
        "footpath_s": footpaths.seconds,
        "footpath_m": footpaths.metres,
        "agency_id": Strings.of(columns.texts(feed, "agency", "agency_id")),
        "agency_name": known.of(columns.texts(feed, "agency", "agency_name")),
        "agency_url": known.of(columns.texts(feed, "agency", "agency_url")),
        "agency_zone": agency_zone,
        "route_id": Strings.of(route.ids),
        "route_id_order": _byte_order(route.ids),
        "route_agency": route.agency,
        "route_short_name": known.of(columns.texts(feed, "routes", "route_short_name")),
        "route_long_name": known.of(columns.texts(feed, "routes", "route_long_name")),
        "route_url": known.of(columns.texts(feed, "routes", "route_url")),
        "route_type": route.types.astype(np.int16),
        "route_mode": np.array([MODE_NUMBER[mode_of_route_type(kind)] for kind in route.types.tolist()], np.uint8),
        "route_color": known.of(columns.texts(feed, "routes", "route_color")),
        "route_text_color": known.of(columns.texts(feed, "routes", "route_text_color")),
        "trip_id": Strings.of(picked_ids),
        "trip_id_order": _byte_order(picked_ids),
        "trip_row": trip_rows,
        "trip_line": number_of_trips("_line", 0),
        "trip_route": trip_route,
        "trip_service": trip_service,
        "trip_headsign": of_trips(columns.texts(feed, "trips", "trip_headsign")),
        "trip_short_name": of_trips(columns.texts(feed, "trips", "trip_short_name")),
        "trip_direction": number_of_trips("direction_id", -1).astype(np.int8),
        "trip_wheelchair": number_of_trips("wheelchair_accessible", 0).astype(np.uint8),
        "trip_bikes": number_of_trips("bikes_allowed", 0).astype(np.uint8),
        "trip_mode": modes,
        "trip_carbon": carbon,
        "trip_zone": agency_zone[route.agency[trip_route]],
        "trip_block": blocks.of(columns.texts(feed, "trips", "block_id"))[trip_rows] - 1,
        "trip_headway_s": sequences.trip_headway_s,
        "trip_sequence": sequences.trip_sequence,
        "trip_first_time": sequences.first_time,
        "arrival_s": sequences.arrival_s,
        "departure_s": sequences.departure_s,
        "trip_path": trip_path,
        "sequence_first_stop": sequences.first_stop,
        "sequence_stops": sequences.stops,
        "sequence_pickup": sequences.pickup,
        "sequence_drop_off": sequences.drop_off,
        "sequence_headsign": sequences.headsign,
        "path_shape": path_shape,
        "path_first_point": path_first,
        "path_point": path_point,
        "shape_first_point": shapes.first_point,
        "shape_lat": shapes.lat,
        "shape_lon": shapes.lon,
        "service_id": Strings.of(calendars.service_ids),
        "service_days": calendars.packed(),
        **{f"rule_{name}": getattr(special, name) for name in ("from_stop", "to_stop", "from_route", "to_route")},
        "rule_from_trip": special.from_trip,
        "rule_to_trip": special.to_trip,
        "rule_type": special.type,
        "rule_s": special.seconds,
    }
    values["texts"] = Strings.of(known.to_list())
    digest = _hash(values, calendars.first_day.isoformat())
    return Timetable(digest=digest, first_day=calendars.first_day, n_days=calendars.n_days, **values)


class _Routes:
    """The routes of a feed and which route each trip takes."""

    def __init__(self, feed: AnyFeed, known: Texts) -> None:
        self.ids = columns.texts(feed, "routes", "route_id")
        self.types = columns.ints(feed, "routes", "route_type", 3)
        agencies = columns.rows_of(columns.texts(feed, "agency", "agency_id"))
        agency = columns.refer(columns.texts(feed, "routes", "agency_id"), agencies)
        self.agency = np.maximum(agency, 0).astype(np.int32)  # agency_id may be left out when there is one agency
        self.of_trips = columns.refer(columns.texts(feed, "trips", "route_id"), columns.rows_of(self.ids))


def _group(owner: Ints, n: int) -> tuple[Ints, Ints]:
    """For each owner the members that name it, ascending: first member of each, members."""
    members = np.flatnonzero(owner >= 0)
    order = members[np.argsort(owner[members], kind="stable")]
    first = np.searchsorted(owner[order], np.arange(n + 1)).astype(np.int32)
    return first, order.astype(np.int32)


def _byte_order(ids: list[str]) -> Ints:
    """The numbers of `ids` in the byte order of ids, equal ids in their own order."""
    encoded = [one.encode() for one in ids]
    return np.array(sorted(range(len(ids)), key=lambda number: encoded[number]), np.int32)


def _levels(feed: AnyFeed) -> NDArray[np.float32]:
    """Level index of each stop, NaN when unknown."""
    rows = columns.rows_of(columns.texts(feed, "levels", "level_id"))
    index = np.append(columns.floats(feed, "levels", "level_index"), np.nan)
    return index[columns.refer(columns.texts(feed, "stops", "level_id"), rows)].astype(np.float32)


def _zones(feed: AnyFeed) -> tuple[list[str], NDArray[np.uint8], NDArray[np.uint8]]:
    """Zones by number, zone of each agency, zone of each stop (its own, else the first agency's)."""
    zones = Texts()
    zones.number.clear()
    agencies = [name or DEFAULT_ZONE for name in columns.texts(feed, "agency", "agency_timezone")] or [DEFAULT_ZONE]
    of_agencies = zones.of(agencies).astype(np.uint8)
    own = [name or agencies[0] for name in columns.texts(feed, "stops", "stop_timezone")]
    return list(zones.number), of_agencies, zones.of(own).astype(np.uint8)


def _vehicles(
    sequences: Sequences,
    stop_ids: list[str],
    route_types: Ints,
    trip_route: Ints,
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Mode and carbon class of each trip."""
    hints = [mode_of_stop_id(one) for one in stop_ids]
    n_sequences = len(sequences.first_stop) - 1
    told: list[tuple[str | None, ...]] = []
    interurban: list[bool] = []
    for sequence in range(n_sequences):
        stops = sequences.stops[sequences.first_stop[sequence] : sequences.first_stop[sequence + 1]]
        told.append(tuple(dict.fromkeys(hints[stop] for stop in stops.tolist())))
        hops = distances_m(lat[stops[:-1]], lon[stops[:-1]], lat[stops[1:]], lon[stops[1:]])
        interurban.append(bool(np.nanmean(hops) >= INTERURBAN_HOP_M) if np.isfinite(hops).any() else False)
    kinds = route_types[trip_route].tolist()
    answers: dict[tuple[int, int], tuple[int, int]] = {}
    modes, carbon = np.zeros(len(kinds), np.uint8), np.zeros(len(kinds), np.uint8)
    for trip, key in enumerate(zip(kinds, sequences.trip_sequence.tolist(), strict=True)):
        if key not in answers:
            kind, sequence = key
            mode = mode_of_trip(kind, told[sequence])
            answers[key] = (MODE_NUMBER[mode], CARBON_NUMBER[carbon_class(mode, kind, interurban[sequence])])
        modes[trip], carbon[trip] = answers[key]
    return modes, carbon


def _paths(
    feed: AnyFeed, sequences: Sequences, shapes: Shapes, lat: NDArray[np.float64], lon: NDArray[np.float64]
) -> tuple[Ints, Ints, Ints, Ints]:
    """Path of each trip, shape of each path, and the shape points where its stops lie."""
    shape_of = columns.refer(columns.texts(feed, "trips", "shape_id"), shapes.row)[sequences.trip_row]
    number: dict[tuple[int, int], int] = {}
    points: list[Ints] = []
    trip_path = np.full(len(shape_of), -1, np.int32)
    for trip, key in enumerate(zip(shape_of.tolist(), sequences.trip_sequence.tolist(), strict=True)):
        shape, sequence = key
        if shape < 0 or shapes.first_point[shape + 1] - shapes.first_point[shape] < 2:
            continue
        if key not in number:
            stops = sequences.stops[sequences.first_stop[sequence] : sequences.first_stop[sequence + 1]]
            if not (np.isfinite(lat[stops]).all() and np.isfinite(lon[stops]).all()):
                continue
            number[key] = len(number)
            begin, end = int(shapes.first_point[shape]), int(shapes.first_point[shape + 1])
            points.append(lay_stops(lat[stops], lon[stops], shapes.lat[begin:end], shapes.lon[begin:end]) + begin)
        trip_path[trip] = number[key]
    first = np.zeros(len(points) + 1, np.int32)
    np.cumsum([len(part) for part in points], out=first[1:])
    path_shape = np.array([shape for shape, _ in number], np.int32)
    return trip_path, path_shape, first, np.concatenate([np.zeros(0, np.int32), *points]).astype(np.int32)


def _hash(values: dict[str, object], first_day: str) -> str:
    """Name of everything that went in."""
    digest = hashlib.blake2b(f"{SCHEMA_VERSION} {first_day}".encode(), digest_size=16)
    for name in sorted(values):
        value = values[name]
        arrays = (value.first_byte, value.data) if isinstance(value, Strings) else (value,)
        for array in arrays:
            whole = np.ascontiguousarray(array)
            digest.update(f"{name} {whole.dtype} {whole.shape}".encode())
            digest.update(whole.data)
    return digest.hexdigest()
