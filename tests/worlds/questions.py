"""Random queries on a world, and answers as (departure, arrival, vehicles)."""

from __future__ import annotations

import random

from routing.journeys.query import JourneyQuery, Place, PointPlace, StopPlace, Via
from routing.journeys.router import plan
from routing.network.timetable import Timetable
from socle.geo import LatLon
from tests.worlds.timetables import DAY

MINUTE_S = 60


def random_query(world: Timetable, seed: int, *, n_vias: int = 0) -> JourneyQuery:
    """A query about when something runs, with every wish there is now and then."""
    draw = random.Random(seed)
    trip = draw.randrange(world.n_trips)
    stops = world.trip_stops(trip).tolist()
    anywhere = [stop for other in range(world.n_trips) for stop in world.trip_stops(other).tolist()]
    origin = draw.choice(stops[:-1])
    destination = draw.choice([stop for stop in anywhere if world.stop_place[stop] != world.stop_place[origin]] or [0])
    departure = world.service_day_start(trip, DAY) + int(world.trip_times(trip)[1][0])
    wishes: dict[str, object] = {
        "arrive_by": draw.random() < 0.5,
        "window_s": draw.choice((0, 0, 3600, 7200, 20_000)),
        "max_changes": draw.choice((14, 14, 14, 1, 0)),
    }
    later_s = draw.randint(0, 240) * MINUTE_S if wishes["arrive_by"] else -draw.randint(0, 60) * MINUTE_S
    if draw.random() < 0.25:
        wishes["change_factor"] = draw.choice((1.0, 1.5))
        wishes["extra_change_s"] = draw.choice((0, 60))
        wishes["min_change_s"] = draw.choice((0, 240))
    if draw.random() < 0.15:
        wishes["modes"] = frozenset(draw.sample(("TRAM", "BUS", "REGIONAL_RAIL"), draw.randint(1, 2)))
    for flag in ("wheelchair", "bikes", "no_booking"):
        if draw.random() < 0.15:
            wishes[flag] = True
    if draw.random() < 0.15:
        wishes["max_travel_s"] = draw.choice((1800, 7200))
    if n_vias:
        wishes["via"] = tuple(
            Via(StopPlace(draw.choice(anywhere)), draw.choice((0, 0, 300, 900))) for _ in range(n_vias)
        )
    if draw.random() < 0.15:
        wishes["max_direct_s"] = 0
    ends = [
        _point_near(world, stop, draw) if draw.random() < 0.3 else StopPlace(stop) for stop in (origin, destination)
    ]
    return JourneyQuery(*ends, departure + later_s, **wishes)


def _point_near(world: Timetable, stop: int, draw: random.Random) -> Place:
    """A point some minutes on foot from a stop."""
    at = world.stop_at(stop)
    return PointPlace(LatLon(at.lat + draw.uniform(-0.006, 0.006), at.lon + draw.uniform(-0.006, 0.006)))


def answer(world: Timetable, query: JourneyQuery) -> set[tuple[int, int, int]]:
    """What the router finds, as the oracle tells it; equal journeys appear once."""
    journeys = plan(world, query).journeys
    if query.window_s:
        told = [(journey.departure, journey.arrival, journey.n_vehicles) for journey in journeys]
    elif query.arrive_by:
        told = [(journey.departure, query.at, journey.n_vehicles) for journey in journeys]
    else:
        told = [(query.at, journey.arrival, journey.n_vehicles) for journey in journeys]
    assert len(told) == len(set(told))
    return set(told)
