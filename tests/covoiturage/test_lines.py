"""Lines: the six that are shipped, and what a file of lines may not say."""

from __future__ import annotations

import csv
import json
from copy import deepcopy
from datetime import date
from importlib.resources import files
from itertools import pairwise
from typing import Any

import pytest

from covoiturage.lines import (
    document_of,
    drive_s,
    find_line,
    in_force,
    official_metres,
    read_lines,
    shipped_lines,
    version_of,
)
from socle.errors import BadInput, NotFound
from socle.geo import distance_m

LINE: dict[str, Any] = {
    "line_id": "X1",
    "name": "Ici – Là",
    "territory": "Quelque part",
    "fare_cents": 150,
    "valid_from": "2026-01-01",
    "days": ["monday", "friday"],
    "hours": [{"from": "06:30", "until": "09:00", "cars_per_hour": 4}],
    "stops": [
        {"stop_id": "a", "name": "Ici", "insee_code": "25047", "lat": 47.0, "lon": 6.0, "distance_m": 0},
        {"stop_id": "b", "name": "Entre", "insee_code": "25047", "lat": 47.1, "lon": 6.0, "distance_m": 14000},
        {"stop_id": "c", "name": "Là", "insee_code": "2A004", "lat": 47.2, "lon": 6.0, "distance_m": 27000},
    ],
}


def read(*lines: dict[str, Any]) -> Any:
    return read_lines(json.dumps({"lines": lines}).encode())


def with_(path: str, value: Any) -> dict[str, Any]:
    """`LINE` with another value at `path`; None takes the field away."""
    line = deepcopy(LINE)
    at: Any = line
    *before, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in before:
        at = at[part]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return line


def test_each_pilot_line_is_as_long_as_it_was_published_to_be() -> None:
    facts = files("mobigo.demo").joinpath("facts", "carpool_lines.csv").read_text("utf-8").splitlines()
    published = {row["line_id"]: (row["name"], int(row["published_m"])) for row in csv.DictReader(facts)}
    assert {line.line_id: (line.name, line.length_m) for line in shipped_lines()} == published


def test_pilot_lines_pass_where_the_publication_says() -> None:
    facts = files("mobigo.demo").joinpath("facts", "carpool_lines.csv").read_text("utf-8").splitlines()
    via = {row["line_id"]: row["via_insee_codes"].split() for row in csv.DictReader(facts)}
    for line in shipped_lines():
        passed = [stop.insee_code for stop in line.stops]
        assert [code for code in passed if code in via[line.line_id]] == via[line.line_id]
        assert (passed[0], passed[-1]) == (via[line.line_id][0], via[line.line_id][-1])
        assert line.fictitious
        assert line.fare_cents == 150
        assert line.is_all_day


def test_no_hop_of_a_pilot_line_is_shorter_than_the_great_circle() -> None:
    for line in shipped_lines():
        for one, other in pairwise(line.stops):
            assert other.distance_m - one.distance_m >= distance_m(one.at, other.at), (one, other)


def test_official_metres_are_the_same_in_both_directions() -> None:
    (line,) = read(LINE)
    assert official_metres(line, "a", "c") == official_metres(line, "c", "a") == 27_000
    assert official_metres(line, "b", "c") == 13_000
    assert official_metres(line, "b", "b") == 0


def test_a_stop_of_another_line_has_no_metres_here() -> None:
    (line,) = read(LINE)
    with pytest.raises(NotFound) as refused:
        official_metres(line, "a", "z")
    assert (refused.value.code, refused.value.facts) == ("unknown_line_stop", {"stop": "z", "line": "X1"})


def test_thirty_three_kilometres_take_thirty_six_minutes() -> None:
    assert drive_s(33_000) == 36 * 60
    assert drive_s(0) == 0


def test_the_wait_to_expect_is_the_hour_shared_by_its_cars() -> None:
    (line,) = read(LINE)
    assert line.hours[0].wait_s == 15 * 60


def test_a_line_runs_on_its_days_while_it_is_in_force() -> None:
    (line,) = read(with_("valid_until", "2026-03-06"))
    assert line.runs_on(date(2026, 3, 2))
    assert line.runs_on(date(2026, 3, 6))
    assert not line.runs_on(date(2026, 3, 3))  # a Tuesday
    assert not line.runs_on(date(2026, 3, 9))
    assert not line.runs_on(date(2025, 12, 29))


def test_of_two_versions_the_day_has_the_one_that_began_last() -> None:
    lines = read(LINE, {**with_("fare_cents", 200), "valid_from": "2026-09-01"})
    assert [find_line(lines, "X1", day).fare_cents for day in (date(2026, 8, 31), date(2026, 9, 1))] == [150, 200]
    assert find_line(lines, "X1", date(2025, 12, 31)) is None
    assert in_force(lines, date(2026, 9, 1)) == (lines[1],)


def test_a_line_written_and_read_again_is_the_same() -> None:
    for line in shipped_lines():
        again = read(document_of(line))[0]
        assert again == line
        assert version_of(again) == version_of(line)


def test_toml_and_json_say_the_same_line() -> None:
    text = files("covoiturage").joinpath("lines.toml").read_bytes()
    assert read_lines(text, toml=True) == read(*map(document_of, shipped_lines()))


@pytest.mark.parametrize(
    ("path", "value", "field", "problem"),
    [
        ("line_id", "a b", "line_id", "id_wanted"),
        ("name", "", "name", "text_wanted"),
        ("fare_cents", -1, "fare_cents", "negative"),
        ("fare_cents", 1_000_000, "fare_cents", "too_big"),
        ("valid_from", "2026-06-31", "valid_from", "impossible_date"),
        ("valid_until", "2025-01-01", "valid_until", "before_start"),
        ("days", [], "days", "day_wanted"),
        ("days", ["lundi"], "days[0]", "unknown_kind"),
        ("hours", [], "hours", "hours_wanted"),
        ("hours.0.until", "06:30", "hours[0].until", "ends_before_it_begins"),
        ("hours.0.until", "25:00", "hours[0].until", "time_wanted"),
        ("hours.0.cars_per_hour", 0, "hours[0].cars_per_hour", "too_small"),
        ("hours.0.until", "06:40", "hours[0].cars_per_hour", "no_car_expected"),
        ("hours", [LINE["hours"][0], LINE["hours"][0]], "hours[1].from", "overlaps_the_hours_before"),
        ("stops", None, "stops", "missing_field"),
        ("stops", [], "stops", "two_stops_wanted"),
        ("stops.0.distance_m", 5, "stops[0].distance_m", "zero_wanted"),
        ("stops.2.distance_m", 14000, "stops[2].distance_m", "not_beyond_the_stop_before"),
        ("stops.2.distance_m", 15000, "stops[2].distance_m", "shorter_than_the_crow_flies"),
        ("stops.2.distance_m", 10**9, "stops[2].distance_m", "too_big"),
        ("stops.1.stop_id", "a", "stops[1].stop_id", "said_twice"),
        ("stops.1.insee_code", "2504", "stops[1].insee_code", "insee_code_wanted"),
        ("stops.1.lat", 91, "stops[1].lat", "degrees_wanted"),
        ("colour", "red", "colour", "unknown_field"),
    ],
)
def test_a_field_that_does_not_fit_is_refused_by_name_and_reason(
    path: str, value: Any, field: str, problem: str
) -> None:
    with pytest.raises(BadInput) as refused:
        read(with_(path, value))
    assert (refused.value.code, refused.value.facts) == (
        "line_field",
        {"field": f"lines[0].{field}", "problem": problem},
    )


def test_the_same_version_of_a_line_is_said_once() -> None:
    with pytest.raises(BadInput) as refused:
        read(LINE, LINE)
    assert refused.value.facts == {"field": "lines[1].line_id", "problem": "said_twice"}


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"lines": 1', b"\xff"])
def test_what_is_no_json_is_refused_whole(text: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        read_lines(text)
    assert refused.value.code == "lines_unreadable"


def test_a_file_without_lines_is_refused() -> None:
    with pytest.raises(BadInput) as refused:
        read()
    assert refused.value.facts == {"field": "lines", "problem": "line_wanted"}
