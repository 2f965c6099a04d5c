"""The published school instances: read as their authors mean them, planned below what was published."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.bounds import fewest_vehicles
from fleet.check import broken_promises
from fleet.requests import DropOff, PickUp, Plan, Route
from fleet.search import Budget
from scolaire.sbrp import TICKS_PER_S, list_cases, read_problem, solve
from socle.errors import BadInput

SCHOOLS = "ID\tX\tY\tAMEARLY\tAMLATE\n7\t0\t0\t800\t830\n8\t8800\t0\t830\t900\n"
STOPS = "ID\tX_COORD\tY_COORD\tEP_ID\tSTUDENT_COUNT\n1\t880\t880\t7\t10\n2\t0\t880.5\t8\t66\n"


def folder(tmp_path: Path, schools: str = SCHOOLS, stops: str = STOPS) -> Path:
    case = tmp_path / "TINY"
    case.mkdir()
    (case / "Schools.txt").write_text(schools)
    (case / "Stops.txt").write_text(stops)
    return tmp_path


def test_an_instance_is_read_by_the_conventions_of_the_published_results(tmp_path):
    first, second = list_cases(folder(tmp_path))
    assert (first.label, second.label, dict(first.published)) == ("TINY:2700", "TINY:5400", {})
    problem = read_problem(first)
    early, late = problem.destinations
    assert early.earliest == early.latest == (8 * 3600 - 154.4) * TICKS_PER_S
    assert late.latest + late.service == (8 * 3600 + 30 * 60) * TICKS_PER_S  # gone at the bell, not before
    stop, full = problem.requests
    assert stop.service == (19 + 26) * TICKS_PER_S
    assert problem.drive[stop.place, early.place] == 60 * TICKS_PER_S  # 880 + 880 feet at 88 / 3 feet a second
    assert problem.drive[full.place, early.place] == 88050 * 3
    assert (stop.max_ride, full.load, problem.vehicle_types[0].places) == (2700 * TICKS_PER_S, (66,), (66,))
    assert early.group != late.group


def test_one_bus_chains_both_schools_as_the_rule_says(tmp_path):
    """Bell of the first, empty drive, stop, loaded drive, 154.4 s before the second bell: there is time."""
    case = list_cases(folder(tmp_path))[0]
    problem = read_problem(case)
    result = solve(case, problem, Budget(steps=5), 1)
    assert (result.n_buses, result.anchor, fewest_vehicles(problem)) == (1, None, 1)
    bell = 8 * 3600 * TICKS_PER_S
    empty, ride = problem.drive[0, 3], problem.drive[3, 1]
    by = problem.destinations[1].latest
    leaves = by - ride - problem.requests[1].service
    assert bell + empty < leaves
    too_early = Route(
        0, (PickUp(0, bell - 10**7), DropOff(0, bell - 1358720), PickUp(1, bell + int(empty) - 1), DropOff(1, by))
    )
    assert {each.broken for each in broken_promises(problem, Plan((too_early,)))} == {"drives_too_fast"}


def test_an_instance_alone_finds_what_was_published_beside_it(tmp_path):
    beside = folder(tmp_path)
    (beside / "reference_buses.csv").write_text("instance,max_ride_s,bird_combined\nTINY,5400,3\nOTHER,2700,1\n")
    for where in (beside, beside / "TINY"):
        assert [(case.label, dict(case.published)) for case in list_cases(where)] == [
            ("TINY:5400", {"bird_combined": 3})
        ]
    case = list_cases(beside)[0]
    result = solve(case, read_problem(case), Budget(steps=1), 1)
    assert (result.anchor, result.anchor_after_s) == (3, 0.0)


@pytest.mark.parametrize(
    ("code", "schools", "stops"),
    [
        ("sbrp_columns", "ID,X,Y,AMEARLY\n7,0,0,800\n", STOPS),
        ("sbrp_row", SCHOOLS.replace("800", "eight"), STOPS),
        ("sbrp_row", SCHOOLS, STOPS.replace("\t7\t", "\t9\t")),
        ("sbrp_row", SCHOOLS, STOPS.replace("\t66", "\t-3")),
        ("sbrp_row", SCHOOLS, STOPS.replace("880.5", "nan")),
        ("sbrp_unreadable", None, STOPS),
    ],
)
def test_a_folder_that_means_nothing_is_refused_with_its_reason(tmp_path, code, schools, stops):
    where = folder(tmp_path, schools or SCHOOLS, stops)
    if schools is None:
        (where / "TINY" / "Schools.txt").unlink()
    with pytest.raises(BadInput, match=code):
        read_problem(list_cases(where)[0])


def test_a_folder_without_instances_is_refused(tmp_path):
    with pytest.raises(BadInput, match="sbrp_no_instance"):
        list_cases(tmp_path)
    with pytest.raises(BadInput, match="sbrp_no_folder"):
        list_cases(tmp_path / "nowhere")


@pytest.mark.shared
@pytest.mark.parametrize(("label", "n_steps"), [("CSCB01:2700", 8000), ("RSRB02:5400", 8000), ("CSCB02:5400", 8000)])
def test_buses_are_fewer_than_bird_published(shared, label, n_steps):
    case = next(each for each in list_cases(shared("data/bench_vrp/sbrp_park")) if each.label == label)
    problem = read_problem(case)
    result = solve(case, problem, Budget(steps=n_steps), 1)
    assert broken_promises(problem, result.outcome.plan) == ()
    assert result.outcome.plan.unserved == ()
    assert fewest_vehicles(problem) <= result.n_buses < case.published["bird_combined"]
