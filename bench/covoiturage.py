"""How many carpools are decided in a second: one process, one thread, under two policies.

    python bench/covoiturage.py [N]          (default: 300,000 journeys, the smallest CPU time of three rounds)
    python bench/covoiturage.py search       (partners' and travellers' searches over HTTP: see bench/carpool_search.py)
    python bench/covoiturage.py month [N]    (a national month, from nothing to its export: see bench/carpool_month.py)
    python bench/covoiturage.py fraud [N]    (the fraud rules on a generated month of about N carpools, 100,000)

`bfc-lignes` decides cars with one to three passengers; the registry-shaped policy decides couples
with conditions on class, distance, territory and age, two slices, and six caps, as the campaigns
of the national registry have them. Four steps are timed apart: JSON into plain objects, plain
objects into facts, deciding (the figure of the goal: facts and counters in, amounts out), and
telling the decision with its explanation.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import carpool_month, carpool_search
from bench.history import machine, record
from covoiturage.fraud.checks import find_labels
from covoiturage.policy.caps import Counters
from covoiturage.policy.explain import explain_car, explain_ride
from covoiturage.policy.facts import read_car, read_facts
from covoiturage.policy.language import read_policy
from covoiturage.policy.rides import RideJudge
from covoiturage.policy.shipped import shipped_policies
from covoiturage.policy.trips import CarJudge
from mobigo.demo.carpools.schemes import DETERMINISTIC, GRAPH
from tests.worlds.carpool_month import make_month

ROUNDS = 3
GOAL_PER_S = 50_000
DAY_S = 86_400
EPCIS = [f"2{n:08d}" for n in range(40)]
REGISTRY_SHAPED = {
    "id": "registry-shaped",
    "eligibility": [
        {"type": "class_in", "classes": ["B", "C"]},
        {"type": "distance", "min_m": 5_000, "max_m_exclusive": 80_000},
        {"type": "passenger_not_minor"},
        {"type": "starts_or_ends_in", "selector": {"epci": EPCIS[:25]}},
    ],
    "amount_rules": [
        {
            "mode": "cumulative",
            "slices": [
                {"from_m": 5_000, "to_m": 17_000, "terms": [{"type": "per_seat", "cents": 150}]},
                {
                    "from_m": 17_000,
                    "terms": [{"type": "per_seat_km", "cents_per_km": 10, "offset_m": 17_000, "limit_m": 29_500}],
                },
            ],
        }
    ],
    "limits": [
        {"counter": "seats_in_same_vehicle_trip", "period": "campaign", "scope": "vehicle_trip", "max": 3},
        {"counter": "trips", "period": "day", "scope": "driver", "max": 6, "evaluation_priority": 21},
        {"counter": "trips", "period": "day", "scope": "passenger", "max": 2, "evaluation_priority": 21},
        {"counter": "amount", "period": "month", "scope": "driver", "max": 12_000, "evaluation_priority": 32},
        {"counter": "trips", "period": "campaign", "scope": "campaign", "max": 10**9, "evaluation_priority": 23},
        {"counter": "amount", "period": "campaign", "scope": "campaign", "max": "campaign_budget"},
    ],
}


def instant(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_772_323_200 + second))


def couple(draw: Random, number: int, n: int) -> dict[str, object]:
    return {
        "operator": draw.choice(["one", "two"]),
        "operator_id": 1,
        "operator_class": draw.choice("BCCC"),
        "datetime": instant(number * 30 * DAY_S // n),
        "distance_m": draw.randrange(2_000, 90_000),
        "seats": 1,
        "driver": f"d{draw.randrange(n // 20 + 1)}",
        "passenger": f"p{draw.randrange(n // 15 + 1)}",
        "passenger_is_over_18": True,
        "driver_revenue_cents": 150,
        "passenger_contribution_cents": 50,
        "operator_trip_id": f"t{number // 2}",
        "start": {"com": "21231", "epci": draw.choice(EPCIS), "reg": "27"},
        "end": {"com": "25056", "epci": draw.choice(EPCIS), "reg": "27"},
    }


def car(draw: Random, number: int, n: int) -> dict[str, object]:
    start = number * 30 * DAY_S // n
    metres = draw.randrange(5_000, 110_000)
    rides = [
        {
            "ride_id": f"r{number}-{ride}",
            "passenger": f"p{draw.randrange(n // 15 + 1)}",
            "seats": 1,
            "operator_class": draw.choice("BC"),
            "board_at": instant(start),
            "alight_at": instant(start + 1_200),
            "distance_m": metres,
        }
        for ride in range(draw.choice([1, 1, 1, 2, 3]))
    ]
    return {
        "carpool_id": f"c{number}",
        "driver": f"d{draw.randrange(n // 20 + 1)}",
        "line_id": "L1",
        "start_at": instant(start),
        "end_at": instant(start + 1_500),
        "official_m": metres,
        "rides": rides,
    }


def best_s(work: Callable[[], object]) -> float:
    """The smallest CPU time of some rounds: what disturbs a shared machine only adds."""
    times = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return min(times)


def measure(name: str, lines: list[bytes], read: Callable, judge: RideJudge | CarJudge, explain: Callable) -> None:
    decode = msgspec.json.Decoder().decode
    plain = [decode(line) for line in lines]
    facts = [read(one) for one in plain]

    def decide() -> list:
        counters, decide_one = Counters(), judge.decide
        return [decide_one(one, counters) for one in facts]

    decisions = decide()
    gc.collect()
    gc.freeze()  # what was read stays; a batch of a million journeys does the same
    seconds = {
        "decode JSON": best_s(lambda: [decode(line) for line in lines]),
        "read facts": best_s(lambda: [read(one) for one in plain]),
        "decide": best_s(decide),
        "explain": best_s(lambda: [explain(judge, *both) for both in zip(facts, decisions, strict=True)]),
    }
    gc.unfreeze()
    paid = sum(decision.amount_cents > 0 for decision in decisions)
    couples = sum(len(one["rides"]) if "rides" in one else 1 for one in plain)
    print(f"{name}: {len(lines):,} lines of {couples:,} couples, {paid / len(lines):.0%} paid")
    for step, spent in seconds.items():
        goal = f"  (goal {GOAL_PER_S:,} couples)" if step == "decide" else ""
        print(f"  {step:12} {len(lines) / spent:10,.0f} lines, {couples / spent:10,.0f} couples a second{goal}")
    record(f"covoiturage, {name}", {f"{step.replace(' ', '_')}_per_s": len(lines) / s for step, s in seconds.items()})


def measure_fraud(n: int) -> None:
    """What a month costs to look at, what of the planted schemes is caught, and how many honest rides are stopped."""
    month = make_month(1, n_drivers=n // 30, n_gangs=10, n_rings=100)
    gc.collect()
    gc.freeze()
    seconds = best_s(lambda: find_labels(month.carpools, month.known))
    day = {carpool.id for carpool in month.carpools[-len(month.carpools) // 31 :]}
    day_s = best_s(lambda: find_labels(month.carpools, month.known, day))
    gc.unfreeze()
    labels = find_labels(month.carpools, month.known)
    told = {(label.carpool_id, label.code) for label in labels}
    n_evidence = sum(len(ride.evidence) for carpool in month.carpools for ride in carpool.rides)
    print(f"fraud: {len(month.carpools):,} carpools, {n_evidence:,} pieces of evidence")
    print(f"  the whole month {seconds:.1f} s, its last day beside it {day_s:.1f} s")
    shares = {}
    for kind, schemes in (("deterministic", DETERMINISTIC), ("graph", GRAPH)):
        gangs = [(month.planted[name].code, gang) for name in schemes for gang in month.planted[name].gangs]
        caught = sum(all((one, code) in told for one in gang) for code, gang in gangs)
        shares[f"{kind}_caught_percent"] = 100 * caught / len(gangs)
        print(f"  {kind:14} {len(schemes)} schemes, {caught} of {len(gangs)} gangs caught")
    stopped = {label.carpool_id for label in labels if label.stops and label.carpool_id in month.honest}
    n_rides = sum(len(carpool.rides) for carpool in month.carpools if carpool.id in stopped)
    shares["honest_rides_stopped_percent"] = 100 * n_rides / month.n_honest_rides
    print(f"  honest         {n_rides} of {month.n_honest_rides:,} rides stopped")
    record("covoiturage, fraud", {"month_s": seconds, "day_s": day_s, "carpools": len(month.carpools), **shares})


def main() -> None:
    if sys.argv[1:2] == ["search"]:
        carpool_search.main(sys.argv[2:])
        return
    if sys.argv[1:2] == ["month"]:
        carpool_month.main(sys.argv[2:])
        return
    if sys.argv[1:2] == ["fraud"]:
        print(f"{machine()}; smallest CPU time of {ROUNDS} rounds")
        measure_fraud(int(sys.argv[2]) if len(sys.argv) > 2 else 100_000)
        return
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    draw, encode = Random(1), msgspec.json.encode
    print(f"{machine()}; smallest CPU time of {ROUNDS} rounds")
    cars = [encode(car(draw, number, n)) for number in range(n)]
    measure("bfc-lignes", cars, read_car, CarJudge(shipped_policies()["bfc-lignes"]), explain_car)
    couples = [encode(couple(draw, number, n)) for number in range(n)]
    judge = RideJudge(read_policy(REGISTRY_SHAPED), budget_cents=10**9)
    measure("registry-shaped", couples, read_facts, judge, explain_ride)


if __name__ == "__main__":
    main()
