"""Numbers of cards, their states, and what another one costs."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scolaire.cards import (
    MAY,
    MAY_BE_REPLACED,
    CardState,
    charge,
    duplicate_cents,
    number_of,
    read_number,
    receivable_from,
    settle,
    spelled,
)
from socle.errors import BadInput

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DRAWN = st.integers(0, 99_999_999)


@given(DRAWN, st.sampled_from([" ", "-", ".", ""]))
def test_a_number_is_read_as_it_is_printed_or_typed(drawn, between):
    number = number_of(drawn)
    assert read_number(spelled(number).replace(" ", between)) == number
    assert number[:-1] == f"{drawn:08}"


@given(DRAWN, st.integers(0, 8), st.integers(1, 9))
def test_a_slip_of_one_digit_is_no_number(drawn, at, by):
    number = number_of(drawn)
    wrong = number[:at] + str((int(number[at]) + by) % 10) + number[at + 1 :]
    with pytest.raises(BadInput, match="card_number"):
        read_number(wrong)


@given(DRAWN, st.integers(0, 7))
def test_two_neighbours_that_changed_places_are_no_number(drawn, at):
    number = number_of(drawn)
    wrong = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    if wrong != number:
        with pytest.raises(BadInput, match="card_number"):
            read_number(wrong)


@pytest.mark.parametrize("typed", ["", "12345678", "1234567890", "12345678a", "١٢٣٤٥٦٧٨٩", "0" * 4000])
def test_what_is_no_number_is_refused(typed):
    with pytest.raises(BadInput, match="card_number"):
        read_number(typed)


def test_no_more_than_eight_digits_are_drawn():
    with pytest.raises(ValueError, match="100000000"):
        number_of(100_000_000)


def test_a_replaced_card_stays_replaced_and_one_never_sent_is_not_replaced():
    assert MAY[CardState.REPLACED] == frozenset()
    assert CardState.ORDERED not in MAY_BE_REPLACED
    assert all(CardState.REPLACED not in states and CardState.ORDERED not in states for states in MAY.values())


def test_a_duplicate_costs_what_the_table_says_on_its_day():
    assert duplicate_cents(date(2019, 8, 31)) == 0
    assert duplicate_cents(date(2019, 9, 1)) == duplicate_cents(date(2026, 11, 21)) == 1_500


@pytest.mark.parametrize("guardian", ["p1", None])
def test_what_is_paid_settles_what_was_charged(guardian):
    charged = charge("c1", 1_500, guardian, NOON)
    paid = settle("c1", charged, NOON)
    owed = receivable_from(guardian).code
    sums = {}
    for posting in (*charged.postings, *paid.postings):
        sums[posting.account] = sums.get(posting.account, 0) + posting.cents
    assert sums == {owed: 0, "region:school_card_fees": -1_500, "bank:school_receipts": 1_500}
