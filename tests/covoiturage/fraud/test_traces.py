"""What traces say: half an hour north at 48 km/h, and what phones do on it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from covoiturage.carpool import Evidence, Kind, Side
from covoiturage.fraud.labels import Known
from tests.worlds.told_cars import at, car, found, north, told, was, way

WAY = Known(ways={"C1-p": way(0, 24)})


def seen(by, *places):
    return tuple(was(by, minute, km, *east) for minute, km, *east in places)


def trip(by, *, metres_off=0.0):
    return seen(by, *((minute, minute * 0.8, metres_off / 1000) for minute in (0, 10, 20, 30)))


@pytest.mark.parametrize(
    ("evidence", "codes"),
    [
        (seen("p", (0, 0.9), (30, 24)), set()),
        (seen("p", (0, 1.1), (30, 24)), {"stop_not_approached"}),
        (seen("p", (0, 1.1), (30, 24)) + seen("d", (0, 0.2)), set()),  # one phone errs, the other was there
        (seen("p", (0, 4), (30, 20)) + trip("d"), {"apart", "stop_not_approached"}),  # at both ends
    ],
)
def test_whether_stops_were_approached(evidence, codes):
    assert told(car(evidence=evidence), WAY) == codes


def test_a_passenger_who_was_elsewhere_is_apart():
    away = seen("p", *((minute, minute * 0.8, 5) for minute in (0, 10, 20, 30)))
    assert told(car(evidence=away + trip("d"))) == {"apart"}


def test_a_phone_that_errs_once_is_not_apart():
    once = seen("p", (0, 0), (10, 8, 1.9), (20, 16), (30, 24))
    assert told(car(evidence=once + trip("d", metres_off=8))) == set()


def test_a_driver_whose_phone_looked_a_minute_later_is_not_apart():
    later = tuple(
        replace(one, at=one.at + timedelta(minutes=1), place=north(i * 8 + 0.8)) for i, one in enumerate(trip("d"))
    )
    assert told(car(end=31, evidence=trip("p") + later)) == set()


def test_a_jump_that_the_rest_contradicts_is_an_error_of_the_phone():
    assert told(car(evidence=seen("p", (0, 0), (10, 8, 90), (20, 16), (30, 24)))) == {"gps_outlier"}


def test_a_jump_that_the_rest_confirms_is_none():
    assert told(car(end=16, evidence=seen("p", (0, 0), (1, 1), (2, 40), (3, 41)))) == {"teleport"}


def test_a_trace_that_falls_silent_for_most_of_the_ride_is_noted():
    assert told(car(evidence=seen("p", (0, 0), (10, 8)))) == {"trace_gap"}
    assert told(car(evidence=seen("p", (0, 0), (10, 8), (16, 12), (30, 24)))) == set()


def test_the_driver_s_trace_sent_as_the_passenger_s():
    copied = tuple(replace(one, by="p", device="phone-p") for one in trip("d"))
    assert told(car(evidence=trip("d") + copied)) == {"identical_traces"}
    assert told(car(evidence=trip("d") + trip("p", metres_off=4))) == set()


def test_a_trace_copied_and_shifted_by_a_minute_is_the_same():
    copied = tuple(replace(one, by="p", device="phone-p", at=one.at + timedelta(seconds=70)) for one in trip("d"))
    assert "identical_traces" in told(car(end=32, evidence=trip("d") + copied))


def test_a_telephone_in_the_glove_box_rides_on():
    minutes = range(0, 31, 3)
    both = [seen(who, *((minute, minute * 0.8, off) for minute in minutes)) for who, off in (("d", 0), ("p", 0.006))]
    whole = car(evidence=both[0] + both[1])
    half = replace(whole, rides=(replace(whole.rides[0], alight_at=at(15), distance_m=12_000),))
    assert told(whole) == set()
    assert told(half) == {"left_together"}


def test_a_passenger_who_walks_home_with_the_telephone_on_is_free():
    rides_on = seen("d", *((minute, minute * 0.8) for minute in range(0, 31, 3)))
    walks = seen("p", (0, 0), (6, 4.81), (15, 12.01), (21, 12.4), (30, 13.2))
    whole = car(evidence=rides_on + walks)
    assert told(replace(whole, rides=(replace(whole.rides[0], alight_at=at(15), distance_m=12_000),))) == set()


def code(by, side, minute, km):
    return Evidence(Kind.QR, side, by, at(minute), f"phone-{by}", north(km))


def test_a_clock_that_is_wrong_by_as_much_at_both_ends_is_put_right_and_noted():
    slow = [replace(one, at=one.at - timedelta(minutes=20)) for one in trip("p", metres_off=5)[1:3]]
    codes = [code("p", Side.BOARD, -20, 0), code("p", Side.ALIGHT, 10, 24)]
    assert told(car(evidence=(*codes, *slow, *trip("d"))), WAY) == {"clock_skew"}


def test_evidence_from_after_the_declaration_cannot_be():
    known = Known(declared_at={"C1": at(24)})
    assert told(car(evidence=trip("p")), known) == {"clock_ahead"}
    assert told(car(evidence=trip("p")), Known(declared_at={"C1": at(25)})) == set()


def test_a_trace_shown_on_two_days_was_ridden_on_the_first():
    first = car(evidence=trip("p"))
    ride = car("C2", day=1).rides[0]
    again = replace(ride, evidence=tuple(replace(one, at=one.at + timedelta(days=1)) for one in trip("p")))
    second = replace(car("C2", day=1), rides=(again,))
    assert found(second, first) == [("C2", "replayed_trace")]
    other = tuple(replace(one, at=one.at + timedelta(days=1)) for one in trip("p", metres_off=3))
    assert found(first, replace(second, rides=(replace(ride, evidence=other),))) == []


def test_a_phone_that_lies_still_shows_no_trace_to_be_known_again():
    still = seen("p", (0, 0), (10, 0), (20, 0), (30, 0))
    ride = replace(
        car("C2", day=1).rides[0], evidence=tuple(replace(one, at=one.at + timedelta(days=1)) for one in still)
    )
    assert found(car(evidence=still), replace(car("C2", day=1), rides=(ride,))) == []
