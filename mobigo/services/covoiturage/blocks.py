"""Blocks: carpools of a month that come one after another, decided together, with all that this rests on.

A decision reads what those before it have counted, so blocks are made in their order. One may be
made ahead, by another process, which only reads: whoever then has the turn at the books asks again
what was asked for it (`still_holds`), and makes it themselves where an answer is another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import msgspec

from covoiturage import ledger
from covoiturage.policy.caps import Counters, Key, in_order
from covoiturage.policy.explain import Step, explain_car
from covoiturage.policy.facts import CarFacts, read_car
from covoiturage.policy.model import AMOUNT, Limit, Policy
from covoiturage.policy.shipped import find_in_force
from covoiturage.policy.trips import CarDecision, CarJudge
from mobigo.services.covoiturage.ordering import USED, accounts_of, fares_of, people_in, told
from mobigo.store.base import Session, open_engine, reading
from mobigo.store.covoiturage.carpools import DueCarpool, list_due, list_due_with_facts
from mobigo.store.covoiturage.decisions import NewDecision, read_counters, read_counters_like
from mobigo.store.covoiturage.policies import list_in_force
from mobigo.store.garbage import rarely_collected
from mobigo.store.ledger.books import Prepared, account_of, prepare
from mobigo.store.ledger.reads import balances_cents
from socle.accounting import Account, Entry
from socle.errors import Fact
from socle.money import Cents

Place = tuple[datetime, str]  # the end and the id of a carpool
_NOBODY: Final[frozenset[str]] = frozenset()
_ENCODE: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Question:
    """Counters of a policy that were asked for: that of `key`, or those of its kind and period of many `people`."""

    policy_id: str
    key: Key
    people: Collection[str] = _NOBODY

    def ask(self, session: Session) -> dict[Key, int]:
        """What the database answers."""
        if self.people:
            return read_counters_like(session, self.policy_id, self.key, self.people)
        return read_counters(session, self.policy_id, [self.key])


@dataclass(frozen=True, slots=True)
class Budget:
    """How a policy's budget stands: what is `left` of it and promised to nobody; None: none is kept."""

    left: Cents | None

    def bears(self, then: Budget, spare: Cents | None) -> bool:
        """Whether what was decided with `then` is decided alike with this one.

        `spare` is what every car decided with `then` left of what it might have had; None: one was given less.
        """
        if self.left is None or then.left is None or spare is None:
            return self.left == then.left
        return self.left - then.left + spare >= 0


@dataclass(frozen=True, slots=True)
class Block:
    """Carpools decided one after another: what was read for it, and what is to be written."""

    due: Sequence[DueCarpool]
    versions: Sequence[str]  # of policies, in force
    answers: Sequence[tuple[Question, Mapping[Key, int]]]
    budgets: Mapping[str, Budget]  # by policy, before
    spare: Mapping[str, Cents | None]  # by policy, see `Budget.bears`
    accounts: Sequence[Account]
    entries: Sequence[Prepared]
    decisions: Sequence[NewDecision]
    changed: Mapping[str, Mapping[Key, int]]  # counters, by policy
    budgets_after: Mapping[str, Budget]
    n_decided: int
    subsidy_cents: Cents
    fare_cents: Cents

    @property
    def last(self) -> Place:
        """The place of the last carpool."""
        return self.due[-1].end_at, self.due[-1].id

    def __reduce__(self) -> tuple[Callable[..., Block], tuple[Any, ...]]:
        """Its rows go to another process by their columns, in half the time."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        values |= {name: tuple(zip(*values[name], strict=True)) for name in _ROWS}
        keys, legs, *others = values["entries"] or ((), ())
        of_legs = [part for each in legs for leg in each for part in leg]
        values["entries"] = (keys, [len(each) for each in legs], of_legs[::2], of_legs[1::2], *others)
        values["accounts"] = [(one.code, one.kind, one.min_balance_cents, one.pending_of) for one in self.accounts]
        return _read_block, tuple(values.values())

    def with_budgets(self, now: Mapping[str, Budget]) -> Block:
        """The same with the budgets of `now`, which bear it: its decisions say how much there was."""
        more = {one: (now[one].left or 0) - (then.left or 0) for one, then in self.budgets.items()}
        if not any(more.values()):
            return self
        decisions = [
            one if one.budget_cents is None else one._replace(budget_cents=one.budget_cents + more[one.policy_id])
            for one in self.decisions
        ]
        return replace(self, decisions=decisions)


_ROWS: Final[Mapping[str, Any]] = {"due": DueCarpool, "entries": Prepared, "decisions": NewDecision}


def _read_block(*told: Any) -> Block:
    """The block of `Block.__reduce__`."""
    values = dict(zip((one.name for one in fields(Block)), told, strict=True))
    keys, n_legs, codes, cents, *others = values["entries"]
    legs = zip(codes, cents, strict=True)
    values["entries"] = (keys, [tuple(islice(legs, n)) for n in n_legs], *others) if others else ()
    values |= {name: list(map(row._make, zip(*values[name], strict=True))) for name, row in _ROWS.items()}
    values["accounts"] = [account_of(*terms) for terms in values["accounts"]]
    return Block(**values)


class Known:
    """What blocks that are made and not written yet make of counters and budgets."""

    def __init__(self, blocks: Sequence[Block] = ()) -> None:
        self.budgets: dict[str, Budget] = {}
        self._counters: dict[tuple[str, Key], dict[Key, int]] = {}  # by policy, kind and period
        for block in blocks:
            self.budgets.update(block.budgets_after)
            for policy_id, changed in block.changed.items():
                for key, value in changed.items():
                    self._counters.setdefault((policy_id, _kind_of(key)), {})[key] = value

    def answer(self, question: Question) -> dict[Key, int]:
        """The counters asked for, of those that are changed."""
        changed = self._counters.get((question.policy_id, _kind_of(question.key)), {})
        if not question.people:
            return {key: value for key, value in changed.items() if key == question.key}
        return {key: value for key, value in changed.items() if key[2] in question.people}


def _kind_of(key: Key) -> Key:
    counter, scope, _subject, period, period_key = key
    return counter, scope, None, period, period_key


class _Lent(dict[Key, int]):
    """The counters of a block: those of its people are read for all of them when one is asked for.

    `seen` are the counters that the decision under way has looked at, as they were; `changed` are
    those that any decision of the block has changed.
    """

    def __init__(self, session: Session, policy_id: str, people: Collection[str], known: Known) -> None:
        super().__init__()
        self._session, self._policy_id, self._people, self._known = session, policy_id, people, known
        self._read: set[Key] = set()  # kinds and periods
        self.answers: list[tuple[Question, Mapping[Key, int]]] = []
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
        if key[2] not in self._people:
            self._ask(Question(self._policy_id, key))
        elif (kind := _kind_of(key)) not in self._read:
            self._read.add(kind)
            self._ask(Question(self._policy_id, kind, self._people))
        return super().setdefault(key, 0)

    def _ask(self, question: Question) -> None:
        answer = question.ask(self._session) | self._known.answer(question)
        self.answers.append((question, answer))
        self.update(answer)


def decide_ahead(
    address: str, month: str, until: datetime, at_once: int, after: Place | None
) -> Generator[Block, int, None]:
    """The blocks of `month` after a place, one by one; it is sent each time how many of them were written."""
    engine = open_engine(address)
    not_written: list[Block] = []
    n_made = 0
    try:
        with rarely_collected():
            while True:
                with reading(engine) as session:
                    block = decide_block(session, month, until, at_once, after, Known(not_written))
                if block is None:
                    return
                n_made, after = n_made + 1, block.last
                not_written.append(block)
                n_written = yield block
                del not_written[: len(not_written) - (n_made - n_written)]
    finally:
        engine.dispose()


def decide_block(
    session: Session, month: str, until: datetime, at_once: int, after: Place | None, known: Known
) -> Block | None:
    """The next carpools of `month`, decided; None when there is none."""
    found = list_due_with_facts(session, month, until, at_once, after)
    return _Maker(session, found, known).make() if found else None


def still_holds(session: Session, block: Block, month: str, until: datetime, after: Place | None) -> bool:
    """Whether each question asked for a block made ahead has the same answer now, so that it would be made alike."""
    return (
        list_due(session, month, until, len(block.due), after) == block.due
        and [policy.version for policy in list_in_force(session)] == block.versions
        and all(question.ask(session) == answer for question, answer in block.answers)
        and all(now.bears(block.budgets[one], block.spare[one]) for one, now in budgets_now(session, block).items())
    )


def budgets_now(session: Session, block: Block) -> dict[str, Budget]:
    """How the budgets of a block stand now."""
    return {policy_id: _budget(session, policy_id) for policy_id in block.budgets}


def _budget(session: Session, policy_id: str) -> Budget:
    granted, left = ledger.budget_granted_of(policy_id).code, ledger.budget_of(policy_id).code
    stands = balances_cents(session, [granted, left])
    return Budget(stands[left] if stands.get(granted) else None)


class _Maker:
    """One block under way."""

    def __init__(self, session: Session, found: Sequence[tuple[DueCarpool, bytes]], known: Known) -> None:
        self._due = [due for due, _facts in found]
        self._cars = [read_car(msgspec.json.decode(facts)) for _due, facts in found]
        self._policies = list_in_force(session)
        people = frozenset(name for car in self._cars for name in people_in(car))
        ids = dict.fromkeys(due.policy_id for due in self._due if due.policy_id)
        self._counters = {one: _Lent(session, one, people, known) for one in ids}
        self._before = {one: known.budgets.get(one) or _budget(session, one) for one in ids}
        self._left = {one: budget.left for one, budget in self._before.items()}
        self._spare: dict[str, Cents | None] = {one: budget.left for one, budget in self._before.items()}
        self._judges: dict[str, CarJudge] = {}  # by version
        self._accounts: dict[str, Account] = {}  # by code, in the order in which they are opened
        self._entries: list[Prepared] = []
        self._kept: list[NewDecision] = []

    def make(self) -> Block:
        n_decided = subsidy_cents = fare_cents = 0
        for due, car in zip(self._due, self._cars, strict=True):
            if due.policy_id is None:
                continue
            decision = self._decide(due, car, due.policy_id)
            n_decided += decision.eligible
            subsidy_cents += decision.amount_cents
            fare_cents += decision.fare_cents
        return Block(
            self._due,
            [policy.version for policy in self._policies],
            [answer for lent in self._counters.values() for answer in lent.answers],
            self._before,
            self._spare,
            list(self._accounts.values()),
            self._entries,
            self._kept,
            {one: {key: lent[key] for key in lent.changed} for one, lent in self._counters.items()},
            {one: Budget(left) for one, left in self._left.items()},
            n_decided,
            subsidy_cents,
            fare_cents,
        )

    def _decide(self, due: DueCarpool, car: CarFacts, policy_id: str) -> CarDecision:
        """Decide one carpool: the decision, as it is kept, and its entries."""
        judge = self._judge(due)
        policy, lent, left = judge.policy, self._counters[policy_id], self._left[policy_id]
        lent.seen = {}
        # What is promised to others is not there to be paid: the budget is what was used and is left for this car.
        budget = None if left is None else lent.get(USED, 0) + left + due.reserved_cents
        judge = judge if budget is None else judge.within(budget)
        counters = Counters()
        counters.values = lent
        decision = judge.decide(car, counters)
        if left is not None:
            self._spend(policy, decision, left, due.reserved_cents)
        for account in accounts_of(car):
            self._accounts[account.code] = account
        self._entries += map(prepare, _entries(policy, due, car, decision, kept_budget=left is not None))
        self._kept.append(
            NewDecision(
                due.id,
                due.n_decisions + 1,
                policy.id,
                policy.version,
                due.facts_sha256,
                decision.reason,
                decision.stateless_cents,
                decision.amount_cents,
                decision.fare_cents,
                budget,
                _counted(lent.seen),
                _counted(lent.charged()),
                f"[{','.join(map(_told, explain_car(judge, car, decision)))}]",
            )
        )
        return decision

    def _judge(self, due: DueCarpool) -> CarJudge:
        policy = _version_of(self._policies, due)
        judge = self._judges.get(policy.version)
        if judge is None:
            judge = self._judges[policy.version] = CarJudge(policy)
            self._accounts |= {account.code: account for account in ledger.accounts_of(policy.id)}
        return judge

    def _spend(self, policy: Policy, decision: CarDecision, left: Cents, reserved: Cents) -> None:
        """Note what a decision leaves of the budget, and what it left of what it might have had."""
        self._left[policy.id] = left + reserved - decision.amount_cents
        spare, not_taken = self._spare[policy.id], left + reserved - decision.stateless_cents
        is_plain = all(limit.max is not None or _is_of_campaign(limit) for limit in policy.limits)
        self._spare[policy.id] = None if spare is None or not is_plain or not_taken < 0 else min(spare, not_taken)


def _is_of_campaign(limit: Limit) -> bool:
    """Whether a limit is on what a campaign pays in all, as a budget is."""
    return (limit.counter, limit.scope, limit.period) == (AMOUNT, "campaign", "campaign")


def _version_of(policies: Sequence[Policy], due: DueCarpool) -> Policy:
    """The version of the carpool's policy that was in force on its day; none is ever taken away."""
    versions = [policy for policy in policies if policy.id == due.policy_id]
    found = find_in_force(versions, due.end_at.astimezone(versions[0].zone).date())
    return found or versions[0]


def _entries(
    policy: Policy, due: DueCarpool, car: CarFacts, decision: CarDecision, *, kept_budget: bool
) -> Iterator[Entry]:
    at = car.end_at
    decided = ledger.decide(
        due.id,
        due.n_decisions + 1,
        policy.id,
        due.driver,
        decision.amount_cents,
        at,
        reserved=due.reserved_cents if kept_budget else None,
        facts_sha256=due.facts_sha256,
    )
    if decided is not None:
        yield decided
    for ride_id, passenger, cents in fares_of(policy, decision):
        entry = ledger.charge_fare(ride_id, passenger, cents, at)
        if entry is not None:
            yield entry


def _counted(values: Mapping[Key, int]) -> str:
    """Counters as `Counters.as_rows` tells them, as JSON."""
    counted = [(key, value) for key, value in values.items() if value]
    return _ENCODE([_Counted(*key, value) for key, value in in_order(counted)]).decode()


class _Counted(msgspec.Struct):
    counter: str
    scope: str
    subject: str | None
    period: str
    period_key: str | None
    value: int


def _told(step: Step) -> str:
    """A step as it is kept, as JSON."""
    if "metres" in step.facts:
        return _ENCODE(told(step)).decode()
    number = None if step.exact is None else step.exact.as_integer_ratio()
    return _told_once(step.step, step.type, number, step.slice, tuple(step.facts.items()))


@lru_cache(maxsize=50_000)
def _told_once(
    step: str, kind: str, number: tuple[int, int] | None, slice_: int | None, facts: tuple[tuple[str, Fact], ...]
) -> str:
    """What is said without a length comes again and again."""
    exact = None if number is None else Fraction(*number)
    return _ENCODE(told(Step(step, kind, exact, slice_, dict(facts)))).decode()
