"""Opendata: what is published, opened."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from mobigo.opendata.http import Download
from mobigo.store import publications, releases
from socle.errors import NotFound

LATEST = "latest"
_LATEST_MAX_AGE_S = 15
_DATED_MAX_AGE_S = 365 * 86_400
_LISTED_MAX_AGE_S = 300
_MEDIA_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".json": "application/schema+json",
}
_MONTH = re.compile(r"\d{4}-\d{2}")


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A public file, opened, so that it can be sent even when its release is forgotten meanwhile."""

    file: BinaryIO
    download: Download
    release: str
    licence: str = ""  # as SPDX names it; empty where the whole service's holds


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


def list_carpool_publications(data_dir: Path) -> Sequence[Mapping[str, Any]]:
    """What each published month of carpooling says of itself, the latest first.

    Raises:
        Unavailable: `release_damaged`.
    """
    folder = publications.carpools_dir(data_dir)
    return [publications.read_manifest(folder / month) for month in publications.list_published_months(data_dir)]


def list_circuit_publications(data_dir: Path) -> Sequence[Mapping[str, Any]]:
    """What each publication of school circuits says of itself, the latest first.

    Raises:
        Unavailable: `release_damaged`.
    """
    folder = publications.schools_dir(data_dir)
    return [publications.read_manifest(folder / one) for one in publications.list_published_circuits(data_dir)]


def open_circuit_file(data_dir: Path, dataset: str, release: str, name: str) -> PublishedFile:
    """A file of a publication of school circuits, or of the latest one; the caller closes it.

    Raises:
        NotFound: `unknown_publication`.
        Unavailable: `release_damaged`.
    """
    known = publications.list_published_circuits(data_dir)
    wanted = known[:1] if release == LATEST else [one for one in known if one == release]
    return _open_of(publications.schools_dir(data_dir), wanted, dataset, release, name)


def open_carpool_file(data_dir: Path, dataset: str, month: str, name: str) -> PublishedFile:
    """A file of a month of carpooling, or of the latest one that has it; the caller closes it.

    Raises:
        NotFound: `unknown_publication`.
        Unavailable: `release_damaged`.
    """
    known = publications.list_published_months(data_dir)
    wanted = known if month == LATEST else [one for one in known if one == month and _MONTH.fullmatch(one)]
    return _open_of(publications.carpools_dir(data_dir), wanted, dataset, month, name)


def _open_of(within: Path, wanted: Sequence[str], dataset: str, asked: str, name: str) -> PublishedFile:
    """The file from the first of the publications `wanted` that has it."""
    for one in wanted:
        folder = within / one
        manifest = publications.read_manifest(folder)
        entry = next((file for file in manifest["files"] if file["name"] == name), None)
        if entry is None or name.partition(".")[0] != dataset:
            continue
        published_at = datetime.fromisoformat(manifest["published_at"]).astimezone(UTC).replace(microsecond=0)
        media_type = _MEDIA_TYPES[Path(name).suffix]
        max_age_s = _LISTED_MAX_AGE_S if asked == LATEST else _DATED_MAX_AGE_S
        download = Download(entry["bytes"], entry["sha256"], media_type, published_at, max_age_s)
        return PublishedFile((folder / name).open("rb"), download, one, manifest["licence"])
    raise NotFound("unknown_publication", dataset=dataset, release=asked, file=name)


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
