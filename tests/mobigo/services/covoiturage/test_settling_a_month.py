"""A month settled many at a time is what one by one on paper gives, however it is cut and however often killed."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import select
from sqlmodel import SQLModel

from covoiturage import ledger
from covoiturage.policy.shipped import shipped_policies
from mobigo.security import is_signed
from mobigo.services.covoiturage.declaring import declare
from mobigo.services.covoiturage.screening import screen
from mobigo.services.covoiturage.settling import settle
from mobigo.store.base import reading, transaction
from mobigo.store.ledger.books import Books, append
from mobigo.store.ledger.check import check_books
from mobigo.store.ledger.reads import each_entry
from tests.oracles.settling import settle_on_paper
from tests.worlds.carpools import MORNING, carpool
from tests.worlds.settling import settling

POLICY = shipped_policies()["bfc-lignes"]
NOW = MORNING + timedelta(days=10)
N_CARS = 60


def declare_a_month(engine, granted):
    """Drivers and passengers beyond their four a day, rides without proof, short ways; a budget too small for all."""
    if granted is not None:
        with transaction(engine) as session:
            books = Books(session)
            books.open(ledger.accounts_of(POLICY.id))
            books.flush()
            append(session, [ledger.grant_budget(POLICY.id, granted, "vote-2026", MORNING)], MORNING)
    draw = Random(20260302)
    for number in range(N_CARS):
        # Two days; no two cars of a driver or a passenger are near, so that nothing is held.
        turn, day = divmod(number // 2, 2)
        given = carpool(
            f"C{number:03d}",
            driver=f"d{number % 2}",
            passengers=[f"p{number % 2}{one}" for one in range(draw.choice([1, 1, 2, 3]))],
            metres=draw.choice([2_300, 3_000, 33_000, 53_000, 110_000]),
            at=MORNING + timedelta(days=day, minutes=75 * turn),
            proven=draw.random() < 0.9,
        )
        declare(engine, given, f"key:{number}", "key:app", MORNING + timedelta(days=day + 0.9))


def kept(engine):
    """Every decision and every entry, in the order in which they were made; the facts that were decided."""
    decision, declared = (SQLModel.metadata.tables[name] for name in ("decision", "carpool"))
    with reading(engine) as session:
        rows = session.connection().execute(
            select(decision, declared.c.end_at).join(declared).order_by(declared.c.end_at, declared.c.id)
        )
        decisions = [dict(row._mapping) for row in rows]
        entries = [one.read().entry for one in each_entry(session)]
        facts = session.connection().execute(select(declared.c.facts, declared.c.reserved_cents)).all()
    told = [(one.key, {leg.account: leg.cents for leg in one.postings}) for one in entries]
    return decisions, told, [(bytes(one), reserved) for one, reserved in facts]


def release_all(engine):
    """Have nothing held: what the rules say of these people is not what is looked at here."""
    screen(engine, NOW)
    hold = SQLModel.metadata.tables["hold"]
    with transaction(engine) as session:
        session.connection().execute(hold.update().values(verdict="released"))


def is_as_on_paper(engine, granted):
    decisions, entries, carpools = kept(engine)
    expected, expected_entries = settle_on_paper(POLICY, carpools, granted)
    assert [{name: one[name] for name in expected[0]} for one in decisions] == expected
    settled = [one for one in entries if one[0].startswith("ride:") or ":decision:" in one[0]]
    assert settled == expected_entries
    assert check_books(engine, is_signed).findings == ()
    return expected


@pytest.mark.parametrize(("granted", "at_once"), [(None, 1_000), (None, 7), (6_000, 11), (6_000, 1)])
def test_a_month_is_settled_as_on_paper_whatever_a_transaction_holds(engine, granted, at_once):
    declare_a_month(engine, granted)
    release_all(engine)
    settled = settle(engine, "2026-03", NOW, at_once=at_once)
    expected = is_as_on_paper(engine, granted)
    assert settled.decided + settled.refused == N_CARS
    assert settled.subsidy_cents == sum(one["amount_cents"] for one in expected)
    told = {step["type"] for one in expected for step in one["explanation"] if step["step"] == "limit"}
    assert told >= ({"trips"} if granted is None else {"trips", "amount_cents"})
    again = settle(engine, "2026-03", NOW, at_once=at_once)
    assert (again.decided, again.refused, again.entries) == (0, 0, 0)


def test_a_settling_killed_again_and_again_ends_with_the_same_books(engine, database_address):
    granted = 6_000
    declare_a_month(engine, granted)
    release_all(engine)
    draw = Random(7)
    for _ in range(4):
        with settling(database_address, "2026-03", NOW, at_once=3) as (process, told):
            for _ in range(draw.randrange(1, 4)):
                told.recv()
            process.join(draw.uniform(0, 0.02))
            process.kill()
    settle(engine, "2026-03", NOW)
    is_as_on_paper(engine, granted)
