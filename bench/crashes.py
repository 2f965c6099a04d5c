"""Crash series: kill imports with SIGKILL at random instants; the network that is served stays whole.

    python bench/crashes.py [--kills 100] [--seed 1]

Two feeds of the same stops with other times are imported in turn into one data directory, and
each import is killed at an instant drawn over the time that it usually takes. After each kill a
fresh process must open the served release, read it as exactly one of the two networks, and the
database must be sound; at the end an import that is left alone must be served, and nothing may
be left of those that were killed. Exit code 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import track

sys.path.insert(0, str(Path(__file__).parents[1]))

from mobigo.store.releases import find_current, network_dir
from tests.worlds.feeds import SOUND, write_zip

ROOT = Path(__file__).parents[1]
console = Console()


def mobigo(data_dir: Path, *words: str) -> subprocess.Popen[str]:
    """The command, started on `data_dir`."""
    environment = {**os.environ, "MOBIGO_DATA_DIR": str(data_dir)}
    command = [sys.executable, "-m", "mobigo", *words]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def imported(data_dir: Path, feed: Path) -> float:
    """Import `feed` undisturbed; seconds."""
    begin = time.monotonic()
    process = mobigo(data_dir, "feed", "import", f"val={feed}")
    _out, err = process.communicate(timeout=300)
    if process.returncode:
        raise SystemExit(f"an undisturbed import failed:\n{err}")
    return time.monotonic() - begin


def board(data_dir: Path) -> tuple[str, ...]:
    """What a fresh process says of a morning at the first stop."""
    process = mobigo(data_dir, "board", "Halle", "--at", "2026-11-24T05:00", "--json")
    out, err = process.communicate(timeout=300)
    if process.returncode:
        raise RuntimeError(err)
    return tuple(row["place"]["departure"] for row in json.loads(out)["stopTimes"])


def database_fault(data_dir: Path) -> str | None:
    """What SQLite finds wrong with the database; None when it is sound."""
    with sqlite3.connect(data_dir / "mobigo.sqlite3") as connection:
        (told,) = connection.execute("PRAGMA integrity_check").fetchone()
    return None if told == "ok" else str(told)


def main() -> int:
    """Run the series."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    draws = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="mobigo-crashes-") as folder:
        data_dir = Path(folder) / "data"
        later = SOUND | {
            "stop_times.txt": SOUND["stop_times.txt"].replace("07:31:00", "07:41:00").replace("07:19:00", "07:29:00")
        }
        feeds = [write_zip(Path(folder) / f"{name}.zip", feed) for name, feed in (("one", SOUND), ("two", later))]
        usual_s, boards = 0.0, []
        for feed in feeds:
            usual_s = imported(data_dir, feed)
            boards.append(board(data_dir))
        if boards[0] == boards[1] or not boards[0]:
            raise SystemExit("the two networks of the series are not told apart")
        broken: list[str] = []
        n_killed = n_finished = 0
        for number in track(range(arguments.kills), description="killing", console=console):
            process = mobigo(data_dir, "feed", "import", f"val={feeds[number % 2]}")
            time.sleep(draws.uniform(0, usual_s * 1.1))
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                n_killed += 1
            else:
                n_finished += 1
            process.communicate()
            try:
                if board(data_dir) not in boards:
                    broken.append(f"kill {number}: an answer of neither network")
            except RuntimeError as error:
                broken.append(f"kill {number}: {error}")
            fault = database_fault(data_dir)
            if fault:
                broken.append(f"kill {number}: {fault}")
        imported(data_dir, feeds[0])
        if board(data_dir) != boards[0]:
            broken.append("the import after the series is not served")
        served = find_current(data_dir)
        left = [path.name for path in network_dir(data_dir).rglob(".*") if path.name != ".import.lock"]
        broken += [f"left behind: {name}" for name in left]
        console.print(
            f"{n_killed} imports killed, {n_finished} done before the kill; served at the end: "
            f"{served.name if served else 'nothing'}; promises broken: {len(broken)}"
        )
        for line in broken[:20]:
            console.print(f"[red]{line}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
