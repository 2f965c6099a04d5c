import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from routing.kernels.nearest import METRES_PER_E7, Lines, make_grid, nearest
from tests.worlds.examples import random_examples


def lines_of(*courses):
    """Lines by their points, in 1e-7 degrees."""
    points = np.array([point for course in courses for point in course], np.int32).reshape(-1, 2)
    line = np.repeat(np.arange(len(courses), dtype=np.int32), [len(course) for course in courses])
    return Lines(np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1]), line)


def find(lines, is_open, places, reach_m=1e9, side_m=200.0):
    """The line, the part of its segment and the metres for each place."""
    n = len(places)
    segment, part, metres = np.empty(n, np.int32), np.empty(n), np.empty(n)
    lat, lon = np.array(places, np.float64).T / 1e7
    nearest(lines, make_grid(lines, side_m), np.array(is_open, np.uint8), lat, lon, reach_m, segment, part, metres)
    return [
        (int(lines.line[s]) if s >= 0 else -1, float(p), float(m))
        for s, p, m in zip(segment, part, metres, strict=True)
    ]


coordinate = st.integers(-60_000, 60_000)  # about 6 km around the equator's beginning
point = st.tuples(coordinate, coordinate)


@random_examples(150)
@given(
    st.lists(st.lists(point, min_size=2, max_size=4), min_size=1, max_size=12),
    st.lists(point, min_size=1, max_size=6),
    st.data(),
)
def test_the_nearest_line_is_the_one_that_a_look_at_all_finds(courses, places, data):
    is_open = data.draw(st.lists(st.booleans(), min_size=len(courses), max_size=len(courses)))
    side_m = data.draw(st.sampled_from([60.0, 200.0, 5_000.0]))
    reach_m = data.draw(st.sampled_from([300.0, 1e9]))
    drawn = [shapely.LineString([(lon, lat) for lat, lon in course]) for course in courses]
    for place, (line, part, metres) in zip(
        places, find(lines_of(*courses), is_open, places, reach_m, side_m), strict=True
    ):
        away = [
            line.distance(shapely.Point(place[1], place[0])) * METRES_PER_E7 if opened else np.inf
            for line, opened in zip(drawn, is_open, strict=True)
        ]
        if min(away) > reach_m:
            assert line == -1
        else:
            assert abs(away[line] - min(away)) < 1e-3
            assert abs(metres - min(away)) < 1e-3
            assert 0.0 <= part <= 1.0


def test_of_two_lines_equally_near_it_is_the_first():
    one, other = [(-100, 0), (-100, 1000)], [(100, 0), (100, 1000)]
    assert find(lines_of(one, other), [1, 1], [(0, 500)])[0][0] == 0
    assert find(lines_of(one, other), [0, 1], [(0, 500)])[0][0] == 1


def test_a_line_that_leaves_the_map_is_found_where_it_passes():
    across = lines_of([(0, -900_000_000), (0, 900_000_000)], [(50, 0), (50, 10)])
    told = find(across, [1, 1], [(1, 899_999_999), (2, 3), (49, 5)])
    assert [line for line, _, _ in told] == [0, 0, 1]
    assert [round(metres / METRES_PER_E7) for _, _, metres in told] == [1, 2, 1]


def test_a_place_that_is_no_place_is_near_nothing():
    lines = lines_of([(0, 0), (0, 1000)])
    n = np.array([np.nan, np.inf])
    segment, part, metres = np.empty(2, np.int32), np.empty(2), np.empty(2)
    nearest(lines, make_grid(lines), np.ones(1, np.uint8), n, n, 1e9, segment, part, metres)
    assert segment.tolist() == [-1, -1]


def test_where_there_are_no_lines_nothing_is_near():
    empty = Lines(*(np.zeros(0, np.int32) for _ in range(3)))
    segment, part, metres = np.empty(1, np.int32), np.empty(1), np.empty(1)
    nearest(empty, make_grid(empty), np.zeros(0, np.uint8), np.zeros(1), np.zeros(1), 1e9, segment, part, metres)
    assert segment.tolist() == [-1]
