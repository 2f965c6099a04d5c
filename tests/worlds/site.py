"""The site on the committed sample: trains and coaches of the Haut-Doubs, from 2026-09-07 on."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

from mobigo.demo.facts import read_facts
from mobigo.demo.region import render_places
from routing.gtfs.read import read_feed
from routing.gtfs.repair import repair_feed
from routing.journeys.snapshot import Snapshot, open_snapshot
from routing.network.compile import compile_feed

SAMPLE = Path(__file__).parents[2] / "data" / "gtfs" / "haut-doubs-demo"
TUESDAY = "2026-09-15"


def sample_snapshot(directory: Path) -> Snapshot:
    """The sample compiled into `directory`, as a release of the demonstration."""
    feed, _ = read_feed(SAMPLE, "haut-doubs-demo")
    feed, _ = repair_feed(feed)
    compile_feed(feed, directory / "timetable")
    (directory / "places.csv").write_bytes(render_places(read_facts().communes, read_facts()))
    manifest = {"release": "sample", "demo": True, "sources": [{"id": "haut-doubs-demo", "licence": "ODbL-1.0"}]}
    (directory / "manifest.json").write_text(json.dumps(manifest))
    return open_snapshot(directory)


@contextmanager
def serving(app: ASGIApp, lifespan: Literal["auto", "off"] = "auto") -> Iterator[str]:
    """`app` on a free port of this machine, as `mobigo serve` runs it; yields its address."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(app, "127.0.0.1", port, log_level="error", access_log=False, lifespan=lifespan)
    )
    thread = threading.Thread(target=server.run, name="site", daemon=True)
    thread.start()
    for _ in range(2000):
        if server.started:
            break
        thread.join(0.005)
    assert server.started
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
