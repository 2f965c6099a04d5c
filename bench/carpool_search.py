"""Searches of a partner operator against a running server: 10,000 offers, 200 questions a second, with its key.

    python bench/covoiturage.py search [--seconds 30] [--users 40]

Half of the offers are journeys of drivers over a week, half are regular trips with five schedules each,
between 60 places of the region; a question asks for one of either within 5 km and an hour.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from bench.history import machine, record
from bench.load import ROOT, free_port, percentile, run_scenario, start_server

N_OFFERS = 10_000
GOAL_P99_MS = 50
FIRST_AT = 1_795_478_400  # 2026-11-24T00:00:00Z
WEEK_S = 7 * 86_400
DAYS = ("MON", "TUE", "WED", "THU", "FRI")


def places() -> list[tuple[float, float]]:
    """60 places of the region, always the same."""
    draws = Random(1)
    return [(draws.uniform(46.4, 48.2), draws.uniform(3.2, 7.0)) for _ in range(60)]


def offers() -> Iterator[tuple[str, dict[str, Any]]]:
    """Journeys and regular trips around those places, by the section of the file that they stand in."""
    draws, known = Random(2), places()
    for number in range(N_OFFERS):
        ends = [(lat + draws.gauss(0, 0.02), lon + draws.gauss(0, 0.03)) for lat, lon in draws.sample(known, 2)]
        trip: dict[str, Any] = {
            "operator": "covoit.example.org",
            "driver": {"id": f"u{number}", "operator": "covoit.example.org", "alias": f"Conducteur {number}"},
            "duration": draws.randrange(600, 7200),
            "distance": draws.randrange(5_000, 120_000),
            "passengerPickupLat": ends[0][0],
            "passengerPickupLng": ends[0][1],
            "passengerDropLat": ends[1][0],
            "passengerDropLng": ends[1][1],
            "preferences": {"smoking": False, "music": True},
        }
        if number % 2:
            at = FIRST_AT + draws.randrange(WEEK_S)
            yield "driverJourneys", trip | {"id": f"j{number}", "type": "PLANNED", "passengerPickupDate": at}
        else:
            clock = f"{draws.randrange(5, 21):02}:{draws.randrange(60):02}:00"
            schedules = [{"passengerPickupDay": day, "passengerPickupTimeOfDay": clock} for day in DAYS]
            yield "driverRegularTrips", trip | {"schedules": schedules}


def mobigo(*words: str) -> str:
    """What a command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "mobigo", *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def main(arguments: list[str]) -> None:
    """Serve, ask, print, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--users", type=int, default=40, help="each asks five times a second")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MOBIGO_DATA_DIR"] = str(Path(folder) / "var")
        sections: dict[str, list[dict[str, Any]]] = {}
        for section, offer in offers():
            sections.setdefault(section, []).append(offer)
        file = Path(folder) / "offers.json"
        file.write_text(json.dumps(sections))
        print(mobigo("covoiturage", "import", str(file)))
        os.environ["MOBIGO_BENCH_KEY"] = mobigo("covoiturage", "keys", "new", "--operator", "maas.example.org")
        port = free_port()
        server = start_server(port, workers=1)
        try:
            entries, cpu_s = run_scenario("Carpools", port, chosen.users, chosen.seconds)
        finally:
            server.terminate()
            server.wait()
    histogram: dict[str, int] = {}
    for entry in entries:
        for key, number in entry["response_times"].items():
            histogram[key] = histogram.get(key, 0) + number
    n_requests = sum(entry["num_requests"] for entry in entries)
    n_failed = sum(entry["num_failures"] for entry in entries)
    told = {f"p{share}_ms": percentile(histogram, share / 100) for share in (50, 95, 99)}
    figures = {"requests_per_s": n_requests / chosen.seconds, **told}
    print(f"{machine()}; one server process; the generator used {cpu_s / chosen.seconds:.0%} of a core beside it")
    print(
        f"{figures['requests_per_s']:.0f} searches a second, p50 {told['p50_ms']:.0f} ms, p95 {told['p95_ms']:.0f} ms, "
        f"p99 {told['p99_ms']:.0f} ms (goal {GOAL_P99_MS}), {n_failed} failed"
    )
    record("covoiturage, search", figures)
    if n_failed:
        raise SystemExit(1)
