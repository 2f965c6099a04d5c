"""What the evidence of a ride is worth: every combination of who was seen where, against the text of the classes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from covoiturage.carpool import Carpool, Evidence, Kind, Ride, Side, facts_of, hash_facts, render_facts
from covoiturage.policy.facts import read_car
from covoiturage.proof import AROUND, ProofClass, Refused, Why, judge_proof
from socle.errors import BadInput
from socle.geo import LatLon

START = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)
END = START + timedelta(minutes=30)
HERE = LatLon(47.15, 6.34)


def ride(*evidence, passenger="p", certified=False, **about):
    given = {"seats": 1, "board_at": START, "alight_at": END, "distance_m": 33_000, **about}
    return Ride("R1", passenger, **given, certified=certified, evidence=evidence)


def car(*rides, **about):
    return Carpool("C1", "d", **{"start_at": START, "end_at": END, "rides": rides, "official_m": 33_000, **about})


def at_both_ends(kind, by, device, *, place=None):
    return [Evidence(kind, side, by, at, device, place) for side, at in ((Side.BOARD, START), (Side.ALIGHT, END))]


def judged(*evidence, **about):
    one = ride(*evidence, **about)
    return judge_proof(car(one), one)


def test_every_combination_of_evidence_has_the_class_of_the_text():
    for certified, scans, passenger_seen, driver_seen in product((False, True), repeat=4):
        evidence = [
            *(at_both_ends(Kind.QR, "p", "phone-p") if scans else []),
            *(at_both_ends(Kind.POSITION, "p", "phone-p", place=HERE) if passenger_seen else []),
            *(at_both_ends(Kind.POSITION, "d", "phone-d", place=HERE) if driver_seen else []),
        ]
        if passenger_seen and driver_seen:
            expected = ProofClass.C
        elif scans or passenger_seen or driver_seen:
            expected = ProofClass.B
        else:
            expected = ProofClass.A if certified else Refused(Why.NO_EVIDENCE)
        assert judged(*evidence, certified=certified) == expected


def test_a_code_by_sms_stands_for_one_scanned():
    assert judged(*at_both_ends(Kind.SMS, "p", None)) == ProofClass.B


def test_a_scan_with_the_position_of_both_is_the_best_proof():
    scans = at_both_ends(Kind.QR, "p", "phone-p", place=HERE)
    assert judged(*scans, *at_both_ends(Kind.POSITION, "d", "phone-d", place=HERE)) == ProofClass.C


def test_one_end_alone_proves_nothing():
    assert judged(at_both_ends(Kind.QR, "p", "phone-p")[0]) == Refused(Why.ONE_END_ONLY)


def test_the_drivers_own_device_cannot_speak_for_the_passenger():
    one_phone = [*at_both_ends(Kind.QR, "p", "phone-d"), Evidence(Kind.QR, Side.BOARD, "d", START, "phone-d")]
    assert judged(*one_phone) == Refused(Why.SAME_DEVICE)


def test_a_driver_is_not_their_own_passenger():
    assert judged(*at_both_ends(Kind.QR, "d", "phone-d"), passenger="d") == Refused(Why.SAME_PERSON)


@pytest.mark.parametrize(
    ("late", "expected"), [(AROUND, ProofClass.B), (AROUND + timedelta(seconds=1), Refused(Why.ONE_END_ONLY))]
)
def test_what_was_scanned_long_after_does_not_count(late, expected):
    board, alight = at_both_ends(Kind.QR, "p", "phone-p")
    assert judged(board, Evidence(Kind.QR, Side.ALIGHT, "p", alight.at + late, "phone-p")) == expected


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (lambda: car(ride(), end_at=START - timedelta(seconds=1)), "ends_before_start"),
        (lambda: car(end_at=START + timedelta(hours=25)), "carpool_too_long"),
        (lambda: car(ride(), ride()), "ride_id_twice"),
        (lambda: car(ride(board_at=END, alight_at=START)), "ends_before_start"),
        (lambda: car(ride(alight_at=END + timedelta(seconds=1))), "ride_outside_carpool"),
        (lambda: car(*[ride()] * 31), "too_many_rides"),
    ],
)
def test_a_carpool_that_cannot_be_is_not_made(wrong, code):
    with pytest.raises(BadInput, match=code):
        wrong()


def test_facts_have_the_same_bytes_whatever_the_order_of_rides_and_a_policy_reads_them():
    one, other = ride(), Ride("R0", "q", 2, START, END, 20_000, True, 150)
    rendered = {render_facts(facts_of(car(*order), {"R0": "B"})) for order in ((one, other), (other, one))}
    (facts,) = rendered
    assert len(hash_facts(facts)) == 64
    read = read_car(facts_of(car(one, other), {"R0": "B"}))
    assert [(each.ride_id, each.couple.operator_class, each.seats) for each in read.rides] == [
        ("R0", "B", 2),
        ("R1", None, 1),
    ]
