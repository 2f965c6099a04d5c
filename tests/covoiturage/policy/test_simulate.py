"""Simulations of carpools small enough to be reckoned by hand; nobody is told of in fewer than six."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from covoiturage.policy.facts import read_car
from covoiturage.policy.language import read_policies
from covoiturage.policy.shipped import shipped_policies
from covoiturage.policy.simulate import (
    ALL_LINES,
    OTHER_LINES,
    BreakEven,
    Group,
    break_even,
    compare,
    groups_of,
    simulate,
)

OLD, NOW = shipped_policies()["bfc-lignes-2020"], shipped_policies()["bfc-lignes"]


def car(number, driver="d", *, line="L1", metres=33_000, passengers=1, at="2026-03-02T07:00:00Z"):
    ride = {"operator_class": "B", "board_at": at, "alight_at": at, "distance_m": metres}
    return read_car(
        {
            "carpool_id": f"c{number:03d}",
            "driver": driver,
            "line_id": line,
            "start_at": at,
            "end_at": at,
            "official_m": metres,
            "rides": [{**ride, "ride_id": f"r{number}-{i}", "passenger": f"p{number}-{i}"} for i in range(passengers)],
        }
    )


def on_days(count, **given):
    first = datetime.fromisoformat("2026-03-30T22:30:00+00:00")  # the last half hour in Paris of the 30th is the 31st
    return [car(i, at=(first + timedelta(days=i)).isoformat(), **given) for i in range(count)]


def test_carpools_are_summed_by_line_month_and_distance():
    cars = [*on_days(2), *on_days(1, line="L2", metres=80_000, passengers=2), car(9, passengers=0)]
    told = simulate(NOW, cars)
    assert (told.total.carpools, told.total.paid, told.total.metres, told.total.passengers) == (4, 3, 146_000, 4)
    assert (told.total.subsidy_cents, told.total.fare_cents, told.total.net_cents) == (430 + 430 + 1_000, 600, 1_260)
    assert {line: one.subsidy_cents for line, one in told.by_line.items()} == {"L1": 860, "L2": 1_000}
    assert {month: one.carpools for month, one in told.by_month.items()} == {"2026-03": 3, "2026-04": 1}
    assert {band: one.paid for band, one in told.by_band.items()} == {30_000: 2, 80_000: 1}
    assert told.reasons == {"no_passenger": 1}


def test_cars_are_decided_in_the_order_of_their_ends_and_the_budget_ends_on_a_day():
    told = simulate(NOW, reversed(on_days(4)), 1_000)
    assert (told.total.subsidy_cents, told.budget_ends_on) == (1_000, date(2026, 4, 2))
    assert told.reasons == {"limit": 1}
    assert simulate(NOW, on_days(2), 1_000).budget_ends_on is None


@pytest.mark.parametrize(("policy", "metres"), [(OLD, [15_000, 20_000, 25_000]), (NOW, [5_000, 10_000, 15_000])])
def test_fares_exceed_the_subsidy_below_the_lengths_that_the_region_was_told(policy, metres):
    assert break_even(policy) == tuple(BreakEven(n, m) for n, m in enumerate(metres, start=1))


def test_some_policies_have_no_such_length():
    assert break_even(replace(NOW, car=replace(NOW.car, fare=None))) == ()
    costly = replace(NOW, car=replace(NOW.car, fare=replace(NOW.car.fare, cents=10**6)))
    assert break_even(costly, 1) == (BreakEven(1, None),)
    free = replace(NOW, car=replace(NOW.car, fare=replace(NOW.car.fare, cents=0)))
    assert break_even(free, 1) == (BreakEven(1, 0),)


def test_a_policy_is_tried_as_if_it_were_in_force():
    assert OLD.valid_until < date(2026, 3, 31)
    assert simulate(OLD, on_days(1)).total.subsidy_cents == 330


def test_a_policy_of_couples_sees_each_ride_of_a_car():
    document = {
        "id": "couples",
        "amount_rules": [{"mode": "cumulative", "slices": [{"terms": [{"type": "per_seat", "cents": 100}]}]}],
        "limits": [{"counter": "seats_in_same_vehicle_trip", "period": "day", "scope": "vehicle_trip", "max": 3}],
    }
    (couples,) = read_policies(json.dumps(document).encode()).values()
    told = simulate(couples, [car(1, passengers=3)])
    assert told.reasons == {"undecided": 1}  # it wants the operator's name of the car
    told = simulate(replace(couples, limits=()), [car(1, passengers=3), car(2, passengers=0)])
    assert (told.total.subsidy_cents, told.total.fare_cents, told.total.passengers) == (300, 0, 3)
    assert told.reasons == {"no_passenger": 1}


def test_drivers_who_gain_and_lose_are_told_in_groups_of_six_at_least():
    assert groups_of([5] * 6 + [-2] * 7 + [0] * 8) == (
        Group("gain", 6, 30), Group("lose", 7, -14), Group("same", 8, 0),
    )  # fmt: skip
    assert groups_of([5] * 6 + [-2] * 5 + [0] * 3) == (Group("change", 11, 20), Group("same", None, 0))
    assert groups_of([5] * 2 + [-2] * 3) == (Group("change", None, None),)
    assert groups_of([0] * 6) == (Group("gain", 0, 0), Group("lose", 0, 0), Group("same", 6, 0))


def test_lines_with_few_drivers_are_told_together_or_not_at_all():
    cars = [car(i, f"d{i}") for i in range(6)]
    cars += [car(10 + i, f"e{i}", line=f"M{i % 2}") for i in range(6)]
    told = compare(simulate(OLD, cars), simulate(NOW, cars))
    assert {line: groups[0] for line, groups in told.items()} == {
        ALL_LINES: Group("gain", 12, 1_200),
        "L1": Group("gain", 6, 600),
        OTHER_LINES: Group("gain", 6, 600),
    }
    few = compare(simulate(OLD, cars[:8]), simulate(NOW, cars[:8]))
    assert set(few) == {ALL_LINES, "L1"}


def test_progress_tells_of_every_carpool():
    heard = []
    simulate(NOW, [car(i % 1000, f"d{i}") for i in range(2_100)], progress=heard.append)
    assert heard == [1000, 1000, 100]
