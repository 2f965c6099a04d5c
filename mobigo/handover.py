"""Handover: on SQLite one process writes, whatever process was asked.

Server processes of one SQLite file elect a writer: whoever has the seat beside the file (see
`mobigo.store.writing`). Each process answers what only reads. A request that may write (any
method but GET, HEAD and OPTIONS) is handed to the writer over a Unix socket that only this user
may open; one that turned out to write while it was answered is begun again there, which is
harmless because nothing was written: the engine refuses to. When the writer dies the system
gives the seat to the next process, and requests that had not reached it are handed to that one.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mobigo.outbound.neighbour import Neighbour, NobodyThere
from mobigo.store.writing import Seat
from socle.errors import Unavailable

log = logging.getLogger(__name__)

_READS = {"GET", "HEAD", "OPTIONS"}
_WITHOUT_WRITER_S = 10.0  # for which a request waits while there is none
_LOOK_EVERY_S = 0.02
_PEER, _SCHEME = b"x-mobigo-peer", b"x-mobigo-scheme"  # what the writer cannot see of the first connection
_OUR_OWN = {_PEER, _SCHEME}
Answer = Callable[[Request, Exception], Awaitable[Response]]
HANDED_OVER = "mobigo.handed_over"  # in the scope of a request that another process took in


class ClientGone(Exception):
    """Nobody waits for the answer."""


class Writer:
    """The part that this process takes: it waits for the seat, and once it has it, answers the others."""

    def __init__(self, seat: Seat, on_elected: Callable[[], None] = lambda: None) -> None:
        self._seat = seat
        self._on_elected = on_elected
        self._ours = threading.Event()
        self.neighbour = Neighbour(seat.socket_address())

    @property
    def is_here(self) -> bool:
        """Whether this process is the one that writes."""
        return self._ours.is_set()

    @asynccontextmanager
    async def taking_part(self, app: ASGIApp) -> AsyncIterator[None]:
        """Wait for the seat, and answer from it, while the block runs."""
        loop = asyncio.get_running_loop()
        elected = asyncio.Event()
        if self._seat.try_to_take():
            elected.set()
        else:
            # The thread sleeps in the system until the seat is free, and dies with the process.
            waiting = threading.Thread(target=self._wait, args=(loop, elected), name="writer-seat", daemon=True)
            waiting.start()
        server = _Inner(app)
        sitting = asyncio.create_task(self._sit(elected, server))
        try:
            yield
        finally:
            server.should_exit = True
            if not elected.is_set():
                sitting.cancel()
            await asyncio.gather(sitting, return_exceptions=True)
            self._ours.clear()
            self._seat.leave()
            await self.neighbour.close()

    def _wait(self, loop: asyncio.AbstractEventLoop, elected: asyncio.Event) -> None:
        self._seat.wait()
        try:
            loop.call_soon_threadsafe(elected.set)
        except RuntimeError:  # the loop is gone: so is this process, nearly
            self._seat.leave()

    async def _sit(self, elected: asyncio.Event, server: _Inner) -> None:
        await elected.wait()
        self._ours.set()
        self._on_elected()
        listener = self._seat.listen()
        try:
            await server.serve([listener])
        finally:
            listener.close()


class _Inner(uvicorn.Server):
    """The writer's second listener, in the event loop of the first, which is the one told to stop."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                _as_it_came(app),
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=10,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None: the outer server's are enough."""
        yield


def _as_it_came(app: ASGIApp) -> ASGIApp:
    """The application, for requests that a process of ours took in: as they came to that one."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name not in _OUR_OWN]
        told = dict(scope["headers"])
        host, _colon, port = told.get(_PEER, b"").decode("ascii").rpartition(":")
        client = (host, int(port)) if host else None
        scheme = told.get(_SCHEME, b"http").decode("ascii")
        await app({**scope, "headers": headers, "client": client, "scheme": scheme, HANDED_OVER: True}, receive, send)

    return answer


class HandOver:
    """Middleware: hands to the writer what may write. `answer` makes the response to an error."""

    def __init__(self, app: ASGIApp, writer: Writer, answer: Answer) -> None:
        self._app = app
        self._writer = writer
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        may_write = scope["type"] == "http" and scope["method"] not in _READS and not scope.get(HANDED_OVER)
        if may_write and await _try_to_hand_over(self._writer, self._answer, scope, receive, send):
            return
        await self._app(scope, receive, send)


class BegunAgain(Response):
    """The answer to a request without body that turned out to write: the writer's, or the one to `error`."""

    def __init__(self, writer: Writer, answer: Answer, request: Request) -> None:
        super().__init__()
        self._writer = writer
        self._answer = answer
        self._request = request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand it over; a client whose request met the very moment of an election is asked to come again."""
        if not await _try_to_hand_over(self._writer, self._answer, self._request.scope, _no_body, send):
            response = await self._answer(self._request, Unavailable("no_writer"))
            await response(scope, receive, send)


async def _try_to_hand_over(writer: Writer, answer: Answer, scope: Scope, receive: Receive, send: Send) -> bool:
    begun = False

    async def send_and_note(message: Message) -> None:
        nonlocal begun
        begun = True
        await send(message)

    try:
        return await hand_over(writer, scope, receive, send_and_note)
    except Unavailable as error:
        if begun:
            raise  # half an answer cannot be taken back
        log.warning("a request could not be handed to the writer", extra={"fault": str(error)})
        response = await answer(Request(scope), error)
        await response(scope, receive, send)
    except ClientGone:
        log.info("the client of a request that was being handed over has gone")
    return True


async def hand_over(writer: Writer, scope: Scope, receive: Receive, send: Send) -> bool:
    """Have the writer answer; False when that is this process by now.

    Raises:
        Unavailable: `no_writer` for too long, or `writer_lost` in the middle: it may have written, or not.
    """
    headers = [(name, value) for name, value in scope["headers"] if name not in _OUR_OWN]
    client = scope.get("client")
    if client:
        headers.append((_PEER, f"{client[0]}:{client[1]}".encode("ascii")))
    headers.append((_SCHEME, scope.get("scheme", "http").encode("ascii")))
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    ends_at = time.monotonic() + _WITHOUT_WRITER_S
    while not writer.is_here:
        try:
            await writer.neighbour.relay(scope["method"], target, headers, _pieces(receive), send)
        except NobodyThere:  # nothing was sent: it died, and the next one is about to sit down
            if time.monotonic() > ends_at:
                raise Unavailable("no_writer") from None
            await asyncio.sleep(_LOOK_EVERY_S)
        else:
            return True
    return False


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message: Message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        more = message.get("more_body", False)
        if message.get("body"):
            yield message["body"]


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
