"""A month settled many at a time is what one by one on paper gives, however it is cut and however often killed."""

from __future__ import annotations

from random import Random

import pytest
from sqlalchemy import select
from sqlmodel import SQLModel

from mobigo.cluster import Engine
from mobigo.security import is_signed
from mobigo.services.covoiturage.settling import settle
from mobigo.store.base import reading
from mobigo.store.ledger.check import check_books
from mobigo.store.ledger.reads import each_entry
from tests.oracles.settling import settle_on_paper
from tests.worlds.settling import N_CARS, NOW, POLICY, declare_a_month, release_all, settling

SERIAL, PROCESSES = Engine.SERIAL, Engine.PROCESSES


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


def is_as_on_paper(engine, granted):
    decisions, entries, carpools = kept(engine)
    expected, expected_entries = settle_on_paper(POLICY, carpools, granted)
    assert [{name: one[name] for name in expected[0]} for one in decisions] == expected
    settled = [one for one in entries if one[0].startswith("ride:") or ":decision:" in one[0]]
    assert settled == expected_entries
    assert check_books(engine, is_signed).findings == ()
    return expected


@pytest.mark.parametrize(
    ("granted", "at_once", "on"),
    [
        (None, 1_000, SERIAL),
        (None, 7, SERIAL),
        (None, 7, PROCESSES),
        (6_000, 11, SERIAL),
        (6_000, 1, SERIAL),
        (6_000, 5, PROCESSES),
    ],
)
def test_a_month_is_settled_as_on_paper_whatever_a_transaction_holds(engine, granted, at_once, on):
    declare_a_month(engine, granted)
    release_all(engine)
    settled = settle(engine, "2026-03", NOW, at_once=at_once, on=on)
    expected = is_as_on_paper(engine, granted)
    assert settled.decided + settled.refused == N_CARS
    assert settled.subsidy_cents == sum(one["amount_cents"] for one in expected)
    told = {step["type"] for one in expected for step in one["explanation"] if step["step"] == "limit"}
    assert told >= ({"trips"} if granted is None else {"trips", "amount_cents"})
    again = settle(engine, "2026-03", NOW, at_once=at_once)
    assert (again.decided, again.refused, again.entries) == (0, 0, 0)


@pytest.mark.parametrize("on", [SERIAL, PROCESSES])
def test_a_settling_killed_again_and_again_ends_with_the_same_books(engine, database_address, on):
    granted = 6_000
    declare_a_month(engine, granted)
    release_all(engine)
    draw = Random(7)
    for _ in range(4):
        with settling(database_address, "2026-03", NOW, 3, on) as (process, told):
            for _ in range(draw.randrange(1, 4)):
                told.recv()
            process.join(draw.uniform(0, 0.02))
            process.kill()
    settle(engine, "2026-03", NOW)
    is_as_on_paper(engine, granted)
