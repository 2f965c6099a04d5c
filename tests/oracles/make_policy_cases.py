"""Makes the cases of the policies in tests/covoiturage/policy/policies: journeys, and the amounts of the slow twin.

    python -m tests.oracles.make_policy_cases

Beside each document `NAME.json` stands `NAME.cases.jsonl`, batches as `mobigo covoiturage decide` reads them:
the edges of its distances, the boundaries of its calendar, and people of all sorts in two batches,
the second of which begins with what the first has counted. The engine has no part in any of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.oracles.policy import Doc, decide_cars, decide_rides
from tests.oracles.policy_couples import decide_couples
from tests.worlds.policies import random_car, random_journey

POLICIES = Path(__file__).parents[1] / "covoiturage/policy/policies"
TERRITORY = {"com": ["21231", "25056"], "epci": ["242100410"]}
# Ends of days, weeks, months and years in Paris and in Auckland, both changes of the clock, and ordinary mornings.
INSTANTS = [
    "2025-12-31T10:59:59Z", "2025-12-31T11:00:00Z", "2025-12-31T22:59:59.999Z", "2025-12-31T23:00:00Z",
    "2026-01-01T07:00:00Z", "2026-01-18T22:59:59Z", "2026-01-18T23:00:00Z", "2026-01-19T07:00:00Z",
    "2026-01-19T07:00:00.4999999Z", "2026-01-19T07:00:00.5Z", "2026-01-19T18:30:00+01:00", "2026-01-19T22:59:59.5Z",
    "2026-01-19T23:00:00Z", "2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z", "2026-03-29T00:59:59Z",
    "2026-03-29T03:00:00+02:00", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z", "2026-03-31T21:59:59Z",
    "2026-03-31T22:00:00Z", "2026-04-01T00:00:00Z", "2026-04-04T12:00:00Z", "2026-10-24T21:59:59Z",
    "2026-10-24T22:00:00Z", "2026-10-25T02:29:59+02:00", "2026-10-25T00:30:00Z", "2026-10-25T02:30:00+01:00",
    "2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z", "2026-12-31T23:00:00Z",
]  # fmt: skip


def numbers_of(tree: Any, *names: str) -> Iterator[int]:
    """Every whole number that stands in a document under one of these names."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name in names and isinstance(value, int):
                yield value
            yield from numbers_of(value, *names)
    elif isinstance(tree, list):
        for value in tree:
            yield from numbers_of(value, *names)


def edges_of(policy: Doc) -> list[int]:
    """The distances at which something changes, one metre before, and where half a kilometre or half a cent tips."""
    names = ("min_m", "max_m_exclusive", "from_m", "to_m", "offset_m", "limit_m", "max_extra_m", "short_m")
    edges = {0, 1, 20_050, *(edge + more for edge in numbers_of(policy, *names) for more in (-1, 0, 1, 499, 500))}
    return sorted(edge for edge in edges if edge >= 0)


def favourable(policy: Doc, random: Random) -> Doc:
    """A journey that is worth something under `policy`, as chance finds it."""
    for _ in range(20_000):
        journey = couple(random)
        (decided,), _ = decide_rides(policy, [journey], TERRITORY)
        if decided[1] > 0:
            return journey
    raise AssertionError(f"nothing is paid under {policy['id']}")


def couple(random: Random) -> Doc:
    journey = random_journey(random)
    for side in ("start", "end"):
        if side in journey:
            journey[side] |= {"reseau": random.choice([142, 143]), "dep": random.choice(["21", "25", "39"])}
    return journey


def batch(name: str, journeys: list[Doc], decided: list[tuple[int, int]], **beside: Any) -> Doc:
    """A batch whose journeys leave out what all of them share."""
    first = journeys[0]
    shared = {key: value for key, value in first.items() if all(one.get(key, key) == value for one in journeys)}
    own = [{key: value for key, value in one.items() if key not in shared} for one in journeys]
    amounts = {"expected_cents": [paid for _, paid in decided], "stateless_cents": [before for before, _ in decided]}
    return {"id": name, **beside, "defaults": shared, "journeys": own, **amounts}


def cases_of_couples(policy: Doc) -> Iterator[Doc]:
    random = Random(policy["id"])
    base = favourable(policy, random)

    def decided(name: str, journeys: list[Doc], budget: int | None, before: Doc | None = None) -> tuple[Doc, Doc]:
        got, counted = decide_rides(policy, journeys, TERRITORY, budget, before)
        beside = {"territory_selector": TERRITORY, "budget_cents": budget}
        if before:
            beside["counters_before"] = [
                dict(zip(("counter", "scope", "subject", "period", "period_key"), key, strict=True)) | {"value": value}
                for key, value in before.items()
            ]
        return batch(name, journeys, [(stateless, paid) for _, stateless, paid in got], **beside), counted

    edges = [
        {**base, "distance_m": metres, "driver": f"d{i}", "passenger": f"p{i}", "operator_trip_id": f"t{i}"}
        for i, metres in enumerate(edges_of(policy))
    ]
    yield decided("edges", edges, None)[0]
    times = [{**base, "datetime": at, "passenger": "pq"[i % 2]} for i, at in enumerate(INSTANTS)]
    yield decided("calendar", times, 2_000)[0]
    people = sorted((couple(random) for _ in range(24)), key=lambda one: one["datetime"])
    likely = [{**base, "datetime": one["datetime"], "driver": one["driver"], "seats": one["seats"]} for one in people]
    mixed = [one for both in zip(people, likely, strict=True) for one in both]
    first, counted = decided("people", mixed[:24], 1_500)
    yield first
    yield decided("people, later", mixed[24:], 1_500, counted)[0]


def cases_of_cars(policy: Doc) -> Iterator[Doc]:
    random = Random(policy["id"])
    cars = [random_car(random, number) for number in range(16)]
    base = next(one for one in cars if len(one["rides"]) > 1)
    base = {key: value for key, value in base.items() if key not in {"official_m", "measured_m"}}
    base |= {"start_at": "2025-12-01T00:00:00Z", "line_id": "L1"}
    base["rides"] = [{**ride, "operator_class": "C", "contribution_cents": 150} for ride in base["rides"]]
    edges = [
        {**base, "carpool_id": f"e{i}", "driver": f"d{i}", "operator_trip_id": f"e{i}", "measured_m": metres}
        | {"end_at": f"{datetime(2026, 1, 5, 8, tzinfo=UTC) + timedelta(days=i):%Y-%m-%dT%H:%M:%SZ}"}
        for i, metres in enumerate(edges_of(policy))
    ]
    times = [{**base, "carpool_id": f"i{i}", "official_m": 33_000, "end_at": at} for i, at in enumerate(INSTANTS)]
    for name, journeys, budget in (("edges", edges, None), ("calendar", times, 4_000), ("cars", cars, 4_000)):
        got, _ = decide_cars(policy, journeys, TERRITORY if name == "cars" else None, budget)
        decided = [(stateless, paid) for _, stateless, paid, *_ in got]
        beside = {"territory_selector": TERRITORY} if name == "cars" else {}
        yield batch(name, journeys, decided, **beside, budget_cents=budget)
    couples = [couple(random) for _ in range(16)]
    trips = ["t", "u", "v", "w"]
    if "vehicle_trip" not in {limit["scope"] for limit in policy["limits"]}:
        trips.append(None)  # a couple on its own, which such a limit refuses
    for i, one in enumerate(couples):
        one |= {"operator_trip_id": random.choice(trips), "driver": "d", "operator_id": 1}
        one |= {"vehicle_distance_m": random.choice([None, None, 31_000]), "operator_class": random.choice("BC")}
        start = datetime(2026, 1, 19, 6, tzinfo=UTC) + timedelta(minutes=7 * i)
        one["datetime"] = start.strftime("%Y-%m-%dT%H:%M:%SZ")
        one["end_datetime"] = (start + timedelta(minutes=25)).strftime("%Y-%m-%dT%H:%M:%SZ")
    yield batch("couples", couples, decide_couples(policy, couples, None, 2_000), budget_cents=2_000)


def cases_of(policy: Doc) -> str:
    """The text of the cases that stand beside `policy`."""
    cases = cases_of_cars(policy) if policy.get("level") == "vehicle_trip" else cases_of_couples(policy)
    return "".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) + "\n" for case in cases)


def main() -> None:
    for document in sorted(POLICIES.glob("*.json")):
        cases = cases_of(json.loads(document.read_text("utf-8")))
        document.with_suffix(".cases.jsonl").write_text(cases, "utf-8")


if __name__ == "__main__":
    main()
