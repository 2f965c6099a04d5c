"""Naming: the ids and names by which stops, routes and trips are known outside.

A public id is the timetable's with the tag of the region before it; it is accepted
without the tag too. A trip's tells the service day and the scheduled first departure:
`20261123_07:20_bfc_cars:D12-7`, whose hour may be 24 or more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from routing.journeys.feeder import Feeder
from routing.journeys.journey import FeederLeg
from routing.journeys.query import PointPlace
from routing.journeys.snapshot import Snapshot
from routing.network.timetable import Timetable
from socle.errors import BadInput, NotFound
from socle.geo import LatLon
from socle.times import (
    find_gtfs_date,
    find_gtfs_time_s,
    local_day,
    render_gtfs_date,
    render_gtfs_time,
    service_day_start,
)

TAG = "bfc_"

_TRIP = re.compile(r"(\d{8})_(\d{2,3}:\d{2})_(.+)", re.DOTALL)
_POINT = re.compile(r"\s*([+-]?\d+(?:\.\d*)?)\s*,\s*([+-]?\d+(?:\.\d*)?)(?:\s*,\s*[+-]?\d+(?:\.\d*)?)?\s*")


@dataclass(frozen=True, slots=True)
class DatedTrip:
    """A trip on one service day."""

    trip: int
    service_day: date


def stop_public_id(snapshot: Snapshot, stop: int) -> str:
    """The id of a stop outside."""
    return TAG + snapshot.stop_ids[stop]


def find_public_stop(timetable: Timetable, public_id: str) -> int | None:
    """The stop of a public id, with or without the tag."""
    found = timetable.find_stop(public_id.removeprefix(TAG))
    return found if found is not None else timetable.find_stop(public_id)


def get_public_stop(timetable: Timetable, public_id: str) -> int:
    """The stop of a public id.

    Raises:
        NotFound: `unknown_stop`.
    """
    stop = find_public_stop(timetable, public_id)
    if stop is None:
        raise NotFound("unknown_stop", id=public_id)
    return stop


def trip_public_id(timetable: Timetable, trip: int, day: date) -> str:
    """The id outside of a trip on its service day."""
    first_s = int(timetable.departure_s[timetable.trip_first_time[trip]])
    return f"{render_gtfs_date(day)}_{render_gtfs_time(first_s)[:-3]}_{TAG}{timetable.trip_id[trip]}"


def find_public_trip(timetable: Timetable, public_id: str) -> DatedTrip | None:
    """The trip and day of a public id, None when no trip has it or it does not run that day."""
    match = _TRIP.fullmatch(public_id)
    day = find_gtfs_date(match[1]) if match else None
    if match is None or day is None:
        return None
    for trip_id in (match[3].removeprefix(TAG), match[3]):
        for trip in timetable.list_trips(trip_id):
            first_s = int(timetable.departure_s[timetable.trip_first_time[trip]])
            if render_gtfs_time(first_s)[:-3] == match[2] and timetable.runs(trip, day):
                return DatedTrip(trip, day)
    return None


def get_public_trip(timetable: Timetable, public_id: str) -> DatedTrip:
    """The trip and day of a public id.

    Raises:
        NotFound: `unknown_trip`.
    """
    found = find_public_trip(timetable, public_id)
    if found is None:
        raise NotFound("unknown_trip", id=public_id)
    return found


def feeder_trip_id(leg: FeederLeg) -> str:
    """The id outside of a ride on a feeder: the day and minute of its head, as of a trip that leaves the first stop."""
    zone = leg.feeder.zone
    day = local_day(leg.head, zone)
    clock = render_gtfs_time(leg.head - service_day_start(day, zone))[:-3]
    return f"{render_gtfs_date(day)}_{clock}_{TAG}{leg.feeder.feeder_id}"


def find_public_feeder(snapshot: Snapshot, public_id: str) -> tuple[Feeder, int] | None:
    """The feeder and the head that the id of a ride tells, None when it is no feeder's."""
    match = _TRIP.fullmatch(public_id)
    day = find_gtfs_date(match[1]) if match else None
    clock_s = find_gtfs_time_s(f"{match[2]}:00") if match else None
    if match is None or day is None or clock_s is None:
        return None
    wanted = match[3].removeprefix(TAG)
    feeder = next((one for one in snapshot.feeders.feeders if one.feeder_id == wanted), None)
    return None if feeder is None else (feeder, service_day_start(day, feeder.zone) + clock_s)


def find_feeder_ride(feeder: Feeder, first: int, last: int, head: int) -> FeederLeg | None:
    """The ride from stop to stop with that head, None when it lies outside the hours."""
    windows = [one for one in feeder.windows(head, head) if one.first <= head <= one.last]
    return FeederLeg(feeder, first, last, head, min(one.wait_s for one in windows)) if windows else None


def find_feeder_stop(snapshot: Snapshot, public_id: str) -> PointPlace | None:
    """The stop of a feeder by its public id, with or without the tag, as a point with a name."""
    wanted = public_id.removeprefix(TAG)
    for feeder in snapshot.feeders.feeders:
        for stop in feeder.stops:
            if stop.stop_id == wanted:
                return PointPlace(stop.at, stop.name)
    return None


def find_point(text: str) -> LatLon | None:
    """The place that `lat,lon` or `lat,lon,level` tells, None when the text is something else.

    Raises:
        BadInput: `bad_coordinates` when the numbers are no place on the earth.
    """
    match = _POINT.fullmatch(text)
    if match is None:
        return None
    at = LatLon(float(match[1]), float(match[2]))
    if not (-90 <= at.lat <= 90 and -180 <= at.lon <= 180):
        raise BadInput("bad_coordinates", value=text)
    return at


def trip_display_name(snapshot: Snapshot, trip: int) -> str:
    """What the vehicle is called: the route's short name, else the trip's, else the route's long name."""
    timetable, texts = snapshot.timetable, snapshot.texts
    route = timetable.trip_route[trip]
    name: str = (
        texts[timetable.route_short_name[route]]
        or texts[timetable.trip_short_name[trip]]
        or texts[timetable.route_long_name[route]]
        or trip_headsign(snapshot, trip)  # a nameless vehicle would not be taken for public transport
    )
    return name


def stop_name(snapshot: Snapshot, stop: int) -> str:
    """The name of a stop: its station's."""
    timetable = snapshot.timetable
    name: str = snapshot.texts[timetable.stop_name[timetable.stop_station(stop)]]
    return name


def trip_headsign(snapshot: Snapshot, trip: int, position: int = 0) -> str:
    """Where the vehicle says it goes at a call: the headsign there, the trip's, else its last stop."""
    timetable, texts = snapshot.timetable, snapshot.texts
    at_stop = timetable.sequence_headsign[timetable.sequence_first_stop[timetable.trip_sequence[trip]] + position]
    headsign: str = texts[at_stop] or texts[timetable.trip_headsign[trip]]
    return headsign or stop_name(snapshot, int(timetable.trip_stops(trip)[-1]))
