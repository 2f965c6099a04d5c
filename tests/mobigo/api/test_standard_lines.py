"""What partners are told of carpool lines: a car at the asked time, within the hours; the contract judges it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from covoiturage.lines import drive_s, official_metres, shipped_lines
from socle.times import PARIS
from tests.worlds.meeting import NOW

LINE = next(line for line in shipped_lines() if line.line_id == "CV6")
BAUME, AVOUDREY = LINE.stops[0], LINE.stops[-1]
MONDAY = NOW.astimezone(PARIS).date() + timedelta(days=(7 - NOW.astimezone(PARIS).weekday()) % 7 or 7)
FIRST = LINE.hours[0]


def instant(seconds, day=MONDAY):
    return int((datetime(day.year, day.month, day.day, tzinfo=PARIS) + timedelta(seconds=seconds)).timestamp())


def asked(origin, destination, at, **more):
    return {
        "departureLat": origin.at.lat,
        "departureLng": origin.at.lon,
        "arrivalLat": destination.at.lat,
        "arrivalLng": destination.at.lon,
        "departureDate": at,
        **more,
    }


@pytest.fixture
def site(left_open, anybody):
    left_open.state.clock = lambda: NOW
    return anybody


def lines_of(site, question):
    return [one for one in site.search("driver_journeys", **question) if one["type"] == "LINE"]


def test_a_line_is_a_car_at_the_asked_time(site):
    at = instant(FIRST.from_s + 600)
    (told,) = lines_of(site, asked(BAUME, AVOUDREY, at))
    assert told["passengerPickupDate"] == at
    assert told["driver"] == {"id": "CV6", "operator": told["operator"], "alias": LINE.name}
    assert told["price"] == {"type": "PAYING", "amount": 1.5, "currency": "EUR"}
    assert (told["distance"], told["duration"]) == (33_000, drive_s(33_000))
    assert told["webUrl"].endswith("/covoiturage/lignes/CV6")
    assert lines_of(site, asked(BAUME, AVOUDREY, at, count=0)) == []


def test_both_directions_are_ridden_and_hours_are_later_further_on(site):
    middle = LINE.stops[1]
    from_avoudrey_s = drive_s(official_metres(LINE, AVOUDREY.stop_id, middle.stop_id))
    opens = instant(FIRST.from_s + from_avoudrey_s)
    (told,) = lines_of(site, asked(middle, BAUME, opens - 300))
    assert told["passengerPickupDate"] == opens
    (told,) = lines_of(site, asked(AVOUDREY, BAUME, instant(FIRST.from_s)))
    assert told["distance"] == 33_000


@pytest.mark.parametrize(("before_s", "delta_s", "n_told"), [(900, 900, 1), (901, 900, 0), (901, 901, 1), (0, 0, 1)])
def test_outside_its_hours_a_line_answers_within_the_tolerance(site, before_s, delta_s, n_told):
    question = asked(BAUME, AVOUDREY, instant(FIRST.from_s) - before_s, timeDelta=delta_s)
    told = lines_of(site, question)
    assert [one["passengerPickupDate"] for one in told] == [instant(FIRST.from_s)] * n_told


def test_a_line_does_not_answer_where_it_does_not_stop_nor_when_it_does_not_run(site):
    at = instant(FIRST.from_s + 600)
    sunday = instant(FIRST.from_s + 600, MONDAY - timedelta(days=1))
    assert 6 not in LINE.days
    assert lines_of(site, asked(BAUME, AVOUDREY, sunday)) == []
    assert lines_of(site, asked(BAUME, BAUME, at)) == []
    far = asked(BAUME, AVOUDREY, at) | {"arrivalLat": AVOUDREY.at.lat + 0.02}
    assert lines_of(site, far) == []
    assert len(lines_of(site, far | {"arrivalRadius": 3})) == 1


@pytest.mark.parametrize("at", [0, -1, 10**15, instant(FIRST.from_s, MONDAY - timedelta(days=70))])
def test_no_car_is_promised_in_the_past_nor_in_a_year_nobody_plans(site, at):
    assert lines_of(site, asked(BAUME, AVOUDREY, at)) == []
