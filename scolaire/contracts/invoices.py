"""Invoices: a carrier's invoice as a CSV file, held against the statement of its month, line by line.

Columns: `circuit_id` (or the reference of an extra service, or empty), `kind` (a word of `KINDS`), `quantity` (days,
kilometres, hours; may be empty), `amount_euros`. Lines of the statement that share circuit and kind are one, as
carriers write them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from scolaire.contracts.statements import UNITS, LineKind, Statement
from scolaire.tables import Columns, Row, Table, plain, read_table
from socle.findings import Finding, Severity
from socle.money import Cents

INVOICE: Final = "facture.csv"
COLUMNS: Final = Columns(("circuit_id", "kind", "amount_euros"), ("quantity",))
VAT: Final = "vat"
KINDS: Final[Mapping[str, str]] = {
    "jour": LineKind.DAY,
    "jours": LineKind.DAY,
    "kilometre": LineKind.KM,
    "kilometres": LineKind.KM,
    "heure": LineKind.HOUR,
    "heures": LineKind.HOUR,
    "retenue": LineKind.WITHHELD,
    "supplement_jour": LineKind.EXTRA_DAY,
    "supplement_km": LineKind.EXTRA_KM,
    "supplement_heure": LineKind.EXTRA_HOUR,
    "regularisation": LineKind.CORRECTION,
    "penalite": LineKind.PENALTY,
    "plafond_des_penalites": LineKind.PENALTY_CAP,
    "tva": VAT,
    VAT: VAT,
    **{plain(kind): kind for kind in LineKind},
}
_EUROS: Final = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,2})?", re.ASCII)
_QUANTITY: Final = re.compile(r"\d{1,9}(?:\.\d{1,6})?", re.ASCII)

Key = tuple[str, str]
"""What a line is about, and its kind."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One line on which the two do not agree; None where one of them has no such line."""

    about: str
    kind: str
    stated_cents: Cents | None
    invoiced_cents: Cents | None
    line: int | None = None  # in the invoice

    @property
    def cents(self) -> Cents:
        """What the invoice asks for beyond the statement."""
        return (self.invoiced_cents or 0) - (self.stated_cents or 0)


@dataclass(frozen=True, slots=True)
class Check:
    """What came of an invoice."""

    stated_cents: Cents
    invoiced_cents: Cents
    differences: tuple[Difference, ...]
    findings: tuple[Finding, ...]

    @property
    def is_right(self) -> bool:
        """Whether it may be paid as it is."""
        return not self.differences and not any(one.severity is Severity.ERROR for one in self.findings)


@dataclass(frozen=True, slots=True)
class _Invoiced:
    cents: Cents
    quantity: Decimal | None
    line: int


def check_invoice(statement: Statement, content: bytes) -> Check:
    """What an invoice asks for otherwise than its statement; nothing in the file raises."""
    table = read_table(INVOICE, content, COLUMNS)
    findings = list(table.findings)
    invoiced = _read(table, findings)
    stated = _stated(statement)
    differences = []
    for key in sorted({*stated, *invoiced}):
        mine, theirs = stated.get(key), invoiced.get(key)
        if mine is None and theirs is not None:
            findings.append(_finding("invoice_line_unknown", key, theirs.line))
        elif theirs is None:
            findings.append(_finding("invoice_line_missing", key, None))
        elif mine is not None and mine != theirs.cents:
            findings.append(_finding("invoice_amount_differs", key, theirs.line))
        if mine != (theirs.cents if theirs else None):
            differences.append(
                Difference(*key, mine, theirs.cents if theirs else None, theirs.line if theirs else None)
            )
    findings += _quantities(statement, invoiced)
    total = sum(one.cents for one in invoiced.values())
    return Check(statement.due_cents, total, tuple(differences), tuple(findings))


def _read(table: Table, findings: list[Finding]) -> dict[Key, _Invoiced]:
    found: dict[Key, _Invoiced] = {}
    for row in table.rows:
        kind = KINDS.get(plain(row.cells["kind"]))
        euros, quantity = (_number(table, row, name) for name in ("amount_euros", "quantity"))
        if kind is None or not _EUROS.fullmatch(euros) or (quantity and not _QUANTITY.fullmatch(quantity)):
            findings.append(Finding(Severity.ERROR, "invoice_line_unreadable", INVOICE, row.line))
            continue
        key = (row.cells["circuit_id"], str(kind))
        if key in found:
            findings.append(_finding("invoice_line_twice", key, row.line))
            continue
        cents = int(Decimal(euros) * 100)
        found[key] = _Invoiced(cents, Decimal(quantity) if quantity else None, row.line)
    return found


def _number(table: Table, row: Row, column: str) -> str:
    written = re.sub(r"[\s\u00a0\u202f€]", "", row.cells[column])
    return written.replace(",", ".") if table.has_decimal_comma else written


def _stated(statement: Statement) -> dict[Key, Cents]:
    """The statement as an invoice would have it: what is taken off below zero, the tax as a line."""
    found: dict[Key, Cents] = {}
    signs = [(line, 1) for line in statement.lines] + [(line, -1) for line in statement.penalties]
    for line, sign in signs:
        about = "" if line.kind in (LineKind.CORRECTION, LineKind.PENALTY_CAP) else line.about
        key = (about, str(line.kind))
        found[key] = found.get(key, 0) + sign * line.cents
    if statement.vat_cents:
        found["", VAT] = statement.vat_cents
    return found


def _quantities(statement: Statement, invoiced: Mapping[Key, _Invoiced]) -> list[Finding]:
    """Remarks on quantities that were written and are others, wherever the amount is."""
    stated: dict[Key, tuple[int, int]] = {}
    for line in (*statement.lines, *statement.penalties):
        before, unit = stated.get((line.about, str(line.kind)), (0, UNITS.get(line.kind, 1)))
        stated[line.about, str(line.kind)] = (before + line.quantity, unit)
    return [
        _finding("invoice_quantity_differs", key, one.line, Severity.WARNING)
        for key, one in invoiced.items()
        if key in stated and one.quantity is not None and not _same(one.quantity, *stated[key])
    ]


def _same(written: Decimal, quantity: int, unit: int) -> bool:
    """Whether a quantity is the one stated, to the decimals in which it was written."""
    exponent = written.as_tuple().exponent
    scale = 10**-exponent if isinstance(exponent, int) and exponent < 0 else 1
    return abs(int(written * scale) * unit - quantity * scale) * 2 <= unit


def _finding(code: str, key: Key, line: int | None, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(severity, code, INVOICE, line, {"circuit": key[0][:64], "kind": key[1]})
