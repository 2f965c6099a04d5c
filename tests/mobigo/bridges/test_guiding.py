"""Guiding: turns and sides, from crossings drawn by hand."""

import pytest

from mobigo.bridges.guiding import guidance_along, guide_on
from scolaire.roadbook import Hand, Turn
from socle.geo import LatLon
from tests.worlds.town import STREET, at, town

SOUTH, MIDDLE, NORTH = LatLon(47.000, 6.000), LatLon(47.001, 6.000), LatLon(47.002, 6.000)
EAST, WEST = LatLon(47.001, 6.002), LatLon(47.001, 5.998)


@pytest.mark.parametrize(
    ("then", "hand"),
    [(EAST, Hand.RIGHT), (WEST, Hand.LEFT), (NORTH, Hand.AHEAD), (SOUTH, Hand.BACK)],
)
def test_a_turn_is_told_as_who_drives_north_sees_it(then, hand):
    told = guidance_along([("Grande Rue", (SOUTH, MIDDLE)), ("Rue du Four", (MIDDLE, then))], then)
    assert told.turns == (Turn(111, hand, "Rue du Four"),)


def test_a_street_that_goes_on_under_its_name_is_no_turn():
    ways = [("Grande Rue", (SOUTH, MIDDLE)), ("Grande Rue", (MIDDLE, NORTH)), ("Rue du Four", (NORTH, EAST))]
    assert [(turn.metres, turn.street) for turn in guidance_along(ways, EAST).turns] == [(222, "Rue du Four")]


@pytest.mark.parametrize(("lon", "side"), [(6.0002, Hand.RIGHT), (5.9998, Hand.LEFT), (6.000_01, None)])
def test_a_stop_lies_on_the_side_of_who_drives_north(lon, side):
    assert guidance_along([("Grande Rue", (SOUTH, MIDDLE))], LatLon(47.001, lon)).side == side


def test_no_way_has_no_turn_and_no_side():
    told = guidance_along([], NORTH)
    assert (told.turns, told.side) == ((), None)


def test_a_coach_is_guided_through_a_town_by_the_names_of_its_streets(tmp_path):
    nodes = {1: (0, 0), 2: (200, 0), 3: (400, 0), 4: (400, 300)}
    ways = [((1, 2, 3), STREET | {"name": "Grande Rue"}), ((3, 4), STREET | {"name": "Rue du Four"})]
    guide = guide_on(town(tmp_path, nodes, ways))
    told = guide(at(50, 0), at(405, 200))
    assert [(turn.hand, turn.street) for turn in told.turns] == [(Hand.LEFT, "Rue du Four")]
    assert told.turns[0].metres == pytest.approx(350, abs=1)
    assert told.side is Hand.RIGHT
    assert guide(at(50, 0), at(90_000, 0)) is None
