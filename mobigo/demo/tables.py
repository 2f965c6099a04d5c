"""Tables: rows of GTFS being gathered, before they become a feed.

Values are typed as a feed's columns are: text, whole numbers, floats, `date` for
days, seconds of the service day for times; None where the file stays empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

Value = str | int | float | date | None
Row = tuple[Value, ...]


@dataclass(slots=True)
class Table:
    """One file: its columns and its rows."""

    columns: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)

    def add(self, *values: Value) -> None:
        """One more row."""
        if len(values) != len(self.columns):
            raise ValueError(f"{len(values)} values for {len(self.columns)} columns")
        self.rows.append(values)

    def column(self, name: str) -> list[Value]:
        """The values of one column, in row order."""
        at = self.columns.index(name)
        return [row[at] for row in self.rows]

    def texts(self, name: str) -> list[str]:
        """The values of one column that are not empty, as text."""
        return [str(value) for value in self.column(name) if value is not None]

    def kept(self, name: str, keep: Callable[[Value], bool]) -> Table:
        """The rows whose `name` is to be kept."""
        at = self.columns.index(name)
        return Table(self.columns, [row for row in self.rows if keep(row[at])])

    def changed(self, name: str, change: Callable[[Value], Value]) -> Table:
        """The same rows with every `name` changed."""
        at = self.columns.index(name)
        return Table(self.columns, [(*row[:at], change(row[at]), *row[at + 1 :]) for row in self.rows])

    def as_columns(self) -> dict[str, list[Value]]:
        """Column name -> values."""
        if not self.rows:
            return {name: [] for name in self.columns}
        return {name: list(values) for name, values in zip(self.columns, zip(*self.rows, strict=True), strict=True)}


Tables = dict[str, Table]


def joined(parts: Iterable[Mapping[str, Table]]) -> Tables:
    """The parts as one set of tables; rows that are equal in two parts stand once, absent columns are empty."""
    whole: Tables = {}
    for part in parts:
        for stem, table in part.items():
            before = whole.get(stem, Table(table.columns))
            columns = (*before.columns, *(name for name in table.columns if name not in before.columns))
            rows = [*_aligned(before, columns), *_aligned(table, columns)]
            whole[stem] = Table(columns, list(dict.fromkeys(rows)))
    return whole


def _aligned(table: Table, columns: tuple[str, ...]) -> Iterable[Row]:
    at = [table.columns.index(name) if name in table.columns else None for name in columns]
    return (tuple(None if i is None else row[i] for i in at) for row in table.rows)
