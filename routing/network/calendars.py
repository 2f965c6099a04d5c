"""Calendars: calendar.txt and calendar_dates.txt as one row of day bits per service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from routing.network.columns import AnyFeed, days, ints, rows_of, texts
from socle.times import day_number, day_of_number

STRAY_SHARE = 0.01  # of the trips of a usual day; the quietest Sunday of a real network has ten times more
KEPT_EMPTY_DAYS = 6  # at an edge: a feed may well begin with a weekend or a holiday without service
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2099, 12, 31)  # "for ever" is written 00010101 and 99991231
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday


@dataclass(frozen=True, slots=True)
class Calendars:
    """Which services run on which days."""

    service_ids: list[str]
    first_day: date
    n_days: int
    runs: NDArray[np.bool_]  # [n_services, n_days]

    def packed(self) -> NDArray[np.uint8]:
        """Bit `d & 7` of byte `d >> 3` is day `d`."""
        return np.packbits(self.runs, axis=1, bitorder="little")


def make_calendars(feed: AnyFeed) -> Calendars:
    """The calendars of a feed from 1970 to 2099; a service that is named by trips alone never runs."""
    ids = texts(feed, "calendar", "service_id")
    dated = texts(feed, "calendar_dates", "service_id")
    named = list(dict.fromkeys([*ids, *dated, *texts(feed, "trips", "service_id")]))
    row = rows_of(named)

    starts, ends = days(feed, "calendar", "start_date"), days(feed, "calendar", "end_date")
    dates = days(feed, "calendar_dates", "date")
    told = [day for day in (*starts, *ends, *dates) if day is not None]
    if not told or max(told) < FIRST_DAY or min(told) > LAST_DAY:
        return Calendars(named, FIRST_DAY, 0, np.zeros((len(named), 0), np.bool_))
    first, last = day_number(max(min(told), FIRST_DAY)), day_number(min(max(told), LAST_DAY))
    runs = np.zeros((len(named), last - first + 1), np.bool_)

    weekday = (np.arange(first, last + 1) + _EPOCH_WEEKDAY) % 7
    served = np.stack([ints(feed, "calendar", name, 0) for name in WEEKDAYS], axis=1) == 1
    for service, start, end, on in zip(ids, starts, ends, served, strict=True):
        if start is not None and end is not None:
            span = slice(max(0, day_number(start) - first), max(0, day_number(end) - first + 1))
            runs[row[service], span] |= on[weekday[span]]

    exceptions = ints(feed, "calendar_dates", "exception_type", 1)
    for service, day, exception in zip(dated, dates, exceptions.tolist(), strict=True):
        if day is not None and first <= day_number(day) <= last:
            runs[row[service], day_number(day) - first] = exception == 1
    return Calendars(named, day_of_number(first), last - first + 1, runs)


def without_stray_days(calendars: Calendars, n_trips: NDArray[np.int64]) -> Calendars:
    """`calendars` from the first to the last day of the timetable proper; `n_trips` of each service.

    A service that should have been taken out long ago, or an exception years away, would
    make a timetable of weeks pretend to cover years and answer that nothing runs there.
    Feeds themselves are not cut: only what travellers are told to ask about.
    """
    if not calendars.n_days:
        return calendars
    of_day = np.zeros(calendars.n_days, np.int64)
    for trips, runs in zip(n_trips.tolist(), calendars.runs, strict=True):  # a product would widen every bit to 8 bytes
        of_day += trips * runs
    if not of_day.any():
        return calendars
    usual = np.median(of_day[of_day > 0])  # not the busiest: one feed gives a single day all trips of two years
    proper = np.flatnonzero(of_day >= max(1.0, STRAY_SHARE * float(usual)))
    first, end = int(proper[0]), int(proper[-1]) + 1
    if first <= KEPT_EMPTY_DAYS and not of_day[:first].any():
        first = 0
    if calendars.n_days - end <= KEPT_EMPTY_DAYS and not of_day[end:].any():
        end = calendars.n_days
    start = day_of_number(day_number(calendars.first_day) + first)
    return Calendars(calendars.service_ids, start, end - first, calendars.runs[:, first:end])
