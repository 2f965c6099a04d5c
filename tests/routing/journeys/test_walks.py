"""Journeys of a town with streets: a river with one bridge runs between the stops."""

from datetime import date

import pytest

from routing.gtfs.feed import make_feed
from routing.journeys.access import DETOUR, direct_walk, stops_of
from routing.journeys.explain import why_nothing
from routing.journeys.journey import TransitLeg, WalkLeg
from routing.journeys.query import JourneyQuery, PointPlace, StopPlace
from routing.journeys.router import plan
from routing.journeys.snapshot import make_snapshot
from routing.journeys.walks import make_walks
from routing.network.compile import make_timetable
from socle.geo import distance_m, length_m
from socle.times import PARIS, service_day_start
from tests.worlds.town import STREET, at, town

DAY = date(2026, 11, 17)

#  north bank   1 --- 2 --- 3 --------- 4 (bridge)
#  south bank   5 --- 6 --- 7 --------- 8       9 (beyond the extract)
NODES = {1: (0, 100), 2: (200, 100), 3: (400, 100), 4: (600, 100), 5: (0, 0), 6: (200, 0), 7: (400, 0), 8: (600, 0)}
WAYS = [((1, 2, 3, 4), STREET), ((5, 6, 7, 8), STREET), ((4, 8), {"highway": "footway", "bridge": "yes"})]
STAIRS = [*WAYS[:2], ((4, 8), {"highway": "steps"})]
STOPS = {"NORD": (200, 100), "SUD": (200, 0), "PONT": (600, 0), "LOIN": (20_000, 0), "AILLEURS": (0, -900)}


def timetable():
    ids = list(STOPS)
    return make_timetable(
        make_feed(
            "town",
            {
                "agency": {
                    "agency_id": ["a"],
                    "agency_name": ["A"],
                    "agency_url": ["https://a.example"],
                    "agency_timezone": ["Europe/Paris"],
                },
                "stops": {
                    "stop_id": ids,
                    "stop_name": ids,
                    "stop_lat": [at(*STOPS[stop]).lat for stop in ids],
                    "stop_lon": [at(*STOPS[stop]).lon for stop in ids],
                },
                "routes": {"route_id": ["r"], "agency_id": ["a"], "route_short_name": ["1"], "route_type": [3]},
                "trips": {"trip_id": ["t"], "route_id": ["r"], "service_id": ["s"]},
                "calendar_dates": {"service_id": ["s"], "date": [DAY], "exception_type": [1]},
                "stop_times": {
                    "trip_id": ["t", "t"],
                    "stop_id": ["SUD", "LOIN"],
                    "stop_sequence": [1, 2],
                    "arrival_time": [8 * 3600, 9 * 3600],
                    "departure_time": [8 * 3600, 9 * 3600],
                },
            },
        )
    )


TIMETABLE = timetable()
BEGIN = service_day_start(DAY, PARIS)


def stop(name):
    return TIMETABLE.get_stop(name)


def query(origin, destination, clock_s=7 * 3600, **wishes):
    return JourneyQuery(origin, destination, BEGIN + clock_s, **wishes)


@pytest.fixture
def walks(tmp_path):
    return make_walks(town(tmp_path, NODES, WAYS), TIMETABLE)


HOME = PointPlace(at(200, 90))  # on the north bank, 100 m from the southern stop as the crow flies


def reached(walks, asked, place, limit_s, **options):
    stops, seconds = stops_of(TIMETABLE, asked, place, limit_s, walks, **options)
    names = [TIMETABLE.stop_id[s] for s in stops.tolist()]
    return dict(zip(names, seconds.tolist(), strict=True))


def test_one_walks_to_the_stop_over_the_bridge_and_not_through_the_river(walks):
    asked = query(HOME, StopPlace(stop("LOIN")))
    assert reached(None, asked, HOME, 900)["SUD"] == pytest.approx(DETOUR * 90 / 1.2, abs=2)
    told = reached(walks, asked, HOME, 900)
    assert told["SUD"] == pytest.approx((10 + 400 + 100 + 400) / 1.2, abs=2)
    assert told["NORD"] == pytest.approx(20 / 1.2, abs=10)
    assert "SUD" not in reached(walks, asked, HOME, 700)


def test_one_who_walks_slower_takes_longer(walks):
    asked = query(HOME, StopPlace(stop("LOIN")), walk_speed_m_s=0.6)
    assert reached(walks, asked, HOME, 1800)["SUD"] == pytest.approx(910 / 0.6, abs=3)


def test_a_journey_walks_along_the_streets_and_is_drawn_along_them(walks):
    asked = query(HOME, StopPlace(stop("LOIN")))
    [journey] = plan(TIMETABLE, asked, walks).journeys
    walk, ride = journey.legs
    assert isinstance(walk, WalkLeg)
    assert isinstance(ride, TransitLeg)
    assert walk.arrival - walk.departure == pytest.approx(910 / 1.2, abs=2)
    assert walk.arrival == ride.departure
    assert walk.distance_m == pytest.approx(910, abs=2)
    assert length_m(walk.path) == pytest.approx(walk.distance_m, abs=2)
    assert (walk.path[0], walk.path[-1]) == (HOME.at, TIMETABLE.stop_at(stop("SUD")))
    assert max(place.lon for place in walk.path) == pytest.approx(at(600, 0).lon, abs=1e-5)


def test_the_walk_at_the_end_is_searched_from_the_stop_and_drawn_in_the_direction_of_travel(tmp_path):
    streets = town(tmp_path, {1: (19_900, 0), 2: (20_000, 0), 3: (20_000, 300)}, [((1, 2, 3), STREET)])
    goal = PointPlace(at(20_000, 200))
    [journey] = plan(TIMETABLE, query(StopPlace(stop("SUD")), goal), make_walks(streets, TIMETABLE)).journeys
    walk = journey.legs[-1]
    assert walk.arrival - walk.departure == pytest.approx(200 / 1.2, abs=2)
    assert (walk.path[0], walk.path[-1]) == (TIMETABLE.stop_at(stop("LOIN")), goal.at)


def test_arriving_by_walks_the_same_streets(walks):
    asked = query(HOME, StopPlace(stop("LOIN")), 10 * 3600, arrive_by=True)
    [journey] = plan(TIMETABLE, asked, walks).journeys
    assert journey.legs[0].distance_m == pytest.approx(910, abs=2)


def test_the_walk_all_the_way_follows_the_streets_or_is_not_offered(walks):
    south = PointPlace(at(300, -10))
    asked = query(HOME, south)
    seconds, metres, path = direct_walk(TIMETABLE, asked, walks)
    assert metres == pytest.approx(10 + 400 + 100 + 300 + 10, abs=2)
    assert seconds == pytest.approx(metres / 1.2, abs=2)
    assert length_m(path) == pytest.approx(metres, abs=2)
    assert plan(TIMETABLE, asked, walks).direct.legs[0].path == path
    assert direct_walk(TIMETABLE, query(HOME, south, max_direct_s=600), walks) is None
    assert direct_walk(TIMETABLE, query(HOME, south, max_direct_s=600)) is not None


def test_where_there_are_no_streets_the_great_circle_holds(walks):
    beyond = PointPlace(at(10_000, 10_000))
    asked = query(beyond, StopPlace(stop("LOIN")))
    assert reached(walks, asked, beyond, 900) == reached(None, asked, beyond, 900)
    near = PointPlace(at(20_000, 100))
    assert reached(walks, query(near, HOME), near, 900) == reached(None, query(near, HOME), near, 900) != {}
    assert direct_walk(TIMETABLE, query(beyond, PointPlace(at(10_000, 10_100))), walks)[1] == round(100 * DETOUR)


def test_a_stop_that_is_on_no_street_is_reached_as_the_crow_flies(walks):
    """AILLEURS lies 900 m from the streets; a point on them 400 m from it."""
    south = PointPlace(at(0, -450))
    told = reached(walks, query(south, HOME), south, 900)
    crow_s = DETOUR * distance_m(south.at, TIMETABLE.stop_at(stop("AILLEURS"))) / 1.2
    assert told["AILLEURS"] == pytest.approx(crow_s, abs=2)
    assert told["SUD"] == pytest.approx((450 + 200) / 1.2, abs=2)


def test_stairs_stop_wheels_and_the_answer_says_so(tmp_path):
    walks = make_walks(town(tmp_path, NODES, STAIRS), TIMETABLE)
    goal = StopPlace(stop("LOIN"))
    assert "SUD" in reached(walks, query(HOME, goal), HOME, 900)
    assert "SUD" not in reached(walks, query(HOME, goal, wheelchair=True), HOME, 3000)


def test_why_nothing_is_found_counts_the_metres_of_the_streets(walks):
    from dataclasses import replace

    snapshot = replace(make_snapshot(TIMETABLE), walks=walks)
    away = PointPlace(at(300, 120))
    asked = query(away, StopPlace(stop("LOIN")), max_access_s=15)
    [reason] = why_nothing(snapshot, asked, snapshot.search, None)
    assert (reason.code, reason.facts["side"]) == ("ABOVE_WALK_LIMIT", "origin")


def test_the_same_point_asked_about_again_is_not_searched_again(walks):
    asked = query(HOME, StopPlace(stop("LOIN")))
    assert walks.around(asked, HOME.at, 900, backward=False) is walks.around(asked, HOME.at, 900, backward=False)
