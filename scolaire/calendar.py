"""Calendar: the days with school in zone A, to which Besançon and Dijon belong.

A day has school unless it is a Sunday, a public holiday or within the holidays of the table. Saturdays count: which
coaches run on them is said by the days of a period. Beyond the table nothing is known, and that is told.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Final

from socle.errors import BadInput
from socle.times import public_holidays

TABLE: Final = "holidays_zone_a.csv"
_SUNDAY: Final = 6


@dataclass(frozen=True, slots=True)
class Holidays:
    """Days without school, first and last included."""

    first_day: date
    last_day: date
    title: str


@cache
def zone_a() -> tuple[Holidays, ...]:
    """The holidays of the table, in order."""
    rows = csv.DictReader(files("scolaire").joinpath(TABLE).read_text("utf-8").splitlines())
    return tuple(
        Holidays(date.fromisoformat(row["first_day"]), date.fromisoformat(row["last_day"]), row["name"]) for row in rows
    )


def is_known(day: date) -> bool:
    """Whether the table tells if there is school on a day."""
    table = zone_a()
    return table[0].first_day <= day <= table[-1].last_day


def has_school(day: date) -> bool:
    """Whether there is school on a day.

    Raises:
        BadInput: `calendar_unknown` outside the table.
    """
    table = zone_a()
    if not is_known(day):
        raise BadInput("calendar_unknown", first=table[0].first_day.isoformat(), last=table[-1].last_day.isoformat())
    if day.weekday() == _SUNDAY or day in public_holidays(day.year):
        return False
    return not any(one.first_day <= day <= one.last_day for one in table)


def school_days(month: str) -> tuple[date, ...]:
    """The days with school of a month such as `2026-11`.

    Raises:
        BadInput: `bad_month`, `calendar_unknown`.
    """
    day = first_of(month)
    found = []
    while f"{day:%Y-%m}" == month:
        if has_school(day):
            found.append(day)
        day += timedelta(days=1)
    return tuple(found)


def first_of(month: str) -> date:
    """The first day of a month.

    Raises:
        BadInput: `bad_month`.
    """
    try:
        day = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise BadInput("bad_month", month=month[:20]) from None
    if f"{day:%Y-%m}" != month:
        raise BadInput("bad_month", month=month[:20])
    return day


def month_before(month: str, n: int) -> str:
    """The month `n` months earlier."""
    day = first_of(month)
    before = day.year * 12 + day.month - 1 - n
    return f"{before // 12:04}-{before % 12 + 1:02}"
