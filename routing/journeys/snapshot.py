"""Snapshot: all that a server answers from, opened once per release and never changed.

The arrays of the timetable are mapped from disk and shared by all processes. What is made
here from them at opening is small: names as Python strings, the modes that call at each
stop, how busy it is, and which calls belong to which stop. A query holds the snapshot it
began with, so that a new release may be swapped in at any moment.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from routing.journeys.feeders import NO_FEEDERS, Feeders
from routing.journeys.gazetteer import Commune, NamedStop
from routing.journeys.journey import Plan
from routing.journeys.places import PlaceIndex, build_index
from routing.journeys.query import JourneyQuery
from routing.journeys.router import plan
from routing.journeys.walks import Walks, make_walks
from routing.mapped import undamaged
from routing.network.modes import MODES
from routing.network.timetable import Timetable, open_timetable
from routing.streets.graph import open_streets
from socle.geo import LatLon


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One release of the network with what is derived from it; compared and hashed by identity."""

    timetable: Timetable
    places: PlaceIndex
    manifest: Mapping[str, object]

    # stop -> bit m is set when a trip of mode MODES[m] calls there
    stop_modes: NDArray[np.int32]
    # stop -> calls per day of the calendars, on average
    stop_calls_per_day: NDArray[np.float64]
    # stop -> its calls: call_time[stop_first_call[s]:stop_first_call[s + 1]], indexes of times
    stop_first_call: NDArray[np.int64]  # [n_stops + 1]
    call_time: NDArray[np.int32]  # [n_times] index into arrival_s and departure_s
    time_trip: NDArray[np.int32]  # [n_times] trip of each time

    walks: Walks | None = None  # along the streets, when there are some
    feeders: Feeders = NO_FEEDERS  # what is ridden beside the timetable

    @property
    def release(self) -> str:
        """What tells this release from others."""
        return str(self.manifest.get("release", self.timetable.digest))

    @property
    def is_demo(self) -> bool:
        """Whether the release holds invented data and must say so."""
        return bool(self.manifest.get("demo", False))

    @property
    def sources(self) -> Sequence[Mapping[str, object]]:
        """The feeds that went in."""
        sources = self.manifest.get("sources", [])
        return [source for source in sources if isinstance(source, Mapping)] if isinstance(sources, list) else []

    @cached_property
    def texts(self) -> list[str]:
        """Every text of the timetable, decoded once."""
        return self.timetable.texts.to_list()

    @cached_property
    def stop_ids(self) -> list[str]:
        """Ids by stop."""
        return self.timetable.stop_id.to_list()

    @cached_property
    def importance(self) -> NDArray[np.float64]:
        """By place, 0 to 1: the logarithm of the calls of all its stops."""
        calls = np.zeros(len(self.timetable.place_first_stop) - 1)
        np.add.at(calls, self.timetable.stop_place, self.stop_calls_per_day)
        told: NDArray[np.float64] = np.log1p(calls) / max(float(np.log1p(calls.max(initial=1.0))), 1e-9)
        return told

    @cached_property
    def main_stops(self) -> NDArray[np.int32]:
        """By place: the stop that stands for it, its station if it has one, else its busiest stop."""
        timetable = self.timetable
        # Least first: by place, then stations, then the most calls, then the lowest index.
        order = np.lexsort(
            (
                np.arange(timetable.n_stops),
                -self.stop_calls_per_day,
                timetable.stop_location_type != 1,
                timetable.stop_place,
            )
        )
        return order[timetable.place_first_stop[:-1]].astype(np.int32)

    @cached_property
    def is_main_stop(self) -> NDArray[np.bool_]:
        """By stop: whether it stands for its place."""
        told = np.zeros(self.timetable.n_stops, np.bool_)
        told[self.main_stops] = True
        return told

    @cached_property
    def place_modes(self) -> NDArray[np.int32]:
        """By place: the modes of all its stops, as bits."""
        bits = np.zeros(len(self.timetable.place_first_stop) - 1, np.int32)
        np.bitwise_or.at(bits, self.timetable.stop_place, self.stop_modes)
        return bits

    def search(self, query: JourneyQuery) -> Plan:
        """The journeys that answer `query`."""
        return plan(self.timetable, query, self.walks, self.feeders)

    def modes_of(self, stop: int) -> tuple[str, ...]:
        """The modes that call at a stop, in the order of `MODES`."""
        return mode_names(int(self.stop_modes[stop]))


def mode_names(bits: int) -> tuple[str, ...]:
    """The modes of a set written as bits."""
    return tuple(mode for number, mode in enumerate(MODES) if bits >> number & 1)


def mode_bits(modes: frozenset[str]) -> int:
    """A set of modes written as bits."""
    return sum(1 << number for number, mode in enumerate(MODES) if mode in modes)


def open_snapshot(release_dir: Path, streets_dir: Path | None = None) -> Snapshot:
    """The snapshot of a release directory: `timetable/`, `places.csv`, `manifest.json`; walks along the streets.

    Nobody is led along invented streets in a network that is real.

    Raises:
        Unavailable: there is no timetable that this version can read, or a file of the release is damaged.
    """
    timetable = open_timetable(release_dir / "timetable")
    manifest_path = release_dir / "manifest.json"
    with undamaged(release_dir):
        manifest = json.loads(manifest_path.read_text("utf-8")) if manifest_path.exists() else {}
        communes = read_communes(release_dir / "places.csv")
    snapshot = make_snapshot(timetable, communes, manifest)
    streets = None if streets_dir is None else open_streets(streets_dir)
    if streets is None or (streets.is_demo and not snapshot.is_demo):
        return snapshot
    return replace(snapshot, walks=make_walks(streets, timetable))


def make_snapshot(
    timetable: Timetable, communes: Sequence[Commune] = (), manifest: Mapping[str, object] | None = None
) -> Snapshot:
    """The snapshot of a timetable."""
    n_stops, n_times = timetable.n_stops, len(timetable.arrival_s)
    n_calls = np.diff(timetable.trip_first_time)
    time_trip = np.repeat(np.arange(timetable.n_trips, dtype=np.int32), n_calls)
    position = np.arange(n_times, dtype=np.int64) - timetable.trip_first_time[time_trip]
    call_stop = timetable.sequence_stops[timetable.sequence_first_stop[timetable.trip_sequence[time_trip]] + position]
    order = np.argsort(call_stop, kind="stable").astype(np.int32)
    stop_first_call = np.zeros(n_stops + 1, np.int64)
    np.cumsum(np.bincount(call_stop, minlength=n_stops), out=stop_first_call[1:])

    service_n_days = np.unpackbits(timetable.service_days, axis=1).sum(axis=1)
    trip_n_days = service_n_days[timetable.trip_service] / max(timetable.n_days, 1)
    calls_per_day = np.bincount(call_stop, weights=trip_n_days[time_trip], minlength=n_stops).astype(np.float64)

    stop_modes = np.zeros(n_stops, np.int32)
    np.bitwise_or.at(stop_modes, call_stop, np.left_shift(1, timetable.trip_mode[time_trip].astype(np.int32)))
    parent = timetable.stop_parent
    with_parent = np.flatnonzero(parent >= 0)
    np.bitwise_or.at(stop_modes, parent[with_parent], stop_modes[with_parent])

    bare = Snapshot(
        timetable, PlaceIndex([]), manifest or {}, stop_modes, calls_per_day, stop_first_call, order, time_trip
    )
    return replace(bare, places=build_index(_named_stops(bare), communes))


def _named_stops(snapshot: Snapshot) -> list[NamedStop]:
    """One entry per place that is served."""
    timetable = snapshot.timetable
    return [
        NamedStop(
            stop,
            snapshot.texts[timetable.stop_name[stop]],
            timetable.stop_at(stop),
            mode_names(int(snapshot.place_modes[place])),
            float(snapshot.importance[place]),
        )
        for place, stop in enumerate(snapshot.main_stops.tolist())
        if snapshot.place_modes[place]
    ]


def read_communes(path: Path) -> list[Commune]:
    """The communes of `places.csv`; none when there is no such table."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as lines:
        return [
            Commune(
                row["insee_code"],
                row["name"],
                LatLon(float(row["lat"]), float(row["lon"])),
                int(row["population"] or 0),
                row["dept"],
                row.get("zip") or "",
            )
            for row in csv.DictReader(lines)
        ]
