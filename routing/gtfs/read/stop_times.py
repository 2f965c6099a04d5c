"""Stop times: the one long table, read piece by piece into dense numbers.

Ids of trips and stops become row numbers as soon as a piece is read, so that the
text of ten million rows is never held. Trips whose stop times contradict each other
are found here and set apart whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from routing.gtfs.feed import LINE, sort_stop_times
from routing.gtfs.feed.values import dtype_of
from routing.gtfs.read.notes import Notes
from routing.gtfs.read.references import ids_of_space
from routing.gtfs.read.rows import Rows
from routing.gtfs.read.tables import Heading, note_rows, typed
from routing.gtfs.schema import TABLES, Kind
from socle.findings import Severity

FILE = "stop_times.txt"
_TABLE = TABLES["stop_times"]
_TYPED = {
    column.name: dtype_of(column)
    for column in _TABLE.columns.values()
    if column.kind in {Kind.INTEGER, Kind.ENUM, Kind.FLOAT}
}


class Codes:
    """Row numbers of ids, through a dictionary that Polars keeps between pieces."""

    def __init__(self, ids: pl.Series, given_up: pl.Series | None = None) -> None:
        """`ids` are those of the rows 0, 1, 2…; `given_up` may hold ids whose rows were set apart before."""
        self._dtype = pl.Categorical(pl.Categories.random())
        self._alive = ids.cast(self._dtype)  # Polars forgets a dictionary that no series uses
        known = self._codes(ids)
        given = self._codes(given_up) if given_up is not None else known[:0]
        self._row_of_code = np.full(max(known.max(initial=-1), given.max(initial=-1)) + 2, -1, np.int32)
        self._row_of_code[given] = -2
        self._row_of_code[known] = np.arange(len(known), dtype=np.int32)

    def _codes(self, ids: pl.Series) -> NDArray[np.int64]:
        return ids.cast(self._dtype).to_physical().to_numpy().astype(np.int64)

    def rows(self, ids: pl.Series) -> NDArray[np.int32]:
        """Row of each id; -1 unknown or null, -2 an id whose row was set apart before."""
        last = len(self._row_of_code) - 1  # holds -1
        codes = ids.cast(self._dtype).to_physical().fill_null(last).to_numpy()
        rows: NDArray[np.int32] = self._row_of_code[np.minimum(codes, last)]
        return rows


@dataclass(frozen=True, slots=True)
class StopTimes:
    """The stop times as a Feed holds them, how many rows the file had, and which rows of trips are to be set apart."""

    frame: pl.DataFrame
    n_read: int
    bad_trips: NDArray[np.bool_]


def read_stop_times(
    rows: Rows, tables: Mapping[str, pl.DataFrame], given_up_trips: pl.Series, locations: pl.Series, notes: Notes
) -> StopTimes | None:
    """The stop times of the trips of `tables`; None when the file lacks an essential column."""
    heading = Heading(rows, _TABLE, notes)
    if not heading.usable:
        return None
    trips = Codes(tables["trips"]["trip_id"], given_up_trips)
    stops = Codes(tables["stops"]["stop_id"])
    groups = ids_of_space(tables, "location_group")
    rules = ids_of_space(tables, "booking_rule")
    parts: list[pl.DataFrame] = []
    n_read = 0
    spaces = {"location_group": groups, "location": locations, "booking_rule": rules}
    hints = {written: _TYPED[meant] for written, meant in heading.new_names.items() if meant in _TYPED}
    for batch in rows.batches({**_TYPED, **hints}):
        n_read += batch.height
        frame = _with_places(typed(heading.rename(batch), _TABLE, notes), groups, locations)
        parts.append(_encoded(frame, trips, stops, spaces, notes))
    if not parts:
        parts = [_encoded(_with_places(heading.empty(), groups, locations), trips, stops, spaces, notes)]
    frame = sort_stop_times(_joined(parts))
    frame = _without_equal_rows(frame, notes)
    bad = _bad_trips(frame, tables["trips"], notes)
    return StopTimes(frame, n_read, bad)


def _joined(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """One frame of all `parts`, column by column, letting go of each as it is joined."""
    if len(parts) == 1:
        return parts.pop()
    names = parts[0].columns
    pieces = {name: [part[name] for part in parts] for name in names}
    parts.clear()
    return pl.DataFrame([pl.concat(pieces.pop(name), rechunk=True) for name in names])


def _with_places(frame: pl.DataFrame, groups: pl.Series, locations: pl.Series) -> pl.DataFrame:
    """`frame` with the groups and zones that the draft of Flex wrote in `stop_id` moved to their own columns."""
    if "stop_id" not in frame.columns:
        return frame.with_columns(pl.lit(None, pl.String).alias("stop_id"))
    for name, ids in (("location_group_id", groups), ("location_id", locations)):
        if not len(ids) or name in frame.columns:
            continue
        moved = frame["stop_id"].is_in(ids.implode()).fill_null(value=False)
        if moved.any():
            frame = frame.with_columns(
                frame["stop_id"].set(~moved, None).alias(name), frame["stop_id"].set(moved, None)
            )
    return frame


def _encoded(
    frame: pl.DataFrame, trips: Codes, stops: Codes, spaces: Mapping[str, pl.Series], notes: Notes
) -> pl.DataFrame:
    """`frame` with `trip` and `stop` row numbers for ids; rows of unknown trips and places set apart."""
    trip = trips.rows(frame["trip_id"])
    stop = stops.rows(frame["stop_id"])
    has_stop = frame["stop_id"].is_not_null()
    unknown_trip = pl.Series(trip == -1)
    unknown_stop = pl.Series(stop < 0) & has_stop
    apart = pl.Series(trip < 0) | unknown_stop
    for name, mask in (("trip_id", unknown_trip), ("stop_id", unknown_stop)):
        if mask.any():
            note_rows(notes, Severity.ERROR, "unknown_reference", FILE, frame, mask, frame[name], _TABLE.columns[name])
    for column in _TABLE.columns.values():
        if column.space not in spaces or column.name not in frame.columns:
            continue
        values = frame[column.name]
        unknown = (values.is_not_null() & ~values.is_in(spaces[column.space].implode())).fill_null(value=False)
        if unknown.any():
            note_rows(notes, Severity.ERROR, "unknown_reference", FILE, frame, unknown, values, column)
            if column.emptied:
                frame = frame.with_columns(values.set(unknown, None))
            else:
                apart = apart | unknown
    placed = has_stop
    for name in ("location_group_id", "location_id"):
        if name in frame.columns:
            placed = placed | frame[name].is_not_null()
    if not placed.all():
        note_rows(
            notes, Severity.ERROR, "missing_value", FILE, frame, ~placed, frame["stop_id"], _TABLE.columns["stop_id"]
        )
        apart = apart | ~placed
    result = frame.drop("trip_id", "stop_id").with_columns(
        pl.Series("trip", trip, pl.Int32), pl.Series("stop", stop, pl.Int32).set(~has_stop, None)
    )
    return result.filter(~apart) if apart.any() else result


def _without_equal_rows(frame: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """`frame` without rows that repeat the one before; rows of one sequence number that differ stay in file order."""
    trip, sequence = frame["trip"].to_numpy(), frame["stop_sequence"].to_numpy()
    again = np.zeros(len(trip), bool)
    again[1:] = (trip[1:] == trip[:-1]) & (sequence[1:] == sequence[:-1])
    if not again.any():
        return frame
    places = np.flatnonzero(again)
    what = frame.drop(LINE)
    one, other = what[places - 1], what[places]
    equal = (
        one.select(pl.all_horizontal(pl.col(name).eq_missing(other[name]) for name in what.columns))
        .to_series()
        .to_numpy()
    )
    lines = frame[LINE]
    for code, chosen in (("duplicate_row", places[equal]), ("same_sequence", places[~equal])):
        facts = ((lines[int(row)], {"key": f"{sequence[row]}"}) for row in chosen)
        notes.add_rows(Severity.WARNING, code, FILE, facts, len(chosen))
    if not equal.any():
        return frame
    keep = np.ones(len(trip), bool)
    keep[places[equal]] = False
    return frame.filter(pl.Series(keep))


def _bad_trips(frame: pl.DataFrame, trips: pl.DataFrame, notes: Notes) -> NDArray[np.bool_]:
    """Which trips go back in time, or start or end at no known time."""
    bad = np.zeros(trips.height, bool)
    if not frame.height:
        return bad
    trip = frame["trip"].to_numpy()
    arrival = _seconds(frame, "arrival_time")
    departure = _seconds(frame, "departure_time")
    first = np.flatnonzero(np.append(True, trip[1:] != trip[:-1]))
    last = np.append(first[1:], len(trip)) - 1
    timed = (arrival >= 0) | (departure >= 0)
    rides_on_demand = np.zeros(trips.height, bool)
    for name in ("start_pickup_drop_off_window", "end_pickup_drop_off_window", "location_group_id", "location_id"):
        if name in frame.columns:
            rides_on_demand[trip[frame[name].is_not_null().to_numpy()]] = True
    endless = np.union1d(first[~timed[first]], last[~timed[last]])
    endless = endless[~rides_on_demand[trip[endless]]]
    back = _going_back(trip, arrival, departure)
    lines, ids = frame[LINE], trips["trip_id"]
    for code, rows in (("time_goes_back", back), ("end_without_time", endless)):
        facts = ((lines[int(row)], {"trip_id": ids[int(trip[row])]}) for row in rows)
        notes.add_rows(Severity.ERROR, code, FILE, facts, len(rows))
        bad[trip[rows]] = True
    return bad


def _seconds(frame: pl.DataFrame, name: str) -> NDArray[np.int32]:
    """Times of a column, -1 where empty."""
    if name not in frame.columns:
        return np.full(frame.height, -1, np.int32)
    return frame[name].fill_null(-1).to_numpy()


def _going_back(trip: NDArray[np.int32], arrival: NDArray[np.int32], departure: NDArray[np.int32]) -> NDArray[np.int64]:
    """Rows whose arrival or departure is earlier than a time before it in their trip."""
    dwells_back = (departure >= 0) & (departure < arrival)
    timed = np.flatnonzero((arrival >= 0) | (departure >= 0))
    reaches = np.where(arrival >= 0, arrival, departure)[timed]
    leaves = np.where(departure >= 0, departure, arrival)[timed]
    same = trip[timed][1:] == trip[timed][:-1]
    moves_back = timed[1:][same & (reaches[1:] < leaves[:-1])]
    return np.union1d(np.flatnonzero(dwells_back), moves_back)
