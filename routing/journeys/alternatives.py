"""Alternatives: other rides that could take the place of one ride of a journey.

The first ride that has a successor may leave when it likes as long as the next one is still
caught: the latest are told first. Any other ride leaves after the arrival before it, the
earliest first, and reaches the next departure when there is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from routing.journeys.boards import BoardWish, StopEvent, list_events, trip_calls
from routing.journeys.journey import FeederLeg, Journey, Leg, TransitLeg, WalkLeg, is_seated
from routing.journeys.query import StopPlace
from routing.journeys.snapshot import Snapshot
from routing.journeys.told import place_at
from socle.times import DAY_S

# Rides looked at for each one told: not all that go there fit between the neighbours.
_LOOKED_AT = 12


def list_alternatives(snapshot: Snapshot, journey: Journey, n: int) -> dict[int, list[Journey]]:
    """By position of a ride: up to `n` sequences of walk, ride, walk; on the first ride of a vehicle only."""
    rides = [at for at, leg in enumerate(journey.legs) if not isinstance(leg, WalkLeg) and not is_seated(leg)]
    found: dict[int, list[Journey]] = {}
    for number, at in enumerate(rides):
        if isinstance(journey.legs[at], FeederLeg):
            continue  # the next car of a line is no other ride
        last = _last_of_vehicle(journey.legs, at)
        until = journey.legs[rides[number + 1]].departure if number + 1 < len(rides) else None
        before = _last_of_vehicle(journey.legs, rides[number - 1]) if number else None
        since = None if before is None else journey.legs[before].arrival
        # The walk between a feeder and the ride is no change at a stop of the network: it is walked all the same.
        if before is not None and since is not None and isinstance(journey.legs[before], FeederLeg):
            since = max([since, *(leg.arrival for leg in journey.legs[before + 1 : at])])
        if until is not None and isinstance(journey.legs[rides[number + 1]], FeederLeg):
            until = min([until, *(leg.departure for leg in journey.legs[last + 1 : rides[number + 1]])])
        found[at] = _alternatives(snapshot, _ride(journey, at), _ride(journey, last), since, until, n)
    return found


def _ride(journey: Journey, at: int) -> TransitLeg:
    leg = journey.legs[at]
    if not isinstance(leg, TransitLeg):
        raise TypeError("a walk is no ride")
    return leg


def _last_of_vehicle(legs: Sequence[Leg], at: int) -> int:
    while at + 1 < len(legs) and isinstance(after := legs[at + 1], TransitLeg) and after.stay_seated:
        at += 1
    return at


def _alternatives(
    snapshot: Snapshot, ride: TransitLeg, last: TransitLeg, since: int | None, until: int | None, n: int
) -> list[Journey]:
    latest_first = since is None and until is not None
    origins = snapshot.timetable.place_of(ride.calls[0].stop).tolist()
    goals = frozenset(snapshot.timetable.place_of(last.calls[-1].stop).tolist())
    at = until if latest_first and until is not None else since if since is not None else ride.departure
    wish = BoardWish(at=at, n=_LOOKED_AT * n, earlier=latest_first, towards=goals)
    events = list_events(snapshot, origins, wish)
    sequences = []
    for event in reversed(events) if latest_first else events:
        if (event.trip, event.service_day) == (ride.trip, ride.service_day) or abs((event.departure or 0) - at) > DAY_S:
            continue
        for other in _rides_to(snapshot, event, goals):
            sequence = _sequence(snapshot, ride, other, last, since, until)
            if sequence is not None:
                sequences.append(sequence)
                break
        if len(sequences) == n:
            break
    return sequences


def _rides_to(snapshot: Snapshot, event: StopEvent, goals: frozenset[int]) -> Iterator[TransitLeg]:
    """The ride from the event to the first of the goals it reaches, where one may get on and off."""
    timetable = snapshot.timetable
    stops = timetable.trip_stops(event.trip).tolist()
    for position in range(event.position + 1, len(stops)):
        if stops[position] in goals:
            calls = trip_calls(timetable, event.trip, event.service_day, event.position, position)
            if calls[0].pickup != 1 and calls[-1].drop_off != 1:
                yield TransitLeg(event.trip, event.service_day, calls, event.position)


def _sequence(
    snapshot: Snapshot, ride: TransitLeg, other: TransitLeg, last: TransitLeg, since: int | None, until: int | None
) -> Journey | None:
    """Walk to the other ride's platform, ride, walk back to where the journey goes on; None when too late."""
    ingress_s, ingress_m = _walk(snapshot, ride.calls[0].stop, other.calls[0].stop)
    egress_s, egress_m = _walk(snapshot, other.calls[-1].stop, last.calls[-1].stop)
    if since is not None and other.departure - ingress_s < since:
        return None
    if until is not None and other.arrival + egress_s > until:
        return None
    start, end = StopPlace(ride.calls[0].stop), StopPlace(last.calls[-1].stop)
    on, off = StopPlace(other.calls[0].stop), StopPlace(other.calls[-1].stop)
    at = {place: place_at(snapshot, place) for place in (start, end, on, off)}
    return Journey(
        (
            WalkLeg(start, on, other.departure - ingress_s, other.departure, ingress_m, (at[start], at[on])),
            other,
            WalkLeg(off, end, other.arrival, other.arrival + egress_s, egress_m, (at[off], at[end])),
        )
    )


def _walk(snapshot: Snapshot, one: int, other: int) -> tuple[int, int]:
    """Seconds and metres between two stops of a place; nothing where no footpath is known."""
    timetable = snapshot.timetable
    for path in range(int(timetable.stop_first_footpath[one]), int(timetable.stop_first_footpath[one + 1])):
        if timetable.footpath_stop[path] == other:
            return int(timetable.footpath_s[path]), int(timetable.footpath_m[path])
    return 0, 0
