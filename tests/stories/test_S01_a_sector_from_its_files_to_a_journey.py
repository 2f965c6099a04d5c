"""The demonstration's school sector goes from four CSV files to a published plan, paper, GTFS and a pupil's journey.

Everything is done as an office does it. What one child is told, by the notice for the family and by the journey
planner that everybody may ask, is the same coach at the same stop.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from mobigo.cli import main
from mobigo.cli.frame import settings
from mobigo.security import open_keys
from mobigo.services.scolaire.studying import add_study, find_rides, get_published, publish
from mobigo.store.base import open_engine
from scolaire.lines import open_lines
from scolaire.papers import notices_of
from scolaire.planfiles import read_plan
from scolaire.plans import Direction
from scolaire.writing import render_sector
from tests.worlds.demo import demo_region
from tests.worlds.paper import read_paper

pytestmark = pytest.mark.slow
YEAR, SECTOR_ID = 2026, "2026-haut-doubs"
TUESDAY = date(2026, 11, 24)


@pytest.fixture
def office(tmp_path, monkeypatch):
    """A folder with the files of the sector, as its schools and its carriers would send them."""
    monkeypatch.setenv("MOBIGO_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.chdir(tmp_path)
    settings.cache_clear()
    (tmp_path / "haut-doubs").mkdir()
    for name, content in render_sector(demo_region().sector).items():
        (tmp_path / "haut-doubs" / name).write_bytes(content)
    yield tmp_path
    settings.cache_clear()


def typed(*arguments, code=0):
    assert main(["scolaire", *arguments]) == code


def of_tuesday_morning(periods):
    wanted = (one for one in periods if one.days >> TUESDAY.weekday() & 1 and one.direction is Direction.TO_SCHOOL)
    return next(wanted)


def test_a_sector_goes_from_its_files_to_the_journey_of_a_pupil(office, capsys):
    typed("import", "haut-doubs", "--year", str(YEAR))
    typed("entitle", "--year", str(YEAR))
    typed("optimise", "--dir", "haut-doubs", "--out", "plan.json", "--budget", "3", "--straight")
    typed("check", "plan.json")
    plan = read_plan((office / "plan.json").read_bytes())
    assert plan.not_served == ()

    # A planner makes a study of it and publishes it; the coaches drive it from then on.
    engine, keys = open_engine(settings().database_address()), open_keys("", office / "var")
    now = datetime(2026, 8, 20, 9, tzinfo=UTC)
    study = add_study(
        engine, keys, SECTOR_ID, "Rentrée", (office / "plan.json").read_bytes(), "system:desk", "Rentrée", now
    )
    publish(engine, keys, study.study_id, study.turn, date(YEAR, 9, 1), "system:desk", "Rentrée", now)
    driven = get_published(engine, keys, SECTOR_ID, TUESDAY).plan
    assert driven.runs == plan.runs
    assert not {rider.pupil_id for rider in driven.riders} & {rider.pupil_id for rider in plan.riders}

    # The driver's paper counts the children at each stop; the family's names the coach of one.
    lines = open_lines(plan)
    shown = {lines.places[one.place].name for run in lines.runs for one in run.passings}
    morning = of_tuesday_morning(plan.periods)
    notice, ride, stop = next(
        (notice, ride, stop)
        for notice in notices_of(plan)
        for period, ride, stop in notice.rides
        if period == morning and stop.name in shown and notice.n_stops == 1
    )
    typed("roadbook", "plan.json", "--run", ride.run_id, "--out", "driver.pdf")
    typed("papers", "plan.json", "--kind", "families", "--only", notice.pupil_id, "--out", "family.pdf")
    driver, family = (" ".join(read_paper((office / name).read_bytes()).pages) for name in ("driver.pdf", "family.pdf"))
    assert stop.name in driver
    assert notice.pupil_id not in driver
    clock = f"{ride.stop_s // 3600:02d}:{ride.stop_s % 3600 // 60:02d}"
    assert f"{clock} {stop.name} {ride.circuit_id}" in family

    # The lines that everybody may know are imported like any feed, and a journey is the ride of that child.
    typed("export", "plan.json", "--format", "gtfs", "--year", str(YEAR), "--out", "scolaire.zip")
    assert main(["feed", "check", "scolaire.zip"]) == 0
    assert main(["feed", "import", "scolaire.zip", "--licence", "ODbL-1.0"]) == 0
    capsys.readouterr()
    ends = [f"{place.lat},{place.lon}" for place in (stop.position, notice.school.position)]
    minutes = ride.stop_s // 60 - 5
    at = f"{TUESDAY}T{minutes // 60:02d}:{minutes % 60:02d}"
    assert main(["plan", *ends, "--at", at, "--json"]) == 0
    journeys = json.loads(capsys.readouterr().out)["itineraries"]
    coaches = [leg.get("routeShortName") for one in journeys for leg in one["legs"] if leg["mode"] != "WALK"]
    assert ride.circuit_id in coaches

    # And on a day without school there is none.
    assert main(["plan", *ends, "--at", f"2026-12-22T{minutes // 60:02d}:{minutes % 60:02d}", "--json"]) != 0

    pseudonym = driven.riders[ride.rider].pupil_id
    told = [one.run.run_id for _plan, one in find_rides(engine, keys, SECTOR_ID, pseudonym, TUESDAY)]
    assert ride.run_id in told
    engine.dispose()
