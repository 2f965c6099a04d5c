"""On the map: stops and moving trips in a box, and where a map should open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from math import log2

import numpy as np
from numpy.typing import NDArray

from routing.journeys.snapshot import Snapshot, mode_bits
from routing.network.modes import MODES
from socle.errors import LimitExceeded
from socle.geo import Box, LatLon, distance_m, distances_m
from socle.times import DAY_S, day_number, day_of_number, service_day_start

# Least zoom at which trips of a mode are drawn, and from which length of the line's box on.
_LEAST_ZOOM: dict[str, tuple[tuple[float, float], ...]] = {
    # mode: (diagonal of the line's box over these km, least zoom), first that holds
    "COACH": ((50, 4), (0, 8)),
    "AIRPLANE": ((50, 4), (0, 8)),
    "HIGHSPEED_RAIL": ((0, 4),),
    "LONG_DISTANCE": ((0, 4),),
    "NIGHT_RAIL": ((0, 4),),
    "REGIONAL_RAIL": ((0, 7),),
    "RIDE_SHARING": ((0, 7),),
    "SUBURBAN": ((0, 8),),
    "SUBWAY": ((0, 9),),
    "TRAM": ((10, 9), (0, 10)),
    "BUS": ((10, 9), (0, 10)),
    "FERRY": ((100, 5), (10, 8), (0, 10)),
}
_LEAST_ZOOM_OTHERS = 11.0
_WHERE_MOST_STOPS_ARE = (20, 80)  # percent


@dataclass(frozen=True, slots=True)
class View:
    """Where a map opens."""

    center: LatLon
    zoom: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A trip on its way from one stop to the next; `position` is the call it left."""

    trip: int
    service_day: date
    position: int
    departure: int
    arrival: int


def first_view(snapshot: Snapshot) -> View:
    """The box that holds most stops, leaving out the far ends of long lines."""
    served = np.flatnonzero(snapshot.stop_modes)
    if not len(served):
        return View(LatLon(47.2, 4.9), 7.0)
    lat, lon = snapshot.timetable.stop_lat[served], snapshot.timetable.stop_lon[served]
    south, north = np.percentile(lat, _WHERE_MOST_STOPS_ARE).tolist()
    west, east = np.percentile(lon, _WHERE_MOST_STOPS_ARE).tolist()
    widest = max(east - west, (north - south) * 1.5, 0.01)
    return View(LatLon((south + north) / 2, (west + east) / 2), round(min(16.0, log2(3 * 360 / widest)), 1))


def list_stops_in_box(
    snapshot: Snapshot, box: Box, *, grouped: bool, modes: frozenset[str] | None, limit: int
) -> list[int]:
    """Served platforms in `box`; `grouped`: one stop per place, its station or its busiest stop.

    Raises:
        LimitExceeded: there are more than `limit`.
    """
    timetable = snapshot.timetable
    wanted = -1 if modes is None else mode_bits(modes)
    bits = snapshot.place_modes[timetable.stop_place] if grouped else snapshot.stop_modes
    inside = (timetable.stop_lat >= box.south) & (timetable.stop_lat <= box.north)
    inside &= (timetable.stop_lon >= box.west) & (timetable.stop_lon <= box.east)
    inside &= (bits & wanted) != 0
    if grouped:
        inside &= snapshot.is_main_stop
    else:
        inside &= np.diff(snapshot.stop_first_call) > 0
    found = np.flatnonzero(inside)
    if len(found) > limit:
        raise LimitExceeded("too_many_stops_in_box", found=len(found), limit=limit)
    return [int(stop) for stop in found]


@lru_cache(maxsize=2)
def moving_trips(snapshot: Snapshot) -> MovingTrips:
    """The moving trips of a snapshot."""
    return MovingTrips(snapshot)


class MovingTrips:
    """Finds the trips that move in a box at a time. Built once per snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        timetable = self._timetable = snapshot.timetable
        first, end = timetable.trip_first_time[:-1], timetable.trip_first_time[1:]
        has_times = end > first
        self._trips = np.flatnonzero(has_times).astype(np.int32)
        self._starts_s = timetable.departure_s[first[has_times]]
        self._ends_s = timetable.arrival_s[end[has_times] - 1]
        self._longest_s = int(self._ends_s.max(initial=0))
        least_zoom = _least_zoom_of_sequences(snapshot)
        self._least_zoom = least_zoom[timetable.trip_mode[self._trips], timetable.trip_sequence[self._trips]]

    def list_segments(self, box: Box, start: int, end: int, zoom: float, limit: int) -> list[Segment]:
        """Segments whose time and box meet `[start, end]` and `box`, by departure and trip.

        Raises:
            LimitExceeded: there are more than `limit`.
        """
        timetable = self._timetable
        opening = day_number(timetable.first_day)
        last = opening + timetable.n_days - 1
        drawn = self._least_zoom <= zoom
        found: list[tuple[date, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]] = []
        n_found = 0
        for number in range(max(opening, (start - self._longest_s) // DAY_S - 1), min(last, end // DAY_S + 1) + 1):
            day = day_of_number(number)
            bases = np.array([service_day_start(day, zone) for zone in timetable.zone_infos], np.int64)
            base = bases[timetable.trip_zone[self._trips]]
            moving = drawn & (base + self._starts_s <= end) & (base + self._ends_s >= start)
            moving &= timetable.services_of(day)[timetable.trip_service[self._trips]]
            rows = self._segments(np.flatnonzero(moving), base, box, start, end)
            n_found += len(rows[0])
            if n_found > limit:
                raise LimitExceeded("too_many_trips_in_box", limit=limit)
            found.append((day, *rows))
        segments = [
            Segment(self._trip_of(at), day, at - int(timetable.trip_first_time[self._trip_of(at)]), leaving, reaching)
            for day, times, departures, arrivals in found
            for at, leaving, reaching in zip(times.tolist(), departures.tolist(), arrivals.tolist(), strict=True)
        ]
        return sorted(segments, key=lambda segment: (segment.departure, segment.trip, segment.position))

    def _trip_of(self, time: int) -> int:
        return int(np.searchsorted(self._timetable.trip_first_time, time, "right")) - 1

    def _segments(
        self, rows: NDArray[np.int64], base: NDArray[np.int64], box: Box, start: int, end: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Times (index of the departure), departures and arrivals of the segments of some trips."""
        timetable = self._timetable
        trips = self._trips[rows]
        first = timetable.trip_first_time[trips]
        n_segments = timetable.trip_first_time[trips + 1] - first - 1
        row = np.repeat(np.arange(len(rows)), n_segments)
        position = np.arange(len(row)) - np.repeat(np.cumsum(n_segments) - n_segments, n_segments)
        time = first[row] + position
        leaves = base[rows][row] + timetable.departure_s[time]
        reaches = base[rows][row] + timetable.arrival_s[time + 1]
        at = timetable.sequence_first_stop[timetable.trip_sequence[trips]][row] + position
        one, other = timetable.sequence_stops[at], timetable.sequence_stops[at + 1]
        lat, lon = timetable.stop_lat, timetable.stop_lon
        keep = (leaves <= end) & (reaches >= start)
        keep &= np.maximum(lat[one], lat[other]) >= box.south
        keep &= np.minimum(lat[one], lat[other]) <= box.north
        keep &= np.maximum(lon[one], lon[other]) >= box.west
        keep &= np.minimum(lon[one], lon[other]) <= box.east
        return time[keep], leaves[keep], reaches[keep]


def _least_zoom_of_sequences(snapshot: Snapshot) -> NDArray[np.float32]:
    """[mode, sequence] -> least zoom at which its trips are drawn."""
    timetable = snapshot.timetable
    first = timetable.sequence_first_stop[:-1]
    zooms = np.full((len(MODES), len(first)), _LEAST_ZOOM_OTHERS, np.float32)
    if not len(first):
        return zooms
    lat, lon = timetable.stop_lat[timetable.sequence_stops], timetable.stop_lon[timetable.sequence_stops]
    diagonal_km = (
        distances_m(
            np.minimum.reduceat(lat, first),
            np.minimum.reduceat(lon, first),
            np.maximum.reduceat(lat, first),
            np.maximum.reduceat(lon, first),
        )
        / 1000
    )
    for number, mode in enumerate(MODES):
        for over_km, zoom in reversed(_LEAST_ZOOM.get(mode, ())):
            zooms[number, diagonal_km >= over_km] = zoom
    return zooms


def trip_path(snapshot: Snapshot, trip: int, first: int, last: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitudes and longitudes of a trip's way from call `first` to call `last`: its shape, else stops joined."""
    timetable = snapshot.timetable
    return way_of(snapshot, int(timetable.trip_path[trip]), int(timetable.trip_sequence[trip]), first, last)


def way_of(
    snapshot: Snapshot, path: int, sequence: int, first: int, last: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """As `trip_path`, for all trips of one path and sequence."""
    timetable = snapshot.timetable
    if path >= 0:
        begin = int(timetable.path_first_point[path])
        one, other = int(timetable.path_point[begin + first]), int(timetable.path_point[begin + last])
        if other > one:
            return timetable.shape_lat[one : other + 1], timetable.shape_lon[one : other + 1]
    begin = int(timetable.sequence_first_stop[sequence])
    stops = timetable.sequence_stops[begin + first : begin + last + 1]
    return timetable.stop_lat[stops], timetable.stop_lon[stops]


def path_length_m(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> float:
    """Metres along a path."""
    if len(lat) == 2:
        return distance_m(LatLon(float(lat[0]), float(lon[0])), LatLon(float(lat[1]), float(lon[1])))
    return float(distances_m(lat[:-1], lon[:-1], lat[1:], lon[1:]).sum()) if len(lat) else 0.0


def has_shape(snapshot: Snapshot, trip: int) -> bool:
    """Whether the producer drew the way of this trip."""
    return int(snapshot.timetable.trip_path[trip]) >= 0
