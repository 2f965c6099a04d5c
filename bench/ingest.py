"""Ingest bench: read a feed of ten million stop times, and the same with gtfs-kit's reader.

    python bench/ingest.py [--stop-times 10000000] [--keep FOLDER]

Writes an invented feed in a temporary folder (the same bytes on every run), reads it
in one fresh process per reader and prints CPU seconds (user and system), elapsed
seconds and peak memory of each process, imports included. Ours reads, checks every
value and reference, turns ids into row numbers and sorts; gtfs-kit's reads only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.history import record

CALLS = 20  # stops of a trip
TRIPS_AT_ONCE = 25_000

_MEASURED = """
import json, resource, sys, time
from pathlib import Path
start = time.monotonic()
{work}
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({{"cpu_s": usage.ru_utime + usage.ru_stime, "elapsed_s": time.monotonic() - start,
                   "peak_mb": usage.ru_maxrss / 1024, "n_rows": n_rows}}))
"""
READERS = {
    "Mobigo (read, check, encode, sort)": """
from routing.gtfs.read import read_feed
feed, findings = read_feed(Path(sys.argv[1]), "bench")
assert not findings, findings[:3]
n_rows = feed.tables["stop_times"].height
""",
    "gtfs-kit (read)": """
import gtfs_kit
n_rows = len(gtfs_kit.read_feed(sys.argv[1], dist_units="km").stop_times)
""",
}


def write_feed(path: Path, n_stop_times: int) -> int:
    """An invented feed; trips come in no order, as vehicles run them. Returns the bytes of stop_times.txt."""
    n_trips = n_stop_times // CALLS
    n_stops = max(CALLS, n_trips // 25)
    n_routes = max(1, n_trips // 250)
    rng = np.random.default_rng(20_261_121)
    trip = pl.int_range(n_trips, eager=True)
    tables = {
        "agency": pl.DataFrame({"agency_id": "A", "agency_name": "A", "agency_url": "https://a.example",
                                "agency_timezone": "Europe/Paris"}),
        "stops": pl.DataFrame({"stop_id": _stop_ids(np.arange(n_stops)), "stop_name": _numbered("Stop ", n_stops),
                               "stop_lat": rng.uniform(46.2, 48.4, n_stops).round(6),
                               "stop_lon": rng.uniform(2.9, 7.1, n_stops).round(6)}),
        "routes": pl.DataFrame({"route_id": _numbered("route:", n_routes), "agency_id": "A",
                                "route_short_name": _numbered("", n_routes), "route_type": 3}),
        "calendar": pl.DataFrame({"service_id": _numbered("service:", 400)}).with_columns(
            *(pl.lit(1).alias(day) for day in ("monday", "tuesday", "wednesday", "thursday", "friday")),
            *(pl.lit(0).alias(day) for day in ("saturday", "sunday")),
            start_date=pl.lit("20261101"), end_date=pl.lit("20271031"),
        ),
        "trips": pl.DataFrame({"route_id": _numbered("route:", n_routes).gather(trip % n_routes),
                               "service_id": _numbered("service:", 400).gather(trip % 400),
                               "trip_id": _trip_ids(trip), "direction_id": trip % 2}),
    }  # fmt: skip
    order = rng.permutation(n_trips)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, frame in tables.items():
            archive.writestr(f"{name}.txt", frame.write_csv())
        with archive.open("stop_times.txt", "w", force_zip64=True) as member:
            return sum(
                _write_stop_times(member, order[first : first + TRIPS_AT_ONCE], n_stops, header=first == 0)
                for first in range(0, n_trips, TRIPS_AT_ONCE)
            )


def _write_stop_times(member: IO[bytes], trips: np.ndarray, n_stops: int, *, header: bool) -> int:
    call = np.tile(np.arange(CALLS), len(trips))
    trip = np.repeat(trips, CALLS)
    start = 5 * 3600 + (trips * 7919) % (19 * 3600)
    arrival = np.repeat(start, CALLS) + call * 171
    stop = (np.repeat((trips * 31) % n_stops, CALLS) + call) % n_stops
    frame = pl.DataFrame(
        {
            "trip_id": _trip_ids(pl.Series(trip)),
            "arrival_time": _clocks(arrival),
            "departure_time": _clocks(arrival + 20),
            "stop_id": _stop_ids(stop),
            "stop_sequence": call + 1,
            "pickup_type": 0,
            "drop_off_type": 0,
        }
    )
    return member.write(frame.write_csv(include_header=header).encode())


def _numbered(before: str, n: int) -> pl.Series:
    return pl.int_range(n, eager=True).cast(pl.String).str.zfill(6).str.replace("^", before)


def _trip_ids(trip: pl.Series) -> pl.Series:
    return pl.select("bench:Trip:" + trip.cast(pl.String).str.zfill(9) + ":2026-11-21").to_series()


def _stop_ids(stop: np.ndarray) -> pl.Series:
    return pl.select("FR:25056:ZE:" + pl.Series(stop).cast(pl.String).str.zfill(6) + ":LOC").to_series()


def _clocks(seconds: np.ndarray) -> pl.Series:
    two = [pl.Series(part).cast(pl.String).str.zfill(2) for part in (seconds // 3600, seconds // 60 % 60, seconds % 60)]
    return pl.select(two[0] + ":" + two[1] + ":" + two[2]).to_series()


def measure(work: str, path: Path) -> dict[str, float]:
    """What one fresh process needs for `work`."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED.format(work=work), str(path)],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--stop-times", type=int, default=10_000_000)
    parser.add_argument("--keep", type=Path, help="write the feed there and leave it")
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        path = (options.keep or Path(folder)) / "ingest.zip"
        start = time.monotonic()
        n_bytes = write_feed(path, options.stop_times)
        console.print(
            f"{options.stop_times:,} stop times, {n_bytes / 1e6:,.0f} MB of CSV, zip of "
            f"{path.stat().st_size / 1e6:,.0f} MB, made in {time.monotonic() - start:.0f} s"
        )
        table = Table("reader", "rows", "CPU s", "elapsed s", "peak MB")
        for column in table.columns[1:]:
            column.justify = "right"
        figures: dict[str, float] = {}
        for name, work in READERS.items():
            got = measure(work, path)
            reader = name.partition(" (")[0]
            figures |= {f"{reader}_cpu_s": got["cpu_s"], f"{reader}_peak_mb": got["peak_mb"]}
            table.add_row(
                name,
                f"{got['n_rows']:,.0f}",
                f"{got['cpu_s']:.1f}",
                f"{got['elapsed_s']:.1f}",
                f"{got['peak_mb']:,.0f}",
            )
        console.print(table)
    record(f"ingest, {options.stop_times} stop times", figures)


if __name__ == "__main__":
    main()
