"""Indices: published values month by month, and the coefficient by which a contract's prices follow them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from scolaire.calendar import first_of, month_before
from scolaire.contracts.model import E4, Contract, Revised
from scolaire.tables import Columns, read_table
from socle.errors import BadInput
from socle.findings import Finding, Severity

INDICES: Final = "indices.csv"
COLUMNS: Final = Columns(("index", "month", "value"), ("source",))
MOST_BACK: Final = 36  # months that one looks back for a value that is not published yet
_INDEX: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_VALUE: Final = re.compile(r"\d{1,6}(?:\.\d{1,4})?", re.ASCII)

Values = Mapping[tuple[str, str], int]
"""Ten-thousandths of the value of (index, month)."""


@dataclass(frozen=True, slots=True)
class Published:
    """One value of an index, as a row of data; `source` says where it was published."""

    index: str
    month: str
    value_e4: int
    source: str


def read_indices(content: bytes) -> tuple[list[Published], list[Finding]]:
    """The values of a file with the columns `index`, `month`, `value` and perhaps `source`."""
    table = read_table(INDICES, content, COLUMNS)
    findings, found = list(table.findings), {}
    for row in table.rows:
        value = row.cells["value"].replace(",", ".") if table.has_decimal_comma else row.cells["value"]
        index, month = row.cells["index"], row.cells["month"]
        if not _INDEX.fullmatch(index) or not _VALUE.fullmatch(value) or not _is_month(month) or not Decimal(value):
            findings.append(Finding(Severity.ERROR, "index_unreadable", INDICES, row.line))
        elif (index, month) in found:
            findings.append(Finding(Severity.ERROR, "index_twice", INDICES, row.line, {"index": index, "month": month}))
        else:
            found[index, month] = Published(index, month, int(Decimal(value) * E4), row.cells["source"])
    return list(found.values()), findings


def _is_month(written: str) -> bool:
    try:
        first_of(written)
    except BadInput:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Coefficient:
    """What prices are multiplied by: `number` over ten to the power of `decimals`.

    `used` are the values it was made from; `missing` are (index, month) not published yet, in whose place an older
    value stands: the coefficient is provisional.
    """

    number: int
    decimals: int
    used: tuple[tuple[str, str, int], ...] = ()
    missing: tuple[tuple[str, str], ...] = ()

    @property
    def scale(self) -> int:
        """Ten to the power of `decimals`."""
        return int(10**self.decimals)


def holds_from(contract: Contract, month: str) -> str | None:
    """The month from which the revision holds that `month` is paid by; None when prices are not revised yet."""
    how = contract.indexation
    if how.revised is Revised.NEVER:
        return None
    held = month
    if how.revised is Revised.YEARLY:
        year, number = (int(part) for part in month.split("-"))
        held = f"{year if number >= how.month_of_year else year - 1:04}-{how.month_of_year:02}"
    return None if held < how.begins else held


def coefficient_of(contract: Contract, month: str, values: Values) -> Coefficient:
    """The coefficient of a month.

    Raises:
        BadInput: `index_unknown`: an index has no value at all in the three years before.
    """
    how = contract.indexation
    held = holds_from(contract, month)
    if held is None:
        return Coefficient(int(10**how.decimals), how.decimals)
    wanted = month_before(held, how.lag_months)
    used, missing = [], []
    top, bottom = how.fixed_e4, 1  # the formula times `E4`, as one fraction
    for term in how.terms:
        at = _last_published(term.index, wanted, values)
        if at != wanted:
            missing.append((term.index, wanted))
        value = values[term.index, at]
        used.append((term.index, at, value))
        top, bottom = top * term.base_e4 + term.weight_e4 * value * bottom, bottom * term.base_e4
    top, bottom = top * int(10**how.decimals), bottom * E4
    number = -(-top // bottom) if how.rounds_up else (2 * top + bottom) // (2 * bottom)
    return Coefficient(number, how.decimals, tuple(used), tuple(missing))


def _last_published(index: str, month: str, values: Values) -> str:
    for n in range(MOST_BACK + 1):
        at = month_before(month, n)
        if (index, at) in values:
            return at
    raise BadInput("index_unknown", index=index, month=month)


def values_of(rows: Sequence[Published]) -> Values:
    """The values by index and month."""
    return {(row.index, row.month): row.value_e4 for row in rows}
