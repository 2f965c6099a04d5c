from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.streets.graph import contract_streets, make_streets
from routing.streets.profiles import BICYCLE, CAR, PROFILES, WALK, WHEELCHAIR
from routing.streets.tables import Tables
from routing.streets.travel import join, reach, spots_at, travel_matrix
from socle.geo import distance_m, length_m
from socle.matrix import NEVER
from tests.oracles.streets import seconds_between
from tests.worlds.examples import random_examples
from tests.worlds.town import STREET, at, town, towns

# Nine streets: a square of 200 m with a cross in it, and a lane out of it.
#
#   7 --- 8 --- 9 --- 10
#   |     |     |
#   4 --- 5 --- 6
#   |     |     |
#   1 --- 2 --- 3
SQUARE = {3 * row + column + 1: (100.0 * column, 100.0 * row) for row in range(3) for column in range(3)}
SQUARE |= {10: (300.0, 200.0)}
STREETS = [(1, 2, 3), (4, 5, 6), (7, 8, 9), (1, 4, 7), (2, 5, 8), (3, 6, 9), (9, 10)]


def square(tmp_path, *, tags=None, node_tags=None, more=()):
    ways = [(nodes, STREET | (tags or {}).get(nodes, {})) for nodes in STREETS]
    return town(tmp_path, SQUARE, [*ways, *more], node_tags)


def about(seconds, metres):
    """Places are rounded to a centimetre, so a second or a metre may be won or lost."""
    return pytest.approx((seconds, metres), abs=1)


def told(streets, profile, one, other, **options):
    """Seconds and metres from one place to another."""
    found = reach(spots_at(streets, profile, [one]), spots_at(streets, profile, [other]), **options)
    return int(found.seconds[0]), int(found.metres[0])


def path(streets, profile, one, other, **options):
    found = reach(spots_at(streets, profile, [one]), spots_at(streets, profile, [other]), **options)
    return found.path(0)


def test_one_walks_along_the_streets_from_the_middle_of_one_to_the_middle_of_another(tmp_path):
    streets = square(tmp_path)
    assert told(streets, WALK, at(50, 0), at(200, 150)) == about(250, 300)  # 300 m at 1.2 m/s
    course = path(streets, WALK, at(50, 0), at(200, 150))
    assert length_m(course) == pytest.approx(300, abs=0.1)
    assert (course[0], course[-1]) == (at(50, 0), at(200, 150))


def test_one_begins_beside_the_street_and_ends_beside_it(tmp_path):
    streets = square(tmp_path)
    assert told(streets, WALK, at(50, 24), at(150, -12)) == about(114, 136)  # 24 + 100 + 12 m


def test_a_car_is_only_counted_on_the_street(tmp_path):
    streets = square(tmp_path)
    assert told(streets, CAR, at(50, 24), at(150, -12)) == about(15, 100)  # at 25 km/h


def test_two_places_on_one_piece_need_no_junction(tmp_path):
    streets = square(tmp_path)
    assert told(streets, WALK, at(220, 200), at(280, 200)) == about(50, 60)
    assert told(streets, WALK, at(280, 200), at(220, 200)) == about(50, 60)
    course = path(streets, WALK, at(280, 200), at(220, 200))
    assert [round(place.lon, 5) for place in course] == sorted({round(place.lon, 5) for place in course}, reverse=True)
    assert (course[0], course[-1]) == (at(280, 200), at(220, 200))
    assert told(streets, WALK, at(250, 200), at(250, 200)) == about(0, 0)


def test_on_a_one_way_one_who_is_past_the_place_drives_round_the_block(tmp_path):
    streets = square(tmp_path, tags={(1, 2, 3): {"oneway": "yes"}})
    assert told(streets, CAR, at(20, 0), at(80, 0))[1] == pytest.approx(60, abs=1)
    assert told(streets, CAR, at(80, 0), at(20, 0))[1] == pytest.approx(20 + 100 * 3 + 20, abs=1)
    course = path(streets, CAR, at(80, 0), at(20, 0))
    assert length_m(course) == pytest.approx(340, abs=0.2)
    assert told(streets, WALK, at(80, 0), at(20, 0))[1] == pytest.approx(60, abs=1)


def test_who_stands_at_a_junction_may_leave_it_by_any_street_however_it_was_joined(tmp_path):
    streets = square(tmp_path, tags={(1, 2, 3): {"oneway": "yes"}, (2, 5, 8): {"oneway": "yes"}})
    assert told(streets, CAR, at(200, 0), at(200, 100))[1] == pytest.approx(100, abs=1)
    assert told(streets, CAR, at(200, 100), at(0, 100))[1] == pytest.approx(200, abs=1)


def test_a_way_searched_backward_is_the_way_there_and_not_the_way_back(tmp_path):
    streets = square(tmp_path, tags={(1, 2, 3): {"oneway": "yes"}})
    one, other = at(80, 0), at(20, 0)
    assert told(streets, CAR, other, one, backward=True) == told(streets, CAR, one, other)
    assert path(streets, CAR, other, one, backward=True) == path(streets, CAR, one, other)


def test_a_bollard_stops_cars_and_nobody_else(tmp_path):
    streets = square(tmp_path, node_tags={9: {"barrier": "bollard"}})
    assert told(streets, WALK, at(150, 200), at(250, 200))[1] == pytest.approx(100, abs=1)
    assert told(streets, BICYCLE, at(150, 200), at(250, 200))[1] == pytest.approx(100, abs=1)
    assert told(streets, CAR, at(150, 200), at(250, 200)) == (NEVER, NEVER)


def test_a_wall_in_the_middle_of_a_junction_makes_one_go_round(tmp_path):
    streets = square(tmp_path, node_tags={5: {"barrier": "wall"}})
    assert told(streets, WALK, at(100, 50), at(100, 150))[1] == pytest.approx(500, abs=1)
    assert told(streets, WALK, at(50, 100), at(150, 100))[1] == pytest.approx(500, abs=1)


def test_stairs_are_walked_slowly_and_not_at_all_on_wheels(tmp_path):
    nodes = {1: (0, 0), 2: (100, 0), 3: (100, 40), 4: (0, 40)}
    streets = town(
        tmp_path, nodes, [((1, 2), STREET), ((2, 3), STREET), ((3, 4), STREET), ((1, 4), {"highway": "steps"})]
    )
    assert told(streets, WALK, at(0, 0), at(0, 40)) == about(69, 40)  # 40 m at 1.2 × 0.49 m/s
    assert told(streets, WHEELCHAIR, at(0, 0), at(0, 40)) == about(270, 240)


def test_round_a_ring_one_goes_the_shorter_way(tmp_path):
    ring = {1: (0, 0), 2: (100, 0), 3: (100, 100), 4: (0, 100), 5: (-100, 0)}
    streets = town(tmp_path, ring, [((1, 2, 3, 4, 1), STREET), ((1, 5), STREET)])
    assert told(streets, WALK, at(-50, 0), at(100, 50))[1] == pytest.approx(200, abs=1)
    assert told(streets, WALK, at(-50, 0), at(50, 100))[1] == pytest.approx(200, abs=1)
    assert told(streets, WALK, at(0, 90), at(90, 0))[1] == pytest.approx(180, abs=1)  # over where the ring is closed
    assert length_m(path(streets, WALK, at(0, 90), at(90, 0))) == pytest.approx(180, abs=0.2)
    assert length_m(path(streets, WALK, at(90, 0), at(-50, 0))) == pytest.approx(140, abs=0.2)
    assert length_m(path(streets, WALK, at(0, 90), at(-50, 0))) == pytest.approx(140, abs=0.2)


def test_a_place_far_from_every_street_is_on_none_and_reached_by_nobody(tmp_path):
    streets = square(tmp_path)
    spots = spots_at(streets, WALK, [at(0, 0), at(0, 5_000)])
    assert spots.is_joined.tolist() == [True, False]
    matrix = travel_matrix(spots)
    assert matrix.is_reached.tolist() == [[True, False], [False, True]]
    found = reach(spots_at(streets, WALK, [at(0, 5_000)]), spots)
    assert found.seconds.tolist() == [NEVER, NEVER]
    assert found.path(0) == ()


def test_nothing_beyond_the_limit_is_reached_and_all_within_it(tmp_path):
    streets = square(tmp_path)
    spots = spots_at(streets, WALK, [at(x, 0) for x in range(0, 201, 10)])
    origin = spots_at(streets, WALK, [at(0, 0)])
    for limit_s in (0, 50, 100, 166):
        found = reach(origin, spots, limit_s)
        assert [s < NEVER for s in found.seconds.tolist()] == [10 * i / 1.2 <= limit_s + 1e-3 for i in range(21)]


def test_one_who_goes_at_half_the_speed_takes_twice_as_long_and_gets_half_as_far(tmp_path):
    streets = square(tmp_path)
    assert told(streets, WALK, at(50, 0), at(200, 150), pace=2.0) == about(500, 300)
    assert told(streets, WALK, at(50, 0), at(200, 150), limit_s=499, pace=2.0)[0] == NEVER


def test_a_matrix_of_origins_and_destinations_is_a_table_of_ways(tmp_path):
    streets = square(tmp_path, tags={(1, 2, 3): {"oneway": "yes"}, (4, 5, 6): {"oneway": "-1"}})
    here = spots_at(streets, CAR, [at(20, 0), at(80, 0), at(250, 200)])
    there = spots_at(streets, CAR, [at(150, 100), at(60, 0)])
    matrix = travel_matrix(here, there)
    for i, one in enumerate([at(20, 0), at(80, 0), at(250, 200)]):
        for j, other in enumerate([at(150, 100), at(60, 0)]):
            assert (matrix.seconds[i, j], matrix.metres[i, j]) == told(streets, CAR, one, other)
    assert travel_matrix(here).seconds.diagonal().tolist() == [0, 0, 0]


@random_examples(250)
@given(towns(), st.sampled_from(PROFILES))
def test_ways_equal_those_of_networkx_over_the_graph_itself(world, profile):
    graph, asked = world
    streets, _ = make_streets(graph)
    spots = spots_at(streets, profile, asked)
    keys = {edge["way"]: (one, other, key) for one, other, key, edge in graph.edges(keys=True, data=True)}
    hung = [
        (*keys[int(streets.piece_way[piece])], along / 1000, beside / 1000) if piece >= 0 else None
        for piece, along, beside in zip(
            spots.piece.tolist(), spots.along_mm.tolist(), spots.beside_mm.tolist(), strict=True
        )
    ]
    slow = seconds_between(graph, profile, hung)
    matrix = travel_matrix(spots, spots_at(streets, profile, asked))
    for i, place in enumerate(asked):
        there = reach(spots_at(streets, profile, [place]), spots)
        back = reach(spots_at(streets, profile, [place]), spots, backward=True)
        assert there.seconds.tolist() == matrix.seconds[i].tolist()
        assert there.metres.tolist() == matrix.metres[i].tolist()
        assert back.seconds.tolist() == matrix.seconds[:, i].tolist()
        for j in range(len(asked)):
            if j not in slow[i]:
                assert matrix.seconds[i, j] == NEVER
                assert there.path(j) == ()
                continue
            assert matrix.seconds[i, j] == pytest.approx(np.ceil(slow[i][j]), abs=1)
            for way, one, other in ((there.path(j), i, j), (back.path(j), j, i)):
                if not way:
                    assert back.seconds[j] == NEVER
                    continue
                assert (way[0], way[-1]) == (asked[one], asked[other])
                beside = 0.0 if profile.beside_m_s else (hung[i][4] + hung[j][4])
                metres = there.metres[j] if one == i and way == there.path(j) else back.metres[j]
                assert length_m(way) - beside == pytest.approx(metres, abs=1.5)


@random_examples(150)
@given(towns(), st.one_of(st.none(), st.integers(0, 300)), st.integers(1, 6))
def test_over_the_hierarchy_ways_take_the_same_seconds_and_metres(world, limit_s, most_kept):
    graph, asked = world
    streets, _ = make_streets(graph)
    contracted = contract_streets(streets)
    plain, quick = Tables(streets, CAR), Tables(contracted, CAR, most_kept)
    slow = travel_matrix(spots_at(streets, CAR, asked), spots_at(streets, CAR, asked), limit_s)
    spots = spots_at(contracted, CAR, asked)
    found = [travel_matrix(spots, spots_at(contracted, CAR, asked), limit_s)]
    for tables in (plain, quick):
        for _ in range(2):  # places that are known, and places that are not
            matrix, are_joined = tables.find(asked, asked, limit_s)
            assert are_joined.tolist() == (spots.is_joined[:, None] & spots.is_joined).tolist()
            found.append(matrix)
    for matrix in found:
        assert matrix.seconds.tolist() == slow.seconds.tolist()
        assert matrix.metres.tolist() == slow.metres.tolist()
    for i, place in enumerate(asked):
        for tables in (plain, quick):
            to_one, _ = tables.find(asked, [place], limit_s)
            assert to_one.metres[:, 0].tolist() == slow.metres[:, i].tolist()
            from_one, _ = tables.find([place], asked, limit_s)
            assert from_one.metres.tolist() == slow.metres[i : i + 1].tolist()


def test_a_path_has_no_step_longer_than_its_street(tmp_path):
    streets = square(tmp_path)
    course = path(streets, WALK, at(10, 0), at(290, 200))
    assert all(distance_m(one, other) <= 100.1 for one, other in pairwise(course))
    assert len(course) == len(set(course))


def test_many_places_at_once_are_joined_as_one_by_one(tmp_path):
    streets = square(tmp_path)
    rng = np.random.default_rng(5)
    places = [at(*xy) for xy in rng.uniform(-100, 350, (50, 2))]
    lat, lon = np.array(places).T
    together = join(streets, WALK, lat.copy(), lon.copy())
    for i, place in enumerate(places):
        alone = spots_at(streets, WALK, [place])
        assert (alone.piece[0], alone.along_mm[0]) == (together.piece[i], together.along_mm[i])
