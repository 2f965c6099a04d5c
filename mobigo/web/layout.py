"""Layout: what every page shares, and how a page, a fragment and an error are sent.

A page is a template filled with a frozen value made by its module. A request with
`HX-Request` that is not for a full page gets the fragment alone: one template,
included by the page, so that both are the same bytes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol, TypeVar

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from mobigo.opendata.http import knows, render_body, takes_gzip
from mobigo.texts import all_texts
from mobigo.web import door
from mobigo.web.assets import IMMUTABLE, Assets, read_assets
from mobigo.web.wording import clock, machine_time, say
from routing.journeys.snapshot import Snapshot
from socle.errors import Unavailable

TEMPLATES = Path(__file__).parent / "templates"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Operator:
    """Who answers for the service; empty what the settings do not say."""

    name: str = ""
    phone: str = ""
    email: str = ""

    @property
    def phone_digits(self) -> str:
        """The number as a `tel:` address wants it."""
        return "".join(char for char in self.phone if char.isdigit() or char == "+")


class Run(Protocol):
    """Runs a search away from the event loop, in the bounded pool of the process."""

    def __call__(self, function: Callable[..., T], /, *values: Any) -> Awaitable[T]:
        """What `function(*values)` returns."""


@dataclass(frozen=True)
class Site:
    """What the pages need of the application: the network served, the pool, the operator."""

    current: Callable[[], Snapshot]  # raises Unavailable when no network is loaded
    run: Run
    operator: Operator = Operator()
    public_url: str = ""


def _environment(assets: Assets, site: Site) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {
        "t": say,
        "clock": clock,
        "machine_time": machine_time,
        "asset": assets.get_url,
        "htmx": assets.find_url("vendor/htmx.min.js"),
        "map_library": _map_library(assets),
        "operator": site.operator,
    }
    return environment


def _map_library(assets: Assets) -> tuple[str, ...]:
    """Where MapLibre, its worker and its style sheet are; empty when they were not fetched."""
    found = [assets.find_url(f"vendor/maplibre-gl{end}") for end in (".mjs", "-worker.mjs", ".css")]
    return tuple(url for url in found if url) if all(found) else ()


def wants_fragment(request: Request) -> bool:
    """Whether HTMX asks for a part of the page it stands on, not for a whole page (history)."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Request-Type") != "full"
        and headers.get("HX-History-Restore-Request") != "true"
    )


def absolute(site: Site, request: Request, path: str) -> str:
    """The whole address of `path`, for what leaves the site: calendars, shared links."""
    base = site.public_url or str(request.base_url).rstrip("/")
    return f"{base}{path}"


@dataclass(frozen=True, slots=True)
class ErrorText:
    """What an error page says: what happened, and what to do."""

    title: str
    sentence: str
    advice: str


class Pages:
    """The templates, ready to be filled and sent."""

    def __init__(self, site: Site, assets: Assets | None = None) -> None:
        self.site = site
        self.assets = assets or read_assets()
        self._environment = _environment(self.assets, site)

    def is_demo(self) -> bool:
        """Whether the network that is served is the demonstration."""
        try:
            return self.site.current().is_demo
        except Unavailable:
            return False

    def render(self, template: str, path: str, *, fault: bool = False, **values: object) -> str:
        """`template` filled, for the page at `path`; the page of a `fault` asks nothing of what may be at fault."""
        demo = not fault and self.is_demo()
        told = {"section": "", "is_visitor_known": False} | values
        return self._environment.get_template(template).render(path=path, demo=demo, **told)

    def send(
        self,
        request: Request,
        template: str,
        *,
        fragment: str = "",
        status: int = 200,
        cache: str = "",
        **values: object,
    ) -> HTMLResponse:
        """The page made of `template`, or its part `fragment` when HTMX asks for that."""
        chosen = fragment if fragment and wants_fragment(request) else template
        fault = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        # A page for somebody who is signed in says so; caches keep only what is the same for everybody.
        known = bool(door.token_of(request))
        if known and cache.startswith("public"):
            cache = "private, no-cache"
        values |= {"is_visitor_known": known, "token_field": partial(door.token_field, request)}
        body = self.render(chosen, request.url.path, fault=fault, **values)
        # What caches may keep is asked for again by its tag.
        tagged = status == HTTPStatus.OK and cache.startswith("public")
        answered, headers, content = render_body(body.encode(), request.headers, tagged=tagged)
        headers |= {"Cache-Control": cache or "private, no-cache", "Content-Language": "fr"}
        if fragment:
            headers["Vary"] += ", HX-Request, HX-Request-Type"
        headers["Vary"] += ", Cookie"
        page = HTMLResponse(content, status if answered == HTTPStatus.OK else answered, headers)
        door.give_cookie(request, page)
        return page

    def send_error(self, request: Request, status: int, sentence: str = "") -> HTMLResponse:
        """A page that says in French what happened and what to do."""
        known = f"web.error.{status}.title" in all_texts()
        key = str(status) if known else ("500" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "400")
        page = ErrorText(
            say(f"error.{key}.title"),
            sentence or say(f"error.{key}.sentence"),
            say(f"error.{key}.advice"),
        )
        return self.send(request, "error.html", status=status, cache="no-store", page=page)

    def send_asset(self, request: Request, name: str) -> Response:
        """A static file, for ever; 404 when the name is of another version."""
        asset = self.assets.by_name.get(name)
        if asset is None:
            return self.send_error(request, HTTPStatus.NOT_FOUND)
        zipped = takes_gzip(request.headers.get("accept-encoding", ""))
        etag = asset.etag(zipped=zipped)
        headers = {"Cache-Control": IMMUTABLE, "ETag": etag, "Vary": "Accept-Encoding"}
        if knows(etag, request.headers):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        if zipped:
            headers["Content-Encoding"] = "gzip"
        return Response(asset.gzipped if zipped else asset.plain, headers=headers, media_type=asset.media_type)
