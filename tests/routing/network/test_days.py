"""The arrays of a day: patterns that never overtake, days shared by dates, made by several at once."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.gtfs.feed import make_feed
from routing.journeys.query import JourneyQuery, StopPlace
from routing.journeys.router import plan
from routing.network.compile import make_timetable
from routing.network.days import Days, days_of, find_day, make_day, save_day
from routing.network.runs import BOARD
from routing.network.timetable import Timetable, open_timetable, save_timetable
from tests.worlds.examples import random_examples
from tests.worlds.timetables import DAY, instant, random_world, search, timetable, told

SEEDS = st.integers(0, 2**32 - 1)


@random_examples(60)
@given(SEEDS)
def test_no_run_of_a_pattern_overtakes_another(seed):
    day = make_day(random_world(seed), DAY)
    for arrays in (day.forward, day.backward):
        for p, n in enumerate(arrays.n_runs.tolist()):
            m = int(arrays.first_stop[p + 1] - arrays.first_stop[p])
            times = slice(int(arrays.first_time[p]), int(arrays.first_time[p]) + n * m)
            assert (np.diff(arrays.arrival_s[times].reshape(n, m), axis=0) >= 0).all()
            assert (np.diff(arrays.departure_s[times].reshape(m, n), axis=1) >= 0).all()


@random_examples(60)
@given(SEEDS)
def test_the_backward_arrays_are_the_forward_ones_in_a_mirror(seed):
    day = make_day(random_world(seed), DAY)
    ahead, back = day.forward, day.backward
    for p, n in enumerate(ahead.n_runs.tolist()):
        stops = slice(int(ahead.first_stop[p]), int(ahead.first_stop[p + 1]))
        m = stops.stop - stops.start
        times = slice(int(ahead.first_time[p]), int(ahead.first_time[p]) + n * m)
        assert ahead.spots[stops].tolist() == back.spots[stops].tolist()[::-1]
        assert (ahead.allow[stops] & BOARD > 0).tolist() == (back.allow[stops] & 2 > 0).tolist()[::-1]
        by_run = -ahead.departure_s[times].reshape(m, n).T[::-1, ::-1]
        assert (back.arrival_s[times].reshape(n, m) == by_run).all()


def test_a_trip_that_overtakes_is_in_a_pattern_of_its_own():
    world = timetable("""
        line  Gare   Halle  Lycee
        12    07:00  07:20  07:40
        12    07:10  07:15  07:20
        12    07:20  07:40  08:00
    """)
    patterns = make_day(world, DAY).forward.n_runs.tolist()
    assert sorted(patterns) == [3, 6]  # of three days
    assert told(world, search(world, "Gare", "Lycee", "06:59")) == ["Gare 07:10 (12) Lycee 07:20"]


def saved(world: Timetable, directory: Path) -> Timetable:
    save_timetable(world, directory)
    return open_timetable(directory)


def test_dates_with_the_same_trips_share_one_day(tmp_path: Path):
    world = saved(timetable("""
        line  Gare   Halle
        12    07:00  07:20
    """), tmp_path / "timetable")  # fmt: skip
    days = Days(world)
    assert days.get(DAY) is days.get(DAY + timedelta(days=1))
    assert days.get(DAY) is not days.get(DAY + timedelta(days=3))
    assert len(list((tmp_path / "timetable" / "days").iterdir())) == 2


def test_one_who_comes_second_finds_the_day_of_the_first(tmp_path: Path):
    day = make_day(random_world(7), DAY)
    save_day(day, tmp_path / "days" / "key")
    save_day(day, tmp_path / "days" / "key")
    assert [one.name for one in (tmp_path / "days").iterdir()] == ["key"]
    again = find_day(tmp_path / "days" / "key")
    assert again is not None
    assert again.forward.departure_s.tolist() == day.forward.departure_s.tolist()


def test_only_so_many_days_are_kept_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("routing.network.days.MAX_DAYS_ON_DISK", 2)
    day = make_day(random_world(7), DAY)
    for name in ("first", "second", "third"):
        save_day(day, tmp_path / "days" / name)
    assert sorted(one.name for one in (tmp_path / "days").iterdir()) == ["second", "third"]
    assert find_day(tmp_path / "days" / "first") is None


def test_a_directory_that_cannot_be_written_serves_from_memory(tmp_path: Path):
    world = saved(random_world(3), tmp_path / "timetable")
    (tmp_path / "timetable" / "days").write_text("in the way")
    assert Days(world).get(DAY).n_spots > 0


ONE_PROCESS = """
import sys
from datetime import date
from pathlib import Path
from routing.network.days import days_of
from routing.network.timetable import open_timetable
timetable = open_timetable(Path(sys.argv[1]))
print(sum(int(days_of(timetable).get(date.fromisoformat(day)).forward.departure_s.sum()) for day in sys.argv[2:]))
"""


def test_two_processes_share_one_release(tmp_path: Path):
    saved(random_world(11), tmp_path / "timetable")
    days = [(DAY + timedelta(days=i)).isoformat() for i in range(-3, 4)]
    command = [sys.executable, "-c", ONE_PROCESS, str(tmp_path / "timetable"), *days]
    root = Path(__file__).parents[3]
    runs = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told_by = [run.communicate(timeout=120)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert told_by[0] == told_by[1] != ""
    assert not [one for one in (tmp_path / "timetable" / "days").iterdir() if one.name.startswith(".")]


def test_threads_get_one_and_the_same_day():
    world = random_world(5)
    with ThreadPoolExecutor(4) as pool:
        days = list(pool.map(days_of(world).get, [DAY] * 8))
    assert all(day is days[0] for day in days)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_days_when_clocks_change_are_23_and_25_hours_long(day, hours):
    """A train at 06:00 each day: from one morning to the next the clock ran through other hours than 24."""
    tables = {
        "agency": {"agency_name": ["A"], "agency_url": ["https://example.org"], "agency_timezone": ["Europe/Paris"]},
        "stops": {"stop_id": ["a", "b"], "stop_name": ["a", "b"], "stop_lat": [45, 46], "stop_lon": [5, 5]},
        "routes": {"route_id": ["r"], "route_type": [2]},
        "trips": {"route_id": ["r"], "service_id": ["s"], "trip_id": ["t"]},
        "stop_times": {
            "trip_id": ["t", "t"],
            "stop_id": ["a", "b"],
            "stop_sequence": [1, 2],
            "arrival_time": ["06:00:00", "07:00:00"],
            "departure_time": ["06:00:00", "07:00:00"],
        },
        "calendar_dates": {
            "service_id": ["s"] * 3,
            "date": [day + timedelta(days=i) for i in (-1, 0, 1)],
            "exception_type": [1] * 3,
        },
    }
    world = make_timetable(make_feed("clocks", tables))
    made = make_day(world, day - timedelta(days=1))
    departures = made.forward.departure_s[: made.forward.n_runs[0]].tolist()
    # Service days count from noon minus 12 hours, so the day of the change itself is shifted by the hour.
    assert departures[1] - departures[0] == hours * 3600


def test_a_journey_of_23_hours_may_begin_in_the_25th_hour_of_a_day():
    day = date(2026, 10, 24)  # the clocks go back in the night after it
    world = timetable(
        """
        line  Gare   Halle  Lycee
        12    24:50  25:00
        40           48:10  48:40
        """,
        extra={"calendar_dates": {"service_id": ["daily"], "date": [day], "exception_type": [1]}},
    )
    one, other = StopPlace(world.get_stop("Gare")), StopPlace(world.get_stop("Lycee"))
    [journey] = plan(world, JourneyQuery(one, other, instant("24:45", day))).journeys
    assert journey.arrival - journey.departure == (48 * 60 + 40 - 24 * 60 - 50) * 60


def test_two_zones_run_on_one_clock():
    tables = {
        "agency": {
            "agency_id": ["fr", "pt"],
            "agency_name": ["A", "B"],
            "agency_url": ["https://example.org"] * 2,
            "agency_timezone": ["Europe/Paris", "Europe/Lisbon"],
        },
        "stops": {
            "stop_id": ["a", "b", "c"],
            "stop_name": ["a", "b", "c"],
            "stop_lat": [45, 46, 47],
            "stop_lon": [5] * 3,
        },
        "routes": {"route_id": ["r", "q"], "agency_id": ["fr", "pt"], "route_type": [2, 2]},
        "trips": {"route_id": ["r", "q"], "service_id": ["s", "s"], "trip_id": ["t", "u"]},
        "stop_times": {
            "trip_id": ["t", "t", "u", "u"],
            "stop_id": ["a", "b", "b", "c"],
            "stop_sequence": [1, 2, 1, 2],
            "arrival_time": ["06:00:00", "07:00:00", "06:10:00", "07:00:00"],
            "departure_time": ["06:00:00", "07:00:00", "06:10:00", "07:00:00"],
        },
        "calendar_dates": {"service_id": ["s"], "date": [DAY], "exception_type": [1]},
    }
    world = make_timetable(make_feed("zones", tables))
    [journey] = search(world, "a", "c", "05:50")
    assert journey.arrival - journey.departure == 2 * 3600  # Lisbon's 07:00 is 08:00 in Paris
