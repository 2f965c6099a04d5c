"""Costs: every cent of a circuit stands with somebody, and each way of looking sums to the same."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from scolaire.contracts.costs import Cost, share_costs, weekly_rides
from tests.scolaire.test_plans import PLAN

SCHOOLS = {"a": "collège", "b": "lycée", "c": "collège"}
COMMUNES = {"a": "25001", "b": "25001", "c": "25002"}


def test_rides_are_counted_over_a_week():
    # Three in the morning, one back in the evening, four days a week each.
    assert weekly_rides(PLAN, "s") == {"s/C001": {"a": 8, "b": 4, "c": 4}}


def test_a_circuit_is_shared_after_rides_to_the_cent():
    costs = share_costs({"s/C001": 1_001}, weekly_rides(PLAN, "s"), SCHOOLS, COMMUNES)
    # 1001 × 8 / 16 = 500.5, × 4 / 16 = 250.25 twice: the cent left goes to the largest remainder.
    assert costs.circuits == (Cost("s/C001", 3, 1_001),)
    assert costs.schools == (Cost("collège", 2, 751), Cost("lycée", 1, 250))
    assert costs.communes == (Cost("25001", 2, 751), Cost("25002", 1, 250))
    assert costs.total.per_pupil_cents == 334


def test_what_carries_nobody_stands_under_no_name():
    costs = share_costs({"": 500, "s/C1": -100}, {"s/C1": {"a": 2}}, SCHOOLS, COMMUNES)
    assert costs.schools == (Cost("", 0, 500), Cost("collège", 1, -100))
    assert costs.schools[0].per_pupil_cents is None
    assert costs.total.cents == 400


AMOUNTS = st.dictionaries(st.sampled_from("wxyz"), st.integers(-(10**9), 10**9))
RIDES = st.dictionaries(st.sampled_from("wxyz"), st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 10)))


@given(AMOUNTS, RIDES)
def test_nothing_is_lost_or_made(cents, rides):
    costs = share_costs(cents, rides, SCHOOLS, COMMUNES)
    sums = [sum(one.cents for one in some) for some in (costs.circuits, costs.schools, costs.communes)]
    assert sums == [sum(cents.values())] * 3
    riders = {pupil for circuit in cents for pupil, n in rides.get(circuit, {}).items() if n}
    assert sum(Counter({one.about: one.n_pupils for one in costs.schools}).values()) == len(riders)
