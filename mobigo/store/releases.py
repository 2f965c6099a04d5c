"""Releases: where everything of the network lies in the data directory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from socle.errors import Unavailable

MANIFEST = "manifest.json"
SUMMARY = "summary.json"
FINDINGS = "findings.json"
FEED = "gtfs.zip"
COMMUNES = "places.csv"
TIMETABLE = "timetable"


def network_dir(data_dir: Path) -> Path:
    """The folder of the network."""
    return data_dir / "network"


def bodies_dir(data_dir: Path) -> Path:
    """Every body ever received, under its hash."""
    return network_dir(data_dir) / "sources"


def fetched_dir(data_dir: Path) -> Path:
    """What is known of the body that each declared source last gave."""
    return network_dir(data_dir) / "fetched"


def releases_dir(data_dir: Path) -> Path:
    """One folder a release."""
    return network_dir(data_dir) / "releases"


def current_link(data_dir: Path) -> Path:
    """The link to the release that is served."""
    return network_dir(data_dir) / "current"


def find_current(data_dir: Path) -> Path | None:
    """The folder of the release that is served, if there is one."""
    link = current_link(data_dir)
    return link.resolve() if (link / MANIFEST).is_file() else None


def get_current(data_dir: Path) -> Path:
    """The folder of the release that is served.

    Raises:
        Unavailable: `no_network` when there is none.
    """
    found = find_current(data_dir)
    if found is None:
        raise Unavailable("no_network")
    return found


def read_manifest(release: Path) -> dict[str, Any]:
    """What the release says of itself: id, days, sources, hashes.

    Raises:
        Unavailable: `release_damaged`.
    """
    try:
        manifest: dict[str, Any] = json.loads((release / MANIFEST).read_text("utf-8"))
    except ValueError as damage:
        raise Unavailable("release_damaged", directory=str(release), reason=str(damage)) from damage
    return manifest
