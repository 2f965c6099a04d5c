"""Shipped: the rule books in `rulebooks/`, one dated file each, and the urban authorities of the region."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files

from scolaire.entitlement.books import read_book
from scolaire.entitlement.model import RuleBook


@cache
def shipped_books() -> Mapping[str, RuleBook]:
    """The books by id and first day, as `trois-kilometres@2026-09-01`."""
    books = map(read_book, shipped_documents().values())
    return {key_of(book): book for book in sorted(books, key=key_of)}


@cache
def shipped_documents() -> Mapping[str, bytes]:
    """Their documents by file name."""
    folder = files("scolaire.entitlement").joinpath("rulebooks")
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir(), key=lambda file: file.name)}


def key_of(book: RuleBook) -> str:
    """How a version of a book is named on the command line."""
    return f"{book.id}@{book.valid_from.isoformat()}"


@cache
def _authorities() -> list[tuple[date, date | None, Mapping[str, str]]]:
    document = files("scolaire.entitlement").joinpath("authorities.toml").read_text("utf-8")
    return [
        (one["from"], one.get("until"), dict.fromkeys(one["communes"], one["siren"]))
        for one in tomllib.loads(document)["authority"]
    ]


@cache
def authorities_on(day: date) -> Mapping[str, str]:
    """The SIREN of the urban authority of each commune that lies in one on a day."""
    found: dict[str, str] = {}
    for begin, end, communes in _authorities():
        if begin <= day and (end is None or day <= end):
            found |= communes
    return found
