"""Boards equal a slow twin that looks at every call of every day."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.journeys.boards import BoardWish, list_events, list_routes_at, list_stops_meant, trip_calls, vehicle_rides
from routing.journeys.snapshot import make_snapshot
from socle.geo import LatLon
from tests.worlds.examples import random_examples
from tests.worlds.timetables import DAY, instant, random_world
from tests.worlds.valley import TUESDAY, valley

WORLD = valley()


def slow_board(snapshot, stops, wish):
    """(instant, trip, day) of all events that the wish could mean, one a trip."""
    timetable = snapshot.timetable
    told = {}
    for offset in range(timetable.n_days):
        day = timetable.first_day + timedelta(days=offset)
        for trip in range(timetable.n_trips):
            if not timetable.runs(trip, day):
                continue
            calls = trip_calls(timetable, trip, day)
            for call in calls:
                at = call.arrival if wish.arrivals else call.departure
                if at is None and wish.both:
                    at = call.departure if wish.arrivals else call.arrival
                if call.stop not in stops or at is None or (at > wish.at if wish.earlier else at < wish.at):
                    continue
                key = (trip, day)
                nearer = max if wish.earlier else min
                told[key] = nearer(told[key], at) if key in told else at
    return sorted((at, *key) for key, at in told.items())


wishes = st.builds(
    BoardWish,
    at=st.integers(instant("00:00", DAY - timedelta(days=2)), instant("30:00", DAY + timedelta(days=2))),
    n=st.integers(1, 8),
    arrivals=st.booleans(),
    both=st.booleans(),
    earlier=st.booleans(),
)


@random_examples(120)
@given(st.integers(0, 60), wishes)
def test_a_board_is_what_the_slow_twin_finds(seed, wish):
    snapshot = make_snapshot(random_world(seed))
    stops = list(range(0, snapshot.timetable.n_stops, 2))
    every = slow_board(snapshot, set(stops), wish)
    found = list_events(snapshot, stops, wish)
    told = [event.instant(wish.arrivals) for event in found]
    wanted = [at for at, _, _ in every]
    if wish.earlier:
        told, wanted = told[::-1], wanted[::-1]
    assert len(told) >= min(wish.n, len(wanted))
    assert told == wanted[: len(told)]
    left = wanted[len(told) :]
    assert not left or not told or left[0] // 60 != told[-1] // 60 or len(told) < wish.n


def test_a_window_takes_all_of_it_when_that_is_more():
    stops = WORLD.timetable.place_of(WORLD.timetable.get_stop("gare")).tolist()
    hour = list_events(WORLD, stops, BoardWish(at=instant("07:00"), n=2, window_s=3600))
    assert [event.departure for event in hour][-1] < instant("08:00")
    assert len(hour) == 7  # six trams and a train


def test_only_trips_that_go_there_are_told_when_a_goal_is_given():
    timetable = WORLD.timetable
    stops = timetable.place_of(timetable.get_stop("gare")).tolist()
    goals = frozenset(timetable.place_of(timetable.get_stop("lac")).tolist())
    wish = BoardWish(at=instant("07:00"), n=3, towards=goals)
    assert [timetable.trip_id[event.trip] for event in list_events(WORLD, stops, wish)] == ["P1-07", "P1-08", "P1-09"]


def test_stops_meant_are_the_place_or_those_around():
    timetable = WORLD.timetable

    def names(*arguments):
        return {timetable.stop_id[stop] for stop in list_stops_meant(WORLD, *arguments)}

    gare = timetable.get_stop("gare-a")
    assert names(gare, None, None, False) == {"gare", "gare-a", "gare-b"}
    assert names(gare, None, 0, True) == {"gare-a"}
    assert names(timetable.get_stop("gare"), None, 0, True) == {"gare", "gare-a", "gare-b"}
    assert names(None, LatLon(47.3, 5.0), 400, False) == {"gare", "gare-a", "gare-b", "mairie"}


def test_lines_are_sorted_as_people_count():
    timetable = WORLD.timetable
    stops = timetable.place_of(timetable.get_stop("lac")).tolist()
    told = [WORLD.texts[timetable.route_short_name[route]] for route in list_routes_at(WORLD, stops)]
    assert told == ["D1", "D2", "P1"]


@pytest.mark.parametrize("trip", ["D1-07", "D2-07"])
def test_a_vehicle_makes_its_block_in_order(trip):
    (index,) = WORLD.timetable.list_trips(trip)
    rides = vehicle_rides(WORLD.timetable, index, TUESDAY)
    assert [WORLD.timetable.trip_id[ride.trip] for ride in rides] == ["D1-07", "D2-07"]
    assert [ride.stay_seated for ride in rides] == [False, True]


def test_a_trip_without_a_block_is_alone():
    (index,) = WORLD.timetable.list_trips("D1-17")
    assert len(vehicle_rides(WORLD.timetable, index, TUESDAY)) == 1
