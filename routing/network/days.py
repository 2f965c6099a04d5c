"""Days: what a search reads of one day, made from the Timetable and kept beside it.

For the service day D it holds every vehicle that moves between 24 hours before the start of D and
24 hours after its end, so D−1, D, D+1 and what is left of the days before: enough for every journey
of at most a day that leaves or arrives in D. Times are seconds from the start of D in the network's first zone, on
one clock for all zones, so days when clocks change need no care in a search.

Three things differ from the Timetable:

- a *run* is what one vehicle does while a traveller may stay seated: a trip, or trips that follow
  each other in a block or by transfers.txt type 4;
- a *spot* is a stop, or the part of a stop used by the trips that transfers.txt treats alike, so
  that a rule between trips or routes is a plain walk between two spots;
- a *pattern* is runs over the same spots of which none overtakes another.

Dates on which the same trips run share one day. It is made when first asked for, written beside
and renamed, so two processes may make the same one at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.kernels.arrays import Bytes, Ints, SearchArrays
from routing.mapped import map_array
from routing.network import runs as making
from routing.network.chains import day_offsets
from routing.network.timetable import Timetable
from socle.times import DAY_S, day_number, day_of_number, service_day_start

LONGEST_S = DAY_S  # of a journey that is looked for
MAX_DAYS_IN_MEMORY = 16
MAX_DAYS_ON_DISK = 64  # a calendar of exceptions may have as many days as dates
_VERSION = 2


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a Timetable, in both directions, and the way back to trips and stops."""

    forward: SearchArrays
    backward: SearchArrays
    spot_stop: Ints  # [n_spots] stop
    stop_first_spot: Ints  # [n_stops + 1]
    stop_spots: Ints  # spots of each stop; none where nothing stops on these days
    pattern_first_run: Ints  # [n_patterns + 1]
    # run -> the trips it is made of, with the service day as days after D and the position of the
    # trip's first stop in the run.
    run_first_part: Ints  # [n_runs + 1]
    part_trip: Ints
    part_day: NDArray[np.int8]
    part_position: Ints

    @property
    def n_spots(self) -> int:
        """Spots of this day."""
        return len(self.spot_stop)

    def spots_of(self, stops: Ints) -> Ints:
        """The spots of `stops`, ascending."""
        found = [self.stop_spots[self.stop_first_spot[stop] : self.stop_first_spot[stop + 1]] for stop in stops]
        return np.sort(np.concatenate(found)) if found else np.zeros(0, np.int32)


class Days:
    """The days of one Timetable, made on demand: in memory, else on disk, else made."""

    def __init__(self, timetable: Timetable) -> None:
        self.timetable = timetable
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Day] = OrderedDict()
        self._keys: dict[date, str] = {}

    def get(self, day: date) -> Day:
        """The day `day`; one without any trip has no pattern."""
        with self._lock:
            key = self._keys.get(day)
            if key is None:
                key = self._keys[day] = day_key(self.timetable, day)
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
                return kept
            made = self._open_or_make(key, day)
            self._kept[key] = made
            if len(self._kept) > MAX_DAYS_IN_MEMORY:
                self._kept.popitem(last=False)
            return made

    def _open_or_make(self, key: str, day: date) -> Day:
        directory = self.timetable.directory / "days" / key
        found = find_day(directory)
        if found is not None:
            return found
        made = make_day(self.timetable, day)
        if self.timetable.directory == Path():  # a timetable in memory
            return made
        try:
            save_day(made, directory)
        except OSError:  # a full or read-only disk: served from memory, like the first answer of any process
            return made
        return find_day(directory) or made


def days_of(timetable: Timetable) -> Days:
    """The days of `timetable`: one keeper, held by the timetable itself."""
    kept: Days = vars(timetable).setdefault("_days", Days(timetable))
    return kept


def day_key(timetable: Timetable, day: date) -> str:
    """Name of what moves around `day`: equal for dates that a search cannot tell apart."""
    digest = hashlib.blake2b(f"{_VERSION} {timetable.digest}".encode(), digest_size=16)
    start = service_day_start(day, timetable.zone_infos[0])
    for offset in day_offsets(timetable):
        other = day_of_number(day_number(day) + offset)
        starts = [service_day_start(other, zone) - start for zone in timetable.zone_infos]
        digest.update(repr(starts).encode())
        digest.update(np.packbits(timetable.services_of(other)).tobytes())
    return digest.hexdigest()


def save_day(day: Day, directory: Path) -> None:
    """Publish `day` as `directory`, whole or not at all; one who came first has made the same."""
    directory.parent.mkdir(exist_ok=True)  # not beneath a release that was forgotten meanwhile
    beside = Path(tempfile.mkdtemp(prefix=".making-", dir=directory.parent))
    try:
        for name, array in _arrays(day):
            np.save(beside / f"{name}.npy", array)
        beside.chmod(0o755)
        os.rename(beside, directory)  # noqa: PTH104 (Path.rename says the same, this says it is the system call)
    except OSError:
        shutil.rmtree(beside, ignore_errors=True)
        if not directory.is_dir():
            raise
    _forget_oldest(directory.parent)


def _forget_oldest(kept: Path) -> None:
    """Remove the days made longest ago, beyond the number that is kept; who has one open keeps its pages."""
    made = []
    for one in kept.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another process is at it too
            made.append((one.stat().st_mtime_ns, one))
    for _, one in sorted(made)[:-MAX_DAYS_ON_DISK]:
        shutil.rmtree(one, ignore_errors=True)


def find_day(directory: Path) -> Day | None:
    """The day of `directory`, mapped, or None when there is none."""

    def search(prefix: str) -> SearchArrays:
        return SearchArrays(*(map_array(directory / f"{prefix}.{name}.npy") for name in SearchArrays._fields))

    names = [one.name for one in fields(Day) if one.name not in ("forward", "backward")]
    try:
        plain: dict[str, Any] = {name: map_array(directory / f"{name}.npy") for name in names}
        return Day(forward=search("forward"), backward=search("backward"), **plain)
    except (FileNotFoundError, NotADirectoryError):  # never made, or just forgotten
        return None


def _arrays(day: Day) -> list[tuple[str, NDArray[Any]]]:
    """The arrays of a day with their file names."""
    named: list[tuple[str, NDArray[Any]]] = []
    for one in fields(Day):
        value = getattr(day, one.name)
        if isinstance(value, SearchArrays):
            named += [(f"{one.name}.{name}", array) for name, array in value._asdict().items()]
        else:
            named.append((one.name, value))
    return named


def make_day(timetable: Timetable, day: date) -> Day:
    """What moves around `day`, in memory."""
    zone = timetable.zone_infos[0]
    length_s = service_day_start(day_of_number(day_number(day) + 1), zone) - service_day_start(day, zone)
    spots, templates, moving = making.make_runs(timetable, day, -LONGEST_S, length_s + LONGEST_S)
    patterns = making.make_patterns(templates, moving)
    first_stop, pattern_spots, allow, needs = patterns.first_stop, patterns.spots, patterns.allow, patterns.needs
    n_spots, n_patterns = len(spots.stop), len(needs)
    lengths, n_runs = np.diff(first_stop), patterns.n_runs
    pattern_of_stop = np.repeat(np.arange(n_patterns), lengths)
    position = np.arange(len(pattern_spots)) - first_stop[pattern_of_stop]
    first_time = np.zeros(n_patterns + 1, np.int64)
    np.cumsum(lengths.astype(np.int64) * n_runs, out=first_time[1:])
    by_stop = _run_to_stop(first_time, lengths, n_runs)

    forward = SearchArrays(
        change_s=spots.change_s,
        first_walk=_first(spots.walk_from, n_spots),
        walk_spot=spots.walk_to,
        walk_s=spots.walk_s,
        **_visits(pattern_spots, allow & making.BOARD != 0, pattern_of_stop, position, n_spots),
        first_stop=first_stop,
        spots=pattern_spots,
        allow=allow,
        needs=needs,
        n_runs=n_runs,
        first_time=first_time.astype(np.int32),
        arrival_s=patterns.arrival_s,
        departure_s=patterns.departure_s[by_stop],
    )
    # The mirror: position i becomes m - 1 - i, run r becomes n - 1 - r, an arrival at t a departure at -t.
    turned = first_stop[pattern_of_stop] + lengths[pattern_of_stop] - 1 - position
    back_spots = pattern_spots[turned]
    back_allow = _swap(allow[turned])
    whole = first_time[np.repeat(np.arange(n_patterns), lengths * n_runs)] if n_patterns else np.zeros(0, np.int64)
    within = np.arange(len(patterns.arrival_s)) - whole
    last = np.repeat(lengths.astype(np.int64) * n_runs, lengths * n_runs) - 1
    flipped = whole + last - within
    order = np.lexsort((spots.walk_from, spots.walk_s, spots.walk_to))
    backward = SearchArrays(
        change_s=spots.change_s,
        first_walk=_first(spots.walk_to[order], n_spots),
        walk_spot=spots.walk_from[order],
        walk_s=spots.walk_s[order],
        **_visits(back_spots, back_allow & making.BOARD != 0, pattern_of_stop, position, n_spots),
        first_stop=first_stop,
        spots=back_spots,
        allow=back_allow,
        needs=needs,
        n_runs=n_runs,
        first_time=first_time.astype(np.int32),
        arrival_s=-patterns.departure_s[flipped],
        departure_s=(-patterns.arrival_s[flipped])[by_stop],
    )
    stop_order = np.argsort(spots.stop, kind="stable").astype(np.int32)
    return Day(
        forward=forward,
        backward=backward,
        spot_stop=spots.stop,
        stop_first_spot=_first(spots.stop[stop_order], timetable.n_stops),
        stop_spots=stop_order,
        pattern_first_run=np.concatenate([[0], np.cumsum(n_runs)]).astype(np.int32),
        run_first_part=patterns.run_first_part,
        part_trip=patterns.part_trip,
        part_day=patterns.part_day,
        part_position=patterns.part_position,
    )


def _first(owner: Ints, n: int) -> Ints:
    """Where the members of each owner begin in the ascending list of their owners."""
    return np.searchsorted(owner, np.arange(n + 1)).astype(np.int32)


def _swap(allow: Bytes) -> Bytes:
    """Boarding for alighting and the reverse."""
    board = allow & (making.BOARD | making.BOARD_UNBOOKED)
    alight = allow & (making.ALIGHT | making.ALIGHT_UNBOOKED)
    return (board << 1 | alight >> 1).astype(np.uint8)


def _visits(
    spots: Ints, may_board: NDArray[np.bool_], pattern: NDArray[np.int64], position: NDArray[np.int64], n_spots: int
) -> dict[str, Ints]:
    """The patterns that may be boarded at each spot, by pattern and position."""
    kept = np.flatnonzero(may_board)
    order = kept[np.argsort(spots[kept], kind="stable")]
    return {
        "first_visit": _first(spots[order], n_spots),
        "visit_pattern": pattern[order].astype(np.int32),
        "visit_position": position[order].astype(np.int32),
    }


def _run_to_stop(first_time: NDArray[np.int64], lengths: Ints, n_runs: Ints) -> NDArray[np.int64]:
    """For each place in stop-major order, its place in run-major order."""
    sizes = lengths.astype(np.int64) * n_runs
    whole = np.repeat(first_time[:-1], sizes)
    within = np.arange(int(sizes.sum())) - whole
    n, m = np.repeat(n_runs.astype(np.int64), sizes), np.repeat(lengths.astype(np.int64), sizes)
    places: NDArray[np.int64] = whole + within % n * m + within // n
    return places
