from datetime import date, timedelta

import pytest

from mobigo.demo.calendar import DayKind, day_kind, make_window
from mobigo.demo.facts import read_facts
from socle.errors import BadInput

HOLIDAYS = read_facts().school_holidays


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 11, 23), DayKind.SCHOOL_DAY),
        (date(2026, 11, 25), DayKind.SCHOOL_WEDNESDAY),
        (date(2026, 11, 11), DayKind.SUNDAY),
        (date(2026, 12, 28), DayKind.HOLIDAY_WEEKDAY),
        (date(2026, 11, 21), DayKind.SATURDAY),
        (date(2026, 11, 22), DayKind.SUNDAY),
    ],
)
def test_each_day_has_one_kind(day, kind):
    assert day_kind(day, HOLIDAYS) is kind


def test_the_window_is_whole_weeks_from_a_monday():
    window = make_window(date(2026, 11, 16), 26, HOLIDAYS)
    assert window.end == date(2026, 11, 16) + timedelta(days=181)
    assert sum(len(window.days([kind])) for kind in DayKind) == 182


@pytest.mark.parametrize(
    ("start", "weeks", "code"),
    [
        (date(2026, 11, 17), 26, "demo_start_not_monday"),
        (date(2026, 11, 16), 0, "demo_weeks_out_of_range"),
        (date(2028, 8, 21), 26, "demo_calendar_ends"),
    ],
)
def test_a_window_that_cannot_be_is_refused(start, weeks, code):
    with pytest.raises(BadInput) as refused:
        make_window(start, weeks, HOLIDAYS)
    assert refused.value.code == code
