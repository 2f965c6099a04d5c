"""Sheets: pages that are a few tables with what can be done beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from fastapi import Request, Response
from markupsafe import Markup

from mobigo.texts import error_sentence
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line
from mobigo.web.people.forms import FormPage, Link, status_of
from socle.errors import MobigoError

NOTHING = Markup("")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: what it says, and where it leads."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the columns whose places are in `numbers` hold numbers. `none` is said where it has no row."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    numbers: frozenset[int] = frozenset()
    none: str = ""


@dataclass(frozen=True, slots=True)
class Do:
    """A button that is a form; `name` says which one among several alike."""

    action: str
    button: str
    name: str = ""
    hidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of tables."""

    title: str
    back: Link
    said: str = ""
    lead: str = ""
    lines: Sequence[Line] = ()
    remarks: Sequence[str] = ()
    chart: Markup = NOTHING  # above the tables that say the same
    tables: Sequence[Table] = ()
    actions: Sequence[Do] = ()
    links: Sequence[Link] = ()
    form: FormPage | None = None
    forms: Sequence[FormPage] = ()  # more of them
    ask: FormPage | None = None  # what is shown, chosen by an address
    problems: Sequence[Link] = ()


def send_sheet(pages: Pages, request: Request, page: Sheet, error: MobigoError | None = None) -> Response:
    """A sheet, or the same with what was refused at its top."""
    status = 200
    if error is not None:
        status, page = status_of(error), replace(page, problems=[Link("#suite", error_sentence(error))])
    return pages.send(request, "scolaire/sheet.html", status=status, cache="no-store", page=page)
