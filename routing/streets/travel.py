"""Travel: from place to place along the streets: one to many, many to many, and the way itself.

A place is joined to the nearest point of the nearest street that the profile may use; the way begins
and ends there, in the middle of a piece, in the directions that the piece may be used. From the place
to its street one goes straight, at the profile's `beside_m_s`.

Seconds are rounded up once, metres to the nearest, from the milliseconds and millimetres of the arrays.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from routing.kernels.ascent import ClimbRoom, make_climb_room
from routing.kernels.dijkstra import (
    CLOSED,
    FARTHEST,
    UNREACHED,
    Ends,
    Room,
    Seeds,
    arrive,
    between,
    forget,
    make_room,
    seed,
    spread,
    want,
    want_no_more,
)
from routing.kernels.nearest import nearest
from routing.streets.graph import Streets
from routing.streets.hierarchy import Hierarchy, ascents_of, meet_all
from routing.streets.profiles import Profile
from socle.geo import LatLon
from socle.matrix import NEVER, TravelMatrix

REACH_M = 500.0  # a place farther from every street is on none
_ONE_PLACE = 1e-6  # degrees: ten centimetres are not drawn
_FEW = 4  # targets, for which a search ends once they are found

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

_local = threading.local()


@dataclass(frozen=True, eq=False)
class Spots:
    """Places joined to the streets of a profile."""

    streets: Streets
    profile: Profile
    lat: NDArray[np.float64]  # [n] where the places are
    lon: NDArray[np.float64]
    piece: Ints  # [n] the piece that each is joined to, -1 for none
    along_mm: Longs  # [n] from the beginning of the piece
    beside_mm: Longs  # [n] from the place to the street
    on_lat: NDArray[np.float64]  # [n] where on the street
    on_lon: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.piece)

    @property
    def is_joined(self) -> NDArray[np.bool_]:
        """Which places are on a street."""
        return self.piece >= 0

    @cached_property
    def leaving(self) -> Ends:
        """How one gets from the places to the nodes of their pieces."""
        return _ends(self, leaving=True)

    @cached_property
    def arriving(self) -> Ends:
        """How one gets to the places from the nodes of their pieces."""
        return _ends(self, leaving=False)


def join(
    streets: Streets,
    profile: Profile,
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
    reach_m: float = REACH_M,
) -> Spots:
    """Places as spots on the streets of a profile."""
    n = len(lat)
    segment, part, metres = np.empty(n, np.int32), np.empty(n), np.empty(n)
    is_open = streets.ways[profile.name].is_found
    nearest(streets.lines, streets.grid, is_open, lat, lon, reach_m, segment, part, metres)
    found = segment >= 0
    at = np.where(found, segment, 0)
    piece = np.full(n, -1, np.int32)
    along = np.zeros(n, np.int64)
    on_lat, on_lon = lat.copy(), lon.copy()
    if found.any():
        piece[found] = streets.point_piece[at[found]]
        begin, end = streets.point_mm[at], streets.point_mm[np.minimum(at + 1, len(streets.point_mm) - 1)]
        along = np.where(found, np.rint(begin + part * (end - begin)), 0).astype(np.int64)
        for on, points in ((on_lat, streets.point_lat), (on_lon, streets.point_lon)):
            one, other = points[at[found]].astype(np.float64), points[at[found] + 1].astype(np.float64)
            on[found] = (one + part[found] * (other - one)) / 1e7
    beside = np.rint(np.where(found, metres, 0.0) * 1000).astype(np.int64)
    return Spots(streets, profile, lat, lon, piece, along, beside, on_lat, on_lon)


def spots_at(streets: Streets, profile: Profile, places: Sequence[LatLon], reach_m: float = REACH_M) -> Spots:
    """As `join`, for a few places."""
    at = np.array(places, np.float64).reshape(-1, 2)
    return join(streets, profile, at[:, 0].copy(), at[:, 1].copy(), reach_m)


def _parts(whole_ms: Ints, mm: Longs, of_mm: Longs) -> Ints:
    """The milliseconds of `mm` out of the `of_mm` of a piece that takes `whole_ms`.

    CLOSED stays, but who is at the end of a one-way street stands at its junction.
    """
    whole = whole_ms.astype(np.int64)
    part = (whole * mm + of_mm // 2) // np.maximum(of_mm, 1)
    return np.where((whole == CLOSED) & (mm > 0), CLOSED, np.where(mm > 0, part, 0)).astype(np.int32)


def _ends(spots: Spots, *, leaving: bool) -> Ends:
    streets, profile = spots.streets, spots.profile
    ways = streets.ways[profile.name]
    at = np.maximum(spots.piece, 0)
    joined = spots.is_joined
    n = len(spots)
    if not streets.n_pieces:
        nothing = np.zeros((n, 2), np.int64)
        return Ends(
            np.full((n, 2), -1, np.int32),
            np.full((n, 2), CLOSED, np.int32),
            nothing,
            np.zeros(n, np.int32),
            nothing[:, 0].copy(),
        )
    mm = streets.piece_mm[at].astype(np.int64)
    before, after = spots.along_mm, mm - spots.along_mm
    along, against = ways.along_ms[at], ways.against_ms[at]
    nodes = np.stack([streets.piece_from[at], streets.piece_to[at]], axis=1)
    nodes[~joined] = -1
    # To the beginning one goes against the drawing and comes from it along it; and so on.
    begin, end = (against, along) if leaving else (along, against)
    costs = np.stack([_parts(begin, before, mm), _parts(end, after, mm)], axis=1)
    counted = profile.beside_m_s > 0
    beside_ms = np.rint(spots.beside_mm / profile.beside_m_s).astype(np.int32) if counted else np.zeros(n, np.int32)
    beside_mm = spots.beside_mm if counted else np.zeros(n, np.int64)
    return Ends(nodes, costs, np.stack([before, after], axis=1), beside_ms, beside_mm)


def _along_one_piece(origins: Spots, destinations: Spots, one: Longs, other: Longs) -> tuple[Longs, Longs]:
    """Milliseconds and millimetres along the piece that both are on, for pairs of spots; UNREACHED when one may not."""
    streets, profile = origins.streets, origins.profile
    ways = streets.ways[profile.name]
    piece = origins.piece[one]
    step = destinations.along_mm[other] - origins.along_mm[one]
    whole = np.where(step > 0, ways.along_ms[piece], ways.against_ms[piece])
    ms = _parts(whole, np.abs(step), streets.piece_mm[piece].astype(np.int64)).astype(np.int64)
    beside = origins.beside_mm[one] + destinations.beside_mm[other]
    if profile.beside_m_s <= 0:
        return ms, np.abs(step)
    ms = np.where(ms == CLOSED, UNREACHED, ms + np.rint(beside / profile.beside_m_s).astype(np.int64))
    return ms, np.abs(step) + beside


def _room(streets: Streets, profile: Profile) -> Room:
    """Room for a search in this thread: kept from one to the next, made anew for larger streets."""
    n_nodes, n_edges = streets.n_nodes, len(streets.ways[profile.name].edge_to)
    kept: Room | None = getattr(_local, "room", None)
    if kept is None or len(kept.weight) < n_nodes or len(kept.heap) < n_edges + 2:
        kept = _local.room = make_room(n_nodes, n_edges)
    return kept


def climb_room(hierarchy: Hierarchy) -> ClimbRoom:
    """Room for climbs in this thread, kept likewise."""
    n_nodes = len(hierarchy.number)
    kept: ClimbRoom | None = getattr(_local, "climb_room", None)
    if kept is None or len(kept.weight) < n_nodes:
        kept = _local.climb_room = make_climb_room(n_nodes)
    return kept


def limit_ms(limit_s: float | None, pace: float) -> int:
    """The milliseconds of the arrays that `limit_s` seconds are."""
    return FARTHEST if limit_s is None else max(min(int(limit_s * 1000 / pace + 1e-6), FARTHEST), -1)


def told(ms: Ints, mm: Longs, pace: float) -> tuple[Ints, Ints]:
    """Seconds and metres; NEVER where there is no way."""
    seconds, metres = np.full(ms.shape, NEVER, np.int32), np.full(ms.shape, NEVER, np.int32)
    found = ms != UNREACHED  # few, of all stops of a region
    seconds[found] = np.minimum(np.ceil(ms[found] * (pace / 1000) - 1e-9), NEVER - 1)
    metres[found] = np.minimum((mm[found] + 500) // 1000, NEVER - 1)
    return seconds, metres


@dataclass(frozen=True, eq=False)
class Reach:
    """Ways from one place to others (or, searched backward, from others to it)."""

    place: Spots  # the one
    others: Spots
    backward: bool
    seconds: Ints  # [n_others] NEVER where there is no way within the limit
    metres: Ints  # [n_others] likewise
    _sides: NDArray[np.int8]  # [n_others] node of the piece by which the way comes, -1 along one piece or none
    _nodes: Ints  # reached, with …
    _came_by: Ints  # … the piece by which each was
    _nearer_side: int  # end of the place's own piece that takes less, for one that comes back to where it began

    @cached_property
    def _piece_to(self) -> dict[int, int]:
        return dict(zip(self._nodes.tolist(), self._came_by.tolist(), strict=True))

    def path(self, other: int) -> tuple[LatLon, ...]:
        """The course of the way, in the direction of travel, from place to place; empty where there is none."""
        if self.seconds[other] >= NEVER:
            return ()
        first = LatLon(float(self.others.lat[other]), float(self.others.lon[other]))
        last = LatLon(float(self.place.lat[0]), float(self.place.lon[0]))
        course = [first]
        for place in (*(place for _piece, run in self._runs(other) for place in run), last):
            if abs(place.lat - course[-1].lat) + abs(place.lon - course[-1].lon) > _ONE_PLACE:
                course.append(place)
        course[-1] = last
        return tuple(course if self.backward else course[::-1])

    def pieces(self, other: int) -> tuple[tuple[int, tuple[LatLon, ...]], ...]:
        """The pieces along the way and their courses, in the direction of travel; empty where there is none."""
        if self.seconds[other] >= NEVER:
            return ()
        runs = self._runs(other)
        ordered = runs if self.backward else [(piece, run[::-1]) for piece, run in reversed(runs)]
        return tuple((piece, tuple(run)) for piece, run in ordered)

    def _runs(self, other: int) -> list[tuple[int, list[LatLon]]]:
        """Pieces and their courses from the other back to the place."""
        streets, piece = self.place.streets, int(self.others.piece[other])
        here, there = int(self.place.along_mm[0]), int(self.others.along_mm[other])
        side = int(self._sides[other])
        if side < 0:
            return [(piece, _course(streets, piece, there, here))]
        node = int((streets.piece_from, streets.piece_to)[side][piece])
        runs = [(piece, _course(streets, piece, there, 0 if side == 0 else int(streets.piece_mm[piece])))]
        while (by := self._piece_to[node]) >= 0:
            begins = int(streets.piece_from[by]) == node
            end = int(streets.piece_mm[by])
            runs.append((by, _course(streets, by, 0, end) if begins else _course(streets, by, end, 0)))
            node = int((streets.piece_to if begins else streets.piece_from)[by])
        own = int(self.place.piece[0])
        ends = (int(streets.piece_from[own]), int(streets.piece_to[own]))
        own_side = self._nearer_side if ends[0] == ends[1] else ends.index(node)
        runs.append((own, _course(streets, own, 0 if own_side == 0 else int(streets.piece_mm[own]), here)))
        return runs


def _course(streets: Streets, piece: int, begin_mm: int, end_mm: int) -> list[LatLon]:
    """The course of a piece between two places on it, in that order."""
    points = slice(int(streets.piece_first_point[piece]), int(streets.piece_first_point[piece + 1]))
    at, lat, lon = streets.point_mm[points], streets.point_lat[points] / 1e7, streets.point_lon[points] / 1e7
    low, high = sorted((begin_mm, end_mm))
    inner = np.flatnonzero((at > low) & (at < high))
    ends = [LatLon(float(np.interp(mm, at, lat)), float(np.interp(mm, at, lon))) for mm in (low, high)]
    course = [ends[0], *(LatLon(float(lat[i]), float(lon[i])) for i in inner.tolist()), ends[1]]
    return course if begin_mm <= end_mm else course[::-1]


def reach(
    place: Spots, others: Spots, limit_s: float | None = None, *, pace: float = 1.0, backward: bool = False
) -> Reach:
    """The quickest ways from `place` (one spot) to each of `others`, or backward from each of them to it.

    `pace` stretches all times: 1.25 for one who goes at 0.8 of the profile's speeds.
    """
    streets, profile = place.streets, place.profile
    ways, room = streets.ways[profile.name], _room(streets, profile)
    sources = place.arriving if backward else place.leaving
    targets = others.leaving if backward else others.arriving
    limit = limit_ms(limit_s, pace)
    n = len(others)
    ms, mm, sides = np.empty(n, np.int32), np.empty(n, np.int64), np.empty(n, np.int8)
    seeds = Seeds(np.empty(2, np.int32), np.empty(2, np.int32), np.empty(2, np.int64))
    seed(seeds, sources, 0)
    n_wanted = want(targets, room) if n <= _FEW else 0
    n_reached = spread(ways.backward if backward else ways.forward, seeds, limit, n_wanted, room)
    arrive(room, targets, limit, ms, mm, sides)
    nodes = room.reached[:n_reached].copy()
    came_by = room.came_by[nodes]
    forget(room, n_reached)
    if n_wanted:
        want_no_more(targets, room)
    same = np.flatnonzero((others.piece == place.piece[0]) & others.is_joined)
    if len(same):
        first = np.zeros(len(same), np.int64)
        ends = (others, place, same, first) if backward else (place, others, first, same)
        direct_ms, direct_mm = _along_one_piece(*ends)
        is_better = (direct_ms < ms[same]) | ((direct_ms == ms[same]) & (direct_mm < mm[same]))
        better = same[is_better & (direct_ms <= limit)]
        chosen = np.isin(same, better)
        ms[better], mm[better], sides[better] = direct_ms[chosen], direct_mm[chosen], -1
    pieces = np.full(n_reached, -1, np.int32)
    pieces[came_by >= 0] = ways.edge_piece[came_by[came_by >= 0]]
    seconds, metres = told(ms, mm, pace)
    return Reach(place, others, backward, seconds, metres, sides, nodes, pieces, int(sources.cost[0].argmin()))


def travel_matrix(origins: Spots, destinations: Spots | None = None, limit_s: float | None = None) -> TravelMatrix:
    """What it takes from each origin to each destination; to the origins themselves when none are given.

    Over the profile's hierarchy where there is one, else by one search from each place of the shorter list:
    both tell the same.
    """
    streets, profile = origins.streets, origins.profile
    to = origins if destinations is None else destinations
    limit = limit_ms(limit_s, 1.0)
    hierarchy = streets.hierarchies.get(profile.name)
    if hierarchy is None:
        ways, room = streets.ways[profile.name], _room(streets, profile)
        is_backward = len(to) < len(origins)
        shape = (len(to), len(origins)) if is_backward else (len(origins), len(to))
        ms, mm = np.empty(shape, np.int32), np.empty(shape, np.int64)
        if is_backward:
            between(ways.backward, to.arriving, origins.leaving, limit, room, ms, mm)
            ms, mm = ms.T, mm.T
        else:
            between(ways.forward, origins.leaving, to.arriving, limit, room, ms, mm)
    else:
        climbing = climb_room(hierarchy)
        lists = (
            ascents_of(hierarchy, origins.leaving, climbing, backward=False),
            ascents_of(hierarchy, to.arriving, climbing, backward=True),
        )
        ms, mm = meet_all(*lists, np.arange(len(origins)), np.arange(len(to)), limit, climbing)
    take_one_piece(origins, to, limit, ms, mm)
    if destinations is None:
        np.fill_diagonal(ms, 0)
        np.fill_diagonal(mm, 0)
    return TravelMatrix(*told(ms, mm, 1.0))


def take_one_piece(origins: Spots, destinations: Spots, limit: int, ms: Ints, mm: Longs) -> None:
    """Put into a table what takes less along the one piece that both places are on."""
    at = _pairs_on_one_piece(origins, destinations)
    if len(at[0]):
        _put_better(*_along_one_piece(origins, destinations, *at), at, limit, ms, mm)


def put_along_pieces(
    origins: Spots, destinations: Spots, at: tuple[Longs, Longs], limit: int, ms: Ints, mm: Longs
) -> None:
    """As `take_one_piece`, for pairs of spots that are known to be on one piece, each with its place in the table."""
    every = np.arange(len(origins))
    _put_better(*_along_one_piece(origins, destinations, every, every), at, limit, ms, mm)


def _put_better(direct_ms: Longs, direct_mm: Longs, at: tuple[Longs, Longs], limit: int, ms: Ints, mm: Longs) -> None:
    one, other = at
    is_better = (direct_ms < ms[one, other]) | ((direct_ms == ms[one, other]) & (direct_mm < mm[one, other]))
    better = is_better & (direct_ms <= limit)
    ms[one[better], other[better]] = direct_ms[better]
    mm[one[better], other[better]] = direct_mm[better]


def _pairs_on_one_piece(origins: Spots, destinations: Spots) -> tuple[Longs, Longs]:
    """Every origin with every destination that is on its piece."""
    order = np.argsort(destinations.piece, kind="stable")
    pieces = destinations.piece[order]
    first, last = np.searchsorted(pieces, origins.piece, "left"), np.searchsorted(pieces, origins.piece, "right")
    n = np.where(origins.is_joined, last - first, 0)
    one = np.repeat(np.arange(len(origins)), n)
    place = np.arange(len(one)) - np.repeat(np.cumsum(n) - n, n) + np.repeat(first, n)
    return one, order[place]
