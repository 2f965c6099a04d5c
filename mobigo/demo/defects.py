"""Defects: the faults that real producers' feeds have, put on purpose into the demonstration.

Each has a code, the source and the objects that bear it, and the code of the finding
that tells it: of the rule that mends it, of the merge, or of the canonical validator.
The manifest lists them; `--clean` leaves them all out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from mobigo.demo import labels, rail
from mobigo.demo.chance import fraction
from mobigo.demo.coaches.tables import AGENCY_ID as COACH_AGENCY_ID
from mobigo.demo.coaches.tables import SOURCE_ID as COACHES
from mobigo.demo.coaches.times import Runs
from mobigo.demo.labels import Edition
from mobigo.demo.rail import SOURCE_ID as RAIL
from mobigo.demo.rail import Days, RailTrip
from mobigo.demo.tables import Row, Table, Tables, Value
from mobigo.demo.urban.plans import DIJON, SUNDAY
from mobigo.demo.urban.tables import service_id

COLLIDING_SERVICE = "000001"
N_ZERO_HOPS = 40
REPLACEMENT_LINES = ("P36", "P88")  # TER coaches that both feeds tell of


@dataclass(frozen=True, slots=True)
class Defect:
    """One fault: what it is, where, which objects bear it, and the finding that tells it."""

    code: str
    source_id: str
    objects: tuple[str, ...]
    found_as: str


Sources = dict[str, Tables]
_Maker = Callable[[Sources, Edition, tuple[RailTrip, ...]], list[Defect]]


def add_defects(
    sources: Mapping[str, Tables], edition: Edition, trips: tuple[RailTrip, ...]
) -> tuple[Sources, tuple[Defect, ...]]:
    """The same sources with their faults, and the list of these."""
    marred: Sources = {source_id: dict(tables) for source_id, tables in sources.items()}
    return marred, tuple(defect for make in _MAKERS for defect in make(marred, edition, trips))


def _drawn(ids: list[str], n: int, edition: Edition, kind: str) -> tuple[str, ...]:
    """`n` of `ids`, the same whatever stands beside them."""
    return tuple(sorted(ids, key=lambda each: fraction(edition.seed, f"defect-{kind}", each))[:n])


def _at(table: Table, name: str) -> int:
    return table.columns.index(name)


def _with_rows(table: Table, change: Callable[[Row], Row]) -> Table:
    return Table(table.columns, [change(row) for row in table.rows])


def _renamed(table: Table, column: str, new: Mapping[Value, Value]) -> Table:
    return table.changed(column, lambda value: new.get(value, value))


def _put(table: Table, row: Row, **values: Value) -> Row:
    changed = list(row)
    for name, value in values.items():
        changed[_at(table, name)] = value
    return tuple(changed)


def _church_stops(sources: Sources) -> list[str]:
    """Coach stops that are not their commune's only one."""
    return [stop for stop in sources[COACHES]["stops"].texts("stop_id") if stop.endswith("-eglise")]


def _stops_at_zero(sources: Sources, edition: Edition, _trips: object) -> list[Defect]:
    """Three stop points that know not where they are; their stations do."""
    points = [stop for stop in sources[RAIL]["stops"].texts("stop_id") if stop.startswith("StopPoint:OCECar")]
    stops = _drawn(points, 3, edition, "zero")
    sources[RAIL]["stops"] = _at_zero(sources[RAIL]["stops"], stops)
    return [Defect("stop_at_zero", RAIL, stops, "places.zero")]


def _at_zero(table: Table, stops: tuple[str, ...]) -> Table:
    stop_id = _at(table, "stop_id")
    return _with_rows(table, lambda row: _put(table, row, stop_lat=0.0, stop_lon=0.0) if row[stop_id] in stops else row)


def _stop_swapped(sources: Sources, edition: Edition, _trips: object) -> list[Defect]:
    stops = _drawn(_church_stops(sources), 1, edition, "swapped")
    table = sources[COACHES]["stops"]
    lat, lon = _at(table, "stop_lat"), _at(table, "stop_lon")
    sources[COACHES]["stops"] = _with_rows(
        table,
        lambda row: (
            _put(table, row, stop_lat=row[lon], stop_lon=row[lat]) if row[_at(table, "stop_id")] in stops else row
        ),
    )
    return [Defect("stop_swapped", COACHES, stops, "places.swapped")]


def _zero_hops(sources: Sources, edition: Edition, _trips: object) -> list[Defect]:
    """In forty trips the second stop is passed in the same minute as the first."""
    table = sources[DIJON.source_id]["stop_times"]
    trip, sequence = _at(table, "trip_id"), _at(table, "stop_sequence")
    arrival = _at(table, "arrival_time")
    short = [
        str(one[trip])
        for one, other in pairwise(table.rows)
        if one[sequence] == 0 and int(str(other[arrival])) - int(str(one[arrival])) == 60
    ]
    trips = _drawn(short, N_ZERO_HOPS, edition, "zero-hop")
    chosen, starts = set(trips), {row[trip]: row[arrival] for row in table.rows if row[sequence] == 0}

    def change(row: Row) -> Row:
        if row[sequence] != 1 or row[trip] not in chosen:
            return row
        return _put(table, row, arrival_time=starts[row[trip]], departure_time=starts[row[trip]])

    sources[DIJON.source_id]["stop_times"] = _with_rows(table, change)
    return [Defect("zero_minute_hop", DIJON.source_id, trips, "times.zero_hop")]


def _number_headsigns(sources: Sources, _edition: Edition, _trips: object) -> list[Defect]:
    table = sources[RAIL]["trips"]
    head, short = _at(table, "trip_headsign"), _at(table, "trip_short_name")
    columns = tuple(name for name in table.columns if name != "trip_short_name")
    rows = [(*row[:head], row[short], *row[short + 1 :]) for row in table.rows]
    sources[RAIL]["trips"] = Table(columns, rows)
    return [Defect("number_as_headsign", RAIL, ("trips.txt",), "structure.headsign")]


def _coaches_as_trains(sources: Sources, _edition: Edition, _trips: object) -> list[Defect]:
    """Coaches of lines that also have trains run under the trains' route."""
    tables = sources[RAIL]
    own = [route for route in tables["routes"].texts("route_id") if route.endswith("-CAR:")]
    into: dict[Value, Value] = {route: route.replace("-CAR:", ":") for route in own}
    for stem in ("routes", "route_networks"):
        tables[stem] = tables[stem].kept("route_id", lambda route: route not in into)
    tables["trips"] = _renamed(tables["trips"], "route_id", into)
    return [Defect("coach_under_train_route", RAIL, tuple(map(str, into.values())), "modes.from_stop_id")]


def _colliding_services(sources: Sources, _edition: Edition, _trips: object) -> list[Defect]:
    """One service id in three feeds, of different days in each."""
    renamed = {
        RAIL: rail.SERVICE_IDS[Days.SATURDAY],
        COACHES: str(Runs.WEEKDAY),
        DIJON.source_id: service_id(DIJON, SUNDAY),
    }
    for source_id, before in renamed.items():
        for stem in ("trips", "calendar", "calendar_dates"):
            if stem in sources[source_id]:
                sources[source_id][stem] = _renamed(sources[source_id][stem], "service_id", {before: COLLIDING_SERVICE})
    return [
        Defect("colliding_service", source_id, (COLLIDING_SERVICE,), "services_kept_apart") for source_id in renamed
    ]


def _replacement_lines(sources: Sources, edition: Edition, trips: tuple[RailTrip, ...]) -> list[Defect]:
    """The coach feed tells of two TER coach lines too, with stops and trips of its own."""
    tables, stations = sources[COACHES], edition.facts.stations
    stops, routes = _copy(tables, "stops"), _copy(tables, "routes")
    trip_table, stop_times = _copy(tables, "trips"), _copy(tables, "stop_times")
    service = {Days.WEEKDAY: Runs.WEEKDAY, Days.SATURDAY: Runs.SATURDAY, Days.SUNDAY: Runs.SUNDAY}
    there = set(tables["calendar_dates"].texts("service_id"))
    known: set[str] = set()
    for line_code in REPLACEMENT_LINES:
        name = next(pattern.line_name for pattern in edition.facts.patterns if pattern.line_code == line_code)
        route = f"TER-{line_code}"
        routes.rows.append((route, COACH_AGENCY_ID, line_code, name, labels.REAL_LINE, 3, "555555", "FFFFFF"))
        for trip in trips:
            if trip.line_code != line_code or service[trip.days] not in there:
                continue
            trip_id = f"{route}-{trip.number}"
            last = stations[trip.stops[-1]].name
            trip_table.add(route, str(service[trip.days]), trip_id, last, trip.direction, None, 0)
            for i, uic8 in enumerate(trip.stops):
                station = stations[uic8]
                if uic8 not in known:
                    known.add(uic8)
                    stops.add(f"GARE-{uic8}", station.name, None, *station.at, 0, 0)
                times = trip.arrivals_s[i], trip.departures_s[i]
                stop_times.add(trip_id, *times, f"GARE-{uic8}", i, None)
    tables |= {"stops": stops, "routes": routes, "trips": trip_table, "stop_times": stop_times}
    return [
        Defect("line_in_two_feeds", COACHES, tuple(f"TER-{code}" for code in REPLACEMENT_LINES), "stop_joins_station")
    ]


def _copy(tables: Tables, stem: str) -> Table:
    return Table(tables[stem].columns, list(tables[stem].rows))


def _expired_service(sources: Sources, edition: Edition, _trips: object) -> list[Defect]:
    """A service of a fortnight before, and one trip that still belongs to it."""
    tables, service = sources[COACHES], "CAR-ANCIEN"
    dates, trips, stop_times = (_copy(tables, stem) for stem in ("calendar_dates", "trips", "stop_times"))
    for day in range(5):
        dates.add(service, edition.window.start - timedelta(days=14 - day), 1)
    model = trips.rows[0]
    trip_id = _at(trips, "trip_id")
    copied = f"{model[trip_id]}-ANCIEN"
    trips.rows.append(_put(trips, model, trip_id=copied, service_id=service))
    of_model = [row for row in stop_times.rows if row[_at(stop_times, "trip_id")] == model[trip_id]]
    stop_times.rows += [_put(stop_times, row, trip_id=copied) for row in of_model]
    tables |= {"calendar_dates": dates, "trips": trips, "stop_times": stop_times}
    return [Defect("expired_service", COACHES, (service,), "service_window_outside_feed_period")]


def _accented_id(sources: Sources, edition: Edition, _trips: object) -> list[Defect]:
    old = _drawn(_church_stops(sources), 2, edition, "swapped")[1]  # the next one after the swapped one
    new = old.replace("-eglise", "-église")
    for stem in ("stops", "stop_times"):
        sources[COACHES][stem] = _renamed(sources[COACHES][stem], "stop_id", {old: new})
    return [Defect("id_not_ascii", COACHES, (new,), "non_ascii_or_non_printable_char")]


def _route_without_trips(sources: Sources, _edition: Edition, _trips: object) -> list[Defect]:
    routes, route = _copy(sources[COACHES], "routes"), "D116"
    name = labels.fictitious("Ligne sans course")
    routes.add(route, COACH_AGENCY_ID, route, name, labels.FICTITIOUS_LINE, 3, "555555", "FFFFFF")
    sources[COACHES]["routes"] = routes
    return [Defect("route_without_trips", COACHES, (route,), "structure.orphans")]


_MAKERS: tuple[_Maker, ...] = (
    _stops_at_zero,
    _stop_swapped,
    _zero_hops,
    _number_headsigns,
    _coaches_as_trains,
    _replacement_lines,
    _colliding_services,
    _expired_service,
    _accented_id,
    _route_without_trips,
)
