"""Load bench: serve the demonstration region on two processes and run every locust scenario against it.

    python bench/load.py [--seconds 20] [--users 40] [--workers 2] [--kill]

Prints per scenario requests/s, p50, p95, p99, errors and the generator's own CPU
(it runs on the same cores). `--kill` also kills one worker in the middle of a
mixed run: requests on its connections may fail, none may be answered wrongly,
and the last seconds must be free of errors.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
SCENARIOS = ("Search", "Departures", "Geocode", "Mixed")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_server(port: int, workers: int) -> subprocess.Popen[bytes]:
    """The server, once it is ready."""
    command = [sys.executable, "-m", "mobigo", "serve", "--demo", "--port", str(port), "--workers", str(workers)]
    server = subprocess.Popen(command, cwd=ROOT)
    for _ in range(240):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2) as answer:
                if answer.status == 200:
                    return server
        except OSError:
            pass
        if server.poll() is not None:
            break
        time.sleep(0.5)
    server.terminate()
    raise SystemExit("the server did not get ready")


def run_scenario(scenario: str, port: int, users: int, seconds: int) -> tuple[list[dict[str, Any]], float]:
    """Locust's figures per request name, and the CPU seconds that it used."""
    command = [
        sys.executable, "-m", "locust", "-f", str(ROOT / "bench" / "locustfile.py"), "--headless", "--only-summary",
        "--host", f"http://127.0.0.1:{port}", "--users", str(users), "--spawn-rate", str(users),
        "--run-time", f"{seconds}s", "--reset-stats", "--json", scenario,
    ]  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    try:
        return json.loads(done.stdout), cpu
    except json.JSONDecodeError:
        raise SystemExit(f"locust failed:\n{done.stderr[-2000:]}") from None


def percentile(histogram: dict[str, int], share: float) -> float:
    """The response time in milliseconds that `share` of the requests stay within."""
    total, seen = sum(histogram.values()), 0
    for milliseconds, number in sorted((float(key), number) for key, number in histogram.items()):
        seen += number
        if seen >= share * total:
            return milliseconds
    return 0.0


def row(scenario: str, entries: list[dict[str, Any]], cpu: float, seconds: int) -> tuple[str, ...]:
    """One line of the table, all request names of the scenario together."""
    entries = [entry for entry in entries if entry["name"] != "(start)"]
    histogram: dict[str, int] = {}
    for entry in entries:
        for key, number in entry["response_times"].items():
            histogram[key] = histogram.get(key, 0) + number
    n_requests = sum(entry["num_requests"] for entry in entries)
    span = max(entry["last_request_timestamp"] for entry in entries) - min(entry["start_time"] for entry in entries)
    return (
        scenario,
        f"{n_requests / span:.0f}",
        *(f"{percentile(histogram, share):.0f}" for share in (0.5, 0.95, 0.99)),
        str(sum(entry["num_failures"] for entry in entries)),
        f"{cpu / seconds:.2f}",
    )


def kill_a_worker_later(server: subprocess.Popen[bytes], after_s: float) -> threading.Timer:
    """Kill one worker with SIGKILL after a while, as a crash would."""

    def kill() -> None:
        workers = [
            child for child in psutil.Process(server.pid).children() if "spawn_main" in " ".join(child.cmdline())
        ]
        os.kill(workers[0].pid, signal.SIGKILL)

    timer = threading.Timer(after_s, kill)
    timer.start()
    return timer


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--users", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill", action="store_true", help="kill a worker in the middle of one more mixed run")
    arguments = parser.parse_args()
    console = Console()
    table = Table(title=f"{arguments.users} users × 5 requests/s, {arguments.workers} workers, {os.cpu_count()} cores")
    for column in ("scenario", "requests/s", "p50 ms", "p95 ms", "p99 ms", "errors", "generator CPU (cores)"):
        table.add_column(column, justify="left" if column == "scenario" else "right")
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("MOBIGO_DATA_DIR", folder)
        port = free_port()
        server = start_server(port, arguments.workers)
        try:
            for scenario in SCENARIOS:
                entries, cpu = run_scenario(scenario, port, arguments.users, arguments.seconds)
                table.add_row(*row(scenario, entries, cpu, arguments.seconds))
            if arguments.kill:
                kill_a_worker_later(server, arguments.seconds / 2)
                entries, cpu = run_scenario("Mixed", port, arguments.users, arguments.seconds)
                table.add_row(*row("Mixed, a worker killed", entries, cpu, arguments.seconds))
                entries, cpu = run_scenario("Mixed", port, arguments.users, arguments.seconds)
                table.add_row(*row("Mixed, after it", entries, cpu, arguments.seconds))
        finally:
            server.terminate()
            server.wait(30)
    console.print(table)


if __name__ == "__main__":
    main()
