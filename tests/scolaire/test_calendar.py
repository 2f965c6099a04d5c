"""The calendar of schools: what is a day with school in zone A, and what nobody knows."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

import pytest

from scolaire import calendar
from scolaire.calendar import has_school, month_before, school_days
from socle.errors import BadInput


@pytest.mark.parametrize(
    ("day", "is_one"),
    [
        (date(2026, 10, 16), True),
        (date(2026, 10, 17), False),  # holidays begin
        (date(2026, 11, 1), False),
        (date(2026, 11, 2), True),
        (date(2026, 11, 7), True),  # a Saturday
        (date(2026, 11, 8), False),  # a Sunday
        (date(2026, 11, 11), False),
        (date(2027, 5, 6), False),  # the bridge of Ascension
    ],
)
def test_a_day_has_school_unless_it_is_a_sunday_a_public_holiday_or_in_the_holidays(day, is_one):
    assert has_school(day) is is_one


def test_a_month_is_its_days_with_school():
    assert school_days("2026-08") == ()
    assert len(school_days("2026-11")) == 24  # 30 days less five Sundays (1, 8, 15, 22, 29) and the 11th


@pytest.mark.parametrize("month", ["2023-11", "2031-01"])
def test_what_the_table_does_not_know_is_not_guessed(month):
    with pytest.raises(BadInput) as refused:
        school_days(month)
    assert refused.value.code == "calendar_unknown"


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "novembre", ""])
def test_what_is_no_month_is_refused(month):
    with pytest.raises(BadInput) as refused:
        school_days(month)
    assert refused.value.code == "bad_month"


def test_months_are_counted_back_over_the_year():
    assert [month_before("2026-02", n) for n in (0, 1, 2, 14)] == ["2026-02", "2026-01", "2025-12", "2024-12"]


def test_the_demonstration_has_the_same_holidays():
    """Its facts are a folder of their own, whose hash names the edition."""
    ours = files("scolaire").joinpath(calendar.TABLE).read_bytes()
    assert ours == files("mobigo.demo").joinpath("facts/school_holidays_zone_a.csv").read_bytes()
