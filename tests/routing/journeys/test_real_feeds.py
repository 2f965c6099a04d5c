"""Places, boards and journeys on the real trains of France together with the trams of Strasbourg."""

from __future__ import annotations

import random
import time
from datetime import date

import pytest

from routing.gtfs.merge import merge_feeds
from routing.gtfs.read import read_feed
from routing.gtfs.repair import repair_feed
from routing.journeys.boards import BoardWish, list_events
from routing.journeys.gazetteer import Kind
from routing.journeys.naming import find_public_stop, find_public_trip, stop_public_id, trip_public_id
from routing.journeys.places import Wanted
from routing.journeys.query import JourneyQuery, StopPlace
from routing.journeys.refresh import list_leg_ids, refresh
from routing.journeys.snapshot import make_snapshot
from routing.journeys.told import tell
from routing.journeys.words import folded_words
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
