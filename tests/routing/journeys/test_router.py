"""The router against answers by hand, against theory, and against its slow twin."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.gtfs.feed import make_feed
from routing.journeys.journey import TransitLeg
from routing.journeys.query import JourneyQuery, PointPlace, StopPlace, Via
from routing.journeys.router import plan
from routing.network.compile import make_timetable
from socle.errors import BadInput
from socle.geo import LatLon
from tests.oracles.time_expanded import Oracle
from tests.oracles.time_expanded import journeys as slow_journeys
from tests.worlds.examples import random_examples
from tests.worlds.questions import answer, random_query
from tests.worlds.timetables import DAY, instant, random_world, search, timetable, told

SEEDS = st.integers(0, 2**32 - 1)


def test_the_express_that_leaves_later_is_taken_when_it_arrives_first():
    world = timetable("""
        line  Gare   Halle  Lycee
        12    07:10  07:18  07:31
        40           07:20  07:26
    """)
    assert told(world, search(world, "Gare", "Lycee", "07:05")) == [
        "Gare 07:10 (12) Halle 07:18, 07:20 (40) Lycee 07:26",
        "Gare 07:10 (12) Lycee 07:31",
    ]


def test_a_change_needs_the_time_of_its_stop():
    text = """
        line  Gare   Halle  Lycee
        12    07:10  07:18
        40           07:20  07:26
        40           07:50  07:56
    """
    assert told(timetable(text), search(timetable(text), "Gare", "Lycee", "07:05"))[0].endswith("07:26")
    slow = timetable(text, changes={"Halle": 3})
    assert told(slow, search(slow, "Gare", "Lycee", "07:05"))[0].endswith("07:56")


def test_the_window_is_half_open_and_leaves_out_what_leaving_later_beats():
    world = timetable("""
        line  Gare   Lycee
        12    07:00  07:30
        12    07:10  07:50
        40    07:20  07:45
        12    08:00  08:30
    """)
    answers = told(world, search(world, "Gare", "Lycee", "07:00", window_min=60))
    assert answers == ["Gare 07:00 (12) Lycee 07:30", "Gare 07:20 (40) Lycee 07:45"]
    assert told(world, search(world, "Gare", "Lycee", "07:05", window_min=10)) == []


def test_two_walks_never_follow_one_another():
    world = timetable(
        """
        line  Gare   Halle  Pont   Lycee
        12    07:10  07:18
        40                  07:40  07:50
        41           07:40         07:55
        """,
        walks={("Halle", "Lycee"): 4, ("Lycee", "Pont"): 4},
    )
    assert told(world, search(world, "Gare", "Lycee", "07:05")) == [
        "Gare 07:10 (12) Halle 07:18, 07:40 (41) Lycee 07:55"
    ]


def test_the_last_train_of_yesterday_is_found_after_midnight():
    world = timetable("""
        line  Gare   Halle  Lycee
        12    23:50  24:20
        40           24:30  24:50
    """)
    assert told(world, search(world, "Gare", "Lycee", "23:40")) == [
        "Gare 23:50 (12) Halle 00:20, 00:30 (40) Lycee 00:50"
    ]
    assert told(world, search(world, "Halle", "Lycee", "00:25")) == ["Halle 00:30 (40) Lycee 00:50"]


def test_a_vehicle_that_goes_on_as_another_trip_is_no_change():
    text = """
        line  Gare   Halle  Lycee
        12    07:10  07:18
        40           07:18  07:26
    """
    world = timetable(text, trip_columns={"block_id": {"12": "b", "40": "b"}})
    found = search(world, "Gare", "Lycee", "07:05")
    assert told(world, found) == ["Gare 07:10 (12) Halle 07:18, 07:18 (~40) Lycee 07:26"]
    assert found[0].n_changes == 0
    assert search(timetable(text), "Gare", "Lycee", "07:05", max_changes=1) != found


@pytest.mark.parametrize(
    ("rule", "lycee"),
    [
        ((3, None), "07:56"),
        ((1, None), "07:20"),
        ((2, 600), "07:30"),
    ],
)
def test_a_rule_between_two_lines_overrides_the_stop(rule, lycee):
    kind, seconds = rule
    text = """
        line  Gare   Halle  Lycee
        12    07:10  07:18
        40           07:19  07:20
        40           07:29  07:30
        41           07:50  07:56
    """
    world = timetable(
        text,
        extra={
            "transfers": {
                "from_stop_id": ["Halle"],
                "to_stop_id": ["Halle"],
                "from_route_id": ["12"],
                "to_route_id": ["40"],
                "transfer_type": [kind],
                "min_transfer_time": [seconds],
            }
        },
    )
    assert told(world, search(world, "Gare", "Lycee", "07:05"))[0].endswith(lycee)


def test_one_passes_a_via_aboard_or_stays_there_as_long_as_asked():
    world = timetable("""
        line  Gare   Halle  Lycee
        12    07:10  07:18  07:31
        13    07:15         07:25
        12    07:40  07:48  08:01
    """)

    def by_halle(stay_min: int) -> list[str]:
        via = (Via(StopPlace(world.get_stop("Halle")), stay_min * 60),)
        return told(world, search(world, "Gare", "Lycee", "07:05", via=via))

    assert by_halle(0) == ["Gare 07:10 (12) Lycee 07:31"]
    assert by_halle(10) == ["Gare 07:10 (12) Halle 07:18, 07:48 (12) Lycee 08:01"]
    assert by_halle(30) == []


def near(stops, **tables):
    """Stops a minute's ride and some ten minutes on foot apart, but for the last one, which is far."""
    lats = [45.0 + 0.006 * i for i in range(len(stops) - 1)] + [46.0]
    return {"stops": {"stop_id": stops, "stop_name": stops, "stop_lat": lats, "stop_lon": [5.0] * len(stops)}} | tables


@pytest.mark.parametrize("window_min", [0, 60])
def test_nobody_walks_back_to_a_stop_that_the_line_left_before(window_min):
    world = timetable(
        """
        line  Gare   Halle  Lycee
        12    07:30  07:35  08:30
        """,
        extra=near(["Gare", "Halle", "Lycee"]),
    )
    beside_halle = PointPlace(LatLon(45.0055, 5.0))
    query = JourneyQuery(beside_halle, StopPlace(2), instant("07:00"), window_s=window_min * 60)
    [journey] = plan(world, query).journeys
    assert told(world, [journey]) == ["Halle 07:35 (12) Lycee 08:30"]
    assert journey.departure == instant("07:35") - journey.walk_s


def test_nobody_rides_past_and_walks_back_when_arriving_by_a_time():
    world = timetable(
        """
        line  Lycee  Halle  Gare
        12    07:30  08:30  08:35
        """,
        extra=near(["Gare", "Halle", "Lycee"]),
    )
    beside_halle = PointPlace(LatLon(45.0055, 5.0))
    [journey] = plan(world, JourneyQuery(StopPlace(2), beside_halle, instant("09:00"), arrive_by=True)).journeys
    assert told(world, [journey]) == ["Lycee 07:30 (12) Halle 08:30"]


def test_a_stay_at_a_via_beside_the_origin_or_the_target_takes_its_time():
    world = timetable(
        """
        line  Gare   Lycee
        12    07:30  08:30
        """,
        extra=near(["Gare", "Lycee"]),
    )
    gare, lycee = (PointPlace(world.stop_at(stop)) for stop in (0, 1))
    at_gare, at_lycee = (Via(StopPlace(stop), 900) for stop in (0, 1))
    [early] = plan(world, JourneyQuery(gare, lycee, instant("07:00"), via=(at_gare,))).journeys
    assert (early.departure, early.arrival) == (instant("07:15"), instant("08:30"))
    [late] = plan(world, JourneyQuery(gare, lycee, instant("07:00"), via=(at_lycee,))).journeys
    assert (late.departure, late.arrival) == (instant("07:30"), instant("08:45"))
    assert plan(world, JourneyQuery(gare, lycee, instant("07:20"), via=(at_gare,))).journeys == ()


def test_a_journey_by_a_via_leaves_as_late_as_the_stay_allows():
    world = timetable("""
        line  Gare   Halle  Lycee
        12    07:10  07:18
        12    07:40  07:48
        40           08:00  08:30
    """)

    def by_halle(stay_min: int) -> list[str]:
        via = (Via(StopPlace(world.get_stop("Halle")), stay_min * 60),)
        return told(world, search(world, "Gare", "Lycee", "07:05", via=via))

    assert by_halle(10) == ["Gare 07:40 (12) Halle 07:48, 08:00 (40) Lycee 08:30"]
    assert by_halle(15) == ["Gare 07:10 (12) Halle 07:18, 08:00 (40) Lycee 08:30"]


def test_frequencies_are_trips_and_keep_their_headway():
    world = timetable(
        """
        line  Gare   Lycee
        12    00:00  00:10
        """,
        extra={
            "frequencies": {
                "trip_id": ["12-0"],
                "start_time": ["07:00:00"],
                "end_time": ["08:00:00"],
                "headway_secs": [900],
                "exact_times": [0],
            }
        },
    )
    found = search(world, "Gare", "Lycee", "07:01", window_min=60)
    assert [one.split(")")[1] for one in told(world, found)] == [" Lycee 07:25", " Lycee 07:40", " Lycee 07:55"]
    assert world.trip_headway_s.tolist() == [900] * 4


def test_a_point_is_reached_on_foot_and_a_walk_that_is_as_fast_leaves_nothing_else():
    world = timetable("""
        line  Gare   Halle
        12    07:10  07:40
    """)
    gare, halle = world.stop_at(world.get_stop("Gare")), world.stop_at(world.get_stop("Halle"))
    beside = PointPlace(LatLon(gare.lat + 0.004, gare.lon))  # 445 m, so 464 s of walking
    [journey] = plan(world, JourneyQuery(beside, PointPlace(halle), instant("07:00"))).journeys
    assert journey.departure == instant("07:10") - 464
    assert journey.arrival == instant("07:40")
    near = plan(world, JourneyQuery(beside, PointPlace(gare), instant("07:00")))
    assert near.journeys == ()
    assert near.direct is not None
    assert near.direct.arrival == instant("07:00") + 464


def test_a_day_outside_the_calendars_is_refused_with_the_window():
    world = timetable("""
        line  Gare   Halle
        12    07:10  07:40
    """)
    with pytest.raises(BadInput, match="outside_timetable"):
        plan(world, JourneyQuery(StopPlace(0), StopPlace(1), instant("07:00", DAY.replace(year=2027))))


def test_the_desert_grid_answers_by_hand():
    """A bus every 10 minutes along every street and avenue of a 5 × 5 desert, 2 minutes a block.

    From one corner to another one rides 4 blocks, changes once within 8 minutes, rides 4 blocks.
    """
    side, hop_s = 5, 120
    name = {(x, y): f"{x}.{y}" for x in range(side) for y in range(side)}
    ways = [[name[x, y] for x in range(side)] for y in range(side)]
    ways += [[name[x, y] for y in range(side)] for x in range(side)]
    trips = {"route_id": [], "service_id": [], "trip_id": []}
    times = {"trip_id": [], "stop_id": [], "stop_sequence": [], "arrival_time": [], "departure_time": []}
    for line, way in enumerate(ways):
        for number in range(30):
            trip, clock = f"{line}-{number}", 7 * 3600 + number * 600
            for column, value in zip(trips, (f"{line}", "daily", trip), strict=True):
                trips[column].append(value)
            for position, stop in enumerate(way):
                row = (trip, stop, position, clock + position * hop_s, clock + position * hop_s)
                for column, value in zip(times, row, strict=True):
                    times[column].append(value)
    world = make_timetable(
        make_feed(
            "desert",
            {
                "agency": {
                    "agency_name": ["A"],
                    "agency_url": ["https://example.org"],
                    "agency_timezone": ["Europe/Paris"],
                },
                "stops": {
                    "stop_id": list(name.values()),
                    "stop_name": list(name.values()),
                    "stop_lat": [20 + 0.1 * y for x, y in name],
                    "stop_lon": [5 + 0.1 * x for x, y in name],
                },
                "routes": {"route_id": [str(i) for i in range(len(ways))], "route_type": [3] * len(ways)},
                "trips": trips,
                "stop_times": times,
                "calendar_dates": {"service_id": ["daily"], "date": [DAY], "exception_type": [1]},
            },
        )
    )
    [first] = search(world, "0.0", "4.4", "07:00")
    # 4 blocks: there at 07:08. The crossing line passes 4.0 at 07:00 + 10 n, so 07:10; 4 blocks more.
    assert (first.departure, first.arrival, first.n_changes) == (instant("07:00"), instant("07:18"), 1)
    assert len(search(world, "0.0", "4.4", "07:00", window_min=60)) == 6
    # 3 blocks to 3.0 at 07:06, the avenue leaves at 07:10, at 3.2 at 07:14.
    [other] = search(world, "0.0", "3.2", "07:00")
    assert other.arrival == instant("07:14")


@random_examples(80)
@given(SEEDS, SEEDS)
def test_the_router_finds_what_the_oracle_finds(world_seed, query_seed):
    world = random_world(world_seed)
    query = random_query(world, query_seed)
    assert answer(world, query) == slow_journeys(world, query)


@random_examples(50)
@given(SEEDS, SEEDS, st.integers(1, 2))
def test_the_router_finds_what_the_oracle_finds_by_way_of_others(world_seed, query_seed, n_vias):
    world = random_world(world_seed)
    query = random_query(world, query_seed, n_vias=n_vias)
    assert answer(world, query) == slow_journeys(world, query)


@pytest.mark.slow
def test_the_router_finds_what_the_oracle_finds_on_thousands_of_worlds():
    for seed in range(2000):
        world = random_world(seed)
        query = random_query(world, seed + 1, n_vias=seed % 3)
        assert answer(world, query) == slow_journeys(world, query), seed


@random_examples(50)
@given(SEEDS, SEEDS, st.integers(1, 7000), st.booleans())
def test_pages_partition_time(world_seed, query_seed, cut_s, arrive_by):
    world = random_world(world_seed)
    whole = replace(random_query(world, query_seed), window_s=7200, arrive_by=arrive_by)
    if arrive_by:
        parts = [replace(whole, window_s=cut_s), replace(whole, at=whole.at - cut_s, window_s=7200 - cut_s)]
    else:
        parts = [replace(whole, window_s=cut_s), replace(whole, at=whole.at + cut_s, window_s=7200 - cut_s)]
    pages = [answer(world, part) for part in parts]
    assert not pages[0] & pages[1]
    assert pages[0] | pages[1] == answer(world, whole)


@random_examples(50)
@given(SEEDS, SEEDS)
def test_range_is_the_union_of_departures(world_seed, query_seed):
    world = random_world(world_seed)
    query = replace(random_query(world, query_seed), window_s=3600, arrive_by=False)
    found = answer(world, query)
    for departure, arrival, n_vehicles in found:
        alone = answer(world, replace(query, at=departure, window_s=0))
        assert (departure, arrival, n_vehicles) in alone
    by_leaving = {
        one for start in {one[0] for one in found} for one in answer(world, replace(query, at=start, window_s=0))
    }
    assert found <= by_leaving


@random_examples(50)
@given(SEEDS, SEEDS)
def test_arrive_by_mirrors(world_seed, query_seed):
    """What a window of departures gives, arriving by the same arrivals gives again."""
    world = random_world(world_seed)
    query = replace(random_query(world, query_seed), window_s=7200, arrive_by=False)
    for departure, arrival, n_vehicles in answer(world, query):
        again = answer(world, replace(query, at=arrival, window_s=1, arrive_by=True))
        assert (departure, arrival, n_vehicles) in again


@random_examples(50)
@given(SEEDS, SEEDS)
def test_the_same_query_gives_the_same_legs(world_seed, query_seed):
    world, again = random_world(world_seed), random_world(world_seed)
    assert world.digest == again.digest
    query = random_query(world, query_seed)
    assert plan(world, query).journeys == plan(again, query).journeys


def test_among_equals_one_walks_less_and_leaves_later():
    world = timetable(
        """
        line  Gare   Halle  Pont   Lycee
        12    07:00  07:10  07:20
        12    07:05  07:15  07:25
        40           07:22         07:50
        41           07:45  07:50  08:00
        """,
        walks={("Halle", "Pont"): 3, ("Pont", "Halle"): 3},
    )
    assert (
        told(world, search(world, "Gare", "Lycee", "06:50"))[0] == "Gare 07:05 (12) Halle 07:15, 07:22 (40) Lycee 07:50"
    )
    [late] = search(world, "Gare", "Lycee", "08:10", arrive_by=True)
    assert late.departure == instant("07:05")
    assert late.walk_s == 0


@random_examples(80)
@given(SEEDS, SEEDS, st.integers(0, 2))
def test_legs_hang_together(world_seed, query_seed, n_vias):
    world = random_world(world_seed)
    query = random_query(world, query_seed, n_vias=n_vias)
    oracle = Oracle(world, query, world.day_of(query.at))
    vehicle = {(one.trip, one.day): one for one in oracle.vehicles}
    for journey in plan(world, query).journeys:
        rides = [leg for leg in journey.legs if isinstance(leg, TransitLeg)]
        for one, other in pairwise(rides):
            ends = vehicle[one.trip, one.service_day], vehicle[other.trip, other.service_day]
            if not other.stay_seated:
                assert ends[0].may_alight[one.last_call]
                assert ends[1].may_board[other.first_call]
                needed_s = oracle.change_s(*ends, one.calls[-1].stop, other.calls[0].stop)
                assert one.arrival + needed_s <= other.departure
            else:
                assert (ends[0].number, ends[1].number) in oracle.seated
        for one, other in pairwise(journey.legs):
            assert one.arrival <= other.departure
        assert journey.n_changes <= query.max_changes
        assert journey.arrival - journey.departure <= query.travel_limit_s
        assert n_vias_passed(oracle, journey, vehicle) == len(oracle.via)


def n_vias_passed(oracle, journey, vehicle) -> int:
    """How many vias the legs pass in order, each for as long as asked: in a vehicle, or in the time to spare."""
    rides = [leg for leg in journey.legs if isinstance(leg, TransitLeg)]
    walked_s = [leg.arrival - leg.departure for leg in journey.legs if not isinstance(leg, TransitLeg)]
    spare_s = rides[0].departure - journey.departure
    if journey.legs[0] is not rides[0]:
        spare_s -= walked_s[0]
    stops = [rides[0].calls[0].stop]
    passed = 0
    for i, ride in enumerate(rides):
        if not ride.stay_seated:
            passed = furthest(oracle, stops, passed, spare_s)
        for call in ride.calls:
            passed = oracle._ride_through(call.stop, passed)
        if i + 1 < len(rides):
            after = rides[i + 1]
            stops = [ride.calls[-1].stop, after.calls[0].stop]
            ends = vehicle[ride.trip, ride.service_day], vehicle[after.trip, after.service_day]
            if not after.stay_seated:
                spare_s = after.departure - ride.arrival - oracle.change_s(*ends, *stops)
    spare_s = journey.arrival - rides[-1].arrival
    if journey.legs[-1] is not rides[-1]:
        spare_s -= walked_s[-1]
    return furthest(oracle, [rides[-1].calls[-1].stop], passed, spare_s)


def furthest(oracle, stops, passed, spare_s) -> int:
    """Vias passed after being at `stops` off the vehicle with so many seconds to spare."""
    ways = [(passed, 0)]
    for stop in stops if len(set(stops)) > 1 else stops[:1]:
        ways = [(then, stayed + more) for at, stayed in ways for then, more in oracle._stays(stop, at)]
    return max(at for at, stayed in ways if stayed <= spare_s)
