"""The days of a timetable: which belong to it, and which are strays."""

from datetime import date, timedelta

import numpy as np
import pytest

from routing.gtfs.feed import make_feed
from routing.network.calendars import WEEKDAYS, Calendars, make_calendars, without_stray_days

BEGIN = date(2026, 11, 2)


def calendars(*lines: str) -> Calendars:
    """One service a line, one day a letter: x runs, . does not."""
    runs = np.array([[letter == "x" for letter in line] for line in lines])
    return Calendars([f"s{n}" for n in range(len(lines))], BEGIN, runs.shape[1], runs)


@pytest.mark.parametrize(
    ("lines", "n_trips", "first", "n_days"),
    [
        # one forgotten coach, two weeks before five hundred vehicles a day
        (("xx............", "........xxxxxx"), (1, 500), 8, 6),
        # and one left behind after them
        (("xxxxxx........", "............xx"), (500, 1), 0, 6),
        # as many as one in a hundred is a timetable of its own
        (("xx............", "........xxxxxx"), (5, 500), 0, 14),
        # a small network has no strays: one of two trips is half of it
        (("x.............", "........xxxxxx"), (1, 2), 0, 14),
        # a weekend without service is part of the timetable, a year is not
        (("..xxxxxxx",), (500,), 0, 9),
        (("." * 360 + "xxxxx",), (500,), 360, 5),
        # nothing runs at all
        (("....",), (500,), 0, 4),
    ],
)
def test_stray_days_at_the_edges_are_no_part_of_the_timetable(lines, n_trips, first, n_days):
    whole = calendars(*lines)
    kept = without_stray_days(whole, np.array(n_trips))
    assert (kept.first_day, kept.n_days) == (BEGIN + timedelta(days=first), n_days)
    assert (kept.runs == whole.runs[:, first : first + n_days]).all()


def test_a_quiet_day_in_the_middle_stays():
    whole = calendars("xxx.xxx", "...x...")
    assert without_stray_days(whole, np.array([500, 1])).n_days == 7


def test_for_ever_is_from_1970_to_2099():
    feed = make_feed(
        "ever",
        {
            "calendar": {
                "service_id": ["ever", "long ago"],
                **{name: [1, 1] for name in WEEKDAYS},
                "start_date": ["00010101", "00010101"],
                "end_date": ["99991231", "19691231"],
            },
            "calendar_dates": {"service_id": ["ever"] * 2, "date": ["00020101", "20261124"], "exception_type": [1, 2]},
        },
    )
    made = make_calendars(feed)
    assert (made.first_day, made.n_days) == (date(1970, 1, 1), 47_482)
    assert made.runs.sum(axis=1).tolist() == [47_481, 0]
