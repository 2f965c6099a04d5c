"""What the language leaves to its borders: odd ways of writing, facts that nobody said, and where a day ends."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest

from covoiturage.policy.caps import Counters, read_counters
from covoiturage.policy.explain import explain_car, explain_ride
from covoiturage.policy.facts import read_car, read_facts
from covoiturage.policy.language import read_policies
from covoiturage.policy.rides import RideJudge
from covoiturage.policy.trips import CarJudge
from socle.errors import BadInput

COUPLE = {"datetime": "2026-03-02T07:10:00Z", "distance_m": 20_000, "driver": "d", "passenger": "p"}
PER_SEAT = [{"mode": "cumulative", "slices": [{"from_m": 0, "terms": [{"type": "per_seat", "cents": 100}]}]}]


def judge_of(document):
    (policy,) = read_policies(json.dumps({"amount_rules": PER_SEAT, **document}).encode()).values()
    return RideJudge(policy)


def decide(document, **facts):
    return judge_of(document).decide(read_facts(COUPLE | facts), Counters())


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-01-19t07:00:00z", datetime(2026, 1, 19, 7, tzinfo=UTC)),
        ("2026-01-19T23:59:60Z", datetime(2026, 1, 19, 23, 59, 59, tzinfo=UTC)),
        ("2026-01-19T07:00:00.1234567Z", datetime(2026, 1, 19, 7, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-01-19T08:00:00.5+01:00", datetime(2026, 1, 19, 7, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_as_the_standard_writes_it(written, instant):
    assert read_facts({**COUPLE, "datetime": written}).instant == instant


@pytest.mark.parametrize("written", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2026-01-19", 1768806000])
def test_an_instant_that_no_clock_shows_is_refused(written):
    with pytest.raises(BadInput, match="bad_fact"):
        read_facts({**COUPLE, "datetime": written})


def test_a_whole_number_may_be_written_with_a_point():
    assert read_facts({**COUPLE, "distance_m": 33_000.0}).distance_m == 33_000
    with pytest.raises(BadInput, match="bad_fact"):
        read_facts({**COUPLE, "distance_m": 33_000.5})


def test_the_networks_of_the_registry_are_numbers_and_communes_are_not():
    document = {"eligibility": [{"type": "starts_in", "selector": {"reseau": [142], "com": None}}]}
    assert decide(document, start={"reseau": 142}).amount_cents == 100
    assert decide(document, start={"reseau": "142"}).amount_cents == 100
    assert decide(document, start={"reseau": "143"}).reason == "condition:0"
    with pytest.raises(BadInput, match="bad_fact"):
        read_facts({**COUPLE, "start": {"com": 1004}})  # 01004, the nought lost


def test_operators_listed_from_an_instant_on_are_all_there_are():
    document = {
        "operators": [
            {"from": "2026-03-01T00:00:00Z", "operators": ["one"]},
            {"from": "2026-03-02T00:00:00+01:00", "operators": []},
        ]
    }
    at = {"2026-02-28T23:59:59Z": "operator_not_listed", "2026-03-01T00:00:00Z": None}
    at |= {"2026-03-01T22:59:59.999999Z": None, "2026-03-01T23:00:00Z": "operator_not_listed"}
    got = {instant: decide(document, datetime=instant, operator="one").reason for instant in at}
    assert got == at
    assert decide({"operators": []}).reason is None


def test_an_authority_that_is_an_empty_text_is_one_that_nobody_said():
    document = {"eligibility": [{"type": "not_within_same_aom"}]}
    assert decide(document, start={"aom": ""}, end={"aom": ""}).reason is None
    assert decide(document, start={"aom": "2"}, end={"aom": "2"}).reason == "condition:0"


def test_what_nobody_said_is_named_as_journeys_name_it():
    document = {
        "eligibility": [{"type": "within_radius", "lat": 47, "lon": 5, "radius_m": 1, "end": "start"}],
    }
    judge, facts = judge_of(document), read_facts(COUPLE)
    (step,) = explain_ride(judge, facts, judge.decide(facts, Counters()))
    assert step.facts["missing"] == "start_lat, start_lon"


def test_a_ride_that_is_left_out_says_which_rule_did_and_what_it_missed():
    document = {
        "level": "vehicle_trip",
        "ride_eligibility": [{"type": "class_in", "classes": ["C"]}],
        "amount_rules": [{"mode": "cumulative", "slices": [{"terms": [{"type": "per_km", "cents_per_km": 10}]}]}],
    }
    (policy,) = read_policies(json.dumps(document).encode()).values()
    at = "2026-03-02T07:00:00Z"
    ride = {"ride_id": "R", "board_at": at, "alight_at": at, "distance_m": 20_000}
    car = read_car({"carpool_id": "C", "start_at": at, "end_at": at, "official_m": 20_000, "rides": [ride]})
    judge = CarJudge(policy)
    step = explain_car(judge, car, judge.decide(car, Counters()))[0]
    assert (step.type, step.facts["type"], step.facts["missing"]) == ("left_out", "class_in", "operator_class")


def test_a_seat_at_its_maximum_says_so():
    term = {"type": "per_seat_km", "cents_per_km": 10, "max_cents_per_seat": 150}
    document = {"amount_rules": [{"mode": "cumulative", "slices": [{"terms": [term]}]}]}
    judge = judge_of(document)
    for metres, at_most in ((14_000, None), (20_000, "150")):
        facts = read_facts({**COUPLE, "distance_m": metres})
        assert explain_ride(judge, facts, judge.decide(facts, Counters()))[0].facts.get("most") == at_most


def test_in_cumulative_slices_the_end_is_a_remark_and_no_rule():
    terms = [{"type": "flat", "cents": 10}]
    document = {"amount_rules": [{"mode": "cumulative", "slices": [{"from_m": 5_000, "to_m": 0, "terms": terms}]}]}
    assert decide(document).amount_cents == 10


def test_a_counter_said_twice_is_refused():
    row = {"counter": "trips", "scope": "driver", "subject": "d", "period": "day", "period_key": "2026-03-02"}
    with pytest.raises(BadInput, match="bad_counter"):
        read_counters([{**row, "value": 1}, {**row, "value": 1}])
    with pytest.raises(BadInput, match="bad_counter"):
        read_counters({"trips": 1})


@pytest.mark.parametrize("server", ["UTC", "Europe/Paris", "Pacific/Auckland"])
def test_days_are_those_of_the_policy_whatever_the_servers_clock(server, monkeypatch):
    monkeypatch.setenv("TZ", server)
    time.tzset()
    try:
        counted = {}
        for zone in ("Europe/Paris", "Pacific/Auckland"):
            limit = {"counter": "trips", "period": "day", "scope": "driver", "max": 9}
            judge, counters = judge_of({"timezone": zone, "limits": [limit]}), Counters()
            for hour in (
                21,
                22,
                23,
            ):  # the 28th of March until 23:00 UTC in Paris, the 29th since 11:00 UTC in Auckland
                facts = read_facts({**COUPLE, "datetime": f"2026-03-28T{hour}:59:59Z"})
                judge.decide(facts, counters)
            counted[zone] = {row["period_key"]: row["value"] for row in counters.as_rows()}
        assert counted == {
            "Europe/Paris": {"2026-03-28": 2, "2026-03-29": 1},
            "Pacific/Auckland": {"2026-03-29": 3},
        }
    finally:
        monkeypatch.undo()
        time.tzset()
