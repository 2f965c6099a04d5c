"""Feeders: what they add to the search, against answers by hand and against a slow twin."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.journeys.feeder import Feeder, FeederStop, Opening
from routing.journeys.feeders import Feeders
from routing.journeys.journey import FeederLeg, TransitLeg
from routing.journeys.query import JourneyQuery, PointPlace, StopPlace
from routing.journeys.router import plan
from socle.geo import LatLon
from tests.oracles.feeders import Way, ways
from tests.worlds.examples import random_examples
from tests.worlds.timetables import instant, timetable

HOUR = 3600
WORLD = """
    line  Gare   Halle  Lycee
    12    07:30  07:45  08:00
    12    08:30  08:45  09:00
    12    17:30  17:45  18:00
"""


def feeder(*lats, openings=((7 * HOUR, 9 * HOUR, 900),), drive=1200, **fields):
    """A feeder along the 5th meridian, `drive` seconds and 20 km from stop to stop."""
    stops = tuple(FeederStop(f"f{i}", f"Arrêt {i}", LatLon(lat, 5.0)) for i, lat in enumerate(lats))
    return Feeder(
        "F:0",
        "F",
        "Covoiturage",
        "",
        stops,
        tuple(drive * i for i in range(len(stops))),
        tuple(20_000 * i for i in range(len(stops))),
        tuple(Opening(*one) for one in openings),
        frozenset(range(7)),
        date(2020, 1, 1),
        **fields,
    )


def clock(moment):
    """Minutes after midnight of the day of the worlds."""
    minutes, seconds = divmod(moment - instant("00:00"), 60)
    assert not seconds
    return f"{minutes // 60:02}:{minutes % 60:02}"


def found(world, feeders, origin, destination, at, **wishes):
    query = JourneyQuery(PointPlace(LatLon(*origin)), PointPlace(LatLon(*destination)), instant(at), **wishes)
    return [journey for journey in plan(world, query, None, Feeders(feeders)).journeys if not journey.is_timetabled]


HAMLET, GARE, LYCEE = (44.5, 5.0), (45.0, 5.0), (45.9, 5.0)


def test_a_ride_all_the_way_counts_the_expected_wait():
    (journey,) = found(timetable(WORLD), (feeder(44.5, 44.7),), HAMLET, (44.7, 5.0), "07:10")
    (leg,) = journey.legs
    assert isinstance(leg, FeederLeg)
    assert (clock(leg.departure), clock(leg.boarding), clock(leg.arrival)) == ("07:10", "07:25", "07:45")
    assert (leg.distance_m, journey.n_changes, journey.n_vehicles) == (20_000, 0, 1)


def test_who_is_early_is_driven_off_when_the_hours_begin_and_who_is_late_not_at_all():
    world, line = timetable(WORLD), (feeder(44.5, 44.7),)
    (early,) = found(world, line, HAMLET, (44.7, 5.0), "06:00")
    assert clock(early.departure) == "07:00"
    (late,) = found(world, line, HAMLET, (44.7, 5.0), "09:01")
    assert late.departure == instant("07:00") + 24 * HOUR


def test_hours_further_on_are_later_by_the_drive():
    (journey,) = found(timetable(WORLD), (feeder(44.5, 44.7, 44.8),), (44.7, 5.0), (44.8, 5.0), "09:20")
    assert (clock(journey.departure), clock(journey.arrival)) == ("09:20", "09:55")


def test_a_feeder_leads_to_a_train():
    (journey,) = found(timetable(WORLD), (feeder(44.5, 45.0),), HAMLET, LYCEE, "07:00", max_changes=2)
    ride, train = journey.legs[0], next(leg for leg in journey.legs if isinstance(leg, TransitLeg))
    assert (clock(ride.departure), clock(ride.arrival)) == ("07:55", "08:30")
    assert (clock(train.departure), clock(journey.arrival), journey.n_changes) == ("08:30", "09:00", 1)


def test_a_train_leads_to_a_feeder_and_waits_for_its_hours():
    line = feeder(45.9, 46.3, openings=((19 * HOUR, 20 * HOUR, 600),))
    (journey,) = found(timetable(WORLD), (line,), GARE, (46.3, 5.0), "17:00")
    assert (clock(journey.departure), clock(journey.arrival)) == ("17:30", "19:30")
    assert clock(journey.legs[-1].departure) == "19:00"


def test_rides_of_a_window_leave_every_expected_wait_and_pages_share_them():
    world, line = timetable(WORLD), (feeder(44.5, 44.7),)
    whole = found(world, line, HAMLET, (44.7, 5.0), "07:00", window_s=2 * HOUR)
    assert [clock(one.departure) for one in whole] == [
        *("07:00", "07:15", "07:30", "07:45", "08:00", "08:15", "08:30", "08:45")
    ]
    parts = [found(world, line, HAMLET, (44.7, 5.0), at, window_s=HOUR) for at in ("07:00", "08:00")]
    assert [one.departure for part in parts for one in part] == [one.departure for one in whole]


def test_a_timetabled_journey_is_never_hidden_by_an_expected_car():
    world = timetable(WORLD)
    query = JourneyQuery(
        StopPlace(world.get_stop("Gare")), StopPlace(world.get_stop("Lycee")), instant("07:20"), window_s=900
    )
    quick = feeder(45.0, 45.9, openings=((7 * HOUR, 9 * HOUR, 60),), drive=300)
    journeys = plan(world, query, None, Feeders((quick,))).journeys
    assert [one.is_timetabled for one in journeys].count(True) == 1


def test_a_feeder_that_something_timetabled_beats_is_not_told():
    world = timetable(WORLD)
    query = JourneyQuery(StopPlace(world.get_stop("Gare")), StopPlace(world.get_stop("Lycee")), instant("07:30"))
    slow = feeder(45.0, 45.9, drive=3 * HOUR)
    assert [one.is_timetabled for one in plan(world, query, None, Feeders((slow,))).journeys] == [True]


@pytest.mark.parametrize(
    "wish", [{"modes": frozenset({"BUS"})}, {"wheelchair": True}, {"bikes": True}, {"modes": frozenset()}]
)
def test_a_feeder_is_not_for_everybody(wish):
    assert found(timetable(WORLD), (feeder(44.5, 44.7),), HAMLET, (44.7, 5.0), "07:10", **wish) == []


def test_a_feeder_alone_may_be_asked_for():
    only = frozenset({"RIDE_SHARING"})
    world = timetable(WORLD)
    assert len(found(world, (feeder(44.5, 44.7),), HAMLET, (44.7, 5.0), "07:10", modes=only)) == 1
    assert found(world, (feeder(44.5, 45.0),), HAMLET, LYCEE, "07:00", modes=only) == []


def test_a_feeder_out_of_reach_changes_nothing():
    world = timetable(WORLD)
    query = JourneyQuery(
        StopPlace(world.get_stop("Gare")), StopPlace(world.get_stop("Lycee")), instant("07:00"), window_s=7200
    )
    assert plan(world, query, None, Feeders((feeder(20.0, 21.0),))) == plan(world, query)


def test_no_feeder_without_a_change_when_none_is_allowed():
    assert found(timetable(WORLD), (feeder(44.5, 45.0),), HAMLET, LYCEE, "07:00", max_changes=0) == []


def test_a_ride_that_somebody_announced_leaves_at_its_instant():
    line = feeder(44.5, 45.0, openings=((7 * HOUR + 600, 7 * HOUR + 600, 0),))
    (journey,) = found(timetable(WORLD), (line,), HAMLET, LYCEE, "07:00")
    assert (clock(journey.legs[0].departure), clock(journey.legs[0].arrival)) == ("07:10", "07:30")


# --- against the slow twin -----------------------------------------------------------------------


def random_question(seed):
    chance = random.Random(seed)
    names = ["A", "B", "C", "D"][: chance.randint(2, 4)]
    rows = []
    for number in range(chance.randint(1, 5)):
        at, cells = chance.randrange(5 * 60, 20 * 60, 5), []
        for _ in names:
            at += chance.choice((5, 10, 30, 50))
            cells.append(f"{at // 60:02}:{at % 60:02}" if chance.random() < 0.85 else "     ")
        order = cells
        if sum(":" in cell for cell in order) > 1:
            rows.append(f"    L{number}    " + "  ".join(order))
    if not rows:
        rows = ["    L0    " + "  ".join(f"{8 + i:02}:00" for i in range(len(names)))]
    head = "    line  " + "  ".join(f"{name:5}" for name in names)
    # The latest line calls at the stops the other way round, so that there are ways back.
    world = timetable("\n".join([head, *rows]), change_min=5)
    lats = [45.0 + 0.45 * i for i in range(len(names))]
    away = [44.55, 45.0 + 0.45 * len(names), 45.2]
    feeders = tuple(
        replace(
            feeder(
                *(
                    lat + chance.choice((0, 0.001, -0.004))
                    for lat in chance.sample([*lats, *away], chance.randint(2, 4))
                ),
                openings=random_openings(chance),
                drive=chance.choice((300, 900, 2400)),
            ),
            feeder_id=f"F{number}",
            days=frozenset(chance.sample(range(7), chance.randint(3, 7))),
        )
        for number in range(chance.randint(1, 3))
    )
    places = [StopPlace(world.get_stop(name)) for name in names]
    places += [PointPlace(LatLon(lat + chance.choice((0, 0.002)), 5.0)) for lat in (*lats, *away)]
    origin, destination = chance.sample(places, 2)
    query = JourneyQuery(
        origin,
        destination,
        instant(f"{chance.randint(4, 20):02}:{chance.randint(0, 59):02}"),
        arrive_by=chance.random() < 0.5,
        window_s=chance.choice((0, 900, 3 * HOUR)),
        max_changes=2,
        max_direct_s=0,
    )
    return world, query, feeders


def random_openings(chance):
    begin = chance.randint(5, 10) * HOUR
    middle = begin + chance.randint(1, 4) * HOUR
    end = middle + chance.randint(0, 5) * HOUR
    openings = [(begin, middle, chance.choice((300, 1200, 3600)))]
    return [*openings, (middle, end, chance.choice((600, 3600)))] if end > middle else openings


@given(st.integers(0, 2**32 - 1))
@random_examples(150)
def test_the_search_with_feeders_gives_what_the_slow_twin_gives(seed):
    world, query, feeders = random_question(seed)
    told = []
    for journey in plan(world, query, None, Feeders(feeders)).journeys:
        here = journey.departure
        for leg in journey.legs:
            assert here <= leg.departure <= leg.arrival
            here = leg.arrival
        if not journey.is_timetabled:
            departure = 0 if not query.window_s and not query.arrive_by else journey.departure
            arrival = 0 if not query.window_s and query.arrive_by else journey.arrival
            told.append(Way(departure, arrival, journey.n_vehicles))
    assert sorted(told) == ways(world, query, feeders, 300)
