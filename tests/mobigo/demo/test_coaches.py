from collections import Counter
from datetime import date
from itertools import pairwise

import pytest

from mobigo.demo.calendar import make_window
from mobigo.demo.coaches.lines import choose_lines
from mobigo.demo.coaches.stops import SCHOOL, STATION, course, stops_of_communes
from mobigo.demo.coaches.times import Runs, TrainTimes, coach_trips, n_trips
from mobigo.demo.facts import read_facts
from mobigo.demo.rail import Days, rail_trips
from mobigo.demo.roads import make_roads
from socle.geo import distance_m, length_m

FACTS = read_facts()
ROADS = make_roads(FACTS, 2020)
LINES = choose_lines(FACTS, ROADS)
STOPS = stops_of_communes(FACTS, LINES, ROADS, 2020)
COURSES = {(line.code, way): course(line, ROADS, STOPS, back=bool(way)) for line in LINES for way in (0, 1)}
TRAINS = rail_trips(FACTS, 2020)
TRIPS = coach_trips(LINES, COURSES, ROADS.places, TRAINS, 2020)
TOWNS = [i for i, place in enumerate(ROADS.places) if place.rank != "village" and place.dept != "90"]
SERVED = {place for way in COURSES.values() for place in way.place_of_stop} | {
    ROADS.place_index[s.insee_code] for s in FACTS.stations.values() if s.insee_code in ROADS.place_index
}


def test_there_are_115_lines_and_none_bears_a_real_number():
    assert [line.code for line in LINES][::114] == ["D01", "D115"]
    assert len({line.name(ROADS.places) for line in LINES}) == 115
    assert not any(line.code.startswith("LR") for line in LINES)


def test_the_relations_known_to_exist_come_first():
    for line, relation in zip(LINES, FACTS.coach_relations, strict=False):
        assert tuple(ROADS.places[i].insee_code for i in line.via) == relation.via


def test_most_towns_and_every_main_town_have_a_train_or_a_coach():
    assert len(SERVED & set(TOWNS)) >= 0.88 * len(TOWNS)
    ranks = {"prefecture", "subprefecture", "epci_main"}
    main = [i for i in TOWNS if ROADS.places[i].rank in ranks and ROADS.places[i].population >= 800]
    assert [ROADS.places[i].name for i in main if i not in SERVED] == []


def test_no_coach_stops_in_the_territoire_de_belfort():
    assert {ROADS.places[place].dept for way in COURSES.values() for place in way.place_of_stop}.isdisjoint({"90"})


def test_a_line_stops_where_its_way_passes_and_knows_the_metres():
    for line in LINES:
        road_m = sum(int(ROADS.metres[edge]) for edge in line.edges)
        for way in (0, 1):
            told = COURSES[line.code, way]
            assert list(told.stop_m) == sorted(set(told.stop_m))
            assert told.shape_m[-1] == pytest.approx(length_m(told.shape), abs=1)
            assert told.shape_m[-1] == pytest.approx(road_m, abs=400 * len(told.stops))  # detours to stops
            assert len({stop.stop_id for stop in told.stops}) == len(told.stops)


def test_a_town_has_as_many_stops_as_its_people_ask():
    for place, stops in STOPS.items():
        n = sum(not stop.stop_id.endswith(STATION) for stop in stops)
        assert n == min(4, 1 + ROADS.places[place].population // 2500)


def test_no_coach_goes_back_in_time_or_faster_than_130():
    for trip in TRIPS:
        stops = COURSES[trip.line.code, trip.direction].stops
        for (one, other), (left_s, reached_s) in zip(pairwise(stops), pairwise(trip.times_s), strict=True):
            assert reached_s > left_s
            assert distance_m(one.at, other.at) * 3.6 <= 130 * (reached_s - left_s)


def test_trips_per_line_way_and_day_equal_the_rule():
    made = Counter((trip.line.code, trip.direction, trip.runs) for trip in TRIPS)
    for line in LINES:
        people = [ROADS.places[i].population for i in (line.via[0], line.via[-1])]
        for way in (0, 1):
            for days, runs in zip(Days, (Runs.WEEKDAY, Runs.SATURDAY, Runs.SUNDAY), strict=True):
                assert made[line.code, way, runs] == n_trips(*people, days)


def test_between_two_towns_run_three_to_twelve_coaches():
    assert n_trips(500, 500, Days.WEEKDAY) == 4
    assert n_trips(1, 1, Days.WEEKDAY) == 3
    assert n_trips(158_002, 117_912, Days.WEEKDAY) == 10
    assert n_trips(158_002, 117_912, Days.SATURDAY) == 6
    assert n_trips(158_002, 117_912, Days.SUNDAY) == 3


def test_pupils_reach_lessons_before_eight_and_leave_after_five():
    for trip in TRIPS:
        way = COURSES[trip.line.code, trip.direction]
        larger = max((trip.line.via[0], trip.line.via[-1]), key=lambda i: ROADS.places[i].population)
        stops = {s.stop_id.rpartition("-")[2]: i for i, s in enumerate(way.stops) if way.place_of_stop[i] == larger}
        at_s = trip.times_s[stops.get(SCHOOL, stops["mairie"])]
        if trip.runs is Runs.SCHOOL:
            assert 7 * 3600 + 35 * 60 <= at_s <= 7 * 3600 + 50 * 60
        elif trip.runs is Runs.SCHOOL_DAY:
            assert 16 * 3600 + 45 * 60 <= at_s <= 17 * 3600 + 15 * 60
        elif trip.runs is Runs.SCHOOL_WEDNESDAY:
            assert 12 * 3600 + 10 * 60 <= at_s <= 12 * 3600 + 30 * 60


def test_morning_coaches_meet_trains_at_the_larger_town():
    trains, met, asked = TrainTimes(TRAINS), 0, 0
    for trip in TRIPS:
        larger = max((trip.line.via[0], trip.line.via[-1]), key=lambda i: ROADS.places[i].population)
        way = COURSES[trip.line.code, trip.direction]
        last = way.stops[-1]
        if trip.runs is Runs.WEEKDAY and way.place_of_stop[-1] == larger and last.uic8 and trip.times_s[0] < 12 * 3600:
            asked += 1
            met += trains.leaves_after(last.uic8, Days.WEEKDAY, trip.times_s[-1])
    assert asked > 150
    assert met >= 0.85 * asked


def test_every_kind_of_day_has_its_services():
    window = make_window(date(2026, 11, 16), 26, FACTS.school_holidays)
    covered = {runs: len(window.days(runs.kinds)) for runs in Runs}
    assert covered[Runs.WEEKDAY] + covered[Runs.SATURDAY] + covered[Runs.SUNDAY] == 182
    assert covered[Runs.SCHOOL] == covered[Runs.SCHOOL_DAY] + covered[Runs.SCHOOL_WEDNESDAY] < covered[Runs.WEEKDAY]
