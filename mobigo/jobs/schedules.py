"""Schedules: what comes back every day, at an hour of the service's own clocks, or every so many minutes.

An hour is an hour on the wall. Twice a year the wall is changed: in spring 02:30 does not
exist, and the work is done when a clock that nobody put forward shows it (03:30); in autumn
02:30 comes twice, and the work is done the first time. Either way once, a day after the last.

The next time of each schedule always stands in the queue, under a key that holds its day, so
a worker that was stopped over the hour does the work when it is back, once, however many days
it was away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mobigo.services.jobs import Planned
from socle.times import PARIS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Work of a kind to be done every day at an hour."""

    name: str
    kind: str
    at: time
    payload: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Often:
    """Work of a kind to be done again and again, at the instants that `every` divides."""

    name: str
    kind: str
    every: timedelta
    payload: Mapping[str, object] = field(default_factory=dict)


def next_time(schedule: Schedule | Often, now: datetime, zone: ZoneInfo = PARIS) -> Planned:
    """The first time of `schedule` after `now`."""
    if isinstance(schedule, Often):
        due = _EPOCH + ((now - _EPOCH) // schedule.every + 1) * schedule.every
        key = f"schedule:{schedule.name}:{due:%Y-%m-%dT%H:%M:%S}Z"
        return Planned(schedule.name, schedule.kind, schedule.payload, due, key)
    today = now.astimezone(zone).date()
    for n_days in (-1, 0, 1, 2):
        wall = datetime.combine(today + timedelta(days=n_days), schedule.at)
        due = wall.replace(tzinfo=zone).astimezone(UTC)  # fold 0: the first of two, the old clock's where there is none
        if due > now:
            key = f"schedule:{schedule.name}:{wall:%Y-%m-%dT%H:%M}"
            return Planned(schedule.name, schedule.kind, schedule.payload, due, key)
    raise AssertionError("a day has at most 25 hours")
