"""Rows: the bytes of one CSV file → batches of rows of clean text, with line numbers.

Two readers. The quick one is Polars; it is believed only where what it read agrees
with what can be counted in the bytes: as many rows as lines, as many commas as
fields. Elsewhere (a line break within quotes, rows too short or too long, stray
quotes) the careful one reads the same piece row by row and says what it met.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from routing.gtfs.feed import LINE
from routing.gtfs.feed.values import clean_texts
from routing.gtfs.read.notes import Notes
from routing.gtfs.read.source import Stream, Unreadable
from socle.findings import Severity

_RARE_BLANKS = (b"\t", b"\x0b", b"\x0c")
_LONGEST_RECORD_LINES = 200  # a record over more lines has lost its closing quote
_LONGEST_RECORD_BYTES = 256 << 20
_SEPARATORS = (",", ";", "\t", "|")
_BOM = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Header:
    """The columns of one file: `names` as written, cleaned; `kept` are the positions that hold a column."""

    names: list[str]
    kept: list[int]
    separator: str
    line: int  # the header's own


class Rows:
    """The rows of one CSV file, in batches. `header` is known once the object exists; None: the file is empty."""

    def __init__(self, stream: Stream, file: str, notes: Notes, piece_bytes: int) -> None:
        self._stream = stream
        self._file = file
        self._notes = notes
        self._piece_bytes = piece_bytes
        self._pieces = self._cut()
        self._line = 1
        self._told: set[str] = set()
        self._first = b""
        self.header = self._read_header()
        self._head = self.header or Header([], [], ",", 1)

    def batches(self, typed: Mapping[str, pl.DataType | type[pl.DataType]] | None = None) -> Iterator[pl.DataFrame]:
        """The rows as text, null where empty, with `_line`.

        Columns named in `typed` may come already typed, when their text is plain.
        """
        if self.header is None:
            return
        piece: bytes | None = self._first
        while piece is not None:
            if piece:
                start = self._line
                self._line += _count_lines(piece)
                frame = self._read_piece(piece, start, typed or {})
                if frame.height:
                    yield frame
            piece = next(self._pieces, None)

    # --- bytes -> pieces of whole records, in UTF-8 with LF or CRLF ---------------------------

    def _cut(self) -> Iterator[bytes]:
        rest = self._stream.read(self._piece_bytes)
        if rest.startswith((b"\xff\xfe", b"\xfe\xff")):
            whole = rest + self._stream.read()
            self._tell("not_utf8", encoding="UTF-16", line=None)
            yield self._unix(whole.decode("utf-16", "replace").encode("utf-8", "replace"))
            return
        rest = rest.removeprefix(_BOM)
        while True:
            more = self._stream.read(self._piece_bytes)
            if not more:
                break
            rest += more
            if len(rest) > _LONGEST_RECORD_BYTES:
                raise Unreadable(self._file, "line too long")
            end = _last_record_end(rest)
            if end:
                yield self._decoded(rest[:end])
                rest = rest[end:]
        if rest:
            yield self._decoded(rest)

    def _decoded(self, piece: bytes) -> bytes:
        if piece.isascii():
            return self._unix(piece)
        try:
            piece.decode("utf-8")
        except UnicodeDecodeError as error:
            line = self._line + piece.count(b"\n", 0, error.start)
            self._tell("not_utf8", encoding="Latin-1", line=line)
            piece = piece.decode("cp1252", "replace").encode("utf-8")
        return self._unix(piece)

    def _unix(self, piece: bytes) -> bytes:
        if b"\0" in piece:
            self._tell("nul_bytes", line=None)
            piece = piece.replace(b"\0", b"")
        if b"\r" in piece and b"\n" not in piece:
            return piece.replace(b"\r", b"\n")
        return piece

    def _tell(self, code: str, line: int | None, **facts: str) -> None:
        """A warning about the file, once."""
        if code not in self._told:
            self._told.add(code)
            self._notes.add(Severity.WARNING, code, self._file, line, **facts)

    # --- header -------------------------------------------------------------------------------

    def _read_header(self) -> Header | None:
        first = next(self._pieces, b"")
        bare = first.lstrip(b"\r\n \t")
        self._line += first.count(b"\n", 0, len(first) - len(bare))
        if not bare:
            return None
        end = _first_record_end(bare)
        text = bare[:end].decode("utf-8", "replace").strip("\ufeff\r\n")
        separator = max(_SEPARATORS, key=text.count) if "," not in text else ","
        if separator != ",":
            self._tell("wrong_separator", separator={"\t": "TAB"}.get(separator, separator), line=self._line)
        raw = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True), [])
        header = Header(names=[], kept=[], separator=separator, line=self._line)
        for position, written in enumerate(raw):
            name = written.strip().strip("\ufeff").strip()
            if not name:
                if position < len(raw) - 1:
                    self._notes.add(
                        Severity.WARNING, "column_without_name", self._file, self._line, position=position + 1
                    )
                name = f"\0{position}"
            elif name in header.names:
                self._notes.add(Severity.WARNING, "column_twice", self._file, self._line, column=name)
                name = f"\0{position}"
            else:
                if name != written:
                    self._notes.add(Severity.INFO, "header_blanks", self._file, self._line, column=name)
                header.kept.append(position)
            header.names.append(name)
        self._line += _count_lines(bare[:end])
        self._first = bare[end:]
        return header

    # --- piece -> rows ------------------------------------------------------------------------

    def _read_piece(
        self, piece: bytes, start: int, typed: Mapping[str, pl.DataType | type[pl.DataType]]
    ) -> pl.DataFrame:
        header = self._head
        quoted = b'"' in piece
        frame = self._quick(piece, quoted, typed)
        if frame is None and typed:
            frame = self._quick(piece, quoted, {})
        if frame is None:
            frame = self._careful(piece, start)
            quoted = True
        else:
            lines = np.arange(start, start + frame.height, dtype=np.int32)
            frame = frame.with_columns(pl.Series(LINE, lines))
        frame = frame.select([header.names[position] for position in header.kept] + [LINE])
        if quoted or not piece.isascii() or _may_have_blanks_at_edges(piece, header.separator.encode()):
            frame = self._clean(frame)
        texts = [name for name in frame.columns if name != LINE]
        blank = frame.select(pl.all_horizontal(pl.col(texts).is_null())).to_series()
        if blank.any():
            frame = frame.filter(~blank)
        return self._without_repeated_header(frame)

    def _clean(self, frame: pl.DataFrame) -> pl.DataFrame:
        texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
        cleaned = [clean_texts(frame[name]) for name in texts]
        before, after = (
            sum(series.str.len_bytes().sum() for series in some) for some in ([frame[n] for n in texts], cleaned)
        )
        if before != after and "blanks_around" not in self._told:
            self._told.add("blanks_around")
            self._notes.add(Severity.INFO, "blanks_around", self._file)
        return frame.with_columns(cleaned)

    def _without_repeated_header(self, frame: pl.DataFrame) -> pl.DataFrame:
        texts = [name for name, dtype in frame.schema.items() if dtype == pl.String][:2]
        if not texts or not frame.height:
            return frame
        repeated = frame.select(
            pl.all_horizontal(pl.col(name) == name for name in texts).fill_null(value=False)
        ).to_series()
        if not repeated.any():
            return frame
        lines = frame.filter(repeated)[LINE]
        self._notes.add_rows(Severity.WARNING, "header_again", self._file, ((line, {}) for line in lines), len(lines))
        return frame.filter(~repeated)

    def _quick(
        self, piece: bytes, quoted: bool, typed: Mapping[str, pl.DataType | type[pl.DataType]]
    ) -> pl.DataFrame | None:
        """The rows by Polars, or None when they do not agree with the bytes."""
        header = self._head
        width = len(header.names)
        dtypes = [typed.get(name, pl.String) for name in header.names]
        try:
            frame = pl.read_csv(
                piece,
                has_header=False,
                separator=header.separator,
                quote_char='"' if quoted else None,
                infer_schema=False,
                schema_overrides=dtypes,
            )
        except (pl.exceptions.PolarsError, OverflowError):
            return None
        if frame.width != width or frame.height != _count_lines(piece):
            return None
        commas = piece.count(header.separator.encode())
        if quoted:
            texts = frame.select(pl.col(pl.String).str.count_matches(header.separator, literal=True).sum())
            commas -= sum(n or 0 for n in texts.row(0))
        if commas != (width - 1) * frame.height:
            return None
        return frame.rename(dict(zip(frame.columns, header.names, strict=True)))

    def _careful(self, piece: bytes, start: int) -> pl.DataFrame:
        """The rows one by one."""
        header = self._head
        width = len(header.names)
        columns: list[list[str | None]] = [[] for _ in range(width)]
        lines: list[int] = []
        for line, fields in self._records(piece.decode("utf-8", "replace"), start):
            if not fields or fields == [""]:
                continue
            if len(fields) > width:
                if any(field.strip() for field in fields[width:]):
                    self._notes.add(
                        Severity.ERROR, "row_too_long", self._file, line, n_fields=len(fields), n_columns=width
                    )
                    continue
            elif len(fields) < width:
                self._notes.add(
                    Severity.WARNING, "row_too_short", self._file, line, n_fields=len(fields), n_columns=width
                )
                fields += [""] * (width - len(fields))
            for column, field in zip(columns, fields, strict=False):
                column.append(field or None)
            lines.append(line)
        frame = pl.DataFrame(
            dict(zip(header.names, columns, strict=True)), schema=dict.fromkeys(header.names, pl.String)
        )
        return frame.with_columns(pl.Series(LINE, lines, pl.Int32))

    def _records(self, text: str, start: int) -> Iterator[tuple[int, list[str]]]:
        """(line, fields) of every record; a record whose quote never closes is told and left out, alone."""
        header = self._head
        csv.field_size_limit(1 << 30)
        records = _whole_records(text, header.separator)
        if records is not None:
            for offset, fields in records:
                yield start + offset, fields
            return
        for offset, line in enumerate(text.split("\n")):
            if line.count('"') % 2:
                self._notes.add(Severity.ERROR, "unclosed_quote", self._file, start + offset)
                continue
            bare = line.replace("\r", " ").rstrip()
            yield start + offset, next(csv.reader([bare], delimiter=header.separator, skipinitialspace=True), [])


def _whole_records(text: str, separator: str) -> list[tuple[int, list[str]]] | None:
    """(lines before, fields) of every record of `text`; None when a quote or a line break is out of place."""
    if text.count('"') % 2:
        return None
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=separator, skipinitialspace=True)
    records: list[tuple[int, list[str]]] = []
    before = 0
    try:
        for fields in reader:
            if reader.line_num - before > _LONGEST_RECORD_LINES:
                return None
            records.append((before, fields))
            before = reader.line_num
    except csv.Error:
        return None
    return records


def _may_have_blanks_at_edges(piece: bytes, separator: bytes) -> bool:
    """Whether a field of `piece`, which is ASCII without quotes, may begin or end with a blank."""
    if any(blank in piece for blank in _RARE_BLANKS):
        return True
    if b" " not in piece:  # one byte is found ten times faster than two
        return False
    edges = (b" " + separator, separator + b" ", b" \n", b"\n ", b" \r")
    return piece[:1] == b" " or piece[-1:] == b" " or any(edge in piece for edge in edges)


def _count_lines(piece: bytes) -> int:
    return piece.count(b"\n") + (not piece.endswith(b"\n"))


def _first_record_end(piece: bytes) -> int:
    """Where the first record of `piece` ends, its line break included; a quote may hold a break."""
    end = piece.find(b"\n")
    while end >= 0 and piece.count(b'"', 0, end) % 2:
        end = piece.find(b"\n", end + 1)
    return len(piece) if end < 0 else end + 1


def _last_record_end(piece: bytes) -> int:
    """Where the last whole record of `piece` ends: after a line break outside quotes; 0 when there is none."""
    last = piece.rfind(b"\n")
    if last < 0 or b'"' not in piece:
        return last + 1
    end, quotes = last, piece.count(b'"', 0, last)
    for _ in range(_LONGEST_RECORD_LINES):
        if quotes % 2 == 0:
            return end + 1
        before = piece.rfind(b"\n", 0, end)
        if before < 0:
            return 0
        quotes -= piece.count(b'"', before, end)
        end = before
    return last + 1  # a quote was lost somewhere: the careful reader will say where
