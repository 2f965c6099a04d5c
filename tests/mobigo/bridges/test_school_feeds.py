"""School lines as GTFS: nothing for validators to say, on school days alone, same bytes for the same plan."""

from dataclasses import replace
from datetime import date

import gtfs_guru
import pytest

from mobigo.services.scolaire.exporting import days_of_year, export_plan
from routing.gtfs.quality import judge_feed
from routing.gtfs.read import read_feed
from scolaire.plans import SchoolPlan
from socle.errors import BadInput
from tests.worlds.plans import PLAN

DAY = date(2026, 11, 23)
SITE = "https://exemple.test"


def opened(tmp_path, plan: SchoolPlan = PLAN, *, inside=False):
    path = tmp_path / "scolaire.zip"
    path.write_bytes(export_plan(plan, "gtfs", 2026, SITE, inside=inside))
    return path, *read_feed(path, "scolaire")


def test_validators_have_no_error_and_no_warning(tmp_path):
    path, feed, remarks = opened(tmp_path)
    told = gtfs_guru.validate(str(path), date=DAY.isoformat(), country_code="FR").notices
    assert [(one.severity, one.code) for one in told if one.severity != "INFO"] == []
    assert [finding.code for finding in (*remarks, *judge_feed(feed, DAY))] == []


def test_what_is_open_has_the_type_of_a_bus_and_what_stays_inside_that_of_a_school_bus(tmp_path):
    assert opened(tmp_path)[1].tables["routes"]["route_type"].to_list() == [3]
    assert opened(tmp_path, inside=True)[1].tables["routes"]["route_type"].to_list() == [712]


def test_coaches_run_on_days_with_school_of_their_period_and_no_others(tmp_path):
    feed = opened(tmp_path)[1]
    days = feed.tables["calendar_dates"]["date"].to_list()
    assert {day.weekday() for day in days} == {0, 1, 3, 4}
    assert date(2026, 9, 1) in days
    assert not {date(2026, 10, 20), date(2026, 12, 22), date(2027, 5, 6), date(2027, 7, 5)} & set(days)
    assert 120 < len(days) < 145  # 36 weeks of four days, holidays taken off


def test_one_gets_on_where_pupils_do_and_off_where_they_do(tmp_path):
    feed = opened(tmp_path)[1]
    rows = feed.tables["stop_times"].select("trip", "pickup_type", "drop_off_type").rows()
    assert rows == [(0, 0, 1), (0, 1, 0), (1, 0, 1), (1, 1, 0)]


def test_no_id_of_a_pupil_and_no_count_leaves(tmp_path):
    for form in ("gtfs", "geojson", "csv"):
        content = export_plan(PLAN, form, 2026, SITE)
        if form != "gtfs":
            assert "glise" not in content.decode()
            assert "pupils" not in content.decode()
        assert not any(f'"{rider.pupil_id}"'.encode() in content for rider in PLAN.riders)


def test_the_same_plan_makes_the_same_bytes():
    for form in ("gtfs", "geojson", "csv"):
        assert export_plan(PLAN, form, 2026, SITE) == export_plan(PLAN, form, 2026, SITE)


def test_each_period_of_a_year_has_the_days_of_the_calendar():
    days = days_of_year(2026)
    assert days[0] == date(2026, 9, 1)
    assert days[-1] == date(2027, 7, 2)


@pytest.mark.parametrize(
    ("form", "year", "code"),
    [("netex", 2026, "netex_later"), ("xls", 2026, "export_unknown"), ("gtfs", 2060, "calendar_unknown")],
)
def test_what_cannot_be_written_is_refused_with_its_reason(form, year, code):
    with pytest.raises(BadInput, match=code):
        export_plan(PLAN, form, year, SITE)


def test_a_plan_of_few_pupils_everywhere_has_nothing_to_publish():
    few = replace(PLAN, runs=(replace(PLAN.runs[0], halts=PLAN.runs[0].halts[:1]),))
    with pytest.raises(BadInput, match="nothing_to_publish"):
        export_plan(few, "gtfs", 2026, SITE)
