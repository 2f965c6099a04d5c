import numpy as np
import pytest

from socle.matrix import NEVER, TravelMatrix


def table(*rows):
    return np.array(rows, np.int32)


def test_a_way_there_need_not_be_a_way_back():
    matrix = TravelMatrix(table((0, 60), (NEVER, 0)), table((0, 500), (NEVER, 0)))
    assert matrix.is_reached.tolist() == [[True, True], [False, True]]


def test_two_nevers_are_still_a_number_of_seconds():
    assert NEVER + NEVER < 2**31


@pytest.mark.parametrize(
    ("seconds", "metres", "why"),
    [
        (table((0, 1)), table((0,)), "one shape"),
        (np.zeros(2, np.int32), np.zeros(2, np.int32), "one shape"),
        (np.zeros((1, 1)), np.zeros((1, 1)), "whole"),
        (table((-1,)), table((0,)), "before leaving"),
        (table((0,)), table((-1,)), "before leaving"),
        (table((NEVER,)), table((5,)), "no metres"),
    ],
)
def test_a_table_that_cannot_be_is_refused(seconds, metres, why):
    with pytest.raises(ValueError, match=why):
        TravelMatrix(seconds, metres)
