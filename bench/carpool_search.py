"""Searches against a running server, 200 questions a second: of a partner operator with its key, and of travellers.

    python bench/covoiturage.py search [--seconds 30] [--users 40] [--workers 2] [--folder DIR]

The partner asks `/standard-covoiturage/v1` for 10,000 offers handed over: half are journeys of drivers over a
week, half regular trips with five schedules each, between 60 places of the region; a question asks for one of
either within 5 km and an hour. Travellers ask `/api/covoiturage/search` for 20,000 offers of our own drivers,
along the streets (`bench/carpool_rides.py`); no other operator is asked meanwhile. The generator runs on the
same cores, so the processor time that the server takes for a request is told too. What is served is made in
`--folder` and used again from there, else made each time. Before, the search itself is timed in this process:
thread CPU of each of 300 questions, the smallest of three rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import psutil

from bench import carpool_rides
from bench.history import machine, record
from bench.load import ROOT, free_port, percentile, run_scenario, start_server
from mobigo.services.covoiturage.finding import OfferSearch
from mobigo.services.covoiturage.ways import street_ways
from mobigo.store.base import open_engine
from routing.streets.graph import open_streets

N_OFFERS = 10_000
GOAL_P99_MS = 50
FIRST_AT = 1_795_478_400  # 2026-11-24T00:00:00Z
WEEK_S = 7 * 86_400
DAYS = ("MON", "TUE", "WED", "THU", "FRI")
READY = "ready"
N_HERE, ROUNDS = 300, 3


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


def summed(entries: list[dict[str, Any]]) -> tuple[dict[str, float], int, int]:
    """The figures of a scenario, how many requests were answered, and how many failed."""
    histogram: dict[str, int] = {}
    for entry in entries:
        for key, number in entry["response_times"].items():
            histogram[key] = histogram.get(key, 0) + number
    told = {f"p{share}_ms": percentile(histogram, share / 100) for share in (50, 95, 99)}
    n_requests = sum(entry["num_requests"] for entry in entries)
    span_s = max(entry["last_request_timestamp"] for entry in entries) - min(entry["start_time"] for entry in entries)
    return {"requests_per_s": n_requests / span_s, **told}, n_requests, sum(entry["num_failures"] for entry in entries)


def warm_up(port: int, workers: int) -> None:
    """Have the server processes read the offers, which takes seconds and is done once."""
    region, draws = carpool_rides.Region(Path(os.environ["MOBIGO_DATA_DIR"])), Random(1)
    for _ in range(4 * workers):
        address = carpool_rides.draw_question(region, draws, datetime.now(UTC).date())
        urllib.request.urlopen(f"http://127.0.0.1:{port}{address}", timeout=60).close()


def cpu_s(server: subprocess.Popen[bytes]) -> float:
    """Processor seconds of the server and its workers up to now."""
    first = psutil.Process(server.pid)
    spent = [process.cpu_times() for process in (first, *first.children(recursive=True))]
    return sum(times.user + times.system for times in spent)


def make_data(folder: Path) -> None:
    """The demonstration's region, the partners' offers and ours."""
    sections: dict[str, list[dict[str, Any]]] = {}
    for section, offer in offers():
        sections.setdefault(section, []).append(offer)
    file = folder / "offers.json"
    file.write_text(json.dumps(sections))
    print(mobigo("covoiturage", "import", str(file)))
    mobigo("demo")
    data_dir = Path(os.environ["MOBIGO_DATA_DIR"])
    engine = open_engine(f"sqlite:///{data_dir / 'mobigo.sqlite3'}")
    carpool_rides.publish_all(engine, data_dir, datetime.now(UTC).date())
    engine.dispose()
    (folder / READY).touch()


def search_here(data_dir: Path) -> dict[str, float]:
    """What a search takes in a process that has read the offers."""
    engine = open_engine(f"sqlite:///{data_dir / 'mobigo.sqlite3'}")
    region, draws, now = carpool_rides.Region(data_dir), Random(4), datetime.now(UTC)
    streets = open_streets(data_dir / "streets" / "current")
    wishes = [carpool_rides.draw_wish(region, draws, now.date()) for _ in range(N_HERE)]
    search, ways = OfferSearch(engine), street_ways(streets)
    begin = time.thread_time()
    search.ask(ways, now, len)
    read_s = time.thread_time() - begin
    least_ms = [float("inf")] * N_HERE
    for _ in range(ROUNDS):
        for number, wish in enumerate(wishes):
            begin = time.thread_time()
            search.search(ways, wish, now)
            least_ms[number] = min(least_ms[number], 1000 * (time.thread_time() - begin))
    engine.dispose()
    p95_ms = sorted(least_ms)[N_HERE * 95 // 100]
    return {"read_s": read_s, "cpu_ms": sum(least_ms) / N_HERE, "cpu_p95_ms": p95_ms}


def main(arguments: list[str]) -> None:
    """Serve, ask, print, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--users", type=int, default=40, help="each asks five times a second")
    parser.add_argument("--workers", type=int, default=2, help="server processes")
    parser.add_argument("--folder", type=Path, help="where what is served is made, or was")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as made:
        folder = chosen.folder or Path(made)
        os.environ["MOBIGO_DATA_DIR"] = str(folder.absolute() / "var")
        if not (folder / READY).exists():
            folder.mkdir(parents=True, exist_ok=True)
            make_data(folder)
        os.environ["MOBIGO_BENCH_KEY"] = mobigo("covoiturage", "keys", "new", "--operator", "maas.example.org")
        here = search_here(folder / "var")
        port = free_port()
        server = start_server(port, chosen.workers)
        told_of = []
        try:
            warm_up(port, chosen.workers)
            for who, scenario in (
                (f"a partner, {N_OFFERS:,} offers", "Carpools"),
                (f"travellers, {carpool_rides.N_OFFERS:,} offers", "Rides"),
            ):
                before = cpu_s(server)
                entries, generator_s = run_scenario(scenario, port, chosen.users, chosen.seconds)
                told_of.append((who, entries, generator_s, cpu_s(server) - before))
        finally:
            server.terminate()
            server.wait()
    n_failed = 0
    record("covoiturage, search, in one process", here)
    print(f"offers read in {here['read_s']:.1f} s; a search {here['cpu_ms']:.2f} ms, p95 {here['cpu_p95_ms']:.2f} ms")
    print(f"{machine()}; {chosen.workers} server processes; load of the machine {os.getloadavg()[0]:.1f}")
    for who, entries, generator_s, server_s in told_of:
        figures, n_requests, failed = summed(entries)
        n_failed += failed
        figures["server_ms_per_request"] = 1000 * server_s / max(n_requests, 1)
        print(
            f"{who}: {figures['requests_per_s']:.0f} searches a second, p50 {figures['p50_ms']:.0f} ms, "
            f"p95 {figures['p95_ms']:.0f} ms, p99 {figures['p99_ms']:.0f} ms (goal {GOAL_P99_MS}), {failed} failed, "
            f"{figures['server_ms_per_request']:.1f} ms of processor a search, "
            f"the generator used {generator_s / chosen.seconds:.0%} of a core"
        )
        record(f"covoiturage, search, {who}", figures)
    if n_failed:
        raise SystemExit(1)
