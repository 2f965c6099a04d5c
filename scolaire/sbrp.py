"""SBRP: the multi-school instances of Park, Tae and Kim (2012), by the conventions of the published results.

Bertsimas, Delarue and Martin (PNAS 2019, "Optimizing schools' start time and bus routes") compare on these
instances; buses are comparable only when all of this is the same. A bus reaches a school 154.4 s before its
bell and leaves it at the bell; a stop takes 19 s and 2.6 s for each pupil; 66 seats; one school at a time;
Manhattan streets at 29.3333 feet a second; the ride is counted from leaving one's stop. Buses start and end
wherever their work does, and only their number counts.

Places are hundredths of a foot. In ticks of 1/8800 s every time of these conventions is a whole number (a
hundredth of a foot is three ticks), so nothing is rounded.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from fleet.bounds import fewest_vehicles
from fleet.check import broken_promises
from fleet.requests import Destination, Problem, Request, VehicleType
from fleet.search import FEWEST_VEHICLES, Budget, Incumbent, Outcome, Settings, search
from socle.errors import BadInput

TICKS_PER_S: Final = 8800
TICKS_PER_HUNDREDTH_FOOT: Final = 3
EARLY: Final = 1544 * TICKS_PER_S // 10
AT_A_STOP: Final = 19 * TICKS_PER_S
FOR_EACH_PUPIL: Final = 26 * TICKS_PER_S // 10
SEATS: Final = 66
MAX_RIDES_S: Final = (2700, 5400)

ANCHOR: Final = "bird_combined"

SETTINGS: Final = Settings(hot=300.0 * TICKS_PER_S, cold=5.0 * TICKS_PER_S)
"""The same for every instance. The heat is in seconds of driving."""

_VEHICLE: Final = 10**6 * TICKS_PER_S  # dearer than any detour: a vehicle at rest is used when no other can
_SCHOOLS, _STOPS, _PUBLISHED = "Schools.txt", "Stops.txt", "reference_buses.csv"


@dataclass(frozen=True, slots=True)
class Case:
    """One instance under one longest ride; `published` are buses by method, as far as the folder tells."""

    name: str
    max_ride_s: int
    folder: Path
    published: Mapping[str, int]

    @property
    def label(self) -> str:
        """As one asks for it on the command line."""
        return f"{self.name}:{self.max_ride_s}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A case beside what was published for it, for each seed in turn."""

    case: Case
    n_stops: int
    bound: int
    n_buses: tuple[int, ...]
    n_steps: tuple[int, ...]
    anchor_after_s: tuple[float | None, ...]
    n_broken_by_seed: tuple[int, ...]  # rules that the checker found broken

    @property
    def anchor(self) -> int | None:
        """Buses that BiRD published, the best of its three ways."""
        return self.case.published.get(ANCHOR)

    @property
    def n_broken(self) -> int:
        """Rules broken in all plans together."""
        return sum(self.n_broken_by_seed)

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {
            "case": self.case.label,
            "stops": self.n_stops,
            "lower_bound": self.bound,
            "published": dict(self.case.published),
            "buses": self.n_buses,
            "steps": self.n_steps,
            "seconds_to_bird": self.anchor_after_s,
            "broken_promises": self.n_broken_by_seed,
        }


@dataclass(frozen=True, slots=True)
class Result:
    """What a search came to, and when it first had as few buses as `anchor`, on the clock it was given."""

    outcome: Outcome
    n_buses: int
    anchor: int | None
    anchor_after_s: float | None
    last_after_s: float


def list_cases(directory: Path) -> list[Case]:
    """The cases of a folder of instances, or of one instance; BadInput when there is none."""
    if not directory.is_dir():
        raise BadInput("sbrp_no_folder", folder=str(directory))
    folders = sorted(each.parent for each in directory.glob(f"*/{_STOPS}"))
    if (directory / _STOPS).is_file():
        folders = [directory]
    if not folders:
        raise BadInput("sbrp_no_instance", folder=str(directory), stops=_STOPS, schools=_SCHOOLS)
    beside = directory if folders != [directory] else directory.parent
    published = _published(beside / _PUBLISHED)
    return [
        Case(folder.name, ride, folder, published.get((folder.name, ride), {}))
        for ride in MAX_RIDES_S
        for folder in folders
        if not published or (folder.name, ride) in published
    ]


def read_problem(case: Case) -> Problem:
    """The case as `fleet` plans it; BadInput names the file and line that cannot be read."""
    schools: dict[str, int] = {}
    points: list[tuple[int, int]] = []
    destinations = []
    for line, row in _rows(case.folder / _SCHOOLS, ("ID", "X", "Y", "AMEARLY")):
        with _told(case.folder / _SCHOOLS, line):
            schools[row["ID"]] = len(points)
            clock = int(row["AMEARLY"])
            at = (clock // 100 * 3600 + clock % 100 * 60) * TICKS_PER_S - EARLY
            destinations.append(Destination(len(points), at, at, EARLY, group=len(points)))
            points.append((_hundredths(row["X"]), _hundredths(row["Y"])))
    requests = []
    for line, row in _rows(case.folder / _STOPS, ("X_COORD", "Y_COORD", "EP_ID", "STUDENT_COUNT")):
        with _told(case.folder / _STOPS, line):
            pupils = int(row["STUDENT_COUNT"])
            service = AT_A_STOP + FOR_EACH_PUPIL * pupils
            limit = case.max_ride_s * TICKS_PER_S
            requests.append(Request(len(points), schools[row["EP_ID"]], (pupils,), service, max_ride=limit))
            points.append((_hundredths(row["X_COORD"]), _hundredths(row["Y_COORD"])))
    at_points = np.array(points, np.int64).reshape(-1, 2)
    apart = np.abs(at_points[:, None, :] - at_points[None, :, :]).sum(axis=-1) * TICKS_PER_HUNDREDTH_FOOT
    drive = apart.astype(np.int32)
    buses = VehicleType((SEATS,), len(requests), fixed_cost=_VEHICLE)
    return Problem(tuple(requests), tuple(destinations), (buses,), drive, drive[None])


def solve(
    case: Case,
    problem: Problem,
    budget: Budget,
    seed: int,
    on_better: Callable[[Incumbent], bool] | None = None,
) -> Result:
    """Plan a case within a budget; the anchor is what BiRD published for it."""
    anchor = case.published.get(ANCHOR)
    reached: float | None = None
    last = 0.0

    def note(incumbent: Incumbent) -> bool:
        nonlocal reached, last
        last = incumbent.seconds
        served = incumbent.n_unserved == 0
        if reached is None and anchor is not None and served and incumbent.n_vehicles <= anchor:
            reached = incumbent.seconds
        return on_better is not None and on_better(incumbent)

    outcome = search(problem, budget, seed, FEWEST_VEHICLES, on_better=note, settings=SETTINGS)
    return Result(outcome, len(outcome.plan.routes), anchor, reached, last)


def compare(
    case: Case,
    budget: Budget,
    seeds: Sequence[int],
    on_better: Callable[[int, Incumbent], None],
    done: Callable[[], None],
) -> Comparison:
    """Plan a case once for each seed, every plan checked; a plan that leaves somebody out is broken."""
    problem = read_problem(case)
    results = []
    for seed in seeds:

        def show(incumbent: Incumbent, seed: int = seed) -> bool:
            on_better(seed, incumbent)
            return False

        results.append(solve(case, problem, budget, seed, show))
        done()
    return Comparison(
        case=case,
        n_stops=len(problem.requests),
        bound=fewest_vehicles(problem),
        n_buses=tuple(each.n_buses for each in results),
        n_steps=tuple(each.outcome.n_steps for each in results),
        anchor_after_s=tuple(each.anchor_after_s for each in results),
        n_broken_by_seed=tuple(
            len(broken_promises(problem, each.outcome.plan)) + len(each.outcome.plan.unserved) for each in results
        ),
    )


def choose_cases(cases: Sequence[Case], asked: Sequence[str]) -> list[Case]:
    """The cases asked for by label or by name, all when nothing is asked; BadInput when there is no such case."""
    for wanted in asked:
        if not any(wanted in {case.label, case.name} for case in cases):
            raise BadInput("sbrp_no_case", case=wanted, known=", ".join(case.label for case in cases))
    return [case for case in cases if not asked or case.label in asked or case.name in asked]


def warm_up() -> None:
    """Have the search compiled before anything is timed."""
    beside = np.zeros((1, 1), np.int32)
    tiny = Problem((Request(0, 0, (1,)),), (Destination(0, 0, 0),), (VehicleType((1,), 1),), beside, beside[None])
    search(tiny, Budget(steps=1), 0, FEWEST_VEHICLES)


def _rows(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise BadInput("sbrp_unreadable", file=str(path)) from None
    reader = csv.DictReader(lines, delimiter="\t")
    missing = [name for name in needed if name not in (reader.fieldnames or ())]
    if missing:
        raise BadInput("sbrp_columns", file=str(path), columns=", ".join(missing))
    for row in reader:
        yield reader.line_num, {name: value or "" for name, value in row.items() if isinstance(name, str)}


def _hundredths(feet: str) -> int:
    return round(float(feet) * 100)


@contextmanager
def _told(path: Path, line: int) -> Iterator[None]:
    """Say in which line a value means nothing."""
    try:
        yield
    except (KeyError, ValueError, OverflowError):
        raise BadInput("sbrp_row", file=str(path), line=line) from None


def _published(path: Path) -> dict[tuple[str, int], dict[str, int]]:
    """Buses by method of each case that somebody published; none when the folder has no such table."""
    if not path.is_file():
        return {}
    found = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            with _told(path, reader.line_num):
                methods = {name: int(value) for name, value in row.items() if name not in {"instance", "max_ride_s"}}
                found[row["instance"], int(row["max_ride_s"])] = methods
    return found
