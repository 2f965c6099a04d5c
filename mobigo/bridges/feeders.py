"""Feeders: carpool lines as what the search of journeys can ride, and what a ride on one costs and pays.

Both directions of a line are a feeder each. Seconds are driven along the streets in use where they join two stops,
else they are the official metres at the stated speed; metres are always the official ones, for they are what money
counts. The wait is the line's (see `covoiturage.lines`); the last to be driven off are at the stop one wait before
the hours end, unless other hours follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import pairwise

from covoiturage.lines import Line, LineStop, drive_s
from covoiturage.policy.caps import Counters
from covoiturage.policy.facts import read_car
from covoiturage.policy.model import VEHICLE_TRIP, Policy
from covoiturage.policy.shipped import find_in_force
from covoiturage.policy.trips import CarJudge
from routing.journeys.feeder import Feeder, FeederStop, Opening
from routing.journeys.feeders import Feeders
from routing.journeys.journey import FeederLeg
from routing.streets.graph import Streets
from routing.streets.profiles import CAR
from routing.streets.travel import reach, spots_at
from socle.geo import LatLon
from socle.matrix import NEVER
from socle.times import local_day

LINE_PAGES = "/covoiturage/lignes"
SCOPE = "covoiturage:"  # before the ids of stops, which no source of the network may have
_SLOWEST_M_S = 5.0  # a way by the streets that is slower than this is no way between two stops of a line


@dataclass(frozen=True, eq=False)
class Offered:
    """What stands behind a feeder: the line, and the policies under which its drivers may be paid."""

    line: Line
    policies: tuple[Policy, ...]
    pages: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a driver may expect, before anything is proven; `extra_cents` for each further passenger that counts."""

    cents: int
    metres: int
    passengers: int
    extra_cents: int
    policy_id: str
    policy_version: str


@dataclass(frozen=True, slots=True)
class CarpoolFacts:
    """What is said of a ride on a carpool line."""

    line: Line
    pages: str  # the address of all lines
    fare_cents: int
    expected_wait_s: int
    metres: int
    estimate: Estimate | None

    @property
    def page(self) -> str:
        """The address of the line."""
        return f"{self.pages}/{self.line.line_id}"


def make_feeders(
    lines: Iterable[Line], policies: Sequence[Policy], streets: Streets | None = None, site: str = ""
) -> Feeders:
    """Both directions of each line; `site` is the address before that of a page."""
    feeders = []
    for line in lines:
        offered = Offered(line, tuple(policy for policy in policies if policy.level == VEHICLE_TRIP), site + LINE_PAGES)
        feeders += [_feeder(offered, line.stops, 0, streets), _feeder(offered, line.stops[::-1], 1, streets)]
    return Feeders(tuple(feeders))


def _feeder(offered: Offered, stops: Sequence[LineStop], direction: int, streets: Streets | None) -> Feeder:
    line = offered.line
    seconds, metres, paths = [0], [0], []
    for one, other in pairwise(stops):
        official_m = abs(other.distance_m - one.distance_m)
        hop_s, path = _driven(streets, one.at, other.at, official_m)
        seconds.append(seconds[-1] + hop_s)
        metres.append(metres[-1] + official_m)
        paths.append(path)
    return Feeder(
        feeder_id=f"{line.line_id}-{direction}",
        line_id=line.line_id,
        name=f"Covoiturage {line.name.replace(' – ', '–')}",
        long_name=line.name,
        stops=tuple(FeederStop(SCOPE + stop.stop_id, stop.name, stop.at) for stop in stops),
        drive_s=tuple(seconds),
        drive_m=tuple(metres),
        openings=_openings(line),
        days=line.days,
        first_day=line.valid_from,
        last_day=line.valid_until,
        direction=direction,
        paths=tuple(paths),
        about=offered,
    )


def _openings(line: Line) -> tuple[Opening, ...]:
    openings = []
    for one, after in zip(line.hours, (*line.hours[1:], None), strict=True):
        goes_on = after is not None and after.from_s == one.until_s
        openings.append(Opening(one.from_s, one.until_s if goes_on else one.until_s - one.wait_s, one.wait_s))
    return tuple(openings)


def _driven(streets: Streets | None, one: LatLon, other: LatLon, metres: int) -> tuple[int, tuple[LatLon, ...]]:
    """Seconds and the way to draw of one hop."""
    if streets is not None:
        here, there = (spots_at(streets, CAR, [at]) for at in (one, other))
        if here.is_joined[0] and there.is_joined[0]:
            found = reach(here, there, metres / _SLOWEST_M_S)
            if found.seconds[0] < NEVER:
                return int(found.seconds[0]), found.path(0)
    return drive_s(metres), (one, other)


def tell_carpool(leg: FeederLeg) -> CarpoolFacts:
    """Price, wait and estimate of a ride, by the policy of the day on which it ends."""
    offered = leg.feeder.about
    if not isinstance(offered, Offered):
        raise TypeError("a feeder of no carpool line")
    day = local_day(leg.arrival, leg.feeder.zone)
    estimate = find_estimate(offered, day, leg.distance_m)
    return CarpoolFacts(offered.line, offered.pages, offered.line.fare_cents, leg.wait_s, leg.distance_m, estimate)


@lru_cache(maxsize=10_000)
def find_estimate(offered: Offered, day: date, metres: int) -> Estimate | None:
    """The driver's estimate for official metres with one passenger, as a first carpool of the day.

    None on a day that has no policy.
    """
    policy = find_in_force(offered.policies, day)
    if policy is None:
        return None
    judge = CarJudge(replace(policy, limits=()))
    one, two = (_amount(judge, day, metres, offered.line.line_id, n) for n in (1, 2))
    return Estimate(one, metres, 1, two - one, policy.id, policy.version)


def _amount(judge: CarJudge, day: date, metres: int, line_id: str, n: int) -> int:
    begin, end = f"{day}T10:00:00Z", f"{day}T11:00:00Z"
    ride = {"operator_class": "C", "distance_m": metres, "board_at": begin, "alight_at": end}
    rides = [{**ride, "ride_id": f"r{i}", "passenger": f"p{i}", "passenger_is_over_18": True} for i in range(n)]
    car = {"carpool_id": "c", "driver": "d", "line_id": line_id, "start_at": begin, "end_at": end}
    return judge.decide(read_car({**car, "official_m": metres, "rides": rides}), Counters()).amount_cents
