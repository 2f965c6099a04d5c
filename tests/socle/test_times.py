from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socle.times import (
    day_number,
    day_of_number,
    easter,
    find_gtfs_date,
    find_gtfs_time_s,
    local_day,
    public_holidays,
    render_gtfs_date,
    render_gtfs_time,
    render_instant,
    service_day_start,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7:05:00", 25_500), ("07:05:00", 25_500), (" 25:10:00 ", 90_600), ("00:00:00", 0), ("100:00:01", 360_001)],
)
def test_a_time_may_pass_midnight_and_lack_its_leading_zero(text, seconds):
    assert find_gtfs_time_s(text) == seconds


@pytest.mark.parametrize("text", ["", "7:5:00", "07:60:00", "07:05", "-1:00:00", "07:05:00.5", "sept heures"])
def test_what_is_not_a_time_is_none(text):
    assert find_gtfs_time_s(text) is None


@given(st.integers(0, 999 * 3600))
def test_times_survive_writing_and_reading(seconds):
    assert find_gtfs_time_s(render_gtfs_time(seconds)) == seconds


@given(st.dates())
def test_dates_survive_writing_and_reading(day):
    assert find_gtfs_date(render_gtfs_date(day)) == day
    assert day_of_number(day_number(day)) == day


@pytest.mark.parametrize("text", ["20250230", "2025-01-1", "<builtin", "202501011", "２０２５０１０１"])
def test_what_is_not_a_date_is_none(text):
    assert find_gtfs_date(text) is None


def test_the_service_day_starts_at_midnight_except_when_clocks_change():
    assert render_instant(service_day_start(date(2026, 11, 23))) == "2026-11-22T23:00:00Z"
    # The night of 28 March 2027 is an hour short: noon minus 12 h is 23:00 the evening before.
    assert render_instant(service_day_start(date(2027, 3, 28))) == "2027-03-27T22:00:00Z"
    assert local_day(service_day_start(date(2027, 3, 28))) == date(2027, 3, 27)


@pytest.mark.parametrize(
    ("year", "month", "day"), [(2000, 4, 23), (2024, 3, 31), (2025, 4, 20), (2026, 4, 5), (2027, 3, 28), (2038, 4, 25)]
)
def test_easter(year, month, day):
    assert easter(year) == date(year, month, day)


def test_france_has_eleven_public_holidays_and_the_first_of_may_may_be_one_twice():
    assert len(public_holidays(2026)) == 11
    assert date(2026, 5, 14) in public_holidays(2026)  # Ascension
    assert date(2026, 5, 25) in public_holidays(2026)  # Whit Monday
    assert len(public_holidays(2008)) == 10  # Ascension fell on 1 May
