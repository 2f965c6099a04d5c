"""Source: the files of a dataset, wherever its producer put them.

A dataset is a zip or a folder. Its files may lie in a folder of their own, beside
what desktop systems leave (`__MACOSX`, `.DS_Store`), or in a zip inside the zip.
What cannot be a dataset, or would fill the memory or the disk, is refused before
any of it is read.
"""

from __future__ import annotations

import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Self

from routing.gtfs.read.notes import FeedRefused, Notes
from routing.gtfs.schema import LOCATIONS_FILE, TABLES
from socle.errors import Fact
from socle.findings import Finding, Severity

_TABLE_FILES = {f"{name}.txt" for name in TABLES} | {LOCATIONS_FILE}
_DECOYS = {"thumbs.db", "desktop.ini", "__macosx"}
_RATIO_FROM_BYTES = 16 << 20  # a small member may well be all blanks


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a dataset may weigh once unpacked. The largest national feeds are about 3 GB, packed 10 to 30 times."""

    member_bytes: int = 6 << 30  # of stop_times.txt, which is never held whole
    table_bytes: int = 1 << 30  # of any other table
    total_bytes: int = 10 << 30
    extra_bytes: int = 256 << 20  # all files that are no tables together: they are held in memory
    ratio: int = 250
    n_members: int = 10_000
    piece_bytes: int = 16 << 20  # of a table, read at once


class Unreadable(Exception):
    """A file of the dataset cannot be unpacked to its end."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(file, reason)
        self.file = file
        self.reason = reason


class Stream:
    """The bytes of one file, read from the start; whatever goes wrong on the way is `Unreadable`."""

    def __init__(self, name: str, opener: Callable[[], IO[bytes]]) -> None:
        self._name = name
        with self._told():
            self._bytes = opener()

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, all of them by default, none at the end."""
        with self._told():
            return self._bytes.read(size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bytes.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, RuntimeError) as error:
            raise Unreadable(self._name, str(error)) from error


@dataclass(slots=True)
class Source:
    """The files of one dataset by name: how to open each, and their unpacked sizes."""

    openers: dict[str, Callable[[], IO[bytes]]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def open(self, name: str) -> Stream:
        """The bytes of the file `name`."""
        return Stream(name, self.openers[name])


@contextmanager
def open_source(path: Path, source_id: str, limits: Limits, notes: Notes) -> Iterator[Source]:
    """The files of the dataset at `path`.

    Raises:
        FeedRefused: no such file, not a zip, more than `limits` allow, several datasets in one.
    """

    def refuse(code: str, **facts: Fact) -> FeedRefused:
        return FeedRefused(source_id, [Finding(Severity.ERROR, code, "", None, facts)], notes.findings())

    if path.is_dir():
        yield _folder(path, limits, notes, refuse)
        return
    if not path.is_file():
        raise refuse("no_such_file", path=str(path))
    with tempfile.TemporaryFile() as spool:
        archive = _open_zip(path, refuse)
        try:
            inner = _inner_zip(archive)
            if inner is not None:
                _check_weight([inner], limits, refuse)
                notes.add(Severity.INFO, "zip_in_zip", inner.filename)
                with archive:
                    _spool(archive, inner, spool, refuse)
                archive = _open_zip(spool, refuse)
            yield _archive(archive, limits, notes, refuse)
        finally:
            archive.close()


_Refuse = Callable[..., FeedRefused]


def _open_zip(file: Path | IO[bytes], refuse: _Refuse) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError, NotImplementedError) as error:
        start = b""
        if isinstance(file, Path):
            try:
                with file.open("rb") as opened:
                    start = opened.read(2)
            except OSError as unreadable:
                raise refuse("unreadable_file", file=file.name, reason=str(unreadable)) from error
        raise refuse("truncated_zip" if start == b"PK" else "not_a_zip", reason=str(error)) from error


def _inner_zip(archive: zipfile.ZipFile) -> zipfile.ZipInfo | None:
    """The one zip that the archive holds instead of tables, if it does."""
    members = [info for info in _files(archive) if not _is_decoy(info.filename)]
    if any(PurePosixPath(info.filename).name.lower() in _TABLE_FILES for info in members):
        return None
    zips = [info for info in members if info.filename.lower().endswith(".zip")]
    return zips[0] if len(zips) == 1 else None


def _files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The members that are files and have a name (`ZipInfo.is_dir` stumbles over those without)."""
    return [info for info in archive.infolist() if info.filename.strip("./\\") and not info.filename.endswith("/")]


def _spool(archive: zipfile.ZipFile, info: zipfile.ZipInfo, spool: IO[bytes], refuse: _Refuse) -> None:
    try:
        with Stream(info.filename, lambda: archive.open(info)) as member:
            while piece := member.read(1 << 20):
                spool.write(piece)
    except Unreadable as error:
        raise refuse("unreadable_file", file=info.filename, reason=error.reason) from error
    spool.seek(0)


def _check_weight(members: list[zipfile.ZipInfo], limits: Limits, refuse: _Refuse) -> None:
    if len(members) > limits.n_members:
        raise refuse("too_many_files", n_files=len(members), limit=limits.n_members)
    for info in members:
        limit = _limit_of(info.filename, limits)
        if info.file_size > limit:
            raise refuse("file_too_big", file=info.filename, n_bytes=info.file_size, limit=limit)
        if info.file_size > _RATIO_FROM_BYTES and info.file_size > limits.ratio * info.compress_size:
            raise refuse("zip_bomb", file=info.filename, n_bytes=info.file_size, packed=info.compress_size)
    total = sum(info.file_size for info in members)
    if total > limits.total_bytes:
        raise refuse("feed_too_big", n_bytes=total, limit=limits.total_bytes)


def _limit_of(path: str, limits: Limits) -> int:
    name = PurePosixPath(path).name.lower()
    return limits.table_bytes if name in _TABLE_FILES and name != "stop_times.txt" else limits.member_bytes


def _archive(archive: zipfile.ZipFile, limits: Limits, notes: Notes, refuse: _Refuse) -> Source:
    members: dict[str, zipfile.ZipInfo] = {}
    _check_weight(archive.infolist(), limits, refuse)
    for info in _files(archive):
        name = str(PurePosixPath(info.filename.replace("\\", "/"))).lstrip("/")
        if name in members:
            notes.add(Severity.WARNING, "file_twice", name)
        members[name] = info
    source = Source()
    for name, path in _own_names(list(members), notes, refuse).items():
        info = members[path]
        source.sizes[name] = info.file_size
        source.openers[name] = partial(archive.open, info)
    _check_extras(source, limits, refuse)
    return source


def _folder(root: Path, limits: Limits, notes: Notes, refuse: _Refuse) -> Source:
    files: dict[str, Path] = {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            files[path.relative_to(root).as_posix()] = path
            if len(files) > limits.n_members:
                raise refuse("too_many_files", n_files=len(files), limit=limits.n_members)
    source = Source()
    for name, relative in _own_names(list(files), notes, refuse).items():
        path = files[relative]
        source.sizes[name] = path.stat().st_size
        limit = _limit_of(name, limits)
        if source.sizes[name] > limit:
            raise refuse("file_too_big", file=name, n_bytes=source.sizes[name], limit=limit)
        source.openers[name] = partial(_open_file, path)
    if sum(source.sizes.values()) > limits.total_bytes:
        raise refuse("feed_too_big", n_bytes=sum(source.sizes.values()), limit=limits.total_bytes)
    _check_extras(source, limits, refuse)
    return source


def _own_names(paths: list[str], notes: Notes, refuse: _Refuse) -> dict[str, str]:
    """Path in the archive by the file's own name in the dataset, decoys and the folder around it removed."""
    kept = [path for path in paths if not _is_decoy(path)]
    if len(kept) < len(paths):
        decoy = next(path for path in paths if _is_decoy(path))
        notes.add(Severity.INFO, "decoys_ignored", decoy, n_files=len(paths) - len(kept))
    homes = {_parent(path) for path in kept if PurePosixPath(path).name.lower() in _TABLE_FILES}
    if not homes:
        raise refuse("no_tables", n_files=len(kept))
    if "" in homes:
        home = ""
    elif len(homes) == 1:
        home = homes.pop()
        notes.add(Severity.WARNING, "sub_folder", home)
    else:
        raise refuse("several_feeds", folders=", ".join(sorted(homes)[:10]), n_folders=len(homes))
    own: dict[str, str] = {}
    for path in kept:
        name = path[len(home) + 1 :] if home and path.startswith(f"{home}/") else path
        if "/" not in name and name.lower() in _TABLE_FILES and name != name.lower():
            notes.add(Severity.WARNING, "file_name_case", name)
            name = name.lower()
        own.setdefault(name, path)
    return own


def _open_file(path: Path) -> IO[bytes]:
    return path.open("rb")


def _check_extras(source: Source, limits: Limits, refuse: _Refuse) -> None:
    extra = sum(size for name, size in source.sizes.items() if name not in _TABLE_FILES or name == LOCATIONS_FILE)
    if extra > limits.extra_bytes:
        raise refuse("extras_too_big", n_bytes=extra, limit=limits.extra_bytes)


def _parent(path: str) -> str:
    parent = str(PurePosixPath(path).parent)
    return "" if parent == "." else parent


def _is_decoy(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return any(part.startswith(".") or part.lower() in _DECOYS for part in parts) or ".." in parts
