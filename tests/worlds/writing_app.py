"""A small application of several processes on one SQLite file, to see which of them writes.

What it answers names the process that answered.
"""

import os
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from mobigo.handover import BegunAgain, HandOver, Writer
from mobigo.store.base import WritesElsewhere, open_engine, reading, transaction, write_only_while
from mobigo.store.network import SourceVersion, list_source_versions, record_source_version
from mobigo.store.writing import find_seat


def serve(listener, address):
    """Answer on `listener` until told to stop."""
    uvicorn.Server(uvicorn.Config(app_of(address), log_level="warning", timeout_graceful_shutdown=10)).run([listener])


def app_of(address):
    engine = open_engine(address)
    writer = Writer(find_seat(engine))
    write_only_while(engine, lambda: writer.is_here)
    folder = Path(engine.url.database).parent

    def put(name: str) -> None:
        with transaction(engine) as session:
            record_source_version(session, SourceVersion("bell", name, 1, datetime.now(UTC), f"by {os.getpid()}"), [])

    async def ring(request: Request):
        body = await request.body()
        await anyio.to_thread.run_sync(put, request.path_params["name"])
        return JSONResponse(
            {
                "pid": os.getpid(),
                "n_bytes": len(body),
                "client": request.client.host,
                "scheme": request.url.scheme,
                "query": str(request.query_params),
                "host": request.headers["host"],
                "told": sorted(name for name in request.headers if name.startswith("x-")),
            }
        )

    async def read(_request: Request):
        with reading(engine) as session:
            rung = {version.sha256: version.verdict for version in list_source_versions(session, "bell")}
        return JSONResponse({"pid": os.getpid(), "rung": rung})

    def wait(name: str) -> None:
        """Be under way until the test says so."""
        (folder / f"begun-{name}").touch()
        while not (folder / "let-go").exists():
            time.sleep(0.01)

    async def slow(request: Request):
        await anyio.to_thread.run_sync(wait, request.path_params["name"])
        return PlainTextResponse("at last")

    async def answer(_request: Request, error: Exception):
        return JSONResponse({"code": error.code}, 503)

    async def begin_again(request: Request, _error: Exception):
        return BegunAgain(writer, answer, request)

    @asynccontextmanager
    async def lifespan(_app):
        async with writer.taking_part(app):
            yield

    app = Starlette(
        routes=[
            Route("/read", read),
            Route("/ring/{name}", ring, methods=["GET", "POST"]),
            Route("/slow/{name}", slow, methods=["POST"]),
        ],
        exception_handlers={WritesElsewhere: begin_again},
        lifespan=lifespan,
    )
    app.add_middleware(HandOver, writer=writer, answer=answer)
    return app
