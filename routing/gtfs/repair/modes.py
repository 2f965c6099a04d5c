"""Modes: SNCF writes the vehicle in the stop ids and nowhere else.

A coach replaces a train on the same line, under the same route of type 2; its stop
points are `StopPoint:OCECar TER-87713040`. Whoever believes `route_type` counts
thousands of coaches as trains, grams of CO2 included.
"""

from __future__ import annotations

import polars as pl

from routing.gtfs.feed import Feed
from routing.gtfs.read.notes import Notes
from socle.findings import Severity

_FORM = r"^StopPoint:OCE(.+)-[0-9]{8}$"
_TYPES = (  # by the beginning of what follows OCE; longest first where one begins another
    ("TramTrain", 0),
    ("Train", 2),
    ("TGV", 2),
    ("INTERCITES", 2),
    ("Intercités", 2),
    ("Lyria", 2),
    ("OUIGO", 2),
    ("ICE", 2),
    ("Car", 3),
    ("Navette", 3),
)
_SUFFIXES = {0: "tram", 2: "rail", 3: "coach"}


def mode_from_stop_ids(feed: Feed, notes: Notes) -> Feed:
    """modes.from_stop_id: trips whose stops speak of another vehicle than their route get a route of that type.

    A route all of whose trips are of the other mode changes its type; else the trips move
    to a copy of the route, with the mode added to its id.
    """
    trips, routes = feed.tables["trips"], feed.tables["routes"]
    told = _told_types(feed)
    if told is None:
        return feed
    of_route = routes.select("route_id", "route_type")
    both = trips.select("route_id").join(of_route, on="route_id", how="left", maintain_order="left").with_columns(told)
    differs = both["told_type"].is_not_null() & (both["told_type"] != _base(both["route_type"]))
    if not differs.any():
        return feed
    sizes = dict(trips["route_id"].value_counts().rows())
    moves = both.filter(differs).group_by("route_id", "told_type").len().sort("route_id", "told_type")
    new_types: dict[str, int] = {}
    copies: dict[tuple[str, int], str] = {}
    lines = dict(zip(routes["route_id"], routes["_line"], strict=True))
    types = dict(of_route.rows())
    for route_id, told_type, n_trips in moves.rows():
        if n_trips == sizes[route_id]:
            new_types[route_id] = told_type
        else:
            copies[route_id, told_type] = f"{route_id}:{_SUFFIXES[told_type]}"
        notes.add(
            Severity.WARNING,
            "modes.from_stop_id",
            "routes.txt",
            lines[route_id],
            route=route_id,
            before=types[route_id],
            after=told_type,
            n_trips=n_trips,
        )
    kept = routes.with_columns(
        pl.col("route_id")
        .replace_strict(new_types, default=pl.col("route_type"), return_dtype=pl.Int16)
        .alias("route_type")
    )
    added = [
        routes.filter(pl.col("route_id") == route_id).with_columns(
            pl.lit(copy).alias("route_id"), pl.lit(told_type, pl.Int16).alias("route_type")
        )
        for (route_id, told_type), copy in copies.items()
    ]
    route_ids = [
        copies.get((route_id, told_type), route_id) if moved else route_id
        for route_id, told_type, moved in zip(both["route_id"], both["told_type"], differs, strict=True)
    ]
    tables = {"routes": pl.concat([kept, *added]), "trips": trips.with_columns(pl.Series("route_id", route_ids))}
    return feed.replace({**tables, **_copied_rows(feed, copies)})


def _told_types(feed: Feed) -> pl.Series | None:
    """For each trip the route type that its first stop speaks of; None when no stop id speaks."""
    words = feed.tables["stops"]["stop_id"].str.extract(_FORM)
    if words.null_count() == len(words):
        return None
    types = {word: _type_of(word) for word in words.drop_nulls().unique()}
    of_stop = words.replace_strict(types, default=None, return_dtype=pl.Int16)
    times = feed.tables["stop_times"]
    firsts = times.filter(times["trip"].is_first_distinct()).select(
        "trip", of_stop.gather(times["stop"].filter(times["trip"].is_first_distinct())).alias("told_type")
    )
    rows = pl.DataFrame({"trip": pl.int_range(feed.n_rows("trips"), dtype=pl.Int32, eager=True)})
    return rows.join(firsts, on="trip", how="left", maintain_order="left")["told_type"]


def _type_of(word: str) -> int | None:
    return next((route_type for beginning, route_type in _TYPES if word.startswith(beginning)), None)


def _base(route_type: pl.Series) -> pl.Series:
    """The base type of an extended one, as far as SNCF could use it: 100 rail, 200 and 700 coach and bus, 900 tram."""
    bases = {1: 2, 2: 3, 7: 3, 9: 0}
    hundreds = (route_type // 100).cast(pl.Int16)
    return hundreds.replace_strict(bases, default=None, return_dtype=pl.Int16).fill_null(route_type)


def _copied_rows(feed: Feed, copies: dict[tuple[str, int], str]) -> dict[str, pl.DataFrame]:
    """Rows that speak of a route, said again of its copies: its fares and its network hold for the coach too."""
    changed = {}
    for name in ("fare_rules", "route_networks"):
        frame = feed.tables.get(name)
        if frame is None or "route_id" not in frame.columns:
            continue
        again = [
            frame.filter(pl.col("route_id") == route_id).with_columns(pl.lit(copy).alias("route_id"))
            for (route_id, _), copy in copies.items()
        ]
        changed[name] = pl.concat([frame, *again])
    return changed
