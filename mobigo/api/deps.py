"""Deps: what endpoints get from the application, and how an answer becomes bytes.

Searching, shaping, encoding and compressing happen together on a thread of a small pool, so
that the event loop stays free for pages and a crowd waits in order. The kernels release the
interpreter's lock but Python around them does not: more threads than one cost more than they
give (docs/decisions.md). What takes a millisecond whatever is asked is answered on the loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import anyio
import msgspec
from fastapi import Request, Response

from mobigo.opendata.http import render_body
from routing.journeys.snapshot import Snapshot
from socle.errors import Unavailable

CACHE_SHORT = "public, max-age=15, stale-while-revalidate=600"
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


def find_snapshot(request: Request) -> Snapshot | None:
    """The network that is served; carpools do without one."""
    try:
        return current_snapshot(request)
    except Unavailable:
        return None


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


def written(request: Request, snapshot: Snapshot, body: bytes, *, kept: bool = False) -> Response:
    """The response of a JSON body. `kept`: caches may keep it for a moment, and ask again by its tag."""
    status, headers, body = render_body(body, request.headers, tagged=kept)
    if snapshot.is_demo:
        headers[DATASET_HEADER] = "demo"
    if kept:
        headers["Cache-Control"] = CACHE_SHORT
    return Response(body, status, headers, "application/json")
