"""Deciding: journeys as plain objects → what is paid for each and why, batch by batch, under a policy given.

Nothing is stored: the same batch gives the same lines for ever. A batch says its policy, its
territory, its budget and the counters before it; its journeys are decided in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from covoiturage.policy.caps import Counters, Limited, read_counters
from covoiturage.policy.explain import Step, explain_car, explain_ride, render_exact
from covoiturage.policy.facts import CarFacts, Facts, RideFacts, read_car, read_couples, read_facts, ride_id_of_couple
from covoiturage.policy.fields import selector
from covoiturage.policy.model import RIDE, Policy
from covoiturage.policy.rides import Decision, RideJudge
from covoiturage.policy.trips import CarDecision, CarJudge
from mobigo.services.covoiturage.wording import step_sentence
from socle.errors import BadInput
from socle.money import Cents, share

Given = dict[str, Any]


@dataclass(slots=True)
class Batch:
    """Journeys decided one after the other: `counters` is what was counted before, and is charged.

    `id` is told with each line. `expected_cents` and `stateless_cents` are amounts to compare with.
    """

    id: object
    policy: Policy
    journeys: Iterable[Given]
    territory: tuple[tuple[str, frozenset[str]], ...] = ()
    budget_cents: Cents | None = None
    counters: Counters = field(default_factory=Counters)
    expected_cents: list[Cents] | None = None
    stateless_cents: list[Cents] | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """One journey of a batch, decided; `line` makes everything about it as plain values, with its explanation."""

    index: int
    stateless_cents: Cents
    amount_cents: Cents
    line: Callable[[], Given]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One journey of a batch that cannot be decided, and why; the others are."""

    index: int
    error: BadInput


def choose_policy(policies: Mapping[str, Policy], policy_id: str | None) -> Policy:
    """The policy of that id, or the only one.

    Raises:
        BadInput: `unknown_policy`; `which_policy` when there are several and none is named.
    """
    if policy_id is None:
        if len(policies) != 1:
            raise BadInput("which_policy", known=", ".join(sorted(policies)))
        return next(iter(policies.values()))
    if policy_id not in policies:
        raise BadInput("unknown_policy", policy=policy_id, known=", ".join(sorted(policies)))
    return policies[policy_id]


def read_batch(given: Given, number: int, policies: Mapping[str, Policy], policy_id: str | None) -> Batch:
    """The batch of a plain object with `journeys`; `number` names one that has no id.

    Raises:
        BadInput: `unknown_policy`, `which_policy`, `bad_batch` names the field, `bad_counter`, `policy_field`.
    """
    journeys, defaults = given["journeys"], given.get("defaults") or {}
    if not isinstance(journeys, list) or not all(isinstance(journey, dict) for journey in journeys):
        raise BadInput("bad_batch", field="journeys")
    if not isinstance(defaults, dict):
        raise BadInput("bad_batch", field="defaults")
    said = given.get("policy")
    if said is not None and not isinstance(said, str):
        raise BadInput("bad_batch", field="policy")
    return Batch(
        id=number if given.get("id") is None else given["id"],
        policy=choose_policy(policies, said or policy_id),
        journeys=[defaults | journey for journey in journeys] if defaults else journeys,
        territory=selector(given.get("territory_selector") or {}, "territory_selector"),
        budget_cents=_budget(given.get("budget_cents")),
        counters=read_counters(given.get("counters_before")),
        expected_cents=_amounts(given, "expected_cents", len(journeys)),
        stateless_cents=_amounts(given, "stateless_cents", len(journeys)),
    )


def _budget(value: object) -> Cents | None:
    if value is not None and (type(value) is not int or value < 0):
        raise BadInput("bad_batch", field="budget_cents")
    return value


def _amounts(given: Given, name: str, wanted: int) -> list[Cents] | None:
    amounts = given.get(name)
    if amounts is None:
        return None
    if not isinstance(amounts, list) or len(amounts) != wanted or any(type(cents) is not int for cents in amounts):
        raise BadInput("bad_batch", field=name)
    return amounts


def decide_batch(batch: Batch, *, in_order_of_end: bool = False) -> Iterator[Decided | Unreadable]:
    """Decide the journeys of `batch`, in their order or in that of their ends."""
    if batch.policy.level == RIDE:
        return _decide_rides(batch, in_order_of_end=in_order_of_end)
    return _decide_cars(batch, in_order_of_end=in_order_of_end)


def _decide_rides(batch: Batch, *, in_order_of_end: bool) -> Iterator[Decided | Unreadable]:
    judge = RideJudge(batch.policy, batch.territory, batch.budget_cents)
    journeys: Iterable[tuple[int, Given]] = enumerate(batch.journeys)
    if in_order_of_end:
        journeys = sorted(journeys, key=lambda one: (str(one[1].get("datetime")), one[0]))
    for index, given in journeys:
        try:
            facts = read_facts(given)
            decision = judge.decide(facts, batch.counters)
        except BadInput as error:
            yield Unreadable(index, error)
        else:
            line = partial(_ride_line, batch, judge, index, facts, decision)
            yield Decided(index, decision.stateless_cents, decision.amount_cents, line)


def _ride_line(batch: Batch, judge: RideJudge, index: int, facts: Facts, decision: Decision) -> Given:
    return {
        **_told(batch, index, decision.reason, decision.stateless_cents, decision.amount_cents),
        **_why(decision.limited, explain_ride(judge, facts, decision)),
    }


def _decide_cars(batch: Batch, *, in_order_of_end: bool) -> Iterator[Decided | Unreadable]:
    judge = CarJudge(batch.policy, batch.territory, batch.budget_cents)
    cars: list[tuple[list[int], CarFacts]] = []
    for indices, journeys in _journeys_of_cars(batch.journeys):
        try:
            whole = "rides" in journeys[0]
            cars.append((indices, read_car(journeys[0]) if whole else read_couples(journeys)))
        except BadInput as error:
            yield from (Unreadable(index, error) for index in indices)
    if in_order_of_end:
        cars.sort(key=lambda one: (one[1].end_at, one[1].carpool_id))
    for indices, car in cars:
        try:
            decision = judge.decide(car, batch.counters)
        except BadInput as error:
            yield from (Unreadable(index, error) for index in indices)
        else:
            yield from _lines_of_car(batch, judge, indices, car, decision)


def _journeys_of_cars(journeys: Iterable[Given]) -> Iterator[tuple[list[int], list[Given]]]:
    """The journeys of each car, in the order of its first: one whole car, or the couples that tell of it together."""
    cars: dict[object, tuple[list[int], list[Given]]] = {}
    for index, given in enumerate(journeys):
        trip_id = None if "rides" in given else given.get("operator_trip_id")
        key = index if trip_id is None else (repr(given.get("operator_id")), repr(trip_id))
        indices, together = cars.setdefault(key, ([], []))
        indices.append(index)
        together.append(given)
    yield from cars.values()


def _lines_of_car(
    batch: Batch, judge: CarJudge, indices: list[int], car: CarFacts, decision: CarDecision
) -> Iterator[Decided]:
    """One line for a car, or one for each of the couples that told of it, with its share."""
    rides = decision.outing.rides if decision.outing else ()
    if len(indices) == 1:
        parts = [(decision.stateless_cents, decision.amount_cents, decision.fare_cents)]
    else:
        before = judge.attribute(decision.stateless_cents, decision.outing)
        shares, fares = judge.shares(decision), _fares(decision.fare_cents, rides)
        parts = [
            (before.get(ride_id, 0), shares.get(ride_id, 0), fares.get(ride_id, 0))
            for ride_id in map(ride_id_of_couple, range(len(indices)))
        ]
    for index, (stateless, cents, fare) in zip(indices, parts, strict=True):
        line = partial(_car_line, batch, judge, index, car, decision, stateless, cents, fare)
        yield Decided(index, stateless, cents, line)


def _fares(cents: Cents, rides: Sequence[RideFacts]) -> dict[str, Cents]:
    shares = share(cents, [ride.seats for ride in rides]) if rides else []
    return dict(zip((ride.ride_id for ride in rides), shares, strict=True))


def _car_line(
    batch: Batch,
    judge: CarJudge,
    index: int,
    car: CarFacts,
    decision: CarDecision,
    stateless: Cents,
    cents: Cents,
    fare: Cents,
) -> Given:
    return {
        **_told(batch, index, decision.reason, stateless, cents),
        "carpool_id": car.carpool_id,
        "paid_m": decision.paid_m,
        "passengers_counted": decision.passengers_counted,
        "fare_cents": fare,
        "net_cents": cents - fare,
        "shares": judge.shares(decision),
        **_why(decision.limited, explain_car(judge, car, decision)),
    }


def _told(batch: Batch, index: int, reason: str | None, stateless: Cents, cents: Cents) -> Given:
    return {
        "batch": batch.id,
        "index": index,
        "policy": batch.policy.id,
        "policy_sha256": batch.policy.version,
        "eligible": reason is None,
        "reason": reason,
        "stateless_cents": stateless,
        "amount_cents": cents,
    }


def _why(limited: tuple[Limited, ...], steps: list[Step]) -> Given:
    return {
        "limited_by": asdict(limited[0]) if limited else None,
        "explanation": [
            {
                "step": step.step,
                "slice": step.slice,
                "type": step.type,
                "exact": None if step.exact is None else render_exact(step.exact),
                "text": step_sentence(step),
            }
            for step in steps
        ],
    }
