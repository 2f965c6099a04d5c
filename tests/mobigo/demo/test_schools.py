"""Schools of the demonstration: where the rule puts them, who goes there, and the plan that is shipped."""

from collections import Counter
from datetime import date

from mobigo.demo.region import build
from mobigo.demo.school_plan import planned, shipped_plan
from mobigo.demo.schools import SECTOR_TOWNS, draw_sector, schools_of
from scolaire.checking import broken_promises
from scolaire.pupils import Level, StopStatus
from scolaire.reading import read_sector
from scolaire.writing import render_sector
from socle.findings import count_errors
from socle.geo import distance_m
from tests.worlds.demo import demo_region

REGION = demo_region()
SECTOR = REGION.sector


def test_collèges_and_lycées_stand_where_people_are():
    schools = schools_of(REGION.roads, 2020)
    towns = {
        level: {one.place for one in schools if one.school.level is level} for level in (Level.COLLEGE, Level.LYCEE)
    }
    assert (len(towns[Level.COLLEGE]), len(towns[Level.LYCEE])) == (154, 28)
    numbers = Counter(one.school.commune for one in schools if one.school.level is Level.COLLEGE)
    assert numbers["21231"] == 1 + 158_002 // 15_000
    assert all("de démonstration" in one.school.name for one in schools)
    assert len({one.school.school_id for one in schools}) == len(schools)
    assert any(one.school.name == "Collège de démonstration d’Avallon" for one in schools)


def test_the_sector_has_its_five_towns_and_pupils_of_elsewhere():
    assert {school.commune for school in SECTOR.schools} == set(SECTOR_TOWNS)
    assert 1_500 <= len(SECTOR.pupils) <= 2_000
    road_m = [home.road_m for pupil in SECTOR.pupils for home in pupil.homes]
    assert min(road_m) > 3_000
    assert all(pupil.pupil_id.startswith("demo-") for pupil in SECTOR.pupils)
    assert {stop.status for stop in SECTOR.stops} == {StopStatus.VALIDATED}


def test_homes_stand_on_streets_or_round_the_stop_of_a_hamlet():
    nodes = {
        (round(lat, 6), round(lon, 6))
        for lat, lon in zip(REGION.streets.lat.tolist(), REGION.streets.lon.tolist(), strict=True)
    }
    hamlets = [stop.position for stop in SECTOR.stops if stop.stop_id.endswith("-hameau")]
    homes = [home.position for pupil in SECTOR.pupils for home in pupil.homes]
    apart = [home for home in homes if (home.lat, home.lon) not in nodes]
    assert all(min(distance_m(home, hamlet) for hamlet in hamlets) < 151 for home in apart)
    assert 0.10 < len(apart) / len(homes) < 0.18


def test_its_files_are_read_back_without_an_error():
    sector, findings = read_sector(render_sector(SECTOR))
    assert count_errors(findings) == 0
    assert (len(sector.pupils), len(sector.plannable)) == (len(SECTOR.pupils), len(SECTOR.plannable))


def test_another_seed_draws_other_pupils_and_the_same_rules():
    other = draw_sector(REGION.roads, REGION.streets, 7)
    assert other.schools != SECTOR.schools
    assert abs(len(other.pupils) - len(SECTOR.pupils)) < 100


def test_the_shipped_plan_is_of_this_sector_and_its_checker_finds_nothing():
    plan = planned(SECTOR)
    assert plan is not None
    assert plan == shipped_plan()
    assert broken_promises(plan) == ()
    assert plan.not_served == ()
    assert {rider.pupil_id for rider in plan.riders} == {pupil.pupil_id for pupil in SECTOR.pupils}


def test_the_feed_of_the_lines_tells_no_place_of_few_and_marks_everything_as_fictitious():
    tables = REGION.sources["scolaire-demo"]
    assert set(tables["routes"].texts("route_desc")) == {"Ligne fictive"}
    assert set(tables["stops"].texts("stop_desc")) == {"Arrêt fictif"}
    assert all(name.endswith("(fictif)") for name in tables["routes"].texts("route_long_name"))
    told = set(tables["stops"].texts("stop_id"))
    waiting = Counter(home.stop_id for pupil in SECTOR.pupils for home in pupil.homes)
    assert {stop for stop, n in waiting.items() if n < 5} & told == set()


def test_a_week_of_holidays_has_no_school_lines():
    assert "scolaire-demo" not in build(start=date(2026, 12, 21), weeks=1, clean=True).sources


def test_all_pupils_of_the_region_go_to_a_school_of_the_region():
    everybody = draw_sector(REGION.roads, REGION.streets, 2020, None)
    schools = {school.school_id for school in everybody.schools}
    assert len(everybody.pupils) > 30_000
    assert {pupil.school_id for pupil in everybody.pupils} <= schools
