"""Tables: bytes of a CSV file as an office's spreadsheet wrote it → rows of text, with findings.

Nothing in a file raises. What can be read without a guess is read and remarked on: another separator than the
comma, Windows-1252 or UTF-16 in place of UTF-8, a byte-order mark. A row that cannot be read is set apart with its
line, and the next one is read. A cell never holds a line break, so that an open quote costs its own row alone.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from socle.findings import Finding, Severity

COMMA: Final = ","
SEPARATORS: Final = {COMMA: "virgule", ";": "point-virgule", "\t": "tabulation", "|": "barre"}
MAX_CELL: Final = 1_000  # letters; what is longer is another file's content
_LINES: Final = re.compile(r"\r\n|\n|\r")
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_NAMES_SEPARATOR: Final = re.compile(r'"?sep=(.)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Columns:
    """What a file must have and what it may have."""

    wanted: tuple[str, ...]
    optional: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line in the file as written, and its cells by column, without blanks around; "" when absent."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A file that was read; `decimal` is what separates units from decimals where it is not a point."""

    name: str
    rows: Sequence[Row]
    findings: Sequence[Finding]
    has_decimal_comma: bool = False


@lru_cache(maxsize=4096)
def plain(written: str) -> str:
    """`written` without accents, capitals, and blanks around, `-` and blanks inside as `_`."""
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", written) if not unicodedata.combining(letter))
    return re.sub(r"[\s\-_]+", "_", bare.casefold().strip())


def read_table(name: str, content: bytes | None, columns: Columns) -> Table:
    """The rows of the file `name`; none, with the findings that say why, when its header cannot be used."""
    if content is None:
        return Table(name, [], [Finding(Severity.ERROR, "table_missing", name)])
    findings: list[Finding] = []
    lines = _LINES.split(_decode(name, content, findings))
    first = next((place for place, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return Table(name, [], [*findings, Finding(Severity.ERROR, "table_empty", name)])
    if _NAMES_SEPARATOR.fullmatch(lines[first].strip()):  # Excel's own first line
        first = next((place for place in range(first + 1, len(lines)) if lines[place].strip()), first)
    separator = _find_separator(lines[first], columns)
    if separator != COMMA:
        told = SEPARATORS[separator]
        findings.append(Finding(Severity.WARNING, "table_separator", name, first + 1, {"separator": told}))
    header = [plain(cell) for cell in _cells(lines[first], separator) or []]
    missing = _look_at_header(name, first + 1, header, columns, findings)
    if missing:
        return Table(name, [], findings)
    rows = list(_rows(name, lines, first + 1, header, columns, separator, findings))
    return Table(name, rows, findings, has_decimal_comma=separator != COMMA)


def _decode(name: str, content: bytes, findings: list[Finding]) -> str:
    """The text of a file; what is no letter in any reading becomes the sign of what cannot be read."""
    if content.startswith(_UTF8_MARK):
        findings.append(Finding(Severity.INFO, "table_byte_mark", name, 1))
        content = content.removeprefix(_UTF8_MARK)
    elif content.startswith(_UTF16_MARKS):
        findings.append(Finding(Severity.WARNING, "table_encoding", name, 1, {"encoding": "UTF-16"}))
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = len(_LINES.findall(content[: error.start].decode("latin-1"))) + 1
        findings.append(Finding(Severity.WARNING, "table_encoding", name, line, {"encoding": "Windows-1252"}))
        return content.decode("cp1252", errors="replace")


def _find_separator(header: str, columns: Columns) -> str:
    """The separator that makes most known columns of a header; the comma when none makes any."""
    known = {*columns.wanted, *columns.optional}

    def n_known(separator: str) -> int:
        return sum(plain(cell) in known for cell in _cells(header, separator) or [])

    return max(SEPARATORS, key=n_known)  # the first of equals, which is the comma


def _look_at_header(name: str, line: int, header: list[str], columns: Columns, findings: list[Finding]) -> list[str]:
    """Remark on the columns; those that are wanted and missing."""
    missing = [column for column in columns.wanted if column not in header]
    findings += [Finding(Severity.ERROR, "table_column_missing", name, line, {"column": column}) for column in missing]
    seen: set[str] = set()
    for column in header:
        if column in seen and column:
            findings.append(Finding(Severity.WARNING, "table_column_twice", name, line, {"column": column[:40]}))
        elif column and column not in columns.wanted and column not in columns.optional:
            findings.append(Finding(Severity.INFO, "table_column_unknown", name, line, {"column": column[:40]}))
        seen.add(column)
    return missing


def _rows(
    name: str,
    lines: Sequence[str],
    begin: int,
    header: Sequence[str],
    columns: Columns,
    separator: str,
    findings: list[Finding],
) -> Iterator[Row]:
    known = {column: header.index(column) for column in (*columns.wanted, *columns.optional) if column in header}
    absent = dict.fromkeys((column for column in columns.optional if column not in known), "")
    for place in range(begin, len(lines)):
        if not lines[place].strip():
            continue
        cells = _cells(lines[place], separator)
        if cells is None:
            findings.append(Finding(Severity.ERROR, "row_broken", name, place + 1))
            continue
        extra = cells[len(header) :]
        if len(cells) < len(header) or any(cell.strip() for cell in extra):
            facts = {"found": len(cells), "wanted": len(header)}
            findings.append(Finding(Severity.ERROR, "row_width", name, place + 1, facts))
            continue
        if not any(cell.strip() for cell in cells):  # a row that a spreadsheet left blank
            continue
        yield Row(place + 1, {column: cells[i].strip() for column, i in known.items()} | absent)


def _cells(line: str, separator: str) -> list[str] | None:
    """The cells of one line, or None when its quotes do not close or it holds what no text holds."""
    if "\x00" in line:
        return None
    if '"' not in line:
        cells = line.split(separator)
    else:
        try:
            cells = next(csv.reader([line], delimiter=separator, strict=True), [])
        except csv.Error:
            return None
    return cells if max(map(len, cells), default=0) <= MAX_CELL else None
