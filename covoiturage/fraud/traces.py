"""Traces: where people's devices were during one car's outing, and what in that cannot be.

A trace is all the places that somebody's evidence names, in the order of time. A phone errs by some
metres, now and then by kilometres, and dies: one place that does not fit the others is noted; what
holds a carpool is a trace that does not fit together without it either.

Places lie on a plane that touches the earth where the car was: within the hundred kilometres of an
outing its metres are those of the great circle to a hundredth, at a fifth of the cost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import cos, hypot, pi, radians
from typing import NamedTuple

from covoiturage.carpool import Carpool, Ride, Side
from covoiturage.fraud.labels import Code, Known, Label
from covoiturage.proof import AROUND, CODES
from socle.errors import Fact
from socle.geo import EARTH_RADIUS_M, LatLon

STOP_WITHIN_M = 1_000
APART_M = 1_000
SAME_MOMENT_S = 120
JUMP_KMH = 200
JUMP_LEAST_M = 2_000  # a phone that errs by less is no jump
GAP_S = 15 * 60
CLOCK_AHEAD_S = 5 * 60
CLOCKS_AGREE_S = 60
COPY_LEAST_FIXES = 4
COPY_LEAST_PLACES = 3
COPY_PERCENT = 80
TOGETHER_M = 100
TOGETHER_S = 30
TOGETHER_LEAST_FIXES = 2
AWAY_M = 1_000  # from where the passenger got on or off
AWAY_S = 60
_CELL = 100_000  # places within a hundred-thousandth of a degree, a metre, are one
_AROUND_S = AROUND.total_seconds()
_METRES_PER_DEGREE = EARTH_RADIUS_M * pi / 180


class Fix(NamedTuple):
    """Where somebody's device was: seconds since 1970, metres east and north on the car's plane, cell of the earth."""

    at_s: float
    x_m: float
    y_m: float
    cell: tuple[int, int]


Trace = Sequence[Fix]


@dataclass(frozen=True, slots=True)
class Plane:
    """The plane that touches the earth where a car was."""

    metres_per_lon: float

    def put(self, place: LatLon) -> tuple[float, float]:
        """Metres east and north of a place."""
        return place.lon * self.metres_per_lon, place.lat * _METRES_PER_DEGREE


@dataclass(frozen=True, slots=True)
class Traces:
    """The traces of the people of a car, by pseudonym, on its plane."""

    plane: Plane
    of: Mapping[str, Trace]


def traces_of(carpool: Carpool) -> Traces:
    """Where the people of a car were; a passenger's clock is put right by the codes that they scanned."""
    plane: Plane | None = None
    found: defaultdict[str, list[Fix]] = defaultdict(list)
    for ride in carpool.rides:
        off_s = _clock_off_s(ride)
        for one in ride.evidence:
            place = one.place
            if place is None:
                continue
            if plane is None:
                plane = Plane(_METRES_PER_DEGREE * cos(radians(place.lat)))
            at_s = one.at.timestamp() - off_s if one.by == ride.passenger else one.at.timestamp()
            cell = (round(place.lat * _CELL), round(place.lon * _CELL))
            found[one.by].append(Fix(at_s, *plane.put(place), cell))
    for person, fixes in found.items():  # the driver's may be told with each ride
        found[person] = sorted(fixes) if len(carpool.rides) == 1 else sorted(set(fixes))
    return Traces(plane or Plane(0.0), found)


def _clock_off_s(ride: Ride) -> float:
    """By how much the passenger's clock is wrong: what the codes scanned at both ends agree on, or nothing."""
    off: dict[Side, float] = {}
    for one in ride.evidence:
        if one.by == ride.passenger and one.kind in CODES:
            end = ride.board_at if one.side is Side.BOARD else ride.alight_at
            off[one.side] = (one.at - end).total_seconds()
    agree = len(off) == len(Side) and max(off.values()) - min(off.values()) <= CLOCKS_AGREE_S
    return sum(off.values()) / len(off) if agree else 0.0


def digest_of(trace: Trace) -> int | None:
    """What tells a trace from another whatever the day it is shown on; None for one too short to tell."""
    if not _is_long(trace) or len({fix.cell for fix in trace}) < COPY_LEAST_PLACES:
        return None
    begin = trace[0].at_s
    return hash(tuple((round(fix.at_s - begin), fix.cell) for fix in trace))


def check_traces(carpool: Carpool, traces: Traces, known: Known) -> Iterator[Label]:
    """What the evidence of one car says by itself."""
    yield from _check_clocks(carpool, known)
    drivers = traces.of.get(carpool.driver, ())
    for ride in carpool.rides:
        theirs = traces.of.get(ride.passenger, ())
        span = (ride.board_at.timestamp(), ride.alight_at.timestamp())
        yield from _check_stops(carpool, ride, known, traces.plane, span, (theirs, drivers))
        if theirs:
            yield from _check_gap(carpool, ride, span, theirs)
        if theirs and drivers and ride.passenger != carpool.driver:
            yield from _check_apart(carpool, ride, span, theirs, drivers)
            yield from _check_left_together(carpool, ride, span, theirs, drivers)
    ride_of = {ride.passenger: ride.id for ride in carpool.rides}
    for person, trace in traces.of.items():
        yield from _check_leaps(carpool.id, ride_of.get(person), trace)
    cells = [(person, {fix.cell for fix in trace}) for person, trace in traces.of.items() if _is_long(trace)]
    for (one, here), (other, there) in combinations(cells, 2):
        n_same = _n_copied(here, there)
        if n_same:
            yield Label(Code.IDENTICAL_TRACES, carpool.id, ride_of.get(one) or ride_of.get(other), {"n_places": n_same})


def _check_clocks(carpool: Carpool, known: Known) -> Iterator[Label]:
    declared_at = known.declared_at.get(carpool.id)
    for ride in carpool.rides:
        worst_s = ahead_s = 0.0
        if declared_at is not None and ride.evidence:
            ahead_s = (max(one.at for one in ride.evidence) - declared_at).total_seconds()
        for one in ride.evidence:
            if one.kind in CODES:
                end = ride.board_at if one.side is Side.BOARD else ride.alight_at
                worst_s = max(worst_s, abs(one.at - end).total_seconds())
        if ahead_s > CLOCK_AHEAD_S:
            yield Label(Code.CLOCK_AHEAD, carpool.id, ride.id, {"minutes": round(ahead_s / 60)})
        elif worst_s > _AROUND_S:
            yield Label(Code.CLOCK_SKEW, carpool.id, ride.id, {"minutes": round(worst_s / 60)})


def _check_stops(
    carpool: Carpool, ride: Ride, known: Known, plane: Plane, span: tuple[float, float], traces: tuple[Trace, Trace]
) -> Iterator[Label]:
    """Whether people came near the stops of a ride: at one end the passenger or the driver, at one of both each.

    One phone that errs at one end is common; two, or one at both ends, are not.
    """
    way = known.ways.get(ride.id)
    if way is None:
        return
    nearest: list[tuple[float | None, float | None]] = []  # end -> metres to it of passenger and driver, if seen then
    for stop, at_s in ((way.start, span[0]), (way.end, span[1])):
        if stop is not None:
            x_m, y_m = plane.put(stop)
            passenger, driver = (_nearest_m(trace, x_m, y_m, at_s) for trace in traces)
            nearest.append((passenger, driver))
    # The ends that nobody seen there came near, and those that one of the two came near to nowhere.
    missed = [min(seen) for end in nearest if (seen := [one for one in end if one is not None])]
    for who in (0, 1):
        seen = [metres for end in nearest if (metres := end[who]) is not None]
        if len(seen) > 1:
            missed.append(min(seen))
    if missed and max(missed) > STOP_WITHIN_M:
        yield Label(Code.STOP_NOT_APPROACHED, carpool.id, ride.id, {"metres": round(max(missed))})


def _nearest_m(trace: Trace, x_m: float, y_m: float, at_s: float) -> float | None:
    """How near a trace came to a place around an instant, near enough being enough; None: it is silent then."""
    least = None
    for fix in trace:
        if -_AROUND_S <= fix.at_s - at_s <= _AROUND_S:
            metres = hypot(fix.x_m - x_m, fix.y_m - y_m)
            if metres <= STOP_WITHIN_M:
                return metres
            least = metres if least is None else min(least, metres)
    return least


def _check_gap(carpool: Carpool, ride: Ride, span: tuple[float, float], trace: Trace) -> Iterator[Label]:
    """Whether a trace of the passenger's way is silent for long, and for more than half of the ride."""
    begin, end = span
    middle = [fix.at_s for fix in trace if begin + AWAY_S < fix.at_s < end - AWAY_S]
    if not middle or end - begin <= GAP_S:  # where they got on and off alone is no trace of the way
        return
    instants = [begin, *(fix.at_s for fix in trace if begin <= fix.at_s <= end), end]
    longest = max(other - one for one, other in pairwise(instants))
    if longest > GAP_S and 2 * longest > end - begin:
        yield Label(Code.TRACE_GAP, carpool.id, ride.id, {"minutes": round(longest / 60)})


def _check_apart(
    carpool: Carpool, ride: Ride, span: tuple[float, float], trace: Trace, drivers: Trace
) -> Iterator[Label]:
    """Whether passenger and driver were far from each other for most of what they are said to share a car."""
    n_compared, far = 0, []
    for fix in trace:
        if span[0] <= fix.at_s <= span[1]:
            gap = _gap_m(fix, drivers)
            n_compared += gap is not None
            if gap is not None and gap > APART_M:
                far.append(gap)
    if len(far) > 1 and 2 * len(far) > n_compared:  # one phone that errs once is no second car
        yield Label(Code.APART, carpool.id, ride.id, {"metres": round(min(far)), "n_places": len(far)})


def _gap_m(fix: Fix, drivers: Trace) -> float | None:
    """How far the driver was at that moment beyond what a car drives meanwhile, or nothing at all; None: unknown."""
    least = None
    for one in drivers:
        apart_s = abs(one.at_s - fix.at_s)
        if apart_s <= SAME_MOMENT_S:
            gap = hypot(fix.x_m - one.x_m, fix.y_m - one.y_m) - apart_s * JUMP_KMH / 3.6
            if gap <= APART_M:
                return 0.0
            least = gap if least is None else min(least, gap)
    return least


def _check_left_together(
    carpool: Carpool, ride: Ride, span: tuple[float, float], trace: Trace, drivers: Trace
) -> Iterator[Label]:
    """Whether the passenger's device was in the car before they got on, or stayed in it after they got off."""
    begin, end = span[0] - AWAY_S, span[1] + AWAY_S
    if trace[0].at_s >= begin and trace[-1].at_s <= end:
        return
    inside = [fix for fix in trace if begin <= fix.at_s <= end]
    if not inside:
        return
    away = [fix for fix in trace if fix.at_s < begin and _metres(fix, inside[0]) >= AWAY_M]
    away += [fix for fix in trace if fix.at_s > end and _metres(fix, inside[-1]) >= AWAY_M]
    together = sum(
        any(abs(one.at_s - fix.at_s) <= TOGETHER_S and _metres(fix, one) <= TOGETHER_M for one in drivers)
        for fix in away
    )
    if together >= TOGETHER_LEAST_FIXES:
        yield Label(Code.LEFT_TOGETHER, carpool.id, ride.id, {"n_places": together})


def _check_leaps(carpool_id: str, ride_id: str | None, trace: Trace) -> Iterator[Label]:
    first = next((i for i, (one, other) in enumerate(pairwise(trace)) if _is_leap(one, other)), None)
    if first is None:
        return
    before, after = trace[first], trace[first + 1]
    facts: dict[str, Fact] = {"metres": round(_metres(before, after)), "seconds": round(after.at_s - before.at_s)}
    fits_without_one = len(trace) > COPY_LEAST_PLACES and any(
        not any(_is_leap(one, other) for one, other in pairwise([*trace[:odd], *trace[odd + 1 :]]))
        for odd in (first, first + 1)
    )
    yield Label(Code.GPS_OUTLIER if fits_without_one else Code.TELEPORT, carpool_id, ride_id, facts)


def _is_leap(one: Fix, other: Fix) -> bool:
    metres = hypot(one.x_m - other.x_m, one.y_m - other.y_m)
    return metres > JUMP_LEAST_M and metres * 3.6 > JUMP_KMH * (other.at_s - one.at_s)


def _metres(one: Fix, other: Fix) -> float:
    return hypot(one.x_m - other.x_m, one.y_m - other.y_m)


def _is_long(trace: Trace) -> bool:
    """Whether there is enough of a trace to know it again."""
    return len(trace) >= COPY_LEAST_FIXES


def _n_copied(here: set[tuple[int, int]], there: set[tuple[int, int]]) -> int:
    """How many places two traces share to the metre, when it is nearly all of the shorter one: two phones never do."""
    n_same = len(here & there)
    enough = n_same >= COPY_LEAST_PLACES and 100 * n_same >= COPY_PERCENT * min(len(here), len(there))
    return n_same if enough else 0
