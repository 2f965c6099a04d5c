"""Searches on boards: single cases by hand, and thousands against the slow twin."""

import random

import pytest

from covoiturage.standard.boards import JourneyBoard, TripBoard
from covoiturage.standard.questions import Ends, JourneyQuestion, TripQuestion
from covoiturage.standard.shapes import WEEKDAYS
from socle.geo import LatLon
from tests.oracles import offers as twin
from tests.worlds.partners import AT, FAR, SQUARE, driver_journey, east, north, regular_trip

ALL_DAYS = frozenset(WEEKDAYS)


def journeys_near(*offers, at=AT, delta_s=900, count=None, departure=SQUARE, arrival=FAR, radius_km=1.0):
    ends = Ends(departure, arrival, radius_km, radius_km)
    return positions(JourneyBoard(offers).find(JourneyQuestion(ends, at, delta_s, count)))


def trips_at(*offers, time_s, weekdays=ALL_DAYS, delta_s=900, since=None, until=None, count=None):
    ends = Ends(SQUARE, FAR, 1.0, 1.0)
    return positions(TripBoard(offers).find(TripQuestion(ends, time_s, weekdays, delta_s, since, until, count)))


def positions(found):
    assert [rank for rank, _ in found] == sorted(rank for rank, _ in found)
    return [position for _, position in found]


@pytest.mark.parametrize(("km", "found"), [(0, [0]), (0.9999, [0]), (1.0, [0]), (1.0001, [])])
def test_a_radius_is_inclusive_at_either_end(km, found):
    assert journeys_near(driver_journey(pickup=north(km))) == found
    assert journeys_near(driver_journey(drop=north(-km, FAR))) == found
    exact = twin.haversine_km(*SQUARE, *east(km))
    assert journeys_near(driver_journey(pickup=east(km)), radius_km=exact) == [0]


@pytest.mark.parametrize(("seconds", "found"), [(-900, [0]), (900, [0]), (901, []), (-901, []), (0.5, [0])])
def test_the_time_margin_is_inclusive_either_way(seconds, found):
    assert journeys_near(driver_journey(AT + seconds)) == found


def test_nothing_is_hidden_because_it_is_past():
    assert journeys_near(driver_journey(0), at=0) == [0]
    assert journeys_near(driver_journey(-1e9), at=-1e9) == [0]


def test_the_order_is_by_time_gap_then_distance_then_id():
    offers = [
        driver_journey(AT + 60, id="late"),
        driver_journey(AT, north(0.5), id="far"),
        driver_journey(AT, id="b"),
        driver_journey(AT, id="a"),
        driver_journey(AT - 60, id="early"),
    ]
    assert [offers[position]["id"] for position in journeys_near(*offers)] == ["a", "b", "far", "early", "late"]


@pytest.mark.parametrize(("count", "n_found"), [(None, 3), (0, 0), (2, 2), (3, 3), (10**30, 3)])
def test_count_is_the_most_that_is_told(count, n_found):
    assert len(journeys_near(*[driver_journey() for _ in range(3)], count=count)) == n_found


@pytest.mark.parametrize(
    "asked",
    [
        {"radius_km": -1e-12},
        {"radius_km": 1e308, "departure": LatLon(91, 0)},
        {"delta_s": -1},
        {"delta_s": -1e300, "at": 1e300},
    ],
)
def test_a_question_to_which_nothing_answers_gets_nothing(asked):
    assert journeys_near(driver_journey(), **asked) == []


def test_the_whole_earth_is_within_a_huge_radius_but_what_is_no_place():
    beyond_a_pole = driver_journey(pickup=LatLon(95, 0))
    around = driver_journey(pickup=LatLon(-90, 1e308), drop=LatLon(0, 180))
    assert journeys_near(around, beyond_a_pole, radius_km=1e308, departure=LatLon(90, -1e308)) == [0]
    assert journeys_near(around, radius_km=1e308, delta_s=1.7e308, at=1.7e308) == [0]


def test_the_meridian_of_the_antipodes_is_no_wall():
    offer = driver_journey(pickup=LatLon(0, 179.999))
    assert journeys_near(offer, departure=LatLon(0, -179.999)) == [0]
    assert journeys_near(offer, departure=LatLon(0, 180.001)) == [0]


def test_a_board_of_nothing_answers():
    assert journeys_near() == []
    assert trips_at(time_s=0) == []


@pytest.mark.parametrize(
    ("time", "asked_s", "found"),
    [
        ("07:30:00", 27_000, [0]),
        ("07:45:00", 27_000, [0]),
        ("07:45:01", 27_000, []),
        ("23:55:00", 300, [0]),
        ("00:05:00", 86_100, [0]),
        ("00:05:00", 85_500, []),
        ("23:59:60", 0, [0]),
        ("07:45:00.5", 27_000, []),
    ],
)
def test_the_time_of_day_is_a_circle(time, asked_s, found):
    assert trips_at(regular_trip(("MON", time, [])), time_s=asked_s) == found


def test_one_schedule_must_fit_in_all():
    monday_early_tuesday_late = regular_trip(("MON", "07:00:00", []), ("TUE", "18:00:00", []))
    monday, tuesday = frozenset({"MON"}), frozenset({"TUE"})
    assert trips_at(monday_early_tuesday_late, time_s=7 * 3600, weekdays=monday) == [0]
    assert trips_at(monday_early_tuesday_late, time_s=7 * 3600, weekdays=tuesday) == []
    assert trips_at(monday_early_tuesday_late, time_s=18 * 3600, weekdays=tuesday) == [0]
    assert trips_at(monday_early_tuesday_late, time_s=18 * 3600, weekdays=frozenset({"FOO", ""})) == []


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [(None, None, [0]), (AT, None, [0]), (AT + 1, None, []), (None, AT, [0]), (None, AT - 1, []), (AT - 5, AT - 1, [])],
)
def test_bounds_of_dates_hold_for_the_journeys_that_a_schedule_lists(since, until, found):
    assert trips_at(regular_trip(("MON", "07:00:00", [AT])), time_s=7 * 3600, since=since, until=until) == found


def test_a_schedule_that_lists_no_journey_is_kept_whatever_the_bounds():
    assert trips_at(regular_trip(("MON", "07:00:00", [])), time_s=7 * 3600, since=AT, until=AT - 1) == [0]
    empty = regular_trip(("MON", "07:00:00", []))
    empty["schedules"][0]["journeySchedules"] = []
    assert trips_at(empty, time_s=7 * 3600, since=AT, until=AT) == [0]


def test_a_trip_without_schedule_or_with_one_that_says_nothing_answers_nothing():
    without = regular_trip()
    del without["schedules"]
    assert trips_at(regular_trip(), without, regular_trip() | {"schedules": [{}]}, time_s=0, delta_s=86_400) == []


def random_place(draws):
    return LatLon(47 + draws.random() / 10, 6 + draws.random() / 10)


def test_searches_of_journeys_are_those_of_the_slow_twin():
    draws = random.Random(4)
    n_found = 0
    for _ in range(40):
        offers = [
            driver_journey(AT + draws.randrange(-4000, 4000), random_place(draws), random_place(draws))
            for _ in range(draws.randrange(200))
        ]
        board = JourneyBoard(offers)
        for _ in range(50):
            ends = Ends(random_place(draws), random_place(draws), draws.uniform(0, 8), draws.uniform(0, 8))
            count = draws.choice([None, draws.randrange(5)])
            question = JourneyQuestion(ends, AT + draws.randrange(-4000, 4000), draws.randrange(2000), count)
            found = positions(board.find(question))
            assert found == twin.find_journeys(offers, question)
            n_found += len(found)
    assert n_found > 1_000


def test_searches_of_regular_trips_are_those_of_the_slow_twin():
    draws = random.Random(5)
    n_found = 0
    for _ in range(30):
        offers = [random_trip(draws) for _ in range(draws.randrange(100))]
        board = TripBoard(offers)
        for _ in range(30):
            ends = Ends(random_place(draws), random_place(draws), draws.uniform(0, 12), draws.uniform(0, 12))
            question = TripQuestion(
                ends,
                draws.randrange(86_400),
                frozenset(draws.sample(WEEKDAYS, draws.randrange(8))),
                draws.randrange(20_000),
                draws.choice([None, draws.randrange(100)]),
                draws.choice([None, draws.randrange(100)]),
                draws.choice([None, draws.randrange(5)]),
            )
            found = positions(board.find(question))
            assert found == twin.find_trips(offers, question)
            n_found += len(found)
    assert n_found > 1_000


def random_trip(draws):
    def time_of_day():
        return f"{draws.randrange(24):02}:{draws.randrange(60):02}:{draws.randrange(60):02}"

    schedules = [
        (draws.choice(WEEKDAYS), time_of_day(), [draws.randrange(100) for _ in range(draws.randrange(4))])
        for _ in range(draws.randrange(5))
    ]
    pickup, drop = random_place(draws), random_place(draws)
    places = {"passengerPickupLat": pickup.lat, "passengerPickupLng": pickup.lon}
    return regular_trip(*schedules, **places, passengerDropLat=drop.lat, passengerDropLng=drop.lon)
