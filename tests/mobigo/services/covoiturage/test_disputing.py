"""Somebody says what is wrong with a carpool of theirs: the money waits, people answer and put right what was."""

from __future__ import annotations

from datetime import timedelta

import pytest

from covoiturage.correction import Correction, RideChange
from mobigo.services.covoiturage.declaring import cancel, declare
from mobigo.services.covoiturage.disputing import (
    Answer,
    Reason,
    answer_dispute,
    list_cases,
    list_own,
    open_dispute,
    read_case,
)
from mobigo.services.covoiturage.paying import prepare_batch
from mobigo.services.covoiturage.settling import settle
from mobigo.services.ledger.proving import verify
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import reading
from socle.errors import BadInput, Conflict, Forbidden, NotFound
from tests.worlds.carpools import MORNING, carpool
from tests.worlds.decided import APP, LATER, SOON, balances

MODERATOR = "person:moderator"
HELD, OWED = "suspense:disputed", "driver:d1:payable"


@pytest.fixture
def paid(engine):
    """A carpool with two passengers, decided: 5.30."""
    declare(engine, carpool(passengers=("p1", "p2")), "k1", APP, SOON)
    settle(engine, "2026-03", LATER)
    return engine


def test_while_a_dispute_is_open_the_claim_is_parked_and_not_paid(paid):
    before = balances(paid)
    opened = open_dispute(paid, "p1", "C1", Reason.NOT_THERE, "je n’étais pas dans cette voiture", LATER)
    assert (balances(paid)[HELD], balances(paid).get(OWED, 0)) == (-530, 0)
    assert prepare_batch(paid, "2026-03", "person:clerk", LATER).items == ()
    answer_dispute(paid, opened.id, Answer.REJECTED, None, "le code a été lu sur votre téléphone", MODERATOR, LATER)
    assert balances(paid) == before
    (told,) = list_own(paid, "p1", ["C1"])["C1"]
    assert (told.answer, told.why) == (Answer.REJECTED, "le code a été lu sur votre téléphone")
    assert verify(paid).findings == ()


def test_who_was_not_there_is_struck_out_and_owes_nothing(paid):
    opened = open_dispute(paid, "p1", "C1", Reason.NOT_THERE, "", LATER)
    answer_dispute(paid, opened.id, Answer.UPHELD, None, "vous aviez annulé", MODERATOR, LATER)
    after = balances(paid)
    assert (after[OWED], after.get(HELD, 0)) == (-430, 0)
    assert "passenger:p1:receivable" not in after


def test_a_driver_who_was_refused_for_want_of_proof_is_paid_when_people_vouch_for_the_ride(engine):
    declare(engine, carpool(proven=False), "k1", APP, SOON)
    settle(engine, "2026-03", LATER)
    opened = open_dispute(engine, "d1", "C1", Reason.REFUSED, "le téléphone était vide", LATER)
    assert opened.held_cents == 0
    answer_dispute(engine, opened.id, Answer.UPHELD, None, "le passager confirme", MODERATOR, LATER)
    assert balances(engine)[OWED] == -430


def test_what_is_put_right_otherwise_than_asked_is_paid_so(paid):
    opened = open_dispute(paid, "d1", "C1", Reason.DISTANCE, "détour par un chantier", LATER)
    answer_dispute(paid, opened.id, Answer.CORRECTED, Correction(36_000), "déviation reconnue", MODERATOR, LATER)
    assert balances(paid)[OWED] == -560


def test_a_cancelled_carpool_comes_back_when_the_driver_is_right(paid):
    cancel(paid, "C1", "person:clerk", "erreur", LATER)
    opened = open_dispute(paid, "d1", "C1", Reason.REFUSED, "il a bien eu lieu", LATER)
    answer_dispute(paid, opened.id, Answer.UPHELD, None, "annulé par erreur", MODERATOR, LATER)
    assert balances(paid)[OWED] == -530


def test_a_carpool_that_is_not_decided_waits_until_its_dispute_ends(engine):
    declare(engine, carpool(passengers=("p1", "p2")), "k1", APP, SOON)
    opened = open_dispute(engine, "p2", "C1", Reason.NOT_THERE, "", SOON)
    settled = settle(engine, "2026-03", LATER)
    assert (settled.decided, settled.pending, settled.held) == (0, 0, 1)
    answer_dispute(engine, opened.id, Answer.UPHELD, None, "erreur du conducteur", MODERATOR, LATER)
    assert settle(engine, "2026-03", LATER).subsidy_cents == 430


def test_two_disputes_about_one_carpool_park_its_claim_once(paid):
    first = open_dispute(paid, "p1", "C1", Reason.FARE, "", LATER)
    second = open_dispute(paid, "p2", "C1", Reason.FARE, "", LATER)
    assert (first.held_cents, second.held_cents, balances(paid)[HELD]) == (530, 0, -530)
    for one in (second, first):
        answer_dispute(paid, one.id, Answer.REJECTED, None, "le prix est celui affiché", MODERATOR, LATER)
    assert balances(paid)[OWED] == -530


def test_sent_again_it_is_the_same_dispute_and_the_key_serves_nothing_else(paid):
    first = open_dispute(paid, "p1", "C1", Reason.FARE, "trop cher", LATER, key="k")
    assert open_dispute(paid, "p1", "C1", Reason.FARE, "trop cher", LATER, key="k") == first
    with pytest.raises(Conflict, match="key_used_otherwise"):
        open_dispute(paid, "p1", "C1", Reason.FARE, "autre chose", LATER, key="k")
    with pytest.raises(Conflict, match="disputed_already"):
        open_dispute(paid, "p1", "C1", Reason.FARE, "trop cher", LATER)
    assert balances(paid)[HELD] == -530


@pytest.mark.parametrize(
    ("who", "carpool_id", "reason", "words", "days", "code"),
    [
        ("stranger", "C1", Reason.FARE, "", 1, "unknown_carpool"),
        ("p1", "C9", Reason.FARE, "", 1, "unknown_carpool"),
        ("p1", "C1", Reason.FARE, "", 61, "dispute_too_late"),
        ("p1", "C1", Reason.OTHER, "  ", 1, "words_missing"),
        ("p1", "C1", Reason.OTHER, "x" * 1_001, 1, "words_too_long"),
        ("p1", "C1", Reason.OTHER, "appelez le 06 12 34 56 78", 1, "why_names_somebody"),
    ],
)
def test_what_cannot_be_disputed_parks_nothing(paid, who, carpool_id, reason, words, days, code):
    with pytest.raises((NotFound, Conflict, BadInput), match=code):
        open_dispute(paid, who, carpool_id, reason, words, MORNING + timedelta(days=days))
    assert (list_cases(paid, 10)[0], balances(paid)[OWED]) == (0, -530)


@pytest.mark.parametrize(
    ("answer", "correction", "by", "why", "code"),
    [
        (Answer.REJECTED, None, "person:d1", "vu", "own_carpool"),
        (Answer.REJECTED, None, "person:p2", "vu", "own_carpool"),
        (Answer.REJECTED, None, MODERATOR, " ", "why_missing"),
        (Answer.REJECTED, Correction(40_000), MODERATOR, "vu", "correction_unwanted"),
        (Answer.CORRECTED, None, MODERATOR, "vu", "correction_missing"),
        (Answer.UPHELD, None, MODERATOR, "vu", "correction_missing"),
        (Answer.CORRECTED, Correction(10**9), MODERATOR, "vu", "bad_correction"),
        (Answer.CORRECTED, Correction(rides={"C1-p1": RideChange()}), MODERATOR, "vu", "nothing_corrected"),
    ],
)
def test_an_answer_that_cannot_be_leaves_the_dispute_open(paid, answer, correction, by, why, code):
    opened = open_dispute(paid, "p1", "C1", Reason.FARE, "", LATER)
    before = balances(paid)
    with pytest.raises((Forbidden, BadInput), match=code):
        answer_dispute(paid, opened.id, answer, correction, why, by, LATER)
    assert (list_cases(paid, 10)[0], balances(paid)) == (1, before)


def test_it_is_answered_once_and_the_log_says_who_read_and_who_answered(paid):
    opened = open_dispute(paid, "p1", "C1", Reason.FARE, "", LATER)
    case = read_case(paid, opened.id, MODERATOR, LATER)
    assert (len(case.decisions), {one.kind for one in case.evidence}) == (1, {"qr"})
    answer_dispute(paid, opened.id, Answer.REJECTED, None, "vu", MODERATOR, LATER)
    with pytest.raises(Conflict, match="dispute_decided"):
        answer_dispute(paid, opened.id, Answer.UPHELD, None, "vu", MODERATOR, LATER)
    with reading(paid) as session:
        lines = [one.line for one in list_lines(session, AuditFilter(action="covoiturage"), limit=20)]
    told = [(line.action, line.actor, line.subject) for line in reversed(lines) if "dispute" in line.action]
    assert told[0] == ("covoiturage.disputed", "person:p1", "person:d1")
    assert {who for action, _, who in told if action.endswith("read")} == {"person:d1", "person:p1", "person:p2"}
    assert told[-1] == ("covoiturage.dispute_decided", MODERATOR, "person:p1")
