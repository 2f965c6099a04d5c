"""Footpaths, change times and the rules of transfers.txt."""

from __future__ import annotations

import numpy as np
import pytest

from routing.network.transfers import CHANGE_S, NEVER_S, walk_seconds
from tests.routing.network.test_compile import small, times
from tests.worlds.timetables import search, timetable, told

TEXT = """
    line  Gare   Halle  Lycee
    12    07:10  07:18
    40           07:21  07:30
"""


def near(**transfers):
    """Stop b is 111 m from stop a, stop c is far away."""
    tables = {"transfers": transfers} if transfers else {}
    return small(
        times("t", ("a", "08:00:00"), ("b", "09:00:00"), ("c", "10:00:00")),
        stops={
            "stop_id": ["a", "b", "c"],
            "stop_name": ["A", "B", "C"],
            "stop_lat": [45.0, 45.001, 45.4],
            "stop_lon": [5.0, 5.0, 5.0],
        },
        **tables,
    )


def walks(world):
    origins = np.repeat(np.arange(world.n_stops), np.diff(world.stop_first_footpath))
    columns = (origins, world.footpath_stop, world.footpath_s, world.footpath_m)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_a_walk_takes_at_least_the_time_of_a_change():
    assert walk_seconds(np.array([96.0, 96.1])).tolist() == [100, 101]
    assert walks(near()) == [(0, 1, CHANGE_S, 139), (1, 0, CHANGE_S, 139)]


def test_what_transfers_say_of_two_stops_holds():
    told_s = near(from_stop_id=["a"], to_stop_id=["b"], transfer_type=[2], min_transfer_time=[60])
    assert walks(told_s)[0][:3] == (0, 1, 60)
    forbidden = near(from_stop_id=["a"], to_stop_id=["b"], transfer_type=[3], min_transfer_time=[None])
    assert [walk[:2] for walk in walks(forbidden)] == [(1, 0)]
    far = near(from_stop_id=["a"], to_stop_id=["c"], transfer_type=[2], min_transfer_time=[1800])
    assert (0, 2, 1800) in [walk[:3] for walk in walks(far)]


def test_changing_at_a_stop_may_be_forbidden():
    world = near(from_stop_id=["a"], to_stop_id=["a"], transfer_type=[3], min_transfer_time=[None])
    assert world.stop_change_s.tolist() == [NEVER_S, CHANGE_S, CHANGE_S]


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ({}, 1),
        ({"min_change_s": 240}, 0),
        ({"extra_change_s": 60}, 1),
        ({"extra_change_s": 61}, 0),
        ({"change_factor": 1.5}, 1),
        ({"change_factor": 1.6}, 0),
    ],
)
def test_the_settings_of_a_query_lengthen_a_change(wish, found):
    world = timetable(TEXT)
    assert len(search(world, "Gare", "Lycee", "07:00", **wish)) == found


def test_type_four_keeps_the_seat_and_type_five_takes_it():
    rule = {"from_stop_id": [None], "to_stop_id": [None], "from_trip_id": ["12-0"], "to_trip_id": ["40-1"]}
    world = timetable(TEXT, extra={"transfers": {**rule, "transfer_type": [4]}})
    assert told(world, search(world, "Gare", "Lycee", "07:00")) == [
        "Gare 07:10 (12) Halle 07:18, 07:21 (~40) Lycee 07:30"
    ]
    blocks = {"block_id": {"12": "b", "40": "b"}}
    apart = timetable(TEXT, trip_columns=blocks, extra={"transfers": {**rule, "transfer_type": [5]}})
    assert search(apart, "Gare", "Lycee", "07:00")[0].n_changes == 1
    assert search(timetable(TEXT, trip_columns=blocks), "Gare", "Lycee", "07:00")[0].n_changes == 0
