"""Facts: what is known of a couple or of a car, checked when it is read, in the units that rules want.

`Facts` is one driver-passenger couple, and what every condition reads; `CarFacts` is the car's
whole outing with its rides. Metres and cents are whole; instants are aware. What is read are
plain values, as JSON gives them; keys that nobody asked for are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, NoReturn

from covoiturage.policy.fields import PLACE_LEVELS
from socle.errors import BadInput
from socle.geo import LatLon

Levels = Mapping[str, str]  # level of a place (com, epci, …) -> its code
Given = Mapping[str, Any]

_MOST_M = 10**9
_MOST_CENTS = 10**9
_MOST_SEATS = 1_000
_CLASSES = frozenset("ABC")
_LEAP_SECOND = re.compile(r"(T\d\d:\d\d):60")


class Facts(NamedTuple):
    """One couple of driver and passenger; None is what nobody said.

    `revenue_cents` is what the driver got elsewhere, `contribution_cents` what the passenger paid.
    """

    instant: datetime
    distance_m: int
    seats: int = 1
    operator: str | None = None
    operator_id: int | None = None
    operator_class: str | None = None
    driver: str | None = None
    passenger: str | None = None
    over_18: bool | None = None
    revenue_cents: int = 0
    contribution_cents: int = 0
    trip_id: str | None = None
    line_id: str | None = None
    start_levels: Levels | None = None
    end_levels: Levels | None = None
    start: LatLon | None = None
    end: LatLon | None = None


class RideFacts(NamedTuple):
    """One passenger in a car, from when to when; `couple` is what conditions read of it, at the end of the car."""

    ride_id: str
    board_at: datetime
    alight_at: datetime
    couple: Facts

    @property
    def seats(self) -> int:
        """The seats taken."""
        return self.couple.seats

    @property
    def distance_m(self) -> int:
        """The metres aboard."""
        return self.couple.distance_m


class CarFacts(NamedTuple):
    """One outing of a car. `measured_m` is its trace, `official_m` the line between its first and last stop.

    `car` is what conditions read of it, but for the metres that are paid and the passengers that count.
    """

    carpool_id: str
    start_at: datetime
    end_at: datetime
    rides: tuple[RideFacts, ...]  # by (board_at, ride_id)
    measured_m: int | None
    official_m: int | None
    car: Facts

    @property
    def driver(self) -> str | None:
        """The driver's pseudonym."""
        return self.car.driver


def read_facts(given: Given) -> Facts:
    """The couple of a plain object.

    Raises:
        BadInput: `bad_fact` names the field and what is wanted of it.
    """
    get = given.get
    return Facts(
        _instant(get("datetime"), "datetime"),
        _count(get("distance_m"), "distance_m", _MOST_M),
        _seats(get("seats")),
        _word(get("operator"), "operator"),
        _maybe_count(get("operator_id"), "operator_id"),
        _class(get("operator_class")),
        _word(get("driver"), "driver"),
        _word(get("passenger"), "passenger"),
        _flag(get("passenger_is_over_18"), "passenger_is_over_18"),
        _cents(get("driver_revenue_cents"), "driver_revenue_cents"),
        _cents(get("passenger_contribution_cents"), "passenger_contribution_cents"),
        _word(get("operator_trip_id"), "operator_trip_id"),
        _word(get("line_id"), "line_id"),
        _levels(get("start"), "start"),
        _levels(get("end"), "end"),
        _place(given, "start"),
        _place(given, "end"),
    )


def read_car(given: Given) -> CarFacts:
    """The car of a plain object that holds its `rides`.

    Raises:
        BadInput: `bad_fact` names the field and what is wanted of it; `ends_before_start`.
    """
    get = given.get
    rides = get("rides")
    if not isinstance(rides, list):
        _refuse("rides", "list_wanted")
    carpool_id, start, end = get("carpool_id"), _instant(get("start_at"), "start_at"), _instant(get("end_at"), "end_at")
    if not isinstance(carpool_id, str) or not carpool_id:
        _refuse("carpool_id", "text_wanted")
    if end < start:
        raise BadInput("ends_before_start", what=carpool_id)
    car = Facts(
        instant=end,
        distance_m=0,
        operator=_word(get("operator"), "operator"),
        operator_id=_maybe_count(get("operator_id"), "operator_id"),
        driver=_word(get("driver"), "driver"),
        revenue_cents=_cents(get("driver_revenue_cents"), "driver_revenue_cents"),
        trip_id=_word(get("operator_trip_id"), "operator_trip_id"),
        line_id=_word(get("line_id"), "line_id"),
        start_levels=_levels(get("start"), "start"),
        end_levels=_levels(get("end"), "end"),
        start=_place(given, "start"),
        end=_place(given, "end"),
    )
    read = tuple(_read_ride(ride, i, car) for i, ride in enumerate(rides))
    if len(read) > 1:
        read = _in_order(read)
        if len({ride.ride_id for ride in read}) < len(read):
            _refuse("rides", "id_said_twice")
    return CarFacts(
        carpool_id,
        start,
        end,
        read,
        _maybe_count(get("measured_m"), "measured_m"),
        _maybe_count(get("official_m"), "official_m"),
        car,
    )


def read_couples(couples: Sequence[Given]) -> CarFacts:
    """The car that several couples of one (operator_id, operator_trip_id) tell of.

    Its metres are `vehicle_distance_m` when a couple says so, else those of its longest couple, whose
    ends are its ends; its end is the latest `end_datetime`, or `datetime` where there is none.

    Raises:
        BadInput: as `read_facts`; `ends_before_start`.
    """
    facts = [read_facts(couple) for couple in couples]
    ends = [end_of(couple, one) for couple, one in zip(couples, facts, strict=True)]
    for one, end in zip(facts, ends, strict=True):
        if end < one.instant:
            raise BadInput("ends_before_start", what=str(one.trip_id))
    told = [_maybe_count(couple.get("vehicle_distance_m"), "vehicle_distance_m") for couple in couples]
    longest = max(facts, key=lambda one: one.distance_m)
    car = facts[0]._replace(
        instant=max(ends),
        distance_m=0,
        operator_class=None,
        passenger=None,
        over_18=None,
        revenue_cents=sum(one.revenue_cents for one in facts),
        start_levels=longest.start_levels,
        end_levels=longest.end_levels,
        start=longest.start,
        end=longest.end,
    )
    rides = (
        RideFacts(ride_id_of_couple(i), one.instant, end, one._replace(instant=car.instant))
        for i, (one, end) in enumerate(zip(facts, ends, strict=True))
    )
    return CarFacts(
        f"{car.operator_id}/{car.trip_id}",
        min(one.instant for one in facts),
        car.instant,
        _in_order(rides),
        max((metres for metres in told if metres is not None), default=longest.distance_m),
        None,
        car,
    )


def end_of(couple: Given, facts: Facts) -> datetime:
    """When a couple's ride ended, `end_datetime`, or began, where nobody said.

    Raises:
        BadInput: `bad_fact`.
    """
    said = couple.get("end_datetime")
    return facts.instant if said is None else _instant(said, "end_datetime")


def ride_id_of_couple(position: int) -> str:
    """What the ride of the couple at `position` is called, in that order."""
    return f"{position:06d}"


def _in_order(rides: Iterable[RideFacts]) -> tuple[RideFacts, ...]:
    return tuple(sorted(rides, key=lambda ride: (ride.board_at, ride.ride_id)))


def _read_ride(given: Any, position: int, car: Facts) -> RideFacts:
    at = f"rides[{position}]."
    if not isinstance(given, dict):
        _refuse(at[:-1], "object_wanted")
    get = given.get
    board, alight = _instant(get("board_at"), f"{at}board_at"), _instant(get("alight_at"), f"{at}alight_at")
    ride_id = get("ride_id")
    if not isinstance(ride_id, str) or not ride_id:
        _refuse(f"{at}ride_id", "text_wanted")
    if alight < board:
        raise BadInput("ends_before_start", what=ride_id)
    couple = Facts(
        car.instant,
        _count(get("distance_m"), f"{at}distance_m", _MOST_M),
        _seats(get("seats")),
        car.operator,
        car.operator_id,
        _class(get("operator_class")),
        car.driver,
        _word(get("passenger"), f"{at}passenger"),
        _flag(get("passenger_is_over_18"), f"{at}passenger_is_over_18"),
        0,
        _cents(get("contribution_cents"), f"{at}contribution_cents"),
        car.trip_id,
        car.line_id,
        car.start_levels,
        car.end_levels,
        car.start,
        car.end,
    )
    return RideFacts(ride_id, board, alight, couple)


# --- plain values ---------------------------------------------------------------------------------


def _refuse(field: str, problem: str) -> NoReturn:
    raise BadInput("bad_fact", field=field, problem=problem)


def _instant(value: Any, field: str) -> datetime:
    try:
        read = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        read = _rarely_written(value, field)
    if read.tzinfo is None or not 1900 <= read.year <= 2200:
        _refuse(field, "instant_wanted")
    return read


def _rarely_written(value: Any, field: str) -> datetime:
    """An instant as RFC 3339 has it and Python has not: a small z; a leap second, which is the one before."""
    try:
        return datetime.fromisoformat(_LEAP_SECOND.sub(r"\1:59", value.upper()))
    except (AttributeError, ValueError):
        _refuse(field, "instant_wanted")


def _count(value: Any, field: str, most: int) -> int:
    if type(value) is float and value.is_integer():  # 33000.0 is whole in JSON
        value = int(value)
    if type(value) is not int or not 0 <= value <= most:
        _refuse(field, "count_wanted")
    return value


def _maybe_count(value: Any, field: str) -> int | None:
    return None if value is None else _count(value, field, _MOST_M)


def _cents(value: Any, field: str) -> int:
    return 0 if value is None else _count(value, field, _MOST_CENTS)


def _seats(value: Any) -> int:
    return 1 if value is None or value == 0 else _count(value, "seats", _MOST_SEATS)


def _word(value: Any, field: str) -> str | None:
    if value is not None and type(value) is not str:
        _refuse(field, "text_wanted")
    return value


def _flag(value: Any, field: str) -> bool | None:
    if value is not None and type(value) is not bool:
        _refuse(field, "true_or_false_wanted")
    return value


def _class(value: Any) -> str | None:
    if value is not None and (type(value) is not str or value not in _CLASSES):
        _refuse("operator_class", "class_wanted")
    return value


def _levels(value: Any, field: str) -> Levels | None:
    if value is None:
        return None
    if type(value) is not dict:
        _refuse(field, "object_wanted")
    if type(value.get("reseau")) is int:
        value = {**value, "reseau": str(value["reseau"])}
    levels: Levels = value
    for level in PLACE_LEVELS:
        code = levels.get(level)
        if code is not None and type(code) is not str:
            _refuse(f"{field}.{level}", "text_wanted")
    return levels


def _place(given: Given, end: str) -> LatLon | None:
    lat, lon = given.get(f"{end}_lat"), given.get(f"{end}_lon")
    if lat is None or lon is None:
        return None
    for value, most, name in ((lat, 90, "lat"), (lon, 180, "lon")):
        if type(value) not in {int, float} or not -most <= value <= most:
            _refuse(f"{end}_{name}", "degrees_wanted")
    return LatLon(lat, lon)
