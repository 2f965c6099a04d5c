"""Policies and journeys by chance: every condition, mode, term, operation and limit, around every edge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

Doc = dict[str, Any]

COMMUNES = ["21231", "25056", "39198", "70550"]
EPCIS = ["242100410", "242500361"]
AOMS = ["217500016", "200070092", None]
LINES = ["L1", "L2"]
OPERATORS = [
    {"from": "2026-03-29T01:00:00Z", "operators": ["two", "three"]},
    {"from": "2025-01-01T00:00:00Z", "operators": ["one", "two"]},
    {"from": "2026-10-25T00:00:00Z", "operators": []},
]
EDGES = [2_000, 3_000, 5_000, 12_000, 30_000, 60_000]
# Around midnight in Paris, the end of a month, of a year, and both changes of the clock.
DAYS = [
    datetime(2025, 12, 31, 20, tzinfo=UTC),
    datetime(2026, 1, 19, 5, tzinfo=UTC),
    datetime(2026, 3, 28, 21, tzinfo=UTC),
    datetime(2026, 3, 31, 20, tzinfo=UTC),
    datetime(2026, 10, 24, 21, tzinfo=UTC),
]
RING = [[4.8, 47.0], [6.2, 47.0], [6.2, 47.6], [5.5, 47.3], [4.8, 47.6]]


def told(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def random_condition(random: Random, depth: int = 0) -> Doc:
    day = random.choice(DAYS).date().isoformat()
    instant = told(random.choice(DAYS) + timedelta(hours=random.randrange(12)))
    selector = random.choice([{"com": COMMUNES[:2]}, {"epci": EPCIS[:1], "com": COMMUNES[2:3]}, {"aom": AOMS[:1]}])
    clock = random.choice([("06:00", "20:30"), ("21:00", "02:00"), ("00:00", "24:00")])
    flat: list[Doc] = [
        {"type": "distance", "min_m": random.choice(EDGES[:3]), "max_m_exclusive": random.choice([None, *EDGES[3:]])},
        {"type": "class_in", "classes": random.choice([["B", "C"], ["C"], ["A", "B", "C"]])},
        {"type": "passenger_not_minor"},
        {"type": "passenger_contribution_positive"},
        *({"type": kind, "selector": selector} for kind in ("starts_in", "ends_in")),
        *({"type": kind, "selector": selector} for kind in ("starts_and_ends_in", "starts_or_ends_in")),
        {"type": "starts_and_ends_in_campaign_territory"},
        {"type": "not_within_same_aom", "except": random.choice([[], AOMS[:1]])},
        {"type": "both_points_inside", "shape_ref": "outline"},
        *(
            {"type": f"{of}_date_on_or_{side}", "date": day}
            for of in ("calendar", "local")
            for side in ("after", "before")
        ),
        {"type": "local_date_in", "dates_ref": "days_of_the_fair"},
        {"type": "weekday_not_in", "days_sunday0": random.choice([[0, 6], [3], []])},
        {"type": "instant_on_or_after", "instant": instant},
        {"type": "instant_before", "instant": instant},
        {"type": "local_time_between", "from": clock[0], "to": clock[1]},
        {
            "type": "within_radius",
            "lat": 47.32,
            "lon": 5.04,
            "radius_m": random.choice([0, 20_000, 60_000]),
            "end": random.choice(["start", "end", "both", "either"]),
        },
        {"type": "line_in", "line_ids": LINES[:1]},
    ]
    if depth < 2 and random.random() < 0.2:
        parts = [random_condition(random, depth + 1) for _ in range(random.randrange(3))]
        return random.choice(
            [
                {"type": "all", "of": parts},
                {"type": "any", "of": parts},
                {"type": "not", "of": random_condition(random, 2)},
            ]
        )
    return random.choice(flat)


def random_term(random: Random, level: str) -> Doc:
    rate = random.choice([10, 12.5, 7.5, 0.333, 1.05])
    cents = random.choice([0, 50, 100, 120.5, 133.33])
    km = {
        "cents_per_km": rate,
        "offset_m": random.choice([0, None, 3_000]),
        "limit_m": random.choice([0, None, 30_000]),
    }
    if level == "vehicle_trip":
        most = random.choice([None, 1, 3])
        passenger = {
            "type": "per_passenger",
            "cents": cents,
            "from_passenger": random.choice([1, 2]),
            "max_passengers": most,
        }
        return random.choice([{"type": "flat", "cents": cents}, {"type": "per_km", **km}, passenger])
    per_km = {"type": "per_seat_km", **km, "max_cents_per_seat": random.choice([None, 100, 150.5])}
    return random.choice([{"type": "flat", "cents": cents}, {"type": "per_seat", "cents": cents}, per_km])


def random_rule(random: Random, level: str) -> Doc:
    when = random_condition(random) if random.random() < 0.3 else None
    mode = random.choice(["cumulative", "single", "complement_to_target"])
    if mode == "complement_to_target":
        return {
            "when": when,
            "mode": mode,
            "target_cents": random.choice([200, 312.5]),
            "max_cents": random.choice([None, 250]),
            "minus": random.choice(["passenger_contribution", "driver_revenue"]),
            "plus_cents_per_rounded_km": random.choice([None, 10, 2.5]),
            "from_m": random.choice([None, 5_000]),
            "max_extra_m": random.choice([None, 20_000]),
            "slices": [],
        }
    starts = sorted(random.sample([0, *EDGES], random.randrange(1, 4)))
    ends = [*starts[1:], random.choice([None, 90_000])]
    return {
        "when": when,
        "mode": mode,
        "slices": [
            {"from_m": start, "to_m": end, "terms": [random_term(random, level) for _ in range(random.randrange(1, 3))]}
            for start, end in zip(starts, ends, strict=True)
        ],
    }


def random_limit(random: Random) -> Doc:
    counter = random.choice(["trips", "amount", "seats_in_same_vehicle_trip"])
    most: int | str = random.choice([100, 460, 1000]) if counter == "amount" else random.choice([1, 2, 4])
    scope = random.choice(["driver", "passenger", "vehicle_trip", "campaign"])
    if counter == "amount" and scope == "campaign" and random.random() < 0.5:
        most = "campaign_budget"
    return {
        "counter": counter,
        "period": random.choice(["day", "iso_week", "month", "year", "campaign"]),
        "scope": scope,
        "max": most,
        "evaluation_priority": random.randrange(40),
        "count_unpaid": random.random() < 0.1,
    }


def random_policy(random: Random, level: str) -> Doc:
    posts = [
        {"type": "multiply", "factor": random.choice([1.5, 0.75, 1.1])},
        {"type": "raise_to_driver_revenue"},
        {"type": "floor", "cents": random.choice([50, 80.5])},
        {"type": "cap", "cents": random.choice([150, 300.5])},
    ]
    policy: Doc = {
        "id": "by-chance",
        "level": level,
        "timezone": random.choice(["Europe/Paris", "Europe/Paris", "Pacific/Auckland"]),
        "valid_from": random.choice([None, "2026-01-01"]),
        "valid_until": random.choice([None, "2026-03-31"]),
        "operators": random.choice([[], OPERATORS[:1], OPERATORS[:2], OPERATORS]),
        "eligibility": [random_condition(random) for _ in range(random.choice([0, 0, 1, 2]))],
        "amount_rules": [random_rule(random, level) for _ in range(random.randrange(1, 3))],
        "post": [
            {**post, "when": random_condition(random) if random.random() < 0.3 else None}
            for post in random.sample(posts, random.randrange(3))
        ],
        "limits": [random_limit(random) for _ in range(random.randrange(4))],
    }
    if level == "vehicle_trip":
        policy |= {
            "ride_eligibility": random.choice([[], [{"type": "class_in", "classes": ["B", "C"]}]]),
            "distance_basis": random.choice(
                ["driver_on_line", "official_line", "trace", "passenger_occupied", "per_ride"]
            ),
            "detour_ratio_max": random.choice([1.1, 1.25]),
            "passenger_basis": random.choice(["distinct", "peak_occupancy"]),
            "empty_run": random.choice(["none", "km", "flat:50"]),
            "fare": random.choice([None, {"mode": "flat", "cents": 150, "per": "seat"}, {"mode": "ticketing"}]),
            "legal_cap": random.choice([None, {"cents_per_km": 52.9, "short_m": 15_000, "short_trips_per_day": 1}]),
        }
        policy["limits"] = [
            limit for limit in policy["limits"] if (limit["counter"], limit["scope"]) != ("amount", "passenger")
        ]
    named = repr(policy)
    if "days_of_the_fair" in named:
        policy["days_of_the_fair"] = ["2026-01-19", "2026-03-29"]
    if "'outline'" in named:
        policy["outline"] = RING
    return policy


def _ends(random: Random) -> Doc:
    def place() -> Doc:
        return {"com": random.choice(COMMUNES), "epci": random.choice(EPCIS), "aom": random.choice(AOMS)}

    ends: Doc = {"start": place(), "end": place()} if random.random() < 0.9 else {}
    if random.random() < 0.8:
        for side in ("start", "end"):
            ends |= {
                f"{side}_lat": round(random.uniform(46.9, 47.7), 3),
                f"{side}_lon": round(random.uniform(4.7, 6.3), 3),
            }
    return ends


def _metres(random: Random) -> int:
    return max(0, random.choice(EDGES) + random.choice([-1, 0, 1, 499, 500, 501, 12_345]))


def random_journey(random: Random) -> Doc:
    return {
        "operator": random.choice(["one", "two", "three"]),
        "operator_id": random.randrange(1, 3),
        "operator_class": random.choice(["A", "B", "C", None]),
        "datetime": told(random.choice(DAYS) + timedelta(minutes=random.randrange(600))),
        "distance_m": _metres(random),
        "seats": random.choice([None, 0, 1, 1, 2, 3]),
        "driver": random.choice("de"),
        "passenger": random.choice("pqr"),
        "passenger_is_over_18": random.choice([True, False, None]),
        "driver_revenue_cents": random.choice([None, 0, 150, 260]),
        "passenger_contribution_cents": random.choice([None, 0, 100, 350]),
        "operator_trip_id": random.choice("tuv"),
        "line_id": random.choice([*LINES, None]),
        **_ends(random),
    }


def random_car(random: Random, number: int) -> Doc:
    start = random.choice(DAYS) + timedelta(minutes=random.randrange(500))
    rides = []
    for ride in range(random.choice([0, 1, 1, 2, 3])):
        board = start + timedelta(seconds=random.randrange(0, 1200, 60))
        rides.append(
            {
                "ride_id": f"r{number}-{ride}",
                "passenger": random.choice("pqr"),
                "seats": random.choice([1, 1, 2]),
                "operator_class": random.choice(["A", "B", "C"]),
                "board_at": told(board),
                "alight_at": told(board + timedelta(seconds=random.randrange(60, 1500, 60))),
                "distance_m": _metres(random),
                "passenger_is_over_18": random.choice([True, False, None]),
                "contribution_cents": random.choice([None, 150]),
            }
        )
    measured, official = random.choice([(None, 33_000), (40_000, 33_000), (_metres(random), None), (31_000, 33_000)])
    return {
        "carpool_id": f"c{number}",
        "driver": random.choice("de"),
        "operator": random.choice(["one", "two", "three"]),
        "operator_id": 1,
        "operator_trip_id": f"t{number % 3}",
        "line_id": random.choice([*LINES, None]),
        "start_at": told(start),
        "end_at": told(start + timedelta(minutes=60)),
        "measured_m": measured,
        "official_m": official,
        "rides": rides,
        **_ends(random),
    }
