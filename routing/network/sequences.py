"""Sequences: the stop_times of a feed as shared stop sequences and the times of each trip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.network.columns import AnyFeed, Ints, Texts, ints, refer, rows_of, texts
from socle.geo import distances_m

NO_TIME = np.int32(-(2**31))


@dataclass(frozen=True, slots=True)
class Sequences:
    """Trips that can be travelled, with their times and shared sequences of stops."""

    trip_row: Ints  # [n_trips] row in the feed's trips, ascending; a frequency repeats its trip
    trip_headway_s: Ints  # [n_trips]
    trip_sequence: Ints  # [n_trips]
    first_time: NDArray[np.int64]  # [n_trips + 1]
    arrival_s: Ints
    departure_s: Ints
    first_stop: Ints  # [n_sequences + 1]
    stops: Ints
    pickup: NDArray[np.uint8]
    drop_off: NDArray[np.uint8]
    headsign: Ints


def make_sequences(feed: AnyFeed, known: Texts, lat: NDArray[np.float64], lon: NDArray[np.float64]) -> Sequences:
    """The trips of a feed that have at least two stops, timed at both ends and never going back.

    A missing time between two timed stops is put there by the distance as the crow flies.
    """
    trip = ints(feed, "stop_times", "trip", -1)
    stop = ints(feed, "stop_times", "stop", -1)
    pickup = ints(feed, "stop_times", "pickup_type", 0).astype(np.uint8)
    drop_off = ints(feed, "stop_times", "drop_off_type", 0).astype(np.uint8)
    headsign = known.of(texts(feed, "stop_times", "stop_headsign"))
    n_rows = len(feed.tables["trips"])
    first = np.searchsorted(trip, np.arange(n_rows + 1))

    arrival, departure = make_times(feed, trip, stop, lat, lon)
    usable = _usable(first, stop, arrival, departure)

    sequence_of: dict[bytes, int] = {}
    sequence_rows: list[int] = []
    row_sequence = np.full(n_rows, -1, np.int32)
    packed = np.stack([stop, pickup.astype(np.int32), drop_off.astype(np.int32), headsign], axis=1)
    for row in np.flatnonzero(usable).tolist():
        key = packed[first[row] : first[row + 1]].tobytes()
        number = sequence_of.setdefault(key, len(sequence_of))
        if number == len(sequence_rows):
            sequence_rows.append(row)
        row_sequence[row] = number

    picked = _ranges(first[sequence_rows], first[np.array(sequence_rows, np.int64) + 1])
    lengths = np.diff(first)[sequence_rows] if sequence_rows else np.zeros(0, np.int64)
    rows, starts, headways = _departures(feed, usable, departure[np.minimum(first[:-1], max(0, len(trip) - 1))])
    taken = _ranges(first[rows], first[rows + 1])
    n_stops = (first[rows + 1] - first[rows]).astype(np.int64)
    shift = np.repeat(starts, n_stops)
    return Sequences(
        trip_row=rows.astype(np.int32),
        trip_headway_s=headways,
        trip_sequence=row_sequence[rows],
        first_time=_offsets(n_stops),
        arrival_s=arrival[taken] + shift,
        departure_s=departure[taken] + shift,
        first_stop=_offsets(lengths).astype(np.int32),
        stops=stop[picked],
        pickup=pickup[picked],
        drop_off=drop_off[picked],
        headsign=headsign[picked],
    )


def make_times(
    feed: AnyFeed, trip: Ints, stop: Ints, lat: NDArray[np.float64], lon: NDArray[np.float64]
) -> tuple[Ints, Ints]:
    """Arrivals and departures with the gaps filled; NO_TIME where no timed stop is on both sides."""
    arrival = ints(feed, "stop_times", "arrival_time", int(NO_TIME))
    departure = ints(feed, "stop_times", "departure_time", int(NO_TIME))
    arrival = np.where(arrival == NO_TIME, departure, arrival)
    departure = np.where(departure == NO_TIME, arrival, departure)
    gaps = np.flatnonzero(arrival == NO_TIME)
    if not len(gaps):
        return arrival, departure
    hop_m = np.zeros(len(trip))
    hop_m[1:] = np.nan_to_num(distances_m(lat[stop[:-1]], lon[stop[:-1]], lat[stop[1:]], lon[stop[1:]])) + 1.0
    along_m = np.cumsum(hop_m)  # one metre a hop, so that equal places still come one after the other
    timed = np.flatnonzero(arrival != NO_TIME)
    if not len(timed):
        return arrival, departure
    after = np.searchsorted(timed, gaps)
    left = timed[np.maximum(after - 1, 0)]
    right = timed[np.minimum(after, len(timed) - 1)]
    held = (left < gaps) & (gaps < right) & (trip[left] == trip[gaps]) & (trip[right] == trip[gaps])
    gaps, left, right = gaps[held], left[held], right[held]
    share = (along_m[gaps] - along_m[left]) / (along_m[right] - along_m[left])
    filled = departure[left] + share * (arrival[right] - departure[left])
    arrival[gaps] = departure[gaps] = np.floor(filled + 0.5).astype(np.int32)
    return arrival, departure


def _usable(first: NDArray[np.int64], stop: Ints, arrival: Ints, departure: Ints) -> NDArray[np.bool_]:
    """Trips of at least two stops, all of them fixed, whose times are all there and never go back."""
    n_times = len(arrival)
    wrong = (stop < 0) | (arrival == NO_TIME) | (departure < arrival)
    back = np.zeros(n_times, np.bool_)
    back[1:] = arrival[1:] < departure[:-1]
    back[first[:-1][first[:-1] < n_times]] = False
    faults = np.concatenate([[0], np.cumsum(wrong | back)])
    usable: NDArray[np.bool_] = (np.diff(first) >= 2) & (faults[first[1:]] == faults[first[:-1]])
    return usable


def _departures(
    feed: AnyFeed, usable: NDArray[np.bool_], first_departure: Ints
) -> tuple[NDArray[np.int64], Ints, Ints]:
    """Rows of trips to make trips of, seconds to add to their times, headway when only that is promised.

    Every departure of frequencies.txt becomes a trip, with `exact_times` 0 too: the times are then
    those of the headway counted from the start, and the headway is kept to be told.
    """
    row_of = rows_of(texts(feed, "trips", "trip_id"))
    repeated = refer(texts(feed, "frequencies", "trip_id"), row_of)
    start = ints(feed, "frequencies", "start_time", 0)
    end = ints(feed, "frequencies", "end_time", 0)
    headway = ints(feed, "frequencies", "headway_secs", 0)
    exact = ints(feed, "frequencies", "exact_times", 0)
    good = (repeated >= 0) & (headway > 0)
    plain = usable.copy()
    plain[repeated[good]] = False
    rows, shifts = [np.flatnonzero(plain)], [np.zeros(int(plain.sum()), np.int32)]
    headways = [np.zeros(int(plain.sum()), np.int32)]
    for i in np.flatnonzero(good).tolist():
        row = int(repeated[i])
        if usable[row]:
            begins = np.arange(int(start[i]), int(end[i]), int(headway[i]), dtype=np.int32)
            rows.append(np.full(len(begins), row))
            shifts.append(begins - first_departure[row])
            headways.append(np.full(len(begins), 0 if exact[i] == 1 else headway[i], np.int32))
    all_rows, all_shifts = np.concatenate(rows), np.concatenate(shifts)
    order = np.lexsort((all_shifts, all_rows))
    return all_rows[order], all_shifts[order], np.concatenate(headways)[order]


def _ranges(begin: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers of all ranges `[begin, end)`, one range after the other."""
    lengths = end - begin
    offsets = np.cumsum(lengths) - lengths
    return np.repeat(begin - offsets, lengths) + np.arange(int(lengths.sum()))


def _offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each of consecutive slices begins, and where the last one ends."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets
