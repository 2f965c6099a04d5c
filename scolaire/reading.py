"""Reading: the files of a sector → a `Sector`, and a finding for every row that is not what it should be.

`pupils.csv`, `schools.csv`, `stops.csv`, `vehicles.csv`, and `shuttles.csv` where somebody is driven at noon, as
docs/school-files.md has them. A row that cannot be read
is set apart; a pupil who is known but whom no coach can serve (no position, no bell, no place for a wheelchair)
stays a pupil, is left out of the plan and named in `Sector.left_out`. Findings hold lines and columns, never what
is written about a child.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from scolaire.cells import BITS, LEVELS, REGIMES, SCHOOL_STATUSES, STOP_STATUSES, YES_OR_NO, Cells, Wrong, read_row
from scolaire.pupils import (
    MAX_HOMES,
    WAIT_MAX_S,
    WAIT_MIN_S,
    Home,
    LeftOut,
    Pupil,
    Regime,
    School,
    Sector,
    Stop,
    StopStatus,
    VehicleType,
)
from scolaire.shuttles import SHUTTLE_COLUMNS, SHUTTLES, look_at_riders, with_noons
from scolaire.tables import Columns, Table, read_table
from socle.findings import Finding, Severity
from socle.geo import LatLon, distance_m

T = TypeVar("T")

PUPILS, SCHOOLS, STOPS, VEHICLES = "pupils.csv", "schools.csv", "stops.csv", "vehicles.csv"
COLUMNS: Final[Mapping[str, Columns]] = {
    PUPILS: Columns(
        ("pupil_id", "home_lat", "home_lon", "school_id", "level", "regime", "days", "wheelchair"),
        ("stop_id", "home_commune", "birth_year", "sector_school_id", "derogation", "road_m", "guardian"),
    ),
    SCHOOLS: Columns(
        ("school_id", "name", "lat", "lon", "bell_am", "bell_pm", "window_min", "window_max", "level"),
        ("bell_wednesday", "ride_max", "status", "commune", "wait_min", "wait_max", "group"),
    ),
    STOPS: Columns(("stop_id", "name", "lat", "lon", "status")),
    VEHICLES: Columns(
        (
            *("type_id", "seats", "wheelchair_places", "cost_per_day", "cost_per_km", "cost_per_hour"),
            *("count", "depot_lat", "depot_lon", "lot"),
        )
    ),
}
NOT_NEEDED: Final[Mapping[str, Columns]] = {SHUTTLES: SHUTTLE_COLUMNS}
ALL_COLUMNS: Final[Mapping[str, Columns]] = {**COLUMNS, **NOT_NEEDED}
RIDE_MAX_S: Final = 45 * 60  # advised for every level (scolaire-tad.md, section 3); `ride_max` says otherwise
FAR_M: Final = 120_000  # nobody goes and comes every day from farther away than this
FAR_BOARDER_M: Final = 250_000
FASTEST_M_S: Final = 90_000 / 3600  # as the crow flies: no coach on no road is faster


def read_sector(files: Mapping[str, bytes]) -> tuple[Sector, list[Finding]]:
    """The sector that `files` tell of, by their names, and what is to be said of them."""
    tables = {
        name: read_table(name, files.get(name), columns)
        for name, columns in ALL_COLUMNS.items()
        if name in COLUMNS or name in files
    }
    findings = [finding for table in tables.values() for finding in table.findings]
    schools = _read_named(tables[SCHOOLS], _school, lambda school: school.school_id, findings)
    stops = _read_named(tables[STOPS], _stop, lambda stop: stop.stop_id, findings)
    types = _read_named(tables[VEHICLES], _vehicle_type, lambda kind: kind.type_id, findings)
    _look_at_schools(schools, findings)
    _look_at_stops(stops, findings)
    places = {school.school_id: school for _line, school in schools}
    pupils, lines, apart = _read_pupils(tables[PUPILS], places, findings)
    seating = Seating(
        places,
        {stop.stop_id: stop for _line, stop in stops},
        any(kind.wheelchair_places and kind.count != 0 for _line, kind in types),
    )
    plannable, left_out = _look_at_pupils(pupils, lines, seating, findings)
    told = tuple(school for _line, school in schools)
    if SHUTTLES in tables:
        told, noon_lines = with_noons(tables[SHUTTLES], told, (stop for _line, stop in stops), findings)
        look_at_riders(told, noon_lines, pupils, findings)
    sector = Sector(
        pupils=tuple(pupils),
        schools=told,
        stops=tuple(stop for _line, stop in stops),
        vehicle_types=tuple(kind for _line, kind in types),
        plannable=tuple(plannable),
        left_out=tuple(sorted([*apart, *left_out], key=lambda one: one.line)),
    )
    findings.sort(
        key=lambda finding: (finding.file, finding.line or 0)
    )  # a stable sort: of one line as they were found
    return sector, findings


# --- rows of things that have a name ----------------------------------------------------------


def _read_named(
    table: Table, read: Callable[[Cells], T], id_of: Callable[[T], str], findings: list[Finding]
) -> list[tuple[int, T]]:
    """The rows that can be read; of several with one id the first."""
    found: dict[str, tuple[int, T]] = {}
    for row in table.rows:
        one = read_row(table.name, row, read, findings, decimal_comma=table.has_decimal_comma)
        if one is None:
            continue
        before = found.setdefault(id_of(one), (row.line, one))
        if before[0] != row.line:
            facts = {"first_line": before[0]}
            findings.append(Finding(Severity.ERROR, "row_twice", table.name, row.line, facts))
    return list(found.values())


def _school(cells: Cells) -> School:
    window = cells.minutes_s("window_min"), cells.minutes_s("window_max")
    if window[0] > window[1]:
        raise Wrong("school_window")
    waits = cells.minutes_s("wait_min", default=WAIT_MIN_S), cells.minutes_s("wait_max", default=WAIT_MAX_S)
    if waits[0] > waits[1]:
        raise Wrong("school_wait")
    bells = cells.time_s("bell_am"), cells.time_s("bell_pm")
    if None not in bells and bells[0] >= bells[1]:  # type: ignore[operator] # both are there
        raise Wrong("school_bells")
    ride_max_s = cells.minutes_s("ride_max", default=RIDE_MAX_S)
    if ride_max_s == 0:
        raise Wrong("school_ride_max")
    return School(
        school_id=cells.an_id("school_id"),
        name=cells.name("name"),
        position=cells.a_position("lat", "lon"),
        bell_am_s=bells[0],
        bell_pm_s=bells[1],
        window_min_s=window[0],
        window_max_s=window[1],
        level=cells.word("level", LEVELS),
        ride_max_s=ride_max_s,
        bell_wednesday_s=cells.time_s("bell_wednesday"),
        status=cells.word("status", SCHOOL_STATUSES),
        commune=cells.commune("commune"),
        wait_min_s=waits[0],
        wait_max_s=waits[1],
        group=cells.name("group"),
    )


def _stop(cells: Cells) -> Stop:
    return Stop(
        cells.an_id("stop_id"), cells.name("name"), cells.a_position("lat", "lon"), cells.word("status", STOP_STATUSES)
    )


def _vehicle_type(cells: Cells) -> VehicleType:
    seats = cells.count("seats")
    if seats == 0:
        raise Wrong("vehicle_without_seats")
    return VehicleType(
        type_id=cells.an_id("type_id"),
        seats=seats,
        wheelchair_places=cells.count("wheelchair_places") if cells["wheelchair_places"] else 0,
        day_cents=cells.cents("cost_per_day"),
        km_cents=cells.cents("cost_per_km"),
        hour_cents=cells.cents("cost_per_hour"),
        count=cells.count("count") if cells["count"] else None,
        depot=cells.a_position("depot_lat", "depot_lon"),
        lot=cells.name("lot"),
    )


def _look_at_schools(schools: Iterable[tuple[int, School]], findings: list[Finding]) -> None:
    for line, school in schools:
        if school.bell_am_s is None or school.bell_pm_s is None:
            findings.append(Finding(Severity.ERROR, "school_without_bell", SCHOOLS, line))


def _look_at_stops(stops: Iterable[tuple[int, Stop]], findings: list[Finding]) -> None:
    for line, stop in stops:
        if stop.status is not StopStatus.VALIDATED:
            findings.append(Finding(Severity.WARNING, "stop_not_validated", STOPS, line))


# --- pupils -------------------------------------------------------------------------------------


def _read_pupils(
    table: Table, schools: Mapping[str, School], findings: list[Finding]
) -> tuple[list[Pupil], dict[str, list[int]], list[LeftOut]]:
    """Pupils, the lines of the homes of each, and the rows set apart.

    Two rows of one pupil are two homes when they share no day and tell the same of everything else. Bits of several
    lengths in one file are what a spreadsheet leaves that took away first zeros: the shorter ones tell no days.
    """
    longest = max((len(row.cells["days"]) for row in table.rows if BITS.fullmatch(row.cells["days"])), default=0)
    pupils: dict[str, Pupil] = {}
    lines: dict[str, list[int]] = {}
    apart: list[LeftOut] = []

    def set_apart(pupil_id: str, line: int, code: str, **facts: int | str) -> None:
        findings.append(Finding(Severity.ERROR, code, PUPILS, line, facts))
        apart.append(LeftOut(pupil_id, line, code))

    for row in table.rows:
        cells = Cells(row, decimal_comma=table.has_decimal_comma)
        try:
            pupil_id = cells.an_id("pupil_id")
        except Wrong as wrong:
            findings.append(Finding(Severity.ERROR, wrong.code, PUPILS, row.line, wrong.facts))
            continue
        try:
            if BITS.fullmatch(cells["days"]) and len(cells["days"]) < longest:
                raise Wrong("days_ambiguous")
            pupil = _pupil(pupil_id, cells, row.line, findings)
            if pupil.school_id not in schools:
                raise Wrong("pupil_school_unknown")
        except Wrong as wrong:
            set_apart(pupil_id, row.line, wrong.code, **wrong.facts)
            continue
        known = pupils.get(pupil_id)
        if known is None:
            pupils[pupil_id], lines[pupil_id] = pupil, [row.line]
            continue
        first_line = lines[pupil_id][0]
        if replace(pupil, homes=known.homes) != known:
            set_apart(pupil_id, row.line, "pupil_contradicts", first_line=first_line)
        elif any(home.days & pupil.homes[0].days for home in known.homes):
            set_apart(pupil_id, row.line, "pupil_twice", first_line=first_line)
        elif len(known.homes) == MAX_HOMES:
            set_apart(pupil_id, row.line, "pupil_three_homes", first_line=first_line)
        else:
            pupils[pupil_id] = replace(known, homes=(*known.homes, *pupil.homes))
            lines[pupil_id].append(row.line)
    return list(pupils.values()), lines, apart


def _pupil(pupil_id: str, cells: Cells, line: int, findings: list[Finding]) -> Pupil:
    try:
        position = cells.position("home_lat", "home_lon")
    except Wrong as wrong:  # the child is known all the same, and the stop that is asked for may do
        findings.append(Finding(Severity.WARNING, wrong.code, PUPILS, line))
        position = None
    home = Home(
        position,
        cells.days("days"),
        cells.find_id("stop_id"),
        cells.commune("home_commune"),
        cells.find_metres("road_m"),
        cells.find_id("guardian"),
        line,
    )
    return Pupil(
        pupil_id=pupil_id,
        school_id=cells.an_id("school_id"),
        level=cells.word("level", LEVELS),
        regime=cells.word("regime", REGIMES),
        homes=(home,),
        wheelchair=cells.word("wheelchair", YES_OR_NO),
        birth_year=cells.find_year("birth_year"),
        sector_school_id=cells.find_id("sector_school_id"),
        derogation=cells.find_id("derogation"),
    )


class Seating:
    """What is there to serve pupils with."""

    def __init__(self, schools: Mapping[str, School], stops: Mapping[str, Stop], has_wheelchair_places: bool) -> None:
        self._schools = schools
        self._stops = stops
        self._has_wheelchair_places = has_wheelchair_places

    def obstacles(self, pupil: Pupil, home: Home) -> Iterable[tuple[str, bool]]:
        """The codes of what is odd with one home of a pupil, and whether it keeps the child off every coach."""
        school = self._schools[pupil.school_id]
        if school.bell_am_s is None or school.bell_pm_s is None:
            yield "pupil_school_without_bell", True
        if pupil.wheelchair and not self._has_wheelchair_places:
            yield "pupil_no_wheelchair_vehicle", True
        place = home.position
        if home.stop_id is not None:
            stop = self._stops.get(home.stop_id)
            if stop is None:
                yield "pupil_stop_unknown", place is None
            elif stop.status is not StopStatus.VALIDATED:
                yield "pupil_stop_not_validated", place is None
            else:
                place = stop.position
        if place is None:
            if home.stop_id is None:
                yield "home_without_position", True
            return
        yield from _too_far(pupil, school, place)


def _too_far(pupil: Pupil, school: School, place: LatLon) -> Iterable[tuple[str, bool]]:
    metres = distance_m(place, school.position)
    if metres > (FAR_BOARDER_M if pupil.regime is Regime.BOARDER else FAR_M):
        yield "home_far", True
    elif pupil.regime is not Regime.BOARDER and metres / FASTEST_M_S > school.ride_max_s:
        yield "ride_limit_unmeetable", True


def _look_at_pupils(
    pupils: Sequence[Pupil], lines: Mapping[str, Sequence[int]], seating: Seating, findings: list[Finding]
) -> tuple[list[tuple[int, int]], list[LeftOut]]:
    """The homes that can be served; those that cannot, under the first reason."""
    plannable: list[tuple[int, int]] = []
    left_out: list[LeftOut] = []
    for p, pupil in enumerate(pupils):
        for h, home in enumerate(pupil.homes):
            line = lines[pupil.pupil_id][h]
            barred: str | None = None
            for code, bars in seating.obstacles(pupil, home):
                findings.append(Finding(Severity.ERROR if bars else Severity.WARNING, code, PUPILS, line))
                barred = barred or (code if bars else None)
            if barred is None:
                plannable.append((p, h))
            else:
                left_out.append(LeftOut(pupil.pupil_id, line, barred))
    return plannable, left_out
