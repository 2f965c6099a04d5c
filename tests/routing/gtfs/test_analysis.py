from datetime import date

import pytest
from shapely.geometry import box

from routing.gtfs.analysis import analyse, count_trips, list_days, restrict
from routing.gtfs.read import read_feed
from socle.errors import BadInput
from socle.geo import LatLon, distance_m
from tests.worlds.feeds import SOUND, spoilt, write_zip

MONDAY, SUNDAY = date(2026, 11, 23), date(2026, 11, 22)


@pytest.fixture
def sound(tmp_path):
    return write_zip(tmp_path / "val.zip", SOUND)


def test_a_line_is_counted_timed_and_measured(sound):
    (line,) = analyse(sound, [MONDAY]).lines
    assert (line.day, line.route_id, line.n_trips, line.peak_n_trips) == (MONDAY, "12", 2, 1)
    assert (line.first_s, line.last_s) == (7 * 3600 + 600, 24 * 3600 + 660)
    assert line.service_h == pytest.approx((21 + 21) / 60)
    along = [LatLon(47.0001, 5.0001), LatLon(47.01, 5.01), LatLon(47.02, 5.02)]
    one_way_m = distance_m(*along[:2]) + distance_m(*along[1:])
    assert line.service_km == pytest.approx(2 * one_way_m / 1000, rel=0.005)
    assert line.speed_km_h == pytest.approx(line.service_km / 0.7)
    assert line.headway_s is None  # one departure before 19:00, one after


def test_the_busiest_stop_comes_first_and_has_its_name(sound):
    stops = analyse(sound, [MONDAY]).stops
    assert {stop.name: stop.n_trips for stop in stops} == {"Gare": 2, "Halle": 2, "Lycée": 2}
    assert {stop.stop_id for stop in stops} == {"gare", "halle", "lycee"}  # the station, not its quay
    assert [stop.n_trips for stop in stops] == sorted((stop.n_trips for stop in stops), reverse=True)


def test_a_day_without_service_is_said(sound):
    with pytest.raises(BadInput, match="no_service_on_days"):
        analyse(sound, [SUNDAY])


def test_service_days_are_those_of_the_calendar(sound):
    days = list_days(sound)
    assert len([day for day in days if day.weekday() < 5]) == 44
    counts = count_trips(sound)
    assert counts[MONDAY] == 2
    assert counts.get(SUNDAY, 0) == 0


def test_frequencies_count_each_departure(tmp_path):
    frequencies = "trip_id,start_time,end_time,headway_secs\nmatin,07:00:00,08:00:00,600\n"
    path = write_zip(tmp_path / "val.zip", spoilt() | {"frequencies.txt": frequencies})
    assert count_trips(path)[MONDAY] == 6 + 1


def test_a_network_is_restricted_to_an_outline(sound, tmp_path):
    restrict(sound, box(4.9, 46.9, 5.005, 47.005), tmp_path / "part.zip")
    feed, _findings = read_feed(tmp_path / "part.zip", "part")
    assert feed.n_rows("trips") == 2
    restrict(sound, box(0, 0, 1, 1), tmp_path / "nothing.zip")


@pytest.mark.shared
@pytest.mark.slow
def test_regional_trains_of_a_tuesday(shared):
    analysis = analyse(shared("data/gtfs-sncf-ter-2025-01/gtfs.zip"), [date(2025, 3, 11)])
    assert sum(line.n_trips for line in analysis.lines) == 11_299
    assert analysis.stops[0].n_trips == max(stop.n_trips for stop in analysis.stops)
