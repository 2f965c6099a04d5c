"""A site of a test's own with people in it, visited as a browser without scripts does: by links and forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import httpx
from fastapi import FastAPI

from mobigo.api.deps import FixedSnapshot
from mobigo.app import make_app
from mobigo.settings import Settings
from mobigo.store.base import migrate
from routing.journeys.snapshot import Snapshot
from tests.worlds.accounts import NOON, PASSWORD, World
from tests.worlds.site import serving


class Clock:
    """The hour that the application sees."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Place:
    """A site that is served: its address, its people, its clock."""

    address: str
    app: FastAPI
    people: World
    clock: Clock
    open_until_the_end: ExitStack

    def visitor(self, **headers: str) -> Visitor:
        """A new browser."""
        client = httpx.Client(base_url=self.address, headers=headers, timeout=60)
        return Visitor(self.open_until_the_end.enter_context(client))


@contextmanager
def place(snapshot: Snapshot, data: Path, **settings: object) -> Iterator[Place]:
    """The site with an empty database, served."""
    app = make_app(FixedSnapshot(snapshot), Settings(_env_file=None, data_dir=data, **settings))
    migrate(app.state.engine)
    clock = app.state.clock = Clock()
    with serving(app) as address, ExitStack() as clients:
        yield Place(address, app, World(app.state.engine, app.state.keys), clock, clients)


class _Forms(HTMLParser):
    """Every form of a page with its fields as a browser would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._select = ""
        self._form: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(told.get("action", ""), told.get("method", "get"), {}, {}, set())
            self.forms.append(self._form)
        if self._form is None:
            return
        form, name = self._form, told.get("name", "")
        if tag == "button" and "formaction" in told:  # the same fields, sent elsewhere
            self.forms.append(Form(told["formaction"], form.method, form.fields, form.buttons, form.names))
        if name and tag in {"input", "select", "textarea", "button"}:
            form.names.add(name)
        if tag == "input" and name and (told.get("type") not in {"checkbox", "radio"} or "checked" in dict(attrs)):
            form.fields[name] = told.get("value", "")
        if tag == "select":
            self._select = name
        if tag == "option" and self._select:
            form.fields.setdefault(self._select, told["value"])
        if tag == "button" and name:
            form.buttons.setdefault(told["value"], (name, told["value"]))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""


@dataclass
class Form:
    """A form: what it sends, the buttons that say more, and every name it may send."""

    action: str
    method: str
    fields: dict[str, str]
    buttons: dict[str, tuple[str, str]]
    names: set[str]


class Visitor:
    """A browser without scripts: keeps cookies, follows links, fills in forms."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.page = httpx.Response(204)

    def go(self, path: str) -> Visitor:
        """Open an address and follow where it leads."""
        self.page = self.client.get(path, follow_redirects=True)
        return self

    def forms(self) -> list[Form]:
        """The forms of this page."""
        parser = _Forms()
        parser.feed(self.page.text)
        return parser.forms

    def form(self, action: str, holding: str = "") -> Form:
        """The form of this page that goes to `action` (and has a field or button `holding`)."""
        return next(
            form
            for form in self.forms()
            if form.action == action and (not holding or holding in form.fields or holding in form.buttons)
        )

    def send(self, action: str, button: str = "", holding: str = "", **typed: str) -> Visitor:
        """Fill in and send a form of this page, and follow where it leads."""
        form = self.form(action, holding or button)
        fields = form.fields | typed
        if button:
            name, value = form.buttons[button]
            fields[name] = value
        self.page = self.client.post(form.action, data=fields, follow_redirects=True)
        return self

    def answer_to(self, path: str, **typed: str) -> httpx.Response:
        """Fill in and send the form of the page at `path`; what comes back at once, followed nowhere."""
        page = self.go(path).send(path, **typed).page
        return page.history[0] if page.history else page

    def sign_in(self, contact: str, password: str = PASSWORD) -> Visitor:
        """Come in."""
        return self.go("/connexion").send("/connexion", contact=contact, mot_de_passe=password)

    @property
    def links(self) -> list[str]:
        """Where the links of this page lead."""
        return [unescape(href) for href in re.findall(r'<a [^>]*href="([^"]*)"', self.page.text)]

    @property
    def title(self) -> str:
        """The heading of this page."""
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.page.text, re.DOTALL)
        return found.group(1).strip() if found else ""

    @property
    def refusals(self) -> list[str]:
        """What the top of this page says is wrong."""
        found = re.search(r'<div class="notice notice-bad".*?</div>', self.page.text, re.DOTALL)
        return re.findall(r"<a [^>]*>(.*?)</a>", found.group(0)) if found else []
