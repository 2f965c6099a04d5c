"""Calendar: the days of the demonstration and what kind of day each is.

Five kinds, each day having exactly one. A public holiday is a Sunday whatever its
weekday; a school Wednesday is kept apart because lessons end at noon.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from mobigo.demo.facts import SchoolHoliday
from socle.errors import BadInput
from socle.times import public_holidays


class DayKind(StrEnum):
    """What runs on a day."""

    SCHOOL_DAY = "school_day"  # Monday, Tuesday, Thursday, Friday with lessons
    SCHOOL_WEDNESDAY = "school_wednesday"
    HOLIDAY_WEEKDAY = "holiday_weekday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"  # and public holidays


WEEKDAYS = frozenset({DayKind.SCHOOL_DAY, DayKind.SCHOOL_WEDNESDAY, DayKind.HOLIDAY_WEEKDAY})


@dataclass(frozen=True, slots=True)
class Window:
    """The days that the demonstration covers, and the kind of each."""

    start: date
    weeks: int
    kinds: tuple[DayKind, ...]  # of start, start + 1, …

    @property
    def end(self) -> date:
        """The last day."""
        return self.start + timedelta(days=len(self.kinds) - 1)

    def days(self, kinds: Iterable[DayKind]) -> list[date]:
        """The days of these kinds, in order."""
        wanted = frozenset(kinds)
        return [self.start + timedelta(days=n) for n, kind in enumerate(self.kinds) if kind in wanted]


def day_kind(day: date, school_holidays: Iterable[SchoolHoliday]) -> DayKind:
    """What kind of day `day` is."""
    if day.weekday() == 6 or day in public_holidays(day.year):
        return DayKind.SUNDAY
    if day.weekday() == 5:
        return DayKind.SATURDAY
    if any(holiday.first_day <= day <= holiday.last_day for holiday in school_holidays):
        return DayKind.HOLIDAY_WEEKDAY
    return DayKind.SCHOOL_WEDNESDAY if day.weekday() == 2 else DayKind.SCHOOL_DAY


def make_window(start: date, weeks: int, school_holidays: Iterable[SchoolHoliday]) -> Window:
    """The window of `weeks` weeks from the Monday `start`.

    Raises:
        BadInput: `demo_start_not_monday`, `demo_weeks_out_of_range`, or `demo_calendar_ends`
            when school holidays are not known for the whole window.
    """
    holidays = tuple(school_holidays)
    if start.weekday() != 0:
        raise BadInput("demo_start_not_monday", start=start.isoformat())
    if not 1 <= weeks <= 104:
        raise BadInput("demo_weeks_out_of_range", weeks=weeks)
    first, last = min(h.first_day for h in holidays), max(h.last_day for h in holidays)
    end = start + timedelta(days=7 * weeks - 1)
    if start < first or end > last:
        raise BadInput("demo_calendar_ends", first=first.isoformat(), last=last.isoformat())
    kinds = tuple(day_kind(start + timedelta(days=n), holidays) for n in range(7 * weeks))
    return Window(start=start, weeks=weeks, kinds=kinds)
