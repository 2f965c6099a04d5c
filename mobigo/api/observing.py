"""Observing: the id of each request, its line in the log, its share of the numbers."""

from __future__ import annotations

import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mobigo import logs, metrics

log = logging.getLogger("mobigo.requests")

_UNCOUNTED = ("/health", "/metrics", "/static")  # asked by machines all day


class Named:
    """Gives each request an id, or keeps the one it came with, and tells it in the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = logs.REQUEST_ID.lower().encode()
        request_id = logs.request_id(Headers(scope=scope).get(logs.REQUEST_ID))
        others = [each for each in scope["headers"] if each[0] != name]
        scope = {**scope, "headers": [*others, (name, request_id.encode())]}  # so that another process of ours keeps it

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[logs.REQUEST_ID] = request_id
            await send(message)

        token = logs.current_id.set(request_id)
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            logs.current_id.reset(token)


class Observed:
    """Counts, times and logs each request by its route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500  # of what is cut off before it answers

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        begun = time.perf_counter()
        metrics.under_way.inc()
        try:
            await self._app(scope, receive, send_and_note)
        finally:
            metrics.under_way.dec()
            taken_s = time.perf_counter() - begun
            route = logs.route_of(scope)
            if not route.startswith(_UNCOUNTED):
                method = scope["method"] if scope["method"] in _METHODS else "other"
                metrics.requests.labels(method, route, status).inc()
                metrics.request_s.labels(route).observe(taken_s)
                facts = {"method": method, "route": route, "status": status, "ms": round(taken_s * 1000, 1)}
                log.info("request", extra=facts)


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
