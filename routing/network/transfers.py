"""Transfers: which stops are one place, how long a change takes, and which walks join stops.

Until streets are there, a walk is 1.25 × the great circle at walking speed (observed detours are
1.08 to 1.43), at most 10 minutes long. A walk counts for a change on its own, so it takes at least
the change time of the stop where it ends. Walks are not closed under composition: a walk is never
followed by a walk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from routing.network.columns import AnyFeed, Ints, ints, refer, rows_of, texts
from socle.geo import distances_m

DETOUR = 1.25
WALK_M_S = 1.2
MAX_WALK_S = 600
# Two minutes, as MOTIS takes: the time to get off, find the other vehicle and get on, where the
# producer says nothing.
CHANGE_S = 120
NEVER_S = 1 << 28  # a change that is forbidden: later than any time of the service day
SAME_NAME_M = 300.0  # stops of one name farther apart than this are two places
_METRES_PER_DEGREE = 111_195.0

RECOMMENDED, TIMED, MIN_TIME, FORBIDDEN, IN_SEAT, NO_IN_SEAT = range(6)


@dataclass(frozen=True, slots=True)
class Footpaths:
    """Walks between stops, by origin, shortest first."""

    first: Ints  # [n_stops + 1]
    stop: Ints
    seconds: Ints
    metres: Ints


@dataclass(frozen=True, slots=True)
class Rules:
    """Rows of transfers.txt that name a trip or a route, or speak of staying seated; -1 for empty."""

    from_stop: Ints
    to_stop: Ints
    from_route: Ints
    to_route: Ints
    from_trip: Ints
    to_trip: Ints
    type: NDArray[np.uint8]
    seconds: Ints


@dataclass(frozen=True, slots=True)
class StopRule:
    """What transfers.txt says of changing from one stop to another, whatever the vehicles."""

    type: int
    seconds: int  # -1 when empty
    rank: int  # two platforms named 2, one 1, two stations 0


def walk_seconds(metres: NDArray[np.float64]) -> Ints:
    """Seconds to walk great-circle `metres`, rounded up."""
    return np.ceil(metres * DETOUR / WALK_M_S - 1e-9).astype(np.int32)


def make_rules(feed: AnyFeed, stop_row: dict[str, int]) -> Rules:
    """All rows of transfers.txt whose objects are known."""
    n = len(texts(feed, "transfers", "from_stop_id"))
    routes, trips = rows_of(texts(feed, "routes", "route_id")), rows_of(texts(feed, "trips", "trip_id"))
    columns: list[Ints] = []
    known = np.ones(n, np.bool_)
    for end in ("from", "to"):
        for kind, rows in (("stop", stop_row), ("route", routes), ("trip", trips)):
            values = texts(feed, "transfers", f"{end}_{kind}_id")
            column = refer(values, rows)
            known &= (column >= 0) | (np.array([not value for value in values], np.bool_))
            columns.append(column)
    kinds = ints(feed, "transfers", "transfer_type", 0)
    seconds = ints(feed, "transfers", "min_transfer_time", -1)
    known &= (kinds >= RECOMMENDED) & (kinds <= NO_IN_SEAT)
    from_stop, from_route, from_trip, to_stop, to_route, to_trip = (column[known] for column in columns)
    return Rules(
        from_stop, to_stop, from_route, to_route, from_trip, to_trip, kinds[known].astype(np.uint8), seconds[known]
    )


def split_rules(rules: Rules, first_child: Ints, children: Ints) -> tuple[dict[tuple[int, int], StopRule], Rules]:
    """The rules between plain stops, by pair of stops; and those that name a route, a trip or a seat."""
    named = (rules.from_route >= 0) | (rules.to_route >= 0) | (rules.from_trip >= 0) | (rules.to_trip >= 0)
    special = named | (rules.type >= IN_SEAT)
    plain: dict[tuple[int, int], StopRule] = {}
    for i in np.flatnonzero(~special & (rules.from_stop >= 0) & (rules.to_stop >= 0)).tolist():
        ends = (int(rules.from_stop[i]), int(rules.to_stop[i]))
        platforms = [children[first_child[end] : first_child[end + 1]].tolist() for end in ends]
        rule = StopRule(int(rules.type[i]), int(rules.seconds[i]), sum(not those for those in platforms))
        for one in platforms[0] or [ends[0]]:
            for other in platforms[1] or [ends[1]]:
                known = plain.get((one, other))
                if known is None or rule.rank > known.rank:
                    plain[one, other] = rule
    return plain, Rules(*(getattr(rules, name)[special] for name in Rules.__slots__))


def change_seconds(n_stops: int, plain: dict[tuple[int, int], StopRule]) -> Ints:
    """Seconds to change at each very stop."""
    change_s = np.full(n_stops, CHANGE_S, np.int32)
    for (one, other), rule in plain.items():
        if one == other:
            change_s[one] = _rule_seconds(rule, CHANGE_S)
    return change_s


def _rule_seconds(rule: StopRule, otherwise: int) -> int:
    """How long a change under `rule` takes, when it takes `otherwise` without any."""
    if rule.type == FORBIDDEN:
        return NEVER_S
    if rule.type == TIMED:
        return max(0, rule.seconds)
    if rule.type == MIN_TIME and rule.seconds >= 0:
        return rule.seconds
    return otherwise


def make_footpaths(
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
    parent: Ints,
    served: NDArray[np.bool_],
    change_s: Ints,
    plain: dict[tuple[int, int], StopRule],
) -> Footpaths:
    """The walks from every served stop to other served stops.

    Stops within reach, the platforms of one station, and the pairs that transfers.txt names; where
    it names a pair, its time holds.
    """
    n_stops = len(lat)
    one, other = _near(lat, lon, np.flatnonzero(served & np.isfinite(lat)))
    quays = _same_station(parent, served)
    ruled = [pair for pair in plain if pair[0] != pair[1] and served[pair[0]] and served[pair[1]]]
    numbers = np.array(ruled, np.int64).reshape(-1, 2) @ np.array([n_stops, 1])
    known = np.unique(np.concatenate([one * n_stops + other, quays[:, 0] * n_stops + quays[:, 1], numbers]))
    pairs = np.stack([known // n_stops, known % n_stops], axis=1)
    metres = np.nan_to_num(distances_m(lat[pairs[:, 0]], lon[pairs[:, 0]], lat[pairs[:, 1]], lon[pairs[:, 1]]))
    change = np.where(change_s >= NEVER_S, CHANGE_S, change_s)  # a forbidden change at a stop is not one towards it
    seconds = np.maximum(walk_seconds(metres), change[pairs[:, 1]])
    for at, pair in zip(np.searchsorted(known, numbers).tolist(), ruled, strict=True):
        seconds[at] = _rule_seconds(plain[pair], int(seconds[at]))
    kept = seconds < NEVER_S
    pairs, metres, seconds = pairs[kept], metres[kept], seconds[kept]
    order = np.lexsort((pairs[:, 1], seconds, pairs[:, 0]))
    first = np.searchsorted(pairs[order, 0], np.arange(len(lat) + 1)).astype(np.int32)
    metres_walked = np.floor(metres * DETOUR + 0.5).astype(np.int32)
    return Footpaths(first, pairs[order, 1].astype(np.int32), seconds[order], metres_walked[order])


def near_stops(
    lat: NDArray[np.float64], lon: NDArray[np.float64], among: NDArray[np.int64], reach_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ordered pairs of different stops of `among` within `reach_m` great-circle metres."""
    points = shapely.points(lon[among], lat[among])
    height = reach_m / _METRES_PER_DEGREE
    width = height / np.maximum(np.cos(np.radians(lat[among])), 0.01)
    boxes = shapely.box(lon[among] - width, lat[among] - height, lon[among] + width, lat[among] + height)
    found = shapely.STRtree(points).query(boxes)
    one, other = among[found[0]], among[found[1]]
    close = (one != other) & (distances_m(lat[one], lon[one], lat[other], lon[other]) <= reach_m)
    return one[close], other[close]


def _near(
    lat: NDArray[np.float64], lon: NDArray[np.float64], among: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return near_stops(lat, lon, among, MAX_WALK_S * WALK_M_S / DETOUR)


def _same_station(parent: Ints, served: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Ordered pairs of different served platforms of one station."""
    platforms = np.flatnonzero(served & (parent >= 0))
    by_station: dict[int, list[int]] = {}
    for platform in platforms.tolist():
        by_station.setdefault(int(parent[platform]), []).append(platform)
    pairs = [np.zeros((0, 2), np.int64)]
    for those in by_station.values():
        one, other = np.repeat(those, len(those)), np.tile(those, len(those))
        pairs.append(np.stack([one, other], axis=1)[one != other])
    return np.concatenate(pairs)


def group_places(names: list[str], lat: NDArray[np.float64], lon: NDArray[np.float64], parent: Ints) -> Ints:
    """Place of each stop: a station and its platforms, and stops or stations of its name beside it.

    Numbered in the order of their first stop.
    """
    leader = np.where(parent >= 0, parent, np.arange(len(parent)))
    heads = np.flatnonzero(parent < 0)
    one, other = near_stops(lat, lon, heads[np.isfinite(lat[heads])], SAME_NAME_M)
    folded = [" ".join(name.casefold().split()) for name in names]
    numbers: dict[str, int] = {"": 0}
    name = np.array([numbers.setdefault(one, len(numbers)) for one in folded], np.int64)
    alike = (one < other) & (name[one] == name[other]) & (name[one] > 0)
    root = list(range(len(parent)))

    def find(stop: int) -> int:
        while root[stop] != stop:
            root[stop] = root[root[stop]]
            stop = root[stop]
        return stop

    for start, end in zip(one[alike].tolist(), other[alike].tolist(), strict=True):
        low, high = sorted((find(start), find(end)))
        root[high] = low
    number: dict[int, int] = {}
    return np.array([number.setdefault(find(int(head)), len(number)) for head in leader], np.int32)
