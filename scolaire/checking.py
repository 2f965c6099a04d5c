"""Checking: every promise that a school plan breaks, from the definitions alone.

Written without anything that makes or changes plans, and unlike it: rider by rider, halt by halt, as one would explain
it to a family or a carrier. A plan of an optimiser or a planner is published when nothing is found here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import combinations, pairwise
from typing import Protocol

from scolaire.duty import SPREAD_MAX_S, WHEEL_MAX_S
from scolaire.plans import Direction, Halt, NoRoad, Period, Run, SchoolPlan, Spot
from scolaire.pupils import SATURDAY, WEDNESDAY, Level, School, StopStatus
from socle.geo import LatLon


class Rule(StrEnum):
    """What may be wrong with a plan."""

    UNKNOWN = "unknown"  # a stop, school, rider, period or type that the plan does not have
    RUN_TWICE = "run_twice"  # two runs of one id
    RIDER_TWICE = "rider_twice"  # two riders of one id
    PERIODS_SHARE_DAY = "periods_share_day"
    FORGOTTEN = "forgotten"  # travels on these days, and is neither carried nor named
    CARRIED_TWICE = "carried_twice"
    NOT_AWAITED = "not_awaited"  # carried on days without travelling
    CARRIED_AND_NAMED = "carried_and_named"
    NO_REASON = "no_reason"  # named as not served, without a reason or without being anybody
    RIDER_DIFFERS = "rider_differs"  # another school, level or wheelchair than in the files
    TWO_HOMES = "two_homes"  # one period on days of two homes
    NEVER_DOWN = "never_down"
    NEVER_UP = "never_up"
    WRONG_STOP = "wrong_stop"
    WRONG_SCHOOL = "wrong_school"
    STOP_NOT_VALIDATED = "stop_not_validated"
    NO_BELL = "no_bell"
    TOO_FULL = "too_full"
    NO_WHEELCHAIR_PLACE = "no_wheelchair_place"
    RIDE_TOO_LONG = "ride_too_long"
    ARRIVES_TOO_EARLY = "arrives_too_early"
    ARRIVES_LATE = "arrives_late"
    LEAVES_TOO_EARLY = "leaves_too_early"
    LEAVES_LATE = "leaves_late"
    MEAL_TOO_SHORT = "meal_too_short"  # between the noon shuttle that comes and the one that leaves
    DRIVES_TOO_FAST = "drives_too_fast"
    NO_WAY = "no_way"
    ROAD_FORBIDDEN = "road_forbidden"
    SCHOOLS_MIXED = "schools_mixed"  # of several groups aboard together, in a plan of single load
    NO_ATTENDANT = "no_attendant"
    CIRCUIT_OVERLAPS = "circuit_overlaps"
    DAY_TOO_LONG = "day_too_long"  # from the depot in the morning to the depot in the evening
    DRIVES_TOO_LONG = "drives_too_long"  # one driver on one day
    CIRCUIT_OF_TWO_TYPES = "circuit_of_two_types"
    TOO_MANY_VEHICLES = "too_many_vehicles"


@dataclass(frozen=True, slots=True)
class Broken:
    """One broken promise: where, by ids and the place of the halt in its run, and by how much."""

    rule: Rule
    run_id: str | None = None
    halt: int | None = None
    pupil_id: str | None = None
    period_id: str | None = None
    subject: str | None = None  # a stop, school, circuit, or type of vehicle
    found: int | None = None  # seconds, or how many
    limit: int | None = None


class Drives(Protocol):
    """What a checker may be told of roads."""

    def find(self, origin: LatLon, target: LatLon) -> tuple[int, int] | None:
        """Seconds and metres, None when there is no way."""
        ...


def broken_promises(plan: SchoolPlan, drives: Drives | None = None) -> tuple[Broken, ...]:
    """Everything that is wrong with a plan; with `drives`, also what it says of driving."""
    return _broken(plan, drives, range(len(plan.runs)), None)


def broken_by(
    plan: SchoolPlan, drives: Drives | None, runs: Collection[int], riders: Collection[int]
) -> tuple[Broken, ...]:
    """What is wrong with some runs, with their circuits, with the service of some riders, and with vehicles."""
    return _broken(plan, drives, runs, set(riders))


def _broken(
    plan: SchoolPlan, drives: Drives | None, runs: Collection[int], riders: set[int] | None
) -> tuple[Broken, ...]:
    unknown = tuple(broken_ids(plan, runs))
    if unknown:  # nothing else can be looked at
        return unknown
    found = [*broken_as_a_whole(plan)]
    for some in broken_services(plan, range(len(plan.riders)) if riders is None else sorted(riders)):
        found += some
    for index in runs:
        found += broken_run(plan, plan.runs[index], drives)
    found += broken_circuits(plan, {plan.runs[index].circuit_id for index in runs})
    return tuple(found)


def broken_as_a_whole(plan: SchoolPlan) -> Iterator[Broken]:
    """What is wrong with neither one run nor one rider: ids, reasons, vehicles."""
    yield from _doubled(plan)
    for left in plan.not_served:
        if not left.why:
            yield Broken(Rule.NO_REASON, pupil_id=left.pupil_id)
    yield from _vehicles(plan)


def broken_run(plan: SchoolPlan, run: Run, drives: Drives | None) -> Iterator[Broken]:
    """What is wrong with one run."""
    yield from _people(plan, run)
    yield from _times(plan, run)
    yield from _ways(plan, run, drives)


def broken_ids(plan: SchoolPlan, runs: Collection[int]) -> Iterator[Broken]:
    """What some runs, and the names of who is not served, have that the plan has not."""
    for index in runs:
        run = plan.runs[index]
        if not 0 <= run.period < len(plan.periods) or not 0 <= run.vehicle_type < len(plan.vehicle_types):
            yield Broken(Rule.UNKNOWN, run.run_id)
        for at, halt in enumerate(run.halts):
            is_there = (halt.stop is None or 0 <= halt.stop < len(plan.stops)) and (
                halt.school is None or 0 <= halt.school < len(plan.schools)
            )
            if not is_there or not all(0 <= rider < len(plan.riders) for rider in (*halt.up, *halt.down)):
                yield Broken(Rule.UNKNOWN, run.run_id, at)
    for left in plan.not_served:
        if left.period is not None and not 0 <= left.period < len(plan.periods):
            yield Broken(Rule.UNKNOWN, pupil_id=left.pupil_id)


def _doubled(plan: SchoolPlan) -> Iterator[Broken]:
    for run_id, n in Counter(run.run_id for run in plan.runs).items():
        if n > 1:
            yield Broken(Rule.RUN_TWICE, run_id, found=n)
    for pupil_id, n in Counter(rider.pupil_id for rider in plan.riders).items():
        if n > 1:
            yield Broken(Rule.RIDER_TWICE, pupil_id=pupil_id, found=n)
    for one, other in combinations(plan.periods, 2):
        if one.direction is other.direction and one.days & other.days:
            yield Broken(Rule.PERIODS_SHARE_DAY, period_id=other.period_id, subject=one.period_id)


# --- who is served ------------------------------------------------------------------------------


def broken_services(plan: SchoolPlan, riders: Sequence[int]) -> Iterator[list[Broken]]:
    """What is wrong with the service of each of some riders."""
    asked = set(riders)
    meals = _meals(plan) if any(period.direction.is_noon for period in plan.periods) else {}
    is_all = len(asked) == len(plan.riders)
    n_rides: Counter[tuple[int, int]] = Counter()
    for run in plan.runs:
        for halt in run.halts:
            if is_all:
                n_rides.update((run.period, rider) for rider in halt.up)
            elif not asked.isdisjoint(halt.up):
                n_rides.update((run.period, rider) for rider in halt.up if rider in asked)
    named: dict[str, set[int | None]] = {}
    for left in plan.not_served:
        named.setdefault(left.pupil_id, set()).add(left.period)
    for rider in riders:
        of_nobody: set[int | None] = set()
        told = list(_service(plan, rider, n_rides, named.get(plan.riders[rider].pupil_id, of_nobody)))
        yield told + list(_meal(plan, rider, meals.get(rider, ())))


def _meals(plan: SchoolPlan) -> dict[int, list[tuple[bool, int, int]]]:
    """For each rider of a noon shuttle: whether it comes back, on which days, and when the rider gets off or on."""
    found: dict[int, list[tuple[bool, int, int]]] = {}
    for run in plan.runs:
        period = plan.periods[run.period]
        for halt in run.halts:
            if period.direction is Direction.NOON_FROM_SCHOOL:
                for rider in halt.down:
                    found.setdefault(rider, []).append((False, period.days, halt.arrives_s))
            elif period.direction is Direction.NOON_TO_SCHOOL:
                for rider in halt.up:
                    found.setdefault(rider, []).append((True, period.days, halt.leaves_s))
    return found


def _meal(plan: SchoolPlan, rider: int, meals: Sequence[tuple[bool, int, int]]) -> Iterator[Broken]:
    """That there is time to eat on each day with both rides."""
    noon = plan.schools[plan.riders[rider].school].noon
    if noon is None:
        return
    lasts = [
        leaves - comes
        for is_back, days, leaves in meals
        if is_back
        for is_other, other_days, comes in meals
        if not is_other and days & other_days
    ]
    if lasts and min(lasts) < noon.meal_s:
        pupil_id = plan.riders[rider].pupil_id
        yield Broken(Rule.MEAL_TOO_SHORT, pupil_id=pupil_id, found=min(lasts), limit=noon.meal_s)


def _service(
    plan: SchoolPlan, rider: int, n_rides: Mapping[tuple[int, int], int], named: set[int | None]
) -> Iterator[Broken]:
    told = plan.riders[rider]
    for index, period in enumerate(plan.periods):
        of = partial(Broken, pupil_id=told.pupil_id, period_id=period.period_id)
        n = n_rides.get((index, rider), 0)
        is_named = index in named or None in named
        if n > 1:
            yield of(Rule.CARRIED_TWICE, found=n)
        if n and is_named:
            yield of(Rule.CARRIED_AND_NAMED)
        if told.waits is None:
            continue
        stops = {one.stop for one in told.waits if one.direction is period.direction and one.days & period.days}
        if len(stops) > 1:
            yield of(Rule.TWO_HOMES)
        if stops and not n and not is_named:
            yield of(Rule.FORGOTTEN)
        if n and not stops:
            yield of(Rule.NOT_AWAITED)


# --- one run ------------------------------------------------------------------------------------


def _people(plan: SchoolPlan, run: Run) -> Iterator[Broken]:
    """Who is aboard after each halt: seats, rides, the right ends of each, and that everybody gets off."""
    kind = plan.vehicle_types[run.vehicle_type]
    period = plan.periods[run.period]
    aboard: dict[int, int] = {}  # rider -> when the ride began
    is_told_nursery = False
    for at, halt in enumerate(run.halts):
        here = partial(Broken, run_id=run.run_id, halt=at)
        for rider in halt.down:
            told = plan.riders[rider]
            began = aboard.pop(rider, None)
            if began is None:
                yield here(Rule.NEVER_UP, pupil_id=told.pupil_id)
                continue
            school = plan.schools[told.school]
            is_noon = period.direction in (Direction.NOON_FROM_SCHOOL, Direction.NOON_TO_SCHOOL)
            limit = school.noon.ride_max_s if is_noon and school.noon is not None else school.ride_max_s
            if halt.arrives_s - began > limit:
                lasts = halt.arrives_s - began
                yield here(Rule.RIDE_TOO_LONG, pupil_id=told.pupil_id, found=lasts, limit=limit)
        for rider in halt.up:
            if rider in aboard:
                yield here(Rule.CARRIED_TWICE, pupil_id=plan.riders[rider].pupil_id)
            aboard[rider] = halt.leaves_s
            if plan.riders[rider].level is Level.NURSERY and not run.has_attendant and not is_told_nursery:
                is_told_nursery = True
                yield here(Rule.NO_ATTENDANT)
        yield from _ends(plan, run, period, at, halt)
        wheelchairs = sum(plan.riders[rider].wheelchair for rider in aboard)
        if len(aboard) - wheelchairs > kind.seats:
            yield here(Rule.TOO_FULL, found=len(aboard) - wheelchairs, limit=kind.seats)
        if wheelchairs > kind.wheelchair_places:
            yield here(Rule.NO_WHEELCHAIR_PLACE, found=wheelchairs, limit=kind.wheelchair_places)
        if not plan.making.mixed:
            schools = {plan.riders[rider].school for rider in aboard}
            groups = {plan.schools[school].group or f"\0{school}" for school in schools}
            if len(groups) > 1:
                yield here(Rule.SCHOOLS_MIXED, found=len(groups), limit=1)
    for rider in aboard:
        yield Broken(Rule.NEVER_DOWN, run.run_id, pupil_id=plan.riders[rider].pupil_id)


def _ends(plan: SchoolPlan, run: Run, period: Period, at: int, halt: Halt) -> Iterator[Broken]:
    """That pupils get on and off where they wait and learn, at stops that coaches may use."""
    to_school = period.direction in (Direction.TO_SCHOOL, Direction.NOON_TO_SCHOOL)
    at_home, at_school = (halt.up, halt.down) if to_school else (halt.down, halt.up)
    for rider in at_school:
        told = plan.riders[rider]
        if halt.school != told.school:
            yield Broken(Rule.WRONG_SCHOOL, run.run_id, at, told.pupil_id)
    for rider in at_home:
        told = plan.riders[rider]
        stops = (
            None
            if told.waits is None
            else {one.stop for one in told.waits if one.direction is period.direction and one.days & period.days}
        )
        if halt.stop is None or (stops and halt.stop not in stops):
            yield Broken(Rule.WRONG_STOP, run.run_id, at, told.pupil_id)
    if halt.stop is not None and plan.stops[halt.stop].status is not StopStatus.VALIDATED:
        yield Broken(Rule.STOP_NOT_VALIDATED, run.run_id, at, subject=plan.stops[halt.stop].stop_id)


def _times(plan: SchoolPlan, run: Run) -> Iterator[Broken]:
    """That coaches come before the bell and not too early, and leave after lessons and not too late."""
    period = plan.periods[run.period]
    for at, halt in enumerate(run.halts):
        if halt.school is None:
            continue
        school = plan.schools[halt.school]
        here = partial(Broken, run_id=run.run_id, halt=at, subject=school.school_id)
        if period.direction in (Direction.NOON_FROM_SCHOOL, Direction.NOON_TO_SCHOOL):
            yield from _noon_times(school, period, halt, here)
            continue
        if period.direction is Direction.TO_SCHOOL:
            if not halt.down:
                continue
            if school.bell_am_s is None:
                yield here(Rule.NO_BELL)
                continue
            ahead = school.bell_am_s - halt.arrives_s
            if ahead < school.window_min_s:
                yield here(Rule.ARRIVES_LATE, found=ahead, limit=school.window_min_s)
            if ahead > school.window_max_s:
                yield here(Rule.ARRIVES_TOO_EARLY, found=ahead, limit=school.window_max_s)
            continue
        if not halt.up:
            continue
        bell = school.bell_pm_s
        if period.days == WEDNESDAY or (period.days == SATURDAY and school.bell_wednesday_s is not None):
            bell = school.bell_wednesday_s
        if bell is None:
            yield here(Rule.NO_BELL)
            continue
        behind = halt.leaves_s - bell
        if behind < school.wait_min_s:
            yield here(Rule.LEAVES_TOO_EARLY, found=behind, limit=school.wait_min_s)
        if behind > school.wait_max_s:
            yield here(Rule.LEAVES_LATE, found=behind, limit=school.wait_max_s)


def _noon_times(school: School, period: Period, halt: Halt, here: Callable[..., Broken]) -> Iterator[Broken]:
    """That nobody leaves before the morning's lessons are over, or is late for the afternoon's, or long before them."""
    noon = school.noon
    if period.direction is Direction.NOON_FROM_SCHOOL and halt.up:
        if noon is None:
            yield here(Rule.NO_BELL)
            return
        behind, soonest = halt.leaves_s - noon.ends_s, min(school.wait_min_s, noon.wait_max_s)
        if behind < soonest:
            yield here(Rule.LEAVES_TOO_EARLY, found=behind, limit=soonest)
        if behind > noon.wait_max_s:
            yield here(Rule.LEAVES_LATE, found=behind, limit=noon.wait_max_s)
    if period.direction is Direction.NOON_TO_SCHOOL and halt.down:
        if noon is None:
            yield here(Rule.NO_BELL)
            return
        ahead, latest = noon.resumes_s - halt.arrives_s, min(school.window_min_s, noon.window_max_s)
        if ahead < latest:
            yield here(Rule.ARRIVES_LATE, found=ahead, limit=latest)
        if ahead > noon.window_max_s:
            yield here(Rule.ARRIVES_TOO_EARLY, found=ahead, limit=noon.window_max_s)


def _ways(plan: SchoolPlan, run: Run, drives: Drives | None) -> Iterator[Broken]:
    """That the coach can be where it says when it says, on roads where it may drive."""
    for at, (before, after) in enumerate(pairwise(run.halts), start=1):
        if after.arrives_s - before.leaves_s < after.drive_s:
            has = after.arrives_s - before.leaves_s
            yield Broken(Rule.DRIVES_TOO_FAST, run.run_id, at, found=has, limit=after.drive_s)
        if plan.no_roads:
            road = NoRoad(Spot(before.stop, before.school), Spot(after.stop, after.school))
            if road in plan.no_roads:
                yield Broken(Rule.ROAD_FORBIDDEN, run.run_id, at)
    if drives is None:
        return
    depot = plan.vehicle_types[run.vehicle_type].depot
    places = [depot, *(_place(plan, halt) for halt in run.halts), depot]
    told = [*(halt.drive_s for halt in run.halts), run.home_s]
    for at, (origin, target) in enumerate(pairwise(places)):
        way = drives.find(origin, target)
        if way is None:
            yield Broken(Rule.NO_WAY, run.run_id, min(at, len(run.halts) - 1))
        elif told[at] < way[0]:
            yield Broken(Rule.DRIVES_TOO_FAST, run.run_id, min(at, len(run.halts) - 1), found=told[at], limit=way[0])


def _place(plan: SchoolPlan, halt: Halt) -> LatLon:
    return plan.stops[halt.stop].position if halt.school is None else plan.schools[halt.school].position  # type: ignore[index] # one of both


# --- vehicles -----------------------------------------------------------------------------------


def broken_circuits(plan: SchoolPlan, circuits: Collection[str]) -> Iterator[Broken]:
    """That one coach is never in two places: from its depot back to its depot, run after run."""
    of: dict[str, list[Run]] = {}
    for run in plan.runs:
        if run.circuit_id in circuits:
            of.setdefault(run.circuit_id, []).append(run)
    for circuit, runs in of.items():
        if len({run.vehicle_type for run in runs}) > 1:
            yield Broken(Rule.CIRCUIT_OF_TWO_TYPES, runs[0].run_id, subject=circuit)
        for one, other in combinations(runs, 2):
            if not plan.periods[one.period].days & plan.periods[other.period].days:
                continue
            first, then = sorted((one, other), key=lambda run: run.begins_s)
            if then.begins_s < first.ends_s:
                late = first.ends_s - then.begins_s
                yield Broken(Rule.CIRCUIT_OVERLAPS, then.run_id, subject=first.run_id, found=late, limit=0)
        yield from dict.fromkeys(_duties(plan, circuit, runs))


def _duties(plan: SchoolPlan, circuit: str, runs: Collection[Run]) -> Iterator[Broken]:
    """That the coach of a circuit has one driver's day on each day of the week."""
    for day in range(7):
        driven = sorted((run for run in runs if plan.periods[run.period].days >> day & 1), key=lambda run: run.begins_s)
        if not driven:
            continue
        first, last = driven[0], max(driven, key=lambda run: run.ends_s)
        spread, wheel = last.ends_s - first.begins_s, sum(run.ends_s - run.begins_s for run in driven)
        if spread > SPREAD_MAX_S:
            yield Broken(Rule.DAY_TOO_LONG, last.run_id, subject=circuit, found=spread, limit=SPREAD_MAX_S)
        if wheel > WHEEL_MAX_S:
            yield Broken(Rule.DRIVES_TOO_LONG, last.run_id, subject=circuit, found=wheel, limit=WHEEL_MAX_S)


def _vehicles(plan: SchoolPlan) -> Iterator[Broken]:
    """That there are as many vehicles of each type as work on any one day."""
    if all(kind.count is None for kind in plan.vehicle_types):
        return
    for day in range(7):
        working = {(run.vehicle_type, run.circuit_id) for run in plan.runs if plan.periods[run.period].days >> day & 1}
        n_used = Counter(kind for kind, _ in working)
        for index, kind in enumerate(plan.vehicle_types):
            if kind.count is not None and n_used[index] > kind.count:
                yield Broken(Rule.TOO_MANY_VEHICLES, subject=kind.type_id, found=n_used[index], limit=kind.count)
