<<<<<<< HEAD
"""Places, boards and journeys on the real trains of France together with the trams of Strasbourg."""
=======
"""The router against its slow twin on pieces of real feeds."""
>>>>>>> c9a33f7 (tests: days, compile, transfers, modes, region; the router equals its twin on pieces of real feeds)

from __future__ import annotations

import random
<<<<<<< HEAD
import time
from datetime import date

import pytest

from routing.gtfs.merge import merge_feeds
from routing.gtfs.read import read_feed
from routing.gtfs.repair import repair_feed
from routing.journeys.boards import BoardWish, list_events
from routing.journeys.naming import find_public_stop, find_public_trip, stop_public_id, trip_public_id
from routing.journeys.places import Kind, Wanted, folded_words
from routing.journeys.query import JourneyQuery, StopPlace
from routing.journeys.refresh import list_leg_ids, refresh
from routing.journeys.snapshot import make_snapshot
from routing.journeys.told import tell
from routing.network.compile import make_timetable
from tests.worlds.timetables import instant

pytestmark = [pytest.mark.shared, pytest.mark.slow]

TUESDAY = date(2025, 3, 11)
FEEDS = {
    "ter": "data/gtfs-sncf-ter-2025-01/gtfs.zip",
    "tgv": "data/gtfs-sncf-tgv-2025-07/gtfs.zip",
    "cts": "data/gtfs-cts-strasbourg-2026/gtfs.zip",
}


@pytest.fixture(scope="module")
def world(shared):
    feeds = [repair_feed(read_feed(shared(path), name)[0])[0] for name, path in FEEDS.items()]
    return make_snapshot(make_timetable(merge_feeds(feeds)[0]))


def test_names_are_found_within_20_milliseconds(world):
    draw = random.Random(1)
    times = []
    for place in draw.choices(world.places.places, k=300):
        typed = place.name[: draw.randint(2, len(place.name))]
        begin = time.perf_counter()
        world.places.list_found(typed)
        times.append(time.perf_counter() - begin)
    assert len(world.places.places) > 4_000
    assert sorted(times)[int(0.95 * len(times))] < 0.020


def test_whole_names_find_a_place_of_that_name(world):
    for place in random.Random(2).choices(world.places.places, k=200):
        best = world.places.list_found(place.name, Wanted(n=1))[0].place
        assert folded_words(best.name) == folded_words(place.name)


def test_dijon_is_one_station_for_all_trains(world):
    found = [one.place for one in world.places.list_found("Dijon", Wanted(kinds=frozenset({Kind.STOP})))]
    assert [place.name for place in found].count("Dijon") == 1
    assert {"REGIONAL_RAIL", "COACH", "HIGHSPEED_RAIL"} <= set(found[0].modes)


def test_journeys_are_told_and_found_again(world):
    def stop(name):
        return world.places.list_found(name, Wanted(n=1, kinds=frozenset({Kind.STOP})))[0].place.stop

    query = JourneyQuery(
        StopPlace(stop("Dijon")), StopPlace(stop("Besançon Viotte")), instant("07:00", TUESDAY), window_s=7200
    )
    journeys = world.search(query).journeys
    assert journeys
    for journey in journeys:
        told = tell(world, journey)
        assert told.carbon is not None
        assert 1_500 < told.carbon.legal_g < 3_500  # a hundred kilometres by regional train
        assert refresh(world, list_leg_ids(world, journey)).journey == journey


def test_every_departure_of_a_large_station_leads_to_its_trip(world):
    stop = world.places.list_found("Dijon", Wanted(n=1, kinds=frozenset({Kind.STOP})))[0].place.stop
    events = list_events(world, world.timetable.place_of(stop).tolist(), BoardWish(at=instant("06:00", TUESDAY), n=100))
    assert len(events) >= 100
    assert [event.departure for event in events] == sorted(event.departure for event in events)
    for event in events:
        dated = find_public_trip(world.timetable, trip_public_id(world.timetable, event.trip, event.service_day))
        assert dated is not None
        assert (dated.trip, dated.service_day) == (event.trip, event.service_day)


def test_every_public_id_of_a_stop_leads_back_and_stands_in_lists(world):
    for stop in range(0, world.timetable.n_stops, 7):
        public = stop_public_id(world, stop)
        assert "," not in public
        assert find_public_stop(world.timetable, public) == stop
=======
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
        release=f"{timetable.release} piece",
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
>>>>>>> c9a33f7 (tests: days, compile, transfers, modes, region; the router equals its twin on pieces of real feeds)
