"""What the generator draws is whole, always the same, and comes back from its files as it was."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scolaire.generator import draw_region, draw_sector
from scolaire.pupils import WEDNESDAY, Home, Level, Regime, School, SchoolStatus, Sector, Stop, StopStatus, VehicleType
from scolaire.reading import read_sector
from scolaire.writing import render_sector
from socle.geo import LatLon, distance_m

ROOT = Path(__file__).parents[2]
DIGEST = """
import hashlib
from scolaire.generator import draw_sector
from scolaire.writing import render_sector
print(hashlib.sha256(b"".join(render_sector(draw_sector(7, n_pupils=300)).values())).hexdigest())
"""


@pytest.fixture(scope="module")
def sector() -> Sector:
    return draw_sector(3, n_pupils=1_500)


def test_a_sector_has_the_pupils_asked_for_and_comes_back_from_its_files(sector):
    again, findings = read_sector(render_sector(sector))
    assert len(sector.pupils) == 1_500
    assert findings == []
    assert again == sector


def test_the_same_seed_is_the_same_sector_in_another_process():
    def digest(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        run = [sys.executable, "-c", DIGEST]
        return subprocess.run(run, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout

    assert digest("1") == digest("2")
    assert render_sector(draw_sector(7, n_pupils=300)) != render_sector(draw_sector(8, n_pupils=300))


def test_what_the_planner_must_cope_with_is_there(sector):
    assert {pupil.level for pupil in sector.pupils} == {Level.NURSERY, Level.PRIMARY, Level.COLLEGE, Level.LYCEE}
    assert any(len(pupil.homes) == 2 for pupil in sector.pupils)
    assert any(pupil.wheelchair for pupil in sector.pupils)
    assert any(pupil.regime is Regime.BOARDER for pupil in sector.pupils)
    assert any(pupil.sector_school_id for pupil in sector.pupils)
    assert any(kind.wheelchair_places for kind in sector.vehicle_types)
    without_wednesday = {school.school_id for school in sector.schools if school.bell_wednesday_s is None}
    for pupil in sector.pupils:
        days = sum(home.days for home in pupil.homes)
        assert not (pupil.school_id in without_wednesday and days & WEDNESDAY)


def test_nobody_is_brought_to_the_school_of_the_own_village(sector):
    communes = {school.school_id: school.commune for school in sector.schools}
    for pupil in sector.pupils:
        assert communes[pupil.school_id] not in {home.commune for home in pupil.homes}


def test_roads_are_no_shorter_than_the_straight_line(sector):
    schools = {school.school_id: school for school in sector.schools}
    for pupil in sector.pupils:
        for home in pupil.homes:
            assert home.road_m >= int(distance_m(home.position, schools[pupil.school_id].position))


def test_a_region_is_its_sectors_and_shares_no_id():
    sectors = list(draw_region(1, n_pupils=2_000, n_sectors=6))
    assert sum(len(sector.pupils) for sector in sectors) == 2_000
    for ids in (
        [pupil.pupil_id for sector in sectors for pupil in sector.pupils],
        [school.school_id for sector in sectors for school in sector.schools],
        [stop.stop_id for sector in sectors for stop in sector.stops],
        [kind.type_id for sector in sectors for kind in sector.vehicle_types],
    ):
        assert len(ids) == len(set(ids))


# --- what is written is read -----------------------------------------------------------------------

NAME = st.text(alphabet=st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=30)
CENTS = st.integers(0, 1_000_000)
DEGREES = st.builds(
    lambda lat, lon: LatLon(lat / 10**7, lon / 10**7),
    st.integers(413_000_000, 511_000_000),
    st.integers(-5, 97_000_000),
)


@settings(max_examples=60)
@given(NAME, CENTS, CENTS, DEGREES, st.integers(1, 59), st.integers(0, 9), st.none() | st.integers(0, 99))
def test_vehicles_written_are_vehicles_read(name, day, km, depot, seats, places, count):
    kind = VehicleType("t", seats, places, day, km, 0, count, depot, name)
    again, _ = read_sector(render_sector(Sector((), (), (), (kind,), (), ())))
    assert again.vehicle_types == (kind,)


@settings(max_examples=60)
@given(
    NAME,
    DEGREES,
    st.integers(0, 43_000),
    st.integers(43_001, 86_399),
    st.tuples(st.integers(0, 14_400), st.integers(0, 14_400)).map(sorted),
    st.integers(1, 14_400),
    st.sampled_from(SchoolStatus),
)
def test_schools_written_are_schools_read(name, at, bell_am_s, bell_pm_s, window, ride_max_s, status):
    school = School("c", name, at, bell_am_s, bell_pm_s, *window, Level.COLLEGE, ride_max_s, status=status)
    again, _ = read_sector(render_sector(Sector((), (school,), (), (), (), ())))
    assert again.schools == (school,)


@given(NAME, DEGREES, st.sampled_from(StopStatus))
@settings(max_examples=60)
def test_stops_written_are_stops_read(name, at, status):
    again, _ = read_sector(render_sector(Sector((), (), (Stop("s", name, at, status),), (), (), ())))
    assert again.stops == (Stop("s", name, at, status),)


def test_a_child_without_position_is_written_and_read(sector):
    first = sector.pupils[0]
    lost = replace(first, homes=(Home(None, first.homes[0].days, sector.stops[0].stop_id),))
    again, _ = read_sector(render_sector(replace(sector, pupils=(lost,))))
    assert again.pupils == (lost,)
