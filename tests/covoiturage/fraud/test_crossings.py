"""Cars of the same people: at the edge of each rule, and against comparing all with all."""

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from covoiturage.fraud.checks import find_labels
from covoiturage.fraud.labels import Known
from tests.worlds.examples import random_examples
from tests.worlds.told_cars import at, car, found, label_of


def test_an_id_that_was_there_before_and_a_ride_that_was():
    assert found(car(), car(begin=120, end=150)) == [("C1", "duplicate_id")]
    other = car("C2", driver="e", begin=120, end=150)
    taken = replace(other, rides=(replace(other.rides[0], id="C1-p"),))
    assert found(car(), taken) == [("C2", "duplicate_id")]


def test_an_outing_told_twice_counts_once_and_it_is_the_later_declaration_that_is_stopped():
    told = (car("C1"), car("C2", begin=2, end=31))
    assert found(*told) == [("C2", "declared_twice"), ("C2", "declared_twice")]  # for the driver and for the ride
    assert {one for one, _code in found(*told, known=Known(declared_at={"C1": at(90), "C2": at(60)}))} == {"C1"}


def test_nobody_drives_two_cars_and_nobody_tells_which_one_was():
    assert found(car("C1", "d", "p"), car("C2", "d", "q")) == [("C1", "overlap"), ("C2", "overlap")]


def test_nobody_drives_one_car_and_rides_in_another():
    assert found(car("C1", "d", "p"), car("C2", "e", "d")) == [("C1", "overlap"), ("C2", "overlap")]


@pytest.mark.parametrize(
    ("begin", "codes"),
    [(9, {"overlap"}), (10, {"overlap_in_part"}), (24.9, {"overlap_in_part"}), (25, set()), (30, set())],
)
def test_70_percent_of_the_shorter_is_21_minutes_of_30_and_five_minutes_are_two_clocks(begin, codes):
    told = found(car("C1", "d", "p"), car("C2", "e", "p", begin, begin + 40))
    assert {code for _id, code in told} == codes


@pytest.mark.parametrize(("gap", "codes"), [(0, ["too_close"]), (29, ["too_close"]), (30, [])])
def test_the_same_couple_again_within_half_an_hour(gap, codes):
    told = found(car("C1", end=20), car("C2", begin=20 + gap, end=60 + gap))
    assert told == [("C2", code) for code in codes]


def test_another_passenger_may_get_on_at_once():
    assert found(car("C1", "d", "p", end=20), car("C2", "d", "q", begin=20, end=60)) == []


def test_the_fifth_outing_of_a_day_is_one_too_many_for_who_drives_and_for_who_rides():
    drives = [car(f"C{i}", "d", "pqrstu"[i], 70 * i, 70 * i + 30) for i in range(6)]
    assert found(*drives) == [("C4", "too_many_trips"), ("C5", "too_many_trips")]
    rides = [car(f"C{i}", "defghi"[i], "p", 70 * i, 70 * i + 30) for i in range(6)]
    assert found(*rides) == [("C4", "too_many_trips"), ("C5", "too_many_trips")]


def test_a_day_is_that_of_the_clock_on_the_wall():
    # From 21:30 UTC on, the 2nd of March in Paris; from 23:00 UTC on the 3rd.
    late = [car(f"C{i}", "d", "pqrst"[i], 60 * i + 690, 60 * i + 710) for i in range(5)]
    assert found(*late) == []
    assert found(*[car(f"C{i}", "d", "pqrst"[i], 60 * i + 590, 60 * i + 610) for i in range(5)]) == [
        ("C4", "too_many_trips")
    ]


def test_two_who_take_each_other_on_one_day():
    told = found(car("C1", "d", "p"), car("C2", "p", "d", 500, 530))
    assert told == [("C1", "role_swap"), ("C2", "role_swap")]
    assert found(car("C1", "d", "p"), car("C2", "p", "d", day=1)) == []


def test_the_label_names_the_other_car():
    label = label_of("too_close", car("C1", end=20), car("C2", begin=25, end=60))
    assert dict(label.facts) == {"minutes": 5, "other": "C1"}


SPAN = st.tuples(st.sampled_from("abc"), st.integers(0, 300), st.integers(2, 90))


@given(st.lists(SPAN, max_size=8))
@random_examples(150)
def test_the_sweep_finds_what_comparing_all_with_all_finds(spans):
    cars = [car(f"C{i}", who, f"{i}", begin, begin + length) for i, (who, begin, length) in enumerate(spans)]
    expected = set()
    for one, other in combinations(cars, 2):
        together = (min(one.end_at, other.end_at) - max(one.start_at, other.start_at)).total_seconds()
        shorter = min((each.end_at - each.start_at).total_seconds() for each in (one, other))
        if one.driver == other.driver and together > 0 and together >= 0.7 * shorter:
            expected |= {(one.id, "overlap"), (other.id, "overlap")}
        elif one.driver == other.driver and together > 300:
            expected |= {(one.id, "overlap_in_part"), (other.id, "overlap_in_part")}
    labels = find_labels(cars, Known())
    assert {(label.carpool_id, str(label.code)) for label in labels if "overlap" in label.code} == expected
