"""What is kept of a search: its first plan at once, then the best one when it is time, never the same one twice."""

from __future__ import annotations

from fleet.requests import DropOff, PickUp, Plan, Route
from fleet.search import Incumbent
from scolaire.keeping import Keeper


def found(n_vehicles: int) -> Incumbent:
    return Incumbent(
        0, n_vehicles, n_vehicles, 1, 0.0, lambda: Plan((Route(0, (PickUp(0, 0), DropOff(0, 0))),) * n_vehicles)
    )


def test_the_first_plan_is_kept_at_once_and_the_best_one_when_it_is_time():
    time_s, kept = 0.0, []
    keeper = Keeper(10.0, lambda: time_s, lambda outcome: kept.append(len(outcome.plan.routes)))
    keeper.look()
    assert kept == []
    keeper.note(found(9))
    assert kept == [9]
    keeper.note(found(8))
    time_s = 9.0
    keeper.note(found(7))
    assert kept == [9]
    time_s = 10.0
    keeper.look()  # nothing better came since
    assert kept == [9, 7]
    time_s = 30.0
    keeper.look()
    assert kept == [9, 7]
    keeper.note(found(6))
    assert kept == [9, 7, 6]
