"""Audit: the log as the data officer reads it; each reading adds its own line."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine

from mobigo.store.audit import AuditFilter as AuditFilter  # doors name them
from mobigo.store.audit import AuditLine as AuditLine
from mobigo.store.audit import NumberedLine as NumberedLine
from mobigo.store.audit import (
    last_number,
    list_actions,
    list_lines,
    list_onward,
    record,
    spelled_why,
)
from mobigo.store.base import reading, transaction
from socle.errors import BadInput, Fact

PAGE_LINES = 50
_PIECE = 1_000  # lines of an export held at once
# What a spreadsheet would run: at the beginning of a cell, and after what some take for the end of one.
_FORMULA = re.compile(r"((?:^|[;\t\r\n])\s*)(?=[=+\-@＝＋－＠])")


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some lines, the last written first; `before` asks for the next page, None when there is none."""

    lines: Sequence[NumberedLine]
    before: int | None


def read_page(
    engine: Engine,
    wish: AuditFilter,
    reader: str,
    why: str,
    before: int | None,
    now: datetime,
    n_lines: int = PAGE_LINES,
) -> AuditPage:
    """One page of the log, and the line that tells who read it."""
    with transaction(engine) as session:
        found = list_lines(session, wish, limit=n_lines + 1, before=before)
        record(session, _line_of_reading("audit.read", wish, reader, why, now))
    more = len(found) > n_lines
    lines = found[:n_lines]
    return AuditPage(lines, lines[-1].number if more else None)


def list_known_actions(engine: Engine) -> Sequence[str]:
    """Every action the log knows: what a filter can ask for."""
    with reading(engine) as session:
        return list_actions(session)


def export(engine: Engine, wish: AuditFilter, written_as: str, reader: str, why: str, now: datetime) -> Iterator[bytes]:
    """The lines wanted, in the order of writing, as `csv` or `json` (one array); up to the moment of asking.

    The line that tells of the export is there before its first byte. Lines never change, so pieces
    read one after the other make one whole.

    Raises:
        BadInput: `unknown_format`.
    """
    if written_as not in RENDERERS:
        raise BadInput("unknown_format", format=written_as, known=", ".join(RENDERERS))
    with transaction(engine) as session:
        end = last_number(session)
        record(session, _line_of_reading("audit.exported", wish, reader, why, now))
    return RENDERERS[written_as](_pieces(engine, wish, end))


def _line_of_reading(action: str, wish: AuditFilter, reader: str, why: str, now: datetime) -> AuditLine:
    asked: dict[str, Fact] = {}
    for name in ("actor", "action"):
        if value := getattr(wish, name):
            asked[name] = value
    for name in ("since", "until"):
        if instant := getattr(wish, name):
            asked[name] = instant.isoformat()
    return AuditLine(now, reader, action, wish.subject, spelled_why(why), asked)


def _pieces(engine: Engine, wish: AuditFilter, end: int) -> Iterator[Sequence[NumberedLine]]:
    after = 0
    while True:
        with reading(engine) as session:
            piece = list_onward(session, wish, after=after, to=end, limit=_PIECE)
        if piece:
            yield piece
        if len(piece) < _PIECE:
            return
        after = piece[-1].number


def line_fields(numbered: NumberedLine) -> dict[str, object]:
    """A line for programs, each value a JSON one."""
    line = numbered.line
    return {
        "number": numbered.number,
        "at": line.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "actor": line.actor,
        "action": line.action,
        "subject": line.subject,
        "why": line.why,
        "facts": dict(line.facts),
    }


def _render_json(pieces: Iterator[Sequence[NumberedLine]]) -> Iterator[bytes]:
    yield b"["
    between = "\n"
    for piece in pieces:
        told = (json.dumps(line_fields(each), ensure_ascii=False) for each in piece)
        yield (between + ",\n".join(told)).encode()
        between = ",\n"
    yield b"\n]\n"


def _render_csv(pieces: Iterator[Sequence[NumberedLine]]) -> Iterator[bytes]:
    """RFC 4180; what a spreadsheet would run as a formula has an apostrophe before it.

    A French one takes semicolons for the ends of cells.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(("number", "at", "actor", "action", "subject", "why", "facts"))
    for piece in pieces:
        for each in piece:
            fields = line_fields(each) | {
                "facts": json.dumps(dict(each.line.facts), ensure_ascii=False, sort_keys=True)
            }
            writer.writerow(_FORMULA.sub(r"\1'", str(value)) for value in fields.values())
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


RENDERERS = {"csv": _render_csv, "json": _render_json}
