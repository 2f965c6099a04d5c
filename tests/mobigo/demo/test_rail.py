from collections import Counter
from itertools import pairwise

import pytest

from mobigo.demo.facts import read_facts
from mobigo.demo.rail import Days, day_quantile_s, oriented, rail_trips
from socle.geo import distance_m

FACTS = read_facts()
TRIPS = rail_trips(FACTS, 2020)


def test_a_tuesday_has_767_trips_of_which_31_are_tgv():
    tuesday = [trip for trip in TRIPS if trip.days is Days.WEEKDAY]
    assert len(tuesday) == 767
    assert sum(trip.mode == "tgv" for trip in tuesday) == 31


@pytest.mark.parametrize("days", list(Days))
def test_trips_per_line_stops_and_way_equal_the_table(days):
    expected: Counter[tuple[str, str, tuple[str, ...]]] = Counter()
    for pattern in FACTS.patterns:
        for way, stops in ((pattern.out, pattern.stops), (pattern.back, pattern.stops[::-1])):
            n = {Days.WEEKDAY: way.tuesday, Days.SATURDAY: way.saturday, Days.SUNDAY: way.sunday}[days]
            expected[pattern.line_code, pattern.mode, stops] += n
    made = Counter((trip.line_code, trip.mode, trip.stops) for trip in TRIPS if trip.days is days)
    assert made == +expected


def test_no_trip_goes_back_in_time_or_faster_than_its_vehicle():
    limit_kmh = {"train": 200, "tgv": 320, "coach": 130}
    for trip in TRIPS:
        assert all(a <= d for a, d in zip(trip.arrivals_s, trip.departures_s, strict=True))
        hops = zip(pairwise(trip.stops), trip.departures_s, trip.arrivals_s[1:], strict=False)
        for (one, other), left_s, reached_s in hops:
            metres = distance_m(FACTS.stations[one].at, FACTS.stations[other].at)
            assert metres * 3.6 <= limit_kmh[trip.mode] * (reached_s - left_s)


def test_two_trips_of_a_line_leave_a_stop_the_same_way_at_least_five_minutes_apart():
    leaving: dict[tuple[object, ...], list[int]] = {}
    for trip in TRIPS:
        for stop, left_s in zip(trip.stops[:-1], trip.departures_s, strict=False):
            leaving.setdefault((trip.line_code, trip.direction, trip.days, stop), []).append(left_s)
    assert all(b - a >= 300 for times in leaving.values() for a, b in pairwise(sorted(times)))


def test_departures_stay_near_the_first_and_the_last_of_the_table():
    for trip in TRIPS:
        assert 4 * 3600 <= trip.departures_s[0] <= 24 * 3600
        assert all(moment % 60 == 0 for moment in trip.departures_s)


def test_the_profile_of_the_day():
    whole_day = 4 * 3600, 23 * 3600
    assert day_quantile_s(0.12, *whole_day) == 7 * 3600
    assert day_quantile_s(0.32, *whole_day) == 9 * 3600
    assert day_quantile_s(0.64, *whole_day) == 16 * 3600
    assert day_quantile_s(0.90, *whole_day) == 19 * 3600
    assert day_quantile_s(0.5, 8 * 3600, 8 * 3600) == 8 * 3600


def test_patterns_of_a_line_share_one_sense_of_direction():
    by_sides = {line: [p for p in FACTS.patterns if p.line_code == line] for line in ("K7", "P26", "P20")}
    assert oriented(by_sides["K7"])[:2] == [True, False]  # Dijon - Lyon, then Lyon - Paris
    assert oriented(by_sides["P20"])[:2] == [True, False]


def test_train_numbers_are_nobodys_and_unique():
    numbers = [trip.number for trip in TRIPS]
    assert len(set(numbers)) == len(numbers)
    assert min(numbers) > 900_000


def test_another_seed_changes_times_and_nothing_else():
    other = rail_trips(FACTS, 7)
    assert [(t.number, t.stops, t.direction) for t in other] == [(t.number, t.stops, t.direction) for t in TRIPS]
    assert [t.departures_s for t in other] != [t.departures_s for t in TRIPS]
