"""Matching: which of many offers take a passenger along, the least effort first.

An index holds a row for each offer and looks at all of them with a few sums of arrays: who cannot be
there in time even at 130 km/h, or would drive too far even along the great circle, is left out. What is
left, some tens, is driven through exactly (`drives`). Chords through the earth stand for great circles:
they are shorter, so nothing is left out wrongly. Offers and bookings come and go without a new index.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from covoiturage.alone import Alone, look_at_all
from covoiturage.drives import (
    FARTHER,
    FASTEST_M_S,
    Near,
    PlannedDrive,
    Step,
    Ways,
    drive,
    list_matches,
    plan_drive,
    straight_ways,
)
from covoiturage.leaving import Departures, Leaving
from covoiturage.offers import Match, Offer, Taken, Wish
from socle.geo import EARTH_RADIUS_M, LatLon, distance_m, distances_m

N_MATCHES = 20
_NOWHERE: Step = (FARTHER, FARTHER)
_ROOM = 64  # rows, at first
_SPARE_M = 100.0  # for roundings to whole metres, and of chords
_MOST_KEPT = 20_000  # drives without anybody taken along, made once

Floats = NDArray[np.float64]


class OfferIndex:
    """Offers with what is taken of them. Not for several threads at once."""

    def __init__(self, ways: Ways = straight_ways, offers: Iterable[Offer] = ()) -> None:
        self._ways = ways
        self._offers: list[Offer | None] = []
        self._places: list[tuple[LatLon, LatLon]] = []  # first halt and last
        self._departures = Departures()
        self._row_of: dict[str, int] = {}
        self._free: list[int] = []
        self._taken: dict[str, dict[date, tuple[Taken, ...]]] = {}
        self._drives: OrderedDict[tuple[str, date], PlannedDrive] = OrderedDict()
        self._first = np.zeros((_ROOM, 3))  # metres from the centre of the earth
        self._last = np.zeros((_ROOM, 3))
        self._budget_m = np.zeros(_ROOM)  # that the way may have, detour and imprecision included
        self._budget_s = np.zeros(_ROOM, np.int64)
        self._longest_s = 0
        self._is_short = np.zeros(_ROOM, np.bool_)  # two halts
        self._is_taken = np.zeros(_ROOM, np.bool_)  # somebody, on some day
        self._comes = np.zeros(_ROOM, np.bool_)  # for passengers
        self._ends = np.zeros((_ROOM, 4))  # latitude and longitude of the first halt, then of the last
        self._terms = np.zeros((_ROOM, 5), np.int64)  # length in seconds and metres, detour likewise, seats
        for offer in offers:
            self.put(offer)

    def __len__(self) -> int:
        return len(self._row_of)

    def __iter__(self) -> Iterator[Offer]:
        return (offer for offer in self._offers if offer is not None)

    # --- what is there --------------------------------------------------------------------

    def put(self, offer: Offer) -> None:
        """Have an offer found, in place of one of the same id."""
        self.remove(offer.offer_id)
        if self._free:
            row = self._free.pop()
        else:
            row = len(self._offers)
            self._offers.append(None)
            self._places.append((offer.halts[0].at, offer.halts[-1].at))
            if row == len(self._budget_m):
                self._grow()
        self._offers[row], self._row_of[offer.offer_id] = offer, row
        self._places[row] = offer.halts[0].at, offer.halts[-1].at
        self._departures.put(row, offer.leaves)
        self._first[row], self._last[row] = _from_centre(offer.halts[0].at), _from_centre(offer.halts[-1].at)
        legs = pairwise(offer.halts)
        too_short_m = sum(max(0.0, distance_m(one.at, other.at) - other.along_m + one.along_m) for one, other in legs)
        detours = (offer.detour_m, offer.detour_s) if offer.takes_detours else (0, 0)
        self._budget_m[row] = offer.length_m + detours[0] + too_short_m + _SPARE_M
        self._budget_s[row] = offer.length_s + detours[1]
        self._longest_s = max(self._longest_s, int(self._budget_s[row]))
        self._is_short[row], self._comes[row] = len(offer.halts) == 2, offer.takes_detours
        self._is_taken[row] = offer.offer_id in self._taken
        self._ends[row] = *offer.halts[0].at, *offer.halts[-1].at
        self._terms[row] = offer.length_s, offer.length_m, detours[1], detours[0], offer.seats

    def remove(self, offer_id: str) -> None:
        """Have an offer found no more; what was taken of it is known still, should it come back."""
        row = self._row_of.pop(offer_id, None)
        if row is None:
            return
        self._offers[row] = None
        self._departures.remove(row)
        self._free.append(row)
        for key in [key for key in self._drives if key[0] == offer_id]:
            del self._drives[key]

    def take(self, offer_id: str, day: date, taken: Sequence[Taken]) -> None:
        """Say all that is taken of an offer on a day."""
        days = self._taken.setdefault(offer_id, {})
        days[day] = tuple(taken)
        if not taken:
            del days[day]
        self._drives.pop((offer_id, day), None)
        row = self._row_of.get(offer_id)
        if row is not None:
            self._is_taken[row] = bool(days)

    def get_drive(self, offer_id: str, day: date) -> PlannedDrive | None:
        """The drive of an offer on a day; None when there is no such offer or it does not leave."""
        row = self._row_of.get(offer_id)
        offer = None if row is None else self._offers[row]
        leave_at = None if offer is None else offer.find_leaving(day)
        return None if offer is None or leave_at is None else self._planned(offer, day, leave_at)

    def _planned(self, offer: Offer, day: date, leave_at: int) -> PlannedDrive:
        key = (offer.offer_id, day)
        found = self._drives.get(key)
        if found is None:
            taken = self._taken.get(offer.offer_id, {}).get(day, ())
            found = self._drives[key] = plan_drive(offer, day, leave_at, taken, self._ways)
            if len(self._drives) > _MOST_KEPT:
                self._drives.popitem(last=False)
        return found

    def _grow(self) -> None:
        for name in (
            *("_first", "_last", "_budget_m", "_budget_s"),
            *("_is_short", "_is_taken", "_comes", "_ends", "_terms"),
        ):
            array = getattr(self, name)
            setattr(self, name, np.concatenate([array, np.zeros_like(array)]))

    # --- what is found ----------------------------------------------------------------------

    def search(self, wish: Wish, limit: int = N_MATCHES) -> list[Match]:
        """The best way along with each drive that takes the passenger, by `Match.rank`."""
        between = wish.at - wish.tolerance_s, wish.at + wish.tolerance_s
        found = self._near_enough(wish.origin, wish.destination, between, wish.walk_m, wish.arrive_by)
        is_alone = self._are_alone(found)
        others = found.of(~is_alone).tell()
        drives = [self._planned(self._offer(row), day, leave_at) for row, day, leave_at in others]
        nears = look_around(drives, wish, self._ways) if drives else []
        looked_at = [*zip(drives, nears, strict=True), *self._look_at(found.of(is_alone), wish)]
        best = []
        for planned, near in looked_at:
            match = min(list_matches(planned, wish, near), key=lambda one: one.rank(wish), default=None)
            if match is not None:
                best.append(match)
        return sorted(best, key=lambda one: one.rank(wish))[:limit]

    def _are_alone(self, leaving: Leaving) -> NDArray[np.bool_]:
        """Which go between two places with nobody taken along."""
        alone: NDArray[np.bool_] = self._is_short[leaving.rows]
        doubtful = np.flatnonzero(alone & self._is_taken[leaving.rows])
        for n, (row, day, _) in zip(doubtful.tolist(), leaving.of(doubtful).tell(), strict=True):
            alone[n] = day not in self._taken.get(self._offer(row).offer_id, ())
        return alone

    def _look_at(self, leaving: Leaving, wish: Wish) -> Iterator[tuple[PlannedDrive, Near]]:
        """Those of drives with nobody taken along that may do."""
        leaving = leaving.of(self._terms[leaving.rows, 4] >= wish.seats)
        if not len(leaving.rows):
            return
        places = [self._places[row] for row in leaving.rows.tolist()]
        drives = Alone(
            [first for first, _ in places],
            [last for _, last in places],
            self._ends[leaving.rows],
            leaving.at,
            *self._terms[leaving.rows, :4].T,
        )
        found = list(look_at_all(drives, wish, self._ways))
        told = leaving.of(np.array([n for n, _ in found], np.intp)).tell()
        for (row, day, leave_at), (_, near) in zip(told, found, strict=True):
            yield self._planned(self._offer(row), day, leave_at), near

    def list_weekly(self, origin: LatLon, destination: LatLon, walk_m: float) -> list[Offer]:
        """Weekly offers with halts within `walk_m` of one place, then of the other: all these, and few others."""
        rows = np.arange(len(self._offers))
        rows = rows[self._departures.are_weekly(rows)]
        near = self._near(rows, origin, destination, walk_m)
        return [self._offer(row) for row in rows[near.is_long_enough & near.may_halt].tolist()]

    def list_near(
        self,
        origin: LatLon,
        destination: LatLon,
        at: int,
        tolerance_s: int,
        walk_m: float,
        *,
        arrive_by: bool = False,
    ) -> list[PlannedDrive]:
        """Drives with halts within `walk_m` of a place around an instant, then of the other: all these, and few others.

        `arrive_by`: the instant is that of the arrival.
        """
        between = at - tolerance_s, at + tolerance_s
        found = self._near_enough(origin, destination, between, walk_m, arrive_by, at_halts=True)
        return [self._planned(self._offer(row), day, leave_at) for row, day, leave_at in found.tell()]

    def _offer(self, row: int) -> Offer:
        offer = self._offers[row]
        if offer is None:
            raise LookupError(row)
        return offer

    def _near_enough(
        self,
        origin: LatLon,
        destination: LatLon,
        between: tuple[int, int],
        walk_m: float,
        arrive_by: bool,
        *,
        at_halts: bool = False,
    ) -> Leaving:
        earliest, latest = between
        leaving = self._departures.between(earliest - self._longest_s, latest)
        leaving = leaving.of(leaving.at >= earliest - self._budget_s.take(leaving.rows))
        near = self._near(leaving.rows, origin, destination, walk_m)
        may = np.flatnonzero(near.is_long_enough & (near.may_halt if at_halts else near.may_come))
        leaving, to_m, from_m = leaving.of(may), near.to_m.take(may), near.from_m.take(may)
        # Seconds from leaving until one is met, and from being left until the end, at the least.
        before_s = np.maximum(to_m - walk_m, 0.0) / FASTEST_M_S
        after_s = np.maximum(from_m - walk_m, 0.0) / FASTEST_M_S
        aboard_s = max(near.between_m - 2 * walk_m, 0.0) / FASTEST_M_S
        if arrive_by:
            before_s = before_s + aboard_s
        else:
            after_s = after_s + aboard_s
        since, until = earliest + after_s - self._budget_s[leaving.rows], latest - before_s  # when one may leave
        return leaving.of((since <= leaving.at) & (leaving.at <= until))

    def _near(self, rows: NDArray[np.intp], origin: LatLon, destination: LatLon, walk_m: float) -> _Nearness:
        """How near some rows come to two places, at the best.

        Who goes between two places is met there on foot, or comes; who does not come, at both on foot.
        """
        one, other = _from_centre(origin), _from_centre(destination)
        to_m, from_m = _chords(self._first.take(rows, axis=0), one), _chords(self._last.take(rows, axis=0), other)
        between_m = float(_chords(one[None, :], other)[0])
        walks_m = walk_m + _SPARE_M
        begins, ends = to_m <= walks_m, from_m <= walks_m
        is_long, comes = ~self._is_short.take(rows), self._comes.take(rows)
        on_foot_m = np.where(is_long, 4 * walk_m, 2 * (to_m * begins + from_m * ends))
        is_long_enough = to_m + between_m + from_m <= self._budget_m.take(rows) + on_foot_m
        may_halt = is_long | (begins & ends)
        return _Nearness(to_m, from_m, between_m, is_long_enough, may_halt, comes | may_halt)


class _Nearness(NamedTuple):
    """Of some rows: metres from the ends of their ways to two places, and what they may do there."""

    to_m: Floats
    from_m: Floats
    between_m: float
    is_long_enough: NDArray[np.bool_]
    may_halt: NDArray[np.bool_]  # so near to both; of those with more than two halts one cannot say
    may_come: NDArray[np.bool_]


def look_around(drives: Sequence[PlannedDrive], wish: Wish, ways: Ways) -> list[Near]:
    """How far the ends of a wish are from the calls of each drive; the ways are asked once for all that take detours.

    First what is driven after the passenger is met and before they are left: it says how long the rest may take,
    which is seldom much. What takes longer than any of these drivers has is FARTHER.
    """
    coming = [planned for planned in drives if planned.offer.takes_detours]
    between, driven = _drive_around(coming, wish, ways)
    places = np.array([call.at for planned in drives for call in planned.calls], np.float64).reshape(-1, 2)
    to, back = (
        distances_m(end.lat, end.lon, places[:, 0], places[:, 1]).tolist() for end in (wish.origin, wish.destination)
    )
    found: list[Near] = []
    first = begin = 0
    for planned in drives:
        n = len(planned.calls)
        if planned.offer.takes_detours:
            one, two, three, four = (side[begin : begin + n] for side in driven)
            begin += n
        else:
            one = two = three = four = [_NOWHERE] * n
        found.append(Near(one, two, three, four, between, to[first : first + n], back[first : first + n]))
        first += n
    return found


def _drive_around(
    drives: Sequence[PlannedDrive], wish: Wish, ways: Ways
) -> tuple[Step, tuple[list[Step], list[Step], list[Step], list[Step]]]:
    """Between the ends of a wish; from all calls to where the passenger is, back, to where they go, back."""
    if not drives:
        return _NOWHERE, ([], [], [], [])
    places = [call.at for planned in drives for call in planned.calls]
    room_s = [max(call.latest for call in planned.calls) - planned.calls[0].instant for planned in drives]
    between, *from_board = drive(ways, [wish.origin], [wish.destination, *places], max(room_s))[0]
    to_alight = [step for (step,) in drive(ways, places, [wish.destination], max(room_s))]
    to_board_s = from_alight_s = first = 0
    for planned, whole_s in zip(drives, room_s, strict=True):
        last = first + len(planned.calls)
        to_board_s = max(to_board_s, whole_s - min(between[0], *(step[0] for step in from_board[first:last])))
        from_alight_s = max(from_alight_s, whole_s - min(between[0], *(step[0] for step in to_alight[first:last])))
        first = last
    to_board = [step for (step,) in drive(ways, places, [wish.origin], to_board_s)]
    from_alight = drive(ways, [wish.destination], places, from_alight_s)[0]
    return between, (to_board, from_board, to_alight, from_alight)


def _from_centre(place: LatLon) -> Floats:
    lat, lon = np.radians(place.lat), np.radians(place.lon)
    return EARTH_RADIUS_M * np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _chords(places: Floats, other: Floats) -> Floats:
    """Straight through the earth, right to the metre: |a - b|² is 2 R² - 2 a·b for places on its surface."""
    chords: Floats = np.sqrt(np.maximum(2 * EARTH_RADIUS_M**2 - 2 * (places @ other), 0.0))
    return chords
