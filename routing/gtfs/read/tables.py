"""Tables: rows of text → typed columns, the rows that mean nothing set apart.

A finding of severity ERROR says that a row is set apart or that the reference asks
for something that is not there; a WARNING that one value is ignored.
"""

from __future__ import annotations

import polars as pl

from routing.gtfs.feed import LINE
from routing.gtfs.feed.values import dtype_of, read_values, unexpected_options
from routing.gtfs.read.notes import EXAMPLES, Notes
from routing.gtfs.read.rows import Rows
from routing.gtfs.schema import FORMER_NAMES, Column, Kind, Presence, Table
from socle.findings import Severity

_GRAVE_KINDS = {Kind.LATITUDE, Kind.LONGITUDE, Kind.TIME}


def read_table(rows: Rows, table: Table, notes: Notes) -> tuple[pl.DataFrame | None, int]:
    """The good rows of one table, typed, and how many rows the file has.

    None when the file lacks a column without which its rows mean nothing.
    """
    header = Heading(rows, table, notes)
    if not header.usable:
        return None, 0
    batches = [header.rename(batch) for batch in rows.batches()]
    if not batches:
        return header.empty(), 0
    whole = pl.concat(batches)
    return typed(whole, table, notes), whole.height


class Heading:
    """What the header of one file says: how its names map to those of the reference, and whether all is there."""

    def __init__(self, rows: Rows, table: Table, notes: Notes) -> None:
        header = rows.header
        self.table = table
        names = [header.names[position] for position in header.kept] if header else []
        self.new_names = self._find_new_names(names, header.line if header else 1, notes)
        self.names = [self.new_names.get(name, name) for name in names]
        self.usable = True
        if header is None:
            notes.add(Severity.WARNING, "file_empty", f"{table.name}.txt")
            self.usable = False
            return
        for column in table.columns.values():
            if column.presence is Presence.REQUIRED and not column.may_be_empty and column.name not in self.names:
                notes.add(Severity.ERROR, "missing_column", f"{table.name}.txt", header.line, column=column.name)
                self.usable = self.usable and not column.essential

    def _find_new_names(self, names: list[str], line: int, notes: Notes) -> dict[str, str]:
        known = self.table.columns
        former = FORMER_NAMES.get(self.table.name, {})
        found: dict[str, str] = {}
        for name in names:
            meant = former.get(name, name.lower())
            if name not in known and meant in known and meant not in names and meant not in found.values():
                found[name] = meant
                code = "former_column_name" if name in former else "column_case"
                notes.add(Severity.WARNING, code, f"{self.table.name}.txt", line, column=name, meant=meant)
        return found

    def rename(self, batch: pl.DataFrame) -> pl.DataFrame:
        """`batch` under the names of the reference."""
        return batch.rename(self.new_names) if self.new_names else batch

    def empty(self) -> pl.DataFrame:
        """The typed table of a file that has a header only."""
        known = self.table.columns
        schema = {name: dtype_of(known[name]) if name in known else pl.String for name in self.names}
        return pl.DataFrame(schema={**schema, LINE: pl.Int32})


def typed(frame: pl.DataFrame, table: Table, notes: Notes) -> pl.DataFrame:
    """`frame` with the types of the reference, without the rows that lack an essential value."""
    file = f"{table.name}.txt"
    apart = pl.repeat(value=False, n=frame.height, dtype=pl.Boolean, eager=True)
    columns: list[pl.Series] = []
    for name in frame.columns:
        column = table.columns.get(name)
        if column is None:
            columns.append(frame[name])
            continue
        texts = frame[name]
        values, bad = read_values(texts, column)
        if bad.any():
            grave = column.presence is Presence.REQUIRED or column.kind in _GRAVE_KINDS
            severity = Severity.ERROR if grave else Severity.WARNING
            note_rows(notes, severity, f"bad_{column.kind}", file, frame, bad, texts, column)
        if not column.may_be_empty:
            missing = texts.is_null()
            if missing.any():
                note_rows(notes, Severity.ERROR, "missing_value", file, frame, missing, texts, column)
            if column.essential:
                apart = apart | bad | missing
        unexpected = unexpected_options(values, column)
        if unexpected is not None and unexpected.any():
            known = bool(column.values)  # a mode of the future is still a mode, what else is unknown means nothing
            severity = Severity.ERROR if known and column.essential else Severity.WARNING
            note_rows(notes, severity, "unexpected_option", file, frame, unexpected, texts, column)
            if known and column.essential:
                apart = apart | unexpected
            elif known:
                values = values.set(unexpected, None)
        columns.append(values)
    result = pl.DataFrame(columns)
    return result.filter(~apart) if apart.any() else result


def note_rows(
    notes: Notes,
    severity: Severity,
    code: str,
    file: str,
    frame: pl.DataFrame,
    mask: pl.Series,
    values: pl.Series,
    column: Column,
) -> None:
    """A finding for every row of `frame` under `mask`, with the column and its value."""
    lines = frame[LINE].filter(mask)
    told = values.filter(mask).head(EXAMPLES).cast(pl.String).to_list()
    facts = ((line, {"column": column.name, "value": value or ""}) for line, value in zip(lines, told, strict=False))
    notes.add_rows(severity, code, file, facts, len(lines))
