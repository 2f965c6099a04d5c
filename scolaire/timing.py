"""Timing: when a coach is where, from the order of its halts alone.

A run begins as late as every rule allows, ends as early as it then can, and takes pupils up as late as the halt
after it lets it: nobody gets up earlier than need be, and nobody waits aboard who could wait at home. All rules say
that one time is at least another one plus a constant, so that the latest times are exact, and found in a few passes.

Where families were told when a coach is at their stop, it is there then: by nobody's stop is it earlier or later by
more than must be, and by more than five minutes by as few pupils' as can be found. Nobody is given new times for
a change elsewhere on the run that leaves room for the old ones.

Where no times keep every rule, ride limits are given up first, then that coaches do not come too early in the
morning or leave too late after lessons: nobody is late for lessons, or left behind, and a checker names the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from scolaire.plans import MOVED_S, Halt, NoRoad, Period, Run, SchoolPlan, Spot, ride_max_of, window_of
from scolaire.ways import Ways, straight_way
from socle.geo import LatLon

AT_A_STOP_S: Final = 20
FOR_EACH_PUPIL_S: Final = 3
AT_A_SCHOOL_S: Final = 60
_FREE: Final = 1 << 40  # later than any time


@dataclass(frozen=True, slots=True)
class Timed:
    """A run with its times, and whether they keep windows, ride limits and roads."""

    run: Run
    is_kept: bool


@dataclass(frozen=True, slots=True)
class _Rules:
    """What times must satisfy: `least[i]` from the beginning of halt i to that of the next one."""

    stay: tuple[int, ...]
    least: tuple[int, ...]
    floor: tuple[int, ...]
    ceiling: tuple[int, ...]
    rides: tuple[tuple[int, int, int], ...]  # (up, down, most seconds between leaving and arriving)
    told: Mapping[int, int]  # halt -> when it begins by what families were told, those of most pupils first


def position_of(plan: SchoolPlan, halt: Halt) -> LatLon:
    """Where a coach halts."""
    if halt.stop is not None:
        return plan.stops[halt.stop].position
    return plan.schools[halt.school or 0].position


def spot_of(halt: Halt) -> Spot:
    """The stop or school of a halt."""
    return Spot(halt.stop, halt.school)


def stay_s(halt: Halt) -> int:
    """How long a coach halts."""
    if halt.school is not None:
        return AT_A_SCHOOL_S
    return AT_A_STOP_S + FOR_EACH_PUPIL_S * (len(halt.up) + len(halt.down))


def timed(plan: SchoolPlan, run: Run, ways: Ways) -> Timed:
    """The run with its drives and times made anew; only the order of halts and who gets on and off count."""
    depot = plan.vehicle_types[run.vehicle_type].depot
    places = [position_of(plan, halt) for halt in run.halts]
    found = [ways.find(one, other) for one, other in zip([depot, *places], [*places, depot], strict=True)]
    drives = [
        straight_way(one, other) if way is None else way
        for way, one, other in zip(found, [depot, *places], [*places, depot], strict=True)
    ]
    has_roads = None not in found and not any(_barred(plan.no_roads, run.halts))
    halts = [
        replace(halt, arrives_s=0, leaves_s=stay_s(halt), drive_s=seconds, drive_m=metres)
        for halt, (seconds, metres) in zip(run.halts, drives, strict=False)
    ]
    times, is_kept = _times(plan, plan.periods[run.period], halts)
    timed_halts = tuple(
        replace(halt, arrives_s=time, leaves_s=time + halt.leaves_s) for halt, time in zip(halts, times, strict=True)
    )
    home = drives[-1]
    return Timed(replace(run, halts=timed_halts, home_s=home[0], home_m=home[1]), is_kept and has_roads)


def _barred(no_roads: Sequence[NoRoad], halts: Sequence[Halt]) -> Iterator[int]:
    """The places of halts that are driven to where no coach may drive."""
    if no_roads:
        for at, (one, other) in enumerate(pairwise(halts), start=1):
            if NoRoad(spot_of(one), spot_of(other)) in no_roads:
                yield at


def _times(plan: SchoolPlan, period: Period, halts: Sequence[Halt]) -> tuple[list[int], bool]:
    rules = _rules(plan, period, halts)
    only_up = [bool(halt.up) and not halt.down for halt in halts]
    times = _solve(rules, only_up)
    if times is not None:
        return times, True
    times = _solve(replace(rules, rides=()), only_up)
    if times is None:
        open_end = (
            replace(rules, rides=(), floor=(-_FREE,) * len(halts))
            if period.direction.is_to_school
            else replace(rules, rides=(), ceiling=(_FREE,) * len(halts))
        )
        times = _solve(open_end, only_up)
    if times is None:
        raise AssertionError("bounds on one side can always be kept")
    return times, False


def _rules(plan: SchoolPlan, period: Period, halts: Sequence[Halt]) -> _Rules:
    floor, ceiling = [-_FREE] * len(halts), [_FREE] * len(halts)
    stay = tuple(halt.leaves_s for halt in halts)
    shortest: dict[tuple[int, int], int] = {}
    boarded: dict[int, int] = {}
    to_school = period.direction.is_to_school
    for at, halt in enumerate(halts):
        for rider in halt.down:
            if rider in boarded:
                limit = ride_max_of(plan.schools[plan.riders[rider].school], period)
                pair = boarded.pop(rider), at
                shortest[pair] = min(limit, shortest.get(pair, limit))
        boarded.update(dict.fromkeys(halt.up, at))
        if halt.school is None or not (halt.down if to_school else halt.up):
            continue
        window = window_of(plan.schools[halt.school], period)
        if window is not None:
            late = 0 if to_school else stay[at]  # it is when coaches arrive that counts, or when they leave
            floor[at], ceiling[at] = window[0] - late, window[1] - late
    least = tuple(stay[at] + halts[at + 1].drive_s for at in range(len(halts) - 1))
    rides = tuple((up, down, most) for (up, down), most in shortest.items())
    asked = [(at, halt) for at, halt in enumerate(halts) if halt.told_s is not None]
    asked.sort(key=lambda one: -len(one[1].up) - len(one[1].down))
    told = {at: (halt.told_s or 0) - (stay[at] if to_school else 0) for at, halt in asked}
    return _Rules(stay, least, tuple(floor), tuple(ceiling), rides, told)


def _solve(rules: _Rules, only_up: Sequence[bool]) -> list[int] | None:
    latest = _latest(rules)
    if latest is None:
        return None
    if rules.told and (told := _kept_words(rules)):
        return _solve_as_told(rules, only_up, told)
    times = _earliest(rules, latest[0])
    if times[0] <= -_FREE // 2:  # nothing says when: a run without a bell is driven at midnight
        times = _earliest(rules, 0)
    for at in range(len(times) - 2, -1, -1):
        if only_up[at]:
            times[at] = min(latest[at], times[at + 1] - rules.least[at])
    return times


def _kept_words(rules: _Rules) -> dict[int, int]:
    """The halts that can be within `MOVED_S` of what was told: all, or as many as fit, those of most pupils first."""
    if _latest(_within(rules, rules.told, MOVED_S)) is not None:
        return dict(rules.told)
    kept: dict[int, int] = {}
    for at, time in rules.told.items():
        if _latest(_within(rules, {**kept, at: time}, MOVED_S)) is not None:
            kept[at] = time
    return kept


def _solve_as_told(rules: _Rules, only_up: Sequence[bool], told: Mapping[int, int]) -> list[int]:
    """Times that are off what was told by as little as can be, later only where something before makes them so."""
    low, most = 0, MOVED_S
    while low < most:
        middle = (low + most) // 2
        if _latest(_within(rules, told, middle)) is None:
            low = middle + 1
        else:
            most = middle
    held = _within(rules, told, most)
    latest = _latest(held) or []
    floor = tuple(max(low, min(told.get(at, low), latest[at])) for at, low in enumerate(held.floor))
    times = _earliest(replace(held, floor=floor), -_FREE)
    for at in range(len(times) - 2, -1, -1):
        if at not in told and (only_up[at] or times[at] <= -_FREE // 2):
            times[at] = min(latest[at], times[at + 1] - rules.least[at])
    return times


def _within(rules: _Rules, told: Mapping[int, int], most_s: int) -> _Rules:
    """The rules, and that no halt is off what was told by more than this."""
    floor, ceiling = list(rules.floor), list(rules.ceiling)
    for at, time in told.items():
        floor[at], ceiling[at] = max(floor[at], time - most_s), min(ceiling[at], time + most_s)
    return replace(rules, floor=tuple(floor), ceiling=tuple(ceiling))


def _latest(rules: _Rules) -> list[int] | None:
    """The latest times that keep every rule; None when there are none."""
    times = list(rules.ceiling)
    for _ in range(len(times) + 2):
        for at in range(len(times) - 2, -1, -1):
            times[at] = min(times[at], times[at + 1] - rules.least[at])
        is_moved = False
        for up, down, most in rules.rides:
            by = times[up] + rules.stay[up] + most
            if by < times[down]:
                times[down], is_moved = by, True
        if not is_moved:
            return times if all(time >= low for time, low in zip(times, rules.floor, strict=True)) else None
    return None


def _earliest(rules: _Rules, begins: int) -> list[int]:
    """The earliest times of a run that begins at `begins` at the earliest; there are some."""
    times = list(rules.floor)
    times[0] = max(times[0], min(begins, _FREE - 1) if begins < _FREE // 2 else times[0])
    is_moved = True
    while is_moved:
        for at, least in enumerate(rules.least, start=1):
            times[at] = max(times[at], times[at - 1] + least)
        is_moved = False
        for up, down, most in rules.rides:
            after = times[down] - rules.stay[up] - most
            if after > times[up]:
                times[up], is_moved = after, True
    return times
