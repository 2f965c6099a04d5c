"""Publications: the public files of carpooling in the data directory, a folder a month, written once and whole."""

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
