"""Looking: what is to be said of a plan: its measures, the promises it breaks, its circuits one by one.

Nothing here depends on anything but the plan, so that it is worked out once for each of them and kept for a while.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from operator import is_
from pathlib import Path
from typing import Final

from mobigo.services.scolaire.keeping import Kept
from mobigo.services.scolaire.planning import STRAIGHT, ways_of
from scolaire.checking import Broken
from scolaire.edits.applying import Context
from scolaire.plans import Measures, Run, SchoolPlan, measure, rides_of
from scolaire.rechecking import Checked, check
from scolaire.ways import Ways, places_of


@dataclass(frozen=True, slots=True)
class CircuitFigures:
    """What one coach does in a day on which all its runs are driven."""

    circuit_id: str
    runs: tuple[Run, ...]
    vehicle_type: int
    n_pupils: int
    driven_m: int
    loaded_m: int
    duty_s: int
    fill_percent: int  # of the seats, where it is fullest
    ride_most_s: int
    n_broken: int
    is_locked: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """A plan and what is to be said of it."""

    plan: SchoolPlan
    measures: Measures
    checked: Checked
    circuits: tuple[CircuitFigures, ...]

    @property
    def broken(self) -> tuple[Broken, ...]:
        """The promises that the plan breaks."""
        return self.checked.broken

    @property
    def figures(self) -> Mapping[str, int]:
        """What lists show of the plan."""
        return asdict(self.measures) | {"n_broken": len(self.broken)}


def look(plan: SchoolPlan, data_dir: Path | None = None, before: SchoolPlan | None = None) -> Seen:
    """Everything that is to be said of a plan; where no data directory is given, nothing of driving along streets.

    `before` is a plan that it came from by an edit: what is known of it is not worked out again.
    """
    known = None if before is None else _SEEN.find((_Same(before), data_dir))
    return _SEEN.get((_Same(plan), data_dir), lambda: _look(plan, data_dir, known))


def context_of(plan: SchoolPlan, data_dir: Path | None) -> Context:
    """What the plan is changed with.

    Raises:
        Unavailable: `no_streets`: the plan was made on streets that are not there.
    """
    ways = _ways(plan, data_dir)
    return _CONTEXTS.get(_Same(ways), lambda: Context(ways))


def _ways(plan: SchoolPlan, data_dir: Path | None) -> Ways:
    def make() -> Ways:
        return Ways.straight(plan) if data_dir is None else ways_of(plan, data_dir)

    return _WAYS.get((places_of(plan), plan.making.ways, data_dir), make)


class _Same:
    """A plan, or its ways, as the key of what is known of it: the very object, which lives as long as the key."""

    def __init__(self, one: SchoolPlan | Ways) -> None:
        self._one = one

    def __hash__(self) -> int:
        return id(self._one)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other._one is self._one


def _look(plan: SchoolPlan, data_dir: Path | None, before: Seen | None) -> Seen:
    is_known = plan.making.ways == STRAIGHT or data_dir is not None
    checked = check(plan, _ways(plan, data_dir) if is_known else None, None if before is None else before.checked)
    of_runs = Counter(one.run_id for one in checked.broken)
    known = {} if before is None else {one.circuit_id: one for one in before.circuits}
    circuits = tuple(_circuit(plan, name, runs, of_runs, known.get(name)) for name, runs in plan.circuits.items())
    measures = context_of(plan, data_dir).measure(plan) if is_known else measure(plan)
    return Seen(plan, measures, checked, circuits)


def _circuit(
    plan: SchoolPlan,
    circuit_id: str,
    runs: Sequence[Run],
    of_runs: Mapping[str | None, int],
    before: CircuitFigures | None,
) -> CircuitFigures:
    n_broken = sum(of_runs.get(run.run_id, 0) for run in runs)
    if before is not None and len(before.runs) == len(runs) and all(map(is_, before.runs, runs)):
        return replace(before, n_broken=n_broken)
    kind = plan.vehicle_types[runs[0].vehicle_type]
    rides = [ride for run in runs for ride in rides_of(run)]
    return CircuitFigures(
        circuit_id,
        tuple(runs),
        runs[0].vehicle_type,
        len({ride.rider for ride in rides}),
        sum(run.driven_m for run in runs),
        sum(run.loaded_m for run in runs),
        sum(run.ends_s - run.begins_s for run in runs),
        100 * max(max(run.loads) for run in runs) // kind.seats,
        max((ride.seconds for ride in rides), default=0),
        n_broken,
        any(run.is_locked for run in runs),
    )


_SEEN: Final = Kept[Seen](8)
_WAYS: Final = Kept[Ways](4)
_CONTEXTS: Final = Kept[Context](8)
