"""Shuttles: `shuttles.csv`, the noon of schools whose pupils are driven to eat, with a finding for every odd row.

In a group of village schools (RPI) the children of one site eat at another, or are driven home and back. A row is
the noon of one school: when lessons end and go on, where half-boarders eat, whether day pupils go home. A ride is so
short that everybody has time to eat: when no limit is given, each way has half of what the noon leaves for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from scolaire.cells import YES_OR_NO, Cells, Wrong, read_row
from scolaire.pupils import FULL_DAYS, Noon, Pupil, School, Stop, StopStatus
from scolaire.tables import Columns, Table
from socle.findings import Finding, Severity

SHUTTLES: Final = "shuttles.csv"
SHUTTLE_COLUMNS: Final = Columns(
    ("school_id", "morning_ends", "afternoon_begins"),
    ("canteen_stop_id", "home", "days", "wait_max", "window_max", "ride_max", "meal_min"),
)
NOON_WAIT_MAX_S: Final = 15 * 60
NOON_WINDOW_MAX_S: Final = 15 * 60
MEAL_S: Final = 30 * 60  # at table, at least, as canteens of schools are advised
_LEAST_RIDE_S: Final = 60


def with_noons(
    table: Table, schools: Sequence[School], stops: Iterable[Stop], findings: list[Finding]
) -> tuple[tuple[School, ...], dict[str, int]]:
    """The schools with the noons of the table, and the line of each; of several rows of one school the first."""
    by_id = {school.school_id: school for school in schools}
    places = {stop.stop_id: stop for stop in stops}
    noons: dict[str, Noon] = {}
    lines: dict[str, int] = {}
    for row in table.rows:
        found = read_row(
            table.name,
            row,
            lambda cells: _noon(cells, by_id, places),
            findings,
            decimal_comma=table.has_decimal_comma,
        )
        if found is None:
            continue
        school_id, noon = found
        first = lines.setdefault(school_id, row.line)
        if first != row.line:
            findings.append(Finding(Severity.ERROR, "row_twice", table.name, row.line, {"first_line": first}))
        noons.setdefault(school_id, noon)
    return tuple(replace(one, noon=noons.get(one.school_id)) for one in schools), lines


def _noon(cells: Cells, schools: Mapping[str, School], stops: Mapping[str, Stop]) -> tuple[str, Noon]:
    school = schools.get(cells.an_id("school_id"))
    if school is None:
        raise Wrong("shuttle_school_unknown", "school_id")
    ends, resumes = _hours(cells, school)
    days = cells.days("days") if cells["days"] else FULL_DAYS
    if days & ~FULL_DAYS:
        raise Wrong("shuttle_days", "days")
    canteen = _canteen(cells, stops)
    is_home = cells.word("home", YES_OR_NO)
    if not canteen and not is_home:
        raise Wrong("shuttle_nowhere")
    waits = cells.minutes_s("wait_max", default=NOON_WAIT_MAX_S)
    window = cells.minutes_s("window_max", default=NOON_WINDOW_MAX_S)
    meal = cells.minutes_s("meal_min", default=MEAL_S)
    half = (resumes - window - ends - waits - meal) // 2
    ride_max = cells.minutes_s("ride_max", default=max(0, min(half, school.ride_max_s)))
    if ride_max < _LEAST_RIDE_S or ride_max > half:
        raise Wrong("shuttle_break_short")
    return school.school_id, Noon(ends, resumes, days, canteen, is_home, waits, window, ride_max, meal)


def _hours(cells: Cells, school: School) -> tuple[int, int]:
    """When lessons end at noon, and when they go on."""
    ends, resumes = cells.time_s("morning_ends"), cells.time_s("afternoon_begins")
    for column, hour in (("morning_ends", ends), ("afternoon_begins", resumes)):
        if hour is None:
            raise Wrong("cell_missing", column)
    if ends is None or resumes is None or not (school.bell_am_s or 0) < ends < resumes < (school.bell_pm_s or 86_400):
        raise Wrong("shuttle_hours")
    return ends, resumes


def _canteen(cells: Cells, stops: Mapping[str, Stop]) -> str:
    stop_id = cells.find_id("canteen_stop_id")
    if stop_id is None:
        return ""
    stop = stops.get(stop_id)
    if stop is None:
        raise Wrong("shuttle_stop_unknown", "canteen_stop_id")
    if stop.status is not StopStatus.VALIDATED:
        raise Wrong("shuttle_stop_not_validated", "canteen_stop_id")
    return stop_id


def look_at_riders(
    schools: Iterable[School], lines: Mapping[str, int], pupils: Iterable[Pupil], findings: list[Finding]
) -> None:
    """Whose shuttle drives nobody."""
    noons = {school.school_id: school.noon for school in schools if school.noon is not None}
    driven = set()
    for pupil in pupils:
        noon = noons.get(pupil.school_id)
        if noon is not None and noon.drives(pupil.regime) and any(home.days & noon.days for home in pupil.homes):
            driven.add(pupil.school_id)
    findings += [
        Finding(Severity.WARNING, "shuttle_for_nobody", SHUTTLES, lines[school_id])
        for school_id in noons
        if school_id not in driven
    ]
