"""Merge: several feeds → one, in which nothing collides and a place is there once.

Every id of every table is scoped by its source, except stops with a national id
(`identity.namespaces`), so that a traveller changes trains in one Dijon, not two.
All tables are carried, translations and zones included. Extra files bear the name
of their source in front when there are several.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import accumulate
from pathlib import PurePosixPath

import numpy as np
import polars as pl

from routing.gtfs.feed import LINE, Feed
from routing.gtfs.feed.values import dtype_of
from routing.gtfs.feed.zones import read_zones
from routing.gtfs.identity.namespaces import Namespaces, guess_namespaces
from routing.gtfs.merge.fares import bound_fares
from routing.gtfs.merge.report import report_overlaps
from routing.gtfs.merge.scope import scoped_table
from routing.gtfs.merge.stops import merge_stops
from routing.gtfs.read.notes import Notes
from routing.gtfs.schema import LOCATIONS_FILE, TABLES
from socle.findings import Finding, Severity
from socle.ids import scoped_id

__all__ = ["NETWORK_ID", "merge_feeds"]

NETWORK_ID = "network"  # the source id of what is merged
_APART = {"stops", "stop_times", "feed_info"}  # merged in their own way
_LONE_AGENCY = "agency"  # a feed with one agency need not name it, a merged one must


def merge_feeds(
    feeds: Sequence[Feed], namespaces: Mapping[str, Namespaces] | None = None
) -> tuple[Feed, list[Finding]]:
    """One network of all `feeds`, the first having priority, and what is to be said about it.

    `namespaces` says by source id what a source shares; for the others it is seen from their ids.
    """
    notes = Notes()
    spaces = {feed.source_id: guess_namespaces(feed.tables["stops"]["stop_id"]) for feed in feeds}
    spaces.update(namespaces or {})
    feeds = [_with_named_agency(feed) for feed in feeds]
    feeds = [_with_attribution(feed) for feed in feeds]
    if len(feeds) > 1:
        feeds = _with_one_way_of_naming_networks([bound_fares(feed, notes) for feed in feeds])
    stops, public_ids = merge_stops(feeds, spaces, notes)
    report_overlaps(feeds, public_ids, notes)
    tables: dict[str, pl.DataFrame] = {}
    for name in TABLES:
        if name in _APART:
            continue
        frames = [
            scoped_table(feed.tables[name], name, feed.source_id, ids)
            for feed, ids in zip(feeds, public_ids, strict=True)
            if name in feed.tables
        ]
        if frames:
            tables[name] = pl.concat(frames, how="diagonal")
    tables["stops"] = stops
    tables["stop_times"] = _stop_times(feeds, public_ids, stops)
    if "translations" in tables:
        tables["translations"] = tables["translations"].unique(
            [name for name in TABLES["translations"].key if name in tables["translations"].columns],
            keep="first",
            maintain_order=True,
        )
    info = _feed_info(feeds)
    if info is not None:
        tables["feed_info"] = info
    zones = tables["agency"]["agency_timezone"].drop_nulls().unique().sort()
    if len(zones) > 1:
        notes.add(Severity.WARNING, "several_timezones", "agency.txt", zones=", ".join(zones))
    network = Feed(NETWORK_ID, {name: _renumbered(frame) for name, frame in tables.items()}, _extra_files(feeds))
    return network, notes.findings()


def _renumbered(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with the lines its rows will have when it is written."""
    return frame.with_columns(pl.int_range(2, 2 + frame.height, dtype=pl.Int32).alias(LINE))


def _with_named_agency(feed: Feed) -> Feed:
    """`feed` with an id for each agency, and a lone agency named by what belongs to it."""
    agency = feed.tables["agency"]
    ids = agency["agency_id"].to_list() if "agency_id" in agency.columns else [None] * agency.height
    if agency.height == 1:
        lone = ids[0] or _LONE_AGENCY
        tables = {"agency": agency.with_columns(pl.lit(lone).alias("agency_id"))}
        for name in ("routes", "fare_attributes"):
            if name in feed.tables:
                tables[name] = feed.tables[name].with_columns(pl.lit(lone).alias("agency_id"))
        return feed.replace(tables)
    named = [agency_id or f"{_LONE_AGENCY}-{row}" for row, agency_id in enumerate(ids, 1)]
    return feed.replace({"agency": agency.with_columns(pl.Series("agency_id", named, pl.String))})


def _with_attribution(feed: Feed) -> Feed:
    """`feed` with a line that names its publisher, which many licences ask of whoever republishes it."""
    if feed.n_rows("attributions"):
        return feed
    told = feed.tables.get("feed_info")
    names = ("feed_publisher_name", "feed_publisher_url")
    if told is None or not told.height or names[0] not in told.columns or told[names[0]][0] is None:
        told, names = feed.tables["agency"], ("agency_name", "agency_url")
    if names[0] not in told.columns or told[names[0]][0] is None:
        return feed
    row: dict[str, str | int | None] = {"attribution_id": "source", "organization_name": told[names[0]][0]}
    row |= {"attribution_url": told[names[1]][0] if names[1] in told.columns else None, "is_producer": 1, LINE: 2}
    columns = TABLES["attributions"].columns
    schema = {name: dtype_of(columns[name]) if name in columns else pl.Int32 for name in row}
    return feed.replace({"attributions": pl.DataFrame([row], schema=schema)})


def _with_one_way_of_naming_networks(feeds: Sequence[Feed]) -> list[Feed]:
    """`feeds` where none names networks in routes.txt when another does so in networks.txt: no dataset may do both."""
    in_routes = ["network_id" in feed.tables["routes"].columns for feed in feeds]
    if not any(in_routes) or not any("networks" in feed.tables for feed in feeds):
        return list(feeds)
    changed = []
    for feed, named in zip(feeds, in_routes, strict=True):
        if not named or "networks" in feed.tables:
            changed.append(feed)
            continue
        routes = feed.tables["routes"]
        members = routes.select("network_id", "route_id", LINE).filter(routes["network_id"].is_not_null())
        tables = {
            "routes": routes.drop("network_id"),
            "networks": members.select("network_id", LINE).unique("network_id", keep="first", maintain_order=True),
            "route_networks": members,
        }
        changed.append(feed.replace(tables))
    return changed


def _stop_times(feeds: Sequence[Feed], public_ids: Sequence[Mapping[str, str]], stops: pl.DataFrame) -> pl.DataFrame:
    """The stop times of all feeds, with the rows of the merged trips and stops."""
    row_of_id = {public_id: row for row, public_id in enumerate(stops["stop_id"])}
    first_trip = accumulate((feed.n_rows("trips") for feed in feeds), initial=0)
    frames = []
    for feed, ids, offset in zip(feeds, public_ids, first_trip, strict=False):
        rows = pl.Series([row_of_id[ids[stop_id]] for stop_id in feed.tables["stops"]["stop_id"]], dtype=pl.Int32)
        frame = scoped_table(feed.tables["stop_times"], "stop_times", feed.source_id, ids)
        frames.append(frame.with_columns(frame["trip"] + np.int32(offset), rows.gather(frame["stop"]).alias("stop")))
    return pl.concat(frames, how="diagonal")


def _feed_info(feeds: Sequence[Feed]) -> pl.DataFrame | None:
    """One row that speaks for all: the publishers together, the whole time covered; None when no feed says anything.

    The time covered is left out when a feed does not tell its own.
    """
    infos = [feed.tables["feed_info"] for feed in feeds if feed.n_rows("feed_info")]
    if not infos or len(feeds) == 1:
        return infos[0] if infos else None
    together = pl.concat(infos, how="diagonal")
    languages = set(together["feed_lang"].drop_nulls()) if "feed_lang" in together.columns else set()
    joined = {name: pl.col(name).drop_nulls().first() for name in together.columns if name != LINE}
    for name in ("feed_publisher_name", "feed_version"):
        if name in together.columns:
            joined[name] = pl.col(name).drop_nulls().unique(maintain_order=True).str.join(", ")
    if len(languages) > 1:
        joined["feed_lang"] = pl.lit("mul")
    for name, bound in (("feed_start_date", pl.Expr.min), ("feed_end_date", pl.Expr.max)):
        if name in together.columns:
            joined[name] = bound(pl.col(name))
        if name in together.columns and (len(infos) < len(feeds) or together[name].null_count()):
            joined[name] = pl.lit(None, pl.Date)
    return together.select(**joined)


def _extra_files(feeds: Sequence[Feed]) -> dict[str, bytes]:
    """The files that are no tables; the zones of all sources in one file."""
    extra: dict[str, bytes] = {}
    zones = []
    for feed in feeds:
        for name, content in feed.extra_files.items():
            if name != LOCATIONS_FILE:
                path = PurePosixPath(name)
                extra[str(path.with_name(f"{feed.source_id}-{path.name}")) if len(feeds) > 1 else name] = content
                continue
            with suppress(ValueError):  # reading has told
                zones += [{**zone, "id": scoped_id(feed.source_id, str(zone["id"]))} for zone in read_zones(content)]
    if zones:
        text = json.dumps({"type": "FeatureCollection", "features": zones}, ensure_ascii=False)
        extra[LOCATIONS_FILE] = text.encode()
    return extra
