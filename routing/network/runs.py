"""Runs: the vehicles of one day as runs over spots, sorted into patterns that never overtake.

The setup of `days`, where the words run, spot and pattern are told. Roomy and plain: only the
split into patterns is hot, and it is a kernel.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from routing.kernels.fifo import assign_lanes
from routing.network.chains import find_chains, find_instances, list_pieces
from routing.network.rules import SpotKey, StopRules
from routing.network.timetable import Timetable

# What is allowed at a stop of a pattern. The mirror swaps each pair by one shift.
BOARD, ALIGHT, BOARD_UNBOOKED, ALIGHT_UNBOOKED = 1, 2, 4, 8

# What a query must allow to use a pattern: a bit per mode, then these.
NEEDS_STEPS = 1 << 30  # one of its trips takes no wheelchair
NEEDS_NO_BIKE = 1 << 31  # one of its trips does not say that it takes bikes

Ints = NDArray[np.int32]
Part = tuple[int, int]  # trip, service day as days after D


@dataclass(frozen=True, slots=True)
class Spots:
    """The spots of a day, numbered by area, and the changes between them."""

    stop: Ints
    change_s: Ints
    walk_from: Ints  # ascending, shortest first
    walk_to: Ints
    walk_s: Ints


@dataclass(frozen=True, slots=True)
class Templates:
    """What runs have in common: their spots, what is allowed there, what they need."""

    first_stop: NDArray[np.int64]
    spots: Ints
    allow: NDArray[np.uint8]
    needs: NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Moving:
    """The runs of a day, times run by run."""

    template: Ints  # [n_runs]
    first_time: NDArray[np.int64]  # [n_runs + 1]
    arrival_s: Ints
    departure_s: Ints
    first_part: NDArray[np.int64]  # [n_runs + 1]
    part_trip: Ints
    part_day: NDArray[np.int8]
    part_position: Ints


@dataclass(frozen=True, slots=True)
class Patterns:
    """The runs of a day in patterns: fields as in `days`, both times run by run."""

    first_stop: Ints
    spots: Ints
    allow: NDArray[np.uint8]
    needs: NDArray[np.uint32]
    n_runs: Ints
    arrival_s: Ints
    departure_s: Ints
    run_first_part: Ints
    part_trip: Ints
    part_day: NDArray[np.int8]
    part_position: Ints


def make_runs(timetable: Timetable, day: date, earliest_s: int, latest_s: int) -> tuple[Spots, Templates, Moving]:
    """The runs that move in `[earliest_s, latest_s)` of the service day `day`."""
    moving = find_instances(timetable, day, earliest_s, latest_s)
    rules = StopRules(timetable)
    maker = _TemplateMaker(timetable, rules)
    chains = find_chains(timetable, moving)
    chained = np.zeros(len(moving.trip), np.bool_)
    for chain in chains:
        chained[chain] = True
    single = np.flatnonzero(~chained)
    single_template = maker.of_trips(moving.trip[single])

    parts_of_runs: list[list[int]] = []
    templates: list[int] = []
    for chain in chains:
        for piece in list_pieces(chain, maker.needs_of(moving.trip[chain])):
            parts_of_runs.append(piece)
            templates.append(maker.of_chain(moving.trip[piece].tolist()))
    run_parts = np.concatenate([single, *(np.array(parts, np.int64) for parts in parts_of_runs)])
    n_parts = np.array([1] * len(single) + [len(parts) for parts in parts_of_runs], np.int64)
    template = np.concatenate([single_template, np.array(templates, np.int32)]).astype(np.int32)

    trip = moving.trip[run_parts]
    lengths = timetable.trip_first_time[trip + 1] - timetable.trip_first_time[trip]
    begin = np.repeat(timetable.trip_first_time[trip] - (np.cumsum(lengths) - lengths), lengths)
    taken = begin + np.arange(int(lengths.sum()))
    shift = np.repeat(moving.shift_s[run_parts], lengths)
    first_part = _offsets(n_parts)
    part_first_time = _offsets(lengths)
    first_time = part_first_time[first_part]
    run_of_part = np.repeat(np.arange(len(n_parts)), n_parts)
    spots, renumber = maker.make_spots()
    made = maker.templates(renumber)
    return (
        spots,
        made,
        Moving(
            template=template,
            first_time=first_time,
            arrival_s=(timetable.arrival_s[taken] + shift).astype(np.int32),
            departure_s=(timetable.departure_s[taken] + shift).astype(np.int32),
            first_part=first_part,
            part_trip=trip.astype(np.int32),
            part_day=moving.day[run_parts].astype(np.int8),
            part_position=(part_first_time[:-1] - first_time[run_of_part]).astype(np.int32),
        ),
    )


def make_patterns(templates: Templates, moving: Moving) -> Patterns:
    """The runs sorted into patterns, numbered by the area where they begin."""
    n_templates = len(templates.needs)
    lengths = np.diff(templates.first_stop)
    begin_s = moving.departure_s[moving.first_time[:-1]] if len(moving.template) else np.zeros(0, np.int32)
    end_s = moving.arrival_s[moving.first_time[1:] - 1] if len(moving.template) else np.zeros(0, np.int32)
    first_trip = moving.part_trip[moving.first_part[:-1]]
    begin_spot = templates.spots[templates.first_stop[:-1]] if n_templates else np.zeros(0, np.int32)
    rank = np.empty(n_templates, np.int64)
    rank[np.lexsort((np.arange(n_templates), begin_spot))] = np.arange(n_templates)
    group = rank[moving.template]
    order = np.lexsort((first_trip, end_s, begin_s, group))
    by_rank = np.argsort(rank)
    lane = np.zeros(len(order), np.int32)
    n_lanes = assign_lanes(
        np.searchsorted(group[order], np.arange(n_templates + 1)),
        lengths[by_rank],
        moving.first_time[:-1][order],
        moving.arrival_s,
        moving.departure_s,
        lane,
    )
    number = group[order] * max(1, n_lanes) + lane
    stable = np.argsort(number, kind="stable")
    order = order[stable]
    patterns, first_run, n_runs = np.unique(number[stable], return_index=True, return_counts=True)
    template = moving.template[order[first_run]] if len(patterns) else np.zeros(0, np.int32)
    stops = _gather(templates.first_stop[template], lengths[template])
    n_stops = lengths[moving.template[order]]
    times = _gather(moving.first_time[:-1][order], n_stops)
    n_parts = np.diff(moving.first_part)[order]
    parts = _gather(moving.first_part[:-1][order], n_parts)
    return Patterns(
        first_stop=_offsets(lengths[template]).astype(np.int32),
        spots=templates.spots[stops],
        allow=templates.allow[stops],
        needs=templates.needs[template],
        n_runs=n_runs.astype(np.int32),
        arrival_s=moving.arrival_s[times],
        departure_s=moving.departure_s[times],
        run_first_part=_offsets(n_parts).astype(np.int32),
        part_trip=moving.part_trip[parts],
        part_day=moving.part_day[parts],
        part_position=moving.part_position[parts],
    )


class _TemplateMaker:
    """Numbers the templates of trips and chains, and the spots they use, as they come."""

    def __init__(self, timetable: Timetable, rules: StopRules) -> None:
        self._timetable = timetable
        self._rules = rules
        self._spot: dict[SpotKey, int] = {}
        self._number: dict[bytes, int] = {}
        self._spots: list[Ints] = []
        self._allow: list[NDArray[np.uint8]] = []
        self._needs: list[int] = []
        bits = np.uint32(1) << timetable.trip_mode.astype(np.uint32)
        bits = bits | np.where(timetable.trip_wheelchair == 2, np.uint32(NEEDS_STEPS), np.uint32(0))
        self._trip_needs = bits | np.where(timetable.trip_bikes != 1, np.uint32(NEEDS_NO_BIKE), np.uint32(0))
        self._parts: dict[tuple[int, tuple[int, ...]], tuple[Ints, NDArray[np.uint8]]] = {}

    def needs_of(self, trips: Ints) -> list[int]:
        """What each trip needs."""
        needs: list[int] = self._trip_needs[trips].tolist()
        return needs

    def of_trips(self, trips: Ints) -> Ints:
        """Template of each trip on its own."""
        sequences, needs = self._timetable.trip_sequence[trips].tolist(), self.needs_of(trips)
        known: dict[tuple[int, int, tuple[int, ...]], int] = {}
        found = np.empty(len(trips), np.int32)
        for i, trip in enumerate(trips.tolist()):
            key = (sequences[i], needs[i], self._rules.of_trip(trip))
            number = known.get(key)
            if number is None:
                number = known[key] = self.of_chain([trip])
            found[i] = number
        return found

    def of_chain(self, trips: list[int]) -> int:
        """Template of trips ridden through one after the other."""
        parts = [self._part(trip) for trip in trips]
        spots = np.concatenate([part[0] for part in parts])
        allow = np.concatenate([part[1] for part in parts])
        needs = int(np.bitwise_or.reduce(self._trip_needs[trips]))
        key = spots.tobytes() + allow.tobytes() + needs.to_bytes(4, "little")
        number = self._number.setdefault(key, len(self._number))
        if number == len(self._spots):
            self._spots.append(spots)
            self._allow.append(allow)
            self._needs.append(needs)
        return number

    def _part(self, trip: int) -> tuple[Ints, NDArray[np.uint8]]:
        """Spots of a trip and what is allowed there; nobody alights where it begins or boards where it ends."""
        timetable = self._timetable
        sequence = int(timetable.trip_sequence[trip])
        named = self._rules.of_trip(trip)
        known = self._parts.get((sequence, named))
        if known is not None:
            return known
        span = slice(timetable.sequence_first_stop[sequence], timetable.sequence_first_stop[sequence + 1])
        pickup, drop_off = timetable.sequence_pickup[span], timetable.sequence_drop_off[span]
        allow = np.where(pickup != 1, BOARD, 0) | np.where(pickup == 0, BOARD_UNBOOKED, 0)
        allow |= np.where(drop_off != 1, ALIGHT, 0) | np.where(drop_off == 0, ALIGHT_UNBOOKED, 0)
        allow[0] &= BOARD | BOARD_UNBOOKED
        allow[-1] &= ALIGHT | ALIGHT_UNBOOKED
        number = self._spot
        spots = [
            number.setdefault(self._rules.spot_of(stop, named), len(number))
            for stop in timetable.sequence_stops[span].tolist()
        ]
        made = (np.array(spots, np.int32), allow.astype(np.uint8))
        self._parts[sequence, named] = made
        return made

    def make_spots(self) -> tuple[Spots, Ints]:
        """The spots numbered by area, and the new number of each."""
        timetable = self._timetable
        keys = list(self._spot)
        stop = np.array([key[0] for key in keys], np.int32)
        order = _by_area(timetable.stop_lat[stop], timetable.stop_lon[stop])
        renumber = np.empty(len(keys), np.int32)
        renumber[order] = np.arange(len(keys), dtype=np.int32)
        change_s, walks = self._rules.changes([keys[i] for i in order.tolist()])
        walks = walks[np.lexsort((walks[:, 1], walks[:, 2], walks[:, 0]))]
        made = Spots(stop[order], change_s, *(np.ascontiguousarray(walks[:, i], np.int32) for i in range(3)))
        return made, renumber

    def templates(self, renumber: Ints) -> Templates:
        """The templates, with spots renumbered."""
        empty = np.zeros(0, np.int32)
        return Templates(
            _offsets(np.array([len(spots) for spots in self._spots], np.int64)),
            renumber[np.concatenate([empty, *self._spots])],
            np.concatenate([empty.astype(np.uint8), *self._allow]),
            np.array(self._needs, np.uint32),
        )


def _by_area(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.int64]:
    """Order along a Morton curve, so that neighbours share cache lines."""

    def spread(degrees: NDArray[np.float64]) -> NDArray[np.uint64]:
        low, high = np.nanmin(degrees, initial=90.0), np.nanmax(degrees, initial=-90.0)
        scaled = np.nan_to_num((degrees - low) / max(high - low, 1e-9))
        bits = (np.clip(scaled, 0, 1) * 65_535).astype(np.uint64)
        out = np.zeros(len(bits), np.uint64)
        for bit in range(16):
            out |= (bits >> np.uint64(bit) & np.uint64(1)) << np.uint64(2 * bit)
        return out

    return np.lexsort((np.arange(len(lat)), spread(lat) | spread(lon) << np.uint64(1)))


def _offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each of consecutive slices begins, and where the last one ends."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def _gather(begin: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers of slices of these lengths, one after the other."""
    return np.repeat(begin - (np.cumsum(lengths) - lengths), lengths) + np.arange(int(lengths.sum()))
