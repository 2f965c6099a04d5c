"""Timetables typed as printed tables, and random ones that hold every trap at once."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from routing.gtfs.feed import make_feed
from routing.journeys.journey import Journey, TransitLeg
from routing.journeys.query import JourneyQuery, StopPlace
from routing.journeys.router import plan
from routing.network.compile import make_timetable
from routing.network.timetable import Timetable

DAY = date(2026, 11, 24)  # a Tuesday
PARIS = ZoneInfo("Europe/Paris")

Table = dict[str, list[object]]


def instant(clock: str, day: date = DAY, zone: ZoneInfo = PARIS) -> int:
    """The instant of a clock time `07:30` or `07:30:15` on a day; `24:10` is in the night after."""
    parts = [int(part) for part in clock.split(":")]
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return int((midnight + timedelta(hours=parts[0])).timestamp()) + sum(
        part * unit for part, unit in zip(parts[1:], (60, 1), strict=False)
    )


def timetable(
    text: str,
    *,
    walks: Mapping[tuple[str, str], int] | None = None,
    change_min: int | None = None,
    changes: Mapping[str, int] | None = None,
    modes: Mapping[str, int] | None = None,
    extra: Mapping[str, Mapping[str, Sequence[object]]] | None = None,
    trip_columns: Mapping[str, Mapping[str, object]] | None = None,
) -> Timetable:
    """The timetable of a printed table: a head of stops, then a line of times per trip, blank where it does not stop.

    Stops are 50 km apart. `walks` are minutes from stop to stop, `changes` minutes at a stop (`change_min`
    at all of them), `modes` the route type of a line (3 unless told). `extra` adds or replaces whole
    tables, `trip_columns` adds columns to trips by name of the line.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    starts = _word_starts(lines[0])
    stops = [lines[0][at:].split()[0] for at in starts][1:]
    rows = [(line, [_cell(line, at) for at in starts]) for line in lines[1:]]
    names = list(dict.fromkeys(cells[0] for _, cells in rows))
    trips: Table = {"route_id": [], "service_id": [], "trip_id": []}
    times: Table = {"trip_id": [], "stop_id": [], "stop_sequence": [], "arrival_time": [], "departure_time": []}
    for number, (_, cells) in enumerate(rows):
        trip = f"{cells[0]}-{number}"
        trips["route_id"].append(cells[0])
        trips["service_id"].append("daily")
        trips["trip_id"].append(trip)
        for position, (stop, cell) in enumerate(zip(stops, cells[1:], strict=True)):
            if cell:
                arrival, _, departure = cell.partition("-")
                times["trip_id"].append(trip)
                times["stop_id"].append(stop)
                times["stop_sequence"].append(position)
                times["arrival_time"].append(f"{arrival}:00" if arrival.count(":") == 1 else arrival)
                departure = departure or arrival
                times["departure_time"].append(f"{departure}:00" if departure.count(":") == 1 else departure)
    for column, values in (trip_columns or {}).items():
        trips[column] = [values.get(str(line)) for line in trips["route_id"]]
    transfers: Table = {"from_stop_id": [], "to_stop_id": [], "transfer_type": [], "min_transfer_time": []}
    at_stops = {stop: change_min for stop in dict.fromkeys(stops) if change_min is not None} | dict(changes or {})
    for pair, minutes in [*((one, one) for one in ()), *(walks or {}).items()]:
        _add(transfers, pair[0], pair[1], 2, minutes * 60)
    for stop, minutes in at_stops.items():
        _add(transfers, stop, stop, 2, minutes * 60)
    tables: dict[str, Mapping[str, Sequence[object]]] = {
        "agency": _agency(),
        "stops": _stops(list(dict.fromkeys(stops))),
        "routes": {
            "route_id": names,
            "route_short_name": names,
            "route_type": [(modes or {}).get(name, 3) for name in names],
        },
        "trips": trips,
        "stop_times": times,
        "calendar_dates": _calendar(["daily"], [[True] * 7]),
    }
    if transfers["from_stop_id"]:
        tables["transfers"] = transfers
    tables.update(extra or {})
    return make_timetable(make_feed("world", tables))


def search(
    world: Timetable, origin: str, destination: str, at: str, *, window_min: int = 0, **wishes: object
) -> list[Journey]:
    """The journeys between two stops by name."""
    query = JourneyQuery(
        StopPlace(world.get_stop(origin)),
        StopPlace(world.get_stop(destination)),
        instant(at),
        window_s=window_min * 60,
        **wishes,
    )
    return list(plan(world, query).journeys)


def told(world: Timetable, journeys: list[Journey]) -> list[str]:
    """Each journey in words: `Gare 07:10 (12) Halle 07:18, 07:20 (40) Lycee 07:26`."""
    return [_told(world, journey) for journey in journeys]


def _told(world: Timetable, journey: Journey) -> str:
    words: list[str] = []
    before = None
    for leg in journey.legs:
        if isinstance(leg, TransitLeg):
            origin, destination = leg.calls[0].stop, leg.calls[-1].stop
            line = world.texts[world.route_short_name[world.trip_route[leg.trip]]]
            start = "" if origin == before else f"{world.stop_id[origin]} "
            seated = "~" if leg.stay_seated else ""
            words.append(
                f"{start}{_clock(leg.departure)} ({seated}{line}) {world.stop_id[destination]} {_clock(leg.arrival)}"
            )
            before = destination
    return ", ".join(words)


def _clock(moment: int) -> str:
    return datetime.fromtimestamp(moment, PARIS).strftime("%H:%M")


def _word_starts(line: str) -> list[int]:
    return [at for at, char in enumerate(line) if char != " " and (at == 0 or line[at - 1] == " ")]


def _cell(line: str, at: int) -> str:
    text = line[at:] if at < len(line) else ""
    return "" if not text or text[0] == " " else text.split()[0]


def _agency() -> dict[str, list[object]]:
    return {
        "agency_id": ["a"],
        "agency_name": ["A"],
        "agency_url": ["https://example.org"],
        "agency_timezone": ["Europe/Paris"],
    }


def _stops(names: list[str]) -> dict[str, list[object]]:
    return {
        "stop_id": list(names),
        "stop_name": list(names),
        "stop_lat": [45.0 + 0.45 * i for i in range(len(names))],
        "stop_lon": [5.0] * len(names),
    }


def _calendar(services: list[str], runs: list[list[bool]]) -> Table:
    """Days from three before DAY on."""
    dates: Table = {"service_id": [], "date": [], "exception_type": []}
    for service, on in zip(services, runs, strict=True):
        for i, yes in enumerate(on):
            if yes:
                dates["service_id"].append(service)
                dates["date"].append(DAY + timedelta(days=i - 3))
                dates["exception_type"].append(1)
    return dates


def _add(transfers: Table, one: str, other: str, kind: int, seconds: int) -> None:
    for column, value in zip(transfers, (one, other, kind, seconds), strict=True):
        transfers[column].append(value)


def random_world(seed: int) -> Timetable:
    """A small world with every trap: overtaking, nights, loops, equal times, hops of no time, walks in chains,
    transfers of all types between stops, routes and trips, blocks, frequencies, stations, closed doors,
    two zones, trips of days ago.
    """
    draw = random.Random(seed)
    n_stops, n_routes = draw.randint(3, 8), draw.randint(1, 5)
    stops = [f"S{i}" for i in range(n_stops)]
    stop_table = _stops(stops)
    stop_table["wheelchair_boarding"] = [draw.choice((0, 0, 1, 2)) for _ in stops]
    stop_table["location_type"] = [0] * n_stops
    stop_table["parent_station"] = [""] * n_stops
    if draw.random() < 0.3:
        stop_table["stop_id"].append("station")
        stop_table["stop_name"].append("Station")
        stop_table["stop_lat"].append(stop_table["stop_lat"][0])
        stop_table["stop_lon"].append(stop_table["stop_lon"][0])
        stop_table["wheelchair_boarding"].append(0)
        stop_table["location_type"].append(1)
        stop_table["parent_station"].append("")
        stop_table["parent_station"][0] = stop_table["parent_station"][1] = "station"
        stop_table["stop_lat"][1] = 45.0005
    zones = ["Europe/Paris", draw.choice(("Europe/Paris", "Europe/Lisbon"))]
    routes = [f"R{i}" for i in range(n_routes)]
    services = ["s0", "s1", "s2"]
    runs = [[draw.random() < 0.8 for _ in range(7)] for _ in services]
    trips: Table = {
        name: [] for name in ("route_id", "service_id", "trip_id", "block_id", "wheelchair_accessible", "bikes_allowed")
    }
    times: Table = {
        name: []
        for name in (
            "trip_id",
            "stop_id",
            "stop_sequence",
            "arrival_time",
            "departure_time",
            "pickup_type",
            "drop_off_type",
        )
    }
    step = draw.choice((60, 60, 300, 37))
    shut = draw.choice((0.0, 0.0, 0.15))
    for route in routes:
        length = draw.randint(2, 6)
        way = [draw.choice(stops) for _ in range(length)]
        for _ in range(draw.randint(1, 6)):
            number = len(trips["trip_id"])
            part = way if draw.random() < 0.7 else way[:: draw.choice((1, -1))][: draw.randint(2, length)]
            begin = draw.choice((0, 300, 420, 420, 480, 1380, 1430, 1500, 3400)) * 60 + draw.randint(0, 30) * step
            block = draw.choice(("", "", "b0", "b1"))
            for name, value in (
                ("route_id", route),
                ("service_id", draw.choice(services)),
                ("trip_id", f"t{number}"),
                ("block_id", block),
                ("wheelchair_accessible", draw.choice((0, 1, 1, 2))),
                ("bikes_allowed", draw.choice((0, 1, 1, 2))),
            ):
                trips[name].append(value)
            clock = begin
            for position, stop in enumerate(part):
                arrival = clock
                clock += draw.choice((0, 0, 1, 5)) * step
                for name, value in (
                    ("trip_id", f"t{number}"),
                    ("stop_id", stop),
                    ("stop_sequence", position),
                    ("arrival_time", arrival),
                    ("departure_time", clock),
                    ("pickup_type", draw.choice((1, 2)) if draw.random() < shut else 0),
                    ("drop_off_type", draw.choice((1, 3)) if draw.random() < shut else 0),
                ):
                    times[name].append(value)
                clock += draw.choice((0, 1, 2, 5, 10)) * step
    n_trips = len(trips["trip_id"])
    transfers: Table = {
        name: []
        for name in (
            "from_stop_id",
            "to_stop_id",
            "transfer_type",
            "min_transfer_time",
            "from_route_id",
            "to_route_id",
            "from_trip_id",
            "to_trip_id",
        )
    }
    names = stop_table["stop_id"]
    for _ in range(draw.randint(0, 8)):
        kind = draw.choice((0, 1, 2, 2, 2, 3, 4, 5))
        one = draw.choice(names)
        other = one if draw.random() < 0.3 else draw.choice(names)
        named = draw.random() < 0.35 or kind >= 4
        trip_one, trip_other = draw.randrange(n_trips), draw.randrange(n_trips)
        by_trip = kind >= 4 or draw.random() < 0.5
        row = (
            one,
            other,
            kind,
            draw.choice((0, 60, 180, 600)) if kind == 2 else None,
            draw.choice(routes) if named and not by_trip and draw.random() < 0.8 else "",
            draw.choice(routes) if named and not by_trip and draw.random() < 0.8 else "",
            f"t{trip_one}" if named and by_trip else "",
            f"t{trip_other}" if named and by_trip and (kind >= 4 or draw.random() < 0.8) else "",
        )
        for name, value in zip(transfers, row, strict=True):
            transfers[name].append(value)
    frequencies: Table = {"trip_id": [], "start_time": [], "end_time": [], "headway_secs": [], "exact_times": []}
    for trip in draw.sample(range(n_trips), min(n_trips, draw.choice((0, 0, 1, 2)))):
        start = draw.choice((300, 420, 1400)) * 60
        row = (f"t{trip}", start, start + draw.randint(1, 4) * 1800, draw.choice((900, 1500)), draw.choice((0, 1)))
        for name, value in zip(frequencies, row, strict=True):
            frequencies[name].append(value)
    feed = make_feed(
        "world",
        {
            "agency": {
                "agency_id": ["a", "b"],
                "agency_name": ["A", "B"],
                "agency_url": ["https://example.org"] * 2,
                "agency_timezone": zones,
            },
            "stops": stop_table,
            "routes": {
                "route_id": routes,
                "agency_id": [draw.choice(("a", "b")) for _ in routes],
                "route_short_name": routes,
                "route_type": [draw.choice((0, 2, 3)) for _ in routes],
            },
            "trips": trips,
            "stop_times": times,
            "calendar_dates": _calendar(services, runs),
            "transfers": transfers,
            **({"frequencies": frequencies} if frequencies["trip_id"] else {}),
        },
    )
    return make_timetable(feed)
