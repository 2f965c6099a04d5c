"""From a declaration to the bank's answer: each cent is entered once, and can be decided again."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest

from covoiturage.policy.caps import read_counters
from covoiturage.policy.facts import read_car
from covoiturage.policy.shipped import shipped_policies
from covoiturage.policy.trips import CarJudge
from covoiturage.sepa import Debtor
from mobigo.services.covoiturage.declaring import cancel, declare, declare_all
from mobigo.services.covoiturage.paying import approve_batch, confirm, get_batch, prepare_batch, render_order
from mobigo.services.covoiturage.settling import settle
from mobigo.services.ledger.proving import verify
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import reading, transaction
from mobigo.store.covoiturage.carpools import get_carpool
from mobigo.store.covoiturage.decisions import last_decision
from mobigo.store.people.accounts import Identity, add_person
from socle.errors import BadInput, Conflict, Forbidden, MobigoError, NotFound
from tests.worlds.carpools import IBAN, MORNING, carpool
from tests.worlds.decided import APP, LATER, SOON, balances, declared, grant

CLERK, APPROVER = "person:clerk", "person:approver"
REGION = Debtor("Région de démonstration", "FR1420041010050500013M02606")


def test_the_press_example_is_paid_5_euros_20_and_costs_the_region_2_euros_20(engine):
    declared(engine, carpool(passengers=("p1", "p2"), metres=32_000))
    settled = settle(engine, "2026-03", LATER)
    assert (settled.decided, settled.refused, settled.pending, settled.entries) == (1, 0, 0, 3)
    assert (settled.subsidy_cents, settled.fare_cents, settled.net_cents) == (520, 300, 220)
    assert balances(engine) == {
        "region:subsidy_expense:bfc-lignes": 520,
        "driver:d1:payable": -520,
        "passenger:p1:receivable": 150,
        "passenger:p2:receivable": 150,
        "region:fare_revenue": -300,
    }


def test_nothing_is_decided_before_48_hours_nor_paid_without_proof(engine):
    declared(engine, carpool("C1"), carpool("C2", driver="d2", passengers=("p2",), proven=False))
    early = settle(engine, "2026-03", MORNING + timedelta(hours=48))
    assert (early.decided, early.refused, early.pending) == (0, 0, 2)
    due = settle(engine, "2026-03", LATER)
    assert (due.decided, due.refused, due.pending) == (1, 1, 0)
    with reading(engine) as session:
        refused = last_decision(session, "C2")
    assert (refused.reason, refused.amount_cents) == ("no_passenger", 0)
    assert "driver:d2:payable" not in balances(engine)


def test_settling_again_decides_and_enters_nothing(engine):
    declared(engine, carpool())
    settle(engine, "2026-03", LATER)
    before = balances(engine)
    again = settle(engine, "2026-03", LATER + timedelta(days=1))
    assert (again.decided, again.entries) == (0, 0)
    assert balances(engine) == before


def test_the_same_declaration_is_kept_once_and_the_key_serves_nothing_else(engine):
    first = declare(engine, carpool(), "k1", APP, SOON)
    again = declare(engine, carpool(), "k1", APP, LATER)
    assert (first.replayed, again.replayed, again.carpool_id) == (False, True, "C1")
    assert first.proofs == {"C1-p1": "B"}
    with pytest.raises(Conflict, match="key_used_otherwise"):
        declare(engine, carpool(metres=34_000), "k1", APP, SOON)
    with pytest.raises(Conflict, match="id_taken"):
        declare(engine, carpool(), "k2", APP, SOON)
    with pytest.raises(Conflict, match="id_taken"):
        declare(engine, {**carpool(), "carpool_id": "C9"}, "k3", APP, SOON)


@pytest.mark.parametrize(
    ("change", "now", "code"),
    [
        ({}, MORNING + timedelta(hours=24, minutes=41), "declared_too_late"),
        ({}, MORNING, "carpool_in_future"),
        ({"driver": None}, SOON, "bad_fact"),
        ({"driver": "D One"}, SOON, "bad_fact"),
        ({"carpool_id": "C 1"}, SOON, "bad_fact"),
        ({"end_at": "2026-03-02T06:00:00Z"}, SOON, "ends_before_start"),
        ({"official_m": -1}, SOON, "bad_fact"),
        ({"official_m": 10**10}, SOON, "bad_fact"),
        ({"rides": [{}]}, SOON, "bad_fact"),
    ],
)
def test_what_cannot_be_declared_is_refused_and_leaves_nothing(engine, change, now, code):
    with pytest.raises((BadInput, Conflict), match=code):
        declare(engine, {**carpool(), **change}, "k1", APP, now)
    with pytest.raises(NotFound), reading(engine) as session:
        get_carpool(session, "C1")


def test_a_class_of_proof_is_judged_here_and_never_taken_from_outside(engine):
    given = carpool(proven=False)
    given["rides"][0]["operator_class"] = "C"
    with pytest.raises(BadInput, match="ours_to_judge"):
        declare(engine, given, "k1", APP, SOON)


def test_counters_last_from_one_run_to_the_next_and_the_fifth_carpool_of_a_day_is_not_paid(engine):
    hours = [MORNING + timedelta(hours=hour) for hour in range(5)]
    given = [carpool(f"C{n}", at=at, passengers=(f"p{n}",)) for n, at in enumerate(hours)]
    declared(engine, *given[:2], now=hours[4])
    assert settle(engine, "2026-03", LATER).subsidy_cents == 860
    declared(engine, *given[2:], now=MORNING + timedelta(hours=6))
    assert settle(engine, "2026-03", LATER + timedelta(hours=9)).subsidy_cents == 860
    with reading(engine) as session:
        fifth = last_decision(session, "C4")
    assert (fifth.stateless_cents, fifth.amount_cents) == (430, 0)
    assert "4 trajets" in fifth.explanation[-2]["text"]


def test_every_decision_made_again_from_what_is_kept_has_the_same_amount_and_words(engine):
    grant(engine, 1_000)
    given = [carpool(f"C{n}", at=MORNING + timedelta(hours=2 * n), passengers=("p1", f"q{n}")) for n in range(4)]
    declared(engine, *given, now=MORNING + timedelta(hours=7))
    settle(engine, "2026-03", LATER + timedelta(hours=9))
    amounts = []
    for one in given:
        with reading(engine) as session:
            kept, facts = last_decision(session, one["carpool_id"]), get_carpool(session, one["carpool_id"]).facts
        policy = shipped_policies()[kept.policy_id]
        assert policy.version == kept.policy_sha256
        counters = read_counters(kept.counters_before)
        decision = CarJudge(policy, budget_cents=kept.budget_cents).decide(read_car(json.loads(facts)), counters)
        assert (decision.amount_cents, decision.reason) == (kept.amount_cents, kept.reason)
        for row in kept.charged:  # what it changed is what deciding again changes
            key = (row["counter"], row["scope"], row["subject"], row["period"], row["period_key"])
            before = read_counters(kept.counters_before).values.get(key, 0)
            assert counters.values[key] - before == row["value"]
        amounts.append(kept.amount_cents)
    assert sum(amounts) == 1_000
    assert balances(engine).get("region:budget:bfc-lignes", 0) == 0


def test_a_budget_is_promised_when_a_car_arrives_and_never_overspent(engine):
    grant(engine, 700)
    declared(engine, carpool("C1"), carpool("C2", driver="d2", passengers=("p2",), at=MORNING + timedelta(minutes=1)))
    assert balances(engine)["reserve:bfc-lignes"] == 700
    assert "region:budget:bfc-lignes" not in balances(engine)
    assert settle(engine, "2026-03", LATER).subsidy_cents == 700
    after = balances(engine)
    assert after["region:budget_used:bfc-lignes"] == 700
    assert "reserve:bfc-lignes" not in after
    assert (after["driver:d1:payable"], after["driver:d2:payable"]) == (-430, -270)


@pytest.mark.parametrize("budget", [None, 5_000])
@pytest.mark.parametrize("decided", [False, True])
def test_a_cancelled_carpool_leaves_the_books_as_if_it_had_never_been(engine, decided, budget):
    if budget:
        grant(engine, budget)
    before = balances(engine)
    declared(engine, carpool(passengers=("p1", "p2")))
    if decided:
        settle(engine, "2026-03", LATER)
    cancel(engine, "C1", CLERK, "le trajet n’a pas eu lieu", LATER)
    assert balances(engine) == before
    with pytest.raises(Conflict, match="cancelled_already"):
        cancel(engine, "C1", CLERK, "", LATER)
    assert settle(engine, "2026-03", LATER + timedelta(days=1)).decided == 0
    assert verify(engine).findings == ()


def test_what_a_cancelled_carpool_had_counted_is_free_again(engine):
    hours = [MORNING + timedelta(hours=hour) for hour in range(5)]
    given = [carpool(f"C{n}", at=at, passengers=(f"p{n}",)) for n, at in enumerate(hours)]
    declared(engine, *given[:4], now=MORNING + timedelta(hours=6))
    settle(engine, "2026-03", LATER)
    cancel(engine, "C0", CLERK, "erreur", LATER)
    declared(engine, given[4], now=MORNING + timedelta(hours=6))
    assert settle(engine, "2026-03", LATER + timedelta(hours=9)).subsidy_cents == 430


@pytest.fixture
def drivers(engine, keys):
    """Two drivers whose accounts are known, with 12.90 and 4.30 euros earned."""
    with transaction(engine) as session:
        people = [add_person(session, keys, Identity(f"Conducteur {n}", iban=IBAN), MORNING) for n in (1, 2)]
    first, second = (person.pseudonym for person in people)
    hours = [MORNING + timedelta(hours=hour) for hour in range(4)]
    declared(
        engine,
        *(carpool(f"A{n}", driver=first, passengers=(f"p{n}",), at=hours[n]) for n in range(3)),
        carpool("B0", driver=second, passengers=("q0",)),
        now=MORNING + timedelta(hours=6),
    )
    settle(engine, "2026-03", LATER)
    return first, second


def test_a_month_is_paid_once_by_two_people_and_who_is_owed_little_waits(engine, drivers, keys):
    first, second = drivers
    batch = prepare_batch(engine, "2026-03", CLERK, LATER)
    assert [(one.item.driver, one.item.cents) for one in batch.items] == [(first, 1_290)]
    assert batch.carried_over == {second: 430}
    with pytest.raises(Forbidden, match="prepared_by_you"):
        approve_batch(engine, "2026-03", CLERK, LATER)
    with pytest.raises(Conflict, match="batch_not_approved"):
        render_order(engine, keys, "2026-03", REGION, CLERK, LATER)
    approve_batch(engine, "2026-03", APPROVER, LATER)
    assert balances(engine)["payout:in_transit:covoiturage-2026-03"] == -1_290
    with pytest.raises(Conflict, match="batch_approved"):
        approve_batch(engine, "2026-03", "person:third", LATER)
    with pytest.raises(Conflict, match="batch_approved"):
        prepare_batch(engine, "2026-03", CLERK, LATER)
    files = render_order(engine, keys, "2026-03", REGION, CLERK, LATER)
    assert files == render_order(engine, keys, "2026-03", REGION, APPROVER, LATER + timedelta(days=9))
    amounts = [one.text for one in ET.parse(BytesIO(files["pain001.xml"])).iter() if one.tag.endswith("InstdAmt")]
    assert amounts == ["12.90"]
    assert f"Conducteur 1;{IBAN};12,90" in files["mandats.csv"].decode("utf-8-sig")
    with reading(engine) as session:
        told = [line.line for line in list_lines(session, AuditFilter(action="covoiturage.account_read"), limit=10)]
    assert {line.subject for line in told} == {f"person:{first}"}


def test_what_the_bank_says_is_entered_once_and_what_it_refused_is_owed_again(engine, drivers, keys):
    first, _ = drivers
    prepare_batch(engine, "2026-03", CLERK, LATER)
    batch = approve_batch(engine, "2026-03", APPROVER, LATER)
    (payment,) = [one.item.end_to_end_id for one in batch.items]
    file = f"end_to_end_id,state\n{payment},rejected\n".encode()
    assert confirm(engine, file, CLERK, LATER).rejected == 1
    assert confirm(engine, file, CLERK, LATER).known == 1
    assert balances(engine)[f"driver:{first}:payable"] == -1_290
    with pytest.raises(Conflict, match="payment_ended_otherwise"):
        confirm(engine, file.replace(b"rejected", b"paid"), CLERK, LATER)
    assert get_batch(engine, "2026-03").items[0].state == "rejected"


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (b"", "bank_file_unreadable"),
        (b"\xff\xfe", "bank_file_unreadable"),
        (b"a,b\n1,2\n", "bank_file_unreadable"),
        (b"end_to_end_id,state\nx,perhaps\n", "bank_line_wrong"),
        (b"end_to_end_id,state\nx,paid\n", "unknown_payment"),
    ],
)
def test_a_file_that_is_no_answer_of_the_bank_changes_nothing(engine, file, code):
    with pytest.raises((BadInput, NotFound), match=code):
        confirm(engine, file, CLERK, LATER)


def test_a_proposal_is_made_anew_when_more_is_owed_and_refused_when_less_is(engine, drivers):
    first, _ = drivers
    prepare_batch(engine, "2026-03", CLERK, LATER)
    cancel(engine, "A0", CLERK, "erreur", LATER)
    with pytest.raises(Conflict, match="batch_outdated"):
        approve_batch(engine, "2026-03", APPROVER, LATER)
    assert balances(engine)[f"driver:{first}:payable"] == -860
    assert prepare_batch(engine, "2026-03", CLERK, LATER).items == ()


def test_a_month_with_carpools_that_wait_is_not_paid(engine):
    declared(engine, carpool())
    with pytest.raises(Conflict, match="month_undecided"):
        prepare_batch(engine, "2026-03", CLERK, LATER)
    for wrong in ("2026-13", "mars"):
        with pytest.raises(BadInput, match="bad_month"):
            settle(engine, wrong, LATER)


def test_a_carpool_that_ends_after_midnight_belongs_to_the_next_local_day_and_month(engine):
    """23:30 in Paris on the 31st is 21:30 UTC; the car arrives at 00:10 on the 1st of April."""
    late = carpool(at=MORNING.replace(day=31, hour=21, minute=30))
    declared(engine, late, now=MORNING.replace(day=31, hour=23))
    assert settle(engine, "2026-03", LATER + timedelta(days=60)).decided == 0
    assert settle(engine, "2026-04", LATER + timedelta(days=60)).decided == 1


def test_many_declared_at_once_are_what_each_alone_would_be(engine):
    """One transaction, in which each is judged as if those before it were kept already."""
    first, second = carpool("C1"), carpool("C2", driver="d2", passengers=("p2",))
    other_body, same_ride = carpool("C3", metres=9_000), carpool("C4", driver="d4")
    same_ride["rides"][0]["ride_id"] = "C2-p2"
    late = carpool("C5", at=MORNING - timedelta(days=3))
    given = [
        (first, "k1"),
        (first, "k1"),
        (other_body, "k1"),
        (carpool("C1", driver="d9"), "k2"),
        ({"carpool_id": "?"}, "k3"),
        (second, "k4"),
        (same_ride, "k5"),
        (late, "k6"),
        (carpool("C6"), ""),
    ]
    answers = declare_all(engine, given, APP, SOON)
    said = [one.code if isinstance(one, MobigoError) else (one.carpool_id, one.replayed) for one in answers]
    assert said == [
        ("C1", False),
        ("C1", True),
        "key_used_otherwise",
        "id_taken",
        "bad_fact",
        ("C2", False),
        "id_taken",
        "declared_too_late",
        "bad_key",
    ]
    assert declare(engine, second, "k4", APP, SOON).replayed
    with reading(engine) as session:
        lines = list_lines(session, AuditFilter(action="covoiturage.declared"), limit=9)
    assert sorted(each.line.facts["carpool"] for each in lines) == ["C1", "C2"]
    assert settle(engine, "2026-03", LATER).subsidy_cents == 860


def test_cars_declared_at_once_share_what_is_left_of_a_budget(engine):
    grant(engine, 500)
    given = [(carpool(f"C{n}", driver=f"d{n}", passengers=(f"p{n}",)), f"k{n}") for n in range(3)]
    assert [one.reserved_cents for one in declare_all(engine, given, APP, SOON)] == [430, 70, 0]
    assert balances(engine)["reserve:bfc-lignes"] == 500
    assert verify(engine).findings == ()
