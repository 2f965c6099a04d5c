"""Plans: what is measured of one drawn by hand, and files that come back as they were or are refused by field."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.search import Budget
from scolaire.generator import draw_sector
from scolaire.planfiles import read_plan, render_plan
from scolaire.plans import (
    Direction,
    Halt,
    Making,
    NotServed,
    Period,
    Rider,
    Run,
    SchoolPlan,
    measure,
    rides_of,
)
from scolaire.pupils import FULL_DAYS, Level, School, Stop, StopStatus, VehicleType
from scolaire.runs import make_morning, plan_morning, school_plan
from scolaire.ways import places_of, straight_matrix
from socle.errors import BadInput
from socle.geo import LatLon
from tests.worlds.school_plans import drawn_plan

HOUR = 3_600
VALDAHON = LatLon(47.15, 6.34)
SCHOOL = School("s", "Collège", VALDAHON, 8 * HOUR, 17 * HOUR, 300, 900, Level.COLLEGE, 2_700)
STOPS = tuple(Stop(name, name, VALDAHON, StopStatus.VALIDATED) for name in ("Mairie", "Église"))
COACH = VehicleType("car", 20, 0, 10_000, 100, 3_600, None, VALDAHON)
OUT = Run(
    "C001-M",
    "C001",
    0,
    0,
    (
        Halt(7 * HOUR, 7 * HOUR + 60, 600, 8_000, stop=0, up=(0, 1)),
        Halt(7 * HOUR + 660, 7 * HOUR + 720, 600, 9_000, stop=1, up=(2,)),
        Halt(7 * HOUR + 1_920, 7 * HOUR + 1_980, 1_200, 15_000, school=0, down=(0, 1, 2)),
    ),
    1_620,
    18_000,
)
BACK = Run(
    "C001-S",
    "C001",
    1,
    0,
    (
        Halt(17 * HOUR, 17 * HOUR + 60, 1_200, 18_000, school=0, up=(0,)),
        Halt(17 * HOUR + 1_060, 17 * HOUR + 1_080, 1_000, 20_000, stop=1, down=(0,)),
    ),
    320,
    2_000,
)
PLAN = SchoolPlan(
    "Le plan",
    (SCHOOL,),
    STOPS,
    (COACH,),
    tuple(Rider(name, 0, Level.COLLEGE) for name in "abcd"),
    (Period("matin", FULL_DAYS, Direction.TO_SCHOOL), Period("soir", FULL_DAYS, Direction.FROM_SCHOOL)),
    (OUT, BACK),
    (NotServed("d", "no_vehicle", 0), NotServed("d", "no_vehicle", 1)),
    Making(1, 100, mixed=True),
)


def test_a_run_begins_and_ends_at_its_depot_and_is_loaded_between():
    assert (OUT.begins_s, OUT.ends_s) == (7 * HOUR - 600, 8 * HOUR)
    assert (OUT.driven_m, OUT.loaded_m, OUT.loads) == (50_000, 24_000, (2, 3, 0))
    assert (BACK.driven_m, BACK.loaded_m, BACK.loads) == (40_000, 20_000, (1, 0))


def test_a_ride_lasts_from_leaving_to_arriving_in_both_directions():
    rides = [(ride.rider, ride.stop, ride.seconds) for run in PLAN.runs for ride in rides_of(run)]
    assert rides == [(0, 0, 1_860), (1, 0, 1_860), (2, 1, 1_200), (0, 1, 1_000)]


def test_a_vehicle_costs_its_day_once_and_every_kilometre_and_hour_of_all_its_runs():
    found = measure(PLAN)
    assert (found.n_vehicles, found.n_runs, found.n_carried, found.n_not_served) == (1, 2, 4, 1)
    assert (found.driven_m, found.loaded_m, found.duty_s) == (90_000, 44_000, 4_200 + 2_600)
    assert found.day_cents == 10_000 + 90 * 100 + 6_800
    assert (found.ride_mean_s, found.ride_p95_s, found.ride_most_s) == (1_480, 1_860, 1_860)
    assert found.fill_percent == 10  # four of forty seats


def test_a_plan_without_runs_measures_nothing():
    found = measure(replace(PLAN, runs=()))
    assert (found.n_vehicles, found.day_cents, found.ride_p95_s, found.fill_percent) == (0, 0, 0, 0)


def test_a_plan_comes_back_from_its_file_as_it_was():
    sector = draw_sector(3, n_pupils=120)
    morning = make_morning(sector, straight_matrix(places_of(sector)), 0, mixed=True)
    found = school_plan(morning, plan_morning(morning.problem, Budget(steps=50), 1), 1, "été")
    for plan in (PLAN, found):
        assert read_plan(render_plan(plan)) == plan


def changed(change):
    tree = json.loads(render_plan(PLAN))
    change(tree)
    return json.dumps(tree).encode()


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda tree: tree.pop("title"), "title"),
        (lambda tree: tree.update(more=1), "more"),
        (lambda tree: tree.update(title=7), "title"),
        (lambda tree: tree["runs"][1]["halts"][0].update(arrives_s="17:00"), "runs[1].halts[0].arrives_s"),
        (lambda tree: tree["runs"][1]["halts"][0].update(arrives_s=True), "runs[1].halts[0].arrives_s"),
        (lambda tree: tree["runs"][1]["halts"][0].update(stop=0), "runs[1].halts[0]"),
        (lambda tree: tree["runs"][0]["halts"][0].update(up=[4]), "runs[0].halts[0].up"),
        (lambda tree: tree["runs"][0].update(period=2), "runs[0].period"),
        (lambda tree: tree["runs"][0].update(vehicle_type=-1), "runs[0].vehicle_type"),
        (lambda tree: tree["stops"][0]["position"].update(lat=91), "stops[0].position"),
        (lambda tree: tree["schools"][0].update(level=["college"]), "schools[0].level"),
        (lambda tree: tree["vehicle_types"][0].update(seats=0), "vehicle_types[0]"),
        (lambda tree: tree.update(runs={}), "runs"),
        (lambda tree: tree.update(format="gtfs"), "format"),
    ],
)
def test_a_file_that_is_no_plan_is_refused_by_its_field(change, where):
    with pytest.raises(BadInput) as refused:
        read_plan(changed(change))
    assert (refused.value.code, refused.value.facts["where"]) == ("plan_unreadable", where)


def test_another_version_and_what_is_no_json_are_refused():
    with pytest.raises(BadInput, match="plan_version_unknown"):
        read_plan(changed(lambda tree: tree.update(version=1)))
    for content in (b"", b"\xff\xfe", b"[]", b"[" * 100_000):
        with pytest.raises(BadInput, match="plan_unreadable"):
            read_plan(content)


@given(st.binary(max_size=60))
def test_no_bytes_crash_the_reader(content):
    with pytest.raises(BadInput):
        read_plan(content)


def test_what_there_are_thousands_of_is_written_as_any_json_is():
    plan = drawn_plan()
    strange = "".join(map(chr, range(1, 0x21))) + '"\\/é\u2028\x7f\U0001f68c'
    riders = (replace(plan.riders[0], pupil_id=strange), *plan.riders[1:])
    content = render_plan(replace(plan, riders=riders, not_served=(NotServed(strange, strange),)))
    tree = json.loads(content)
    for name in ("runs", "riders", "not_served"):
        for one in tree[name]:
            assert json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode() in content
