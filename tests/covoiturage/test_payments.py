"""A month's claims become one batch, and the batch an order that a bank's schema accepts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from importlib.resources import files
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st
from sepaxml import SepaTransfer

from covoiturage.payments import Payee, make_batch, next_month_start
from covoiturage.sepa import NAMESPACE, Debtor, check_iban, latin, render_pain001
from socle.errors import BadInput
from tests.worlds.examples import random_examples

# Examples that the registers of the banks publish; no account behind them.
FRENCH, GERMAN = "FR14 2004 1010 0505 0001 3M02 606", "DE89370400440532013000"
REGION = Debtor("Région de démonstration", FRENCH)
CREATED = datetime(2026, 4, 3, 8, 0, tzinfo=UTC)
XSD = xmlschema.XMLSchema(str(files("sepaxml").joinpath("schemas/pain.001.001.09.xsd")))


def payees(*drivers, name="Conducteur d’essai"):
    return {driver: Payee(name, GERMAN) for driver in drivers}


def find_all(xml, tag):
    return [element.text for element in ET.fromstring(xml).iter(f"{{{NAMESPACE}}}{tag}")]


def test_drivers_below_the_threshold_wait_and_debts_too():
    batch = make_batch("2026-03", {"d2": 2_500, "d1": 999, "d3": -430, "d4": 1_000, "d5": 0}, 1_000)
    assert [(item.driver, item.cents, item.end_to_end_id) for item in batch.items] == [
        ("d2", 2_500, "covoiturage-2026-03-000001"),
        ("d4", 1_000, "covoiturage-2026-03-000002"),
    ]
    assert batch.carried_over == {"d1": 999, "d3": -430}
    assert (batch.total_cents, batch.carried_over_cents) == (3_500, 999)


def test_without_threshold_nobody_is_paid_nothing():
    assert make_batch("2026-03", {"d1": 0, "d2": -1, "d3": 1}, 0).total_cents == 1


@random_examples(100)
@given(
    st.dictionaries(st.text("abcdef0123456789", min_size=1, max_size=8), st.integers(-5_000, 50_000)),
    st.integers(0, 3_000),
)
def test_every_cent_is_paid_or_carried_over_and_order_changes_nothing(owed, threshold):
    batch = make_batch("2026-03", owed, threshold)
    assert batch.total_cents + sum(batch.carried_over.values()) == sum(owed.values())
    assert make_batch("2026-03", dict(reversed(owed.items())), threshold) == batch
    assert len({item.end_to_end_id for item in batch.items}) == len(batch.items)
    assert all(len(item.end_to_end_id) <= 35 for item in batch.items)


def test_a_month_ends_where_the_next_begins():
    assert next_month_start("2026-03") == date(2026, 4, 1)
    assert next_month_start("2026-12") == date(2027, 1, 1)
    for wrong in ("2026-13", "2026-00", "mars", "2026-3", "2026-03-01"):
        with pytest.raises(BadInput, match="bad_month"):
            make_batch(wrong, {}, 0)


def test_the_order_is_valid_and_tells_what_the_batch_does():
    batch = make_batch("2026-03", {"d1": 430, "d2": 123_456}, 0)
    xml = render_pain001(batch, payees("d1", "d2"), REGION, date(2026, 4, 10), CREATED)
    XSD.validate(BytesIO(xml))
    assert find_all(xml, "CtrlSum") == ["1238.86"] * 2
    assert find_all(xml, "NbOfTxs") == ["2"] * 2
    assert find_all(xml, "InstdAmt") == ["4.30", "1234.56"]
    assert find_all(xml, "EndToEndId") == [item.end_to_end_id for item in batch.items]
    assert xml == render_pain001(batch, payees("d1", "d2"), REGION, date(2026, 4, 10), CREATED)


def test_another_library_orders_the_same_payments():
    batch = make_batch("2026-03", {"d1": 430, "d2": 1_999}, 0)
    ours = render_pain001(batch, payees("d1", "d2"), REGION, date(2026, 4, 10), CREATED)
    config = {"name": "Region", "IBAN": FRENCH.replace(" ", ""), "batch": True, "currency": "EUR"}
    theirs = SepaTransfer(config, schema="pain.001.001.09", clean=True)
    for item in batch.items:
        theirs.add_payment(
            {
                "name": "Conducteur",
                "IBAN": GERMAN,
                "amount": item.cents,
                "execution_date": date(2026, 4, 10),
                "description": "Covoiturage 2026-03",
                "endtoend_id": item.end_to_end_id,
            }
        )
    exported = theirs.export(validate=True)
    for tag in ("InstdAmt", "EndToEndId", "Dt", "Ustrd", "ChrgBr", "PmtMtd"):
        assert find_all(ours, tag) == find_all(exported, tag), tag
    assert find_all(ours, "CtrlSum")[0] == find_all(exported, "CtrlSum")[0]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Éloïse Cœur-d’Été", "Eloise Coeur-d'Ete"),
        ("A & B <script>", "A + B script"),
        ("Zoë\n\tNuñez", "Zoe Nunez"),
        ("x" * 90, "x" * 70),
    ],
)
def test_names_are_written_as_banks_accept_them(name, told):
    assert latin(name) == told


@random_examples(100)
@given(st.text(min_size=1, max_size=200))
def test_whatever_the_name_the_order_is_valid_or_refused(name):
    batch = make_batch("2026-03", {"d1": 430}, 0)
    if not latin(name):
        with pytest.raises(BadInput, match="name_no_bank_writes"):
            render_pain001(batch, payees("d1", name=name), REGION, date(2026, 4, 10), CREATED)
    else:
        XSD.validate(BytesIO(render_pain001(batch, payees("d1", name=name), REGION, date(2026, 4, 10), CREATED)))


def test_an_iban_with_one_wrong_or_two_swapped_characters_is_refused():
    good = check_iban(FRENCH)
    assert good == "FR1420041010050500013M02606"
    for at in range(len(good)):
        for other in "0123456789ABM":
            if good[at] != other:
                with pytest.raises(BadInput, match="bad_iban"):
                    check_iban(good[:at] + other + good[at + 1 :])
    for at in range(len(good) - 1):
        if good[at] != good[at + 1]:
            with pytest.raises(BadInput, match="bad_iban"):
                check_iban(good[:at] + good[at + 1] + good[at] + good[at + 2 :])


@pytest.mark.parametrize(
    ("owed", "known", "code"),
    [
        ({"d1": 430}, {}, "no_payee"),
        ({}, {}, "nothing_to_pay"),
        ({"d1": 430}, {"d1": Payee("X", "FR00")}, "bad_iban"),
        ({"d1": 430}, {"d1": Payee("X", GERMAN, "nope")}, "bad_bic"),
        ({"d1": 430}, {"d1": Payee("東京", GERMAN)}, "name_no_bank_writes"),
    ],
)
def test_what_no_bank_would_execute_is_refused(owed, known, code):
    with pytest.raises(BadInput, match=code):
        render_pain001(make_batch("2026-03", owed, 0), known, REGION, date(2026, 4, 10), CREATED)
