"""Paths: which route answers a request, found at once where the path holds no parameter.

Starlette tries one route after the other, which takes longer than many an answer; a router that another
includes is tried again when it was chosen. Here all routes stand in one list, and what was found for a
path without parameters is remembered: there are as many of these as routes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

_FOUND = "mobigo.route"


def add_routes(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Have the application answer by the routes of some routers, which have their prefix and permissions already."""
    routes = app.router.routes
    if not any(isinstance(route, _Remembered) for route in routes):
        routes.insert(0, _Remembered(routes))
    for router in routers:
        if not all(isinstance(route, Route) for route in router.routes):
            raise TypeError("a router that is added holds routes only")
        routes.extend(router.routes)


class _Remembered(BaseRoute):
    """The first of all routes: stands for the one of the others that answers."""

    def __init__(self, routes: list[BaseRoute]) -> None:
        self._routes = routes
        self._known: dict[tuple[str, str], dict[str, Any]] = {}

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The first that answers path and method; none where another method is allowed, or nothing found."""
        if scope["type"] != "http":
            return Match.NONE, {}
        asked = (scope["path"], scope["method"])
        known = self._known.get(asked)
        if known is not None:
            return Match.FULL, {**known, "path_params": {}}
        for route in self._routes:
            match, found = (Match.NONE, {}) if route is self else route.matches(scope)
            if match is Match.FULL:
                found[_FOUND] = route
                if not found["path_params"]:
                    self._known[asked] = dict(found)
                return match, found
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the route that was found answer."""
        route: BaseRoute = scope.pop(_FOUND)
        await route.handle(scope, receive, send)
