"""Declaring: a finished carpool is kept once, its proof judged, its estimate promised; or it is cancelled.

A carpool may be declared until 24 hours after its end. Sent again under the same key it is the
same carpool; the key with another body is refused, and nothing changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from covoiturage import ledger
from covoiturage.carpool import Carpool, facts_of, hash_facts, render_facts
from covoiturage.declaration import read_carpool
from covoiturage.policy.caps import Counters
from covoiturage.policy.facts import read_car
from covoiturage.policy.model import Policy
from covoiturage.policy.shipped import find_in_force, shipped_policies
from covoiturage.policy.trips import CarJudge
from covoiturage.proof import ProofClass, Refused, judge_proof
from mobigo.services.covoiturage.ordering import keys_of, people_in, put_in_order, undo
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, transaction
from mobigo.store.covoiturage.carpools import (
    CarpoolState,
    Declaration,
    KeptCarpool,
    add_carpool,
    find_by_key,
    get_carpool,
    list_known_ids,
    set_state,
)
from mobigo.store.covoiturage.decided import list_ride_ids
from mobigo.store.covoiturage.decisions import last_decision, mark_reversed, read_counters, write_counters
from mobigo.store.covoiturage.policies import list_in_force
from mobigo.store.ledger.books import Books, prepare
from mobigo.store.ledger.reads import list_standing
from socle.accounting import Entry
from socle.errors import BadInput, Conflict, Fact, NotFound
from socle.money import Cents

DECLARED_WITHIN = timedelta(hours=24)
CLOCKS_MAY_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Declared:
    """What became of a declaration: `replayed` when it was known; classes or refusals by ride."""

    carpool_id: str
    policy_id: str | None
    reserved_cents: Cents
    proofs: Mapping[str, str]
    replayed: bool


def check_key(key: str) -> str:
    """An idempotency key, as whoever asks has chosen it.

    Raises:
        BadInput: `bad_key`.
    """
    if not (0 < len(key) <= 200 and key.isascii() and key.isprintable()):
        raise BadInput("bad_key")
    return key


def declare(engine: Engine, given: Mapping[str, Any], key: str, actor: str, now: datetime, scope: str = "") -> Declared:
    """Keep the carpool of a plain object, under an idempotency key, which is one among those of `scope`.

    Raises:
        BadInput: as `read_carpool`; `bad_key`; `carpool_in_future`.
        Conflict: `key_used_otherwise`, `id_taken`, `declared_too_late`.
    """
    key = scope + check_key(key)
    carpool = read_carpool(given)
    digest = hashlib.sha256(
        json.dumps(given, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    ).hexdigest()
    with transaction(engine) as session:
        return write_declared(session, carpool, key, digest, actor, now)


def write_declared(session: Session, carpool: Carpool, key: str, digest: str, actor: str, now: datetime) -> Declared:
    """As `declare`, of a carpool that was read already, in the transaction at hand.

    Raises:
        BadInput: `carpool_in_future`.
        Conflict: `key_used_otherwise`, `id_taken`, `declared_too_late`.
    """
    verdicts = {ride.id: judge_proof(carpool, ride) for ride in carpool.rides}
    proofs = {ride_id: str(one.why if isinstance(one, Refused) else one) for ride_id, one in verdicts.items()}
    known = find_by_key(session, key)
    if known is not None:
        if known.body_sha256 != digest:
            raise Conflict("key_used_otherwise", key=key)
        return Declared(known.id, known.policy_id, known.reserved_cents, proofs, replayed=True)
    if carpool.end_at > now + CLOCKS_MAY_DIFFER:
        raise BadInput("carpool_in_future", carpool=carpool.id)
    if carpool.end_at < now - DECLARED_WITHIN:
        raise Conflict("declared_too_late", carpool=carpool.id)
    taken = list_known_ids(session, carpool.id, [ride.id for ride in carpool.rides])
    if taken:
        raise Conflict("id_taken", id=taken[0])
    declaration = _declaration(session, carpool, verdicts, key, digest, now)
    add_carpool(session, carpool, verdicts, declaration, now)
    facts: dict[str, Fact] = {"carpool": carpool.id, "n_rides": len(carpool.rides)}
    record(session, AuditLine(now, actor, "covoiturage.declared", f"person:{carpool.driver}", facts=facts))
    return Declared(carpool.id, declaration.policy_id, declaration.reserved_cents, proofs, replayed=False)


def local_day(policy: Policy | None, end_at: datetime) -> date:
    """The day a carpool belongs to: that of its end, by the policy's clock (the Region's, when there is none)."""
    zone = policy.zone if policy is not None else next(iter(shipped_policies().values())).zone
    return end_at.astimezone(zone).date()


def _declaration(
    session: Session,
    carpool: Carpool,
    verdicts: Mapping[str, ProofClass | Refused],
    key: str,
    digest: str,
    now: datetime,
) -> Declaration:
    classes = {ride_id: None if isinstance(one, Refused) else str(one) for ride_id, one in verdicts.items()}
    facts = facts_of(carpool, classes)
    rendered = render_facts(facts)
    policy = find_in_force(list_in_force(session), local_day(None, carpool.end_at))
    reserved = 0 if policy is None else _reserve(session, carpool.id, policy, facts, now)
    day = local_day(policy, carpool.end_at)
    return Declaration(
        key, digest, rendered, hash_facts(rendered), policy.id if policy else None, f"{day:%Y-%m}", reserved
    )


def _reserve(session: Session, carpool_id: str, policy: Policy, facts: Mapping[str, Any], now: datetime) -> Cents:
    """Promise what the car is worth before limits, as far as the budget goes; nothing where no budget was granted."""
    estimate = CarJudge(policy).decide(read_car(facts), Counters()).amount_cents
    books = Books(session)
    try:
        left = books.balance_cents(ledger.budget_of(policy.id).code)
    except NotFound:
        return 0
    promised = min(estimate, max(0, left))
    entry = ledger.reserve(carpool_id, policy.id, promised, now)
    if entry is not None:
        books.append([prepare(entry)], now)
        books.flush()
    return promised


def cancel(engine: Engine, carpool_id: str, actor: str, why: str, now: datetime) -> KeptCarpool:
    """Undo a carpool that was not so: what was promised comes back, what was decided is reversed and not counted.

    What that makes room for among its people's others of the month is decided again.
    What was paid out already stays a debt of the driver, set against later months.

    Raises:
        NotFound: `unknown_carpool`.
        Conflict: `cancelled_already`.
    """
    with transaction(engine) as session:
        return write_cancelled(session, carpool_id, actor, why, now)


def write_cancelled(session: Session, carpool_id: str, actor: str, why: str, now: datetime) -> KeptCarpool:
    """As `cancel`, in the transaction at hand."""
    books = Books(session)  # its turn keeps who settles the month away meanwhile
    carpool = get_carpool(session, carpool_id)
    if carpool.state is CarpoolState.CANCELLED:
        raise Conflict("cancelled_already", carpool=carpool_id)
    undone = _undo_promise(carpool, now)
    if carpool.state is CarpoolState.DECIDED:
        undone += _undo(session, carpool, now)
    set_state(session, carpool.id, carpool.state, CarpoolState.CANCELLED)
    books.append([prepare(entry) for entry in undone], now)
    if carpool.state is CarpoolState.DECIDED:
        put_in_order(session, books, carpool, people_in(read_car(json.loads(carpool.facts))), now)
    books.flush()
    facts: dict[str, Fact] = {"carpool": carpool.id, "n_entries": len(undone)}
    record(session, AuditLine(now, actor, "covoiturage.cancelled", f"person:{carpool.driver}", why, facts))
    return get_carpool(session, carpool_id)


def _undo_promise(carpool: KeptCarpool, now: datetime) -> list[Entry]:
    if not carpool.reserved_cents or carpool.policy_id is None:
        return []
    entry = ledger.decide(carpool.id, 0, carpool.policy_id, carpool.driver, 0, now, reserved=carpool.reserved_cents)
    return [] if entry is None else [entry]


def _undo(session: Session, carpool: KeptCarpool, now: datetime) -> list[Entry]:
    """The entries that reverse the last decision and its fares; counters go back by what it had charged."""
    decision = last_decision(session, carpool.id)
    if decision is None:
        return []
    charged = {_key(row): row["value"] for row in decision.charged}
    counted = read_counters(session, decision.policy_id, list(charged))
    less = {key: max(0, counted.get(key, 0) - value) for key, value in charged.items()}
    write_counters(session, decision.policy_id, less)
    mark_reversed(session, decision, now)
    keys = keys_of(carpool.id, list_ride_ids(session, carpool.id), decision.number)
    # A car worth nothing, or a ride without fare, has no entry.
    return [undo(entry, now) for entry in list_standing(session, keys).values()]


def _key(row: Mapping[str, Any]) -> tuple[str, str, str | None, str, str | None]:
    return row["counter"], row["scope"], row["subject"], row["period"], row["period_key"]
