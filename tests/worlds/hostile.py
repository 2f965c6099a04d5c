"""What somebody who means harm types, and a site on which every page and form is found by walking, not by a list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import httpx
from fastapi.routing import APIRoute

from mobigo.store.people.accounts import Person
from tests.worlds.examples import FACTOR
from tests.worlds.visiting import Form, Place, Visitor

PRODUCT = "1787569"  # what 1337 times 1337 makes, where a template was believed
# Short enough for a name (100 letters), so that it is kept and shown.
KEPT = "'; DROP TABLE person;--\"{{1337*1337}}%s${1337*1337}<script>alert(1337)</script><img src=x>"
TYPED = {"kept": KEPT, "header": "x\r\nBcc: pirate@ailleurs.test\r\n\r\n\u202e\ufffe\U0010ffff", "long": "x" * 20_000}
MORE = {
    "sql": '" OR 1=1 /* \\',
    "like": "%_%",
    "template": "{% raw %}{{ self.__class__ }}",
    "format": "{0.__class__}%n#{1337*1337}",
    "markup": "\"' onfocus=alert(1337) autofocus='",
    "path": "../../../../etc/passwd",
    "signs": "\u0085😀",
}
TYPED |= MORE if FACTOR > 1 else {}
IN_ADDRESSES = TYPED | {"nothing": "\0"}
NO_LETTERS = (b"%00", b"%ff%fe", b"%ed%a0%80", b"%", b"%zz")  # as a browser would send bytes that are no text
FILLED = {
    "motif": "essai",
    "verdict": "released",
    "donner": "inspector",
    "reprendre": "traveller",
    "qui": "Camille Durand",
    "courriel": "",
    "telephone": "",
    "nom": "Essai",
}
DAY = timedelta(days=1)
DEVICE = "walk"
DEVICE_COOKIE = f"mobigo-appareil={DEVICE}"


def all_routes(routes: list[object]) -> Iterator[APIRoute]:
    """Every route that answers by itself."""
    return (route for route in routes if isinstance(route, APIRoute))


@dataclass(frozen=True)
class Found:
    """A form on a page, and whether it is shown to who is signed in."""

    page: str
    form: Form
    signed_in: bool

    def __str__(self) -> str:
        return f"{self.form.action} on {self.page}"


class Walk:
    """A site, everything that links and forms lead to on it, and somebody who may do all that can be done there."""

    def __init__(self, site: Place, person: Person) -> None:
        self.site, self.person = site, person
        programs = ("/api/", "/opendata", "/standard-covoiturage/")
        self.routes = [each for each in all_routes(site.app.routes) if not each.path.startswith(programs)]
        self.client = httpx.Client(base_url=site.address, timeout=60)
        self.pages: dict[str, str] = {}
        self.forms: dict[tuple[str, frozenset[str], bool], Found] = {}

    def route_of(self, path: str, method: str) -> APIRoute | None:
        """The page that an address is of."""
        return next((each for each in self.routes if method in each.methods and each.path_regex.match(path)), None)

    def cookie(self, *, signed_in: bool) -> str:
        """That of a new browser, signed in or not."""
        if not signed_in:
            return "f.a browser of its own"
        return f"s.{self.site.people.let_in(self.person, self.site.clock.now).token}"

    def get(self, path: str, *, signed_in: bool) -> httpx.Response:
        """Look at a page."""
        self.client.cookies.clear()
        return self.client.get(path, headers={"Cookie": f"mobigo={self.cookie(signed_in=signed_in)}; {DEVICE_COOKIE}"})

    def send(
        self, found: Found, fields: Mapping[str, str] | bytes, token: str | None = None, **headers: str
    ) -> httpx.Response:
        """Send a form a day later, so that no try of before counts; with `token` in place of the right one."""
        self.site.clock.now += DAY
        cookie = self.cookie(signed_in=found.signed_in)
        right = self.site.people.keys.csrf_token(cookie, self.site.clock.now)
        named = {"jeton": right if token is None else token}
        body = fields if isinstance(fields, bytes) else urlencode({**fields, **named}).encode()
        if isinstance(fields, bytes):
            body = b"&".join((body, urlencode(named).encode()))
        told = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": f"mobigo={cookie}; {DEVICE_COOKIE}",
        } | headers
        self.client.cookies.clear()
        return self.client.post(found.form.action, content=body, headers=told)

    def walk(self, *seeds: str) -> Walk:
        """Begin at every page that has a plain address, and follow links to those that have none."""
        for signed_in in (False, True):
            ahead = [*seeds, *(each.path for each in self.routes if "GET" in each.methods and "{" not in each.path)]
            seen: dict[str, int] = {}
            tried: set[str] = set()
            while ahead:
                path = ahead.pop(0)
                route = self.route_of(urlsplit(path).path, "GET")
                if (
                    route is None
                    or path in tried
                    or seen.get(route.path, 0) >= (4 if "{" in route.path or path in seeds else 1)
                ):
                    continue
                tried.add(path)
                page = self.get(path, signed_in=signed_in)
                assert page.status_code < 500, path
                if page.status_code == 200:
                    seen[route.path] = seen.get(route.path, 0) + 1
                    self.pages.setdefault(route.path, path)
                    ahead += self._read(page, path, signed_in=signed_in)
        return self

    def _read(self, page: httpx.Response, path: str, *, signed_in: bool) -> list[str]:
        if "html" not in page.headers["content-type"]:
            return []
        visitor = Visitor(self.client)
        visitor.page = page
        for form in visitor.forms():
            if form.method == "post":
                route = self.route_of(form.action, "POST")
                assert route is not None, form.action
                self.forms.setdefault((route.path, frozenset(form.names), signed_in), Found(path, form, signed_in))
        return re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text) + [
            link for link in visitor.links if link.startswith("/")
        ]

    def close(self) -> None:
        """Let go of the connection."""
        self.client.close()


def shows_no_harm(page: httpx.Response) -> bool:
    """Whether what was typed is nowhere taken for markup, a template or a header."""
    body = page.text
    if (
        "bcc" in page.headers
        or PRODUCT in body
        or "root:x:0" in body
        or page.headers["x-content-type-options"] != "nosniff"
    ):
        return False
    is_page = "html" in page.headers.get("content-type", "html")
    return not is_page or ("<script>alert(" not in body and "<img src=x" not in body)
