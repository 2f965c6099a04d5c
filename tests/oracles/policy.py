"""The slow twin of `covoiturage.policy`: reads a document as it stands and reckons with fractions, step by step.

Written from the text of the language, without a line of the engine: no compilation, no common
denominator, no shared counters but a plain dictionary. Money is a `Fraction` until it is rounded.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

Doc = dict[str, Any]


def exact(number: Any) -> Fraction:
    return Fraction(str(number))


def when_of(journey: Doc) -> datetime:
    return datetime.fromisoformat(journey["datetime"])


def local_of(policy: Doc, journey: Doc) -> datetime:
    return when_of(journey).astimezone(ZoneInfo(policy.get("timezone") or "Europe/Paris"))


def in_selector(selector: Doc, place: Doc | None) -> bool:
    return any((place or {}).get(level) is not None and place[level] in codes for level, codes in selector.items())


def metres_between(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    phi, other_phi = math.radians(lat), math.radians(other_lat)
    h = (
        math.sin((other_phi - phi) / 2) ** 2
        + math.cos(phi) * math.cos(other_phi) * math.sin(math.radians(other_lon - lon) / 2) ** 2
    )
    return 2 * 6_371_008.8 * math.asin(min(1, math.sqrt(h)))


def inside(ring: list[list[float]], lon: float, lat: float) -> bool:
    """Even-odd, edge included."""
    crossings = False
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        cross = (x2 - x1) * (lat - y1) - (y2 - y1) * (lon - x1)
        if cross == 0 and min(x1, x2) <= lon <= max(x1, x2) and min(y1, y2) <= lat <= max(y1, y2):
            return True
        if (y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
            crossings = not crossings
    return crossings


def holds(c: Doc, policy: Doc, journey: Doc, territory: Doc) -> bool:
    kind = c["type"]
    start, end = journey.get("start"), journey.get("end")
    local = local_of(policy, journey)
    if kind == "all":
        return all(holds(part, policy, journey, territory) for part in c["of"])
    if kind == "any":
        return any(holds(part, policy, journey, territory) for part in c["of"])
    if kind == "not":
        return not holds(c["of"], policy, journey, territory)
    if kind == "distance":
        most = c.get("max_m_exclusive")
        return (c.get("min_m") or 0) <= journey["distance_m"] and (most is None or journey["distance_m"] < most)
    if kind == "class_in":
        return journey.get("operator_class") in c["classes"]
    if kind == "passenger_not_minor":
        return journey.get("passenger_is_over_18") in (True, None)
    if kind == "passenger_contribution_positive":
        return (journey.get("passenger_contribution_cents") or 0) > 0
    if kind == "starts_in":
        return in_selector(c["selector"], start)
    if kind == "ends_in":
        return in_selector(c["selector"], end)
    if kind == "starts_and_ends_in":
        return in_selector(c["selector"], start) and in_selector(c["selector"], end)
    if kind == "starts_or_ends_in":
        return in_selector(c["selector"], start) or in_selector(c["selector"], end)
    if kind == "starts_and_ends_in_campaign_territory":
        return in_selector(territory, start) and in_selector(territory, end)
    if kind == "not_within_same_aom":
        one, other = (start or {}).get("aom"), (end or {}).get("aom")
        return not one or not other or one != other or one in (c.get("except") or [])
    if kind == "both_points_inside":
        places = [(journey.get(f"{side}_lon"), journey.get(f"{side}_lat")) for side in ("start", "end")]
        ring = policy[c["shape_ref"]]
        return all(lon is not None and lat is not None and inside(ring, lon, lat) for lon, lat in places)
    if kind == "calendar_date_on_or_after":
        return when_of(journey).astimezone(UTC).date() >= date.fromisoformat(c["date"])
    if kind == "calendar_date_on_or_before":
        return when_of(journey).astimezone(UTC).date() <= date.fromisoformat(c["date"])
    if kind == "local_date_on_or_after":
        return local.date() >= date.fromisoformat(c["date"])
    if kind == "local_date_on_or_before":
        return local.date() <= date.fromisoformat(c["date"])
    if kind == "local_date_in":
        return local.date().isoformat() in policy[c["dates_ref"]]
    if kind == "weekday_not_in":
        return (local.weekday() + 1) % 7 not in c["days_sunday0"]
    if kind == "instant_on_or_after":
        return when_of(journey) >= datetime.fromisoformat(c["instant"])
    if kind == "instant_before":
        return when_of(journey) < datetime.fromisoformat(c["instant"])
    if kind == "local_time_between":
        clock = local.strftime("%H:%M:%S")
        since, until = f"{c['from']}:00", f"{c['to']}:00"
        return since <= clock < until if since <= until else clock >= since or clock < until
    if kind == "within_radius":
        near = {}
        for side in ("start", "end"):
            lat, lon = journey.get(f"{side}_lat"), journey.get(f"{side}_lon")
            known = lat is not None and lon is not None
            near[side] = known and metres_between(c["lat"], c["lon"], lat, lon) <= c["radius_m"]
        return {**near, "both": all(near.values()), "either": any(near.values())}[c["end"]]
    assert kind == "line_in"
    return journey.get("line_id") in c["line_ids"]


def closed_gate(policy: Doc, journey: Doc, territory: Doc) -> str | None:
    day = local_of(policy, journey).date().isoformat()
    if not (policy.get("valid_from") or "0000") <= day <= (policy.get("valid_until") or "9999"):
        return "outside_validity"
    if territory and not (in_selector(territory, journey.get("start")) or in_selector(territory, journey.get("end"))):
        return "outside_territory"
    entries = policy.get("operators") or []
    if entries:
        past = [entry for entry in entries if datetime.fromisoformat(entry["from"]) <= when_of(journey)]
        if not past:
            return "operator_not_listed"
        listed = max(past, key=lambda entry: datetime.fromisoformat(entry["from"]))["operators"]
        if journey.get("operator") not in listed:
            return "operator_not_listed"
    return None


def closed_condition(policy: Doc, journey: Doc, territory: Doc) -> str | None:
    for i, condition in enumerate(policy.get("eligibility") or []):
        if not holds(condition, policy, journey, territory):
            return f"condition:{i}"
    return None


def term_cents(term: Doc, metres: int, n: int) -> Fraction:
    kind = term["type"]
    if kind == "flat":
        return exact(term["cents"])
    if kind == "per_seat":
        return n * exact(term["cents"])
    if kind == "per_passenger":
        most = term.get("max_passengers")
        counted = n if most is None else min(n, most)
        return exact(term["cents"]) * max(0, counted - (term.get("from_passenger") or 1) + 1)
    long = min(metres, term.get("limit_m") or metres) - (term.get("offset_m") or 0)
    each = exact(term["cents_per_km"]) * max(0, long) / 1000
    if kind == "per_km":
        return each
    if term.get("max_cents_per_seat") is not None:
        each = min(each, exact(term["max_cents_per_seat"]))
    return n * each


def stateless(policy: Doc, journey: Doc, territory: Doc, metres: int, n: int) -> int | str:
    for rule in policy.get("amount_rules") or []:
        if rule.get("when") is None or holds(rule["when"], policy, journey, territory):
            break
    else:
        return "no_amount_rule"
    if rule["mode"] == "complement_to_target":
        paid = journey.get(f"{rule['minus']}_cents") or 0
        extra = max(0, metres - (rule.get("from_m") or 0))
        if rule.get("max_extra_m") is not None:
            extra = min(extra, rule["max_extra_m"])
        rounded_km = math.floor(Fraction(extra, 1000) + Fraction(1, 2))
        cents = exact(rule["target_cents"]) - paid + exact(rule.get("plus_cents_per_rounded_km") or 0) * rounded_km
        if rule.get("max_cents") is not None:
            cents = min(cents, exact(rule["max_cents"]))
    else:
        reached = [s for s in rule["slices"] if metres >= (s.get("from_m") or 0)]
        if rule["mode"] == "single":
            reached = [s for s in reached if s.get("to_m") is None or metres < s["to_m"]]
        if not reached:
            return "no_slice"
        cents = sum((term_cents(term, metres, n) for s in reached for term in s["terms"]), Fraction(0))
    for post in policy.get("post") or []:
        if post.get("when") is not None and not holds(post["when"], policy, journey, territory):
            continue
        match post["type"]:
            case "multiply":
                cents *= exact(post["factor"])
            case "raise_to_driver_revenue":
                cents = max(cents, Fraction(journey.get("driver_revenue_cents") or 0))
            case "floor":
                cents = max(cents, exact(post["cents"]))
            case "cap":
                cents = min(cents, exact(post["cents"]))
    return math.floor(max(cents, Fraction(0)) + Fraction(1, 2))


def period_key(period: str, local: datetime) -> str | None:
    return {
        "day": local.strftime("%Y-%m-%d"),
        "iso_week": local.strftime("%G-W%V"),
        "month": local.strftime("%Y-%m"),
        "year": local.strftime("%Y"),
        "campaign": None,
    }[period]


def subject(scope: str, journey: Doc) -> str | None:
    if scope == "campaign":
        return None
    if scope == "vehicle_trip":
        return f"{journey['operator_id']}/{journey['operator_trip_id']}"
    return str(journey[scope])


def counter_key(limit: Doc, journey: Doc, local: datetime) -> tuple[Any, ...]:
    name = {"trips": "trips", "amount": "amount_cents"}.get(limit["counter"], limit["counter"])
    period = limit["period"]
    return name, limit["scope"], subject(limit["scope"], journey), period, period_key(period, local)


def bounded(limits: list[Doc], cents: int, journey: Doc, local: datetime, budget: int | None, counted: dict) -> int:
    pay = cents
    for limit in limits:
        most = budget if limit["max"] == "campaign_budget" else limit["max"]
        used = counted.get(counter_key(limit, journey, local), 0)
        if most is None:
            continue
        if limit["counter"] == "amount":
            pay = min(pay, max(0, most - used))
        elif used >= most:
            pay = 0
    return pay


def charge(limits: list[Doc], pay: int, seats: int, journey: Doc, local: datetime, counted: dict, paid: bool) -> None:
    counters = {counter_key(limit, journey, local): limit["counter"] for limit in limits}
    unpaid = {counter_key(limit, journey, local) for limit in limits if limit.get("count_unpaid")}
    for key, kind in counters.items():
        if paid or key in unpaid:
            counted[key] = counted.get(key, 0) + {"trips": 1, "amount": pay}.get(kind, seats)


def decide_rides(
    policy: Doc, journeys: list[Doc], territory: Doc | None = None, budget: int | None = None, before: Doc | None = None
) -> tuple[list[tuple[str | None, int, int]], dict]:
    """(reason, stateless cents, paid cents) of each couple, and what was counted, `before` included."""
    territory, counted, out = territory or {}, dict(before or {}), []
    limits = policy.get("limits") or []
    for journey in journeys:
        reason = closed_gate(policy, journey, territory) or closed_condition(policy, journey, territory)
        if reason:
            out.append((reason, 0, 0))
            continue
        seats = journey.get("seats") or 1
        cents = stateless(policy, journey, territory, journey["distance_m"], seats)
        if isinstance(cents, str):
            out.append((cents, 0, 0))
            continue
        local = local_of(policy, journey)
        pay = bounded(limits, cents, journey, local, budget, counted)
        charge(limits, pay, seats, journey, local, counted, pay > 0)
        out.append((None, cents, pay))
    return out, {key: value for key, value in counted.items() if value}


def paid_metres(policy: Doc, car: Doc, rides: list[Doc]) -> int:
    basis = policy.get("distance_basis") or "driver_on_line"
    measured, official = car.get("measured_m"), car.get("official_m")
    if basis == "per_ride":
        return sum(ride["distance_m"] for ride in rides)
    ratio = exact(policy.get("detour_ratio_max") or "1.1")
    if measured is None or (basis == "official_line" and official is not None):
        whole = official if official is not None else measured
    elif official is None or basis == "trace":
        whole = measured
    else:
        whole = min(measured, math.floor(official * ratio))
    if basis != "passenger_occupied":
        return whole
    seconds: dict[int, Fraction] = {}  # second -> metres gone in it with somebody aboard
    at_once: dict[int, int] = {}  # second -> metres of the longest ride told with one instant only
    for ride in rides:
        since, until = (int(datetime.fromisoformat(ride[name]).timestamp()) for name in ("board_at", "alight_at"))
        if since == until:
            at_once[since] = max(at_once.get(since, 0), ride["distance_m"])
        for second in range(since, until):
            pace = Fraction(ride["distance_m"], until - since)
            seconds[second] = max(seconds.get(second, Fraction(0)), pace)
    return min(whole, math.floor(sum(seconds.values(), Fraction(sum(at_once.values()))) + Fraction(1, 2)))


def decide_cars(
    policy: Doc,
    cars: list[Doc],
    territory: Doc | None = None,
    budget: int | None = None,
    seen_inside: list[tuple[Doc, list[Doc]]] | None = None,
) -> tuple[list[tuple[str | None, int, int, int, int, int]], dict]:
    """(reason, stateless, paid, metres, passengers, fare) of each car, and what was counted.

    `seen_inside` gathers, of each car, what conditions read of it and the rides that count.
    """
    territory, counted, out = territory or {}, {}, []
    inside = [] if seen_inside is None else seen_inside
    limits = policy.get("limits") or []
    of_cars = [limit for limit in limits if limit["scope"] != "passenger"]
    of_people = [limit for limit in limits if limit["scope"] == "passenger"]
    payable: dict[tuple[str, str], int] = {}
    for car in cars:
        view = {**car, "datetime": car["end_at"], "distance_m": 0}
        local = local_of(policy, view)
        inside.append((view, []))
        reason = closed_gate(policy, view, territory)
        if reason:
            out.append((reason, 0, 0, 0, 0, 0))
            continue
        kept, had = [], dict(counted)
        for ride in sorted(car["rides"], key=lambda r: (datetime.fromisoformat(r["board_at"]), r["ride_id"])):
            seen = {
                **view,
                **ride,
                "passenger_contribution_cents": ride.get("contribution_cents"),
            }
            if not all(holds(rule, policy, seen, territory) for rule in policy.get("ride_eligibility") or []):
                continue
            if bounded(of_people, 1, seen, local, budget, had):
                kept.append((ride, seen))
                charge(of_people, 1, ride.get("seats") or 1, seen, local, had, True)
        rides = [ride for ride, _ in kept]
        inside[-1] = (view, rides)
        metres = paid_metres(policy, car, rides)
        n = sum(ride.get("seats") or 1 for ride in rides)
        if policy.get("passenger_basis") == "peak_occupancy":
            n = max(
                (
                    sum(
                        (other.get("seats") or 1)
                        for other in rides
                        if other is ride or other["board_at"] <= ride["board_at"] < other["alight_at"]
                    )
                    for ride in rides
                ),
                default=0,
            )
        view |= {
            "distance_m": metres,
            "passenger_contribution_cents": sum(r.get("contribution_cents") or 0 for r in car["rides"]),
        }
        reason = closed_condition(policy, view, territory)
        empty = policy.get("empty_run") or "none"
        cents: int | str = 0
        if not reason:
            if rides or empty == "km":
                cents = stateless(policy, view, territory, metres, n)
            else:
                cents = "no_passenger" if empty == "none" else int(empty[5:])
        if reason or isinstance(cents, str):
            out.append((reason or str(cents), 0, 0, metres, n, 0))
            continue
        fare = policy.get("fare")
        fares = 0
        if fare and fare["mode"] == "flat":
            fares = fare["cents"] * sum(ride.get("seats") or 1 for ride in rides)
        elif fare:
            fares = sum(ride.get("contribution_cents") or 0 for ride in rides)
        due, cap = cents, policy.get("legal_cap")
        if cap:
            day = (car["driver"], local.date().isoformat())
            nth = payable.get(day, 0)
            payable[day] = nth + (cents > 0)
            if not (metres <= (cap.get("short_m") or 0) and nth < (cap.get("short_trips_per_day") or 0)):
                cost = math.floor(metres * exact(cap["cents_per_km"]) / 1000)
                due = min(cents, max(0, cost - (0 if fare else view["passenger_contribution_cents"])))
        pay = bounded(of_cars, due, view, local, budget, counted)
        charge(of_cars, pay, sum(ride.get("seats") or 1 for ride in rides), view, local, counted, pay > 0)
        for _ride, seen in kept:
            charge(
                [one for one in of_people if one["counter"] != "amount"],
                0,
                seen.get("seats") or 1,
                seen,
                local,
                counted,
                pay > 0,
            )
        out.append((None, cents, pay, metres, n, fares))
    return out, counted
