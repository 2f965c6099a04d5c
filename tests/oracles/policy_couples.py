"""Couples at the level of the car, slowly: who sat in one car, and what of its amount each of them brought."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from tests.oracles.policy import Doc, decide_cars, exact, holds, when_of


def cars_of(couples: list[Doc]) -> list[tuple[Doc, list[int]]]:
    """Each car that couples tell of, in the order of its first, with the positions of its couples."""
    together: dict[Any, list[int]] = {}
    for position, couple in enumerate(couples):
        trip = couple.get("operator_trip_id")
        key = ("alone", position) if trip is None else ("car", couple.get("operator_id"), trip)
        together.setdefault(key, []).append(position)
    return [(_car([couples[i] for i in positions]), positions) for positions in together.values()]


def _car(couples: list[Doc]) -> Doc:
    ends = [couple.get("end_datetime") or couple["datetime"] for couple in couples]
    longest = max(couples, key=lambda couple: couple["distance_m"])
    told = [couple["vehicle_distance_m"] for couple in couples if couple.get("vehicle_distance_m") is not None]
    return {
        **couples[0],
        **{name: longest.get(name) for name in ("start", "end", "start_lat", "start_lon", "end_lat", "end_lon")},
        "carpool_id": "c",
        "end_at": max(ends, key=lambda end: when_of({"datetime": end})),
        "measured_m": max(told) if told else longest["distance_m"],
        "official_m": None,
        "driver_revenue_cents": sum(couple.get("driver_revenue_cents") or 0 for couple in couples),
        "passenger_is_over_18": None,
        "operator_class": None,
        "rides": [
            {
                **couple,
                "ride_id": str(position),
                "board_at": couple["datetime"],
                "alight_at": end,
                "contribution_cents": couple.get("passenger_contribution_cents"),
            }
            for position, (couple, end) in enumerate(zip(couples, ends, strict=True))
        ],
    }


def cut(cents: int, weights: list[int]) -> list[int]:
    """`cents` after `weights`: everybody their whole cents, then one more to whoever lost most, the earlier first."""
    if not any(weights):
        weights = [1] * len(weights)
    due = [Fraction(cents * weight, sum(weights)) for weight in weights]
    parts = [math.floor(one) for one in due]
    while sum(parts) < cents:
        lost = [one - part for one, part in zip(due, parts, strict=True)]
        parts[lost.index(max(lost))] += 1
    return parts


def shares(policy: Doc, view: Doc, rides: list[Doc], cents: int, metres: int, n: int, territory: Doc) -> list[int]:
    """What each ride brought of `cents`: the supplements of its seats, and by seats its part of the rest."""
    rules = policy.get("amount_rules") or []
    seen = view | {"distance_m": metres}
    rule = next(r for r in rules if r.get("when") is None or holds(r["when"], policy, seen, territory))
    reached = [
        part
        for part in rule.get("slices") or []
        if metres >= (part.get("from_m") or 0)
        and (rule["mode"] == "cumulative" or part.get("to_m") is None or metres < part["to_m"])
    ]
    terms = [term for part in reached for term in part["terms"] if term["type"] == "per_passenger"]
    seats = [ride.get("seats") or 1 for ride in rides]
    of_seat = [position for position, many in enumerate(seats) for _ in range(many)]
    added = [Fraction(0)] * len(rides)
    for term in terms:
        most = n if term.get("max_passengers") is None else min(n, term["max_passengers"])
        for number, position in enumerate(of_seat, start=1):
            if (term.get("from_passenger") or 1) <= number <= most:
                added[position] += exact(term["cents"])
    supplements = [math.floor(one) for one in added]
    rest = cents - sum(supplements)
    if rest < 0:
        return cut(cents, supplements)
    return [own + part for own, part in zip(supplements, cut(rest, seats), strict=True)]


def decide_couples(
    policy: Doc, couples: list[Doc], territory: Doc | None = None, budget: int | None = None
) -> list[tuple[int, int]]:
    """(stateless, paid) cents of each couple under a policy of cars."""
    cars = cars_of(couples)
    inside: list[tuple[Doc, list[Doc]]] = []
    decided, _ = decide_cars(policy, [car for car, _ in cars], territory, budget, inside)
    out = [(0, 0)] * len(couples)
    for (reason, before, paid, metres, n, _), (view, rides), (_, positions) in zip(decided, inside, cars, strict=True):
        if reason is None and not rides:
            out[positions[0]] = (before, paid)
        elif reason is None:
            both = (shares(policy, view, rides, cents, metres, n, territory or {}) for cents in (before, paid))
            for ride, amounts in zip(rides, zip(*both, strict=True), strict=True):
                out[positions[int(ride["ride_id"])]] = amounts
    return out
