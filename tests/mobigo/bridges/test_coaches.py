"""Coaches along the streets: a fifth slower than a car, and along straight lines where there is no street."""

from math import ceil

import numpy as np

from mobigo.bridges.coaches import PACE, coach_matrix
from routing.streets.profiles import CAR
from routing.streets.travel import spots_at, travel_matrix
from scolaire.ways import straight_way
from tests.worlds.town import STREET, at, town


def test_a_coach_takes_the_streets_and_a_place_beside_them_a_straight_line(tmp_path):
    streets = town(tmp_path, {1: (0, 0), 2: (1_000, 0), 3: (1_000, 1_000)}, [((1, 2, 3), STREET)])
    places = (at(0, 0), at(1_000, 1_000), at(30_000, 30_000))
    matrix, covered = coach_matrix(streets, places)
    by_car = travel_matrix(spots_at(streets, CAR, places[:2]))
    assert matrix.seconds[0, 1] == ceil(int(by_car.seconds[0, 1]) * PACE)
    assert matrix.metres[0, 1] == by_car.metres[0, 1]
    assert abs(int(matrix.metres[0, 1]) - 2_000) <= 5
    assert (matrix.seconds[0, 2], matrix.metres[0, 2]) == straight_way(places[0], places[2])
    assert covered == 2 / 3
    assert not np.diagonal(matrix.seconds).any()
