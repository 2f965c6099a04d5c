"""Each event of carpooling makes the entry that the chart of accounts says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from covoiturage import ledger
from socle.accounting import record_body, render_body, reversal_of
from tests.worlds.examples import random_examples

AT = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)
POLICY = "bfc-lignes"


def postings(entry):
    return {posting.account: posting.cents for posting in entry.postings}


def test_the_entry_of_a_decision_has_the_bytes_of_the_published_example():
    entry = ledger.decide("C1", 1, POLICY, "d1", 430, AT)
    recorded = record_body(render_body(entry), 1, datetime(2026, 3, 4, 7, 10, tzinfo=UTC))
    assert recorded == (
        b'{"effective_at":"2026-03-02T07:10:00Z","facts_sha256":null,"key":"carpool:C1:decision:1",'
        b'"kind":"carpool_decided","postings":[["driver:d1:payable",-430],["region:subsidy_expense:bfc-lignes",430]],'
        b'"recorded_at":"2026-03-04T07:10:00Z","reverses":null,"seq":1}'
    )


def test_a_decision_undoes_the_promise_and_uses_the_budget():
    assert postings(ledger.decide("C1", 1, POLICY, "d1", 430, AT, reserved=530)) == {
        "region:subsidy_expense:bfc-lignes": 430,
        "driver:d1:payable": -430,
        "region:budget_used:bfc-lignes": 430,
        "reserve:bfc-lignes": -530,
        "region:budget:bfc-lignes": 100,
    }


def test_what_is_worth_nothing_makes_no_entry_unless_a_promise_comes_back():
    assert ledger.decide("C1", 1, POLICY, "d1", 0, AT) is None
    assert ledger.decide("C1", 1, POLICY, "d1", 0, AT, reserved=0) is None
    assert postings(ledger.decide("C1", 1, POLICY, "d1", 0, AT, reserved=300)) == {
        "reserve:bfc-lignes": -300,
        "region:budget:bfc-lignes": 300,
    }
    assert ledger.reserve("C1", POLICY, 0, AT) is None
    assert ledger.charge_fare("R1", "p1", 0, AT) is None


def test_a_fare_is_owed_by_the_passenger_and_earned_by_the_region():
    entry = ledger.charge_fare("R1", "p1", 150, AT)
    assert (entry.key, entry.kind) == ("ride:R1:fare", "ride_fare")
    assert postings(entry) == {"passenger:p1:receivable": 150, "region:fare_revenue": -150}


@pytest.mark.parametrize("accepted", [True, False])
def test_a_dispute_parks_the_claim_and_a_driver_is_paid_in_the_end_or_is_not(accepted):
    decision = ledger.decide("C1", 1, POLICY, "d1", 430, AT)
    opened = ledger.dispute("X1", "d1", 430, AT)
    closing = [ledger.close_dispute("X1", "d1", 430, AT)]
    if not accepted:
        closing.append(reversal_of(decision, "carpool:C1:decision:1:reversed", AT))
    owed = sum(postings(entry).get("driver:d1:payable", 0) for entry in [decision, opened, *closing])
    assert owed == (-430 if accepted else 0)
    parked = sum(postings(entry).get("suspense:disputed", 0) for entry in [decision, opened, *closing])
    assert parked == 0


@pytest.mark.parametrize("paid", [True, False])
def test_a_payment_goes_by_way_of_the_bank_and_back_when_it_fails(paid):
    handed = ledger.hand_to_bank("covoiturage-2026-03", "2026-03", "d1", 2_000, AT)
    end = (
        ledger.confirm_payment("covoiturage-2026-03", "covoiturage-2026-03-000001", 2_000, AT)
        if paid
        else ledger.reject_payment("covoiturage-2026-03", "covoiturage-2026-03-000001", "d1", 2_000, AT)
    )
    total = {}
    for entry in (handed, end):
        for account, cents in postings(entry).items():
            total[account] = total.get(account, 0) + cents
    moved = {account: cents for account, cents in total.items() if cents}
    assert moved == ({"driver:d1:payable": 2_000, "bank:payments": -2_000} if paid else {})


@random_examples(200)
@given(
    decided=st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 5_000)), max_size=30),
    granted=st.integers(1, 10**6),
)
def test_what_was_granted_is_what_is_left_promised_or_used(decided, granted):
    entries = [ledger.grant_budget(POLICY, granted, "vote-1", AT)]
    for number, (estimate, cents) in enumerate(decided):
        entries += [ledger.reserve(f"C{number}", POLICY, estimate, AT)]
        entries += [ledger.decide(f"C{number}", 1, POLICY, "d1", cents, AT, reserved=estimate)]
    total = {}
    for entry in filter(None, entries):
        for account, cents in postings(entry).items():
            total[account] = total.get(account, 0) + cents
    used = sum(cents for _, cents in decided)
    assert total["region:budget_granted:bfc-lignes"] == -granted
    assert total["region:budget:bfc-lignes"] == granted - used
    assert total.get("reserve:bfc-lignes", 0) == 0
    assert total.get("region:budget_used:bfc-lignes", 0) == used == -total.get("driver:d1:payable", 0)


def test_a_budget_may_not_go_below_zero_and_promises_stand_on_an_account_of_their_own():
    budget, reserve, *_ = ledger.accounts_of(POLICY)
    assert budget.min_balance_cents == 0
    assert reserve.pending_of == budget.code
