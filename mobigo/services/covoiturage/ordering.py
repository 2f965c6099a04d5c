"""Ordering: what stood decided is decided again where something before it has changed, and the difference entered.

A decision reads counters of its people, so what changes in one carpool may change what later ones
of the month are worth: a fifth carpool of a day becomes the fourth. The carpools of the people
concerned are gone through in the order of their ends; one that would now read other counters than
it did is decided again, its people's carpools join, until nothing changes any more. What was
counted in other months, and the budget, stay as they are: a correction takes nothing from others.

Nothing entered is changed: the entries of a decision are reversed and those of the new one added.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from covoiturage import ledger
from covoiturage.policy.caps import Counters, Key, period_keys
from covoiturage.policy.explain import Step, explain_car, render_exact
from covoiturage.policy.facts import CarFacts, read_car
from covoiturage.policy.model import Policy
from covoiturage.policy.shipped import find_in_force
from covoiturage.policy.trips import CarDecision, CarJudge
from mobigo.services.covoiturage.wording import step_sentence
from mobigo.store.base import Session
from mobigo.store.covoiturage.decided import DecidedCarpool, list_decided_with, list_ride_ids
from mobigo.store.covoiturage.decisions import (
    KeptDecision,
    add_decision,
    mark_reversed,
    read_counters,
    read_counters_of,
    write_counters,
)
from mobigo.store.covoiturage.policies import list_in_force
from mobigo.store.ledger.books import Books, prepare
from mobigo.store.ledger.reads import list_standing
from socle.accounting import Account, Entry, reversal_of
from socle.errors import NotFound
from socle.money import Cents

_OF_PEOPLE = frozenset({"driver", "passenger"})  # scopes whose counters are somebody's
USED: Key = ("amount_cents", "campaign", None, "campaign", None)


@dataclass(frozen=True, slots=True)
class Redecided:
    """One carpool decided again: what it was worth, what it is worth, and the entries that say so."""

    carpool_id: str
    number: int
    before_cents: Cents
    after_cents: Cents
    n_entries: int


@dataclass(slots=True)
class _Car:
    """A decided carpool as it is gone through: what its decision had counted, and what stands entered for it."""

    kept: DecidedCarpool
    facts: CarFacts
    policy: Policy
    day: date
    charged: Mapping[Key, int]
    seen: Mapping[Key, int]

    @property
    def people(self) -> set[str]:
        return people_in(self.facts)

    def reads(self, key: Key) -> bool:
        """Whether a decision about this car may read that counter."""
        _, scope, subject, period, period_key = key
        if period_key != period_keys(self.day)[period]:
            return False
        return subject == self.facts.driver if scope == "driver" else subject in self.people


@dataclass(slots=True)
class _Again:
    """A car decided again, with what it saw and counted."""

    car: _Car
    decision: CarDecision
    budget_cents: Cents | None
    spent_cents: Cents  # of the budget, by what stands entered
    before: Mapping[Key, int]
    charged: Mapping[Key, int]
    explanation: Sequence[Mapping[str, Any]]
    standing: Mapping[str, Entry]


class _Lent(dict[Key, int]):
    """Counters that note which of them are looked at."""

    def __init__(self, values: Mapping[Key, int], session: Session, policy_id: str) -> None:
        super().__init__()
        self._session, self._policy_id = session, policy_id
        self.seen: dict[Key, int] = {}
        self.of: dict[str | None, set[Key]] = {}  # by subject
        for key, value in values.items():
            self[key] = value

    def __setitem__(self, key: Key, value: int) -> None:
        if key not in self:
            self.of.setdefault(key[2], set()).add(key)
        super().__setitem__(key, value)

    def get(self, key: Key, default: Any = None) -> Any:
        """The counter of `key`; one that is nobody's is read when it is asked for."""
        if key not in self and key[1] not in _OF_PEOPLE:
            self[key] = read_counters(self._session, self._policy_id, [key]).get(key, 0)
        value = super().get(key, default)
        self.seen.setdefault(key, value)
        return value


def put_in_order(
    session: Session,
    books: Books,
    policy_id: str | None,
    month: str,
    people: Collection[str],
    now: datetime,
    *,
    changed: Collection[str] = (),
) -> Sequence[Redecided]:
    """Decide again what the carpools of `people` in a month under a policy ask for, and those with other facts.

    Those are `changed`. The caller flushes the books. Nothing is entered where nothing differs, or no policy pays.
    """
    if policy_id is None:
        return ()
    walk = _Walk(session, books, policy_id, month, frozenset(changed))
    known = set(people)
    while missing := walk.run(known):
        known |= missing
    done = [_write(session, books, again, now) for again in walk.in_order_of_budget()]
    write_counters(session, policy_id, walk.changed_counters())
    return done


class _Walk:
    """The carpools of some people in one month, gone through in their order."""

    def __init__(self, session: Session, books: Books, policy_id: str, month: str, changed: frozenset[str]) -> None:
        self._session, self._books, self._policy_id, self._month = session, books, policy_id, month
        self._changed = changed
        self._versions = [policy for policy in list_in_force(session) if policy.id == policy_id]
        self._granted, self._left = budget_of(books, policy_id)
        self._again: list[_Again] = []
        self._cars: dict[str, _Car] = {}  # by id, of those of the people gone through before
        self._read: set[str] = set()  # people whose cars and counters were read
        self._totals: dict[Key, int] = {}
        self._lent = _Lent({}, session, policy_id)

    def run(self, people: set[str]) -> set[str]:
        """Go through the carpools of `people`; who else must be among them, for the answer to be whole."""
        self._read_those_of(people - self._read)
        cars = sorted(self._cars.values(), key=lambda car: (car.kept.carpool.end_at, car.kept.carpool.id))
        missing: set[str] = set()
        self._lent = _Lent(self._totals, self._session, self._policy_id)
        self._again = []
        for car in cars:
            self._count({key: -value for key, value in car.charged.items() if _is_of(key, people)})
        left = self._left
        for car in cars:
            asks = car.kept.carpool.id in self._changed or self._reads_otherwise(car)
            missing |= car.people - people if asks else set()
            if not asks or not car.people <= people:
                self._count({key: value for key, value in car.charged.items() if _is_of(key, people)})
                continue
            again = self._decide(car, left)
            left += again.spent_cents - (again.decision.amount_cents if self._granted is not None else 0)
            if _differs(again, self._changed):
                self._again.append(again)
        return missing

    def _read_those_of(self, people: set[str]) -> None:
        found = list_decided_with(self._session, self._policy_id, self._month, people)
        self._cars |= {one.carpool.id: self._car(one) for one in found if one.carpool.id not in self._cars}
        self._totals |= read_counters_of(self._session, self._policy_id, people)
        self._read |= people

    def in_order_of_budget(self) -> list[_Again]:
        """What was decided otherwise: first what gives back to the budget, so that it bears what takes from it."""
        return sorted(self._again, key=lambda again: again.decision.amount_cents - again.spent_cents)

    def changed_counters(self) -> dict[Key, int]:
        """The counters that are not any more what they were."""
        known = {key: self._totals.get(key, 0) for key in self._lent if key[1] in _OF_PEOPLE}
        others = [key for key in self._lent if key[1] not in _OF_PEOPLE]
        known |= dict.fromkeys(others, 0) | read_counters(self._session, self._policy_id, others)
        return {key: value for key, value in self._lent.items() if value != known[key]}

    def _car(self, kept: DecidedCarpool) -> _Car:
        facts, decision = read_car(json.loads(kept.carpool.facts)), kept.decision
        day = kept.carpool.end_at.astimezone(self._versions[0].zone).date()
        policy = find_in_force(self._versions, day) or self._versions[0]
        charged = {} if decision.reversed_at else _values(decision.charged)
        return _Car(kept, facts, policy, day, charged, _values(decision.counters_before))

    def _reads_otherwise(self, car: _Car) -> bool:
        counted = [key for name in car.people for key in self._lent.of.get(name, ())]
        keys = {key for key in (*counted, *car.seen) if key[1] in _OF_PEOPLE and car.reads(key)}
        return any(dict.get(self._lent, key, 0) != car.seen.get(key, 0) for key in keys)

    def _count(self, charged: Mapping[Key, int]) -> None:
        for key, value in charged.items():
            self._lent[key] = self._lent.get(key, 0) + value

    def _decide(self, car: _Car, left: Cents) -> _Again:
        lent, carpool = self._lent, car.kept.carpool
        self._count({key: -value for key, value in car.charged.items() if key[1] not in _OF_PEOPLE})
        keys = keys_of(carpool.id, list_ride_ids(self._session, carpool.id), car.kept.decision.number)
        standing = list_standing(self._session, keys)
        used = ledger.budget_used_of(self._policy_id).code
        spent = sum(one.cents for entry in standing.values() for one in entry.postings if one.account == used)
        budget = None if self._granted is None else lent.get(USED, 0) + left + spent
        lent.seen = {}
        counters = Counters()
        counters.values = lent
        judge = CarJudge(car.policy, budget_cents=budget)
        decision = judge.decide(car.facts, counters)
        before = dict(lent.seen)
        charged = {key: lent.get(key, 0) - value for key, value in before.items() if lent.get(key, 0) != value}
        explanation = explanation_of(judge, car.facts, decision)
        return _Again(car, decision, budget, spent, before, charged, explanation, standing)


def _differs(again: _Again, changed: Collection[str]) -> bool:
    old, new = again.car.kept.decision, again.decision
    same = (old.reason, old.stateless_cents, old.amount_cents, old.fare_cents, again.car.charged, old.explanation)
    told = (new.reason, new.stateless_cents, new.amount_cents, new.fare_cents, again.charged, again.explanation)
    return again.car.kept.carpool.id in changed or same != told


def _write(session: Session, books: Books, again: _Again, now: datetime) -> Redecided:
    car, decision = again.car, again.decision
    carpool, old = car.kept.carpool, car.kept.decision
    number = old.number + 1
    kept_budget = budget_of(books, car.policy.id)[0] is not None
    reserved = carpool.reserved_cents if kept_budget else None
    new = ledger.decide(
        carpool.id,
        number,
        car.policy.id,
        carpool.driver,
        decision.amount_cents,
        now,
        reserved=reserved,
        facts_sha256=carpool.facts_sha256,
    )
    undone = [undo(entry, now) for entry in again.standing.values() if entry.key.startswith("carpool:")]
    done = [] if new is None else [new]
    # What gives to the budget goes first, so that it never stands below zero in between.
    entries = done + undone if (reserved or 0) >= decision.amount_cents else undone + done
    entries += _fare_entries(again, number, now)
    books.open([*ledger.accounts_of(car.policy.id), *accounts_of(car.facts)])
    books.append([prepare(entry) for entry in entries], now)
    if old.reversed_at is None:
        mark_reversed(session, old, now)
    add_decision(
        session,
        KeptDecision(
            carpool.id,
            number,
            car.policy.id,
            car.policy.version,
            carpool.facts_sha256,
            decision.reason,
            decision.stateless_cents,
            decision.amount_cents,
            decision.fare_cents,
            again.budget_cents,
            Counters(again.before).as_rows(),
            Counters(again.charged).as_rows(),
            again.explanation,
            now,
        ),
    )
    before_cents = 0 if old.reversed_at else old.amount_cents
    return Redecided(carpool.id, number, before_cents, decision.amount_cents, len(entries))


def budget_of(books: Books, policy_id: str) -> tuple[Cents | None, Cents]:
    """What was granted under a policy (None: no budget is kept), and what is left of it and promised to nobody."""
    try:
        granted = -books.balance_cents(ledger.budget_granted_of(policy_id).code)
    except NotFound:
        return None, 0
    return granted or None, books.balance_cents(ledger.budget_of(policy_id).code)


def accounts_of(car: CarFacts) -> list[Account]:
    """The accounts of the people of a car."""
    riders = sorted(people_in(car) - {str(car.driver)})
    return [ledger.payable_to(str(car.driver)), *map(ledger.receivable_from, riders)]


def people_in(car: CarFacts) -> set[str]:
    """Who drove and who rode."""
    return {str(car.driver), *(str(ride.couple.passenger) for ride in car.rides)}


def fares_of(policy: Policy, decision: CarDecision) -> Iterator[tuple[str, str, Cents]]:
    """What each ride that counts costs: its id, its passenger, the cents."""
    fare = policy.car.fare
    for ride in decision.outing.rides if decision.outing and decision.eligible and fare else ():
        cents = fare.cents * ride.seats if fare and fare.mode == "flat" else ride.couple.contribution_cents
        if cents:
            yield ride.ride_id, str(ride.couple.passenger), cents


def explanation_of(judge: CarJudge, car: CarFacts, decision: CarDecision) -> list[dict[str, Any]]:
    """The steps of a decision as they are kept, with their sentences."""
    return [told(step) for step in explain_car(judge, car, decision)]


def told(step: Step) -> dict[str, Any]:
    """A step as it is kept, with its sentence."""
    return {
        "step": step.step,
        "type": step.type,
        "slice": step.slice,
        "exact": None if step.exact is None else render_exact(step.exact),
        "text": step_sentence(step),
    }


def undo(entry: Entry, now: datetime) -> Entry:
    """The reversal of an entry; each is reversed once."""
    return reversal_of(entry, f"{entry.key}:reversed", now)


def keys_of(carpool_id: str, ride_ids: Collection[str], number: int) -> list[str]:
    """The keys under which the decision of a carpool and its fares may stand, after `number` decisions."""
    numbers = range(1, number + 1)
    fares = [ledger.fare_key(ride_id, one) for ride_id in ride_ids for one in numbers]
    return [*(ledger.decision_key(carpool_id, one) for one in numbers), *fares]


def _values(rows: Sequence[Mapping[str, Any]]) -> dict[Key, int]:
    return {
        (row["counter"], row["scope"], row["subject"], row["period"], row["period_key"]): row["value"] for row in rows
    }


def _is_of(key: Key, people: set[str]) -> bool:
    return key[1] in _OF_PEOPLE and key[2] in people


def _fare_entries(again: _Again, number: int, now: datetime) -> Iterator[Entry]:
    """The fares that stand and are not owed any more, and those that are owed and do not stand."""
    fares = {entry.key: entry for key, entry in again.standing.items() if key.startswith("ride:")}
    owed = {ride_id: (passenger, cents) for ride_id, passenger, cents in fares_of(again.car.policy, again.decision)}
    stands = {}
    for entry in fares.values():
        ride_id = entry.key.split(":")[1]
        (charge,) = [posting for posting in entry.postings if posting.cents > 0]
        wanted = owed.get(ride_id)
        if wanted is None or ledger.receivable_from(wanted[0]).code != charge.account or wanted[1] != charge.cents:
            yield undo(entry, now)
        else:
            stands[ride_id] = entry
    for ride_id, (passenger, cents) in owed.items():
        charge_it = None if ride_id in stands else ledger.charge_fare(ride_id, passenger, cents, now, number)
        if charge_it is not None:
            yield charge_it
