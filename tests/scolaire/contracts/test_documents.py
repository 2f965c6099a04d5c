"""Documents of contracts and files of indices: read exactly, or refused by the field that is wrong."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scolaire.contracts.documents import read_contract
from scolaire.contracts.indices import read_indices
from scolaire.contracts.model import Fault, Kilometres, Prices
from socle.errors import BadInput
from tests.worlds.school_contracts import DOCUMENT, INDICES, contract


def test_a_contract_is_read_without_a_float():
    read = contract()
    assert (read.id, read.carrier_id, read.lots) == ("lot-7-cars-du-haut-doubs", "cars-du-haut-doubs", {"L7"})
    assert (read.valid_from, read.valid_until) == (date(2025, 9, 1), date(2029, 8, 31))
    assert read.find_prices("L7", "car53") == Prices("L7", None, 1_500_000, 12_345, 240_000, 2_000_000)
    assert read.find_prices("L7", "car22") == Prices("L7", "car22", 1_000_000, 8_000, 200_000, 0)
    assert read.find_prices("L8", "car22") is None
    assert (read.vat_e4, read.kilometres, read.penalties[1].cents) == (1_000, Kilometres.DRIVEN, 4_550)
    assert [(one.code, one.fault) for one in read.causes][1] == ("breakdown", Fault.CARRIER)


def test_a_version_is_the_hash_of_what_is_said_and_not_of_how_it_is_written():
    assert contract().version == contract("# des prix\n" + DOCUMENT).version
    assert contract().version != contract(DOCUMENT.replace("24.00", "24.01")).version


@pytest.mark.parametrize(
    ("before", "after", "field", "problem"),
    [
        ('id = "lot-7-cars-du-haut-doubs"', 'id = "Lot 7"', "id", "text_wanted"),
        ("2025-09-01", "2025-09-02", "valid_from", "first_of_month"),
        ("2029-08-31", "2029-08-30", "valid_until", "last_of_month"),
        ("2029-08-31", "2024-08-31", "valid_until", "before_start"),
        ('lots = ["L7"]', 'lots = ["L7", "L8"]', "prices", "price_of_each_lot"),
        ('lots = ["L7"]', "lots = []", "lots", "list_wanted"),
        ('km = "1.2345"', "km = 1.2345", "prices[0].km", "decimal_wanted"),
        ('km = "1.2345"', 'km = "1.23456"', "prices[0].km", "decimal_wanted"),
        ('km = "1.2345"', 'kms = "1.2345"', "prices[0].kms", "unknown_field"),
        ('vehicle_type = "car22"\n', "", "prices", "said_twice"),
        ('fixed = "0.15"', 'fixed = "0.16"', "indexation", "weights_make_one"),
        ('base = "120.0"', 'base = "0"', "indexation.terms[0].base", "decimal_wanted"),
        ('begins = "2026-09"', 'begins = "septembre"', "indexation.begins", "month_wanted"),
        ("month = 9", "month = 13", "indexation.month", "whole_number_wanted"),
        ('rounding = "up"', 'rounding = "down"', "indexation.rounding", "unknown_kind"),
        ('penalty = "not_run"', 'penalty = "absent"', "causes[1].penalty", "unknown_kind"),
        ('fault = "carrier"', 'fault = "driver"', "causes[1].fault", "unknown_kind"),
        ("withheld_percent = 40", "withheld_percent = 140", "causes[0].withheld_percent", "whole_number_wanted"),
        ('euros = "45.50"', 'euros = "45.505"', "penalties[1].euros", "decimal_wanted"),
        ('vat_percent = "10"', 'vat_percent = "10.125"', "vat_percent", "decimal_wanted"),
        ('code = "late"', 'code = "not_run"', "penalties", "said_twice"),
    ],
)
def test_a_wrong_field_is_named(before, after, field, problem):
    assert before in DOCUMENT
    with pytest.raises(BadInput) as refused:
        contract(DOCUMENT.replace(before, after, 1))
    assert (refused.value.code, refused.value.facts) == ("contract_field", {"field": field, "problem": problem})


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_bytes_break_the_reader(document):
    with pytest.raises(BadInput) as refused:  # letters enough for a contract are more than these
        read_contract(document)
    assert refused.value.code in {"contract_unreadable", "contract_field"}


def test_indices_are_rows_of_data_and_a_wrong_row_costs_itself_alone():
    rows, findings = read_indices(
        INDICES.encode() + b"gazole,2026-06,1,Insee\nGazole,2026-07,1,x\ngazole,2026-13,1,x\ngazole,2026-08,0,x\n"
    )
    assert [(row.index, row.month, row.value_e4) for row in rows] == [
        ("salaires-transport", "2026-06", 1_248_000),
        ("gazole", "2026-06", 1_680_000),
    ]
    assert [(one.code, one.line) for one in findings] == [
        ("index_twice", 4),
        ("index_unreadable", 5),
        ("index_unreadable", 6),
        ("index_unreadable", 7),
    ]
    assert read_indices(b"index;month;value\ngazole;2026-06;168,5\n")[0][0].value_e4 == 1_685_000
