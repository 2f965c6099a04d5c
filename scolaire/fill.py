"""Fill: boardings held against registrations over a range of days: coaches, stops and pupils, and what follows.

Only runs on which somebody validated count, for a coach without validations says nothing of its pupils. A child who
was declared absent is not expected. Nothing is concluded from fewer than `LEAST_DAYS` such days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from scolaire.boarding import Expected
from scolaire.plans import SchoolPlan
from socle.errors import Fact
from socle.findings import Finding, Severity

LEAST_DAYS: Final = 5
LOW_PERCENT: Final = 50  # a coach that is used less may be too large
FILE: Final = "boardings"


@dataclass(frozen=True, slots=True)
class Outing:
    """A run on one day: whom it expected, and who was seen in it; `is_validated`: somebody was, or the driver tried."""

    circuit_id: str
    run_id: str
    seats: int
    expected: tuple[Expected, ...]
    seen: frozenset[str]
    n_others: int = 0  # who got on and was not expected
    is_validated: bool = True


@dataclass(slots=True)
class _Tally:
    """Counts that grow."""

    n_expected: int = 0
    n_seen: int = 0
    days: int = 0
    most: int = 0
    seats: int = 0
    n_others: int = 0
    n_silent: int = 0


@dataclass(frozen=True, slots=True)
class Used:
    """How a circuit or a stop was used: rides expected, rides seen, on so many outings."""

    name: str
    n_expected: int
    n_seen: int
    n_outings: int
    most: int = 0  # aboard at once, of those seen in one outing
    seats: int = 0
    n_others: int = 0
    n_silent: int = 0  # outings without any validation

    @property
    def percent(self) -> int:
        """What of the expected was seen."""
        return 100 * self.n_seen // self.n_expected if self.n_expected else 0


@dataclass(frozen=True, slots=True)
class Fill:
    """What boardings say of a sector."""

    circuits: tuple[Used, ...]
    stops: tuple[Used, ...]
    never_seen: tuple[str, ...]  # pupils, by the ids of the plan
    findings: tuple[Finding, ...]

    @property
    def n_expected(self) -> int:
        """Rides expected in all."""
        return sum(one.n_expected for one in self.circuits)

    @property
    def n_seen(self) -> int:
        """Rides seen in all."""
        return sum(one.n_seen for one in self.circuits)


def conclude(
    outings: Iterable[Outing], names: Mapping[str, str] | None = None, only: Collection[str] | None = None
) -> Fill:
    """What follows from outings; `names` of stops for findings; `only` these pupils count, when it is given."""
    circuits: dict[str, _Tally] = defaultdict(_Tally)
    stops: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    pupils: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in outings:
        tally = circuits[one.circuit_id]
        tally.seats = max(tally.seats, one.seats)
        if not one.is_validated:
            tally.n_silent += 1
            continue
        expected = [each for each in one.expected if each.stands and (only is None or each.pupil_id in only)]
        seen = sum(each.pupil_id in one.seen for each in expected)
        tally.n_expected += len(expected)
        tally.n_seen += seen
        tally.days += 1
        tally.n_others += one.n_others
        tally.most = max(tally.most, _aboard_at_once(one, expected) + one.n_others)
        at_stops: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for each in expected:
            is_seen = each.pupil_id in one.seen
            at_stops[each.stop_id][0] += 1
            at_stops[each.stop_id][1] += is_seen
            pupils[each.pupil_id][0] += 1
            pupils[each.pupil_id][1] += is_seen
        for stop_id, (n_expected, n_seen) in at_stops.items():
            counts = stops[stop_id]
            counts[0] += n_expected
            counts[1] += n_seen
            counts[2] += 1
    told_circuits = tuple(
        Used(name, t.n_expected, t.n_seen, t.days, t.most, t.seats, t.n_others, t.n_silent)
        for name, t in sorted(circuits.items())
    )
    told_stops = tuple(Used(name, *counts) for name, counts in sorted(stops.items()))
    never = tuple(sorted(pupil for pupil, (n, seen) in pupils.items() if n >= LEAST_DAYS and not seen))
    return Fill(told_circuits, told_stops, never, _findings(told_circuits, told_stops, never, names or {}))


def _aboard_at_once(outing: Outing, expected: Iterable[Expected]) -> int:
    """How many of those seen rode together: a run may set pupils down at one school and go on for others.

    Who was not expected is counted elsewhere, as aboard all the way.
    """
    steps: dict[int, int] = defaultdict(int)
    for each in expected:
        if each.pupil_id in outing.seen:
            steps[each.up] += 1
            steps[each.down] -= 1
    return max(accumulate(steps[at] for at in sorted(steps)), default=0)


def _findings(
    circuits: Iterable[Used], stops: Iterable[Used], never: Collection[str], names: Mapping[str, str]
) -> tuple[Finding, ...]:
    found = []
    facts: dict[str, Fact]
    for one in stops:
        if one.n_outings >= LEAST_DAYS and not one.n_seen:
            facts = {
                "stop_id": one.name,
                "stop": names.get(one.name, one.name),
                "registered": one.n_expected,
                "outings": one.n_outings,
            }
            found.append(Finding(Severity.WARNING, "stop_never_used", FILE, facts=facts))
    for one in circuits:
        facts = {"circuit_id": one.name, "most": one.most, "seats": one.seats, "outings": one.n_outings}
        if one.most > one.seats:
            found.append(Finding(Severity.ERROR, "coach_overfull", FILE, facts=facts))
        elif one.n_outings >= LEAST_DAYS and 100 * one.most < LOW_PERCENT * one.seats:
            found.append(Finding(Severity.INFO, "coach_too_large", FILE, facts=facts))
        if one.n_silent >= LEAST_DAYS:
            facts = {"circuit_id": one.name, "outings": one.n_silent}
            found.append(Finding(Severity.WARNING, "circuit_without_validation", FILE, facts=facts))
    if never:
        found.append(Finding(Severity.WARNING, "pupils_never_seen", FILE, facts={"pupils": len(never)}))
    return tuple(found)


def names_of_stops(plan: SchoolPlan) -> dict[str, str]:
    """The names of the stops of a plan."""
    return {stop.stop_id: stop.name for stop in plan.stops}
