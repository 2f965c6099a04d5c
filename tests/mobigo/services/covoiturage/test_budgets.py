"""A budget is granted once per vote, promised when cars arrive, and never overspent, however many race for its end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from mobigo.services.covoiturage.budgets import Budget, grant, list_budgets
from mobigo.services.covoiturage.declaring import declare
from mobigo.services.covoiturage.settling import settle
from socle.errors import BadInput, Conflict, NotFound
from tests.worlds.carpools import MORNING, carpool

CLERK = "person:clerk"
LATER = MORNING + timedelta(days=3)
N_RACING = 32


def budget(engine):
    return next(one for one in list_budgets(engine) if one.policy_id == "bfc-lignes")


def test_a_vote_counts_once_and_with_one_amount(engine):
    assert budget(engine).granted_cents == 0
    assert grant(engine, "bfc-lignes", 5_000, "CP-2026-03", CLERK, MORNING)
    assert not grant(engine, "bfc-lignes", 5_000, "CP-2026-03", CLERK, LATER)
    with pytest.raises(Conflict, match="vote_entered_otherwise"):
        grant(engine, "bfc-lignes", 6_000, "CP-2026-03", CLERK, LATER)
    assert grant(engine, "bfc-lignes", 1_000, "CP-2026-04", CLERK, LATER)
    assert budget(engine) == Budget("bfc-lignes", 6_000, 0, 0, 6_000)


@pytest.mark.parametrize(
    ("policy_id", "cents", "vote", "code"),
    [
        ("inconnue", 1, "v", "policy_not_published"),
        ("bfc-lignes", 0, "v", "bad_grant"),
        ("bfc-lignes", 10**12, "v", "bad_grant"),
        ("bfc-lignes", 1, "", "bad_vote"),
        ("bfc-lignes", 1, "a b", "bad_vote"),
    ],
)
def test_what_is_no_grant_is_refused(engine, policy_id, cents, vote, code):
    with pytest.raises((BadInput, NotFound), match=code):
        grant(engine, policy_id, cents, vote, CLERK, MORNING)


def test_thirty_two_cars_that_race_for_the_last_cents_are_promised_and_paid_what_there_is(engine):
    grant(engine, "bfc-lignes", 1_000, "v", CLERK, MORNING)
    cars = [carpool(f"C{n}", driver=f"d{n}", passengers=(f"p{n}",)) for n in range(N_RACING)]
    with ThreadPoolExecutor(N_RACING) as racing:
        declared = list(
            racing.map(
                lambda car: declare(engine, car, car["carpool_id"], "key:app1", MORNING + timedelta(hours=1)), cars
            )
        )
    assert sorted(one.reserved_cents for one in declared)[-3:] == [140, 430, 430]
    assert budget(engine) == Budget("bfc-lignes", 1_000, 0, 1_000, 0)
    assert settle(engine, "2026-03", LATER).subsidy_cents == 1_000
    assert budget(engine) == Budget("bfc-lignes", 1_000, 1_000, 0, 0)
