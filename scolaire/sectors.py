"""Sectors: a region cut into pieces that are planned apart, and cut anew elsewhere so that no border lasts.

Schools that could share a coach, one after the other or with pupils of both aboard, hold together; a component of
them that is too large is cut where the fewest pupils of both sides live side by side. Later passes cut routes, not
schools: each route goes to one piece, whole, with the routes around it, along other lines than before, and every
piece begins with the plan that it has. Whoever was left without a coach is asked again in the piece around the stop.

A piece is a sector of its own; what passes from pass to pass are circuits in ids (`pieces`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from math import ceil, cos, pi, radians, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fleet.bounds import fewest_loads, find_crowd
from scolaire.outings import stops_of
from scolaire.pieces import Circuit
from scolaire.pupils import Sector, VehicleType
from scolaire.timing import AT_A_SCHOOL_S, AT_A_STOP_S
from scolaire.ways import COACH_M_S, ROAD_FACTOR
from socle.errors import BadInput
from socle.geo import LatLon

PIECE_PUPILS: Final = 5_000
"""A piece no larger than this: steps are ten times as many a second as in one of ten times its size.

Two sectors of 4,920 pupils, both passes, 32 s of one processor: 161 coaches with this, 159 with 6,000 (which leaves
the sectors whole), 168 in one piece of both, 167 with 2,500 and 172 with 1,250, where what schools share is lost.
"""

_CELL_M: Final = 3_000.0  # pupils live side by side who live in one such square
_UNEVEN: Final = 0.15  # a cut may be so far from the middle, in shares of the pupils
_LINES: Final = 8  # directions that are tried for a cut
_M_PER_DEGREE: Final = 111_195.0
_SHORT: Final = 0.97  # a plane is a few hundredths off a globe over a region; nothing shares less by it
_TURN: Final = 2.399963  # the golden angle: no pass cuts along the lines of an earlier one

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


# --- one sector of many --------------------------------------------------------------------------


def merged(sectors: Sequence[Sector]) -> Sector:
    """All sectors as one.

    Raises:
        BadInput: `region_id_twice`: two sectors use one id for two things.
    """
    for ids in (
        [each.pupil_id for sector in sectors for each in sector.pupils],
        [each.school_id for sector in sectors for each in sector.schools],
        [each.stop_id for sector in sectors for each in sector.stops],
        [each.type_id for sector in sectors for each in sector.vehicle_types],
    ):
        if len(set(ids)) < len(ids):
            raise BadInput("region_id_twice", id=min(one for one, n in Counter(ids).items() if n > 1))
    firsts = np.cumsum([0, *(len(sector.pupils) for sector in sectors)])
    return Sector(
        pupils=tuple(chain.from_iterable(sector.pupils for sector in sectors)),
        schools=tuple(chain.from_iterable(sector.schools for sector in sectors)),
        stops=tuple(chain.from_iterable(sector.stops for sector in sectors)),
        vehicle_types=tuple(chain.from_iterable(sector.vehicle_types for sector in sectors)),
        plannable=tuple(
            (int(first) + pupil, home)
            for first, sector in zip(firsts, sectors, strict=False)
            for pupil, home in sector.plannable
        ),
        left_out=tuple(chain.from_iterable(sector.left_out for sector in sectors)),
    )


# --- a bound ---------------------------------------------------------------------------------------


def fewest_coaches(sector: Sector, weekday: int, n_pupils: int = PIECE_PUPILS) -> int:
    """Coaches without which no morning of a region brings everybody to school for whom there is a ride short enough.

    As in `fleet.bounds`, of pupils no two of whom one coach could bring one after the other all are aboard at once.
    They are looked for in each piece, then among those of all pieces.
    """
    most = max(each.seats for each in sector.vehicle_types)
    lat = float(np.mean([one.position.lat for one in sector.stops]))
    crowds = [_waiting(piece, weekday, most, lat) for piece in first_pieces(sector, n_pupils)]
    both = np.concatenate(
        [crowd[find_crowd(crowd[:, 0].astype(np.int64), _one_after_other(crowd))] for crowd in crowds]
    )
    weights = both[:, 0].astype(np.int64)
    return fewest_loads(weights[find_crowd(weights, _one_after_other(both))].tolist(), most)


def _waiting(sector: Sector, weekday: int, most: int, lat: float) -> Floats:
    """Pupils who wait at a stop for a school, `most` at a time: how many, where both are, when coaches may arrive."""
    school_of = {school.school_id: index for index, school in enumerate(sector.schools)}
    stops = _metres([one.position for one in sector.stops], lat)
    schools = _metres([one.position for one in sector.schools], lat)
    n_waiting: Counter[tuple[int, int]] = Counter()
    for (pupil, home), stop in zip(sector.plannable, stops_of(sector), strict=True):
        told = sector.pupils[pupil]
        if stop is not None and told.homes[home].days >> weekday & 1 and not told.wheelchair:
            n_waiting[stop, school_of[told.school_id]] += 1
    found = []
    for (stop, school), n in n_waiting.items():
        told_of = sector.schools[school]
        direct = float(np.hypot(*(stops[stop] - schools[school]))) * ROAD_FACTOR / COACH_M_S
        if told_of.bell_am_s is None or direct > _SHORT * told_of.ride_max_s:
            continue
        window = told_of.bell_am_s - told_of.window_max_s, told_of.bell_am_s - told_of.window_min_s
        parts = [most] * (n // most) + ([n % most] if n % most else [])
        found += [(part, *stops[stop], *schools[school], *window) for part in parts]
    return np.array(found, np.float64).reshape(-1, 7)


def _one_after_other(waiting: Floats) -> NDArray[np.bool_]:
    """Which of these one coach could bring one after the other, in either order."""
    stops, schools = waiting[:, 1:3], waiting[:, 3:5]
    onward = AT_A_STOP_S + np.hypot(*(stops - schools).T) * (ROAD_FACTOR * _SHORT / COACH_M_S)
    after = np.zeros((len(waiting), len(waiting)), np.bool_)
    for one, (school, opens) in enumerate(zip(schools, waiting[:, 5], strict=True)):
        back = np.hypot(*(stops - school).T) * (ROAD_FACTOR * _SHORT / COACH_M_S)
        after[one] = opens + AT_A_SCHOOL_S + back + onward <= waiting[:, 6]
    return after | after.T


# --- the first cut: schools ----------------------------------------------------------------------


def first_pieces(sector: Sector, n_pupils: int = PIECE_PUPILS) -> list[Sector]:
    """The sector in pieces of about `n_pupils` at most, each school with all its pupils in one of them."""
    waits = stops_of(sector)
    school_of = {school.school_id: index for index, school in enumerate(sector.schools)}
    goes = np.array([school_of[sector.pupils[pupil].school_id] for pupil, _ in sector.plannable], np.int64)
    waiting = np.array([-1 if stop is None else stop for stop in waits], np.int64)
    weights = np.bincount(goes, minlength=len(sector.schools))
    places = _metres([school.position for school in sector.schools])
    beside = _side_by_side(sector, goes, waiting)
    shares = could_share(sector, goes, waiting)
    groups = [
        group
        for component in _components(shares)
        for group in _halved(component, weights, places, beside, ceil(int(weights[component].sum()) / n_pupils))
    ]
    piece_of_school = np.zeros(len(sector.schools), np.int64)
    for piece, schools in enumerate(groups):
        piece_of_school[schools] = piece
    return _parts(sector, piece_of_school[goes], waiting, len(groups), Counter())


def could_share(sector: Sector, goes: Ints, waiting: Ints) -> NDArray[np.bool_]:
    """Which schools could share a coach in either order: one after the other, or with pupils of both aboard.

    A coach that leaves the one as early as its window allows must reach the other in time by way of a stop of
    its pupils, or go there directly with somebody aboard whose ride is then not too long.
    """
    n_schools = len(sector.schools)
    schools, stops = _metres([one.position for one in sector.schools]), _metres([one.position for one in sector.stops])
    bells = np.array([np.nan if one.bell_am_s is None else one.bell_am_s for one in sector.schools], np.float64)
    opens = bells - np.array([one.window_max_s for one in sector.schools], np.float64)
    closes = bells - np.array([one.window_min_s for one in sector.schools], np.float64)
    apart = _drive_s(schools, schools)
    shares = np.zeros((n_schools, n_schools), np.bool_)
    for school in range(n_schools):
        of = np.unique(waiting[(goes == school) & (waiting >= 0)])
        if not len(of):
            continue
        there = _drive_s(schools, stops[of])
        onward = there[school]
        around = opens + AT_A_SCHOOL_S + AT_A_STOP_S + (there + onward).min(axis=1) <= closes[school]
        straight = opens + AT_A_SCHOOL_S + apart[:, school] <= closes[school]
        aboard = there.min(axis=1) + AT_A_SCHOOL_S + apart[:, school] <= sector.schools[school].ride_max_s
        shares[:, school] = around | (straight & aboard)
    return shares | shares.T


def _side_by_side(sector: Sector, goes: Ints, waiting: Ints) -> Floats:
    """School, school -> pupils of both who live in the same squares, of the fewer."""
    stops = _metres([stop.position for stop in sector.stops])
    squares = np.unique(np.floor(stops / _CELL_M).astype(np.int64), axis=0, return_inverse=True)[1].reshape(-1)
    living = np.zeros((len(sector.schools), int(squares.max(initial=-1)) + 1))
    there = waiting >= 0
    np.add.at(living, (goes[there], squares[waiting[there]]), 1.0)
    beside = np.zeros((len(living), len(living)))
    for school, here in enumerate(living):
        held = np.flatnonzero(here)
        beside[school] = np.minimum(living[:, held], here[held]).sum(axis=1)
    return beside


def _components(joined: NDArray[np.bool_]) -> Iterator[Ints]:
    """What hangs together, the first first."""
    left = np.ones(len(joined), np.bool_)
    while left.any():
        reached = np.zeros(len(joined), np.bool_)
        border = [int(np.argmax(left))]
        reached[border] = True
        while border:
            news = joined[border].any(axis=0) & ~reached
            reached |= news
            border = [int(each) for each in np.flatnonzero(news)]
        left &= ~reached
        yield np.flatnonzero(reached)


def _halved(members: Ints, weights: Ints, places: Floats, beside: Floats, n_parts: int) -> Iterator[Ints]:
    """Members in so many parts of about the same weight, cut where the fewest live side by side."""
    if n_parts < 2 or len(members) < 2:
        yield members
        return
    total = max(1, int(weights[members].sum()))
    n_left = n_parts // 2
    middle = n_left / n_parts
    best: tuple[float, Ints, Ints] | None = None
    for line in range(_LINES):
        turn = pi * line / _LINES
        order = members[np.argsort(places[members] @ (cos(turn), sin(turn)), kind="stable")]
        shares = np.cumsum(weights[order]) / total
        inside = beside[np.ix_(order, order)]
        # crossing[k]: side by side over the cut after the first k + 1
        crossing = np.cumsum(inside.sum(axis=1) - 2 * np.tril(inside, -1).sum(axis=1) - np.diag(inside))
        allowed = np.flatnonzero(np.abs(shares[:-1] - middle) <= _UNEVEN)
        if not len(allowed):
            allowed = np.array([np.argmin(np.abs(shares[:-1] - middle))])
        cut = int(allowed[int(np.argmin(crossing[allowed]))])
        if best is None or crossing[cut] < best[0]:
            best = float(crossing[cut]), order[: cut + 1], order[cut + 1 :]
    if best is not None:
        for half, n in zip(best[1:], (n_left, n_parts - n_left), strict=True):
            yield from _halved(np.sort(half), weights, places, beside, n)


# --- later cuts: routes --------------------------------------------------------------------------


def next_pieces(
    sector: Sector, circuits: Sequence[Circuit], nth: int, n_pupils: int = PIECE_PUPILS
) -> list[tuple[Sector, tuple[Circuit, ...]]]:
    """Pieces of whole circuits, cut along lines of pass `nth`, and who has no coach in the piece around the stop."""
    waits = stops_of(sector)
    waiting = np.array([-1 if stop is None else stop for stop in waits], np.int64)
    homes: dict[str, list[int]] = {}
    for index, (pupil, _) in enumerate(sector.plannable):
        homes.setdefault(sector.pupils[pupil].pupil_id, []).append(index)
    stops = _metres([stop.position for stop in sector.stops])
    carried = [[index for pupil_id in each.pupil_ids for index in homes[pupil_id]] for each in circuits]
    middles = np.array([stops[waiting[of][waiting[of] >= 0]].mean(axis=0) for of in carried]).reshape(-1, 2)
    weights = np.array([len(of) for of in carried], np.int64)
    n_parts = ceil(int(weights.sum()) / n_pupils)
    groups = list(_turned(np.arange(len(circuits)), weights, middles, nth * _TURN, n_parts))
    piece_of = np.full(len(waits), -1, np.int64)
    for piece, members in enumerate(groups):
        for circuit in members:
            piece_of[carried[circuit]] = piece
    for index in np.flatnonzero(piece_of < 0).tolist():
        at = stops[waiting[index]] if waiting[index] >= 0 else np.zeros(2)
        if len(circuits):
            away = ((middles - at) ** 2).sum(axis=1)
            piece_of[index] = piece_of[carried[int(np.argmin(away))][0]]
        else:
            piece_of[index] = 0
    used = Counter((int(piece), circuits[circuit].type_id) for piece, of in enumerate(groups) for circuit in of)
    parts = _parts(sector, piece_of, waiting, max(1, len(groups)), used)
    begun = [tuple(circuits[circuit] for circuit in of) for of in groups] or [()]
    return list(zip(parts, begun, strict=True))


def _turned(members: Ints, weights: Ints, places: Floats, turn: float, n_parts: int) -> Iterator[Ints]:
    """Members in so many parts of about the same weight, cut along one line and then across it."""
    if n_parts < 2 or len(members) < 2:
        if len(members):
            yield members
        return
    total, n_left = int(weights[members].sum()), n_parts // 2
    order = members[np.argsort(places[members] @ (cos(turn), sin(turn)), kind="stable")]
    cut = int(np.searchsorted(np.cumsum(weights[order]), total * n_left / n_parts))
    cut = min(max(cut, 1), len(order) - 1)
    for half, n in ((order[:cut], n_left), (order[cut:], n_parts - n_left)):
        yield from _turned(np.sort(half), weights, places, turn + pi / 2, n)


# --- what both cuts share ------------------------------------------------------------------------


def _parts(
    sector: Sector, piece_of: Ints, waiting: Ints, n_pieces: int, used: Mapping[tuple[int, str], int]
) -> list[Sector]:
    """The sector in pieces: homes by `piece_of`, schools and stops where they are wanted, vehicles around them."""
    parts = []
    own = _vehicles_of(sector, piece_of, waiting, n_pieces, used)
    school_of = {school.school_id: index for index, school in enumerate(sector.schools)}
    canteens = _canteens(sector)
    for piece in range(n_pieces):
        plannable = [sector.plannable[index] for index in np.flatnonzero(piece_of == piece)]
        pupils = sorted({pupil for pupil, _ in plannable})
        number = {pupil: index for index, pupil in enumerate(pupils)}
        schools = sorted({school_of[sector.pupils[pupil].school_id] for pupil in pupils})
        stops = set(waiting[piece_of == piece].tolist()) - {-1}
        stops |= {canteens[school] for school in schools if school in canteens}
        parts.append(
            Sector(
                pupils=tuple(sector.pupils[pupil] for pupil in pupils),
                schools=tuple(sector.schools[school] for school in schools),
                stops=tuple(sector.stops[stop] for stop in sorted(stops)),
                vehicle_types=own[piece],
                plannable=tuple((number[pupil], home) for pupil, home in plannable),
                left_out=sector.left_out if piece == 0 else (),
            )
        )
    return parts


def _canteens(sector: Sector) -> dict[int, int]:
    """School -> the stop where its half-boarders eat."""
    named = {stop.stop_id: index for index, stop in enumerate(sector.stops)}
    return {
        index: named[school.noon.canteen_stop_id]
        for index, school in enumerate(sector.schools)
        if school.noon is not None and school.noon.canteen_stop_id in named
    }


def _vehicles_of(
    sector: Sector, piece_of: Ints, waiting: Ints, n_pieces: int, used: Mapping[tuple[int, str], int]
) -> list[tuple[VehicleType, ...]]:
    """Types by piece: those garaged nearest to its pupils, and those that its circuits use.

    All pieces together have no more vehicles of a type than there are.
    """
    stops, there = _metres([stop.position for stop in sector.stops]), waiting >= 0
    depots = _metres([each.depot for each in sector.vehicle_types])
    away = np.full((n_pieces, len(sector.vehicle_types)), np.inf)
    for piece in range(n_pieces):
        of = np.unique(waiting[there & (piece_of == piece)])
        if len(of) and len(depots):
            away[piece] = np.hypot(*(depots[:, None] - stops[of][None]).transpose(2, 0, 1)).mean(axis=1)
    found: list[tuple[VehicleType, ...]] = []
    nearest = away.argmin(axis=0) if n_pieces else np.zeros(0, np.int64)
    for piece in range(n_pieces):
        around = {index for index in range(len(depots)) if nearest[index] == piece}
        if not around and len(depots):  # nobody's depot lies here: those of the nearest depot, as many as wanted
            closest = away[piece].min()
            around = {
                index
                for index, each in enumerate(sector.vehicle_types)
                if away[piece, index] == closest and each.count is None
            }
        mine = []
        for index, each in enumerate(sector.vehicle_types):
            n_used = used.get((piece, each.type_id), 0)
            if each.count is None:
                if index in around or n_used:
                    mine.append(each)
                continue
            n_elsewhere = sum(n for (other, name), n in used.items() if name == each.type_id and other != piece)
            count = each.count - n_elsewhere if nearest[index] == piece else n_used
            if count:
                mine.append(replace(each, count=count))
        found.append(tuple(mine))
    return found


def _metres(places: Sequence[LatLon], middle: float | None = None) -> Floats:
    """Metres east and north of nowhere in particular, as long eastwards as at the latitude `middle`."""
    if not places:
        return np.zeros((0, 2))
    lat = np.array([place.lat for place in places])
    lon = np.array([place.lon for place in places])
    narrow = cos(radians(float(lat.mean()) if middle is None else middle))
    return np.stack([lon * _M_PER_DEGREE * narrow, lat * _M_PER_DEGREE], axis=1)


def _drive_s(origins: Floats, targets: Floats) -> Floats:
    """Seconds of a coach between places in metres, a little less than `straight_matrix` says."""
    metres = np.hypot(*(origins[:, None] - targets[None]).transpose(2, 0, 1))
    return np.asarray(metres * (ROAD_FACTOR * _SHORT / COACH_M_S))
