"""Files: bodies kept under their hash, and folders published whole.

What is written here survives a crash in one piece: a body or a folder is
complete under a temporary name, synchronised to the disk, and only then takes
its name. A reader sees the old thing or the new one.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from socle.errors import Conflict

_CHUNK_BYTES = 1 << 20
_BUILDING = ".building-"


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keep_body(folder: Path, path: Path) -> tuple[str, Path]:
    """Copy the file at `path` under its hash in `folder`; the hash and where it lies now.

    The same bytes are kept once. A body is kept as `.zip` whatever it was called: it is found
    again by its hash alone.

    Raises:
        OSError: the file cannot be read or is no file, or the folder not written.
    """
    if not path.is_file():  # a device or a pipe would never end
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=folder, prefix=_BUILDING, delete=False) as copy:
        try:
            with path.open("rb") as body:
                while chunk := body.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
            kept = folder / f"{digest.hexdigest()}.zip"
            Path(copy.name).replace(kept)
        except BaseException:
            Path(copy.name).unlink(missing_ok=True)
            raise
    _sync_folder(folder)
    return digest.hexdigest(), kept


def keep_folder(folder: Path, path: Path) -> tuple[str, Path]:
    """As `keep_body` of a zip of the files below `path` that depends on nothing but their names and bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=_BUILDING) as packed:
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for member in sorted(path.rglob("*")):
                if member.is_file():
                    info = zipfile.ZipInfo(member.relative_to(path).as_posix(), (1980, 1, 1, 0, 0, 0))
                    info.compress_type = zipfile.ZIP_DEFLATED
                    with member.open("rb") as file, archive.open(info, "w") as body:
                        shutil.copyfileobj(file, body)
        packed.flush()
        return keep_body(folder, Path(packed.name))


@contextmanager
def only_one(folder: Path, what: str) -> Iterator[None]:
    """Hold the lock `what` of `folder` while the block runs; it is let go when the process dies.

    Raises:
        Conflict: `already_running` when another process holds it.
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{what}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict("already_running", what=what) from error
        yield


def clear_left_overs(folder: Path) -> None:
    """Remove what a killed process left half done in `folder`; the caller holds the lock of those who write there."""
    for left_over in folder.glob(f"{_BUILDING}*"):
        if left_over.is_dir():
            shutil.rmtree(left_over, ignore_errors=True)
        else:
            left_over.unlink(missing_ok=True)


@contextmanager
def building(folder: Path) -> Iterator[Path]:
    """A new empty folder inside `folder` to build in; whatever is left in it is removed at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(dir=folder, prefix=_BUILDING))
    place.chmod(0o755)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def publish(built: Path, place: Path) -> None:
    """Give the folder `built` its final name `place`, everything in it on the disk first."""
    for root, _folders, names in os.walk(built):
        for name in names:
            descriptor = os.open(Path(root, name), os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        _sync_folder(Path(root))
    built.rename(place)
    _sync_folder(place.parent)


def replace_text(place: Path, content: str) -> None:
    """Make `content` the whole of the file `place`, or leave it as it was."""
    fresh = place.with_name(f"{_BUILDING}{place.name}")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(place)
    _sync_folder(place.parent)


def point(link: Path, target: str) -> None:
    """Make the symbolic link `link` point at `target` in one step, replacing what it was."""
    fresh = link.with_name(f".{link.name}")  # one process at a time moves it, and a killed one leaves one name
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)
    _sync_folder(link.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
