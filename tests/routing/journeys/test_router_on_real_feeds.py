"""The router against its slow twin on pieces of real feeds."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

from routing.gtfs.read import read_feed
from routing.journeys.query import JourneyQuery, StopPlace
from routing.network.compile import make_timetable
from routing.network.region import make_region
from routing.network.timetable import Timetable
from socle.geo import Box
from tests.oracles.time_expanded import journeys as slow_journeys
from tests.worlds.questions import answer

BURGUNDY = Box(46.6, 4.3, 47.9, 6.6)
STRASBOURG = Box(48.57, 7.72, 48.60, 7.77)
NEW_YORK = Box(40.4, -74.3, 41.0, -73.6)


def piece(timetable: Timetable, box: Box) -> Timetable:
    """The timetable with only the trips that stay in `box`; the others never run."""
    inside = np.array([box.holds(timetable.stop_at(stop)) for stop in range(timetable.n_stops)])
    kept = np.array([inside[timetable.trip_stops(trip)].all() for trip in range(timetable.n_trips)])
    never = len(timetable.service_days)
    return replace(
        timetable,
        service_days=np.vstack([timetable.service_days, np.zeros_like(timetable.service_days[:1])]),
        trip_service=np.where(kept, timetable.trip_service, never).astype(np.int32),
        digest=f"{timetable.digest} piece",
    )


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize(
    ("feed", "box", "day", "hours", "n_queries"),
    [
        ("data/gtfs-sncf-ter-2025-01/gtfs.zip", BURGUNDY, date(2025, 3, 11), 5, 60),
        ("data/gtfs-cts-strasbourg-2026/gtfs.zip", STRASBOURG, date(2026, 3, 10), 1, 40),
        ("data/gtfs-nyc-subway-2024/gtfs.zip", NEW_YORK, date(2024, 12, 17), 1, 6),
    ],
)
def test_the_router_finds_what_the_oracle_finds_on_a_real_piece(
    shared: Callable[[str], Path], feed: str, box: Box, day: date, hours: int, n_queries: int
):
    timetable = piece(make_timetable(read_feed(shared(feed), "real")[0]), box)
    region = make_region(timetable)
    running = np.flatnonzero(timetable.services_of(day)[timetable.trip_service]).tolist()
    calls = [
        stop for trip in running for stop in timetable.trip_stops(trip).tolist()
    ]  # busy stops are drawn more often
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=timetable.zone_infos[0]).timestamp())
    draw = random.Random(1)
    found = 0
    for number in range(n_queries):
        origin, destination = draw.sample(calls, 2)
        if timetable.stop_place[origin] == timetable.stop_place[destination]:
            continue
        query = JourneyQuery(
            StopPlace(origin),
            StopPlace(destination),
            midnight + draw.randrange(6 * 60, 20 * 60) * 60,
            window_s=(0, 1800)[number % 2],
            arrive_by=number % 4 >= 2,
            max_travel_s=hours * 3600,
        )
        slow = slow_journeys(timetable, query, region)
        assert answer(timetable, query) == slow, query
        found += len(slow)
    assert found >= 6
