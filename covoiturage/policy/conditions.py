"""Conditions: compiled once into predicates over `Facts`; what a condition needs and nobody said makes it false.

A predicate takes the facts and their local time by the policy's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

import shapely

from covoiturage.policy.facts import Facts, Levels
from covoiturage.policy.model import Condition, Policy
from socle.geo import LatLon, distance_m

Predicate = Callable[[Facts, datetime], bool]
Selector = tuple[tuple[str, frozenset[str]], ...]  # (level, codes): a place is selected when one of its levels is

# What `Facts` calls a fact -> what a journey calls it, where that is not the same.
_SAID: Mapping[str, str] = {
    "start_levels": "start",
    "end_levels": "end",
    "start": "start_lat, start_lon",
    "end": "end_lat, end_lon",
}
# Type of condition -> the facts without which it is false.
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "class_in": ("operator_class",),
    "starts_in": ("start_levels",),
    "ends_in": ("end_levels",),
    "starts_and_ends_in": ("start_levels", "end_levels"),
    "starts_and_ends_in_campaign_territory": ("start_levels", "end_levels"),
    "both_points_inside": ("start", "end"),
    "line_in": ("line_id",),
}
_RADIUS_NEEDS = {"start": ("start",), "end": ("end",), "both": ("start", "end"), "either": ("start", "end")}


def selects(selector: Selector, levels: Levels | None) -> bool:
    """Whether any level of a place is in the selector; a place that lacks a level does not match it."""
    if levels is None:
        return False
    get = levels.get
    return any(get(level) in codes for level, codes in selector)


def missing_facts(condition: Condition, facts: Facts) -> Iterator[str]:
    """The facts that `condition` needs and nobody said."""
    for part in condition.of:
        yield from missing_facts(part, facts)
    needed = _NEEDED.get(condition.type, ())
    if condition.type == "within_radius":
        needed = _RADIUS_NEEDS[condition.given["end"]]
    yield from (_SAID.get(name, name) for name in needed if getattr(facts, name) is None)


def compile_condition(condition: Condition, policy: Policy, territory: Selector) -> Predicate:
    """The predicate of `condition`; `territory` is the one of the batch."""
    if condition.of or condition.type in {"all", "any"}:
        return _combined(condition, [compile_condition(part, policy, territory) for part in condition.of])
    if condition.type in _PLACES:
        selector = (
            territory if condition.type == "starts_and_ends_in_campaign_territory" else condition.given["selector"]
        )
        return _PLACES[condition.type](selector)
    return _SINGLE[condition.type](condition, policy)


def _combined(condition: Condition, parts: list[Predicate]) -> Predicate:
    if condition.type == "not":
        inner = parts[0]
        return lambda facts, local: not inner(facts, local)
    if condition.type == "all":
        return lambda facts, local: all(part(facts, local) for part in parts)
    return lambda facts, local: any(part(facts, local) for part in parts)


_PLACES: Mapping[str, Callable[[Selector], Predicate]] = {
    "starts_in": lambda chosen: lambda facts, _: selects(chosen, facts.start_levels),
    "ends_in": lambda chosen: lambda facts, _: selects(chosen, facts.end_levels),
    "starts_and_ends_in": lambda chosen: (
        lambda facts, _: selects(chosen, facts.start_levels) and selects(chosen, facts.end_levels)
    ),
    "starts_or_ends_in": lambda chosen: (
        lambda facts, _: selects(chosen, facts.start_levels) or selects(chosen, facts.end_levels)
    ),
    "starts_and_ends_in_campaign_territory": lambda chosen: (
        lambda facts, _: selects(chosen, facts.start_levels) and selects(chosen, facts.end_levels)
    ),
}


def _distance(condition: Condition, _policy: Policy) -> Predicate:
    least, below = condition.given["min_m"], condition.given["max_m_exclusive"]
    if below is None:
        return lambda facts, _: facts.distance_m >= least
    return lambda facts, _: least <= facts.distance_m < below


def _class_in(condition: Condition, _policy: Policy) -> Predicate:
    classes = frozenset(condition.given["classes"])
    return lambda facts, _: facts.operator_class in classes


def _aoms_differ(condition: Condition, _policy: Policy) -> Predicate:
    excepted = frozenset(condition.given["except"])

    def holds(facts: Facts, _local: datetime) -> bool:
        start = facts.start_levels.get("aom") if facts.start_levels else None
        end = facts.end_levels.get("aom") if facts.end_levels else None
        return not start or not end or start != end or start in excepted

    return holds


def _both_inside(condition: Condition, policy: Policy) -> Predicate:
    outline = policy.shapes[condition.given["shape_ref"]]

    def covers(place: LatLon | None) -> bool:
        return place is not None and bool(shapely.covers(outline, shapely.Point(place.lon, place.lat)))

    return lambda facts, _: covers(facts.start) and covers(facts.end)


def _within_radius(condition: Condition, _policy: Policy) -> Predicate:
    given = condition.given
    centre, radius_m, end = LatLon(given["lat"], given["lon"]), float(given["radius_m"]), given["end"]

    def near(place: LatLon | None) -> bool:
        return place is not None and distance_m(centre, place) <= radius_m

    if end == "start":
        return lambda facts, _: near(facts.start)
    if end == "end":
        return lambda facts, _: near(facts.end)
    if end == "both":
        return lambda facts, _: near(facts.start) and near(facts.end)
    return lambda facts, _: near(facts.start) or near(facts.end)


def _local_time(condition: Condition, _policy: Policy) -> Predicate:
    since_s, until_s = condition.given["from"], condition.given["to"]

    def holds(_facts: Facts, local: datetime) -> bool:
        second = local.hour * 3600 + local.minute * 60 + local.second
        if since_s <= until_s:
            return bool(since_s <= second < until_s)
        return bool(second >= since_s or second < until_s)  # past midnight

    return holds


def _calendar_from(condition: Condition, _policy: Policy) -> Predicate:
    since = condition.given["date"]
    return lambda facts, _: facts.instant.astimezone(UTC).date() >= since


def _calendar_until(condition: Condition, _policy: Policy) -> Predicate:
    until = condition.given["date"]
    return lambda facts, _: facts.instant.astimezone(UTC).date() <= until


def _local_from(condition: Condition, _policy: Policy) -> Predicate:
    since = condition.given["date"]
    return lambda _, local: local.date() >= since


def _local_until(condition: Condition, _policy: Policy) -> Predicate:
    until = condition.given["date"]
    return lambda _, local: local.date() <= until


def _local_in(condition: Condition, policy: Policy) -> Predicate:
    dates = policy.dates[condition.given["dates_ref"]]
    return lambda _, local: local.date() in dates


def _weekday_not_in(condition: Condition, _policy: Policy) -> Predicate:
    weekdays = condition.given["days_sunday0"]
    return lambda _, local: local.isoweekday() % 7 not in weekdays


def _instant_from(condition: Condition, _policy: Policy) -> Predicate:
    since = condition.given["instant"]
    return lambda facts, _: facts.instant >= since


def _instant_before(condition: Condition, _policy: Policy) -> Predicate:
    until = condition.given["instant"]
    return lambda facts, _: facts.instant < until


def _line_in(condition: Condition, _policy: Policy) -> Predicate:
    lines = frozenset(condition.given["line_ids"])
    return lambda facts, _: facts.line_id in lines


_SINGLE: Mapping[str, Callable[[Condition, Policy], Predicate]] = {
    "distance": _distance,
    "class_in": _class_in,
    # The registry's text says that an unknown age excludes; its engine lets it pass, and so do we.
    "passenger_not_minor": lambda _condition, _policy: lambda facts, _: facts.over_18 is not False,
    "passenger_contribution_positive": lambda _condition, _policy: lambda facts, _: facts.contribution_cents > 0,
    "not_within_same_aom": _aoms_differ,
    "both_points_inside": _both_inside,
    "calendar_date_on_or_after": _calendar_from,
    "calendar_date_on_or_before": _calendar_until,
    "local_date_on_or_after": _local_from,
    "local_date_on_or_before": _local_until,
    "local_date_in": _local_in,
    "weekday_not_in": _weekday_not_in,
    "instant_on_or_after": _instant_from,
    "instant_before": _instant_before,
    "local_time_between": _local_time,
    "within_radius": _within_radius,
    "line_in": _line_in,
}
