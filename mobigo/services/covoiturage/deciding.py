"""Deciding: journeys as plain objects → what is paid for each and why, batch by batch, under a policy given.

Nothing is stored: the same batch gives the same lines for ever. A batch says its policy, its
territory, its budget and the counters before it; its journeys are decided in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import Any

from covoiturage.policy.caps import Counters, Limited, read_counters
from covoiturage.policy.explain import Step, explain_car, explain_ride, render_exact
from covoiturage.policy.facts import (
    CarFacts,
    Facts,
    RideFacts,
    end_of,
    read_car,
    read_couples,
    read_facts,
    ride_id_of_couple,
)
from covoiturage.policy.fields import selector
from covoiturage.policy.model import RIDE, Policy
from covoiturage.policy.rides import Decision, RideJudge
from covoiturage.policy.trips import CarDecision, CarJudge
from mobigo.services.covoiturage.wording import step_sentence
from socle.errors import BadInput
from socle.money import Cents, share

Given = dict[str, Any]
Policies = Mapping[str, Policy | BadInput]  # by id; what is wrong with a document stands in its place
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Batch:
    """Journeys decided one after the other: `counters` is what was counted before, and is charged.

    Journeys may come one by one: a couple, and a car with its rides, is decided when it comes. `id` is
    told with each line. `expected_cents` and `stateless_cents` are amounts to compare with.
    """

    id: object
    policy: Policy
    journeys: Iterable[Any]
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


def choose_policy(policies: Policies, policy_id: str | None) -> Policy:
    """The policy of that id, or the only one; one without an id is the only one of its file, whatever it is called.

    Raises:
        BadInput: `unknown_policy`; `which_policy` when there are several and none is named; what is wrong with it.
    """
    if policy_id is None and len(policies) != 1:
        raise BadInput("which_policy", known=", ".join(sorted(policies)))
    if policy_id is None or "" in policies:
        chosen = next(iter(policies.values()))
    elif policy_id in policies:
        chosen = policies[policy_id]
    else:
        raise BadInput("unknown_policy", policy=policy_id, known=", ".join(sorted(policies)))
    if isinstance(chosen, BadInput):
        raise chosen
    return chosen


def read_beside(given: Given, batch_id: object, policy: Policy, journeys: Iterable[Any]) -> Batch:
    """The batch of these journeys, with what a plain object says beside them: territory, budget, counters.

    Raises:
        BadInput: `bad_batch` names the field, `bad_counter`, `policy_field`.
    """
    return Batch(
        id=batch_id,
        policy=policy,
        journeys=journeys,
        territory=selector(given.get("territory_selector") or {}, "territory_selector"),
        budget_cents=_budget(given.get("budget_cents")),
        counters=read_counters(given.get("counters_before")),
    )


def read_batch(given: Given, number: int, policies: Policies, policy_id: str | None) -> Batch:
    """The batch of a plain object with `journeys`; `number` names one that has no id.

    Raises:
        BadInput: `unknown_policy`, `which_policy`, `bad_batch` names the field, `bad_counter`, `policy_field`.
    """
    journeys, defaults = given["journeys"], given.get("defaults") or {}
    if not isinstance(journeys, list):
        raise BadInput("bad_batch", field="journeys")
    if not isinstance(defaults, dict):
        raise BadInput("bad_batch", field="defaults")
    said = given.get("policy")
    if said is not None and not isinstance(said, str):
        raise BadInput("bad_batch", field="policy")
    if defaults:
        journeys = [defaults | journey if isinstance(journey, dict) else journey for journey in journeys]
    batch_id = number if given.get("id") is None else given["id"]
    batch = read_beside(given, batch_id, choose_policy(policies, said or policy_id), journeys)
    batch.expected_cents = _amounts(given, "expected_cents", len(journeys))
    batch.stateless_cents = _amounts(given, "stateless_cents", len(journeys))
    return batch


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
    """Decide the journeys of `batch` in their order, or in that of their ends."""
    if batch.policy.level == RIDE:
        return _decide_rides(batch, in_order_of_end=in_order_of_end)
    return _decide_cars(batch, in_order_of_end=in_order_of_end)


def _object(given: Any) -> Given:
    if not isinstance(given, dict):
        raise BadInput("bad_fact", field="journeys", problem="object_wanted")
    return given


def _decide_rides(batch: Batch, *, in_order_of_end: bool) -> Iterator[Decided | Unreadable]:
    judge = RideJudge(batch.policy, batch.territory, batch.budget_cents)
    journeys: Iterable[tuple[int, Any]] = enumerate(batch.journeys)
    if in_order_of_end:
        journeys = sorted(journeys, key=lambda one: (_end_or_never(one[1]), one[0]))
    for index, given in journeys:
        try:
            facts = read_facts(_object(given))
            decision = judge.decide(facts, batch.counters)
        except BadInput as error:
            yield Unreadable(index, error)
        else:
            line = partial(_ride_line, batch, judge, index, facts, decision)
            yield Decided(index, decision.stateless_cents, decision.amount_cents, line)


def _end_or_never(given: Any) -> datetime:
    """When a couple's ride ended; what cannot be read comes first."""
    try:
        return end_of(given, read_facts(_object(given)))
    except BadInput:
        return _NEVER


def _ride_line(batch: Batch, judge: RideJudge, index: int, facts: Facts, decision: Decision) -> Given:
    return {
        **_told(batch, index, decision.reason, decision.stateless_cents, decision.amount_cents),
        **_why(decision.limited, explain_ride(judge, facts, decision)),
    }


def _decide_cars(batch: Batch, *, in_order_of_end: bool) -> Iterator[Decided | Unreadable]:
    judge = CarJudge(batch.policy, batch.territory, batch.budget_cents)
    journeys = enumerate(batch.journeys)
    if in_order_of_end:
        cars = [read_car_of(indices, together) for indices, together in journeys_of_cars(journeys)]
        cars.sort(key=lambda one: _NEVER if isinstance(one[1], BadInput) else one[1].end_at)  # as they came, if equal
        for indices, car in cars:
            yield from _decide_car(batch, judge, indices, car)
        return
    for index, given in journeys:
        if _trip_of(given) is not None:  # others of this car may come until the end
            cars_left = journeys_of_cars(chain([(index, given)], journeys))
            lines = [line for left in cars_left for line in _decide_car(batch, judge, *read_car_of(*left))]
            yield from sorted(lines, key=lambda line: line.index)
            return
        yield from _decide_car(batch, judge, *read_car_of([index], [given]))


def read_car_of(indices: list[int], journeys: list[Any]) -> tuple[list[int], CarFacts | BadInput]:
    """The car that these plain objects tell of, or why it cannot be read; with their positions."""
    try:
        objects = [_object(given) for given in journeys]
        return indices, read_car(objects[0]) if "rides" in objects[0] else read_couples(objects)
    except BadInput as error:
        return indices, error


def _decide_car(
    batch: Batch, judge: CarJudge, indices: list[int], car: CarFacts | BadInput
) -> Iterator[Decided | Unreadable]:
    if isinstance(car, BadInput):
        yield from (Unreadable(index, car) for index in indices)
        return
    try:
        decision = judge.decide(car, batch.counters)
    except BadInput as error:
        yield from (Unreadable(index, error) for index in indices)
    else:
        yield from _lines_of_car(batch, judge, indices, car, decision)


def _trip_of(given: Any) -> object:
    """What couples of one car have in common; None for a car with its rides, and for a couple on its own."""
    if not isinstance(given, dict) or "rides" in given or given.get("operator_trip_id") is None:
        return None
    return repr(given.get("operator_id")), repr(given["operator_trip_id"])


def journeys_of_cars(journeys: Iterable[tuple[int, Any]]) -> Iterator[tuple[list[int], list[Any]]]:
    """The journeys of each car, in the order of its first: one whole car, or the couples that tell of it together."""
    cars: dict[object, tuple[list[int], list[Any]]] = {}
    for index, given in journeys:
        trip = _trip_of(given)
        indices, together = cars.setdefault(index if trip is None else trip, ([], []))
        indices.append(index)
        together.append(given)
    yield from cars.values()


def _lines_of_car(
    batch: Batch, judge: CarJudge, indices: list[int], car: CarFacts, decision: CarDecision
) -> Iterator[Decided]:
    """One line for a car, or one for each of the couples that told of it, with its share.

    What is paid for a car without a ride that counts stands with the first of its couples.
    """
    rides = decision.outing.rides if decision.outing else ()
    if len(indices) == 1 or not rides:
        parts = [(decision.stateless_cents, decision.amount_cents, decision.fare_cents)]
        parts += [(0, 0, 0)] * (len(indices) - 1)
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
        "limited_by": limited[0]._asdict() if limited else None,
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
