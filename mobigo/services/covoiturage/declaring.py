"""Declaring: a finished carpool is kept once, its proof judged, its estimate promised; or it is cancelled.

A carpool may be declared until 24 hours after its end. Sent again under the same key it is the
same carpool; the key with another body is refused, and nothing changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
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
from mobigo.store.audit import AuditLine, record, record_all
from mobigo.store.base import Session, transaction
from mobigo.store.covoiturage.carpools import (
    CarpoolState,
    Declaration,
    KeptCarpool,
    Known,
    add_carpools,
    get_carpool,
    list_by_keys,
    list_known_ids,
    set_state,
)
from mobigo.store.covoiturage.decided import list_ride_ids
from mobigo.store.covoiturage.decisions import last_decision, mark_reversed, read_counters, write_counters
from mobigo.store.covoiturage.policies import list_in_force
from mobigo.store.ledger.books import Books, prepare
from mobigo.store.ledger.reads import list_standing
from socle.accounting import Entry
from socle.errors import BadInput, Conflict, Fact, MobigoError, NotFound
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
    with transaction(engine) as session:
        return write_declared(session, carpool, key, _digest(given), actor, now)


@dataclass(frozen=True, slots=True)
class Sent:
    """A carpool that is declared at an instant, under a key, in a body with this digest."""

    carpool: Carpool
    key: str
    digest: str
    at: datetime


def declare_all(
    engine: Engine, given: Sequence[tuple[Mapping[str, Any], str]], actor: str, now: datetime
) -> Sequence[Declared | MobigoError]:
    """Keep the carpools of plain objects, each with its idempotency key, in one transaction; what became of each.

    One that is refused, as by `declare`, keeps none of the others away.
    """
    answers: list[Declared | MobigoError | None] = []
    told = []
    for one, key in given:
        try:
            told.append(Sent(read_carpool(one), check_key(key), _digest(one), now))
            answers.append(None)
        except MobigoError as error:
            answers.append(error)
    with transaction(engine) as session:
        written = iter(write_all_declared(session, told, actor))
    return [next(written) if answer is None else answer for answer in answers]


def _digest(given: Mapping[str, Any]) -> str:
    body = json.dumps(given, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()


def write_declared(session: Session, carpool: Carpool, key: str, digest: str, actor: str, now: datetime) -> Declared:
    """As `declare`, of a carpool that was read already, in the transaction at hand.

    Raises:
        BadInput: `carpool_in_future`.
        Conflict: `key_used_otherwise`, `id_taken`, `declared_too_late`.
    """
    (answer,) = write_all_declared(session, [Sent(carpool, key, digest, now)], actor)
    if isinstance(answer, MobigoError):
        raise answer
    return answer


def write_all_declared(session: Session, told: Sequence[Sent], actor: str) -> Sequence[Declared | MobigoError]:
    """As `write_declared`, of many: few questions and few writings for all of them."""
    intake = _Intake(session, told)
    answers = [intake.take(one) for one in told]
    intake.write(actor)
    return answers


class _Intake:
    """Declarations judged one after the other, against what is kept and against those before them."""

    def __init__(self, session: Session, told: Sequence[Sent]) -> None:
        self._session = session
        self._known = dict(list_by_keys(session, [one.key for one in told]))
        rides = [ride.id for one in told for ride in one.carpool.rides]
        self._carpools, self._rides = list_known_ids(session, [one.carpool.id for one in told], rides)
        self._policies = list_in_force(session)
        self._promises = _Promises(session)
        self._taken: list[Declaration] = []

    def take(self, one: Sent) -> Declared | MobigoError:
        """What becomes of a declaration."""
        carpool = one.carpool
        verdicts = {ride.id: judge_proof(carpool, ride) for ride in carpool.rides}
        proofs = {ride_id: str(one.why if isinstance(one, Refused) else one) for ride_id, one in verdicts.items()}
        known = self._known.get(one.key)
        if known is not None and known.body_sha256 == one.digest:
            return Declared(known.id, known.policy_id, known.reserved_cents, proofs, replayed=True)
        refusal = self._refusal(one, known)
        if refusal is not None:
            return refusal
        kept = self._declaration(one, verdicts)
        self._taken.append(kept)
        self._known[one.key] = Known(carpool.id, one.digest, kept.policy_id, kept.reserved_cents)
        self._carpools.add(carpool.id)
        self._rides.update(ride.id for ride in carpool.rides)
        return Declared(carpool.id, kept.policy_id, kept.reserved_cents, proofs, replayed=False)

    def _refusal(self, one: Sent, known: Known | None) -> MobigoError | None:
        carpool = one.carpool
        if known is not None:
            return Conflict("key_used_otherwise", key=one.key)
        if carpool.end_at > one.at + CLOCKS_MAY_DIFFER:
            return BadInput("carpool_in_future", carpool=carpool.id)
        if carpool.end_at < one.at - DECLARED_WITHIN:
            return Conflict("declared_too_late", carpool=carpool.id)
        if carpool.id in self._carpools:
            return Conflict("id_taken", id=carpool.id)
        taken = next((ride.id for ride in carpool.rides if ride.id in self._rides), None)
        return None if taken is None else Conflict("id_taken", id=taken)

    def _declaration(self, one: Sent, verdicts: Mapping[str, ProofClass | Refused]) -> Declaration:
        carpool = one.carpool
        classes = {ride_id: None if isinstance(each, Refused) else str(each) for ride_id, each in verdicts.items()}
        facts = facts_of(carpool, classes)
        rendered = render_facts(facts)
        policy = find_in_force(self._policies, local_day(None, carpool.end_at))
        return Declaration(
            carpool,
            verdicts,
            one.key,
            one.digest,
            rendered,
            hash_facts(rendered),
            policy.id if policy else None,
            f"{local_day(policy, carpool.end_at):%Y-%m}",
            0 if policy is None else self._promises.reserve(carpool.id, policy, facts, one.at),
            one.at,
        )

    def write(self, actor: str) -> None:
        """Keep what was taken, and say so in the log."""
        add_carpools(self._session, self._taken)
        self._promises.write()
        lines = []
        for one in self._taken:
            facts: dict[str, Fact] = {"carpool": one.carpool.id, "n_rides": len(one.carpool.rides)}
            subject = f"person:{one.carpool.driver}"
            lines.append(AuditLine(one.declared_at, actor, "covoiturage.declared", subject, facts=facts))
        record_all(self._session, lines)


class _Promises:
    """What cars are worth before limits, promised as far as the budget goes; nothing where none was granted."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._books: Books | None = None  # nobody's turn is taken before it is needed
        self._judges: dict[str, CarJudge] = {}  # by version of the policy

    def reserve(self, carpool_id: str, policy: Policy, facts: Mapping[str, Any], at: datetime) -> Cents:
        """Promise what one car is worth; how much was promised."""
        if self._books is None:
            self._books = Books(self._session)
        budget = ledger.budget_of(policy.id).code
        try:
            left = self._books.balance_cents(budget)
        except NotFound:
            return 0
        if policy.version not in self._judges:
            self._judges[policy.version] = CarJudge(policy)
        judge = self._judges[policy.version]
        estimate = judge.decide(read_car(facts), Counters()).amount_cents
        promised = min(estimate, max(0, left))
        entry = ledger.reserve(carpool_id, policy.id, promised, at)
        if entry is not None:
            self._books.append([prepare(entry)], at)
        return promised

    def write(self) -> None:
        """Enter what was promised."""
        if self._books is not None:
            self._books.flush()


def local_day(policy: Policy | None, end_at: datetime) -> date:
    """The day a carpool belongs to: that of its end, by the policy's clock (the Region's, when there is none)."""
    zone = policy.zone if policy is not None else next(iter(shipped_policies().values())).zone
    return end_at.astimezone(zone).date()


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
        people = people_in(read_car(json.loads(carpool.facts)))
        put_in_order(session, books, carpool.policy_id, carpool.month, people, now)
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
