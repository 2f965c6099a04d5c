"""Chains: the trips that move in the window of a day, and which of them one vehicle drives one after the other.

Who sits in a coach that goes on as another trip need not get off; `runs` makes runs of these chains.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from routing.network.timetable import Timetable
from routing.network.transfers import IN_SEAT, NO_IN_SEAT
from socle.times import DAY_S, day_number, day_of_number, service_day_start

ZONES_S = 14 * 3600  # between the first of the world and the network's own, at most
MOST_WAYS = 64  # from one trip on, staying seated: real vehicles are coupled and parted a few times

Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Instances:
    """Trips on their service days, as they move in the window of a day."""

    trip: Ints
    day: NDArray[np.int64]  # days after D
    shift_s: NDArray[np.int64]  # from seconds of the service day to seconds of D
    begin_s: NDArray[np.int64]
    end_s: NDArray[np.int64]


def day_offsets(timetable: Timetable) -> range:
    """Service days that may move in a day's window, as days after it, with the zones of the world.

    A trip of three days and nights is still on its way three service days later.
    """
    return range(-max(2, 1 + (timetable.last_arrival_s + ZONES_S) // DAY_S), 3)


def find_instances(timetable: Timetable, day: date, earliest_s: int, latest_s: int) -> Instances:
    """The trips of all service days that move in the window."""
    base = service_day_start(day, timetable.zone_infos[0])
    first, last = timetable.trip_first_time[:-1], timetable.trip_first_time[1:] - 1
    begin, end = timetable.departure_s[first].astype(np.int64), timetable.arrival_s[last].astype(np.int64)
    trips: list[NDArray[np.int64]] = []
    days: list[NDArray[np.int64]] = []
    shifts: list[NDArray[np.int64]] = []
    for offset in day_offsets(timetable):
        other = day_of_number(day_number(day) + offset)
        starts = np.array([service_day_start(other, zone) - base for zone in timetable.zone_infos], np.int64)
        shift = starts[timetable.trip_zone]
        on = timetable.services_of(other)[timetable.trip_service]
        found = np.flatnonzero(on & (end + shift >= earliest_s) & (begin + shift < latest_s))
        trips.append(found)
        days.append(np.full(len(found), offset))
        shifts.append(shift[found])
    trip, shift = np.concatenate(trips), np.concatenate(shifts)
    return Instances(trip.astype(np.int32), np.concatenate(days), shift, begin[trip] + shift, end[trip] + shift)


def find_chains(timetable: Timetable, moving: Instances) -> list[list[int]]:
    """Instances that a traveller may ride through without leaving the seat: every longest way.

    Trips of one block follow each other when the next begins at the place where the last ended, and
    transfers.txt type 5 does not keep them apart. Type 4 joins two trips, and where it does, the block
    has no say (GTFS reference, transfers.txt, linked trips).
    """
    following = _linked(timetable, moving)
    led = {end for those in following.values() for end in those}
    for start, end in _of_blocks(timetable, moving):
        if start not in following and end not in led:
            following[start] = [end]
    followed = {end for those in following.values() for end in those}
    chains: list[list[int]] = []
    for start in sorted(start for start in following if start not in followed):
        open_ways, n_ways = [[start]], 1
        while open_ways:
            way = open_ways.pop()
            after = [end for end in following.get(way[-1], ()) if end not in way]
            after = after[: 1 + MOST_WAYS - n_ways]
            n_ways += max(0, len(after) - 1)
            if after:
                open_ways.extend([*way, end] for end in reversed(after))
            else:
                chains.append(way)
    return chains


def _of_blocks(timetable: Timetable, moving: Instances) -> list[tuple[int, int]]:
    """Pairs of instances that follow each other in a block of their service day, by the first."""
    apart = {
        (int(timetable.rule_from_trip[i]), int(timetable.rule_to_trip[i]))
        for i in np.flatnonzero(timetable.rule_type == NO_IN_SEAT)
    }
    row, block = timetable.trip_row[moving.trip], timetable.trip_block[moving.trip]
    blocked = np.flatnonzero((block >= 0) & (timetable.trip_headway_s[moving.trip] == 0))
    order = blocked[np.lexsort((moving.trip[blocked], moving.begin_s[blocked], moving.day[blocked], block[blocked]))]
    one, other = order[:-1], order[1:]
    bounds = timetable.sequence_first_stop
    sequence = timetable.trip_sequence[moving.trip]
    ends, begins = timetable.sequence_stops[bounds[sequence + 1] - 1], timetable.sequence_stops[bounds[sequence]]
    place = timetable.stop_place
    held = (
        (block[one] == block[other])
        & (moving.day[one] == moving.day[other])
        & (moving.end_s[one] <= moving.begin_s[other])
        & (place[ends[one]] == place[begins[other]])
    )
    pairs = zip(one[held].tolist(), other[held].tolist(), strict=True)
    return [(start, end) for start, end in pairs if (int(row[start]), int(row[end])) not in apart]


def _linked(timetable: Timetable, moving: Instances) -> dict[int, list[int]]:
    """Instances that transfers.txt type 4 lets follow an instance.

    The trip that follows is of the same service day when it leaves after the other one arrives, else of
    the next (GTFS reference, linked trips). Of the departures of frequencies.txt it is the first.
    """
    rules = np.flatnonzero(timetable.rule_type == IN_SEAT)
    if not len(rules):
        return {}
    repeated = np.bincount(timetable.trip_row, minlength=1) > 1
    row = timetable.trip_row[moving.trip]
    where: dict[tuple[int, int], list[int]] = {}
    for instance, key in enumerate(zip(row.tolist(), moving.day.tolist(), strict=True)):
        where.setdefault(key, []).append(instance)
    for those in where.values():
        those.sort(key=lambda instance: int(moving.begin_s[instance]))
    offsets = sorted(set(moving.day.tolist()))
    following: dict[int, list[int]] = {}
    joined = zip(timetable.rule_from_trip[rules].tolist(), timetable.rule_to_trip[rules].tolist(), strict=True)
    for from_row, to_row in dict.fromkeys(joined):
        for offset in offsets:
            today = where.get((to_row, offset), [])
            tomorrow = [] if to_row >= 0 and repeated[to_row] else where.get((to_row, offset + 1), [])
            for start in where.get((from_row, offset), ()):
                arrives = int(moving.end_s[start])
                at = bisect_left(today, arrives, key=lambda instance: int(moving.begin_s[instance]))
                found = today[at : at + 1]
                if not found and tomorrow and moving.begin_s[tomorrow[0]] - DAY_S < arrives:
                    found = [one for one in tomorrow if moving.begin_s[one] >= arrives]
                known = following.setdefault(start, []) if found else []
                known += [end for end in found if end not in known and end != start]
    return following


def list_pieces(chain: list[int], needs: list[int]) -> list[list[int]]:
    """The whole of a chain, and the stretches of it that are left when a query refuses some of its trips.

    A query that refuses what its neighbours need leaves a stretch; so a stretch is kept when the trip
    before it and the trip after it both need something that none of its own trips needs.
    """
    pieces = []
    for begin in range(len(chain)):
        needed = 0
        for end in range(begin + 1, len(chain) + 1):
            needed |= needs[end - 1]
            if begin > 0 and not needs[begin - 1] & ~needed:
                break  # and longer ones need no less
            if end == len(chain) or needs[end] & ~needed:
                pieces.append(chain[begin:end])
    return pieces
