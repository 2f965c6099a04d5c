"""Correcting: what people put right in a carpool, before or after it was decided or paid.

Before, its facts change and what is promised for it. After, it is decided again with those of the
month that its people share counters in, and the difference is entered by reversal and new entry.
What a driver was paid too much stays a debt in the books, set against later months.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from covoiturage import ledger
from covoiturage.carpool import hash_facts, render_facts
from covoiturage.correction import Correction, correct_facts
from covoiturage.policy.caps import Counters
from covoiturage.policy.facts import read_car
from covoiturage.policy.shipped import find_in_force
from covoiturage.policy.trips import CarJudge
from mobigo.services.covoiturage.declaring import local_day
from mobigo.services.covoiturage.ordering import Redecided, budget_of, people_in, put_in_order, undo
from mobigo.store.audit import AuditLine, read_why, record
from mobigo.store.base import Session, transaction
from mobigo.store.covoiturage.carpools import CarpoolState, KeptCarpool, get_carpool, set_state
from mobigo.store.covoiturage.decisions import last_decision
from mobigo.store.covoiturage.policies import list_in_force
from mobigo.store.covoiturage.revisions import add_revision, list_revisions, set_reserved
from mobigo.store.ledger.books import Books, prepare
from mobigo.store.ledger.reads import list_standing
from socle.errors import Conflict, Fact, Forbidden


@dataclass(frozen=True, slots=True)
class Corrected:
    """A carpool put right, and the carpools that were decided again for it."""

    carpool_id: str
    version: int
    redecided: Sequence[Redecided]


def correct(engine: Engine, carpool_id: str, correction: Correction, why: str, by: str, now: datetime) -> Corrected:
    """Put facts right and, where something was decided, decide again; a reason is asked for.

    Raises:
        NotFound: `unknown_carpool`.
        BadInput: as `correct_facts`; `why_missing`, `why_too_long`, `why_names_somebody`.
        Conflict: `cancelled_already`.
        Forbidden: `own_carpool`.
    """
    reason = read_why(why)
    with transaction(engine) as session:
        books = Books(session)  # its turn keeps who settles the month away meanwhile
        corrected = write_corrected(session, books, carpool_id, correction, reason, by, now)
        books.flush()
        return corrected


def write_corrected(
    session: Session, books: Books, carpool_id: str, correction: Correction, why: str, by: str, now: datetime
) -> Corrected:
    """As `correct`, with the books at hand, which the caller flushes."""
    carpool = get_carpool(session, carpool_id)
    if carpool.state is CarpoolState.CANCELLED:
        raise Conflict("cancelled_already", carpool=carpool_id)
    revisions = list_revisions(session, carpool_id)
    declared = json.loads(revisions[0].facts if revisions else carpool.facts)
    before = json.loads(carpool.facts)
    after = correct_facts(declared, before, correction)
    people = people_in(read_car(before)) | people_in(read_car(after))
    if by.removeprefix("person:") in people:
        raise Forbidden("own_carpool")
    rendered = render_facts(after)
    add_revision(session, carpool, rendered, hash_facts(rendered), by, why, now)
    version = revisions[-1].number + 1 if revisions else 1
    redecided: Sequence[Redecided] = ()
    if carpool.state is CarpoolState.DECIDED:
        redecided = put_in_order(session, books, carpool.policy_id, carpool.month, people, now, changed=(carpool_id,))
    else:
        _promise_again(session, books, carpool, after, version, now)
    facts: dict[str, Fact] = {"carpool": carpool_id, "version": version, "n_redecided": len(redecided)}
    record(session, AuditLine(now, by, "covoiturage.corrected", f"person:{carpool.driver}", why, facts))
    return Corrected(carpool_id, version, redecided)


def bring_back(session: Session, books: Books, carpool_id: str, now: datetime) -> Sequence[Redecided]:
    """A cancelled carpool was so after all: it is decided again, or for the first time with the others that are due.

    Raises:
        Conflict: `not_cancelled`.
    """
    carpool = get_carpool(session, carpool_id)
    if carpool.state is not CarpoolState.CANCELLED:
        raise Conflict("not_cancelled", carpool=carpool_id)
    set_reserved(session, carpool_id, 0)  # what was promised went back; the budget pays it if it can
    decision = last_decision(session, carpool_id)
    after = CarpoolState.CLOSED if decision is None else CarpoolState.DECIDED
    set_state(session, carpool_id, CarpoolState.CANCELLED, after)
    if decision is None:
        return ()
    people = people_in(read_car(json.loads(carpool.facts)))
    return put_in_order(session, books, carpool.policy_id, carpool.month, people, now, changed=(carpool_id,))


def _promise_again(
    session: Session, books: Books, carpool: KeptCarpool, facts: dict[str, Any], version: int, now: datetime
) -> None:
    """Promise what the car is worth by its facts put right, as far as the budget goes."""
    keys = [ledger.reserve_key(carpool.id, one) for one in range(version)]
    standing = [undo(entry, now) for entry in list_standing(session, keys).values()]
    policy = find_in_force(list_in_force(session), local_day(None, carpool.end_at))
    if policy is None or policy.id != carpool.policy_id or budget_of(books, policy.id)[0] is None:
        return
    books.append([prepare(entry) for entry in standing], now)
    estimate = CarJudge(policy).decide(read_car(facts), Counters()).amount_cents
    promised = min(estimate, max(0, books.balance_cents(ledger.budget_of(policy.id).code)))
    entry = ledger.reserve(carpool.id, policy.id, promised, now, version)
    if entry is not None:
        books.append([prepare(entry)], now)
    set_reserved(session, carpool.id, promised)
