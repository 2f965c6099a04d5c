"""Searches of carpool operators, rule by rule, on both databases."""

import pytest

from tests.worlds.operators import (
    JOURNEY,
    SEARCHES,
    TRIP,
    bring,
)
from tests.worlds.partners import (
    AT,
    driver_journey,
    north,
    passenger_journey,
    regular_trip,
)

# --- searches -------------------------------------------------------------------------------


def test_journeys_are_found_by_place_and_time_and_told_whole(left_open, anybody):
    wanted = driver_journey(
        preferences={"smoking": False, "luggageSize": 3},
        car={"model": "Zoé"},
        price={"type": "PAYING", "amount": 1.5, "currency": "EUR"},
        availableSeats=2,
        distance=33_000,
    )
    bring(left_open, driverJourneys=[wanted, driver_journey(AT + 901), driver_journey(pickup=north(1.1))])
    assert anybody.search("driver_journeys", **JOURNEY) == [wanted]
    assert anybody.search("passenger_journeys", **JOURNEY) == []


def test_passengers_are_found_by_drivers(left_open, anybody):
    wanted = passenger_journey(requestedSeats=2)
    bring(left_open, passengerJourneys=[wanted])
    assert anybody.search("passenger_journeys", **JOURNEY) == [wanted]


def test_margins_and_radii_are_as_asked_and_inclusive(left_open, anybody):
    bring(
        left_open, driverJourneys=[driver_journey(AT + 900, id="time"), driver_journey(pickup=north(1.0), id="place")]
    )
    found = {one["id"] for one in anybody.search("driver_journeys", **JOURNEY)}
    assert found == {"time", "place"}
    assert [one["id"] for one in anybody.search("driver_journeys", **JOURNEY, timeDelta=899)] == ["place"]
    assert [one["id"] for one in anybody.search("driver_journeys", **JOURNEY, departureRadius=0.999)] == ["time"]
    assert len(anybody.search("driver_journeys", **JOURNEY, arrivalRadius=0)) == 2


def test_count_bounds_what_is_told_and_zero_is_nothing(left_open, anybody):
    bring(left_open, driverJourneys=[driver_journey() for _ in range(3)])
    assert [len(anybody.search("driver_journeys", **JOURNEY, count=count)) for count in (0, 2, 9, -1)] == [0, 2, 3, 0]
    assert len(anybody.search("driver_journeys", **JOURNEY)) == 3


def test_regular_trips_are_told_whole_when_one_schedule_fits(left_open, anybody):
    wanted = regular_trip(("MON", "07:40:00", [AT]), ("SAT", "18:00:00", []))
    bring(
        left_open,
        driverRegularTrips=[wanted],
        passengerRegularTrips=[regular_trip(("TUE", "07:30:00", []), side="passenger")],
    )
    assert anybody.search("driver_regular_trips", **TRIP) == [wanted]
    assert anybody.search("driver_regular_trips", **TRIP, departureWeekdays="SAT,SUN") == []
    assert anybody.search("driver_regular_trips", **TRIP, departureWeekdays="MON,SUN") == [wanted]
    assert anybody.search("driver_regular_trips", **TRIP, minDepartureDate=AT + 1) == []
    assert anybody.search("driver_regular_trips", **TRIP, maxDepartureDate=AT) == [wanted]
    assert anybody.search("driver_regular_trips", **TRIP, timeDelta=60) == []
    assert len(anybody.search("passenger_regular_trips", **TRIP)) == 1


def test_what_is_imported_is_found_at_once_and_replaced_by_its_id(left_open, anybody):
    first = driver_journey()
    bring(left_open, driverJourneys=[first])
    assert anybody.search("driver_journeys", **JOURNEY) == [first]
    second = first | {"availableSeats": 1}
    bring(left_open, driverJourneys=[second])
    assert anybody.search("driver_journeys", **JOURNEY) == [second]


@pytest.mark.parametrize("path", SEARCHES)
def test_extra_parameters_are_ignored(anybody, path):
    asked = JOURNEY if path.endswith("journeys") else TRIP
    assert anybody.search(path, **asked, autre="x", nothing="") == []


REQUIRED = [(path, name) for path in SEARCHES for name in (JOURNEY if path.endswith("journeys") else TRIP)]


@pytest.mark.parametrize(("path", "name"), REQUIRED)
def test_a_required_parameter_that_is_missing_is_named(anybody, path, name):
    asked = JOURNEY if path.endswith("journeys") else TRIP
    error = anybody.refused(path, **{other: value for other, value in asked.items() if other != name})
    assert name in error


ILL = ["", " ", "abc", "NaN", "Infinity", "-Infinity", "1e999", "1_0", "0x1", "1,5", "null", "true", "٣", "9" * 5000]


@pytest.mark.parametrize("value", ILL)
@pytest.mark.parametrize("name", ["departureLat", "arrivalRadius", "departureDate", "timeDelta", "count"])
def test_a_parameter_that_is_no_number_is_named(anybody, name, value):
    assert name in anybody.refused("driver_journeys", **(JOURNEY | {name: value}))


@pytest.mark.parametrize("name", ["departureDate", "timeDelta", "count"])
def test_a_fraction_is_no_integer(anybody, name):
    assert name in anybody.refused("driver_journeys", **(JOURNEY | {name: "1.5"}))


@pytest.mark.parametrize(
    "value", ["07:30", "7:30:00", "24:00:00", "07:60:00", "07:30:61", "07:30:00Z", "", "' OR 1=1 --"]
)
def test_a_time_of_day_that_is_none_is_refused(anybody, value):
    assert "departureTimeOfDay" in anybody.refused("driver_regular_trips", **(TRIP | {"departureTimeOfDay": value}))


def test_a_parameter_that_is_there_twice_is_refused(anybody):
    answer = anybody.send("GET", "/driver_journeys?count=1&count=2", 400, params=None)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "extreme",
    [{"departureLat": 1e308}, {"departureLng": -1e308}, {"departureRadius": 1e308}, {"departureRadius": -5},
     {"timeDelta": 10**300}, {"departureDate": -(10**300)}, {"count": 10**300}],
)  # fmt: skip
def test_numbers_that_the_contract_takes_are_taken(left_open, anybody, extreme):
    bring(left_open, driverJourneys=[driver_journey()])
    anybody.search("driver_journeys", **(JOURNEY | extreme))
