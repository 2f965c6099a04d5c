"""Disputing: somebody says what is wrong with a carpool of theirs; people answer, and put right what was.

While nobody has answered, what is owed for the carpool is parked and not paid, and one that is not
decided waits. A dispute is opened while the evidence is still there. Nobody answers their own.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from covoiturage import ledger
from covoiturage.correction import Correction, RideChange
from covoiturage.proof import ProofClass
from mobigo.services.covoiturage.correcting import bring_back, write_corrected
from mobigo.store.audit import AuditLine, read_why, record, refuse_contacts, spelled_why
from mobigo.store.base import Session, reading, transaction
from mobigo.store.covoiturage.carpools import CarpoolState, KeptCarpool, get_carpool
from mobigo.store.covoiturage.decisions import KeptDecision, list_all_of_carpool
from mobigo.store.covoiturage.disputes import Answer as Answer  # doors name them
from mobigo.store.covoiturage.disputes import Dispute as Dispute
from mobigo.store.covoiturage.disputes import Reason as Reason
from mobigo.store.covoiturage.disputes import (
    add_dispute,
    end_dispute,
    find_dispute_by_key,
    get_dispute,
    list_disputes_of,
    list_open,
)
from mobigo.store.covoiturage.evidence import ToldEvidence, list_evidence
from mobigo.store.covoiturage.holds import Hold, list_holds, people_of
from mobigo.store.covoiturage.revisions import Revision, list_revisions
from mobigo.store.ledger.books import Books, prepare
from socle.errors import BadInput, Conflict, Fact, Forbidden, NotFound
from socle.money import Cents

DISPUTED_WITHIN = timedelta(days=60)  # traces are kept as long
MOST_WORDS = 1_000  # letters


@dataclass(frozen=True, slots=True)
class DisputeCase:
    """A dispute with all that people need to answer it."""

    dispute: Dispute
    carpool: KeptCarpool
    facts: Mapping[str, Any]
    decisions: Sequence[KeptDecision]
    revisions: Sequence[Revision]
    holds: Sequence[Hold]
    evidence: Sequence[ToldEvidence]
    others: Sequence[Dispute]  # about the same carpool

    @property
    def declared(self) -> Mapping[str, Any]:
        """The facts as they were declared."""
        told: Mapping[str, Any] = json.loads(self.revisions[0].facts if self.revisions else self.carpool.facts)
        return told


def in_time(end_at: datetime, now: datetime) -> bool:
    """Whether a carpool that ended then may still be disputed."""
    return end_at <= now <= end_at + DISPUTED_WITHIN


def open_dispute(
    engine: Engine, pseudonym: str, carpool_id: str, reason: Reason, words: str, now: datetime, key: str = ""
) -> Dispute:
    """Say what is wrong with a carpool of one's own; sent again under the same key it is the same dispute.

    Raises:
        NotFound: `unknown_carpool`, also for who was not in it.
        BadInput: `words_too_long`, `why_names_somebody`; `words_missing` for a reason that is none of ours.
        Conflict: `dispute_too_late`; `disputed_already` while another of this person waits; `key_used_otherwise`.
    """
    said = _read_words(reason, words)
    with transaction(engine) as session:
        books = Books(session)  # its turn: what is owed does not change meanwhile
        carpool = _own(session, pseudonym, carpool_id)
        known = find_dispute_by_key(session, pseudonym, key) if key else None
        if known is not None:
            if (known.carpool_id, known.reason, known.words) != (carpool_id, reason, said):
                raise Conflict("key_used_otherwise", key=key)
            return known
        if not in_time(carpool.end_at, now):
            raise Conflict("dispute_too_late", days=DISPUTED_WITHIN.days)
        before = list_disputes_of(session, [carpool_id])[carpool_id]
        if any(one.is_open and one.opened_by == pseudonym for one in before):
            raise Conflict("disputed_already", carpool=carpool_id)
        held = 0 if any(one.is_open and one.held_cents for one in before) else _claim_cents(session, books, carpool)
        dispute_id = secrets.token_hex(8)
        told = Dispute(
            dispute_id, key or dispute_id, carpool_id, pseudonym, reason, said, now, held, None, "", None, None
        )
        add_dispute(session, told)
        if held:
            books.open([ledger.payable_to(carpool.driver), ledger.DISPUTED])
            books.append([prepare(ledger.dispute(dispute_id, carpool.driver, held, now))], now)
            books.flush()
        facts: dict[str, Fact] = {"carpool": carpool_id, "reason": str(reason), "cents": held}
        whose = f"person:{carpool.driver}"
        record(session, AuditLine(now, f"person:{pseudonym}", "covoiturage.disputed", whose, facts=facts))
        return told


def list_cases(engine: Engine, limit: int, skip: int = 0) -> tuple[int, Sequence[Dispute]]:
    """How many disputes wait, and some of them, those that wait longest first."""
    with reading(engine) as session:
        return list_open(session, limit, skip)


def list_own(engine: Engine, pseudonym: str, carpool_ids: Sequence[str]) -> Mapping[str, Sequence[Dispute]]:
    """What one person said of these carpools, and was answered."""
    with reading(engine) as session:
        found = list_disputes_of(session, carpool_ids)
    return {one: [each for each in told if each.opened_by == pseudonym] for one, told in found.items()}


def get_own_carpool(engine: Engine, pseudonym: str, carpool_id: str) -> KeptCarpool:
    """A carpool that one drove or rode in.

    Raises:
        NotFound: `unknown_carpool`.
    """
    with reading(engine) as session:
        return _own(session, pseudonym, carpool_id)


def read_case(engine: Engine, dispute_id: str, by: str, now: datetime) -> DisputeCase:
    """One dispute with all that there is about its carpool; the reading is written down.

    Raises:
        NotFound: `unknown_dispute`.
    """
    with transaction(engine) as session:
        dispute = get_dispute(session, dispute_id)
        carpool = get_carpool(session, dispute.carpool_id)
        for one in sorted(people_of(session, carpool.id)):
            facts: dict[str, Fact] = {"carpool": carpool.id}
            record(session, AuditLine(now, by, "covoiturage.dispute_read", f"person:{one}", facts=facts))
        others = [one for one in list_disputes_of(session, [carpool.id])[carpool.id] if one.id != dispute_id]
        return DisputeCase(
            dispute,
            carpool,
            json.loads(carpool.facts),
            list_all_of_carpool(session, carpool.id),
            list_revisions(session, carpool.id),
            list_holds(session, [carpool.id])[carpool.id],
            list_evidence(session, carpool.id),
            others,
        )


def answer_dispute(
    engine: Engine,
    dispute_id: str,
    answer: Answer,
    correction: Correction | None,
    why: str,
    by: str,
    now: datetime,
) -> Dispute:
    """Answer a dispute, with a reason that the person reads; what was parked comes back, and facts are put right.

    Upheld without a correction, what follows from the reason is done: who was not there is struck out,
    what was refused for want of proof is vouched for, what was cancelled comes back.

    Raises:
        NotFound: `unknown_dispute`.
        Forbidden: `own_carpool`.
        Conflict: `dispute_decided`.
        BadInput: `correction_missing`, `correction_unwanted`; as `correct`; `why_missing`, `why_too_long`,
            `why_names_somebody`.
    """
    reason = read_why(why)
    with transaction(engine) as session:
        books = Books(session)
        dispute = get_dispute(session, dispute_id)
        carpool = get_carpool(session, dispute.carpool_id)
        if by.removeprefix("person:") in people_of(session, carpool.id):
            raise Forbidden("own_carpool")
        if not end_dispute(session, dispute_id, answer, reason, by, now):
            raise Conflict("dispute_decided")
        if dispute.held_cents:
            entry = ledger.close_dispute(dispute_id, carpool.driver, dispute.held_cents, now)
            books.append([prepare(entry)], now)
            books.flush()
        if answer is Answer.REJECTED:
            if correction is not None:
                raise BadInput("correction_unwanted")
        else:
            _put_right(session, dispute, carpool, correction, reason, by, now, upheld=answer is Answer.UPHELD)
        facts: dict[str, Fact] = {"carpool": carpool.id, "dispute_answer": str(answer)}
        whose = f"person:{dispute.opened_by}"
        record(session, AuditLine(now, by, "covoiturage.dispute_decided", whose, reason, facts))
        return get_dispute(session, dispute_id)


def _put_right(
    session: Session,
    dispute: Dispute,
    carpool: KeptCarpool,
    correction: Correction | None,
    why: str,
    by: str,
    now: datetime,
    *,
    upheld: bool,
) -> None:
    is_back = upheld and carpool.state is CarpoolState.CANCELLED
    if is_back:
        books = Books(session)
        bring_back(session, books, carpool.id, now)
        books.flush()
    wanted = correction
    if wanted is None and upheld:
        wanted = _follows(dispute, json.loads(carpool.facts))
    if wanted is not None:
        books = Books(session)
        write_corrected(session, books, carpool.id, wanted, why, by, now)
        books.flush()
    elif not is_back:
        raise BadInput("correction_missing")


def _follows(dispute: Dispute, facts: Mapping[str, Any]) -> Correction | None:
    """What is to be put right when a person is right, where their reason says it."""
    rides = facts["rides"]
    if dispute.reason is Reason.NOT_THERE:
        own = {ride["ride_id"]: RideChange(struck=True) for ride in rides if ride["passenger"] == dispute.opened_by}
        return Correction(rides=own) if own else None
    if dispute.reason in {Reason.NOT_PAID, Reason.REFUSED}:
        weak = [ride for ride in rides if ride["operator_class"] not in {ProofClass.B, ProofClass.C}]
        return Correction(rides={ride["ride_id"]: RideChange(vouched=True) for ride in weak}) if weak else None
    return None


def _own(session: Session, pseudonym: str, carpool_id: str) -> KeptCarpool:
    carpool = get_carpool(session, carpool_id)
    if pseudonym not in people_of(session, carpool_id):
        raise NotFound("unknown_carpool", carpool=carpool_id)
    return carpool


def _claim_cents(session: Session, books: Books, carpool: KeptCarpool) -> Cents:
    """What of a carpool's amount the driver is still owed: what was paid out is not parked."""
    if carpool.state is not CarpoolState.DECIDED:
        return 0
    decided = list_all_of_carpool(session, carpool.id)[-1].amount_cents
    try:
        owed = -books.balance_cents(ledger.payable_to(carpool.driver).code)
    except NotFound:
        return 0
    return max(0, min(decided, owed))


def _read_words(reason: Reason, words: str) -> str:
    said = spelled_why(words)
    if len(said) > MOST_WORDS:
        raise BadInput("words_too_long", most=MOST_WORDS)
    if reason is Reason.OTHER and not said:
        raise BadInput("words_missing")
    refuse_contacts(said)
    return said
