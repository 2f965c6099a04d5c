"""The network as a graph for planners."""

from __future__ import annotations

from routing.network.region import make_region, served_together
from tests.worlds.timetables import timetable


def test_rides_walks_and_islands():
    world = timetable(
        """
        line  Gare   Halle  Lycee  Pont   Port
        12    07:00  07:20
        12    08:00  08:15
        40           07:30  07:40
        50                         07:00  07:30
        """,
        walks={("Gare", "Lycee"): 9},
    )
    region = make_region(world)
    ride = region.edges[0, 1, f"ride {world.find_route('12')}"]
    assert (ride["trips"], ride["seconds"]) == (2, 900)
    assert region.edges[0, 2, "walk"]["seconds"] == 540
    assert region.nodes[0]["name"] == "Gare"
    assert served_together(region) == [{0, 1, 2}, {3, 4}]
