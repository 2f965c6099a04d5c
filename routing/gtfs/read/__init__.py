"""Read: a zip or a folder → Feed and findings, or a refusal with its reasons.

Nothing is lost: unknown files and columns are carried, rows know their line. A row
that means nothing is set apart with a finding; so is a trip that goes back in time.
A dataset without its main files, or of which too large a share is broken, is refused
whole: what is left of it would be a network with holes that nobody sees.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from routing.gtfs.feed import Feed
from routing.gtfs.feed.zones import read_zones
from routing.gtfs.read.notes import FeedRefused, Notes
from routing.gtfs.read.references import OTHER_TABLES, TRIP_TABLES, known_rows, unique_rows
from routing.gtfs.read.rows import Rows
from routing.gtfs.read.source import Limits, Source, Unreadable, open_source
from routing.gtfs.read.stop_times import StopTimes, read_stop_times
from routing.gtfs.read.tables import read_table
from routing.gtfs.schema import LOCATIONS_FILE, TABLES
from socle.errors import Fact
from socle.findings import Finding, Severity
from socle.ids import check_source_id

__all__ = ["FeedRefused", "Limits", "read_feed"]

_CARRIED_BYTES = 64 << 20  # of a table that cannot be read
_MAIN_TABLES = ("agency", "routes", "trips", "stop_times")


def read_feed(
    path: Path, source_id: str, limits: Limits | None = None, max_bad_share: float = 0.25
) -> tuple[Feed, list[Finding]]:
    """The dataset at `path`, a zip or a folder, and what is to be said about it.

    Raises:
        FeedRefused: not a dataset, over `limits`, without a main file, or with more than
            `max_bad_share` of the trips, stop times, stops or routes set apart.
        BadInput: `bad_source_id`.
    """
    check_source_id(source_id)
    notes = Notes()
    limits = limits or Limits()
    with open_source(path, source_id, limits, notes) as source:
        try:
            return _Reading(source, source_id, notes, max_bad_share, limits.piece_bytes).read()
        except Unreadable as error:
            facts: dict[str, Fact] = {"file": error.file, "reason": error.reason}
            reason = Finding(Severity.ERROR, "unreadable_file", error.file, None, facts)
            raise FeedRefused(source_id, [reason], notes.findings()) from error


class _Reading:
    """One reading, table by table."""

    def __init__(self, source: Source, source_id: str, notes: Notes, max_bad_share: float, piece_bytes: int) -> None:
        self._source = source
        self._source_id = source_id
        self._notes = notes
        self._max_bad_share = max_bad_share
        self._piece_bytes = piece_bytes
        self._tables: dict[str, pl.DataFrame] = {}
        self._n_read: dict[str, int] = {}

    def read(self) -> tuple[Feed, list[Finding]]:
        self._check_files()
        extra_files = self._read_extra_files()
        locations = self._location_ids(extra_files)
        for name in TABLES:
            if name != "stop_times" and f"{name}.txt" in self._source.openers:
                self._read_table(name)
        self._check_main_tables()
        for file in self._unusable_files():
            with self._source.open(file) as stream:
                extra_files[file] = stream.read()
        self._split_draft_groups()
        all_trips = self._tables["trips"]["trip_id"]
        for name in TRIP_TABLES:
            self._check_ids(name)
        times = self._read_stop_times(all_trips, locations)
        self._set_bad_trips_apart(times)
        for name in OTHER_TABLES:
            self._check_ids(name)
        self._check_shares()
        self._check_agencies()
        return Feed(self._source_id, self._tables, extra_files), self._notes.findings()

    def _refuse(self, *reasons: Finding) -> FeedRefused:
        return FeedRefused(self._source_id, reasons, self._notes.findings())

    def _check_files(self) -> None:
        there = self._source.openers.keys()
        missing = [f"{name}.txt" for name in _MAIN_TABLES if f"{name}.txt" not in there]
        if "stops.txt" not in there and LOCATIONS_FILE not in there:
            missing.append("stops.txt")
        if "calendar.txt" not in there and "calendar_dates.txt" not in there:
            missing.append("calendar.txt")
        if missing:
            raise self._refuse(*(Finding(Severity.ERROR, "missing_file", file) for file in missing))

    def _read_extra_files(self) -> dict[str, bytes]:
        extra: dict[str, bytes] = {}
        for name in sorted(self._source.openers):
            if name.removesuffix(".txt") in TABLES and name.endswith(".txt"):
                continue
            with self._source.open(name) as stream:
                extra[name] = stream.read()
            if name != LOCATIONS_FILE:
                self._notes.add(Severity.INFO, "unknown_file", name)
        return extra

    def _location_ids(self, extra_files: dict[str, bytes]) -> pl.Series:
        """Ids of the zones of `locations.geojson`."""
        ids: list[str] = []
        if LOCATIONS_FILE in extra_files:
            try:
                ids = [str(zone["id"]) for zone in read_zones(extra_files[LOCATIONS_FILE])]
            except ValueError as error:
                self._notes.add(Severity.ERROR, "bad_locations", LOCATIONS_FILE, reason=str(error))
        return pl.Series(ids, dtype=pl.String)

    def _read_table(self, name: str) -> None:
        file = f"{name}.txt"
        with self._source.open(file) as stream:
            frame, n_read = read_table(Rows(stream, file, self._notes, self._piece_bytes), TABLES[name], self._notes)
        self._n_read[name] = n_read
        if frame is not None:
            self._tables[name] = frame

    def _unusable_files(self) -> list[str]:
        """Tables whose rows mean nothing for lack of a column: carried as they are."""
        files = [f"{name}.txt" for name in self._n_read if name not in self._tables]
        return [file for file in files if self._source.sizes[file] <= _CARRIED_BYTES]

    def _check_main_tables(self) -> None:
        """Refuse when nothing can run: a main table is unreadable or has no row."""
        self._tables.setdefault("stops", _no_stops())
        unusable = [name for name in ("agency", "stops", "routes", "trips") if name not in self._tables]
        if not {"calendar", "calendar_dates"} & self._tables.keys():
            unusable.append("calendar")
        empty = [
            name for name in ("agency", "routes", "trips") if name in self._tables and not self._tables[name].height
        ]
        if unusable or empty:
            raise self._refuse(
                *(Finding(Severity.ERROR, "unusable_table", f"{name}.txt") for name in unusable),
                *(Finding(Severity.ERROR, "empty_table", f"{name}.txt") for name in empty),
            )

    def _split_draft_groups(self) -> None:
        """The draft of Flex listed the stops of a group in location_groups: move them to their table."""
        groups = self._tables.get("location_groups")
        if groups is None or "location_id" not in groups.columns or "location_group_stops" in self._tables:
            return
        members = groups.select("location_group_id", pl.col("location_id").alias("stop_id"), "_line")
        members = members.filter(members["stop_id"].is_not_null())
        self._tables["location_group_stops"] = members
        self._tables["location_groups"] = groups.drop("location_id").unique(
            "location_group_id", keep="first", maintain_order=True
        )
        self._notes.add(Severity.INFO, "draft_location_groups", "location_groups.txt", n_rows=members.height)

    def _check_ids(self, name: str) -> None:
        frame = self._tables.get(name)
        if frame is None:
            return
        frame = unique_rows(frame, TABLES[name], self._notes)
        self._tables[name] = known_rows(frame, TABLES[name], self._tables, self._notes)

    def _read_stop_times(self, all_trips: pl.Series, locations: pl.Series) -> StopTimes:
        with self._source.open("stop_times.txt") as stream:
            rows = Rows(stream, "stop_times.txt", self._notes, self._piece_bytes)
            times = read_stop_times(rows, self._tables, all_trips, locations, self._notes)
        if times is None:
            raise self._refuse(Finding(Severity.ERROR, "unusable_table", "stop_times.txt"))
        if not times.frame.height:
            raise self._refuse(Finding(Severity.ERROR, "empty_table", "stop_times.txt"))
        return times

    def _set_bad_trips_apart(self, times: StopTimes) -> None:
        self._n_read["stop_times"] = times.n_read
        frame, trips = times.frame, self._tables["trips"]
        if times.bad_trips.any():
            good = ~times.bad_trips
            row = np.cumsum(good, dtype=np.int32) - 1
            kept = good[frame["trip"].to_numpy()]
            frame = frame.filter(pl.Series(kept))
            frame = frame.with_columns(pl.Series("trip", row[frame["trip"].to_numpy()], pl.Int32))
            trips = trips.filter(pl.Series(good))
        self._tables["trips"], self._tables["stop_times"] = trips, frame

    def _check_shares(self) -> None:
        """Refuse when too much of what the journeys stand on was set apart."""
        reasons = []
        for name in ("routes", "stops", "trips", "stop_times"):
            n_read = self._n_read.get(name, 0)
            n_bad = n_read - self._tables[name].height - self._notes.count("duplicate_row", f"{name}.txt")
            if n_bad > self._max_bad_share * n_read:
                facts: dict[str, Fact] = {"n_bad": n_bad, "n_rows": n_read}
                reasons.append(Finding(Severity.ERROR, "too_many_bad_rows", f"{name}.txt", None, facts))
        if reasons:
            raise self._refuse(*reasons)

    def _check_agencies(self) -> None:
        agency = self._tables["agency"]
        named = agency["agency_timezone"].drop_nulls().to_list() if "agency_timezone" in agency.columns else []
        zones = sorted(set(named))
        if not zones:
            self._notes.add(Severity.ERROR, "no_timezone", "agency.txt")
        elif len(zones) > 1:
            self._notes.add(Severity.WARNING, "several_timezones", "agency.txt", zones=", ".join(zones))
        if agency.height > 1 and ("agency_id" not in agency.columns or agency["agency_id"].null_count()):
            self._notes.add(Severity.ERROR, "agency_without_id", "agency.txt", n_agencies=agency.height)


def _no_stops() -> pl.DataFrame:
    """The stops of a dataset that has only zones."""
    return pl.DataFrame(schema={"stop_id": pl.String, "_line": pl.Int32})
