"""Settling: the carpools of a month decided in the order of their ends, entered, and told.

A carpool is decided 48 hours after its end at the earliest, so that what was declared late or
disputed is there. The decision, its entries and its counters are written together, some thousands
of carpools per transaction; run again, nothing is decided or entered twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Engine

from covoiturage import ledger
from covoiturage.payments import check_month
from covoiturage.policy.caps import Counters, Key
from covoiturage.policy.facts import CarFacts, read_car
from covoiturage.policy.model import Policy
from covoiturage.policy.shipped import find_in_force
from covoiturage.policy.trips import CarDecision, CarJudge
from mobigo.bridges.driving import Drives
from mobigo.security import Keys
from mobigo.services.covoiturage.garbage import rarely_collected
from mobigo.services.covoiturage.ordering import (
    accounts_of,
    budget_of,
    explanation_of,
    fares_of,
    keys_of,
    people_in,
    put_in_order,
)
from mobigo.services.covoiturage.screening import DECIDED_AFTER, screen
from mobigo.store.base import Session, reading, transaction
from mobigo.store.bulk import many_pages
from mobigo.store.covoiturage.carpools import (
    CarpoolState,
    DueCarpool,
    count_held,
    get_carpool,
    list_by_state,
    list_due,
    set_decided,
)
from mobigo.store.covoiturage.decided import last_decided_end
from mobigo.store.covoiturage.decisions import (
    KeptDecision,
    add_decisions,
    read_counters,
    read_counters_like,
    write_counters,
)
from mobigo.store.covoiturage.policies import list_in_force
from mobigo.store.ledger.books import Books, prepare
from socle.accounting import Entry
from socle.money import Cents

AT_ONCE: Final = 5_000
"""Carpools of one transaction."""
_USED: Final[Key] = ("amount_cents", "campaign", None, "campaign", None)


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
    """The counters of a piece of work: those of `subjects` are read for all of them when one is asked for.

    `seen` are the counters that the decision under way has looked at, as they were; `changed` are
    those that any decision of the piece has changed.
    """

    def __init__(self, session: Session, policy_id: str, subjects: Collection[str]) -> None:
        super().__init__()
        self._session, self._policy_id, self._subjects = session, policy_id, subjects
        self._read: set[Key] = set()  # kinds and periods, of nobody
        self.seen: dict[Key, int] = {}
        self.changed: set[Key] = set()

    def get(self, key: Key, default: Any = None) -> Any:
        """The counter of `key`, from the database where it was not read yet."""
        value = super().get(key)
        if value is None:
            value = self._find(key)
        self.seen.setdefault(key, value)
        return value

    def __setitem__(self, key: Key, value: int) -> None:
        self.changed.add(key)
        super().__setitem__(key, value)

    def charged(self) -> dict[Key, int]:
        """What the decision under way has added to the counters that it looked at."""
        now = super().get
        added = ((key, now(key, 0) - value) for key, value in self.seen.items())
        return {key: value for key, value in added if value}

    def _find(self, key: Key) -> int:
        counter, scope, subject, period, period_key = key
        if subject not in self._subjects:
            value = read_counters(self._session, self._policy_id, [key]).get(key, 0)
            super().__setitem__(key, value)
            return value
        like: Key = (counter, scope, None, period, period_key)
        if like not in self._read:
            self._read.add(like)
            self.update(read_counters_like(self._session, self._policy_id, like, self._subjects))
        return super().get(key, 0)


def settle(
    engine: Engine,
    month: str,
    now: datetime,
    *,
    keys: Keys | None = None,
    drives: Drives | None = None,
    progress: Callable[[int], None] = lambda _n: None,
    at_once: int = AT_ONCE,
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
    after: tuple[datetime, str] | None = None
    while True:
        with transaction(engine) as session:
            books = Books(session)  # its turn keeps others who settle or cancel away meanwhile
            due = list_due(session, month, now - DECIDED_AFTER, at_once, after)
            if not due:
                break
            with rarely_collected(), many_pages(session.connection()):
                settled = _settle_some(session, books, due, now)
            late = [one.id for one in due if decided_until is not None and one.end_at <= decided_until]
            n_entries += _put_in_order(session, late, now)
        after = (due[-1].end_at, due[-1].id)
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


def _put_in_order(session: Session, late: Sequence[str], now: datetime) -> int:
    """Give what was decided after some that ended later its place in the order of ends; the entries that makes."""
    people: dict[tuple[str | None, str], set[str]] = {}  # by policy and month
    for carpool_id in late:
        carpool = get_carpool(session, carpool_id)
        people.setdefault((carpool.policy_id, carpool.month), set()).update(
            people_in(read_car(msgspec.json.decode(carpool.facts)))
        )
    n_entries = 0
    for (policy_id, month), names in people.items():
        books = Books(session)
        n_entries += sum(one.n_entries for one in put_in_order(session, books, policy_id, month, names, now))
        books.flush()
    return n_entries


def _settle_some(
    session: Session, books: Books, due: Sequence[DueCarpool], now: datetime
) -> list[tuple[CarDecision, int]]:
    """Decide these carpools one after the other; what is read and what is written goes by few statements."""
    policies = list_in_force(session)
    cars = [read_car(msgspec.json.decode(carpool.facts)) for carpool in due]
    people = frozenset(name for car in cars for name in people_in(car))
    policy_ids = dict.fromkeys(one.policy_id for one in due if one.policy_id)
    counters = {policy_id: _Lent(session, policy_id, people) for policy_id in policy_ids}
    _look_up(books, due, cars, policy_ids)
    judges: dict[str, CarJudge] = {}  # by version
    settled: list[tuple[CarDecision, int]] = []
    decisions: list[KeptDecision] = []
    for carpool, car in zip(due, cars, strict=True):
        if carpool.policy_id is None:
            settled.append((CarDecision("no_policy_that_day", 0, 0, 0, None), 0))
            continue
        policy = _version_of(policies, carpool)
        if policy.version not in judges:
            judges[policy.version] = CarJudge(policy)
            books.open(ledger.accounts_of(policy.id))
        decision, kept, n_entries = _settle_one(
            books, judges[policy.version], carpool, car, counters[carpool.policy_id], now
        )
        settled.append((decision, n_entries))
        decisions.append(kept)
    set_decided(session, [carpool.id for carpool in due])
    books.flush()
    add_decisions(session, decisions)
    for policy_id, lent in counters.items():
        write_counters(session, policy_id, {key: lent[key] for key in lent.changed})
    return settled


def _look_up(books: Books, due: Sequence[DueCarpool], cars: Sequence[CarFacts], policy_ids: Collection[str]) -> None:
    """Read at once what the books hold of the entries and accounts to come."""
    keys = [
        key
        for carpool, car in zip(due, cars, strict=True)
        for key in keys_of(carpool.id, [ride.ride_id for ride in car.rides], carpool.n_decisions + 1)
    ]
    codes = {ledger.payable_to(str(car.driver)).code for car in cars}
    codes |= {ledger.receivable_from(str(ride.couple.passenger)).code for car in cars for ride in car.rides}
    codes |= {account.code for policy_id in policy_ids for account in ledger.accounts_of(policy_id)}
    books.look_up(keys, codes)


def _version_of(policies: Sequence[Policy], carpool: DueCarpool) -> Policy:
    """The version of the carpool's policy that was in force on its day; none is ever taken away."""
    versions = [policy for policy in policies if policy.id == carpool.policy_id]
    found = find_in_force(versions, carpool.end_at.astimezone(versions[0].zone).date())
    return found or versions[0]


def _settle_one(
    books: Books, judge: CarJudge, carpool: DueCarpool, car: CarFacts, lent: _Lent, now: datetime
) -> tuple[CarDecision, KeptDecision, int]:
    """Decide one carpool and enter it: the decision, as it is kept, and how many entries it made."""
    policy = judge.policy
    granted, left = budget_of(books, policy.id)
    lent.seen = {}
    # What is promised to others is not there to be paid, so the budget is what was used and what is left for this car.
    budget = None if granted is None else lent.get(_USED, 0) + left + carpool.reserved_cents
    judge = judge if budget is None else judge.within(budget)
    counters = Counters()
    counters.values = lent
    decision = judge.decide(car, counters)
    before = dict(lent.seen)
    charged = lent.charged()
    number = carpool.n_decisions + 1
    entries = list(_entries(policy, carpool, car, decision, number, kept_budget=granted is not None))
    books.open(accounts_of(car))
    books.append([prepare(entry) for entry in entries], now)
    kept = KeptDecision(
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
        explanation_of(judge, car, decision),
        now,
    )
    return decision, kept, len(entries)


def _entries(
    policy: Policy, carpool: DueCarpool, car: CarFacts, decision: CarDecision, number: int, *, kept_budget: bool
) -> Iterator[Entry]:
    at = car.end_at
    decided = ledger.decide(
        carpool.id,
        number,
        policy.id,
        carpool.driver,
        decision.amount_cents,
        at,
        reserved=carpool.reserved_cents if kept_budget else None,
        facts_sha256=carpool.facts_sha256,
    )
    if decided is not None:
        yield decided
    for ride_id, passenger, cents in fares_of(policy, decision):
        entry = ledger.charge_fare(ride_id, passenger, cents, at)
        if entry is not None:
            yield entry
