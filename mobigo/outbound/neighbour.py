"""Neighbour: the process beside, to which requests are relayed as they are (see `mobigo.handover`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import httpx

from socle.errors import Unavailable

_LENGTHS_OF_PIECES = {b"connection", b"keep-alive", b"transfer-encoding"}  # what the outer server says itself
_OF_THE_CONNECTION = {b"connection", b"keep-alive", b"te", b"trailer", b"upgrade", b"expect"}
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class NobodyThere(Exception):
    """No process listens on the socket; nothing was sent."""


class Neighbour:
    """The process that listens on a Unix socket of ours, to which requests are relayed as they are."""

    def __init__(self, address: str) -> None:
        never_kept = httpx.Limits(max_keepalive_connections=0)  # a kept one may be dead when it is used again
        self._transport = httpx.AsyncHTTPTransport(uds=address, limits=never_kept)

    async def relay(
        self, method: str, target: bytes, headers: list[tuple[bytes, bytes]], body: AsyncIterator[bytes], send: Send
    ) -> None:
        """Send a request on, and what is answered back by ASGI's `send`.

        Raises:
            NobodyThere: and nothing of the body was read.
            Unavailable: `writer_lost` in the middle.
        """
        request = httpx.Request(
            method,
            "http://neighbour/",
            headers=[each for each in headers if each[0] not in _OF_THE_CONNECTION],
            stream=_Pieces(body),
            extensions={"target": target, "timeout": {"connect": 5.0, "read": 120.0, "write": 60.0, "pool": 60.0}},
        )
        try:
            answer = await self._transport.handle_async_request(request)
            kept = [each for each in answer.headers.raw if each[0].lower() not in _LENGTHS_OF_PIECES]
            await send({"type": "http.response.start", "status": answer.status_code, "headers": kept})
            try:
                async for chunk in answer.aiter_raw():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            finally:
                await answer.aclose()
            await send({"type": "http.response.body", "body": b""})
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise NobodyThere from None
        except httpx.TransportError:
            raise Unavailable("writer_lost") from None

    async def close(self) -> None:
        """Let go of what is open."""
        await self._transport.aclose()


class _Pieces(httpx.AsyncByteStream):
    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._body:
            yield piece
