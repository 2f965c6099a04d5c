"""Assets: the static files, served under names that hold their content's hash.

Every file of `static/` is read once at start, so a name can promise its content
for ever (`immutable`): `site.css` is asked for as `/static/site.4c1f0a9b2d.css`.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

STATIC = Path(__file__).parent / "static"
IMMUTABLE = "public, max-age=31536000, immutable"  # one year, the most that caches honour
MEDIA_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file as it is sent, plain and gzipped."""

    name: str  # with the hash: site.4c1f0a9b2d.css
    media_type: str
    plain: bytes
    gzipped: bytes

    def etag(self, *, zipped: bool) -> str:
        """Strong: the name holds the hash of the content, and compressed bytes are other bytes."""
        return f'"{self.name}{"-gz" if zipped else ""}"'


@dataclass(frozen=True, slots=True)
class Assets:
    """The files by the name they have in `static/`, and by the name they are served under."""

    by_file: Mapping[str, Asset]
    by_name: Mapping[str, Asset]

    def find_url(self, file: str) -> str | None:
        """The address of `file`, or None when it was not fetched (see `frontend/vendor.py`)."""
        asset = self.by_file.get(file)
        return None if asset is None else f"/static/{asset.name}"

    def get_url(self, file: str) -> str:
        """The address of `file`, which we wrote and therefore have."""
        return f"/static/{self.by_file[file].name}"


def read_assets(directory: Path = STATIC) -> Assets:
    """Every file below `directory` whose suffix we serve, hashed and compressed once."""
    by_file: dict[str, Asset] = {}
    for path in sorted(directory.rglob("*")):
        if path.suffix not in MEDIA_TYPES or not path.is_file():
            continue
        file = path.relative_to(directory).as_posix()
        by_file[file] = _asset(file, path.read_bytes())
    return Assets(by_file, {asset.name: asset for asset in by_file.values()})


@cache
def _asset(file: str, plain: bytes) -> Asset:
    """Remembered, since compressing the map's library takes a tenth of a second and tests make many applications."""
    pure = PurePosixPath(file)
    digest = hashlib.sha256(plain).hexdigest()[:10]
    name = f"{pure.with_suffix('')}.{digest}{pure.suffix}".replace("/", "-")
    return Asset(name, MEDIA_TYPES[pure.suffix], plain, gzip.compress(plain, 9, mtime=0))
