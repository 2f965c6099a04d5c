from itertools import pairwise

import numpy as np
import pytest

from mobigo.demo.facts import read_facts
from mobigo.demo.roads import EXPRESS, PRIMARY, SECONDARY, gabriel_pairs, make_roads
from socle.geo import distance_m, length_m

FACTS = read_facts()
ROADS = make_roads(FACTS, 2020)
WAYS = ROADS.rows((SECONDARY, PRIMARY, EXPRESS)).ways_from(range(len(ROADS.places)))


def test_every_commune_is_reached_from_every_other():
    assert WAYS.metres.max() < 1_000_000


def test_the_secondary_roads_alone_join_all_communes():
    assert ROADS.rows((SECONDARY, EXPRESS)).ways_from([0]).metres.max() < 1_000_000


def test_roads_are_a_quarter_longer_than_straight_lines():
    towns = [i for i, p in enumerate(ROADS.places) if p.population >= 5_000]
    straight = {(a, b): distance_m(ROADS.places[a].at, ROADS.places[b].at) for a in towns for b in towns if a < b}
    ratios = [WAYS.way_m(*ends) / metres for ends, metres in straight.items() if 15_000 <= metres <= 110_000]
    assert len(ratios) > 800
    assert np.mean(ratios) == pytest.approx(1.25, abs=0.02)
    assert np.quantile(ratios, 0.05) > 1.1
    assert np.quantile(ratios, 0.95) < 1.4


@pytest.mark.parametrize("line", FACTS.carpool_lines, ids=lambda line: line.line_id)
def test_each_carpool_line_is_as_long_as_it_was_published(line):
    stops = [ROADS.place_index[insee_code] for insee_code in line.via]
    metres = sum(WAYS.way_m(a, b) for a, b in pairwise(stops))
    assert metres == pytest.approx(line.published_m, rel=0.05)


def test_besancon_to_fuans_goes_by_the_places_that_it_goes_by_in_life():
    at, names = ROADS.place_index["25056"], []
    for edge in WAYS.edges(at, ROADS.place_index["25262"]):
        at = int(ROADS.ends[edge].sum()) - at
        names.append(ROADS.places[at].name)
    assert names == ["Morre", "Saône", "Mamirolle", "Étalans", "Valdahon", "Avoudrey", "Fuans"]


def test_a_road_is_drawn_as_long_as_it_is():
    for course, metres, (one, other) in zip(ROADS.lines, ROADS.metres, ROADS.ends, strict=True):
        assert length_m(course) == pytest.approx(metres, rel=0.03)
        assert course[0] == ROADS.places[one].at
        assert course[-1] == ROADS.places[other].at


def test_a_pair_is_of_gabriel_when_its_circle_is_empty():
    """
    2     3     The point in the middle stands within the circles of both diagonals, and,
       4        the upper right corner being a little high, of the upper and right sides.
    0     1
    """
    points = np.array([(0.0, 0.0), (2.0, 0.0), (0.0, 2.0), (2.0, 2.1), (1.0, 1.05)])
    assert gabriel_pairs(points) == [(0, 1), (0, 2), (0, 4), (1, 4), (2, 4), (3, 4)]


def test_another_seed_draws_other_lengths_between_the_same_neighbours():
    other = make_roads(FACTS, 7)
    secondary = [{tuple(e) for e, kind in zip(r.ends.tolist(), r.kinds, strict=True)} for r in (ROADS, other)]
    assert len(secondary[0] ^ secondary[1]) < 0.01 * len(secondary[0])
    assert ROADS.metres.tolist() != other.metres.tolist()
