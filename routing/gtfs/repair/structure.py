"""Structure: stations nobody drew, rows nobody needs, names that are numbers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from routing.gtfs.feed import LINE, Feed
from routing.gtfs.feed.names import fold_name
from routing.gtfs.read.notes import EXAMPLES, Notes
from routing.gtfs.read.references import ids_of_space
from routing.gtfs.schema import TABLES
from socle.errors import Fact
from socle.findings import Severity
from socle.geo import LatLon, distance_m

SAME_STATION_M = 150.0
_TRAIN_NUMBER = r"^[0-9]{3,7}$"
_NONSENSE = {"", "-", "--", "inconnu", "ocedefault", "default", "n/a", "null", "none"}
_EN_DASH = " – "


def drop_orphans(feed: Feed, notes: Notes) -> Feed:
    """structure.orphans: trips that call nowhere; routes, services, shapes without trips; stops nobody serves."""
    feed = _kept(feed, "trips", _used_rows(feed, "trip", "trips"), notes)
    trips = feed.tables["trips"]
    for name, column in (("routes", "route_id"), ("calendar", "service_id"), ("calendar_dates", "service_id")):
        if name in feed.tables:
            feed = _kept(
                feed,
                name,
                _is_in(feed, name, column, _service_users(feed) if column == "service_id" else trips[column]),
                notes,
            )
    if "shapes" in feed.tables and "shape_id" in trips.columns:
        feed = _kept(feed, "shapes", _is_in(feed, "shapes", "shape_id", trips["shape_id"]), notes)
    return _kept(feed, "stops", _needed_stops(feed), notes)


def _used_rows(feed: Feed, column: str, table: str) -> NDArray[np.bool_]:
    used = np.zeros(feed.n_rows(table), bool)
    used[feed.tables["stop_times"][column].drop_nulls().to_numpy()] = True
    return used


def _service_users(feed: Feed) -> pl.Series:
    """Service ids that something other than a calendar refers to."""
    used = [feed.tables["trips"]["service_id"]]
    for name, column in (("timeframes", "service_id"), ("booking_rules", "prior_notice_service_id")):
        if name in feed.tables and column in feed.tables[name].columns:
            used.append(feed.tables[name][column])
    return pl.concat([ids.alias("service_id") for ids in used]).drop_nulls().unique()


def _is_in(feed: Feed, name: str, column: str, ids: pl.Series) -> NDArray[np.bool_]:
    return feed.tables[name][column].is_in(ids.unique().implode()).fill_null(value=True).to_numpy()


def _needed_stops(feed: Feed) -> NDArray[np.bool_]:
    """Stops that are called at or ridden to on demand, their stations, and the entrances and paths of those."""
    stops = feed.tables["stops"]
    needed = _used_rows(feed, "stop", "stops")
    if "location_group_stops" in feed.tables:
        needed |= _is_in(feed, "stops", "stop_id", feed.tables["location_group_stops"]["stop_id"])
    if "parent_station" not in stops.columns:
        return needed
    kind = (
        stops["location_type"].fill_null(0).to_numpy()
        if "location_type" in stops.columns
        else np.zeros(len(needed), int)
    )
    parents = stops["parent_station"]
    for _ in range(2):  # a boarding area stands on a platform, a platform in a station
        needed |= _is_in(feed, "stops", "stop_id", parents.filter(pl.Series(needed)).drop_nulls())
    in_needed = parents.is_in(stops["stop_id"].filter(pl.Series(needed)).implode()).fill_null(value=False).to_numpy()
    return needed | (in_needed & (kind >= 2))


def _kept(feed: Feed, name: str, keep: NDArray[np.bool_], notes: Notes) -> Feed:
    """`feed` with only the rows of `name` under `keep`, and without what refers to the others."""
    if keep.all():
        return feed
    frame = feed.tables[name]
    key = TABLES[name].key[0]
    gone = frame.filter(pl.Series(~keep)).unique(key, keep="first", maintain_order=True)
    told = [(line, {"id": identifier}) for line, identifier in gone.select(LINE, key).head(EXAMPLES).rows()]
    notes.add_rows(Severity.INFO, "structure.orphans", f"{name}.txt", told, gone.height)
    tables = {**feed.tables, name: frame.filter(pl.Series(keep))}
    row = (np.cumsum(keep) - 1).astype(np.int32)
    position = {"trips": "trip", "stops": "stop"}.get(name)
    if position is not None:
        times = tables["stop_times"]
        tables["stop_times"] = times.with_columns(pl.Series(row).gather(times[position]).alias(position))
    for table in TABLES.values():
        if table.name in {name, "stop_times"} or table.name not in tables:
            continue
        for column in table.columns.values():
            if (
                not column.refers
                or column.space != TABLES[name].columns[key].space
                or column.name not in tables[table.name].columns
            ):
                continue
            values = tables[table.name][column.name]
            known = values.is_null() | values.is_in(ids_of_space(tables, column.space).implode())
            if not known.all():
                tables[table.name] = tables[table.name].filter(known.fill_null(value=True))
    return feed.replace(tables)


def add_stations(feed: Feed, notes: Notes) -> Feed:
    """structure.parent: stops of one folded name, each at most 150 m from another, without a station, get one."""
    stops = feed.tables["stops"]
    wanted = {"stop_id": pl.String, "stop_name": pl.String, "stop_lat": pl.Float64, "stop_lon": pl.Float64}
    wanted |= {"location_type": pl.Int16, "parent_station": pl.String}
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in wanted.items() if name not in stops.columns]
    stops = stops.with_columns(missing)
    by_name: dict[str, list[int]] = defaultdict(list)
    plain = stops.select(*wanted).rows()
    for row, (_, name, lat, lon, kind, parent) in enumerate(plain):
        if not kind and parent is None and lat is not None and lon is not None and name:
            by_name[fold_name(name)].append(row)
    taken = set(stops["stop_id"])
    parents: dict[str, str] = {}
    stations: dict[str, list[object]] = {name: [] for name in wanted}
    lines: list[int] = []
    for rows in by_name.values():
        for group in _near([LatLon(plain[row][2], plain[row][3]) for row in rows]):
            members = [plain[rows[index]] for index in group]
            station = _free_id(f"station:{min(member[0] for member in members)}", taken)
            parents.update(dict.fromkeys((member[0] for member in members), station))
            lines.append(stops[LINE][rows[group[0]]])
            values = (station, _usual([m[1] for m in members]), _mean(members, 2), _mean(members, 3), 1, None)
            for column, value in zip(stations.values(), values, strict=True):
                column.append(value)
    if not parents:
        return feed
    sizes = Counter(parents.values())
    told: list[tuple[int, dict[str, Fact]]] = [
        (line, {"station": str(name), "n_stops": sizes[str(station)]})
        for line, station, name in zip(lines, stations["stop_id"], stations["stop_name"], strict=True)
    ]
    notes.add_rows(Severity.INFO, "structure.parent", "stops.txt", told, len(told))
    found = pl.col("stop_id").replace_strict(parents, default=None, return_dtype=pl.String)
    stops = stops.with_columns(pl.coalesce("parent_station", found))
    added = pl.DataFrame(stations, schema=wanted).with_columns(pl.Series(LINE, lines, pl.Int32))
    return feed.replace({"stops": pl.concat([stops, added], how="diagonal")})


def _near(places: Sequence[LatLon]) -> Iterator[list[int]]:
    """Groups of at least two places, each within reach of another of its group, in order of their first."""
    group_of = list(range(len(places)))
    for one, here in enumerate(places):
        for other in range(one):
            if group_of[one] != group_of[other] and distance_m(here, places[other]) <= SAME_STATION_M:
                low, high = sorted((group_of[one], group_of[other]))
                group_of = [low if group == high else group for group in group_of]
    for group in sorted(set(group_of)):
        members = [index for index, its in enumerate(group_of) if its == group]
        if len(members) > 1:
            yield members


def _free_id(wanted: str, taken: set[str]) -> str:
    while wanted in taken:
        wanted += "+"
    taken.add(wanted)
    return wanted


def _usual(names: Sequence[str]) -> str:
    """The name that most bear, the first in alphabet among equals."""
    counts = Counter(names)
    return min(counts, key=lambda name: (-counts[name], name))


def _mean(members: Sequence[Sequence[float]], index: int) -> float:
    return round(sum(member[index] for member in members) / len(members), 6)


def headsigns_from_last_station(feed: Feed, notes: Notes) -> Feed:
    """structure.headsign: a train number as headsign gives way to the last station, and becomes the short name."""
    trips = feed.tables["trips"]
    if "trip_headsign" not in trips.columns:
        return feed
    last = _end_names(feed)[1]
    numbered = trips["trip_headsign"].str.contains(_TRAIN_NUMBER).fill_null(value=False) & last.is_not_null()
    if not numbered.any():
        return feed
    before = trips["trip_headsign"]
    examples = zip(trips[LINE].filter(numbered), before.filter(numbered), last.filter(numbered), strict=True)
    facts = ((line, {"before": number, "after": name}) for line, number, name in examples)
    notes.add_rows(Severity.INFO, "structure.headsign", "trips.txt", facts, int(numbered.sum()))
    short = (
        trips["trip_short_name"]
        if "trip_short_name" in trips.columns
        else pl.Series([None] * trips.height, dtype=pl.String)
    )
    return feed.replace(
        {
            "trips": trips.with_columns(
                last.zip_with(numbered, before).alias("trip_headsign"),
                short.zip_with(~numbered | short.is_not_null(), before).alias("trip_short_name"),
            )
        }
    )


def _end_names(feed: Feed) -> tuple[pl.Series, pl.Series]:
    """For each trip the names of its first and last station, null when it calls nowhere."""
    stops, times = feed.tables["stops"], feed.tables["stop_times"]
    names = stops["stop_name"] if "stop_name" in stops.columns else pl.Series([None] * stops.height, dtype=pl.String)
    if "parent_station" in stops.columns:
        name_of = dict(zip(stops["stop_id"], names, strict=True))
        names = stops["parent_station"].replace_strict(name_of, default=None, return_dtype=pl.String).fill_null(names)
    rows = pl.int_range(feed.n_rows("trips"), dtype=pl.Int32, eager=True).to_frame("trip")
    ends = times.group_by("trip").agg(pl.col("stop").first().alias("first"), pl.col("stop").last().alias("last"))
    ends = rows.join(ends, on="trip", how="left", maintain_order="left")
    return names.gather(ends["first"]), names.gather(ends["last"])


def name_the_nameless(feed: Feed, notes: Notes) -> Feed:
    """structure.names: names that say nothing ("-", "INCONNU", "OCEdefault") give way to what is known.

    A route is then called by the ends of its usual trip, an agency by the one whose trips are the most.
    """
    return _name_agencies(_name_routes(feed, notes), notes)


def _says_nothing(names: pl.Series) -> pl.Series:
    return names.fill_null("").str.to_lowercase().str.strip_chars(" -").is_in([*_NONSENSE])


def _name_routes(feed: Feed, notes: Notes) -> Feed:
    routes, trips = feed.tables["routes"], feed.tables["trips"]
    columns = [name for name in ("route_short_name", "route_long_name") if name in routes.columns]
    silent = {name: _says_nothing(routes[name]) for name in columns}
    nameless = pl.Series([True] * routes.height, dtype=pl.Boolean)
    for mask in silent.values():
        nameless = nameless & mask
    written = [routes[name].is_not_null() & mask for name, mask in silent.items()]
    if not nameless.any() and not any(mask.any() for mask in written):
        return feed
    first, last = _end_names(feed)
    ends = pl.DataFrame({"route_id": trips["route_id"], "name": first + _EN_DASH + last}).drop_nulls()
    usual = ends.group_by("route_id").agg(pl.col("name").value_counts(sort=True).first().struct.field("name"))
    found = routes["route_id"].replace_strict(dict(usual.rows()), default=None, return_dtype=pl.String)
    changed = {
        name: routes[name].zip_with(~mask, pl.Series([None] * routes.height, dtype=pl.String))
        for name, mask in silent.items()
    }
    long_name = changed.get("route_long_name", pl.Series([None] * routes.height, dtype=pl.String))
    changed["route_long_name"] = found.zip_with(nameless, long_name)
    told = routes.filter(nameless)
    before = [" ".join(str(row[name] or "") for name in columns).strip() for row in told.iter_rows(named=True)]
    facts = (
        (line, {"before": was, "after": name or ""})
        for line, was, name in zip(told[LINE], before, found.filter(nameless), strict=True)
    )
    notes.add_rows(Severity.INFO, "structure.names", "routes.txt", facts, told.height)
    return feed.replace({"routes": routes.with_columns(series.alias(name) for name, series in changed.items())})


def _name_agencies(feed: Feed, notes: Notes) -> Feed:
    agency, routes = feed.tables["agency"], feed.tables["routes"]
    if "agency_name" not in agency.columns:
        return feed
    silent = _says_nothing(agency["agency_name"])
    if not silent.any() or silent.all() or "agency_id" not in routes.columns:
        return feed
    sizes = dict(routes["agency_id"].value_counts().rows())
    known = agency.filter(~silent).select("agency_id", "agency_name").rows()
    name = max(known, key=lambda row: (sizes.get(row[0], 0), row[1]))[1]
    for line, before in zip(agency[LINE].filter(silent), agency["agency_name"].filter(silent), strict=True):
        notes.add(Severity.INFO, "structure.names", "agency.txt", line, before=before or "", after=name)
    named = agency["agency_name"].set(silent, name)
    return feed.replace({"agency": agency.with_columns(named)})
