"""Leaving: when each of many offers leaves, as arrays, so that those of some hours are found by a few comparisons.

Who leaves every week does so at one of few hours on the wall: which instants these are on a day is worked
out once for all of them. Rows are taken by their numbers, which numpy does three times faster than by a mask.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import date, time, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from covoiturage.offers import Weekly, leaving_at
from socle.times import day_number, day_of_number, local_day

_ROOM = 64  # rows, at first
_NO_DAY = np.iinfo(np.int32).max
_MOST_DAYS = 400  # whose instants are kept

Longs = NDArray[np.int64]


class Leaving(NamedTuple):
    """Offers that leave, each with the day and the instant."""

    rows: NDArray[np.intp]
    days: NDArray[np.int32]  # numbers of days; -1: once, so that the instant tells it
    at: Longs

    def of(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> Leaving:
        """Some of them."""
        if chosen.dtype == np.bool_:
            chosen = np.flatnonzero(chosen)
        return Leaving(self.rows.take(chosen), self.days.take(chosen), self.at.take(chosen))

    def tell(self) -> list[tuple[int, date, int]]:
        """Row, day and instant of each."""
        every = zip(self.rows.tolist(), self.days.tolist(), self.at.tolist(), strict=True)
        return [(row, local_day(at) if day < 0 else day_of_number(day), at) for row, day, at in every]


class Departures:
    """When the offers of an index leave: a row each."""

    def __init__(self) -> None:
        self._at = np.full(_ROOM, -1, np.int64)  # -1: weekly, or no offer
        self._weekdays = np.zeros(_ROOM, np.uint8)  # bit n: weekday n; 0: once, or no offer
        self._clock = np.zeros(_ROOM, np.int32)  # its place in `_clocks`
        self._from_day = np.zeros(_ROOM, np.int32)
        self._to_day = np.zeros(_ROOM, np.int32)
        self._but_not: dict[int, frozenset[date]] = {}
        self._clocks: dict[time, int] = {}
        self._instants: OrderedDict[date, Longs] = OrderedDict()

    def put(self, row: int, leaves: int | Weekly) -> None:
        """Say when the offer of a row leaves."""
        while row >= len(self._at):
            for name in ("_at", "_weekdays", "_clock", "_from_day", "_to_day"):
                array = getattr(self, name)
                setattr(self, name, np.concatenate([array, np.zeros_like(array)]))
        self.remove(row)
        if not isinstance(leaves, Weekly):
            self._at[row] = leaves
            return
        self._weekdays[row] = sum(1 << day for day in leaves.weekdays)
        self._clock[row] = self._clocks.setdefault(leaves.clock, len(self._clocks))
        self._from_day[row] = day_number(leaves.first)
        self._to_day[row] = _NO_DAY if leaves.last is None else day_number(leaves.last)
        if leaves.but_not:
            self._but_not[row] = leaves.but_not

    def remove(self, row: int) -> None:
        """Have nobody leave."""
        self._at[row], self._weekdays[row] = -1, 0
        self._but_not.pop(row, None)

    def are_weekly(self, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which of some rows leave every week."""
        weekly: NDArray[np.bool_] = self._weekdays[rows] > 0
        return weekly

    def between(self, earliest: int, latest: int) -> Leaving:
        """All that leave between two instants, both included."""
        once = np.flatnonzero((self._at >= max(earliest, 0)) & (self._at <= latest))
        found = [Leaving(once, np.full(len(once), -1, np.int32), self._at[once])]
        day, last = local_day(earliest), local_day(latest)
        while day <= last:
            found.append(self._on(day, earliest, latest))
            day += timedelta(days=1)
        return Leaving(*(np.concatenate(columns) for columns in zip(*found, strict=True)))

    def _on(self, day: date, earliest: int, latest: int) -> Leaving:
        """Those who leave every week, on a day."""
        instants, number = self._instants_of(day), day_number(day)
        in_time = (instants >= earliest) & (instants <= latest)
        rows = np.flatnonzero((self._weekdays & np.uint8(1 << day.weekday())) != 0)
        rows = rows.take(np.flatnonzero(in_time.take(self._clock.take(rows))))
        rows = rows[(self._from_day[rows] <= number) & (number <= self._to_day[rows])]
        if self._but_not:
            leaves = [day not in self._but_not.get(row, ()) for row in rows.tolist()]
            rows = rows[np.array(leaves, np.bool_)]
        return Leaving(rows, np.full(len(rows), number, np.int32), instants.take(self._clock.take(rows)))

    def _instants_of(self, day: date) -> Longs:
        """The instants at which the hours on the wall come that day."""
        known = self._instants.get(day)
        if known is None or len(known) < len(self._clocks):
            known = np.array([leaving_at(day, clock) for clock in self._clocks], np.int64)
            self._instants[day] = known
            if len(self._instants) > _MOST_DAYS:
                self._instants.popitem(last=False)
        return known
