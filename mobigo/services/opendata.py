"""Opendata: find what is published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mobigo.opendata.http import Download
from mobigo.store import releases
from socle.errors import NotFound

LATEST = "latest"
_LATEST_MAX_AGE_S = 15
_DATED_MAX_AGE_S = 365 * 86_400


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A public file: its bytes on the disk and how it is offered."""

    path: Path
    download: Download
    release: str


def find_network_feed(data_dir: Path, release: str) -> PublishedFile:
    """The network as GTFS, of the release that is served (`latest`) or of a named one.

    Raises:
        NotFound: `unknown_release`.
        Unavailable: `no_network` when `latest` is asked and nothing is served.
    """
    if release == LATEST:
        folder = releases.get_current(data_dir)
    else:
        known = {path.name: path for path in releases.releases_dir(data_dir).glob("[0-9]*")}
        if release not in known:
            raise NotFound("unknown_release", release=release)
        folder = known[release]
    manifest = releases.read_manifest(folder)
    path = folder / releases.FEED
    download = Download(
        n_bytes=path.stat().st_size,
        sha256=manifest["gtfs_sha256"],
        media_type="application/zip",
        modified_at=datetime.fromisoformat(manifest["built_at"]).astimezone(UTC).replace(microsecond=0),
        max_age_s=_LATEST_MAX_AGE_S if release == LATEST else _DATED_MAX_AGE_S,
    )
    return PublishedFile(path, download, manifest["release"])
