"""Where the money of a decision is: each batch pays its driver all that was owed by then, or nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from covoiturage.payments import Payment, Payout, PayoutState, find_payout

PAID, HANDED, REJECTED, CARRIED = PayoutState.PAID, PayoutState.HANDED, PayoutState.REJECTED, PayoutState.CARRIED_OVER


def batches(*states):
    """A batch on the fifth of each month; None pays the driver nothing."""
    return [
        Payment(
            f"B{n}",
            f"2026-{n:02}",
            datetime(2026, n + 1, 5, tzinfo=UTC),
            date(2026, n + 1, 8),
            state,
            100 * n if state else 0,
        )
        for n, state in enumerate(states, 1)
    ]


def told(day, *states):
    found = find_payout(datetime(2026, *day, tzinfo=UTC), batches(*states))
    return None if found is None else (found.state, found.batch_id)


@pytest.mark.parametrize(
    ("states", "wanted"),
    [
        ((), None),
        ((PAID,), (PAID, "B1")),
        ((HANDED,), (HANDED, "B1")),
        ((REJECTED,), (REJECTED, "B1")),
        ((None,), (CARRIED, "B1")),
        ((None, None), (CARRIED, "B2")),
        ((None, PAID), (PAID, "B2")),
        ((REJECTED, None), (REJECTED, "B1")),
        ((REJECTED, HANDED), (HANDED, "B2")),
        ((PAID, PAID), (PAID, "B1")),
        ((REJECTED, None, PAID), (PAID, "B3")),
    ],
)
def test_the_first_batch_since_that_pays_the_driver_pays_it(states, wanted):
    assert told((2, 1), *states) == wanted


def test_what_was_decided_after_a_batch_was_prepared_is_not_in_it():
    assert told((2, 6), PAID) is None
    assert told((2, 6), PAID, PAID) == (PAID, "B2")
    assert told((2, 5), PAID) == (PAID, "B1")


def test_only_who_is_paid_reads_a_day():
    carried = find_payout(datetime(2026, 2, 1, tzinfo=UTC), batches(None))
    assert carried == Payout(CARRIED, "B1", "2026-01", None, 0)
