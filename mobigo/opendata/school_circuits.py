"""School circuits: the plans that hold → three public tables without a pupil, through `privacy`.

`school-circuits` tells each circuit, `school-halts` when its coach is where, `school-pupils` how many use it and its
stops. The first two hide each place that fewer than five pupils use on the days of a run (`scolaire.lines`). Numbers
are counted once in a school year: two versions of them could be subtracted from each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from mobigo.opendata.privacy import tell_parts
from mobigo.opendata.tables import Column, Table, Value
from scolaire.lines import LEAST_OPEN, LineRun, SchoolLines, count_users, open_lines
from scolaire.plans import SchoolPlan
from socle.times import render_gtfs_time

CIRCUITS, HALTS, PUPILS = "school-circuits", "school-halts", "school-pupils"
ROUND_M: Final = 10_000  # a detour to a stop that is not told should not be seen in the metres

_OF: Final = (Column("school_year"), Column("sector"))
CIRCUIT_COLUMNS: Final = (
    *_OF,
    Column("circuit_id"),
    Column("valid_from"),
    Column("days"),
    Column("n_runs", "integer"),
    Column("first_time"),
    Column("last_time"),
    Column("seats", "integer"),
    Column("wheelchair", "integer"),
    Column("week_km", "integer"),
    Column("schools"),
)
HALT_COLUMNS: Final = (
    *_OF,
    Column("circuit_id"),
    Column("run_id"),
    Column("direction"),
    Column("days"),
    Column("sequence", "integer"),
    Column("place_id"),
    Column("place_name"),
    Column("place_kind"),
    Column("lat"),
    Column("lon"),
    Column("arrival_time"),
    Column("departure_time"),
    Column("pickup", "integer"),
    Column("drop_off", "integer"),
)
PUPIL_COLUMNS: Final = (
    *_OF,
    Column("counted_on"),
    Column("circuit_id"),
    Column("stop_id", required=False),
    Column("n_pupils", "integer", required=False),
)


@dataclass(frozen=True, slots=True)
class OpenSector:
    """A sector whose plan holds since a day."""

    school_year: int
    code: str
    valid_from: date
    plan: SchoolPlan

    @property
    def key(self) -> tuple[str, str]:
        """School year and sector, as the tables have them."""
        return school_year_words(self.school_year), self.code


def school_year_words(school_year: int) -> str:
    """A school year as everybody writes it."""
    return f"{school_year}-{school_year + 1}"


def circuit_tables(sectors: Iterable[OpenSector]) -> tuple[Table, Table]:
    """The circuits, and their halts."""
    circuits: list[tuple[Value, ...]] = []
    halts: list[tuple[Value, ...]] = []
    for sector in sorted(sectors, key=lambda one: one.key):
        lines = open_lines(sector.plan)
        runs: dict[str, list[LineRun]] = {}
        for run in lines.runs:
            runs.setdefault(run.circuit_id, []).append(run)
        for circuit, of_it in sorted(runs.items()):
            circuits.append((*sector.key, circuit, *_circuit(sector, lines, circuit, of_it)))
            halts += [(*sector.key, circuit, *row) for run in of_it for row in _halts(lines, run)]
    return Table(CIRCUITS, CIRCUIT_COLUMNS, circuits), Table(HALTS, HALT_COLUMNS, halts)


def _circuit(sector: OpenSector, lines: SchoolLines, circuit: str, runs: Sequence[LineRun]) -> tuple[Value, ...]:
    plan = sector.plan
    driven = plan.circuits[circuit]
    days = 0
    for run in runs:
        days |= run.period.days
    week_m = sum(run.driven_m * plan.periods[run.period].days.bit_count() for run in driven)
    schools = {
        lines.places[one.place].name for run in runs for one in run.passings if lines.places[one.place].is_school
    }
    return (
        sector.valid_from.isoformat(),
        _bits(days),
        len(runs),
        render_gtfs_time(min(run.passings[0].leaves_s for run in runs)),
        render_gtfs_time(max(run.passings[-1].arrives_s for run in runs)),
        max(plan.vehicle_types[run.vehicle_type].seats for run in driven),
        int(any(run.takes_wheelchairs for run in runs)),
        (week_m + ROUND_M // 2) // ROUND_M * ROUND_M // 1_000,
        ", ".join(sorted(schools)),
    )


def _halts(lines: SchoolLines, run: LineRun) -> Iterator[tuple[Value, ...]]:
    for number, one in enumerate(run.passings):
        place = lines.places[one.place]
        yield (
            *(run.run_id, str(run.period.direction), _bits(run.period.days), number),
            *(place.place_id, place.name, "school" if place.is_school else "stop"),
            *(f"{place.at.lat:.6f}", f"{place.at.lon:.6f}"),
            *(render_gtfs_time(one.arrives_s), render_gtfs_time(one.leaves_s)),
            *(int(one.takes_up), int(one.sets_down)),
        )


def _bits(days: int) -> str:
    """Bits as `docs/school-files.md` writes them, Monday first."""
    return "".join(str(days >> at & 1) for at in range(7))


def pupils_table(sectors: Iterable[OpenSector], told: Sequence[Mapping[str, str]], day: date) -> Table:
    """How many pupils there are: `told` before, and on `day` of the sectors of which nothing was told yet."""
    rows: list[tuple[Value, ...]] = [
        (
            *(one["school_year"], one["sector"], one["counted_on"], one["circuit_id"], one["stop_id"] or None),
            int(one["n_pupils"]) if one["n_pupils"] else None,
        )
        for one in told
    ]
    known = {(one["school_year"], one["sector"]) for one in told}
    rows += [row for sector in sectors if sector.key not in known for row in _count(sector, day)]
    rows.sort(key=lambda row: tuple(str(value or "") for value in row[:-1]))
    return Table(PUPILS, PUPIL_COLUMNS, rows)


def _count(sector: OpenSector, day: date) -> Iterator[tuple[Value, ...]]:
    """The circuits of which anything is told, and their stops that five pupils use."""
    shown = {run.circuit_id for run in open_lines(sector.plan).runs}
    for circuit, stops in count_users(sector.plan).items():
        if circuit in shown:
            parts = tell_parts(stops, LEAST_OPEN)
            yield (*sector.key, day.isoformat(), circuit, None, parts.total)
            for stop, n_pupils in parts.numbers.items():
                yield (*sector.key, day.isoformat(), circuit, stop, n_pupils)
