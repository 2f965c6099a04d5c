"""What a month shows, with one more and one less than each rule asks for."""

from dataclasses import replace

import pytest

from covoiturage.fraud.labels import Known, Person
from tests.worlds.told_cars import car, found, was


def month(n_days, *, minutes=30.0, metres=25_000):
    return [car(f"C{day:02}", end=minutes, day=day, metres=metres) for day in range(n_days)]


def test_ten_rides_of_the_same_seconds_and_metres_are_a_program_s():
    assert {code for _id, code in found(*month(10))} == {"constant"}
    assert found(*month(9)) == []


def test_traffic_makes_no_two_trips_alike():
    assert found(*(car(f"C{day:02}", end=30 + day % 7, day=day) for day in range(28))) == []


def test_two_of_ten_that_differ_do_not_hide_the_others():
    odd = [car(f"D{day}", end=37, day=20 + day) for day in range(2)]
    told = found(*month(10), *odd)
    assert told == [(f"C{day:02}", "constant") for day in range(10)]
    assert found(*month(10), *odd, car("D2", end=41, day=22)) == []


def with_device(carpool, device):
    ride = carpool.rides[0]
    evidence = (replace(was(ride.passenger, 0, 0, device=device), at=ride.board_at),)
    return replace(carpool, rides=(replace(ride, evidence=evidence),))


@pytest.mark.parametrize(("passengers", "n_labels"), [("klm", 0), ("klmn", 4)])
def test_a_device_that_speaks_for_four_people_is_nobody_s(passengers, n_labels):
    cars = [with_device(car(f"C{day}", "d", who, day=day), "tablet") for day, who in enumerate(passengers)]
    assert found(*cars) == [(f"C{day}", "device_of_many") for day in range(n_labels)]


@pytest.mark.parametrize(("drivers", "n_labels"), [("ab", 0), ("abc", 3)])
def test_three_drivers_paid_on_one_account(drivers, n_labels):
    cars = [car(f"C{day}", who, day=day) for day, who in enumerate(drivers)]
    known = Known({who: Person(who, who, who, "one account") for who in drivers})
    assert found(*cars, known=known) == [(f"C{day}", "iban_of_many") for day in range(n_labels)]
