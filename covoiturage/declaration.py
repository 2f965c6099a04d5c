"""Declaration: the plain object that tells a finished carpool → `Carpool`, or the field that is wrong and why.

The object is that of a policy's facts (see `policy.facts.read_car`) with, in each ride, `evidence`:
a list of `{kind, side, by, at, device, lat, lon}` where `by` is `driver` or `passenger`. The class
of the proof is ours to judge, so one that is said is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn

from covoiturage.carpool import Carpool, Evidence, Kind, Ride, Side
from covoiturage.policy.facts import RideFacts, read_car
from socle.errors import BadInput
from socle.geo import LatLon

MAX_EVIDENCE = 50
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # as it stands in keys of the books and in addresses
_PSEUDONYM = re.compile(r"[a-z0-9](?:[a-z0-9]|[-_](?=[a-z0-9])){0,59}")  # as it stands in the codes of accounts
_DEVICE = re.compile(r"[A-Za-z0-9_-]{1,80}")


def read_carpool(given: Mapping[str, Any]) -> Carpool:
    """The carpool of a plain object.

    Raises:
        BadInput: `bad_fact` names the field and what is wanted of it; as `Carpool`.
    """
    facts = read_car(given)
    driver = _pseudonym(facts.driver, "driver")
    if _ID.fullmatch(facts.carpool_id) is None:
        _refuse("carpool_id", "id_wanted")
    by_id = {one["ride_id"]: (i, one) for i, one in enumerate(given["rides"])}
    return Carpool(
        facts.carpool_id,
        driver,
        facts.start_at,
        facts.end_at,
        tuple(_ride(ride, *by_id[ride.ride_id], driver) for ride in facts.rides),
        facts.car.line_id,
        facts.measured_m,
        facts.official_m,
    )


def _ride(facts: RideFacts, position: int, given: Mapping[str, Any], driver: str) -> Ride:
    at = f"rides[{position}]"
    if _ID.fullmatch(facts.ride_id) is None:
        _refuse(f"{at}.ride_id", "id_wanted")
    if given.get("operator_class") is not None:
        _refuse(f"{at}.operator_class", "ours_to_judge")
    passenger = _pseudonym(facts.couple.passenger, f"{at}.passenger")
    certified = given.get("certified")
    if certified is not None and not isinstance(certified, bool):
        _refuse(f"{at}.certified", "true_or_false_wanted")
    evidence = given.get("evidence") or []
    if not isinstance(evidence, list) or len(evidence) > MAX_EVIDENCE:
        _refuse(f"{at}.evidence", "short_list_wanted")
    people = {"driver": driver, "passenger": passenger}
    return Ride(
        facts.ride_id,
        passenger,
        facts.seats,
        facts.board_at,
        facts.alight_at,
        facts.distance_m,
        facts.couple.over_18,
        facts.couple.contribution_cents,
        bool(certified),
        tuple(_evidence(one, f"{at}.evidence[{i}]", people) for i, one in enumerate(evidence)),
    )


def _evidence(given: Any, at: str, people: Mapping[str, str]) -> Evidence:
    if not isinstance(given, dict):
        _refuse(at, "object_wanted")
    words = {}
    for name, known in (("kind", set(Kind)), ("side", set(Side)), ("by", set(people))):
        word = given.get(name)
        if not isinstance(word, str) or word not in known:
            _refuse(f"{at}.{name}", "unknown_kind")
        words[name] = word
    device = given.get("device")
    if device is not None and (not isinstance(device, str) or _DEVICE.fullmatch(device) is None):
        _refuse(f"{at}.device", "id_wanted")
    return Evidence(
        Kind(words["kind"]),
        Side(words["side"]),
        people[words["by"]],
        _instant(given.get("at"), f"{at}.at"),
        device,
        _place(given, at),
    )


def _place(given: Mapping[str, Any], at: str) -> LatLon | None:
    lat, lon = given.get("lat"), given.get("lon")
    if lat is None and lon is None:
        return None
    for value, most in ((lat, 90), (lon, 180)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not -most <= value <= most:
            _refuse(at, "degrees_wanted")
    return LatLon(float(lat or 0), float(lon or 0))


def _instant(value: Any, at: str) -> datetime:
    try:
        read = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        _refuse(at, "instant_wanted")
    if read.tzinfo is None:
        _refuse(at, "instant_wanted")
    return read


def _pseudonym(value: str | None, at: str) -> str:
    if value is None or _PSEUDONYM.fullmatch(value) is None:
        _refuse(at, "pseudonym_wanted")
    return value


def _refuse(field: str, problem: str) -> NoReturn:
    raise BadInput("bad_fact", field=field, problem=problem)
