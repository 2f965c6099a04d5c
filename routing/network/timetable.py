"""Timetable: what is offered, as flat arrays that every server process maps into its memory.

Written once by `compile`, then frozen. It holds whole calendars; what a search reads of one day
is made from it by `days`. Times are seconds of the service day (see `socle.times`), so 25:10:00
is 90_600. An index is named after what it points to; -1 points to nothing. `xs_first_y[x]` to
`xs_first_y[x + 1]` is the slice of ys that belong to x.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from routing.mapped import Strings, map_array, save_arrays, undamaged
from routing.network.modes import MODES
from socle.errors import NotFound, Unavailable
from socle.geo import LatLon
from socle.times import day_number, day_of_number, local_day, service_day_start

SCHEMA_VERSION = 2
MANIFEST = "manifest.json"

Ints = NDArray[np.int32]
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Timetable:
    """The arrays of one network. Its directory may be opened by many processes at once."""

    # What the manifest says.
    digest: str  # of everything that went in, and of the schema's version
    first_day: date  # of the calendars, stray days left out (see `calendars`)
    n_days: int

    texts: Strings  # text -> characters; text 0 is empty. Names, headsigns, colours point here.
    zones: Strings  # zone -> IANA name

    # stop -> … Stations, platforms, entrances: every row of stops.txt, in its order.
    stop_id: Strings  # unique
    stop_id_order: Ints  # [n_stops] stops in the byte order of their ids, for `find_stop`
    stop_name: Ints  # [n_stops] text
    stop_code: Ints  # [n_stops] text
    stop_platform_code: Ints  # [n_stops] text
    stop_description: Ints  # [n_stops] text
    stop_lat: Floats  # [n_stops] degrees north
    stop_lon: Floats  # [n_stops] degrees east
    stop_parent: Ints  # [n_stops] the station of a platform, else -1
    stop_location_type: Bytes  # [n_stops] GTFS location_type
    stop_wheelchair: Bytes  # [n_stops] 0 unknown, 1 yes, 2 no; a platform inherits its station's
    stop_level: NDArray[np.float32]  # [n_stops] level index (0 is the ground), NaN when unknown
    stop_zone: Bytes  # [n_stops] zone of the times shown there
    stop_change_s: Ints  # [n_stops] seconds to change between two vehicles at this very stop

    # station -> its platforms (and entrances), as stops ascending; empty for other stops.
    stop_first_child: Ints  # [n_stops + 1]
    stop_children: Ints
    # stop -> the place it belongs to; a station, its platforms and stops of the same name beside
    # share one. place -> its stops, ascending. This is what a StopPlace expands to.
    stop_place: Ints  # [n_stops] place
    place_first_stop: Ints  # [n_places + 1]
    place_stops: Ints
    # stop -> footpaths to other stops, shortest first. Never chained: a walk is not followed by a
    # walk, so the set need not be transitively closed.
    stop_first_footpath: Ints  # [n_stops + 1]
    footpath_stop: Ints  # [n_footpaths] where it ends
    footpath_s: Ints  # [n_footpaths] seconds, the change included
    footpath_m: Ints  # [n_footpaths] metres walked

    # agency, route
    agency_id: Strings
    agency_name: Ints  # [n_agencies] text
    agency_url: Ints  # [n_agencies] text
    agency_zone: Bytes  # [n_agencies] zone in which its trips are timed
    route_id: Strings
    route_id_order: Ints  # [n_routes] routes in the byte order of their ids
    route_agency: Ints  # [n_routes] agency
    route_short_name: Ints  # [n_routes] text
    route_long_name: Ints  # [n_routes] text
    route_url: Ints  # [n_routes] text
    route_type: NDArray[np.int16]  # [n_routes] as in GTFS
    route_mode: Bytes  # [n_routes] number of its mode in `modes.MODES`
    route_color: Ints  # [n_routes] text of six hex digits, or empty
    route_text_color: Ints  # [n_routes] likewise

    # trip -> … A trip of frequencies.txt is one trip per departure, all with the same trip_id.
    trip_id: Strings
    trip_id_order: Ints  # [n_trips] trips in the byte order of their ids, equal ids by first departure
    trip_row: Ints  # [n_trips] row in the feed's table of trips, from 0
    trip_line: Ints  # [n_trips] line of the producer's trips.txt (header = 1), 0 when generated
    trip_route: Ints  # [n_trips] route
    trip_service: Ints  # [n_trips] service
    trip_headsign: Ints  # [n_trips] text
    trip_short_name: Ints  # [n_trips] text
    trip_direction: NDArray[np.int8]  # [n_trips] 0, 1, or -1 when not told
    trip_wheelchair: Bytes  # [n_trips] 0 unknown, 1 yes, 2 no
    trip_bikes: Bytes  # [n_trips] 0 unknown, 1 yes, 2 no
    trip_mode: Bytes  # [n_trips] number in `modes.MODES`
    trip_carbon: Bytes  # [n_trips] number in `modes.CARBON_CLASSES`
    trip_zone: Bytes  # [n_trips] zone in which its times count
    trip_block: Ints  # [n_trips] block: vehicles that go on as another trip, else -1
    trip_headway_s: Ints  # [n_trips] seconds between trips when only the headway is promised, else 0
    # trip -> ordered stops; many trips share one sequence.
    trip_sequence: Ints  # [n_trips] sequence
    # trip -> its times, one per stop of its sequence.
    trip_first_time: NDArray[np.int64]  # [n_trips + 1]
    arrival_s: Ints  # [n_times] seconds of the service day
    departure_s: Ints  # [n_times] likewise, never before the arrival
    trip_path: Ints  # [n_trips] path drawn on the map, or -1

    # sequence -> ordered stops with what is allowed there.
    sequence_first_stop: Ints  # [n_sequences + 1]
    sequence_stops: Ints  # stop
    sequence_pickup: Bytes  # GTFS pickup_type 0 to 3
    sequence_drop_off: Bytes  # GTFS drop_off_type 0 to 3
    sequence_headsign: Ints  # text of stop_headsign, 0 where the trip's holds

    # path = a sequence on a shape: path_point[path_first_point[p] + i] is the shape point nearest to
    # stop i, never going back. shape -> its points.
    path_shape: Ints  # [n_paths] shape
    path_first_point: Ints  # [n_paths + 1]
    path_point: Ints  # index into shape_lat and shape_lon
    shape_first_point: Ints  # [n_shapes + 1]
    shape_lat: Floats
    shape_lon: Floats

    # service -> days: bit `d & 7` of service_days[s, d >> 3] is day first_day + d.
    service_id: Strings
    service_days: Bytes  # [n_services, (n_days + 7) // 8]

    # transfers.txt beyond plain footpaths, -1 where a column is empty: the most specific rule wins.
    rule_from_stop: Ints  # [n_rules] stop (a station stands for its platforms)
    rule_to_stop: Ints
    rule_from_route: Ints
    rule_to_route: Ints
    rule_from_trip: Ints  # trip_row
    rule_to_trip: Ints
    rule_type: Bytes  # [n_rules] GTFS transfer_type 0 to 5
    rule_s: Ints  # [n_rules] min_transfer_time, -1 when empty

    directory: Path = Path()

    @property
    def n_stops(self) -> int:
        """Rows of stops.txt."""
        return len(self.stop_name)

    @property
    def n_routes(self) -> int:
        """Rows of routes.txt."""
        return len(self.route_type)

    @property
    def n_trips(self) -> int:
        """Trips, those of frequencies.txt counted once per departure."""
        return len(self.trip_route)

    @property
    def last_day(self) -> date:
        """The last day of the calendars."""
        return day_of_number(day_number(self.first_day) + self.n_days - 1)

    @cached_property
    def zone_infos(self) -> tuple[ZoneInfo, ...]:
        """Rules of each zone."""
        return tuple(ZoneInfo(name) for name in self.zones.to_list())

    @cached_property
    def last_arrival_s(self) -> int:
        """The latest arrival of any trip, in seconds of its service day."""
        return int(self.arrival_s[self.trip_first_time[1:] - 1].max(initial=0))

    @property
    def valid(self) -> tuple[int, int]:
        """The instants between which the calendars say anything: `[from, to)`."""
        zone = self.zone_infos[0]
        end = day_of_number(day_number(self.last_day) + 1)
        return service_day_start(self.first_day, zone), service_day_start(end, zone)

    def stop_at(self, stop: int) -> LatLon:
        """Where a stop is."""
        return LatLon(float(self.stop_lat[stop]), float(self.stop_lon[stop]))

    def stop_station(self, stop: int) -> int:
        """The station of a platform; any other stop is its own."""
        parent = int(self.stop_parent[stop])
        return stop if parent < 0 else parent

    def place_of(self, stop: int) -> Ints:
        """The stops that a traveller means by `stop`: its station, its platforms, equivalents beside."""
        place = self.stop_place[stop]
        return self.place_stops[self.place_first_stop[place] : self.place_first_stop[place + 1]]

    def trip_stops(self, trip: int) -> Ints:
        """The stops of a trip, in order."""
        sequence = self.trip_sequence[trip]
        return self.sequence_stops[self.sequence_first_stop[sequence] : self.sequence_first_stop[sequence + 1]]

    def trip_times(self, trip: int) -> tuple[Ints, Ints]:
        """Arrivals and departures of a trip, in seconds of the service day."""
        times = slice(self.trip_first_time[trip], self.trip_first_time[trip + 1])
        return self.arrival_s[times], self.departure_s[times]

    def trip_mode_name(self, trip: int) -> str:
        """The API mode of a trip."""
        return MODES[self.trip_mode[trip]]

    def service_day_start(self, trip: int, day: date) -> int:
        """The instant from which the times of `trip` count on the service day `day`."""
        return service_day_start(day, self.zone_infos[self.trip_zone[trip]])

    def day_of(self, instant: int) -> date:
        """The calendar day of `instant` in the network's first zone."""
        return local_day(instant, self.zone_infos[0])

    def runs(self, trip: int, day: date) -> bool:
        """Whether `trip` runs on the service day `day`."""
        number = day_number(day) - day_number(self.first_day)
        if not 0 <= number < self.n_days:
            return False
        return bool(self.service_days[self.trip_service[trip], number >> 3] >> (number & 7) & 1)

    def services_of(self, day: date) -> NDArray[np.bool_]:
        """Whether each service runs on `day`."""
        number = day_number(day) - day_number(self.first_day)
        if not 0 <= number < self.n_days:
            return np.zeros(len(self.service_days), np.bool_)
        return (self.service_days[:, number >> 3] >> np.uint8(number & 7) & 1).astype(np.bool_)

    def find_stop(self, stop_id: str) -> int | None:
        """The stop of that id."""
        found = _find(self.stop_id, self.stop_id_order, stop_id)
        return found[0] if found else None

    def get_stop(self, stop_id: str) -> int:
        """The stop of that id.

        Raises:
            NotFound: `unknown_stop`.
        """
        stop = self.find_stop(stop_id)
        if stop is None:
            raise NotFound("unknown_stop", id=stop_id)
        return stop

    def find_route(self, route_id: str) -> int | None:
        """The route of that id."""
        found = _find(self.route_id, self.route_id_order, route_id)
        return found[0] if found else None

    def list_trips(self, trip_id: str) -> list[int]:
        """The trips of that id: several when frequencies.txt repeats it."""
        return _find(self.trip_id, self.trip_id_order, trip_id)


def _find(ids: Strings, order: Ints, wanted: str) -> list[int]:
    """All entries of `ids` equal to `wanted`, by binary search in the byte order of ids."""
    key = wanted.encode()
    first, data = ids.first_byte, ids.data

    def text(number: int) -> bytes:
        return data[first[number] : first[number + 1]].tobytes()

    low, high = 0, len(order)
    while low < high:
        middle = (low + high) // 2
        if text(order[middle]) < key:
            low = middle + 1
        else:
            high = middle
    found = []
    while low < len(order) and text(order[low]) == key:
        found.append(int(order[low]))
        low += 1
    return found


def save_timetable(timetable: Timetable, directory: Path) -> None:
    """Write `timetable` into the empty or absent `directory`; the manifest comes last."""
    directory.mkdir(parents=True, exist_ok=True)
    save_arrays(timetable, directory)
    manifest = {
        "schema": SCHEMA_VERSION,
        "digest": timetable.digest,
        "first_day": timetable.first_day.isoformat(),
        "n_days": timetable.n_days,
        "n_stops": timetable.n_stops,
        "n_routes": timetable.n_routes,
        "n_trips": timetable.n_trips,
    }
    beside = directory / f".{MANIFEST}.{os.getpid()}"
    beside.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    beside.replace(directory / MANIFEST)


def open_timetable(directory: Path) -> Timetable:
    """The timetable of `directory`, mapped into memory.

    Raises:
        Unavailable: `no_timetable` when there is none, `timetable_of_other_version` when this
            version of Mobigo cannot read it, `release_damaged`.
    """
    if not (directory / MANIFEST).exists():
        raise Unavailable("no_timetable", directory=str(directory))
    with undamaged(directory):
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        if manifest["schema"] != SCHEMA_VERSION:
            raise Unavailable("timetable_of_other_version", found=manifest["schema"], wanted=SCHEMA_VERSION)
        return _mapped(directory, manifest)


def _mapped(directory: Path, manifest: Mapping[str, Any]) -> Timetable:
    values: dict[str, Any] = {
        "digest": manifest["digest"],
        "first_day": date.fromisoformat(manifest["first_day"]),
        "n_days": manifest["n_days"],
        "directory": directory,
    }
    for field in dataclasses.fields(Timetable):
        if field.name in values:
            continue
        if field.type == "Strings":
            values[field.name] = Strings(
                map_array(directory / f"{field.name}.first_byte.npy"), map_array(directory / f"{field.name}.data.npy")
            )
        else:
            values[field.name] = map_array(directory / f"{field.name}.npy")
    return Timetable(**values)
