"""Middleware: the headers that every answer carries, cross-origin requests, HEAD, and faults of ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Data from these paths is for other people's pages and programs.
OPEN_PATHS = ("/api/", "/opendata/", "/openapi.json")
# What is below these is about people, and for their own programs alone.
CLOSED_PATHS = ("/api/v1/account", "/api/v1/people", "/api/covoiturage/carpools")
LICENCE = "https://opendatacommons.org/licenses/odbl/1-0/"

PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; worker-src 'self'; manifest-src 'self'; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(self), microphone=(), payment=()",
}
OPEN_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    "Link": f'<{LICENCE}>; rel="license"',
}
_PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}
_HTTPS_HEADERS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}


class Headers:
    """Adds the headers of pages, or those of open data, and answers what browsers ask before a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_open = scope["path"].startswith(OPEN_PATHS) and not scope["path"].startswith(CLOSED_PATHS)
        added = OPEN_HEADERS if is_open else PAGE_HEADERS
        if scope.get("scheme") == "https":
            added = added | _HTTPS_HEADERS

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in added.items():
                    headers.setdefault(name, value)
            await send(message)

        if is_open and scope["method"] == "OPTIONS":
            raw = [(name.lower().encode(), value.encode()) for name, value in _PREFLIGHT_HEADERS.items()]
            await send_with_headers({"type": "http.response.start", "status": 204, "headers": raw})
            await send({"type": "http.response.body", "body": b""})
            return
        await self._app(scope, receive, send_with_headers)


class HeadAsGet:
    """Answers HEAD as GET without the body, wherever the path does not do it itself."""

    def __init__(self, app: ASGIApp, answers_head: tuple[str, ...] = ("/opendata",)) -> None:
        self._app = app
        self._answers_head = answers_head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"].startswith(self._answers_head):
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, send_without_body)


class Faults:
    """Answers what nobody foresaw, inside the middleware that adds the headers.

    Starlette's own handler for it stands outside: its answer would reach other people's pages
    without the header that lets them read it, and the connection would be cut behind it.
    """

    def __init__(self, app: ASGIApp, answer: Callable[[Request, Exception], Awaitable[Response]]) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception as fault:
            if begun or scope["type"] != "http":
                raise  # half an answer cannot be taken back
            response = await self._answer(Request(scope), fault)
            await response(scope, receive, send)
