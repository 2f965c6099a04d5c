"""Networks of the search bench: real feeds, cut to three days and made plain for both engines.

What is normalised, once, so that both engines are asked the same thing:

- three service days, D − 1 to D + 1, of the feed, moved by whole weeks onto one date;
- times cut to whole minutes (pynigiri knows no seconds);
- stops without stations, each with a name of its own (pynigiri joins stops of one name);
- changes of 2 minutes at every stop; walks of 1.25 × the great circle at 1.2 m/s, up to 10 whole minutes,
  rounded up, at least 2, the same both ways, written out as transfers.txt. Such a set is closed: a chain of
  two walks is never shorter than the walk, so what pynigiri closes stays what it was;
- blocks cut where a trip does not begin at the stop where the one before ends, and between trips of other
  days (pynigiri stays seated from a trip to any later one of its block that begins there, over those between).
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from routing.gtfs.read import read_feed
from routing.network.compile import make_timetable
from routing.network.timetable import Timetable
from routing.network.transfers import CHANGE_S, MAX_WALK_S, near_stops, walk_seconds
from socle.geo import distances_m

DAY = date(2026, 3, 10)  # a Tuesday; all feeds are moved onto it
MINUTE_S = 60


@dataclass(frozen=True)
class Part:
    """A feed as it enters a network: the day of it that becomes DAY, and how far it is moved, in degrees."""

    path: str
    day: date
    north: float = 0.0
    east: float = 0.0


CTS = Part("gtfs-cts-strasbourg-2026/gtfs.zip", date(2026, 3, 10))
TER = Part("gtfs-sncf-ter-2025-01/gtfs.zip", date(2025, 3, 11))
POA = Part("poa-gtfs-and-osm/poa_eptc.zip", date(2019, 5, 14))
NYC = Part("gtfs-nyc-subway-2024/gtfs.zip", date(2024, 12, 17))

_STRASBOURG, _PORTO_ALEGRE = (48.5850, 7.7345), (-30.0265, -51.2285)  # where the copies are taken by
_DIJON, _LYON, _LILLE, _NANTES = (47.3233, 5.0273), (45.7606, 4.8594), (50.6365, 3.0705), (47.2173, -1.5420)


def _onto(part: Part, here: tuple[float, float], there: tuple[float, float]) -> Part:
    """`part` moved so that one point of it comes to lie on another."""
    return Part(part.path, part.day, there[0] - here[0], there[1] - here[1])


NETWORKS: dict[str, tuple[Part, ...]] = {
    "strasbourg": (CTS,),
    "ter": (TER,),
    "porto-alegre": (POA,),
    "new-york": (NYC,),
    # Répliqué: the trains of France, Strasbourg with three copies of it on other stations, and Porto Alegre
    # on the station of Dijon. About 13,000 stops that are all joined, three to four times the region.
    "composite": (
        TER,
        CTS,
        *(_onto(CTS, _STRASBOURG, there) for there in (_LYON, _LILLE, _NANTES)),
        _onto(POA, _PORTO_ALEGRE, _DIJON),
    ),
}


def missing(name: str, data: Path) -> list[str]:
    """The files of a network that are not there."""
    return sorted({part.path for part in NETWORKS[name] if not (data / part.path).exists()})


def write_normalised(name: str, data: Path, target: Path) -> None:
    """Write the normalised feed of a network as a zip."""
    opened: dict[str, Timetable] = {}
    tables = _Tables()
    for number, part in enumerate(NETWORKS[name]):
        if part.path not in opened:
            opened[part.path] = make_timetable(read_feed(data / part.path, "bench")[0])
        tables.add(opened[part.path], part, f"{number}")
    tables.add_walks()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, rows in tables.files.items():
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(rows)
            archive.writestr(file, text.getvalue())


class _Tables:
    """The rows of the normalised feed, as they are collected."""

    def __init__(self) -> None:
        self.files: dict[str, list[Iterable[object]]] = {
            "agency.txt": [
                ("agency_id", "agency_name", "agency_url", "agency_timezone"),
                ("a", "A", "https://example.org", "Europe/Paris"),
            ],
            "stops.txt": [("stop_id", "stop_name", "stop_lat", "stop_lon")],
            "routes.txt": [("route_id", "agency_id", "route_short_name", "route_long_name", "route_type")],
            "trips.txt": [("route_id", "service_id", "trip_id", "block_id")],
            "stop_times.txt": [
                (
                    "trip_id",
                    "stop_id",
                    "stop_sequence",
                    "arrival_time",
                    "departure_time",
                    "pickup_type",
                    "drop_off_type",
                )
            ],
            "calendar_dates.txt": [("service_id", "date", "exception_type")],
            "transfers.txt": [("from_stop_id", "to_stop_id", "transfer_type", "min_transfer_time")],
        }
        for mask in range(1, 8):
            for bit in range(3):
                if mask >> bit & 1:
                    day = DAY + timedelta(days=bit - 1)
                    self.files["calendar_dates.txt"].append((f"m{mask}", day.strftime("%Y%m%d"), 1))
        self._lat: list[float] = []
        self._lon: list[float] = []

    def add(self, timetable: Timetable, part: Part, prefix: str) -> None:
        """Add what runs on the three days."""
        masks = np.zeros(timetable.n_trips, np.int64)
        for bit in range(3):
            runs = timetable.services_of(part.day + timedelta(days=bit - 1))[timetable.trip_service]
            masks |= runs.astype(np.int64) << bit
        pieces = _pieces_of_blocks(timetable, masks)
        stop_number: dict[int, int] = {}
        for route, kind in enumerate(timetable.route_type.tolist()):
            self.files["routes.txt"].append((f"{prefix}r{route}", "a", f"{prefix}r{route}", "", kind))
        for trip in np.flatnonzero(masks).tolist():
            name = f"{prefix}t{trip}"
            self.files["trips.txt"].append(
                (
                    f"{prefix}r{timetable.trip_route[trip]}",
                    f"m{masks[trip]}",
                    name,
                    f"{prefix}b{pieces[trip]}" if trip in pieces else "",
                )
            )
            sequence = timetable.trip_sequence[trip]
            span = slice(timetable.sequence_first_stop[sequence], timetable.sequence_first_stop[sequence + 1])
            arrivals, departures = timetable.trip_times(trip)
            columns = (
                timetable.sequence_stops[span].tolist(),
                arrivals.tolist(),
                departures.tolist(),
                timetable.sequence_pickup[span].tolist(),
                timetable.sequence_drop_off[span].tolist(),
            )
            for position, (stop, arrival, departure, pickup, drop_off) in enumerate(zip(*columns, strict=True)):
                if stop not in stop_number:
                    stop_number[stop] = len(self._lat)
                    self._lat.append(float(timetable.stop_lat[stop]) + part.north)
                    self._lon.append(float(timetable.stop_lon[stop]) + part.east)
                    number = stop_number[stop]
                    self.files["stops.txt"].append((f"s{number}", f"Stop {number}", self._lat[-1], self._lon[-1]))
                self.files["stop_times.txt"].append(
                    (
                        name,
                        f"s{stop_number[stop]}",
                        position,
                        _minute(arrival),
                        _minute(departure),
                        pickup,
                        drop_off,
                    )
                )

    def add_walks(self) -> None:
        """Add the walks between all stops of the feed."""
        lat, lon = np.array(self._lat), np.array(self._lon)
        reach_m = MAX_WALK_S * 1.2 / 1.25 + 1
        one, other = near_stops(lat, lon, np.arange(len(lat)), reach_m)
        seconds = walk_seconds(distances_m(lat[one], lon[one], lat[other], lon[other]))
        minutes = np.maximum(-(-seconds // MINUTE_S), CHANGE_S // MINUTE_S)
        for start, end, walk in sorted(zip(one.tolist(), other.tolist(), minutes.tolist(), strict=True)):
            if walk * MINUTE_S <= MAX_WALK_S:
                self.files["transfers.txt"].append((f"s{start}", f"s{end}", 2, walk * MINUTE_S))


def _pieces_of_blocks(timetable: Timetable, masks: NDArray[np.int64]) -> dict[int, str]:
    """By trip, the piece of its block in which each trip begins at the stop where the one before ends."""
    blocks: dict[tuple[int, int], list[tuple[int, int, int, int]]] = defaultdict(list)
    for trip in np.flatnonzero((masks > 0) & (timetable.trip_block >= 0)).tolist():
        first = int(timetable.sequence_first_stop[timetable.trip_sequence[trip]])
        last = int(timetable.sequence_first_stop[timetable.trip_sequence[trip] + 1]) - 1
        leaves = int(timetable.trip_times(trip)[1][0])
        ends = int(timetable.sequence_stops[first]), int(timetable.sequence_stops[last])
        blocks[int(timetable.trip_block[trip]), int(masks[trip])].append((leaves, trip, *ends))
    pieces = {}
    for (block, mask), trips in blocks.items():
        number, at = 0, -1
        for _leaves, trip, begins, ends in sorted(trips):
            number += begins != at
            pieces[trip] = f"{block}m{mask}p{number}"
            at = ends
    return pieces


def _minute(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:00"
