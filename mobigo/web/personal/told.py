"""Told: what is held about a person, as they read it: tables, fields and values in French."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from babel.numbers import format_currency

from mobigo.services.personal import PersonalData
from mobigo.texts import action_words, all_texts, kind_words, text
from mobigo.web.people.account import Line
from mobigo.web.wording import FRENCH, moment, say, say_count
from socle.errors import Fact

N_SHOWN = 10  # rows of a table on the page; the file has all
_NOTHING = "–"
_TABLE = "personal.table."
_IN_THE_FILE = frozenset({"wording_sha256"})  # it means nothing to the eye
Value = Fact | datetime


@dataclass(frozen=True, slots=True)
class Section:
    """One table: how many rows it has, and the newest of them."""

    table: str
    title: str
    rows: Sequence[Sequence[Line]]
    more: str


def list_sections(data: PersonalData) -> Sequence[Section]:
    """What is held, table by table in the order of the texts; tables without a row are not told."""
    order = [key.removeprefix(_TABLE) for key in all_texts() if key.startswith(_TABLE)]
    return [_section(table, data.rows[table]) for table in order if data.rows.get(table)]


def _section(table: str, rows: Sequence[Mapping[str, Value]]) -> Section:
    newest = list(reversed(rows))[:N_SHOWN]
    n_hidden = len(rows) - len(newest)
    return Section(
        table=table,
        title=text(f"{_TABLE}{table}"),
        rows=[_lines(row, with_empty=len(newest) == 1) for row in newest],
        more=say_count("personal.mine.more", n_hidden) if n_hidden else "",
    )


def _lines(row: Mapping[str, Value], *, with_empty: bool) -> Sequence[Line]:
    return [
        Line(field_words(name), value_words(name, value))
        for name, value in row.items()
        if name not in _IN_THE_FILE and (with_empty or value not in {None, ""})
    ]


def field_words(name: str) -> str:
    """The name of a field as a person reads it; the name itself when it is of another version."""
    return all_texts().get(f"personal.field.{name}", name)


def value_words(name: str, value: Value) -> str:
    """A value of the field `name` as a person reads it."""
    if value is None or value == "":
        return _NOTHING
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bool):
        return say(f"personal.{'yes' if value else 'no'}")
    if name == "cents" and isinstance(value, int):
        return format_currency(value / 100, "EUR", locale=FRENCH)
    if name == "action":
        return action_words(str(value))
    if name == "kind" and f"kinds.{value}" in all_texts():
        return kind_words(str(value))
    if name == "role":
        return say(f"people.role.{value}")
    return all_texts().get(f"personal.value.{name}.{value}", str(value))
