"""Deps: what endpoints get from the application, and how an answer becomes bytes.

Searching, shaping, encoding and compressing happen together on a thread of a small pool, so
that the event loop stays free for pages and a crowd waits in order. The kernels release the
interpreter's lock but Python around them does not: more threads than one cost more than they
give (docs/decisions.md). What takes a millisecond whatever is asked is answered on the loop.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Protocol

import anyio
import msgspec
from fastapi import Request, Response

from routing.journeys.snapshot import Snapshot

GZIP_FROM_BYTES = 1_024
GZIP_LEVEL = 1  # three times faster than level 6 on an answer of 30 kB, and a tenth larger
CACHE_STATIC = "public, max-age=15, stale-while-revalidate=600"
DATASET_HEADER = "X-Mobigo-Dataset"


class HoldsSnapshot(Protocol):
    """What an application answers from, swapped whole when a new release is published."""

    def current(self) -> Snapshot:
        """The snapshot for one request."""
        ...


@dataclass(frozen=True)
class FixedSnapshot:
    """A snapshot that is never swapped."""

    snapshot: Snapshot

    def current(self) -> Snapshot:
        """The snapshot."""
        return self.snapshot


def current_snapshot(request: Request) -> Snapshot:
    """The snapshot that this request is answered from.

    Raises:
        Unavailable: no network is loaded.
    """
    network: HoldsSnapshot = request.app.state.network
    return network.current()


def now() -> int:
    """The present instant."""
    return int(time.time())


_encoder = msgspec.json.Encoder()


def encode(value: Any) -> bytes:
    """An answer as JSON."""
    return _encoder.encode(value)


async def in_pool(request: Request, make: Callable[[], Any]) -> Any:
    """Run `make` on one of the pool's threads."""
    limiter: anyio.CapacityLimiter = request.app.state.pool
    return await anyio.to_thread.run_sync(make, limiter=limiter)


def written(request: Request, snapshot: Snapshot, body: bytes, *, static: bool = False) -> Response:
    """The response of a JSON body, compressed when the client takes it and it is worth it."""
    headers = {"Vary": "Accept-Encoding"}
    if snapshot.is_demo:
        headers[DATASET_HEADER] = "demo"
    gzipped = len(body) >= GZIP_FROM_BYTES and "gzip" in request.headers.get("accept-encoding", "")
    if static:
        tag = f'"{blake2b(body, digest_size=12).hexdigest()}{"-gz" if gzipped else ""}"'
        headers |= {"ETag": tag, "Cache-Control": CACHE_STATIC}
        if tag in [one.strip() for one in request.headers.get("if-none-match", "").split(",")]:
            return Response(status_code=304, headers=headers)
    if gzipped:
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body, GZIP_LEVEL, mtime=0)
    return Response(body, headers=headers, media_type="application/json")
