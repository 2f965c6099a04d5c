"""Car: what one carpool says by itself: who its people are, how far, how fast, how many, and its traces."""

from __future__ import annotations

from collections.abc import Iterator

from covoiturage.carpool import Carpool, Ride, Side
from covoiturage.fraud.labels import Code, Known, Label, Person, Way
from covoiturage.fraud.traces import Traces, check_traces
from socle.errors import Fact
from socle.geo import LatLon, distance_m

SHORT_M = 300
SHORT_S = 60
FAST_KMH = 130  # as the crow flies: the fastest that the law allows, and no road is straight
PASSENGER_SEATS = 8  # the most that a car licence (B) carries beside the driver
# How much routed and declared figures may differ; those of the national registry of proof.
ROUTED_OVER_DECLARED = 2.5
DECLARED_OVER_ROUTED_M = 4
DECLARED_OVER_ROUTED_S = 7
_SAME = (
    ("identity", Code.SAME_IDENTITY),
    ("phone", Code.SAME_PHONE),
    ("device", Code.SAME_DEVICE),
    ("iban", Code.SAME_IBAN),
)
_NOBODY = Person()


def check_car(carpool: Carpool, traces: Traces, known: Known) -> Iterator[Label]:
    """The labels of one car that need no other car."""
    for ride in carpool.rides:
        yield from _check_people(carpool, ride, known)
        yield from _check_figures(carpool, ride, known.ways.get(ride.id))
    most = _most_aboard(carpool)
    if most > PASSENGER_SEATS:
        yield Label(Code.TOO_MANY_ABOARD, carpool.id, None, {"n_seats": most})
    yield from check_traces(carpool, traces, known)


def _check_people(carpool: Carpool, ride: Ride, known: Known) -> Iterator[Label]:
    if ride.passenger == carpool.driver:
        yield Label(Code.SAME_IDENTITY, carpool.id, ride.id)
        return
    driver, passenger = known.people.get(carpool.driver, _NOBODY), known.people.get(ride.passenger, _NOBODY)
    devices = [{one.device for one in ride.evidence if one.by == who} for who in (carpool.driver, ride.passenger)]
    shared = (devices[0] & devices[1]) - {None}
    for name, code in _SAME:
        value = getattr(driver, name)
        if (value is not None and value == getattr(passenger, name)) or (shared and code is Code.SAME_DEVICE):
            yield Label(code, carpool.id, ride.id)


def _check_figures(carpool: Carpool, ride: Ride, way: Way | None) -> Iterator[Label]:
    seconds = (ride.alight_at - ride.board_at).total_seconds()
    if ride.distance_m < SHORT_M or seconds < SHORT_S:
        yield Label(Code.TOO_SHORT, carpool.id, ride.id, {"metres": ride.distance_m, "seconds": round(seconds)})
    start, end = (way.start, way.end) if way and way.start and way.end else ends_seen(ride)
    crow_m = distance_m(start, end) if start and end else 0.0
    if crow_m * 3.6 > FAST_KMH * max(seconds, 1):
        facts: dict[str, Fact] = {"kmh": round(crow_m * 3.6 / max(seconds, 1)), "metres": round(crow_m)}
        yield Label(Code.TOO_FAST, carpool.id, ride.id, facts)
    if way is None:
        return
    if way.routed_m is not None and _differ(way.routed_m, ride.distance_m, SHORT_M, DECLARED_OVER_ROUTED_M):
        facts = {"metres": ride.distance_m, "routed_m": way.routed_m}
        yield Label(Code.METRES_UNLIKE_ROUTE, carpool.id, ride.id, facts)
    if way.routed_s is not None and _differ(way.routed_s, seconds, SHORT_S, DECLARED_OVER_ROUTED_S):
        facts = {"minutes": round(seconds / 60), "routed_minutes": round(way.routed_s / 60)}
        yield Label(Code.SECONDS_UNLIKE_ROUTE, carpool.id, ride.id, facts)


def _differ(routed: float, declared: float, least: float, most_over_routed: float) -> bool:
    """Whether what was declared is far from what is routed; what is routed as next to nothing counts as `least`."""
    return routed > ROUTED_OVER_DECLARED * declared or declared > most_over_routed * max(routed, least)


def ends_seen(ride: Ride) -> tuple[LatLon | None, LatLon | None]:
    """Where who rode was seen at boarding and at alighting, nearest to those instants."""
    seen: dict[Side, LatLon] = {}
    instants = {Side.BOARD: ride.board_at, Side.ALIGHT: ride.alight_at}
    for one in sorted(ride.evidence, key=lambda one: abs(one.at - instants[one.side])):
        if one.place is not None and one.by == ride.passenger:
            seen.setdefault(one.side, one.place)
    return seen.get(Side.BOARD), seen.get(Side.ALIGHT)


def _most_aboard(carpool: Carpool) -> int:
    """The most seats taken at once; who gets off at an instant leaves before who gets on."""
    if sum(ride.seats for ride in carpool.rides) <= PASSENGER_SEATS:
        return 0
    changes = [(ride.board_at, 1, ride.seats) for ride in carpool.rides]
    changes += [(ride.alight_at, 0, -ride.seats) for ride in carpool.rides]
    aboard = most = 0
    for _at, _order, seats in sorted(changes):
        aboard += seats
        most = max(most, aboard)
    return most
