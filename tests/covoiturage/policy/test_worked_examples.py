"""The worked examples that the Region was shown: every line under both policies, and one policy of couples."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from covoiturage.policy.caps import Counters
from covoiturage.policy.facts import read_car, read_facts
from covoiturage.policy.language import read_policies
from covoiturage.policy.rides import RideJudge
from covoiturage.policy.shipped import find_in_force, shipped_policies
from covoiturage.policy.trips import CarJudge

IN_2020, TODAY = "2020-03-02", "2026-03-02"


def car(day, metres, passengers, *, seats=1, measured=None, number=0, aboard=None, driver="d1"):
    at = f"{day}T{6 + number:02d}"
    ride = {"operator_class": "B", "board_at": f"{at}:00:00Z", "alight_at": f"{at}:30:00Z", "seats": seats}
    return read_car(
        {
            "carpool_id": f"C{number}",
            "driver": driver,
            "line_id": "L1",
            "start_at": f"{at}:00:00Z",
            "end_at": f"{at}:40:00Z",
            "official_m": metres,
            "measured_m": measured,
            "rides": [
                {**ride, "ride_id": f"R{number}-{i}", "passenger": f"p{i}", "distance_m": aboard or metres}
                for i in range(passengers)
            ],
        }
    )


def euros(cents):
    return round(cents * 100)


def judge_of(day, **rules):
    policy = find_in_force(shipped_policies().values(), date.fromisoformat(day))
    return CarJudge(replace(policy, car=replace(policy.car, **rules)))


@pytest.mark.parametrize(
    ("metres", "passengers", "fares", "driver_2020", "net_2020", "driver_today", "net_today"),
    [
        (32_000, 2, 3.00, 4.20, 1.20, 5.20, 2.20),
        (33_000, 1, 1.50, 3.30, 1.80, 4.30, 2.80),
        (53_000, 1, 1.50, 5.30, 3.80, 6.30, 4.80),
        (110_000, 3, 4.50, 13.00, 8.50, 14.00, 9.50),
        (80_000, 2, 3.00, 9.00, 6.00, 10.00, 7.00),
        (30_000, 4, 6.00, 5.00, -1.00, 6.00, 0.00),
        (51_000, 1, 1.50, 5.10, 3.60, 6.10, 4.60),
        (12_345, 1, 1.50, 1.23, -0.27, 2.23, 0.73),
        (12_350, 1, 1.50, 1.24, -0.26, 2.24, 0.74),
        (80_000, 0, 0, 0, 0, 0, 0),
        (3_000, 3, 4.50, 2.30, -2.20, 3.30, -1.20),
    ],
)
def test_a_car_is_worth_what_the_table_says(metres, passengers, fares, driver_2020, net_2020, driver_today, net_today):
    for day, driver, net in ((IN_2020, driver_2020, net_2020), (TODAY, driver_today, net_today)):
        decision = judge_of(day).decide(car(day, metres, passengers), Counters())
        assert (decision.amount_cents, decision.fare_cents, decision.net_cents) == tuple(
            map(euros, (driver, fares, net))
        )


def test_kilometres_with_somebody_aboard_may_be_the_ones_that_count():
    for day, driver in ((IN_2020, 2.00), (TODAY, 3.00)):
        judge = judge_of(day, distance_basis="passenger_occupied")
        assert judge.decide(car(day, 51_000, 1, aboard=20_000), Counters()).amount_cents == euros(driver)


@pytest.mark.parametrize(("rule", "driver"), [("none", 0), ("km", 8.00), (50, 0.50)])
def test_a_car_without_passenger_is_worth_what_the_rule_for_it_says(rule, driver):
    for day in (IN_2020, TODAY):
        decision = judge_of(day, empty_run=rule).decide(car(day, 80_000, 0), Counters())
        assert (decision.amount_cents, decision.fare_cents) == (euros(driver), 0)


@pytest.mark.parametrize(
    ("metres", "passengers", "driver_2020", "driver_today"), [(3_000, 3, 1.58, 1.58), (2_300, 1, 0.23, 1.21)]
)
def test_from_the_third_short_trip_of_a_day_on_the_law_caps(metres, passengers, driver_2020, driver_today):
    for day, driver in ((IN_2020, driver_2020), (TODAY, driver_today)):
        judge, counters = judge_of(day), Counters()
        amounts = [
            judge.decide(car(day, metres, passengers, number=number), counters).amount_cents for number in range(3)
        ]
        assert amounts[0] == amounts[1] >= amounts[2] == euros(driver)


def test_a_trace_longer_than_the_line_is_kept_to_a_tenth_more():
    for day, driver in ((IN_2020, 3.63), (TODAY, 4.63)):
        decision = judge_of(day).decide(car(day, 33_000, 1, measured=40_000), Counters())
        assert (decision.paid_m, decision.amount_cents) == (36_300, euros(driver))


def test_one_passenger_with_two_seats_is_two_passengers():
    for day, driver, net in ((IN_2020, 4.30, 1.30), (TODAY, 5.30, 2.30)):
        decision = judge_of(day).decide(car(day, 33_000, 1, seats=2), Counters())
        assert (decision.amount_cents, decision.net_cents) == (euros(driver), euros(net))


def test_a_fifth_car_of_the_day_is_not_paid_and_a_fifth_ride_does_not_count():
    judge, counters = judge_of(TODAY), Counters()
    amounts = [judge.decide(car(TODAY, 33_000, 1, number=n), counters).amount_cents for n in range(5)]
    assert amounts == [430, 430, 430, 430, 0]
    other = car(TODAY, 33_000, 1, number=6, driver="d2")
    decision = judge.decide(other, counters)
    assert (decision.reason, decision.fare_cents) == ("no_passenger", 0)
    assert decision.outing.left_out[0].limited.max == 4


def test_the_supplement_goes_to_the_ride_that_caused_it_and_the_rest_is_shared():
    judge = judge_of(IN_2020)
    decision = judge.decide(car(IN_2020, 33_000, 3), Counters())
    assert decision.amount_cents == 530
    assert judge.shares(decision) == {"R0-0": 110, "R0-1": 210, "R0-2": 210}


INVENTED = {
    "id": "invented",
    "eligibility": [
        {"type": "class_in", "classes": ["B", "C"]},
        {"type": "distance", "min_m": 3000, "max_m_exclusive": 60000},
        {"type": "starts_or_ends_in", "selector": {"com": ["21231"]}},
    ],
    "amount_rules": [
        {
            "mode": "cumulative",
            "slices": [
                {"from_m": 3000, "terms": [{"type": "per_seat", "cents": 120}]},
                {
                    "from_m": 12000,
                    "terms": [
                        {
                            "type": "per_seat_km",
                            "cents_per_km": 7.5,
                            "offset_m": 12000,
                            "limit_m": 30000,
                            "max_cents_per_seat": 100,
                        }
                    ],
                },
            ],
        }
    ],
    "post": [
        {"type": "multiply", "factor": 1.5, "when": {"type": "local_date_in", "dates_ref": "feast"}},
        {"type": "raise_to_driver_revenue"},
    ],
    "limits": [
        {"counter": "trips", "period": "day", "scope": "driver", "max": 2, "evaluation_priority": 21},
        {"counter": "amount", "period": "month", "scope": "driver", "max": 700, "evaluation_priority": 32},
        {"counter": "amount", "period": "campaign", "scope": "campaign", "max": "campaign_budget"},
    ],
    "feast": ["2026-01-20"],
}


def test_an_invented_policy_decides_as_its_table_says():
    rows = [
        ("2026-01-19T07:00:00Z", 2_999, 1, 0, 0, 0),
        ("2026-01-19T07:00:00Z", 3_000, 1, 0, 120, 120),
        ("2026-01-19T07:00:00Z", 12_000, 1, 0, 120, 120),
        ("2026-01-19T16:00:00Z", 20_000, 1, 0, 180, 0),
        ("2026-01-19T23:30:00Z", 20_050, 2, 0, 541, 460),
        ("2026-01-20T07:00:00Z", 59_999, 1, 0, 330, 0),
        ("2026-01-20T07:00:00Z", 60_000, 1, 0, 0, 0),
        ("2026-01-21T07:00:00Z", 30_000, 1, 260, 260, 0),
    ]
    (policy,) = read_policies(json.dumps(INVENTED).encode()).values()
    judge, counters = RideJudge(policy), Counters()
    got = []
    for at, metres, seats, revenue, _, _ in rows:
        facts = {"datetime": at, "distance_m": metres, "seats": seats, "driver_revenue_cents": revenue}
        facts |= {"operator_class": "C", "driver": "d", "passenger": "p", "start": {"com": "21231"}}
        decision = judge.decide(read_facts(facts), counters)
        got.append((decision.stateless_cents, decision.amount_cents))
    assert got == [(stateless, paid) for *_, stateless, paid in rows]


def test_each_day_has_its_policy_and_none_before_the_lines_opened():
    def in_force(day):
        policy = find_in_force(shipped_policies().values(), date.fromisoformat(day))
        return policy and policy.id

    assert in_force("2019-11-27") is None
    assert in_force("2019-11-28") == in_force("2022-12-31") == "bfc-lignes-2020"
    assert in_force("2023-01-01") == in_force("2040-01-01") == "bfc-lignes"
