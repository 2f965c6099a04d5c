"""Vehicles ridden through: by block, by rule, over midnight, and when many are coupled."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from routing.network.chains import MOST_WAYS, day_offsets, list_pieces
from tests.worlds.timetables import DAY, instant, search, timetable, told

IN_SEAT = 4


def seated(*pairs):
    """Rules of transfers.txt that keep a traveller seated from one trip to another."""
    return {
        "transfers": {
            "from_trip_id": [one for one, _ in pairs],
            "to_trip_id": [other for _, other in pairs],
            "transfer_type": [IN_SEAT] * len(pairs),
        }
    }


def test_a_vehicle_goes_on_as_a_trip_of_the_next_service_day():
    world = timetable(
        """
        line  Gare   Halle  Lycee
        12    23:30  23:50
        40           00:10  00:30
        """,
        extra=seated(("12-0", "40-1")),
    )
    [journey] = search(world, "Gare", "Lycee", "23:00")
    assert told(world, [journey]) == ["Gare 23:30 (12) Halle 23:50, 00:10 (~40) Lycee 00:30"]
    assert [leg.service_day for leg in journey.legs] == [DAY, DAY + timedelta(days=1)]


def test_where_a_rule_links_two_trips_their_block_has_no_say():
    text = """
        line  Gare   Halle  Lycee  Pont
        12    07:10  07:18
        40           07:20  07:26
        41           07:25         07:40
    """
    block = {"block_id": {"12": "b", "40": "b"}}
    by_block = timetable(text, trip_columns=block)
    assert search(by_block, "Gare", "Lycee", "07:00")[0].n_changes == 0
    by_rule = timetable(text, trip_columns=block, extra=seated(("12-0", "41-2")))
    assert search(by_rule, "Gare", "Lycee", "07:00")[0].n_changes == 1
    assert search(by_rule, "Gare", "Pont", "07:00")[0].n_changes == 0


def test_one_stays_seated_into_the_first_departure_of_a_frequency_only():
    world = timetable(
        """
        line  Gare   Halle  Lycee
        12    07:10  07:18
        40           00:00  00:06
        """,
        extra={
            "frequencies": {
                "trip_id": ["40-1"],
                "start_time": ["07:00:00"],
                "end_time": ["10:00:00"],
                "headway_secs": [600],
                "exact_times": [1],
            },
            **seated(("12-0", "40-1")),
        },
    )
    [journey] = search(world, "Gare", "Lycee", "07:00")
    assert told(world, [journey]) == ["Gare 07:10 (12) Halle 07:18, 07:20 (~40) Lycee 07:26"]


def test_trains_coupled_and_parted_all_day_long_do_not_multiply_without_end():
    """Ten times three trains that all go on as one another: 59,049 ways through them."""
    names = [[f"{stage}{part}" for part in "abc"] for stage in range(10)]
    clock = [f"{7 + stage:02d}" for stage in range(10)]
    text = "    line  Gare   Halle\n" + "\n".join(
        f"    {name}    {clock[stage]}:00  {clock[stage]}:30" for stage, those in enumerate(names) for name in those
    )
    trips = {name: f"{name}-{number}" for number, name in enumerate(name for those in names for name in those)}
    pairs = [(trips[one], trips[other]) for those, following in pairwise(names) for one in those for other in following]
    world = timetable(text, extra=seated(*pairs))
    assert len(search(world, "Gare", "Halle", "07:00", window_min=30)) == 1
    assert MOST_WAYS < 59_049


@pytest.mark.parametrize(
    ("needs", "pieces"),
    [
        ([1], [[0]]),
        ([1, 1, 1], [[0, 1, 2]]),
        ([1, 3, 1], [[0], [0, 1, 2], [2]]),
        ([1, 2, 4], [[0], [0, 1], [0, 1, 2], [1], [1, 2], [2]]),
        ([1, 3] * 50, [[i] for i in range(0, 100, 2)] + [list(range(100))]),
    ],
)
def test_a_chain_leaves_the_stretches_that_a_query_may_be_left_with(needs, pieces):
    assert sorted(list_pieces(list(range(len(needs))), needs)) == sorted(pieces)


def test_a_train_of_three_days_is_boarded_on_the_third():
    world = timetable("""
        line  Gare   Halle  Lycee
        12    07:00  79:00  80:00
    """)
    assert day_offsets(world).start == -4
    assert told(world, search(world, "Halle", "Lycee", "06:00")) == ["Halle 07:00 (12) Lycee 08:00"]
    [journey] = search(world, "Halle", "Lycee", "06:00")
    assert journey.legs[0].service_day == DAY - timedelta(days=3)
    assert journey.departure == instant("07:00")
