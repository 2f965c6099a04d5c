"""Fetching: the bodies of declared sources, asked for only when they have changed, kept under their hash.

What a server said of a body (ETag, Last-Modified) is kept beside its hash. It is believed
while the body is still there and the address still the same; else everything is asked for
anew. A body whose hash is not the declared one, or that came in part, is thrown away.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from mobigo.outbound.http import Validators, download
from mobigo.services.network.sources import DeclaredSource
from mobigo.store import releases
from mobigo.store.files import clear_left_overs, keep_body, keep_folder, only_one, replace_text
from socle.errors import BadInput


@dataclass(frozen=True, slots=True)
class Fetched:
    """The body that a source gives now; `is_new` when its hash is not that of the time before."""

    source_id: str
    address: str
    path: Path
    sha256: str
    n_bytes: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Known:
    """What is remembered of the last time; `checked_at` also moves when nothing had changed."""

    address: str
    sha256: str
    etag: str
    last_modified: str
    checked_at: str


def fetch_source(source: DeclaredSource, data_dir: Path, now: datetime) -> Fetched:
    """Have the body of `source` in the data directory, and tell whether it is another than before.

    Raises:
        BadInput: `demo_source`, `bad_checksum`, or an address that gives nothing or too much.
        Unavailable: the server does not answer.
        Conflict: `already_running` when another fetch is under way.
        OSError: a file cannot be read or the data directory not written.
    """
    if source.is_demo:
        raise BadInput("demo_source", source_id=source.id)
    shelf = releases.fetched_dir(data_dir)
    with only_one(shelf, "fetch"):
        clear_left_overs(shelf)
        known = _find_known(shelf, source)
        validators = Validators()
        if known is not None and known.address == source.address and _body(data_dir, known.sha256).is_file():
            validators = Validators(known.etag, known.last_modified)
        sha256, said = _receive(source, data_dir, shelf, validators)
        if said is None:  # nothing has changed
            said, sha256 = validators, known.sha256 if known else ""
        fresh = _Known(source.address, sha256, said.etag, said.last_modified, now.isoformat(timespec="seconds"))
        replace_text(_note(shelf, source), json.dumps(asdict(fresh), indent=1) + "\n")
    path = _body(data_dir, sha256)
    is_new = known is None or known.sha256 != sha256
    return Fetched(source.id, source.address, path, sha256, path.stat().st_size, is_new)


def find_fetched(source: DeclaredSource, data_dir: Path) -> Path | None:
    """The body that was last fetched from `source`, if it is still there."""
    known = _find_known(releases.fetched_dir(data_dir), source)
    if known is None or known.address != source.address:
        return None
    path = _body(data_dir, known.sha256)
    return path if path.is_file() else None


def _receive(
    source: DeclaredSource, data_dir: Path, shelf: Path, validators: Validators
) -> tuple[str, Validators | None]:
    """The hash of the body, now kept, and how to recognise it; no validators when nothing had changed."""
    bodies = releases.bodies_dir(data_dir)
    place = Path(source.address)
    if not source.is_web:
        sha256, _path = keep_folder(bodies, place) if place.is_dir() else keep_body(bodies, place)
        _check(source, sha256)
        return sha256, Validators()
    with tempfile.TemporaryDirectory(dir=shelf, prefix=".building-") as folder:
        partial = Path(folder) / "body.zip"
        came = download(source.address, partial, validators)
        if not came.is_new:
            return "", None
        _check(source, came.sha256)
        sha256, _path = keep_body(bodies, partial)
    return sha256, came.validators


def _check(source: DeclaredSource, sha256: str) -> None:
    if source.sha256 and source.sha256 != sha256:
        raise BadInput("bad_checksum", source_id=source.id, declared=source.sha256, found=sha256)


def _body(data_dir: Path, sha256: str) -> Path:
    return releases.bodies_dir(data_dir) / f"{sha256}.zip"


def _note(shelf: Path, source: DeclaredSource) -> Path:
    return shelf / f"{source.id}.json"


def _find_known(shelf: Path, source: DeclaredSource) -> _Known | None:
    try:
        return _Known(**json.loads(_note(shelf, source).read_text("utf-8")))
    except (FileNotFoundError, ValueError, TypeError):  # none, or damaged: everything is asked for anew
        return None
