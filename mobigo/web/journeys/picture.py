"""Picture: journeys as a map, and the same in words."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from markupsafe import Markup

from mobigo.web.drawing import Edges, Layer, Mark, draw_map
from mobigo.web.looks import DRAWN, leg_path, look_of, shown_mode
from mobigo.web.wording import say
from routing.journeys.journey import FeederLeg, Journey, TransitLeg, WalkLeg, is_seated
from routing.journeys.naming import stop_name
from routing.journeys.snapshot import Snapshot
from socle.geo import Box, LatLon, distances_m

AROUND = 0.25  # of the drawing's span: how far the network around is drawn
LONGEST_EDGE_M = 40_000.0  # a straight line longer than this between two stops is nobody's way


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn map with its legend and its list of places, in the order of travel."""

    svg: Markup
    looks: Sequence[str]
    places: Sequence[str]


@dataclass(frozen=True, slots=True)
class Ends:
    """The two ends of a search with the names the traveller knows them by."""

    origin: str
    origin_at: LatLon
    destination: str
    destination_at: LatLon


# Made once per release and forgotten with it: a page would spend 2 ms on it again and again.
_edges_of: WeakKeyDictionary[Snapshot, Edges] = WeakKeyDictionary()


def list_edges(snapshot: Snapshot) -> Edges:
    """Every pair of consecutive stops of the network, once, as a straight line."""
    timetable = snapshot.timetable
    stops = timetable.sequence_stops
    if len(stops) < 2:
        return np.empty((0, 2, 2))
    inner = np.ones(len(stops) - 1, np.bool_)
    inner[timetable.sequence_first_stop[1:-1] - 1] = False  # the last stop of a sequence has no next
    # Both directions, and all platforms of a station, are one line.
    parent = timetable.stop_parent
    station = np.where(parent >= 0, parent, np.arange(len(parent)))[stops]
    ends = np.stack([station[:-1][inner], station[1:][inner]], axis=1)
    pairs = np.unique(np.sort(ends, axis=1), axis=0)
    lat, lon = timetable.stop_lat[pairs], timetable.stop_lon[pairs]
    metres = distances_m(lat[:, 0], lon[:, 0], lat[:, 1], lon[:, 1])
    return np.stack([lat, lon], axis=2)[(metres > 0) & (metres <= LONGEST_EDGE_M)]


def network_around(snapshot: Snapshot, box: Box) -> Edges:
    """The network's lines that have an end in `box`."""
    edges = _edges_of.get(snapshot)
    if edges is None:
        edges = _edges_of[snapshot] = list_edges(snapshot)
    lat, lon = edges[:, :, 0], edges[:, :, 1]
    within = (lat >= box.south) & (lat <= box.north) & (lon >= box.west) & (lon <= box.east)
    return edges[within.any(axis=1)]


def _box_around(places: Sequence[LatLon]) -> Box:
    south, north = min(at.lat for at in places), max(at.lat for at in places)
    west, east = min(at.lon for at in places), max(at.lon for at in places)
    margin = max(north - south, east - west, 0.02) * AROUND
    return Box(south - margin, west - margin, north + margin, east + margin)


def changes_of(snapshot: Snapshot, journey: Journey) -> list[tuple[str, LatLon]]:
    """The stops at which a vehicle is left for another, in order, by name and place."""
    rides = [leg for leg in journey.legs if not isinstance(leg, WalkLeg)]
    found = []
    for ride, after in itertools.pairwise(rides):
        if isinstance(ride, FeederLeg):
            stop = ride.feeder.stops[ride.last]
            found.append((stop.name, stop.at))
        elif not is_seated(after):
            left = ride.calls[-1].stop
            found.append((stop_name(snapshot, left), snapshot.timetable.stop_at(left)))
    return found


def draw_journeys(snapshot: Snapshot, journeys: Sequence[Journey], ends: Ends) -> Picture:
    """One map of `journeys`, which go between the same two places."""
    lines: defaultdict[str, list[Sequence[LatLon]]] = defaultdict(list)
    drawn: set[tuple[LatLon, ...]] = set()
    changes: dict[str, LatLon] = {}
    for journey in journeys:
        for leg in journey.legs:
            if isinstance(leg, TransitLeg):
                look = look_of(shown_mode(snapshot, leg.trip))
            else:
                look = look_of(leg.feeder.mode) if isinstance(leg, FeederLeg) else "walk"
            way = tuple(leg_path(snapshot, leg) if isinstance(leg, TransitLeg) else leg.path)
            if len(way) > 1 and way not in drawn:
                drawn.add(way)
                lines[look].append(way)
        for name, at in changes_of(snapshot, journey):
            changes.setdefault(name, at)
    framed = [at for ways in lines.values() for way in ways for at in way]
    framed += [ends.origin_at, ends.destination_at]
    network = network_around(snapshot, _box_around(framed))
    layers = [Layer("network", network), *(Layer(look, lines[look]) for look in DRAWN if look in lines)]
    marks = [Mark(ends.origin_at, ends.origin, "end"), Mark(ends.destination_at, ends.destination, "end")]
    marks += [Mark(at, name, "change") for name, at in changes.items()]
    passing = say("map.describe_via", stops=", ".join(changes)) if changes else say("map.describe_straight")
    svg = draw_map(
        layers,
        marks,
        key="plan",
        title=say(
            "map.title" if len(journeys) == 1 else "map.title_many", origin=ends.origin, destination=ends.destination
        ),
        description=say("map.describe", origin=ends.origin, destination=ends.destination, changes=passing),
    )
    places = [say("map.from", name=ends.origin)]
    places += [say("map.change", name=name) for name in changes]
    places.append(say("map.to", name=ends.destination))
    looks = [look for look in reversed(DRAWN) if look in lines]
    return Picture(Markup(svg), [*looks, *(["network"] if len(network) else [])], places)  # noqa: S704 -- `draw_map` escapes every text
