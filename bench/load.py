"""Load bench: serve the demonstration region on two processes and run every locust scenario against it.

    python bench/load.py [scenario …] [--seconds 20] [--users 40] [--workers 2] [--swap] [--kill]

Prints per scenario requests/s, p50, p95, p99, errors and the generator's own CPU
(it runs on the same cores). `--swap` adds a mixed run during which the network is
rebuilt and swapped in over and over: no request may fail. `--kill` adds one in the
middle of which a worker is killed: requests on its connections may fail, later
ones may not. In both runs a witness asks the same questions again and again and
compares each answer with the one from before; one wrong answer fails the bench.
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.history import record

ROOT = Path(__file__).parents[1]
console = Console(width=None if sys.stdout.isatty() else 140)
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


class Witness(threading.Thread):
    """Asks for the same journeys, boards and places without end, each on a connection of its own."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
        between = [
            ("46.8058,6.3520", "47.2470,6.0219"),
            ("47.4906,4.3330", "47.3234,5.0273"),
            ("47.7986,3.5733", "47.0406,6.6102"),
        ]
        asked = [f"v6/plan?fromPlace={a}&toPlace={b}&time={tomorrow}T07:00Z" for a, b in between]
        asked += [f"v1/geocode?text={typed}" for typed in ("pontarl", "Besancon", "st%20claude")]
        self.addresses = [f"http://127.0.0.1:{port}/api/{one}" for one in asked]
        self.expected = {address: self._ask(address) for address in self.addresses}
        self.n_right = self.n_failed = 0
        self.wrong: list[str] = []
        self.stopped = threading.Event()

    @staticmethod
    def _ask(address: str) -> Any:
        """What is said of journeys or places; not how long it took, nor what the process has counted."""
        with urllib.request.urlopen(address, timeout=30) as answer:
            told = json.load(answer)
        return (told["itineraries"], told["direct"]) if isinstance(told, dict) else told

    def run(self) -> None:
        """Ask until told to stop."""
        for address in cycle(self.addresses):
            if self.stopped.wait(0.02):
                return
            try:
                answer = self._ask(address)
            except OSError:
                self.n_failed += 1
                continue
            if answer == self.expected[address]:
                self.n_right += 1
            else:
                self.wrong.append(address)


@contextmanager
def disturbed(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Do `work` beside what follows; it is told when to stop."""
    over = threading.Event()
    thread = threading.Thread(target=work, args=(over,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def swap_networks(over: threading.Event) -> None:
    """Rebuild the network from its bodies and have it served, until `over`."""
    while not over.wait(1):
        subprocess.run([sys.executable, "-m", "mobigo", "network", "build"], cwd=ROOT, check=True, capture_output=True)


def worker_pids(server: subprocess.Popen[bytes]) -> list[int]:
    """The processes of the server that answer."""

    def answers(child: psutil.Process) -> bool:
        try:
            return "spawn_main" in " ".join(child.cmdline())
        except psutil.ZombieProcess:
            return False

    return [child.pid for child in psutil.Process(server.pid).children() if answers(child)]


def kill_a_worker(server: subprocess.Popen[bytes], after_s: float, over: threading.Event) -> None:
    """Kill one worker with SIGKILL after a while, as a crash would."""
    if not over.wait(after_s):
        before = worker_pids(server)
        os.kill(before[0], signal.SIGKILL)
        while not over.wait(0.2) and len(set(worker_pids(server)) - {before[0]}) < len(before):
            pass
        console.print(f"workers {before}; killed {before[0]}; workers then {worker_pids(server)}")


def main() -> int:
    """Run the bench; 1 when an answer was wrong, or a request failed that had no right to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", default=list(SCENARIOS), metavar="scenario", help=", ".join(SCENARIOS))
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--users", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--swap", action="store_true", help="one more mixed run while networks are swapped")
    parser.add_argument("--kill", action="store_true", help="one more mixed run in which a worker is killed")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.scenarios if name not in SCENARIOS]
    if unknown:
        parser.error(f"no such scenario: {unknown[0]}")
    table = Table(title=f"{arguments.users} users × 5 requests/s, {arguments.workers} workers, {os.cpu_count()} cores")
    for column in ("scenario", "requests/s", "p50 ms", "p95 ms", "p99 ms", "errors", "generator CPU (cores)"):
        table.add_column(column, justify="left" if column == "scenario" else "right")
    figures: dict[str, float] = {}

    def measure(title: str, scenario: str) -> int:
        entries, cpu = run_scenario(scenario, port, arguments.users, arguments.seconds)
        told = row(title, entries, cpu, arguments.seconds)
        table.add_row(*told)
        figures.update(
            {
                f"{title}, requests_per_s": float(told[1]),
                f"{title}, p95_ms": float(told[3]),
                f"{title}, errors": float(told[5]),
            }
        )
        return int(told[5])

    good = True
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("MOBIGO_DATA_DIR", folder)
        port = free_port()
        server = start_server(port, arguments.workers)
        try:
            for scenario in arguments.scenarios:
                good &= measure(scenario, scenario) == 0
            kill = partial(kill_a_worker, server, arguments.seconds / 2)
            for wished, title, work in (
                (arguments.swap, "Mixed, networks swapped", swap_networks),
                (arguments.kill, "Mixed, a worker killed", kill),
            ):
                if wished:
                    witness = Witness(port)
                    witness.start()
                    with disturbed(work):
                        n_errors = measure(title, "Mixed")
                    witness.stopped.set()
                    witness.join()
                    console.print(
                        f"{title}: of the witness's questions {witness.n_right} were answered as before, "
                        f"{len(witness.wrong)} otherwise {sorted(set(witness.wrong))}, {witness.n_failed} not at all"
                    )
                    good &= not witness.wrong and (work is kill or n_errors + witness.n_failed == 0)
            if arguments.kill:
                good &= measure("Mixed, after it", "Mixed") == 0
        finally:
            server.terminate()
            server.wait(30)
    console.print(table)
    record(f"load, {arguments.users} users, {arguments.workers} workers, {arguments.seconds} s", figures)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
