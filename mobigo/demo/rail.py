"""Rail: the trains and TER coaches of the region, real in all but their times.

Lines, stations and the number of trips each way come from the facts; departures
are drawn from a profile of the day. The tables imitate the shape of SNCF's feed:
the mode stands in the stop id alone, the days in `calendar_dates` alone.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import ceil

from mobigo.demo import labels
from mobigo.demo.calendar import WEEKDAYS, DayKind
from mobigo.demo.chance import whole_between
from mobigo.demo.facts import Departures, Facts, RailPattern
from mobigo.demo.labels import Edition
from mobigo.demo.tables import Table, Tables

SOURCE_ID = "rail-demo"
DIJON, BESANCON = "87713040", "87718007"

# Departures over the day: (from, to, share).
_DAY_PROFILE = (
    (4 * 3600, 7 * 3600, 0.12),
    (7 * 3600, 9 * 3600, 0.20),
    (9 * 3600, 16 * 3600, 0.32),
    (16 * 3600, 19 * 3600, 0.26),
    (19 * 3600, 23 * 3600, 0.10),
)
_JITTER_MIN = 3
_HEADWAY_S = 300  # between two trips of one line that way, at every stop they share
_DWELL_S, _LONG_DWELL_S = 60, 180
_COACH_KMH = 90  # a usual time over a short hop may be rounded below what a coach can do
_FIRST_NUMBER = 900_001  # above every number of a real train


class Days(StrEnum):
    """The days on which one timetable runs."""

    WEEKDAY = "weekday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"

    @property
    def kinds(self) -> frozenset[DayKind]:
        """The kinds of day that it covers."""
        return WEEKDAYS if self is Days.WEEKDAY else frozenset({DayKind(self.value)})


@dataclass(frozen=True, slots=True)
class RailTrip:
    """One train or TER coach. `stops[i]` is reached at `arrivals_s[i]`, left at `departures_s[i]`."""

    number: int
    line_code: str
    mode: str  # train, coach, tgv
    direction: int  # 0 or 1, the same way for all patterns of a line
    days: Days
    stops: tuple[str, ...]  # uic8
    arrivals_s: tuple[int, ...]
    departures_s: tuple[int, ...]


def day_quantile_s(share: float, first_s: int, last_s: int) -> int:
    """The time by which `share` of the day's departures between `first_s` and `last_s` have left."""
    bands = [(max(start, first_s), min(end, last_s), (end - start) / part) for start, end, part in _DAY_PROFILE]
    bands = [(start, end, spread) for start, end, spread in bands if end > start]
    if not bands:
        return first_s
    left = share * sum((end - start) / spread for start, end, spread in bands)
    for start, end, spread in bands:
        weight = (end - start) / spread
        if left <= weight:
            return round(start + left * spread)
        left -= weight
    return bands[-1][1]


def _wished_departures(n: int, way: Departures, seed: int, *key: str | int) -> list[int]:
    """`n` departures in whole minutes, before trips of one line are kept apart."""
    first_s, last_s = way.first_s, way.last_s
    if last_s - first_s < (n - 1) * 2 * _HEADWAY_S:  # Saturday or Sunday may have more trips than the Tuesday
        first_s, last_s = min(first_s, 7 * 3600), max(last_s, 19 * 3600)
    wished = []
    for k in range(n):
        minute = round(day_quantile_s((k + 0.5) / n, first_s, last_s) / 60)
        wished.append(60 * (minute + whole_between(-_JITTER_MIN, _JITTER_MIN, seed, "rail", *key, k)))
    return wished


def _hop_s(facts: Facts, one: str, other: str, mode: str) -> int:
    segment = facts.segments[one, other]
    minutes = segment.minutes.get(mode) or segment.minutes.get("train") or ceil(segment.km)
    if mode == "coach":
        minutes = max(minutes, ceil(segment.km * 60 / _COACH_KMH))
    return 60 * minutes


def running_times(facts: Facts, stops: Sequence[str], mode: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Arrivals and departures at `stops`, in seconds after the first departure."""
    arrivals, departures = [0], [0]
    for one, other in pairwise(stops):
        arrivals.append(departures[-1] + _hop_s(facts, one, other, mode))
        departures.append(arrivals[-1] + (_LONG_DWELL_S if other in (DIJON, BESANCON) else _DWELL_S))
    departures[-1] = arrivals[-1]
    return tuple(arrivals), tuple(departures)


class _LineTraffic:
    """When trips of one line leave each stop, so that the next one keeps its distance."""

    def __init__(self) -> None:
        self._taken: dict[tuple[object, ...], list[int]] = defaultdict(list)

    def _is_free(self, key: tuple[object, ...], at_s: int) -> bool:
        taken = self._taken[key]
        i = bisect_left(taken, at_s)
        return (i == 0 or at_s - taken[i - 1] >= _HEADWAY_S) and (i == len(taken) or taken[i] - at_s >= _HEADWAY_S)

    def place(self, key: tuple[object, ...], stops: Sequence[str], after_s: Sequence[int], wished_s: int) -> int:
        """The departure nearest to `wished_s` that is free at every stop; it is taken from now on."""
        for step in range(4 * 60):
            for start_s in (wished_s + 60 * step, wished_s - 60 * step):
                calls = [((*key, stop), start_s + after) for stop, after in zip(stops, after_s, strict=True)]
                if start_s >= 4 * 3600 and all(self._is_free(*call) for call in calls):
                    for where, at_s in calls:
                        insort(self._taken[where], at_s)
                    return start_s
        raise ValueError(f"no room for another trip: {key}")


def _same_way(one: Sequence[str], other: Sequence[str]) -> int:
    """How many pairs of stops two patterns have in the same order, less those in contrary order."""
    place = {stop: i for i, stop in enumerate(one)}
    shared = [place[stop] for stop in other if stop in place]
    return sum((b > a) - (b < a) for i, a in enumerate(shared) for b in shared[i + 1 :])


def oriented(patterns: Sequence[RailPattern]) -> list[bool]:
    """Whether `out` of each pattern of a line is the line's direction 0.

    The first pattern decides; another one that lists shared stations in the
    contrary order runs its `out` in direction 1.
    """
    sides: list[bool] = []
    for i, pattern in enumerate(patterns):
        score = sum(
            _same_way(before.stops, pattern.stops) * (1 if side else -1)
            for before, side in zip(patterns[:i], sides, strict=True)
        )
        sides.append(score >= 0)
    return sides


def rail_trips(facts: Facts, seed: int) -> tuple[RailTrip, ...]:
    """Every trip of the rail tables on a weekday, a Saturday and a Sunday."""
    by_line: dict[str, list[RailPattern]] = defaultdict(list)
    for pattern in facts.patterns:
        by_line[pattern.line_code].append(pattern)
    side = {
        (pattern.line_code, pattern.mode, pattern.variant): straight
        for patterns in by_line.values()
        for pattern, straight in zip(patterns, oriented(patterns), strict=True)
    }
    traffic = _LineTraffic()
    trips: list[RailTrip] = []
    for pattern in facts.patterns:
        key = (pattern.line_code, pattern.mode, pattern.variant)
        for way_name, way, stops in (("out", pattern.out, pattern.stops), ("back", pattern.back, pattern.stops[::-1])):
            arrivals, departures = running_times(facts, stops, pattern.mode)
            direction = int(side[key] != (way_name == "out"))
            for days, n in zip(Days, (way.tuesday, way.saturday, way.sunday), strict=True):
                for wished_s in _wished_departures(n, way, seed, *key, way_name, days):
                    lane = (pattern.line_code, direction, days)
                    start_s = traffic.place(lane, stops, departures, wished_s)
                    trips.append(
                        RailTrip(
                            number=_FIRST_NUMBER + len(trips),
                            line_code=pattern.line_code,
                            mode=pattern.mode,
                            direction=direction,
                            days=days,
                            stops=stops,
                            arrivals_s=tuple(start_s + after for after in arrivals),
                            departures_s=tuple(start_s + after for after in departures),
                        )
                    )
    return tuple(trips)


# --- the tables --------------------------------------------------------------------------

_AGENCY_ID = "1187"
_STOP_PREFIX = {"train": "OCETrain TER", "coach": "OCECar TER", "tgv": "OCETGV INOUI"}
_COLOURS = ("00538B", "8A1538", "00665E", "6B3D8F", "9A3B00", "2F5D1E", "7A1F5C", "1F3A93")
SERVICE_IDS = {Days.WEEKDAY: "TER-LMMJV", Days.SATURDAY: "TER-S", Days.SUNDAY: "TER-DF"}


def station_id(uic8: str) -> str:
    """The id of a station, shared by every feed that speaks of it."""
    return f"StopArea:OCE{uic8}"


def stop_point_id(uic8: str, mode: str) -> str:
    """The id of the stop point of one commercial mode in a station."""
    return f"StopPoint:{_STOP_PREFIX[mode]}-{uic8}"


def route_id(line_code: str, mode: str, modes_of_line: Iterable[str]) -> str:
    """The id of a line; its coaches have a line of their own beside its trains."""
    beside = mode == "coach" and set(modes_of_line) != {"coach"}
    return f"FR:Line::{line_code}{'-CAR' if beside else ''}:"


def _stops(facts: Facts, trips: Sequence[RailTrip]) -> Table:
    modes: dict[str, set[str]] = defaultdict(set)
    for trip in trips:
        for uic8 in trip.stops:
            modes[uic8].add(trip.mode)
    table = Table(("stop_id", "stop_name", "stop_desc", "stop_lat", "stop_lon", "location_type", "parent_station"))
    for uic8, station in facts.stations.items():
        if uic8 not in modes:
            continue
        table.add(station_id(uic8), station.name, None, station.at.lat, station.at.lon, 1, None)
        for mode in sorted(modes[uic8]):
            point = stop_point_id(uic8, mode)
            table.add(point, station.name, None, station.at.lat, station.at.lon, 0, station_id(uic8))
    return table


def _modes_by_line(patterns: Iterable[RailPattern]) -> Mapping[str, dict[str, str]]:
    """Line -> its modes -> the line's name, in the tables' order."""
    modes: dict[str, dict[str, str]] = {}
    for pattern in patterns:
        modes.setdefault(pattern.line_code, {})[pattern.mode] = pattern.line_name
    return modes


def _routes(facts: Facts, trips: Sequence[RailTrip]) -> Table:
    table = Table(
        (
            "route_id",
            "agency_id",
            "route_short_name",
            "route_long_name",
            "route_desc",
            "route_type",
            "route_color",
            "route_text_color",
        )
    )
    used = {(trip.line_code, trip.mode) for trip in trips}
    for i, (line_code, modes) in enumerate(_modes_by_line(facts.patterns).items()):
        for mode, name in modes.items():
            if (line_code, mode) not in used:
                continue
            short_name = "TGV" if mode == "tgv" else line_code
            by_coach = mode == "coach" and len(modes) > 1
            table.add(
                route_id(line_code, mode, modes),
                _AGENCY_ID,
                short_name,
                f"{name} (par car)" if by_coach else name,
                labels.REAL_LINE,
                3 if mode == "coach" else 2,
                _COLOURS[i % len(_COLOURS)],
                "FFFFFF",
            )
    return table


def rail_tables(edition: Edition, trips: Sequence[RailTrip]) -> Tables:
    """The rail feed of `trips`, fares aside."""
    facts, window = edition.facts, edition.window
    agency = Table(("agency_id", "agency_name", "agency_url", "agency_timezone", "agency_lang"))
    agency.add(_AGENCY_ID, labels.agency_name("SNCF Voyageurs"), labels.SITE_URL, "Europe/Paris", "fr")
    calendar_dates = Table(("service_id", "date", "exception_type"))
    for days in Days:
        for day in window.days(days.kinds):
            calendar_dates.add(SERVICE_IDS[days], day, 1)
    run = set(calendar_dates.texts("service_id"))
    trips = [trip for trip in trips if SERVICE_IDS[trip.days] in run]
    trip_table = Table(("route_id", "service_id", "trip_id", "trip_headsign", "trip_short_name", "direction_id"))
    stop_times = Table(
        ("trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence", "pickup_type", "drop_off_type")
    )
    modes_by_line = _modes_by_line(facts.patterns)
    for trip in trips:
        trip_id = f"OCESN{trip.number}"
        headsign = facts.stations[trip.stops[-1]].name
        line = route_id(trip.line_code, trip.mode, modes_by_line[trip.line_code])
        trip_table.add(line, SERVICE_IDS[trip.days], trip_id, headsign, str(trip.number), trip.direction)
        last = len(trip.stops) - 1
        for i, uic8 in enumerate(trip.stops):
            point = stop_point_id(uic8, trip.mode)
            times = trip.arrivals_s[i], trip.departures_s[i]
            stop_times.add(trip_id, *times, point, i, int(i == last), int(i == 0))
    return {
        "agency": agency,
        "stops": _stops(facts, trips),
        "routes": _routes(facts, trips),
        "trips": trip_table,
        "stop_times": stop_times,
        "calendar_dates": calendar_dates,
        "transfers": Table(("from_stop_id", "to_stop_id", "transfer_type", "min_transfer_time")),
        "feed_info": labels.feed_info(edition),
        "attributions": labels.attributions("sncf"),
    }
