"""The days of a timetable: which belong to it, and which are strays."""

from datetime import date, timedelta

import numpy as np
import pytest

from routing.network.calendars import Calendars, without_stray_days

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
