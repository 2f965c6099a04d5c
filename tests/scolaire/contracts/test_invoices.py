"""Invoices: what a carrier asks for against what it is owed, line by line."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scolaire.contracts.indices import read_indices, values_of
from scolaire.contracts.invoices import check_invoice
from scolaire.contracts.orders import NotRun
from scolaire.contracts.statements import Facts, make_statement
from tests.worlds.school_contracts import CIRCUIT, INDICES, ORDER, contract

MISSED = NotRun(date(2026, 11, 12), CIRCUIT.circuit_id, "C1-S", "breakdown")
STATEMENT = make_statement(
    contract(), "2026-11", Facts([ORDER], [MISSED]), values_of(read_indices(INDICES.encode())[0])
)
# km: 1104 × 1.2345 × 1.037 = 1413.3149; hours: 37.3333 × 24 × 1.037 = 929.152; net 5375.69
RIGHT = """circuit_id;kind;quantity;amount_euros
haut-doubs/C1;jours;20;3111,00
haut-doubs/C1;km;1104,0;1413,31
haut-doubs/C1;heures;37,33;929,15
haut-doubs/C1;retenue;1;-77,77
;TVA;;537,57
haut-doubs/C1;pénalité;1;-150,00
"""


def checked(before="", after=""):
    return check_invoice(STATEMENT, RIGHT.replace(before, after, 1).encode() if before else RIGHT.encode())


def test_an_invoice_that_says_the_same_is_right():
    check = checked()
    assert check.is_right
    assert check.invoiced_cents == check.stated_cents == STATEMENT.due_cents
    assert [one.code for one in check.findings] == ["table_separator"]


@pytest.mark.parametrize(
    ("before", "after", "code", "cents", "line"),
    [
        ("1413,31", "1453,64", "invoice_amount_differs", 4_033, 3),
        ("haut-doubs/C1;retenue;1;-77,77\n", "", "invoice_line_missing", 7_777, None),
        ("haut-doubs/C1;pénalité;1;-150,00\n", "", "invoice_line_missing", 15_000, None),
        (";TVA", "haut-doubs/C2;jours;20;3000\n;TVA", "invoice_line_unknown", 300_000, 6),
    ],
)
def test_each_difference_is_a_line_and_a_finding(before, after, code, cents, line):
    check = checked(before, after)
    (difference,) = check.differences
    assert (difference.cents, difference.line) == (cents, line)
    assert check.invoiced_cents - check.stated_cents == cents
    assert [one.code for one in check.findings][1:] == [code]
    assert not check.is_right


def test_a_quantity_is_held_to_its_decimals():
    assert [one.code for one in checked("1104,0", "1135,5").findings][1:] == ["invoice_quantity_differs"]
    assert checked("37,33", "37,3").is_right
    assert checked("37,33", "").is_right


def test_a_line_said_twice_or_unreadable_is_not_believed():
    check = checked(";TVA", "haut-doubs/C1;km;;1413,31\nhaut-doubs/C1;divers;;5\nhaut-doubs/C1;km;;beaucoup\n;TVA")
    assert [(one.code, one.line) for one in check.findings][1:] == [
        ("invoice_line_twice", 6),
        ("invoice_line_unreadable", 7),
        ("invoice_line_unreadable", 8),
    ]
    assert not check.is_right


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: (RIGHT + text).encode()))
def test_no_bytes_break_the_check(content):
    check = check_invoice(STATEMENT, content)
    assert sum(one.cents for one in check.differences) == check.invoiced_cents - check.stated_cents
