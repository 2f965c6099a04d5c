"""Feeder: a way to reach public transport, to leave it, or to go all the way, that nobody timetabled.

A feeder is one direction of a line with stops. Who is at its first stop at an instant of its hours expects to be
driven off `wait_s` later; at a stop further on everything is later by the drive to it. So one instant, the *head*,
says when one is where: at stop i at `head + drive_s[i]`, off at stop j at `head + wait_s + drive_s[j]`. The search
reasons in heads, and hours are intervals of them. A ride that somebody announced has hours of one instant and no wait.

The search never learns what is paid or who drives: `about` is for whoever made the feeder and is not read here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from socle.geo import LatLon
from socle.times import PARIS, day_number, day_of_number, local_day, service_day_start


@dataclass(frozen=True, slots=True)
class FeederStop:
    """Where one gets in or out; `stop_id` as answers tell it, without their tag."""

    stop_id: str
    name: str
    at: LatLon


@dataclass(frozen=True, slots=True)
class Opening:
    """Seconds of the service day between which heads lie, both included, and the wait to expect."""

    from_s: int
    until_s: int
    wait_s: int


class Window(NamedTuple):
    """An opening on a day: instants."""

    first: int
    last: int
    wait_s: int


@dataclass(frozen=True, eq=False)
class Feeder:
    """One direction of a line; `days` are weekdays, Monday 0, from `first_day` to `last_day` included."""

    feeder_id: str
    line_id: str
    name: str
    long_name: str
    stops: tuple[FeederStop, ...]
    drive_s: tuple[int, ...]  # [n_stops] from the first
    drive_m: tuple[int, ...]  # [n_stops] likewise
    openings: tuple[Opening, ...]
    days: frozenset[int]
    first_day: date
    last_day: date | None = None
    direction: int = 0
    mode: str = "RIDE_SHARING"
    paths: tuple[tuple[LatLon, ...], ...] = ()  # [n_stops - 1] ways between stops; none: straight lines
    zone: ZoneInfo = PARIS
    about: Any = field(default=None, repr=False)

    def windows(self, begin: int, end: int) -> list[Window]:
        """The openings with a head in `[begin, end]`, in order."""
        if end < begin:
            return []
        found = []
        first, last = (day_number(local_day(instant, self.zone)) for instant in (begin, end))
        for number in range(first - 1, last + 1):
            day = day_of_number(number)
            if day.weekday() in self.days and self.first_day <= day and (self.last_day is None or day <= self.last_day):
                start = service_day_start(day, self.zone)
                found += [
                    Window(start + one.from_s, start + one.until_s, one.wait_s)
                    for one in self.openings
                    if start + one.from_s <= end and start + one.until_s >= begin
                ]
        return found

    def path_between(self, first: int, last: int) -> tuple[LatLon, ...]:
        """The way from stop to stop."""
        if not self.paths:
            return tuple(stop.at for stop in self.stops[first : last + 1])
        points: list[LatLon] = []
        for path in self.paths[first:last]:
            points += path[1:] if points else path
        return tuple(points)


def head_before(windows: Sequence[Window], driven_by: int) -> tuple[int, int] | None:
    """The latest head, and its wait, with which one is driven off (at the first stop) by an instant."""
    heads = [
        (head, window.wait_s)
        for window in windows
        if (head := min(window.last, driven_by - window.wait_s)) >= window.first
    ]
    return max(heads, key=lambda one: (one[0], -one[1]), default=None)


def head_after(windows: Sequence[Window], there_at: int) -> tuple[int, int] | None:
    """The head, and its wait, with which one who is there (at the first stop) at an instant is driven off first."""
    heads = [(head, window.wait_s) for window in windows if (head := max(window.first, there_at)) <= window.last]
    return min(heads, key=lambda one: (one[0] + one[1], -one[0]), default=None)
