"""Planned drives: one car, once, as it is planned with those it takes along, and how one more could be.

A detour moves what comes after it: nobody taken along already is met or left more than KEPT_S later
than they were first told, and the driver arrives within the detour they accept, counted over everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray

from covoiturage.offers import KEPT_S, Match, Meeting, Offer, Taken, Wish
from socle.geo import LatLon, distances_m
from socle.matrix import NEVER, TravelMatrix

Ways = Callable[[Sequence[LatLon], Sequence[LatLon], float | None], TravelMatrix]
"""What it takes to drive from each of some places to each of others; within so many seconds, where that is given.

NEVER stands for a place that no street is near, FARTHER for more than that many seconds.
"""

FARTHER = NEVER - 1

ROAD_FACTOR = 1.25  # road over great circle: mean of the six lines, 1.08 to 1.43 (covoiturage note, section 2.1)
ROAD_M_S = 60_000 / 3600  # 60 km/h, as between the region's towns
FASTEST_M_S = 130_000 / 3600

Step = tuple[int, int]  # seconds, metres


def straight_ways(
    origins: Sequence[LatLon], destinations: Sequence[LatLon], _within_s: float | None = None
) -> TravelMatrix:
    """The great circle made as long as roads are, where no streets are known."""
    metres = _straight_m(origins, destinations) * ROAD_FACTOR
    return TravelMatrix(np.ceil(metres / ROAD_M_S).astype(np.int32), np.rint(metres).astype(np.int32))


def drive(
    ways: Ways, origins: Sequence[LatLon], destinations: Sequence[LatLon], within_s: float | None = None
) -> list[list[Step]]:
    """As `drive_table`, step by step."""
    seconds, metres = drive_table(ways, origins, destinations, within_s)
    return [
        list(zip(row_s, row_m, strict=True)) for row_s, row_m in zip(seconds.tolist(), metres.tolist(), strict=True)
    ]


def drive_table(
    ways: Ways, origins: Sequence[LatLon], destinations: Sequence[LatLon], within_s: float | None = None
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Seconds and metres by the given ways, made possible: never shorter than the great circle nor above 130 km/h.

    A place that no street is near is reached straight. So much may be relied on by who looks for what is near enough.
    """
    found = ways(origins, destinations, within_s)
    seconds, metres = found.seconds, found.metres
    if (metres >= NEVER).any():
        instead = straight_ways(origins, destinations)
        seconds = np.where(metres >= NEVER, instead.seconds, seconds)
        metres = np.where(metres >= NEVER, instead.metres, metres)
    metres = np.maximum(metres, np.ceil(_straight_m(origins, destinations)).astype(np.int32))
    seconds = np.maximum(seconds, np.ceil(metres / FASTEST_M_S).astype(np.int32))
    return seconds, metres


def _straight_m(origins: Sequence[LatLon], destinations: Sequence[LatLon]) -> NDArray[np.float64]:
    one, other = _degrees(origins)[:, None], _degrees(destinations)[None, :]
    return distances_m(one[..., 0], one[..., 1], other[..., 0], other[..., 1])


def _degrees(places: Sequence[LatLon]) -> NDArray[np.float64]:
    """[n, 2]; number by number, which takes a quarter of what `np.array` does for a list of pairs."""
    return np.fromiter(chain.from_iterable(places), np.float64, 2 * len(places)).reshape(-1, 2)


@dataclass(frozen=True, slots=True)
class Call:
    """A place that the car passes: when, by when at the latest; `halt` of the offer, -1 where it comes for somebody."""

    at: LatLon
    instant: int
    latest: int
    halt: int


@dataclass(frozen=True, slots=True)
class PlannedDrive:
    """A car on one day: its calls in order, what is driven between them, who sits in it from which call to which."""

    offer: Offer
    day: date
    leave_at: int
    calls: tuple[Call, ...]
    legs: tuple[Step, ...]  # call k → call k + 1
    loads: tuple[int, ...]  # seats held between them
    held: tuple[tuple[str, int, int], ...]  # key, call of board, call of alight
    detour_m: int  # of those taken along already


def plan_drive(offer: Offer, day: date, leave_at: int, taken: Sequence[Taken], ways: Ways) -> PlannedDrive:
    """The drive of an offer that leaves at `leave_at`, with those who hold seats in it."""
    ends_at = leave_at + offer.length_s
    latest_end = ends_at + (offer.detour_s if offer.takes_detours else 0)
    last = len(offer.halts) - 1
    calls = [Call(halt.at, leave_at + halt.after_s, leave_at + halt.after_s, n) for n, halt in enumerate(offer.halts)]
    legs = [(other.after_s - one.after_s, other.along_m - one.along_m) for one, other in pairwise(offer.halts)]
    where: dict[tuple[str, int], int] = {}
    halts = list(range(last + 1))  # halt → call
    by_the_way = sorted(
        (meeting.instant, side, one.key, meeting, one)
        for one in taken
        for side, meeting in enumerate((one.board, one.alight))
        if meeting.halt < 0
    )
    if by_the_way:
        between: list[Call] = []
        for instant, side, key, meeting, one in by_the_way:
            where[key, side] = len(between) + 1
            between.append(Call(meeting.at, instant, one.promised[side] + KEPT_S, -1))
        calls = [calls[0], *between, calls[-1]]
        halts = [0, len(calls) - 1]
        places = [call.at for call in calls]
        table = drive(ways, places[:-1], places[1:])
        legs = [table[k][k] for k in range(len(table))]
        ends_at = max(ends_at, calls[-2].instant + legs[-1][0])
    if offer.takes_detours:
        leaving_there = [one.promised[1] + KEPT_S for one in taken if one.alight.halt == last]
        calls[-1] = Call(calls[-1].at, ends_at, max(ends_at, min([latest_end, *leaving_there])), last)
    held, loads = [], [0] * (len(calls) - 1)
    for one in taken:
        first = where[one.key, 0] if one.board.halt < 0 else halts[one.board.halt]
        end = where[one.key, 1] if one.alight.halt < 0 else halts[one.alight.halt]
        held.append((one.key, first, end))
        for k in range(first, end):
            loads[k] += one.seats
    detour_m = sum(metres for _, metres in legs) - offer.length_m
    return PlannedDrive(offer, day, leave_at, tuple(calls), tuple(legs), tuple(loads), tuple(held), detour_m)


@dataclass(frozen=True, slots=True)
class Near:
    """How far the ends of a wish are from the calls of a drive: driven there and back from there, and on foot."""

    to_board: Sequence[Step]  # call → where the passenger is
    from_board: Sequence[Step]
    to_alight: Sequence[Step]  # call → where the passenger goes
    from_alight: Sequence[Step]
    between: Step
    walk_to: Sequence[float]  # great-circle metres from where the passenger is to each call
    walk_from: Sequence[float]  # from each call to where the passenger goes


def list_matches(planned: PlannedDrive, wish: Wish, near: Near) -> Iterator[Match]:
    """Every way in which the passenger of a wish could be taken along; none to oneself."""
    offer, calls = planned.offer, planned.calls
    if offer.driver == wish.passenger:
        return
    boards = list(_ends(planned, near.walk_to, wish.walk_m))
    alights = list(_ends(planned, near.walk_from, wish.walk_m))
    last = len(calls) - 1
    for i, board_walk in boards:
        if i == last:
            continue
        for j, alight_walk in alights:
            comes_for, leads_to = board_walk is None, alight_walk is None
            last_stretch = j if leads_to else j - 1
            if last_stretch < i or last_stretch >= last:
                continue
            n_free = offer.seats - max(planned.loads[i : last_stretch + 1])
            if n_free < wish.seats:
                continue
            gone = _go(planned, near, i, j, comes_for=comes_for, leads_to=leads_to)
            if gone is None:
                continue
            times, board_at, alight_at, ride_m, detour_m = gone
            met = alight_at if wish.arrive_by else board_at
            if abs(met - wish.at) > wish.tolerance_s or board_at < wish.not_before or alight_at <= board_at:
                continue
            board = Meeting(wish.origin, board_at) if board_walk is None else _at(calls[i], board_at, board_walk)
            alight = (
                Meeting(wish.destination, alight_at) if alight_walk is None else _at(calls[j], alight_at, alight_walk)
            )
            yield Match(
                offer=offer,
                day=planned.day,
                leave_at=planned.leave_at,
                board=board,
                alight=alight,
                detour_s=times[-1] - calls[-1].instant,
                detour_m=detour_m,
                ride_m=ride_m,
                n_free=n_free,
                moved=_moved(planned, times),
            )


def _at(call: Call, instant: int, walk_m: int) -> Meeting:
    return Meeting(call.at, instant, call.halt, walk_m)


def _ends(planned: PlannedDrive, walks_m: Sequence[float], most_m: int) -> Iterator[tuple[int, int | None]]:
    """Where one may be met or left: at a call on foot (with its metres), or after a call by a detour (None)."""
    for k, call in enumerate(planned.calls):
        if call.halt >= 0 and walks_m[k] <= most_m:
            yield k, ceil(walks_m[k])
    if planned.offer.takes_detours:
        for k in range(len(planned.calls) - 1):
            yield k, None


def _go(
    planned: PlannedDrive, near: Near, i: int, j: int, *, comes_for: bool, leads_to: bool
) -> tuple[list[int], int, int, int, int] | None:
    """Go with one more aboard: new instants of the calls, of board and alight, metres aboard and of detour.

    None when somebody would be met too late, or the detour is longer than the driver accepts.
    """
    calls, legs = planned.calls, planned.legs
    times = [call.instant for call in calls]
    k, now, driven, without = i, times[i], 0, 0
    board_at, boarded_m, alight_at, alighted_m = now, 0, -1, 0
    is_beside = comes_for  # beside the planned way, where the passenger is
    if comes_for:
        seconds, driven = near.to_board[i]
        now += seconds
        board_at, boarded_m = now, driven
    while True:
        without += legs[k][1]
        if leads_to and k == j:
            seconds, metres = near.between if is_beside else near.to_alight[k]
            alight_at, alighted_m = now + seconds, driven + metres
            seconds, metres = near.from_alight[k + 1]
            now, driven = alight_at + seconds, alighted_m + metres
        else:
            seconds, metres = near.from_board[k + 1] if is_beside else legs[k]
            now, driven = now + seconds, driven + metres
        is_beside = False
        k += 1
        now = max(now, times[k])
        if now > calls[k].latest:
            return None
        times[k] = now
        if not leads_to and k == j:
            alight_at, alighted_m = now, driven
        if alight_at >= 0 and (k == len(calls) - 1 or now == calls[k].instant):
            break
    detour_m = driven - without
    if (comes_for or leads_to) and planned.detour_m + detour_m > planned.offer.detour_m:
        return None
    return times, board_at, alight_at, alighted_m - boarded_m, max(0, detour_m)


def _moved(planned: PlannedDrive, times: Sequence[int]) -> Mapping[str, tuple[int, int]]:
    calls = planned.calls
    return {
        key: (times[first], times[last])
        for key, first, last in planned.held
        if times[first] != calls[first].instant or times[last] != calls[last].instant
    }
