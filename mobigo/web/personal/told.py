"""Told: what is held about a person and what was done with it, as people read it: in French, without codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from babel.numbers import format_currency

from mobigo.services.audit import AuditLine
from mobigo.services.personal import PersonalData, Whose
from mobigo.texts import action_words, all_texts, kind_words, text
from mobigo.web.people.account import Line, spelled_reference
from mobigo.web.wording import FRENCH, moment, say, say_count
from socle.errors import Fact

N_SHOWN = 10  # rows of a table on the page; the file has all
_TABLE = "personal.table."
# They mean nothing to the eye.
_IN_THE_FILE = frozenset({"wording_sha256", "key", "carpool_id", "ride_id", "line_id", "policy_id", "document"})
# What the facts of these lines count, and where it is told.
_COUNTED = {"retention.applied": "retention.{}.what", "personal.erased": "personal.table.{}"}
# Fields that hold one word or several, told by the texts of that place.
_WORDS_OF = {
    "hold_code": "fraud.name",
    "role": "web.people.role",
    "scopes": "web.people.permission",
    "changed": "personal.field",
}
_SHOWN_LETTERS = 8  # of a pseudonym: enough to tell two on a page apart; links have all of them
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
    return [_section(table, data.rows[table], data.whose) for table in order if data.rows.get(table)]


def _section(table: str, rows: Sequence[Mapping[str, Value]], whose: Whose) -> Section:
    newest = list(reversed(rows))[:N_SHOWN]
    n_hidden = len(rows) - len(newest)
    return Section(
        table=table,
        title=text(f"{_TABLE}{table}"),
        rows=[list(_lines(table, row, whose)) for row in newest],
        more=say_count("personal.mine.more", n_hidden) if n_hidden else "",
    )


def _lines(table: str, row: Mapping[str, Value], whose: Whose) -> Sequence[Line]:
    lines = []
    for name, value in row.items():
        words = "" if name in _IN_THE_FILE else _words(name, value, whose)
        if words:
            at = all_texts().get(f"personal.at.{table}") if name == "at" else None
            lines.append(Line(at or field_words(name), words))
    return lines


def _words(name: str, value: Value, whose: Whose) -> str:
    """A value as the person reads it; empty when it is a code of the books that no text knows."""
    if name == "account":
        code = "_".join(part for part in str(value).split(":") if part != whose.pseudonym)
        return all_texts().get(f"personal.value.account.{code}", say("personal.account_of_yours"))
    words = value_words(name, value)
    return "" if name == "kind" and words == value else words


def field_words(name: str) -> str:
    """The name of a field as a person reads it; the name itself when it is of another version."""
    return all_texts().get(f"personal.field.{name}", name)


def value_words(name: str, value: Value) -> str:
    """A value of the field `name` as a person reads it; empty when there is none."""
    if value is None or value == "":
        return ""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bool):
        return say(f"personal.{'yes' if value else 'no'}")
    if name.endswith("_cents") and isinstance(value, int):
        return format_currency(value / 100, "EUR", locale=FRENCH)
    if name == "action":
        return action_words(str(value))
    if name == "reference":
        return spelled_reference(str(value))
    if name == "actor":
        return who_words(str(value))
    if name in {"since", "until"}:
        return moment(datetime.fromisoformat(str(value)))
    if name == "kind" and f"kinds.{value}" in all_texts():
        return kind_words(str(value))  # of a job
    place = _WORDS_OF.get(name, f"personal.value.{name}")
    words = str(value).split(", ") if name in _WORDS_OF else [str(value)]
    return ", ".join(all_texts().get(f"{place}.{word}", word) for word in words)


def who_words(who: str) -> str:
    """Whoever acts or is concerned."""
    kind, _, name = who.partition(":")
    shown = f"{name[:_SHOWN_LETTERS]}…" if kind == "person" and len(name) > _SHOWN_LETTERS else name
    return say(f"personal.audit.{kind}", name=shown) if who else ""


def facts_words(line: AuditLine) -> str:
    """What a line of the log says besides who, when, what, on whose data and why."""
    if counted := _COUNTED.get(line.action):
        told = [(all_texts().get(counted.format(name), name), str(n)) for name, n in line.facts.items() if n]
    else:
        told = [(field_words(name), value_words(name, value)) for name, value in line.facts.items()]
    return ", ".join(f"{name} : {words}" for name, words in told)
