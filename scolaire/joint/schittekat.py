"""Schittekat: the published instances of stop selection with routing (Schittekat et al., EJOR 2013).

A file has a line of numbers (stops, pupils, vehicles, seats, longest walk), the school, the stops and the pupils, each
a point of the plane; ways are straight. Nothing is rounded in the publication: here a way is a whole number of
ten-thousandths, and what walks are compared by is a whole number of thousandths, rounded up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from fleet.search import Budget
from scolaire.joint.model import JointProblem, broken_rules
from scolaire.joint.search import JointOutcome, choose_and_route
from socle.errors import BadInput

COST_UNITS: Final = 10_000
_WALK_UNITS: Final = 1_000
_HEAD: Final = 5
_BESIDE: Final = "reference_cpsat20s.json"


@dataclass(frozen=True, slots=True)
class JointCase:
    """One instance."""

    name: str
    path: Path
    peer: float | None = None  # what CP-SAT came to, as far as the folder tells
    peer_bound: float | None = None


@dataclass(frozen=True, slots=True)
class JointComparison:
    """An instance beside what CP-SAT made of it, for each seed in turn; costs as the publication counts them."""

    case: JointCase
    n_stops: int
    n_pupils: int
    costs: tuple[float, ...]
    is_proved: tuple[bool, ...]
    seconds: tuple[float, ...]
    n_broken_by_seed: tuple[int, ...]  # rules that the checker found broken

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {
            "case": self.case.name,
            "stops": self.n_stops,
            "pupils": self.n_pupils,
            "cp_sat": self.case.peer,
            "cp_sat_bound": self.case.peer_bound,
            "costs": self.costs,
            "proved": self.is_proved,
            "seconds": self.seconds,
            "broken_rules": self.n_broken_by_seed,
        }


def compare_joint(case: JointCase, budget: Budget, seeds: Sequence[int], done: Callable[[], None]) -> JointComparison:
    """Solve an instance once for each seed, every plan checked."""
    problem = read_joint_case(case)
    outcomes: list[JointOutcome] = []
    for seed in seeds:
        outcomes.append(choose_and_route(problem, budget, seed))
        done()
    return JointComparison(
        case,
        problem.walk_m.shape[1],
        len(problem.walk_m),
        tuple(each.cost / COST_UNITS for each in outcomes),
        tuple(each.is_proved for each in outcomes),
        tuple(each.seconds for each in outcomes),
        tuple(len(list(broken_rules(problem, each.plan))) for each in outcomes),
    )


def list_joint_cases(directory: Path, asked: Sequence[str] = ()) -> list[JointCase]:
    """The instances of a folder, fewest stops first, or those asked for by the beginning of their names.

    Raises:
        BadInput: `sbrp_no_folder`, `joint_no_instance`, `sbrp_no_case`.
    """
    if not directory.is_dir():
        raise BadInput("sbrp_no_folder", folder=str(directory))
    beside = directory / _BESIDE
    known = json.loads(beside.read_text("utf-8")) if beside.is_file() else {}
    found = []
    for path in directory.glob("*.xpress"):
        told = known.get(path.stem, {})
        found.append(JointCase(path.stem, path, told.get("cost"), told.get("lower_bound")))
    if not found:
        raise BadInput("joint_no_instance", folder=str(directory))
    found.sort(key=lambda case: (_numbers(case.path, 1)[0], len(case.name), case.name))
    for wanted in asked:
        if not any(_is_named(case.name, wanted) for case in found):
            raise BadInput("sbrp_no_case", case=wanted, known=", ".join(case.name for case in found))
    return [case for case in found if not asked or any(_is_named(case.name, wanted) for wanted in asked)]


def read_joint_case(case: JointCase) -> JointProblem:
    """The instance as a problem; BadInput names a file that cannot be read."""
    numbers = _numbers(case.path)
    n_stops, n_pupils, n_coaches, seats = (int(number) for number in numbers[: _HEAD - 1])
    points = np.array(numbers[_HEAD:], dtype=np.float64)
    if len(points) != 2 * (1 + n_stops + n_pupils):
        raise BadInput("joint_unreadable", file=str(case.path))
    points = points.reshape(-1, 2)
    places, homes = points[: 1 + n_stops], points[1 + n_stops :]
    apart = np.hypot(*(places[:, None, axis] - places[None, :, axis] for axis in range(2)))
    walks = np.hypot(*(homes[:, None, axis] - places[None, 1:, axis] for axis in range(2)))
    return JointProblem(
        np.rint(apart * COST_UNITS).astype(np.int64),
        np.ceil(np.round(walks * _WALK_UNITS, 6)).astype(np.int32),
        round(numbers[_HEAD - 1] * _WALK_UNITS),
        seats,
        n_coaches,
    )


def warm_up() -> None:
    """Have the kernels compiled before anything is timed."""
    drive = np.ones((3, 3), np.int64)
    tiny = JointProblem(drive, np.zeros((2, 2), np.int32), 0, 1, 2)
    choose_and_route(tiny, Budget(steps=1), 0)


def _is_named(name: str, wanted: str) -> bool:
    """`inst5` is inst5-4s5-25-c25-w20 and not inst50-…; `s20` are those of 20 stops."""
    number, _, rest = name.partition("-")
    return wanted in {name, number} or wanted == "s" + rest.partition("s")[2].partition("-")[0]


def _numbers(path: Path, n_lines: int | None = None) -> list[float]:
    try:
        lines = path.read_text("utf-8").splitlines()[:n_lines]
        numbers = [float(number) for line in lines for number in line.split()]
    except (OSError, UnicodeDecodeError, ValueError):
        raise BadInput("joint_unreadable", file=str(path)) from None
    if len(numbers) < _HEAD:
        raise BadInput("joint_unreadable", file=str(path))
    return numbers
