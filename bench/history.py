"""History: what the benches measured, one line per version, machine and figure, in `bench/history.csv`.

A bench that runs again on the same version and machine replaces its lines.
"""

from __future__ import annotations

import csv
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

PATH = Path(__file__).with_name("history.csv")
COLUMNS = ("date", "version", "machine", "bench", "figure", "value")
KEY = ("version", "machine", "bench", "figure")


def version() -> str:
    """The commit that is measured; `+` says that files differ from it."""
    described = ["git", "describe", "--always", "--abbrev=10", "--dirty=+"]
    told = subprocess.run(described, cwd=PATH.parent, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"


def machine() -> str:
    """Processor, cores and Python of this machine."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def record(bench: str, figures: Mapping[str, float]) -> None:
    """Keep what `bench` measured; the name of a figure ends with its unit."""
    rows: list[dict[str, str]] = []
    if PATH.exists():
        with PATH.open(newline="") as file:
            rows = list(csv.DictReader(file))
    about = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "version": version(), "machine": machine(), "bench": bench}
    new = [{**about, "figure": name, "value": f"{value:.4g}"} for name, value in figures.items()]
    replaced = {tuple(row[name] for name in KEY) for row in new}
    rows = [row for row in rows if tuple(row[name] for name in KEY) not in replaced]
    with PATH.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows + new)
