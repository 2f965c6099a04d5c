"""Crossings: cars of the same people around the same time, found by sorting and one sweep.

Somebody cannot be in two cars at once; the same two do not ride again within minutes, nor all day
long, nor in turns on one day, unless a ride was cut in pieces or never was.
"""

from __future__ import annotations

import itertools
from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from covoiturage.carpool import Carpool, Ride
from covoiturage.fraud.labels import Code, Label
from socle.errors import Fact
from socle.times import day_number, local_day

OVERLAP_BLOCKS_PERCENT = 70  # of the shorter
CLOCKS_DIFFER_S = 5 * 60  # so much of an overlap is that of two clocks
CLOSE_S = 30 * 60
TRIPS_A_DAY = 4
_QUARTER_S = 900
_REMEMBERED = 8  # spans that may still overlap: those that end last; beyond that many everything is labelled already


class Span(NamedTuple):
    """Somebody in a car, from when to when; `ride` is None for who drives it."""

    begin_s: float
    end_s: float
    carpool: int
    ride: int | None


def local_day_of(carpool: Carpool) -> int:
    """The number of the local day that a carpool belongs to: that of its end."""
    return _day_of_quarter(int(carpool.end_at.timestamp() // _QUARTER_S))


@cache
def _day_of_quarter(quarter: int) -> int:
    """The local day of a quarter of an hour; no offset of the zone is finer, so it lies within one day."""
    return day_number(local_day(quarter * _QUARTER_S))


def check_crossings(carpools: Sequence[Carpool], declared_s: Sequence[float]) -> Iterator[Label]:
    """The labels of these cars, each declared at its instant, that others among them give rise to."""
    yield from _check_ids(carpools)
    order = _order_of_declaration(declared_s)
    overlaps: dict[tuple[int, int | None, Code], Label] = {}  # one label for each ride, whoever is in two cars
    for spans in _spans(carpools).values():
        for label, carpool, ride in _overlaps(carpools, spans, order):
            overlaps.setdefault((carpool, ride, label.code), label)
    yield from overlaps.values()
    yield from _check_couples(carpools)
    yield from _check_days(carpools)


def _check_ids(carpools: Sequence[Carpool]) -> Iterator[Label]:
    carpool_ids: set[str] = set()
    ride_ids: set[str] = set()
    for carpool in carpools:
        known_rides = [ride.id for ride in carpool.rides if ride.id in ride_ids]
        if carpool.id in carpool_ids or known_rides:
            yield Label(Code.DUPLICATE_ID, carpool.id, known_rides[0] if known_rides else None)
        carpool_ids.add(carpool.id)
        ride_ids.update(ride.id for ride in carpool.rides)


def _order_of_declaration(declared_s: Sequence[float]) -> Sequence[int]:
    """Carpool -> its place in the order in which they were declared."""
    ranks = array("q", bytes(8 * len(declared_s)))
    for rank, i in enumerate(sorted(range(len(declared_s)), key=declared_s.__getitem__)):  # of equals the first
        ranks[i] = rank
    return ranks


def _spans(carpools: Sequence[Carpool]) -> dict[str, list[Span]]:
    found: defaultdict[str, list[Span]] = defaultdict(list)
    for i, carpool in enumerate(carpools):
        found[carpool.driver].append(Span(carpool.start_at.timestamp(), carpool.end_at.timestamp(), i, None))
        for j, ride in enumerate(carpool.rides):
            span = Span(ride.board_at.timestamp(), ride.alight_at.timestamp(), i, j)
            if ride.passenger != carpool.driver:
                found[ride.passenger].append(span)
    return found


def _overlaps(
    carpools: Sequence[Carpool], spans: list[Span], order: Sequence[int]
) -> Iterator[tuple[Label, int, int | None]]:
    """The labels of somebody's spans that overlap: of both, or of the later one when it tells the same again."""
    spans.sort(key=lambda span: (span.begin_s, span.end_s, span.carpool, span.ride or 0))
    open_spans: list[Span] = []
    for span in spans:
        open_spans = [one for one in open_spans if one.end_s > span.begin_s]
        for one in open_spans:
            together_s = min(one.end_s, span.end_s) - span.begin_s
            shorter_s = min(one.end_s - one.begin_s, span.end_s - span.begin_s)
            if 100 * together_s >= OVERLAP_BLOCKS_PERCENT * shorter_s:
                code = Code.DECLARED_TWICE if _is_told_again(carpools, one, span) else Code.OVERLAP
            elif together_s > CLOCKS_DIFFER_S:
                code = Code.OVERLAP_IN_PART
            else:
                continue
            first, second = sorted((one, span), key=lambda each: order[each.carpool])
            for mine, others in ((second, first), (first, second)):
                if mine is second or code is not Code.DECLARED_TWICE:
                    label = _overlap_label(code, carpools, mine, others, together_s)
                    yield label, mine.carpool, mine.ride
        open_spans = sorted([*open_spans, span], key=lambda one: one.end_s)[-_REMEMBERED:]


def _overlap_label(code: Code, carpools: Sequence[Carpool], mine: Span, others: Span, together_s: float) -> Label:
    carpool = carpools[mine.carpool]
    ride_id = None if mine.ride is None else carpool.rides[mine.ride].id
    return Label(code, carpool.id, ride_id, {"minutes": round(together_s / 60), "other": carpools[others.carpool].id})


def _is_told_again(carpools: Sequence[Carpool], one: Span, other: Span) -> bool:
    """Whether two cars have the same driver and a passenger in common, so that one may tell of the other's outing."""
    here, there = carpools[one.carpool], carpools[other.carpool]
    if here.driver != there.driver:
        return False
    passengers = {ride.passenger for ride in here.rides}
    return one.carpool == other.carpool or any(ride.passenger in passengers for ride in there.rides)


def _check_couples(carpools: Sequence[Carpool]) -> Iterator[Label]:
    """The same couple again too soon, and couples whose two change seats within a day."""
    couples: defaultdict[tuple[str, str], list[tuple[float, float, Carpool, Ride]]] = defaultdict(list)
    for carpool in carpools:
        for ride in carpool.rides:
            if ride.passenger != carpool.driver:
                span = (ride.board_at.timestamp(), ride.alight_at.timestamp())
                couples[carpool.driver, ride.passenger].append((*span, carpool, ride))
    for (driver, passenger), rides in couples.items():
        rides.sort(key=lambda one: one[:2])
        for (_begin, end_s, before, _ride), (begin_s, _end, carpool, ride) in itertools.pairwise(rides):
            if 0 <= begin_s - end_s < CLOSE_S:
                facts: dict[str, Fact] = {"minutes": round((begin_s - end_s) / 60), "other": before.id}
                yield Label(Code.TOO_CLOSE, carpool.id, ride.id, facts)
        if driver < passenger and (passenger, driver) in couples:
            yield from _swaps(rides, couples[passenger, driver])


def _swaps(
    rides: Sequence[tuple[float, float, Carpool, Ride]], others: Sequence[tuple[float, float, Carpool, Ride]]
) -> Iterator[Label]:
    days: list[dict[int, list[tuple[Carpool, Ride]]]] = []
    for side in (rides, others):
        by_day: defaultdict[int, list[tuple[Carpool, Ride]]] = defaultdict(list)
        for _begin, _end, carpool, ride in side:
            by_day[local_day_of(carpool)].append((carpool, ride))
        days.append(by_day)
    for day in days[0].keys() & days[1].keys():
        for mine, theirs in ((days[0], days[1]), (days[1], days[0])):
            for carpool, ride in mine[day]:
                yield Label(Code.ROLE_SWAP, carpool.id, ride.id, {"other": theirs[day][0][0].id})


def _check_days(carpools: Sequence[Carpool]) -> Iterator[Label]:
    """What somebody drives or rides on one day beyond what a policy counts."""
    drives: defaultdict[tuple[str, int], list[tuple[float, Carpool, str | None]]] = defaultdict(list)
    rides: defaultdict[tuple[str, int], list[tuple[float, Carpool, str | None]]] = defaultdict(list)
    for carpool in carpools:
        day = local_day_of(carpool)
        drives[carpool.driver, day].append((carpool.end_at.timestamp(), carpool, None))
        for ride in carpool.rides:
            rides[ride.passenger, day].append((carpool.end_at.timestamp(), carpool, ride.id))
    for days in (drives, rides):
        for outings in days.values():
            if len(outings) > TRIPS_A_DAY:
                outings.sort(key=lambda one: (one[0], one[1].id))
                for number, (_end, carpool, ride_id) in enumerate(outings[TRIPS_A_DAY:], TRIPS_A_DAY + 1):
                    yield Label(Code.TOO_MANY_TRIPS, carpool.id, ride_id, {"number": number})
