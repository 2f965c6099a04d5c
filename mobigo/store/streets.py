"""Streets: where they lie in the data directory: builds side by side, and a link to the one in use."""

from __future__ import annotations

from pathlib import Path

MANIFEST = "manifest.json"
FINDINGS = "findings.json"


def streets_dir(data_dir: Path) -> Path:
    """The folder of the streets."""
    return data_dir / "streets"


def builds_dir(data_dir: Path) -> Path:
    """One folder a build."""
    return streets_dir(data_dir) / "builds"


def current_link(data_dir: Path) -> Path:
    """The link to the streets in use."""
    return streets_dir(data_dir) / "current"


def find_streets(data_dir: Path) -> Path | None:
    """The folder of the streets in use, if there are any."""
    link = current_link(data_dir)
    return link.resolve() if (link / MANIFEST).is_file() else None
