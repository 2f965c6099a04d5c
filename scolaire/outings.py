"""Outings: who travels on the days of a period, as a problem of `fleet`, and what was found as runs.

Days on which the same pupils wait at the same stops, and lessons end alike, are one period. Boarders go on the first
of their days and come back on the last one (on Friday, when only one is written). After lessons a coach fetches
pupils at schools and sets them down at stops, which is the morning seen in a mirror: time runs backwards, ways lead
the other way, and whoever is set down is taken up. So one search plans both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from fleet.coding import make_instance, time_route, without
from fleet.kernels.arrays import Instance
from fleet.requests import Depot, Destination, DropOff, PickUp, Plan, Problem, Request, Route, VehicleType
from fleet.search import Outcome, Settings
from scolaire.plans import Direction, Halt, NotServed, Period, Rider, Run, Waiting, ride_max_of, window_of
from scolaire.pupils import FRIDAY, SATURDAY, WEDNESDAY, Level, Pupil, Regime, School, Sector, StopStatus
from scolaire.timing import AT_A_SCHOOL_S, AT_A_STOP_S, FOR_EACH_PUPIL_S
from scolaire.ways import ROAD_FACTOR
from socle.errors import BadInput
from socle.geo import distances_m
from socle.matrix import NEVER, TravelMatrix

WALK_MAX_M: Final = 1_000
CENTS: Final = 100  # costs of driving are summed in hundredths of a cent
_NOBODY: Final[Mapping[int, int]] = {}
_NAMES: Final = {
    Direction.TO_SCHOOL: "matin",
    Direction.FROM_SCHOOL: "soir",
    Direction.NOON_FROM_SCHOOL: "repas",
    Direction.NOON_TO_SCHOOL: "reprise",
}
_DAYS: Final = ("lu", "ma", "me", "je", "ve", "sa", "di")


@dataclass(frozen=True, slots=True)
class Demand:
    """Pupils who wait at one stop for one school, or are set down there, by their places in the sector."""

    stop: int
    school: int
    pupils: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outing:
    """What is planned at once: request i of the problem is demand i, destination j is school j."""

    sector: Sector
    period: Period
    demands: tuple[Demand, ...]
    problem: Problem
    matrix: TravelMatrix  # between `places_of(sector)`
    mixed: bool
    left: tuple[tuple[int, str], ...]  # pupils whom no coach can carry in this period, and why


# --- who waits where when ---------------------------------------------------------------------


def waits_of(sector: Sector) -> dict[int, tuple[Waiting, ...]]:
    """For each pupil with a home that can be served: where on which days in which direction."""
    found: dict[int, tuple[Waiting, ...]] = {}
    schools = {school.school_id: school for school in sector.schools}
    stops = {stop.stop_id: index for index, stop in enumerate(sector.stops) if stop.status is StopStatus.VALIDATED}
    for (pupil, at), stop in zip(sector.plannable, stops_of(sector), strict=True):
        told = sector.pupils[pupil]
        there, back = days_of(told, at)
        mine = [Waiting(Direction.TO_SCHOOL, there, stop), Waiting(Direction.FROM_SCHOOL, back, stop)]
        school = schools[told.school_id]
        if school.noon is not None and (days := noon_days_of(told, at, school)):
            eats = stop if told.regime is Regime.DAY else stops.get(school.noon.canteen_stop_id)
            mine += [Waiting(one, days, eats) for one in Direction if one.is_noon]
        found[pupil] = found.get(pupil, ()) + tuple(mine)
    return found


def noon_days_of(pupil: Pupil, home: int, school: School) -> int:
    """On which days of a home a pupil is driven at noon."""
    noon = school.noon
    return pupil.homes[home].days & noon.days if noon is not None and noon.drives(pupil.regime) else 0


def days_of(pupil: Pupil, home: int) -> tuple[int, int]:
    """On which days a pupil goes from a home to school, and comes back to it."""
    days = pupil.homes[home].days
    if pupil.regime is not Regime.BOARDER:
        return days, days
    first, last = days & -days, 1 << (days.bit_length() - 1)
    return first, FRIDAY if first == last and first < FRIDAY else last


def stops_of(sector: Sector) -> list[int | None]:
    """Where each plannable pupil waits: the stop asked for when it is validated, else the nearest one in reach."""
    usable = [index for index, stop in enumerate(sector.stops) if stop.status is StopStatus.VALIDATED]
    named = {sector.stops[index].stop_id: index for index in usable}
    southern = np.array(sorted(usable, key=lambda index: (sector.stops[index].position.lat, index)), np.int64)
    lat = np.array([sector.stops[index].position.lat for index in southern])
    lon = np.array([sector.stops[index].position.lon for index in southern])
    within = WALK_MAX_M / ROAD_FACTOR / 111_000  # degrees of latitude, each of which is longer than that
    found: list[int | None] = []
    for pupil, at in sector.plannable:
        home = sector.pupils[pupil].homes[at]
        stop = named.get(home.stop_id or "")
        if stop is None and home.position is not None and usable:
            here = home.position
            first, last = np.searchsorted(lat, (here.lat - within, here.lat + within))
            far = distances_m(here.lat, here.lon, lat[first:last], lon[first:last]) * ROAD_FACTOR
            if len(far) and (least := far.min()) <= WALK_MAX_M:
                stop = int(southern[first:last][far == least].min())
        found.append(stop)
    return found


def riders_of(sector: Sector, waits: Mapping[int, tuple[Waiting, ...]]) -> tuple[tuple[int, ...], tuple[Rider, ...]]:
    """The pupils who may be carried, and what coaches know of them; Wednesdays without lessons are none of theirs."""
    school_of = {school.school_id: index for index, school in enumerate(sector.schools)}
    pupils = tuple(sorted(waits))
    told = [sector.pupils[pupil] for pupil in pupils]
    return pupils, tuple(
        Rider(one.pupil_id, school_of[one.school_id], one.level, one.wheelchair, waits[pupil])
        for pupil, one in zip(pupils, told, strict=True)
    )


def periods_of(waits: Mapping[int, tuple[Waiting, ...]], weekdays: Sequence[int] = range(7)) -> tuple[Period, ...]:
    """The periods of a week: mornings first, those of most pupils first, and noon shuttles last."""
    found: list[tuple[int, Period]] = []
    for direction, name in _NAMES.items():
        alike: dict[tuple[frozenset[tuple[int, int | None]], int], int] = {}
        for day in weekdays:
            bit = 1 << day
            going = frozenset(
                (pupil, one.stop)
                for pupil, some in waits.items()
                for one in some
                if one.direction is direction and one.days & bit
            )
            if going:
                ends = bit & (WEDNESDAY | SATURDAY) if direction is Direction.FROM_SCHOOL else 0
                alike[going, ends] = alike.get((going, ends), 0) | bit
        for (going, ends), days in alike.items():
            called = "-".join(word for day, word in enumerate(_DAYS) if days >> day & 1)
            period = Period(f"{'midi' if ends else name}-{called}", days, direction)
            found.append((len(going), period))
    ranks = {Direction.TO_SCHOOL: 0, Direction.FROM_SCHOOL: 1}
    found.sort(key=lambda one: (ranks.get(one[1].direction, 2), -one[0], one[1].days & -one[1].days))
    return tuple(period for _, period in found)


# --- the problem ----------------------------------------------------------------------------------


def make_outing(
    sector: Sector,
    matrix: TravelMatrix,
    period: Period,
    waits: Mapping[int, tuple[Waiting, ...]],
    *,
    mixed: bool,
) -> Outing:
    """The problem of a period; the matrix is between `places_of(sector)`.

    Raises:
        BadInput: `sector_without_vehicles`.
    """
    if not sector.vehicle_types:
        raise BadInput("sector_without_vehicles")
    school_of = {school.school_id: index for index, school in enumerate(sector.schools)}
    waiting: dict[tuple[int, int], list[int]] = {}
    left: list[tuple[int, str]] = []
    for pupil, some in sorted(waits.items()):
        school = school_of[sector.pupils[pupil].school_id]
        awaited = (one.stop for one in some if one.direction is period.direction and one.days & period.days)
        for stop in dict.fromkeys(awaited):  # once, where two homes have one stop
            if not _has_lessons(sector, school, period):
                left.append((pupil, "no_lessons"))
            elif stop is None:
                left.append((pupil, "no_stop_in_reach"))
            else:
                waiting.setdefault((stop, school), []).append(pupil)
    most = (
        max(each.seats for each in sector.vehicle_types),
        max(each.wheelchair_places for each in sector.vehicle_types),
    )
    demands = tuple(
        Demand(stop, school, part)
        for (stop, school), pupils in sorted(waiting.items())
        for part in parted(sector, pupils, most)
    )
    is_back = not period.direction.is_to_school
    costs = np.stack([costs_of(matrix, each.km_cents, each.hour_cents) for each in sector.vehicle_types])
    problem = Problem(
        tuple(request_of(sector, demand, period) for demand in demands),
        tuple(destinations_of(sector, period, mixed=mixed)),
        tuple(vehicles_of(sector, len(demands))),
        np.ascontiguousarray(matrix.seconds.T) if is_back else matrix.seconds,
        np.ascontiguousarray(costs.transpose(0, 2, 1)) if is_back else costs,
    )
    return Outing(sector, period, demands, problem, matrix, mixed, tuple(left))


def _has_lessons(sector: Sector, school: int, period: Period) -> bool:
    told = sector.schools[school]
    is_wednesday_off = period.days == WEDNESDAY and told.bell_wednesday_s is None
    return window_of(told, period) is not None and not is_wednesday_off


def parted(sector: Sector, pupils: Sequence[int], most: tuple[int, int]) -> list[tuple[int, ...]]:
    """Pupils of one stop in as many parts as coaches must come for them; no coach must have places of both kinds."""
    parts: list[tuple[int, ...]] = []
    for kind in (False, True):
        alike = [pupil for pupil in pupils if sector.pupils[pupil].wheelchair is kind]
        size = max(1, most[kind])
        parts += [tuple(alike[first : first + size]) for first in range(0, len(alike), size)]
    return parts


def request_of(sector: Sector, demand: Demand, period: Period) -> Request:
    """A demand as `fleet` has it."""
    wheelchairs = sum(sector.pupils[pupil].wheelchair for pupil in demand.pupils)
    n_pupils = len(demand.pupils)
    return Request(
        demand.stop,
        demand.school,
        (n_pupils - wheelchairs, wheelchairs),
        AT_A_STOP_S + FOR_EACH_PUPIL_S * n_pupils,
        max_ride=ride_max_of(sector.schools[demand.school], period),
    )


def destinations_of(sector: Sector, period: Period, *, mixed: bool) -> Iterator[Destination]:
    """Schools; one without lessons has nobody who can be planned, and stands where it is."""
    groups = {school.group: index for index, school in reversed(list(enumerate(sector.schools))) if school.group}
    for index, school in enumerate(sector.schools):
        window = window_of(school, period) or (0, 0)
        if not period.direction.is_to_school:
            window = -window[1], -window[0]
        group = 0 if mixed else groups.get(school.group, index)
        yield Destination(len(sector.stops) + index, *window, AT_A_SCHOOL_S, group)


def vehicles_of(sector: Sector, n_demands: int) -> Iterator[VehicleType]:
    """The types of vehicles, never more of one than could be used."""
    first = len(sector.stops) + len(sector.schools)
    for index, each in enumerate(sector.vehicle_types):
        yield VehicleType(
            (each.seats, each.wheelchair_places),
            n_demands if each.count is None else min(each.count, n_demands),
            Depot(first + index),
            Depot(first + index),
            fixed_cost=each.day_cents * CENTS,
            rate=index,
        )


def costs_of(matrix: TravelMatrix, km_cents: int, hour_cents: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    """Hundredths of a cent of each drive; NEVER where there is no way, which no plan takes."""
    exact = matrix.metres.astype(np.float64) * km_cents / 10 + matrix.seconds.astype(np.float64) * hour_cents / 36
    return np.where(matrix.is_reached, np.rint(exact), NEVER).astype(np.int32)


def settings_of(problem: Problem) -> Settings:
    """The search's own settings, its heat in what these vehicles cost a second of driving on average."""
    driven = problem.drive < NEVER
    seconds = max(1.0, float(problem.drive[driven].sum()))
    a_second = max(0.01, float(problem.cost[:, driven].sum(dtype=np.float64)) / len(problem.cost) / seconds)
    return Settings(hot=300.0 * a_second, cold=5.0 * a_second)


# --- plans of it ----------------------------------------------------------------------------------


def start_from(
    outing: Outing,
    runs: Sequence[Run],
    direction: Direction,
    school_of: Sequence[int],
    kind_of: Callable[[int], int],
    problem: Problem,
) -> Plan:
    """The runs of another plan as far as they can be driven in this one: who waits at the same stops goes along.

    `school_of` is the school of each rider; `kind_of` says which type of `problem` a type of the sector begins with.
    A route that would break a rule leaves out whom it must; they are left to the search, and so is who has a stop that
    is on none.
    """
    at: dict[tuple[int, int], list[int]] = {}
    for request, demand in enumerate(outing.demands):
        at.setdefault((demand.stop, demand.school), []).append(request)
    instance = make_instance(problem)
    left = [each.count for each in problem.vehicle_types]
    routes: list[Route] = []
    for run in runs:
        halts = run.halts if direction.is_to_school else tuple(reversed(run.halts))
        codes = _codes(halts, school_of, at)
        kind = kind_of(run.vehicle_type)
        if not codes or not left[kind]:
            continue
        route = _lightened(problem, instance, kind, codes)
        carried = set() if route is None else set(route.requests)
        for code in codes:
            if code >= 0 and code not in carried:
                at.setdefault((outing.demands[code].stop, outing.demands[code].school), []).append(code)
        if route is None:
            continue
        left[kind] -= 1
        routes.append(route)
    carried = {request for route in routes for request in route.requests}
    return Plan(tuple(routes), tuple(each for each in range(len(outing.demands)) if each not in carried))


def _lightened(problem: Problem, instance: Instance, kind: int, codes: Sequence[int]) -> Route | None:
    """The route without as few as must be left out: the smallest request that suffices, else the largest and so on."""
    while True:
        if not codes:
            return None
        if _is_seated(problem, kind, codes) and (route := time_route(instance, kind, codes)):
            return route
        picked = sorted((code for code in codes if code >= 0), key=lambda code: (problem.requests[code].load, code))
        shorter = [without(problem, codes, code) for code in picked]
        for fewer in shorter:
            if fewer and _is_seated(problem, kind, fewer) and (route := time_route(instance, kind, fewer)):
                return route
        codes = shorter[-1]


def _codes(halts: Sequence[Halt], school_of: Sequence[int], at: dict[tuple[int, int], list[int]]) -> list[int]:
    """Visits of a route along these halts: who waits there for the schools that somebody went to from there."""
    codes: list[int] = []
    picked: set[int] = set()
    for place, halt in enumerate(halts):
        if halt.stop is None:
            if halt.school in picked:
                picked.discard(halt.school)
                codes.append(-1 - halt.school)
            continue
        later = {other.school for other in halts[place:]}
        for school in dict.fromkeys(school_of[rider] for rider in (*halt.up, *halt.down)):
            waiting = at.get((halt.stop, school), [])
            if waiting and school in later:
                codes.append(waiting.pop(0))
                picked.add(school)
    return codes


def _is_seated(problem: Problem, kind: int, codes: Sequence[int]) -> bool:
    """Whether places suffice and groups do not mix."""
    places = problem.vehicle_types[kind].places
    aboard: list[int] = []
    for code in codes:
        if code < 0:
            aboard = [each for each in aboard if problem.requests[each].destination != -1 - code]
            continue
        aboard.append(code)
        groups = {problem.destinations[problem.requests[each].destination].group for each in aboard}
        if len(groups) > 1 or any(
            sum(problem.requests[each].load[unit] for each in aboard) > most for unit, most in enumerate(places)
        ):
            return False
    return True


def runs_of(
    outing: Outing, plan: Plan, period: int, rider_of: Mapping[int, int], told: Mapping[int, int] = _NOBODY
) -> list[Run]:
    """The routes as runs without times, a circuit each: visits one after the other at one place are one halt.

    `told` is when families of some demands were told that the coach is at their stop.
    """
    sector = outing.sector
    found = []
    for number, route in enumerate(sorted(plan.routes, key=lambda route: (route.visits[0].begins, route.requests))):
        halts: list[Halt] = []
        aboard: dict[int, tuple[int, ...]] = {}
        for visit in route.visits:
            if isinstance(visit, DropOff):
                there = aboard.pop(visit.destination, ())
                halts.append(Halt(0, 0, 0, 0, school=visit.destination, down=there))
                continue
            request, demand = outing.problem.requests[visit.request], outing.demands[visit.request]
            riders = tuple(rider_of[pupil] for pupil in demand.pupils)
            aboard[request.destination] = aboard.get(request.destination, ()) + riders
            before = halts[-1] if halts else None
            if before is not None and before.stop == demand.stop:
                first = before.told_s if len(before.up) >= len(riders) else None
                when = first if first is not None else told.get(visit.request, before.told_s)
                halts[-1] = replace(before, up=before.up + riders, told_s=when)
            else:
                halts.append(Halt(0, 0, 0, 0, stop=demand.stop, up=riders, told_s=told.get(visit.request)))
        if not outing.period.direction.is_to_school:
            halts = [replace(halt, up=halt.down, down=halt.up) for halt in reversed(halts)]
        carried = [visit.request for visit in route.visits if isinstance(visit, PickUp)]
        has_nursery = any(
            sector.pupils[pupil].level is Level.NURSERY for each in carried for pupil in outing.demands[each].pupils
        )
        run_id = f"{period}-{number}"
        found.append(Run(run_id, run_id, period, route.vehicle_type, tuple(halts), 0, 0, has_attendant=has_nursery))
    return found


def not_served(outing: Outing, outcome: Outcome, period: int) -> list[NotServed]:
    """Whom no coach carries in a period, and why."""
    sector = outing.sector
    impossible = set(outcome.impossible)
    left = [(pupil, why) for pupil, why in outing.left]
    for request in outcome.plan.unserved:
        demand = outing.demands[request]
        has_seats = any(
            all(load <= most for load, most in zip(outing.problem.requests[request].load, each.places, strict=True))
            for each in outing.problem.vehicle_types
            if each.count
        )
        why = "ride_limit_unmeetable" if request in impossible and has_seats else "no_vehicle"
        left += [(pupil, why) for pupil in demand.pupils]
    return [NotServed(sector.pupils[pupil].pupil_id, why, period) for pupil, why in left]


def left_out_of(sector: Sector, periods: Sequence[Period], riders: Sequence[Rider]) -> list[NotServed]:
    """Who was left out before anything was planned: in the periods of that home, or, without other homes, in all."""
    served = {rider.pupil_id for rider in riders}
    by_id = {pupil.pupil_id: pupil for pupil in sector.pupils}
    schools = {school.school_id: school for school in sector.schools}
    found: dict[tuple[str, int | None], NotServed] = {}
    for one in sector.left_out:
        if one.pupil_id not in served:
            found.setdefault((one.pupil_id, None), NotServed(one.pupil_id, one.code))
            continue
        homes = [index for index, home in enumerate(by_id[one.pupil_id].homes) if home.line == one.line]
        for home in homes:
            pupil = by_id[one.pupil_id]
            there, back = days_of(pupil, home)
            noon = noon_days_of(pupil, home, schools[pupil.school_id]) if pupil.school_id in schools else 0
            days = {Direction.TO_SCHOOL: there, Direction.FROM_SCHOOL: back}
            for index, period in enumerate(periods):
                if period.days & days.get(period.direction, noon):
                    found.setdefault((one.pupil_id, index), NotServed(one.pupil_id, one.code, index))
    return list(found.values())
