"""Refresh: an itinerary id carries its legs; the same journey is found again in today's data.

The id is `1.` and the base64url of the deflated JSON of the legs (MOTIS's `LegId`), so that it
works without anything stored. A ride is found by its trip and stops; when the producer renamed
them, by the trip most like it. A ride that is gone is lost, which is told and never an error.
"""

from __future__ import annotations

import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from math import inf
from typing import Any

import numpy as np

from routing.journeys.access import walk_between
from routing.journeys.boards import MINUTE_S, BoardWish, StopEvent, list_events, trip_calls
from routing.journeys.journey import FeederLeg, Journey, Leg, TransitLeg, WalkLeg
from routing.journeys.naming import (
    TAG,
    feeder_trip_id,
    find_feeder_ride,
    find_feeder_stop,
    find_public_feeder,
    find_public_stop,
    find_public_trip,
    stop_public_id,
    trip_display_name,
    trip_public_id,
)
from routing.journeys.query import JourneyQuery, Place, PointPlace, StopPlace
from routing.journeys.snapshot import Snapshot
from routing.journeys.told import Reason, place_at
from routing.network.modes import MODES
from socle.errors import BadInput
from socle.geo import LatLon, distances_m

VERSION = "1."
WALK = "WALK"

# Source: the reference server's rule, kept so that ids travel: a trip is like another when it
# stops within 100 m of both ends within an hour; metres and 7/60 of the seconds count against
# it, being the same trip is worth 50 m.
LIKE_WITHIN_M = 100
LIKE_WITHIN_S = 3600
_METRES_PER_SECOND = 7 / 60
_SAME_TRIP_M = 50

_MOST_BYTES = 65_536
_MOST_LEGS = 64


@dataclass(frozen=True, slots=True)
class LegId:
    """A leg as its id tells it; ids are empty at a point of the map and on foot. Instants are UTC seconds."""

    display_name: str
    trip_id: str
    from_id: str
    from_lat: float
    from_lon: float
    to_id: str
    to_lat: float
    to_lon: float
    sched_start: int
    sched_end: int
    mode: str
    scheduled: bool = True

    @property
    def start(self) -> LatLon:
        """Where it begins."""
        return LatLon(self.from_lat, self.from_lon)

    @property
    def end(self) -> LatLon:
        """Where it ends."""
        return LatLon(self.to_lat, self.to_lon)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A journey found again: None in `legs` stands for a lost ride, told by its LegId."""

    leg_ids: tuple[LegId, ...]
    legs: tuple[Leg | None, ...]
    changes: tuple[Reason, ...]

    @property
    def journey(self) -> Journey | None:
        """The whole journey, None when a ride is lost."""
        found = tuple(leg for leg in self.legs if leg is not None)
        return Journey(found) if len(found) == len(self.legs) else None


def list_leg_ids(snapshot: Snapshot, journey: Journey) -> list[LegId]:
    """What tells the legs of a journey apart from all others."""
    return [_leg_id(snapshot, leg) for leg in journey.legs]


def _leg_id(snapshot: Snapshot, leg: Leg) -> LegId:
    timetable = snapshot.timetable
    if isinstance(leg, WalkLeg):
        start, end = place_at(snapshot, leg.origin), place_at(snapshot, leg.destination)
        from_id, to_id = _place_id(snapshot, leg.origin), _place_id(snapshot, leg.destination)
        return LegId("", "", from_id, *start, to_id, *end, leg.departure, leg.arrival, WALK)
    if isinstance(leg, FeederLeg):
        on, off = leg.feeder.stops[leg.first], leg.feeder.stops[leg.last]
        ends = (TAG + on.stop_id, *on.at, TAG + off.stop_id, *off.at, leg.departure, leg.arrival)
        return LegId(leg.feeder.name, feeder_trip_id(leg), *ends, leg.feeder.mode)
    first, last = leg.calls[0].stop, leg.calls[-1].stop
    return LegId(
        trip_display_name(snapshot, leg.trip),
        trip_public_id(timetable, leg.trip, leg.service_day),
        stop_public_id(snapshot, first),
        *timetable.stop_at(first),
        stop_public_id(snapshot, last),
        *timetable.stop_at(last),
        leg.departure,
        leg.arrival,
        MODES[timetable.trip_mode[leg.trip]],
    )


def _place_id(snapshot: Snapshot, place: Place) -> str:
    if isinstance(place, StopPlace):
        return stop_public_id(snapshot, place.stop)
    return next(
        (
            TAG + stop.stop_id
            for feeder in (snapshot.feeders.feeders if place.name else ())
            for stop in feeder.stops
            if (stop.at, stop.name) == (place.at, place.name)
        ),
        "",
    )


_NAMES = {
    field.name: "".join(part.title() if at else part for at, part in enumerate(field.name.split("_")))
    for field in fields(LegId)
}
_write_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # `json.dumps` makes one per call
_TYPES = {"str": str, "float": float, "int": int, "bool": bool}


def render_itinerary_id(leg_ids: Sequence[LegId]) -> str:
    """The id that carries these legs."""
    told = {"legs": [{name: getattr(leg, field) for field, name in _NAMES.items()} for leg in leg_ids]}
    squeezed = zlib.compress(_write_json(told).encode(), 6, wbits=-15)
    return VERSION + urlsafe_b64encode(squeezed).rstrip(b"=").decode()


def read_itinerary_id(text: str) -> tuple[LegId, ...]:
    """The legs that an id carries.

    Raises:
        BadInput: `bad_itinerary_id`.
    """
    if not text.startswith(VERSION):
        raise BadInput("bad_itinerary_id")
    try:
        squeezed = urlsafe_b64decode(text.removeprefix(VERSION).encode() + b"==")
        told = json.loads(zlib.decompressobj(wbits=-15).decompress(squeezed, _MOST_BYTES))
    except (Base64Error, zlib.error, ValueError, RecursionError):
        raise BadInput("bad_itinerary_id") from None
    return read_leg_ids(told)


def read_leg_ids(told: object) -> tuple[LegId, ...]:
    """The legs of the JSON form `{"legs": [...]}`.

    Raises:
        BadInput: `bad_itinerary_id`.
    """
    rows = told.get("legs") if isinstance(told, Mapping) else None
    if not isinstance(rows, list) or not 0 < len(rows) <= _MOST_LEGS:
        raise BadInput("bad_itinerary_id")
    return tuple(_read_leg_id(row) for row in rows)


def _read_leg_id(row: object) -> LegId:
    if not isinstance(row, Mapping):
        raise BadInput("bad_itinerary_id")
    values: dict[str, Any] = {}
    for field in fields(LegId):
        wanted = _TYPES[str(field.type)]
        value = row.get(_NAMES[field.name])
        if wanted is float and type(value) is int:
            value = float(value)
        if type(value) is not wanted:
            raise BadInput("bad_itinerary_id")
        values[field.name] = value
    leg = LegId(**values)
    places = [leg.from_lat, leg.to_lat, leg.from_lon, leg.to_lon]
    times = [leg.sched_start, leg.sched_end]
    if not (all(abs(value) <= 180 for value in places) and all(0 <= value < 1 << 33 for value in times)):
        raise BadInput("bad_itinerary_id")
    return leg


def refresh(snapshot: Snapshot, leg_ids: Sequence[LegId], *, same_name: bool = True) -> Refreshed:
    """The journey of `leg_ids` as it is offered now; `same_name` wants a ride of the same display name."""
    legs: list[Leg | None] = [
        None if leg_id.mode == WALK else _find_ride(snapshot, leg_id, same_name=same_name) for leg_id in leg_ids
    ]
    for at, leg_id in enumerate(leg_ids):
        leg = legs[at]
        if leg_id.mode == WALK:
            legs[at] = _walk_again(snapshot, leg_ids, legs, at)
        elif isinstance(leg, TransitLeg) and at > 0:
            legs[at] = replace(leg, stay_seated=_stays_seated(snapshot, legs[at - 1], leg))
    return Refreshed(tuple(leg_ids), tuple(legs), tuple(_list_changes(snapshot, leg_ids, legs)))


def _stays_seated(snapshot: Snapshot, before: Leg | None, leg: TransitLeg) -> bool:
    """Whether the vehicle is the previous ride's: same block, and the end of one trip at the start of the other."""
    block = snapshot.timetable.trip_block
    return (
        isinstance(before, TransitLeg)
        and before.trip != leg.trip
        and leg.first_call == 0
        and int(block[leg.trip]) >= 0
        and int(block[leg.trip]) == int(block[before.trip])
        and before.last_call == len(snapshot.timetable.trip_stops(before.trip)) - 1
    )


def _find_ride(snapshot: Snapshot, leg_id: LegId, *, same_name: bool) -> TransitLeg | FeederLeg | None:
    """The ride by its trip and stops, else the one most like it, else None."""
    known = find_public_feeder(snapshot, leg_id.trip_id)
    if known is not None:
        feeder = known[0]
        ids = [TAG + stop.stop_id for stop in feeder.stops]
        if leg_id.from_id not in ids or leg_id.to_id not in ids:
            return None
        one, other = ids.index(leg_id.from_id), ids.index(leg_id.to_id)
        return find_feeder_ride(feeder, one, other, leg_id.sched_start - feeder.drive_s[one]) if one < other else None
    timetable = snapshot.timetable
    dated = find_public_trip(timetable, leg_id.trip_id)
    first, last = find_public_stop(timetable, leg_id.from_id), find_public_stop(timetable, leg_id.to_id)
    if dated is not None and first is not None and last is not None:
        stops = timetable.trip_stops(dated.trip)
        boardings = np.flatnonzero(stops == first).tolist()
        alightings = np.flatnonzero(stops == last).tolist()
        pairs = [(one, other) for one in boardings for other in alightings if one < other]
        if pairs:
            calls = trip_calls(timetable, dated.trip, dated.service_day)

            def off_s(pair: tuple[int, int]) -> int:
                departure, arrival = calls[pair[0]].departure, calls[pair[1]].arrival
                return abs((departure or 0) - leg_id.sched_start) + abs((arrival or 0) - leg_id.sched_end)

            one, other = min(pairs, key=off_s)
            return TransitLeg(dated.trip, dated.service_day, calls[one : other + 1], one)
    return _find_ride_like(snapshot, leg_id, -1 if dated is None else dated.trip, same_name=same_name)


def _find_ride_like(snapshot: Snapshot, leg_id: LegId, same_trip: int, *, same_name: bool) -> TransitLeg | None:
    """The ride of the same mode and name that stops near both ends at nearly the same times."""
    timetable = snapshot.timetable
    from_m, to_m = _metres_from(snapshot, leg_id.start), _metres_from(snapshot, leg_id.end)
    wish = BoardWish(
        at=leg_id.sched_start - LIKE_WITHIN_S, window_s=2 * LIKE_WITHIN_S + 1, modes=frozenset({leg_id.mode})
    )
    best: tuple[float, StopEvent, int] | None = None
    for event in list_events(snapshot, np.flatnonzero(from_m <= LIKE_WITHIN_M).tolist(), wish):
        if same_name and trip_display_name(snapshot, event.trip) != leg_id.display_name:
            continue
        stops = timetable.trip_stops(event.trip)
        base = timetable.service_day_start(event.trip, event.service_day)
        arrivals, _ = timetable.trip_times(event.trip)
        for position in range(event.position + 1, len(stops)):
            off_s = abs(base + int(arrivals[position]) - leg_id.sched_end)
            metres = float(to_m[stops[position]])
            if metres > LIKE_WITHIN_M or off_s > LIKE_WITHIN_S:
                continue
            off_s += abs((event.departure or 0) - leg_id.sched_start)
            worth = -metres - float(from_m[event.stop]) - _METRES_PER_SECOND * off_s
            worth += _SAME_TRIP_M if event.trip == same_trip else 0
            if worth > (best[0] if best else -inf):
                best = worth, event, position
    if best is None:
        return None
    _, event, position = best
    calls = trip_calls(timetable, event.trip, event.service_day, event.position, position)
    return TransitLeg(event.trip, event.service_day, calls, event.position)


def _metres_from(snapshot: Snapshot, at: LatLon) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    timetable = snapshot.timetable
    return distances_m(at.lat, at.lon, timetable.stop_lat, timetable.stop_lon)


def _walk_again(snapshot: Snapshot, leg_ids: Sequence[LegId], legs: Sequence[Leg | None], at: int) -> WalkLeg:
    """The walk of a leg, moved so that it fits the rides beside it. Its duration stays, as its ends do."""
    leg_id = leg_ids[at]
    lasts_s = leg_id.sched_end - leg_id.sched_start
    before, after = (legs[at - 1] if at else None), (legs[at + 1] if at + 1 < len(legs) else None)
    departure = leg_id.sched_start
    if before is not None and not isinstance(before, WalkLeg):
        departure = before.arrival
    elif at == 0 and after is not None and not isinstance(after, WalkLeg):
        # What was between the walk's end and the departure stays between them.
        departure = after.departure - (leg_ids[at + 1].sched_start - leg_id.sched_end) - lasts_s
    origin = _place_again(snapshot, leg_id.from_id, leg_id.start)
    destination = _place_again(snapshot, leg_id.to_id, leg_id.end)
    metres, path = _walk_course(snapshot, origin, destination, lasts_s)
    return WalkLeg(origin, destination, departure, departure + lasts_s, metres, path)


def _walk_course(snapshot: Snapshot, origin: Place, destination: Place, lasts_s: int) -> tuple[int, tuple[LatLon, ...]]:
    """Metres and line of a walk: along the streets when it begins or ends at a point, as it did when it was found."""
    path = place_at(snapshot, origin), place_at(snapshot, destination)
    if snapshot.walks is not None and PointPlace in {type(origin), type(destination)}:
        any_time = JourneyQuery(origin, destination, 0, walk_speed_m_s=1.0)
        course = snapshot.walks.between(any_time, *path, 2 * lasts_s + 600)
        if course is not None and course[2]:
            return course[1:]
    return _walk_m(snapshot, origin, destination), path


def _walk_m(snapshot: Snapshot, origin: Place, destination: Place) -> int:
    """Metres of a walk: the footpath's, else the great circle with the usual detour."""
    timetable = snapshot.timetable
    if isinstance(origin, StopPlace) and isinstance(destination, StopPlace):
        paths = slice(timetable.stop_first_footpath[origin.stop], timetable.stop_first_footpath[origin.stop + 1])
        for stop, metres in zip(
            timetable.footpath_stop[paths].tolist(), timetable.footpath_m[paths].tolist(), strict=True
        ):
            if stop == destination.stop:
                return int(metres)
    return walk_between(place_at(snapshot, origin), place_at(snapshot, destination), speed_m_s=1.0)[1]


def _place_again(snapshot: Snapshot, stop_id: str, at: LatLon) -> Place:
    stop = find_public_stop(snapshot.timetable, stop_id) if stop_id else None
    if stop is not None:
        return StopPlace(stop)
    return (find_feeder_stop(snapshot, stop_id) if stop_id else None) or PointPlace(at)


def _list_changes(snapshot: Snapshot, leg_ids: Sequence[LegId], legs: Sequence[Leg | None]) -> list[Reason]:
    """What differs from the ids: rides lost or moved in time, other stops, connections missed."""
    changes: list[Reason] = []
    here: int | None = None  # when the traveller is at the end of the leg before
    for at, (leg_id, leg) in enumerate(zip(leg_ids, legs, strict=True)):
        if leg is None:
            changes.append(Reason("RIDE_LOST", {"leg": at, "name": leg_id.display_name}))
            here = None
            continue
        if isinstance(leg, FeederLeg):
            if leg.arrival != leg_id.sched_end:
                minutes = round((leg.arrival - leg_id.sched_end) / MINUTE_S)
                changes.append(Reason("TIME_CHANGED", {"leg": at, "minutes": minutes}))
            if here is not None and leg.departure < here:
                changes.append(Reason("MISSED_CONNECTION", {"leg": at}))
        elif isinstance(leg, TransitLeg):
            late_s = leg.departure - leg_id.sched_start
            if late_s:
                changes.append(Reason("TIME_CHANGED", {"leg": at, "minutes": round(late_s / MINUTE_S)}))
            if stop_public_id(snapshot, leg.calls[0].stop) != leg_id.from_id:
                changes.append(Reason("STOP_CHANGED", {"leg": at}))
            if here is not None and leg.departure < here:
                changes.append(Reason("MISSED_CONNECTION", {"leg": at}))
        here = leg.arrival
    return changes
