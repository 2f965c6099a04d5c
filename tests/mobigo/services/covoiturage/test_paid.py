"""A decision says when its money was paid, with which batch, and that a balance was carried over."""

from __future__ import annotations

from datetime import date, timedelta

from mobigo.services.covoiturage import disputing
from mobigo.services.covoiturage.carpools import get_decision
from mobigo.services.covoiturage.mine import get_own_money
from mobigo.services.covoiturage.paid import payout_sentence
from mobigo.services.covoiturage.paying import approve_batch, confirm, prepare_batch
from mobigo.services.covoiturage.settling import settle
from mobigo.store.covoiturage.disputes import Reason
from tests.worlds.carpools import MORNING, carpool
from tests.worlds.decided import LATER, declared

CLERK, APPROVER = "person:clerk", "person:approver"


def payout(engine, name="C1", who="d1"):
    told = get_decision(engine, name, who)
    return told.payout, told.state_label


def pay(engine, month, now, answer="paid"):
    prepare_batch(engine, month, CLERK, now)
    batch = approve_batch(engine, month, APPROVER, now)
    if answer:
        lines = [f"{one.item.end_to_end_id},{answer}" for one in batch.items]
        confirm(engine, "\n".join(["end_to_end_id,state", *lines]).encode(), CLERK, now + timedelta(days=3))


def settled(engine, *names, at=MORNING, metres=53_000):
    cars = (carpool(name, metres=metres, at=at + timedelta(hours=2 * n)) for n, name in enumerate(names))
    declared(engine, *cars, now=at + timedelta(hours=12))
    settle(engine, f"{at:%Y-%m}", at + timedelta(days=3))


def test_a_decision_waits_is_handed_over_and_is_paid(engine):
    settled(engine, "C1", "C2")
    assert payout(engine) == (None, "Validé")
    assert get_own_money(engine, "d1").carpools[0].payout is None
    pay(engine, "2026-03", LATER + timedelta(days=1), answer="")
    handed, label = payout(engine)
    assert (handed.state, handed.batch_id, handed.month, handed.cents) == (
        "handed",
        "covoiturage-2026-03",
        "2026-03",
        1260,
    )
    assert label == "Validé"
    lines = "end_to_end_id,state\ncovoiturage-2026-03-000001,paid"
    confirm(engine, lines.encode(), CLERK, LATER + timedelta(days=4))
    paid, label = payout(engine)
    assert (paid.state, paid.execute_on) == ("paid", date(2026, 3, 9))
    assert (
        label.replace("\N{NO-BREAK SPACE}", " ") == "Versé le 9 mars 2026, dans le versement de 12,60 € pour mars 2026"
    )
    assert {one.payout.state for one in get_own_money(engine, "d1").carpools} == {"paid"}
    assert get_decision(engine, "C1", "p1").payout is None  # a passenger is paid nothing


def test_little_is_carried_over_and_paid_with_the_next_month(engine):
    settled(engine, "C1")
    pay(engine, "2026-03", LATER + timedelta(days=1), answer="")
    carried, _ = payout(engine)
    assert (carried.state, carried.month, carried.execute_on) == ("carried_over", "2026-03", None)
    assert "mars 2026" in payout_sentence(carried)
    settled(engine, "C2", at=MORNING + timedelta(days=31))
    pay(engine, "2026-04", LATER + timedelta(days=40))
    assert {(payout(engine, name)[0].state, payout(engine, name)[0].month) for name in ("C1", "C2")} == {
        ("paid", "2026-04")
    }


def test_what_the_bank_sends_back_is_said_until_it_is_paid(engine):
    settled(engine, "C1", "C2")
    pay(engine, "2026-03", LATER + timedelta(days=1), answer="rejected")
    assert payout(engine)[0].state == "rejected"
    settled(engine, "C3", at=MORNING + timedelta(days=31))
    assert payout(engine, "C3")[0] is None
    pay(engine, "2026-04", LATER + timedelta(days=40))
    assert (payout(engine)[0].state, payout(engine)[0].month) == ("paid", "2026-04")


def test_what_is_disputed_is_in_no_batch(engine):
    settled(engine, "C1", "C2", "C3")
    now = LATER + timedelta(hours=1)
    disputing.open_dispute(engine, "d1", "C1", Reason.DISTANCE, "plus long", now)
    pay(engine, "2026-03", LATER + timedelta(days=1))
    assert payout(engine)[0].state == "disputed"
    assert payout(engine, "C2")[0].state == "paid"
