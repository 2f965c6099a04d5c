"""Moving trips equal a slow twin; the zoom table; where a map opens."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.journeys.boards import trip_calls
from routing.journeys.onmap import MovingTrips, first_view, list_stops_in_box, path_length_m, trip_path
from routing.journeys.snapshot import make_snapshot
from socle.errors import LimitExceeded
from socle.geo import Box
from tests.worlds.examples import random_examples
from tests.worlds.timetables import DAY, instant, random_world
from tests.worlds.valley import valley

WORLD = valley()
EVERYWHERE = Box(-90, -180, 90, 180)


def slow_segments(snapshot, box, start, end):
    timetable = snapshot.timetable
    found = set()
    for offset in range(timetable.n_days):
        day = timetable.first_day + timedelta(days=offset)
        for trip in range(timetable.n_trips):
            calls = trip_calls(timetable, trip, day) if timetable.runs(trip, day) else ()
            for position, (one, other) in enumerate(itertools.pairwise(calls)):
                hop = Box(
                    *(min(timetable.stop_at(one.stop)[axis], timetable.stop_at(other.stop)[axis]) for axis in (0, 1)),
                    *(max(timetable.stop_at(one.stop)[axis], timetable.stop_at(other.stop)[axis]) for axis in (0, 1)),
                )
                if one.departure <= end and other.arrival >= start and hop.meets(box):
                    found.add((one.departure, trip, position, other.arrival, day))
    return sorted(found)


@random_examples(60)
@given(st.integers(0, 60), st.integers(-30, 60), st.integers(0, 120), st.floats(44.5, 47), st.floats(0.1, 2))
def test_moving_trips_are_what_the_slow_twin_finds(seed, hour, minutes, south, height):
    snapshot = make_snapshot(random_world(seed))
    start = instant("00:00", DAY) + hour * 3600
    box = Box(south, 4.0, south + height, 6.0)
    found = MovingTrips(snapshot).list_segments(box, start, start + minutes * 60, 20, 10**6)
    told = [(one.departure, one.trip, one.position, one.arrival, one.service_day) for one in found]
    assert told == slow_segments(snapshot, box, start, start + minutes * 60)


def test_too_much_for_a_map_is_refused():
    start = instant("07:15")
    assert MovingTrips(WORLD).list_segments(EVERYWHERE, start, start + 60, 20, 100)
    with pytest.raises(LimitExceeded, match="too_many_trips_in_box"):
        MovingTrips(WORLD).list_segments(EVERYWHERE, start, start + 60, 20, 1)
    with pytest.raises(LimitExceeded, match="too_many_stops_in_box"):
        list_stops_in_box(WORLD, EVERYWHERE, grouped=False, modes=None, limit=2)


def test_a_part_of_a_shape_is_between_its_stops():
    (trip,) = WORLD.timetable.list_trips("D1-07")
    lat, lon = trip_path(WORLD, trip, 0, 1)
    assert list(zip(lat.tolist(), lon.tolist(), strict=True)) == [(47.3025, 5.001), (47.35, 5.03), (47.4, 5.1)]
    whole, parts = path_length_m(*trip_path(WORLD, trip, 0, 2)), [trip_path(WORLD, trip, at, at + 1) for at in (0, 1)]
    assert whole == pytest.approx(sum(path_length_m(*part) for part in parts))


def test_a_map_opens_where_stops_are_and_on_the_region_without_any():
    view = first_view(WORLD)
    assert (47.3 < view.center.lat < 47.6, 5.0 <= view.center.lon < 5.3) == (True, True)
    assert 8 < view.zoom < 14
