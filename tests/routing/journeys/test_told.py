"""Told: what an answer says of a journey, on the valley; and which journey is best at what."""

from __future__ import annotations

import itertools

import pytest

from routing.journeys.carbon import Carbon
from routing.journeys.explain import why_this
from routing.journeys.journey import Journey, WalkLeg
from routing.journeys.query import JourneyQuery, PointPlace, StopPlace
from routing.journeys.rank import Best, Label, Measured, Sort, list_bests, ranked
from routing.journeys.told import list_connections, tell
from socle.geo import LatLon, distance_m
from tests.worlds.timetables import instant
from tests.worlds.valley import valley

WORLD = valley()


def journey(origin: str, destination: str, at: str = "07:00") -> Journey:
    timetable = WORLD.timetable
    query = JourneyQuery(
        StopPlace(timetable.get_stop(origin)), StopPlace(timetable.get_stop(destination)), instant(at), window_s=3600
    )
    return WORLD.search(query).journeys[0]


def test_a_shape_is_measured_and_a_railway_without_one_is_a_sixth_longer_than_the_crow_flies():
    by_coach = tell(WORLD, journey("mairie", "lac")).legs[0]
    points = [(47.3025, 5.0010), (47.35, 5.03), (47.4, 5.1), (47.46, 5.13), (47.5001, 5.2)]
    shape_m = sum(distance_m(LatLon(*one), LatLon(*other)) for one, other in itertools.pairwise(points))
    assert by_coach.distance_m == pytest.approx(shape_m, abs=1)
    by_train = tell(WORLD, journey("gare", "lac")).legs[0]
    stops = [LatLon(47.3001, 5.0), LatLon(47.4, 5.1), LatLon(47.5001, 5.2)]
    assert by_train.distance_m == pytest.approx(
        1.15 * sum(distance_m(one, other) for one, other in itertools.pairwise(stops)), abs=1
    )
    assert (by_train.carbon.carbon_class, by_coach.carbon.carbon_class) == ("TER", "COACH")


def test_slack_is_what_is_left_after_walking():
    way = journey("hopital", "lac")
    (change,) = list_connections(way)
    walk_s = sum(leg.arrival - leg.departure for leg in way.legs if isinstance(leg, WalkLeg))
    rides = [leg for leg in way.legs if not isinstance(leg, WalkLeg)]
    assert change.slack_s == rides[1].departure - rides[0].arrival - walk_s
    assert change.is_tight == (change.slack_s < 180)


def test_staying_seated_is_no_connection():
    assert list_connections(journey("mairie", "col")) == []


def test_what_is_not_step_free_is_named():
    told = tell(WORLD, journey("gare", "halte"))
    assert told.wheelchair == "NO"
    assert [(barrier.code, barrier.facts["stop"]) for barrier in told.barriers] == [
        ("STOP_NOT_STEP_FREE", "Saint-Éloi-la-Halte")
    ]
    assert tell(WORLD, journey("gare", "hopital")).wheelchair == "YES"
    assert tell(WORLD, journey("gare", "lac")).wheelchair == "UNKNOWN"


def walk(departure: int, duration: int, metres: int) -> Journey:
    here, there = PointPlace(LatLon(47, 5)), PointPlace(LatLon(47.1, 5))
    return Journey((WalkLeg(here, there, departure, departure + duration, metres, ()),))


def test_each_best_has_its_margin_and_what_all_share_is_given_to_none():
    measured = [
        Measured(walk(0, 600, 500), Carbon(100, 120, "t", 900)),
        Measured(walk(60, 900, 300), Carbon(40, 50, "t", 900)),
        Measured(walk(60, 900, 300), Carbon(70, 80, "t", 900)),
    ]
    bests = list_bests(measured)
    assert bests[0] == (Best(Label.FASTEST, 300),)
    assert bests[1] == (
        Best(Label.LEAST_WALKING, 200), Best(Label.LOWEST_CARBON, 30), Best(Label.LATEST_DEPARTURE, 60),
    )  # fmt: skip
    assert bests[2] == (Best(Label.LEAST_WALKING, 200), Best(Label.LATEST_DEPARTURE, 60))
    assert [reason.code for reason in why_this(bests[1])] == ["LEAST_WALKING", "LOWEST_CARBON", "LATEST_DEPARTURE"]


def test_carbon_is_not_compared_while_one_figure_is_missing():
    measured = [Measured(walk(0, 600, 500), Carbon(1, 1, "t", 9)), Measured(walk(0, 600, 500), None)]
    assert list_bests(measured) == [(), ()]
    assert ranked(measured[::-1], Sort.CARBON) == [1, 0]


def test_sorting_is_stable():
    measured = [Measured(walk(0, 600, 500), None), Measured(walk(1, 600, 300), None), Measured(walk(2, 600, 300), None)]
    assert ranked(measured, Sort.TIME) == [0, 1, 2]
    assert ranked(measured, Sort.WALK) == [1, 2, 0]
