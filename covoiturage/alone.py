"""Alone: drives between two places with nobody taken along yet, looked at all at once.

That is most of what is offered. One more can be met and left in four ways only: each at the driver's own
end of the way, on foot, or where the passenger is. Whether one of them may do is a few sums of arrays;
`drives.list_matches` then says of the few that are left what exactly they offer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from covoiturage.drives import FARTHER, Near, Step, Ways, drive_table
from covoiturage.offers import Wish
from socle.geo import LatLon, distances_m

Longs = NDArray[np.int64]
Bools = NDArray[np.bool_]
Steps = tuple[Longs, Longs]  # seconds, metres

_NOWHERE: Step = (FARTHER, FARTHER)


@dataclass(frozen=True, slots=True)
class Alone:
    """Such drives, one a row."""

    first: Sequence[LatLon]
    last: Sequence[LatLon]
    at: NDArray[np.float64]  # [n, 4] latitude and longitude of the first place, then of the last
    leave_at: Longs
    length_s: Longs
    length_m: Longs
    detour_s: Longs  # 0: the driver comes for nobody
    detour_m: Longs


def look_at_all(drives: Alone, wish: Wish, ways: Ways) -> Iterator[tuple[int, Near]]:
    """The drives that may take the passenger of a wish along, and how far they are from where that would be."""
    on_foot = (
        distances_m(wish.origin.lat, wish.origin.lon, drives.at[:, 0], drives.at[:, 1]),
        distances_m(wish.destination.lat, wish.destination.lon, drives.at[:, 2], drives.at[:, 3]),
    )
    coming = np.flatnonzero(drives.detour_s > 0)
    between, driven = _drive_around(drives, coming, wish, ways)
    chosen = np.flatnonzero(_may_do(drives, wish, on_foot, between, driven)).tolist()
    told = [list(zip(*(side[chosen].tolist() for side in steps), strict=True)) for steps in driven]
    for n, row in enumerate(chosen):
        to_board, from_board, to_alight, from_alight = (steps[n] for steps in told)
        yield (
            row,
            Near(
                (to_board, _NOWHERE),
                (_NOWHERE, from_board),
                (to_alight, _NOWHERE),
                (_NOWHERE, from_alight),
                between,
                (float(on_foot[0][row]), np.inf),
                (np.inf, float(on_foot[1][row])),
            ),
        )


def _drive_around(drives: Alone, coming: NDArray[np.intp], wish: Wish, ways: Ways) -> tuple[Step, list[Steps]]:
    """Between the ends of a wish; then first place → where the passenger is → last place; → where they go → last place.

    Two tables: each has a price of its own, and more places cost little where the streets are contracted.
    """
    n = len(drives.leave_at)
    driven: list[Steps] = [(np.full(n, FARTHER, np.int64), np.full(n, FARTHER, np.int64)) for _ in range(4)]
    if not len(coming):
        return _NOWHERE, driven
    first, last = ([places[row] for row in coming.tolist()] for places in (drives.first, drives.last))
    longest = int((drives.length_s + drives.detour_s)[coming].max())
    come_s, come_m = drive_table(ways, first, [wish.origin, wish.destination], longest)
    go_s, go_m = drive_table(ways, [wish.origin, wish.destination], [wish.destination, *last], longest)
    for whole, seconds, metres in (
        (driven[0], come_s[:, 0], come_m[:, 0]),
        (driven[1], go_s[0, 1:], go_m[0, 1:]),
        (driven[2], come_s[:, 1], come_m[:, 1]),
        (driven[3], go_s[1, 1:], go_m[1, 1:]),
    ):
        whole[0][coming], whole[1][coming] = seconds, metres
    return (int(go_s[0, 0]), int(go_m[0, 0])), driven


def _may_do(
    drives: Alone,
    wish: Wish,
    on_foot: tuple[NDArray[np.float64], NDArray[np.float64]],
    between: Step,
    driven: list[Steps],
) -> Bools:
    """Which drives meet the wish in one of the four ways."""
    to_board, from_board, to_alight, from_alight = driven
    walks_to, walks_from = (metres <= wish.walk_m for metres in on_foot)
    start, end = drives.leave_at, drives.leave_at + drives.length_s
    most_s, most_m = drives.length_s + drives.detour_s, drives.length_m + drives.detour_m
    ride_s, ride_m = between

    def is_within(seconds: Longs, metres: Longs) -> Bools:
        within: Bools = (seconds <= most_s) & (metres <= most_m)
        return within

    def is_on_time(board_at: Longs, alight_at: Longs) -> Bools:
        met = alight_at if wish.arrive_by else board_at
        on_time: Bools = (np.abs(met - wish.at) <= wish.tolerance_s) & (board_at >= wish.not_before)
        return on_time

    board_at, alight_at = start + to_board[0], start + to_alight[0]
    left_at = board_at + ride_s
    both_s, both_m = to_board[0] + ride_s + from_alight[0], to_board[1] + ride_m + from_alight[1]
    found: Bools = walks_to & walks_from & is_on_time(start, end)
    found |= (
        walks_to
        & is_within(to_alight[0] + from_alight[0], to_alight[1] + from_alight[1])
        & is_on_time(start, alight_at)
    )
    came_by = np.maximum(end, board_at + from_board[0])
    found |= (
        walks_from & is_within(to_board[0] + from_board[0], to_board[1] + from_board[1]) & is_on_time(board_at, came_by)
    )
    found |= is_within(both_s, both_m) & is_on_time(board_at, left_at)
    return found
