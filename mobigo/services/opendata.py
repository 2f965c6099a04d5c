"""Opendata: what is published, opened."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from mobigo.opendata.http import Download
from mobigo.store import releases
from socle.errors import NotFound

LATEST = "latest"
_LATEST_MAX_AGE_S = 15
_DATED_MAX_AGE_S = 365 * 86_400


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A public file, opened, so that it can be sent even when its release is forgotten meanwhile."""

    file: BinaryIO
    download: Download
    release: str


def open_network_feed(data_dir: Path, release: str) -> PublishedFile:
    """The network as GTFS, of the release that is served (`latest`) or of a named one; the caller closes the file.

    Raises:
        NotFound: `unknown_release`.
        Unavailable: `no_network` when `latest` is asked and nothing is served.
    """
    if release == LATEST:
        try:
            return _opened(releases.get_current(data_dir), _LATEST_MAX_AGE_S)
        except FileNotFoundError:  # forgotten since the link was read, so the link has moved on
            return _opened(releases.get_current(data_dir), _LATEST_MAX_AGE_S)
    known = {path.name: path for path in releases.releases_dir(data_dir).glob("[0-9]*")}
    try:
        return _opened(known[release], _DATED_MAX_AGE_S)
    except (KeyError, FileNotFoundError):
        raise NotFound("unknown_release", release=release) from None


def _opened(folder: Path, max_age_s: int) -> PublishedFile:
    manifest = releases.read_manifest(folder)
    file = (folder / releases.FEED).open("rb")
    download = Download(
        n_bytes=os.fstat(file.fileno()).st_size,
        sha256=manifest["gtfs_sha256"],
        media_type="application/zip",
        modified_at=datetime.fromisoformat(manifest["built_at"]).astimezone(UTC).replace(microsecond=0),
        max_age_s=max_age_s,
    )
    return PublishedFile(file, download, manifest["release"])
