"""Http: which status, headers and bytes a download is owed, decided without a framework.

Source: RFC 9110 sections 8.8 (validators), 13 (conditional requests) and 14 (ranges).
Every published file has a strong entity tag, the SHA-256 of its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_TAG = re.compile(r'(W/)?"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Download:
    """A file as it is offered: `modified_at` in UTC with whole seconds."""

    n_bytes: int
    sha256: str
    media_type: str
    modified_at: datetime
    max_age_s: int

    @property
    def etag(self) -> str:
        """The strong entity tag."""
        return f'"{self.sha256}"'


@dataclass(frozen=True, slots=True)
class Reply:
    """What to send: the bytes `[start, stop)` of the file, none when they are equal."""

    status: int
    headers: dict[str, str]
    start: int
    stop: int


def decide(download: Download, method: str, headers: Mapping[str, str]) -> Reply:
    """The reply to GET or HEAD with these request headers (names in lower case).

    Preconditions are judged in the order of RFC 9110 section 13.2.2. Several
    ranges at once are answered with the whole file, as section 14.2 allows.
    """
    base = {
        "Accept-Ranges": "bytes",
        "Cache-Control": f"public, max-age={download.max_age_s}, stale-while-revalidate=600",
        "ETag": download.etag,
        "Last-Modified": format_datetime(download.modified_at, usegmt=True),
    }
    if _precondition_fails(download, headers):
        return Reply(412, base, 0, 0)
    if _is_fresh(download, headers):
        return Reply(304, base, 0, 0)
    base["Content-Type"] = download.media_type
    start, stop, status = 0, download.n_bytes, 200
    asked = _RANGE.fullmatch(headers.get("range", "").replace(" ", ""))
    bounds = _bounds(asked, download.n_bytes) if asked else None
    if method == "GET" and bounds and _may_range(download, headers):
        start, stop = bounds
        if start >= stop:
            return Reply(416, base | {"Content-Range": f"bytes */{download.n_bytes}", "Content-Length": "0"}, 0, 0)
        status = 206
        base["Content-Range"] = f"bytes {start}-{stop - 1}/{download.n_bytes}"
    base["Content-Length"] = str(stop - start)
    if method == "HEAD":
        start = stop = 0
    return Reply(status, base, start, stop)


def _bounds(asked: re.Match[str], n_bytes: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None for an invalid range, which is ignored (section 14.1.1)."""
    first, last = asked.groups()
    if not first:  # the last so many bytes
        return (max(0, n_bytes - int(last)), n_bytes) if last else None
    if last and int(last) < int(first):
        return None
    return int(first), min(n_bytes, int(last) + 1) if last else n_bytes


def _tags(field: str, *, weak_too: bool) -> set[str]:
    return {tag for weak, tag in _TAG.findall(field) if weak_too or not weak}


def _instant(field: str | None) -> datetime | None:
    if field is None:
        return None
    try:
        instant = parsedate_to_datetime(field)
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None


def _precondition_fails(download: Download, headers: Mapping[str, str]) -> bool:
    if (field := headers.get("if-match")) is not None:
        return field.strip() != "*" and download.sha256 not in _tags(field, weak_too=False)
    unmodified = _instant(headers.get("if-unmodified-since"))
    return unmodified is not None and download.modified_at > unmodified


def _is_fresh(download: Download, headers: Mapping[str, str]) -> bool:
    if (field := headers.get("if-none-match")) is not None:
        return field.strip() == "*" or download.sha256 in _tags(field, weak_too=True)
    since = _instant(headers.get("if-modified-since"))
    return since is not None and download.modified_at <= since


def _may_range(download: Download, headers: Mapping[str, str]) -> bool:
    field = headers.get("if-range")
    if field is None:
        return True
    if '"' in field:
        return download.sha256 in _tags(field, weak_too=False)
    return _instant(field) == download.modified_at
