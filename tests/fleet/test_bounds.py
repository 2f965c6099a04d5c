"""Bounds: never above what a plan needs, and sharp where one can see it."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.bounds import fewest_loads, fewest_vehicles, find_crowd
from fleet.requests import Destination, Problem, Request, VehicleType
from fleet.search import FEWEST_VEHICLES, Budget, Settings, search
from tests.worlds.carrying import school_morning

SMALL = Settings(mean_removed=4, longest_string=4, round_steps=256)


def packed(weights, capacity):
    """Bins needed, by trying every order of first fit."""
    best = len(weights)
    for order in set(permutations(weights)):
        bins: list[int] = []
        for weight in order:
            at = next((at for at, full in enumerate(bins) if full + weight <= capacity), None)
            if at is None:
                bins.append(weight)
            else:
                bins[at] += weight
        best = min(best, len(bins))
    return best


@given(st.lists(st.integers(0, 10), max_size=6))
def test_no_packing_needs_fewer_bins_than_the_bound(weights):
    assert fewest_loads(weights, 10) <= packed(weights, 10)


@pytest.mark.parametrize(
    ("weights", "n_bins"),
    [([], 0), ([10], 1), ([6, 6, 6], 3), ([7, 7, 3, 3], 2), ([6, 6, 5, 5], 3), ([4] * 5, 2), ([7, 7, 7, 4], 4)],
)
def test_what_shares_no_bin_is_counted(weights, n_bins):
    assert fewest_loads(weights, 10) == n_bins


def test_what_is_larger_than_a_bin_is_in_none():
    with pytest.raises(ValueError, match="larger"):
        fewest_loads([11], 10)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("mixed", [False, True])
def test_no_plan_has_fewer_vehicles_than_the_bound(seed, mixed):
    problem = school_morning(seed, 16, 5, mixed=mixed, window=60)
    outcome = search(problem, Budget(steps=1000), seed, FEWEST_VEHICLES, settings=SMALL)
    if not outcome.impossible:
        assert 1 <= fewest_vehicles(problem) <= len(outcome.plan.routes)


def test_chains_are_counted_as_one_sees_them():
    """Three schools on a street, 100 s apart, a stop beside each: the first bell leaves time for the last alone."""
    drive = np.abs(np.arange(3)[:, None] - np.arange(3)[None]).astype(np.int32) * 100
    bells = (1000, 1050, 1300)
    schools = tuple(Destination(at, bell, bell, 10, group=at) for at, bell in enumerate(bells))
    stops = tuple(Request(at, at, (4,), 20) for at in range(3))

    def bound(*requests):
        return fewest_vehicles(Problem(requests, schools, (VehicleType((7,), 9),), drive, drive[None]))

    assert bound(*stops) == 2  # one of the first two goes on to the third
    assert bound(stops[0], stops[2]) == 1
    assert bound(stops[0], stops[1]) == 2
    assert bound(*stops, stops[0]) == 3  # two runs to the first school, and again one of three goes on
    assert bound() == 0


def test_where_schools_share_coaches_those_are_counted_who_must_be_aboard_at_once():
    """The street of the chains, one group: only a coach from the first or second school is at the third in time."""
    drive = np.abs(np.arange(3)[:, None] - np.arange(3)[None]).astype(np.int32) * 100
    schools = tuple(Destination(at, bell, bell, 10) for at, bell in enumerate((1000, 1050, 1300)))

    def bound(*loads):
        stops = tuple(Request(at, at, (load,), 20) for at, load in enumerate(loads) if load)
        return fewest_vehicles(Problem(stops, schools, (VehicleType((7,), 9),), drive, drive[None]))

    assert bound(4, 3, 0) == 1
    assert bound(4, 4, 0) == 2
    assert bound(4, 3, 7) == 1
    assert bound(4, 0, 7) == 1


@given(st.lists(st.integers(1, 20), min_size=1, max_size=8), st.integers(0, 2**28 - 1))
def test_in_a_crowd_no_two_are_apart_and_nobody_could_join_it(weights, bits):
    n = len(weights)
    apart = np.zeros((n, n), bool)
    for at, (one, other) in enumerate((a, b) for a in range(n) for b in range(a)):
        apart[one, other] = apart[other, one] = bool(bits >> at & 1)
    crowd = find_crowd(np.array(weights), apart)
    assert not apart[np.ix_(crowd, crowd)].any()
    assert all(apart[other, crowd].any() for other in range(n) if other not in crowd)
