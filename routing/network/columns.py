"""Columns: the columns of a Feed's tables as plain arrays, whether the producer gave them or not.

A Feed's tables are data frames of a library that stays behind its door (`routing.gtfs`), so they
are asked here for nothing but their column names, `to_list` and `fill_null(…).to_numpy()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]


class AnyFeed(Protocol):
    """What this room asks of a Feed."""

    @property
    def source_id(self) -> str:
        """Name of the source."""

    @property
    def tables(self) -> Mapping[str, Any]:
        """Tables by file stem."""


def has_rows(feed: AnyFeed, table: str) -> bool:
    """Whether the table is there with at least one row."""
    return table in feed.tables and len(feed.tables[table]) > 0


def n_rows(feed: AnyFeed, table: str) -> int:
    """Rows of a table, 0 when it is absent."""
    return len(feed.tables[table]) if table in feed.tables else 0


def ints(feed: AnyFeed, table: str, column: str, default: int) -> Ints:
    """A column of numbers; `default` where it is empty or absent."""
    frame = feed.tables.get(table)
    if frame is None or column not in frame.columns:
        return np.full(n_rows(feed, table), default, np.int32)
    return np.array(frame[column].fill_null(default).to_numpy(), np.int32)


def floats(feed: AnyFeed, table: str, column: str) -> NDArray[np.float64]:
    """A column of decimal numbers; NaN where it is empty or absent."""
    frame = feed.tables.get(table)
    if frame is None or column not in frame.columns:
        return np.full(n_rows(feed, table), np.nan)
    return np.array(frame[column].fill_null(np.nan).to_numpy(), np.float64)


def texts(feed: AnyFeed, table: str, column: str) -> list[str]:
    """A column of texts; the empty text where it is empty or absent."""
    frame = feed.tables.get(table)
    if frame is None or column not in frame.columns:
        return [""] * n_rows(feed, table)
    return [value or "" for value in frame[column].to_list()]


def days(feed: AnyFeed, table: str, column: str) -> list[Any]:
    """A column of dates, None where it is empty or absent."""
    frame = feed.tables.get(table)
    if frame is None or column not in frame.columns:
        return [None] * n_rows(feed, table)
    values: list[Any] = frame[column].to_list()
    return values


def rows_of(ids: list[str]) -> dict[str, int]:
    """Row of each id; the first one when an id is there twice."""
    rows: dict[str, int] = {}
    for row, one in enumerate(ids):
        rows.setdefault(one, row)
    return rows


def refer(values: list[str], rows: Mapping[str, int]) -> Ints:
    """Row that each value refers to, -1 for none."""
    return np.array([rows.get(value, -1) if value else -1 for value in values], np.int32)


class Texts:
    """Distinct texts, numbered as they come; the empty text is 0."""

    def __init__(self) -> None:
        self.number: dict[str, int] = {"": 0}

    def of(self, values: list[str]) -> Ints:
        """The numbers of `values`."""
        number = self.number
        return np.array([number.setdefault(value, len(number)) for value in values], np.int32)

    def to_list(self) -> list[str]:
        """All of them by number."""
        return list(self.number)
