"""Settling: the carpools of a month decided in the order of their ends, entered, and told.

A carpool is decided 48 hours after its end at the earliest, so that what was declared late or
disputed is there. The decision, its entries and its counters are written together, some hundreds
of carpools per transaction; run again, nothing is decided or entered twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from covoiturage import ledger
from covoiturage.payments import check_month
from covoiturage.policy.caps import Counters, Key
from covoiturage.policy.explain import explain_car, render_exact
from covoiturage.policy.facts import CarFacts, read_car
from covoiturage.policy.model import Policy
from covoiturage.policy.shipped import find_in_force
from covoiturage.policy.trips import CarDecision, CarJudge
from mobigo.bridges.driving import Drives
from mobigo.security import Keys
from mobigo.services.covoiturage.ordering import people_in, put_in_order
from mobigo.services.covoiturage.screening import DECIDED_AFTER, screen
from mobigo.services.covoiturage.wording import step_sentence
from mobigo.store.base import Session, reading, transaction
from mobigo.store.covoiturage.carpools import (
    CarpoolState,
    KeptCarpool,
    count_decisions,
    count_held,
    list_by_state,
    list_undecided,
    set_state,
)
from mobigo.store.covoiturage.decided import last_decided_end
from mobigo.store.covoiturage.decisions import (
    KeptDecision,
    add_decision,
    read_counters,
    read_counters_of,
    write_counters,
)
from mobigo.store.covoiturage.policies import list_in_force
from mobigo.store.ledger.books import Books, prepare
from socle.accounting import Account, Entry
from socle.errors import NotFound
from socle.money import Cents

_PIECE = 250  # carpools of one transaction


@dataclass(frozen=True, slots=True)
class Settled:
    """What a run did, and where the month stands.

    `pending` carpools are still inside their 48 hours, `held` ones wait for people who look at what the
    fraud rules saw.
    """

    month: str
    decided: int
    refused: int
    pending: int
    held: int
    subsidy_cents: Cents
    fare_cents: Cents
    entries: int

    @property
    def net_cents(self) -> Cents:
        """What the Region pays in the end."""
        return self.subsidy_cents - self.fare_cents

    def as_dict(self) -> dict[str, Any]:
        """The figures as plain values."""
        return {**asdict(self), "net_cents": self.net_cents}


class _Lent(dict[Key, int]):
    """The counters of a piece of work: those of `subjects` were read, others are when they are asked for.

    `seen` are the counters that the decision under way has looked at, as they were; `changed` are
    those that any decision of the piece has changed.
    """

    def __init__(self, session: Session, policy_id: str, subjects: Collection[str]) -> None:
        super().__init__(read_counters_of(session, policy_id, subjects))
        self._session, self._policy_id, self._subjects = session, policy_id, subjects
        self.seen: dict[Key, int] = {}
        self.changed: set[Key] = set()

    def get(self, key: Key, default: Any = None) -> Any:
        """The counter of `key`, from the database where it was not read yet."""
        if key not in self and key[2] not in self._subjects:
            found = read_counters(self._session, self._policy_id, [key])
            super().__setitem__(key, found.get(key, 0))
        value = super().get(key, default)
        self.seen.setdefault(key, value)
        return value

    def __setitem__(self, key: Key, value: int) -> None:
        self.changed.add(key)
        super().__setitem__(key, value)


def settle(
    engine: Engine,
    month: str,
    now: datetime,
    *,
    keys: Keys | None = None,
    drives: Drives | None = None,
    progress: Callable[[int], None] = lambda _n: None,
) -> Settled:
    """Decide what is due of `month` and held by nobody, and enter it, once the fraud rules saw it.

    `keys` let them compare bank accounts, `drives` the metres and minutes declared with those of the streets.

    Raises:
        BadInput: `bad_month`.
        Conflict: as `Books.append`.
    """
    check_month(month)
    screen(engine, now, keys, drives)
    decided = refused = n_entries = 0
    subsidy = fares = 0
    with reading(engine) as session:
        decided_until = last_decided_end(session, month)
    while True:
        with transaction(engine) as session:
            books = Books(session)  # its turn keeps others who settle or cancel away meanwhile
            due = list_undecided(session, month, now - DECIDED_AFTER, _PIECE)
            if not due:
                break
            settled = _settle_some(session, books, due, now)
            late = [one for one in due if decided_until is not None and one.end_at <= decided_until]
            n_entries += _put_in_order(session, late, now)
        for decision, entries in settled:
            decided += decision.eligible
            refused += not decision.eligible
            subsidy += decision.amount_cents
            fares += decision.fare_cents
            n_entries += entries
        progress(len(settled))
    with reading(engine) as session:
        held = count_held(session, month)
        pending = list_by_state(session, month)[CarpoolState.CLOSED] - held
    return Settled(month, decided, refused, pending, held, subsidy, fares, n_entries)


def _put_in_order(session: Session, late: Sequence[KeptCarpool], now: datetime) -> int:
    """Give what was decided after some that ended later its place in the order of ends; the entries that makes."""
    books, n_entries = Books(session), 0
    for carpool in late:
        people = people_in(read_car(json.loads(carpool.facts)))
        n_entries += sum(one.n_entries for one in put_in_order(session, books, carpool, people, now))
        books.flush()
        books = Books(session)
    return n_entries


def _settle_some(
    session: Session, books: Books, due: list[KeptCarpool], now: datetime
) -> list[tuple[CarDecision, int]]:
    policies = list_in_force(session)
    cars = {carpool.id: read_car(json.loads(carpool.facts)) for carpool in due}
    subjects = {str(car.driver) for car in cars.values()}
    subjects |= {str(ride.couple.passenger) for car in cars.values() for ride in car.rides}
    counters = {
        policy_id: _Lent(session, policy_id, subjects) for policy_id in {one.policy_id for one in due} if policy_id
    }
    settled = []
    for carpool in due:
        if carpool.policy_id is None:
            settled.append((CarDecision("no_policy_that_day", 0, 0, 0, None), 0))
        else:
            policy, lent = _version_of(policies, carpool), counters[carpool.policy_id]
            settled.append(_settle_one(session, books, policy, carpool, cars[carpool.id], lent, now))
        set_state(session, carpool.id, CarpoolState.CLOSED, CarpoolState.DECIDED)
    books.flush()
    for policy_id, lent in counters.items():
        write_counters(session, policy_id, {key: lent[key] for key in lent.changed})
    return settled


def _version_of(policies: Sequence[Policy], carpool: KeptCarpool) -> Policy:
    """The version of the carpool's policy that was in force on its day; none is ever taken away."""
    versions = [policy for policy in policies if policy.id == carpool.policy_id]
    found = find_in_force(versions, carpool.end_at.astimezone(versions[0].zone).date())
    return found or versions[0]


def _settle_one(
    session: Session, books: Books, policy: Policy, carpool: KeptCarpool, car: CarFacts, lent: _Lent, now: datetime
) -> tuple[CarDecision, int]:
    granted, left = _budget(books, policy.id)
    decision, budget = _decide(policy, car, lent, granted, left, carpool.reserved_cents)
    before = dict(lent.seen)
    charged = {key: lent.get(key, 0) - value for key, value in before.items() if lent.get(key, 0) != value}
    number = count_decisions(session, carpool.id) + 1
    entries = list(_entries(policy, carpool, car, decision, number, kept_budget=granted is not None))
    books.open([*ledger.accounts_of(policy.id), *_accounts_of(car)])
    books.append([prepare(entry) for entry in entries], now)
    judge = CarJudge(policy, budget_cents=budget)
    steps = explain_car(judge, car, decision)
    add_decision(
        session,
        KeptDecision(
            carpool.id,
            number,
            policy.id,
            policy.version,
            carpool.facts_sha256,
            decision.reason,
            decision.stateless_cents,
            decision.amount_cents,
            decision.fare_cents,
            budget,
            Counters(before).as_rows(),
            Counters(charged).as_rows(),
            [
                {
                    "step": step.step,
                    "type": step.type,
                    "slice": step.slice,
                    "exact": None if step.exact is None else render_exact(step.exact),
                    "text": step_sentence(step),
                }
                for step in steps
            ],
            now,
        ),
    )
    return decision, len(entries)


def _decide(
    policy: Policy, car: CarFacts, lent: _Lent, granted: Cents | None, left: Cents, reserved: Cents
) -> tuple[CarDecision, Cents | None]:
    """Decide within the budget: the decision, and the budget that it saw."""
    lent.seen = {}
    used: Key = ("amount_cents", "campaign", None, "campaign", None)
    # What is promised to others is not there to be paid, so the budget is what was used and what is left for this car.
    budget = None if granted is None else lent.get(used, 0) + left + reserved
    counters = Counters()
    counters.values = lent
    return CarJudge(policy, budget_cents=budget).decide(car, counters), budget


def _budget(books: Books, policy_id: str) -> tuple[Cents | None, Cents]:
    """What was granted under a policy (None: no budget is kept), and what is left of it and promised to nobody."""
    try:
        granted = -books.balance_cents(ledger.budget_granted_of(policy_id).code)
    except NotFound:
        return None, 0
    return granted or None, books.balance_cents(ledger.budget_of(policy_id).code)


def _entries(
    policy: Policy, carpool: KeptCarpool, car: CarFacts, decision: CarDecision, number: int, *, kept_budget: bool
) -> Iterator[Entry]:
    at = car.end_at
    reserved = carpool.reserved_cents if kept_budget else None
    decided = ledger.decide(
        carpool.id,
        number,
        policy.id,
        carpool.driver,
        decision.amount_cents,
        at,
        reserved=reserved,
        facts_sha256=carpool.facts_sha256,
    )
    if decided is not None:
        yield decided
    fare = policy.car.fare
    for ride in decision.outing.rides if decision.outing and decision.eligible and fare else ():
        cents = fare.cents * ride.seats if fare and fare.mode == "flat" else ride.couple.contribution_cents
        entry = ledger.charge_fare(ride.ride_id, str(ride.couple.passenger), cents, at)
        if entry is not None:
            yield entry


def _accounts_of(car: CarFacts) -> list[Account]:
    people = [ledger.receivable_from(str(ride.couple.passenger)) for ride in car.rides]
    return list(dict.fromkeys([ledger.payable_to(str(car.driver)), *people]))
