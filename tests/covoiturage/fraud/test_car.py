"""What one car says by itself, at the edge of each rule."""

from dataclasses import replace

import pytest

from covoiturage.fraud.labels import Code, Known, Person, Severity
from tests.worlds.told_cars import at, car, label_of, north, told, was, way


def test_an_ordinary_car_bears_no_label():
    trace = tuple(was(who, minute, minute * 0.8) for who in "dp" for minute in (0, 10, 20, 30))
    assert told(car(evidence=trace), Known(ways={"C1-p": way(0, 24, 24_000, 1_700)})) == set()


def test_whoever_rides_in_the_car_they_drive_is_one_person():
    assert told(car(driver="d", passengers="d")) == {"same_identity"}


@pytest.mark.parametrize("name", ["identity", "phone", "device", "iban"])
def test_two_accounts_with_one_thing_in_common(name):
    people = {"d": Person("i1", "t1", "v1", "b1"), "p": replace(Person("i2", "t2", "v2", "b2"), **{name: None})}
    assert told(car(), Known(people)) == set()
    people["p"] = replace(people["p"], **{name: getattr(people["d"], name)})
    assert told(car(), Known(people)) == {f"same_{name}"}


def test_what_is_known_of_neither_is_not_in_common():
    assert told(car(), Known({"d": Person(), "p": Person()})) == set()


def test_one_device_that_speaks_for_both():
    shared = (was("d", 0, 0, device="x"), was("p", 0, 0, device="x"))
    assert told(car(evidence=shared)) == {"same_device"}


@pytest.mark.parametrize(
    ("metres", "minutes", "codes"),
    [(300, 1, set()), (299, 1, {"too_short"}), (300, 59 / 60, {"too_short"}), (0, 0, {"too_short"})],
)
def test_a_ride_of_less_than_300_metres_or_a_minute_is_none(metres, minutes, codes):
    assert told(car(metres=metres, end=minutes)) == codes


@pytest.mark.parametrize(("km", "codes"), [(64.9, set()), (65.1, {"too_fast"})])
def test_130_km_an_hour_as_the_crow_flies_is_65_in_half_an_hour(km, codes):
    assert told(car(metres=70_000), Known(ways={"C1-p": way(0, km)})) == codes


def test_without_stops_the_places_seen_at_both_ends_tell_the_speed():
    assert "too_fast" in told(car(evidence=(was("p", 0, 0), was("p", 30, 66))))
    assert told(car(evidence=(was("p", 0, 0), was("p", 30, 64)))) == set()


@pytest.mark.parametrize(
    ("declared_m", "routed_m", "codes"),
    [
        (10_000, 25_000, set()),
        (10_000, 25_001, {"metres_unlike_route"}),
        (40_000, 10_000, set()),
        (40_001, 10_000, {"metres_unlike_route"}),
        (1_200, 10, set()),  # beside 300 metres, which a router may lose at both ends
        (1_201, 10, {"metres_unlike_route"}),
    ],
)
def test_declared_metres_beside_those_of_the_streets(declared_m, routed_m, codes):
    assert told(car(metres=declared_m), Known(ways={"C1-p": way(0, 8, routed_m)})) == codes


@pytest.mark.parametrize(
    ("minutes", "routed_s", "codes"),
    [
        (10, 1_500, set()),
        (10, 1_501, {"seconds_unlike_route"}),
        (70, 600, set()),
        (70.1, 600, {"seconds_unlike_route"}),
    ],
)
def test_declared_time_beside_that_of_the_streets(minutes, routed_s, codes):
    assert told(car(end=minutes), Known(ways={"C1-p": way(0, 8, None, routed_s)})) == codes


def test_nine_seats_at_once_are_no_car_and_nine_one_after_the_other_are():
    assert told(car(passengers="klmnopqrs")) == {"too_many_aboard"}
    assert told(car(passengers="klmnopqr")) == set()
    assert told(car(passengers="klm", seats=3)) == {"too_many_aboard"}
    full = car(passengers="klmnopqr")
    last = replace(full.rides[0], id="r9", passenger="s", board_at=at(15))
    early = replace(full.rides[0], alight_at=at(15))
    assert told(replace(full, rides=(early, *full.rides[1:], last))) == set()


def test_a_label_tells_its_figures_and_how_grave_it_is():
    label = label_of("too_fast", car(), known=Known(ways={"C1-p": way(0, 100)}))
    assert (label.severity, label.stops, label.ride_id) == (Severity.BLOCK, True, "C1-p")
    assert dict(label.facts) == {"kmh": 200, "metres": 100_000}


def test_labels_hold_no_place_and_nobody():
    label = label_of("stop_not_approached", car(evidence=(was("p", 0, 9),)), known=Known(ways={"C1-p": way(0, 20)}))
    assert label.code is Code.STOP_NOT_APPROACHED
    assert dict(label.facts) == {"metres": 9_000}
    assert north(9).lat not in label.facts.values()
