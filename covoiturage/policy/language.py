"""Language: the tree of a document → a `Policy`, every field checked, or the field that is wrong and why.

Levels: a policy of level `ride` pays one driver-passenger couple at a time; one of level
`vehicle_trip` pays the car's whole outing. Both share conditions, slices and limits. A field
that is absent is the same as null. Fields that are not known are refused, except `notes`, those
that begin with `_`, and lists of dates or shapes that a condition names.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from fractions import Fraction
from itertools import pairwise
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from covoiturage.policy.documents import Tree, hash_document, read_documents
from covoiturage.policy.fields import (
    Field,
    Fields,
    Place,
    boolean,
    choice,
    day,
    days,
    instant,
    list_of,
    metres,
    mostly,
    name,
    number,
    obj,
    refuse,
    selector,
    shape,
    text,
    texts,
    time_of_day_s,
    weekdays,
    whole,
    zone,
)
from covoiturage.policy.model import (
    AMOUNT,
    CAMPAIGN_BUDGET,
    PERIODS,
    RIDE,
    SCOPES,
    SEATS,
    TRIPS,
    VEHICLE_TRIP,
    AmountRule,
    CarRules,
    Condition,
    Fare,
    LegalCap,
    Limit,
    Payout,
    Policy,
    PostOperation,
    Slice,
    Term,
)
from socle.errors import BadInput


def read_policies(document: bytes, *, toml: bool = False) -> dict[str, Policy]:
    """The policies of a file by id.

    Raises:
        BadInput: as `read_documents`; `policy_field` names the field that is wrong, and why.
    """
    return {policy_id: read_policy(tree, policy_id) for policy_id, tree in read_documents(document, toml=toml).items()}


def read_each_policy(document: bytes, *, toml: bool = False) -> dict[str, Policy | BadInput]:
    """The policies of a file by id; of a collection, what is wrong with one harms no other and stands in its place.

    Raises:
        BadInput: as `read_documents`.
    """
    found: dict[str, Policy | BadInput] = {}
    for policy_id, tree in read_documents(document, toml=toml).items():
        try:
            found[policy_id] = read_policy(tree, policy_id)
        except BadInput as error:
            found[policy_id] = error
    return found


def read_policy(tree: Tree, policy_id: str | None = None) -> Policy:
    """The policy of a tree, under the id that is given or the one that it says.

    Raises:
        BadInput: `policy_field` names the field that is wrong, and why.
    """
    named: dict[str, str] = {}  # a list that a condition names -> "dates" or "shape"
    read = _reader(tree.get("level") or RIDE, named)
    own = {key: value for key, value in tree.items() if key in read}
    others = {key: value for key, value in tree.items() if not (key in read or key == "notes" or key.startswith("_"))}
    got = obj(read)(own, "")
    for unknown in sorted(others.keys() - named.keys()):
        refuse(unknown, "unknown_field")
    for missing in sorted(named.keys() - others.keys()):
        refuse(missing, "missing_list")
    return Policy(
        id=got["id"] or "" if policy_id is None else policy_id,
        title=got["title"] or "",
        version=hash_document(tree),
        level=got["level"],
        zone=got["timezone"],
        valid_from=got["valid_from"],
        valid_until=_until(got),
        operators=tuple(sorted(((one["from"], frozenset(one["operators"])) for one in got["operators"]), key=_first)),
        eligibility=got["eligibility"],
        amount_rules=got["amount_rules"],
        post=got["post"],
        limits=got["limits"],
        car=_car_rules(got) if got["level"] == VEHICLE_TRIP else CarRules(),
        dates={ref: days(others[ref], ref) for ref, kind in named.items() if kind == "dates"},
        shapes={ref: shape(others[ref], ref) for ref, kind in named.items() if kind == "shape"},
    )


def _first(entry: tuple[datetime, frozenset[str]]) -> datetime:
    return entry[0]


def _until(got: Mapping[str, Any]) -> date | None:
    until: date | None = got["valid_until"]
    if until is not None and got["valid_from"] is not None and until < got["valid_from"]:
        refuse("valid_until", "before_start")
    return until


def _car_rules(got: Mapping[str, Any]) -> CarRules:
    rules = {field: got[field] for field in _CAR_FIELDS if got[field] is not None}
    if "ride_eligibility" in rules:
        rules["ride_eligibility"] = tuple(rules["ride_eligibility"])
    return CarRules(**rules)


# --- fields ---------------------------------------------------------------------------------------


def _reader(level: str, named: dict[str, str]) -> Fields:
    """The fields at the top of a document of this level; `named` gathers the lists that conditions name."""
    condition = _condition_reader(named)
    conditions = list_of(condition)
    terms = _CAR_TERMS if level == VEHICLE_TRIP else _COUPLE_TERMS
    fields: Fields = {
        "id": Field(name, None),
        "title": Field(text, None),
        "level": Field(choice(RIDE, VEHICLE_TRIP), RIDE),
        "timezone": Field(zone, ZoneInfo("Europe/Paris")),
        "valid_from": Field(day, None),
        "valid_until": Field(day, None),
        "operators": Field(list_of(obj({"from": Field(instant), "operators": Field(texts)})), ()),
        "eligibility": Field(conditions, ()),
        "amount_rules": Field(list_of(_rule_reader(condition, terms)), ()),
        "post": Field(list_of(_post_reader(condition)), ()),
        "limits": Field(list_of(_limit), ()),
    }
    for field, read in _CAR_FIELDS.items():
        fields[field] = Field(read if level == VEHICLE_TRIP else _only_of_cars, None)
    fields["ride_eligibility"] = Field(conditions if level == VEHICLE_TRIP else _only_of_cars, None)
    return fields


def _only_of_cars(_value: object, path: str) -> None:
    refuse(path, "only_of_vehicle_trip")


def _condition_reader(named: dict[str, str]) -> Any:
    def read(value: object, path: str) -> Condition:
        kind, given = mostly("type", _CONDITIONS)(value, path)
        if kind in {"all", "any"}:
            return Condition(kind, of=list_of(read)(given["of"], f"{path}.of"))
        if kind == "not":
            return Condition(kind, of=(read(given["of"], f"{path}.of"),))
        for reference, sort in (("dates_ref", "dates"), ("shape_ref", "shape")):
            if reference in given and named.setdefault(given[reference], sort) != sort:
                refuse(f"{path}.{reference}", "list_of_another_sort")
        return Condition(kind, MappingProxyType(given))

    return read


def _anything(value: object, _path: str) -> object:
    return value


_SELECTED: Fields = {"selector": Field(selector)}
_OF: Fields = {"of": Field(_anything)}
_DATE: Fields = {"date": Field(day)}
_INSTANT: Fields = {"instant": Field(instant)}
_CONDITIONS: Mapping[str, Fields] = {
    "all": _OF,
    "any": _OF,
    "not": _OF,
    "distance": {"min_m": Field(metres, 0), "max_m_exclusive": Field(metres, None)},
    "class_in": {"classes": Field(list_of(choice("A", "B", "C")))},
    "passenger_not_minor": {},
    "passenger_contribution_positive": {},
    "starts_in": _SELECTED,
    "ends_in": _SELECTED,
    "starts_and_ends_in": _SELECTED,
    "starts_or_ends_in": _SELECTED,
    "starts_and_ends_in_campaign_territory": {},
    "not_within_same_aom": {"except": Field(texts, ())},
    "both_points_inside": {"shape_ref": Field(text)},
    "calendar_date_on_or_after": _DATE,
    "calendar_date_on_or_before": _DATE,
    "local_date_on_or_after": _DATE,
    "local_date_on_or_before": _DATE,
    "local_date_in": {"dates_ref": Field(text)},
    "weekday_not_in": {"days_sunday0": Field(weekdays)},
    "instant_on_or_after": _INSTANT,
    "instant_before": _INSTANT,
    "local_time_between": {"from": Field(time_of_day_s), "to": Field(time_of_day_s)},
    "within_radius": {
        "lat": Field(Place.lat),
        "lon": Field(Place.lon),
        "radius_m": Field(number),
        "end": Field(choice("start", "end", "both", "either")),
    },
    "line_in": {"line_ids": Field(texts)},
}

_FLAT: Fields = {"cents": Field(number)}
_COUPLE_TERMS: Mapping[str, Fields] = {
    "flat": _FLAT,
    "per_seat": {"cents": Field(number)},
    "per_seat_km": {
        "cents_per_km": Field(number),
        "offset_m": Field(metres, 0),
        "limit_m": Field(metres, None),
        "max_cents_per_seat": Field(number, None),
    },
}
_CAR_TERMS: Mapping[str, Fields] = {
    "flat": _FLAT,
    "per_km": {"cents_per_km": Field(number), "offset_m": Field(metres, 0), "limit_m": Field(metres, None)},
    "per_passenger": {
        "cents": Field(number),
        "from_passenger": Field(whole(1), 1),
        "max_passengers": Field(whole(0), None),
    },
}
_SLICED: Fields = {"when": Field(_anything, None), "slices": Field(_anything)}
_MODES: Mapping[str, Fields] = {
    "cumulative": _SLICED,
    "single": _SLICED,
    "complement_to_target": {
        "when": Field(_anything, None),
        "slices": Field(_anything, ()),
        "target_cents": Field(number),
        "max_cents": Field(number, None),
        "minus": Field(choice("passenger_contribution", "driver_revenue")),
        "plus_cents_per_rounded_km": Field(number, Fraction(0)),
        "from_m": Field(metres, 0),
        "max_extra_m": Field(metres, None),
    },
}


def _rule_reader(condition: Any, terms: Mapping[str, Fields]) -> Any:
    def read_slice(value: object, path: str) -> Slice:
        got = obj({"from_m": Field(metres, 0), "to_m": Field(metres, None), "terms": Field(list_of(read_term))})(
            value, path
        )
        return Slice(got["from_m"], got["to_m"], got["terms"])

    def read_term(value: object, path: str) -> Term:
        kind, given = mostly("type", terms)(value, path)
        return Term(kind, MappingProxyType(given))

    def read(value: object, path: str) -> AmountRule:
        mode, given = mostly("mode", _MODES)(value, path)
        when = None if given["when"] is None else condition(given["when"], f"{path}.when")
        slices: tuple[Slice, ...] = list_of(read_slice)(given["slices"], f"{path}.slices")
        if mode == "complement_to_target":
            if slices:
                refuse(f"{path}.slices", "not_in_this_mode")
            return AmountRule(when, mode, (), MappingProxyType(given))
        if mode == "single":
            _check_apart(slices, f"{path}.slices")
        return AmountRule(when, mode, slices)

    return read


def _check_apart(slices: tuple[Slice, ...], path: str) -> None:
    """Refuse slices of which two could hold one distance, or one none. In other modes `to_m` may be anything."""
    for i, part in enumerate(slices):
        if part.to_m is not None and part.to_m <= part.from_m:
            refuse(f"{path}[{i}].to_m", "not_above_from")
    order = sorted(range(len(slices)), key=lambda i: slices[i].from_m)
    for before, after in pairwise(order):
        until = slices[before].to_m
        if until is None or until > slices[after].from_m:
            refuse(f"{path}[{after}].from_m", "overlapping_slices")


_POSTS: Mapping[str, Fields] = {
    "multiply": {"when": Field(_anything, None), "factor": Field(number)},
    "raise_to_driver_revenue": {"when": Field(_anything, None)},
    "floor": {"when": Field(_anything, None), "cents": Field(number)},
    "cap": {"when": Field(_anything, None), "cents": Field(number)},
}


def _post_reader(condition: Any) -> Any:
    def read(value: object, path: str) -> PostOperation:
        kind, given = mostly("type", _POSTS)(value, path)
        when = None if given["when"] is None else condition(given["when"], f"{path}.when")
        return PostOperation(kind, when, given.get("factor", given.get("cents", Fraction(0))))

    return read


def _limit(value: object, path: str) -> Limit:
    got = obj(
        {
            "counter": Field(choice(TRIPS, AMOUNT, SEATS)),
            "period": Field(choice(*PERIODS)),
            "scope": Field(choice(*SCOPES)),
            "max": Field(_max),
            "evaluation_priority": Field(whole(), 0),
            "count_unpaid": Field(boolean, False),
        }
    )(value, path)
    most = None if got["max"] == CAMPAIGN_BUDGET else got["max"]
    return Limit(
        got["counter"], got["period"], got["scope"], most, got["evaluation_priority"], bool(got["count_unpaid"])
    )


def _max(value: object, path: str) -> int | str:
    return CAMPAIGN_BUDGET if value == CAMPAIGN_BUDGET else whole(0)(value, path)


def _empty_run(value: object, path: str) -> str | int:
    if value in {"none", "km"}:
        return str(value)
    said = value.removeprefix("flat:") if isinstance(value, str) else ""
    if said == value or not (said.isascii() and said.isdigit() and len(said) < 10):
        refuse(path, "none_km_or_flat_wanted")
    return int(said)


def _ratio(value: object, path: str) -> Fraction:
    ratio = number(value, path)
    if ratio < 1:
        refuse(path, "below_one")
    return ratio


def _fare(value: object, path: str) -> Fare:
    fields: Mapping[str, Fields] = {
        "flat": {"cents": Field(whole(0)), "per": Field(choice("seat"), "seat")},
        "ticketing": {},
    }
    mode, given = mostly("mode", fields)(value, path)
    return Fare(mode, given.get("cents", 0))


def _legal_cap(value: object, path: str) -> LegalCap:
    got = obj({"cents_per_km": Field(number), "short_m": Field(metres, 0), "short_trips_per_day": Field(whole(0), 0)})(
        value, path
    )
    return LegalCap(**got)


def _payout(value: object, path: str) -> Payout:
    got = obj({"period": Field(choice("month")), "threshold_cents": Field(whole(0), 0)})(value, path)
    return Payout(**got)


_CAR_FIELDS: Mapping[str, Any] = {
    "ride_eligibility": _anything,
    "distance_basis": choice("driver_on_line", "official_line", "trace", "passenger_occupied", "per_ride"),
    "detour_ratio_max": _ratio,
    "passenger_basis": choice("distinct", "peak_occupancy"),
    "empty_run": _empty_run,
    "fare": _fare,
    "legal_cap": _legal_cap,
    "payout": _payout,
}
