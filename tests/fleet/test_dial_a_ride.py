"""Published dial-a-ride instances with proven optima: exact insertion with windows, rides and shifts finds them."""

from __future__ import annotations

import pytest

from fleet.check import broken_promises
from fleet.search import CHEAPEST, Budget, Settings, search
from tests.worlds.dial_a_ride import TICKS, read_dial_a_ride

SETTINGS = Settings(mean_removed=8, hot=1.0 * TICKS, cold=0.02 * TICKS, round_steps=5000)


@pytest.mark.shared
@pytest.mark.parametrize(("name", "optimum"), [("a2-16", 294.25), ("a3-24", 344.83), ("a2-24", 431.12)])
def test_the_optimum_is_found(shared, name, optimum):
    problem = read_dial_a_ride(shared(f"data/bench_vrp/darp_cordeau/{name}.txt"))
    outcome = search(problem, Budget(steps=4000), 1, CHEAPEST, settings=SETTINGS)
    assert broken_promises(problem, outcome.plan) == ()
    assert outcome.plan.unserved == ()
    assert round(outcome.cost / TICKS, 2) == optimum
