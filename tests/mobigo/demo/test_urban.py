from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise

import pytest

from mobigo.demo.calendar import make_window
from mobigo.demo.facts import read_facts
from mobigo.demo.labels import Edition
from mobigo.demo.urban.courses import courses_of_city
from mobigo.demo.urban.plans import CITIES, DIJON, TRAM
from mobigo.demo.urban.tables import running_times_s, urban_tables
from socle.geo import LatLon, distance_m, length_m

FACTS = read_facts()
EDITION = Edition(FACTS, 2020, make_window(date(2026, 11, 16), 26, FACTS.school_holidays))
TABLES = {city.source_id: urban_tables(city, EDITION) for city in CITIES}
cities = pytest.mark.parametrize("city", CITIES, ids=lambda city: city.source_id)


def named(table):
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_the_trams_of_dijon_have_18_and_21_stops():
    courses = courses_of_city(DIJON, FACTS, 2020)
    assert [len(courses[line.code].stops) for line in DIJON.lines if line.route_type == TRAM] == [18, 21]


@cities
def test_every_line_has_its_stops_along_its_way(city):
    courses = courses_of_city(city, FACTS, 2020)
    for line in city.lines:
        course = courses[line.code]
        assert len(course.stops) == line.n_stops
        assert all(250 <= b - a <= 1_200 for a, b in pairwise(course.stop_m))
        assert course.shape_m[-1] == pytest.approx(length_m(course.shape), rel=0.01)
        back = course.reversed()
        assert back.reversed() == course
        assert [back.shape[p] for p in back.stop_points] == [stop.at for stop in back.stops]
        names = [stop.name for stop in course.stops]
        assert len(set(names)) == len(names)


@cities
def test_a_tram_never_waits_longer_than_eight_minutes_between_seven_and_seven(city):
    tables = TABLES[city.source_id]
    starts = {str(row[0]): int(row[2]) for row in tables["stop_times"].rows if row[4] == 0}
    by_line = defaultdict(list)
    for trip in named(tables["trips"]):
        if trip["service_id"].endswith("-SEM"):
            by_line[trip["route_id"], trip["direction_id"]].append(starts[trip["trip_id"]])
    for line in city.lines:
        if line.is_shuttle:
            continue
        for direction in (0, 1):
            day = sorted(by_line[f"{city.prefix}-{line.code}", direction])
            busy = [b - a for a, b in pairwise(day) if a >= 7 * 3600 and b <= 19 * 3600]
            longest = 8 if line.route_type == TRAM else 15
            assert max(busy) <= 60 * longest
            assert day[-1] > 24 * 3600  # the night belongs to the day before


@cities
def test_no_hop_is_without_time_or_faster_than_a_city_allows(city):
    courses = courses_of_city(city, FACTS, 2020)
    for line in city.lines:
        course = courses[line.code]
        times = running_times_s(line, course)
        for (a, b), (one, other) in zip(pairwise(times), pairwise(course.stops), strict=True):
            assert b - a >= 60
            assert distance_m(one.at, other.at) * 3.6 / (b - a) < 50


@cities
def test_wheelchair_values_are_yes_no_and_unknown(city):
    quays = [row for row in named(TABLES[city.source_id]["stops"]) if row["location_type"] == 0]
    assert set(Counter(row["wheelchair_boarding"] for row in quays)) == {0, 1, 2}
    trams = {f"{city.prefix}-{line.code}" for line in city.lines if line.route_type == TRAM}
    on_trams = [row for row in named(TABLES[city.source_id]["trips"]) if row["route_id"] in trams]
    assert {row["wheelchair_accessible"] for row in on_trams} == {1}


@cities
def test_all_that_is_fictitious_says_so(city):
    tables = TABLES[city.source_id]
    assert all(row["route_long_name"].endswith("(fictif)") for row in named(tables["routes"]))
    assert set(tables["routes"].column("route_desc")) == {"Ligne fictive"}
    assert set(tables["stops"].column("stop_desc")) == {"Arrêt fictif"}
    assert all("(démonstration)" in name for name in tables["agency"].texts("agency_name"))


def test_one_shuttle_runs_by_headway():
    tables = TABLES["dijon-demo"]
    shuttles = set(tables["frequencies"].texts("trip_id"))
    assert len(shuttles) == 4  # each way on weekdays and on Saturdays
    routes = {row["route_id"] for row in named(tables["trips"]) if row["trip_id"] in shuttles}
    assert routes == {"DIJ-NC"}


def test_every_quay_of_dijon_station_is_reached_from_both_entrances_without_a_step():
    tables = TABLES["dijon-demo"]
    ways = defaultdict(set)
    for row in named(tables["pathways"]):
        if row["pathway_mode"] != 2:
            ways[row["from_stop_id"]].add(row["to_stop_id"])
            ways[row["to_stop_id"]].add(row["from_stop_id"])
    quays = {
        row["stop_id"]
        for row in named(tables["stops"])
        if row["parent_station"] == "DIJ-gare" and row["location_type"] == 0
    }
    assert len(quays) == 16
    for entrance in ("DIJ-gare-entree-nord", "DIJ-gare-entree-sud"):
        reached, front = {entrance}, [entrance]
        while front:
            new = ways[front.pop()] - reached
            reached |= new
            front += new
        assert quays <= reached


@cities
def test_a_public_holiday_is_a_sunday(city):
    exceptions = [tuple(row) for row in TABLES[city.source_id]["calendar_dates"].rows]
    christmas = date(2026, 12, 25)
    assert (f"{city.prefix}-SEM", christmas, 2) in exceptions
    assert (f"{city.prefix}-DIM", christmas, 1) in exceptions


@cities
def test_quays_stand_beside_their_way(city):
    tables = TABLES[city.source_id]
    at = {row["stop_id"]: LatLon(row["stop_lat"], row["stop_lon"]) for row in named(tables["stops"])}
    for row in named(tables["stops"]):
        if row["location_type"] == 0:
            assert distance_m(at[row["stop_id"]], at[row["parent_station"]]) < 20
