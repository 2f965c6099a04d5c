"""The engine and its slow twin agree on policies and journeys made by chance, to the cent and to the counter."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from random import Random

import pytest

from covoiturage.policy.caps import PAYABLE_TRIPS, Counters
from covoiturage.policy.explain import explain_car, explain_ride
from covoiturage.policy.facts import read_car, read_facts
from covoiturage.policy.language import read_policies
from covoiturage.policy.rides import RideJudge
from covoiturage.policy.trips import CarJudge
from mobigo.services.covoiturage.deciding import Batch, decide_batch
from tests.oracles import policy as oracle
from tests.oracles.policy_couples import decide_couples
from tests.worlds.examples import FACTOR
from tests.worlds.policies import random_car, random_journey, random_policy, told

TERRITORIES = [({}, ()), ({"com": ["21231", "25056"]}, (("com", frozenset({"21231", "25056"})),))]


def read(document):
    (policy,) = read_policies(json.dumps(document).encode()).values()
    return policy


@pytest.mark.parametrize("seed", range(150 * FACTOR))
def test_couples_are_worth_the_same(seed):
    random = Random(seed)
    document = random_policy(random, "ride")
    journeys = [random_journey(random) for _ in range(40)]
    (territory, selector), budget = random.choice(TERRITORIES), random.choice([None, 0, 900])
    judge, counters = RideJudge(read(document), selector, budget), Counters()
    got = []
    for journey in journeys:
        facts = read_facts(journey)
        decision = judge.decide(facts, counters)
        got.append((decision.reason, decision.stateless_cents, decision.amount_cents))
        steps = explain_ride(judge, facts, decision)
        assert steps[-1].step == "gate" if decision.reason else steps[-1].exact == decision.amount_cents
    expected, counted = oracle.decide_rides(document, journeys, territory, budget)
    assert got == expected
    assert {key: value for key, value in counters.values.items() if value} == counted


@pytest.mark.parametrize("seed", range(150 * FACTOR))
def test_cars_are_worth_the_same(seed):
    random = Random(seed)
    document = random_policy(random, "vehicle_trip")
    cars = [random_car(random, number) for number in range(25)]
    (territory, selector), budget = random.choice(TERRITORIES), random.choice([None, 900])
    judge, counters = CarJudge(read(document), selector, budget), Counters()
    got = []
    for given in cars:
        car = read_car(given)
        decision = judge.decide(car, counters)
        got.append(
            (
                decision.reason,
                decision.stateless_cents,
                decision.amount_cents,
                decision.paid_m,
                decision.passengers_counted,
                decision.fare_cents,
            )
        )
        if decision.outing and decision.outing.rides and decision.eligible:
            assert sum(judge.shares(decision).values()) == decision.amount_cents
        steps = explain_car(judge, car, decision)
        assert steps[-1].step == "gate" if decision.reason else steps[-1].exact == decision.amount_cents
    expected, counted = oracle.decide_cars(document, cars, territory, budget)
    assert got == expected
    ours = {key: value for key, value in counters.values.items() if value and key[0] != PAYABLE_TRIPS}
    assert ours == {key: value for key, value in counted.items() if value}


@pytest.mark.parametrize("seed", range(75 * FACTOR))
def test_couples_of_one_car_share_the_same(seed):
    random = Random(seed)
    document = random_policy(random, "vehicle_trip")
    couples = [random_journey(random) for _ in range(20)]
    trips = ["t", "u", "v", "w"] + [None] * all(limit["scope"] != "vehicle_trip" for limit in document["limits"])
    for couple in couples:
        couple |= {"operator_trip_id": random.choice(trips), "operator_id": 1}
        end = datetime.fromisoformat(couple["datetime"]) + timedelta(minutes=random.randrange(40))
        couple |= {"vehicle_distance_m": random.choice([None, None, 31_000]), "end_datetime": told(end)}
    (territory, selector), budget = random.choice(TERRITORIES), random.choice([None, 900])
    batch = Batch("b", read(document), couples, selector, budget)
    got = [(line.stateless_cents, line.amount_cents) for line in decide_batch(batch)]
    assert got == decide_couples(document, couples, territory, budget)
