"""Times: service days, seconds of the service day, and instants.

Three kinds of time, never mixed:

- a *service day* is a `datetime.date`: the day a trip belongs to;
- a *time of the service day* is a whole number of seconds since that day's noon
  minus 12 hours (GTFS reference, field type Time), so 25:10:00 is 90_600, and on
  the days when clocks change it is not the time shown by a clock at midnight;
- an *instant* is a whole number of seconds since 1970-01-01T00:00:00Z.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
DAY_S = 86_400

_GTFS_TIME = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)")
_EPOCH = date(1970, 1, 1)


def find_gtfs_time_s(text: str) -> int | None:
    """Seconds of the service day written in `text` as H:MM:SS or HH:MM:SS, or None."""
    match = _GTFS_TIME.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds = (int(group) for group in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def render_gtfs_time(seconds: int) -> str:
    """`seconds` of the service day as HH:MM:SS, past 24:00:00 when they are."""
    if seconds < 0:
        raise ValueError(f"a time of the service day is not negative: {seconds}")
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def find_gtfs_date(text: str) -> date | None:
    """The day written in `text` as YYYYMMDD, or None."""
    text = text.strip()
    if len(text) != 8 or not text.isascii() or not text.isdigit():
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def render_gtfs_date(day: date) -> str:
    """`day` as YYYYMMDD."""
    return f"{day.year:04d}{day.month:02d}{day.day:02d}"


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def day_of_number(number: int) -> date:
    """The day that is `number` days after 1970-01-01."""
    return _EPOCH + timedelta(days=number)


def service_day_start(day: date, zone: ZoneInfo = PARIS) -> int:
    """The instant from which times of the service day `day` count: noon minus 12 hours."""
    noon = datetime.combine(day, time(12), tzinfo=zone)
    return int(noon.timestamp()) - DAY_S // 2


def local_day(instant: int, zone: ZoneInfo = PARIS) -> date:
    """The calendar day on which `instant` falls in `zone`."""
    return datetime.fromtimestamp(instant, zone).date()


def render_instant(instant: int) -> str:
    """`instant` as 2026-11-23T06:30:00Z."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar.

    Source: Meeus, Jones, Butcher (Nature, 1876).
    """
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


@cache
def public_holidays(year: int) -> frozenset[date]:
    """The eleven public holidays of France (code du travail, L. 3133-1)."""
    sunday = easter(year)
    fixed = {
        date(year, month, day) for month, day in ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
    }
    return frozenset(fixed | {sunday + timedelta(days=after) for after in (1, 39, 50)})
