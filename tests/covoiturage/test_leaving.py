"""Offers that leave between two instants, as an offer itself tells day by day; also where clocks change."""

from __future__ import annotations

from datetime import date, time, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from covoiturage.leaving import Departures
from covoiturage.offers import Halt, Offer, Weekly
from socle.geo import LatLon
from socle.times import local_day

MONDAY = date(2026, 3, 23)  # clocks go forward on the Sunday
BEGIN = 1_774_220_400  # its first second in Paris
WEEK_S = 7 * 86_400
HALTS = (Halt("one", LatLon(47.0, 5.0), 0, 0), Halt("other", LatLon(47.1, 5.1), 1_200, 20_000))

days = st.integers(-3, 10).map(lambda n: MONDAY + timedelta(days=n))
clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
weekly = st.builds(
    lambda weekdays, clock, first, length, but_not: Weekly(
        weekdays, clock, first, None if length is None else first + timedelta(days=length), but_not
    ),
    st.frozensets(st.integers(0, 6), min_size=1),
    clocks,
    days,
    st.none() | st.integers(0, 9),
    st.frozensets(days, max_size=3),
)
leaves = st.integers(BEGIN, BEGIN + WEEK_S) | weekly


def told(departures, earliest, latest):
    return sorted(departures.between(earliest, latest).tell())


def one_by_one(offers, earliest, latest):
    found = []
    for row, offer in offers.items():
        day = local_day(earliest) - timedelta(days=1)
        while day <= local_day(latest) + timedelta(days=1):
            leave_at = offer.find_leaving(day)
            if leave_at is not None and earliest <= leave_at <= latest:
                found.append((row, day, leave_at))
            day += timedelta(days=1)
    return sorted(found)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.none() | leaves), max_size=30),
    st.integers(BEGIN - 86_400, BEGIN + WEEK_S),
    st.integers(0, 3 * 86_400),
)
def test_those_who_leave_between_two_instants_are_found_however_offers_came_and_went(changes, earliest, length):
    departures, offers = Departures(), {}
    for row, wanted in changes:
        if wanted is None:
            departures.remove(row)
            offers.pop(row, None)
        else:
            departures.put(row, wanted)
            offers[row] = Offer(f"o{row}", "d", HALTS, wanted, 1)
        assert told(departures, earliest, earliest + length) == one_by_one(offers, earliest, earliest + length)


def test_there_is_room_for_any_number_of_offers():
    departures = Departures()
    for row in range(1_000):
        departures.put(row, BEGIN + row)
    assert [row for row, _, _ in told(departures, BEGIN + 995, BEGIN + 2_000)] == [995, 996, 997, 998, 999]
    assert not departures.are_weekly(np.arange(1_000)).any()


def test_the_hour_that_comes_twice_is_the_first_and_the_one_that_is_skipped_is_winter_time():
    departures = Departures()
    departures.put(0, Weekly(frozenset(range(7)), time(2, 30), date(2026, 1, 1)))
    in_spring, in_autumn = date(2026, 3, 29), date(2026, 10, 25)
    midnight = {in_spring: 1_774_738_800, in_autumn: 1_792_879_200}
    assert [at for _, day, at in told(departures, midnight[in_spring], midnight[in_spring] + 4 * 3600)] == [
        midnight[in_spring] + 9_000
    ]
    assert [at for _, day, at in told(departures, midnight[in_autumn], midnight[in_autumn] + 4 * 3600)] == [
        midnight[in_autumn] + 9_000
    ]
