"""Told: a journey with all that an answer says of it: grams, walking, slack at changes, accessibility."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from routing.journeys import access
from routing.journeys.carbon import (
    CARPOOL_CLASS,
    ROAD_DETOUR,
    WALK_CLASS,
    Carbon,
    FactorTable,
    LegCarbon,
    find_leg_carbon,
    find_sum,
    get_table,
)
from routing.journeys.journey import FeederLeg, Journey, Leg, TransitLeg, WalkLeg, is_seated
from routing.journeys.onmap import has_shape, path_length_m, trip_path
from routing.journeys.query import Place
from routing.journeys.rank import Best, Measured, list_bests
from routing.journeys.snapshot import Snapshot
from routing.network.modes import CARBON_CLASSES, MODES
from socle.errors import Fact
from socle.geo import LatLon, distance_m
from socle.times import local_day

# Ratio of rail by kilometre points to great circle: 1.148 over the 228 segments of the
# region's lines that have kilometre points (SNCF open data).
RAIL_DETOUR = 1.15
TIGHT_S = 180  # less slack than this at a change is worth a warning

_ON_ROADS = frozenset({"BUS", "COACH", "ODM", "RIDE_SHARING"})
_ON_RAILS = frozenset({"HIGHSPEED_RAIL", "LONG_DISTANCE", "NIGHT_RAIL", "REGIONAL_RAIL", "SUBURBAN"})
_TOLD = {1: "YES", 2: "NO"}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is so: a stable code, and the facts that its sentence is made from."""

    code: str
    facts: dict[str, Fact]


@dataclass(frozen=True, slots=True)
class Connection:
    """A change between two legs, as positions in the journey; `slack_s` is what is left after walking."""

    from_leg: int
    to_leg: int
    slack_s: int

    @property
    def is_tight(self) -> bool:
        """Whether little is left."""
        return self.slack_s < TIGHT_S


@dataclass(frozen=True, slots=True)
class LegFacts:
    """What is said of a leg; `wheelchair` and `bikes` are YES, NO or UNKNOWN, None on foot."""

    distance_m: int
    carbon: LegCarbon | None
    wheelchair: str | None = None
    bikes: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A journey and what is said of it."""

    journey: Journey
    legs: tuple[LegFacts, ...]
    carbon: Carbon | None
    connections: tuple[Connection, ...]
    barriers: tuple[Reason, ...]
    wheelchair: str
    bests: tuple[Best, ...] = ()

    @property
    def walk_m(self) -> int:
        """Metres on foot."""
        return Measured(self.journey, self.carbon).walk_m


def place_at(snapshot: Snapshot, place: Place) -> LatLon:
    """Where a place is."""
    return access.place_at(snapshot.timetable, place)


def tell(snapshot: Snapshot, journey: Journey) -> Told:
    """The journey with what is said of it alone."""
    day = local_day(journey.departure, snapshot.timetable.zone_infos[0])
    table = get_table(day)
    legs = tuple(_leg_facts(snapshot, leg, table) for leg in journey.legs)
    alone_m = round(
        ROAD_DETOUR * distance_m(_leaves_from(snapshot, journey.legs[0]), _arrives_at(snapshot, journey.legs[-1]))
    )
    wheelchair, barriers = _accessibility(snapshot, journey, legs)
    return Told(
        journey,
        legs,
        find_sum(table, [leg.carbon for leg in legs], alone_m),
        tuple(list_connections(journey)),
        tuple(barriers),
        wheelchair,
    )


def tell_all(snapshot: Snapshot, journeys: Sequence[Journey]) -> list[Told]:
    """Journeys of one answer, compared with each other."""
    told = [tell(snapshot, journey) for journey in journeys]
    bests = list_bests([Measured(one.journey, one.carbon) for one in told])
    return [replace(one, bests=best) for one, best in zip(told, bests, strict=True)]


def list_connections(journey: Journey) -> list[Connection]:
    """The changes between vehicles, with the slack at each. Staying seated is no change."""
    rides = [at for at, leg in enumerate(journey.legs) if not isinstance(leg, WalkLeg)]
    changes = []
    for one, other in itertools.pairwise(rides):
        leg = journey.legs[other]
        if is_seated(leg):
            continue
        walk_s = sum(walk.arrival - walk.departure for walk in journey.legs[one + 1 : other])
        leaves = leg.boarding if isinstance(leg, FeederLeg) else leg.departure
        changes.append(Connection(one, other, leaves - journey.legs[one].arrival - walk_s))
    return changes


def _leg_facts(snapshot: Snapshot, leg: Leg, table: FactorTable) -> LegFacts:
    if isinstance(leg, WalkLeg):
        return LegFacts(leg.distance_m, find_leg_carbon(table, WALK_CLASS, leg.distance_m))
    if isinstance(leg, FeederLeg):
        carbon = find_leg_carbon(table, CARPOOL_CLASS, leg.distance_m)
        return LegFacts(leg.distance_m, carbon, "UNKNOWN", "UNKNOWN")
    timetable = snapshot.timetable
    metres = ride_distance_m(snapshot, leg)
    carbon = find_leg_carbon(table, CARBON_CLASSES[timetable.trip_carbon[leg.trip]], metres)
    return LegFacts(
        metres,
        carbon,
        _TOLD.get(int(timetable.trip_wheelchair[leg.trip]), "UNKNOWN"),
        _TOLD.get(int(timetable.trip_bikes[leg.trip]), "UNKNOWN"),
    )


def ride_distance_m(snapshot: Snapshot, leg: TransitLeg) -> int:
    """Metres ridden: along the shape, else great circles between stops with the usual detour of road or rail."""
    metres = path_length_m(*trip_path(snapshot, leg.trip, leg.first_call, leg.last_call))
    if has_shape(snapshot, leg.trip):
        return round(metres)
    mode = MODES[snapshot.timetable.trip_mode[leg.trip]]
    return round(metres * (ROAD_DETOUR if mode in _ON_ROADS else RAIL_DETOUR if mode in _ON_RAILS else 1.0))


def _accessibility(snapshot: Snapshot, journey: Journey, legs: Sequence[LegFacts]) -> tuple[str, list[Reason]]:
    """YES when all is known to be step-free, NO with the barriers, else UNKNOWN."""
    timetable = snapshot.timetable
    barriers: list[Reason] = []
    known = True
    for at, (leg, facts) in enumerate(zip(journey.legs, legs, strict=True)):
        if isinstance(leg, WalkLeg):
            continue
        if isinstance(leg, FeederLeg):
            known = False
            continue
        if facts.wheelchair == "NO":
            barriers.append(Reason("TRIP_NOT_STEP_FREE", {"leg": at}))
        known = known and facts.wheelchair == "YES"
        for call in (leg.calls[0], leg.calls[-1]):
            told = int(timetable.stop_wheelchair[call.stop])
            if told == 2:
                name = snapshot.texts[timetable.stop_name[call.stop]]
                barriers.append(Reason("STOP_NOT_STEP_FREE", {"leg": at, "stop": name}))
            known = known and told == 1
    return ("NO" if barriers else "YES" if known else "UNKNOWN"), barriers


def _leaves_from(snapshot: Snapshot, leg: Leg) -> LatLon:
    if isinstance(leg, FeederLeg):
        return leg.feeder.stops[leg.first].at
    return place_at(snapshot, leg.origin) if isinstance(leg, WalkLeg) else snapshot.timetable.stop_at(leg.calls[0].stop)


def _arrives_at(snapshot: Snapshot, leg: Leg) -> LatLon:
    if isinstance(leg, WalkLeg):
        return place_at(snapshot, leg.destination)
    if isinstance(leg, FeederLeg):
        return leg.feeder.stops[leg.last].at
    return snapshot.timetable.stop_at(leg.calls[-1].stop)
