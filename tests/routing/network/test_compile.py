"""A feed compiled: what is kept, mended by rule, or left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from routing.gtfs.feed import make_feed
from routing.network.calendars import WEEKDAYS
from routing.network.compile import make_timetable
from routing.network.modes import MODES
from tests.worlds.examples import random_examples
from tests.worlds.questions import answer, random_query
from tests.worlds.timetables import random_world, search, timetable, told

SEEDS = st.integers(0, 2**32 - 1)


def small(stop_times, **tables):
    return make_timetable(
        make_feed(
            "small",
            {
                "agency": {
                    "agency_name": ["A"],
                    "agency_url": ["https://example.org"],
                    "agency_timezone": ["Europe/Paris"],
                },
                "stops": {
                    "stop_id": ["a", "b", "c"],
                    "stop_name": ["A", "B", "C"],
                    "stop_lat": [45.0, 45.1, 45.4],
                    "stop_lon": [5.0, 5.0, 5.0],
                },
                "routes": {"route_id": ["r"], "route_type": [2]},
                "trips": {"route_id": ["r"] * 2, "service_id": ["s"] * 2, "trip_id": ["t", "u"]},
                "stop_times": stop_times,
                "calendar": {
                    "service_id": ["s"],
                    **{name: [1] for name in WEEKDAYS[:5]},
                    **{name: [0] for name in WEEKDAYS[5:]},
                    "start_date": ["20261123"],
                    "end_date": ["20261206"],
                },
                **tables,
            },
        )
    )


def times(trip, *rows):
    columns = ("trip_id", "stop_id", "stop_sequence", "arrival_time", "departure_time")
    return dict(
        zip(
            columns, zip(*((trip, *row[:1], i, row[1], row[1]) for i, row in enumerate(rows)), strict=True), strict=True
        )
    )


def test_a_missing_time_is_put_where_the_distance_says():
    world = small(times("t", ("a", "08:00:00"), ("b", None), ("c", "09:00:00")))
    arrivals, departures = world.trip_times(0)
    assert arrivals.tolist() == departures.tolist() == [28_800, 29_700, 32_400]  # b is a quarter of the way


def test_trips_that_cannot_be_travelled_are_left_out():
    assert small(times("t", ("a", "08:00:00"))).n_trips == 0
    assert small(times("t", ("a", None), ("b", "08:00:00"))).n_trips == 0
    assert small(times("t", ("a", "08:00:00"), ("b", "07:59:00"))).n_trips == 0
    assert small(times("t", ("a", "08:00:00"), ("b", "08:00:00"))).n_trips == 1


def test_calendar_dates_add_to_and_take_from_the_week():
    world = small(
        times("t", ("a", "08:00:00"), ("b", "09:00:00")),
        calendar_dates={"service_id": ["s", "s"], "date": ["20261125", "20261128"], "exception_type": [2, 1]},
    )
    days = [number for number in range(world.n_days) if world.service_days[0, number >> 3] >> (number & 7) & 1]
    assert days == [0, 1, 3, 4, 5, 7, 8, 9, 10, 11]
    assert (world.first_day.isoformat(), world.last_day.isoformat()) == ("2026-11-23", "2026-12-06")


def test_a_platform_takes_from_its_station_what_it_does_not_say():
    world = small(
        times("t", ("p", "08:00:00"), ("q", "09:00:00")),
        stops={
            "stop_id": ["s", "p", "q"],
            "stop_name": ["Gare", None, "Halle"],
            "stop_lat": [45.0, 45.0, 45.4],
            "stop_lon": [5.0, 5.0, 5.0],
            "location_type": [1, 0, 0],
            "parent_station": [None, "s", None],
            "wheelchair_boarding": [1, None, 2],
        },
    )
    assert world.texts[world.stop_name[1]] == "Gare"
    assert world.stop_wheelchair.tolist() == [1, 1, 2]
    assert world.place_of(1).tolist() == world.place_of(0).tolist() == [0, 1]
    assert world.stop_children[world.stop_first_child[0] : world.stop_first_child[1]].tolist() == [1]


def test_the_mode_of_a_trip_is_what_all_its_stops_tell():
    world = small(
        times("t", ("StopPoint:OCECar TER-1", "08:00:00"), ("StopPoint:OCECar TER-2", "09:00:00")),
        stops={
            "stop_id": ["StopPoint:OCECar TER-1", "StopPoint:OCECar TER-2"],
            "stop_name": ["A", "B"],
            "stop_lat": [45.0, 45.4],
            "stop_lon": [5.0, 5.0],
        },
    )
    assert MODES[world.trip_mode[0]] == "COACH"
    assert MODES[world.route_mode[0]] == "REGIONAL_RAIL"


def test_stops_are_laid_along_a_shape_that_passes_twice_by_the_same_place():
    world = small(
        times("t", ("a", "08:00:00"), ("b", "08:10:00"), ("a", "08:20:00")),
        trips={"route_id": ["r"], "service_id": ["s"], "trip_id": ["t"], "shape_id": ["z"]},
        shapes={
            "shape_id": ["z"] * 5,
            "shape_pt_sequence": [1, 2, 3, 4, 5],
            "shape_pt_lat": [45.0, 45.05, 45.1, 45.05, 45.0],
            "shape_pt_lon": [5.0] * 5,
        },
    )
    assert world.path_point.tolist() == [0, 2, 4]


def test_ids_are_found_and_missed():
    world = timetable("""
        line  Gare   Halle
        12    07:00  07:20
    """)
    assert world.get_stop("Halle") == 1
    assert world.find_stop("Hal") is None
    assert world.find_route("12") == 0
    assert world.list_trips("12-0") == [0]
    assert world.list_trips("nothing") == []


@random_examples(40)
@given(SEEDS, SEEDS, st.integers(1, 3600))
def test_shifting_all_times_shifts_answers(world_seed, query_seed, shift_s):
    world = random_world(world_seed)
    later = replace(
        world,
        arrival_s=world.arrival_s + shift_s,
        departure_s=world.departure_s + shift_s,
        digest=f"{world.digest} later",
    )
    query = random_query(world, query_seed)
    shifted = {(one[0] + shift_s, one[1] + shift_s, one[2]) for one in answer(world, query)}
    assert answer(later, replace(query, at=query.at + shift_s)) == shifted


@random_examples(40)
@given(SEEDS, SEEDS)
def test_adding_a_trip_never_hurts(world_seed, query_seed):
    """What is found without a trip is found with it, or something at least as good is."""
    world = random_world(world_seed)
    hidden = replace(world, digest=f"{world.digest} less", trip_service=world.trip_service.copy())
    # A block's chain is cut where its trip is missing and joined where it is not, which is another network.
    lone = next((trip for trip in range(world.n_trips) if world.trip_block[trip] < 0), None)
    if lone is None:
        return
    never = len(world.service_days)
    hidden.trip_service[lone] = never
    hidden = replace(hidden, service_days=np.vstack([world.service_days, np.zeros_like(world.service_days[:1])]))
    query = random_query(world, query_seed)
    more = answer(world, query)
    for departure, arrival, vehicles in answer(hidden, query):
        assert any(one[0] >= departure and one[1] <= arrival and one[2] <= vehicles for one in more) or _beaten_later(
            world, query, departure, arrival, vehicles
        )


def _beaten_later(world, query, departure, arrival, vehicles) -> bool:
    """Whether a journey of another page beats it: one that leaves after the window (arrives before it)."""
    if not query.window_s:
        return False
    wide = replace(query, window_s=query.window_s + 86_400)
    return any(one[0] >= departure and one[1] <= arrival and one[2] <= vehicles for one in answer(world, wide))


def test_compiling_twice_gives_the_same_release():
    assert random_world(4).digest == random_world(4).digest
    assert random_world(4).digest != random_world(5).digest


def test_stations_of_one_name_side_by_side_are_one_place():
    world = small(
        times("t", ("a", "08:00:00"), ("c", "09:00:00")),
        stops={
            "stop_id": ["a", "b", "c"],
            "stop_name": ["Gare", "GARE ", "Gare"],
            "stop_lat": [45.0, 45.001, 45.4],
            "stop_lon": [5.0, 5.0, 5.0],
        },
    )
    assert world.place_of(0).tolist() == [0, 1]
    assert world.place_of(2).tolist() == [2]


def test_a_stop_without_a_place_is_served_and_nobody_walks_to_it():
    world = small(
        times("t", ("a", "08:00:00"), ("b", "09:00:00"), ("c", "10:00:00")),
        stops={
            "stop_id": ["a", "b", "c"],
            "stop_name": ["A", "B", "C"],
            "stop_lat": [45.0, None, 45.0],
            "stop_lon": [5.0, None, 5.001],
        },
    )
    assert len(search(world, "a", "b", "07:00")) == 1
    assert world.footpath_stop.tolist() == [2, 0]


def test_a_direct_vehicle_and_its_words():
    world = timetable("""
        line  Gare   Halle
        12    07:00  07:20
    """)
    assert told(world, search(world, "Gare", "Halle", "06:00")) == ["Gare 07:00 (12) Halle 07:20"]
