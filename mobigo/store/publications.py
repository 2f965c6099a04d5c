"""Publications: public files in the data directory, each publication a folder that was written once and whole.

Of carpooling there is one for each month, of school circuits one for each day on which something was new.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from socle.errors import Unavailable

MANIFEST = "manifest.json"


def carpools_dir(data_dir: Path) -> Path:
    """One folder for each month that was published."""
    return data_dir / "opendata" / "covoiturage"


def list_published_months(data_dir: Path) -> Sequence[str]:
    """The months, the latest first."""
    found = (path.parent.name for path in carpools_dir(data_dir).glob(f"[0-9]*/{MANIFEST}"))
    return sorted(found, reverse=True)


def schools_dir(data_dir: Path) -> Path:
    """One folder for each publication of school circuits."""
    return data_dir / "opendata" / "scolaire"


def list_published_circuits(data_dir: Path) -> Sequence[str]:
    """The publications of school circuits, the latest first: the day, and a number when it is not the first of it."""
    found = (path.parent.name for path in schools_dir(data_dir).glob(f"[0-9]*/{MANIFEST}"))
    return sorted(found, key=_day_and_number, reverse=True)


def next_name(day: str, known: Sequence[str]) -> str:
    """What a publication of a day is called when those are there."""
    of_day = [_day_and_number(name)[1] for name in known if _day_and_number(name)[0] == day]
    return f"{day}.{max(of_day) + 1}" if of_day else day


def _day_and_number(name: str) -> tuple[str, int]:
    day, _dot, number = name.partition(".")
    return day, int(number) if number.isdecimal() else 1


def read_manifest(folder: Path) -> dict[str, Any]:
    """What a publication says of itself: files, hashes, thresholds, what was hidden.

    Raises:
        Unavailable: `release_damaged`.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
    except ValueError as damage:
        raise Unavailable("release_damaged", directory=str(folder), reason=str(damage)) from damage
    return manifest
