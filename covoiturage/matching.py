"""Matching: which of many offers take a passenger along, the least effort first.

An index holds a row for each offer and looks at all of them with a few sums of arrays: who cannot be
there in time even at 130 km/h, or would drive too far even along the great circle, is left out. What is
left, some tens, is driven through exactly (`drives`). Chords through the earth stand for great circles:
they are shorter, so nothing is left out wrongly. Offers and bookings come and go without a new index.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, time, timedelta
from functools import lru_cache
from itertools import pairwise

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
from covoiturage.offers import Match, Offer, Taken, Weekly, Wish, leaving_at
from socle.geo import EARTH_RADIUS_M, LatLon, distance_m, distances_m
from socle.times import day_number, local_day

N_MATCHES = 20
_NOWHERE: Step = (FARTHER, FARTHER)
_ROOM = 64  # rows, at first
_SPARE_M = 100.0  # for roundings to whole metres, and of chords
_NO_DAY = np.iinfo(np.int32).max
_MOST_KEPT = 20_000  # drives without anybody taken along, made once

Floats = NDArray[np.float64]
Leaving = tuple[int, date, int]  # row, day and instant at which an offer leaves


class OfferIndex:
    """Offers with what is taken of them. Not for several threads at once."""

    def __init__(self, ways: Ways = straight_ways, offers: Iterable[Offer] = ()) -> None:
        self._ways = ways
        self._offers: list[Offer | None] = []
        self._row_of: dict[str, int] = {}
        self._free: list[int] = []
        self._taken: dict[str, dict[date, tuple[Taken, ...]]] = {}
        self._drives: OrderedDict[tuple[str, date], PlannedDrive] = OrderedDict()
        self._first = np.zeros((_ROOM, 3))  # metres from the centre of the earth
        self._last = np.zeros((_ROOM, 3))
        self._budget_m = np.zeros(_ROOM)  # that the way may have, detour and imprecision included
        self._budget_s = np.zeros(_ROOM, np.int64)
        self._leave_at = np.full(_ROOM, -1, np.int64)  # -1: weekly, or no offer
        self._clock_s = np.zeros(_ROOM, np.int64)
        self._weekdays = np.zeros(_ROOM, np.int64)  # bit n: weekday n; 0: once, or no offer
        self._from_day = np.zeros(_ROOM, np.int32)
        self._to_day = np.zeros(_ROOM, np.int32)
        self._is_short = np.zeros(_ROOM, np.bool_)  # two halts
        self._ends = np.zeros((_ROOM, 4))  # latitude and longitude of the first halt, then of the last
        self._terms = np.zeros((_ROOM, 5), np.int64)  # length in seconds and metres, detour likewise, seats
        for offer in offers:
            self.put(offer)

    def __len__(self) -> int:
        return len(self._row_of)

    # --- what is there --------------------------------------------------------------------

    def put(self, offer: Offer) -> None:
        """Have an offer found, in place of one of the same id."""
        self.remove(offer.offer_id)
        if self._free:
            row = self._free.pop()
        else:
            row = len(self._offers)
            self._offers.append(None)
            if row == len(self._budget_m):
                self._grow()
        self._offers[row], self._row_of[offer.offer_id] = offer, row
        self._first[row], self._last[row] = _from_centre(offer.halts[0].at), _from_centre(offer.halts[-1].at)
        legs = pairwise(offer.halts)
        too_short_m = sum(max(0.0, distance_m(one.at, other.at) - other.along_m + one.along_m) for one, other in legs)
        detours = (offer.detour_m, offer.detour_s) if offer.takes_detours else (0, 0)
        self._budget_m[row] = offer.length_m + detours[0] + too_short_m + _SPARE_M
        self._budget_s[row] = offer.length_s + detours[1]
        self._is_short[row] = len(offer.halts) == 2
        self._ends[row] = *offer.halts[0].at, *offer.halts[-1].at
        self._terms[row] = offer.length_s, offer.length_m, detours[1], detours[0], offer.seats
        if isinstance(offer.leaves, Weekly):
            weekly = offer.leaves
            self._leave_at[row], self._weekdays[row] = -1, sum(1 << day for day in weekly.weekdays)
            self._clock_s[row] = weekly.clock.hour * 3600 + weekly.clock.minute * 60 + weekly.clock.second
            self._from_day[row] = day_number(weekly.first)
            self._to_day[row] = _NO_DAY if weekly.last is None else day_number(weekly.last)
        else:
            self._leave_at[row], self._weekdays[row] = offer.leaves, 0

    def remove(self, offer_id: str) -> None:
        """Have an offer found no more; what was taken of it is known still, should it come back."""
        row = self._row_of.pop(offer_id, None)
        if row is None:
            return
        self._offers[row] = None
        self._leave_at[row], self._weekdays[row], self._budget_m[row] = -1, 0, -1.0
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
            *("_first", "_last", "_budget_m", "_budget_s", "_leave_at"),
            *("_clock_s", "_weekdays", "_from_day", "_to_day", "_is_short", "_ends", "_terms"),
        ):
            array = getattr(self, name)
            setattr(self, name, np.concatenate([array, np.zeros_like(array)]))

    # --- what is found ----------------------------------------------------------------------

    def search(self, wish: Wish, limit: int = N_MATCHES) -> list[Match]:
        """The best way along with each drive that takes the passenger, by `Match.rank`."""
        between = wish.at - wish.tolerance_s, wish.at + wish.tolerance_s
        found = self._near_enough(wish.origin, wish.destination, between, wish.walk_m, wish.arrive_by)
        alone: list[Leaving] = []
        others: list[Leaving] = []
        for one in found:
            row, day, _ = one
            offer_id = self._offer(row).offer_id
            is_alone = self._is_short[row] and day not in self._taken.get(offer_id, ())
            (alone if is_alone else others).append(one)
        drives = [self._planned(self._offer(row), day, leave_at) for row, day, leave_at in others]
        nears = look_around(drives, wish, self._ways) if drives else []
        looked_at = [*zip(drives, nears, strict=True), *self._look_at(alone, wish)]
        best = []
        for planned, near in looked_at:
            match = min(list_matches(planned, wish, near), key=lambda one: one.rank(wish), default=None)
            if match is not None:
                best.append(match)
        return sorted(best, key=lambda one: one.rank(wish))[:limit]

    def _look_at(self, leaving: Sequence[Leaving], wish: Wish) -> Iterator[tuple[PlannedDrive, Near]]:
        """Those of drives with nobody taken along that may do."""
        rows = np.array([row for row, _, _ in leaving], np.intp)
        room = self._terms[rows, 4] >= wish.seats
        leaving = [leaving[n] for n in np.flatnonzero(room).tolist()]
        rows = rows[room]
        if not leaving:
            return
        offers = [self._offer(row) for row, _, _ in leaving]
        drives = Alone(
            [offer.halts[0].at for offer in offers],
            [offer.halts[1].at for offer in offers],
            self._ends[rows],
            np.array([leave_at for _, _, leave_at in leaving], np.int64),
            *self._terms[rows, :4].T,
        )
        for n, near in look_at_all(drives, wish, self._ways):
            _, day, leave_at = leaving[n]
            yield self._planned(offers[n], day, leave_at), near

    def list_weekly(self, origin: LatLon, destination: LatLon, walk_m: float) -> list[Offer]:
        """Weekly offers with halts within `walk_m` of one place, then of the other: all these, and few others."""
        rows, to_m, from_m, _ = self._rows_near(origin, destination, walk_m)
        rows = rows[self._may_halt(rows, to_m, from_m, walk_m)]
        return [self._offer(row) for row in rows.tolist() if self._weekdays[row]]

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
        return [self._planned(self._offer(row), day, leave_at) for row, day, leave_at in found]

    def _offer(self, row: int) -> Offer:
        offer = self._offers[row]
        if offer is None:
            raise LookupError(row)
        return offer

    def _rows_near(
        self, origin: LatLon, destination: LatLon, walk_m: float
    ) -> tuple[NDArray[np.intp], Floats, Floats, float]:
        """Rows whose way may be long enough, the metres from their ends to the places, and between the places."""
        n = len(self._offers)
        one, other = _from_centre(origin), _from_centre(destination)
        to_m, from_m = _chords(self._first[:n], one), _chords(self._last[:n], other)
        between_m = float(_chords(one[None, :], other)[0])
        rows = np.flatnonzero(to_m + between_m + from_m <= self._budget_m[:n] + 4 * walk_m)
        return rows, to_m[rows], from_m[rows], between_m

    def _may_halt(self, rows: NDArray[np.intp], to_m: Floats, from_m: Floats, walk_m: float) -> NDArray[np.bool_]:
        """Of rows, those with halts so near to both places; of those with more than two one cannot say."""
        may: NDArray[np.bool_] = ~self._is_short[rows] | ((to_m <= walk_m + _SPARE_M) & (from_m <= walk_m + _SPARE_M))
        return may

    def _near_enough(
        self,
        origin: LatLon,
        destination: LatLon,
        between: tuple[int, int],
        walk_m: float,
        arrive_by: bool,
        *,
        at_halts: bool = False,
    ) -> list[Leaving]:
        rows, to_m, from_m, between_m = self._rows_near(origin, destination, walk_m)
        if at_halts:
            may = self._may_halt(rows, to_m, from_m, walk_m)
            rows, to_m, from_m = rows[may], to_m[may], from_m[may]
        if not len(rows):
            return []
        # Seconds from leaving until one is met, and from being left until the end, at the least.
        before_s = np.maximum(to_m - walk_m, 0.0) / FASTEST_M_S
        after_s = np.maximum(from_m - walk_m, 0.0) / FASTEST_M_S
        aboard_s = max(between_m - 2 * walk_m, 0.0) / FASTEST_M_S
        if arrive_by:
            before_s = before_s + aboard_s
        else:
            after_s = after_s + aboard_s
        earliest, latest = between
        since, until = earliest + after_s - self._budget_s[rows], latest - before_s  # when one may leave
        leave_at = self._leave_at[rows]
        once = (leave_at >= 0) & (since <= leave_at) & (leave_at <= until)
        found = [(row, local_day(at), at) for row, at in zip(rows[once].tolist(), leave_at[once].tolist(), strict=True)]
        weekly = np.flatnonzero(self._weekdays[rows])
        if not len(weekly):
            return found
        rows, since, until = rows[weekly], since[weekly], until[weekly]
        day, last_day = local_day(earliest - int(self._budget_s[rows].max())), local_day(latest)
        while day <= last_day:
            number = day_number(day)
            on = (self._weekdays[rows] >> day.weekday()) & 1 == 1
            on &= (self._from_day[rows] <= number) & (number <= self._to_day[rows])
            clocks, which = np.unique(self._clock_s[rows[on]], return_inverse=True)
            instants = np.array([_instant(day, clock_s) for clock_s in clocks.tolist()], np.int64)[which]
            in_time = (since[on] <= instants) & (instants <= until[on])
            for row, at in zip(rows[on][in_time].tolist(), instants[in_time].tolist(), strict=True):
                weeks = self._offer(row).leaves
                if isinstance(weeks, Weekly) and day not in weeks.but_not:
                    found.append((row, day, at))
            day += timedelta(days=1)
        return found


@lru_cache(maxsize=10_000)
def _instant(day: date, clock_s: int) -> int:
    return leaving_at(day, time(clock_s // 3600, clock_s // 60 % 60, clock_s % 60))


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
