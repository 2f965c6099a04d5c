"""A month of honest life with every scheme planted: what is caught, under which label, and who is troubled for it."""

from collections import defaultdict

import pytest

from covoiturage.fraud.checks import find_labels
from covoiturage.fraud.labels import Code, Known
from mobigo.demo.carpools.schemes import DETERMINISTIC, GRAPH
from tests.worlds.carpool_month import make_month

SEED = 20_260_301


@pytest.fixture(scope="module")
def month():
    return make_month(SEED, n_drivers=250)


@pytest.fixture(scope="module")
def labels(month):
    return find_labels(month.carpools, month.known)


@pytest.fixture(scope="module")
def codes(labels):
    found = defaultdict(set)
    for label in labels:
        found[label.carpool_id].add(label.code)
    return found


@pytest.mark.parametrize("scheme", DETERMINISTIC)
def test_every_carpool_of_a_deterministic_scheme_has_its_label(month, codes, scheme):
    planted = month.planted[scheme]
    assert [sorted(gang) for gang in planted.gangs if not all(planted.code in codes[one] for one in gang)] == []


def test_nineteen_gangs_of_twenty_in_the_pair_graph_are_found(month, codes):
    gangs = [(month.planted[scheme].code, gang) for scheme in GRAPH for gang in month.planted[scheme].gangs]
    found = [all(code in codes[one] for one in gang) for code, gang in gangs]
    assert len(found) >= 40
    assert sum(found) >= 0.95 * len(found)


def test_at_most_one_honest_ride_in_two_hundred_waits_for_somebody(month, labels):
    stopped = {label.carpool_id for label in labels if label.stops and label.carpool_id in month.honest}
    n_rides = sum(len(carpool.rides) for carpool in month.carpools if carpool.id in stopped)
    assert month.n_honest_rides > 8_000
    assert n_rides <= 0.005 * month.n_honest_rides


def test_honest_people_err_in_the_ways_that_are_noted(month, labels):
    noted = {label.code for label in labels if label.carpool_id in month.honest and not label.stops}
    assert noted == {Code.GPS_OUTLIER, Code.TRACE_GAP, Code.CLOCK_SKEW}


def test_every_label_is_planted_or_noted_somewhere(labels):
    assert {label.code for label in labels} == set(Code)


def test_a_day_looked_at_beside_its_month_has_the_labels_that_the_whole_month_gives_it(month, labels):
    due = {carpool.id for carpool in month.carpools[3_000:3_300]}
    told = [one for one in find_labels(month.carpools, month.known, due) if one.carpool_id in due]
    assert told == [one for one in labels if one.carpool_id in due]
    assert {one.code for one in told} >= {Code.TRACE_GAP, Code.GPS_OUTLIER}


def test_the_same_carpools_in_another_order_have_the_same_labels(month, labels):
    part = month.carpools[:1_500]
    told = {(one.carpool_id, one.code, one.ride_id) for one in find_labels(part, month.known)}
    assert {(one.carpool_id, one.code, one.ride_id) for one in find_labels(part[::-1], month.known)} == told


def test_what_is_known_of_a_carpool_may_come_and_go_with_it(month, labels):
    ways, declared_at = {}, {}

    def one_by_one():
        for carpool in month.carpools:
            ways.clear()
            declared_at.clear()
            ways.update({ride.id: month.known.ways[ride.id] for ride in carpool.rides if ride.id in month.known.ways})
            if carpool.id in month.known.declared_at:
                declared_at[carpool.id] = month.known.declared_at[carpool.id]
            yield carpool

    assert find_labels(one_by_one(), Known(month.known.people, ways, declared_at)) == labels
